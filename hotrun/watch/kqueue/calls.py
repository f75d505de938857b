"""kqueue as Python's ``select`` offers it: one queue, its descriptors, a pipe that wakes.

Facts: kqueue(2) of macOS and FreeBSD, and what their sources post (vfs_subr.c, kpi_vfs.c). The
module is injected, so that a fake can stand in; none of this has run on a real kqueue yet.
Law: an event is known by the number it was registered with, never by its descriptor, for a
descriptor that was closed may be another file by the time its last event is looked at.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import resource
import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MANY = 512  # kevents of one call
MOST = 16_384  # kevents of one drain: a writer that never rests must not hold us for ever
MAC_OPEN_MAX = 10_240  # macOS refuses more where the hard limit is "unlimited" (setrlimit(2))


class Kevent(Protocol):
    """What ``select.kevent`` makes."""

    ident: int
    filter: int
    flags: int
    fflags: int
    udata: int


class Queue(Protocol):
    """What ``select.kqueue`` makes."""

    def control(
        self, changes: Sequence[Kevent] | None, count: int, timeout: float | None = ..., /
    ) -> list[Kevent]:
        """Register ``changes``, and return at most ``count`` events."""

    def close(self) -> None:
        """Give the queue back."""


class Kq(Protocol):
    """The names of ``select`` that are used."""

    KQ_FILTER_READ: int
    KQ_FILTER_VNODE: int
    KQ_EV_ADD: int
    KQ_EV_CLEAR: int
    KQ_EV_ENABLE: int
    KQ_NOTE_DELETE: int
    KQ_NOTE_WRITE: int
    KQ_NOTE_EXTEND: int
    KQ_NOTE_ATTRIB: int
    KQ_NOTE_LINK: int
    KQ_NOTE_RENAME: int
    KQ_NOTE_REVOKE: int

    def kqueue(self) -> Queue:
        """Make a queue."""

    def kevent(
        self,
        ident: int,
        filter: int = ...,  # noqa: A002 - its name there
        flags: int = ...,
        fflags: int = ...,
        data: int = ...,
        udata: int = ...,
    ) -> Kevent:
        """Make an event, or the wish for one."""


class Notes(NamedTuple):
    """What an event can say, as bits."""

    delete: int
    rename: int
    revoke: int
    attrib: int
    link: int
    content: int  # of a file: written, extended

    @property
    def away(self) -> int:
        """What is at the path may be something else."""
        return self.delete | self.rename | self.revoke

    @property
    def names(self) -> int:
        """Of a directory: an entry came, went, or was renamed."""
        return self.content | self.link

    @property
    def all(self) -> int:
        """All that is asked for."""
        return self.away | self.attrib | self.names


class Kernel:
    """One kqueue.

    Args:
        kq: The module ``select``, or a fake of it.
        clock: Seconds.

    Raises:
        OSError: there is no queue, or no descriptor, to be had.
    """

    def __init__(self, kq: Kq, clock: Callable[[], float]) -> None:
        self._kq = kq
        self.now = clock
        self.notes = Notes(
            kq.KQ_NOTE_DELETE,
            kq.KQ_NOTE_RENAME,
            kq.KQ_NOTE_REVOKE,
            kq.KQ_NOTE_ATTRIB,
            kq.KQ_NOTE_LINK,
            kq.KQ_NOTE_WRITE | kq.KQ_NOTE_EXTEND,
        )
        self._numbers = itertools.count(1)
        self._stash: deque[Kevent] = deque()  # what ``wait`` saw; another thread may append
        with contextlib.ExitStack() as undo:
            self._queue = kq.kqueue()
            undo.callback(self._queue.close)
            self._pipe = Pipe()
            undo.callback(self._pipe.close)
            wish = kq.kevent(self._pipe.fd, kq.KQ_FILTER_READ, kq.KQ_EV_ADD | kq.KQ_EV_ENABLE)
            self._queue.control([wish], 0)
            self._undo = undo.pop_all()

    def register(self, fd: int, notes: int) -> int:
        """Ask for events of a descriptor, until it is closed; return the number they carry.

        Raises:
            OSError: its filesystem has none.
        """
        number = next(self._numbers)
        kq = self._kq
        flags = kq.KQ_EV_ADD | kq.KQ_EV_CLEAR | kq.KQ_EV_ENABLE
        self._queue.control([kq.kevent(fd, kq.KQ_FILTER_VNODE, flags, notes, udata=number)], 0)
        return number

    def wait(self, seconds: float | None) -> None:
        """Come back when there is something to ``take``, when woken, or after a time."""
        if not self._stash:
            # What is returned is not in the queue any more, but nothing is decided by it yet.
            self._stash += self._queue.control(None, MANY, seconds)

    def take(self) -> list[tuple[int, int]]:
        """Return what has happened by now: numbers of ``register``, each with its notes.

        Raises:
            OSError: the queue is no more.
        """
        taken: list[Kevent] = []
        while self._stash:
            taken.append(self._stash.popleft())
        while len(taken) < MOST:
            events = self._queue.control(None, MANY, 0)
            taken += events
            if len(events) < MANY:
                break
        # macOS is known to deliver ident 0 (fsnotify/fsnotify:backend_kqueue.go), which is no
        # descriptor of ours: see ``open_node``.
        vnode = self._kq.KQ_FILTER_VNODE
        return [(each.udata, each.fflags) for each in taken if each.ident and each.filter == vnode]

    def wake(self) -> None:
        """Let ``wait`` come back; from any thread, and harmless after ``release``."""
        self._pipe.set()

    def woken(self) -> bool:
        """Tell whether ``wake`` was called since the last time."""
        return self._pipe.clear()

    def release(self) -> None:
        """Give queue and pipe back."""
        self._undo.close()


class Pipe:
    """Lets who waits for its reading end return; from any thread, and harmless after ``close``."""

    def __init__(self) -> None:
        self.fd, self._end = os.pipe()  # close-on-exec, as Python makes all descriptors
        os.set_blocking(self.fd, False)
        os.set_blocking(self._end, False)
        # Between a look at the end and the write another thread may close it, and a third one
        # open a file that gets its number. Reentrant: a signal handler may wake.
        self._lock = threading.RLock()

    def set(self) -> None:
        """Wake."""
        with self._lock, contextlib.suppress(BlockingIOError):  # a full pipe is awake already
            if self._end >= 0:
                os.write(self._end, b"\0")

    def clear(self) -> bool:
        """Be ready for the next one; True when somebody did wake."""
        woken = False
        with contextlib.suppress(BlockingIOError):
            while os.read(self.fd, 4096):
                woken = True
        return woken

    def close(self) -> None:
        """Give both ends back."""
        with self._lock:
            os.close(self.fd)
            os.close(self._end)
            self._end = -1


def open_node(path: str, *, directory: bool, follow: bool) -> int:
    """Open a file or directory to hear of it only; never waits (a fifo has nobody to wait for).

    Raises:
        OSError: with the path.
    """
    # O_EVTONLY is macOS': the volume can be unmounted all the same.
    flags = getattr(os, "O_EVTONLY", os.O_RDONLY) | os.O_NONBLOCK | os.O_CLOEXEC
    flags |= os.O_DIRECTORY if directory else 0
    return _open(path, flags if follow else flags | os.O_NOFOLLOW)


def can_open_links() -> bool:
    """Whether a link can be opened itself: O_SYMLINK is macOS', O_PATH FreeBSD's."""
    return hasattr(os, "O_SYMLINK") or hasattr(os, "O_PATH")


def open_link(path: str) -> int:
    """Open a link itself, to hear of it only.

    Raises:
        OSError: with the path.
    """
    flags = getattr(os, "O_SYMLINK", 0) | getattr(os, "O_EVTONLY", 0)
    flags = flags or getattr(os, "O_PATH", 0) | os.O_NOFOLLOW
    return _open(path, flags | os.O_RDONLY | os.O_CLOEXEC)


def _open(path: str, flags: int) -> int:
    fd = os.open(path, flags)
    if fd:
        return fd
    try:  # standard input is closed; but events of ident 0 are not to be trusted
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(fd)


class Limit:
    """How many descriptors this process may have (getrlimit(2)), raised while we watch.

    The limit is one for the whole process, and children inherit it: who starts a program puts
    ``before`` in force there. It is put back at the end, unless somebody else has changed it.

    Args:
        most: Returns kern.maxfilesperproc, which rules below the hard limit; None: not known.
    """

    def __init__(self, most: Callable[[], int | None]) -> None:
        self.before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.now = wanted(self.before, hard, most())
        self.lift()

    def lift(self) -> bool:
        """Raise the limit; True when it was lower: another watcher may have put it back."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft == resource.RLIM_INFINITY or soft >= self.now:
            return False
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self.now, hard))
        except (OSError, ValueError):  # refused: it stays as it is
            self.now = soft
        return self.now > soft

    def restore(self) -> None:
        """Put the limit back."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft == self.now:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self.before, hard))


def wanted(soft: int, hard: int, most: int | None) -> int:
    """Return how many descriptors to ask for."""
    is_finite = hard != resource.RLIM_INFINITY
    highest = min(hard, most or hard) if is_finite else most or MAC_OPEN_MAX
    return highest if soft == resource.RLIM_INFINITY else max(soft, highest)


def most_files() -> int | None:
    """Return kern.maxfilesperproc (sysctl(3)); None where there is no such setting."""
    import ctypes

    sysctl = getattr(ctypes.CDLL(None, use_errno=True), "sysctlbyname", None)
    if sysctl is None:
        return None
    value = ctypes.c_int()
    size = ctypes.c_size_t(ctypes.sizeof(value))
    failed = sysctl(
        b"kern.maxfilesperproc", ctypes.byref(value), ctypes.byref(size), None, ctypes.c_size_t(0)
    )
    return None if failed or value.value <= 0 else value.value
