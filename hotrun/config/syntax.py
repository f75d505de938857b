"""What is not TOML, in words that help: tomllib says what it expected, not what was meant.

Its texts are no promise: what they begin with is enough here, and one that is not known gets a
hint that is never wrong.
"""

from __future__ import annotations

import re

from hotrun.config.locate import where_lost
from hotrun.config.wording import printable, quoted
from hotrun.errors import Problem


def lines_of(text: str) -> tuple[str, ...]:
    """Return the lines of a text, without their ends."""
    # As tomllib counts: splitlines would count form feeds too.
    return tuple(text.replace("\r\n", "\n").split("\n"))


# What people do, by how tomllib begins to speak of it.
_SYNTAX_HINTS = {
    "Invalid value": 'text needs quotes: command = "make"',
    "Invalid initial character": "a key is of letters, digits, _ and -; { } stand on one line",
    "Expected '='": 'a line reads: key = "value"',
    "Expected newline": "write each key = value on a line of its own",
    "Illegal character '\\n'": "close the quotes on the same line",
    "Unescaped": "in single quotes a backslash is a plain character: 'C:\\app'",
    "Unclosed array": "values are parted by commas, and ] ends the list",
    "Unclosed inline table": "keys are parted by commas, and } ends the table on the same line",
}
# How tomllib speaks of what stands behind a value.
_RESTS = ("Expected newline", "Unclosed array", "Unclosed inline table")
_UNCLOSED = ("Unterminated string", "Expected \"'")
_TWICE = ("Cannot declare", "Cannot overwrite", "Cannot mutate")


def syntax_problem(said: str, text: str, label: str) -> Problem:
    """Word why a text is not TOML.

    Args:
        said: What tomllib said.
        text: The text.
        label: The file as the user knows it.
    """
    what, _, where = said.partition(" (at ")
    message = f"this is not TOML: {what[:1].lower()}{what[1:]}"
    if said.startswith("Expected ']"):
        return _unclosed_header(where, text, label)
    hints = (hint for start, hint in _SYNTAX_HINTS.items() if said.startswith(start))
    hint = next(hints, "the rules of TOML are at https://toml.io")
    if said.startswith(_UNCLOSED) and (lost := where_lost(text)):
        source = lines_of(text)[lost.line - 1]
        message = "this is not TOML: nothing closes these quotes"
        return Problem(message, "close the quotes", label, lost.line, lost.column, source)
    if where.startswith("end of document"):
        last = lines_of(text.rstrip())
        hint = "a value, a quote or a bracket is missing at the end of the file"
        return Problem(message, hint, label, len(last), len(last[-1]) + 1, last[-1])
    if (numbers := re.fullmatch(r"line (\d+), column (\d+)\)", where)) is None:
        # The one error without a place: Python reads no number of more than 4300 digits.
        return Problem("a number is too long", "no key of hotrun holds a number", label)
    line, column = map(int, numbers.groups())
    source = lines_of(text)[line - 1]
    if said.startswith(_TWICE):
        return _written_twice(label, line, column, source)
    if said.startswith(_RESTS) and (word := _half_read(source, column)):
        hint = f"text needs quotes: {quoted(word)}"
    return Problem(message, hint, label, line, column, source)


def _unclosed_header(where: str, text: str, label: str) -> Problem:
    """Word `[run` without its bracket: tomllib stumbles over what stands behind the name."""
    numbers = re.match(r"line (\d+), ", where)
    line = int(numbers[1]) if numbers else len(lines_of(text.rstrip()))
    source = lines_of(text)[line - 1]
    blank, opened, name = re.findall(r"(\s*)(\[*)\s*([\w.\"'-]*)", source)[0]
    closing = "]" * len(opened)
    message = f"this is not TOML: the {closing} is missing"
    hint = f"write {opened}{printable(name)}{closing} on a line of its own"
    if closing in source.partition("#")[0]:  # [my table]
        message = f"this is not TOML: the name of a table ends before its {closing}"
        hint = "a name is of letters, digits, _ and -; others stand in quotes"
    return Problem(message, hint, label, line, len(blank + opened + name) + 1, source)


def _half_read(source: str, column: int) -> str:
    """The word of which TOML took the first part for a number: `5s`, `127.0.0.1:8080`."""
    words = re.finditer(r"[^\s=,\[\]{}#\"']+", source)
    return next((word[0] for word in words if word.start() < column - 1 < word.end()), "")


def _written_twice(label: str, line: int, column: int, source: str) -> Problem:
    # tomllib notices at the end of the key or value.
    begin = len(source) - len(source.lstrip()) + 1
    message = "this key or table is there already"
    hint = "write each key and each [table] once"
    return Problem(message, hint, label, line, begin, source, column - begin)
