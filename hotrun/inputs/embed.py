"""Patterns of //go:embed: would a file be embedded, were it there?

The law: in doubt it would. Facts: package embed; path.Match (`*` and `?` stop at a slash);
cmd/go (resolveEmbed): a pattern that names a directory means all below it but names that begin
with `.` or `_`, unless the pattern begins with `all:`.
"""

from __future__ import annotations

import re

_PART = re.compile(r"(?P<star>\*)|(?P<any>\?)|\[(?:\\.|[^\]\\])*\]|\\(?P<escaped>.)|(?P<text>.)")


def embeds(pattern: str, path: str) -> bool:
    """Tell whether a pattern embeds a file.

    Args:
        pattern: As it stands in the source.
        path: Relative to the directory of the package.
    """
    hidden = pattern.startswith("all:")
    expression = _expression(pattern.removeprefix("all:"))
    parts = path.split("/")
    for length in range(1, len(parts) + 1):
        below = parts[length:]
        if not hidden and any(part.startswith((".", "_")) for part in below):
            continue
        if expression.fullmatch("/".join(parts[:length])):
            return True
    return False


def _expression(pattern: str) -> re.Pattern[str]:
    """Translate a pattern; of a class in brackets we only say that it is one character."""
    return re.compile("".join(map(_translate, _PART.finditer(pattern))), re.DOTALL)


def _translate(match: re.Match[str]) -> str:
    if match["star"]:
        return "[^/]*"
    literal = match["escaped"] or match["text"]
    return re.escape(literal) if literal else "[^/]"
