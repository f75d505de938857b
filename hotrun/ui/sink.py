"""Where subscribers write to, for a reader that may stall.

A write to a full pipe blocks, and with it the one loop: no signal would be heard any more. The
descriptor stays as it was found: O_NONBLOCK would reach everybody else who has it, the app among
them. So a pipe or a terminal is opened once more. What cannot be is written only while poll(2)
says that it has room, which in a pipe is PIPE_BUF bytes at least then (pipe(7)). The rest waits
here until there is.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import select
import stat
import sys
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
        self._fd, self._blocks = _unblocked(stream.fileno())
        self._encoding = stream.encoding or "utf-8"
        self._errors = stream.errors or "strict"
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLOUT)
        self._waiting = bytearray()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def behind(self) -> bool:
        """Whether so much waits that no more should come."""
        return len(self._waiting) > MUCH

    def write(self, text: str, /) -> None:
        """Write a text, and keep what there is no room for.

        Raises:
            OSError: nobody reads any more (EPIPE), or by far too slowly (ENOBUFS).
        """
        data = text.encode(self._encoding, self._errors)
        # What there is room for is not copied once more.
        self._waiting += data if self._waiting else data[self._put(data) :]
        if len(self._waiting) > MOST:
            raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))

    def flush(self) -> None:
        """Write what there is room for by now; the loop goes on with the rest."""
        if self._waiting:
            del self._waiting[: self._put(self._waiting)]
        if self._waiting and self._loop is None:
            with contextlib.suppress(RuntimeError):  # no loop yet, or no more: see `finish`
                self._loop = asyncio.get_running_loop()
                self._loop.add_writer(self._fd, self._go_on)

    def finish(self) -> None:
        """Write the rest, as far as somebody takes it: hotrun ends."""
        until = time.monotonic() + PATIENCE
        try:
            while self._waiting and self._has_room(until - time.monotonic()):
                with contextlib.suppress(BlockingIOError):
                    del self._waiting[: os.write(self._fd, self._waiting[:ROOM])]
        except OSError:  # nobody reads it
            self._waiting.clear()

    def _put(self, data: bytes | bytearray) -> int:
        """Write what there is room for, and return how many bytes that was."""
        done, size = 0, ROOM if self._blocks else len(data)
        # Full, or less room than it seemed.
        with contextlib.suppress(BlockingIOError), memoryview(data) as view:
            while done < len(data) and (not self._blocks or self._poll.poll(0)):
                done += os.write(self._fd, view[done : done + size])
        return done

    def _has_room(self, seconds: float) -> bool:
        return bool(self._poll.poll(max(0.0, seconds) * 1000))

    def _go_on(self) -> None:
        try:
            self.flush()
        except OSError:  # the next notice will hear of it
            self._waiting.clear()
        if not self._waiting and self._loop is not None:
            self._loop.remove_writer(self._fd)
            self._loop = None


def _unblocked(fd: int) -> tuple[int, bool]:
    """Return where to write instead of a stream, and whether its reader may block us there.

    A terminal takes nothing after Ctrl-S, and poll(2) promises no number of bytes there. A pipe
    has a name in Linux alone, where to open that means the pipe (proc_pid_fd(5)); not when it is
    another user's (sudo). A socket (node's pipes are such) has none, and has room for more than
    ROOM when poll(2) says so. A file never blocks.
    """
    mode = os.fstat(fd).st_mode
    terminal, pipe = os.isatty(fd), stat.S_ISFIFO(mode)
    if terminal or (pipe and sys.platform == "linux"):
        flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
        with contextlib.suppress(OSError):  # a terminal of another container has no name here
            return os.open(os.ttyname(fd) if terminal else f"/proc/self/fd/{fd}", flags), False
    return fd, terminal or pipe or stat.S_ISSOCK(mode)
