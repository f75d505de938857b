"""What a watcher says: events, overflows, and directories it could not watch.

Pure data, the same for every kernel. An event is a hint that something happened to a path;
the disk is the truth.
"""

from __future__ import annotations

from enum import Flag, auto
from typing import NamedTuple


class Op(Flag):
    """What happened to a path; a set, because kernels merge.

    The first five exist on every backend. ``CLOSE_WRITE`` (a file opened for writing was
    closed) and ``MOVED_TO`` (the name came by a rename, so its content is whole) accompany
    them where the kernel tells; both say that a save is finished.
    """

    CREATE = auto()
    WRITE = auto()
    REMOVE = auto()
    RENAME = auto()
    CHMOD = auto()
    CLOSE_WRITE = auto()
    MOVED_TO = auto()


class Event(NamedTuple):
    """One notification.

    Attributes:
        path: Absolute, under the name that was given to ``add``; bytes that are no UTF-8
            are kept as surrogates (``os.fsdecode``).
        op: What happened.
        renamed_from: On CREATE: the old path, when both names were watched.
        directory: The path is, or was, a directory.
    """

    path: str
    op: Op
    renamed_from: str | None = None
    directory: bool = False


class Overflow(NamedTuple):
    """The kernel dropped events below ``root``: list it again and compare."""

    root: str


class Refreshed(NamedTuple):
    """``root`` was walked again because its ignore rules changed: list it and compare."""

    root: str


class Unwatched(NamedTuple):
    """A directory below a root that cannot be watched, and why (said once a directory)."""

    path: str
    error: OSError


Item = Event | Overflow | Refreshed | Unwatched
