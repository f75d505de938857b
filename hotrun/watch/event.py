"""What a watcher says: events, overflows, and what it cannot hear of from the kernel.

Pure data, the same for every kernel. An event is a hint that something happened to a path;
the disk is the truth.
"""

from __future__ import annotations

from enum import Flag, auto

from hotrun.lean import NamedTuple


class Op(Flag):
    """What happened to a path; a set, because kernels merge.

    The first five exist on every backend, and ``Watcher.add`` listens for them unless told
    otherwise. The rest are told on request, by the kernels that know them:

    - ``CLOSE_WRITE``: a file that was open for writing was closed, so a save is finished;
    - ``MOVED_TO`` (together with CREATE): the name came by a rename, so its content is whole;
    - ``OPEN``, ``READ``, ``CLOSE_READ``: somebody looks. A build reads everything: never
      listen for these where one runs.
    """

    CREATE = auto()
    WRITE = auto()
    REMOVE = auto()
    RENAME = auto()
    CHMOD = auto()
    CLOSE_WRITE = auto()
    MOVED_TO = auto()
    OPEN = auto()
    READ = auto()
    CLOSE_READ = auto()


BASE = Op.CREATE | Op.WRITE | Op.REMOVE | Op.RENAME | Op.CHMOD
SAVES = BASE | Op.CLOSE_WRITE | Op.MOVED_TO  # all that tells of a change and of its end
LOOKS = Op.OPEN | Op.READ | Op.CLOSE_READ


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


class Polled(NamedTuple):
    """Directories that are polled from now on, because the kernel does not tell of them.

    Attributes:
        path: The directory; of several that are polled for one reason, the root above them.
        directories: How many directories are polled by now for this reason.
        reason: One line: why.
        hint: One line: what helps; empty where nothing does.
    """

    path: str
    directories: int
    reason: str
    hint: str = ""


Item = Event | Overflow | Refreshed | Unwatched | Polled
