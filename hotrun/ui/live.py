"""A line that changes while something lasts: how long a build takes, what is waited for.

Only on a terminal, and only while nobody but us prints there: what an app prints by itself would
be torn by it. The cursor is left at its beginning, so that what comes all the same begins there.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.ui.sink import Stream

FIRST = 0.5  # seconds; what is over sooner needs no line
TICK = 0.2  # seconds; a person reads tenths, and nobody else is kept awake for longer than needed
ERASE = "\r\x1b[K"


class LiveLine:
    """Draws a line again and again until it is hidden.

    Args:
        stream: A terminal.
        columns: Returns its width; a longer line is cut, because a wrapped one cannot be erased.
    """

    def __init__(self, stream: Stream, columns: Callable[[], int]) -> None:
        self._stream = stream
        self._columns = columns
        self._text: Callable[[float], str] | None = None
        self._drawn = False
        self._began = 0.0
        self._next: asyncio.TimerHandle | None = None

    def show(self, text: Callable[[float], str], first: float = FIRST) -> None:
        """Show a line from now on.

        Args:
            text: Is given the seconds since now, and returns the line.
            first: Seconds until it is drawn.
        """
        self.hide()
        self._text, self._began = text, time.monotonic()
        with contextlib.suppress(RuntimeError):  # no loop yet, or no more
            self._next = asyncio.get_running_loop().call_later(first, self._draw)

    def hide(self) -> None:
        """Show it no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        self._text = None
        self.give_way()

    def give_way(self) -> None:
        """Make room for a line that stays; the live one comes back at its next tick."""
        if self._drawn:
            self._drawn = False
            self._write(ERASE)

    def _draw(self) -> None:
        if self._text is None:
            return
        line = self._text(time.monotonic() - self._began)[: self._columns() - 1]
        self._write(f"{ERASE}\x1b[2m{line}\x1b[0m\r")
        self._drawn = True
        self._next = asyncio.get_running_loop().call_later(TICK, self._draw)

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # SIGHUP tells us that the terminal has gone
            self._stream.write(text)
            self._stream.flush()
