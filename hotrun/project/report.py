"""What `hotrun check` shows: as lines for people, or as one JSON object.

A table of values, then a list of facts with a word in front of each. The columns fit any width
from 60 on; what is the default is dim, because it is rarely what one looks for.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from hotrun.config.reference import toml_text
from hotrun.errors import ConfigErrors
from hotrun.project.effective import values
from hotrun.ui.colour import paint
from hotrun.ui.words import many, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotrun.config import Config
    from hotrun.errors import HotrunError
    from hotrun.project.survey import Limit, Survey
    from hotrun.project.tools import Tool

VERSION = 1
LABEL = 10
NARROW, WIDE = 60, 160  # columns
LEAST = 24  # columns for a value
DIM = "dim"

Row = tuple[str, str, str]


def lines(config: Config, found: Survey, columns: int, *, colour: bool) -> Iterator[str]:
    """Yield what is shown of a config, line by line.

    Args:
        config: The config.
        found: What it comes to.
        columns: The width of the terminal.
        colour: Use escape sequences.
    """
    columns = min(max(columns, NARROW), WIDE)
    yield from _table(_rows(config), columns, colour=colour)
    yield ""
    for label, texts in _facts(config, found):
        for number, text in enumerate(texts):
            head = paint(f"{'' if number else label:<{LABEL}}", DIM, on=colour)
            yield f"{head}{printable(text)}"
    if found.works:
        yield ""
        name, odd = printable(config.file or config.directory), len(found.troubles)
        how = f"works, with {many(odd, 'warning')}" if odd else "is fine"
        yield paint(f"{name} {how}", "yellow" if odd else "green", on=colour)


def troubles(found: Survey, *, colour: bool) -> Iterator[str]:
    """Yield two lines for everything that is odd, or would not work."""
    for message, hint, severity in found.troubles:
        style = "red" if severity == "error" else "yellow"
        yield f"{paint(f'{severity}:', 'bold', style, on=colour)} {printable(message)}"
        if hint:
            yield f"{paint('hint:', 'cyan', on=colour)} {printable(hint)}"


# --- the table of values ---


def _rows(config: Config) -> list[Row]:
    rows = [
        (one.key, "none" if one.value is None else toml_text(one.value), one.origin)
        for one in values(config)
    ]
    return [("key", "value", "from"), *rows]


def _table(rows: Sequence[Row], columns: int, *, colour: bool) -> Iterator[str]:
    keys, origins = (max(len(row[at]) for row in rows) for at in (0, 2))
    origins = min(origins, columns - keys - LEAST - 4)
    # A short table is not torn apart to the width of a wide terminal.
    longest = max(len(row[1]) for row in rows)
    room = max(LEAST, min(longest, columns - keys - origins - 4))
    for number, (key, value, origin) in enumerate(rows):
        cut, places = _folded(printable(value), room), _folded(printable(origin), origins)
        for line in range(max(len(cut), len(places))):
            cells = (
                f"{'' if line else key:<{keys}}",
                f"{cut[line] if line < len(cut) else '':<{room}}",
                places[line] if line < len(places) else "",
            )
            style = DIM if number == 0 or origin == "default" else ""
            text = "  ".join(cells).rstrip()
            yield paint(text, style, on=colour and bool(style))


def _folded(text: str, width: int) -> list[str]:
    """Cut a text into lines, at blanks where there are any."""
    return textwrap.wrap(text, width, break_on_hyphens=False) or [""]


# --- the facts below it ---


def _facts(config: Config, found: Survey) -> Iterator[tuple[str, list[str]]]:
    if config.profiles:
        chosen = f" (in use: {config.profile})" if config.profile else ""
        yield "profiles", [f"{', '.join(config.profiles)}{chosen}"]
    yield "roots", [root if there else f"{root} (not there yet)" for root, there in found.roots]
    where = f"{many(found.files, 'file')} in {many(found.directories, 'directory')}"
    yield "watched", [where]
    yield "backend", [_backend(found)]
    if found.limits:
        yield "limits", [_limit(limit) for limit in found.limits]
    if found.tools:
        width = max(len(tool.program) for tool in found.tools)
        yield "tools", [_tool(tool, width) for tool in found.tools]
    if found.addresses:
        state = [(a, "free" if a.trouble is None else "taken") for a in found.addresses]
        yield "addresses", [f"{a.text} is {how} ({a.key})" for a, how in state]


def _backend(found: Survey) -> str:
    if not found.reason:
        return f"{found.backend}: the kernel tells of changes"
    return f"{found.backend}: {found.reason}"


def _limit(limit: Limit) -> str:
    return f"{limit.name} {limit.most:,}: {limit.used:,} in use, {limit.needed:,} needed"


def _tool(tool: Tool, width: int) -> str:
    where = tool.path or ("the build makes it" if tool.to_come else "not found")
    return f"{tool.program:<{width}} {where} ({tool.key})"


# --- JSON ---


def as_object(config: Config, found: Survey) -> dict[str, object]:
    """Return all of it, for one JSON object."""
    return {
        "v": VERSION,
        "ok": found.works,
        "config": config.file,
        "directory": config.directory,
        "profile": config.profile,
        "profiles": list(config.profiles),
        "values": {one.key: {"value": one.value, "origin": one.origin} for one in values(config)},
        "roots": [{"path": path, "exists": there} for path, there in found.roots],
        "directories": found.directories,
        "files": found.files,
        "backend": found.backend,
        "reason": found.reason,
        "limits": [limit._asdict() for limit in found.limits],
        "tools": [{"program": t.program, "key": t.key, "path": t.path} for t in found.tools],
        "addresses": [
            {"address": a.text, "key": a.key, "taken": a.trouble is not None}
            for a in found.addresses
        ],
        "problems": [trouble._asdict() for trouble in found.troubles],
    }


def refused(error: HotrunError) -> dict[str, object]:
    """Return what is wrong with a config that cannot be used, for one JSON object."""
    problems: list[dict[str, object]] = [{"message": error.message, "hint": error.hint}]
    if isinstance(error, ConfigErrors):
        names = ("message", "hint", "file", "line", "column")
        problems = [{name: getattr(one, name) for name in names} for one in error.problems]
    return {
        "v": VERSION,
        "ok": False,
        "problems": [{**one, "severity": "error"} for one in problems],
    }
