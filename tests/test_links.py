"""File positions become links where a terminal knows them, and nothing that is seen changes."""

# ruff: noqa: E501 - a table is read by line

from __future__ import annotations

import io
import os
import random
import shutil
import socket
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from hotrun import notices
from hotrun.process.diagnostics import plain
from hotrun.ui.console import Console, Manner
from hotrun.ui.links import MOST, Links, wants_links
from hotrun.ui.positions import LONGEST

FILES = (
    "main.go",
    "cmd/x/a b.go",
    "cmd/x/y.go",
    "app/(shop)/p.tsx",
    "sub/q.c",
    "Makefile",
    "ü%#?.py",
    "main.go:1.txt",
    "12",
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def links(place: Path, command: str = "") -> Links:
    made = Links(on=True)
    made.begin(str(place), command)
    return made


def opened(text: str) -> list[tuple[str, str]]:
    """The links of a text: what is shown, without colours, and the file that it leads to."""
    found = []
    for part in text.split("\x1b]8;;")[1:]:
        url, _, shown = part.partition("\x1b\\")
        if url:
            split = urlsplit(url)
            assert (split.scheme, split.netloc) == ("file", socket.gethostname())
            assert not split.query
            assert not split.fragment
            found.append((plain(shown), unquote(split.path)))
    return found


@pytest.mark.parametrize(
    ("text", "shown", "file"),
    [
        ("./main.go:9:2: undefined: x", "./main.go:9:2", "main.go"),
        ("main.go:9: x", "main.go:9", "main.go"),
        ("vet: ./main.go:4:2: x", "./main.go:4:2", "main.go"),
        ("./cmd/x/a b.go:1:2: x", "./cmd/x/a b.go:1:2", "cmd/x/a b.go"),
        ("In file included from sub/q.c:1,", "sub/q.c:1", "sub/q.c"),
        ("make: *** [Makefile:2: all] Error 1", "Makefile:2", "Makefile"),
        (" --> cmd/x/y.go:1:25", "cmd/x/y.go:1:25", "cmd/x/y.go"),
        ("app/(shop)/p.tsx(1,2): error TS1005: x", "app/(shop)/p.tsx(1,2)", "app/(shop)/p.tsx"),
        ("    at f (./main.go:3:5)", "./main.go:3:5", "main.go"),
        ('  File "ü%#?.py", line 3, in <module>', "ü%#?.py", "ü%#?.py"),
        ("10 %\r20 %\rmain.go:2:3: error: x", "main.go:2:3", "main.go"),
        # gcc, rustc, tsc with colours
        ("\x1b[01m\x1b[Ksub/q.c:2:3:\x1b[m\x1b[K x", "sub/q.c:2:3", "sub/q.c"),
        (" \x1b[1m\x1b[94m--> \x1b[0mcmd/x/y.go:3:26", "cmd/x/y.go:3:26", "cmd/x/y.go"),
        ("\x1b[96mapp/(shop)/p.tsx\x1b[0m:\x1b[93m1\x1b[0m:\x1b[93m2\x1b[0m - x", "app/(shop)/p.tsx:1:2", "app/(shop)/p.tsx"),
        ("\x1b[96mmain.go\x1b[0m:\x1b[93m1\x1b[0m", "main.go:1", "main.go"),
    ],
)  # fmt: skip
def test_a_position_leads_to_its_file(place: Path, text: str, shown: str, file: str) -> None:
    marked = links(place)(text + "\n")
    assert opened(marked) == [(shown, str(place / file))]
    assert unlinked(marked) == text + "\n"


def unlinked(text: str) -> str:
    """A text as it was before links of ours were put in."""
    parts = text.split("\x1b]8;;")
    return parts[0] + "".join(part.partition("\x1b\\")[2] for part in parts[1:])


@pytest.mark.parametrize(
    "text",
    [
        "nothing here",
        "gone.go:1:2: error: x",
        "http://127.0.0.1:8080/main.go",
        "12:30:45 started",
        "cmd:1:2",
        "cmd/x:1:2: x",
        "main.go: no position",
        "\x1b]8;;https://gcc.gnu.org/x\x1b\\main.go:1:2\x1b]8;;\x1b\\",
        "\x1b]8;id=1;file:///x\x07main.go:1:2\x1b]8;;\x07",
    ],
)
def test_what_is_no_position_of_a_file_stays_as_it_is(place: Path, text: str) -> None:
    assert links(place)(text) == text


def test_after_a_link_of_the_compiler_ours_go_on(place: Path) -> None:
    text = f"\x1b]8;;file://{socket.gethostname()}/x\x1b\\-Wall\x1b]8;;\x1b\\ main.go:1:2 main.go:3"
    assert opened(links(place)(text))[1:] == [
        ("main.go:1:2", str(place / "main.go")),
        ("main.go:3", str(place / "main.go")),
    ]


@pytest.mark.parametrize("command", ["make -C sub", "cd sub && cc q.c", "ninja -C 'sub'"])
def test_a_command_that_goes_elsewhere_means_files_there(place: Path, command: str) -> None:
    assert opened(links(place, command)("q.c:1:2: x\n")) == [("q.c:1:2", str(place / "sub/q.c"))]


def test_the_directory_that_make_entered_counts_until_it_is_left(place: Path) -> None:
    (place / "q.c").touch()
    made = links(place)
    text = f"make[1]: Entering directory '{place}/sub'\nq.c:1:2: x\nmake[1]: Leaving directory '{place}/sub'\nq.c:3:4: x\n"
    assert opened(made(text)) == [
        ("q.c:1:2", str(place / "sub/q.c")),
        ("q.c:3:4", str(place / "q.c")),
    ]
    made(f"make[1]: Entering directory '{place}/sub'\n")
    assert opened(made("q.c:1:2: x\n")) == [("q.c:1:2", str(place / "sub/q.c"))]
    made.begin(command="make")
    assert opened(made("q.c:1:2: x\n")) == [("q.c:1:2", str(place / "q.c"))]


def test_whatever_is_printed_is_seen_as_it_was(place: Path) -> None:
    rng = random.Random(7)
    pieces = [*FILES, ":1", ":2:3", "(4,5)", '", line 6', " ", "\n", "\r", "\x1b[1m", "\x1b[m", "\x1b", "/", ".", "'", '"', "(", "ü", "\udc80", "x" * 50]  # fmt: skip
    for _ in range(2_000):
        text = "".join(rng.choices(pieces, k=20))
        assert unlinked(links(place)(text)) == text


def test_a_position_inside_of_a_name_is_no_second_link(place: Path) -> None:
    marked = links(place)("main.go:1.txt:2 x\n")
    assert unlinked(marked) == "main.go:1.txt:2 x\n"
    assert opened(marked) == [("main.go:1", str(place / "main.go"))]


def test_hostile_lines_cost_little(place: Path) -> None:
    for piece in (
        ":1",
        "a:1",
        "(1)",
        "(1,",
        "\x1b[m:1",
        '", line 1',
        "a.go:1",
        "/",
        "x" * LONGEST + ":1",
    ):
        text = piece * (300_000 // len(piece))
        assert unlinked(links(place)(text)) == text


def test_after_very_many_positions_of_one_build_no_more_are_looked_at(place: Path) -> None:
    made = links(place)
    assert len(opened(made("main.go:1\n" * (MOST + 5)))) == MOST
    assert made("main.go:1\n") == "main.go:1\n"
    made.begin(command="make")
    assert opened(made("main.go:1\n"))


def test_links_that_are_off_change_nothing(place: Path) -> None:
    off = Links(on=False)
    off.begin(str(place))
    assert off("main.go:1:2") == "main.go:1:2"


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc has to say it")
@pytest.mark.parametrize("colour", ["always", "never"])
def test_gcc_itself(tmp_path: Path, colour: str) -> None:
    (tmp_path / "b.h").write_text("int y\n")
    (tmp_path / "a.h").write_text('#include "b.h"\n')
    (tmp_path / "a.c").write_text('#include "a.h"\nint main(void) { return z; }\n')
    argv = ["gcc", f"-fdiagnostics-color={colour}", "-fsyntax-only", "a.c"]
    said = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False).stderr
    marked = links(tmp_path)(said)
    assert unlinked(marked) == said
    files = {os.path.relpath(file, tmp_path) for _, file in opened(marked)}
    assert files == {"a.c", "a.h", "b.h"}


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"VTE_VERSION": "7600"}, True),
        ({"VTE_VERSION": "5000"}, False),
        ({"VTE_VERSION": "?"}, False),
        ({"TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM_PROGRAM": "WezTerm"}, True),
        ({"TERM_PROGRAM": "ghostty"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"TERM_PROGRAM": "vscode"}, False),
        ({"KITTY_WINDOW_ID": "1"}, True),
        ({"WT_SESSION": "x"}, True),
        ({"KONSOLE_VERSION": "220401"}, True),
        ({"DOMTERM": "x"}, True),
        ({"TERM": "xterm-256color"}, False),
        ({"VTE_VERSION": "7600", "TMUX": "x,1"}, False),
        ({"VTE_VERSION": "7600", "STY": "1.x"}, False),
        ({"VTE_VERSION": "7600", "TERM": "screen-256color"}, False),
        ({"VTE_VERSION": "7600", "TERM": "tmux-256color"}, False),
        ({"VTE_VERSION": "7600", "TERM": "dumb"}, False),
        ({"VTE_VERSION": "7600", "CI": "true"}, False),
        ({"FORCE_HYPERLINK": "1", "TMUX": "x,1"}, True),
        ({"FORCE_HYPERLINK": "1", "TERM_PROGRAM": "vscode"}, True),
        ({"FORCE_HYPERLINK": "0", "VTE_VERSION": "7600"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_which_terminals_get_links(environment: dict[str, str], wanted: bool) -> None:
    assert wants_links(Tty(), environment, colour=True) is wanted


def test_no_links_without_colours_or_without_a_terminal() -> None:
    terminal = {"VTE_VERSION": "7600"}
    assert not wants_links(Tty(), terminal, colour=False)
    assert not wants_links(io.StringIO(), terminal, colour=True)


def test_the_console_links_what_a_build_prints_and_problems(place: Path) -> None:
    stream = io.StringIO()
    console = Console(stream, Manner(links=True))
    console(notices.SessionStarted("0", 1, None, str(place)))
    console(notices.BuildStarted("s", 1, "make -C sub", [], 0))
    console(notices.Output("s", "build", 1, "stdout", "q.c:1:2: x\n"))
    console(notices.Output("s", "app", 1, "stdout", "main.go:1:2: of the app\n"))
    console(notices.Problem("main.go:7:3: unknown key"))
    assert opened(stream.getvalue()) == [
        ("q.c:1:2", str(place / "sub/q.c")),
        ("main.go:7:3", str(place / "main.go")),
    ]


def test_a_quiet_console_links_what_it_held_back(place: Path) -> None:
    stream = io.StringIO()
    console = Console(stream, Manner(links=True, quiet=True))
    console(notices.SessionStarted("0", 1, None, str(place)))
    console(notices.BuildStarted("s", 1, "make", [], 0))
    console(notices.Output("s", "build", 1, "stdout", "main.go:1:2: x\n"))
    assert stream.getvalue() == ""
    console(notices.BuildFinished("s", 1, ok=False, code=1, ms=1, diagnostics=[], artifact=None))
    assert opened(stream.getvalue()) == [("main.go:1:2", str(place / "main.go"))]
