"""Where each key and each value of a TOML text stands: tomllib tells no positions.

A tokenizer, not a second parser: it is only run on texts that tomllib has accepted, so it
checks nothing. Should it lose its way all the same, it stops, and what it has not seen has no
position: an error without a column is better than a traceback about an error.
"""

from __future__ import annotations

import contextlib
import re
import tomllib
from bisect import bisect_right

from hotrun.lean import NamedTuple

Path = tuple[str | int, ...]
"""The way to a value: keys, and numbers for the elements of arrays."""


class Span(NamedTuple):
    """A piece of one line; line and columns count characters from 1, the end is exclusive."""

    line: int
    column: int
    end_column: int


class Location(NamedTuple):
    """Where a key and its value stand; a table header has no value, an array element no key."""

    key: Span | None
    value: Span | None


def locate(text: str) -> dict[Path, Location]:
    """Find every key of a TOML document.

    Args:
        text: A document that tomllib accepts.

    Returns:
        The location of each key path. A value of several lines is given by its first line; a
        key that is named in several headers by the header of its own, or the first.
    """
    scanner = _Scanner(text.replace("\r\n", "\n"))
    with contextlib.suppress(_LostError, RecursionError):
        scanner.document()
    return scanner.found


def where_lost(text: str) -> Span | None:
    """Find the key or value at which a text that is not TOML stops to make sense.

    tomllib tells only the end of the document for quotes that nobody closed.
    """
    scanner = _Scanner(text.replace("\r\n", "\n"))
    try:
        scanner.document()
    except _LostError:
        return scanner.span(scanner.at, scanner.at + 1)
    except RecursionError:
        return None
    return None


class _LostError(Exception):
    """This is not what a TOML document looks like."""


_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    # Two quotes are not an empty string when a third follows: those were never closed.
    r'|"(?:\\.|[^"\\\n])*"(?!")'
    r"|'[^'\n]*'(?!')",
    re.DOTALL,
)
# A date and its time may be parted by one space.
_SCALAR = re.compile(r"\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]+|[^\s,\]}#\[{\"']+")


class _Part(NamedTuple):
    """One part of a dotted key, and where it stands in the text."""

    name: str
    start: int
    end: int


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, Location] = {}
        self._lengths: dict[Path, int] = {}  # of the arrays of tables
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def document(self) -> None:
        table: Path = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self._peek("["):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _header(self) -> Path:
        brackets = 2 if self._peek("[[") else 1
        self.at += brackets
        *parents, last = self._dotted_key()
        self.at += brackets
        table: Path = ()
        for part in parents:
            table = self._current((*table, part.name), part)
        table = (*table, last.name)
        if brackets == 1:
            self._note(table, key=last)
            return table
        return self._new_element(table, last)

    def _current(self, table: Path, part: _Part) -> Path:
        """The table that the name of a parent stands for: of an array, the last element."""
        self.found.setdefault(table, Location(self.span(part.start, part.end), None))
        length = self._lengths.get(table)
        return table if length is None else (*table, length - 1)

    def _new_element(self, table: Path, part: _Part) -> Path:
        number = self._lengths.get(table, 0)
        self._lengths[table] = number + 1
        if number == 0:
            self._note(table, key=part)
        element = (*table, number)
        self._note(element, key=part)
        return element

    def _pair(self, table: Path) -> None:
        *parents, last = self._dotted_key()
        for part in parents:
            table = (*table, part.name)
            self.found.setdefault(table, Location(self.span(part.start, part.end), None))
        self._expect("=")
        self._skip(_SPACE)
        self._value((*table, last.name), last)

    def _dotted_key(self) -> list[_Part]:
        parts = [self._key_part()]
        while self._peek("."):
            self.at += 1
            parts.append(self._key_part())
        return parts

    def _key_part(self) -> _Part:
        self._skip(_SPACE)
        start = self.at
        if self._peek('"') or self._peek("'"):
            self._take(_STRING)
            name = _unquoted(self.text[start : self.at])
        else:
            self._take(_BARE_KEY)
            name = self.text[start : self.at]
        part = _Part(name, start, self.at)
        self._skip(_SPACE)
        return part

    def _value(self, path: Path, key: _Part | None) -> None:
        start = self.at
        if self._peek("["):
            self._array(path)
        elif self._peek("{"):
            self._inline_table(path)
        elif self._peek('"') or self._peek("'"):
            self._take(_STRING)
        else:
            self._take(_SCALAR)
        self._note(path, key=key, value=(start, self.at))

    def _array(self, path: Path) -> None:
        self.at += 1
        self._skip(_BLANK)
        number = 0
        while not self._peek("]"):
            self._value((*path, number), None)
            number += 1
            self._comma("]")
        self.at += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        self._skip(_BLANK)
        while not self._peek("}"):
            self._pair(path)
            self._comma("}")
        self.at += 1

    def _comma(self, closing: str) -> None:
        self._skip(_BLANK)
        if not self._peek(closing):
            self._expect(",")
            self._skip(_BLANK)

    def _note(self, path: Path, *, key: _Part | None, value: tuple[int, int] | None = None) -> None:
        self.found[path] = Location(
            self.span(key.start, key.end) if key else None,
            self.span(*value) if value else None,
        )

    def span(self, start: int, end: int) -> Span:
        line = bisect_right(self._starts, start)
        first = self._starts[line - 1]
        end_of_line = self.text.find("\n", start, end)
        if end_of_line >= 0:
            end = start + len(self.text[start:end_of_line].rstrip())
        return Span(line, start - first + 1, end - first + 1)

    def _peek(self, text: str) -> bool:
        return self.text.startswith(text, self.at)

    def _expect(self, text: str) -> None:
        if not self._peek(text):
            raise _LostError
        self.at += len(text)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        if match := pattern.match(self.text, self.at):
            self.at = match.end()

    def _take(self, pattern: re.Pattern[str]) -> None:
        if (match := pattern.match(self.text, self.at)) is None:
            raise _LostError
        self.at = match.end()


def _unquoted(key: str) -> str:
    if key.startswith("'") or "\\" not in key:
        return key[1:-1]
    try:
        return next(iter(tomllib.loads(f"{key} = 0")))
    except tomllib.TOMLDecodeError as error:
        raise _LostError from error
