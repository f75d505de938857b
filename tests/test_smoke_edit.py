"""The edit of the smoke test and the way back: bytes, times, mode; and what somebody else wrote."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from hotrun.project.smoke import edit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TIMES = (1_700_000_000_123_456_789, 1_600_000_000_987_654_321)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[edit.Place]:
    place = edit.Place(str(tmp_path))
    yield place
    place.close()


def source(directory: Path, content: bytes) -> Path:
    path = directory / "main.go"
    path.write_bytes(content)
    path.chmod(0o640)
    os.utime(path, ns=TIMES)
    return path


def state(path: Path) -> tuple[bytes, int, int, int]:
    stat = path.stat()
    return path.read_bytes(), stat.st_mtime_ns, stat.st_mode, stat.st_ino


@pytest.mark.parametrize(
    ("content", "added"),
    [
        (b"package main\n", b"\n"),
        (b"package main", b"\n"),
        (b"a\r\nb\r\n", b"\r\n"),
        (b"\xff\xfe no UTF-8\n", b"\n"),
    ],
    ids=["a line", "no end", "CRLF", "bytes"],
)
def test_a_file_gets_one_newline_and_is_then_what_it_was(
    tmp_path: Path, place: edit.Place, content: bytes, added: bytes
) -> None:
    path = source(tmp_path, content)
    before = state(path)
    edit.make(str(path), place.path)
    assert path.read_bytes() == content + added
    assert path.stat().st_ino == before[3]
    edit.undo(place.path)
    assert state(path) == before
    edit.undo(place.path)  # there is nothing left to undo
    assert state(path) == before
    place.remove()
    assert os.listdir(tmp_path) == ["main.go"]


def test_a_link_stays_one_and_the_file_behind_it_is_edited(
    tmp_path: Path, place: edit.Place
) -> None:
    path = source(tmp_path, b"x\n")
    link = tmp_path / "link.go"
    link.symlink_to("main.go")
    edit.make(str(link), place.path)
    assert path.read_bytes() == b"x\n\n"
    edit.undo(place.path)
    assert link.is_symlink()
    assert path.read_bytes() == b"x\n"


def test_a_formatter_that_takes_the_newline_away_again_costs_no_time_stamp(
    tmp_path: Path, place: edit.Place
) -> None:
    path = source(tmp_path, b"x\n")
    edit.make(str(path), place.path)
    path.write_bytes(b"x\n")
    path.chmod(0o600)
    edit.undo(place.path)
    assert state(path)[:2] == (b"x\n", TIMES[1])
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_somebody_else_wrote_is_left_alone_and_the_bytes_from_before_are_named(
    tmp_path: Path, place: edit.Place
) -> None:
    path = source(tmp_path, b"x\n")
    edit.make(str(path), place.path)
    path.write_bytes(b"theirs\n")
    with pytest.raises(edit.TheirsError) as told:
        edit.undo(place.path)
    backup = f"{place.path}/original"
    assert str(told.value) == (
        f"{path} was changed by somebody else meanwhile and is left alone: "
        f"as it was before, it is in {backup}"
    )
    assert path.read_bytes() == b"theirs\n"
    with open(backup, "rb") as file:
        assert file.read() == b"x\n"


def test_a_file_that_was_deleted_is_not_made_again(tmp_path: Path, place: edit.Place) -> None:
    path = source(tmp_path, b"x\n")
    edit.make(str(path), place.path)
    path.unlink()
    with pytest.raises(edit.NotUndoneError, match="could not be restored") as told:
        edit.undo(place.path)
    assert not isinstance(told.value, edit.TheirsError)
    assert str(told.value).endswith(f"as it was, it is in {place.path}/original")
    assert not path.exists()


def test_the_edit_of_a_dead_one_is_undone_and_that_of_a_live_one_is_not(tmp_path: Path) -> None:
    path = source(tmp_path, b"x\n")
    place = edit.Place(str(tmp_path))
    edit.make(str(path), place.path)
    assert edit.undo_earlier(str(tmp_path)) == []
    assert path.read_bytes() == b"x\n\n"
    place.close()  # as the kernel does it for the dead
    assert edit.undo_earlier(str(tmp_path)) == [
        "an earlier smoke test was killed: its edit is undone"
    ]
    assert path.read_bytes() == b"x\n"
    assert os.listdir(tmp_path / ".hotrun") == [".gitignore"]


def test_a_hotrun_directory_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / ".hotrun").mkdir()
    (tmp_path / ".hotrun" / "schema.json").write_text("{}")
    place = edit.Place(str(tmp_path))
    place.remove()
    place.close()
    assert os.listdir(tmp_path / ".hotrun") == ["schema.json"]


def test_a_hotrun_that_is_a_link_leads_nowhere(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / ".hotrun").symlink_to(elsewhere)
    with pytest.raises(NotADirectoryError):
        edit.Place(str(tmp_path))
    assert os.listdir(elsewhere) == []
