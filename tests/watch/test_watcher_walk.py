"""Random walks over directories: at rest the watches are the directories on the disk."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import tempfile
import threading

import pytest
from ear import Ear, exchange, write
from hypothesis import given, settings
from hypothesis import strategies as st

SEED = int(os.environ.get("HOTRUN_TEST_SEED", "20261121"))

NAMES = ("a", "b", "ab", "a/b", "a/a", "b/a", "a/b/a", "b/b/b", "skip", "a/skip")
KINDS = (
    *("make", "make", "write", "move", "move", "move", "swap", "out", "in", "remove"),
    *("replace root", "root away", "root back", "parent away", "parent back"),
)
STEPS = st.tuples(st.sampled_from((*KINDS, "read")), st.sampled_from(NAMES), st.sampled_from(NAMES))


class Walk:
    """One tree, one watcher on two roots of it, and what is done to them."""

    def __init__(self, top: str) -> None:
        self.top = top
        self.root = f"{top}/above/root"
        self.out = f"{top}/out"
        os.makedirs(f"{self.root}/a")
        os.makedirs(self.out)
        self.ear = Ear(f"{top}/cookies", self.root, f"{self.root}/a", skips=skips)

    def step(self, kind: str, one: str, other: str) -> None:
        """Do one thing; that it cannot be done is no harm."""
        here, there = f"{self.root}/{one}", f"{self.root}/{other}"
        outside = f"{self.out}/{other.replace('/', '-')}"
        above = os.path.dirname(self.root)
        steps = {
            "make": lambda: os.makedirs(here),
            "write": lambda: write(f"{here}/f"),
            "move": lambda: os.rename(here, there),
            "swap": lambda: exchange(here, there),
            "out": lambda: os.rename(here, outside),
            "in": lambda: os.rename(outside, here),
            "remove": lambda: shutil.rmtree(here),
            "replace root": lambda: (shutil.rmtree(self.root), os.mkdir(self.root)),
            "root away": lambda: os.rename(self.root, f"{self.out}/root"),
            "root back": lambda: os.rename(f"{self.out}/root", self.root),
            "parent away": lambda: os.rename(above, f"{self.out}/above"),
            "parent back": lambda: os.rename(f"{self.out}/above", above),
        }
        with contextlib.suppress(OSError):
            steps[kind]()

    def rest(self) -> None:
        """Look whether the watches are right, and whether every directory is heard."""
        expected = {path for path in directories(self.root) if os.path.isdir(path)}
        self.ear.all()
        self.ear.until(lambda _: self.ear.paths == expected, f"{expected}, not {self.ear.paths}")
        inodes = {os.stat(path).st_ino for path in expected}
        self.ear.until(lambda _: self.ear.inodes == inodes, "watches on just these inodes")
        written = {write(f"{path}/last") for path in expected}
        assert {path for path in self.ear.ops() if path.endswith("/last")} == written


def skips(path: str) -> bool:
    return "skip" in path.split("/")


def directories(root: str) -> list[str]:
    found = []
    for path, below, _ in os.walk(root):
        below[:] = [name for name in below if name != "skip"]
        found.append(path)
    return found


@contextlib.contextmanager
def walking() -> object:
    """Yield a walk in a place of its own."""
    with tempfile.TemporaryDirectory() as top:
        walk = Walk(os.path.realpath(top))
        try:
            yield walk
        finally:
            walk.ear.watcher.close()


def check(steps: list[tuple[str, str, str]]) -> None:
    with walking() as walk:
        for kind, one, other in steps:
            if kind == "read":
                walk.ear.watcher.read(0)
            else:
                walk.step(kind, one, other)
        walk.rest()


@settings(max_examples=120, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_after_any_steps_the_watches_are_the_directories(
    steps: list[tuple[str, str, str]],
) -> None:
    check(steps)


@pytest.mark.stress
@settings(max_examples=5_000, deadline=None)
@given(st.lists(STEPS, max_size=60))
def test_after_many_steps_the_watches_are_the_directories(
    steps: list[tuple[str, str, str]],
) -> None:
    check(steps)


def race(seed: int, count: int) -> None:
    """Take steps in one thread while another one reads."""
    chance = random.Random(seed)
    steps = [
        (chance.choice(KINDS), chance.choice(NAMES), chance.choice(NAMES)) for _ in range(count)
    ]
    with walking() as walk:
        worker = threading.Thread(target=lambda: [walk.step(*step) for step in steps])
        worker.start()
        walk.ear.until(lambda _: not worker.is_alive(), "the steps to be done")
        walk.rest()


@pytest.mark.parametrize("seed", range(SEED, SEED + 10))
def test_steps_taken_while_we_read_end_right_too(seed: int) -> None:
    race(seed, 300)


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(SEED, SEED + 300))
def test_many_steps_taken_while_we_read_end_right_too(seed: int) -> None:
    race(seed, 2_000)
