"""Watching all below a new directory of which nothing need be told: what costs at a start.

The same as ``Watches.walk`` does, without its second thoughts; it takes a third of the time.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hotrun.watch.inotify import libc, wire
from hotrun.watch.inotify.leaves import Leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hotrun.watch.inotify.tree import Node, Tree
    from hotrun.watch.scope import Scope

# Never ACCESS, OPEN or CLOSE_NOWRITE unless asked: a build reads everything. CLOSE_WRITE is
# needed because a write through mmap gives no MODIFY at all. EXCL_UNLINK: what is written into
# a file that was removed while it was open would be told under a name that is another file's.
MASK = (
    wire.IN_MODIFY
    | wire.IN_ATTRIB
    | wire.IN_CLOSE_WRITE
    | wire.IN_MOVED_FROM
    | wire.IN_MOVED_TO
    | wire.IN_CREATE
    | wire.IN_DELETE
    | wire.IN_DELETE_SELF
    | wire.IN_MOVE_SELF
    | wire.IN_EXCL_UNLINK
)
_BELOW = MASK | wire.IN_ONLYDIR | wire.IN_DONT_FOLLOW  # of what was found in a directory


class Planting:
    """Plants whole subtrees into a tree of watches.

    Args:
        fd: The inotify instance.
        scope: What was asked for.
        tree: Where they come to be; it may be exchanged.
        cannot: Takes a directory that cannot be opened, and why.
    """

    def __init__(
        self, fd: int, scope: Scope, tree: Tree, cannot: Callable[[str, OSError], None]
    ) -> None:
        self._fd = fd
        self._scope = scope
        self.tree = tree
        self._cannot = cannot
        self._leaves = Leaves()

    def below(self, top: Node) -> list[str]:
        """Watch all below a directory that has just been watched itself.

        Returns:
            Directories that need a walk: known ones, and ones that cannot be watched.
        """
        left = list[str]()
        for _ in self.steps([top], left):
            pass
        return left

    def steps(self, nodes: list[Node], left: list[str]) -> Iterator[None]:
        """The same for several, of one filesystem at first; one is opened between two yields.

        Args:
            nodes: Those that are still to be opened.
            left: Comes to hold those that need a walk.
        """
        leaves = self._leaves if nodes and self._leaves.may_be_below(nodes[0].path) else None
        while nodes and not self._scope.closing:
            parent = nodes.pop()
            try:
                directory = os.open(parent.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                try:
                    self._plant(parent, directory, leaves, nodes, left)
                finally:
                    os.close(directory)
            except OSError as error:
                self._cannot(parent.path, error)
            yield

    def _plant(
        self,
        parent: Node,
        directory: int,
        leaves: Leaves | None,
        nodes: list[Node],
        left: list[str],
    ) -> None:
        """Watch the directories in one; those that may hold more are put to ``nodes``."""
        fd, skips, by_path, plant = self._fd, self._scope.skips, self.tree.by_path, self.tree.plant
        add_watch, above = libc.try_add_watch, "" if parent.path == "/" else parent.path
        with os.scandir(directory) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    continue
                path = f"{above}/{entry.name}"
                if skips(path):
                    continue
                encoded = path.encode("utf-8", "surrogateescape")
                wd = -1 if path in by_path else add_watch(fd, encoded, _BELOW)
                if wd < 0:
                    left.append(path)
                    continue
                node = plant(path, wd, parent)
                # Watched, and then seen to hold no directory: most need not even be opened.
                if leaves is None or not leaves.has(entry):
                    nodes.append(node)
