"""What is polled, and what was seen there.

Looks are made in passes: ``begin``, any number of ``look``, and ``told`` returns what they come
to. Law: what is seen of a directory and what is seen of those in it go together, so that one
that is gone is gone with all below it.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from hotrun.watch.polling.differences import (
    Identity,
    Seen,
    Sights,
    differences,
    is_other,
    join,
    parent,
)
from hotrun.watch.polling.glance import NO_NAMES, NOTHING, Glance, Tops, signature_of
from hotrun.watch.sieve.snapshot import Directory, signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hotrun.watch.event import Event, Item
    from hotrun.watch.polling.glance import Sign
    from hotrun.watch.scope import Scope
    from hotrun.watch.sieve.snapshot import Signature


class Lookout:
    """The directories below some roots.

    Args:
        scope: What was asked for.
        say: Takes what cannot be read.
        sign: Makes a signature of what ``stat`` found.

    Attributes:
        tops: Where polling begins.
        seen: What was found there, by path.
    """

    def __init__(
        self, scope: Scope, say: Callable[[Item], None], sign: Sign = signature_of
    ) -> None:
        self._scope = scope
        self.tops = Tops()
        self.seen: Sights = {}
        self._at: dict[Identity, str] = {}
        self._glance = Glance(scope, say, self.tops, self._holder, sign)
        # Of the pass under way: what differs, as it was and as it is.
        self._before: Sights = {}
        self._now: Sights = {}
        self._looked: set[str] = set()
        self._left: list[str] = []  # roots that went with a directory far above them
        self._uprooted: set[str] = set()  # the same; these were looked at again

    def paths(self) -> list[str]:
        """Return all that is to be looked at, with what is missing and waited for."""
        missing = (self.tops.roots | self.tops.stand_ins) - self.seen.keys()
        return [*self.seen, *sorted(missing)]

    def places(self) -> list[str]:
        """Return the directories that are listed."""
        return [path for path, seen in self.seen.items() if seen.is_directory]

    def signature(self, path: str) -> Signature | None:
        """Return what was seen of a file; None for a directory, or nothing."""
        seen = self.seen.get(path)
        if seen is not None:
            return None if seen.is_directory else seen.own
        above = self.seen.get(parent(path))
        return None if above is None else above.listed.files.get(os.path.basename(path))

    def covers(self, path: str) -> bool:
        """Whether a path is a root, or in or below a directory that is polled."""
        if path in self.tops.roots:
            return True
        above = here = parent(path)
        while here not in self.tops:
            if here == "/":
                return False
            here = parent(here)
        return here == above or self._scope.descends(above)

    def _holder(self, identity: Identity) -> str | None:
        path = self._at.get(identity)
        return path if path in self.seen else None

    # --- more and less to look at ---

    def open(self, top: str) -> None:
        """Make the first pass over what has just become a top, or got wider."""
        known = [path for path in self._subtree(top) if path != top]
        for path in (parent(top), top, *known):
            if path in self.seen:
                self._raise_names(path, self.seen[path])
        self.begin()
        for path in (top, *known):
            self.look(path)
        self._drop_stand_ins((top,))

    def shut(self, top: str) -> None:
        """Forget what only a former top asked for."""
        self._trim(self._subtree(top))

    def trim(self) -> None:
        """Forget what the scope no longer reaches."""
        self._trim(self.seen)

    def _trim(self, paths: Iterable[str]) -> None:
        lost: set[str] = set()
        for path in sorted(paths):  # the one above first
            if path not in self.tops and (parent(path) in lost or not self._is_reached(path)):
                lost.add(path)
        for path in lost:
            self._lower_name(path)
        for path in lost:
            self._forget(path, self.seen.pop(path))

    def _is_reached(self, path: str) -> bool:
        """Whether a directory is looked at because the one above it is."""
        above = self.seen.get(parent(path))
        if above is None or os.path.basename(path) not in above.listed.below:
            return False
        return self._scope.descends(parent(path))

    def _raise_names(self, path: str, seen: Seen) -> None:
        """What was a mere name in a directory, and has a place of its own now, is no news."""
        files = seen.listed.files
        descends = self._scope.descends(path)
        for name in self.tops.names.get(path, NO_NAMES) & files.keys():
            if stat.S_ISREG(files[name].mode):
                top = join(path, name)
                self.seen.setdefault(top, Seen(files[name], seen.dev, NOTHING, NO_NAMES))
            del files[name]
        for name in [name for name in files if descends and stat.S_ISDIR(files[name].mode)]:
            del files[name]

    def _lower_name(self, path: str) -> None:
        """What has no place of its own any more may still be a name in a directory."""
        seen, above, name = self.seen[path], self.seen.get(parent(path)), os.path.basename(path)
        if above is None:
            return
        if name in above.listed.below:
            above.listed.below.discard(name)
            above.listed.files[name] = seen.own
        elif self._scope.wants(path):
            link = signature(path)
            is_link = link is not None and link.ino != seen.own.ino
            above.listed.files[name] = link if link is not None and is_link else seen.own

    def relist(self) -> None:
        """Take all as it is now, by the rules of now."""
        self.seen, self._at = {}, {}
        self.begin()
        for top in self.paths():
            self.look(top)
        self._drop_stand_ins(tuple(self.tops.stand_ins))

    # --- a pass ---

    def begin(self) -> None:
        """Begin a pass."""
        self._before, self._now = {}, {}
        self._looked.clear()
        self._left.clear()
        self._uprooted.clear()
        self._glance.links.clear()

    def look(self, path: str) -> None:
        """Look at a path again, once a pass, and at all that turns out to be new there."""
        stack = [path] if path in self.seen or path in self.tops else []
        while stack and not self._scope.closing:
            here = stack.pop()
            if here not in self._looked:
                self._looked.add(here)
                stack += self._look(here)
            if not stack:
                stack, self._left = self._left, []
            if not stack:  # a directory that is to be had without a link keeps its own name
                stack = self._follow()

    def told(self, *, with_new: bool = True) -> list[Event]:
        """End the pass and return what happened.

        Args:
            with_new: Tell of what is new, too; otherwise it was there and not asked for.
        """
        before, now = self._before, self._now
        if not with_new:
            now = {path: new for path, new in now.items() if path in before}
        events = differences(before, now, self._uprooted) if before or now else []
        told = [event for event in events if self._is_told(event.path)]
        self._drop_stand_ins(before.keys() & self.tops.stand_ins)
        return told

    def _is_told(self, path: str) -> bool:
        """Whether what becomes of something itself is found out here."""
        if path not in self.tops.stand_ins or path in self.tops.roots:
            return True
        return parent(path) in self.seen or parent(path) in self._before

    def _drop_stand_ins(self, paths: Iterable[str]) -> None:
        """Forget those that are gone: who tells that one is back hands it over again."""
        for path in paths:
            if path not in self.seen:
                self.tops.discard(path, self.tops.stand_ins)

    def _look(self, path: str) -> list[str]:
        """Look at one path; return where else to look because of what is there."""
        old = self.seen.get(path)
        new = self._glance.at(path, old, is_name=parent(path) in self.seen)
        doubted = []
        if old is not None and (new is None or is_other(old, new)):
            self._leave(path)
            doubted.append(self._above(path))  # most go no farther than next door
            old = None
        below: Iterable[str] = ()
        if new is not None:
            if old is None:
                doubted.append(self._at.get(new.identity, path))  # is it still where it was?
                if path in self.tops and parent(path) not in self.seen:
                    doubted.append(self._above(path))  # what it is in has to be told before
                    self._looked.discard(doubted[-1])
                self._come(path, new)
            else:
                self._keep(path, old, new)
            below = self._in(path, new)
        return [
            *(each for each in doubted if each in self.seen),
            *(each for each in below if each not in self.seen),
        ]

    def _above(self, path: str) -> str:
        """Return the nearest directory above a path that is looked at."""
        while path != "/":
            path = parent(path)
            if path in self.seen:
                break
        return path

    def _come(self, path: str, new: Seen) -> None:
        """Note something that is new."""
        self._looked.add(path)
        self._now[path] = self.seen[path] = new
        if new.is_directory:
            self._at[new.identity] = path

    def _keep(self, path: str, old: Seen, new: Seen) -> None:
        """Note what differs in something that is still there."""
        self.seen[path] = new
        if old.identity != new.identity:  # the filesystem counts anew
            self._at.pop(old.identity, None)
            self._at[new.identity] = path
        same = old.own.mode == new.own.mode if new.is_directory else old.own == new.own
        if same and old.listed == new.listed:
            return
        if path not in self._now:
            self._before[path] = old
        self._now[path] = new
        for name in old.listed.below - new.listed.below:
            self._leave(join(path, name))
        if new.is_directory and not self._scope.descends(path):
            for name in _gone_names(old, new):
                self._leave(join(path, name))

    def _leave(self, top: str) -> None:
        """Note that something is gone, with all below it."""
        gone = list(self._subtree(top))
        # Between them and the top there may be directories that nobody looks at.
        deep = [root for root in self.tops.roots if root.startswith(join(top, ""))]
        for root in deep:
            gone += self._subtree(root)
        self._left += deep
        self._uprooted.update(deep)
        for path in gone:
            seen = self.seen.pop(path, None)
            if seen is not None:
                if self._now.pop(path, None) is None:
                    self._before[path] = seen
                self._forget(path, seen)

    def _forget(self, path: str, seen: Seen) -> None:
        self._looked.discard(path)
        self._glance.forget(path)
        if self._at.get(seen.identity) == path:
            del self._at[seen.identity]

    def _subtree(self, top: str) -> Iterator[str]:
        stack = [top]
        while stack:
            path = stack.pop()
            seen = self.seen.get(path)
            if seen is not None:
                yield path
                stack += self._in(path, seen)

    def _in(self, path: str, seen: Seen) -> list[str]:
        """What is looked at in a directory, roots of all kinds included."""
        names = self.tops.names.get(path)
        return [
            join(path, name) for name in (names | seen.listed.below if names else seen.listed.below)
        ]

    def _follow(self) -> list[str]:
        """Take a link that leads where nobody has been; return it, to be looked at."""
        self._glance.links.sort(reverse=True)  # of two to one directory the same always wins
        while self._glance.links:
            link = self._glance.links.pop()
            above = self.seen.get(parent(link))
            try:
                if above is None or not self._glance.is_free(link, os.stat(link)):
                    continue
            except OSError:  # it leads nowhere any more
                continue
            name = os.path.basename(link)
            files = {each: found for each, found in above.listed.files.items() if each != name}
            listed = Directory(files, above.listed.below | {name})
            self._keep(parent(link), above, above._replace(listed=listed))
            return [link]
        return []


def _gone_names(old: Seen, new: Seen) -> Iterator[str]:
    """Yield the directories that were mere names in a directory, and are not any more."""
    for name, found in old.listed.files.items():
        if stat.S_ISDIR(found.mode):
            there = new.listed.files.get(name)
            if there is None or not stat.S_ISDIR(there.mode) or there.ino != found.ino:
                yield name
