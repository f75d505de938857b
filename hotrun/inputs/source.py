"""What a Go source file asks for: its imports and what it embeds.

Only that much is read as decides which other files belong to the build. The law: what we cannot
read is no answer (None), and whoever asked has to ask Go itself.
Facts: the Go specification, "Source file organization"; go/build (readGoInfo) of Go 1.27.
"""

from __future__ import annotations

import re

from hotrun.lean import NamedTuple

_SPACE = re.compile(rb"(?:[ \t\r\n;]|//[^\n]*(?=\n|\Z)|/\*.*?\*/)*", re.DOTALL)
_PACKAGE = re.compile(rb"package\b")
_IMPORT = re.compile(rb"import\b")
_NAME = re.compile(rb"[A-Za-z_\x80-\xff][\w\x80-\xff]*|\.")
_STRING = re.compile(rb'"([^"\\\n]*)"|`([^`]*)`')
_EMBED = re.compile(rb"^[ \t]*//go:embed[ \t]+([^\r\n]*)", re.MULTILINE)
_PATTERN = re.compile(rb'"([^"\\\n]*)"|`([^`]*)`|([^\s"`]+)')


class Head(NamedTuple):
    """What a file asks for: import paths, and patterns of files to embed."""

    imports: frozenset[str]
    patterns: frozenset[str]


def head(data: bytes) -> Head | None:
    """Read what a Go file asks for; None when it cannot be told."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    at = _after(_PACKAGE, data, _blank(data, 0))
    at = _after(_NAME, data, _blank(data, at)) if at >= 0 else at
    imports: set[str] = set()
    while at >= 0 and _IMPORT.match(data, at := _blank(data, at)):
        at = _clause(data, _blank(data, at + len(b"import")), imports)
    if at < 0:
        return None
    patterns = _patterns(data) if "embed" in imports else frozenset()
    return Head(frozenset(imports), patterns) if patterns is not None else None


def _blank(data: bytes, at: int) -> int:
    match = _SPACE.match(data, at)
    return match.end() if match is not None else at


def _after(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    match = pattern.match(data, at)
    return match.end() if match is not None else -1


def _clause(data: bytes, at: int, imports: set[str]) -> int:
    """Read one import, or those in parentheses, and return where they end; -1: no import."""
    if data[at : at + 1] != b"(":
        return _spec(data, at, imports)
    at = _blank(data, at + 1)
    while at >= 0 and data[at : at + 1] != b")":
        at = _spec(data, at, imports)
        at = _blank(data, at) if at >= 0 else at
    return at + 1 if at >= 0 else at


def _spec(data: bytes, at: int, imports: set[str]) -> int:
    name = _NAME.match(data, at)
    if name is not None:
        at = _blank(data, name.end())
    path = _STRING.match(data, at)
    if path is None:
        return -1
    imports.add(_text(path))
    return path.end()


def _patterns(data: bytes) -> frozenset[str] | None:
    """Return the patterns of all //go:embed lines, also of some that only look like one."""
    found: set[str] = set()
    for line in _EMBED.finditer(data):
        if _PATTERN.sub(b"", line[1]).strip():
            return None
        found.update(map(_text, _PATTERN.finditer(line[1])))
    return frozenset(found)


def _text(match: re.Match[bytes]) -> str:
    return next(part for part in match.groups() if part is not None).decode("utf-8", "replace")
