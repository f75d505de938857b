"""What a child prints: bytes of a pipe, cut into lines of any length.

The end of the output is a fact of its own: a grandchild may keep the pipe open long after the
child has exited, so nobody waits for it (see ``Pipe.finish``).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

CHUNK = 64 * 1024


class Lines:
    """Cuts bytes into lines; pure.

    Text is decoded as UTF-8; other bytes survive as surrogates.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []  # of the line that has no end yet, however long

    def feed(self, data: bytes) -> list[str]:
        """Take bytes in and return the lines that are whole by now, without their ends."""
        first, *rest = data.split(b"\n")
        self._parts.append(first)
        if not rest:
            return []
        lines = [b"".join(self._parts), *rest[:-1]]
        self._parts = [rest[-1]]
        return [_text(line) for line in lines]

    def rest(self) -> list[str]:
        """Return the last line if it had no end: it is shown all the same."""
        last, self._parts = b"".join(self._parts), []
        return [_text(last)] if last else []


def _text(line: bytes) -> str:
    return line.removesuffix(b"\r").decode("utf-8", "surrogateescape")


class Pipe:
    """The reading end of a child's output, driven by the loop.

    Args:
        loop: The event loop.
        on_lines: Hears whole lines, as they come.
        on_end: Hears once that no more will come.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_lines: Callable[[list[str]], None],
        on_end: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._on_lines = on_lines
        self._on_end = on_end
        self._lines = Lines()
        self._fd, self.write_fd = os.pipe()
        os.set_blocking(self._fd, False)
        self.ended = False
        loop.add_reader(self._fd, self._read)

    def close_write(self) -> None:
        """Close our copy of the writing end, or the pipe would never end."""
        os.close(self.write_fd)

    def _read(self) -> None:
        try:
            data = os.read(self._fd, CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._tell(self._lines.feed(data))
        else:
            self._end()

    def finish(self) -> None:
        """Take what is there now, and stop listening."""
        while not self.ended:
            try:
                data = os.read(self._fd, CHUNK)
            except OSError:
                data = b""
            if data:
                self._tell(self._lines.feed(data))
            else:
                self._end()

    def _tell(self, lines: list[str]) -> None:
        if lines:
            self._on_lines(lines)

    def _end(self) -> None:
        if self.ended:
            return
        self.ended = True
        self._loop.remove_reader(self._fd)
        os.close(self._fd)
        self._tell(self._lines.rest())
        self._on_end()
