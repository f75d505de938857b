"""Lists of patterns, looked up one directory entry at a time.

Patterns are looked up from one directory at a time (a `View`): most become dict entries there.
Where no pattern asks for the path any more, all directories share one view, which is *settled*.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hotrun.watch.rules.pattern import STAR, Pattern, byte_form, lower

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


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
    if pattern.literal or pattern.parts[:2] != (STAR, "\\."):
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


class Names:
    """What some settled views may say of a name, asked at one stroke.

    Args:
        views: Settled.
        is_dir: Of directories, or of files.
        more: Further names that are spoken of.
    """

    __slots__ = ("_matches", "_names", "_suffixes")

    def __init__(self, views: Iterable[View], *, is_dir: bool, more: Iterable[str]) -> None:
        finders = [view.finder(is_dir=is_dir) for view in views]
        self._names = frozenset(more).union(*(finder.names for finder in finders))
        self._suffixes = frozenset[str]().union(*(finder.suffixes for finder in finders))
        self._matches = [finder.name_match for finder in finders if finder.name_match is not None]

    def may_have(self, name: str) -> bool:
        """Whether a pattern may match an entry of this name; False is certain."""
        if name in self._names or not name.isascii():
            return True
        if self._suffixes and (dot := name.rfind(".")) >= 0 and name[dot:] in self._suffixes:
            return True
        for match in self._matches:  # noqa: SIM110 - asked of every file; a generator takes twice
            if match(name) is not None:
                return True
        return False


class View:
    """The patterns of one list as they are seen from one directory.

    Attributes:
        settled: No pattern asks for the path here or further down: the view is the same there.
    """

    __slots__ = ("_directories", "_files", "_fold", "_globs", "_patterns", "_relative", "settled")

    def __init__(
        self,
        globs: Globs,
        relative: str,
        files: _Finder,
        directories: _Finder,
        *,
        settled: bool = False,
    ) -> None:
        self._globs = globs
        self.settled = settled
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

    def finder(self, *, is_dir: bool) -> _Finder:
        """What looks up the directories, or the files, in this one."""
        return self._directories if is_dir else self._files

    def below(self, name: str) -> View:
        """The same patterns as seen from the directory `name` in this one."""
        if self.settled:
            return self
        return self._globs.view(f"{self._relative}{self._globs.key(name)}/")

    def leads(self, after: int) -> bool:
        """Whether a pattern behind place `after` may match something below this directory."""
        return self._globs.leads(None if self.settled else self._relative, after)

    def names(self) -> bool:
        """Whether an anchored pattern's start names this directory or something below it."""
        if self.settled:
            return False
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
        self._anchored = [p for p in patterns if p.anchored]
        # Folding is seldom, and not worth a quick way of its own.
        self._settled = View(self, "", self._files, self._directories, settled=not fold)
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
        if not (self.fold or any(p.matters(relative) for p in self._anchored)):
            return self._settled
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

    def leads(self, relative: str | None, after: int) -> bool:
        """Whether a pattern behind place `after` that takes nothing back may match below here.

        Args:
            relative: Where; None: where no anchored pattern matches anything.
            after: Its place in the list.
        """
        later = [p for p in self.patterns[after + 1 :] if not p.negated]
        if relative is None:
            return any(not p.anchored for p in later)
        return any(not p.anchored or self._way(p).fullmatch(relative[:-1]) for p in later)

    def _way(self, pattern: Pattern) -> re.Pattern[str]:
        if pattern.index not in self._ways:
            self._ways[pattern.index] = re.compile(pattern.leads(), re.DOTALL)
        return self._ways[pattern.index]


def _for_files(patterns: Iterable[Pattern]) -> list[Pattern]:
    return [pattern for pattern in patterns if not pattern.only_directories]
