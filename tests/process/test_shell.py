"""Shell lines against the shell itself: without it, and with ``exec``, they mean the same."""

from __future__ import annotations

import os
import random
import re
import shlex
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from hotrun.process import shell

if TYPE_CHECKING:
    from pathlib import Path

# A fixed seed finds the same thing everywhere; HOTRUN_TEST_SEED and _ROUNDS look further.
SEED = int(os.environ.get("HOTRUN_TEST_SEED", "20261121"))
ROUNDS = int(os.environ.get("HOTRUN_TEST_ROUNDS", "120"))
SHELLS = [["/bin/sh", "-c", "--"]]
if shutil.which("bash"):
    SHELLS.append(["bash", "--posix", "-c", "--"])
DEADLINE = 60

SHOW = """#!/bin/sh
printf '[%s]' "${0##*/}" "$@" "A=$A" "B=$B"
echo
"""


class Result(NamedTuple):
    out: str
    err: str
    code: int
    files: dict[str, str]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with programs, and one to work in."""
    (tmp_path / "bin").mkdir()
    for name, text in {
        "show": SHOW,
        "fail": "#!/bin/sh\necho failed\nexit 3\n",
        "die": "#!/bin/sh\nkill -TERM $$\n",
        "copy": "#!/bin/sh\nexec /bin/cat\n",
    }.items():
        path = tmp_path / "bin" / name
        path.write_text(text)
        path.chmod(0o755)
    return tmp_path


def work(place: Path) -> Path:
    """Make the working directory as it was."""
    work = place / "work"
    shutil.rmtree(work, ignore_errors=True)
    (work / "sub").mkdir(parents=True)
    (work / "file").write_text("content\n")
    (work / "no exec").write_text("")
    return work


def run(place: Path, argv: list[str], executable: str | None = None) -> Result:
    directory = work(place)
    done = subprocess.run(
        argv,
        executable=executable,
        cwd=directory,
        env={"PATH": f"{place / 'bin'}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=DEADLINE,
    )
    files = {
        str(path.relative_to(directory)): path.read_text(errors="replace")
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
    out, err = (os.fsdecode(stream) for stream in (done.stdout, done.stderr))
    code = done.returncode if done.returncode >= 0 else 128 - done.returncode
    # What a shell itself says of a program that is missing or was killed is its own affair.
    said = [line for line in err.splitlines() if not re.match(r"(ba|/bin/)?sh: |Terminated", line)]
    return Result(out, "\n".join(said), code, files)


# --- without a shell ---


@pytest.mark.parametrize(
    "line",
    [
        "go build -o app .",
        "./app --name 'a b' \"c d\" e\\ f",
        "gcc -Wl,-rpath=/x -DA=1 a.c -o a",
        "awk '{print $1}'",
        "'' x",
        "a#b c^d e%f g@h i,j k:l m+n =o",
        "  leading\tand trailing  ",
        "grep 'a*b' \"x;y\" \\& \\| \\#",
    ],
)
def test_no_shell_for(line: str) -> None:
    assert not shell.needs_shell(line)


@pytest.mark.parametrize(
    "line",
    [
        "a && b",
        "a; b",
        "a | b",
        "a > b",
        "a &",
        "A=1 a",
        "echo 'a\\nb'",
        "cd x",
        '"cd" x',
        "c\\d x",
        "a $B",
        'a "$B"',
        "a `b`",
        'a "`b`"',
        "a ~/b",
        "a *.go",
        "a b?",
        "a [b]",
        "a {b,c}",
        "! a",
        "a # b",
        "# a",
        "a \\\n b",
        "a\nb",
        "a\rb",
        "a \\$B",
        "if a; then b; fi",
        "time a",
        "%1 a",
    ],
)
def test_a_shell_for(line: str) -> None:
    assert shell.needs_shell(line)


@pytest.mark.parametrize("line", ["a 'b", 'a "b', "a \\", "'", "a && b 'c", "A=1 'b"])
def test_an_open_quote_is_told_at_once(line: str) -> None:
    with pytest.raises(ValueError, match="a quote is not closed"):
        shell.needs_shell(line)


@pytest.mark.parametrize(
    "line", ["a # don't", "cat <<EOF\nit's\nEOF", 'a "$(b "it\'s")"', "a `b 'c`; d '`"]
)
def test_a_quote_that_only_a_shell_understands_is_left_to_it(line: str) -> None:
    assert shell.needs_shell(line)


def test_what_needs_no_shell_means_the_same_in_one(place: Path) -> None:
    rng = random.Random(SEED)
    pieces = [*"ab1'\"\\ \t =-.,:%^/@+]#~*?[{}!;&|<>()$`\r", "show", " ", " ", "''", "cd", "\xa0"]
    weights = [3] * 20 + [1] * (len(pieces) - 20)
    seen = 0
    end = time.monotonic() + DEADLINE
    while seen < ROUNDS:
        assert time.monotonic() < end, f"waited {DEADLINE} s for line {seen} of {ROUNDS}"
        line = rng.choice(["", "", "show "]) + "".join(
            rng.choices(pieces, weights, k=rng.randrange(1, 14))
        )
        try:
            argv = shlex.split(line) if not shell.needs_shell(line) else []
        except ValueError:
            continue
        if not argv or "/" in argv[0] or argv[0] in ("", ".", ".."):
            continue
        seen, end = seen + 1, time.monotonic() + DEADLINE
        program = place / "bin" / argv[0]
        if not program.exists():
            program.symlink_to("show")
        without = run(place, argv, str(program))
        for sh in SHELLS:
            assert run(place, [*sh, line]) == without, line


# --- with exec ---


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        ("cd web && ./app", "cd web && exec ./app"),
        ("A=1 B='x y' ./app >log 2>&1", "A=1 B='x y' exec ./app >log 2>&1"),
        ("make; ./app", "make; exec ./app"),
        ("make; ./app;", "make; exec ./app;"),
        ("make\n./app\n", "make\nexec ./app\n"),
        ("make || ./app", "make || exec ./app"),
        ("./app # the server", "exec ./app # the server"),
        ("# the server\n./app", "# the server\nexec ./app"),
        ("./app --port ${PORT:-80}", "exec ./app --port ${PORT:-80}"),
        ('./app --port "${PORT}"', 'exec ./app --port "${PORT}"'),
        ("export A=1 && ./app $A", "export A=1 && exec ./app $A"),
        ("./app --if x --while y", "exec ./app --if x --while y"),
        ("./app *.txt", "exec ./app *.txt"),
    ],
)
def test_exec_goes_before_the_last_simple_command(line: str, becomes: str) -> None:
    assert shell.with_exec(line) == becomes


@pytest.mark.parametrize(
    "line",
    [
        "a | b",
        "a & b",
        "a &",
        "(a)",
        "{ a; }",
        "a; true",
        "a && echo 'x\\ny'",
        "if a; then b; fi",
        "while a; do b; done",
        "trap 'c' EXIT; a",
        "eval \"trap 'c' EXIT\"; a",
        ". ./lib; a",
        "alias a=b; a",
        "f() { b; }; f",
        "! a",
        "time a",
        "exec a",
        "$A",
        '"$A" b',
        "`a`",
        "a $(b)",
        "a <<EOF\nb\nEOF",
        "A=1",
        ">log a",
        "2>log a",
        "a &> log",
        "set -e; a",
        "'cd' a",
        "-a",
        'a "${B:-"c d"}"',
        "a $'b'",
        "a ;; b",
        "a\n; b",
        "[ -e a ]",
    ],
)
def test_where_exec_could_change_something_it_is_left_out(line: str) -> None:
    assert shell.with_exec(line) == line


COMMANDS = [
    "show a",
    "show 'b c' \"d $A\"",
    'show "${A:-x}" $B',
    "A=1 show",
    "A=1 B='2 3' show $A",
    "A=1",
    "export A=5",
    "fail",
    "die",
    "copy <file",
    "copy <missing",
    "show >out",
    "show x >>out 2>&1",
    "fail >&2",
    "2>out show y",
    ">out show z",
    "missing",
    "./no\\ exec",
    "cd sub",
    "cd nowhere",
    "true",
    "false",
    "! fail",
    "! show n",
    "echo 'a\\nb'",
    "[ -e out ]",
    "trap 'show trap' EXIT",
    "set -e",
    "exit 4",
    "eval 'show e'",
    "umask 077",
    "show *",
    "show $?",
    "B=show; $B x",
    "'show' q",
    "sh\\ow q",
    "(show p; fail)",
    "{ show p; fail; }",
    "if fail; then show t; else show f; fi",
    "show p | copy",
    "for A in 1 2; do show; done",
    "sleep 0 & wait",
    "f() { show f; }; f",
    "unset A",
    "show \\\n cont",
    "show it # 's",
    "",
]
JOINTS = [" && ", " && ", " || ", "; ", " ; ", "\n", " | ", " &\n", "&&\n", ";"]


def test_exec_changes_neither_output_nor_exit_code(place: Path) -> None:
    rng = random.Random(SEED)
    changed = 0
    end = time.monotonic() + DEADLINE
    while changed < ROUNDS:
        assert time.monotonic() < end, f"waited {DEADLINE} s for line {changed} of {ROUNDS}"
        count = rng.choice([1, 1, 2, 2, 3, 4])
        words = [rng.choice(COMMANDS)]
        for _ in range(count - 1):
            words += [rng.choice(JOINTS), rng.choice(COMMANDS)]
        line = "".join(words) + rng.choice(["", "", "", ";", " ", "\n", " # end"])
        becomes = shell.with_exec(line)
        if becomes == line or "&\n" in line:
            continue
        changed, end = changed + 1, time.monotonic() + DEADLINE
        for sh in SHELLS:
            assert run(place, [*sh, becomes]) == run(place, [*sh, line]), becomes


# --- more arguments ---


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        ("./app", "./app -x 'a b'"),
        ("make && ./app", "make && ./app -x 'a b'"),
        ("./app # server", "./app -x 'a b' # server"),
        ("./app ;", "./app -x 'a b' ;"),
        ("./app &", "./app -x 'a b' &"),
        ("./app\n", "./app -x 'a b'\n"),
        ("./app a\\ ", "./app a\\  -x 'a b'"),
        ("./app >log", "./app >log -x 'a b'"),
    ],
)
def test_arguments_go_behind_the_last_word(line: str, becomes: str) -> None:
    assert shell.append(line, "-x 'a b'") == becomes


def test_a_long_line_is_read_in_a_moment() -> None:
    """Patterns that go back over what they read would take for ever here."""
    for piece in ("a", "a ", "'a'", "\\a", '"a"', "a;", "A=1 ", "# ", "${a", "$(", "\\\n"):
        line = piece * 20_000
        shell.with_exec(line)
        try:
            shell.needs_shell(line + "'")
        except ValueError:
            continue
