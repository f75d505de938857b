"""The terminal is left as it was found, whatever a child did to it. Facts: termios(3)."""

from __future__ import annotations

import contextlib
import os
import signal
import termios
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def kept() -> Iterator[None]:
    """Give the controlling terminal its settings back at the end, if somebody changed them."""
    try:
        fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:  # there is none
        yield
        return
    try:
        before = termios.tcgetattr(fd)
        yield
        with contextlib.suppress(OSError, termios.error):  # it was closed meanwhile
            _restore(fd, before)
    finally:
        os.close(fd)


def _restore(fd: int, before: list[object]) -> None:
    # In the background the settings are those of somebody else's work.
    if os.tcgetpgrp(fd) != os.getpgrp() or termios.tcgetattr(fd) == before:
        return
    # An app that left its group with the terminal would have us stopped for touching it.
    handler = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    termios.tcsetattr(fd, termios.TCSANOW, before)  # type: ignore[arg-type]
    signal.signal(signal.SIGTTOU, handler)
