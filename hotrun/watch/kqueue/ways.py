"""The ways to the roots: what a descriptor on a root does not hear.

A root's own descriptor follows its inode: of a move of the directory *above* it nothing is
told, and of its path being made again nothing either. So every directory and link that leads to
a root has a descriptor of its own here, which hears of its removal and renaming; and where a
root is missing the last directory that exists hears of new names too. A busy /tmp above a
project wakes nobody otherwise.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from hotrun.watch.kqueue.calls import can_open_links, open_link, open_node
from hotrun.watch.paths import way

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hotrun.watch.kqueue.calls import Kernel
    from hotrun.watch.kqueue.nodes import Identity

MOST_ROUNDS = 100  # of setting descriptors while the way changes under us


class _Step(NamedTuple):
    """One directory or link on the way, and what it is to tell of."""

    path: str
    is_link: bool
    notes: int


class _Held(NamedTuple):
    fd: int
    number: int
    notes: int


class Ways:
    """The descriptors on the ways to the roots.

    Args:
        kernel: Where they are registered.
        opens_links: Links can be opened themselves; otherwise their directories tell of them.
    """

    def __init__(self, kernel: Kernel, *, opens_links: bool | None = None) -> None:
        self._kernel = kernel
        self._opens_links = can_open_links() if opens_links is None else opens_links
        self._held: dict[Identity, _Held] = {}
        self._numbers: set[int] = set()

    def __contains__(self, number: int) -> bool:
        """Whether an event is about a way."""
        return number in self._numbers

    def follow(self, roots: Mapping[str, bool]) -> None:
        """Bring the descriptors in line with the roots.

        Args:
            roots: Each with whether it has a descriptor (or a directory) that tells of it.
        """
        placed = None
        for _ in range(MOST_ROUNDS):  # the way may change until the last descriptor is set
            wanted = self._wanted(roots)
            if wanted == placed:
                break
            for unused in self._held.keys() - wanted.keys():
                self._drop(unused)
            # Each is tried. What was gone may be back by now, and have the number that it had.
            held = [self._hold(identity, step) for identity, step in wanted.items()]
            placed = wanted if all(held) else None

    def release(self) -> None:
        """Give the descriptors back."""
        self.follow({})

    def _hold(self, identity: Identity, step: _Step) -> bool:
        """Set one descriptor; False: what it is to be of was not there."""
        held = self._held.get(identity)
        if held is not None and held.notes == step.notes:
            return True
        try:
            fd = held.fd if held is not None else _open(step)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:  # not ours to see: a nearer one serves
            return True
        found = os.fstat(fd)
        try:
            number = self._kernel.register(fd, step.notes)
        except OSError:  # no events on this filesystem: a nearer one serves
            number = 0
        self._numbers.discard(held.number if held is not None else 0)
        is_it = (found.st_dev, found.st_ino) == identity
        if number and is_it:
            self._held[identity] = _Held(fd, number, step.notes)
            self._numbers.add(number)
        else:
            self._held.pop(identity, None)
            os.close(fd)
        return is_it

    def _drop(self, identity: Identity) -> None:
        held = self._held.pop(identity, None)
        if held is not None:
            self._numbers.discard(held.number)
            os.close(held.fd)

    def _wanted(self, roots: Mapping[str, bool]) -> dict[Identity, _Step]:
        """By inode, because one needs only one descriptor."""
        wanted: dict[Identity, _Step] = {}
        for root, is_held in roots.items():
            for identity, step in self._steps(root, is_held=is_held):
                before = wanted.get(identity)
                notes = step.notes | (before.notes if before else 0)
                wanted[identity] = step._replace(notes=notes)
        return wanted

    def _steps(self, root: str, *, is_held: bool) -> Iterator[tuple[Identity, _Step]]:
        notes = self._kernel.notes
        known = [(path, found) for path in way(root) if (found := _lstat(path))]
        modes = [(path, found.st_mode) for path, found in known]
        # Where names are heard of: there the next step of a missing root will be made.
        lookouts = set() if is_held else {last_directory(modes, root)}
        if not self._opens_links:
            lookouts |= {os.path.dirname(path) for path, mode in modes if stat.S_ISLNK(mode)}
        for path, found in known:
            is_link = stat.S_ISLNK(found.st_mode)
            if is_link and not self._opens_links:
                continue
            if is_link or (stat.S_ISDIR(found.st_mode) and not (is_held and path == root)):
                told = notes.all if path in lookouts else notes.away
                yield (found.st_dev, found.st_ino), _Step(path, is_link, told)


def last_directory(way: Sequence[tuple[str, int]], root: str) -> str:
    """Return the last directory above a root, of the steps and their modes."""
    above = [path for path, mode in way if stat.S_ISDIR(mode) and path != root]
    return above[-1] if above else "/"


def _open(step: _Step) -> int:
    if step.is_link:
        return open_link(step.path)
    return open_node(step.path, directory=True, follow=False)


def _lstat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None
