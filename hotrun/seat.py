"""Our place at the terminal: we leave it with all children, come back, and tidy up after them."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.alarms import Alarms
    from hotrun.process.terminal import Terminal
    from hotrun.service import Service


class Seat:
    """Where a session sits.

    Args:
        terminal: The controlling one; None when there is none.
        lends: Tells whether the terminal is the app's as long as that lives.
        shows: What children print without being read goes to a terminal.

    Attributes:
        suspended: We are being stopped.
    """

    def __init__(
        self, terminal: Terminal | None, lends: Callable[[], bool], *, shows: bool
    ) -> None:
        self._terminal = terminal
        self._lends = lends
        self._shows = shows
        self.suspended = False

    def suspend(self, service: Service, alarms: Alarms) -> None:
        """Stop with all children, until somebody lets us go on."""
        if self.suspended:
            return
        self.suspended = True
        alarms.halt()
        if self._terminal is not None:
            self._terminal.suspend(service.halt, service.go_on, group=self._lends())
        else:  # somebody's `kill -TSTP`
            service.halt()
            signal.raise_signal(signal.SIGSTOP)
            service.go_on()
        alarms.go_on()
        self.suspended = False

    def mend(self, *, screen: bool) -> None:
        """Undo what a child did to the terminal.

        Args:
            screen: It could write to it.
        """
        if self._terminal is None:
            return
        if self._lends():
            self._terminal.take()
        self._terminal.restore(screen=screen and self._shows)
