"""The backend for everywhere else: list the tree again and again, and compare.

It serves where the kernel has no events to give, or no more watches. The pause grows with the
cost of a listing, so that polling stays below 3 % of one core.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from hotrun.errors import WatchError
from hotrun.watch.event import Event, Item, Op, Refreshed, Unwatched
from hotrun.watch.snapshot import Directory, Listing, Signature, list_tree

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE = 35  # times the cost of a listing: 1/35 is below 3 % of a core


class Polling:
    """Stands in for a kernel's events.

    Args:
        skips: Tells of a directory whether it is never to be opened.
        wants: Tells of a file whether it counts; others are not even looked at.
        interval: Seconds between two listings, at least.
    """

    name = "polling"
    sees_close = False

    def __init__(
        self, skips: Callable[[str], bool], wants: Callable[[str], bool], interval: float
    ) -> None:
        self._skips = skips
        self._wants = wants
        self._interval = interval
        self._roots: dict[str, Listing] = {}
        self._items: list[Item] = []
        self._unreadable: set[str] = set()
        self._due = 0.0
        self._refresh = False
        self._woken = threading.Event()
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def add(self, path: str) -> None:
        """Watch a directory and all below it; one that is missing is waited for.

        Raises:
            WatchError: the watcher is closed.
        """
        self._check_open()
        with self._lock:
            begin = time.monotonic()
            if path not in self._roots:
                self._roots[path] = self._list(path)
            self._rest(begin)

    def remove(self, path: str) -> None:
        """Stop watching a root.

        Raises:
            KeyError: the path was not added.
        """
        with self._lock:
            del self._roots[path]

    def roots(self) -> list[str]:
        """Return the paths that were added."""
        return [] if self._closed.is_set() else list(self._roots)

    def directories(self) -> int:
        """Count the directories that are listed."""
        return len({path for listing in tuple(self._roots.values()) for path in listing})

    def refresh(self) -> None:
        """List again at once, by the ignore rules of now."""
        self._refresh = True
        self.wake()

    def wake(self) -> None:
        """Let a blocked ``read`` return; from any thread."""
        self._woken.set()

    def close(self) -> None:
        """Stop; from any thread, also while another one is in ``read``; twice is no harm."""
        self._closed.set()
        self.wake()

    def read(self, timeout: float | None = None) -> list[Item]:
        """Wait until a listing differs; see the other backends.

        Raises:
            WatchError: the watcher was closed before.
        """
        self._check_open()
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            woken = self._wait(until)
            if self._closed.is_set():
                return []
            with self._lock:
                self._look()
                items, self._items = self._items, []
            if self._closed.is_set():  # what a listing that was broken off shows is not so
                return []
            if items or woken or (until is not None and time.monotonic() >= until):
                return items

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise WatchError("the watcher is closed")

    def _wait(self, until: float | None) -> bool:
        due = self._due if until is None else min(self._due, until)
        woken = self._woken.wait(max(0.0, due - time.monotonic()))
        if woken:
            self._woken.clear()
        return woken

    def _look(self) -> None:
        begin = time.monotonic()
        if not self._refresh and begin < self._due:
            return
        refresh, self._refresh = self._refresh, False
        for root, before in self._roots.items():
            now = self._roots[root] = self._list(root)
            self._items += [Refreshed(root)] if refresh else differences(before, now)
        self._rest(begin)

    def _list(self, root: str) -> Listing:
        return list_tree([root], self._passes_by, self._wants, self._cannot)

    def _passes_by(self, directory: str) -> bool:
        return self._closed.is_set() or self._skips(directory)

    def _cannot(self, directory: str, error: OSError) -> None:
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            self._unreadable.discard(directory)
        elif directory not in self._unreadable:
            self._unreadable.add(directory)
            self._items.append(Unwatched(directory, error))

    def _rest(self, begin: float) -> None:
        now = time.monotonic()
        self._due = now + max(self._interval, PAUSE * (now - begin))


def differences(before: Listing, now: Listing) -> list[Item]:
    """Return what happened between two listings, as events."""
    items: list[Item] = []
    nothing = Directory()
    for path, directory in before.items():
        if path not in now:
            items += _file_differences(path, directory.files, {})
            items.append(Event(path, Op.REMOVE, None, directory=True))
    for path, directory in now.items():
        if path not in before:
            items.append(Event(path, Op.CREATE, None, directory=True))
        items += _file_differences(path, before.get(path, nothing).files, directory.files)
    return items


def _file_differences(
    directory: str, old: dict[str, Signature], new: dict[str, Signature]
) -> list[Item]:
    if old == new:
        return []
    return [
        Event(f"{directory}/{name}", _difference(old.get(name), new.get(name)))
        for name in {**old, **new}
        if old.get(name) != new.get(name)
    ]


def _difference(before: Signature | None, now: Signature | None) -> Op:
    if before is None:
        return Op.CREATE
    if now is None:
        return Op.REMOVE
    written = before[:3] != now[:3]
    if before.mode != now.mode:
        return Op.WRITE | Op.CHMOD if written else Op.CHMOD
    return Op.WRITE  # if only the inode's change differs, somebody set the time back
