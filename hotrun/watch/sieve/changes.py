"""Changes out: which of the touched paths differ from what is known, and which of these count.

Law: each path is told once, and what an event claimed counts for nothing but for what the disk
cannot tell: that a file strayed while it was built, or that what it is compared with is too young.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hotrun.watch.event import Op
from hotrun.watch.paths import is_below
from hotrun.watch.sieve.disk import Disk
from hotrun.watch.sieve.touched import CLOSE_WRITE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hotrun.watch.sieve.known import Known
    from hotrun.watch.sieve.touched import Touch

RETURNS = 2  # builds that a path may cause by coming back to what it was, in a row


@dataclass(slots=True)
class Sifted:
    """What a sift found.

    Attributes:
        changed: Paths whose content (or executable bit) differs.
        saved: Paths that were written, but hold the same bytes as before.
        returned: Paths that strayed during each of the last builds, and no longer count.
        born: Of the changed ones, files that were made just now and are not written yet.
        listed: Files that were listed again, when events had been lost.
        recovered: Events had been lost.
    """

    changed: list[str] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    born: list[str] = field(default_factory=list)
    listed: int = 0
    recovered: bool = False


class Newborn:
    """Leaves files out of what was found that somebody is about to write, once."""

    def __init__(self) -> None:
        self._left_out: frozenset[str] = frozenset()

    def sort(self, found: Sifted, *, waits: bool) -> bool:
        """Add what was left out the last time, and leave out what is born now.

        Args:
            found: What was found; its ``changed`` is replaced.
            waits: There is something to wait for: the end of a write would be told.

        Returns:
            Whether anything was left out.
        """
        born = frozenset(found.born) - self._left_out if waits else frozenset()
        found.changed = sorted(self._left_out.union(found.changed) - born)
        self._left_out = born
        return bool(born)


class Changes:
    """Finds what changed, sift after sift.

    Args:
        known: What touched paths are compared with; it is brought up to date.
        roots: The watched directories.
        unchanged_counts: A finished save counts even if it changed no byte.
    """

    def __init__(self, known: Known, roots: Collection[str], *, unchanged_counts: bool) -> None:
        self._known = known
        self._disk = Disk(known)
        self._roots = roots
        self._unchanged_counts = unchanged_counts
        self._returned: dict[str, int] = {}  # how often each path came back to what it was

    def find(self, touched: dict[str, Touch], result: Sifted) -> Iterator[None]:
        """Compare the directories in doubt, then the other files; yield after each look."""
        for path in self._relist(touched):
            if path is not None:
                self._compare(path, touched.get(path), result)
            yield
        compared = set(result.changed)
        compared.update(self._count_directories(touched, result))
        for told, touch in touched.items():
            path = self._known.listed_as(told)
            if touch.bits and path not in compared:
                self._weigh(path, touch, result)
            yield
        result.changed.sort()

    def _relist(self, touched: dict[str, Touch]) -> Iterator[str | None]:
        """List the directories in doubt again, as ``Disk.relist``."""
        listed_as = self._known.listed_as
        doubted = {listed_as(path) for path, touch in touched.items() if touch.directory}
        for top in sorted(doubted):
            # A root below another one may be a link, which that one does not follow.
            if top in self._roots or not is_below(top, doubted):
                yield from self._disk.relist(top)
        if self._known.follow_symlinks:
            if doubted or not all(map(self._known.lists, touched)):
                yield from self._disk.relist_linked()
            yield from self._disk.links()

    def _compare(self, path: str, touch: Touch | None, result: Sifted) -> None:
        """Compare a file that a listing found.

        One that is made in a new directory may be found before anything was told of it. Where
        events were lost nobody knows whether more is to come.
        """
        is_told = result.recovered or (touch is not None and touch.finished)
        is_new = self._known.get(path) is None
        if self._disk.differs(path):
            result.changed.append(path)
            if is_new and not is_told and self._known.is_born(path):
                result.born.append(path)

    def _count_directories(self, touched: dict[str, Touch], result: Sifted) -> Iterator[str]:
        """Count what is in directories that came or went while that could not be compared."""
        for path, touch in touched.items():
            if touch.counts and touch.directory:
                found = {*self._known.below(path)} - {*result.changed}
                result.changed += found
                yield from found
                if not (found or touch.came or touch.bits):
                    result.changed.append(path)  # nobody knows what was in it

    def _weigh(self, path: str, touch: Touch, result: Sifted) -> None:
        """Compare a file, and say what it counts for."""
        if self._disk.differs(path, Op(touch.bits)) or touch.counts:
            self._returned.pop(path, None)
            result.changed.append(path)
        elif touch.strayed and self._returned.get(path, 0) <= RETURNS:
            self._weigh_return(path, result)
        elif self._known.get(path) is not None:
            self._weigh_save(path, touch, result)

    def _weigh_return(self, path: str, result: Sifted) -> None:
        """A path that came back counts; one that does so at each build is the build's own."""
        self._returned[path] = self._returned.get(path, 0) + 1
        counts = self._returned[path] <= RETURNS
        (result.changed if counts else result.returned).append(path)

    def _weigh_save(self, path: str, touch: Touch, result: Sifted) -> None:
        """Of a file that holds the same bytes: was it saved, and does that count?"""
        if touch.finished and self._unchanged_counts:
            result.changed.append(path)
        elif touch.bits & CLOSE_WRITE:
            result.saved.append(path)
