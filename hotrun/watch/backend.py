"""The verbs that a kernel's watcher has; ``Watcher`` speaks only these.

A backend has no thread and no lock: the watcher calls one verb at a time, ``wait`` and ``wake``
apart. What it has to say it hands to the ``say`` that it was made with. Each has three layers:
a typed facade of the kernel's calls (ctypes functions, or an injected module), a pure decoder
where the kernel answers in bytes, and pure bookkeeping; only ``take`` reads the descriptor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotrun.watch.event import Op


class Source(Protocol):
    """Something that finds out what happened below the roots of a ``Scope``."""

    name: str
    offers: Op  # what it can tell

    def arm(self, path: str) -> None:
        """Begin to watch a root that ``scope.roots`` has just got, or got wider.

        What is there already is not told. A root that is missing is waited for.

        Raises:
            LimitError: no directory at all can be watched, and nobody polls instead.
        """

    def disarm(self, path: str) -> None:
        """Cease to watch a root that ``scope.roots`` no longer has; what others cover stays."""

    def refresh(self) -> None:
        """Walk the roots again: ``scope.skips`` answers differently. Says ``Refreshed``."""

    def directories(self) -> int:
        """Count the directories that are watched."""

    def places(self) -> Iterable[str]:
        """Return the directories that are watched."""

    def due(self) -> float | None:
        """When ``take`` has work though nothing comes (``time.monotonic``); None: never."""

    def take(self) -> None:
        """Say what has happened by now, without waiting.

        Raises:
            OSError: watching has come to an end.
        """

    def release(self) -> None:
        """Give every descriptor back. Nothing is called afterwards."""


class Backend(Source, Protocol):
    """A source that can be waited for."""

    def begin(self, path: str) -> None:
        """Do what it can of ``arm`` before that is called, beside what its caller does; or nothing.

        Only called where there are no threads: it may fork.
        """

    def wait(self, seconds: float | None) -> None:
        """Come back when something happened, when woken, or after a time; None: no limit.

        The one verb that is called without the watcher's lock; it changes nothing.
        """

    def wake(self) -> None:
        """Let ``wait`` come back, now or when it is next called; from any thread."""

    def woken(self) -> bool:
        """Tell whether ``wake`` was called since the last time, and forget it."""
