"""The backend for everywhere else: list the tree again and again, and compare.

It serves where the kernel has no events to give, or no more watches. The pause grows with the
cost of a listing, so that polling stays below 3 % of one core.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from hotrun.errors import WatchError
from hotrun.watch.event import Event, Item, Op, Refreshed
from hotrun.watch.roots import identity
from hotrun.watch.snapshot import Listing, Signature, list_tree

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
        self._cost = 0.0
        self._due = 0.0
        self._refresh = False
        self._woken = threading.Event()
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def add(self, path: str) -> None:
        """Watch a directory and all below it; one that is missing is waited for."""
        with self._lock:
            self._roots[path] = self._list(path)
            self._due = time.monotonic() + self._pause()

    def remove(self, path: str) -> None:
        """Stop watching a root.

        Raises:
            KeyError: the path was not added.
        """
        with self._lock:
            del self._roots[path]

    def roots(self) -> list[str]:
        """Return the paths that were added."""
        return list(self._roots)

    def directories(self) -> int:
        """Count the directories that are listed."""
        return sum(len(listing) for listing in self._roots.values())

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
        if self._closed.is_set():
            raise WatchError("the watcher is closed")
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            woken = self._wait(until)
            if self._closed.is_set():
                return []
            if self._refresh:
                return self._list_anew()
            items = self._compare() if time.monotonic() >= self._due else []
            if items or woken or (until is not None and time.monotonic() >= until):
                return items

    def _wait(self, until: float | None) -> bool:
        due = self._due if until is None else min(self._due, until)
        woken = self._woken.wait(max(0.0, due - time.monotonic()))
        self._woken.clear()
        return woken

    def _list(self, root: str) -> Listing:
        begin = time.monotonic()
        listing = list_tree([root], self._skips, self._wants) if identity(root) else {}
        self._cost = max(time.monotonic() - begin, self._cost * 0.5)
        return listing

    def _pause(self) -> float:
        return max(self._interval, PAUSE * self._cost)

    def _compare(self) -> list[Item]:
        with self._lock:
            items: list[Item] = []
            for root, before in self._roots.items():
                now = self._list(root)
                items.extend(differences(before, now))
                self._roots[root] = now
            self._due = time.monotonic() + self._pause()
            return items

    def _list_anew(self) -> list[Item]:
        self._refresh = False
        with self._lock:
            for root in self._roots:
                self._roots[root] = self._list(root)
            return [Refreshed(root) for root in self._roots]


def differences(before: Listing, now: Listing) -> list[Item]:
    """Return what happened between two listings, as events."""
    items: list[Item] = []
    for directory in before.keys() - now.keys():
        items += [Event(f"{directory}/{name}", Op.REMOVE) for name in before[directory]]
        items.append(Event(directory, Op.REMOVE, None, directory=True))
    for directory, files in now.items():
        if directory not in before:
            items.append(Event(directory, Op.CREATE, None, directory=True))
        old = before.get(directory, {})
        if old != files:
            items += _file_differences(directory, old, files)
    return items


def _file_differences(
    directory: str, old: dict[str, Signature], new: dict[str, Signature]
) -> list[Item]:
    items: list[Item] = []
    for name in old.keys() | new.keys():
        before, now = old.get(name), new.get(name)
        if before == now:
            continue
        if before is None:
            op = Op.CREATE
        elif now is None:
            op = Op.REMOVE
        elif before[:3] == now[:3]:
            op = Op.CHMOD
        else:
            op = Op.WRITE if before.mode == now.mode else Op.WRITE | Op.CHMOD
        items.append(Event(f"{directory}/{name}", op))
    return items
