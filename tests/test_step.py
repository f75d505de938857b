"""The command of a rule: what becomes of its place-holders, and the JSON file beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from hotrun import notices
from hotrun.config import load_text
from hotrun.facts import Step
from hotrun.jobs.step import filled, task
from hotrun.process.command import parse
from hotrun.process.scratch import Scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hotrun.host import Host
    from hotrun.jobs.build import Task

ODD = [
    "a b.md",
    "'q'.md",
    '"q".md',
    "new\nline.md",
    "tab\t.md",
    "ü€.md",
    os.fsdecode(b"\xff.md"),
    "$HOME `id` $(id).md",
    "a;b&c|d>e.md",
    "*[a]?.md",
    "back\\slash.md",
    "{dirs}",
    "{files}",
    "~",
    "#hash.md",
    "A=b",
]
SAYS = "import json, sys; print(json.dumps(sys.argv[1:]))"


def words(*files: str, dirs: Sequence[str] = (".",)) -> dict[str, Sequence[str]]:
    return {"{files}": files, "{dirs}": dirs}


def heard(command: str | Sequence[str]) -> list[str]:
    """Return the arguments that a program gets from a command."""
    done = subprocess.run(parse(command).argv, capture_output=True, check=True)
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("rest", ["", " && true"], ids=["without a shell", "with a shell"])
def test_in_a_line_each_file_is_a_word_whatever_is_in_its_name(rest: str) -> None:
    line = filled(f"{sys.executable} -c '{SAYS}' {{files}} {{dirs}}{rest}", words(*ODD, dirs=ODD))
    assert isinstance(line, str)
    assert heard(line) == ODD * 2


def test_in_a_list_a_place_holder_becomes_as_many_arguments_as_there_are_files() -> None:
    command = filled([sys.executable, "-c", SAYS, "{files}", "-", "{dirs}"], words(*ODD))
    assert command == [sys.executable, "-c", SAYS, *ODD, "-", "."]
    assert heard(command) == [*ODD, "-", "."]


def test_in_an_argument_that_is_more_than_a_place_holder_the_files_are_quoted() -> None:
    found = filled(["sh", "-c", "cat {files} | sort"], words("a b", "c"))
    assert found == ["sh", "-c", "cat 'a b' c | sort"]


@pytest.mark.parametrize("command", ["make all", ("make", "all"), "echo {file} {} {FILES}"])
def test_a_command_that_names_no_files_stays_as_it_is(command: str | tuple[str, ...]) -> None:
    found = filled(command, words(dirs=()))
    assert found == (command if isinstance(command, str) else list(command))


@pytest.mark.parametrize(
    "command", ["x {files}", "x {dirs}", "x {dirs} {files}", ["x", "{files}"], ["x", "-d={dirs}"]]
)
def test_a_command_that_names_files_has_nothing_to_do_without_any(
    command: str | list[str],
) -> None:
    assert filled(command, words(dirs=())) is None


def test_a_place_holder_may_stand_twice() -> None:
    assert filled("x {files} -- {files}", words("a", "b c")) == "x a 'b c' -- a 'b c'"


# The whole task: what is there and what is gone.


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scratch]:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    made = Scratch()
    yield made
    made.remove()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


def write(project: Path, *names: str) -> None:
    for name in names:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("")


def task_of(
    project: Path,
    scratch: Scratch,
    command: str | tuple[str, ...],
    *names: str,
    text: str = "",
    tell: Callable[[notices.Notice], None] | None = None,
) -> Task | None:
    config = load_text(text, str(project))
    host = SimpleNamespace(config=config, scratch=scratch, tell=tell)
    return task(cast("Host", host), "site", 7, frozenset(Step(1, command, name) for name in names))


def changes(made: Task | None) -> object:
    assert made is not None
    assert made.env["HOTRUN_CHANGES"] == made.scrap
    return json.loads(Path(made.scrap).read_text(encoding="ascii"))


def test_the_file_of_changes_has_every_file_and_what_is_gone(
    project: Path, scratch: Scratch
) -> None:
    write(project, "b.md", "docs/deep/a.md", "docs/c.md", *(f"odd/{name}" for name in ODD))
    odd = [f"odd/{name}" for name in ODD]
    made = task_of(project, scratch, "x", "gone.md", "docs/c.md", "b.md", "docs/deep/a.md", *odd)
    assert changes(made) == {
        "files": sorted(["b.md", "docs/c.md", "docs/deep/a.md", *odd]),
        "dirs": [".", "docs", "docs/deep", "odd"],
        "removed": ["gone.md"],
    }


def test_a_file_or_directory_called_like_an_option_is_none(project: Path, scratch: Scratch) -> None:
    write(project, "-rf", "--d/a")
    made = task_of(project, scratch, "x {files} {dirs}", "-rf", "--d/a", "-gone")
    assert made is not None
    assert list(made.command.argv) == ["x", "./--d/a", "./-rf", ".", "./--d"]
    found = {"files": ["./--d/a", "./-rf"], "dirs": [".", "./--d"], "removed": ["./-gone"]}
    assert changes(made) == found


def test_a_link_that_leads_nowhere_is_there(project: Path, scratch: Scratch) -> None:
    (project / "link").symlink_to("nowhere")
    assert changes(task_of(project, scratch, "x", "link")) == {
        "files": ["link"],
        "dirs": ["."],
        "removed": [],
    }


def test_a_command_that_names_files_does_not_run_when_all_are_gone(
    project: Path, scratch: Scratch
) -> None:
    told: list[notices.Notice] = []
    assert task_of(project, scratch, "x {files}", "gone.md", tell=told.append) is None
    assert task_of(project, scratch, ("x", "{dirs}"), "gone.md", "b", tell=told.append) is None
    why = "all that rule[2].command would name is gone, so #7 is skipped"
    assert told == [
        notices.Ignored("site", ["gone.md"], 1, why),
        notices.Ignored("site", ["b", "gone.md"], 2, why),
    ]


def test_one_that_names_none_hears_of_those_that_are_gone(project: Path, scratch: Scratch) -> None:
    found = changes(task_of(project, scratch, "x", "gone.md", "old/gone.md"))
    assert found == {"files": [], "dirs": [], "removed": ["gone.md", "old/gone.md"]}


def test_a_step_has_the_variables_and_the_time_of_the_build(
    project: Path, scratch: Scratch
) -> None:
    text = '[build]\ncommand = "make"\nenv = { A = "1" }\ntimeout = "5 s"'
    made = task_of(project, scratch, "x", "gone", text=text)
    assert made is not None
    assert (made.key, made.timeout, made.env["A"]) == ("rule[2].command", 5.0, "1")
    assert made.artifact is None


def test_without_a_build_it_has_ten_minutes(project: Path, scratch: Scratch) -> None:
    made = task_of(project, scratch, "x", "gone")
    assert made is not None
    assert made.timeout == 600
    assert set(made.env) == {"HOTRUN_CHANGES"}


def test_without_a_place_for_the_file_the_command_runs_all_the_same(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(project / "missing"))
    made = task_of(project, Scratch(), "x", "gone")
    assert made is not None
    assert (made.env, made.scrap) == ({}, "")
