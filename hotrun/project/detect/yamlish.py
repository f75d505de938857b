"""As much YAML as a Beefile has: nested mappings and lists of plain words, by indentation.

No anchors, no blocks of text, no types but true, false and strings. A line that is anything else
is passed over: what one cannot read here is only not carried over.
"""

from __future__ import annotations

import re

_PAIR = re.compile(r"""("[^"]*"|'[^']*'|[^\s:#'"-][^:#]*?)\s*:(?:\s+(.*))?$""")
_WIDEST = 1000  # characters of a line; more is no config
_DEEPEST = 20  # levels; more is no config

Node = str | bool | list[object] | dict[str, object]


def parse(text: str) -> dict[str, object]:
    """Return what is in a text, as far as it can be read; never raises."""
    lines = [line.expandtabs() for line in text.split("\n") if len(line) < _WIDEST]
    rows = [(len(line) - len(line.lstrip()), _bare(line)) for line in lines]
    found, _ = _block([row for row in rows if row[1] and row[1] != "---"], 0, 0)
    return found if isinstance(found, dict) else {}


def _bare(line: str) -> str:
    """Take the comment and the blanks away; a # inside of a word is none."""
    return re.sub(r"(^|\s)#[^'\"]*$", "", line).strip()


def _block(rows: list[tuple[int, str]], at: int, depth: int) -> tuple[Node, int]:
    """Read the lines that are indented like the first one, and what is below them."""
    if at < len(rows) and (rows[at][1] == "-" or rows[at][1].startswith("- ")):
        return _sequence(rows, at)
    found: dict[str, object] = {}
    indent = rows[at][0] if at < len(rows) else 0
    while at < len(rows) and rows[at][0] >= indent:
        level, text = rows[at]
        at += 1
        pair = _PAIR.match(text) if level == indent else None
        if pair is None:
            continue
        key, value = _plain(pair[1]), (pair[2] or "").strip()
        if value:
            found[key] = _value(value)
        elif _is_below(rows, at, level) and depth < _DEEPEST:
            found[key], at = _block(rows, at, depth + 1)
    return found, at


def _is_below(rows: list[tuple[int, str]], at: int, level: int) -> bool:
    """Whether the next line belongs to a key; a list may stand right below it."""
    if at >= len(rows):
        return False
    return rows[at][0] > level or (rows[at][0] == level and rows[at][1].startswith("-"))


def _sequence(rows: list[tuple[int, str]], at: int) -> tuple[Node, int]:
    found: list[object] = []
    indent = rows[at][0]
    while at < len(rows) and rows[at][0] == indent and rows[at][1].startswith("-"):
        found.append(_plain(rows[at][1][1:].strip()))
        at += 1
    return found, at


def _value(text: str) -> Node:
    if text.startswith("[") and text.endswith("]"):
        inside = text[1:-1].strip()
        return [_plain(word.strip()) for word in inside.split(",") if word.strip()]
    if text == "{}":
        return {}
    if text.lower() in ("true", "yes", "on"):
        return True
    return False if text.lower() in ("false", "no", "off") else _plain(text)


def _plain(text: str) -> str:
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if quoted else text
