"""A tree that is watched ahead, by other processes, comes to the same as one that is walked."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from typing import TYPE_CHECKING

import pytest

from hotrun.watch import SAVES, Watcher
from hotrun.watch.inotify import libc
from hotrun.watch.inotify.ahead import FEW, Ahead
from hotrun.watch.inotify.planting import MASK
from hotrun.watch.inotify.tree import Tree
from hotrun.watch.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

DEADLINE = 60  # seconds
pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) == 1, reason="nothing is done ahead on one processor"
)


@pytest.fixture
def big(root: str) -> str:
    """A tree that is too big for one process: 1,241 directories."""
    for number in range(40):
        os.makedirs(f"{root}/{number}/skip")
        for name in range(29):
            os.mkdir(f"{root}/{number}/{name}")
    os.mkdir(f"{root}/last")
    return root


@pytest.fixture
def fd() -> Iterator[int]:
    fd = libc.init()
    yield fd
    os.close(fd)


def skips(path: str) -> bool:
    return path.endswith("/skip")


def wanted(root: str) -> set[str]:
    """The directories that are to be watched."""
    return {path for path, _, _ in os.walk(root) if "/skip" not in path}


def ahead_of(root: str, fd: int, scope: Scope) -> tuple[Ahead, Tree]:
    """Begin with a tree, and have another one that holds its top alone."""
    wd, tree = libc.add_watch(fd, root, MASK), Tree()
    tree.hang(root, wd)
    return Ahead(fd, scope, root, wd), tree


def watched(fd: int) -> dict[int, int]:
    """The inodes that the kernel watches for us, by wd."""
    with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as file:
        words = [line.split() for line in file if line.startswith("inotify")]
    return {int(word[1][3:], 16): int(word[2][4:], 16) for word in words}


def watched_by_us() -> set[int]:
    """The inodes that any inotify instance of this process watches."""
    found = set[int]()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the listing's own
            if "inotify" in os.readlink(f"/proc/self/fd/{name}"):
                found.update(watched(int(name)).values())
    return found


def inodes(directories: set[str]) -> set[int]:
    return {os.stat(path).st_ino for path in directories}


def children() -> set[int]:
    """The processes that this thread has started, zombies among them."""
    with open("/proc/thread-self/children", encoding="ascii") as file:
        return {int(pid) for pid in file.read().split()}


def agrees(fd: int, root: str, tree: Tree) -> bool:
    """Whether exactly the directories that are to be watched are, each with its wd."""
    there = {path: os.stat(path).st_ino for path in wanted(root)}
    held = watched(fd)
    known = {path: held.get(node.wd) for path, node in tree.by_path.items()}
    return known == there and sorted(held.values()) == sorted(there.values())


def test_what_others_watch_is_planted_as_a_walk_would(big: str, fd: int) -> None:
    before = children()
    ahead, tree = ahead_of(big, fd, Scope(skips))
    assert len(children() - before) == 1
    assert ahead.plant(tree) == []
    ahead.close()
    assert agrees(fd, big, tree)
    assert children() == before
    top = tree.by_path[big]
    assert {node.path for node in tree.subtree(top)} == wanted(big)


def test_a_few_directories_start_no_process(root: str, fd: int) -> None:
    for number in range(FEW - 1):
        os.mkdir(f"{root}/{number}")
    before = children()
    ahead, tree = ahead_of(root, fd, Scope(skips))
    assert children() == before
    assert ahead.plant(tree) == []
    assert agrees(fd, root, tree)


def test_a_killed_process_leaves_all_to_a_walk(big: str, fd: int) -> None:
    before = children()
    ahead, tree = ahead_of(big, fd, Scope(skips))
    (pid,) = children() - before
    os.kill(pid, signal.SIGKILL)
    left = ahead.plant(tree)
    ahead.close()
    assert left == [big] or agrees(fd, big, tree)  # it may have been done
    assert children() == before


def test_who_is_let_go_ends(big: str, fd: int) -> None:
    before = children()
    ahead, _ = ahead_of(big, fd, Scope(skips))
    ahead.close()
    assert children() == before


def test_what_is_known_already_is_walked(big: str, fd: int) -> None:
    ahead, tree = ahead_of(big, fd, Scope(skips))
    tree.hang(f"{big}/last", libc.add_watch(fd, f"{big}/last", MASK))
    assert ahead.plant(tree) == [f"{big}/last"]
    ahead.close()
    assert agrees(fd, big, tree)


def test_what_cannot_be_watched_is_walked(root: str, fd: int) -> None:
    os.mkdir(f"{root}/d")

    def replaces(path: str) -> bool:
        os.rmdir(path)
        return False

    ahead, tree = ahead_of(root, fd, Scope(replaces))
    assert ahead.plant(tree) == [f"{root}/d"]


def test_a_watcher_that_began_ahead_watches_the_same(big: str) -> None:
    with Watcher("native", skips=skips) as watcher:
        watcher.begin(big)
        watcher.add(big, ops=SAVES)
        assert watcher.directories == len(wanted(big))
        assert inodes(wanted(big)) <= watched_by_us()
        assert not inodes({f"{big}/0/skip"}) & watched_by_us()


def test_what_happens_meanwhile_is_told(big: str) -> None:
    with Watcher("native", skips=skips) as watcher:
        watcher.begin(big)
        paths = {f"{big}/39/f.go", f"{big}/0/28/f.go", f"{big}/0/new/d/f.go"}
        os.makedirs(f"{big}/0/new/d")
        shutil.rmtree(f"{big}/17")
        os.rename(f"{big}/20", f"{big}/moved")
        watcher.add(big, ops=SAVES)
        for path in paths:
            with open(path, "w", encoding="ascii") as file:
                file.write("a")
        heard, end = set[str](), time.monotonic() + DEADLINE
        while not paths <= heard:
            assert time.monotonic() < end, f"waited {DEADLINE} s for {paths - heard}"
            heard |= {item.path for item in watcher.read(1) if hasattr(item, "path")}
        assert watcher.directories == len(wanted(big))


@pytest.mark.parametrize("again", [True, False])
def test_another_directory_in_its_place_takes_nothing_over(big: str, *, again: bool) -> None:
    with Watcher("native", skips=skips) as watcher:
        watcher.begin(big)
        os.rename(big, f"{big}-old")
        if again:
            os.makedirs(f"{big}/a/b")
        watcher.add(big, ops=SAVES, missing_ok=True)
        assert watcher.directories == len(wanted(big))
        assert not inodes(wanted(f"{big}-old")) & watched_by_us()
        assert inodes(wanted(big)) <= watched_by_us()


def test_a_watcher_that_is_closed_before_it_is_complete_leaves_no_process(big: str) -> None:
    before = children()
    with Watcher("native", skips=skips) as watcher:
        watcher.begin(big)
    assert children() == before
