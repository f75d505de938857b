"""What app and build print arrives whole, in order and byte for byte; and what they see of us."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
from live import Live, Project, ended, marked, until
from plain import Plain
from pty_rig import Rig

if TYPE_CHECKING:
    from collections.abc import Callable

    Start = Callable[..., Live]

HINTS = {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1", "CARGO_TERM_COLOR": "always"}
NAMES = [*HINTS, "NO_COLOR"]

# Writes down which of its streams are a terminal, and what it was told about colours.
PROBE = f"""
import json, os, sys, time
seen = {{"tty": [os.isatty(fd) for fd in range(3)]}}
seen |= {{name: os.environ[name] for name in {NAMES} if name in os.environ}}
with open(sys.argv[1] + ".new", "w") as file:
    json.dump(seen, file)
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(float(sys.argv[2]))
"""

# Colours are decided by these; a test that says nothing of them must not inherit them.
NEUTRAL = ("env", *(word for name in NAMES for word in ("-u", name)))


def probed(project: Project, more: str = "") -> None:
    """Write a config with a probe as the build, and one as the app."""
    script = project.out / "probe.py"
    script.write_text(PROBE)
    build, app = ([sys.executable, str(script), str(project.out / name)] for name in PROBED)
    text = f"[build]\ncommand = {json.dumps([*build, '0'])}\n"
    project.write("hotrun.toml", f"{text}[run]\ncommand = {json.dumps([*app, '600'])}\n{more}\n")


PROBED = ("build", "app")


def seen(project: Project, who: str) -> dict[str, Any]:
    """What a probe has seen."""
    path = project.out / who
    until(path.exists, f"the probe of the {who}")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def at_a_terminal(project: Project, *words: str, **env: str) -> Rig:
    """Start hotrun with these variables for colours, and no other."""
    told = (f"{name}={value}" for name, value in env.items())
    command = (sys.executable, "-m", "hotrun", "run", *words)
    return Rig(*NEUTRAL, *told, *command, cwd=project.path)


# --- whether it is a terminal ---


def test_an_app_that_a_person_watches_has_the_terminal_for_its_output(project: Project) -> None:
    probed(project)
    with at_a_terminal(project):
        assert seen(project, "app") == {"tty": [False, True, True]}
        assert seen(project, "build")["tty"] == [False, False, False]


def test_an_app_may_have_the_terminal_for_its_input_too(project: Project) -> None:
    probed(project, 'stdin = "terminal"')
    with at_a_terminal(project):
        assert seen(project, "app") == {"tty": [True, True, True]}
        assert seen(project, "build")["tty"] == [False, False, False]


READ = {
    "json": (["--json"], ""),
    "ready.log": ([], 'ready = { log = "never" }'),
    "on_hang": ([], 'on_hang = "dump"'),
}


@pytest.mark.parametrize("mode", READ)
def test_an_app_whose_output_is_read_has_no_terminal(project: Project, mode: str) -> None:
    words, more = READ[mode]
    probed(project, more)
    with at_a_terminal(project, *words):
        assert seen(project, "app")["tty"] == [False, False, False]
        assert seen(project, "build")["tty"] == [False, False, False]


# --- colours ---


@pytest.mark.parametrize("mode", READ)
def test_what_is_read_is_asked_for_colours_where_we_use_them(project: Project, mode: str) -> None:
    words, more = READ[mode]
    probed(project, more)
    with at_a_terminal(project, *words):
        for who in PROBED:
            assert seen(project, who) == {"tty": [False] * 3, **HINTS}


def test_without_a_terminal_nothing_is_asked_for_colours(project: Project) -> None:
    probed(project, READ["ready.log"][1])
    with Plain(project.path, prefix=NEUTRAL):
        for who in PROBED:
            assert seen(project, who) == {"tty": [False] * 3}


@pytest.mark.parametrize("word", ["always", "never"])
def test_the_option_for_colours_counts_for_what_is_read_too(project: Project, word: str) -> None:
    probed(project, READ["ready.log"][1])
    with at_a_terminal(project, "--color", word):
        for who in PROBED:
            hints = HINTS if word == "always" else {}
            assert seen(project, who) == {"tty": [False] * 3, **hints}


def test_no_color_wins(project: Project) -> None:
    probed(project, READ["ready.log"][1])
    with at_a_terminal(project, "--color", "always", NO_COLOR="1"):
        for who in PROBED:
            assert seen(project, who) == {"tty": [False] * 3, "NO_COLOR": "1"}


def test_an_empty_no_color_says_nothing(project: Project) -> None:
    """https://no-color.org: when present and not an empty string."""
    probed(project, READ["ready.log"][1])
    with at_a_terminal(project, NO_COLOR=""):
        for who in PROBED:
            assert seen(project, who) == {"tty": [False] * 3, "NO_COLOR": "", **HINTS}


def test_no_color_of_the_config_wins_for_whom_it_is_meant(project: Project) -> None:
    probed(project, f'{READ["ready.log"][1]}\nenv = {{ NO_COLOR = "1" }}')
    with at_a_terminal(project):
        assert seen(project, "app") == {"tty": [False] * 3, "NO_COLOR": "1"}
        assert seen(project, "build") == {"tty": [False] * 3, **HINTS}


# --- lines ---

READY = 'ready = { log = "^never$" }'  # so that the output is read


def prints(project: Project, code: str, more: str = READY, who: str = "run") -> None:
    """Write a config whose app, or build, is Python code."""
    script = project.out / "prints.py"
    script.write_text(f"import os, sys, time\n{code}\n")
    command = json.dumps([sys.executable, "-u", str(script)])
    project.write("hotrun.toml", f"[{who}]\ncommand = {command}\n{more if who == 'run' else ''}\n")


LONG = "os.write(1, b'<' + b'x' * 1_000_000 + b'>\\n')"


def whole(data: bytes | bytearray) -> bool:
    return b"<" + b"x" * 1_000_000 + b">\n" in data


def test_a_line_of_a_megabyte_comes_whole(project: Project) -> None:
    prints(project, LONG)
    with Plain(project.path) as session:
        session.until(lambda: whole(session.out), "the long line")


def test_a_line_of_a_megabyte_is_one_event(project: Project, start: Start) -> None:
    prints(project, LONG)
    assert start().wait_for("output")["text"] == f"<{'x' * 1_000_000}>"


@pytest.mark.parametrize("json", [True, False], ids=["json", "plain"])
def test_a_line_of_a_megabyte_of_a_build_comes_whole(project: Project, json: bool) -> None:
    prints(project, LONG, who="build")
    if json:
        with Live(project.path) as live:
            assert len(live.wait_for("output", source="build")["text"]) == 1_000_002
    else:
        with Plain(project.path) as session:
            session.until(lambda: whole(session.err), "the long line")


@pytest.mark.parametrize("who", ["build", "run"])
def test_a_torn_last_line_is_shown_all_the_same(project: Project, start: Start, who: str) -> None:
    prints(project, "os.write(1, b'whole\\ntorn')", who=who)
    session = start()
    session.wait_for("build_finished" if who == "build" else "app_exited")
    assert [event["text"] for event in session.all("output")] == ["whole", "torn"]
    with Plain(project.path) as plain:
        heard = plain.err if who == "build" else plain.out
        plain.until(lambda: b"whole\ntorn\n" in heard, "both lines")


def test_a_torn_line_is_shown_when_the_app_is_killed_at_it(project: Project, start: Start) -> None:
    prints(project, "os.write(2, b'torn'); os.kill(os.getpid(), 9)")
    session = start()
    session.wait_for("app_exited", signal="SIGKILL")
    assert [(event["stream"], event["text"]) for event in session.all("output")] == [
        ("stderr", "torn")
    ]


def test_what_is_read_goes_to_the_stream_it_was_meant_for_and_in_order(project: Project) -> None:
    code = "for n in range(1000): print('out', n); print('err', n, file=sys.stderr)"
    prints(project, code)
    with Plain(project.path) as session:
        session.wait_for("app exited with code 0")
        session.stop()
        assert session.out.decode().splitlines() == [f"out {n}" for n in range(1000)]
        said = [line for line in session.lines if line.startswith(("out ", "err "))]
        assert said == [f"err {n}" for n in range(1000)]


def test_an_app_whose_output_is_not_read_writes_where_we_do(project: Project) -> None:
    prints(project, "print('to stdout'); print('to stderr', file=sys.stderr)", more="")
    with Plain(project.path) as session:
        session.wait_for("app exited with code 0")
        session.stop()
        assert session.out == b"to stdout\n"
        assert "to stderr" in session.lines


def test_the_streams_of_a_build_stay_in_order(project: Project) -> None:
    code = "for n in range(1000): print(2 * n); print(2 * n + 1, file=sys.stderr)"
    prints(project, code, who="build")
    with Plain(project.path) as session:
        session.wait_for("-- #1 first build: built")
        session.stop()
        said = [int(line) for line in session.lines if line.isdigit()]
        assert said == list(range(2000))
        assert session.out == b""


EVERY = bytes(each for each in range(256) if each != ord("\n"))


@pytest.mark.parametrize("who", ["build", "run"])
def test_every_byte_passes_as_it_is(project: Project, who: str) -> None:
    prints(project, f"os.write(1, {EVERY + b'!'!r} + b'\\n')", who=who)
    with Plain(project.path) as session:
        heard = session.err if who == "build" else session.out
        session.until(lambda: EVERY + b"!\n" in heard, "all bytes")


# --- a lot ---

SIZE = 32 * 1024 * 1024
LOTS = f"line = b'x' * 79 + b'\\n'\nfor _ in range({SIZE} // 80 // 800): os.write(1, line * 800)"
WRITTEN = SIZE // 80 // 800 * 800 * 80


def test_32_megabytes_come_whole(project: Project) -> None:
    prints(project, f"sys.stdout.flush()\n{LOTS}")
    with Plain(project.path) as session:
        session.wait_for("app exited with code 0")
        session.stop()
        assert len(session.out) == WRITTEN
        assert session.out.count(b"x" * 79 + b"\n") == WRITTEN // 80


def test_32_megabytes_of_a_build_come_whole(project: Project) -> None:
    prints(project, LOTS, who="build")
    with Plain(project.path) as session:
        session.wait_for("-- #1 first build: built")
        session.stop()
        assert session.err.count(b"x" * 79 + b"\n") == WRITTEN // 80


# --- who keeps it open ---


def test_a_command_before_the_app_may_leave_something_that_keeps_the_output_open(
    project: Project, start: Start
) -> None:
    """Nobody waits for it; it ends with the session."""
    held = project.out / "held"
    line = f"setsid sh -c 'echo $$ >{held}; exec sleep 1000' & until test -s {held}; do :; done"
    project.write(
        "hotrun.toml", f"[run]\ncommand = 'echo up; exec sleep 1000'\nbefore = [{json.dumps(line)}]"
    )
    session = start()
    session.wait_for("output", text="up")
    assert int(held.read_text()) in marked(session.mark)
    assert session.stop() == 130
    assert session.leftovers() == []


def test_a_grandchild_that_keeps_the_output_open_keeps_no_app_alive(
    project: Project, start: Start
) -> None:
    held = project.out / "held"
    line = f"setsid sh -c 'echo $$ >{held}; exec sleep 1000' & until test -s {held}; do :; done"
    project.write("hotrun.toml", f"[run]\ncommand = {json.dumps(f'{line}; echo torn; exit 3')}\n")
    session = start()
    session.wait_for("app_exited", code=3)
    assert [event["text"] for event in session.all("output")] == ["torn"]
    assert not os.path.exists(f"/proc/{held.read_text().strip()}")


@pytest.mark.parametrize(
    ("command", "then"),
    [("echo compiling", "output"), ("no-such-compiler", "problem")],
    ids=["it prints", "it is missing"],
)
def test_a_build_is_told_before_what_comes_of_it(project: Project, command: str, then: str) -> None:
    project.write("hotrun.toml", f"[build]\ncommand = '{command}'\n")
    done = ended(project.path, "run", "--once", "--json")
    told = [json.loads(line)["event"] for line in done.out.splitlines()]
    assert told[told.index("build_started") :][:3] == ["build_started", then, "build_finished"]
