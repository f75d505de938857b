"""Gitignore patterns: read, compiled, and looked up one directory entry at a time.

Law: the answer is the one of git's dir.c and wildmatch.c, quirks included; where a line here looks
odd, git is odd there, and the differential test in tests/watch/test_ignore.py says so.
Git matches bytes (`?` is one byte, of two in "ü"), so every text is turned into its byte form
first: one character, 0 to 255, for each byte.
Patterns are looked up from one directory at a time (a `View`): most become dict entries there.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_BOM = b"\xef\xbb\xbf"
_LITERAL = re.compile(r"[^*?\[\\]*")
_STAR, _CROSS, _CROSS_DIRECTORIES = "[^/]*", ".*", "(?:.*/)?"
_WILD = (_STAR, _CROSS, _CROSS_DIRECTORIES)
_NEVER = "(?!)"

# What git's own ctype says, ASCII only: \v and \f are no space there.
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": " \\t\\n\\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
_BYTES = [chr(code) for code in range(256)]


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern as its author wrote it: what a decision is explained with.

    Attributes:
        file: The ignore file, or for a list in the config the key ("watch.exclude").
        line: Counted from 1; for a list in the config the place in the list.
        pattern: The text, with its `!` and its final `/`.
        negated: It begins with `!`: what it matches is taken back.
    """

    file: str
    line: int
    pattern: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """One compiled pattern.

    Attributes:
        index: Its place in the list; of two that match the higher one counts.
        rule: The text it was made from.
        only_directories: It ended in `/`.
        anchored: It is compared with the whole path below its base, not with the name.
        literal: What stands before the first wildcard, in byte form.
        parts: What follows, as pieces of a regular expression; "/" is a piece of its own.
        depth: How many directories deep its matches lie; None: a `**` crosses any number.
    """

    index: int
    rule: Rule
    only_directories: bool
    anchored: bool
    literal: str
    parts: tuple[str, ...]
    depth: int | None

    @property
    def negated(self) -> bool:
        """Whether it takes back."""
        return self.rule.negated

    @property
    def regex(self) -> str:
        """The whole of it, to be matched in full."""
        return re.escape(self.literal) + _join(self.parts)

    def reaches(self, directory: str) -> bool:
        """Whether it may match an entry of `directory` ("" or "a/b/"); True may be wrong."""
        literal = self.literal
        if not (directory.startswith(literal) or literal.startswith(directory)):
            return False
        return self.depth is None or self.depth == directory.count("/")

    def leads(self) -> str:
        """The regular expression of the directories on the way to what it matches."""
        segments = [""]
        for part in (*(re.escape(c) if c != "/" else c for c in self.literal), *self.parts):
            if part in (_CROSS, _CROSS_DIRECTORIES):
                # Whatever comes after `**` may lie at any depth.
                segments[-1] += ".*"
                segments.append("")
                break
            if part == "/":
                segments.append("")
            else:
                segments[-1] += part
        return "(?:/".join(segments[:-1]) + ")?" * (len(segments) - 2) if segments[1:] else _NEVER

    def names(self, directory: str) -> bool:
        """Whether the literal start of it names `directory` ("a/b/") or something below it."""
        return (self.literal if self.parts else self.literal + "/").startswith(directory)


def byte_form(text: str) -> str:
    """`text` as git sees it: one character for each byte of it on disk."""
    return text if text.isascii() else os.fsencode(text).decode("latin-1")


def lower(text: str) -> str:
    """`text` (in byte form) as git folds it for core.ignorecase: ASCII letters only."""
    return text.encode("latin-1").lower().decode("latin-1")


def parse(data: bytes, file: str, *, fold: bool = False) -> list[Pattern]:
    """Read an ignore file.

    Args:
        data: Its content.
        file: Its path, for the rules.
        fold: Ignore the case of ASCII letters (core.ignorecase).
    """
    patterns: list[Pattern] = []
    for number, line in enumerate(data.removeprefix(_BOM).split(b"\n"), 1):
        # A line is a C string to git: it ends at a NUL.
        raw = _without_trailing_blanks(line.removesuffix(b"\r").partition(b"\0")[0])
        if raw and not raw.startswith(b"#"):
            rule = Rule(file, number, os.fsdecode(raw), raw.startswith(b"!"))
            patterns.append(compiled(rule, len(patterns), fold=fold))
    return patterns


def _without_trailing_blanks(line: bytes) -> bytes:
    """Drop final spaces (not tabs); one behind a backslash stays."""
    kept = line.rstrip(b" ")
    backslashes = len(kept) - len(kept.rstrip(b"\\"))
    return kept + b" " if backslashes % 2 and len(kept) < len(line) else kept


def compiled(rule: Rule, index: int, *, fold: bool = False) -> Pattern:
    """Compile the text of `rule`, as parse_path_pattern of git's dir.c takes it apart."""
    body = byte_form(rule.pattern)[rule.negated :]
    only_directories = body.endswith("/")
    body = body[:-1] if only_directories else body
    anchored = "/" in body
    body = body.removeprefix("/")
    if body.startswith("**/") and "/" not in body[3:]:
        # The same as the bare name, and a name is looked up far faster than a path.
        anchored, body = False, body[3:]
    match = _LITERAL.match(body)
    literal = match.group() if match else ""
    # Git hands only what follows the literal start to wildmatch, so that in `a**/b` the stars
    # stand at the beginning: it matches `ab` and `ax/y/b`.
    parts = tuple(_translate(body[len(literal) :], fold=fold))
    crosses = _CROSS in parts or _CROSS_DIRECTORIES in parts
    depth = None if crosses else literal.count("/") + parts.count("/")
    literal = lower(literal) if fold else literal
    return Pattern(index, rule, only_directories, anchored, literal, parts, depth)


def _translate(glob: str, *, fold: bool) -> list[str]:
    """Turn a glob into pieces of a regular expression; each `/` and each star is its own piece."""
    parts: list[str] = []
    at = 0
    while at < len(glob):
        char = glob[at]
        if char == "*":
            part, at = _stars(glob, at)
        elif char == "[":
            part, at = _bracket(glob, at, fold=fold)
        elif char == "\\":
            # An escaped letter is not folded, so a capital one matches nothing then.
            part, at = (_literal(glob[at + 1]) if at + 1 < len(glob) else _NEVER), at + 2
        elif char == "?":
            part, at = "[^/]", at + 1
        else:
            part, at = _literal(lower(char) if fold else char), at + 1
        if part != _CROSS_DIRECTORIES or parts[-1:] != [part]:
            parts.append(part)
    return parts


def _literal(char: str) -> str:
    return char if char == "/" else re.escape(char)


def _stars(glob: str, at: int) -> tuple[str, int]:
    """Translate a run of stars: only one that is a whole path element crosses directories."""
    end = at
    while glob[end : end + 1] == "*":
        end += 1
    rest = glob[end : end + 2]
    if end - at == 1 or (at > 0 and glob[at - 1] != "/"):
        return _STAR, end
    if rest.startswith("/"):
        return _CROSS_DIRECTORIES, end + 1
    return (_CROSS if rest in ("", "\\/") else _STAR), end


def _bracket(glob: str, at: int, *, fold: bool) -> tuple[str, int]:
    """Translate a character class to the bytes it stands for; one that is not closed is never."""
    at += 1
    negated = glob[at : at + 1] in ("!", "^")
    at += negated
    matched: set[str] = set()
    previous, first = "", True
    while first or glob[at : at + 1] != "]":
        first = False
        found, previous, at = _member(glob, at, previous, fold=fold)
        if found is None:
            return _NEVER, len(glob)
        matched |= found
    members = "".join(re.escape(char) for char in sorted(matched - {"/"}))
    if negated:
        return f"[^/{members}]", at + 1
    return (f"[{members}]" if members else _NEVER), at + 1


def _member(glob: str, at: int, previous: str, *, fold: bool) -> tuple[set[str] | None, str, int]:
    """Read one member of a character class.

    Returns:
        The bytes it stands for (None: the class is malformed), what a following `-` ranges from,
        and where the next member begins.
    """
    char = glob[at : at + 1]
    if char == "-" and previous and glob[at + 1 : at + 2] not in ("", "]"):
        at += 2 if glob[at + 1] == "\\" else 1
        return _range(previous, glob[at], fold=fold) if at < len(glob) else None, "", at + 1
    if char == "[" and glob[at + 1 : at + 2] == ":":
        end = glob.find("]", at + 2)
        if end > at + 2 and glob[end - 1] == ":":
            return _posix(glob[at + 2 : end - 1], fold=fold), "", end + 1
        return ({char} if end >= 0 else None), char, at + 1
    if char == "\\":
        at += 1
        char = glob[at : at + 1]
    return ({char} if char else None), char, at + 1


def _range(first: str, last: str, *, fold: bool) -> set[str]:
    matched = {c for c in _BYTES if first <= c <= last}
    # The text is lower case then; git also tries its capital, but only in ranges.
    return matched | {lower(c) for c in matched} if fold else matched


def _posix(name: str, *, fold: bool) -> set[str] | None:
    members = _CLASSES.get("alpha" if fold and name == "upper" else name)
    return set(re.findall(f"[{members}]", "".join(_BYTES))) if members else None


def _join(parts: Sequence[str]) -> str:
    """Join the pieces; a star followed by fixed pieces and another star never gives back.

    The earliest match of the fixed pieces leaves most to the later star, so the atomic group
    changes no answer, and `*a*a*a*a*b` cannot hang (as in fnmatch.translate of the stdlib).
    """
    stars = [at for at, part in enumerate(parts) if part in _WILD]
    joined = "".join(parts[: stars[0]] if stars else parts)
    for here, following in zip(stars, [*stars, len(parts)][1:], strict=True):
        chunk = "".join(parts[here + 1 : following])
        atomic = parts[here] == _STAR and following < len(parts)
        joined += f"(?>{_STAR}?{chunk})" if atomic else parts[here] + chunk
    return joined


class _Finder:
    """The patterns that can match an entry of one directory, for files or for directories."""

    __slots__ = ("name_match", "name_order", "names", "path_match", "path_order", "suffixes")

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self.names: dict[str, int] = {}
        self.suffixes: dict[str, int] = {}
        regexes = []
        for pattern in patterns:
            suffix = _suffix(pattern)
            if not pattern.parts:
                self.names[pattern.literal] = pattern.index
            elif suffix:
                self.suffixes[suffix] = pattern.index
            else:
                regexes.append(pattern)
        self.name_match, self.name_order = _combined(regexes)
        self.path_match, self.path_order = _combined([])

    def extended(self, names: Iterable[Pattern], paths: Sequence[Pattern]) -> _Finder:
        """The same with the anchored patterns that count in one directory."""
        finder = _Finder(())
        finder.names = self.names.copy()
        for pattern in names:
            name = pattern.literal.rpartition("/")[2]
            finder.names[name] = max(pattern.index, finder.names.get(name, -1))
        finder.suffixes = self.suffixes
        finder.name_match, finder.name_order = self.name_match, self.name_order
        finder.path_match, finder.path_order = _combined(paths)
        return finder


def _suffix(pattern: Pattern) -> str:
    """The ".ext" of `*.ext`, which is looked up; else empty."""
    if pattern.literal or pattern.parts[:2] != (_STAR, "\\."):
        return ""
    rest = pattern.parts[2:]
    plain = all(len(part) == 1 and part != "." for part in rest)
    return "." + "".join(rest) if plain else ""


def _combined(
    patterns: Sequence[Pattern],
) -> tuple[Callable[[str], re.Match[str] | None] | None, list[int]]:
    """One expression for all, last pattern first: the first group that matches is the answer."""
    if not patterns:
        return None, []
    regex = re.compile("|".join(f"({p.regex})" for p in reversed(patterns)), re.DOTALL)
    return regex.fullmatch, [-1, *(p.index for p in reversed(patterns))]


class View:
    """The patterns of one list as they are seen from one directory."""

    __slots__ = ("_directories", "_files", "_fold", "_globs", "_patterns", "_relative")

    def __init__(self, globs: Globs, relative: str, files: _Finder, directories: _Finder) -> None:
        self._globs = globs
        self._relative = relative
        self._files = files
        self._directories = directories
        self._patterns = globs.patterns
        self._fold = globs.fold

    def find(self, name: str, is_dir: bool) -> Pattern | None:
        """The last pattern that matches the entry `name` of this directory."""
        if self._fold or not name.isascii():
            name = self._globs.key(name)
        finder = self._directories if is_dir else self._files
        best = finder.names.get(name, -1)
        if finder.suffixes and (dot := name.rfind(".")) >= 0:
            found = finder.suffixes.get(name[dot:], -1)
            best = max(best, found)
        if finder.name_match is not None and (match := finder.name_match(name)) is not None:
            best = max(best, finder.name_order[match.lastindex or 0])
        if finder.path_match is not None:
            match = finder.path_match(self._relative + name)
            if match is not None:
                best = max(best, finder.path_order[match.lastindex or 0])
        return self._patterns[best] if best >= 0 else None

    def below(self, name: str) -> View:
        """The same patterns as seen from the directory `name` in this one."""
        return self._globs.view(f"{self._relative}{self._globs.key(name)}/")

    def leads(self, after: int) -> bool:
        """Whether a pattern behind place `after` may match something below this directory."""
        return self._globs.leads(self._relative, after)

    def names(self) -> bool:
        """Whether a pattern's literal start names this directory or something below it."""
        positive = (p for p in self._patterns if not p.negated)
        return any(pattern.names(self._relative) for pattern in positive)


class Globs:
    """A list of patterns with one base directory; of those that match the last one counts.

    Args:
        patterns: In order; each knows its place.
        fold: They were compiled to ignore the case of ASCII letters.
    """

    def __init__(self, patterns: Sequence[Pattern], *, fold: bool = False) -> None:
        self.patterns = patterns
        self.fold = fold
        names = [p for p in patterns if not p.anchored]
        self._files = _Finder(p for p in names if not p.only_directories)
        self._directories = _Finder(names)
        self._literal: dict[str, list[Pattern]] = {}
        self._wild = [p for p in patterns if p.anchored and p.parts]
        for pattern in (p for p in patterns if p.anchored and not p.parts):
            head, slash, _ = pattern.literal.rpartition("/")
            self._literal.setdefault(head + slash, []).append(pattern)
        self._finders: dict[tuple[int, ...], tuple[_Finder, _Finder]] = {}
        self._ways: dict[int, re.Pattern[str]] = {}

    def key(self, name: str) -> str:
        """`name` in byte form, folded where this list folds."""
        return lower(byte_form(name)) if self.fold else byte_form(name)

    def view(self, relative: str) -> View:
        """The list as seen from a directory below the base.

        Args:
            relative: Its path from the base in byte form: "" or "a/b/".
        """
        literal = self._literal.get(relative, [])
        wild = [p for p in self._wild if p.reaches(relative)]
        if not literal and not wild:
            return View(self, relative, self._files, self._directories)
        chosen = tuple(p.index for p in (*literal, *wild))
        if chosen not in self._finders:
            self._finders[chosen] = (
                self._files.extended(_for_files(literal), _for_files(wild)),
                self._directories.extended(literal, wild),
            )
        return View(self, relative, *self._finders[chosen])

    def leads(self, relative: str, after: int) -> bool:
        """Whether a pattern behind place `after` that takes nothing back may match below here."""
        later = (p for p in self.patterns[after + 1 :] if not p.negated)
        return any(not p.anchored or self._way(p).fullmatch(relative[:-1]) for p in later)

    def _way(self, pattern: Pattern) -> re.Pattern[str]:
        if pattern.index not in self._ways:
            self._ways[pattern.index] = re.compile(pattern.leads(), re.DOTALL)
        return self._ways[pattern.index]


def _for_files(patterns: Iterable[Pattern]) -> list[Pattern]:
    return [pattern for pattern in patterns if not pattern.only_directories]
