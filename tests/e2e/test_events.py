"""`hotrun events`: what the watcher hears is printed as it comes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

import pytest
from live import DEADLINE, ended, environment, until

if TYPE_CHECKING:
    from pathlib import Path


class Listening:
    """A `hotrun events` at work in a directory; leaving it ends it.

    Args:
        directory: Where it runs, and what it watches if no word says otherwise.
        words: More options and arguments.
    """

    def __init__(self, directory: Path, *words: str) -> None:
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self._out, self._err = directory.parent / "out", directory.parent / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hotrun", "events", *words],
                cwd=directory,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        until(lambda: "watching" in self.out + self.err, f"it to watch: {self.err}")

    @property
    def out(self) -> str:
        return self._out.read_text(errors="surrogateescape")

    @property
    def err(self) -> str:
        return self._err.read_text()

    @property
    def lines(self) -> list[list[str]]:
        """The words of each line."""
        return [line.split() for line in self.out.splitlines()]

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The JSON lines that are whole."""
        return [json.loads(line) for line in self.out.split("\n")[:-1]]

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(DEADLINE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(DEADLINE)
        assert "Traceback" not in self.err


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return tmp_path / "tree"


def test_a_save_and_a_move_are_printed_with_paths_as_one_types_them(tree: Path) -> None:
    with Listening(tree) as listening:
        (tree / "sub").mkdir()
        until(lambda: ["CREATE", "sub/"] in listening.lines, "the directory")
        (tree / "sub" / "a.go").write_text("x")
        (tree / "sub" / "a.go").rename(tree / "b.go")
        wanted = [
            ["CREATE", "sub/"],
            ["CREATE", "sub/a.go"],
            ["CREATE|MOVED_TO", "b.go", "(from", "sub/a.go)"],
        ]
        until(lambda: wanted[2] in listening.lines, f"the move: {listening.out}")
        assert [line for line in wanted if line in listening.lines] == wanted
        assert listening.err == "watching 1 directory (inotify); Ctrl-C ends it\n"


def test_json_lines_begin_with_what_is_watched(tree: Path) -> None:
    with Listening(tree, "--json", "--ops", "create") as listening:
        (tree / "a.go").write_text("x")
        until(lambda: len(listening.objects) > 1, "an event")
        first, event = listening.objects
        assert (first["event"], first["backend"]) == ("watching", "inotify")
        assert first["roots"] == [str(tree)]
        assert event["event"] == "file_event"
        assert event["path"] == str(tree / "a.go")
        assert (event["op"], event["renamed_from"], event["directory"]) == (["create"], None, False)
        assert event["v"] == 1
        assert isinstance(event["t"], float)
        assert listening.err == ""


def test_reads_are_printed_only_where_they_are_asked_for(tree: Path) -> None:
    tree.mkdir()
    (tree / "a.go").write_text("x")
    with Listening(tree, "--ops", "open,read,create") as listening:
        (tree / "a.go").read_text()
        (tree / "end").touch()
        until(lambda: ["CREATE", "end"] in listening.lines, "the end")
        assert listening.lines[:2] == [["OPEN", "a.go"], ["READ", "a.go"]]
    with Listening(tree) as listening:
        (tree / "a.go").read_text()
        (tree / "end2").touch()
        until(lambda: ["CREATE", "end2"] in listening.lines, "the end")
        assert listening.lines[0] == ["CREATE", "end2"]


def test_polling_can_be_asked_for(tree: Path) -> None:
    with Listening(tree, "--backend", "poll") as listening:
        (tree / "a.go").write_text("x")
        until(lambda: ["CREATE", "a.go"] in listening.lines, "the file")
        assert "(polling)" in listening.err


def test_a_file_is_watched_through_an_atomic_save(tree: Path) -> None:
    tree.mkdir()
    file = tree / "go.mod"
    file.write_text("old")
    with Listening(tree, "go.mod") as listening:
        for text in ("new", "newer"):
            (tree / "draft").write_text(text)
            (tree / "draft").replace(file)
        file.write_text("newest")
        until(lambda: ["WRITE", "go.mod"] in listening.lines, "the last save")
        # Of the draft nothing is told, not even that it was one: it is not watched.
        assert listening.lines.count(["CREATE|MOVED_TO", "go.mod"]) == 2
        assert {line[1] for line in listening.lines} == {"go.mod"}


def test_a_name_that_would_steer_the_terminal_is_escaped(tree: Path) -> None:
    with Listening(tree) as listening:
        (tree / "a\nb\x1b[31m").touch()
        with open(os.fsencode(tree) + b"/caf\xe9", "wb"):
            pass
        until(lambda: "caf" in listening.out, "the second name")
        assert "a\\nb\\x1b[31m" in listening.out
        assert "caf\\udce9" in listening.out


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)]
)
def test_a_signal_ends_it_without_a_word(tree: Path, number: int, code: int) -> None:
    with Listening(tree) as listening:
        assert listening.end(number) == code
        assert len(listening.err.strip().splitlines()) == 1


def test_a_reader_that_goes_away_ends_it(tree: Path) -> None:
    tree.mkdir()
    command = [sys.executable, "-m", "hotrun", "events", "--json"]
    with subprocess.Popen(
        command, cwd=tree, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert b'"watching"' in process.stdout.readline()
        process.stdout.close()
        (tree / "a.go").touch()
        assert process.wait(DEADLINE) == 141
        assert process.stderr is not None
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (["nope"], 2, "error: nope does not exist"),
        (["--ops", "creat"], 2, 'error: unknown op "creat"\nhint: did you mean "create"?'),
        (["--ops", ","], 2, "error: --ops names no op"),
        (["--backend", "windows"], 3, "error: windows is not of this system"),
        (["--backend", "fsevents"], 2, "error: --backend must be "),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_a_mistake_is_two_lines(tmp_path: Path, words: list[str], code: int, problem: str) -> None:
    done = ended(tmp_path, "events", *words)
    assert done.code == code
    assert "\n".join(done.problem).startswith(problem)
    assert len(done.problem) == 2
