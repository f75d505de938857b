"""What is on the disk: the watched files of a tree with what the kernel knows about each.

A signature is compared for inequality, never for "newer": a restored file has an older time.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Answer = Callable[[str], bool]
    Report = Callable[[str, OSError], None]


class Signature(NamedTuple):
    """What tells two states of a file apart without reading it.

    The time of the inode's change is part of it, because nobody can set that one back: it
    shows a write whose author restored the time of modification (rsync, tar).
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


@dataclass(slots=True)
class Directory:
    """One listed directory: its watched files, and the names of the directories in it."""

    files: dict[str, Signature] = field(default_factory=dict)
    below: set[str] = field(default_factory=set)


Listing = dict[str, Directory]
"""Directories by path: a subtree is found without looking at every other path."""


def signature(path: str) -> Signature | None:
    """Return the signature of a regular file or a link; None for all else, or nothing."""
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return None
    return _signature(found)


def _signature(found: os.stat_result) -> Signature | None:
    # A fifo or a device is never opened, and its times mean nothing.
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
        return None
    return Signature(
        found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns, found.st_mode
    )


def list_directory(
    path: str, skips: Answer, wants: Answer, cannot: Report | None = None
) -> Directory | None:
    """List one directory; None when it is skipped, gone, or cannot be read (``cannot`` hears)."""
    if skips(path):
        return None
    found = Directory()
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if not skips(entry.path):
                        found.below.add(entry.name)
                elif wants(entry.path):
                    _add(found.files, entry)
    except OSError as error:
        if cannot is not None:
            cannot(path, error)
        return None
    return found


def _add(files: dict[str, Signature], entry: os.DirEntry[str]) -> None:
    try:
        found = _signature(entry.stat(follow_symlinks=False))
    except OSError:  # gone since it was listed
        return
    if found is not None:
        files[entry.name] = found


def list_tree(
    roots: Iterable[str], skips: Answer, wants: Answer, cannot: Report | None = None
) -> Listing:
    """List the wanted files below some directories, which may overlap; no link is followed."""
    listing: Listing = {}
    stack = list(roots)
    while stack:
        path = stack.pop()
        if path in listing:
            continue
        found = list_directory(path, skips, wants, cannot)
        if found is not None:
            listing[path] = found
            stack += [f"{path}/{name}" for name in found.below]
    return listing


def subtree(listing: Listing, top: str) -> Iterator[str]:
    """Yield a listed directory and all listed ones below it."""
    stack = [top]
    while stack:
        path = stack.pop()
        found = listing.get(path)
        if found is not None:
            yield path
            stack += [f"{path}/{name}" for name in found.below]
