"""A kqueue for systems that have none; it stands in for the module ``select``.

What it keeps of the real one's rules: the fflags of one registration are ORed until they are
read (EV_CLEAR); an event names no path; a directory is told of its own entries and of nothing
below them; a descriptor outlives its name; closing it drops what was not read; a pipe can be
waited for (EVFILT_READ, as long as there is something to read). No event is made for what was
there before the registration.

It is driven in two ways. ``Kq(live=False)``: by ``push``. ``Kq()``, or this module itself: by the
real tree. Each registered descriptor is looked at whenever somebody waits, and what differs from
the look before becomes notes, as FreeBSD and XNU post them (vfs_subr.c, kpi_vfs.c):

- an entry of a directory came or went: NOTE_WRITE, with NOTE_LINK if one was a directory;
- a file's size or time differs: NOTE_WRITE, with NOTE_EXTEND if it grew; but size 0, or a time
  set back, is what truncate(2) and utimes(2) do: NOTE_ATTRIB;
- mode or owner differs: NOTE_ATTRIB;
- its name, or the directory it is in, is another one: NOTE_RENAME;
- a name less: NOTE_DELETE. Both systems post it for *each* name that is unlinked, though others
  be left, and XNU adds NOTE_LINK: so does this. A name more: NOTE_LINK.

Where Linux differs: APFS leaves a removed directory its link count, here it becomes 0; the
notes of one look have no order among them, and what was undone between two looks is not seen.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

KQ_FILTER_READ = -1
KQ_FILTER_VNODE = -4
KQ_EV_ADD = 0x1
KQ_EV_DELETE = 0x2
KQ_EV_ENABLE = 0x4
KQ_EV_CLEAR = 0x20
KQ_NOTE_DELETE = 0x1
KQ_NOTE_WRITE = 0x2
KQ_NOTE_EXTEND = 0x4
KQ_NOTE_ATTRIB = 0x8
KQ_NOTE_LINK = 0x10
KQ_NOTE_RENAME = 0x20
KQ_NOTE_REVOKE = 0x40

TICK = 0.003  # seconds between two looks while somebody waits


class kevent:  # noqa: N801 - its name in select
    """One event, or the wish for one."""

    def __init__(
        self,
        ident: int,
        filter: int = KQ_FILTER_READ,  # noqa: A002 - its name in select
        flags: int = KQ_EV_ADD,
        fflags: int = 0,
        data: int = 0,
        udata: int = 0,
    ) -> None:
        self.ident = ident
        self.filter = filter
        self.flags = flags
        self.fflags = fflags
        self.data = data
        self.udata = udata

    def __repr__(self) -> str:
        return f"kevent({self.ident}, {self.filter}, fflags={self.fflags:#x}, udata={self.udata})"


class Stat(NamedTuple):
    """What of a stat can differ because of a change. Comparing stat_result compares seconds."""

    mode: int
    owner: tuple[int, int]
    nlink: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, fd: int) -> Stat:
        """Look at a descriptor."""
        found = os.fstat(fd)
        owner = (found.st_uid, found.st_gid)
        times = (found.st_mtime_ns, found.st_ctime_ns)
        return cls(found.st_mode, owner, found.st_nlink, found.st_size, *times)


class State(NamedTuple):
    """What a descriptor's file was at a look."""

    stat: Stat
    name: str  # as /proc knows it, with what it makes of a name that is gone
    place: tuple[int, int]  # the directory it is in
    entries: frozenset[tuple[str, int]]  # of a directory


class Registration:
    """One descriptor that somebody wants to hear of."""

    def __init__(self, wish: kevent) -> None:
        self.wish = wish
        self.notes = 0  # not read yet
        found = os.fstat(wish.ident)
        self.file = (found.st_dev, found.st_ino)
        self.state = look(wish.ident)

    def look(self, *, live: bool) -> bool:
        """Note what differs from the last look; False: it was closed.

        (The descriptor may be something else by now, which another thread closes at this moment.)
        """
        before = self.state
        try:
            found = os.fstat(self.wish.ident)
            if (found.st_dev, found.st_ino) != self.file:
                return False
            if live and Stat.of(self.wish.ident) != before.stat:
                self.state = look(self.wish.ident)
                self.notes |= differences(before, self.state) & self.wish.fflags
        except OSError:
            return False
        return True


class kqueue:  # noqa: N801 - its name in select
    """One queue; any thread may wait while another one registers."""

    def __init__(self, *, live: bool = True) -> None:
        self._live = live
        self._lock = threading.Lock()
        self._vnodes: dict[int, Registration] = {}
        self._pipes: dict[int, kevent] = {}
        self._strays: deque[kevent] = deque()
        self._late: list[tuple[int, int]] = []
        self.closed = False

    def close(self) -> None:
        """Nothing is told any more."""
        self.closed = True

    def fileno(self) -> int:
        """There is none; nobody may need it."""
        raise NotImplementedError

    def push(self, target: int | str, notes: int) -> None:
        """Post notes to all registrations of a descriptor, or of what is at a path."""
        with self._lock:
            for registration in self._named(target):
                registration.notes |= notes & registration.wish.fflags

    def push_late(self, fd: int, notes: int) -> None:
        """Post notes to a descriptor once something else was read."""
        self._late.append((fd, notes))

    def stray(self, ident: int, notes: int) -> None:
        """Deliver an event that belongs to no registration."""
        self._strays.append(kevent(ident, KQ_FILTER_VNODE, fflags=notes))

    def registered(self, path: str) -> bool:
        """Whether somebody wants to hear of what is at a path."""
        with self._lock:
            return bool(self._named(path))

    def _named(self, target: int | str) -> list[Registration]:
        if isinstance(target, int):
            return [self._vnodes[target]]
        self._look()
        found = os.stat(target, follow_symlinks=False)
        file = (found.st_dev, found.st_ino)
        return [each for each in self._vnodes.values() if each.file == file]

    def files(self) -> set[tuple[int, int]]:
        """The inodes that are registered."""
        with self._lock:
            self._look()
            return {each.file for each in self._vnodes.values()}

    def control(
        self, changes: Iterable[kevent] | None, count: int, timeout: float | None = None, /
    ) -> list[kevent]:
        """Take the wishes in; then wait until something happened and return it."""
        if self.closed:
            raise ValueError("I/O operation on closed kqueue object")
        with self._lock:
            for wish in changes or ():
                self._change(wish)
        end = None if timeout is None else time.monotonic() + timeout
        while count:
            with self._lock:
                events = self._read(count)
            left = None if end is None else end - time.monotonic()
            if events or (left is not None and left <= 0):
                return events
            self._pause(TICK if left is None else min(TICK, left))
        return []

    def _change(self, wish: kevent) -> None:
        if wish.filter == KQ_FILTER_READ:
            self._pipes[wish.ident] = wish
        elif wish.flags & KQ_EV_DELETE:
            del self._vnodes[wish.ident]
        elif wish.flags & KQ_EV_ADD:
            if not wish.flags & KQ_EV_CLEAR:
                raise NotImplementedError("only EV_CLEAR is faked")
            os.fstat(wish.ident)
            self._vnodes[wish.ident] = Registration(wish)

    def _pause(self, seconds: float) -> None:
        """Wait a moment, or until a pipe can be read."""
        poll = select.poll()
        for fd in self._pipes:
            poll.register(fd, select.POLLIN)
        poll.poll(seconds * 1000)

    def _look(self) -> None:
        """Note what happened, and drop what was closed."""
        for fd, registration in list(self._vnodes.items()):
            if not registration.look(live=self._live):
                del self._vnodes[fd]

    def _read(self, count: int) -> list[kevent]:
        self._look()
        events = [self._strays.popleft() for _ in range(min(count, len(self._strays)))]
        readable = select.select(self._pipes, [], [], 0)[0]
        events += [kevent(fd, KQ_FILTER_READ) for fd in readable]
        for fd, registration in self._vnodes.items():
            if registration.notes and len(events) < count:
                udata = registration.wish.udata
                notes, registration.notes = registration.notes, 0
                events.append(kevent(fd, KQ_FILTER_VNODE, KQ_EV_CLEAR, notes, udata=udata))
        if events:
            for fd, notes in self._late:
                self._vnodes[fd].notes |= notes
            self._late.clear()
        return events


class Kq:
    """What serves as the module ``select``, and keeps the queues that were made of it.

    Args:
        live: The queues look at the real tree; otherwise only ``push`` drives them.
    """

    KQ_FILTER_READ = KQ_FILTER_READ
    KQ_FILTER_VNODE = KQ_FILTER_VNODE
    KQ_EV_ADD = KQ_EV_ADD
    KQ_EV_CLEAR = KQ_EV_CLEAR
    KQ_EV_ENABLE = KQ_EV_ENABLE
    KQ_NOTE_DELETE = KQ_NOTE_DELETE
    KQ_NOTE_WRITE = KQ_NOTE_WRITE
    KQ_NOTE_EXTEND = KQ_NOTE_EXTEND
    KQ_NOTE_ATTRIB = KQ_NOTE_ATTRIB
    KQ_NOTE_LINK = KQ_NOTE_LINK
    KQ_NOTE_RENAME = KQ_NOTE_RENAME
    KQ_NOTE_REVOKE = KQ_NOTE_REVOKE
    kevent = kevent

    def __init__(self, *, live: bool = True) -> None:
        self._live = live
        self.queues: list[kqueue] = []

    def kqueue(self) -> kqueue:
        """Make a queue."""
        self.queues.append(kqueue(live=self._live))
        return self.queues[-1]


def look(fd: int) -> State:
    """Return what a descriptor's file is now."""
    found = Stat.of(fd)  # first: what changes meanwhile differs at the next look
    path = os.readlink(f"/proc/self/fd/{fd}")
    directory, _, name = path.rpartition("/")
    try:
        above = os.stat(directory or "/")
    except OSError:
        place = (0, 0)
    else:
        place = (above.st_dev, above.st_ino)
    entries: frozenset[tuple[str, int]] = frozenset()
    if stat.S_ISDIR(found.mode) and not is_path_only(fd):
        try:
            entries = _entries(fd)
        except OSError as error:
            if error.errno not in {errno.ENOENT, errno.EACCES}:
                raise
    return State(found, name, place, entries)


def _entries(fd: int) -> frozenset[tuple[str, int]]:
    """List a directory, and leave the descriptor's own place in it alone.

    A copy of a descriptor shares its offset (open(2)): whoever lists the directory at this moment,
    the backend or, under a number that was closed, a test's ``rm -r``, would find names twice. What
    was closed to us since it was opened is listed by the copy: kqueue(2) reports on it still.
    """
    try:
        own = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        own = os.dup(fd)
    try:
        with os.scandir(own) as listing:
            return frozenset((entry.name, entry.inode()) for entry in listing)
    finally:
        os.close(own)


def is_path_only(fd: int) -> bool:
    """Whether a descriptor was opened with O_PATH, so that nothing can be read from it."""
    import fcntl

    return bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_PATH)


def differences(before: State, now: State) -> int:
    """Return the notes that lead from one look to the next."""
    old, new = before.stat, now.stat
    notes = 0
    if (old.mode, old.owner) != (new.mode, new.owner):
        notes |= KQ_NOTE_ATTRIB
    if stat.S_ISDIR(new.mode):
        notes |= _of_entries(before, now)
        is_gone = new.nlink == 0 < old.nlink
    else:
        notes |= _of_content(old, new)
        is_gone = new.nlink < old.nlink
        if new.nlink != old.nlink:
            notes |= KQ_NOTE_LINK
    if is_gone:
        return notes | KQ_NOTE_DELETE
    was_unlinked = now.name == f"{before.name} (deleted)"
    if (before.name, before.place) != (now.name, now.place) and not was_unlinked and new.nlink:
        return notes | KQ_NOTE_RENAME
    return notes or KQ_NOTE_ATTRIB  # only its ctime differs: an attribute that is not seen here


def _of_entries(before: State, now: State) -> int:
    if before.entries == now.entries and before.stat.mtime_ns == now.stat.mtime_ns:
        return 0
    is_linked = before.stat.nlink != now.stat.nlink
    return KQ_NOTE_WRITE | (KQ_NOTE_LINK if is_linked else 0)


def _of_content(old: Stat, new: Stat) -> int:
    if (old.size, old.mtime_ns) == (new.size, new.mtime_ns):
        return 0
    if (new.size == 0 < old.size) or new.mtime_ns < old.mtime_ns:
        return KQ_NOTE_ATTRIB
    return KQ_NOTE_WRITE | (KQ_NOTE_EXTEND if new.size > old.size else 0)
