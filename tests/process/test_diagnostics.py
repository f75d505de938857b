"""What compilers complain about: their real output, and what only looks like it."""

# ruff: noqa: E501 - a table is read by line

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hotrun.process.command import find
from hotrun.process.diagnostics import LONGEST, MOST, Diagnostic, parse, plain


def read(text: str) -> list[Diagnostic]:
    return parse(text.split("\n"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # go
        ("./main.go:9:2: undefined: x", ("main.go", 9, 2, "error", "undefined: x")),
        ("cmd/a/main.go:9:2: undefined: x", ("cmd/a/main.go", 9, 2, "error", "undefined: x")),
        ("../lib/a.go:1:1: expected 'package'", ("../lib/a.go", 1, 1, "error", "expected 'package'")),
        ("./my dir/a b.go:1:2: x: y", ("my dir/a b.go", 1, 2, "error", "x: y")),
        ("vet: ./a.go:4:2: x declared and not used", ("a.go", 4, 2, "error", "x declared and not used")),
        ("go.mod:2: unknown directive: foo", ("go.mod", 2, 0, "error", "unknown directive: foo")),
        ("    a_test.go:12: expected 1", ("a_test.go", 12, 0, "error", "expected 1")),
        # gcc, clang
        ("a.c:3:5: error: 'b' undeclared", ("a.c", 3, 5, "error", "'b' undeclared")),
        ("a.c:3:5: warning: unused [-Wx]", ("a.c", 3, 5, "warning", "unused [-Wx]")),
        ("a.c:3:5: note: declared here", ("a.c", 3, 5, "note", "declared here")),
        ("a.c:1:10: fatal error: x.h: No such file", ("a.c", 1, 10, "error", "x.h: No such file")),
        ("/abs/a.c:3:5: error: x", ("/abs/a.c", 3, 5, "error", "x")),
        ("C:\\x\\a.c:3:5: error: x", ("C:\\x\\a.c", 3, 5, "error", "x")),
        # cargo --message-format short
        ("src/main.rs:1:25: error[E0308]: bad", ("src/main.rs", 1, 25, "error", "bad")),
        # rustc, cargo
        ("error[E0308]: bad types\n  --> src/main.rs:1:25\n   |", ("src/main.rs", 1, 25, "error", "bad types")),
        ("warning: unused `x`\n --> a b/m.rs:2:9", None),
        ("warning: unused `x`\n --> m.rs:2:9", ("m.rs", 2, 9, "warning", "unused `x`")),
        # tsc, C#
        ("src/a.ts(1,2): error TS1005: ';' expected.", ("src/a.ts", 1, 2, "error", "TS1005: ';' expected.")),
        ("src/a.ts:1:2 - error TS1005: ';' expected.", ("src/a.ts", 1, 2, "error", "TS1005: ';' expected.")),
        ("app/(shop)/p.tsx(1,2): error TS1: x", ("app/(shop)/p.tsx", 1, 2, "error", "TS1: x")),
        ("C:\\a b\\P.cs(10): warning CS0168: x", ("C:\\a b\\P.cs", 10, 0, "warning", "CS0168: x")),
        # esbuild, vite
        ('✘ [ERROR] No "x"\n\n    src/a.ts:1:7:\n', ("src/a.ts", 1, 7, "error", 'No "x"')),
        # Python, Node
        (
            'Traceback (most recent call last):\n  File "a.py", line 3, in <module>\n    f()\n  File "b c.py", line 2, in f\n    raise x\nValueError: bad: x',
            ("b c.py", 2, 0, "error", "ValueError: bad: x"),
        ),
        ('  File "u.py", line 1\n    def f(:\n          ^\nSyntaxError: no', ("u.py", 1, 0, "error", "SyntaxError: no")),
        ("/x/a.js:1\nlet x = ;\n        ^\n\nSyntaxError: no", ("/x/a.js", 1, 0, "error", "SyntaxError: no")),
        # make, mypy, javac
        ("Makefile:2: *** missing separator.  Stop.", ("Makefile", 2, 0, "error", "*** missing separator.  Stop.")),
        ("a.py:1: error: Name x [name-defined]", ("a.py", 1, 0, "error", "Name x [name-defined]")),
        ("A.java:3: error: ';' expected", ("A.java", 3, 0, "error", "';' expected")),
        # colours, progress
        ("\x1b[01m\x1b[Ka.c:2:3:\x1b[m\x1b[K \x1b[01;31m\x1b[Kerror: \x1b[m\x1b[Kx", ("a.c", 2, 3, "error", "x")),
        ("\x1b]8;;file:///a\x1b\\a.c\x1b]8;;\x1b\\:2:3: error: x", ("a.c", 2, 3, "error", "x")),
        ("10 %\r20 %\ra.c:2:3: error: x", ("a.c", 2, 3, "error", "x")),
    ],
)  # fmt: skip
def test_a_complaint(text: str, found: tuple[str, int, int, str, str] | None) -> None:
    assert read(text) == ([found] if found else [])


@pytest.mark.parametrize(
    "line",
    [
        "http://127.0.0.1:8080",
        "http://127.0.0.1:8080: connection refused",
        "https://example.com/a.go:1:2: x",
        "listening on http://localhost:8080/a.go:1:2",
        "127.0.0.1:8080: bind: address already in use",
        "localhost:8080: connection refused",
        "db.example.com:5432: connection refused",
        "[::1]:8080: refused",
        "12:30:45: started",
        "12:30:45 main.go:12: started",
        "2026-11-21T12:30:45: started",
        "2026/11/21 12:30:45 main.go:12: started",
        "golang:1.22: not found",
        "v1.2.3:4: x",
        "In file included from a.c:1:",
        "                 from b.h:2:",
        "a.c: In function 'main':",
        "   12 |   x = a.b:3:4: 5;",
        "make: *** [Makefile:10: all] Error 1",
        "collect2: error: ld returned 1 exit status",
        "error: could not compile `x` due to 2 previous errors",
        "    at Module._compile (node:internal/modules/cjs/loader:1495:20)",
        "    at f (/x/a.js:3:5)",
        "main.go:12:func main() {",
        "see main.go:12: it is there",
        "exit status 1",
        "",
    ],
)
def test_no_complaint(line: str) -> None:
    assert read(line) == []


def test_an_arrow_belongs_to_the_headline_above_it_only() -> None:
    text = "error: a\n --> m.rs:1:1\n  |\n --> m.rs:2:2\nnote: b\n --> n.rs:3:3"
    assert [(d.line, d.severity, d.message) for d in read(text)] == [
        (1, "error", "a"),
        (3, "note", "b"),
    ]


def test_each_complaint_is_told_once_and_at_most_a_hundred() -> None:
    assert len(read("a.c:1:1: error: x\n" * 5)) == 1
    assert len(read("".join(f"a.c:{n}:1: error: x\n" for n in range(1, 300)))) == MOST


def test_escapes_are_taken_out() -> None:
    assert plain("\x1b[1;31mred\x1b[0m \x1b]0;title\x07x\x1b(B") == "red x"
    assert plain("nothing") == "nothing"


def test_long_lines_and_hostile_ones_are_read_in_a_moment() -> None:
    for piece in ("a", "/", "a ", ":1", "a(", "(1,", "\x1b[", "\x1b]", "\r", " ", 'File "', "."):
        assert read(piece * (1_000_000 // len(piece))) == []
    assert read("a.c:1:2: error: " + "x" * 10 * LONGEST)[0].line == 1


def say(argv: list[str], directory: Path, executable: str | None = None) -> str:
    done = subprocess.run(
        argv,
        executable=executable,
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=60,
    )
    assert done.returncode
    return done.stdout.decode()


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc has to say it")
@pytest.mark.parametrize("colour", ["always", "never"])
def test_gcc_itself(tmp_path: Path, colour: str) -> None:
    (tmp_path / "a.h").write_text("int y\n")
    (tmp_path / "a.c").write_text('#include "a.h"\nint x;\nint main(void) { return z; }\n')
    found = read(say(["gcc", f"-fdiagnostics-color={colour}", "a.c"], tmp_path))
    places = [(d.file, d.line, d.column) for d in found if d.severity == "error"]
    assert places == [("a.h", 1, 6), ("a.c", 3, 25)]


@pytest.mark.skipif(shutil.which("rustc") is None, reason="rustc has to say it")
def test_rustc_itself(tmp_path: Path) -> None:
    (tmp_path / "a.rs").write_text('fn main() {\n    let x: i32 = "a";\n    foo();\n}\n')
    found = read(say(["rustc", "--color=always", "a.rs"], tmp_path))
    assert [(d.file, d.line, d.severity) for d in found] == [
        ("a.rs", 2, "error"),
        ("a.rs", 3, "error"),
    ]
    assert all(d.message for d in found)


@pytest.mark.skipif(find("gofmt", os.environ, "/") is None, reason="gofmt has to say it")
def test_gofmt_itself(tmp_path: Path) -> None:
    (tmp_path / "a.go").write_text("package main\n\nfunc main() {\n\tx :=\n}\n")
    [found] = read(say(["gofmt", "a.go"], tmp_path, find("gofmt", os.environ, "/")))
    assert (found.file, found.line, found.column) == ("a.go", 5, 1)


def test_python_itself(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f():\n    return x\n\nf()\n")
    [found] = read(say(["python3", "a.py"], tmp_path))
    assert os.path.basename(found.file) == "a.py"
    assert (found.line, found.message) == (2, "NameError: name 'x' is not defined")
