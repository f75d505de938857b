"""Random walks: whoever believes every event has, in the end, what is on the disk."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import tempfile

import pytest
from ear import exchange
from hypothesis import example, given, settings
from hypothesis import strategies as st
from looker import Believer, Looker, Tree, tree_of

from hotrun.watch import Event

SEED = int(os.environ.get("HOTRUN_TEST_SEED", "20261126"))
LOOK = 0.002  # seconds: of these few directories each is a slice of its own

NAMES = (
    *("a", "b", "ab", "a/b", "a/a", "b/a", "a/b/a", "b/b/b", "skip", "a/skip"),
    *("f", "a/f", "b/f", "ab/f", "a/b/f"),
)
KINDS = (
    *("make", "write", "append", "move", "swap", "out", "in", "remove", "unlink") * 2,
    *("write", "write", "move", "link", "hard link", "chmod", "look", "look", "look") * 2,
    *("replace root", "root away", "root back", "root back"),
    *("parent away", "parent back", "parent back"),
)
STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=50
)
# The paths that are added, below the root, and whether with all below them.
ROOTS = {
    "one": {"": True},
    "nested": {"": True, "a": True, "a/b/f": True},
    "flat": {"": False, "a/b": False},
    "flat and deep": {"": False, "a": True, "f": False},
    "no common one": {"a": True, "b": False, "f": True},
}


class Walk:
    """A tree, what is polled of it, and what is done to it."""

    def __init__(self, top: str, roots: dict[str, bool], step: float) -> None:
        self.root = f"{top}/above/root"
        self.out = f"{top}/out"
        self.size = 0
        os.makedirs(f"{self.root}/a/b")
        os.makedirs(self.out)
        self.looker = Looker(step=step, skips=skips)
        paths = {f"{self.root}/{name}".rstrip("/"): deep for name, deep in roots.items()}
        for path, recursive in paths.items():
            self.looker.add(path, recursive=recursive)
        self.believer = Believer(paths, self.disk())

    def disk(self) -> Tree:
        tree = tree_of(self.root, skips)
        for root in self.looker.scope.roots:
            if os.path.isdir(root):
                tree.update(tree_of(root, skips))  # it may be a link
            elif not os.path.exists(root) and not self.is_listed(os.path.dirname(root)):
                tree.pop(root, None)  # it is one that leads nowhere, and nobody looks at names
        return {path: found for path, found in tree.items() if self.looker.scope.covers(path)}

    def is_listed(self, path: str) -> bool:
        return path in self.looker.polling.places()

    def step(self, kind: str, one: str, other: str) -> None:
        """Do one thing; that it cannot be done is no harm."""
        here, there = f"{self.root}/{one}", f"{self.root}/{other}"
        outside = f"{self.out}/{other.replace('/', '-')}"
        above = os.path.dirname(self.root)
        self.size += 1  # so that no two files look alike
        steps = {
            "make": lambda: os.makedirs(here),
            "write": lambda: self.write(here),
            "append": lambda: self.append(here),
            "move": lambda: os.rename(here, there),
            "swap": lambda: exchange(here, there),
            "out": lambda: os.rename(here, outside),
            "in": lambda: os.rename(outside, here),
            "remove": lambda: shutil.rmtree(here),
            "unlink": lambda: os.remove(here),
            "link": lambda: os.symlink("a", here),
            "hard link": lambda: os.link(here, there),
            "chmod": lambda: os.chmod(here, 0o700 | self.size % 8),
            "replace root": lambda: (shutil.rmtree(self.root), os.mkdir(self.root)),
            "root away": lambda: os.rename(self.root, f"{self.out}/root"),
            "root back": lambda: os.rename(f"{self.out}/root", self.root),
            "parent away": lambda: os.rename(above, f"{self.out}/above"),
            "parent back": lambda: os.rename(f"{self.out}/above", above),
            "look": self.look,
        }
        with contextlib.suppress(OSError):
            steps[kind]()

    def write(self, path: str) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(f"{path}/f" if os.path.isdir(path) else path, "w", encoding="ascii") as file:
            file.write("x" * self.size)

    def append(self, path: str) -> None:
        with open(path, "a", encoding="ascii") as file:
            file.write("y" * self.size)

    def look(self) -> int:
        """Take one look; return how much was said."""
        items = self.looker.take()
        for item in items:
            assert isinstance(item, Event)
            self.believer.hear(item)
        return len(items)

    def rest(self) -> None:
        """Look until nothing is said any more, and hold what is believed against the disk."""
        quiet, sweeps = 0, self.looker.polling.sweeps
        while quiet < 3:
            said = self.look()
            if self.looker.polling.sweeps > sweeps:
                quiet, sweeps = quiet + 1, self.looker.polling.sweeps
            if said:
                quiet = 0
        assert self.believer.tree == self.disk()


def skips(path: str) -> bool:
    return "skip" in path.split("/")


def check(steps: list[tuple[str, str, str]], roots: str, step: float) -> None:
    with tempfile.TemporaryDirectory() as top:
        walk = Walk(os.path.realpath(top), ROOTS[roots], step)
        for kind, one, other in steps:
            walk.step(kind, one, other)
        walk.rest()


@example([("write", "a/b/f", ""), ("look", "", ""), ("move", "a", "b")], "nested", LOOK)
@example(
    [("write", "a/b/f", ""), ("look", "", ""), ("move", "a/b", "a/f"), ("write", "a/b/f", "")],
    "nested",
    0.0,
)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(STEPS, st.sampled_from(list(ROOTS)), st.sampled_from((0.0, LOOK)))
def test_after_any_steps_what_was_told_is_what_is_there(
    steps: list[tuple[str, str, str]], roots: str, step: float
) -> None:
    check(steps, roots, step)


@pytest.mark.stress
@settings(max_examples=5_000, deadline=None)
@given(STEPS, st.sampled_from(list(ROOTS)), st.sampled_from((0.0, LOOK)))
def test_after_many_steps_what_was_told_is_what_is_there(
    steps: list[tuple[str, str, str]], roots: str, step: float
) -> None:
    check(steps, roots, step)


def wander(seed: int, count: int) -> None:
    chance = random.Random(seed)
    steps = [
        (chance.choice(KINDS), chance.choice(NAMES), chance.choice(NAMES)) for _ in range(count)
    ]
    check(steps, chance.choice(list(ROOTS)), chance.choice((0.0, LOOK / 4, LOOK)))


@pytest.mark.parametrize("seed", range(SEED, SEED + 20))
def test_a_long_walk_ends_right(seed: int) -> None:
    wander(seed, 300)


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(SEED, SEED + 1_000))
def test_a_very_long_walk_ends_right(seed: int) -> None:
    wander(seed, 1_000)
