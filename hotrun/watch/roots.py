"""Roots that vanish and come back: their ancestors are watched too.

A root that is deleted, moved or replaced ends its own watches, and a move of its *parent* is
not even told to them: events would go on under a path that is something else by now. So a
second inotify instance (wds and masks never mix with the first) sits on every ancestor. It
hears only of the ancestors themselves, and of names made in the deepest one while a root is
missing: a busy /tmp above a project must not wake anybody.
"""

from __future__ import annotations

import os

from hotrun.watch import libc

SELF = libc.IN_DELETE_SELF | libc.IN_MOVE_SELF
NAMES = libc.IN_CREATE | libc.IN_MOVED_TO

Identity = tuple[int, int]


def identity(path: str) -> Identity | None:
    """Return (st_dev, st_ino) of a directory, links followed; None when there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino)


class Ancestors:
    """The watches above the roots."""

    def __init__(self) -> None:
        self.fd = libc.init()
        self._set: dict[str, tuple[int, int]] = {}  # path -> (mask, wd)

    def follow(self, roots: dict[str, Identity | None]) -> None:
        """Bring the watches in line with the roots and with which of them are missing."""
        wanted: dict[str, int] = {}
        for root, present in roots.items():
            for ancestor in _above(root):
                wanted[ancestor] = wanted.get(ancestor, 0) | SELF
            if present is None:
                nearest = next((path for path in _above(root) if os.path.isdir(path)), "/")
                wanted[nearest] = wanted.get(nearest, 0) | SELF | NAMES
        for path in [path for path in self._set if path not in wanted]:
            libc.remove_watch(self.fd, self._set.pop(path)[1])
        for path, mask in wanted.items():
            self._watch(path, mask)

    def drain(self) -> bool:
        """Take what happened above; True when something did."""
        data = libc.drain(self.fd)
        for record in libc.decode(data):
            if record.mask & libc.IN_IGNORED:
                self._set = {p: known for p, known in self._set.items() if known[1] != record.wd}
        return bool(data)

    def _watch(self, path: str, mask: int) -> None:
        # Always asked anew: the same path may be another inode than a moment ago.
        try:
            wd = libc.add_watch(self.fd, path, mask | libc.IN_ONLYDIR)
        except OSError:  # missing, or not ours to see: a nearer ancestor serves
            self._set.pop(path, None)
        else:
            self._set[path] = (mask, wd)


def _above(path: str) -> list[str]:
    """Return the ancestors of a path, the nearest first."""
    above = []
    while path not in ("/", ""):
        path = os.path.dirname(path)
        above.append(path)
    return above
