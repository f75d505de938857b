"""The watches of one inotify instance: whatever happened, a walk makes them what the disk is."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from ear import Ear, write

from hotrun.watch import BASE, Event, Item, Op
from hotrun.watch.inotify import libc, wire
from hotrun.watch.inotify.watches import Watches
from hotrun.watch.scope import Root, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Garden:
    """Watches on a directory, and what a walk said."""

    def __init__(self, fd: int, root: str) -> None:
        self.fd = fd
        self.said: list[Item] = []
        scope = Scope(lambda path: "skip" in path)
        scope.put(root, Root(recursive=True, ops=BASE))
        self.watches = Watches(fd, scope, {root}, self.said.append, self.stand_in)

    def stand_in(self, directory: str, error: OSError, is_new: bool) -> None:
        raise AssertionError(f"{directory}, new: {is_new}: {error}")

    def agrees(self, root: str) -> bool:
        """Whether exactly the directories that are there are watched, by path and inode."""
        there = {path: os.stat(path).st_ino for path, _, _ in os.walk(root)}
        tree = self.watches.tree
        with open(f"/proc/self/fdinfo/{self.fd}", encoding="ascii") as file:
            words = [line.split() for line in file if line.startswith("inotify")]
        watched = {int(word[2][4:], 16): int(word[1][3:], 16) for word in words}
        return (
            {path: watched.get(inode) for path, inode in there.items()}
            == {path: node.wd for path, node in tree.by_path.items()}
            and set(watched) == set(there.values())
            and set(watched.values()) == set(tree.by_wd)
        )


@pytest.fixture
def garden(root: str) -> Iterator[Garden]:
    fd = libc.init()
    yield Garden(fd, root)
    os.close(fd)


def swap_with_child(root: str) -> None:
    os.rename(f"{root}/a/b", f"{root}/x")
    shutil.rmtree(f"{root}/a")
    os.rename(f"{root}/x", f"{root}/a")


def turn_inside_out(root: str) -> None:
    os.rename(f"{root}/a/b", f"{root}/b")
    os.rename(f"{root}/a", f"{root}/b/a")


CHANGES: list[Callable[[str], object]] = [
    swap_with_child,
    turn_inside_out,
    lambda root: os.rename(f"{root}/a", f"{root}/c"),
    lambda root: os.makedirs(f"{root}/a/b/c/d/e"),
    lambda root: shutil.rmtree(f"{root}/a/b"),
    lambda root: (shutil.rmtree(root), os.makedirs(f"{root}/n")),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_second_walk_makes_good_what_was_not_told(
    root: str, garden: Garden, change: Callable[[str], object]
) -> None:
    write(f"{root}/a/b/c/f.go")
    garden.watches.walk(root, report=False)
    assert garden.agrees(root)
    change(root)
    garden.watches.walk(root, report=True)
    assert garden.agrees(root)


def test_a_walk_tells_only_what_is_new(root: str, garden: Garden) -> None:
    write(f"{root}/a/f.go")
    garden.watches.walk(root, report=False)
    assert garden.said == []
    write(f"{root}/a/new/g.go")
    write(f"{root}/a/h.go")
    garden.watches.walk(root, report=True)
    assert garden.said == [
        Event(f"{root}/a/new", Op.CREATE, None, directory=True),
        Event(f"{root}/a/new/g.go", Op.CREATE),
    ]


def test_a_link_that_is_no_root_is_not_followed(root: str, garden: Garden, tmp_path: Path) -> None:
    """Not even when it took the place of a directory between the listing and the watch."""
    garden.watches.walk(root, report=False)
    os.symlink(tmp_path, f"{root}/link")
    garden.watches.walk(f"{root}/link", report=True)
    assert garden.agrees(root)


@pytest.mark.parametrize("arrives", [True, False])
def test_half_a_move_is_held_until_the_other_half_is_read(
    root: str, listen: Callable[..., Ear], *, arrives: bool
) -> None:
    """The two halves are queued one after the other: a read may end between them."""
    write(f"{root}/d/e/f.go")
    ear = listen(root)
    backend = ear.watcher._native
    before = {backend._watches.tree.by_path[f"{root}/d{below}"].wd for below in ("", "/e")}
    os.rename(f"{root}/d", f"{root}/new")
    write(f"{root}/new/e/f.go", "between the halves")
    left, arrived, *between = wire.decode(libc.drain(backend._fd))
    backend._hear(left)
    for record in between:
        backend._hear(record)
    backend._walk_suspects()
    backend._moves.let_go()
    assert [item.path for item in backend._items] == [f"{root}/d"]
    if not arrives:
        ear.until(lambda _: backend._moves.due() is None, "the half to be let go")
        assert not before & set(backend._watches.tree.by_wd)
        return
    backend._hear(arrived)
    paths = [item.path for item in ear.all()]
    assert paths[:2] == [f"{root}/d", f"{root}/new"]
    assert set(paths[2:]) == {f"{root}/new/e/f.go"}
    assert {backend._watches.tree.by_path[f"{root}/new{b}"].wd for b in ("", "/e")} == before
