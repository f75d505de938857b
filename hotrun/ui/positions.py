"""File positions in text, as links.

Only what a terminal hides is added: the text that is seen, and the compiler's colours in it, stay
as they are. What is no file that exists stays as it is, too.
"""

from __future__ import annotations

import functools
import os
import re
from typing import TYPE_CHECKING

from hotrun.process.places import is_source

if TYPE_CHECKING:
    from hotrun.process.places import Places

LONGEST = 500  # characters in front of a position that may be a path
COLOURS = 4  # sequences between a path and the colon behind it: gcc writes two

_SGR = r"\x1b\[[0-9;:]*[mK]"  # gcc ends each colour with K
# Each branch begins with a character of its own, which is what makes the search fast.
_POSITION = re.compile(
    rf":(?:{_SGR})*\d+(?:(?:{_SGR})*:(?:{_SGR})*\d+)?"
    r"|\(\d+(?:,\d+)?\)"
    r'|", line \d'
    r"|\x1b\]8;[^;]*;(?P<link>[^\x07\x1b]*)(?:\x07|\x1b\\)"
)
_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;:?]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9])")
_REVERSED_NAME = re.compile(r"[^\s\"'`()<>\[\]{}|=,\x1b]+")


def linked(text: str, places: Places, most: int) -> tuple[str, int]:
    """Return a text of whole lines with links, and how many positions were looked at.

    Args:
        text: As it is printed.
        places: Where the files lie; it hears the lines.
        most: So many positions are looked at.
    """
    if " directory " in text and text.count("\n") > 1:  # make says where it is from here on
        return _by_line(text, places, most)
    places.note(text)
    parts: list[str] = []
    done, looks, inside = 0, 0, False
    for match in _POSITION.finditer(text):
        if match["link"] is not None:
            inside = bool(match["link"])  # the compiler has its own
            continue
        looks += 1
        if not inside and (found := _found(text, done, match, places)) is not None:
            start, end, path = found
            parts += text[done:start], _link(path, text[start:end])
            done = end
        if looks == most:
            break
    return "".join((*parts, text[done:])) if parts else text, looks


def _by_line(text: str, places: Places, most: int) -> tuple[str, int]:
    parts, looks = [], 0
    for line in text.splitlines(keepends=True):
        part, looked = linked(line, places, most - looks) if looks < most else (line, 0)
        parts.append(part)
        looks += looked
    return "".join(parts), looks


def _found(
    text: str, done: int, match: re.Match[str], places: Places
) -> tuple[int, int, str] | None:
    """Return where a link begins and ends, and the file, when there is one."""
    stop = match.start()
    begin = max(done, text.rfind("\n", 0, stop) + 1, stop - LONGEST)
    before = text[begin:stop]
    for _ in range(COLOURS):  # they end before the colon
        end = _last_sequence(before) if before.endswith(("m", "K")) else None
        if end is None or end[1] != len(before):
            break
        before = before[: end[0]]
    quoted = match[0][0] == '"'
    for name in _names(before, quoted=quoted):
        if is_source(name) and (path := places.find(name)):
            start = begin + len(before) - len(name)
            return start, stop if quoted else match.end(), path
    return None


def _last_sequence(text: str) -> tuple[int, int] | None:
    """Return where the last escape sequence of a text begins and ends."""
    start = text.rfind("\x1b")
    match = _SEQUENCE.match(text, start) if start >= 0 else None
    return match.span() if match is not None else None


def _names(before: str, *, quoted: bool) -> list[str]:
    """Return what may be the name of a file at the end of a text, the likeliest first."""
    if "\x1b" in before and (last := _last_sequence(before)):
        before = before[last[1] :]
    if quoted:
        return [before.rpartition('"')[2]]
    # A regular expression that ends at the end would try every beginning.
    match = _REVERSED_NAME.match(before[::-1])
    short = [match[0][::-1]] if match is not None else []
    whole = before.lstrip()
    # Blanks only in a path that begins like one, and brackets (a Next.js route).
    return [*short, whole] if whole not in short and len(whole) < LONGEST else short


def _link(path: str, text: str) -> str:
    return f"\x1b]8;;{_host()}{_encoded(path)}\x1b\\{text}\x1b]8;;\x1b\\"


@functools.cache
def _host() -> str:
    """Return the beginning of a file's URL: over ssh, the file is not where the terminal is."""
    import socket

    return f"file://{socket.gethostname()}"


def _encoded(path: str) -> str:
    from urllib.parse import quote_from_bytes

    encoded = quote_from_bytes(os.fsencode(path.replace(os.sep, "/")))
    return encoded if encoded.startswith("/") else f"/{encoded}"
