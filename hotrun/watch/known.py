"""What the last build saw: the watched files, and of the small ones a hash of their bytes.

Law: a file has changed if its bytes or its executable bits differ; its signature only tells
whether it is worth reading. A signature is trusted when it is older than a step of the clock
that stamped it: two writes within one step leave the same time.
"""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

from hotrun.watch.event import Op
from hotrun.watch.snapshot import (
    Directory,
    Listing,
    Signature,
    list_directory,
    list_tree,
    signature,
    subtree,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

HASHED = 1024 * 1024  # bytes; bigger files are judged by their signature alone
PRIMED_FILES = 20_000  # of which hashes are taken ahead; beyond, the first save counts
PRIMED_BYTES = 64 * 1024 * 1024
SECOND = 1_000_000_000  # ns
COARSE = 2 * SECOND  # the step of a clock that stamps whole seconds (FAT: 2 s; ext3: 1 s)
FINE = SECOND // 50  # of any other one (Linux: a tick of at most 10 ms, twice for safety)
WROTE = Op.WRITE | Op.CLOSE_WRITE | Op.CREATE | Op.MOVED_TO
TOUCHED = Op.CHMOD | Op.CLOSE_WRITE  # touch(1): times set and closed, and not a byte written
NOTHING = Directory()


class Known:
    """The watched files as they were when they were last looked at.

    Args:
        skips: Tells of a directory whether it is never to be opened.
        wants: Tells of a file whether it counts.
    """

    def __init__(self, skips: Callable[[str], bool], wants: Callable[[str], bool]) -> None:
        self._skips = skips
        self._wants = wants
        self._roots: frozenset[str] = frozenset()
        self._listing: Listing = {}
        self._hashes: dict[str, bytes] = {}
        self._vague: set[str] = set()  # files whose signature was taken too soon to vouch

    def begin(self, roots: Iterable[str]) -> None:
        """Take all files as they are now."""
        now = time.time_ns()
        self._roots = frozenset(roots)
        self._listing = list_tree(self._roots, self._skips, self._wants)
        self._hashes.clear()
        self._vague = {
            f"{path}/{name}"
            for path, directory in self._listing.items()
            for name, found in directory.files.items()
            if _is_vague(found, now)
        }

    def __len__(self) -> int:
        return sum(len(directory.files) for directory in self._listing.values())

    @property
    def directories(self) -> int:
        """How many directories the files are in."""
        return len(self._listing)

    def below(self, top: str) -> Iterator[str]:
        """Yield the files in and below a directory."""
        for path in subtree(self._listing, top):
            for name in self._listing[path].files:
                yield f"{path}/{name}"

    def paths(self) -> Iterator[str]:
        """Yield every file."""
        for path, directory in self._listing.items():
            for name in directory.files:
                yield f"{path}/{name}"

    def holds(self, directory: str) -> bool:
        """Whether a directory is listed."""
        return directory in self._listing

    def get(self, path: str) -> Signature | None:
        """Return what is known of a file."""
        directory, _, name = path.rpartition("/")
        return self._listing.get(directory, NOTHING).files.get(name)

    def prime(self) -> Iterator[None]:
        """Hash the files ahead, so that even the first save of a file can be told from a change.

        A generator: it works a little between two yields, so that an idle loop can drive it.
        """
        files, budget = PRIMED_FILES, PRIMED_BYTES
        for directory in list(self._listing):
            for name, known in list(self._listing.get(directory, NOTHING).files.items()):
                path = f"{directory}/{name}"
                if known.size > HASHED or path in self._hashes or path in self._vague:
                    continue
                files, budget = files - 1, budget - known.size
                if files < 0 or budget < 0:
                    return
                digest = digest_of(path)
                if digest is not None and signature(path) == known:
                    self._hashes[path] = digest
                yield

    # --- comparing ---

    def relist(self, top: str) -> Iterator[str | None]:
        """List a directory and all below it again.

        Yields:
            The files that may differ, to be compared before the next one is asked for; None
            after each directory, so that a long walk can be done bit by bit.
        """
        stack = [top]
        while stack:
            path = stack.pop()
            new = list_directory(path, self._skips, self._wants)
            old = self._listing.get(path, NOTHING) if new is None else self._enter(path)
            stack += [f"{path}/{name}" for name in old.below.union(new.below if new else ())]
            yield from self._suspects(path, old.files, new.files if new else {})
            if new is None:
                self._leave(path)
            yield None

    def _suspects(
        self, directory: str, old: dict[str, Signature], new: dict[str, Signature]
    ) -> list[str]:
        if old == new and not self._vague:
            return []
        paths = [(f"{directory}/{name}", name) for name in {**old, **new}]
        return [
            path for path, name in paths if old.get(name) != new.get(name) or path in self._vague
        ]

    def strays(self, path: str) -> bool:
        """Whether a file certainly holds other bytes now; what is known stays as it is."""
        known, found = self.get(path), signature(path)
        if known is None or found is None:
            return (known is None) != (found is None)
        if known.size != found.size:
            return True
        before = self._hashes.get(path)
        return before is not None and digest_of(path) not in (before, None)

    def differs(self, path: str, op: Op | None = None) -> bool:
        """Compare a file with what is known of it, and take it as known from now on.

        Args:
            path: Where a file is, or was.
            op: What was heard of it; None when it may be anything.
        """
        known = self.get(path)
        wanted = self._wants(path)
        now = time.time_ns()
        found = signature(path) if wanted else None
        if found is None:
            self._forget(path)
            # What is no longer wanted, by rules that are new, did not change: it left us.
            return wanted and known is not None
        if known is None:
            self._remember(path, found, now)
            self._hash(path, found)
            return True
        vague = path in self._vague
        if found == known and not vague and not (op and op & WROTE):
            return False
        self._remember(path, found, now)
        rewritten = self._rewritten(path, known, found, op, vague=vague)
        return rewritten or known.executable != found.executable

    def _rewritten(
        self, path: str, known: Signature, found: Signature, op: Op | None, *, vague: bool
    ) -> bool:
        """Whether the bytes differ, as far as anybody can tell."""
        if op == Op.CHMOD and known[:3] == found[:3]:
            return False
        before = self._hashes.get(path)
        digest = self._hash(path, found)
        if digest is not None and before is not None:
            return digest != before
        if op == TOUCHED and known.size == found.size:
            # Unless it was written since, and the event of that is still to come.
            self._hashes.pop(path, None)
            self._vague.add(path)
            return False
        return vague or found != known

    def _hash(self, path: str, found: Signature) -> bytes | None:
        digest = digest_of(path) if found.size <= HASHED else None
        if digest is None:
            self._hashes.pop(path, None)
        else:
            self._hashes[path] = digest
        return digest

    def _remember(self, path: str, found: Signature, now: int) -> None:
        directory, _, name = path.rpartition("/")
        self._enter(directory).files[name] = found
        if _is_vague(found, now):
            self._vague.add(path)
        else:
            self._vague.discard(path)

    def _forget(self, path: str) -> None:
        directory, _, name = path.rpartition("/")
        self._listing.get(directory, NOTHING).files.pop(name, None)
        self._hashes.pop(path, None)
        self._vague.discard(path)

    def _enter(self, path: str) -> Directory:
        """Return a listed directory; those above it come to know of it."""
        found = self._listing.setdefault(path, Directory())
        parent, _, name = path.rpartition("/")
        if parent and path not in self._roots:
            # Also if it is not new: a walk that found its parent gone may find it there again.
            above = self._listing.get(parent) or self._enter(parent)
            above.below.add(name)
        return found

    def _leave(self, path: str) -> None:
        self._listing.pop(path, None)
        parent, _, name = path.rpartition("/")
        self._listing.get(parent, NOTHING).below.discard(name)


def _is_vague(found: Signature, now: int) -> bool:
    step = FINE if found.ctime_ns % SECOND else COARSE
    return found.ctime_ns > now - step


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
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            return None
        hashed, left = blake2b(digest_size=16), HASHED + 1  # it may be growing without end
        while left > 0 and (part := os.read(fd, min(found.st_size + 4096, left))):
            hashed.update(part)
            left -= len(part)
        return hashed.digest()
    except OSError:
        return None
    finally:
        os.close(fd)
