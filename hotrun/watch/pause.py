"""How a watcher waits: without a kernel to wait for, and not too eagerly in a burst."""

from __future__ import annotations

import threading
import time


class Pause:
    """The waiting verbs of a backend (see ``backend.Backend``), and nothing else."""

    def __init__(self) -> None:
        self._wake = threading.Event()

    def wait(self, seconds: float | None) -> None:
        """Wait until woken, or for a time."""
        self._wake.wait(seconds)

    def wake(self) -> None:
        """Let ``wait`` come back; from any thread."""
        self._wake.set()

    def woken(self) -> bool:
        """Tell whether somebody did wake."""
        woken = self._wake.is_set()
        if woken:
            self._wake.clear()
        return woken

    def release(self) -> None:
        """Nothing to give back."""


class Pace:
    """Lets events of a burst gather, so that one read takes many of them.

    A read of one event costs fifty times what one more event in it does, and a checkout or an
    unpacking writes for seconds. What is saved now and then is never held up: that takes a row
    of reads, each soon after the other.

    Args:
        row: How many reads in a row are free.
        rest: Seconds between two reads after that.
        most: Times as many, in a burst that goes on and on.
    """

    def __init__(self, row: int = 20, rest: float = 0.005, most: int = 4) -> None:
        self._row = row
        self._rests = rest, rest * most
        self._rest = rest
        self._credit = float(row)
        self._last = 0.0

    def rest(self) -> float:
        """Return how many seconds to leave the queue alone before the next read."""
        shortest, longest = self._rests
        now = time.monotonic()
        self._credit = min(self._row, self._credit + (now - self._last) / self._rest)
        self._last = now
        if self._credit >= self._row / 2:
            self._rest = shortest
        if self._credit >= 1:
            return 0.0
        rest = self._rest * (1 - self._credit)
        self._rest = min(longest, self._rest * (1 + 1 / self._row))
        return rest

    def spend(self) -> None:
        """Count a read that brought something."""
        self._credit -= 1
