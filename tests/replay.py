"""What a program knows of a tree that listens only, and has never looked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hotrun.watch import Event, Item, Op, Overflow, Refreshed

if TYPE_CHECKING:
    from collections.abc import Iterable

Paths = dict[str, bool]
"""Whether each path is a directory."""


class Roots:
    """What was asked of a watcher, and what of the disk that covers.

    Args:
        skipped: Names of directories that are not looked into.

    Attributes:
        asked: By path, whether all below it counts too.
    """

    def __init__(self, skipped: Iterable[str] = ()) -> None:
        self.asked: dict[str, bool] = {}
        self._skipped = frozenset(skipped)

    def listing(self) -> Paths:
        """List the disk; roots that are links are followed."""
        found: Paths = {}
        for root in self.asked:
            found |= self._below(root)
        return found

    def covered(self, paths: Paths) -> Paths:
        """Leave out what nobody asked for, or no longer: who listens knows that."""
        return {path: known for path, known in paths.items() if self._covers(path)}

    def _covers(self, path: str) -> bool:
        if not self._skipped.isdisjoint(path.split("/")):
            return False
        return any(
            path == root
            or path.rpartition("/")[0] == root
            or (recursive and path.startswith(f"{root}/"))
            for root, recursive in self.asked.items()
        )

    def _below(self, root: str) -> Paths:
        if not os.path.exists(root):
            return {}
        paths = {root: os.path.isdir(root)}
        stack = [root] if paths[root] else []
        while stack:
            for entry in os.scandir(stack.pop()):
                paths[entry.path] = entry.is_dir(follow_symlinks=False)
                if paths[entry.path] and self.asked[root] and entry.name not in self._skipped:
                    stack.append(entry.path)
        return paths


class Replay:
    """A set of paths that follows the events.

    CREATE adds a path; REMOVE and RENAME take it away with all below it. The CREATE of a
    directory with ``renamed_from`` puts back under the new name what was below the old one.

    Args:
        roots: What was asked for. They are listed at the beginning, and where events were
            lost; what a move takes to where nobody asked is dropped.
    """

    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._moved: dict[str, Paths] = {}  # by old path, what was below it
        self.paths = roots.listing()

    def hear(self, items: Iterable[Item]) -> None:
        """Follow what was told."""
        for item in items:
            if isinstance(item, Event):
                self._follow(item)
            elif isinstance(item, (Overflow, Refreshed)):
                self.paths = self._roots.listing()

    def _follow(self, event: Event) -> None:
        if event.op & (Op.REMOVE | Op.RENAME):
            self._moved[event.path] = self._take(event.path)
        if event.op & Op.CREATE:
            self._come(event)

    def _come(self, event: Event) -> None:
        # Not by the path alone: what is in a directory may be told before the directory is.
        if event.path in self.paths and (event.renamed_from or not event.directory):
            self._take(event.path)
        self.paths[event.path] = event.directory
        if event.renamed_from and event.directory:
            below = self._moved.pop(event.renamed_from, {})
            moved = {event.path + end: known for end, known in below.items()}
            self.paths |= self._roots.covered(moved)

    def _take(self, path: str) -> Paths:
        """Take away a path and all below it; return that, by what follows the path."""
        self.paths.pop(path, None)
        below = {each for each in self.paths if each.startswith(f"{path}/")}
        return {each[len(path) :]: self.paths.pop(each) for each in below}
