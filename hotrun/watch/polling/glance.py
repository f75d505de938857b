"""What is at a path now, for who looks again and again.

Law: nothing is opened but the directories that count, and no file is ever read. What was known
of a name is asked of nobody again, for the answers of a filter cost more than a ``stat``.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from hotrun.watch.event import Unwatched
from hotrun.watch.polling.differences import Identity, Seen, parent
from hotrun.watch.sieve.snapshot import Directory, Signature, signature

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.watch.event import Item
    from hotrun.watch.scope import Scope

    Sign = Callable[[os.stat_result, Signature | None], Signature]

NOTHING = Directory()
NO_NAMES: frozenset[str] = frozenset()
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Tops:
    """Where polling begins.

    Attributes:
        roots: Of the roots of the scope those that are polled.
        stand_ins: Directories below roots that are polled because the kernel does not tell of
            what is in them; of them themselves it does.
        names: Of both, by the directory they are in.
    """

    def __init__(self) -> None:
        self.roots: set[str] = set()
        self.stand_ins: set[str] = set()
        self.names: dict[str, set[str]] = {}

    def __contains__(self, path: str) -> bool:
        return path in self.roots or path in self.stand_ins

    def add(self, path: str, to: set[str]) -> None:
        """Put a path into one of the sets."""
        to.add(path)
        self.names.setdefault(parent(path), set()).add(os.path.basename(path))

    def discard(self, path: str, of: set[str]) -> None:
        """Take a path out of one of the sets."""
        of.discard(path)
        names = self.names.get(parent(path))
        if names is not None and path not in self:
            names.discard(os.path.basename(path))
            if not names:
                del self.names[parent(path)]


class _Listing:
    """One directory while it is listed."""

    def __init__(self, old: Seen | None, *, descends: bool) -> None:
        self.known = old.listed if old else NOTHING
        self.unwanted = old.passed if old else NO_NAMES
        self.descends = descends
        self.found = Directory()
        self.passed: list[str] = []


class Glance:
    """Looks at one path at a time.

    Args:
        scope: What was asked for.
        say: Takes what cannot be read; each is said once until it could be read again.
        tops: Of these a link is followed, whatever the scope says.
        holder: Tells under which path a directory is seen by now, if it is.
        sign: Makes a signature of what ``stat`` found.

    Attributes:
        links: To directories that are seen under no other path, as far as is known by now.
    """

    def __init__(
        self,
        scope: Scope,
        say: Callable[[Item], None],
        tops: Tops,
        holder: Callable[[Identity], str | None],
        sign: Sign,
    ) -> None:
        self._scope = scope
        self._say = say
        self._tops = tops
        self._holder = holder
        self._sign = sign
        self._unreadable: set[str] = set()
        self.links: list[str] = []

    def at(self, path: str, old: Seen | None, *, is_name: bool) -> Seen | None:
        """Return what is at a path.

        Args:
            path: A top, or what was a directory when the one above it was listed.
            old: What was there before. What cannot be read is taken to be as it was.
            is_name: The directory above is polled, and so every name in it is told of.

        Returns:
            None: nothing that counts.
        """
        try:
            about = self._about(path, is_name=is_name)
        except OSError as error:
            return old if self._is_unreadable(path, error) else None
        if about is None:
            return None
        own = self._sign(about, None)
        if not stat.S_ISDIR(own.mode):
            return Seen(own, about.st_dev, NOTHING, NO_NAMES) if path in self._tops.roots else None
        if old is None and path in self._tops and self._scope.skips(path):
            return None
        known = old if old is not None and old.is_directory else None
        try:
            listed, passed = self._list(path, known)
        except OSError as error:
            if not self._is_unreadable(path, error):
                return None
            listed, passed = (known.listed, known.passed) if known else (Directory(), NO_NAMES)
        else:
            self._unreadable.discard(path)
        return Seen(own, about.st_dev, listed, passed)

    def forget(self, path: str) -> None:
        """If it cannot be read when it is back, that is said again."""
        self._unreadable.discard(path)

    def _is_unreadable(self, path: str, error: OSError) -> bool:
        """Whether there is something that only cannot be read; then it is said."""
        if error.errno in _GONE:
            self._unreadable.discard(path)
            return False
        if path not in self._unreadable:
            self._unreadable.add(path)
            self._say(Unwatched(path, error))
        return True

    def _about(self, path: str, *, is_name: bool) -> os.stat_result | None:
        about = os.lstat(path)
        if not stat.S_ISLNK(about.st_mode):
            return about
        if path not in self._tops:
            target = os.stat(path)
            return target if self._scope.follow_symlinks and self.is_free(path, target) else None
        try:
            return os.stat(path)
        except OSError:
            if is_name:  # it leads nowhere, but there it is
                return about
            raise

    def is_free(self, link: str, target: os.stat_result) -> bool:
        """Whether a link leads to a directory that is seen under no other path."""
        if not stat.S_ISDIR(target.st_mode):
            return False
        return self._holder((target.st_dev, target.st_ino)) in (None, link)

    def _list(self, path: str, old: Seen | None) -> tuple[Directory, frozenset[str]]:
        """List a directory, and name the files in it that are not wanted."""
        listing = _Listing(old, descends=self._scope.descends(path))
        found = listing.found.files
        # What most names are: files that are known and have not changed. A link may have to be
        # followed though it did not.
        known = {} if self._scope.follow_symlinks else listing.known.files
        with os.scandir(path) as entries:
            for entry in entries:
                was = known.get(entry.name)
                try:
                    if was and self._sign(entry.stat(follow_symlinks=False), was) is was:
                        found[entry.name] = was
                    else:
                        self._sort(entry, listing)
                except FileNotFoundError:  # gone since it was listed
                    continue
                except OSError:  # Windows keeps some of its own files from everybody
                    if entry.name in listing.known.files:
                        found[entry.name] = listing.known.files[entry.name]
        for name in self._tops.names.get(path, NO_NAMES):
            found.pop(name, None)
        return listing.found, frozenset(listing.passed)

    def _sort(self, entry: os.DirEntry[str], listing: _Listing) -> None:
        """Put a name where it belongs."""
        known, found = listing.known, listing.found
        was = known.files.get(entry.name)
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in known.below and self._scope.skips(entry.path):
                return
            if listing.descends or entry.path in self._tops:
                found.below.add(entry.name)
            else:
                found.files[entry.name] = self._sign(entry.stat(follow_symlinks=False), None)
        elif listing.descends and self._is_followed(entry, known):
            found.below.add(entry.name)
        elif self._counts(entry, was, listing):
            name = self._name(entry, was)
            # Unless a directory took its place since the kernel listed it: as a name it would
            # stay one, with all below it unseen. The next look is told what it is.
            if not stat.S_ISDIR(name.mode) or entry.is_symlink():
                found.files[entry.name] = name
        else:
            listing.passed.append(entry.name)

    def _counts(self, entry: os.DirEntry[str], was: Signature | None, listing: _Listing) -> bool:
        """Whether a file is told of."""
        if was is not None and not stat.S_ISDIR(was.mode):
            return True
        return entry.name not in listing.unwanted and self._scope.wants(entry.path)

    def _name(self, entry: os.DirEntry[str], was: Signature | None) -> Signature:
        if self._scope.follow_symlinks and entry.is_symlink():
            both = signature(entry.path, follow_symlinks=True)  # of the link and its target
            if both is not None:
                return both
        return self._sign(entry.stat(follow_symlinks=False), was)

    def _is_followed(self, entry: os.DirEntry[str], known: Directory) -> bool:
        """Whether a name is a link that is followed already; one that may be is noted."""
        if not (self._scope.follow_symlinks and entry.is_symlink()):
            return False
        if self._scope.skips(entry.path):
            return False
        try:
            if not self.is_free(entry.path, entry.stat()):
                return False
        except OSError:  # it leads nowhere
            return False
        if entry.name in known.below:
            return True
        self.links.append(entry.path)
        return False


def signature_of(about: os.stat_result, was: Signature | None = None) -> Signature:
    """Return a signature; the old one if nothing changed, for there are very many."""
    found = (about.st_mtime_ns, about.st_size, about.st_ino, about.st_ctime_ns, about.st_mode)
    return was if was == found else Signature(*found)
