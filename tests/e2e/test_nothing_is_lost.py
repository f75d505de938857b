"""No change is lost: what the last build saw is on the disk, whatever the order of things."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from live import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from live import Event, Live, Project

    Start = Callable[..., Live]

CHANGES = 200
WRITES = 20_000


def seen(project: Project) -> str:
    """What the last build copied; "" before the first."""
    try:
        return (project.out / "seen").read_text()
    except FileNotFoundError:
        return ""


def wait_until_seen(project: Project, text: str) -> None:
    until(lambda: seen(project) == text, f"a build that saw {text!r}")


def copies(project: Project, source: str) -> str:
    """A build that copies some files, whole or not at all."""
    out = project.out / "seen"
    return f"cat {source} >{out}.draft 2>/dev/null; mv {out}.draft {out}"


def test_a_file_in_directories_made_at_once_is_always_built(project: Project, start: Start) -> None:
    """The second `mkdir` and the write come before a watch on the first can be set."""
    project.config(command=copies(project, "*/b/c/d"))
    session = start("--debounce", "0ms")
    session.wait_for("build_finished")
    for number in range(CHANGES):
        name = f"a{number}"
        if number % 2:
            os.makedirs(project.path / name / "b/c")
            (project.path / name / "b/c/d").write_text(f"{number}\n")
        else:
            line = f"mkdir -p {name}/b/c && echo {number} >{name}/b/c/d"
            subprocess.run(["/bin/sh", "-c", line], cwd=project.path, check=True)
        wait_until_seen(project, f"{number}\n")
        subprocess.run(["rm", "-r", name], cwd=project.path, check=True)
        wait_until_seen(project, "")


def test_an_empty_file_in_a_directory_moved_in_is_built(project: Project, start: Start) -> None:
    """It is as new as if it were about to be written, and no event tells of itself."""
    project.config()
    session = start("--debounce", "0ms")
    session.wait_for("build_finished")
    for number in range(5):
        (project.out / f"d{number}").mkdir()
        (project.out / f"d{number}/empty").touch()
        (project.out / f"d{number}").rename(project.path / f"d{number}")
        name = f"d{number}/empty"
        session.wait_for("build_started", lambda event, name=name: name in event["paths"])


@pytest.mark.parametrize("busy", ["cancel", "finish"])
def test_a_write_during_a_build_is_seen_by_a_build_that_began_later(
    project: Project, start: Start, busy: str
) -> None:
    """A build that copied N goes on until `pass-N` is there: each write meets a running build."""
    out = project.out
    passed = f'until test -e {out}/pass-"$(cat {out}/seen)"; do sleep 0.005; done'
    copy = f"cat main.txt >{out}/draft; mv {out}/draft {out}/seen"
    project.config(command=["/bin/sh", "-c", f"{copy}; {passed}"], on_busy=busy)
    project.write("main.txt", "0")
    session = start("--debounce", "0ms")
    wait_until_seen(project, "0")
    for number in range(1, CHANGES + 1):
        (out / "new").write_text(f"{number}")
        os.replace(out / "new", project.path / "main.txt")
        # After two cancelled builds in a row, the third one is let finish.
        if busy == "finish" or number % 3 == 0:
            (out / f"pass-{number - 1}").touch()
        wait_until_seen(project, f"{number}")
    # The build may have told us before hotrun was read.
    session.wait_for("build_started", run=CHANGES + 1)
    cancelled = len(session.all("build_cancelled"))
    assert len(session.all("build_started")) == CHANGES + 1
    assert cancelled == (0 if busy == "finish" else CHANGES - CHANGES // 3)


def test_a_stopped_watcher_recovers_with_one_build_of_the_last_state(
    project: Project, start: Start
) -> None:
    """The queue of the kernel holds 16,384 events; what is beyond it is dropped."""
    project.config()
    for number in range(100):
        project.write(f"src/{number}.txt", "before")
    # Long enough to read a whole queue on a busy machine: what is read so far may be built before.
    session = start("--debounce", "2s", "--set", "watch.max_wait=60s")
    session.wait_for("build_finished")
    before = session.now
    session.send(signal.SIGSTOP)
    for number in range(WRITES):
        # Appended, because some filesystems flush a file that was truncated.
        with (project.path / f"src/{number % 100}.txt").open("a") as file:
            file.write(f"{number}\n")
    project.write("src/new/deep.txt", "made while nobody looked")
    session.send(signal.SIGCONT)
    session.wait_for("overflow")
    changed: Event = session.wait_for("changed")
    assert (changed["recovered"], changed["count"]) == (True, 101)
    session.wait_for("build_finished")
    assert project.seen() == project.on_disk()
    project.write("sentinel.txt", "the last one")
    assert session.wait_for("build_started")["paths"] == ["sentinel.txt"]
    session.wait_for("build_finished")
    assert len(session.all("build_started", before)) == 2, "one recovered build, and the sentinel"
