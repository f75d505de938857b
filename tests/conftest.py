"""Fixtures for tests that drive a live hotrun (what they are made of: live.py)."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

import pytest
from live import Live, Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Start = Callable[..., Live]


@pytest.fixture(scope="session", autouse=True)
def _signals_are_heard() -> None:
    """Behind nohup, or in the background of a script, what we start would ignore some of them."""
    for name in ("SIGINT", "SIGHUP", "SIGQUIT"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project, with a place beside it for what its build makes."""
    return Project(tmp_path / "project", tmp_path / "out")


@pytest.fixture
def start(project: Project) -> Iterator[Start]:
    """Start `hotrun run --json` in the project; the end of the test ends it."""
    with contextlib.ExitStack() as sessions:

        def start(*words: str, **env: str) -> Live:
            return sessions.enter_context(Live(project.path, *words, env=env))

        yield start
