"""From a config's command to what is executed; what a compiler call makes; where programs are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hotrun.process.command import Command, beside, find, parse, target


def test_a_string_without_shell_syntax_becomes_arguments() -> None:
    assert parse("./app --name 'a b'") == Command(
        ("./app", "--name", "a b"), "./app --name 'a b'", shell=False
    )


def test_a_string_with_shell_syntax_goes_to_a_shell_that_execs() -> None:
    command = parse("  cd web && ./app >log\n")
    assert command.argv == ("/bin/sh", "-c", "  cd web && exec ./app >log\n")
    assert (command.text, command.shell) == ("cd web && ./app >log", True)


def test_a_list_never_sees_a_shell() -> None:
    command = parse(["./app", "a && b", "$C"])
    assert command == Command(("./app", "a && b", "$C"), "./app 'a && b' '$C'")


def test_more_arguments_are_quoted_for_a_shell_and_not_for_others() -> None:
    more = ["-x", "it's $A"]
    assert parse("./app", more).argv == ("./app", "-x", "it's $A")
    assert parse(["./app"], more).argv == ("./app", "-x", "it's $A")
    line = parse("A=1 ./app # server", more).argv[2]
    assert line == "A=1 exec ./app -x 'it'\"'\"'s $A' # server"


@pytest.mark.parametrize("command", ["", "  \n", []])
def test_no_command_is_an_error(command: str | list[str]) -> None:
    with pytest.raises(ValueError, match="empty"):
        parse(command)


def test_an_escaped_blank_at_the_end_is_part_of_the_word() -> None:
    assert parse("./app a\\ ").argv == ("./app", "a ")


# --- what a compiler makes ---

TARGETS = [
    ("go build -o app .", "app"),
    ("go build -o=app .", "app"),
    ("go build --o app .", "app"),
    ("go build --o=app .", "app"),
    ("go build -o bin/ ./cmd/...", "bin/"),
    ("go build -o a -o b .", "b"),
    ("go build -tags dev -ldflags '-s -w' -o app ./cmd/app", "app"),
    ("go build -C sub -o app .", "sub/app"),
    ("go build -C=sub -o app .", "sub/app"),
    ("go -C sub build -o app .", "sub/app"),
    ("go build -C sub -o ../app .", "sub/../app"),
    ("go build -C sub -o /x/app .", "/x/app"),
    ("go test -c -o app.test .", "app.test"),
    ("go1.22 build -o app", "app"),
    ("/usr/local/go/bin/go build -o app", "app"),
    ("env GOGC=off CGO_ENABLED=0 go build -o app", "app"),
    ("env -i -u A GOOS=linux go build -o app", "app"),
    ("env -C sub go build -o app", "sub/app"),
    ("env --chdir=sub go build -C x -o app", "sub/x/app"),
    ("GOGC=off go build -o app .", "app"),
    ("GOFLAGS='-a b' go build -o 'my app' .", "my app"),
    ("go build .", None),
    ("go build -o /dev/null ./...", None),
    ("go run . -o app", None),
    ("go vet -o app", None),
    ("go build -- -o app", None),
    ("go build -o", None),
    ("go build -o $OUT .", None),
    ("cd x && go build -o app", None),
    ("make -o app", None),
    ("gcc a.c -o app", "app"),
    ("gcc -o app a.c", "app"),
    ("gcc -oapp a.c", "app"),
    ("gcc -o one -o two a.c", "two"),
    ("gcc -o=app a.c", "=app"),
    ("gcc --output app a.c", "app"),
    ("gcc --output=app a.c", "app"),
    ("gcc -Xlinker -o -Xlinker x a.c -o app", "app"),
    ("cc -c a.c", None),
    ("cc -c a.c -o a.o", "a.o"),
    ("gcc -O2 -Wall a.c", None),
    ("g++-12 a.cc -o app", "app"),
    ("x86_64-linux-gnu-gcc-12 a.c -o app", "app"),
    ("clang++ -std=c++20 a.cc -o app", "app"),
    ("ccache gcc a.c -o app", "app"),
    ("env A=1 ccache gcc a.c -o app", "app"),
    ("zig cc a.c -o app", "app"),
    ("zig build -o app", None),
    ("rustc main.rs -o app", "app"),
    ("rustc -oapp main.rs", "app"),
    ("rustc --out-dir out main.rs", "out"),
    ("gcc - -o -", None),
    ("", None),
]


@pytest.mark.parametrize(("line", "made"), TARGETS[:-1])
def test_the_file_that_a_compiler_call_makes(line: str, made: str | None) -> None:
    assert target(parse(line)) == made


def test_a_list_is_read_like_a_line() -> None:
    assert target(parse(["go", "build", "-o", "my app", "."])) == "my app"
    assert target(Command((), "")) is None


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is the oracle")
@pytest.mark.parametrize("line", [t[0] for t in TARGETS if t[0].startswith(("gcc ", "cc "))])
def test_gcc_makes_the_file_that_we_expect(line: str, tmp_path: Path) -> None:
    if line == "gcc - -o -" or "-Xlinker" in line:
        pytest.skip("reads its source from stdin, or gives the linker another name")
    (tmp_path / "a.c").write_text("int main(void) { return 0; }\n")
    made = target(parse(line)) or ("a.o" if " -c " in line else "a.out")
    subprocess.run(parse(line).argv, cwd=tmp_path, check=True, timeout=60)
    assert sorted(os.listdir(tmp_path)) == sorted(["a.c", made])


def working_go() -> str | None:
    """The go of the extra, or else the one on PATH: a shim may be there that finds no go."""
    for go in (os.path.join(beside(), "go"), find("go", os.environ, "/")):
        if go and os.path.exists(go):
            done = subprocess.run([go, "version"], capture_output=True, check=False, timeout=60)
            if done.returncode == 0:
                return go
    return None


@pytest.mark.parametrize("line", [t[0] for t in TARGETS if t[0].startswith("go ") and t[1]][:10])
def test_go_makes_the_file_that_we_expect(line: str, tmp_path: Path) -> None:
    """Go prints what it would do; its last word is the file."""
    if "..." in line or "/x/" in line:
        pytest.skip("needs more than one package")
    for directory in (tmp_path, tmp_path / "sub", tmp_path / "cmd/app"):
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "main.go").write_text("package main\n\nfunc main() {}\n")
    (tmp_path / "go.mod").write_text("module x\n\ngo 1.21\n")
    (tmp_path / "sub" / "go.mod").write_text("module y\n\ngo 1.21\n")
    go = working_go()
    if go is None:
        pytest.skip("go is the oracle")
    command = parse(line)
    at = next(at for at, word in enumerate(command.argv) if word.lstrip("-").startswith("o"))
    argv = [*command.argv[:at], "-n", *command.argv[at:]]
    done = subprocess.run(
        argv, executable=go, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    moved = [text.split()[-1] for text in done.stderr.split("\n") if text.startswith("mv ")]
    made = target(command)
    assert made is not None
    assert moved
    assert os.path.basename(moved[-1]) == os.path.basename(made)


# --- where a program is ---


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("here/tool", "bin/tool", "bin/only", "plain/tool", "plain/noexec", "tool"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o644 if name.startswith("plain") else 0o755)
    (tmp_path / "dirs" / "tool").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("{0}/here:{0}/bin", "here/tool"),
        ("{0}/bin:{0}/here", "bin/tool"),
        ("{0}/plain:{0}/bin", "bin/tool"),
        ("{0}/dirs:{0}/bin", "bin/tool"),
        ("{0}/nowhere:{0}/bin", "bin/tool"),
        ("bin:{0}/here", "bin/tool"),
        ("./bin", "bin/tool"),
        (":{0}/bin", "tool"),
        ("{0}/nowhere:", "tool"),
        ("", "tool"),
        ("{0}/plain", None),
    ],
)
def test_a_name_is_found_where_a_shell_finds_it(place: Path, path: str, found: str | None) -> None:
    env = {"PATH": path.format(place)}
    here = find("tool", env, str(place))
    assert (here and os.path.realpath(here)) == (found and str(place / found))
    if path:
        done = subprocess.run(
            ["/bin/sh", "-c", "command -v tool"],
            cwd=place,
            env=env,
            capture_output=True,
            check=False,
        )
        said = done.stdout.decode().strip()
        expected = os.path.realpath(place / said) if done.returncode == 0 else None
        # Some shells answer with a file that cannot be executed, as the last resort.
        assert expected == (found and str(place / found)) or "plain" in str(expected)


def test_a_path_is_meant_from_the_working_directory(place: Path) -> None:
    assert find("./tool", {}, str(place)) == f"{place}/./tool"
    assert find("bin/only", {}, str(place)) == f"{place}/bin/only"
    assert find(f"{place}/bin/only", {}, "/") == f"{place}/bin/only"
    assert find("./only", {}, str(place)) is None


def test_a_path_is_found_even_if_it_cannot_be_executed(place: Path) -> None:
    """So that the reason can be told."""
    assert find("plain/tool", {}, str(place)) is not None


def test_what_is_beside_python_is_found_last(place: Path) -> None:
    name = os.path.basename(sys.executable)
    assert find(name, {"PATH": str(place)}, "/") == os.path.join(beside(), name)
    other = place / "bin" / name
    other.write_text("")
    other.chmod(0o755)
    assert find(name, {"PATH": f"{place}/bin"}, "/") == str(other)
