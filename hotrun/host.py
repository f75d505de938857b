"""What a job, or the feed, needs of its session; and the stopwatch that both use."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

    from hotrun import facts, notices
    from hotrun.config import Config
    from hotrun.process.reaper import Reaper
    from hotrun.process.scratch import Scratch


class Host(Protocol):
    """What a job needs of its session."""

    loop: asyncio.AbstractEventLoop
    reaper: Reaper
    scratch: Scratch
    config: Config
    cookie: str
    colour: bool
    captures: bool

    def post(self, service: str, fact: facts.Fact) -> None:
        """Put a fact into the inbox."""

    def behind(self) -> bool:
        """Whether a reader of the notices has fallen behind."""

    def tell(self, notice: notices.Notice) -> None:
        """Tell the subscribers."""


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
