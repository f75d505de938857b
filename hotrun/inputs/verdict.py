"""What is known of the inputs of a build, whoever knows it.

The law: a "no" is a promise. Whoever says that a file does not matter says that the binary will
be the same; in doubt it matters.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

# Which file was which when we looked: size, mtime, ctime (both in nanoseconds), inode.
Mark = tuple[int, int, int, int]


class Verdict(NamedTuple):
    """Whether a file can alter what is built, and a sentence that says why."""

    matters: bool
    why: str


class Knowledge(Protocol):
    """The inputs of one build."""

    def verdict(self, path: str) -> Verdict:
        """Judge a file, there or gone; its path is real but for its last part."""

    def outdated_by(self, path: str) -> bool:
        """Whether the change of a file that matters may have changed what the inputs are."""

    def stood_still(self, since: int) -> bool:
        """Whether it is sure that nothing it was read from changed, nanoseconds since 1970."""

    def places(self) -> Collection[tuple[str, str]]:
        """Return the directories of sources that somebody edits, each with that of its module."""

    def moved(self) -> Collection[str]:
        """Return what is not as it was at the last such call, or at first: it may be unwatched."""


def real(path: str) -> str:
    """Return a path whose directories are no links; the file itself may be one."""
    directory, name = os.path.split(path)
    return os.path.join(os.path.realpath(directory), name)


def real_ones(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each path and its real one; a directory is looked at once, for there may be 10,000."""
    directories: dict[str, str] = {}
    for path in paths:
        directory, name = os.path.split(path)
        if directory not in directories:
            directories[directory] = os.path.realpath(directory)
        yield path, os.path.join(directories[directory], name)


def mark(path: str) -> Mark | None:
    """Return which file is at a path; None when there is none that we can reach."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
