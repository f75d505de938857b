"""Single keys, and what they ask for.

Law: only a key that somebody pressed does something. Arrow keys and the like are sequences that
end in letters, and a paste is a text: neither is a key of ours. A terminal that was closed stops
the reading, and in the background nothing is read: it is typed for somebody else.
Facts: the terminal's own settings (cbreak) belong to ``Terminal``; ECMA-48 for the sequences.
"""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

ACTIONS = {
    "r": "rebuild",
    "s": "restart",
    "p": "pause",
    "c": "clear",
    "e": "explain",
    "?": "help",
    "h": "help",
    "q": "quit",
    "\n": "line",
    "\r": "line",  # without ICRNL
}
HELP = """\
r      build again
s      restart the app
p      pause, and go on
c      clear the screen
e      explain the last build
?      show these keys
q      quit
Enter  an empty line, to set off what comes
"""
SIZE = 4096  # bytes of one read: as many as a terminal keeps (N_TTY_BUF_SIZE)
MOST = 3  # keys in one read while we were busy; more of them were pasted
# Seconds within which bytes belong together: an arrow key over a slow line, the parts of a long
# paste. Esc alone is followed by the next key later than that (vim's ttimeoutlen is 0.1).
TOGETHER = 0.1
# Seconds between two looks whether we are in the foreground again: `fg` of a job that runs is
# told by no signal (bash). Nobody looks while we are there, or have no keys.
LOOK = 1.0
# A bracketed paste; a click in the old style; arrow keys and the like; Alt and a key. (What a
# terminal answers to some app's question is longer than MOST.)
_SEQUENCE = rb"(?s:\x1b(?:\[200~.*?(?:\x1b\[201~|\Z)|\[M...|\[[0-?]*[ -/]*[@-~]|O.|.))"
_UNFINISHED = rb"(?s:\x1b(?:\[(?:M.{0,2}|[0-?]*[ -/]*)|O)?\Z)"


class Borrowed(Protocol):
    """What is needed of the terminal that the keys come from."""

    @property
    def foreground(self) -> bool:
        """Whether what is typed comes to us."""

    @property
    def closed(self) -> bool:
        """Whether it is gone."""

    def keys_on(self) -> bool:
        """Have it send single keys, if that can be now."""


def available(
    stdin: TextIO, stdout: TextIO, terminal: Borrowed | None, environ: Mapping[str, str]
) -> bool:
    """Whether keys can be had now: somebody sits at our terminal and sees what they do.

    In the background they cannot, but after ``fg`` (SIGCONT) they may.
    """
    if terminal is None or environ.get("CI") or not (stdin.isatty() and stdout.isatty()):
        return False
    try:
        os.tcgetpgrp(stdin.fileno())  # ENOTTY: it is a terminal, but another than ours
    except OSError:
        return False
    return terminal.foreground


class Keys:
    """Reads keys while it is started.

    Args:
        loop: The event loop.
        terminal: The terminal behind ``fd``.
        fd: Where to read, such as 0; it stays blocking, because everybody else has it too.
        act: Hears each action, a value of ``ACTIONS``.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        terminal: Borrowed,
        fd: int,
        act: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._terminal = terminal
        self._fd = fd
        self._act = act
        self._decoder = Decoder()
        self._again: asyncio.TimerHandle | None = None
        self.started = False  # it reads

    def start(self) -> None:
        """Have keys and read them, as soon as we are in the foreground; may be called again.

        After a stop (SIGCONT) it has to be: with ``bg`` what was read before is the shell's now,
        and whether that is noticed would depend on who is woken first by what is typed.
        """
        self._wait_no_more()
        if self._terminal.closed:
            return
        reads = self._terminal.keys_on()
        if reads and not self.started:
            self._loop.add_reader(self._fd, self._read)
        elif not reads:
            self.stop()
            self._again = self._loop.call_later(LOOK, self.start)
        self.started = reads

    def stop(self) -> None:
        """Read no more; the terminal is as it is."""
        self._wait_no_more()
        if self.started:
            self._loop.remove_reader(self._fd)
            self.started = False

    def _wait_no_more(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _read(self) -> None:
        data = self._bytes() if self._terminal.foreground else b""
        for action in self._decoder.actions(data, self._loop.time()):
            self._act(action)
        if not data:  # it ended, or is somebody else's now: it would wake us for ever
            self.stop()
            if not self._terminal.foreground:
                self.start()

    def _bytes(self) -> bytes:
        # Should we be in the background by now, we get EIO instead of being stopped.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTIN})
        try:
            return os.read(self._fd, SIZE)
        except OSError:
            return b""
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Decoder:
    """Tells keys from all else that a terminal sends."""

    def __init__(self) -> None:
        self._begun = b""  # a sequence whose end is to come
        self._last = 0.0  # when something was read
        self._pasted = False  # the last that was read belonged to a paste

    def actions(self, data: bytes, now: float) -> list[str]:
        """Return what was asked for.

        Args:
            data: What was read at once.
            now: When, in seconds.
        """
        together = now - self._last < TOGETHER
        text = self._begun + data if together else data
        self._last = now
        unfinished = re.search(_UNFINISHED, text)
        self._begun = unfinished[0] if unfinished else b""
        keys = re.sub(_SEQUENCE, b"", text.removesuffix(self._begun))
        many = len(keys) > MOST or b"\x1b[200~" in text
        self._pasted = many or (together and self._pasted)
        if self._pasted:
            return []
        return [ACTIONS[chr(key)] for key in keys if chr(key) in ACTIONS]
