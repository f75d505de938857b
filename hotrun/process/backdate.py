"""Outputs that are newer than what they were made from.

To make, a file that is newer than its source is up to date, also one that was made from what the
source held before a save that came meanwhile: that save would never be built. So what a build made
while a file was saved gets a time before that build, as old as what it has read.

Law: only outputs that the config names, and of them only what such a build has written.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from hotrun.process.artifact import expand

if TYPE_CHECKING:
    from collections.abc import Collection

TICK = 10_000_000  # nanoseconds by which the time of a file may be behind the clock (HZ=100)
SPANS = 4  # builds that are remembered: a poll may hear of a save two builds later
FEW = 1_000  # changed files that are asked for their time, 2 us each; of more one will be in time
MOST = 20_000  # outputs that are looked at, for whoever waits for the next build


class Backdate:
    """The builds of late, and what they make.

    Args:
        outputs: Absolute paths or globs; a directory means all below it.
    """

    def __init__(self, outputs: Collection[str]) -> None:
        self._outputs = tuple(outputs)
        self._began = 0
        self._spans: deque[tuple[int, int]] = deque(maxlen=SPANS)  # nanoseconds since the epoch

    def begin(self, changed: Collection[str]) -> None:
        """A build begins.

        Args:
            changed: What it is for, absolute paths.
        """
        self._began = time.time_ns() - TICK
        if not self._spans or not self._outputs:
            return
        if len(changed) > FEW:
            spans = list(self._spans)
        else:
            saves = [moment for path in changed for moment in _saved(path)]
            spans = [s for s in self._spans if any(s[0] <= moment <= s[1] for moment in saves)]
        if spans:
            with contextlib.suppress(OSError):  # a directory that may not be read
                for path in islice(expand(self._outputs), MOST):
                    _make_older(path, spans)

    def end(self) -> None:
        """It has ended, whatever came of it."""
        self._spans.append((self._began, time.time_ns()))


def _make_older(path: str, spans: list[tuple[int, int]]) -> None:
    """Give a file that one of some builds has written a time before that build."""
    with contextlib.suppress(OSError):  # gone, or another user's
        status = os.lstat(path)
        for began, ended in spans:
            if began <= status.st_mtime_ns <= ended:
                times = (status.st_atime_ns, began - TICK)
                os.utime(path, ns=times, follow_symlinks=False)
                return


def _saved(path: str) -> list[int]:
    """Return when a file was written: a link itself, and what it leads to."""
    moments = []
    for status in (os.lstat, os.stat):
        with contextlib.suppress(OSError):
            moments.append(status(path).st_mtime_ns)
    return moments
