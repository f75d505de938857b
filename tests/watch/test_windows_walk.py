"""Random walks on a fake Windows: who believes the events knows the disk.

The listener lists once, and from then on only hears: a name that comes is there, one that goes
takes along all below it, one that was renamed brings it along. After an overflow it lists again.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from windows_rig import Rig, short

from hotrun.watch.event import Event, Item, Op, Overflow

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "C:/work"
NAMES = ("a", "b", "ab", "a/b", "a/a", "b/a", "a/b/a", "skip", "a/skip", "f", "a/f", "b/f")
KINDS = (
    *("make", "write", "write", "rename", "rename", "rename", "out", "in", "remove", "remove"),
    *("replace root", "root away", "root back", "burst", "unasked", "take", "take", "later"),
    *("add", "drop"),
)
STEP = st.tuples(st.sampled_from(KINDS), st.sampled_from(NAMES), st.sampled_from(NAMES))
# The second for length: left to itself hypothesis mostly draws five or so.
STEPS = st.lists(STEP, max_size=40) | st.lists(STEP, min_size=15, max_size=40)
ROOTS = st.dictionaries(
    st.sampled_from([ROOT, f"{ROOT}/a", f"{ROOT}/a/b", f"{ROOT}/f", f"{ROOT}/skip"]),
    st.booleans(),
    min_size=1,
    max_size=3,
)


class Listener:
    """Believes what it is told."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.paths: set[str] = set()
        self.log: list[str] = []
        self._moved: dict[str, set[str]] = {}

    def there(self) -> set[str]:
        """Return what the disk holds of what counts."""
        return set(filter(self.counts, self.rig.kernel.tree("C:")))

    def counts(self, path: str) -> bool:
        """Whether a root leads to a path, past no skipped directory."""
        above, roots = path.rpartition("/")[0], self.rig.scope.roots
        if path in roots or above in roots:
            return True
        while above and not above.endswith("/skip"):
            if above in roots and roots[above].recursive:
                return True
            above = above.rpartition("/")[0]
        return above in roots and roots[above].recursive

    def hear(self, items: list[Item]) -> None:
        for item in self.rig.scope.admit(items):
            self.log.append(short(item))
            if isinstance(item, Event):
                self._believe(item)
            elif isinstance(item, Overflow):
                self.paths = self.there()

    def _believe(self, event: Event) -> None:
        path = event.path
        below = {each for each in self.paths if each.startswith(f"{path}/")}
        if event.op is Op.CREATE:
            self.paths.add(path)
            if event.renamed_from is not None:
                moved = {path + each for each in self._moved.pop(event.renamed_from, ())}
                self.paths |= set(filter(self.counts, moved))
        elif event.op in (Op.REMOVE, Op.RENAME):
            self.paths -= below | {path}
            self._moved[path] = {each[len(path) :] for each in below}


class Walk:
    """One disk, one backend, one listener, and what is done to the disk."""

    def __init__(self, roots: dict[str, bool], *, posix: bool, splits: bool) -> None:
        self.rig = Rig()
        self.rig.kernel.posix, self.rig.kernel.splits = posix, splits
        self.rig.kernel.makedirs(f"{ROOT}/a/b")
        self.rig.kernel.mkdir("C:/out")
        self.listener = Listener(self.rig)
        for path, recursive in roots.items():
            self.rig.add(path, recursive=recursive)
        self.listener.paths = self.listener.there()

    def step(self, kind: str, one: str, other: str) -> None:
        """Do one thing; that it cannot be done is no harm."""
        kernel = self.rig.kernel
        here, there, outside = (
            f"{ROOT}/{one}",
            f"{ROOT}/{other}",
            f"C:/out/{other.replace('/', '-')}",
        )
        steps = {
            "make": lambda: kernel.makedirs(here),
            "write": lambda: kernel.write(here),
            "rename": lambda: kernel.rename(here, there),
            "out": lambda: kernel.rename(here, outside),
            "in": lambda: kernel.rename(outside, here),
            "remove": lambda: kernel.rmtree(here),
            "replace root": lambda: (kernel.rmtree(ROOT), kernel.mkdir(ROOT)),
            "root away": lambda: kernel.rename(ROOT, "C:/out/root"),
            "root back": lambda: kernel.rename("C:/out/root", ROOT),
            "burst": lambda: self.burst(here),
            "unasked": lambda: kernel.complete(ROOT, error=995),
            "add": lambda: self.add(here, recursive=len(other) % 2 == 0),
            "drop": lambda: self.drop(here),
            "take": self.take,
            "later": self.later,
        }
        with contextlib.suppress(OSError):
            steps[kind]()

    def burst(self, directory: str) -> None:
        """Write more than the kernel keeps, and clean up."""
        names = [f"{directory}/{count:x>250}" for count in range(130)]
        for name in names:
            self.rig.kernel.write(name)
        for name in names:
            self.rig.kernel.remove(name)

    def add(self, root: str, *, recursive: bool) -> None:
        """Add a root, and list it if that is new: what is there is not told."""
        known = self.rig.scope.roots.get(root)
        if known is not None and known.recursive >= recursive:
            return
        self.hear()
        self.rig.add(root, recursive=recursive)
        self.listener.paths |= {
            path for path in self.listener.there() if path == root or path.startswith(f"{root}/")
        }

    def drop(self, root: str) -> None:
        """Take a root away, if it is one and not the last."""
        if root in self.rig.scope.roots and len(self.rig.scope.roots) > 1:
            self.rig.remove(root)
            self.listener.paths = set(filter(self.listener.counts, self.listener.paths))

    def take(self) -> None:
        self.rig.backend.take()
        self.hear()

    def hear(self) -> None:
        self.listener.hear(self.rig.items)
        self.rig.items.clear()

    def later(self) -> None:
        self.rig.now = max(self.rig.now, self.rig.backend.due() or 0.0)
        self.take()

    def rest(self) -> None:
        """Let all be told, and look whether the listener knows the disk and hears all of it."""
        for _ in range(4):
            self.later()
        there = self.listener.there()
        assert self.listener.paths == there, "\n".join(self.listener.log)
        self.listener.log.clear()
        written = {path for path, directory in self.rig.kernel.tree("C:").items() if not directory}
        for path in written:
            self.rig.kernel.write(path)
        self.take()
        heard = {line.removeprefix("write ") for line in self.listener.log}
        assert heard == written & there


@contextlib.contextmanager
def walking(roots: dict[str, bool], *, posix: bool, splits: bool) -> Iterator[Walk]:
    """Yield a walk; at its end nothing may be left open."""
    walk = Walk(roots, posix=posix, splits=splits)
    try:
        yield walk
    finally:
        walk.rig.end()


def check(
    steps: list[tuple[str, str, str]], roots: dict[str, bool], bits: tuple[bool, bool]
) -> None:
    with walking(roots, posix=bits[0], splits=bits[1]) as walk:
        for step in steps:
            walk.step(*step)
        walk.rest()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(STEPS, ROOTS, st.tuples(st.booleans(), st.booleans()))
def test_who_believes_the_events_knows_the_disk(
    steps: list[tuple[str, str, str]], roots: dict[str, bool], bits: tuple[bool, bool]
) -> None:
    check(steps, roots, bits)


@pytest.mark.stress
@settings(max_examples=8_000, deadline=None)
@given(STEPS, ROOTS, st.tuples(st.booleans(), st.booleans()))
def test_who_believes_very_many_events_does_too(
    steps: list[tuple[str, str, str]], roots: dict[str, bool], bits: tuple[bool, bool]
) -> None:
    check(steps, roots, bits)
