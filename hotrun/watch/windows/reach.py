"""What of a whole subtree counts: for kernels that tell of everything below a directory.

Where each directory has a watch of its own, one that is skipped is never watched. Here it is
told of like any other, and what is said below it has to be dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.watch.scope import MOST_CACHED
from hotrun.watch.windows.records import parent

if TYPE_CHECKING:
    from hotrun.watch.scope import Scope


class Reach:
    """Remembers of directories whether a root leads into them.

    Args:
        scope: What was asked for, and what is skipped; it is asked once a directory.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._deep: dict[str, bool] = {}

    def forget(self) -> None:
        """Ask anew: the roots or the rules are others."""
        self._deep.clear()

    def tells(self, path: str) -> bool:
        """Whether what happens to a path is to be told."""
        return self._scope.covers(path) and (path in self._scope.roots or self.opens(parent(path)))

    def opens(self, directory: str) -> bool:
        """Whether the names in a directory count."""
        return directory in self._scope.roots or self.descends(directory)

    def descends(self, directory: str) -> bool:
        """Whether a recursive root leads to all below a directory, past no skipped one."""
        missing = []  # no recursion: a path may have two thousand elements
        here, deep = directory, False
        while here:
            known = self._deep.get(here)
            root = self._scope.roots.get(here)
            if known is not None or (root is not None and root.recursive):
                deep = known is None or known
                break
            missing.append(here)
            here = parent(here)
        if len(self._deep) > MOST_CACHED:
            self._deep.clear()
        for path in reversed(missing):
            deep = self._deep[path] = deep and not self._scope.skips(path)
        return deep
