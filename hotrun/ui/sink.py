"""Where subscribers write to, for a reader that may stall.

A write to a full pipe blocks, and with it the one loop: no signal would be heard any more. So a
pipe is written only while poll(2) says that it has room, which then is PIPE_BUF bytes at least
(pipe(7)); the rest waits here until there is. The descriptor stays as it was found: O_NONBLOCK
would reach everybody else who has it, the app among them.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import select
import stat
import time
from typing import Protocol, TextIO

ROOM = 4096  # PIPE_BUF of Linux; elsewhere it is 512 at least
MOST = 64 * 1024 * 1024  # bytes that may wait; a reader that is so far behind is none
MUCH = 1024 * 1024  # bytes that wait before the children's pipes are left alone
PATIENCE = 1.0  # seconds that a reader has for the rest, at our end


class Stream(Protocol):
    """What a subscriber needs of the stream it writes to."""

    def write(self, text: str, /) -> object:
        """Write a text."""

    def flush(self) -> None:
        """Do not keep it."""


class Sink:
    """A stream for lines, which blocks for nobody who reads a pipe too slowly.

    Args:
        stream: Where to write; its encoding and its errors are kept.
    """

    def __init__(self, stream: TextIO) -> None:
        self._fd = stream.fileno()
        self._encoding = stream.encoding or "utf-8"
        self._errors = stream.errors or "strict"
        self._pipe = stat.S_ISFIFO(os.fstat(self._fd).st_mode)
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLOUT)
        self._waiting = bytearray()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def behind(self) -> bool:
        """Whether so much waits that no more should come."""
        return len(self._waiting) > MUCH

    def write(self, text: str, /) -> None:
        """Write a text, or keep it until there is room.

        Raises:
            OSError: nobody reads any more (EPIPE), or by far too slowly (ENOBUFS).
        """
        self._waiting += text.encode(self._encoding, self._errors)
        if len(self._waiting) > MOST:
            raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))

    def flush(self) -> None:
        """Write what there is room for; the loop goes on with the rest."""
        while self._waiting and self._has_room(0):
            size = ROOM if self._pipe else len(self._waiting)
            del self._waiting[: os.write(self._fd, self._waiting[:size])]
        if self._waiting and self._loop is None:
            with contextlib.suppress(RuntimeError):  # no loop yet, or no more: see `finish`
                self._loop = asyncio.get_running_loop()
                self._loop.add_writer(self._fd, self._go_on)

    def finish(self) -> None:
        """Write the rest, as far as somebody takes it: hotrun ends."""
        until = time.monotonic() + PATIENCE
        try:
            while self._waiting and self._has_room(until - time.monotonic()):
                del self._waiting[: os.write(self._fd, self._waiting[:ROOM])]
        except OSError:  # nobody reads it
            self._waiting.clear()

    def _has_room(self, seconds: float) -> bool:
        if not self._pipe:
            return True
        return bool(self._poll.poll(max(0.0, seconds) * 1000))

    def _go_on(self) -> None:
        try:
            self.flush()
        except OSError:  # the next notice will hear of it
            self._waiting.clear()
        if not self._waiting and self._loop is not None:
            self._loop.remove_writer(self._fd)
            self._loop = None
