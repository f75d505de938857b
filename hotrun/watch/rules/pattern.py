"""Gitignore patterns: read and compiled.

Law: the answer is the one of git's dir.c and wildmatch.c, quirks included; where a line here looks
odd, git is odd there, and the differential test in tests/watch/test_ignore.py says so.
Git matches bytes (`?` is one byte, of two in "ü"), so every text is turned into its byte form
first: one character, 0 to 255, for each byte.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from hotrun.lean import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

_BOM = b"\xef\xbb\xbf"
_LITERAL = re.compile(r"[^*?\[\\]*")
STAR, _CROSS, _CROSS_DIRECTORIES = "[^/]*", ".*", "(?:.*/)?"
_WILD = (STAR, _CROSS, _CROSS_DIRECTORIES)
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

    def matters(self, directory: str) -> bool:
        """Whether what it says depends on a path at or below `directory`; True may be wrong."""
        if not (directory.startswith(self.literal) or f"{self.literal}/".startswith(directory)):
            return False
        # One deeper than its matches lie: it may have named the directory itself.
        return self.depth is None or self.depth + 1 >= directory.count("/")

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
        return STAR, end
    if rest.startswith("/"):
        return _CROSS_DIRECTORIES, end + 1
    return (_CROSS if rest in ("", "\\/") else STAR), end


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
        atomic = parts[here] == STAR and following < len(parts)
        joined += f"(?>{STAR}?{chunk})" if atomic else parts[here] + chunk
    return joined
