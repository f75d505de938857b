"""Signals to us, as requests: end, stop for a while, go on, or hand it on to the app.

Handlers do nothing but call the session, from the loop. What comes together is one request:
timeout(1) and others send a signal to us and to our group.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

SAME_REQUEST = 0.002  # seconds in which several signals are one request
ENDINGS = {
    signal.SIGINT: (130, "interrupted"),
    signal.SIGTERM: (143, "terminated"),
    signal.SIGHUP: (129, "hung up"),
}
# They would end us, and nobody means us by them: `docker kill -s USR1` reaches the first process
# of a container, which we may be, and means the program that runs in it.
PASSED_ON = (signal.SIGUSR1, signal.SIGUSR2)


class Listener(Protocol):
    """Who hears the requests: the session."""

    loop: asyncio.AbstractEventLoop

    def quit(self, code: int, reason: str) -> None:
        """End; called again, kill what is left."""

    def suspend(self) -> None:
        """Stop, with all children (Ctrl-Z)."""

    def resumed(self) -> None:
        """We go on after a stop, in the foreground or not."""

    def pass_on(self, number: int) -> None:
        """Send the app a signal that came to us."""


class Signals:
    """Hears signals while the session runs."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._loop = listener.loop
        self._endings: list[signal.Signals] = []  # not yet acted on
        for number in ENDINGS:
            # nohup(1): who ignores SIGHUP for us means that we stay when the terminal goes.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._loop.add_signal_handler(number, self._end, number)
        for number in PASSED_ON:
            self._loop.add_signal_handler(number, listener.pass_on, number)
        self._loop.add_signal_handler(signal.SIGTSTP, listener.suspend)
        self._loop.add_signal_handler(signal.SIGCONT, listener.resumed)

    def close(self) -> None:
        """Hear no more; what would end us is ignored from now on.

        A second SIGTERM that comes while we give the terminal back would leave it as it is.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {*ENDINGS, *PASSED_ON, signal.SIGTSTP})
        for number in (*ENDINGS, *PASSED_ON, signal.SIGTSTP, signal.SIGCONT):
            self._loop.remove_signal_handler(number)
            if number != signal.SIGCONT:
                signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _end(self, number: signal.Signals) -> None:
        # Who answers to what we did comes after this request.
        if not self._endings:
            self._loop.call_later(SAME_REQUEST, self._quit)
        self._endings.append(number)

    def _quit(self) -> None:
        first, self._endings = self._endings[0], []
        self._listener.quit(*ENDINGS[first])
