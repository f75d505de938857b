"""What happened between two looks at the disk, as a kernel would have told it.

Pure. Both sides hold only directories that differ, or that came or went: what is on neither
side is as it was. A rename is known by the inode, but a number alone proves nothing, for a new
file gets that of one just removed: the time of the last write has to be the same, which a
rename leaves alone, and the inode's own time tells a rename from a birth in the same tick. Law:
who replays the events onto a set of paths, a renamed directory with all below it, has the right
set: all that went comes first, children before their directory, then all that came.

An atomic save is a WRITE here (another inode under the same name), where inotify says CREATE.
"""

from __future__ import annotations

import stat
from operator import itemgetter
from os.path import commonpath
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple
from hotrun.watch.event import Event, Op

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from hotrun.watch.sieve.snapshot import Directory, Signature

Identity = tuple[int, int]
Key = tuple[int, int, int, int, int]


class Seen(NamedTuple):
    """A directory as it was when it was last looked at; or a file that was asked for by itself.

    Attributes:
        own: The signature of the directory itself, or of the file.
        dev: The device it is on.
        listed: Its files (directories in it that are names only are among them), and the names
            of those directories in it that are looked at too.
        passed: Names of files in it that are not wanted.
    """

    own: Signature
    dev: int
    listed: Directory
    passed: frozenset[str]

    @property
    def identity(self) -> Identity:
        """What stays the same when it is renamed."""
        return (self.dev, self.own.ino)

    @property
    def is_directory(self) -> bool:
        """Whether it is one."""
        return stat.S_ISDIR(self.own.mode)


Sights = dict[str, Seen]


class _Place(NamedTuple):
    """A file, or a directory that is only a name, at one path on one side."""

    path: str
    found: Signature
    dev: int

    @property
    def is_directory(self) -> bool:
        return stat.S_ISDIR(self.found.mode)

    @property
    def key(self) -> Key:
        """What a rename leaves as it is."""
        found = self.found
        return (self.dev, found.ino, found.mtime_ns, found.size, stat.S_IFMT(found.mode))


def parent(path: str) -> str:
    """Return the directory that a path is in."""
    return path.rpartition("/")[0] or "/"


def join(directory: str, name: str) -> str:
    """Return the path of a name in a directory."""
    return f"/{name}" if directory == "/" else f"{directory}/{name}"


def is_other(old: Seen, new: Seen) -> bool:
    """Whether one path holds something else now than the thing it held before."""
    if old.is_directory != new.is_directory:
        return True
    return old.is_directory and not _is_in_place(old.own, new.own, same_dev=old.dev == new.dev)


def differences(
    before: Sights, now: Sights, uprooted: AbstractSet[str] = frozenset()
) -> list[Event]:
    """Return what turns the one into the other.

    Args:
        before: Each directory that differs now, and each that is no longer there.
        now: Each that differs from before, and each that is new.
        uprooted: Paths that went with one far above them, and do not continue what they were.
    """
    comparison = _Comparison(before, uprooted, _origins(before, now, uprooted))
    for path, old in before.items():
        comparison.go(path, old)
    for path, new in now.items():
        comparison.come(path, new)
    comparison.weigh()
    gone = sorted(comparison.gone, key=itemgetter(0), reverse=True)
    return gone + sorted(comparison.came, key=itemgetter(0))


def _origins(before: Sights, now: Sights, uprooted: AbstractSet[str]) -> dict[str, str]:
    """Return the old path of each directory that was there before."""
    origins: dict[str, str] = {}
    directories = sorted(path for path, new in now.items() if new.is_directory)  # parents first
    for path in directories:
        above = parent(path)
        stays_above = above not in before or origins.get(above) == above
        if stays_above and path not in uprooted and _is_still(before.get(path), now[path]):
            origins[path] = path
    left: dict[Identity, list[str]] = {}
    for path, old in before.items():
        if old.is_directory and path not in origins:
            left.setdefault(old.identity, []).append(path)
    for path in directories if left else ():
        if path not in origins:
            origin = _old_path(path, origins, before, now[path], left)
            if origin is not None:
                origins[path] = origin
                left[before[origin].identity].remove(origin)
    return origins


def _old_path(
    path: str, origins: dict[str, str], before: Sights, new: Seen, left: dict[Identity, list[str]]
) -> str | None:
    """Return where a directory was that has moved, by itself or with the one above it."""
    above, _, name = path.rpartition("/")
    if above in origins:
        carried = join(origins[above], name)
        old = before.get(carried)
        if old and carried in left.get(old.identity, ()) and _is_still(old, new):
            return carried
    olds = [each for each in left.get(new.identity, ()) if _is_moved(before[each], new)]
    return _nearest(path, olds) if olds else None


def _is_still(old: Seen | None, new: Seen) -> bool:
    return old is not None and old.is_directory and not is_other(old, new)


def _is_moved(old: Seen, new: Seen) -> bool:
    """Whether a directory with the inode of one that is gone is that one."""
    if old.own.mtime_ns == new.own.mtime_ns and not _may_be_born(old.own, new.own):
        return True
    # Something came or went in it since; what did not tells.
    return bool(old.listed.files.items() & new.listed.files.items())


def _may_be_born(old: Signature, new: Signature) -> bool:
    """Whether the inode may have been given to something new within a tick of the clock."""
    return old.ctime_ns == new.ctime_ns == new.mtime_ns


def _nearest(path: str, others: list[str]) -> str:
    """Of several old names of one inode (links, bind mounts): the one most like the new."""
    return max(others, key=lambda other: len(commonpath((path, other))))


class _Comparison:
    """Collects events; what came is held against what went before it is told.

    Args:
        before: What was there.
        uprooted: See ``differences``.
        origins: The old path of each directory that was there before.
    """

    def __init__(self, before: Sights, uprooted: AbstractSet[str], origins: dict[str, str]) -> None:
        self._before = before
        self._uprooted = uprooted
        self._origins = origins
        self._known = frozenset(origins.values())
        self.gone: list[Event] = []
        self.came: list[Event] = []
        self._lost: dict[str, _Place] = {}
        self._found: dict[str, _Place] = {}
        self._twins: dict[str, str] = {}  # by the path of a found one: of a lost one, same place

    def go(self, path: str, old: Seen) -> None:
        """Take one that was there before."""
        if not old.is_directory:
            self._lost[path] = _Place(path, old.own, old.dev)
        elif path not in self._known:
            self.gone.append(Event(path, Op.REMOVE, None, directory=True))
            self._compare(path, path, old, None)

    def come(self, path: str, new: Seen) -> None:
        """Take one that is there now."""
        origin = self._origins.get(path)
        if not new.is_directory:
            self._come_alone(path, new)
        elif origin is None:
            self.came.append(Event(path, Op.CREATE, None, directory=True))
            self._compare(path, path, None, new)
        else:
            old = self._before[origin]
            if not self._is_carried(path, origin):
                self.gone.append(Event(origin, Op.RENAME, None, directory=True))
                self.came.append(Event(path, Op.CREATE, origin, directory=True))
            if old.own.mode != new.own.mode:
                self.came.append(Event(path, Op.CHMOD, None, directory=True))
            self._compare(origin, path, old, new)

    def _come_alone(self, path: str, new: Seen) -> None:
        old = self._lost.get(path) if self._is_carried(path, path) else None
        if old is not None and _is_in_place(old.found, new.own, same_dev=old.dev == new.dev):
            del self._lost[path]
            if old.found != new.own:
                self._change(path, old.found, new.own)
            return
        self._found[path] = _Place(path, new.own, new.dev)
        if old is not None:
            self._twins[path] = path

    def _is_carried(self, path: str, origin: str) -> bool:
        """Whether something is where the directory above it is, or was taken along by it."""
        above, _, name = path.rpartition("/")
        was_above = self._origins.get(above, None if above in self._before else above)
        if path in self._uprooted or was_above is None:
            return False
        return join(was_above, name) == origin

    def _compare(self, origin: str, path: str, old: Seen | None, new: Seen | None) -> None:
        """Compare the names in a directory."""
        olds = old.listed.files if old else {}
        news = new.listed.files if new else {}
        for name in {**olds, **news}:
            before, now = olds.get(name), news.get(name)
            if before == now:
                continue
            if before and now and _is_in_place(before, now):
                self._change(join(path, name), before, now)
                continue
            if old and before:
                was = join(origin, name)
                self._lost[was] = _Place(was, before, old.dev)
            if new and now:
                here = join(path, name)
                self._found[here] = _Place(here, now, new.dev)
                if before:
                    self._twins[here] = join(origin, name)

    def _change(self, path: str, old: Signature, new: Signature) -> None:
        op = _op(old, new)
        if op:
            self.came.append(Event(path, op, None, stat.S_ISDIR(new.mode)))

    def weigh(self) -> None:
        """Tell which of the names that came are those that went."""
        renamed = self._pair()
        away = frozenset(renamed.values())
        silent: set[str] = set()
        for path, place in self._found.items():
            op, origin = Op.CREATE, renamed.get(path)
            over = self._lost.get(self._twins.get(path, ""))
            if over is not None and origin is not None:
                if not (over.is_directory or place.is_directory):
                    silent.add(over.path)  # a rename over it: no kernel tells that as its end
            elif over is not None and over.path not in away and _is_saved(over, place):
                silent.add(over.path)
                op = _op(over.found, place.found)
            self.came.append(Event(path, op, origin, place.is_directory))
        for path, place in self._lost.items():
            if path in away or path not in silent:
                op = Op.RENAME if path in away else Op.REMOVE
                self.gone.append(Event(path, op, None, place.is_directory))

    def _pair(self) -> dict[str, str]:
        """Return the old path of each name that came by a rename."""
        left: dict[Key, list[str]] = {}
        for place in self._lost.values():
            left.setdefault(place.key, []).append(place.path)
        renamed = {}
        for path in sorted(self._found) if left else ():
            place = self._found[path]
            olds = [
                old
                for old in left.get(place.key, ())
                if not _may_be_born(self._lost[old].found, place.found)
            ]
            if olds:
                renamed[path] = _nearest(path, olds)
                left[place.key].remove(renamed[path])
        return renamed


def _is_in_place(old: Signature, new: Signature, *, same_dev: bool = True) -> bool:
    """Whether a path still holds the thing it held before."""
    if stat.S_IFMT(old.mode) != stat.S_IFMT(new.mode):
        return False
    if old.ino == new.ino and same_dev:
        return True
    # Where the numbers are made up (FUSE, SMB) they change by themselves; the times do not.
    same_times = (old.mtime_ns, old.ctime_ns) == (new.mtime_ns, new.ctime_ns)
    return stat.S_ISDIR(new.mode) and same_times


def _has_content(found: Signature) -> bool:
    # The times of a fifo or a device mean nothing, those of a directory are told by its names.
    return stat.S_ISREG(found.mode) or stat.S_ISLNK(found.mode)


def _is_saved(old: _Place, new: _Place) -> bool:
    """Whether another inode under the same name is a save: whole, and moved over the old one."""
    same = stat.S_IFMT(old.found.mode) == stat.S_IFMT(new.found.mode)
    return same and _has_content(new.found)


def _op(old: Signature, new: Signature) -> Op:
    """Return what happened to what is still at its path."""
    op = Op.CHMOD if old.mode != new.mode else Op(0)
    # If only the inode's change differs, and not the mode, somebody set the time back.
    if _has_content(new) and (old[:3] != new[:3] or not op):
        op |= Op.WRITE
    return op
