"""A file that strays during a build and comes back: the build may have read it astray."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotrun.watch.event import Event, Op
from hotrun.watch.rules.filter import Filter
from hotrun.watch.sieve.changes import RETURNS
from hotrun.watch.sieve.sieve import Sieve

if TYPE_CHECKING:
    from pathlib import Path

SAVED = Op.WRITE | Op.CLOSE_WRITE


@pytest.fixture
def sieve(tmp_path: Path) -> Sieve:
    """A sieve that knows one file, and its bytes."""
    (tmp_path / "main.go").write_text("as it was")
    sieve = Sieve([str(tmp_path)], Filter(roots=[str(tmp_path)], base=str(tmp_path)))
    sieve.list()
    sieve.note([Event(str(tmp_path / "main.go"), SAVED)])
    sift(sieve)  # a file that was listed as soon as it was written is only known for sure now
    return sieve


def sift(sieve: Sieve) -> list[str]:
    *_, found = sieve.sift()
    assert found is not None
    return found.changed


def save(sieve: Sieve, path: Path, text: str, *, building: bool) -> None:
    path.write_text(text)
    sieve.note([Event(str(path), SAVED)], building=building)


def test_an_edit_that_is_taken_back_while_a_build_runs_is_a_change(
    sieve: Sieve, tmp_path: Path
) -> None:
    path = tmp_path / "main.go"
    save(sieve, path, "other", building=True)
    save(sieve, path, "as it was", building=True)
    assert sift(sieve) == [str(path)]
    assert sift(sieve) == []


def test_a_file_that_was_gone_for_a_moment_while_a_build_ran_is_a_change(
    sieve: Sieve, tmp_path: Path
) -> None:
    path = tmp_path / "main.go"
    path.unlink()
    sieve.note([Event(str(path), Op.REMOVE)], building=True)
    save(sieve, path, "as it was", building=True)
    assert sift(sieve) == [str(path)]


def test_an_edit_that_is_taken_back_while_nothing_is_built_is_none(
    sieve: Sieve, tmp_path: Path
) -> None:
    path = tmp_path / "main.go"
    save(sieve, path, "other", building=False)
    save(sieve, path, "as it was", building=False)
    assert sift(sieve) == []


def test_the_same_bytes_written_again_by_a_build_are_no_change(
    sieve: Sieve, tmp_path: Path
) -> None:
    save(sieve, tmp_path / "main.go", "as it was", building=True)
    assert sift(sieve) == []


def test_a_build_that_strays_each_time_it_runs_does_not_build_for_ever(
    sieve: Sieve, tmp_path: Path
) -> None:
    path = tmp_path / "main.go"
    builds = 0
    for _ in range(RETURNS + 3):
        save(sieve, path, "half", building=True)
        save(sieve, path, "as it was", building=True)
        builds += len(sift(sieve))
    assert builds == RETURNS
    save(sieve, path, "an edit", building=False)
    assert sift(sieve) == [str(path)]
