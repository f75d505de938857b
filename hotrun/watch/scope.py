"""What was asked of a watcher: its roots, how deep, which ops. Every backend looks here.

Pure: asks no kernel and no disk. Law: a path is heard of exactly if a root covers it, and with
the ops of all roots that do; ``covers`` and ``admit`` come from one function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple
from hotrun.watch.event import Event, Item, Op

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Answer = Callable[[str], bool]


MOST_CACHED = 100_000  # directories whose answer is kept; a listener of one watches fewer


class Root(NamedTuple):
    """One path that was added: how it was asked for."""

    recursive: bool
    ops: Op


class Scope:
    """The roots of one watcher, and what counts below them.

    Args:
        skips: Tells of a directory whether it is never to be opened, listed or watched.
        wants: Tells of a file whether it counts; backends that pay for each file ask.
        follow_symlinks: Links to directories below a root are followed, each real directory
            once. (A root that is a link is always followed.)

    Attributes:
        roots: By path, as given to ``add`` and made absolute. Only the watcher writes.
        closing: The watcher is being closed, perhaps by another thread: a walk under way ends.
    """

    def __init__(
        self,
        skips: Answer | None = None,
        wants: Answer | None = None,
        *,
        follow_symlinks: bool = False,
    ) -> None:
        self.roots: dict[str, Root] = {}
        self._skips = skips or (lambda _: False)
        self.wants = wants or (lambda _: True)
        self.follow_symlinks = follow_symlinks
        self.closing = False
        self._deep: dict[str, int] = {}  # bits of what recursive roots ask below a directory

    def skips(self, directory: str) -> bool:
        """Tell whether a directory is never to be opened; every one while the watcher closes."""
        return self.closing or self._skips(directory)

    def put(self, path: str, root: Root) -> bool:
        """Add a root, or widen one; True when anything is new."""
        old = self.roots.get(path)
        if old is not None:
            root = Root(old.recursive or root.recursive, old.ops | root.ops)
        if root == old:
            return False
        self.roots[path] = root
        self._deep.clear()
        return True

    def drop(self, path: str) -> None:
        """Take a root away.

        Raises:
            KeyError: it was not added.
        """
        del self.roots[path]
        self._deep.clear()

    def descends(self, directory: str) -> bool:
        """Whether the directories in a directory are watched too (those not skipped)."""
        return self._below(directory) != 0

    def covers(self, path: str) -> bool:
        """Whether anything that happens to a path is to be told."""
        return self._bits(path) != 0

    def ops(self, path: str) -> Op:
        """Return what is to be told of a path."""
        return Op(self._bits(path))

    def ops_in(self, directory: str) -> Op:
        """Return what may be to be told of names in a directory (single files included)."""
        bits = self._names(directory)
        for path, root in self.roots.items():
            if (path.rpartition("/")[0] or "/") == directory:
                bits |= root.ops.value
        return Op(bits)

    def admit(self, items: Iterable[Item]) -> list[Item]:
        """Keep what was asked for: of events the ops that were, all other items whole."""
        admitted: list[Item] = []
        for item in items:
            if isinstance(item, Event):
                told: int = item.op._value_  # Flag's own operators take 1 us each
                kept = told & self._bits(item.path)
                if kept == told:
                    admitted.append(item)
                elif kept:
                    admitted.append(item._replace(op=Op(kept)))
            else:
                admitted.append(item)
        return admitted

    def _bits(self, path: str) -> int:
        bits = self._names(path.rpartition("/")[0] or "/")
        root = self.roots.get(path)
        return bits if root is None else bits | root.ops.value

    def _names(self, directory: str) -> int:
        """What is asked of names in a directory by roots that are that directory or above it."""
        bits = self._deep.get(directory)
        if bits is None:
            bits = self._below(directory)
        root = self.roots.get(directory)
        return bits if root is None or root.recursive else bits | root.ops.value

    def _below(self, directory: str) -> int:
        """What recursive roots at or above a directory ask of all below it."""
        missing = []  # no recursion: a path may have two thousand elements
        here = directory
        while here and here not in self._deep:
            missing.append(here)
            here = here.rpartition("/")[0]
        bits = self._deep[here] if here in self._deep else self._asked_below("/")
        if len(self._deep) > MOST_CACHED:
            self._deep.clear()
        for path in reversed(missing):
            bits = self._deep[path] = bits | self._asked_below(path)
        return bits

    def _asked_below(self, path: str) -> int:
        root = self.roots.get(path)
        return root.ops.value if root is not None and root.recursive else 0
