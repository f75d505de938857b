"""The backend for Linux: what inotify tells, as events with paths.

Law: watch first, then list, then report what the listing found; so nothing is lost between a
directory's birth and our hearing of it. Only ``read`` touches the descriptor.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import threading
import time
from typing import TYPE_CHECKING

from hotrun.errors import WatchError
from hotrun.watch import libc
from hotrun.watch.event import Event, Item, Op, Overflow, Refreshed, Unwatched
from hotrun.watch.limits import LimitError
from hotrun.watch.roots import Ancestors, Identity, identity
from hotrun.watch.tree import Node, Tree

if TYPE_CHECKING:
    from collections.abc import Callable

# Never ACCESS, OPEN or CLOSE_NOWRITE: a build reads everything. CLOSE_WRITE is needed because
# a write through mmap gives no MODIFY at all. MASK_ADD: a second owner of an inode must not
# take bits away from the first.
MASK = (
    libc.IN_MODIFY
    | libc.IN_ATTRIB
    | libc.IN_CLOSE_WRITE
    | libc.IN_MOVED_FROM
    | libc.IN_MOVED_TO
    | libc.IN_CREATE
    | libc.IN_DELETE
    | libc.IN_DELETE_SELF
    | libc.IN_MOVE_SELF
    | libc.IN_ONLYDIR
    | libc.IN_MASK_ADD
)
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


class Inotify:
    """One inotify instance for any number of roots, and one more for their ancestors.

    Args:
        skips: Tells of a directory whether it is never to be opened or watched.
    """

    name = "inotify"
    sees_close = True

    def __init__(self, skips: Callable[[str], bool]) -> None:
        self._skips = skips
        self._fd = libc.init()
        try:
            self._ancestors = Ancestors()
        except OSError:
            os.close(self._fd)
            raise
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.poll()
        for fd in (self._fd, self._ancestors.fd, self._wake_fd):
            self._poll.register(fd, select.POLLIN)
        self._tree = Tree()
        self._roots: dict[str, Identity | None] = {}
        # On their way: cookie -> (old path, its node if a directory, when); and directories
        # whose name another one took (RENAME_EXCHANGE tells of them right afterwards).
        self._moves: dict[int, tuple[str, Node | None, float]] = {}
        self._displaced: dict[str, tuple[Node, float]] = {}
        self._items: list[Item] = []
        self._unreadable: set[str] = set()
        self._refresh = False
        self._lock = threading.Lock()  # never held while waiting
        self._polling = self._closed = False

    # --- the verbs every backend has ---

    def add(self, path: str) -> None:
        """Watch a directory and all below it; one that is missing is waited for.

        Raises:
            LimitError: the kernel's limit of watches is used up.
        """
        with self._lock:
            self._arm(path, report=False)
            self._ancestors.follow(self._roots)
            self._check_roots()

    def remove(self, path: str) -> None:
        """Stop watching a root; what is below another root goes on.

        Raises:
            KeyError: the path was not added.
        """
        with self._lock:
            del self._roots[path]
            self._forget(path)
            self._ancestors.follow(self._roots)
            for root in self._roots:
                if f"{root}/".startswith(f"{path}/") or f"{path}/".startswith(f"{root}/"):
                    self._arm(root, report=False)

    def roots(self) -> list[str]:
        """Return the paths that were added."""
        return list(self._roots)

    def directories(self) -> int:
        """Count the directories that are watched."""
        return len(self._tree)

    def refresh(self) -> None:
        """Let the next ``read`` walk the roots again, by the ignore rules of now."""
        self._refresh = True
        self.wake()

    def wake(self) -> None:
        """Let a blocked ``read`` return; from any thread."""
        with contextlib.suppress(OSError):  # closed by now: nobody is left to be woken
            os.eventfd_write(self._wake_fd, 1)

    def close(self) -> None:
        """Stop; from any thread, also while another one is in ``read``; twice is no harm."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._polling:
                self.wake()
            else:
                self._release()

    def read(self, timeout: float | None = None) -> list[Item]:
        """Wait for events and return all that are there in one list.

        Args:
            timeout: Seconds; None waits for ever.

        Returns:
            The items in the kernel's order; empty after ``timeout``, ``wake`` or ``close``.

        Raises:
            WatchError: the watcher was closed before.
            LimitError: a new directory can no longer be watched.
        """
        with self._lock:
            if self._closed:
                raise WatchError("the watcher is closed")
            self._polling = True
            wait = self._wait(timeout)
        self._poll.poll(None if wait is None else wait * 1000)
        with self._lock:
            self._polling = False
            return self._collect()

    # --- events ---

    def _wait(self, timeout: float | None) -> float | None:
        if self._items:
            return 0
        held = [since for _, _, since in self._moves.values()]
        held += [since for _, since in self._displaced.values()]
        if not held:
            return timeout
        rest = max(0.001, min(held) + MOVE_HOLD - time.monotonic())
        return rest if timeout is None else min(rest, timeout)

    def _collect(self) -> list[Item]:
        if self._closed:  # while we waited; the descriptors were left to us
            self._release()
            return []
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake_fd)
        suspicious = self._ancestors.drain()
        overflowed = False
        for record in libc.decode(libc.drain(self._fd)):
            if record.name:
                for node in tuple(self._tree.by_wd.get(record.wd, ())):
                    self._take(f"{node.path}/{os.fsdecode(record.name)}", record)
            elif record.mask & libc.IN_Q_OVERFLOW:
                overflowed = True
            else:
                suspicious |= self._take_self(record)
        self._let_go()
        if suspicious:
            self._check_roots()
        if overflowed or self._refresh:
            self._refresh = False
            self._walk_again(Overflow if overflowed else Refreshed)
        items, self._items = self._items, []
        return items

    def _take(self, path: str, record: libc.Record) -> None:
        """Turn one record about a name into events, and keep the tree true."""
        mask = record.mask
        directory = bool(mask & libc.IN_ISDIR)
        op = _OPS[mask & 0xFFF]
        renamed_from = None
        if mask & libc.IN_MOVED_FROM:
            self._leave(path, record.cookie)
        elif mask & libc.IN_MOVED_TO:
            renamed_from = self._arrive(path, record.cookie)
        elif directory and mask & libc.IN_DELETE:
            self._forget(path)
        self._items.append(Event(path, op, renamed_from, directory))
        if directory and op & Op.CREATE and path not in self._tree.by_path:
            self._watch(path, report=True)

    def _take_self(self, record: libc.Record) -> bool:
        """Take a record about a watched directory itself; True when a root may be gone."""
        nodes = self._tree.by_wd.get(record.wd, [])
        is_root = any(node.path in self._roots for node in nodes)
        if record.mask & libc.IN_IGNORED:  # the kernel dropped the wd: forget it, no rm_watch
            for node in tuple(nodes):
                self._tree.drop(node)
        gone = libc.IN_DELETE_SELF | libc.IN_MOVE_SELF | libc.IN_UNMOUNT | libc.IN_IGNORED
        return is_root and bool(record.mask & gone)

    def _leave(self, path: str, cookie: int) -> None:
        node, _ = self._displaced.pop(path, (self._tree.by_path.get(path), 0.0))
        if node is not None:
            self._tree.detach(node)
        self._moves[cookie] = (path, node, time.monotonic())

    def _arrive(self, path: str, cookie: int) -> str | None:
        """Hang what was on its way under its new name; return the old one, if known."""
        old, node, _ = self._moves.pop(cookie, (None, None, 0.0))
        if node is None:
            return old
        occupant = self._tree.by_path.get(path)
        if occupant is not None:
            self._tree.detach(occupant)
            self._displaced[path] = (occupant, time.monotonic())
        if self._skips(path):
            self._drop(node)
        else:
            self._tree.attach(node, path)
        return old

    def _let_go(self) -> None:
        """What was moved out of the tree falls silent."""
        now = time.monotonic()
        for cookie, (_, node, since) in list(self._moves.items()):
            if now - since >= MOVE_HOLD:
                del self._moves[cookie]
                if node is not None:
                    self._drop(node)
        for path, (node, since) in list(self._displaced.items()):
            if now - since >= MOVE_HOLD:
                del self._displaced[path]
                self._drop(node)

    # --- watches ---

    def _arm(self, root: str, *, report: bool) -> None:
        self._roots[root] = identity(root)
        if self._roots[root] is not None:
            self._watch(root, report=report)

    def _watch(self, path: str, *, report: bool) -> None:
        """Watch a directory and all below it, each one before it is listed."""
        stack = [path]
        while stack:
            directory = stack.pop()
            if not self._skips(directory) and self._watch_one(directory):
                stack.extend(self._list(directory, report=report))

    def _watch_one(self, directory: str) -> bool:
        follow = directory in self._roots
        mask = MASK if follow else MASK | libc.IN_DONT_FOLLOW
        try:
            wd = libc.add_watch(self._fd, directory, mask)
        except OSError as error:
            self._cannot(directory, error)
            return False
        for unused in self._tree.hang(directory, wd):
            libc.remove_watch(self._fd, unused)
        return True

    def _list(self, directory: str, *, report: bool) -> list[str]:
        """Return the directories in a directory; report what is there as created."""
        below = []
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    is_directory = entry.is_dir(follow_symlinks=False)
                    if is_directory:
                        below.append(entry.path)
                    if report:
                        self._items.append(Event(entry.path, Op.CREATE, None, is_directory))
        except OSError as error:
            self._cannot(directory, error)
        return below

    def _cannot(self, directory: str, error: OSError) -> None:
        if error.errno in (errno.ENOSPC, errno.ENOMEM, errno.EMFILE, errno.ENFILE):
            raise LimitError(error) from error
        # Gone before we came, or no directory any more: its end was or will be reported.
        gone = error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
        if not gone and directory not in self._unreadable:
            self._unreadable.add(directory)
            self._items.append(Unwatched(directory, error))

    def _forget(self, path: str) -> None:
        node = self._tree.by_path.get(path)
        if node is not None:
            self._drop(node)

    def _drop(self, node: Node) -> None:
        for wd in self._tree.drop(node):
            libc.remove_watch(self._fd, wd)

    def _check_roots(self) -> None:
        """Compare each root with the disk: gone, back, or another directory by now."""
        for root, armed in list(self._roots.items()):
            if identity(root) == armed:
                continue
            if armed is not None:
                self._forget(root)
                self._items.append(Event(root, Op.REMOVE, None, directory=True))
            self._arm(root, report=True)
            if self._roots[root] is not None:
                self._items.append(Event(root, Op.CREATE, None, directory=True))
        self._ancestors.follow(self._roots)

    def _walk_again(self, item: type[Overflow | Refreshed]) -> None:
        """Watch all there is by now, drop the rest, and say that a listing is due."""
        before, self._tree = self._tree, Tree()
        self._moves.clear()
        self._displaced.clear()
        for root in self._roots:
            self._arm(root, report=False)
            self._items.append(item(root))
        for wd in before.by_wd.keys() - self._tree.by_wd.keys():
            libc.remove_watch(self._fd, wd)
        self._ancestors.follow(self._roots)

    def _release(self) -> None:
        for fd in (self._fd, self._ancestors.fd, self._wake_fd):
            os.close(fd)
