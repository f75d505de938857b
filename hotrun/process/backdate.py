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
    from collections.abc import Callable, Collection

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
            spans = [span for span in self._spans if any(map(_in(span), saves))]
        if spans:
            self._make_older(spans)

    def end(self) -> None:
        """It has ended, whatever came of it."""
        self._spans.append((self._began, time.time_ns()))

    def _make_older(self, spans: list[tuple[int, int]]) -> None:
        with contextlib.suppress(OSError):
            for path in islice(expand(self._outputs), MOST):
                for moment in _saved(path)[:1]:
                    began = next((span[0] for span in spans if _in(span)(moment)), 0)
                    if began:
                        _set_time(path, began - TICK)


def _set_time(path: str, moment: int) -> None:
    with contextlib.suppress(OSError):  # gone, or another user's
        accessed = os.lstat(path).st_atime_ns
        os.utime(path, ns=(accessed, moment), follow_symlinks=False)


def _in(span: tuple[int, int]) -> Callable[[int], bool]:
    return lambda moment: span[0] <= moment <= span[1]


def _saved(path: str) -> list[int]:
    """Return when a file was written: a link itself, and what it leads to."""
    moments = []
    for status in (os.lstat, os.stat):
        with contextlib.suppress(OSError):
            moments.append(status(path).st_mtime_ns)
    return moments
