"""What the last build saw: the watched files, and of the small ones a hash of their bytes.

Law: a file has changed if its bytes or its executable bits differ; its signature only tells
whether it is worth reading. A signature is trusted when it is older than a step of the clock
that stamped it: two writes within one step leave the same time.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from hotrun.watch.event import Op
from hotrun.watch.paths import is_below
from hotrun.watch.sieve.digest import HASHED, digest_of
from hotrun.watch.sieve.snapshot import (
    Directory,
    Identity,
    Listing,
    Signature,
    identity_of,
    list_directory,
    list_linked,
    signature,
    subtree,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

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
        follow_symlinks: What links lead to counts too, each directory once (``snapshot``).
    """

    def __init__(
        self,
        skips: Callable[[str], bool],
        wants: Callable[[str], bool],
        *,
        follow_symlinks: bool = False,
    ) -> None:
        self.follow_symlinks = follow_symlinks
        self._skips = skips
        self._wants = wants
        self._roots: frozenset[str] = frozenset()
        self._listing: Listing = {}
        self._hashes: dict[str, bytes] = {}
        self._vague: set[str] = set()  # files whose signature was taken too soon to vouch
        self._linked: set[str] = set()  # links under whose names a directory is listed
        self._names: dict[Identity, str] = {}  # of listed directories, where links are followed
        self._ending: Collection[str] = ()  # directories that are going: their files come first

    def begin(self, roots: Iterable[str]) -> None:
        """Take all files as they are now."""
        for _ in self.listing(roots):
            pass

    def listing(self, roots: Iterable[str]) -> Iterator[None]:
        """Take all files as they are now, as ``begin``, a directory between two yields.

        What was compared before its directory's turn is taken anew with it.
        """
        now = time.time_ns()
        self._roots = frozenset(roots)
        self._listing.clear()
        self._hashes.clear()
        self._vague.clear()
        for path, found in walk(self._roots, self._list):
            for gone in self._listing.get(path, NOTHING).below - found.below:
                self._drop(f"{path}/{gone}")
            self._listing[path] = found
            self._doubt(path, found, now)
            yield
        if self.follow_symlinks:
            linked = dict(list_linked(dict(self._listing), self._skips, self._wants))
            self._listing.update(linked)
            for path, found in linked.items():
                self._doubt(path, found, now)
            self._note_links()

    def _drop(self, top: str) -> None:
        """Forget a directory and all below it; that it went is for its event to tell."""
        for path in list(subtree(self._listing, top)):
            for name in self._listing.pop(path).files:
                self._hashes.pop(f"{path}/{name}", None)
                self._vague.discard(f"{path}/{name}")

    def _doubt(self, path: str, directory: Directory, now: int) -> None:
        """Note the files whose signatures are too young to vouch for their bytes."""
        since = now - COARSE
        for name, found in directory.files.items():
            if found.ctime_ns > since and _is_vague(found, now):
                self._vague.add(f"{path}/{name}")

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
                digest = self._digest(path)
                if digest is not None and self._signature(path) == known:
                    self._hashes[path] = digest
                yield

    # --- comparing ---

    def relist(self, top: str) -> Iterator[str | None]:
        """List a directory and all below it again; not what links lead to.

        Yields:
            The files that may differ, to be compared before the next one is asked for; None
            after each directory, so that a long walk can be done bit by bit.
        """
        stack = [top]
        if self.follow_symlinks:
            stack = [] if is_below(top, self._linked) else [top]
        self._look_for_link(top)
        while stack:
            path = stack.pop()
            is_link = self._is_link(path)
            if is_link and self.follow_symlinks:
                self._above(path).below.discard(path.rpartition("/")[2])
                continue
            # To list a link is to follow it.
            hidden = path not in self._roots and (is_link or self._is_out_of_sight(path))
            new = None if hidden else self._list(path)
            old = self._listing.get(path, NOTHING) if new is None else self._enter(path)
            stack += [f"{path}/{name}" for name in old.below.union(new.below if new else ())]
            self._ending = (path,) if new is None else ()
            yield from self._suspects(path, old.files, new.files if new else {})
            self._ending = ()
            if new is None:
                self._leave(path)
            else:
                old.links, old.identity = new.links, new.identity
            yield None

    def _is_link(self, path: str) -> bool:
        return path not in self._roots and os.path.islink(path)

    def _list(self, path: str) -> Directory | None:
        return list_directory(path, self._skips, self._wants, follow_symlinks=self.follow_symlinks)

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
        known, found = self.get(path), self._signature(path)
        if known is None or found is None:
            return (known is None) != (found is None)
        if known.size != found.size:
            return True
        before = self._hashes.get(path)
        return before is not None and self._digest(path) not in (before, None)

    def differs(self, path: str, op: Op | None = None) -> bool:
        """Compare a file with what is known of it, and take it as known from now on.

        Args:
            path: Where a file is, or was.
            op: What was heard of it; None when it may be anything.
        """
        known = self.get(path)
        wanted = self._wants(path)
        now = time.time_ns()
        found = self._signature(path) if wanted else None
        if found is None or self._is_out_of_sight(path):
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
        felt = (known.executable, known.readable) != (found.executable, found.readable)
        return rewritten or felt

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

    def _signature(self, path: str) -> Signature | None:
        return signature(path, follow_symlinks=self.follow_symlinks)

    def _digest(self, path: str) -> bytes | None:
        return digest_of(path, follow_symlinks=self.follow_symlinks)

    def _hash(self, path: str, found: Signature) -> bytes | None:
        digest = self._digest(path) if found.size <= HASHED else None
        if digest is None:
            self._hashes.pop(path, None)
        else:
            self._hashes[path] = digest
        return digest

    def _remember(self, path: str, found: Signature, now: int) -> None:
        directory, _, name = path.rpartition("/")
        self._enter(directory).files[name] = found
        self._look_for_link(path)
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
            if name not in above.links:
                above.below.add(name)
        return found

    def _leave(self, path: str) -> None:
        self._listing.pop(path, None)
        self._above(path).below.discard(path.rpartition("/")[2])

    def _above(self, path: str) -> Directory:
        return self._listing.get(path.rpartition("/")[0], NOTHING)

    # --- links ---

    def links(self) -> Iterator[str]:
        """Yield the links that differ: what they lead to may have changed under another name."""
        for path, directory in list(self._listing.items()):
            for link in [f"{path}/{name}" for name in directory.links if name in directory.files]:
                if self._signature(link) != self.get(link):
                    yield link

    def leads(self, path: str) -> bool:
        """Whether a link that is followed, or may have to be, is or was at a path."""
        return self.follow_symlinks and (path in self._linked or os.path.islink(path))

    def lists(self, path: str) -> bool:
        """Whether the directory of a path is listed, under this very name."""
        return path.rpartition("/")[0] in self._listing

    def listed_as(self, path: str) -> str:
        """Return a path under the name that its directory is listed by; itself if by none.

        Who tells of it may have come upon the directory by another link.
        """
        directory, _, name = path.rpartition("/")
        if not self.follow_symlinks or directory in self._listing or path in self._roots:
            return path
        identity = identity_of(directory)
        known = None if identity is None else self._names.get(identity)
        return path if known is None else f"{known}/{name}"

    def relist_linked(self) -> Iterator[str | None]:
        """List all that links lead to again; as ``relist``, when that is done.

        Always all of it: any directory that came or went, and any link, may decide which of
        the others have a name of their own, and which link is the first one.
        """
        own = {
            path: self._listing[path]
            for root in self._roots
            for path in subtree(self._listing, root)
        }
        left = self._listing.keys() - own.keys()
        for path, new in list_linked(own, self._skips, self._wants):
            left.discard(path)
            known = self._listing.setdefault(path, Directory())
            known.below, known.links, known.identity = new.below, new.links, new.identity
            yield from self._suspects(path, known.files, new.files)
            yield None
        self._ending = left
        for path in left:
            yield from [f"{path}/{name}" for name in self._listing[path].files]
            yield None
        for path in left:
            self._listing.pop(path, None)
        self._ending = ()
        self._note_links()

    def _look_for_link(self, path: str) -> None:
        """Bring what the directory above a path knows of its links in line with the disk."""
        above, name = self._above(path), path.rpartition("/")[2]
        if self.follow_symlinks and above is not NOTHING:
            links = {*above.links} - {name}
            if os.path.islink(path):
                links.add(name)
            above.links = tuple(sorted(links))

    def _is_out_of_sight(self, path: str) -> bool:
        """Whether a path, though it may be there, is in no directory that is to be listed."""
        directory = path.rpartition("/")[0]
        if directory in self._ending:
            return True
        linked = False
        while directory and directory not in self._roots and directory not in self._listing:
            linked = linked or os.path.islink(directory)
            directory = directory.rpartition("/")[0]
        return linked and directory != ""  # links on the way to a root are nobody's business

    def _note_links(self) -> None:
        if not self.follow_symlinks:
            return
        self._names = {
            directory.identity: path
            for path, directory in self._listing.items()
            if directory.identity is not None
        }
        links = (f"{p}/{name}" for p, found in self._listing.items() for name in found.links)
        self._linked = {link for link in links if link in self._listing} - self._roots


def _is_vague(found: Signature, now: int) -> bool:
    step = FINE if found.ctime_ns % SECOND else COARSE
    return found.ctime_ns > now - step
