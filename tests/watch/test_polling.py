"""Polling tells the same things as a kernel does, only later."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

from ear import Ear, write

from hotrun.watch import Event, Op, Overflow, Refreshed, Watcher
from hotrun.watch.polling import PAUSE, Polling

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Listen = Callable[..., Ear]


def polled(listen: Listen, *roots: str, **options: object) -> Ear:
    return listen(*roots, backend="poll", interval=0, **options)


def test_files_come_change_and_go(root: str, listen: Listen) -> None:
    old, same = write(f"{root}/old.go"), write(f"{root}/same.go")
    ear = polled(listen, root)
    new = write(f"{root}/new.go")
    os.remove(old)
    write(same, "longer")
    assert ear.ops() == {new: Op.CREATE, old: Op.REMOVE, same: Op.WRITE}
    os.chmod(same, 0o700)
    assert ear.ops() == {same: Op.CHMOD}
    write(same, "other!")
    os.chmod(same, 0o600)
    assert ear.ops() == {same: Op.WRITE | Op.CHMOD}


def test_a_write_whose_time_was_set_back_is_seen(root: str, listen: Listen) -> None:
    path = write(f"{root}/a.go", "one")
    found = os.stat(path)
    ear = polled(listen, root)
    write(path, "two")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert ear.ops() == {path: Op.WRITE}


def test_directories_come_move_and_go(root: str, listen: Listen) -> None:
    path = write(f"{root}/d/e/f.go")
    ear = polled(listen, root)
    os.rename(f"{root}/d", f"{root}/new")
    told = {(e.path.removeprefix(root), e.op, e.directory) for e in ear.events()}
    assert told == {
        ("/d", Op.REMOVE, True),
        ("/d/e", Op.REMOVE, True),
        ("/d/e/f.go", Op.REMOVE, False),
        ("/new", Op.CREATE, True),
        ("/new/e", Op.CREATE, True),
        ("/new/e/f.go", Op.CREATE, False),
    }
    os.rename(f"{root}/new", f"{root}/d")
    assert ear.ops()[path] == Op.CREATE


def test_a_root_goes_and_comes_back(root: str, listen: Listen) -> None:
    write(f"{root}/f.go")
    ear = polled(listen, root)
    shutil.rmtree(root)
    assert ear.ops() == {root: Op.REMOVE, f"{root}/f.go": Op.REMOVE}
    write(f"{root}/g.go")
    assert ear.ops() == {root: Op.CREATE, f"{root}/g.go": Op.CREATE}


def test_a_file_takes_the_place_of_a_directory(root: str, listen: Listen) -> None:
    write(f"{root}/d/f.go")
    ear = polled(listen, root)
    shutil.rmtree(f"{root}/d")
    path = write(f"{root}/d")
    assert ear.ops()[path] == Op.REMOVE | Op.CREATE


def test_skipped_directories_and_unwanted_files_are_not_told(root: str, listen: Listen) -> None:
    def skips(path: str) -> bool:
        return path.endswith("/skip")

    def wants(path: str) -> bool:
        return not path.endswith(".log")

    ear = polled(listen, root, skips=skips, wants=wants)
    write(f"{root}/skip/f.go")
    write(f"{root}/a.log")
    assert ear.ops() == {}


def test_other_rules_are_followed_after_a_refresh(root: str, listen: Listen) -> None:
    write(f"{root}/gen/a.go")
    skipped = {f"{root}/gen"}
    ear = polled(listen, root, skips=skipped.__contains__)
    skipped.clear()
    ear.watcher.refresh()
    ear.until(lambda heard: Refreshed(root) in heard, "the refresh")
    path = write(f"{root}/gen/b.go")
    assert ear.ops() == {path: Op.CREATE}


def test_a_refresh_does_not_wait_for_the_next_look(root: str) -> None:
    with Watcher("poll", interval=3600) as watcher:
        watcher.add(root)
        watcher.refresh()
        assert watcher.read(60) == [Refreshed(root)]


def test_names_that_are_no_utf_8_keep_every_byte(root: str, listen: Listen) -> None:
    ear = polled(listen, root)
    with open(os.fsencode(root) + b"/caf\xe9.go", "wb"):
        pass
    assert set(ear.ops()) == {f"{root}/caf\udce9.go"}


def test_roots_can_be_taken_away(root: str, listen: Listen, tmp_path: Path) -> None:
    other = str(tmp_path / "other")
    os.mkdir(other)
    ear = polled(listen, root, other)
    ear.watcher.remove(root)
    write(f"{root}/f.go")
    path = write(f"{other}/f.go")
    assert set(ear.ops()) == {path}


def test_both_backends_tell_of_the_same_paths(root: str, listen: Listen) -> None:
    """One step at a time, for polling sees only how it ended."""
    native, slow = listen(root), polled(listen, root)
    steps: list[Callable[[], object]] = [
        lambda: write(f"{root}/a.go"),
        lambda: write(f"{root}/a.go", "more"),
        lambda: os.chmod(f"{root}/a.go", 0o700),
        lambda: os.rename(f"{root}/a.go", f"{root}/b.go"),
        lambda: os.makedirs(f"{root}/d/e"),
        lambda: write(f"{root}/d/e/c.go"),
        lambda: os.symlink("c.go", f"{root}/d/e/link"),
        lambda: os.remove(f"{root}/d/e/link"),
        lambda: shutil.rmtree(f"{root}/d"),
        lambda: shutil.rmtree(root),
        lambda: os.mkdir(root),
    ]
    for number, step in enumerate(steps):
        step()
        assert set(native.ops()) == set(slow.ops()), f"step {number}"


def test_the_pause_grows_with_the_cost_of_all_roots(root: str) -> None:
    polling = Polling(lambda _: False, lambda _: True, interval=0.5)
    polling.add(root)
    begin = time.monotonic() - 3
    polling._rest(begin)
    assert polling._due >= begin + 3 + PAUSE * 3
    polling._rest(time.monotonic())
    assert polling._due <= time.monotonic() + 0.5 + PAUSE


def test_a_limit_never_overflows_it(root: str, listen: Listen) -> None:
    ear = polled(listen, root)
    for number in range(3_000):
        write(f"{root}/{number}")
    heard = ear.all()
    assert not [item for item in heard if isinstance(item, Overflow)]
    assert len({item.path for item in heard if isinstance(item, Event)}) == 3_000
