"""A build of the real Go toolchain that is killed leaves no work directory behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from live import Live, Project, until

from hotrun.project import scaffold

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def project(tmp_path: Path) -> Project:
    scaffold.create(str(tmp_path / "app"), "go")
    return Project(tmp_path / "app", tmp_path / "out")


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    path = tmp_path / "tmp"
    path.mkdir()
    return path


@pytest.fixture
def session(start: Callable[..., Live], tmp_path: Path, temporary: Path) -> Live:
    """A session in the middle of a build, long because its build cache is empty."""
    session = start(TMPDIR=str(temporary), GOCACHE=str(tmp_path / "cache"))
    building(session, temporary)
    return session


def building(session: Live, temporary: Path) -> set[Path]:
    """Wait until a build has its work directory, and return all there are."""
    session.wait_for("build_started")
    until(lambda: work(temporary), "the work directory of go build")
    return work(temporary)


def work(temporary: Path) -> set[Path]:
    found = ((Path(top), name) for top, names, _ in os.walk(temporary) for name in names)
    return {top / name for top, name in found if name.startswith("go-build")}


def test_cancelled_builds_leave_nothing(session: Live, project: Project, temporary: Path) -> None:
    source = (project.path / "handlers.go").read_text()
    for turn in range(2):
        before = work(temporary)
        project.write("handlers.go", f"{source}\n// {turn}\n")
        session.wait_for("build_cancelled")
        assert not before & building(session, temporary)
    assert session.stop() == 130
    assert len(session.all("build_cancelled")) == 3
    assert list(temporary.iterdir()) == []


def test_a_killed_hotrun_leaves_nothing(session: Live, temporary: Path) -> None:
    session.send(signal.SIGKILL)
    session.ends()
    until(lambda: not session.leftovers(), "the guardian to end the build")
    assert list(temporary.iterdir()) == []
