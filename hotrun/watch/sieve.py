"""The sieve: from events to changes.

An event says that something may have happened to a path. ``note`` takes events in, drops what
the filter rejects, and answers how long the tree should be quiet before it is believed;
``sift`` then compares what was touched with the disk and yields the paths whose content
differs. What an event claimed counts for nothing there, so doubled, late, merged and missing
events all come to the same.
"""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from hotrun.watch.event import Event, Item, Op, Overflow, Refreshed
from hotrun.watch.snapshot import Listing, Signature, list_tree, signature

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

HASHED = 1024 * 1024  # bytes; bigger files are judged by their signature alone
PRIMED_FILES = 20_000  # of which hashes are taken ahead; beyond, the first save counts
PRIMED_BYTES = 64 * 1024 * 1024
FEW = 64  # touched files up to which each write is looked at for an emptied file
CLOCK_STEP = 2_000_000_000  # ns; the coarsest clock of a filesystem (FAT)
CHUNK = 500  # paths compared between two yields
NOTHING = Op(0)


class Accepts(Protocol):
    """What the sieve asks about paths (``filter.Filter`` answers)."""

    def skips(self, directory: str) -> bool:
        """Tell of a directory whether it is never to be opened or watched."""

    def wants(self, path: str) -> bool:
        """Tell of a file whether its change counts."""

    def is_ignore_file(self, path: str) -> bool:
        """Tell whether a file holds rules on which the other answers rest."""

    def reload(self) -> None:
        """Read those rules again."""


@dataclass(slots=True)
class Touch:
    """What events said about one path since the last sift."""

    op: Op = NOTHING
    finished: bool = False  # the last word was a close or a rename: nobody is writing


@dataclass(slots=True)
class Sifted:
    """What a sift found.

    Attributes:
        changed: Paths whose content (or executable bit) differs.
        saved: Paths that were written, but hold the same bytes as before.
        listed: Files listed again because events were lost, when that happened.
    """

    changed: list[str] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)
    listed: int = 0
    recovered: bool = False


class Sieve:
    """Knows the watched files as the last build saw them.

    Args:
        roots: The watched directories, absolute.
        accepts: Which directories and files count.
        also: Single files that count whatever the filter says.
        sees_close: Whether the watcher reports CLOSE_WRITE.
        unchanged_counts: A finished save counts even if it changed no byte.
    """

    def __init__(
        self,
        roots: Collection[str],
        accepts: Accepts,
        *,
        also: Collection[str] = (),
        sees_close: bool = True,
        unchanged_counts: bool = False,
    ) -> None:
        self.roots = list(roots)
        self.accepts = accepts
        self.also = frozenset(also)
        self.sees_close = sees_close
        self.unchanged_counts = unchanged_counts
        self._locks = [lock for root in self.roots if (lock := _git_lock(root))]
        self.stale = False  # an ignore file changed: the watcher has to walk again
        self._listing: Listing = {}
        self._listed_at = 0
        self._hashes: dict[str, bytes] = {}
        self._touched: dict[str, Touch] = {}
        self._emptied: set[str] = set()
        self._recovered = False

    # --- the listing ---

    def list(self) -> None:
        """Take the tree as it is now for what the next build will see."""
        self._listed_at = time.time_ns()
        self._listing = list_tree(self.roots, self.accepts.skips, self.accepts.wants)
        for path in self.also:
            found = signature(path)
            if found is not None:
                self._remember(path, found)

    @property
    def files(self) -> int:
        """How many files are watched."""
        return sum(len(files) for files in self._listing.values())

    @property
    def directories(self) -> int:
        """How many directories they are in."""
        return len(self._listing)

    def paths(self) -> Iterator[str]:
        """Yield every watched file."""
        for directory, files in self._listing.items():
            for name in files:
                yield f"{directory}/{name}"

    def prime(self) -> Iterator[None]:
        """Hash the files ahead, so that even the first save of a file can be told from a change.

        A generator: it works a little between two yields, so that an idle loop can drive it.
        """
        budget = PRIMED_BYTES
        for path in list(self.paths())[:PRIMED_FILES]:
            known = self._known(path)
            if known is None or path in self._hashes or known.size > HASHED:
                continue
            budget -= known.size
            if budget < 0:
                return
            digest = digest_of(path)
            if digest is not None and signature(path) == known:
                self._hashes[path] = digest
            yield

    # --- events in ---

    def note(self, items: Collection[Item]) -> bool:
        """Take events in; True when any of them may be a change."""
        relevant = False
        for item in items:
            match item:
                case Event(path, op, _, directory):
                    relevant |= self._note_event(path, op, directory)
                case Overflow(root) | Refreshed(root):
                    self._recovered |= isinstance(item, Overflow)
                    self._touched[root] = Touch()
                    relevant = True
                case _:
                    pass
        return relevant

    def _note_event(self, path: str, op: Op, directory: bool) -> bool:
        if self.accepts.is_ignore_file(path):
            self.stale = True
            return True
        if directory:
            return self._note_directory(path, op)
        if not (path in self.also or self.accepts.wants(path)):
            return False
        if op & Op.RENAME and self._known(path) is None:
            # The temporary half of an atomic save: it came and went, and was never ours.
            self._touched.pop(path, None)
            return False
        touch = self._touched.setdefault(path, Touch())
        touch.op |= op
        if op & (Op.CLOSE_WRITE | Op.MOVED_TO):
            touch.finished = True
        elif op & (Op.WRITE | Op.REMOVE | Op.RENAME):
            touch.finished = not self.sees_close
        if op & (Op.WRITE | Op.CLOSE_WRITE) and len(self._touched) < FEW:
            self._look_for_emptied(path)
        return True

    def _note_directory(self, path: str, op: Op) -> bool:
        """A directory has no content; only its coming and going can change files."""
        if not op & (Op.CREATE | Op.REMOVE | Op.RENAME):
            return False
        if self.accepts.skips(path) and path not in self._listing:
            return False
        self._touched.setdefault(path, Touch()).op |= op
        return True

    def _look_for_emptied(self, path: str) -> None:
        # Some editors truncate, and write a moment later: nobody wants the empty file built.
        known = self._known(path)
        try:
            emptied = os.lstat(path).st_size == 0 and known is not None and known.size > 0
        except OSError:
            emptied = False
        (self._emptied.add if emptied else self._emptied.discard)(path)

    # --- how quiet it is ---

    @property
    def unfinished(self) -> bool:
        """A touched file is still being written, or has just become empty."""
        if self._emptied:
            return True
        return any(t.op & Op.WRITE and not t.finished for t in self._touched.values())

    @property
    def lone_save(self) -> bool:
        """All that happened is one finished save of one file."""
        if len(self._touched) != 1:
            return False
        (touch,) = self._touched.values()
        return touch.finished and self.sees_close

    def locked(self) -> bool:
        """Git is rewriting the tree: more is to come until its lock is gone."""
        return any(os.path.lexists(lock) for lock in self._locks)

    def refresh_rules(self) -> None:
        """Read the ignore rules again; the watcher has to walk again too."""
        self.stale = False
        self.accepts.reload()

    # --- changes out ---

    def sift(self) -> Iterator[Sifted | None]:
        """Compare what was touched with the disk, and take it as the new state.

        A generator, because 20,000 paths take a while: None means "not done yet", the last
        item is the answer. Events that are noted meanwhile belong to the next sift.
        """
        touched, self._touched = self._touched, {}
        self._emptied = set()
        result = Sifted(recovered=self._recovered)
        self._recovered = False
        covered: set[str] = set()
        for count, path in enumerate(sorted(touched), 1):
            self._sift_path(path, touched[path], covered, result)
            if count % CHUNK == 0:
                yield None
        if result.recovered:
            result.listed = self.files
        yield result

    def _sift_path(self, path: str, touch: Touch, covered: set[str], result: Sifted) -> None:
        if path in self._listing or _is_directory(path):
            if not _is_covered(path, covered):
                covered.add(path)
                self._sift_directory(path, result)
        elif self._differs(path, touch):
            result.changed.append(path)
        elif touch.op & Op.CLOSE_WRITE:
            result.saved.append(path)

    def _sift_directory(self, path: str, result: Sifted) -> None:
        """List a directory again and compare all below it."""
        known = path in self._listing or path in self.roots
        below = f"{path}/"
        old = [d for d in self._listing if d == path or d.startswith(below)] if known else []
        now = list_tree([path], self.accepts.skips, self.accepts.wants)
        before = {f"{d}/{name}" for d in old for name in self._listing[d]}
        after = {f"{d}/{name}" for d, files in now.items() for name in files}
        for directory in now:
            self._listing.setdefault(directory, {})
        for each in sorted(before | after):
            if self._differs(each, Touch()):
                result.changed.append(each)
        for directory in old:
            if directory not in now:
                self._listing.pop(directory, None)

    def _differs(self, path: str, touch: Touch) -> bool:
        """Compare one file with what is known of it, and remember what it is now."""
        known, known_hash = self._known(path), self._hashes.get(path)
        found = signature(path) if path in self.also or self.accepts.wants(path) else None
        if found is None:
            self._forget(path)
            return known is not None
        self._remember(path, found)
        if known is not None and known.mode & 0o111 != found.mode & 0o111:
            return True
        if known is not None and touch.op == Op.CHMOD:
            return False
        digest = None if found == known and not touch.op else self._hash(path, found)
        if known is None or (self.unchanged_counts and touch.finished):
            return True
        if digest is not None and known_hash is not None:
            return digest != known_hash
        return self._signature_differs(known, found, touch)

    def _signature_differs(self, known: Signature, found: Signature, touch: Touch) -> bool:
        """Judge without the old bytes at hand."""
        if touch.op == Op.CHMOD | Op.CLOSE_WRITE and known.size == found.size:
            return False  # touch(1): times set and closed, and not a byte written
        if known[:3] != found[:3]:
            return True
        # Two writes within one step of the clock leave the same time: if it was written
        # about when it was listed, only a build can tell.
        wrote = bool(touch.op & (Op.WRITE | Op.CLOSE_WRITE | Op.MOVED_TO))
        return wrote and abs(found.mtime_ns - self._listed_at) < CLOCK_STEP

    def _hash(self, path: str, found: Signature) -> bytes | None:
        digest = digest_of(path) if found.size <= HASHED else None
        if digest is None:
            self._hashes.pop(path, None)
        else:
            self._hashes[path] = digest
        return digest

    def _known(self, path: str) -> Signature | None:
        directory, _, name = path.rpartition("/")
        return self._listing.get(directory, {}).get(name)

    def _remember(self, path: str, found: Signature) -> None:
        directory, _, name = path.rpartition("/")
        self._listing.setdefault(directory, {})[name] = found

    def _forget(self, path: str) -> None:
        directory, _, name = path.rpartition("/")
        self._listing.get(directory, {}).pop(name, None)
        self._hashes.pop(path, None)


def digest_of(path: str) -> bytes | None:
    """Hash a small regular file, or where a link points; None when it cannot be read."""
    from hashlib import blake2b

    try:
        # O_NONBLOCK: should the file be a fifo by now, open must not wait for a writer.
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        try:
            return os.fsencode(os.readlink(path))
        except OSError:
            return None
    with open(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        try:
            return blake2b(file.read(HASHED + 1), digest_size=16).digest()
        except OSError:
            return None


def _is_directory(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _git_lock(root: str) -> str | None:
    """Return where git would put the lock of the work tree that a directory is in."""
    directory = root
    while not os.path.lexists(f"{directory}/.git"):
        if directory in ("", "/"):
            return None
        directory = os.path.dirname(directory)
    git = f"{directory}/.git"
    try:
        with open(git, encoding="utf-8", errors="surrogateescape") as file:  # a linked work tree
            git = os.path.join(directory, file.read().removeprefix("gitdir:").strip())
    except OSError:
        pass  # the usual case: a directory
    return f"{git}/index.lock"


def _is_covered(path: str, covered: set[str]) -> bool:
    """Whether an ancestor was listed again already."""
    while path:
        path = path.rpartition("/")[0]
        if path in covered:
            return True
    return False
