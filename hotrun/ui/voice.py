"""How the console writes: lines in a style, a line for what lasts, a clean screen.

Law: nothing is written to the terminal but through here, so that the line that changes always
makes room first.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from hotrun.lean import dataclass
from hotrun.ui.colour import paint

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.ui.live import LiveLine
    from hotrun.ui.sink import Stream


@dataclass(frozen=True, slots=True)
class Manner:
    """How the console speaks, by the options and the config.

    Attributes:
        colour: Escape sequences may be used.
        verbose: Show every fact and command too.
        quiet: Show problems only.
        on_exit: What follows when the app ends by itself: "wait", "restart", "exit"; "" if there
            is no app.
        keeps: A broken build leaves the app running.
        says_ready: The app is asked whether it serves, so that the answer is news.
        shows_output: Write the output of app and build (off when it goes elsewhere).
        keys: Keys are read.
        clears: Clear the screen before each build.
        shares: The app prints to our terminal by itself: a line that changes would be torn.
        links: File positions become links.
    """

    colour: bool = False
    verbose: bool = False
    quiet: bool = False
    on_exit: str = "wait"
    keeps: bool = True
    says_ready: bool = False
    shows_output: bool = True
    keys: bool = False
    clears: bool = False
    shares: bool = False
    links: bool = False


class Voice:
    """Writes.

    Args:
        stream: Where to.
        manner: How.
        live: A line for what lasts; None: there is no terminal.
    """

    def __init__(self, stream: Stream, manner: Manner, live: LiveLine | None) -> None:
        self._stream = stream
        self._live = live
        self.manner = manner

    @property
    def is_watched(self) -> bool:
        """Whether somebody looks at what is written, and it is not a log."""
        return self._live is not None

    def say(self, style: str, text: str) -> None:
        """Write a line; of a quiet console only red ones."""
        if not self.manner.quiet or style == "red":
            self.write(paint(text, style, on=self.manner.colour))

    def write(self, text: str, end: str = "\n", to: Stream | None = None) -> None:
        """Write, to another stream if need be."""
        if self._live is not None:
            self._live.give_way()
        stream = to if to is not None else self._stream
        # A terminal that went away (EIO) tells us so by SIGHUP; nothing is to be done here.
        with contextlib.suppress(OSError):
            stream.write(text + end)
            stream.flush()

    def show(self, text: Callable[[float], str], first: float | None = None) -> None:
        """Show the line that changes, where there is one; see `LiveLine.show`."""
        if self._live is not None and not self.manner.quiet:
            self._live.show(text, *(() if first is None else (first,)))

    def hide(self) -> None:
        """Show it no more."""
        if self._live is not None:
            self._live.hide()

    def clear(self) -> None:
        """Clear the screen."""
        import shutil

        # What stood there can still be scrolled to: a whole screen of lines goes first.
        rows = shutil.get_terminal_size().lines
        self.write("\n" * (rows - 1) + "\x1b[H\x1b[J", end="")
