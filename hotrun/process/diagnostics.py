"""What a compiler complains about, read from its output.

One pattern serves most of them: ``file:line:column: message`` (go, gcc, clang, tsc in its
plain form, mypy, ruff, rustc's ``-->`` lines).
"""

from __future__ import annotations

import re
from typing import NamedTuple

MOST = 100  # of one build

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")
_POSITION = re.compile(
    r"^(?:vet: |\s+--> )?(?P<file>(?:[A-Za-z]:)?[^\s:()][^:()\n]*?\.?[\w+-]+)"
    r":(?P<line>\d+)(?::(?P<column>\d+))?(?::\s*(?P<text>.*))?$"
)
_SEVERITY = re.compile(
    r"^(?P<severity>fatal error|error|warning|note)(?:\[\w+\])?:\s*", re.IGNORECASE
)


class Diagnostic(NamedTuple):
    """One complaint; ``line`` and ``column`` count from 1, column 0 is unknown."""

    file: str
    line: int
    column: int
    severity: str
    message: str


def parse(lines: list[str]) -> list[Diagnostic]:
    """Find the complaints in the lines of a failed build, at most ``MOST``."""
    found: list[Diagnostic] = []
    for line in lines:
        diagnostic = _parse_line(plain(line))
        if diagnostic is not None and diagnostic not in found:
            found.append(diagnostic)
            if len(found) == MOST:
                break
    return found


def plain(line: str) -> str:
    """Return a line without its escape sequences (colours, links)."""
    return _ESCAPES.sub("", line)


def _parse_line(line: str) -> Diagnostic | None:
    match = _POSITION.match(line)
    if match is None or "://" in line.partition(" ")[0]:
        return None
    text = match["text"] or ""
    severity = _SEVERITY.match(text)
    name = severity["severity"].lower().removeprefix("fatal ") if severity else "error"
    message = text[severity.end() :] if severity else text
    return Diagnostic(
        match["file"].removeprefix("./"),
        int(match["line"]),
        int(match["column"] or 0),
        name,
        message.strip(),
    )
