"""Random walks over real trees through the fake kqueue: at rest all that was told is the disk."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import stat
import tempfile
import threading
from typing import TYPE_CHECKING

import pytest
from ear import exchange
from hypothesis import given, settings
from hypothesis import strategies as st
from kqueue_ear import KqueueEar, Replay, listing

from hotrun.watch.event import Event, Item, Op

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = int(os.environ.get("HOTRUN_TEST_SEED", "20261126"))

NAMES = (
    *("a", "b", "ab", "a/b", "a/a", "b/a", "a/b/a", "skip", "a/skip"),
    *("f", "g", "a/f", "b/f", "a/b/f", "a/t.tmp", "\udce9"),
)
KINDS = (
    *("make", "make", "write", "write", "write", "move", "move", "move", "move", "swap"),
    *("out", "in", "remove", "truncate", "chmod", "link", "hard link", "fifo"),
    *("replace root", "root away", "root back", "parent away", "parent back", "save file"),
    *("file away", "file back"),
)
STEPS = st.tuples(
    st.sampled_from((*KINDS, "take", "rest")), st.sampled_from(NAMES), st.sampled_from(NAMES)
)


def skips(path: str) -> bool:
    return "skip" in path.split("/")


def wants(path: str) -> bool:
    return not path.endswith(".tmp")


class Walk:
    """One tree, one backend on five roots in and beside it, and what is done to them.

    The roots: a tree, a directory in it, a link to another directory in it, a directory without
    what is below, and a single file.
    """

    def __init__(self, top: str) -> None:
        self.top = top
        self.root = f"{top}/above/root"
        self.flat = f"{top}/flat"
        self.file = f"{top}/above/one.go"
        self.link = f"{top}/link"
        self.out = f"{top}/out"
        os.makedirs(f"{self.root}/a")
        os.makedirs(self.out)
        os.mkdir(self.flat)
        self.write(self.file)
        os.symlink(f"{self.root}/b", self.link)
        self.ear = KqueueEar(
            *(self.root, f"{self.root}/a", self.link, self.file),
            skips=skips,
            wants=wants,
            frozen=True,
        )
        self.ear.add(self.flat, recursive=False)
        self.replay = Replay(self.fresh(), self.counts)

    def fresh(self) -> set[str]:
        """What is there."""
        deep = (self.root, f"{self.root}/a", self.link, self.file)
        found = listing(self.flat, recursive=False)
        return found.union(*(listing(root, skips) for root in deep))

    def counts(self, path: str) -> bool:
        """Whether somebody wants to hear of a path."""
        directory = os.path.dirname(path)
        return not skips(directory) and not directory.startswith(f"{self.flat}/")

    def write(self, path: str) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        # A fifo that nobody reads is an error then, and no end of waiting.
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK)
        with open(fd, "wb") as file:
            file.write(b"x")

    def step(self, kind: str, one: str, other: str) -> None:
        """Do one thing; that it cannot be done is no harm."""
        here, there = f"{self.root}/{one}", f"{self.root}/{other}"
        outside = f"{self.out}/{other.replace('/', '-')}"
        flat = f"{self.flat}/{other.replace('/', '-')}"
        above = os.path.dirname(self.root)
        save = (f"{self.out}/new", self.file)
        steps = {
            "make": lambda: os.makedirs(here),
            "write": lambda: self.write(here),
            "move": lambda: os.rename(here, there),
            "swap": lambda: exchange(here, there),
            "out": lambda: os.rename(here, outside if len(one) > 1 else flat),
            "in": lambda: os.rename(outside if len(one) > 1 else flat, here),
            "remove": lambda: remove(here),
            "truncate": lambda: os.truncate(here, 0),
            "chmod": lambda: os.chmod(here, 0o700 ^ (os.stat(here).st_mode & 0o100)),
            "link": lambda: os.symlink(there, here),
            "hard link": lambda: os.link(here, there),
            "fifo": lambda: os.mkfifo(here),
            "replace root": lambda: (shutil.rmtree(self.root), os.mkdir(self.root)),
            "root away": lambda: os.rename(self.root, f"{self.out}/root"),
            "root back": lambda: os.rename(f"{self.out}/root", self.root),
            "parent away": lambda: os.rename(above, f"{self.out}/above"),
            "parent back": lambda: os.rename(f"{self.out}/above", above),
            "save file": lambda: (self.write(f"{self.out}/new"), os.rename(*save)),
            "file away": lambda: os.rename(self.file, f"{self.out}/file"),
            "file back": lambda: os.rename(f"{self.out}/file", self.file),
            "take": self.take,
            "rest": lambda: self.hear(self.ear.rest()),
        }
        with contextlib.suppress(OSError):
            steps[kind]()

    def take(self) -> None:
        """Hear what is told by now."""
        self.hear(self.ear.all())

    def hear(self, items: list[Item]) -> None:
        """Do what the events say."""
        for item in items:
            assert isinstance(item, Event), item
            self.replay.hear(item)

    def rest(self) -> None:
        """Look whether all is as it should be, and whether every name is heard."""
        self.hear(self.ear.rest())
        fresh = self.fresh()
        assert self.replay.paths == fresh
        expected = {path: self.expected(path) for path in fresh}
        assert self.ear.held() == {path: known for path, known in expected.items() if known}
        told = self.ear.backend._told
        assert not told.doubted
        left_over = (told.dirty, told.gone, told.left, self.ear.backend._noted)
        assert not any(left_over), left_over
        directories = {path for path in self.ear.held() if os.path.isdir(path)}
        assert set(self.ear.backend.places()) == directories
        self.hear_everything()

    def expected(self, path: str) -> tuple[int, int] | None:
        """The inode that has to have a descriptor for a path."""
        is_followed = path in self.ear.scope.roots and os.path.exists(path)
        found = os.stat(path, follow_symlinks=is_followed)
        if stat.S_ISDIR(found.st_mode):
            is_held = not skips(path) and not path.startswith(f"{self.flat}/")
        else:
            is_held = stat.S_ISREG(found.st_mode) and wants(path)
        return (found.st_dev, found.st_ino) if is_held else None

    def hear_everything(self) -> None:
        """Write to each file, and make one in each directory."""
        held = self.ear.held()
        expected: dict[str, Op] = {}
        for path in sorted(held):
            if os.path.isdir(path):
                self.write(f"{path}/last")
        for path in sorted(held):
            if os.path.isfile(path):
                self.write(path)
        told = self.ear.ops()
        for path in held:
            expected[f"{path}/last" if os.path.isdir(path) else path] = Op(0)
        assert set(expected) <= set(told), set(expected) - set(told)


def remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.remove(path)


@contextlib.contextmanager
def walking() -> Iterator[Walk]:
    """Yield a walk in a place of its own; afterwards no descriptor is left."""
    before = len(os.listdir("/proc/self/fd"))
    with tempfile.TemporaryDirectory() as top:
        walk = Walk(os.path.realpath(top))
        try:
            yield walk
        finally:
            walk.ear.backend.release()
    assert len(os.listdir("/proc/self/fd")) == before


def check(steps: list[tuple[str, str, str]]) -> None:
    with walking() as walk:
        for step in steps:
            walk.step(*step)
        walk.rest()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(STEPS, max_size=25))
def test_after_any_steps_what_was_told_is_the_disk(steps: list[tuple[str, str, str]]) -> None:
    check(steps)


@pytest.mark.stress
@settings(max_examples=3_000, deadline=None)
@given(st.lists(STEPS, max_size=60))
def test_after_many_steps_what_was_told_is_the_disk(steps: list[tuple[str, str, str]]) -> None:
    check(steps)


def race(seed: int, count: int) -> None:
    """Take steps in one thread while another one listens."""
    chance = random.Random(seed)
    steps = [
        (chance.choice(KINDS), chance.choice(NAMES), chance.choice(NAMES)) for _ in range(count)
    ]
    with walking() as walk:
        worker = threading.Thread(target=lambda: [walk.step(*step) for step in steps])
        worker.start()
        try:
            while worker.is_alive():
                walk.take()
        finally:
            worker.join()
        walk.rest()


@pytest.mark.parametrize("seed", range(SEED, SEED + 5))
def test_steps_taken_while_we_listen_end_right_too(seed: int) -> None:
    race(seed, 200)


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(SEED, SEED + 200))
def test_many_steps_taken_while_we_listen_end_right_too(seed: int) -> None:
    race(seed, 1_000)
