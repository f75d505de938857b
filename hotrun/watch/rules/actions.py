"""Which [[rule]] of the config speaks for a changed file.

Law: a rule fits exactly the files that its `match`, written as watch.include, would include; of
the rules that fit the last one counts. What is watched is not asked here.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hotrun.watch.rules.lists import Seen, globs, patterns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotrun.watch.rules.pattern import Pattern, Rule


# The index and the patterns of those that may fit something in a directory, the last rule first.
_Place = tuple[tuple[int, Seen], ...]


class Actions:
    """Finds the rule of a file. Paths are absolute `str`, without a final separator.

    Args:
        patterns_per_rule: The `match` of each rule: gitignore-style globs.
        base: The directory of the config file, which they are relative to.
        roots: The watched roots. As for watch.include, the patterns are relative to the root
            for what lies in one that is neither `base` nor below it.
    """

    def __init__(
        self, patterns_per_rule: Sequence[Sequence[str]], base: str, roots: Sequence[str] = ()
    ) -> None:
        base = base.rstrip(os.sep)
        lists = [globs(patterns([(key(i), p)])) for i, p in enumerate(patterns_per_rule)]
        top = tuple((i, Seen(g.view(""))) for i, g in enumerate(lists) if g is not None)[::-1]
        below = base + os.sep
        bare = {root.rstrip(os.sep) for root in roots} or {base}
        # Where the patterns begin, by the root whose files they speak about.
        self._starts = {r: base if (r + os.sep).startswith(below) else r for r in bare}
        self._trees: dict[str, dict[str, _Place]] = {s: {s: top} for s in self._starts.values()}
        self._places: dict[str, _Place] = {}

    def of(self, path: str) -> int | None:
        """The index of the last rule that fits a file or link, which need not exist."""
        found = self._find(path)
        return None if found is None else found[0]

    def why(self, path: str) -> Rule | None:
        """The pattern of that rule that fits: its `file` is the key of the list."""
        found = self._find(path)
        return None if found is None else found[1].rule

    def _find(self, path: str) -> tuple[int, Pattern] | None:
        parent, _, name = path.rpartition(os.sep)
        place = self._places.get(parent)
        if place is None:
            place = self._places[parent] = self._place(parent)
        for index, seen in place:
            last = seen.find(name)
            if last is not None and not last.negated:
                return index, last
        return None

    def _place(self, directory: str) -> _Place:
        """The rules as seen from a directory; none outside of all roots."""
        root = directory
        while root not in self._starts:
            root, slash, _ = root.rpartition(os.sep)
            if not slash:
                return ()
        tree = self._trees[self._starts[root]]
        missing = []
        while (place := tree.get(directory)) is None:
            missing.append(directory)
            directory = directory.rpartition(os.sep)[0]
        for path in reversed(missing):
            place = tree[path] = _entered(place, path.rpartition(os.sep)[2])
        return place


def key(index: int) -> str:
    """How the `match` of a rule is called, counted from 1."""
    return f"rule[{index + 1}].match"


def _entered(place: _Place, name: str) -> _Place:
    """The rules as seen from a directory in `place`; those that fit nothing there are dropped."""
    entered = ((index, seen.below(name)) for index, seen in place)
    return tuple((index, seen) for index, seen in entered if seen.may_hold())
