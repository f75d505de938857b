"""What make would take for newer than it is."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from hotrun.process.backdate import FEW, TICK, Backdate


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "main.c"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return tmp_path / "main.o"


def at(path: Path, moment: int, text: str = "x") -> None:
    path.write_text(text)
    os.utime(path, ns=(moment, moment))


def build(dates: Backdate, *changed: Path) -> int:
    """Play a build that takes 40 ms, and return its middle."""
    dates.begin([str(path) for path in changed])
    began = time.time_ns()
    while time.time_ns() < began + 4 * TICK:
        time.sleep(0.001)
    dates.end()
    return began + 2 * TICK


def test_what_was_made_while_its_source_was_saved_becomes_older_than_it(
    source: Path, made: Path
) -> None:
    dates = Backdate([str(made)])
    middle = build(dates, source)
    at(source, middle)
    at(made, middle + TICK)
    dates.begin([str(source)])
    assert made.stat().st_mtime_ns < source.stat().st_mtime_ns
    assert made.read_text() == "x"


def test_a_save_after_the_build_leaves_everything_as_it_is(source: Path, made: Path) -> None:
    dates = Backdate([str(made)])
    middle = build(dates, source)
    at(made, middle)
    at(source, time.time_ns() + TICK)
    dates.begin([str(source)])
    assert made.stat().st_mtime_ns == middle


def test_what_an_earlier_build_made_keeps_its_time(source: Path, made: Path) -> None:
    dates = Backdate([str(made.parent / "*.o")])
    middle = build(dates, source)
    at(source, middle)
    at(made, 1_000_000_000)
    dates.begin([str(source)])
    assert made.stat().st_mtime_ns == 1_000_000_000


def test_a_save_that_is_heard_of_two_builds_later_counts_for_the_build_it_came_into(
    source: Path, made: Path, tmp_path: Path
) -> None:
    dates = Backdate([str(tmp_path / "*.o")])
    first = build(dates)
    at(source, first)
    at(made, first)
    second, other = build(dates), tmp_path / "other.o"
    at(other, second)
    dates.begin([str(source)])
    assert made.stat().st_mtime_ns < first
    assert other.stat().st_mtime_ns == second


def test_of_very_many_changes_one_will_have_come_into_the_build(made: Path, tmp_path: Path) -> None:
    dates = Backdate([str(made)])
    middle = build(dates)
    at(made, middle)
    dates.begin([str(tmp_path / f"{number}.c") for number in range(FEW + 1)])
    assert made.stat().st_mtime_ns < middle


def test_a_link_that_was_made_gets_a_time_of_its_own(source: Path, made: Path) -> None:
    dates = Backdate([str(made)])
    middle = build(dates)
    at(source, middle)
    made.symlink_to(source)
    os.utime(made, ns=(middle, middle), follow_symlinks=False)
    dates.begin([str(source)])
    assert made.lstat().st_mtime_ns < middle
    assert source.stat().st_mtime_ns == middle
