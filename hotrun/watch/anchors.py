"""Which watches serve a root, and that they are of what stands under its name.

A directory serves itself. A file is served by the directory it lies in, for an atomic save
puts another inode in its place; a link to a file also by what it leads to. Law: at rest every
root is served by what a fresh look at its path would choose.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from hotrun.watch.event import Event, Item, Op
from hotrun.watch.roots import Ancestors, Identity, identity

if TYPE_CHECKING:
    from hotrun.watch.scope import Scope
    from hotrun.watch.watches import Watches

LINKED = 2  # anchors of a root that is a link to a file


class Anchor(NamedTuple):
    """A path that is watched on behalf of a root, and what it was then."""

    path: str
    known: Identity


Anchors = tuple[Anchor, ...]


class Roots:
    """The roots of one inotify instance.

    Args:
        scope: What was asked for.
        watches: Those that serve.
        ancestors: The watches on the ways to the roots.
        places: Comes to hold the paths of all roots and anchors (``Watches`` looks there).
        items: Takes what is to be told of the roots.

    Attributes:
        armed: What serves each root; empty for one that is missing, or cannot be watched.
        moved: Paths of anchors that were moved since the roots were last compared.
    """

    def __init__(
        self,
        scope: Scope,
        watches: Watches,
        ancestors: Ancestors,
        places: set[str],
        items: list[Item],
    ) -> None:
        self._scope = scope
        self._watches = watches
        self._ancestors = ancestors
        self._items = items
        self.places = places
        self.armed: dict[str, Anchors] = {}
        self.moved: set[str] = set()
        # Roots whose watch the kernel has ended: what is there now is another directory, even
        # if it has the same inode number.
        self._lost: set[str] = set()

    def is_linked_file(self, path: str) -> bool:
        """Whether a path is a root that is a link to a file."""
        return len(self.armed.get(path, ())) == LINKED

    def lose(self, path: str) -> None:
        """The kernel has ended the watch on an anchor."""
        served = (
            root
            for root, anchors in self.armed.items()
            if any(anchor.path == path for anchor in anchors)
        )
        self._lost.update(served)

    def drop(self, root: str) -> None:
        """Forget a root."""
        del self.armed[root]
        self._lost.discard(root)
        self.places.clear()
        for each, anchors in self.armed.items():
            self.places.update((each, *(anchor.path for anchor in anchors)))

    def begin(self, root: str) -> None:
        """Take a root in: the few watches on the way to it come before the many below it."""
        self.armed.setdefault(root, ())
        self._ancestors.follow(self.armed, ())

    def arm(self, root: str, *, report: bool) -> None:
        """Watch what serves a root by now.

        Args:
            root: It need not exist.
            report: Say that what is below it was created.
        """
        anchors = self._look(root)
        self.armed[root] = ()
        # From now on links by these names are followed.
        self.places.update((root, *(anchor.path for anchor in anchors)))
        for place in anchors[:1]:
            self._watches.walk(place.path, report=report and place.path == root)
        for linked in anchors[1:]:
            self._watches.watch_file(linked.path)
        if all(anchor.path in self._watches.tree.by_path for anchor in anchors):
            self.armed[root] = anchors

    def check(self) -> None:
        """Compare each root with the disk until nothing changes: watch the way, then look."""
        changed = True
        while changed and not self._scope.closing:
            missing = [root for root, anchors in self.armed.items() if not anchors]
            self._ancestors.follow(self.armed, missing)
            changed = any([self._rearm(root) for root in self.armed])  # noqa: C419 - each one
        self.moved.clear()

    def walk_again(self) -> None:
        """Watch all there is by now, and drop the rest."""
        before = self._watches.renew()
        for root in list(self.armed):
            self.arm(root, report=False)
        self._watches.end(before)
        self.check()

    def _rearm(self, root: str) -> bool:
        """Watch anew a root that is gone, back, or another one; True when it is."""
        armed, at = self.armed[root], len(self._items)
        lost = root in self._lost
        if self._look(root) == armed and not lost:
            return False
        self._lost.discard(root)
        # The directory above a root may be watched too, and tells of it; but not of what a
        # link leads to.
        above = os.path.dirname(root)
        told = above in self._watches.tree.by_path and len(armed) < LINKED
        for anchor in armed:
            if lost or anchor.path == root or identity(anchor.path) != anchor.known:
                self._watches.forget(anchor.path)
        self.arm(root, report=True)
        now = self.armed[root]
        if armed and not told:
            op = Op.RENAME if root in self.moved else Op.REMOVE
            self._items.insert(at, Event(root, op, None, armed[0].path == root))
            at += 1
        if now and not told:
            self._items.insert(at, Event(root, Op.CREATE, None, now[0].path == root))
        return bool(now or armed)

    def _look(self, root: str) -> Anchors:
        """Return what would have to serve a root by now; nothing for one that is missing."""
        directory, before = os.path.dirname(root), self.armed.get(root, ())
        try:
            found = os.stat(root)
        except OSError:
            # A file that went may be on its way back: the names in its directory tell.
            waits = len(before) == 1 and before[0].path == directory
            return before if waits and identity(directory) == before[0].known else ()
        known = (found.st_dev, found.st_ino)
        if stat.S_ISDIR(found.st_mode):
            return (Anchor(root, known),)
        above = identity(directory)
        if above is None:
            return ()
        names = Anchor(directory, above)
        return (names, Anchor(root, known)) if os.path.islink(root) else (names,)
