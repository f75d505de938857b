"""The session file: what a running hotrun has started, for the next one to read.

The guardian ends what a killed hotrun leaves. When it was killed too, this file still tells:
``.hotrun/session-PID`` in the project, a header and a log of groups that began and ended, and of
directories that were made and removed.

Law: it never costs a session anything. A project that cannot be written to goes without, and
nothing that was not made here is ever deleted.
"""

from __future__ import annotations

import contextlib
import os
import stat as modes
import time
from typing import TYPE_CHECKING

from hotrun.process import tree
from hotrun.process.inode import NOTHING, identity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotrun.process.tree import Process

DIRECTORY = ".hotrun"
MAGIC = "hotrun-session-1"
IGNORE = b"*\n"  # git never sees the directory, whatever the project's own rules are
LONGEST = 300  # characters of a command that are written down
TRIES = 3  # another session may be removing the directory in the moment in which it ends


class SessionFile:
    """The file of this session; a context, or closed by ``close``.

    Args:
        directory: The project's.
        cookie: ``NAME=PID-NANOSECONDS`` in the environment of every app.
        guardian: The pid of the guardian, 0 for none.

    Attributes:
        path: Where it is; empty when it could not be made.
    """

    def __init__(self, directory: str, cookie: str, guardian: int = 0) -> None:
        self._place = os.path.join(os.path.abspath(directory), DIRECTORY)
        self._ignored = NOTHING  # the .gitignore of a directory that we made
        self.path, self._fd = "", -1
        self._living: set[int] = set()
        self._owned: dict[str, str] = {}  # records of what we made, by its path
        header = _header(cookie, guardian)
        self._size = len(header)
        with contextlib.suppress(OSError, ValueError):
            self._create()
            os.write(self._fd, header)

    def begin(self, group: int, kind: str, command: str) -> None:
        """A process group was started.

        Args:
            group: Its number, the pid of its first process.
            kind: "app" or "build".
            command: What a person would call it.
        """
        stat = tree.read(group) if self._fd >= 0 else None
        if stat is not None:
            self._living.add(group)
            line = " ".join(command.split())[:LONGEST]
            self._write(f"+{group} {stat.process.began!r} {kind} {line}\n")

    def end(self, group: int) -> None:
        """A process group is gone."""
        if group not in self._living:
            return
        self._living.remove(group)
        if self._living:
            self._write(f"-{group}\n")
        else:  # a long session's file stays small
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self._size)
            self._write("".join(self._owned.values()))

    def own(self, path: str) -> None:
        """We made a directory for builds, to be removed after us (scratch.py)."""
        if "\n" not in path:  # records are lines
            device, inode = identity(path)
            self._owned[path] = f"={device} {inode} {path}\n"
            self._write(self._owned[path])

    def disown(self, path: str) -> None:
        """What we made is gone."""
        if self._owned.pop(path, ""):
            self._write(f"!{path}\n")

    def close(self) -> None:
        """Nothing is left: remove the file, and the directory if this session made it."""
        if self._fd < 0:
            return
        remove(self.path, _identity_of(self._fd))
        os.close(self._fd)
        self._fd = -1
        self._remove_place()

    def _write(self, record: str) -> None:
        with contextlib.suppress(OSError):  # a full disk must not cost a session
            os.write(self._fd, record.encode("utf-8", "surrogateescape"))

    def _create(self) -> None:
        for path in self._names():
            self._make_place()
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with contextlib.suppress(FileExistsError, FileNotFoundError):
                self._fd = os.open(path, flags, 0o600)
                self.path = path
                _lock(self._fd)
                return

    def _names(self) -> Iterator[str]:
        """The name, and others: in another container somebody else may have our pid."""
        name = os.path.join(self._place, f"session-{os.getpid()}")
        yield name
        for _ in range(TRIES):
            yield f"{name}-{time.time_ns()}"

    def _make_place(self) -> None:
        try:
            os.mkdir(self._place)
        except FileExistsError:
            if not modes.S_ISDIR(os.lstat(self._place).st_mode):  # a link would lead elsewhere
                raise
            return
        self._ignore()

    def _ignore(self) -> None:
        path = os.path.join(self._place, ".gitignore")
        with contextlib.suppress(OSError):
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
            self._ignored = _identity_of(fd)
            os.write(fd, IGNORE)
            os.close(fd)

    def _remove_place(self) -> None:
        """Remove the directory, if we made it and nobody else has anything in it."""
        path = os.path.join(self._place, ".gitignore")
        with contextlib.suppress(OSError):
            if identity(path) != self._ignored or os.listdir(self._place) != [".gitignore"]:
                return
            os.unlink(path)
            try:
                os.rmdir(self._place)
            except OSError:  # another session came in between
                self._ignore()


def here() -> str:
    """Return what tells this boot of this machine, and this namespace of pids, from others."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
        return f"{boot}:{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return "-"


def locked(fd: int) -> bool:
    """Whether the session that made a file still has it open (flock(2): the kernel lets go)."""
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(fd, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        pass
    return False


def remove(path: str, expected: tuple[int, int]) -> None:
    """Delete a file, if it is the one that is meant."""
    with contextlib.suppress(OSError):
        if identity(path) == expected != NOTHING:
            os.unlink(path)


def _lock(fd: int) -> None:
    """Show that we live: in another container, or on another machine, our pid says nothing."""
    import fcntl

    with contextlib.suppress(OSError):  # a reader has it this very moment: the pid has to do
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _header(cookie: str, guardian: int) -> bytes:
    hotrun, other = _process(os.getpid()), _process(guardian)
    words = (MAGIC, here(), hotrun.pid, hotrun.began, other.pid, other.began, os.getsid(0), cookie)
    return (" ".join(map(str, words)) + "\n").encode("utf-8", "surrogateescape")


def _process(pid: int) -> Process:
    stat = tree.read(pid) if pid else None
    return stat.process if stat is not None else tree.Process(pid, 0.0)


def _identity_of(fd: int) -> tuple[int, int]:
    stat = os.fstat(fd)
    return stat.st_dev, stat.st_ino
