"""The line that a failed build leaves, said again until the build is mended.

What the app prints pushes it out of sight, and then an old app looks like the new one. What is
printed past us (an app that has the terminal) cannot be counted: there the line comes again with
the next thing that we have to say.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.ui.voice import Voice

PUSHED = 20  # lines of the app, after which it is out of sight: most of a screen of 24
QUIET = 1.0  # seconds without output: in the middle of it nobody could read the line


class RedLine:
    """What is broken, by the key of its command in the config.

    Args:
        voice: Says it.
    """

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._broken: dict[str, Callable[[], str]] = {}
        self._pushed = 0
        self._printed = 0.0  # when the app printed last
        self._next: asyncio.TimerHandle | None = None

    def broke(self, key: str, line: Callable[[], str]) -> None:
        """A command failed: say so, from now on.

        Args:
            key: Of the command: "build.command", "rule[1].command".
            line: Returns what is to be said at the moment.
        """
        self._broken[key] = line
        self._pushed = 0
        self._voice.say("red", line())

    def tries(self, key: str) -> None:
        """A command is run again: what became of it last time is of no interest any more."""
        self._broken.pop(key, None)

    def forget_rules(self) -> None:
        """The rules may be others, and so may their numbers."""
        self._broken = {key: line for key, line in self._broken.items() if key == "build.command"}

    def again(self) -> None:
        """Say all that is broken once more."""
        self.close()
        self._pushed = 0
        for line in self._broken.values():
            self._voice.say("red", line())

    def printed(self, text: str) -> None:
        """The app printed something, and we have written it."""
        if not self._broken or not self._voice.is_watched:
            return
        self._pushed += text.count("\n")
        self._printed = time.monotonic()
        if self._pushed >= PUSHED and self._next is None:
            self._look_again(QUIET)

    def close(self) -> None:
        """Say nothing later."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _look_again(self, seconds: float) -> None:
        with contextlib.suppress(RuntimeError):  # no loop yet, or no more
            self._next = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        self._next = None
        left = self._printed + QUIET - time.monotonic()
        if left > 0:
            self._look_again(left)
        else:
            self.again()
