"""The backend for Linux: what inotify tells, as events with paths.

Law: only ``read`` touches the descriptor. A record is turned into an event with the path its
directory has at that moment; directories it speaks of are walked when the queue is empty, and
the walk looks at the disk alone, so no order of records can leave a directory unwatched.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from hotrun.errors import WatchError
from hotrun.watch import libc
from hotrun.watch.event import Event, Item, Op, Overflow, Refreshed
from hotrun.watch.roots import Ancestors, Identity, identity
from hotrun.watch.tree import Node, topmost
from hotrun.watch.watches import Watches

if TYPE_CHECKING:
    from collections.abc import Callable

MOVE_HOLD = 0.05  # seconds; MOVED_FROM and MOVED_TO are queued one after the other, not at once

_OPS = {
    libc.IN_MODIFY: Op.WRITE,
    libc.IN_ATTRIB: Op.CHMOD,
    libc.IN_CLOSE_WRITE: Op.CLOSE_WRITE,
    libc.IN_CREATE: Op.CREATE,
    libc.IN_DELETE: Op.REMOVE,
    libc.IN_MOVED_FROM: Op.RENAME,
    libc.IN_MOVED_TO: Op.CREATE | Op.MOVED_TO,
}
_EVENTS = 0xFFF  # the bits of a mask that are events (IN_ALL_EVENTS)
_SPECIAL = libc.IN_ISDIR | libc.IN_MOVED_FROM | libc.IN_MOVED_TO
_NAMES = libc.IN_CREATE | libc.IN_DELETE | libc.IN_MOVED_FROM | libc.IN_MOVED_TO


class _Move(NamedTuple):
    """A name that left, and was not seen to arrive anywhere yet."""

    path: str
    node: Node | None  # of a watched directory: it keeps its subtree
    since: float


class Inotify:
    """One inotify instance for any number of roots, and one more for the ways to them.

    Args:
        skips: Tells of a directory whether it is never to be opened or watched.

    Raises:
        OSError: there is no instance to be had.
    """

    name = "inotify"
    sees_close = True

    def __init__(self, skips: Callable[[str], bool]) -> None:
        self._roots: dict[str, Identity | None] = {}  # None: not there, or not watched
        self._items: list[Item] = []
        # By cookie: a directory with two names (a link to it is a root too) moves under both.
        self._moves: dict[int, list[_Move]] = {}
        self._held: list[tuple[Node, libc.Record]] = []  # heard below a directory on its way
        self._suspects: set[str] = set()  # directories to walk
        self._lost: set[str] = set()  # roots whose watch has ended
        self._doubted = self._overflowed = self._refresh = False
        self._lock = threading.RLock()  # never held while waiting
        self._polling = self._closed = False
        with contextlib.ExitStack() as undo:
            self._fd = libc.init()
            undo.callback(os.close, self._fd)
            self._ancestors = Ancestors()
            undo.callback(os.close, self._ancestors.fd)
            self._wakeup = libc.Wakeup()
            undo.callback(self._wakeup.close)
            self._descriptors = undo.pop_all()
        self._watches = Watches(self._fd, skips, self._roots, self._items.append)
        self._poll = select.poll()
        for fd in (self._fd, self._ancestors.fd, self._wakeup.fd):
            self._poll.register(fd, select.POLLIN)

    # --- the verbs every backend has ---

    def add(self, path: str) -> None:
        """Watch a directory and all below it; one that is missing is waited for.

        Raises:
            WatchError: the watcher is closed.
            LimitError: the kernel's limit of watches is used up.
        """
        with self._lock:
            self._check_open()
            if path not in self._roots:
                self._arm(path, report=False)
                self._check_roots()
        if self._items:  # one that could not be watched: a reader that waits shall say so
            self.wake()

    def remove(self, path: str) -> None:
        """Stop watching a root; what is below another root goes on.

        Raises:
            KeyError: the path was not added.
        """
        with self._lock:
            del self._roots[path]
            self._walk_again()

    def roots(self) -> list[str]:
        """Return the paths that were added."""
        return [] if self._closed else list(self._roots)

    def directories(self) -> int:
        """Count the directories that are watched."""
        return len(self._watches.tree)

    def refresh(self) -> None:
        """Let the next ``read`` walk the roots again, by the ignore rules of now."""
        self._refresh = True
        self.wake()

    def wake(self) -> None:
        """Let a blocked ``read`` return; from any thread."""
        self._wakeup.set()

    def close(self) -> None:
        """Stop; from any thread, also while another one is in ``read``; twice is no harm."""
        self._watches.closing = True
        with self._lock:
            self._closed = True
            if self._polling:
                self.wake()  # who waits for the descriptors gives them back
            else:
                self._release()

    def read(self, timeout: float | None = None) -> list[Item]:
        """Wait for events and return all that are there in one list; one thread reads.

        Args:
            timeout: Seconds; None waits for ever.

        Returns:
            The items in the kernel's order; empty after ``timeout``, ``wake`` or ``close``.

        Raises:
            WatchError: the watcher was closed before.
            LimitError: a new directory can no longer be watched.
        """
        self._check_open()
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            self._wait(until)
            with self._lock:
                if self._closed:
                    return []
                woken = self._wakeup.clear()
                self._collect()
                items = self._items.copy()
                self._items.clear()
            if items or woken or (until is not None and time.monotonic() >= until):
                return items

    # --- waiting ---

    def _check_open(self) -> None:
        if self._closed:
            raise WatchError("the watcher is closed")

    def _wait(self, until: float | None) -> None:
        with self._lock:
            if self._closed:
                return
            self._polling = True
            wait = self._patience(until)
        try:
            self._poll.poll(wait)
        finally:
            with self._lock:
                self._polling = False
                self._release()

    def _release(self) -> None:
        if self._closed:
            self._descriptors.close()

    def _patience(self, until: float | None) -> float | None:
        """Return for how many milliseconds nothing but an event matters."""
        if self._items or self._refresh:
            return 0
        moves = (move for moves in self._moves.values() for move in moves)
        ends = [move.since + MOVE_HOLD for move in moves if move.node is not None]
        if until is not None:
            ends.append(until)
        return max(0.0, min(ends) - time.monotonic()) * 1000 if ends else None

    # --- events ---

    def _collect(self) -> None:
        # The queue first: what then turns out to have moved away above is dropped before its
        # records are looked at, lest they come under a path that is something else by now.
        data = libc.drain(self._fd)
        self._doubted, elsewhere = self._ancestors.drain()
        if elsewhere:
            self._check_roots()
        for record in libc.decode(data):
            self._hear(record)
        self._walk_suspects()
        self._let_go()
        if self._doubted:
            self._doubted = False
            self._check_roots()
        if self._overflowed or self._refresh:
            item = Overflow if self._overflowed else Refreshed
            self._overflowed = self._refresh = False
            self._walk_again()
            self._items += [item(root) for root in self._roots]

    def _hear(self, record: libc.Record) -> None:
        """Take one record; one about a watch that was dropped is nobody's."""
        if record.mask & libc.IN_Q_OVERFLOW:
            self._overflowed = True
        for node in tuple(self._watches.tree.by_wd.get(record.wd, ())):
            if not record.name:
                self._take_self(node, record.mask)
            elif self._watches.tree.holds(node):
                self._take(f"{node.path}/{os.fsdecode(record.name)}", record)
            else:
                self._held.append((node, record))

    def _take(self, path: str, record: libc.Record) -> None:
        """Turn one record about a name into an event."""
        mask = record.mask
        if not mask & _SPECIAL:
            self._items.append(Event(path, _OPS[mask & _EVENTS]))
            return
        directory = bool(mask & libc.IN_ISDIR)
        renamed_from = None
        if mask & libc.IN_MOVED_FROM:
            self._leave(path, record.cookie, directory=directory)
        elif mask & libc.IN_MOVED_TO:
            renamed_from = self._arrive(path, record.cookie)
        self._items.append(Event(path, _OPS[mask & _EVENTS], renamed_from, directory))
        # ATTRIB: it may be readable now.
        if directory and (mask & _NAMES or path in self._watches.unreadable):
            self._suspects.add(path)
        if renamed_from is not None and self._held:
            self._hear_held()

    def _take_self(self, node: Node, mask: int) -> None:
        """Take a record about a watched directory itself."""
        is_root = node.path in self._roots
        if mask & libc.IN_UNMOUNT and not is_root:
            self._items.append(Event(node.path, Op.REMOVE, None, directory=True))
            self._suspects.add(node.path)  # what was hidden below the mount is there again
        if mask & libc.IN_IGNORED:  # the kernel has dropped the watch
            self._watches.drop(node)
            if is_root:
                self._lost.add(node.path)
        if is_root and mask & (libc.IN_IGNORED | libc.IN_MOVE_SELF):
            self._doubted = True

    def _leave(self, path: str, cookie: int, *, directory: bool) -> None:
        tree = self._watches.tree
        node = tree.by_path.get(path) if directory else None
        if node is not None:
            tree.detach(node)
        self._moves.setdefault(cookie, []).append(_Move(path, node, time.monotonic()))

    def _arrive(self, path: str, cookie: int) -> str | None:
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

    def _hear_held(self) -> None:
        """What was heard below a directory while it was on its way has a path now."""
        held, self._held = self._held, []
        for node, record in held:
            if self._watches.tree.holds(node):
                self._take(f"{node.path}/{os.fsdecode(record.name)}", record)
            else:
                self._held.append((node, record))

    def _walk_suspects(self) -> None:
        """Bring the watches in line wherever a directory came, went or moved."""
        suspects, self._suspects = self._suspects, set()
        for path in topmost(suspects):
            # One whose directory moved away meanwhile is walked under its new path.
            if os.path.dirname(path) in self._watches.tree.by_path:
                self._watches.walk(path, report=True)

    def _let_go(self) -> None:
        """What was moved out of the tree falls silent."""
        now = time.monotonic()
        for cookie, moves in list(self._moves.items()):
            if not moves or now - moves[0].since >= MOVE_HOLD:
                del self._moves[cookie]
                for move in moves:
                    if move.node is not None:
                        self._watches.drop(move.node)
        if not self._moves:
            self._held.clear()

    # --- roots ---

    def _arm(self, root: str, *, report: bool) -> None:
        known = identity(root)
        self._roots[root] = None  # from now on a link of that name is followed
        self._watches.walk(root, report=report)
        if root in self._watches.tree.by_path:
            self._roots[root] = known

    def _check_roots(self) -> None:
        """Compare each root with the disk until nothing changes: watch the way, then look."""
        changed = True
        while changed and not self._watches.closing:
            missing = [root for root, armed in self._roots.items() if armed is None]
            self._ancestors.follow(self._roots, missing)
            changed = any([self._rearm(root) for root in self._roots])  # noqa: C419 - each one

    def _rearm(self, root: str) -> bool:
        """Watch anew a root that is gone, back, or another directory; True when it is."""
        armed, at = self._roots[root], len(self._items)
        if identity(root) == armed and root not in self._lost:
            return False
        self._lost.discard(root)
        # A root below another one: the watch on its parent tells of it.
        told = os.path.dirname(root) in self._watches.tree.by_path
        if armed is not None:
            self._watches.forget(root)
        self._arm(root, report=True)
        is_there = self._roots[root] is not None
        if armed is not None and not told:
            self._items.insert(at, Event(root, Op.REMOVE, None, directory=True))
            at += 1
        if is_there and not told:
            self._items.insert(at, Event(root, Op.CREATE, None, directory=True))
        return is_there or armed is not None

    def _walk_again(self) -> None:
        """Watch all there is by now, and drop the rest."""
        before = self._watches.renew()
        self._moves.clear()
        self._held.clear()
        for root in self._roots:
            self._arm(root, report=False)
        self._watches.end(before)
        self._check_roots()
