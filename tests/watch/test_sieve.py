"""From events to changes, one situation a test: what is a change, what is a save, what is quiet."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from ear import DEADLINE, Ear, exchange, write

from hotrun.watch import Event, Op, Overflow, Refreshed, Unwatched
from hotrun.watch.sieve.changes import Newborn
from hotrun.watch.sieve.contents import FINE
from hotrun.watch.sieve.digest import HASHED
from hotrun.watch.sieve.disk import Disk
from hotrun.watch.sieve.known import Known
from hotrun.watch.sieve.sieve import CHUNK, Sieve, Sifted
from hotrun.watch.sieve.snapshot import list_tree, signature

if TYPE_CHECKING:
    from collections.abc import Callable

    Listen = Callable[..., Ear]


class Accepts:
    """Rules that a test can read: *.log and skip/ are out, `.rules` holds them."""

    def __init__(self) -> None:
        self.reloaded = 0

    def skips(self, directory: str) -> bool:
        return "/skip" in directory

    def wants(self, path: str) -> bool:
        return not path.endswith(".log") and "/skip/" not in path

    def is_ignore_file(self, path: str) -> bool:
        return path.endswith("/.rules")

    def reload(self) -> None:
        self.reloaded += 1


class Desk:
    """A sieve and the ear that feeds it."""

    def __init__(self, ear: Ear, sieve: Sieve) -> None:
        self.ear = ear
        self.sieve = sieve

    def hear(self) -> bool:
        """Take in what happened; True when it may be a change."""
        return self.sieve.note(self.ear.all())

    def sift(self) -> Sifted:
        """Take in what happened, and compare."""
        self.hear()
        return sifted(self.sieve)

    @property
    def changed(self) -> list[str]:
        """The names that changed."""
        (root,) = self.ear.roots
        return [path.removeprefix(f"{root}/") for path in self.sift().changed]


def sifted(sieve: Sieve) -> Sifted:
    *pauses, found = sieve.sift()
    assert found is not None
    assert not any(pauses)
    return found


def primed(root: str, listen: Listen, **options: object) -> Desk:
    """A desk that knows the bytes of every file."""
    ear = listen(root)
    sieve = Sieve([root], Accepts(), **options)  # type: ignore[arg-type]
    until_old(root)
    sieve.list()
    for _ in sieve.prime():
        pass
    return Desk(ear, sieve)


def until_old(root: str) -> None:
    """Wait until no file is so new that its signature cannot vouch for it."""
    found = os.walk(root)
    paths = [f"{top}/{name}" for top, below, names in found for name in (*below, *names)]
    newest = max((os.lstat(path).st_ctime_ns for path in paths), default=0)
    end = time.monotonic() + DEADLINE
    while time.time_ns() - newest <= FINE:
        assert time.monotonic() < end, f"waited {DEADLINE} s for the clock to move on"


# --- what is a change ---


def test_other_bytes_are_a_change_and_the_same_bytes_are_not(root: str, listen: Listen) -> None:
    path = write(f"{root}/a.go", "one")
    desk = primed(root, listen)
    write(path, "one")
    found = desk.sift()
    assert (found.changed, found.saved) == ([], [path])
    write(path, "two")
    found = desk.sift()
    assert (found.changed, found.saved) == ([path], [])
    assert desk.changed == []


@pytest.mark.parametrize("size", [3, HASHED + 1], ids=["small", "big"])
def test_neither_touch_nor_chmod_is_a_change(root: str, listen: Listen, size: int) -> None:
    path = write(f"{root}/a.go", b"x" * size)
    desk = primed(root, listen)
    subprocess.run(["touch", path], check=True)
    assert desk.changed == []
    os.chmod(path, 0o600)
    assert desk.changed == []
    subprocess.run(["touch", path], check=True)
    os.chmod(path, 0o640)
    assert desk.changed == []


@pytest.mark.parametrize("size", [3, HASHED + 1], ids=["small", "big"])
def test_the_executable_bit_is_a_change(root: str, listen: Listen, size: int) -> None:
    path = write(f"{root}/a.sh", b"x" * size)
    desk = primed(root, listen)
    os.chmod(path, 0o744)
    assert desk.changed == ["a.sh"]
    os.chmod(path, 0o644)
    assert desk.changed == ["a.sh"]


def test_files_come_go_and_move(root: str, listen: Listen) -> None:
    old, gone = write(f"{root}/old.go"), write(f"{root}/gone.go")
    desk = primed(root, listen)
    write(f"{root}/new.go", b"")
    os.remove(gone)
    os.rename(old, f"{root}/moved.go")
    assert desk.changed == ["gone.go", "moved.go", "new.go", "old.go"]


def test_a_file_removed_and_made_again_with_the_same_bytes(root: str, listen: Listen) -> None:
    path = write(f"{root}/a.go", "one")
    desk = primed(root, listen)
    os.remove(path)
    write(path, "one")
    assert desk.changed == []
    os.remove(path)
    write(path, "two")
    assert desk.changed == ["a.go"]


def test_a_file_that_came_and_went_is_no_change(root: str, listen: Listen) -> None:
    desk = primed(root, listen)
    os.remove(write(f"{root}/a.tmp"))
    os.rename(write(f"{root}/b.tmp"), f"{root}/skipped.log")
    assert desk.sift() == Sifted()


def test_a_link_that_leads_elsewhere_is_a_change(root: str, listen: Listen) -> None:
    os.symlink("one", f"{root}/link")
    desk = primed(root, listen)
    os.remove(f"{root}/link")
    os.symlink("one", f"{root}/link")
    assert desk.changed == []
    os.symlink("two", f"{root}/new")
    os.rename(f"{root}/new", f"{root}/link")
    assert desk.changed == ["link"]


def test_a_file_becomes_a_link_to_the_same_bytes(root: str, listen: Listen) -> None:
    write(f"{root}/a.go", "one")
    write(f"{root}/b.go", "one")
    desk = primed(root, listen)
    os.remove(f"{root}/a.go")
    os.symlink("b.go", f"{root}/a.go")
    assert desk.changed == ["a.go"]


def test_big_files_are_judged_by_their_signature(root: str, listen: Listen) -> None:
    path = write(f"{root}/big", b"x" * (HASHED + 1))
    desk = primed(root, listen)
    write(path, b"x" * (HASHED + 1))
    assert desk.changed == ["big"]
    write(path, b"small")
    assert desk.changed == ["big"]
    write(path, b"small")
    assert desk.changed == []


def test_a_write_through_mmap_is_a_change(root: str, listen: Listen) -> None:
    import mmap

    path = write(f"{root}/a.go", "one")
    desk = primed(root, listen)
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 3) as mapped:
        mapped[:] = b"two"
    assert desk.changed == ["a.go"]


@pytest.mark.parametrize("size", [3, HASHED + 1], ids=["small", "big"])
@pytest.mark.parametrize("recovered", [False, True])
def test_a_write_whose_time_was_set_back_is_a_change(
    root: str, listen: Listen, size: int, *, recovered: bool
) -> None:
    path = write(f"{root}/a.go", b"1" * size)
    desk = primed(root, listen)
    found = os.stat(path)
    write(path, b"2" * size)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    if recovered:
        desk.ear.all()
        desk.sieve.note([Overflow(root)])
    assert desk.changed == ["a.go"]


def test_an_unreadable_file_is_judged_by_its_signature(root: str, listen: Listen) -> None:
    """A fifo in its place is what even root cannot read the bytes of."""
    path = write(f"{root}/a.go", "one")
    desk = primed(root, listen)
    os.remove(path)
    os.mkfifo(path)
    assert desk.changed == ["a.go"]
    os.remove(path)
    assert desk.changed == []


# --- directories ---


def test_a_new_directory_is_listed(root: str, listen: Listen) -> None:
    desk = primed(root, listen)
    write(f"{root}/d/e/f.go")
    write(f"{root}/skip/f.go")
    os.mkdir(f"{root}/empty")
    assert desk.changed == ["d/e/f.go"]
    assert desk.sieve.directories == 4
    assert set(desk.sieve.paths()) == {f"{root}/d/e/f.go"}


def test_a_directory_moved_over_and_away(root: str, listen: Listen) -> None:
    write(f"{root}/d/same.go", "same")
    write(f"{root}/d/other.go", "one")
    write(f"{root}/e/same.go", "same")
    write(f"{root}/e/other.go", "two")
    desk = primed(root, listen)
    shutil.rmtree(f"{root}/d")
    os.rename(f"{root}/e", f"{root}/d")
    assert desk.changed == ["d/other.go", "e/other.go", "e/same.go"]
    os.rename(f"{root}/d", f"{root}/skip")
    assert desk.changed == ["d/other.go", "d/same.go"]
    assert desk.sieve.files == 0
    assert desk.sieve.directories == 1


def test_a_file_takes_the_place_of_a_directory_and_back(root: str, listen: Listen) -> None:
    write(f"{root}/d/f.go")
    desk = primed(root, listen)
    shutil.rmtree(f"{root}/d")
    write(f"{root}/d", "file")
    assert desk.changed == ["d", "d/f.go"]
    os.remove(f"{root}/d")
    write(f"{root}/d/f.go")
    assert desk.changed == ["d", "d/f.go"]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("other", ["d", "new.go"])
def test_two_names_are_exchanged(root: str, listen: Listen, other: str, *, turned: bool) -> None:
    """Of one of them the kernel tells that it came, and then that it went."""
    write(f"{root}/f.go", "one")
    os.mkdir(f"{root}/d")
    desk = primed(root, listen)
    if other == "new.go":
        write(f"{root}/new.go", "two")
    names = [f"{root}/f.go", f"{root}/{other}"]
    try:
        exchange(*(reversed(names) if turned else names))
    except OSError as error:
        pytest.skip(f"this filesystem cannot exchange names: {error.strerror}")
    assert desk.changed == sorted(["f.go", other])


def test_a_directory_that_is_gone_and_back_while_it_is_listed_is_kept(root: str) -> None:
    """Its parent was seen to be gone, and what is in it is found after all."""
    path = write(f"{root}/a/b/f.go")
    known = Known(lambda directory: directory in gone, lambda _: True)
    disk = Disk(known)
    gone: set[str] = set()
    until_old(root)
    known.begin([root])
    gone.add(f"{root}/a")
    assert not [each for each in disk.relist(root) if each is not None and disk.differs(each)]
    gone.clear()
    shutil.rmtree(f"{root}/a")
    assert [each for each in disk.relist(root) if each is not None and disk.differs(each)]
    assert (len(known), len(known.tree), known.get(path)) == (0, 1, None)


def test_each_change_is_told_once(root: str, listen: Listen) -> None:
    desk = primed(root, listen, unchanged_counts=True)
    for number in range(3):
        write(f"{root}/d/{number}/f.go")
        write(f"{root}/d/{number}/big", b"x" * (HASHED + 1))
    found = desk.sift()
    assert len(found.changed) == len(set(found.changed)) == 6
    assert found.saved == []


def test_a_root_goes_and_comes_back(root: str, listen: Listen) -> None:
    write(f"{root}/same.go", "same")
    write(f"{root}/other.go", "one")
    desk = primed(root, listen)
    shutil.rmtree(root)
    write(f"{root}/same.go", "same")
    write(f"{root}/other.go", "two")
    assert desk.changed == ["other.go"]
    shutil.rmtree(root)
    assert desk.changed == ["other.go", "same.go"]
    write(f"{root}/same.go", "same")
    assert desk.changed == ["same.go"]


def test_a_linked_root_in_a_root_is_listed_for_itself(root: str, listen: Listen) -> None:
    os.makedirs(f"{root}-real")
    os.symlink(f"{root}-real", f"{root}/link")
    ear = listen(root, f"{root}/link")
    sieve = Sieve([root, f"{root}/link"], Accepts())
    until_old(root)
    sieve.list()
    path = write(f"{root}/link/f.go")
    sieve.note([Overflow(root), Overflow(f"{root}/link")])
    assert sifted(sieve).changed == [path]
    sieve.note(ear.all())
    os.remove(path)
    sieve.note(ear.all())
    assert sifted(sieve).changed == [path]


def test_what_new_rules_leave_out_did_not_change(root: str, listen: Listen) -> None:
    write(f"{root}/gen/a.go")
    write(f"{root}/b.go")
    desk = primed(root, listen)
    skips, wants = desk.sieve.accepts.skips, desk.sieve.accepts.wants
    desk.sieve._known.skips = lambda path: path.endswith("/gen") or skips(path)
    desk.sieve._known.wants = lambda path: "/gen/" not in path and wants(path)
    desk.sieve.note([Refreshed(root)])
    assert desk.changed == []
    assert set(desk.sieve.paths()) == {f"{root}/b.go"}


# --- what is lost is found ---


def test_after_an_overflow_everything_is_compared(root: str, listen: Listen) -> None:
    for name in ("same.go", "other.go", "gone.go", "d/f.go"):
        write(f"{root}/{name}", "one")
    desk = primed(root, listen)
    write(f"{root}/other.go", "two")
    write(f"{root}/same.go", "one")
    os.remove(f"{root}/gone.go")
    shutil.rmtree(f"{root}/d")
    write(f"{root}/new/f.go")
    desk.ear.all()
    assert desk.sieve.note([Overflow(root)])
    found = sifted(desk.sieve)
    names = [path.removeprefix(f"{root}/") for path in found.changed]
    assert names == ["d/f.go", "gone.go", "new/f.go", "other.go"]
    assert (found.recovered, found.listed) == (True, 3)
    assert sifted(desk.sieve) == Sifted()


def test_after_an_overflow_the_events_that_are_left_prove_nothing(
    root: str, listen: Listen
) -> None:
    """A chmod was heard; that the file was written, too, was lost."""
    path = write(f"{root}/a.go", "one")
    desk = primed(root, listen)
    write(path, "two")
    os.chmod(path, 0o600)
    desk.ear.all()
    desk.sieve.note([Event(path, Op.CHMOD), Overflow(root)])
    assert sifted(desk.sieve).changed == [path]


def test_a_write_in_the_clock_tick_of_the_listing_is_not_lost(root: str) -> None:
    """Coarse clocks give it the same time; whether the build saw it nobody can tell."""
    path = write(f"{root}/a.go", "one")
    sieve = Sieve([root], Accepts())
    sieve.list()
    assert path in sieve._known.contents.vague
    write(path, "two")
    found = signature(path)
    assert found is not None
    sieve._known.tree[root].files["a.go"] = found  # as if the clock had not moved
    for _ in sieve.prime():
        pass
    sieve.note([Event(path, Op.WRITE), Event(path, Op.CLOSE_WRITE)])
    assert sifted(sieve).changed == [path]
    sieve.note([Overflow(root)])
    assert sifted(sieve).changed == []


@pytest.mark.parametrize("items", ["event", "overflow", "new directory"])
def test_two_writes_in_one_tick_of_the_clock_are_two(root: str, items: str) -> None:
    path = write(f"{root}/a.go", "one")
    sieve = Sieve([root], Accepts())
    sieve.note([Event(path, Op.CREATE | Op.CLOSE_WRITE)])
    assert sifted(sieve).changed == [path]
    write(path, "two")
    found = signature(path)
    assert found is not None
    sieve._known.tree[root].files["a.go"] = found
    sieve.note(
        {
            "event": [Event(path, Op.WRITE), Event(path, Op.CLOSE_WRITE)],
            "overflow": [Overflow(root)],
            "new directory": [Event(root, Op.CREATE, None, directory=True)],
        }[items]
    )
    assert sifted(sieve).changed == [path]


def test_a_write_before_the_listing_whose_event_comes_after_it_is_no_change(
    root: str, listen: Listen
) -> None:
    ear = listen(root)
    path = write(f"{root}/a.go")
    until_old(root)
    sieve = Sieve([root], Accepts())
    sieve.list()
    sieve.note(ear.all())
    found = sifted(sieve)
    assert (found.changed, found.saved) == ([], [path])


def test_a_file_that_changes_while_it_is_primed_is_not_taken_for_known(root: str) -> None:
    path = write(f"{root}/a.go", "one")
    until_old(root)
    sieve = Sieve([root], Accepts())
    sieve.list()
    write(path, "two")
    for _ in sieve.prime():
        pass
    sieve.note([Event(path, Op.WRITE | Op.CLOSE_WRITE)])
    assert sifted(sieve).changed == [path]


def test_without_hashes_a_save_counts(root: str, listen: Listen) -> None:
    path = write(f"{root}/a.go", "one")
    ear = listen(root)
    sieve = Sieve([root], Accepts())
    sieve.list()
    write(path, "one")
    sieve.note(ear.all())
    assert sifted(sieve).changed == [path]
    write(path, "one")
    sieve.note(ear.all())
    assert sifted(sieve).changed == []


def test_events_that_come_during_a_sift_belong_to_the_next_one(root: str, listen: Listen) -> None:
    paths = [write(f"{root}/{number}") for number in range(2 * CHUNK)]
    desk = primed(root, listen)
    for path in paths:
        write(path, "more")
    desk.hear()
    sifting = desk.sieve.sift()
    assert next(sifting) is None
    write(paths[0], "again")
    write(paths[-1], "again")
    assert desk.hear()
    *_, first = sifting
    assert first is not None
    assert sorted(first.changed) == sorted(paths)
    assert paths[0] in sifted(desk.sieve).changed


@pytest.mark.parametrize("size", [3, HASHED + 1], ids=["small", "big"])
@pytest.mark.parametrize("heard", [[Op.CHMOD], [Op.CHMOD, Op.CLOSE_WRITE]], ids=["chmod", "touch"])
def test_a_write_that_is_compared_before_it_is_heard_of_is_not_lost(
    root: str, size: int, heard: list[Op]
) -> None:
    """Only chmod or touch(1) was heard by then, and the bytes of before are not known."""
    path = write(f"{root}/a.go", b"1" * size)
    until_old(root)
    sieve = Sieve([root], Accepts())
    sieve.list()
    write(path, b"2" * size)
    until_old(root)
    sieve.note([Event(path, op) for op in heard])
    told = sifted(sieve).changed
    sieve.note([Event(path, Op.WRITE), Event(path, Op.CLOSE_WRITE)])
    assert told + sifted(sieve).changed == [path]


# --- how quiet it is ---


def test_a_file_that_is_still_written_is_unfinished(root: str, listen: Listen) -> None:
    path = write(f"{root}/a.go", "one")
    desk = primed(root, listen)
    with open(path, "ab") as file:
        file.write(b"more")
        file.flush()
        assert desk.hear()
        assert desk.sieve.unfinished
        assert not desk.sieve.lone_save
    desk.hear()
    assert not desk.sieve.unfinished
    assert desk.sieve.lone_save


def test_a_file_that_has_just_become_empty_is_unfinished(root: str, listen: Listen) -> None:
    path = write(f"{root}/a.go", "one")
    desk = primed(root, listen)
    os.truncate(path, 0)
    write(path, b"")
    desk.hear()
    assert desk.sieve.unfinished
    write(path, "two")
    desk.hear()
    assert not desk.sieve.unfinished
    write(path, b"")
    desk.hear()
    os.remove(path)
    desk.hear()
    assert not desk.sieve.unfinished


def test_a_file_that_was_just_made_is_unfinished_until_it_is_closed(
    root: str, listen: Listen
) -> None:
    desk = primed(root, listen)
    with open(f"{root}/new.go", "wb"):
        assert desk.hear()
        assert desk.sieve.unfinished
    desk.hear()
    assert not desk.sieve.unfinished
    assert desk.sieve.lone_save


def test_a_file_that_is_listed_before_it_is_told_of_is_unfinished_if_it_is_new_and_empty(
    root: str, listen: Listen
) -> None:
    desk = primed(root, listen)
    found, end = Sifted(), time.monotonic() + DEADLINE
    while not found.born:
        assert time.monotonic() < end, f"waited {DEADLINE} s for a listing within {FINE} ns"
        directory = f"{root}/{time.monotonic_ns()}"
        os.mkdir(directory)
        assert desk.hear()
        os.symlink("elsewhere", f"{directory}/link.go")
        write(f"{directory}/full.go", "one")
        with open(f"{directory}/new.go", "wb"):
            found = sifted(desk.sieve)
        assert found.changed == [f"{directory}/{name}.go" for name in ("full", "link", "new")]
    assert found.born == [f"{directory}/new.go"]
    assert desk.sieve.unfinished
    assert desk.hear()
    assert not desk.sieve.unfinished


def test_what_was_told_of_is_not_born(root: str, listen: Listen) -> None:
    desk = primed(root, listen)
    os.mkdir(f"{root}/d")
    desk.hear()
    path = write(f"{root}/d/closed.go", b"")
    found = desk.sift()
    assert (found.changed, found.born) == ([path], [])
    path = write(f"{root}/d/lost.go", b"")
    desk.sieve.note([Overflow(root)])
    found = sifted(desk.sieve)
    assert (found.changed, found.born) == ([path], [])


def test_what_is_born_is_left_out_once() -> None:
    newborn = Newborn()
    found = Sifted(["/a", "/b"], born=["/a"])
    assert newborn.sort(found, waits=True)
    assert found.changed == ["/b"]
    found = Sifted(["/c"])
    assert not newborn.sort(found, waits=True)
    assert found.changed == ["/a", "/c"]
    found = Sifted(["/a"], born=["/a"])
    assert newborn.sort(found, waits=True)
    assert not newborn.sort(found, waits=True)
    assert found.changed == ["/a"]
    assert not newborn.sort(found, waits=False)
    assert found.changed == ["/a"]


def test_what_came_whole_is_finished(root: str, listen: Listen) -> None:
    path = write(f"{root}/a.go", b"")
    desk = primed(root, listen)
    os.symlink("a.go", f"{root}/link.go")
    assert desk.hear()
    assert not desk.sieve.unfinished
    write(path, "one")
    os.link(path, f"{root}/hard.go")
    assert desk.hear()
    assert not desk.sieve.unfinished


def test_a_file_that_always_was_empty_is_finished(root: str, listen: Listen) -> None:
    path = write(f"{root}/a.go", b"")
    desk = primed(root, listen)
    write(path, b"")
    desk.hear()
    assert not desk.sieve.unfinished


def test_a_sift_begins_a_new_count(root: str, listen: Listen) -> None:
    path = write(f"{root}/a.go", "one")
    desk = primed(root, listen)
    with open(path, "r+b", 0) as file:
        file.write(b"two")
        assert desk.changed == ["a.go"]
        assert not desk.sieve.unfinished
        assert not desk.sieve.lone_save
        file.write(b"more")
        desk.hear()
        assert desk.sieve.unfinished
    assert desk.changed == ["a.go"]


@pytest.mark.parametrize(
    "burst",
    [
        lambda root: (write(f"{root}/a.go", "1"), write(f"{root}/b.go", "2")),
        lambda root: os.remove(f"{root}/a.go"),
        lambda root: os.mkdir(f"{root}/new"),
        lambda root: os.rename(f"{root}/d", f"{root}/e"),
        lambda root: os.symlink("a.go", f"{root}/link"),
    ],
    ids=["two files", "removed", "mkdir", "moved directory", "link"],
)
def test_anything_but_one_finished_save_is_a_burst(
    root: str, listen: Listen, burst: Callable[[str], object]
) -> None:
    write(f"{root}/a.go")
    write(f"{root}/d/f.go")
    desk = primed(root, listen)
    burst(root)
    assert desk.hear()
    assert not desk.sieve.lone_save


def test_where_closing_is_not_seen_no_save_is_known_to_be_finished(root: str) -> None:
    path = write(f"{root}/a.go", "one")
    sieve = Sieve([root], Accepts(), sees_close=lambda _: False)
    sieve.list()
    sieve.note([Event(path, Op.WRITE)])
    assert not sieve.unfinished
    assert not sieve.lone_save


def test_what_is_not_wanted_is_not_relevant(root: str, listen: Listen) -> None:
    write(f"{root}/skip/a.go")
    desk = primed(root, listen)
    write(f"{root}/a.log")
    write(f"{root}/skip/a.go", "more")
    os.rename(f"{root}/skip", f"{root}/skip2")
    os.chmod(root, 0o700)
    assert not desk.hear()
    assert not desk.sieve.note([Unwatched(f"{root}/d", PermissionError())])
    assert desk.changed == []


# --- rules, single files, git ---


def test_a_changed_ignore_file_makes_the_rules_stale(root: str, listen: Listen) -> None:
    accepts = Accepts()
    ear = listen(root)
    sieve = Sieve([root], accepts)
    sieve.list()
    write(f"{root}/.rules")
    assert sieve.note(ear.all())
    assert sieve.stale
    sieve.refresh_rules()
    assert (sieve.stale, accepts.reloaded) == (False, 1)
    sieve.note([Refreshed(root)])
    found = sifted(sieve)
    assert (found.changed, found.recovered) == ([f"{root}/.rules"], False)


def test_ignore_files_that_move_along_with_a_directory_count_too(root: str, listen: Listen) -> None:
    write(f"{root}/d/e/.rules")
    write(f"{root}/other/f.go")
    desk = primed(root, listen)
    os.rename(f"{root}/other", f"{root}/other2")
    desk.hear()
    assert not desk.sieve.stale
    os.rename(f"{root}/d", f"{root}/d2")
    desk.hear()
    assert desk.sieve.stale


def test_single_files_count_whatever_the_rules_say(root: str, listen: Listen) -> None:
    path, other = write(f"{root}/env.log", "one"), write(f"{root}/other.log", "one")
    desk = primed(root, listen, also=[path])
    write(other, "two")
    write(path, "one")
    assert desk.sift().saved == [path]
    write(path, "two")
    assert desk.changed == ["env.log"]
    os.rename(path, f"{root}/env2.log")
    assert desk.changed == ["env.log"]
    write(path, "three")
    desk.ear.all()
    desk.sieve.note([Overflow(root)])
    assert desk.changed == ["env.log"]


def test_a_finished_save_counts_if_the_user_wants_it(root: str, listen: Listen) -> None:
    path = write(f"{root}/a.go", "one")
    desk = primed(root, listen, unchanged_counts=True)
    os.chmod(path, 0o600)
    assert desk.changed == []
    write(path, "one")
    assert desk.changed == ["a.go"]
    os.remove(write(f"{root}/b.go"))
    assert desk.changed == []


def test_git_at_work_is_seen_by_its_lock(root: str) -> None:
    below = f"{root}/deep/down"
    os.makedirs(below)
    sieve = Sieve([below], Accepts())
    assert not sieve.locked()
    write(f"{root}/.git/HEAD")
    assert not sieve.locked()
    lock = write(f"{root}/.git/index.lock")
    assert sieve.locked()
    os.remove(lock)
    assert not sieve.locked()


@pytest.mark.parametrize("relative", [False, True])
def test_a_linked_work_tree_has_its_lock_elsewhere(root: str, *, relative: bool) -> None:
    tree, git = f"{root}/tree", f"{root}/main/.git/worktrees/tree"
    where = "../main/.git/worktrees/tree" if relative else git
    write(f"{tree}/.git", f"gitdir: {where}\n")
    write(f"{git}/HEAD")
    sieve = Sieve([tree], Accepts())
    assert not sieve.locked()
    write(f"{git}/index.lock")
    assert sieve.locked()


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_a_work_tree_that_git_linked_is_seen_to_be_locked(root: str) -> None:
    def git(*words: str, at: str = f"{root}/main") -> str:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", at, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    os.mkdir(f"{root}/main")
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "x")
    git("worktree", "add", "-q", f"{root}/linked")
    sieve = Sieve([f"{root}/linked"], Accepts())
    assert not sieve.locked()
    write(git("rev-parse", "--path-format=absolute", "--git-path", "index.lock",
              at=f"{root}/linked"))  # fmt: skip
    assert sieve.locked()


def test_the_listing_after_a_sift_is_that_of_the_disk(root: str, listen: Listen) -> None:
    write(f"{root}/d/e/f.go")
    desk = primed(root, listen)
    write(f"{root}/new/deep/f.go")
    shutil.rmtree(f"{root}/d/e")
    desk.sift()
    fresh = list_tree([root], Accepts().skips, Accepts().wants)
    assert desk.sieve._known.tree == fresh


def test_what_is_known_can_grow_from_below(root: str) -> None:
    """A file is heard of before the directories it came in; when they go, it goes."""
    known = Known(lambda _: False, lambda _: True)
    disk = Disk(known)
    known.begin([root])
    path = write(f"{root}/a/b/f.go")
    assert disk.differs(path)
    assert list(known.below(root)) == [path]
    shutil.rmtree(f"{root}/a")
    assert [each for each in disk.relist(root) if each is not None and disk.differs(each)]
    assert (len(known), len(known.tree)) == (0, 1)


def test_a_directory_that_is_gone_takes_its_files_along_even_if_called_a_name(root: str) -> None:
    """Windows does not say of a name that is gone what it was the name of."""
    path = write(f"{root}/d/e/f.go")
    sieve = Sieve([root], Accepts(), sees_close=lambda _: False)
    sieve.list()
    shutil.rmtree(f"{root}/d")
    assert sieve.note([Event(f"{root}/d", Op.REMOVE)])
    assert sifted(sieve).changed == [path]
