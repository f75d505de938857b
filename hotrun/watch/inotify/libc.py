"""inotify as libc offers it: the calls, through ctypes.

Facts: inotify(7), inotify_add_watch(2), eventfd(2).
"""

from __future__ import annotations

import ctypes
import os
import threading

BUFFER = 256 * 1024  # a buffer smaller than the next event gives EINVAL
DRAIN = 4 * 1024 * 1024  # bytes of one drain: several default queues, so a burst is one list

_libc = ctypes.CDLL(None, use_errno=True)
# Declared, ctypes converts the arguments itself: half the cost of a call.
try_add_watch = _libc.inotify_add_watch  # a wd, or -1: ``add_watch`` says why
try_add_watch.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32)


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
