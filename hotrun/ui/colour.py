"""Whether to use colour, and how.

The order: NO_COLOR, then ``--color``, then FORCE_COLOR or CLICOLOR_FORCE, then whether the
stream is a terminal (https://no-color.org, https://bixense.com/clicolors).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping

CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def wants_colour(choice: str, stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Decide for one stream.

    Args:
        choice: "auto", "always" or "never".
        stream: Where it will be written.
        environment: Of this process.
    """
    if environment.get("NO_COLOR"):
        return False
    if choice != "auto":
        return choice == "always"
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        if environment.get(name):
            return environment[name] != "0"
    return stream.isatty() and environment.get("TERM") != "dumb"


def paint(text: str, *styles: str, on: bool = True) -> str:
    """Return a text in these styles (names of ``CODES``)."""
    if not on or not text:
        return text
    return f"\x1b[{';'.join(CODES[style] for style in styles)}m{text}\x1b[0m"
