"""What is on the disk: a listing of the watched files, and the difference of two.

A signature is compared for inequality, never for "newer": a restored file has an older time.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Signature(NamedTuple):
    """What tells two states of a file apart without reading it."""

    mtime_ns: int
    size: int
    ino: int
    mode: int

    @property
    def executable(self) -> bool:
        """Whether anybody may run it: the one bit of the mode that a program can feel."""
        return bool(self.mode & 0o111)


Listing = dict[str, dict[str, Signature]]
"""Files by directory, then by name: a subtree is found without looking at every file."""


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
    return Signature(found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode)


def list_tree(
    roots: Iterable[str], skips: Callable[[str], bool], wants: Callable[[str], bool]
) -> Listing:
    """List the wanted files below some directories; links are not followed.

    A directory that cannot be read is an empty one: the watcher has said so.
    """
    listing: Listing = {}
    stack = [root for root in roots if not skips(root)]
    while stack:
        directory = stack.pop()
        files: dict[str, Signature] = {}
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if not skips(entry.path):
                            stack.append(entry.path)
                    elif wants(entry.path):
                        _add(files, entry)
        except OSError:
            continue
        listing[directory] = files
    return listing


def _add(files: dict[str, Signature], entry: os.DirEntry[str]) -> None:
    try:
        found = _signature(entry.stat(follow_symlinks=False))
    except OSError:  # gone since it was listed
        return
    if found is not None:
        files[entry.name] = found
