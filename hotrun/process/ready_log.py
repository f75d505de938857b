"""An app that says by a line of its output that it is ready.

Law: a line matches or not by itself, whatever came before it and however it came. An app may print
a hundred thousand lines until then, so a line is only cut out and searched where a match can be:
where a text stands that every match holds.
"""

from __future__ import annotations

import importlib
import re
import warnings
from typing import TYPE_CHECKING, Any

from hotrun.process.diagnostics import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LONGEST = 10_000  # characters of a line that are searched
MOST = 4  # texts to look for; to search line by line takes as long as for five
FEW = 64  # lines of a chunk that are cut out one by one; to cut all of them takes no longer
COUNTED = 10_000  # lines; to count them takes as long as to look for a text in them


class LogProbe:
    """Listens to what the app prints.

    Args:
        pattern: What is searched in each line, after its escape sequences are taken out.
        on_ready: Told once, at the first line that matches.
    """

    def __init__(self, pattern: re.Pattern[str], on_ready: Callable[[], None]) -> None:
        self._pattern = pattern
        self._folds = bool(pattern.flags & re.IGNORECASE)
        self._needed = needed(pattern)
        self._on_ready = on_ready
        self._over = False
        self._heard = 0

    @property
    def last(self) -> str:
        """Why it is not ready, in words."""
        if not self._heard:
            return "nothing was printed yet"
        lines = "the one line" if self._heard == 1 else f"the {self._heard} lines"
        lines = lines if self._heard <= COUNTED else f"more than {COUNTED} lines"
        return f"no match in {lines} printed so far"

    def hear(self, text: str) -> None:
        """Take what the app prints: whole lines, each with its end."""
        if self._over:
            return
        if self._heard <= COUNTED:
            self._heard += text.count("\n")
        if any(map(self._pattern.search, self._searched(text))):
            self._over = True
            self._on_ready()

    def cancel(self) -> None:
        """Tell nothing from now on."""
        self._over = True

    def _searched(self, text: str) -> Iterable[str]:
        """Return the lines that may match, as they are searched."""
        if _is_long(text) or ("\x1b" in text and "\x1b]" in text):
            # Each for itself: the end of such a sequence (a title, a link) is looked for beyond
            # the end of its line, and what is cut off may be the end of one.
            return (plain(line[:LONGEST]) for line in text.split("\n")[:-1])
        text = plain(text)
        where = text.lower() if self._folds else text
        if self._needed and (not self._folds or text.isascii()):
            count = sum(map(where.count, self._needed))
            if count <= FEW:
                return self._near(text, where) if count else ()
        return text.split("\n")[:-1]

    def _near(self, text: str, where: str) -> Iterator[str]:
        """Yield the lines in which a text stands that every match holds."""
        for needed_text in self._needed:
            at = where.find(needed_text)
            while at >= 0:
                end = text.find("\n", at)
                yield text[text.rfind("\n", 0, at) + 1 : end]
                at = where.find(needed_text, end + 1)


def _is_long(text: str) -> bool:
    """Whether a line of a text is longer than what is searched of it."""
    begin = 0
    while len(text) - begin > LONGEST + 1:
        begin = text.rfind("\n", begin, begin + LONGEST + 1) + 1
        if not begin:
            return True
    return False


def needed(pattern: re.Pattern[str]) -> tuple[str, ...]:
    """Return texts of which each match of a pattern holds at least one.

    Of a pattern that ignores case they are lower case, and hold for ASCII alone: there nothing
    but the two cases of a letter is alike. Empty when nothing is known: Python tells how it reads
    a pattern by a module that is not promised to stay as it is.
    """
    try:
        parser = importlib.import_module("re._parser")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as where the pattern was checked
            parsed = parser.parse(pattern.pattern, pattern.flags)
        return _best(parsed, folds=bool(pattern.flags & re.IGNORECASE))
    except (ImportError, AttributeError, IndexError, TypeError, ValueError):
        return ()


def _best(parsed: Iterable[tuple[object, Any]], *, folds: bool) -> tuple[str, ...]:
    """Return the texts that are best to look for: the longest, and few."""
    found: list[tuple[str, ...]] = []
    run = ""
    for operation, value in parsed:
        name = str(operation)
        if name == "LITERAL" and (not folds or value < 128):  # noqa: PLR2004 - ASCII
            run += chr(value)
        elif name != "AT":  # an anchor takes no room
            found += [(run,), _within(name, value, folds=folds)]
            run = ""
    found.append((run,))
    best = max(found, key=_worth)
    best = tuple(text.lower() for text in best) if folds else best
    return best if _worth(best) > (0, 0) else ()


def _within(name: str, value: Any, *, folds: bool) -> tuple[str, ...]:  # noqa: ANN401
    """Return the texts of a part that every match has."""
    match name:
        case "SUBPATTERN" if folds or not value[1] & re.IGNORECASE:
            return _best(value[3], folds=folds)
        case "ATOMIC_GROUP":
            return _best(value, folds=folds)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT" if value[0] > 0:
            return _best(value[2], folds=folds)
        case "BRANCH":
            each = [_best(branch, folds=folds) for branch in value[1]]
            return tuple(text for texts in each for text in texts) if all(each) else ()
        case _:
            return ()


def _worth(texts: tuple[str, ...]) -> tuple[int, int]:
    """Rank texts to look for: the shortest counts, because it is found most often."""
    shortest = min(map(len, texts), default=0)
    return (shortest, -len(texts)) if shortest and len(texts) <= MOST else (0, 0)
