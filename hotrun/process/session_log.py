"""Session files as they are read: of our own user, of the form that hotrun writes, or not at all.

A checkout may hold a file of that name: it must not make us end what its author likes. So the
cookie has to be one that hotrun makes, with the pid of its hotrun in it, and so has the name of a
directory for builds.
"""

from __future__ import annotations

import os
import re
import stat as modes
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple
from hotrun.process import session_file
from hotrun.process.tree import Process

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 1 << 20  # bytes of a file that are read
_NAME = re.compile(r"session-[0-9]{1,20}(-[0-9]{1,20})?")
_COOKIE = re.compile(r"HOTRUN_SESSION=([0-9]{1,20})-([0-9]{1,20})")
_MADE = re.compile(r"=([0-9]{1,20}) ([0-9]{1,20}) (/.*/hotrun-([0-9]{1,20})-[0-9]{1,20})")
_BEGUN = re.compile(r"\+([0-9]{1,20}) ([0-9]{1,20}[.][0-9]{1,20}) (app|build)(?: (.*))?")


class Group(NamedTuple):
    """A group that began and of whose end nobody wrote."""

    first: Process
    kind: str
    command: str


class Made(NamedTuple):
    """A directory that was made and of whose removal nobody wrote: path, device and inode."""

    path: str
    identity: tuple[int, int]


class Log(NamedTuple):
    """A session file as it was read."""

    path: str
    identity: tuple[int, int]
    locked: bool
    here: str
    hotrun: Process
    guardian: Process
    sid: int
    cookie: str
    since: float
    groups: tuple[Group, ...]
    made: tuple[Made, ...]


def logs(directory: str) -> Iterator[Log]:
    """Yield the session files of a project."""
    place = os.path.join(directory, session_file.DIRECTORY)
    try:
        names = sorted(filter(_NAME.fullmatch, os.listdir(place)))
    except OSError:
        return
    for name in names:
        log = _read(os.path.join(place, name))
        if log is not None:
            yield log


def _read(path: str) -> Log | None:
    """Read a session file; None for what is none of ours, whatever it is called."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # it may be a pipe
    try:
        fd = os.open(path, flags)
    except OSError:
        return None
    try:
        stat = os.fstat(fd)
        if not modes.S_ISREG(stat.st_mode) or stat.st_uid != os.geteuid():
            return None
        text = os.read(fd, MOST).decode("utf-8", "surrogateescape")
        return _parsed(path, (stat.st_dev, stat.st_ino), session_file.locked(fd), text)
    except (OSError, ValueError):  # no header, or no number where one has to be
        return None
    finally:
        os.close(fd)


def _parsed(path: str, identity: tuple[int, int], locked: bool, text: str) -> Log | None:
    header, *records = text.split("\n")[:-1]
    magic, here, pid, began, guardian, guardian_began, sid, cookie = header.split(" ")
    made = _COOKIE.fullmatch(cookie)
    if magic != session_file.MAGIC or made is None or made[1] != pid:
        return None
    return Log(
        path,
        identity,
        locked,
        here,
        Process(int(pid), float(began)),
        Process(int(guardian), float(guardian_began)),
        int(sid),
        cookie,
        int(made[2]) / 1e9,
        tuple(_groups(records)),
        tuple(_made(records, pid)),
    )


def _groups(records: list[str]) -> Iterator[Group]:
    """Return the groups that began and did not end; what is no record says nothing."""
    groups: dict[str, Group] = {}
    for record in records:
        begun = _BEGUN.fullmatch(record)
        if begun is not None:
            pid, began, kind, command = begun.groups("")
            groups[pid] = Group(Process(int(pid), float(began)), kind, command)
        elif record[:1] == "-":
            groups.pop(record[1:], None)
    yield from groups.values()


def _made(records: list[str], pid: str) -> Iterator[Made]:
    """Return the directories for builds that were made and not removed."""
    found: dict[str, Made] = {}
    for record in records:
        made = _MADE.fullmatch(record)
        if made is not None and made[4] == pid:
            found[made[3]] = Made(made[3], (int(made[1]), int(made[2])))
        elif record[:1] == "!":
            found.pop(record[1:], None)
    yield from found.values()
