"""Polling tells the same things as a kernel does, only later."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from ear import exchange, write
from looker import Looker

from hotrun.watch import BASE, Event, Op, Refreshed, Unwatched
from hotrun.watch.polling.doubts import MOST, STEP, Doubts
from hotrun.watch.polling.glance import signature_of
from hotrun.watch.scope import Root
from hotrun.watch.sieve.snapshot import Signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ear import Ear

    Listen = Callable[..., Ear]
    Step = Callable[[], object]

C, W, R, N, M = Op.CREATE, Op.WRITE, Op.REMOVE, Op.RENAME, Op.CHMOD


def told(looker: Looker, root: str) -> list[str]:
    """The events as words: the ops, the path below the root, and the old one."""
    words = []
    for path, op, origin, directory in looker.events():
        ops = "|".join(each.name or "" for each in Op if each & op)
        slash = "/" if directory else ""
        end = f" from {origin.removeprefix(root)[1:]}" if origin else ""
        words.append(f"{ops} {path.removeprefix(root)[1:]}{slash}{end}")
    return words


def put_back_time(path: str, step: Step) -> None:
    """Do something to a file, and set its time of modification back, as rsync and tar do."""
    found = os.stat(path)
    step()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def save_atomically(path: str, text: str) -> None:
    write(f"{path}.tmp", text)
    os.replace(f"{path}.tmp", path)


def make_special(path: str) -> None:
    os.mkfifo(f"{path}/fifo")
    os.chdir(path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")


# In each: two files, and a directory with a file and a directory with a file.
STEPS: dict[str, tuple[Callable[[str], object], list[str]]] = {
    "create": (lambda r: write(f"{r}/n"), ["CREATE n"]),
    "write": (lambda r: write(f"{r}/a", "longer"), ["WRITE a"]),
    "write as many bytes": (lambda r: write(f"{r}/a", "A"), ["WRITE a"]),
    "truncate": (lambda r: os.truncate(f"{r}/a", 0), ["WRITE a"]),
    "set the time back": (
        lambda r: put_back_time(f"{r}/a", lambda: write(f"{r}/a", "A")),
        ["WRITE a"],
    ),
    "touch": (lambda r: os.utime(f"{r}/a", (5, 5)), ["WRITE a"]),
    "chmod": (lambda r: os.chmod(f"{r}/a", 0o700), ["CHMOD a"]),
    "write and chmod": (
        lambda r: (write(f"{r}/a", "longer"), os.chmod(f"{r}/a", 0o700)),
        ["WRITE|CHMOD a"],
    ),
    "chmod of a directory": (lambda r: os.chmod(f"{r}/d/e", 0o700), ["CHMOD d/e/"]),
    "remove": (lambda r: os.remove(f"{r}/a"), ["REMOVE a"]),
    "create and remove": (lambda r: os.remove(write(f"{r}/n")), []),
    "rename": (lambda r: os.rename(f"{r}/a", f"{r}/n"), ["RENAME a", "CREATE n from a"]),
    "rename into a directory": (
        lambda r: os.rename(f"{r}/a", f"{r}/d/e/n"),
        ["RENAME a", "CREATE d/e/n from a"],
    ),
    "rename over another one": (
        lambda r: os.rename(f"{r}/a", f"{r}/b"),
        ["RENAME a", "CREATE b from a"],
    ),
    "swap": (
        lambda r: exchange(f"{r}/a", f"{r}/b"),
        ["RENAME b", "RENAME a", "CREATE a from b", "CREATE b from a"],
    ),
    "save atomically": (lambda r: save_atomically(f"{r}/a", "A"), ["WRITE a"]),
    "save with a backup": (
        lambda r: (os.rename(f"{r}/a", f"{r}/a~"), write(f"{r}/a", "A")),
        ["RENAME a", "CREATE a", "CREATE a~ from a"],
    ),
    "hard link": (lambda r: os.link(f"{r}/a", f"{r}/n"), ["WRITE a", "CREATE n"]),
    "link": (lambda r: os.symlink("a", f"{r}/n"), ["CREATE n"]),
    "link to a directory": (lambda r: os.symlink("d", f"{r}/n"), ["CREATE n"]),
    "link in a circle": (lambda r: os.symlink("n", f"{r}/n"), ["CREATE n"]),
    "link to above": (lambda r: os.symlink("..", f"{r}/d/e/n"), ["CREATE d/e/n"]),
    "special files": (make_special, ["CREATE fifo", "CREATE socket"]),
    "make directories": (
        lambda r: write(f"{r}/n/m/f"),
        ["CREATE n/", "CREATE n/m/", "CREATE n/m/f"],
    ),
    "copy a tree": (
        lambda r: shutil.copytree(f"{r}/d", f"{r}/n"),
        ["CREATE n/", "CREATE n/c", "CREATE n/e/", "CREATE n/e/f"],
    ),
    "remove a tree": (
        lambda r: shutil.rmtree(f"{r}/d"),
        ["REMOVE d/e/f", "REMOVE d/e/", "REMOVE d/c", "REMOVE d/"],
    ),
    "move a directory": (
        lambda r: os.rename(f"{r}/d", f"{r}/n"),
        ["RENAME d/", "CREATE n/ from d"],
    ),
    "move a directory, and edit in it": (
        lambda r: (os.rename(f"{r}/d", f"{r}/n"), write(f"{r}/n/e/f", "longer")),
        ["RENAME d/", "CREATE n/ from d", "WRITE n/e/f"],
    ),
    "move a directory, and make a file in it": (
        lambda r: (os.rename(f"{r}/d", f"{r}/n"), write(f"{r}/n/e/g")),
        ["RENAME d/", "CREATE n/ from d", "CREATE n/e/g"],
    ),
    "move a directory up": (
        lambda r: os.rename(f"{r}/d/e", f"{r}/e"),
        ["RENAME d/e/", "CREATE e/ from d/e"],
    ),
    "turn a directory inside out": (
        lambda r: (os.rename(f"{r}/d/e", f"{r}/e"), os.rename(f"{r}/d", f"{r}/e/d")),
        ["RENAME d/e/", "RENAME d/", "CREATE e/ from d/e", "CREATE e/d/ from d"],
    ),
    "swap directories": (
        lambda r: (os.rename(f"{r}/d/e", f"{r}/e"), exchange(f"{r}/d", f"{r}/e")),
        ["RENAME d/e/", "RENAME d/", "CREATE d/ from d/e", "CREATE e/ from d"],
    ),
    "move on and on": (
        lambda r: [os.rename(f"{r}/{old}", f"{r}/{new}") for old, new in ("dx", "xy", "yz")],
        ["RENAME d/", "CREATE z/ from d"],
    ),
    "another directory": (
        lambda r: (write(f"{r}/n/g"), shutil.rmtree(f"{r}/d"), os.rename(f"{r}/n", f"{r}/d")),
        ["REMOVE d/e/f", "REMOVE d/e/", "REMOVE d/c", "REMOVE d/", "CREATE d/", "CREATE d/g"],
    ),
    "a file for a directory": (
        lambda r: (shutil.rmtree(f"{r}/d/e"), write(f"{r}/d/e")),
        ["REMOVE d/e/f", "REMOVE d/e/", "CREATE d/e"],
    ),
    "a directory for a file": (
        lambda r: (os.remove(f"{r}/a"), write(f"{r}/a/f")),
        ["REMOVE a", "CREATE a/", "CREATE a/f"],
    ),
    "a link for a file": (
        lambda r: (os.remove(f"{r}/a"), os.symlink("b", f"{r}/a")),
        ["REMOVE a", "CREATE a"],
    ),
    "a link for a directory": (
        lambda r: (os.rename(f"{r}/d", f"{r}/n"), os.symlink("n", f"{r}/d")),
        ["RENAME d/", "CREATE d", "CREATE n/ from d"],
    ),
    "remove one, make another": (
        lambda r: (os.remove(f"{r}/a"), write(f"{r}/n")),  # ext4 gives it the same inode
        ["REMOVE a", "CREATE n"],
    ),
}


def make_tree(root: str) -> None:
    for name in ("a", "b", "d/c", "d/e/f"):
        write(f"{root}/{name}")


@pytest.mark.parametrize(("step", "expected"), STEPS.values(), ids=STEPS)
def test_what_happens_is_told(
    root: str, step: Callable[[str], object], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    make_tree(root)
    looker = Looker(root)
    step(root)
    assert told(looker, root) == expected
    assert told(looker, root) == []


def test_what_was_there_is_not_told(root: str) -> None:
    make_tree(root)
    looker = Looker(root)
    assert looker.said == []
    assert looker.all() == []
    assert looker.polling.directories() == len(looker.polling.places()) == 3
    assert looker.polling.name == "polling"
    assert looker.polling.offers == BASE


def test_what_moves_in_or_out_comes_or_goes(root: str, tmp_path: Path) -> None:
    make_tree(root)
    out = str(tmp_path / "out")
    looker = Looker(root)
    os.rename(f"{root}/d", out)
    assert told(looker, root) == ["REMOVE d/e/f", "REMOVE d/e/", "REMOVE d/c", "REMOVE d/"]
    write(f"{out}/e/f", "longer")
    assert told(looker, root) == []
    os.rename(out, f"{root}/n")
    assert told(looker, root) == ["CREATE n/", "CREATE n/c", "CREATE n/e/", "CREATE n/e/f"]


def test_names_that_are_no_utf_8_keep_every_byte(root: str) -> None:
    looker = Looker(root)
    with open(os.fsencode(root) + b"/caf\xe9.go", "wb"):
        pass
    assert looker.ops() == {f"{root}/caf\udce9.go": C}


def test_a_neighbour_with_a_longer_name_is_untouched(root: str) -> None:
    for name in ("d/f", "dd/f", "d-d/f"):
        write(f"{root}/{name}")
    looker = Looker(root)
    shutil.rmtree(f"{root}/d")
    assert told(looker, root) == ["REMOVE d/f", "REMOVE d/"]
    write(f"{root}/dd/f", "longer")
    assert told(looker, root) == ["WRITE dd/f"]


def test_a_thousand_changes_are_each_told_once(root: str) -> None:
    looker = Looker(root)
    for number in range(1_000):
        write(f"{root}/{number}")
    assert len(looker.events()) == 1_000
    assert looker.events() == []


def test_both_backends_tell_of_the_same_paths(root: str, listen: Listen) -> None:
    """One step at a time, for polling sees only how it ended."""
    native, looker = listen(root), Looker(root)
    steps: list[Step] = [
        lambda: write(f"{root}/a.go"),
        lambda: write(f"{root}/a.go", "more"),
        lambda: os.chmod(f"{root}/a.go", 0o700),
        lambda: os.rename(f"{root}/a.go", f"{root}/b.go"),
        lambda: os.makedirs(f"{root}/d/e"),
        lambda: write(f"{root}/d/e/c.go"),
        lambda: os.rename(f"{root}/d", f"{root}/x"),
        lambda: write(f"{root}/x/e/c.go", "more"),
        lambda: os.rename(f"{root}/x/e/c.go", f"{root}/b.go"),
        lambda: os.mkfifo(f"{root}/x/fifo"),
        lambda: os.symlink("c.go", f"{root}/x/e/link"),
        lambda: os.remove(f"{root}/x/e/link"),
        lambda: shutil.rmtree(f"{root}/x"),
        lambda: shutil.rmtree(root),
        lambda: os.mkdir(root),
    ]
    for number, step in enumerate(steps):
        step()
        assert set(native.ops()) == set(looker.ops()), f"step {number}"


# --- what counts ---


def test_skipped_directories_and_unwanted_files_are_not_told(root: str) -> None:
    opened = []

    def skips(path: str) -> bool:
        opened.append(path)
        return path.endswith("/skip")

    looker = Looker(root, skips=skips, wants=lambda path: not path.endswith(".log"))
    write(f"{root}/skip/deep/f.go")
    write(f"{root}/a.log")
    assert looker.events() == []
    shutil.rmtree(f"{root}/skip")
    os.remove(f"{root}/a.log")
    assert looker.events() == []
    assert not [path for path in opened if "deep" in path]


def test_a_filter_is_asked_once_for_each_name(root: str) -> None:
    asked = []

    def wants(path: str) -> bool:
        asked.append(path)
        return path.endswith(".go")

    paths = [write(f"{root}/d/{name}") for name in ("a.go", "b.log")]
    looker = Looker(root, wants=wants)
    for text in ("more", "still more"):
        for path in paths:
            write(path, text)
        assert looker.ops() == {paths[0]: W}
    assert sorted(asked) == paths


def test_a_root_that_is_skipped_is_not_opened(root: str) -> None:
    make_tree(root)
    looker = Looker(root, skips=root.__eq__)
    assert looker.polling.places() == []
    write(f"{root}/a", "longer")
    assert looker.events() == []


def test_what_a_directory_was_is_not_held_against_a_file(root: str) -> None:
    os.mkdir(f"{root}/x.log")
    looker = Looker(wants=lambda path: not path.endswith(".log"))
    looker.add(root, recursive=False)
    os.rmdir(f"{root}/x.log")
    write(f"{root}/x.log")
    assert told(looker, root) == ["REMOVE x.log/"]


def test_what_a_skipped_name_was_is_not_held_against_a_file(root: str) -> None:
    os.mkdir(f"{root}/out")
    looker = Looker(root, skips=f"{root}/out".__eq__)
    os.rmdir(f"{root}/out")
    write(f"{root}/out")
    assert told(looker, root) == ["CREATE out"]


def test_other_rules_are_followed_after_a_refresh(root: str) -> None:
    write(f"{root}/gen/a.go")
    write(f"{root}/a.log")
    out = {f"{root}/gen", f"{root}/a.log"}
    looker = Looker(root, skips=out.__contains__, wants=lambda path: path not in out)
    out.clear()
    looker.polling.refresh()
    assert looker.take() == [Refreshed(root)]
    write(f"{root}/gen/b.go")
    write(f"{root}/a.log", "more")
    assert told(looker, root) == ["WRITE a.log", "CREATE gen/b.go"]
    out.add(f"{root}/gen")
    looker.polling.refresh()
    assert looker.take() == [Refreshed(root)]
    write(f"{root}/gen/c.go")
    assert looker.all() == []


def test_a_refresh_waits_for_nothing_and_tells_no_differences(root: str, tmp_path: Path) -> None:
    other = str(tmp_path / "none")
    looker = Looker(root, other, step=1.0, interval=3600)
    looker.take()
    write(f"{root}/a")
    looker.polling.refresh()
    now = looker.clock.now
    assert looker.polling.due() == 0
    assert looker.take() == [Refreshed(path) for path in sorted([root, other])]
    assert looker.clock.now < now + 10
    assert looker.all() == []


def test_a_directory_that_takes_the_place_of_a_file_while_that_is_listed_is_looked_into(
    root: str,
) -> None:
    """The kernel has told its kind with its name, and what is asked next tells another one."""

    def wants(path: str) -> bool:
        if path == f"{root}/d" and os.path.isfile(path):
            os.remove(path)
            write(f"{path}/first.go")
        return True

    looker = Looker(root, wants=wants)
    write(f"{root}/d")
    assert told(looker, root) == []
    assert told(looker, root) == ["CREATE d/", "CREATE d/first.go"]
    write(f"{root}/d/first.go", "longer")
    assert told(looker, root) == ["WRITE d/first.go"]


# --- filesystems that are not exact ---


def test_directories_whose_numbers_change_by_themselves_are_the_same_ones(root: str) -> None:
    """FUSE and SMB make the numbers up."""
    numbers = 0

    def renumber(about: os.stat_result, was: Signature | None) -> Signature:
        return signature_of(about, was)._replace(ino=about.st_ino + numbers)

    os.makedirs(f"{root}/d/e")
    looker = Looker(root, sign=renumber)
    numbers = 1_000_000
    assert looker.events() == []
    lookout = looker.polling._lookout
    assert {seen.identity: path for path, seen in lookout.seen.items()} == lookout._at
    write(f"{root}/d/e/f")
    assert told(looker, root) == ["CREATE d/e/f"]


def by_a_coarse_clock(about: os.stat_result, was: Signature | None) -> Signature:
    """What a filesystem shows whose stamps are the same for eleven days."""
    step = 10**15
    times = about.st_mtime_ns // step * step, about.st_ctime_ns // step * step
    found = Signature(times[0], about.st_size, about.st_ino, times[1], about.st_mode)
    return was if was == found else found


def test_by_a_coarse_clock_a_file_is_told_again_when_its_step_is_over(root: str) -> None:
    path, other = write(f"{root}/a", "one"), write(f"{root}/b")
    os.mkdir(f"{root}/d")
    looker = Looker(root, sign=by_a_coarse_clock, interval=3600)
    looker.add(f"{root}/d", recursive=False)
    write(path, "three")
    write(f"{root}/n")
    assert told(looker, root) == ["WRITE a", "CREATE n"]
    write(path, "seven")  # nothing shows of this
    os.remove(f"{root}/n")
    os.mkdir(f"{root}/m")
    begin = looker.clock.now
    heard = []
    while looker.clock.now < begin + 60:
        heard += looker.take()
    assert heard == [
        Event(f"{root}/n", R),
        Event(f"{root}/m", C, None, directory=True),
        Event(path, W),
    ]
    write(other, "longer")
    looker.polling.refresh()
    looker.take()
    assert told(looker, root) == []


def test_by_a_coarse_clock_a_directory_is_told_once(root: str) -> None:
    looker = Looker(sign=by_a_coarse_clock)
    looker.add(root, recursive=False)
    os.mkdir(f"{root}/d")
    assert told(looker, root) == ["CREATE d/"]
    begin = looker.clock.now
    while looker.clock.now < begin + 60:
        assert looker.take() == []


def test_only_files_whose_stamp_has_no_fraction_are_in_doubt() -> None:
    doubts = Doubts()
    fine, coarse = Signature(5, 1, 2, 5, 0), Signature(5, 1, 2, 3 * 10**9, 0)
    doubts.note("/fine", fine, 100)
    doubts.note("/gone", None, 100)
    assert doubts.ripe(200) == []
    for path, now in {"/a": 100, "/b": 101, "/c": 102}.items():
        doubts.note(path, coarse, now)
    doubts.note("/a", coarse, 103)  # written again
    assert doubts.ripe(101) == []
    assert doubts.ripe(102 + STEP) == ["/b", "/c"]
    doubts.note("/a", fine, 104)
    assert doubts.ripe(200) == []
    for number in range(2 * MOST):
        doubts.note(str(number), coarse, 105)
    assert len(doubts.ripe(200)) == MOST


# --- roots ---


def test_a_root_goes_and_comes_back(root: str) -> None:
    write(f"{root}/f.go")
    looker = Looker(root)
    shutil.rmtree(root)
    assert [event[:2] for event in looker.events()] == [(f"{root}/f.go", R), (root, R)]
    write(f"{root}/g.go")
    assert [event[:2] for event in looker.events()] == [(root, C), (f"{root}/g.go", C)]


def test_a_missing_root_is_waited_for(root: str) -> None:
    looker = Looker(f"{root}/x/y")
    assert looker.polling.directories() == 0
    os.mkdir(f"{root}/x")
    write(f"{root}/x/other")
    assert looker.events() == []
    write(f"{root}/x/y/z/f")
    assert told(looker, root) == ["CREATE x/y/", "CREATE x/y/z/", "CREATE x/y/z/f"]


def test_what_is_above_a_root_moves_away_and_back(root: str, tmp_path: Path) -> None:
    above = os.path.dirname(root)
    write(f"{root}/f")
    looker = Looker(root)
    os.rename(above, f"{tmp_path}/elsewhere")
    assert looker.ops() == {root: R, f"{root}/f": R}
    write(f"{tmp_path}/elsewhere/root/f", "longer")
    assert looker.events() == []
    os.rename(f"{tmp_path}/elsewhere", above)
    assert looker.ops() == {root: C, f"{root}/f": C}


def test_a_file_can_be_a_root(root: str) -> None:
    path, other = write(f"{root}/a"), write(f"{root}/b")
    looker = Looker(path, wants=lambda path: path.endswith("/f"))
    assert looker.polling.directories() == 0
    write(path, "longer")
    write(other, "longer")
    assert looker.ops() == {path: W}
    save_atomically(path, "whole")
    assert looker.ops() == {path: W}
    os.chmod(path, 0o700)
    assert looker.ops() == {path: M}
    os.rename(path, f"{root}/c")
    assert looker.ops() == {path: R}
    write(path)
    assert looker.ops() == {path: C}
    os.remove(path)
    write(f"{path}/f")
    assert told(looker, root) == ["REMOVE a", "CREATE a/", "CREATE a/f"]


def test_a_rename_between_two_file_roots_is_one(root: str) -> None:
    path = write(f"{root}/a")
    looker = Looker(path, f"{root}/b")
    os.rename(path, f"{root}/b")
    assert told(looker, root) == ["RENAME a", "CREATE b from a"]


def test_a_rename_between_two_roots_is_one(root: str, tmp_path: Path) -> None:
    other = str(tmp_path / "other")
    write(f"{root}/d/f")
    os.mkdir(other)
    looker = Looker(root, other)
    os.rename(f"{root}/d", f"{other}/e")
    assert looker.events() == [
        Event(f"{root}/d", N, None, directory=True),
        Event(f"{other}/e", C, f"{root}/d", directory=True),
    ]


def test_a_linked_root_is_followed_and_told_by_its_own_name(root: str, tmp_path: Path) -> None:
    path = write(f"{root}/d/f")
    link = str(tmp_path / "link")
    os.symlink(root, link)
    looker = Looker(link)
    write(path, "longer")
    assert looker.ops() == {f"{link}/d/f": W}
    os.rename(f"{root}/d", f"{root}/e")
    assert told(looker, link) == ["RENAME d/", "CREATE e/ from d"]
    os.remove(link)
    os.symlink(os.path.dirname(write(f"{tmp_path}/other/g")), link)  # it leads elsewhere now
    assert told(looker, link) == ["REMOVE e/f", "REMOVE e/", "REMOVE /", "CREATE /", "CREATE g"]
    os.remove(link)
    assert told(looker, link) == ["REMOVE g", "REMOVE /"]
    os.symlink("link", link)
    assert looker.events() == []


def test_a_linked_file_root_hears_of_its_target_and_of_itself(root: str, tmp_path: Path) -> None:
    path, other = write(f"{root}/a"), write(f"{root}/b", "other")
    link = str(tmp_path / "link")
    os.symlink(path, link)
    looker = Looker(link)
    write(path, "longer")
    assert looker.ops() == {link: W}
    os.remove(link)
    os.symlink(other, link)
    assert looker.ops() == {link: W}


def test_a_link_and_what_it_leads_to_can_both_be_roots(root: str, tmp_path: Path) -> None:
    write(f"{root}/d/f")
    link = str(tmp_path / "link")
    os.symlink(root, link)
    looker = Looker(link, root)
    os.rename(f"{root}/d", f"{root}/e")
    assert set(looker.events()) == {
        Event(f"{name}/{end}", op, origin and f"{name}/{origin}", directory=True)
        for name in (link, root)
        for end, op, origin in (("d", N, None), ("e", C, "d"))
    }


def test_a_root_in_a_root_is_told_once(root: str) -> None:
    make_tree(root)
    looker = Looker(root, f"{root}/d", f"{root}/d/e/f")
    write(f"{root}/d/c", "longer")
    write(f"{root}/d/e/f", "longer")
    assert told(looker, root) == ["WRITE d/c", "WRITE d/e/f"]
    shutil.rmtree(f"{root}/d")
    assert told(looker, root) == ["REMOVE d/e/f", "REMOVE d/e/", "REMOVE d/c", "REMOVE d/"]
    make_tree(root)
    assert told(looker, root)[-4:] == ["CREATE d/", "CREATE d/c", "CREATE d/e/", "CREATE d/e/f"]


def test_a_file_root_goes_with_the_directory_it_is_in(root: str) -> None:
    make_tree(root)
    looker = Looker(root, f"{root}/d/e/f", step=1)  # so costly that each look is one slice
    shutil.rmtree(f"{root}/d")
    assert told(looker, root) == ["REMOVE d/e/f", "REMOVE d/e/", "REMOVE d/c", "REMOVE d/"]


def test_a_root_deep_in_a_flat_one_goes_with_it_and_comes_back(root: str, tmp_path: Path) -> None:
    """Though nobody looks at the directory between them."""
    path, aside = f"{root}/b/f", f"{tmp_path}/aside"
    looker = Looker(step=1)
    looker.add(root, recursive=False)
    looker.add(path)
    write(path)
    assert told(looker, root) == ["CREATE b/", "CREATE b/f"]
    write(f"{aside}/new")
    os.rename(f"{root}/b", f"{aside}/b")
    os.rmdir(root)
    os.rename(aside, root)
    assert told(looker, root) == [
        "REMOVE b/f", "RENAME b/", "REMOVE /",
        "CREATE /", "CREATE b/ from b", "CREATE b/f", "CREATE new",
    ]  # fmt: skip


def test_what_a_root_is_in_is_told_before_it(root: str) -> None:
    path = f"{root}/d/b/f"
    for name in ("c", "d"):
        write(f"{root}/{name}/b")
    looker = Looker(root, path, step=1)
    looker.all()
    lookout = looker.polling._lookout
    os.remove(f"{root}/d/b")
    write(path)
    lookout.begin()
    lookout.look(path)
    assert [event[:2] for event in lookout.told()] == [
        (os.path.dirname(path), R), (os.path.dirname(path), C), (path, C),
    ]  # fmt: skip


def test_a_root_in_a_mere_name_goes_with_it(root: str) -> None:
    write(f"{root}/d/e/f")
    os.mkdir(f"{root}/n")
    looker = Looker(step=1)
    looker.add(root, recursive=False)
    looker.add(f"{root}/d/e")
    os.rename(f"{root}/d/e", f"{root}/n/e")
    exchange(f"{root}/d", f"{root}/n")  # the root is where it was, in another directory
    assert told(looker, root) == [
        "REMOVE n/", "RENAME d/e/", "REMOVE d/",
        "CREATE d/", "CREATE d/e/ from d/e", "CREATE n/",
    ]  # fmt: skip
    shutil.rmtree(f"{root}/d")
    assert told(looker, root) == ["REMOVE d/e/f", "REMOVE d/e/", "REMOVE d/"]


def test_of_a_flat_root_only_its_own_names_are_told(root: str) -> None:
    make_tree(root)
    looker = Looker()
    looker.add(root, recursive=False)
    assert looker.polling.directories() == 1
    write(f"{root}/d/c", "longer")
    write(f"{root}/d/n")
    write(f"{root}/a", "longer")
    assert told(looker, root) == ["WRITE a"]
    os.rename(f"{root}/d", f"{root}/n")
    assert told(looker, root) == ["RENAME d/", "CREATE n/ from d"]
    os.chmod(f"{root}/n", 0o700)
    assert told(looker, root) == ["CHMOD n/"]
    shutil.rmtree(f"{root}/n")
    assert told(looker, root) == ["REMOVE n/"]


def test_a_flat_root_that_gets_deep_tells_nothing_of_what_was_there(root: str) -> None:
    make_tree(root)
    looker = Looker()
    looker.add(root, recursive=False)
    write(f"{root}/a", "longer")  # this was watched already
    write(f"{root}/d/c", "longer")
    looker.add(root)
    assert looker.polling.directories() == 3
    assert told(looker, root) == ["WRITE a"]
    write(f"{root}/d/e/f", "longer")
    assert told(looker, root) == ["WRITE d/e/f"]


def test_a_root_that_is_added_in_another_one_tells_nothing_of_what_was_there(root: str) -> None:
    make_tree(root)
    looker = Looker()
    looker.add(root, recursive=False)
    write(f"{root}/a", "longer")
    for name in ("a", "d", "none"):
        looker.add(f"{root}/{name}")
    assert told(looker, root) == ["WRITE a"]
    write(f"{root}/a", "and longer")
    write(f"{root}/d/e/f", "longer")
    assert told(looker, root) == ["WRITE a", "WRITE d/e/f"]


@pytest.mark.parametrize("name", ["a", "d", "d/e", "d/e/f", "link", "other"])
def test_what_another_root_covers_goes_on_when_one_is_taken_away(
    root: str, tmp_path: Path, name: str
) -> None:
    make_tree(root)
    os.symlink(str(tmp_path), f"{root}/link")
    os.symlink("a", f"{root}/other")
    for recursive in (False, True):
        looker = Looker()
        looker.add(root, recursive=recursive)
        looker.add(f"{root}/{name}")
        write(f"{root}/b", "longer" * (1 + recursive))
        looker.remove(f"{root}/{name}")
        assert told(looker, root) == ["WRITE b"]
        write(f"{root}/d/e/f", "longer" * (1 + recursive))
        assert told(looker, root) == ["WRITE d/e/f"] * recursive
        assert looker.polling.directories() == (3 if recursive else 1)


def test_what_only_a_deep_root_covered_falls_silent(root: str) -> None:
    make_tree(root)
    looker = Looker(root)
    looker.add(f"{root}/d", recursive=False)
    looker.remove(root)
    assert looker.polling.places() == [f"{root}/d"]
    write(f"{root}/a", "longer")
    write(f"{root}/d/e/f", "longer")
    write(f"{root}/d/c", "longer")
    assert told(looker, root) == ["WRITE d/c"]
    looker.remove(f"{root}/d")
    assert looker.polling.due() is None
    assert looker.polling.places() == []
    looker.polling.take()
    assert looker.said == []


def test_a_root_that_polling_never_had_is_taken_away_without_harm(root: str) -> None:
    looker = Looker(root)
    looker.polling.disarm(f"{root}/none")
    looker.polling.step_aside(f"{root}/none")
    write(f"{root}/a")
    assert told(looker, root) == ["CREATE a"]


# --- links below a root ---


def test_links_are_names_unless_they_are_to_be_followed(root: str, tmp_path: Path) -> None:
    target = write(f"{tmp_path}/out/f")
    os.symlink(f"{tmp_path}/out", f"{root}/link")
    looker = Looker(root)
    write(target, "longer")
    assert looker.events() == []
    assert looker.polling.directories() == 1


def test_links_are_followed_on_request_each_directory_once(root: str, tmp_path: Path) -> None:
    out, target = f"{tmp_path}/out", write(f"{tmp_path}/out/d/f")
    write(f"{root}/z/f")
    for name, leads in {"b": out, "c": out, "up": root, "a": "z", "none": "nowhere"}.items():
        os.symlink(leads, f"{root}/{name}")
    os.symlink(out, f"{out}/d/circle")
    looker = Looker(root, follow_symlinks=True)
    assert sorted(looker.polling.places()) == [root, *(f"{root}/{n}" for n in ("b", "b/d", "z"))]
    write(target, "longer")
    write(f"{root}/z/f", "longer")
    assert told(looker, root) == ["WRITE b/d/f", "WRITE z/f"]
    os.remove(f"{root}/b")
    looker.events()
    looker.events()  # under this name it is to be had as soon as the other one is known to be gone
    assert sorted(looker.polling.places()) == [root, *(f"{root}/{n}" for n in ("c", "c/d", "z"))]
    write(target, "even longer")
    assert told(looker, root) == ["WRITE c/d/f"]


def test_a_link_that_is_followed_gives_way_to_the_directory_itself(
    root: str, tmp_path: Path
) -> None:
    out = f"{tmp_path}/out"
    write(f"{out}/f")
    os.symlink(out, f"{root}/link")
    looker = Looker(root, follow_symlinks=True)
    os.rename(out, f"{root}/real")
    os.remove(f"{root}/link")
    os.symlink("real", f"{root}/link")
    looker.events()
    looker.events()
    assert looker.polling.places() == [root, f"{root}/real"]
    write(f"{root}/real/f", "longer")
    assert told(looker, root) == ["WRITE real/f"]


def test_a_followed_link_to_a_file_hears_of_the_file(root: str, tmp_path: Path) -> None:
    target = write(f"{tmp_path}/f")
    os.symlink(target, f"{root}/link")
    looker = Looker(root, follow_symlinks=True)
    write(target, "longer")
    assert told(looker, root) == ["WRITE link"]


def test_a_skipped_name_is_not_followed(root: str, tmp_path: Path) -> None:
    write(f"{tmp_path}/out/f")
    os.symlink(f"{tmp_path}/out", f"{root}/skip")
    looker = Looker(root, follow_symlinks=True, skips=lambda path: path.endswith("/skip"))
    assert looker.polling.places() == [root]


# --- on behalf of the kernel ---


def on_behalf(root: str, *directories: str) -> Looker:
    """Polling of some directories of a root that the kernel watches."""
    looker = Looker()
    looker.scope.put(root, Root(recursive=True, ops=BASE))
    for directory in directories:
        looker.polling.stand_in(directory)
    return looker


def test_only_what_is_in_a_stand_in_is_told(root: str) -> None:
    make_tree(root)
    looker = on_behalf(root, f"{root}/d")
    assert looker.polling.stand_ins() == [f"{root}/d"]
    assert looker.polling.directories() == 2
    write(f"{root}/a", "longer")
    write(f"{root}/d/e/f", "longer")
    os.chmod(f"{root}/d", 0o700)
    os.rename(f"{root}/d/c", f"{root}/d/e/n")
    assert told(looker, root) == ["RENAME d/c", "WRITE d/e/f", "CREATE d/e/n from d/c"]
    shutil.rmtree(f"{root}/d")
    assert told(looker, root) == ["REMOVE d/e/n", "REMOVE d/e/f", "REMOVE d/e/"]
    assert looker.polling.stand_ins() == []  # who tells that it is back hands it over again
    assert looker.polling.due() is None


def test_a_new_stand_in_tells_what_is_in_it(root: str) -> None:
    looker = on_behalf(root)
    make_tree(root)
    looker.polling.stand_in(f"{root}/d", is_new=True)
    assert [event[:2] for event in looker.said] == [
        (f"{root}/d/{end}", C) for end in ("c", "e", "e/f")
    ]
    looker.said.clear()
    looker.polling.stand_in(f"{root}/d", is_new=True)
    assert looker.said == []
    shutil.rmtree(f"{root}/d")
    write(f"{root}/d/n")
    looker.polling.stand_in(f"{root}/d", is_new=True)
    assert {event.path.removeprefix(root): event.op for event in looker.said} == {
        "/d/c": R, "/d/e": R, "/d/e/f": R, "/d/n": C,
    }  # fmt: skip


def test_a_stand_in_that_was_renamed_keeps_what_is_in_it(root: str) -> None:
    make_tree(root)
    looker = on_behalf(root, f"{root}/d")
    os.rename(f"{root}/d", f"{root}/n")
    looker.polling.stand_in(f"{root}/n", is_new=True)
    assert looker.said == []
    assert looker.polling.stand_ins() == [f"{root}/n"]
    write(f"{root}/n/e/f", "longer")
    assert told(looker, root) == ["WRITE n/e/f"]


def test_a_stand_in_in_another_one_is_told_by_that(root: str) -> None:
    make_tree(root)
    looker = on_behalf(root, f"{root}/d/e", f"{root}/d")
    os.rename(f"{root}/d/e", f"{root}/d/n")
    assert told(looker, root) == ["RENAME d/e/", "CREATE d/n/ from d/e"]
    shutil.rmtree(f"{root}/d")
    assert told(looker, root) == ["REMOVE d/n/f", "REMOVE d/n/", "REMOVE d/c"]


def test_a_stand_in_that_goes_with_another_one_is_told_by_that(root: str) -> None:
    make_tree(root)
    looker = on_behalf(root, f"{root}/d", f"{root}/d/e")
    shutil.rmtree(f"{root}/d")
    assert told(looker, root) == ["REMOVE d/e/f", "REMOVE d/e/", "REMOVE d/c"]
    assert looker.polling.stand_ins() == []


def test_a_stand_in_that_is_gone_at_a_refresh_is_not_waited_for(root: str) -> None:
    make_tree(root)
    looker = on_behalf(root, f"{root}/d")
    shutil.rmtree(f"{root}/d")
    looker.polling.refresh()
    assert looker.take() == []
    assert looker.polling.stand_ins() == []


def test_a_stand_in_that_steps_aside_falls_silent(root: str) -> None:
    make_tree(root)
    looker = on_behalf(root, f"{root}/d", f"{root}/d/e")
    looker.polling.step_aside(f"{root}/d")
    write(f"{root}/d/c", "longer")
    write(f"{root}/d/e/f", "longer")
    assert told(looker, root) == ["WRITE d/e/f"]
    looker.polling.step_aside(f"{root}/d/e")
    assert looker.polling.due() is None


def test_a_stand_in_that_is_gone_already_is_not_waited_for(root: str) -> None:
    looker = on_behalf(root, f"{root}/none")
    assert looker.polling.stand_ins() == []


def test_a_stand_in_reaches_no_deeper_than_the_roots_do(root: str) -> None:
    make_tree(root)
    looker = on_behalf(root, f"{root}/d")
    looker.scope.put(f"{root}/d", Root(recursive=False, ops=BASE))
    looker.scope.drop(root)
    looker.polling.disarm(root)
    write(f"{root}/d/e/f", "longer")
    write(f"{root}/d/c", "longer")
    assert told(looker, root) == ["WRITE d/c"]


def test_a_refresh_of_stand_ins_is_told_by_somebody_else(root: str) -> None:
    make_tree(root)
    looker = on_behalf(root, f"{root}/d")
    write(f"{root}/d/c", "longer")
    looker.polling.refresh()
    assert looker.take() == []
    write(f"{root}/d/e/f", "longer")
    assert told(looker, root) == ["WRITE d/e/f"]


@pytest.mark.parametrize(
    ("name", "polled"),
    [
        ("r", True), ("r/a", True), ("r/a/b", True), ("rr", False), ("rr/a", False),
        ("flat/a", True), ("flat/a/b", False), ("file", True), ("file2", False),
        ("in", False), ("in/a", True), ("in/a/b", True), ("", False),
    ],
)  # fmt: skip
def test_it_knows_what_it_polls(root: str, name: str, polled: bool) -> None:
    looker = on_behalf(f"{root}/in", f"{root}/in")
    os.mkdir(f"{root}/in")
    looker.polling.stand_in(f"{root}/in")
    looker.add(f"{root}/r")
    looker.add(f"{root}/flat", recursive=False)
    looker.add(f"{root}/file")
    assert looker.polling.polls(f"{root}/{name}".rstrip("/")) == polled


# --- what cannot be read ---


@contextmanager
def powerless() -> Iterator[str]:
    """Be somebody without rights, with a place to work: root may read everything."""
    was = os.geteuid()
    top = os.path.realpath(tempfile.mkdtemp())
    if was == 0:
        os.chown(top, 65534, 65534)
        os.seteuid(65534)
    try:
        yield top
    finally:
        os.seteuid(was)
        shutil.rmtree(top)


@pytest.mark.parametrize("mode", [0o000, 0o100, 0o400], ids=["none", "no listing", "no looking"])
def test_what_cannot_be_read_stays_as_it_was(mode: int) -> None:
    with powerless() as root:
        make_tree(root)
        looker = Looker(root)
        os.chmod(f"{root}/d", mode)
        items = looker.all()
        assert [item for item in items if isinstance(item, Event)] == [
            Event(f"{root}/d", M, None, directory=True)
        ]
        unwatched = [item for item in items if isinstance(item, Unwatched)]
        assert {item.path for item in unwatched} <= {f"{root}/d", f"{root}/d/e"}
        assert {item.error.errno for item in unwatched} == {errno.EACCES}
        assert looker.all() == []  # said once
        os.chmod(f"{root}/d", 0o744)
        write(f"{root}/d/e/f", "longer")
        assert told(looker, root) == ["CHMOD d/", "WRITE d/e/f"]
        os.chmod(f"{root}/d", mode)
        assert unwatched[0].path in [getattr(item, "path", "") for item in looker.all()]
        os.chmod(f"{root}/d", 0o744)


def test_a_new_directory_that_cannot_be_read_is_told_and_said_once() -> None:
    with powerless() as root:
        looker = Looker(root)
        write(f"{root}/d/f")
        os.chmod(f"{root}/d", 0)
        unwatched, *events = looker.all()
        assert isinstance(unwatched, Unwatched)
        assert events == [Event(f"{root}/d", C, None, directory=True)]
        assert looker.all() == []
        os.chmod(f"{root}/d", 0o744)
        assert told(looker, root) == ["CHMOD d/", "CREATE d/f"]


def test_a_root_that_cannot_be_read_is_said() -> None:
    with powerless() as root:
        write(f"{root}/d/f")
        os.chmod(f"{root}/d", 0)
        looker = Looker(f"{root}/d", f"{root}/d/f")
        assert {item.path for item in looker.said if isinstance(item, Unwatched)} == {
            f"{root}/d", f"{root}/d/f",
        }  # fmt: skip
        looker.said.clear()
        assert looker.all() == []
        os.chmod(f"{root}/d", 0o744)
        assert looker.ops()[f"{root}/d/f"] == C


def test_a_path_that_is_too_long_is_said_and_harms_nobody(
    root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    for _ in range(20):
        os.mkdir("n" * 250)
        os.chdir("n" * 250)
    looker = Looker(root)
    (item,) = looker.said
    assert isinstance(item, Unwatched)
    assert item.error.errno == errno.ENAMETOOLONG
    looker.said.clear()
    write(f"{root}/a")
    assert told(looker, root) == ["CREATE a"]


def test_a_walk_ends_when_the_watcher_is_closed(root: str) -> None:
    for number in range(50):
        os.mkdir(f"{root}/{number}")

    def skips(path: str) -> bool:
        looker.scope.closing = path.endswith("/25")
        return False

    looker = Looker(skips=skips, step=1)
    looker.scope.put(root, Root(recursive=True, ops=BASE))
    looker.scope.spent = 0
    looker.polling.arm(root)
    assert looker.scope.spent < 5


def test_what_a_closing_watcher_sees_is_not_told(root: str) -> None:
    make_tree(root)
    os.mkdir(f"{root}/n")

    def skips(path: str) -> bool:
        looker.scope.closing = path.endswith("/m")
        return False

    looker = Looker(skips=skips)
    looker.add(root)
    shutil.rmtree(f"{root}/d")
    os.mkdir(f"{root}/n/m")  # another thread closes the watcher when this is found
    assert looker.take() == []
    assert looker.scope.closing
    looker.polling.refresh()
    assert looker.take() == []
