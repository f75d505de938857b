"""Whatever happens to a tree, who follows the events alone knows in the end what is there.

Random steps on a random tree; after quiet the events, replayed onto a set of paths, have to give
what a fresh listing gives.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import tempfile
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest
from ear import DEADLINE, Ear, exchange, write
from hypothesis import given, settings
from hypothesis import strategies as st
from replay import Replay, Roots

from scripts import BACKENDS, backend

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = int(os.environ.get("HOTRUN_TEST_SEED", "20261122"))

NAMES = (
    "a",
    "b",
    "ab",
    "f",
    "a/b",
    "a/f",
    "b/a",
    "b/f",
    "a/b/a",
    "a/b/f",
    "b/a/f",
    "skip",
    "a/skip",
)
KINDS = (
    *("make", "make", "make", "write", "write", "write", "move", "move", "move", "move"),
    *("swap", "swap", "out", "in", "copy in", "remove", "remove", "again", "again"),
    *("link", "soft link", "chmod", "file for directory", "directory for file"),
    *("replace root", "root away", "root back", "parent away", "parent back"),
)
STEPS = st.tuples(st.sampled_from((*KINDS, "read")), st.sampled_from(NAMES), st.sampled_from(NAMES))


class Plan(NamedTuple):
    """What is asked of a watcher: paths below the root, and which of them are recursive."""

    roots: tuple[tuple[str, bool], ...]


PLANS = {
    "one": Plan((("", True),)),
    "nested": Plan((("", True), ("/a", True), ("/b/a", True))),
    "inner first": Plan((("/a/b", True), ("/a", True), ("", True))),
    "mixed": Plan((("", False), ("/a", True), ("/b", False), ("/b/f", True))),
    "files": Plan((("/f", True), ("/a/f", True), ("/b/a", False))),
}


class Walk:
    """One tree, one watcher on some roots of it, and what is done to them."""

    def __init__(self, top: str, plan: Plan, backend_name: str) -> None:
        self.root = f"{top}/above/root"
        self.out = f"{top}/out"
        self.source = f"{top}/source"
        os.makedirs(f"{self.root}/a/b")
        os.makedirs(self.out)
        for path in (
            f"{self.root}/f",
            f"{self.root}/a/f",
            f"{self.source}/b/f",
            f"{self.source}/f",
        ):
            write(path)
        self.ear = Ear(f"{top}/cookies", backend=backend(backend_name), skips=skips)
        self.asked = Roots(["skip"])
        for path, recursive in plan.roots:
            self.asked.asked[self.root + path] = recursive
            self.ear.watcher.add(self.root + path, recursive, missing_ok=True)
        self.replay = Replay(self.asked)
        self.steps: list[str] = []

    def step(self, kind: str, one: str, other: str) -> None:
        """Do one thing; that it cannot be done is no harm."""
        here, there = f"{self.root}/{one}", f"{self.root}/{other}"
        outside = f"{self.out}/{other.replace('/', '-')}"
        above = os.path.dirname(self.root)
        steps = {
            "make": lambda: os.makedirs(here),
            "write": lambda: write(here),
            "move": lambda: os.rename(here, there),
            "swap": lambda: exchange(here, there),
            "out": lambda: os.rename(here, outside),
            "in": lambda: os.rename(outside, here),
            "copy in": lambda: shutil.copytree(self.source, here),
            "remove": lambda: remove(here),
            "again": lambda: (remove(here), write(f"{here}/{os.path.basename(other)}")),
            "link": lambda: os.link(here, there),
            "soft link": lambda: os.symlink(f"{self.source}/f", there),
            "chmod": lambda: os.chmod(here, 0o755),  # noqa: S103 - nobody is kept out
            "file for directory": lambda: (shutil.rmtree(here), write(here)),
            "directory for file": lambda: (os.remove(here), write(f"{here}/f")),
            "replace root": lambda: (shutil.rmtree(self.root), write(f"{self.root}/{one}")),
            "root away": lambda: os.rename(self.root, f"{self.out}/root"),
            "root back": lambda: os.rename(f"{self.out}/root", self.root),
            "parent away": lambda: os.rename(above, f"{self.out}/above"),
            "parent back": lambda: os.rename(f"{self.out}/above", above),
        }
        try:
            steps[kind]()
        except OSError:
            return
        self.steps.append(f"{kind} {one} {other}")

    def read(self) -> None:
        """Hear what there is."""
        self.steps.append("read")
        self.hear(self.ear.watcher.read(0))

    def hear(self, items: list[object]) -> None:
        """Follow it."""
        self.steps += [f"    {shown(item, self.root)}" for item in items]
        self.replay.hear(items)

    def rest(self) -> None:
        """Compare what is known with what is there, once all was heard."""
        self.steps.append("rest")
        self.hear(self.ear.all())
        known, there = map(self.asked.covered, (self.replay.paths, self.asked.listing()))
        wrong = shown(dict(known.items() ^ there.items()), self.root)
        assert known == there, "\n".join([*self.steps, f"known or there, not both: {wrong}"])


def remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.remove(path)


def shown(item: object, root: str) -> str:
    return repr(item).replace(root, "")


def skips(path: str) -> bool:
    return path.endswith("/skip")


@contextlib.contextmanager
def walking(plan: Plan, backend_name: str) -> Iterator[Walk]:
    """Yield a walk in a place of its own."""
    with tempfile.TemporaryDirectory() as top:
        walk = Walk(os.path.realpath(top), plan, backend_name)
        try:
            yield walk
        finally:
            walk.ear.watcher.close()


def check(plan: str, steps: list[tuple[str, str, str]], backend_name: str) -> None:
    with walking(PLANS[plan], backend_name) as walk:
        for kind, one, other in steps:
            if kind == "read":
                walk.read()
            else:
                walk.step(kind, one, other)
        walk.rest()


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("backend_name", BACKENDS)
def test_after_any_steps_the_events_have_told_what_is_there(plan: str, backend_name: str) -> None:
    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(st.lists(STEPS, max_size=30))
    def run(steps: list[tuple[str, str, str]]) -> None:
        check(plan, steps, backend_name)

    run()


HISTORIES = {
    "swapped with what nobody watched": "make b/a; swap b/a a",
    "swapped, and moved away from there": "remove a/f; write a/b/a; make b/a/f; read; "
    "swap a/b/a b/a/f; move b/a a/f",
    "swapped twice": "write b; read; swap a b; swap b a",
    "swapped, a file for a directory": "read; swap a/b f; write f/f",
    "moved over an empty one and back": "make b; read; move a b; move b a",
    "moved out, and one moved in": "read; out a a; write a/x; in b a",
    "through a skipped name": "write a/b/f; read; move a skip; move skip b",
    "into a skipped name and out": "read; move a skip; read; move skip b",
    "out of what is not recursive": "make b; write b/f; read; move b a/b/b; move a/b/b b",
    "one that nobody saw, moved twice": "make b/a; move b ab; move ab b",
    "replaced again and again": "replace root a; replace root b/f; read; replace root a/b",
    "away and back": "read; root away; read; root back; write a/b/f",
}


@pytest.mark.parametrize("reads", [False, True], ids=["at the end", "after each step"])
@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("backend_name", BACKENDS)
def test_after_a_hard_history_the_events_have_told_what_is_there(
    plan: str, history: str, backend_name: str, *, reads: bool
) -> None:
    check(
        plan,
        [step for line in HISTORIES[history].split("; ") for step in taken(line, reads)],
        backend_name,
    )


def taken(line: str, reads: bool) -> list[tuple[str, str, str]]:
    """Return a step by its words: what to do, and one or two names."""
    kind = max((kind for kind in (*KINDS, "read") if line.startswith(kind)), key=len)
    one, other = [*line.removeprefix(kind).split(), "a", "a"][:2]
    return [(kind, one, other), *([("read", "", "")] if reads else [])]


@pytest.mark.stress
@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("backend_name", BACKENDS)
def test_after_many_steps_the_events_have_told_what_is_there(plan: str, backend_name: str) -> None:
    @settings(max_examples=3_000, deadline=None)
    @given(st.lists(STEPS, max_size=60))
    def run(steps: list[tuple[str, str, str]]) -> None:
        check(plan, steps, backend_name)

    run()


def race(plan: str, seed: int, count: int, backend_name: str) -> None:
    """Take steps in one thread while another one reads."""
    chance = random.Random(seed)
    steps = [
        (chance.choice(KINDS), chance.choice(NAMES), chance.choice(NAMES)) for _ in range(count)
    ]
    with walking(PLANS[plan], backend_name) as walk:
        worker = threading.Thread(target=lambda: [walk.step(*step) for step in steps])
        worker.start()
        end = time.monotonic() + DEADLINE
        while worker.is_alive():
            assert time.monotonic() < end, f"waited {DEADLINE} s for the steps to be done"
            walk.hear(walk.ear.watcher.read(0.001))
        walk.rest()


@pytest.mark.parametrize("seed", range(SEED, SEED + 4))
@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("backend_name", BACKENDS)
def test_steps_taken_while_we_read_are_told_too(plan: str, backend_name: str, seed: int) -> None:
    race(plan, seed, 300, backend_name)


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(SEED, SEED + 100))
@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("backend_name", BACKENDS)
def test_many_steps_taken_while_we_read_are_told_too(
    plan: str, backend_name: str, seed: int
) -> None:
    race(plan, seed, 1_000, backend_name)
