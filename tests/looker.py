"""A polling source with a clock of its own, and a reader that believes every event."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hotrun.watch.event import BASE, Event, Item, Op
from hotrun.watch.polling.glance import signature_of
from hotrun.watch.polling.source import Polling
from hotrun.watch.scope import Root, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from hotrun.watch.polling.glance import Sign

INTERVAL = 0.5
Tree = dict[str, str | None]
"""What is at each path: of a directory None, of a link its target, of a file its bytes."""


class Clock:
    """A time that goes on only when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class CostlyScope(Scope):
    """Every directory that is listed costs time of the processor; the clock goes on meanwhile."""

    def __init__(
        self, clock: Clock, step: float, *answers: Callable[[str], bool] | None, **options: bool
    ) -> None:
        super().__init__(*answers, **options)
        self._clock = clock
        self._step = step
        self.spent = 0.0

    def work(self, seconds: float) -> None:
        self.spent += seconds
        self._clock.now += seconds

    def descends(self, directory: str) -> bool:
        self.work(self._step)
        return super().descends(directory)


class Looker:
    """Polling, as a watcher drives it.

    Args:
        step: What a look costs; 0: so little that all is looked at at once.
    """

    def __init__(
        self,
        *roots: str,
        step: float = 0.0,
        interval: float = INTERVAL,
        skips: Callable[[str], bool] | None = None,
        wants: Callable[[str], bool] | None = None,
        follow_symlinks: bool = False,
        sign: Sign = signature_of,
    ) -> None:
        self.said: list[Item] = []
        self.clock = Clock()
        self.scope = CostlyScope(self.clock, step, skips, wants, follow_symlinks=follow_symlinks)
        self.polling = Polling(
            self.scope,
            self.said.append,
            interval,
            clock=self.clock,
            cost=lambda: self.scope.spent,
            sign=sign,
        )
        for root in roots:
            self.add(root)

    def add(self, root: str, *, recursive: bool = True) -> None:
        if self.scope.put(root, Root(recursive, BASE)):
            self.polling.arm(root)

    def remove(self, root: str) -> None:
        self.scope.drop(root)
        self.polling.disarm(root)

    def take(self) -> list[Item]:
        """Wait until a look is due, look, and return what was said since the last time."""
        due = self.polling.due()
        assert due is not None
        self.clock.now = max(self.clock.now, due)
        self.polling.take()
        items = self.said.copy()
        self.said.clear()
        return items

    def all(self) -> list[Item]:
        """Return what was said of all that has happened by now."""
        end = self.polling.sweeps + (2 if self.polling._sweep else 1)
        items = []
        while self.polling.sweeps < end and self.polling.due() is not None:
            items += self.take()
        return items

    def events(self) -> list[Event]:
        items = self.all()
        assert all(isinstance(item, Event) for item in items), items
        return [item for item in items if isinstance(item, Event)]

    def ops(self) -> dict[str, Op]:
        """What happened to each path, put together."""
        ops: dict[str, Op] = {}
        for event in self.events():
            ops[event.path] = ops.get(event.path, Op(0)) | event.op
        return ops


class Believer:
    """Knows a tree only from events, and holds each to be possible.

    Args:
        roots: What was added; these may come without the directory above them.
        tree: What was there at first.
    """

    def __init__(self, roots: Collection[str], tree: Tree) -> None:
        self.roots = roots
        self.tree = dict(tree)
        self._moved: dict[str, Tree] = {}

    def hear(self, event: Event) -> None:
        path, op, _, directory = event
        if op & Op.CREATE:
            self._create(event)
        else:
            assert path in self.tree, f"{event}: there was nothing"
            assert (self.tree[path] is None) == directory, f"{event}: it was something else"
            if op & Op.REMOVE:
                assert not self._below(path), f"{event}: there is something in it"
                del self.tree[path]
            elif op & Op.RENAME:
                paths = {path, *self._below(path)}
                self._moved[path] = {p[len(path) :]: self.tree.pop(p) for p in paths}
            elif not directory:
                self.tree[path] = content(path)

    def _create(self, event: Event) -> None:
        path, _, origin, directory = event
        over_a_file = origin is not None and self.tree.get(path) is not None
        assert path not in self.tree or over_a_file, f"{event}: it was there"
        above = path.rpartition("/")[0]
        assert above in self.tree or path in self.roots, f"{event}: where?"
        if origin is None:
            self.tree[path] = None if directory else content(path)
        else:
            for end, found in self._moved.pop(origin).items():
                self.tree[path + end] = found

    def _below(self, path: str) -> set[str]:
        return {each for each in self.tree if each.startswith(f"{path}/")}


def content(path: str) -> str:
    """What a file holds, or where a link leads."""
    try:
        if os.path.islink(path):
            return f"-> {os.readlink(path)}"
        if not os.path.isfile(path):
            return "nothing"
        with open(path, encoding="ascii") as file:
            return file.read()
    except FileNotFoundError:  # what was heard of is gone again
        return "gone"


def tree_of(root: str, skips: Callable[[str], bool] = lambda _: False) -> Tree:
    """What is on the disk at and below a path."""
    if not os.path.isdir(root):
        return {root: content(root)} if os.path.lexists(root) else {}
    tree: Tree = {}
    stack = [root]
    while stack:
        path = stack.pop()
        tree[path] = None
        for entry in os.scandir(path):
            if not entry.is_dir(follow_symlinks=False):
                tree[entry.path] = content(entry.path)
            elif not skips(entry.path):
                stack.append(entry.path)
    return tree
