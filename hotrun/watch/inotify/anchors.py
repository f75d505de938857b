"""Which watches serve a root, and that they are of what stands under its name.

A directory serves itself. A file is served by the directory it lies in, for an atomic save
puts another inode in its place; a link to a file also by what it leads to. Law: at rest every
root is served by what a fresh look at its path would choose.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple
from hotrun.watch.event import Event, Item, Op
from hotrun.watch.inotify.ancestors import Ancestors, Identity, identity

if TYPE_CHECKING:
    from hotrun.watch.inotify.tree import Node
    from hotrun.watch.inotify.watches import Watches
    from hotrun.watch.scope import Scope

LINKED = 2  # anchors of a root that is a link to a file
_SAME, _CHANGED, _AWAITED = "same", "changed", "awaited"


class Anchor(NamedTuple):
    """A path that is watched on behalf of a root, and what it was then.

    Attributes:
        known: Of what the path leads to.
        link: Of the path itself, where that is a link to a file.
    """

    path: str
    known: Identity
    link: Identity | None = None


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
        # Roots that were told to be gone by the names in the directory above them.
        self._gone: set[str] = set()
        # By root: what was watched above it when it was last looked at.
        self._tellers: dict[str, tuple[Node | None, Identity | None]] = {}

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

    def hear(self, path: str, *, is_there: bool) -> bool:
        """The directory above a path tells that it came or went; return whether it is a root."""
        if path not in self.armed:
            return False
        (self._gone.discard if is_there else self._gone.add)(path)
        return True

    def drop(self, root: str) -> None:
        """Forget a root."""
        del self.armed[root]
        self._lost.discard(root)
        self._gone.discard(root)
        self._tellers.pop(root, None)
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
            if place.path != root:
                # It may be another one by now than the one that is watched for other roots.
                report = place.path in self._watches.tree.by_path or (
                    report and self._scope.covers(place.path)
                )
            self._watches.walk(place.path, report=report)
        for linked in anchors[1:]:
            self._watches.watch_file(linked.path)
        if all(anchor.path in self._watches.tree.by_path for anchor in anchors):
            self.armed[root] = anchors

    def drop_moved(self) -> None:
        """Drop roots that are something else by now, before more is heard under their names."""
        for root in sorted(self.armed):
            armed = self.armed[root]
            if armed and self._look(root) != armed and not self._is_told(root):
                self._end(root)
        self.moved.clear()

    def check(self) -> bool:
        """Compare each root with the disk until nothing changes: watch the way, then look.

        Returns:
            Whether there is a root that what is not read yet will tell of.
        """
        changed, states = True, dict.fromkeys(self.armed, _SAME)
        while changed and not self._scope.closing:
            missing = [root for root, anchors in self.armed.items() if not anchors]
            self._ancestors.follow(self.armed, missing)
            while self._watches.lost:
                self.lose(self._watches.lost.pop())
            # Outer roots first: what is told of one ends all that was told below it.
            states = {root: self._rearm(root) for root in sorted(self.armed)}
            changed = _CHANGED in states.values()
        self.moved.clear()
        self._tidy()
        for root, state in states.items():
            if state is not _AWAITED:  # or the one that was to tell of it might be another one
                above = os.path.dirname(root)
                self._tellers[root] = (self._watches.tree.by_path.get(above), identity(above))
        return _AWAITED in states.values()

    def _tidy(self) -> None:
        """End the watches on directories that serve no root any more."""
        anchors = {anchor.path for each in self.armed.values() for anchor in each}
        for place in self.places - anchors - self.armed.keys():
            self.places.discard(place)
            if not self._scope.descends(os.path.dirname(place)):
                self._watches.release(place)

    def walk_again(self) -> None:
        """Watch all there is by now, and drop the rest."""
        before = self._watches.renew()
        self._gone.clear()
        for root in list(self.armed):
            self.arm(root, report=False)
        self._watches.end(before)
        self.check()

    def _rearm(self, root: str) -> str:
        """Watch anew a root that is gone, back, or another one."""
        armed, now = self.armed[root], self._look(root)
        served = all(anchor.path in self._watches.tree.by_path for anchor in armed)
        if now == armed and served and root not in self._lost:
            return _SAME
        told = self._is_told(root)
        if self._is_awaited(root, now, told=told):
            return _AWAITED
        self._lost.discard(root)
        if not told:
            # What was told of roots below this one will be told again through this one.
            for each in [each for each in self.armed if each.startswith(f"{root}/")]:
                self._end(each)
            self._end(root)
        at = len(self._items)
        self.arm(root, report=True)
        now = self.armed[root]
        # Its own watch will tell of its end. A file may have ended before the one above was set.
        directory = bool(now) and now[0].path == root and not told
        if directory or (now and os.path.exists(root)):
            self._gone.discard(root)
            if not told:
                self._items.insert(at, Event(root, Op.CREATE, None, directory))
        return _CHANGED if now or armed else _SAME

    def _end(self, root: str) -> None:
        """A root is no longer what it was: say so, and end the watches that served it."""
        for anchor in self.armed[root]:
            now = identity(anchor.path)
            # Another root may be served by what stands there now.
            other = now != anchor.known and not self._serves(anchor.path, now, root)
            if other or anchor.path == root:
                self._watches.forget(anchor.path)
                self.lose(anchor.path)
        if self.armed[root] and root not in self._gone:
            op = Op.RENAME if root in self.moved else Op.REMOVE
            self._items.append(Event(root, op, None, self.armed[root][0].path == root))
            self._gone.add(root)
        self.armed[root] = ()
        self._lost.discard(root)

    def _serves(self, path: str, now: Identity | None, but: str) -> bool:
        return any(
            anchor.path == path and anchor.known == now
            for root, anchors in self.armed.items()
            if root != but
            for anchor in anchors
        )

    def _is_told(self, root: str) -> bool:
        """Whether names tell of a root: not of what a link leads to, nor of a move above."""
        armed, above = self.armed[root], os.path.dirname(root)
        teller = self._watches.tree.by_path.get(above)
        if teller is None:
            return False
        if len(armed) == LINKED and armed[-1].link == identity(root, follow=False):
            return False
        if self._scope.covers(above):
            return True
        return (teller, identity(above)) == self._tellers.get(root)

    def _is_awaited(self, root: str, now: Anchors, *, told: bool) -> bool:
        """Whether what is not read yet will tell of a root, or a walk is to come that finds it."""
        by_path = self._watches.tree.by_path
        if told and not now:
            return root not in self._gone
        if told:
            return now[0].path == root and root not in by_path
        if self.armed[root] or not now:
            return False
        step, above = root, os.path.dirname(root)
        while above not in by_path:
            if above == "/":
                return False
            step, above = above, os.path.dirname(above)
        if step == root or not self._scope.descends(above) or self._scope.skips(step):
            return False
        return os.path.isdir(step) and not os.path.islink(step)

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
        link = identity(root, follow=False)
        return (names,) if link is None else (names, Anchor(root, known, link))
