"""Where a pattern stands: from a rule of the filter to the very line of the config.

The filter counts the patterns of a list; the file has lines. The origin of the list tells where
its key stands, and so which table of the file it is: a profile and a platform may have their own.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from hotrun.config.locate import locate
from hotrun.host import relative
from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotrun.config import Config
    from hotrun.config.locate import Location, Path
    from hotrun.project.plan import Plan
    from hotrun.watch.rules.pattern import Rule

_ORIGIN = re.compile(r"(?P<file>.*):(?P<line>[0-9]+)(?: \(.*\))?", re.DOTALL)
_RULE = re.compile(r"rule\[(?P<number>[0-9]+)\]\.(?P<name>\w+)")


class Place(NamedTuple):
    """Where a pattern stands.

    Attributes:
        file: As the user knows it: "hotrun.toml", "--set", the path of an ignore file.
        line: From 1; None where there are no lines.
        pattern: As it is written there.
    """

    file: str
    line: int | None
    pattern: str

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


class Places:
    """Finds where the patterns of a config stand; the file is read when first asked."""

    def __init__(self, config: Config, planned: Plan) -> None:
        self._config = config
        self._planned = planned
        self._known: Mapping[Path, Location] | None = None

    def of(self, rule: Rule) -> Place:
        """Tell where a rule of the filter stands.

        Args:
            rule: Its `file` is the key of a list of the config, or an ignore file.
        """
        if os.path.isabs(rule.file):
            return Place(relative(rule.file, self._config.directory), rule.line, rule.pattern)
        if rule.file == "build.outputs":
            return self._output(rule)
        if match := _RULE.fullmatch(rule.file):
            origin = self._config.rules[int(match["number"]) - 1].origin
            return self._element(origin, ("rule", match["name"]), rule.line, rule.pattern)
        table, _, name = rule.file.partition(".")
        origin = self._config.origins.get(rule.file, "")
        return self._element(origin, (table, name), rule.line, rule.pattern)

    def _output(self, rule: Rule) -> Place:
        """An output that is written down, or that the build is seen to make."""
        build = self._config.build
        written = build.outputs if build is not None else ()
        if rule.line <= len(written):
            origin = self._config.origins.get(rule.file, "")
            text = written[rule.line - 1]
            return self._element(origin, ("build", "outputs"), rule.line, text)
        shown = relative(rule.pattern, self._config.directory)
        key = "build.command" if build is not None else "run.command"
        return self._key(self._config.origins.get(key, ""), shown)

    def key(self, dotted: str, number: int, text: str) -> Place:
        """Tell where an element of a list stands, counted from 0."""
        table, _, name = dotted.partition(".")
        origin = self._config.origins.get(dotted, "")
        return self._element(origin, (table, name), number + 1, text)

    def _key(self, origin: str, text: str) -> Place:
        match = _ORIGIN.fullmatch(origin)
        return (
            Place(match["file"], int(match["line"]), text) if match else Place(origin, None, text)
        )

    def _element(self, origin: str, names: tuple[str, str], number: int, text: str) -> Place:
        """An element of a list whose key, or whose [[rule]], stands at `origin`."""
        whole = self._key(origin, text)
        if whole.line is None:
            return whole
        element = self._locations().get((*self._list(whole.line, names), number - 1))
        if element is None or element.value is None:
            return whole
        return whole._replace(line=element.value.line)

    def _list(self, line: int, names: tuple[str, str]) -> Path:
        """The way to the list whose key, or whose [[rule]], stands in a line; empty if unknown."""
        for path, location in self._locations().items():
            span = location.key or location.value
            if span is None or span.line != line:
                continue
            if path[-2:] == names:
                return path
            if names[0] == "rule" and path[-2:-1] == ("rule",):
                return (*path, names[1])
        return ()

    def _locations(self) -> Mapping[Path, Location]:
        if self._known is None:
            self._known = {}
            if self._config.file is not None:
                try:
                    with open(self._config.file, encoding="utf-8-sig") as file:
                        self._known = locate(file.read())
                except (OSError, UnicodeDecodeError):
                    pass  # it changed since it was loaded: the line of the key has to do
        return self._known
