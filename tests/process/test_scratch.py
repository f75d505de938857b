"""The scratch directory: made when it is needed, emptied, removed; and nobody else's is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from hotrun.process.scratch import Scratch

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    path = tmp_path / "tmp"
    path.mkdir()
    return path


def lent(scratch: Scratch, temporary: Path) -> str:
    return scratch.lend({"TMPDIR": str(temporary)}, "/")["GOTMPDIR"]


def test_it_is_made_once_and_for_its_owner_alone(temporary: Path) -> None:
    scratch = Scratch()
    assert list(temporary.iterdir()) == []
    path = lent(scratch, temporary)
    assert lent(scratch, temporary) == path
    assert [str(made) for made in temporary.iterdir()] == [path]
    assert os.stat(path).st_mode & 0o777 == 0o700


@pytest.mark.parametrize("value", ["/elsewhere", ""])
def test_who_has_a_place_of_its_own_is_left_alone(temporary: Path, value: str) -> None:
    env = {"TMPDIR": str(temporary), "GOTMPDIR": value}
    assert Scratch().lend(env, "/") == env
    assert list(temporary.iterdir()) == []


def test_a_relative_tmpdir_begins_where_the_build_runs(temporary: Path) -> None:
    env = Scratch().lend({"TMPDIR": temporary.name}, str(temporary.parent))
    assert os.path.dirname(env["GOTMPDIR"]) == str(temporary)


@pytest.mark.parametrize("name", ["missing", "file", "two\nlines"])
def test_where_it_cannot_be_made_the_build_goes_without(temporary: Path, name: str) -> None:
    (temporary / "file").touch()
    (temporary / "two\nlines").mkdir()
    env = {"TMPDIR": str(temporary / name)}
    scratch = Scratch()
    assert scratch.lend(env, "/") == env
    scratch.empty()
    scratch.remove()


def test_emptying_takes_what_is_in_it_and_follows_no_link(temporary: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    scratch = Scratch()
    path = lent(scratch, temporary)
    os.makedirs(f"{path}/go-build1/b001")
    os.symlink(kept, f"{path}/link")
    os.symlink(kept, f"{path}/go-build1/link")
    os.mkfifo(f"{path}/pipe")
    scratch.empty()
    assert os.listdir(path) == []
    assert (kept / "file").exists()
    assert lent(scratch, temporary) == path


def test_removed_with_all_that_is_in_it_and_nothing_beside_it(temporary: Path) -> None:
    (temporary / "hotrun-other").mkdir()
    scratch = Scratch()
    path = lent(scratch, temporary)
    os.makedirs(f"{path}/go-build1/b001")
    scratch.remove()
    scratch.remove()
    assert [made.name for made in temporary.iterdir()] == ["hotrun-other"]


def test_one_that_a_cleaner_took_is_made_again(temporary: Path) -> None:
    scratch = Scratch()
    path = lent(scratch, temporary)
    os.rmdir(path)
    again = lent(scratch, temporary)
    assert os.path.isdir(again)
    scratch.remove()
    assert list(temporary.iterdir()) == []


def test_another_directory_of_its_name_is_not_ours(temporary: Path) -> None:
    scratch = Scratch()
    path = lent(scratch, temporary)
    os.rename(path, f"{path}-moved")  # keeps its inode from being used again
    os.makedirs(f"{path}/theirs")
    scratch.empty()
    scratch.remove()
    assert os.path.isdir(f"{path}/theirs")
    assert lent(scratch, temporary) != path
