"""inotify as libc offers it: the calls, through ctypes, and the bytes they answer.

Facts: inotify(7), inotify_add_watch(2), eventfd(2). ``decode`` is pure and runs on every system.
"""

from __future__ import annotations

import ctypes
import os
import struct
import threading
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_ACCESS = 0x1
IN_MODIFY = 0x2
IN_ATTRIB = 0x4
IN_CLOSE_WRITE = 0x8
IN_CLOSE_NOWRITE = 0x10
IN_OPEN = 0x20
IN_MOVED_FROM = 0x40
IN_MOVED_TO = 0x80
IN_CREATE = 0x100
IN_DELETE = 0x200
IN_DELETE_SELF = 0x400
IN_MOVE_SELF = 0x800
IN_UNMOUNT = 0x2000
IN_Q_OVERFLOW = 0x4000
IN_IGNORED = 0x8000
IN_ONLYDIR = 0x01000000
IN_DONT_FOLLOW = 0x02000000
IN_EXCL_UNLINK = 0x04000000
IN_MASK_ADD = 0x20000000
IN_ISDIR = 0x40000000

BUFFER = 256 * 1024  # a buffer smaller than the next event gives EINVAL
DRAIN = 4 * 1024 * 1024  # bytes of one drain: several default queues, so a burst is one list
_HEADER = struct.Struct("iIII")

_libc = ctypes.CDLL(None, use_errno=True)
# Declared, ctypes converts the arguments itself: half the cost of a call.
try_add_watch = _libc.inotify_add_watch  # a wd, or -1: ``add_watch`` says why
try_add_watch.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32)


class Record(NamedTuple):
    """One ``struct inotify_event``."""

    wd: int
    mask: int
    cookie: int
    name: bytes


def _fail(path: str | None = None) -> OSError:
    code = ctypes.get_errno()
    return OSError(code, os.strerror(code), path)


def init() -> int:
    """Make an inotify instance, non-blocking and close-on-exec.

    Raises:
        OSError: EMFILE when ``fs.inotify.max_user_instances`` or RLIMIT_NOFILE is used up.
    """
    fd: int = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if fd < 0:
        raise _fail()
    return fd


def add_watch(fd: int, path: str, mask: int) -> int:
    """Watch one path and return its wd (the same one for the same inode).

    Raises:
        OSError: with the path; ENOSPC when ``fs.inotify.max_user_watches`` is used up.
    """
    wd: int = try_add_watch(fd, path.encode("utf-8", "surrogateescape"), mask)
    if wd < 0:
        raise _fail(path)
    return wd


def remove_watch(fd: int, wd: int) -> None:
    """Drop one wd; that the kernel dropped it already (EINVAL) is no error."""
    _libc.inotify_rm_watch(fd, wd)


def decode(data: bytes) -> Iterator[Record]:
    """Cut what ``read`` gave into records; names come padded with NUL bytes."""
    at = 0
    while at < len(data):
        wd, mask, cookie, size = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        yield Record(wd, mask, cookie, data[at : at + size].rstrip(b"\0"))
        at += size


def drain(fd: int) -> bytes:
    """Read what is queued, at most ``DRAIN`` bytes."""
    parts = []
    size = 0
    while size < DRAIN:
        try:
            part = os.read(fd, BUFFER)
        except BlockingIOError:
            break
        parts.append(part)
        size += len(part)
    return b"".join(parts)


class Wakeup:
    """Lets who polls ``fd`` return; from any thread, and harmless after ``close``."""

    def __init__(self) -> None:
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        # Between a look at ``fd`` and the write another thread may close it, and a third one
        # open a file that gets its number. Reentrant: a signal handler may wake.
        self._lock = threading.RLock()

    def set(self) -> None:
        """Wake."""
        with self._lock:
            if self.fd >= 0:
                os.eventfd_write(self.fd, 1)

    def clear(self) -> bool:
        """Be ready for the next one; True when somebody did wake."""
        try:
            return os.eventfd_read(self.fd) > 0
        except BlockingIOError:
            return False

    def close(self) -> None:
        """Give the descriptor back."""
        with self._lock:
            os.close(self.fd)
            self.fd = -1
