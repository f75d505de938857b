"""Directories on their way: names that left a watched directory, and where they arrive.

The kernel tells of a move in two records with one cookie, and not at once. Until the second one
comes a directory has no path; its watches live on, and what they hear is held for it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from hotrun.watch.libc import Record
    from hotrun.watch.tree import Node
    from hotrun.watch.watches import Watches

HOLD = 0.05  # seconds; watchdog waits for ten times as long


class _Move(NamedTuple):
    """A name that left, and was not seen to arrive anywhere yet."""

    path: str
    node: Node | None  # of a watched directory: it keeps its subtree
    since: float


class Moves:
    """The moves of one inotify instance that are half told.

    Args:
        watches: Where subtrees are taken from and hung again.
    """

    def __init__(self, watches: Watches) -> None:
        self._watches = watches
        # By cookie: a directory with two names (a link to it is a root too) moves under both.
        self._moves: dict[int, list[_Move]] = {}
        self._held: list[tuple[Node, Record]] = []

    def leave(self, path: str, cookie: int, *, directory: bool) -> None:
        """Take a name out of its place."""
        tree = self._watches.tree
        node = tree.by_path.get(path) if directory else None
        if node is not None:
            tree.detach(node)
        self._moves.setdefault(cookie, []).append(_Move(path, node, time.monotonic()))

    def arrive(self, path: str, cookie: int) -> str | None:
        """Hang what was on its way under its new name; return the old one, if known."""
        moves = self._moves.get(cookie)
        if not moves:
            return None
        move = moves.pop(0)
        if move.node is not None:
            tree = self._watches.tree
            occupant = tree.by_path.get(path)
            if occupant is not None and occupant.wd == move.node.wd:
                self._watches.drop(move.node)  # a walk found it by its new name already
            else:
                self._watches.forget(path)
                tree.attach(move.node, path)
        return move.path

    def hold(self, node: Node, record: Record) -> None:
        """Keep what was heard in a directory that has no path at the moment."""
        self._held.append((node, record))

    def heard(self) -> list[tuple[Node, Record]]:
        """Return what was held for directories that have a path now."""
        if not self._held:
            return []
        holds = self._watches.tree.holds
        heard = [each for each in self._held if holds(each[0])]
        self._held = [each for each in self._held if not holds(each[0])]
        return heard

    def let_go(self) -> None:
        """What was moved out of the tree falls silent."""
        now = time.monotonic()
        for cookie, moves in list(self._moves.items()):
            if not moves or now - moves[0].since >= HOLD:
                del self._moves[cookie]
                for move in moves:
                    if move.node is not None:
                        self._watches.drop(move.node)
        if not self._moves:
            self._held.clear()

    def due(self) -> float | None:
        """When a directory is no longer waited for (``time.monotonic``)."""
        moves = (move for moves in self._moves.values() for move in moves)
        return min((move.since + HOLD for move in moves if move.node is not None), default=None)

    def clear(self) -> None:
        """Forget all: the tree is made anew."""
        self._moves.clear()
        self._held.clear()
