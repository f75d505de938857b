"""Directories on their way: names that left a watched directory, and where they arrive.

The kernel tells of a move in two records with one cookie, and not at once. Until the second one
comes a directory has no path; its watches live on, and what they hear is held for it. Two names
that are swapped at one stroke (renameat2(2), RENAME_EXCHANGE) are told as one move after the
other, as if the first had ended what stood there: only a look at the disk tells.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    from hotrun.watch.inotify.tree import Node
    from hotrun.watch.inotify.watches import Watches
    from hotrun.watch.inotify.wire import Record

HOLD = 0.05  # seconds; watchdog waits for ten times as long


class _Move(NamedTuple):
    """A name that left, and was not seen to arrive anywhere yet."""

    path: str
    node: Node | None  # of a watched directory: it keeps its subtree
    since: float
    is_new: bool  # nothing in it was told yet


class Arrival(NamedTuple):
    """A name that has arrived.

    Attributes:
        origin: The old path.
        directory: It is one.
        swapped: What stood under the new path has not ended: it has the old one now.
        node: Of the directory that came, if that is watched.
        is_new: Nothing in it was told yet.
        displaced: Of the one that stood there.
    """

    origin: str
    directory: bool
    swapped: bool
    node: Node | None
    is_new: bool
    displaced: Node | None


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
        # What came with the last cookie and the one before it, by new path.
        self._cookie = 0
        self._latest: dict[str, Arrival | None] = {}
        self._before: dict[str, Arrival | None] = {}
        self._displaced: list[Node] = []  # since the last ``let_go``

    def leave(self, path: str, cookie: int, *, directory: bool, is_new: bool) -> None:
        """Take a name out of its place; ``is_new``: nothing in it was told yet."""
        tree = self._watches.tree
        node = tree.by_path.get(path) if directory else None
        if node is not None:
            tree.detach(node)
        self._moves.setdefault(cookie, []).append(_Move(path, node, time.monotonic(), is_new))

    def arrive(self, path: str, cookie: int, *, directory: bool, displaces: bool) -> Arrival | None:
        """Hang what was on its way under its new name; None: it comes from elsewhere."""
        if cookie != self._cookie:
            self._cookie, self._before, self._latest = cookie, self._latest, {}
        moves = self._moves.get(cookie)
        if not moves:
            self._latest[path] = None
            return None
        move, tree = moves.pop(0), self._watches.tree
        first = self._before.get(move.path)
        swapped = first is not None and first.origin == path and self._is_there(first, move.path)
        node = self._put_back(first, move) if first is not None and swapped else move.node
        displaced = tree.by_path.get(path) if displaces else None
        if displaced is not None:
            tree.detach(displaced)
            self._displaced.append(displaced)
            if node is not None and displaced.wd == node.wd:  # a walk found it here already
                displaced = None
        if node is not None:
            tree.attach(node, path)
        is_new = move.is_new and not swapped
        arrival = Arrival(move.path, directory, swapped, node, is_new, displaced)
        self._latest[path] = arrival
        return arrival

    def _put_back(self, first: Arrival, move: _Move) -> Node | None:
        """What was taken to have left again has not; return what left in its stead."""
        if first.node is not None and not self._watches.tree.holds(first.node):
            self._watches.forget(move.path)
            self._watches.tree.attach(first.node, move.path)
        if move.node is not None and move.node is not first.node:
            self._watches.drop(move.node)
        return first.displaced if first.displaced in self._displaced else None

    def has_come(self, path: str) -> bool:
        """Whether the last move ended at a path."""
        return path in self._latest

    def _is_there(self, arrival: Arrival, path: str) -> bool:
        if arrival.node is not None:
            is_watched = arrival.node in self._watches.tree.owners(arrival.node.wd)
            return is_watched and self._watches.is_at(arrival.node, path)
        is_directory = os.path.isdir(path) and not os.path.islink(path)
        return os.path.lexists(path) and is_directory == arrival.directory

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
        for node in self._displaced:
            if not self._watches.tree.holds(node):
                self._watches.drop(node)
        self._displaced.clear()
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
        self._latest.clear()
        self._displaced.clear()
