"""What is on the disk: the watched files of a tree with what the kernel knows about each.

A signature is compared for inequality, never for "newer": a restored file has an older time.

With ``follow_symlinks`` a link below a root is still a file of its own, and what it leads to
counts too: of a file the signature is part of the link's, a directory is listed under the name
of the link. Each real directory is listed once: under its own name if it has one here, else
under that of the first link; so loops end.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Answer = Callable[[str], bool]
    Report = Callable[[str, OSError], None]

Identity = tuple[int, int]
"""(st_dev, st_ino) of a directory."""


class Signature(NamedTuple):
    """What tells two states of a file apart without reading it.

    The time of the inode's change is part of it, because nobody can set that one back: it
    shows a write whose author restored the time of modification (rsync, tar). Of a link that
    is followed to a file, ``ino`` holds both numbers and all else is the file's.
    """

    mtime_ns: int
    size: int
    ino: int
    ctime_ns: int
    mode: int

    @property
    def executable(self) -> int:
        """The bits of the mode that a program can feel: who may run it."""
        return self.mode & 0o111

    @property
    def readable(self) -> bool:
        """Whether anybody may read it: a file that was closed to all says something new."""
        return bool(self.mode & 0o444)


@dataclass(slots=True)
class Directory:
    """One listed directory: its watched files, and the names of the directories in it.

    ``links`` (the names of all links, in order) and ``identity`` are known where links are
    followed.
    """

    files: dict[str, Signature] = field(default_factory=dict)
    below: set[str] = field(default_factory=set)
    links: tuple[str, ...] = ()
    identity: Identity | None = None


Listing = dict[str, Directory]
"""Directories by path: a subtree is found without looking at every other path."""


def identity_of(directory: str) -> Identity | None:
    """Return what tells a directory from all others, whatever its name; None: there is none."""
    try:
        found = os.stat(directory)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None


def signature(path: str, *, follow_symlinks: bool = False) -> Signature | None:
    """Return the signature of a regular file or a link; None for all else, or nothing."""
    try:
        found = _signature(os.lstat(path))
    except (OSError, ValueError):
        return None
    if follow_symlinks and found is not None and stat.S_ISLNK(found.mode):
        return _with_target(found, path)
    return found


def _signature(found: os.stat_result) -> Signature | None:
    # A fifo or a device is never opened, and its times mean nothing.
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
        return None
    return Signature(
        found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns, found.st_mode
    )


def _with_target(link: Signature, path: str) -> Signature:
    """Lay the regular file that a link leads to, if any, over the link's own signature."""
    try:
        found = os.stat(path)
    except OSError:
        return link
    if not stat.S_ISREG(found.st_mode):
        return link
    # 64 bits for each, so no two pairs look alike. The later change: either shows in it.
    ino = link.ino << 64 | found.st_ino
    ctime_ns = max(link.ctime_ns, found.st_ctime_ns)
    return Signature(found.st_mtime_ns, found.st_size, ino, ctime_ns, found.st_mode)


def list_directory(
    path: str,
    skips: Answer,
    wants: Answer,
    cannot: Report | None = None,
    *,
    follow_symlinks: bool = False,
) -> Directory | None:
    """List one directory; None when it is skipped, gone, or cannot be read (``cannot`` hears)."""
    if skips(path):
        return None
    found = Directory()
    links = []
    try:
        if follow_symlinks:
            found.identity = identity_of(path)
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if not skips(entry.path):
                        found.below.add(entry.name)
                    continue
                if follow_symlinks and entry.is_symlink():
                    links.append(entry.name)
                if wants(entry.path):
                    _add(found.files, entry, follow_symlinks=follow_symlinks)
    except OSError as error:
        if cannot is not None:
            cannot(path, error)
        return None
    found.links = tuple(sorted(links))
    return found


def _add(files: dict[str, Signature], entry: os.DirEntry[str], *, follow_symlinks: bool) -> None:
    try:
        found = _signature(entry.stat(follow_symlinks=False))
    except OSError:  # gone since it was listed
        return
    if found is not None:
        linked = follow_symlinks and entry.is_symlink()
        files[entry.name] = _with_target(found, entry.path) if linked else found


def list_tree(
    roots: Iterable[str],
    skips: Answer,
    wants: Answer,
    cannot: Report | None = None,
    *,
    follow_symlinks: bool = False,
) -> Listing:
    """List the wanted files below some directories, which may overlap."""
    look = partial(
        list_directory, skips=skips, wants=wants, cannot=cannot, follow_symlinks=follow_symlinks
    )
    listing = dict(walk(roots, look))
    if follow_symlinks:
        listing.update(list_linked(dict(listing), skips, wants, cannot))
    return listing


def walk(
    roots: Iterable[str], look: Callable[[str], Directory | None]
) -> Iterator[tuple[str, Directory]]:
    """Yield the directories below some, which may overlap, each once, with what is in them.

    Args:
        roots: Where to begin.
        look: Lists one directory; None when there is nothing to see.
    """
    seen: set[str] = set()
    stack = list(roots)
    while stack:
        path = stack.pop()
        if path in seen:
            continue
        seen.add(path)
        found = look(path)
        if found is not None:
            yield path, found
            stack += [f"{path}/{name}" for name in found.below]


def list_linked(
    listing: Listing, skips: Answer, wants: Answer, cannot: Report | None = None
) -> Iterator[tuple[str, Directory]]:
    """List what the links in a listing lead to, and the links there, each directory once.

    Args:
        listing: Of the directories that are to be had without a link; these keep their names.
        skips: Tells of a directory whether it is never to be opened.
        wants: Tells of a file whether it counts.
        cannot: Hears of a directory that cannot be read.
    """
    seen = {directory.identity for directory in listing.values()}
    # In order of names, so that of two links to one directory the same one always wins.
    links = deque(sorted(_joined(listing.items())))
    while links:
        stack = [links.popleft()]
        while stack:
            path = stack.pop()
            identity = identity_of(path)
            if identity is None or identity in seen:
                continue
            found = list_directory(path, skips, wants, cannot, follow_symlinks=True)
            if found is not None:
                seen.add(identity)
                yield path, found
                stack += [f"{path}/{name}" for name in sorted(found.below, reverse=True)]
                links.extend(_joined([(path, found)]))


def _joined(listed: Iterable[tuple[str, Directory]]) -> Iterator[str]:
    return (f"{path}/{name}" for path, directory in listed for name in directory.links)


def subtree(listing: Listing, top: str) -> Iterator[str]:
    """Yield a listed directory and all listed ones below it."""
    stack = [top]
    while stack:
        path = stack.pop()
        found = listing.get(path)
        if found is not None:
            yield path
            stack += [f"{path}/{name}" for name in found.below]
