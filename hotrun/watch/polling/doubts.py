"""Writes that a coarse clock may hide.

FAT stamps files in steps of two seconds; ext3, HFS+ and SFTP know whole seconds only. A second
write within the step, of as many bytes, leaves all as it was after the first, and no look can
tell. So a file that was written there is told once more when the step is over: what was told
last is then certainly true. Where a stamp has a fraction of a second nothing is told twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hotrun.watch.sieve.snapshot import Signature

SECOND = 1_000_000_000  # ns
STEP = 2.1  # seconds: the longest step there is, that of FAT, and a little
MOST = 1_000  # files; of more than that nobody is the author


class Doubts:
    """The files that were written within the last step of a coarse clock."""

    def __init__(self) -> None:
        self._ends: dict[str, float] = {}  # in the order of time

    def note(self, path: str, found: Signature | None, now: float) -> None:
        """Take a file that was created or written, as it was found."""
        self._ends.pop(path, None)
        if found is not None and found.ctime_ns % SECOND == 0 and len(self._ends) < MOST:
            self._ends[path] = now + STEP

    def ripe(self, now: float) -> list[str]:
        """Return those that are to be told again by now, and forget them."""
        paths = []
        for path, end in self._ends.items():
            if end > now:
                break
            paths.append(path)
        for path in paths:
            del self._ends[path]
        return paths
