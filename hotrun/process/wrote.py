"""Whether a process tree has written to any file: its count of bytes that went into pages.

``write_bytes`` of /proc/PID/io (proc(5)) grows when a page of a file becomes dirty; of those who
were waited for it goes to who waited. Pipes, sockets and terminals do not count. Nor do, as tried
on Linux 6.18: tmpfs; what is written into a page that is dirty already (an append, a moment after
the last one), so that ``write_out`` comes first; truncating, removing, linking, setting times;
and children of a parent that ignores SIGCHLD. Sqlite, mmap, O_DIRECT and sendfile do, and
sometimes the first read of a file after a write (relatime).
"""

from __future__ import annotations

import contextlib
import os
import time
from bisect import bisect_right
from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING

from hotrun.breaker import TICK
from hotrun.lean import NamedTuple
from hotrun.process import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MOST_LOOKS = 1024
LOOKS_AGAIN = 3  # at a tree in which somebody ended meanwhile
MANY = 4  # other looks, below which nobody knows whether it writes all the time
# Seconds between a look and what changed after it, above which a write in between may be another
# one: a script that waits for an output of the build needs as long to answer it.
SHARP = 0.004
NEAR = 0.1  # seconds around a moment; who wrote at most looks in there writes all the time
OURS = 0  # stands for what we got from those we waited for


def written(pids: Iterable[int]) -> dict[int, int | None]:
    """Return the bytes that processes have written, zombies too; None when we may not know it."""
    return {pid: _written(f"/proc/{pid}/io") for pid in pids}


def waited() -> int | None:
    """Return the bytes that came to us from our own children, when we waited for them."""
    try:
        own = [_written(f"/proc/self/task/{task}/io") for task in os.listdir("/proc/self/task")]
    except OSError:
        return None
    ours = _written("/proc/self/io")
    return None if ours is None else ours - sum(count or 0 for count in own)


def is_counted(file: str, directory: str) -> bool:
    """Whether writes to a file are counted at all, by a trial where nobody looks.

    Args:
        file: A path on the file system in question.
        directory: One of our own on it, where a file without a name is made, and told to whoever
            watches it.
    """
    try:
        if os.stat(os.path.dirname(file)).st_dev != os.stat(directory).st_dev:
            return False
        before = _written("/proc/thread-self/io")
        trial = os.open(directory, os.O_TMPFILE | os.O_WRONLY, 0o600)
        try:
            os.write(trial, b"x")
        finally:
            os.close(trial)
    except (OSError, AttributeError):  # no such file system, or no such system
        return False
    after = _written("/proc/thread-self/io")
    return before is not None and after is not None and before < after


def write_out(path: str) -> None:
    """Let the kernel begin to write a file to the disk, so that the next write to it is counted.

    It takes 0.1 ms: with this advice nobody waits (mm/fadvise.c, WB_SYNC_NONE).
    """
    with contextlib.suppress(OSError, AttributeError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


class _Look(NamedTuple):
    """It takes a while, in which the app goes on."""

    began: float
    ended: float
    counts: dict[int, int | None]


class _Stamp:
    """A file of ours in memory that gets the exact time."""

    def __init__(self) -> None:
        self._file = os.memfd_create("hotrun", os.MFD_CLOEXEC)

    def chmod(self) -> None:
        # Twice: after a tick the first one only gets the time of that (inode_set_ctime_current).
        for _ in range(2):
            os.fstat(self._file)
            os.fchmod(self._file, 0o600)

    def close(self) -> None:
        os.close(self._file)


def _stamp() -> _Stamp | None:
    try:
        return _Stamp()
    except (OSError, AttributeError):  # no such system
        return None


class Meter:
    """The written bytes of one run of a step, looked at now and then.

    Two looks tell of the time between them: an app that has written its cache before it answers
    did not write what changes after it has answered.

    Args:
        clock: The wall clock, as the times of files are.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._looks: deque[_Look] = deque(maxlen=MOST_LOOKS)
        self._stamp = _stamp()

    def look(self, pids: Callable[[], Iterable[int]]) -> None:
        """Remember what its processes have written by now.

        Args:
            pids: Looks up them, zombies too, parents before their children: what one writes
                that ends meanwhile is then missed, which is seen, and not counted twice.
        """
        look = self._seen(pids)
        for _ in range(LOOKS_AGAIN):
            if None not in look.counts.values():
                break
            look = self._seen(pids)
        self._looks.append(look)
        self._sharpen()

    def _seen(self, pids: Callable[[], Iterable[int]]) -> _Look:
        began = self._clock()
        counts = {OURS: waited(), **written(pids())}
        return _Look(began, self._clock(), counts)

    def _sharpen(self) -> None:
        """Let no file be stamped from now on with a time before now.

        The time of a file is that of the last tick, or the last exact time that any file got, if
        that is later; and one that was looked at since its last change gets an exact one (Linux
        6.13, Documentation/filesystems/multigrain-ts.rst).
        """
        if self._stamp is not None:
            self._stamp.chmod()

    def close(self) -> None:
        """Give the descriptor back; what was seen is still known."""
        if self._stamp is not None:
            self._stamp.close()
            self._stamp = None

    def wrote(self, at: float, *, sharp: bool = True) -> bool | None:
        """Whether it wrote at about a time; None when that is not known.

        Args:
            at: The mtime of a file that has changed by the last look.
            sharp: That it wrote is only taken for known if there was a look just before.
        """
        looks = list(self._looks)
        before = bisect_right(looks, at, key=lambda look: look.ended) - 1
        if before < 0 or looks[-1].ended < at:
            return None
        after = bisect_right(looks, at + TICK, key=lambda look: look.began)
        after = min(after, len(looks) - 1)
        if after == before:
            return None
        grew = _grew(looks[before].counts, looks[after].counts)
        if not grew:
            return grew
        blurred = sharp and at - looks[before].ended > SHARP
        return None if blurred or _is_constant(looks, before, after) else grew


def _is_constant(looks: list[_Look], before: int, after: int) -> bool:
    """Whether it also wrote at most other looks near that moment, so that it means nothing."""
    start, end = looks[before].ended - NEAR, looks[after].began + NEAR
    others = [
        _grew(one.counts, two.counts)
        for n, (one, two) in enumerate(pairwise(looks))
        if not before <= n < after and start <= one.ended and two.began <= end
    ]
    return len(others) >= MANY and 2 * others.count(False) < len(others)


def _grew(before: dict[int, int | None], after: dict[int, int | None]) -> bool | None:
    """Whether they wrote in between; the count of who was waited for went to who waited."""
    if None in (*before.values(), *after.values()):
        return None
    grown = _sum(after) - _sum(before)
    # Less than before: one has ended for whom nobody waited, and took its count along.
    return None if grown < 0 else grown > 0


def _sum(counts: dict[int, int | None]) -> int:
    return sum(count or 0 for count in counts.values())


def _written(file: str) -> int | None:
    try:
        _, _, rest = tree.content(file, single=True).partition(b"\nwrite_bytes: ")
    except OSError:  # it is another user's, or has ended
        return None
    return int(rest.split()[0]) if rest else None
