"""Roots that vanish and come back: the way to them is watched too.

A root that is deleted, moved or replaced ends its own watches, and a move of its *parent* is
not even told to them: events would go on under a path that is something else by now. So a
second inotify instance (wds and masks never mix with the first) sits on every directory and
every link that a root's path leads through. It hears only of these themselves, and of names
made in the last of them while a root is missing: a busy /tmp above a project must not wake
anybody.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from hotrun.watch.inotify import libc, wire
from hotrun.watch.paths import way

if TYPE_CHECKING:
    from collections.abc import Collection

SELF = wire.IN_DELETE_SELF | wire.IN_MOVE_SELF
NAMES = wire.IN_CREATE | wire.IN_MOVED_TO | wire.IN_ATTRIB

Identity = tuple[int, int]


def identity(path: str, *, follow: bool = True) -> Identity | None:
    """Return (st_dev, st_ino) of a directory (or link, unless followed); None: there is none."""
    try:
        found = os.stat(path, follow_symlinks=follow)
    except OSError:
        return None
    if not (stat.S_ISDIR(found.st_mode) or stat.S_ISLNK(found.st_mode)):
        return None
    return (found.st_dev, found.st_ino)


class Ancestors:
    """The watches on the way to the roots."""

    def __init__(self) -> None:
        self.fd = libc.init()
        self._wds: set[int] = set()
        self._links: set[int] = set()  # of these

    def follow(self, roots: Collection[str], missing: Collection[str]) -> None:
        """Bring the watches in line with the roots, and with which of them are missing."""
        wanted, placed = _wanted(roots, missing), None
        while wanted != placed:  # the way may change until the last watch on it is set
            placed = wanted
            before, self._wds, self._links = self._wds, set(), set()
            for step, mask in placed.values():
                self._watch(step, mask)
            for unused in before - self._wds:
                libc.remove_watch(self.fd, unused)
            wanted = _wanted(roots, missing)

    def drain(self) -> tuple[bool, bool]:
        """Take what happened on the way.

        Returns:
            Whether anything did; and whether a root may lead elsewhere although what it led to
            is still alive and heard: something was moved, or a link was replaced.
        """
        records = list(wire.decode(libc.drain(self.fd)))
        elsewhere = any(
            record.mask & wire.IN_MOVE_SELF
            or (record.mask & wire.IN_DELETE_SELF and record.wd in self._links)
            for record in records
        )
        return bool(records), elsewhere

    def _watch(self, path: str, mask: int) -> None:
        # Always asked anew: the same path may be another inode than a moment ago.
        try:
            wd = libc.add_watch(self.fd, path, mask | wire.IN_DONT_FOLLOW)
        except OSError:  # missing, or not ours to see: a nearer one serves
            return
        self._wds.add(wd)
        if os.path.islink(path):
            self._links.add(wd)


def _wanted(roots: Collection[str], missing: Collection[str]) -> dict[Identity, tuple[str, int]]:
    """Return where to watch, and for what; by inode, because one has only one mask."""
    wanted: dict[Identity, tuple[str, int]] = {}
    for root in roots:
        steps = [(step, known) for step in way(root) if (known := identity(step, follow=False))]
        masks = [(step, known, SELF) for step, known in steps]
        if root in missing:
            masks.append((*_last_above(steps, root), SELF | NAMES))
        for step, known, mask in masks:
            wanted[known] = (step, wanted.get(known, ("", 0))[1] | mask)
    return wanted


def _last_above(steps: list[tuple[str, Identity]], root: str) -> tuple[str, Identity]:
    """The last directory on the way to a missing root: there its next step will be made."""
    return [step for step in steps if step[0] != root and os.path.isdir(step[0])][-1]
