"""What compilers complain about: their real output, and what only looks like it."""

# ruff: noqa: E501 - a table is read by line

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from live import environment

from hotrun.process.command import find
from hotrun.process.diagnostics import LONGEST, MOST, Diagnostic, clipped, parse, plain


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
        ("# a.com/b\n# [a.com/b]\n./a.go:1:2: x", ("a.go", 1, 2, "error", "x")),
        ("a.go:3:19: too many return values\n\thave (number)\n\twant ()", ("a.go", 3, 19, "error", "too many return values; have (number); want ()")),
        ("a.go:2:8: no required module provides package b.com/z; to add it:\n\tgo get b.com/z", ("a.go", 2, 8, "error", "no required module provides package b.com/z; to add it: go get b.com/z")),
        ("a.go:2:8: x\n\tsome code", ("a.go", 2, 8, "error", "x")),
        ("a.go:2:8: x:\n    not tabs", ("a.go", 2, 8, "error", "x:")),
        ("go: errors parsing go.mod:\ngo.mod:4: unknown directive: bad", ("go.mod", 4, 0, "error", "unknown directive: bad")),
        # gcc, clang
        ("a.c:3:5: error: 'b' undeclared", ("a.c", 3, 5, "error", "'b' undeclared")),
        ("a.c:3:5: warning: unused [-Wx]", ("a.c", 3, 5, "warning", "unused [-Wx]")),
        ("a.c:3:5: note: declared here", ("a.c", 3, 5, "note", "declared here")),
        ("a.c:1:10: fatal error: x.h: No such file", ("a.c", 1, 10, "error", "x.h: No such file")),
        ("/usr/bin/ld: /tmp/x.o: in function `main':\nl.c:(.text+0x5): undefined reference to `g'", ("l.c", 0, 0, "error", "undefined reference to `g'")),
        ("/usr/bin/ld: l.c:2: undefined reference to `g'", ("l.c", 2, 0, "error", "undefined reference to `g'")),
        ("/usr/bin/ld: /tmp/x.o: in function `main':\n/a/l.c:2: undefined reference to `g'", ("/a/l.c", 2, 0, "error", "undefined reference to `g'")),
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
        "./main.go:11:57: too many errors",
        "l.o:(.text+0x5): undefined reference to `g'",
        "l.c:(.text+0x5): something of no weight",
        "make[1]: Entering directory '/x/sub'",
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


def test_nothing_is_looked_for_in_what_is_clipped_from_long_lines() -> None:
    bar = "\r".join(f"compiling {number}" for number in range(LONGEST))
    message = "main.go:3:1: x"
    lines = ["a" * 3_000_000, message, f"{bar}\rmain.go:4:1: x", f"{message}{'y' * 3_000_000}", ""]
    text = "\n".join(lines)
    short = clipped(text)
    assert read(short) == read(text)
    assert [each.line for each in read(text)] == [3, 4, 3]
    assert len(short) < 10 * LONGEST
    assert clipped("a\nb\n") == "a\nb\n"


def test_long_lines_and_hostile_ones_are_read_in_a_moment() -> None:
    for piece in ("a", "/", "a ", ":1", "a(", "(1,", "\x1b[", "\x1b]", "\r", " ", 'File "', "."):
        assert read(piece * (1_000_000 // len(piece))) == []
    assert read("a.c:1:2: error: " + "x" * 10 * LONGEST)[0].line == 1


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("a.c", "sub/a.c", "sub/q.c", "sub/deep/d.c", "sub/deep/a.c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("command", "printed", "files"),
    [
        ("cc a.c", ["a.c", "./a.c", "sub/../a.c"], ["a.c", "a.c", "a.c"]),
        (
            "cc a.c",
            ["{place}/sub/q.c", "/other/z.c", "gone.c"],
            ["sub/q.c", "/other/z.c", "gone.c"],
        ),
        ("make -C sub", ["a.c", "q.c"], ["sub/a.c", "sub/q.c"]),
        ("go build -C sub .", ["q.c"], ["sub/q.c"]),
        ("make --directory=sub", ["q.c"], ["sub/q.c"]),
        ("cd sub; make -C deep", ["q.c"], ["sub/q.c"]),
        ("cd sub && cc q.c", ["q.c", "{place}/a.c"], ["sub/q.c", "a.c"]),
        ("cargo build --manifest-path sub/Cargo.toml", ["q.c"], ["sub/q.c"]),
        ("ninja -C '{place}/sub'", ["q.c", "../a.c"], ["sub/q.c", "a.c"]),
        ("echo 'open", ["a.c", "q.c"], ["a.c", "q.c"]),
    ],
)
def test_files_are_named_from_the_project(
    place: Path, command: str, printed: list[str], files: list[str]
) -> None:
    lines = [f"{name.format(place=place)}:{n}:1: error: x" for n, name in enumerate(printed)]
    found = parse(lines, str(place), command.format(place=place))
    assert [diagnostic.file for diagnostic in found] == files


def test_make_says_where_it_is(place: Path) -> None:
    lines = [
        "make[1]: Entering directory '{}/sub'",
        "a.c:1: error: x",
        "make[2]: Entering directory '{}/sub/deep'",
        "d.c:2: error: x",
        "a.c:2: error: x",
        "make[2]: Leaving directory '{}/sub/deep'",
        "a.c:3: error: x",
        "make[1]: Leaving directory '{}/sub'",
        "a.c:4: error: x",
        "d.c:5: error: its stream is late",
        "ninja: Entering directory `sub'",
        "q.c:6: error: x",
    ]
    found = parse([line.format(place) for line in lines], str(place), "make")
    assert [f"{each.file}:{each.line}" for each in found] == [
        "sub/a.c:1",
        "sub/deep/d.c:2",
        "sub/deep/a.c:2",
        "sub/a.c:3",
        "a.c:4",
        "sub/deep/d.c:5",
        "sub/q.c:6",
    ]


def test_make_prints_where_a_recipe_goes(place: Path) -> None:
    lines = [
        "cd sub && gcc -c q.c",
        "q.c:1: error: x",
        "a.c:2: error: what lies here counts first",
        "make[1]: Entering directory '{}/sub'",
        "(cd deep; gcc -c d.c)",
        "d.c:3: error: x",
        "make[1]: Leaving directory '{}/sub'",
        "cd gone && gcc -c d.c",
        "d.c:4: error: x",
        "z.c:5: error: x",
    ]
    found = parse([line.format(place) for line in lines], str(place), "make")
    assert [f"{each.file}:{each.line}" for each in found] == [
        "sub/q.c:1",
        "a.c:2",
        "sub/deep/d.c:3",
        "sub/deep/d.c:4",
        "z.c:5",
    ]


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("cd sub && gcc -c q.c", "sub/q.c"),
        ("+ cd sub", "sub/q.c"),
        ("cd sub/deep/..; gcc -c q.c", "sub/q.c"),
        ("cd $(DIR) && gcc -c q.c", "q.c"),
        ("cd sub here is a sentence", "q.c"),
        ("it did cd sub && more", "q.c"),
    ],
)
def test_a_line_that_changes_the_directory_is_told_from_others(
    place: Path, line: str, file: str
) -> None:
    assert [each.file for each in parse([line, "q.c:1: error: x"], str(place), "make")] == [file]


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


@pytest.mark.skipif(find("gofmt", environment(), "/") is None, reason="gofmt has to say it")
def test_gofmt_itself(tmp_path: Path) -> None:
    (tmp_path / "a.go").write_text("package main\n\nfunc main() {\n\tx :=\n}\n")
    [found] = read(say(["gofmt", "a.go"], tmp_path, find("gofmt", environment(), "/")))
    assert (found.file, found.line, found.column) == ("a.go", 5, 1)


GO = find("go", environment(), "/")
PACKAGES = {
    "go.mod": "module example.com/g\n\ngo 1.21\n",
    "main.go": "package main\n\nfunc main() {\n\tx := 1\n}\n",
    "sub/s.go": 'package sub\n\nvar A int = "a"\n',
    "sub/in/i.go": "package in\n\nfunc F() { return 1 }\n",
    "many/m.go": "package many\n\nvar " + ", ".join(f"a{n}" for n in range(12)) + " = "
    + ", ".join(f"b{n}" for n in range(12)) + "\n",
}  # fmt: skip


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    for name, text in PACKAGES.items():
        (tmp_path / "g" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "g" / name).write_text(text)
    return tmp_path


@pytest.mark.skipif(GO is None, reason="go has to say it")
def test_go_itself_with_several_packages(packages: Path) -> None:
    argv = ["go", "build", "-C", "g", "./..."]
    said = say(argv, packages, GO)
    assert "# example.com/g/sub\n" in said
    assert "too many errors" in said
    found = parse(said.split("\n"), str(packages), " ".join(argv))
    by_file: dict[str, list[tuple[int, int, str]]] = {}
    for each in found:
        by_file.setdefault(each.file, []).append((each.line, each.column, each.message))
    many = by_file.pop("g/many/m.go")
    assert many == [(3, many[0][1] + 4 * n, f"undefined: b{n}") for n in range(10)]
    assert by_file == {
        "g/main.go": [(4, 2, "declared and not used: x")],
        "g/sub/s.go": [
            (3, 13, 'cannot use "a" (untyped string constant) as int value in variable declaration')
        ],
        "g/sub/in/i.go": [(3, 19, "too many return values; have (number); want ()")],
    }


@pytest.mark.skipif(GO is None, reason="go has to say it")
def test_go_vet_itself(packages: Path) -> None:
    [found] = parse(say(["go", "vet", "./sub"], packages / "g", GO).split("\n"))
    assert (found.file, found.line, found.column) == ("sub/s.go", 3, 13)


@pytest.mark.skipif(shutil.which("make") is None, reason="make has to say it")
@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc has to say it")
def test_make_itself(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "Makefile").write_text("all:\n\t$(MAKE) -C sub\n")
    (tmp_path / "sub/Makefile").write_text("all:\n\tgcc -Wall -fsyntax-only a.c\n")
    (tmp_path / "sub/a.h").write_text("static int f(int x);\n")
    (tmp_path / "sub/a.c").write_text(
        '#include "a.h"\nstatic int f(int x, int y) { return x + y; }\nint z = f(1);\n'
    )
    found = parse(say(["make"], tmp_path).split("\n"), str(tmp_path), "make")
    assert [(each.file, each.line, each.severity) for each in found][:2] == [
        ("sub/a.c", 2, "error"),
        ("sub/a.h", 1, "note"),
    ]


def test_python_itself(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f():\n    return x\n\nf()\n")
    [found] = read(say(["python3", "a.py"], tmp_path))
    assert os.path.basename(found.file) == "a.py"
    assert (found.line, found.message) == (2, "NameError: name 'x' is not defined")


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc has to say it")
def test_the_linker_itself(tmp_path: Path) -> None:
    """It is told of by its file: without -g nobody knows the line."""
    (tmp_path / "a.c").write_text("int g(void);\nint main(void) { return g(); }\n")
    assert parse(say(["gcc", "-o", "app", "a.c"], tmp_path).split("\n"), str(tmp_path)) == [
        Diagnostic("a.c", 0, 0, "error", "undefined reference to `g'")
    ]
