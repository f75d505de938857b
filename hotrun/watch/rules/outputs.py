"""What the build writes, found by the directory it lies in: none of it ever triggers."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hotrun.watch.rules.globs import Globs, View
from hotrun.watch.rules.pattern import Pattern, Rule, compiled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WILDCARD = re.compile(r"[*?\[\\]")
_LITERAL_DIRECTORIES = re.compile(r"(?:[^*?\[\\/]*/)*")


class Outputs:
    """What the build writes, by the directory it lies in."""

    def __init__(self, outputs: Sequence[str], base: str) -> None:
        self._names: dict[str, dict[str, Rule]] = {}
        patterns: dict[str, list[Pattern]] = {}
        for line, text in enumerate(outputs, 1):
            rule = Rule("build.outputs", line, text)
            # `dist/**` and `dist/` mean all of dist, which then need not even be opened.
            glob = text.rstrip("/").removesuffix("/**")
            if _WILDCARD.search(glob) is None:
                directory, _, name = normal(base, glob).rpartition(os.sep)
                self._names.setdefault(directory, {})[name] = rule
                continue
            start = _LITERAL_DIRECTORIES.match(glob)
            end = start.end() if start else 0
            here = patterns.setdefault(normal(base, glob[:end]), [])
            anchored = Rule("", 0, "/" + glob[end:] if end else glob)
            here.append(replace(compiled(anchored, len(here)), rule=rule))
        self._globs = {directory: Globs(found) for directory, found in patterns.items()}

    def directories(self) -> set[str]:
        """The directories in which something is named."""
        return {*self._names, *self._globs}

    def seen_from(
        self, path: str, name: str, above: tuple[View, ...]
    ) -> tuple[Mapping[str, Rule], tuple[View, ...]]:
        """The names in the directory `path` and the globs that count there.

        Args:
            path: Its path; `name` is its last part.
            name: Unused at the top.
            above: The globs as seen from the directory above.
        """
        globs = tuple(view.below(name) for view in above)
        if path in self._globs:
            globs += (self._globs[path].view(""),)
        return self._names.get(path, {}), globs


def normal(base: str, path: str) -> str:
    """Return an absolute path without a separator at its end."""
    return os.path.normpath(os.path.join(base + os.sep, path)).rstrip(os.sep)
