"""Lists of globs in the config: `include`, `exclude`, the `match` of a rule.

Law: in a list the last pattern that speaks for a path counts, and a pattern speaks for all that
lies below a directory it matches.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple
from hotrun.watch.rules.globs import Globs, View
from hotrun.watch.rules.pattern import Pattern, Rule, compiled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WILDCARD = re.compile(r"[*?\[\\]")


def patterns(lists: Iterable[tuple[str, Sequence[str]]]) -> list[Pattern]:
    """Compile lists of the config as one; unlike in a file `#` is no comment and blanks count.

    Args:
        lists: The key of each ("watch.include") and its texts; the rules count from 1 in each.
    """
    rules = (
        Rule(key, line, text, text.startswith("!"))
        for key, texts in lists
        for line, text in enumerate(texts, 1)
    )
    return [compiled(rule, index) for index, rule in enumerate(rules)]


def globs(found: list[Pattern]) -> Globs | None:
    """Return them as a list to look things up in; None if there are none."""
    return Globs(found) if found else None


def opening(found: list[Pattern]) -> list[Pattern]:
    """Those that are stronger than git, and those that take back; a lone name becomes a path."""
    chosen = [p for p in found if p.negated or _spelled_out(p)]
    return [
        replace(pattern, index=index, anchored=pattern.anchored or not pattern.negated)
        for index, pattern in enumerate(chosen)
    ]


def _spelled_out(pattern: Pattern) -> bool:
    """Whether an include begins with a literal path: `.env`, `gen/api.go`, `gen/**`."""
    first = pattern.rule.pattern.removeprefix("/").partition("/")[0]
    return _WILDCARD.search(first) is None and (pattern.anchored or not pattern.parts)


class Seen(NamedTuple):
    """One list as it is seen from one directory.

    Attributes:
        view: Its patterns.
        cover: The last of them that matches the directory or one above it.
    """

    view: View
    cover: Pattern | None = None

    def below(self, name: str) -> Seen:
        """The same list as seen from the directory `name` in this one."""
        cover = _later(self.cover, self.view.find(name, is_dir=True))
        return Seen(self.view.below(name), cover)

    def find(self, name: str) -> Pattern | None:
        """The last pattern that speaks for the file `name` in this directory."""
        return _later(self.cover, self.view.find(name, is_dir=False))

    def may_hold(self) -> bool:
        """Whether something in the directory may be matched for good."""
        if self.cover is not None and not self.cover.negated:
            return True
        return self.view.leads(-1 if self.cover is None else self.cover.index)


def _later(first: Pattern | None, second: Pattern | None) -> Pattern | None:
    """Of two patterns that match the one further down the list."""
    if first is None or second is None:
        return first or second
    return first if first.index > second.index else second
