"""What a child prints: bytes of a pipe, cut into lines of any length.

The end of the output is a fact of its own: a grandchild may keep the pipe open long after the
child has exited, so nobody waits for it (see ``Pipe.finish``).
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import termios
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

CHUNK = 64 * 1024
AT_ONCE = 8  # chunks; a turn of the loop for each costs nearly as much as to decode it
# Seconds that a pipe is left alone when nobody can take what it holds: a reader that is a little
# slower than its writer takes a MB in a moment, one that stalls is not asked a thousand times.
FIRST_PAUSE = 0.001
LONGEST_PAUSE = 0.02
LONGEST = 8 * 1024 * 1024  # bytes; a bar that is drawn over and over with \r never ends its line


class Lines:
    """Cuts bytes into text of whole lines; pure.

    Text is decoded as UTF-8; other bytes survive as surrogates. It stays in one piece, because to
    cut it into its lines is half of what 32 MB of output cost, and few need them.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []  # of the line that has no end yet, however long
        self._length = 0

    def feed(self, data: bytes) -> str:
        """Take bytes in and return the lines that are whole by now, each with its end."""
        end = data.rfind(b"\n") + 1
        if not end:
            self._parts.append(data)
            self._length += len(data)
            return self.rest() if self._length > LONGEST else ""
        text = _text(b"".join([*self._parts, memoryview(data)[:end]]))
        self._parts, self._length = [data[end:]], len(data) - end
        return text

    def rest(self) -> str:
        """Return the last line if it had no end: it is shown all the same, and gets one."""
        last = b"".join(self._parts)
        self._parts, self._length = [], 0
        return _text(last + b"\n") if last else ""


def _text(data: bytes) -> str:
    text = data.decode("utf-8", "surrogateescape")
    return text.replace("\r\n", "\n") if "\r" in text else text


class Pipe:
    """The reading end of a child's output, driven by the loop.

    Args:
        loop: The event loop.
        on_text: Hears whole lines, as they come.
        on_end: Hears once that no more will come.
        behind: Tells that who hears the lines cannot take more for now: the pipe is left to
            fill up, so that its writer waits.

    Raises:
        OSError: too many files are open.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_text: Callable[[str], None],
        on_end: Callable[[], None],
        behind: Callable[[], bool] = lambda: False,
    ) -> None:
        self._loop = loop
        self._behind = behind
        self._closed = False
        self._pause = FIRST_PAUSE
        self._on_text = on_text
        self._on_end = on_end
        self._lines = Lines()
        self._fd, self.write_fd = os.pipe()
        self.ended = False

    def listen(self) -> None:
        """Hear the command, which has been started."""
        os.close(self.write_fd)  # with our copy of the writing end the pipe would never end
        os.set_blocking(self._fd, False)
        self._loop.add_reader(self._fd, self._read)

    def finish(self) -> None:
        """Take what is there now, and tell no more.

        Whoever still holds the pipe may go on writing: a daemon that a build left would die of
        SIGPIPE if we closed it, so what it says is read and dropped.
        """
        if self.ended:
            return
        left = self._waiting()  # no more than that: its writer may be faster than we are
        while left > 0 and (data := self._take()):
            left -= len(data)
            self._tell(self._lines.feed(data))
        self._end()

    def discard(self) -> None:
        """Close it untold: its command could not be started."""
        self._closed = self.ended = True
        os.close(self._fd)
        os.close(self.write_fd)

    def _read(self) -> None:
        if self._behind() and not self.ended:
            self._loop.remove_reader(self._fd)
            self._loop.call_later(self._pause, self._resume)
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            return
        self._pause = FIRST_PAUSE
        for _ in range(AT_ONCE):
            data = self._take()
            if data == b"":
                self._close()
                self._end()
            elif data and not self.ended:
                self._tell(self._lines.feed(data))
            if not data or len(data) < CHUNK:  # the pipe was empty then
                return

    def _resume(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._fd, self._read)

    def _take(self) -> bytes | None:
        """Read what is there; None when that is nothing, empty when it is over."""
        try:
            return os.read(self._fd, CHUNK)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _waiting(self) -> int:
        """Return how many bytes wait in the pipe."""
        count = array.array("i", [0])
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._fd, termios.FIONREAD, count)
        return count[0]

    def _tell(self, text: str) -> None:
        if text:
            self._on_text(text)

    def _end(self) -> None:
        if not self.ended:
            self.ended = True
            self._tell(self._lines.rest())
            self._on_end()

    def _close(self) -> None:
        self._closed = True
        self._loop.remove_reader(self._fd)
        os.close(self._fd)
