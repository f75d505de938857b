"""How the console words things: files, numbers, durations, and what cannot be printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.units import format_duration

if TYPE_CHECKING:
    from hotrun.notices import AppExited

LONGEST = 400  # characters of a fact or a command


def named(paths: list[str], count: int) -> str:
    """Return "main.go" or "main.go +2 more"; what cannot be printed is escaped."""
    if not paths:
        return ""
    first = printable(paths[0])
    return first if count == 1 else f"{first} +{count - 1} more"


def shortened(text: str) -> str:
    """Return a line that a person would read: a burst names thousands of paths."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def printable(text: str) -> str:
    """Return a text in which nothing steers the terminal, and every byte can be written."""
    plain = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in plain)


def many(count: int, what: str) -> str:
    """Return "1 file" or "2 files"."""
    ending = {"y": f"{what[:-1]}ies", "s": f"{what}es"}
    plural = ending.get(what[-1], f"{what}s")
    return f"{count:,} {what if count == 1 else plural}"


def time(ms: int) -> str:
    """Return milliseconds for people."""
    return format_duration(ms / 1000)


def size(count: int) -> str:
    """Return bytes for people: "12 MB"."""
    mega = count / 1_000_000
    return f"{mega:.1f} MB" if mega < 10 else f"{mega:,.0f} MB"  # noqa: PLR2004


def used(notice: AppExited) -> str:
    """Return what an app had used, to be put behind how it ended."""
    if notice.cpu_ms is None:
        return ""
    memory = f", {size(notice.memory)}" if notice.memory is not None else ""
    return f", {time(notice.cpu_ms)} cpu{memory}"
