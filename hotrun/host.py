"""What a job, or the feed, needs of its session; and the stopwatch that both use."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from hotrun.lean import dataclass

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from hotrun import facts, notices
    from hotrun.alarms import Alarms
    from hotrun.config import Config
    from hotrun.inputs import Inputs
    from hotrun.loops import Loops
    from hotrun.process.guardian import Guardian
    from hotrun.process.listen import Sockets
    from hotrun.process.reaper import Reaper
    from hotrun.process.scratch import Scratch
    from hotrun.process.terminal import Terminal


class Host(Protocol):
    """What a job needs of its session.

    Attributes:
        loop: The one event loop.
        alarms: Calls back after a while, in which we were not stopped (Ctrl-Z).
        reaper: Looks after every child.
        guardian: Ends what is left, should we be killed.
        scratch: Where builds put what lasts as long as they run.
        sockets: Held for the app; None when there are none.
        terminal: The controlling one; None when there is none.
        config: The config.
        inputs: What the build reads, as far as it is known.
        loops: Is told what begins and ends, to find out who writes what.
        cookie: ``NAME=value`` in the environment of every app.
        environ: What children inherit of our environment.
        colour: Children whose output is shown may use colours.
        captures: All output is read, because it becomes JSON lines.
    """

    loop: asyncio.AbstractEventLoop
    alarms: Alarms
    reaper: Reaper
    guardian: Guardian | None
    scratch: Scratch
    sockets: Sockets | None
    terminal: Terminal | None
    config: Config
    inputs: Inputs
    loops: Loops
    cookie: str
    environ: Mapping[str, str]
    colour: bool
    captures: bool

    @property
    def suspended(self) -> bool:
        """Whether we are being stopped, and our children with us (Ctrl-Z)."""

    def post(self, service: str, fact: facts.Fact) -> None:
        """Put a fact into the inbox."""

    def behind(self) -> bool:
        """Whether a reader of the notices has fallen behind."""

    def tell(self, notice: notices.Notice) -> None:
        """Tell the subscribers."""

    def quit(self, code: int, reason: str) -> None:
        """End the session; called again, it kills what is left."""

    def suspend(self) -> None:
        """Stop with all children, until somebody lets us go on."""

    def mend_terminal(self, *, screen: bool) -> None:
        """Undo what a child did to the terminal.

        Args:
            screen: It could write to it.
        """


@dataclass(slots=True)
class Clock:
    """A stopwatch; it starts when it is made."""

    begin: float

    @classmethod
    def start(cls) -> Clock:
        """Start one."""
        return cls(time.monotonic())

    @property
    def ms(self) -> int:
        """Whole milliseconds since the start."""
        return round((time.monotonic() - self.begin) * 1000)


def relative(path: str, base: str) -> str:
    """Return a path as it is shown: from the project's directory on, where it is in there."""
    return "." if path == base else path.removeprefix(f"{base}/")
