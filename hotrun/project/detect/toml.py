"""Writing a hotrun.toml for people: tables, a comment above a line, nothing that is a default."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from hotrun.project.schema_file import FIRST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH = 98

Value = str | bool | list[str] | dict[str, str]
Entry = tuple[str, Value | None, str]
"""A key, its value (None or empty: left out), and the comment above it ("": none)."""


def document(*tables: str) -> str:
    """Return the whole file; a table that is empty is left out."""
    return "\n\n".join((FIRST, *filter(None, tables))) + "\n"


def table(name: str, *entries: Entry) -> str:
    """Return one table, or nothing when it would be empty.

    Args:
        name: "build"; "[rule]" for one of a list.
        entries: Its lines, in their order.
    """
    lines = [line for entry in entries if entry[1] not in (None, "", [], {}) for line in _of(entry)]
    return "\n".join([f"[{name}]", *lines]) if lines else ""


def rule(match: Sequence[str], action: str, why: str, command: str = "") -> str:
    """Return one [[rule]], or nothing when it would match nothing."""
    if not match:
        return ""
    entries: list[Entry] = [("match", list(match), why), ("action", action, "")]
    return table("[rule]", *entries, ("command", command, ""))


def _of(entry: Entry) -> list[str]:
    key, value, why = entry
    return [*comment(why), f"{key} = {written(value)}"]


def comment(text: str) -> list[str]:
    """Return a comment as lines."""
    if not text:
        return []
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def written(value: Value | None) -> str:
    """Return a value as TOML writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return _list(value)
        case dict():
            return _table(value)
        case _:
            return string(value or "")


def string(text: str) -> str:
    """Return a text as a string of TOML; a backslash is easier to read in single quotes."""
    text = text.encode("utf-8", "replace").decode()
    if ("\\" in text or '"' in text) and "'" not in text and text.isprintable():
        return f"'{text}'"
    # A basic string of TOML is one of JSON, but for DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(values: Sequence[str]) -> str:
    line = f"[{', '.join(map(string, values))}]"
    if len(line) <= WIDTH - len("command = "):
        return line
    return "\n".join(["[", *(f"    {string(value)}," for value in values), "]"])


def _table(values: Mapping[str, str]) -> str:
    inside = ", ".join(f"{_key(name)} = {string(value)}" for name, value in values.items())
    return f"{{ {inside} }}"


def _key(name: str) -> str:
    bare = name.replace("_", "").replace("-", "")
    return name if bare.isascii() and bare.isalnum() else string(name)
