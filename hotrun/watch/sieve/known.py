"""What is known: the watched files as they were when they were last looked at.

Law: each directory is listed under one name, and the one above it knows of it. Of several names
that a directory has by links that are followed, the listing decides which; whoever tells of it
by another one is understood.
"""

from __future__ import annotations

import os
import time
from stat import S_ISREG
from typing import TYPE_CHECKING

from hotrun.watch.sieve.contents import Contents
from hotrun.watch.sieve.snapshot import (
    Directory,
    Identity,
    Listing,
    Signature,
    identity_of,
    list_directory,
    list_linked,
    subtree,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

NOTHING = Directory()


class Known:
    """The listed directories, and what is in them.

    Args:
        skips: Tells of a directory whether it is never to be opened.
        wants: Tells of a file whether it counts.
        follow_symlinks: What links lead to counts too, each directory once (``snapshot``).

    Attributes:
        roots: Where the listing begins.
        tree: The listed directories by path.
        linked: Links under whose names a directory is listed.
        contents: What is known of the bytes of the files.
    """

    def __init__(
        self,
        skips: Callable[[str], bool],
        wants: Callable[[str], bool],
        *,
        follow_symlinks: bool = False,
    ) -> None:
        self.skips = skips
        self.wants = wants
        self.follow_symlinks = follow_symlinks
        self.roots: frozenset[str] = frozenset()
        self.tree: Listing = {}
        self.linked: set[str] = set()
        self.contents = Contents(follow_symlinks=follow_symlinks)
        self._names: dict[Identity, str] = {}  # of listed directories, where links are followed

    # --- taking all as it is ---

    def begin(self, roots: Iterable[str]) -> None:
        """Take all files as they are now."""
        for _ in self.listing(roots):
            pass

    def listing(self, roots: Iterable[str]) -> Iterator[None]:
        """Take all files as they are now, as ``begin``, a directory between two yields.

        What was compared before its directory's turn is taken anew with it.
        """
        now = time.time_ns()
        self.roots = frozenset(roots)
        self.tree.clear()
        self.contents.clear()
        for path, found in walk(self.roots, self.look):
            for gone in self.tree.get(path, NOTHING).below - found.below:
                self._drop(f"{path}/{gone}")
            self.tree[path] = found
            self.contents.doubt(path, found, now)
            yield
        if self.follow_symlinks:
            linked = dict(list_linked(dict(self.tree), self.skips, self.wants))
            self.tree.update(linked)
            for path, found in linked.items():
                self.contents.doubt(path, found, now)
            self.note_links()

    def look(self, path: str) -> Directory | None:
        """List one directory as it is now; None when there is nothing to see."""
        return list_directory(path, self.skips, self.wants, follow_symlinks=self.follow_symlinks)

    def _drop(self, top: str) -> None:
        """Forget a directory and all below it; that it went is for its event to tell."""
        for path in list(subtree(self.tree, top)):
            for name in self.tree.pop(path).files:
                self.contents.forget(f"{path}/{name}")

    # --- what there is ---

    def __len__(self) -> int:
        return sum(len(directory.files) for directory in self.tree.values())

    def paths(self) -> Iterator[str]:
        """Yield every file."""
        for path, directory in self.tree.items():
            for name in directory.files:
                yield f"{path}/{name}"

    def below(self, top: str) -> Iterator[str]:
        """Yield the files in and below a directory."""
        for path in subtree(self.tree, top):
            for name in self.tree[path].files:
                yield f"{path}/{name}"

    def above(self, path: str) -> Directory:
        """Return the directory that a path is in; an empty one if that is not listed."""
        return self.tree.get(path.rpartition("/")[0], NOTHING)

    def get(self, path: str) -> Signature | None:
        """Return what is known of a file."""
        directory, _, name = path.rpartition("/")
        return self.tree.get(directory, NOTHING).files.get(name)

    def is_born(self, path: str) -> bool:
        """Whether a file had just been made, and was empty; a link comes whole."""
        found = self.get(path)
        is_empty = found is not None and S_ISREG(found.mode) and not found.size
        return is_empty and path in self.contents.vague

    # --- by which name ---

    def leads(self, path: str) -> bool:
        """Whether a link that is followed, or may have to be, is or was at a path."""
        return self.follow_symlinks and (path in self.linked or os.path.islink(path))

    def lists(self, path: str) -> bool:
        """Whether the directory of a path is listed, under this very name."""
        return path.rpartition("/")[0] in self.tree

    def listed_as(self, path: str) -> str:
        """Return a path under the name that its directory is listed by; itself if by none.

        Who tells of it may have come upon the directory by another link.
        """
        directory, _, name = path.rpartition("/")
        if not self.follow_symlinks or directory in self.tree or path in self.roots:
            return path
        identity = identity_of(directory)
        known = None if identity is None else self._names.get(identity)
        return path if known is None else f"{known}/{name}"

    def note_links(self) -> None:
        """Note by which names directories are listed, after a listing of what links lead to."""
        self._names = {
            directory.identity: path
            for path, directory in self.tree.items()
            if directory.identity is not None
        }
        links = (f"{p}/{name}" for p, found in self.tree.items() for name in found.links)
        self.linked = {link for link in links if link in self.tree} - self.roots

    # --- one that came or went ---

    def remember(self, path: str, found: Signature, now: int) -> None:
        """Take a file as it was found at a time in ns."""
        directory, _, name = path.rpartition("/")
        self.enter(directory).files[name] = found
        self.look_for_link(path)
        self.contents.date(path, found, now)

    def forget(self, path: str) -> None:
        """Forget a file."""
        self.above(path).files.pop(path.rpartition("/")[2], None)
        self.contents.forget(path)

    def enter(self, path: str) -> Directory:
        """Return a listed directory; those above it come to know of it."""
        found = self.tree.setdefault(path, Directory())
        parent, _, name = path.rpartition("/")
        if parent and path not in self.roots:
            # Also if it is not new: a walk that found its parent gone may find it there again.
            above = self.tree.get(parent) or self.enter(parent)
            if name not in above.links:
                above.below.add(name)
        return found

    def leave(self, path: str) -> None:
        """Take a directory out of the listing; its files were compared."""
        self.tree.pop(path, None)
        self.above(path).below.discard(path.rpartition("/")[2])

    def look_for_link(self, path: str) -> None:
        """Bring what the directory above a path knows of its links in line with the disk."""
        above, name = self.above(path), path.rpartition("/")[2]
        if self.follow_symlinks and above is not NOTHING:
            links = {*above.links} - {name}
            if os.path.islink(path):
                links.add(name)
            above.links = tuple(sorted(links))
