"""hotrun and its guardian are killed together: the next one knows what they left."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest
from live import Live, Project, ended, until

from hotrun.process import tree

if TYPE_CHECKING:
    from collections.abc import Callable

    Start = Callable[..., Live]


def sleeps(project: Project) -> None:
    """An app with a child in a session of its own; it answers each save with a new pid."""
    line = f"setsid sleep 601 & echo $! > {project.out / 'child'}; sleep 600; true"
    project.write("hotrun.toml", f'[run]\ncommand = "{line}"\n')


def child_of(project: Project, session: Live) -> int:
    """Wait until the app has started all it starts, and return its child."""
    notes = project.out / "child"
    until(lambda: notes.exists() and notes.read_text().strip(), "the child of the app")

    def are_there() -> bool:
        return {"sleep 600", "sleep 601"} <= set(map(tree.command_line, session.leftovers()))

    until(are_there, "both sleepers")
    return int(notes.read_text())


def listed(project: Project, *words: str) -> list[str]:
    """What `hotrun leftovers` prints."""
    result = ended(project.path, "leftovers", *words)
    assert result.code == 0, result.err
    return result.out.splitlines()


def test_leftovers_are_named_and_stopped(project: Project, start: Start) -> None:
    sleeps(project)
    session = start()
    session.wait_for("app_started")
    child = child_of(project, session)
    session.is_killed_with_its_guardian()
    left = session.leftovers()
    assert child in left
    heading, *rows = listed(project)
    assert heading.split() == ["pid", "since", "command"]
    assert {int(row.split()[0]) for row in rows} == set(left)
    assert any(row.endswith("sleep 601") for row in rows)
    answer = json.loads("".join(listed(project, "--json")))
    assert {each["pid"] for each in answer["leftovers"]} == set(left)
    assert session.leftovers() == left  # it only looks
    stopped = listed(project, "--stop")
    assert {int(row.split()[2].rstrip(",")) for row in stopped} == set(left)
    assert session.leftovers() == []
    assert listed(project) == [f"no leftovers in {project.path}"]
    assert os.listdir(project.path / ".hotrun") == [".gitignore"]


def test_a_build_is_a_leftover_and_the_daemon_that_it_left_is_none(
    project: Project, start: Start
) -> None:
    notes, ready = project.out / "daemon", project.out / "ready"
    daemon = f"(setsid sh -c 'echo $$ > {notes}; exec sleep 602' &)"
    project.config(command=f"{daemon}; echo > {ready}; sleep 603; true")
    temporary = project.out / "tmp"
    temporary.mkdir()
    session = start(TMPDIR=str(temporary))
    until(lambda: ready.exists() and notes.exists() and notes.read_text(), "the build to begin")
    path = project.path / ".hotrun" / f"session-{session.pid}"
    until(lambda: path.exists() and "\n+" in path.read_text(), "the record of the build")
    session.is_killed_with_its_guardian()
    listed(project)
    assert os.listdir(temporary)  # a build that lives may use it
    answer = json.loads("".join(listed(project, "--json", "--stop")))
    assert os.listdir(temporary) == []
    assert {each["kind"] for each in answer["leftovers"]} == {"build"}
    assert all(each["stopped"] for each in answer["leftovers"])
    pid = int(notes.read_text())
    assert session.leftovers() == [pid]
    os.kill(pid, signal.SIGKILL)
    until(lambda: not session.leftovers(), "the end of the daemon")


def test_a_hotrun_that_runs_is_named_and_left_alone(project: Project, start: Start) -> None:
    sleeps(project)
    session = start()
    session.wait_for("app_started")
    child_of(project, session)
    before = session.leftovers()
    runs, none = listed(project, "--stop")
    assert runs.startswith(f"hotrun runs here: pid {session.pid}, since ")
    assert none == f"no leftovers in {project.path}"
    assert session.leftovers() == before
    answer = json.loads("".join(listed(project, "--json")))
    assert [each["pid"] for each in answer["running"]] == [session.pid]
    assert answer["leftovers"] == []


def test_the_next_run_names_them_and_only_they_are_stopped(project: Project, start: Start) -> None:
    sleeps(project)
    dead = start()
    dead.wait_for("app_started")
    child_of(project, dead)
    dead.is_killed_with_its_guardian()
    (project.out / "child").unlink()
    alive = start()
    named = alive.wait_for("problem", lambda event: "earlier hotrun" in event["message"])
    assert all(str(pid) in named["message"] for pid in dead.leftovers())
    assert "hotrun leftovers --stop" in named["hint"]
    alive.wait_for("app_started")
    child_of(project, alive)
    before = alive.leftovers()
    stopped = [line for line in listed(project, "--stop") if line.startswith("stopped")]
    assert len(stopped) >= 2
    assert dead.leftovers() == []
    assert alive.leftovers() == before


def test_a_killed_hotrun_whose_guardian_lives_leaves_no_file(
    project: Project, start: Start
) -> None:
    sleeps(project)
    session = start()
    session.wait_for("app_started")
    child_of(project, session)
    session.send(signal.SIGKILL)
    session.ends()
    until(lambda: not session.leftovers(), "the guardian to be done")
    assert os.listdir(project.path / ".hotrun") == [".gitignore"]
    assert listed(project) == [f"no leftovers in {project.path}"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_hotrun_that_ends_in_good_order_leaves_no_trace(
    project: Project, start: Start, number: signal.Signals
) -> None:
    sleeps(project)
    session = start()
    session.wait_for("app_started")
    child_of(project, session)
    assert (project.path / ".hotrun" / f"session-{session.pid}").exists()
    session.stop(number)
    assert os.listdir(project.path) == ["hotrun.toml"]


def test_the_file_is_as_short_as_what_lives(project: Project, start: Start) -> None:
    project.config("[run]\ncommand = 'sleep 600'\n")
    session = start()
    path = project.path / ".hotrun" / f"session-{session.pid}"
    for turn in range(3):
        app = session.wait_for("app_started")["pid"]
        until(lambda app=app: records(path, app), "the record of the app alone")
        project.write("source", str(turn))
    session.wait_for("app_started")


def records(path: os.PathLike[str], app: int) -> bool:
    """Whether the file has a header, and only the records of the build's directory and an app."""
    with open(path, encoding="ascii") as file:
        _, *lines = file.read().splitlines()
    if [line[:1] for line in lines] != ["=", "+"]:
        return False
    return lines[1].startswith(f"+{app} ") and lines[1].endswith(" sleep 600")


def test_a_project_is_named_with_an_option(project: Project) -> None:
    assert listed(project, "-C", str(project.out)) == [f"no leftovers in {project.out}"]
    assert list(project.out.iterdir()) == []
    result = ended(project.path, "leftovers", "-C", "missing")
    assert result.code == 2
    assert result.problem == [
        "error: missing is not a directory",
        "hint: name the project's with -C DIR",
    ]
