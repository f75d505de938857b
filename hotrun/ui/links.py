"""Whether positions become links, and where the files lie: OSC 8, on terminals that know it.

https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotrun.process.places import Places

MOST = 10_000  # positions of one build that are looked at: nobody clicks more

_VTE = 5000  # 0.50.0 itself crashes at a link
_VARIABLES = ("KITTY_WINDOW_ID", "WT_SESSION", "KONSOLE_VERSION", "DOMTERM")
# Not vscode: it makes links of positions by itself, and these go to the line; what it finds in
# OSC 8 it hands to another program, which a file inside of WSL or a container does not reach.
_PROGRAMS = frozenset(("iTerm.app", "WezTerm", "ghostty"))


def wants_links(stream: TextIO, environment: Mapping[str, str], *, colour: bool) -> bool:
    """Decide whether links may be written to a stream.

    Args:
        stream: Where they would go.
        environment: Of this process: FORCE_HYPERLINK, then what the terminal says of itself.
        colour: Escape sequences may be used there.
    """
    forced = environment.get("FORCE_HYPERLINK")
    if forced:
        return forced != "0"
    term = environment.get("TERM", "")
    inside = environment.get("TMUX") or environment.get("STY")  # which may drop what it passes on
    if not colour or inside or term.split("-")[0] in {"dumb", "screen", "tmux"}:
        return False
    if environment.get("CI") or not stream.isatty():
        return False
    vte = environment.get("VTE_VERSION", "")
    return (
        (vte.isdecimal() and int(vte) > _VTE)
        or environment.get("TERM_PROGRAM") in _PROGRAMS
        or any(environment.get(name) for name in _VARIABLES)
    )


class Links:
    """Puts links into text, chunk by chunk; each chunk is whole lines.

    Args:
        on: Links are wanted; else every text stays as it is.
    """

    def __init__(self, *, on: bool) -> None:
        self._on = on
        self._directory = ""
        self._command = ""
        self._places: Places | None = None
        self._left = MOST

    def begin(self, directory: str = "", command: str = "") -> None:
        """Hear where names are meant from: at the start, and before each build.

        Args:
            directory: Of the project, absolute; "" is the same as before.
            command: The build's.
        """
        self._directory = directory or self._directory
        self._command = command
        self._places = None
        self._left = MOST

    def __call__(self, text: str) -> str:
        """Return a text with its positions as links."""
        if not self._on or not self._directory or self._left <= 0:
            return text
        # The first build waits for every import, and this one compiles patterns.
        from hotrun.process.places import Places
        from hotrun.ui.positions import linked

        if self._places is None:
            self._places = Places(self._directory, self._command)
        linked_text, looks = linked(text, self._places, self._left)
        self._left -= looks
        return linked_text
