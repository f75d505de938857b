"""The watcher wing: a library of its own, which knows no build, no config and no loop.

``Watcher`` chooses the backend: the kernel's events where there are any and the limits allow
it, polling otherwise. Who needs certainty puts a ``Sieve`` behind it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Protocol, Self

from hotrun.errors import WatchError
from hotrun.watch.event import Event, Item, Op, Overflow, Refreshed, Unwatched
from hotrun.watch.limits import LimitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Event", "Item", "Op", "Overflow", "Refreshed", "Unwatched", "Watcher"]


class Backend(Protocol):
    """The verbs of every backend; what each means is said at ``Watcher``."""

    name: str
    sees_close: bool

    def add(self, path: str) -> None: ...
    def remove(self, path: str) -> None: ...
    def roots(self) -> list[str]: ...
    def directories(self) -> int: ...
    def refresh(self) -> None: ...
    def wake(self) -> None: ...
    def close(self) -> None: ...
    def read(self, timeout: float | None = None) -> list[Item]: ...


class Watcher:
    """Watches directories, recursively, and says what happened to the files in them.

    Args:
        backend: "native", "poll", or "auto": native where the kernel has it and its limits
            allow it, polling otherwise (``reason`` then says why).
        skips: Tells of a directory whether it is never to be opened, listed or watched.
        wants: Tells of a file whether it counts; a backend that pays for each file asks.
        interval: Seconds between two looks, for polling.

    Raises:
        WatchError: ``backend`` is "native" and there is none, or its limits are used up.
    """

    def __init__(
        self,
        backend: str = "auto",
        *,
        skips: Callable[[str], bool] | None = None,
        wants: Callable[[str], bool] | None = None,
        interval: float = 0.5,
    ) -> None:
        self._skips = skips or (lambda _: False)
        self._wants = wants or (lambda _: True)
        self._interval = interval
        self._may_poll = backend != "native"
        self._closed = False
        self.reason = ""
        self._backend = self._open(backend)

    def _open(self, backend: str) -> Backend:
        if backend == "poll":
            self.reason = "asked for"
        elif sys.platform == "linux":
            from hotrun.watch.inotify import Inotify

            try:
                return Inotify(self._skips)
            except OSError as error:
                if not self._may_poll:
                    raise LimitError(error) from error
                self.reason = str(LimitError(error).message)
        else:
            self.reason = f"no native watcher for {sys.platform} yet"
        return self._polling()

    def _polling(self) -> Backend:
        from hotrun.watch.polling import Polling

        return Polling(self._skips, self._wants, self._interval)

    @property
    def backend(self) -> str:
        """The name of the backend at work: "inotify" or "polling"."""
        return self._backend.name

    @property
    def sees_close(self) -> bool:
        """Whether the backend tells that a written file was closed."""
        return self._backend.sees_close

    @property
    def directories(self) -> int:
        """How many directories are watched by now."""
        return self._backend.directories()

    def add(self, path: str) -> None:
        """Watch a directory and all below it; one that is missing is waited for.

        Raises:
            WatchError: the watcher is closed; or the kernel's limit is used up, and polling was
                ruled out.
        """
        path = os.path.abspath(path)
        try:
            self._backend.add(path)
        except LimitError as error:
            self._fall_back(error)
            self._backend.add(path)

    def remove(self, path: str) -> None:
        """Stop watching a directory that was added.

        Raises:
            KeyError: it was not.
        """
        self._backend.remove(os.path.abspath(path))

    def watch_list(self) -> list[str]:
        """Return the directories that were added, not those found below them."""
        return self._backend.roots()

    def read(self, timeout: float | None = None) -> list[Item]:
        """Wait for events.

        Args:
            timeout: Seconds; None waits for ever.

        Returns:
            All that is there, in one list; empty after ``timeout``, ``wake`` or ``close``.

        Raises:
            WatchError: the watcher is closed, or cannot go on.
        """
        try:
            return self._backend.read(timeout)
        except LimitError as error:
            self._fall_back(error)
            return [Overflow(root) for root in self.watch_list()]

    def _fall_back(self, error: LimitError) -> None:
        """Poll from now on; what may have been missed meanwhile is for a listing to find."""
        if not self._may_poll:
            raise error
        roots = self._backend.roots()
        self._backend.close()
        self._backend = self._polling()
        self.reason = f"{error.message}; {error.hint}"
        if self._closed:  # by another thread, which may have met the old backend only
            self._backend.close()
        with contextlib.suppress(WatchError):  # closed meanwhile
            for root in roots:
                self._backend.add(root)

    def refresh(self) -> None:
        """Walk the roots again: ``skips`` answers differently from now on."""
        self._backend.refresh()

    def wake(self) -> None:
        """Let a blocked ``read`` return an empty list; from any thread."""
        self._backend.wake()

    def close(self) -> None:
        """Stop watching; from any thread, any number of times."""
        self._closed = True
        self._backend.close()

    def __iter__(self) -> Iterator[Item]:
        """Yield what comes, until the watcher is closed."""
        while not self._closed:
            try:
                items = self.read()
            except WatchError:
                if not self._closed:
                    raise
            else:
                yield from items

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
