"""An ear that is a kqueue backend on a fake kqueue, and what it can be held against."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from fake_kqueue import Kq, kqueue

from hotrun.watch.event import BASE, Event, Item, Op
from hotrun.watch.kqueue.backend import Kqueue
from hotrun.watch.scope import Root, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DEADLINE = 60  # seconds


def nowhere(_: str) -> bool:
    return False


def everything(_: str) -> bool:
    return True


class KqueueEar:
    """A backend on some roots.

    Args:
        roots: What is watched, with all that is below.
        live: The fake looks at the tree; otherwise it waits for ``push``.
        frozen: The backend's time stands still, but for ``rest``.
        skips: As ``Scope`` takes it.
        wants: The same.
        follow_symlinks: The same.
    """

    def __init__(
        self,
        *roots: str,
        live: bool = True,
        frozen: bool = False,
        skips: Callable[[str], bool] = nowhere,
        wants: Callable[[str], bool] = everything,
        follow_symlinks: bool = False,
    ) -> None:
        self.scope = Scope(skips, wants, follow_symlinks=follow_symlinks)
        self.items: list[Item] = []
        self.kq = Kq(live=live)
        self._frozen: float | None = 0.0 if frozen else None
        self.backend = Kqueue(self.scope, self.items.append, self.kq, clock=self._clock)
        for root in roots:
            self.add(root)

    def _clock(self) -> float:
        return time.monotonic() if self._frozen is None else self._frozen

    @property
    def queue(self) -> kqueue:
        """The one queue there is."""
        (queue,) = self.kq.queues
        return queue

    def add(self, path: str, *, recursive: bool = True, ops: Op = BASE) -> None:
        """Watch a path."""
        if self.scope.put(path, Root(recursive, ops)):
            self.backend.arm(path)

    def remove(self, path: str) -> None:
        """Cease to watch a path."""
        self.scope.drop(path)
        self.backend.disarm(path)

    def all(self) -> list[Item]:
        """What is told by now."""
        heard: list[Item] = []
        while True:
            self.backend.take()
            if not self.items:
                return heard
            heard += self.scope.admit(self.items)
            self.items.clear()

    def events(self) -> list[Event]:
        """The events among what is told by now."""
        return [item for item in self.all() if isinstance(item, Event)]

    def ops(self) -> dict[str, Op]:
        """What happened to each path, put together."""
        ops: dict[str, Op] = {}
        for event in self.events():
            ops[event.path] = ops.get(event.path, Op(0)) | event.op
        return ops

    def until(self, predicate: Callable[[list[Item]], object], what: str) -> list[Item]:
        """Listen until what was heard is enough."""
        heard: list[Item] = []
        end = time.monotonic() + DEADLINE
        while not predicate(heard):
            now = time.monotonic()
            assert now < end, f"waited {DEADLINE} s for {what}; heard {heard}"
            due = self.backend.due()
            self.backend.wait(min(0.1, 0.1 if due is None else max(0.0, due - now)))
            self.backend.take()
            heard += self.scope.admit(self.items)
            self.items.clear()
        return heard

    def rest(self) -> list[Item]:
        """Listen until nothing is on its way any more."""
        heard = self.all()
        if self._frozen is not None:
            self._frozen += 10
        return heard + self.until(lambda _: not self.backend._told.left, "what moved out to end")

    def held(self) -> dict[str, tuple[int, int]]:
        """The paths that have a descriptor, each with the inode that it is of."""
        held = {}
        for top in self.backend._tree.tops.values():
            for node in top.subtree():
                if node.fd >= 0:
                    found = os.fstat(node.fd)
                    held[node.path] = (found.st_dev, found.st_ino)
        return held


class Replay:
    """A model of the paths below some roots that knows events only, and is strict with them.

    Args:
        paths: What is there.
        counts: Tells of a path whether it is looked at; what was moved along may be no longer.
    """

    def __init__(self, paths: Iterable[str], counts: Callable[[str], bool] = everything) -> None:
        self.paths = set(paths)
        self._counts = counts
        self._aside: dict[str, set[str]] = {}

    def hear(self, event: Event) -> None:
        """Do what an event says."""
        if event.op & Op.RENAME:
            self._aside[event.path] = self._take(event.path)
        if event.op & Op.REMOVE:
            self._take(event.path)
        if event.op & Op.CREATE:
            assert event.path not in self.paths, f"{event}, but it is there"
            below = self._aside.pop(event.renamed_from or "", {""})
            assert "" in below, f"{event}, but that had not been there"
            if not event.directory:  # a root that was a link is a name only, in another place
                below = {""}
            self.paths |= set(filter(self._counts, (event.path + rest for rest in below)))
        if event.op & Op.WRITE:
            assert event.path in self.paths, f"{event}, but it is not there"

    def _take(self, path: str) -> set[str]:
        """Take away what is at and below a path; return the rests of the paths."""
        below = {each for each in self.paths if each == path or each.startswith(f"{path}/")}
        self.paths -= below
        return {each[len(path) :] for each in below}


def listing(
    root: str, skips: Callable[[str], bool] = nowhere, *, recursive: bool = True
) -> set[str]:
    """Return a root and all that is below it, as a fresh look has it; links are not followed."""
    if not os.path.exists(root):
        return set()
    found = {root}
    stack = [] if skips(root) or not os.path.isdir(root) else [root]
    while stack:
        with os.scandir(stack.pop()) as entries:
            for entry in entries:
                found.add(entry.path)
                if recursive and entry.is_dir(follow_symlinks=False) and not skips(entry.path):
                    stack.append(entry.path)
    return found
