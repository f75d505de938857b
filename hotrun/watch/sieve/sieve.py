"""The sieve: from events to changes.

An event says that something may have happened to a path. ``note`` takes events in, drops what
cannot matter, and answers whether any of them may; ``sift`` then compares what was touched with
the disk and yields the paths whose content differs. What an event claimed counts for nothing
there, so doubled, late, merged and missing events all come to the same.
"""

from __future__ import annotations

import os
from stat import S_ISREG
from typing import TYPE_CHECKING, Protocol

from hotrun.watch.event import Event, Item, Overflow, Refreshed
from hotrun.watch.sieve.changes import Changes, Sifted
from hotrun.watch.sieve.git_lock import is_locked
from hotrun.watch.sieve.known import Known
from hotrun.watch.sieve.touched import (
    CAME,
    CAME_OR_WENT,
    FINISHED,
    MOVED_TO,
    RENAME,
    SAVING,
    WENT,
    Touched,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from hotrun.watch.sieve.touched import Touch

__all__ = ["Accepts", "Sieve", "Sifted"]

FEW = 64  # touched files up to which each write is looked at for an emptied file
MANY = 2_000  # touched files up to which a running build's reader is thought of
CHUNK = 250  # paths compared between two yields


class Accepts(Protocol):
    """What the sieve asks about paths (``filter.Filter`` answers)."""

    def skips(self, directory: str) -> bool:
        """Tell of a directory whether it is never to be opened or watched."""

    def wants(self, path: str) -> bool:
        """Tell of a file whether its change counts."""

    def is_ignore_file(self, path: str) -> bool:
        """Tell whether a file holds rules on which the other answers rest."""

    def reload(self) -> None:
        """Read those rules again."""


class Sieve:
    """Knows the watched files as the last build saw them.

    Args:
        roots: The watched directories, absolute.
        accepts: Which directories and files count.
        also: Single files in them that count whatever the filter says.
        sees_close: Tells of a path whether the watcher reports CLOSE_WRITE of it.
        unchanged_counts: A finished save counts even if it changed no byte.
        follow_symlinks: What links in the roots lead to counts too, each directory once.
    """

    def __init__(
        self,
        roots: Collection[str],
        accepts: Accepts,
        *,
        also: Collection[str] = (),
        sees_close: Callable[[str], bool] = lambda _: True,
        unchanged_counts: bool = False,
        follow_symlinks: bool = False,
    ) -> None:
        self.roots = list(roots)
        self.accepts = accepts
        self.also = frozenset(also)
        self.follow_symlinks = follow_symlinks
        self.stale = False  # an ignore file changed: the watcher has to walk again
        self._known = Known(
            accepts.skips,
            self._wants if also else accepts.wants,
            follow_symlinks=follow_symlinks,
        )
        self._touched = Touched(sees_close)
        self._changes = Changes(self._known, self.roots, unchanged_counts=unchanged_counts)
        self._building = False
        self._left: Iterator[None] = iter(())  # of the listing

    def _wants(self, path: str) -> bool:
        return path in self.also or self.accepts.wants(path)

    @property
    def apart(self) -> list[str]:
        """The single files that lie in no root: ../shared/.env, the config above src/."""
        inside = tuple(f"{root.rstrip('/')}/" for root in self.roots)
        return [file for file in sorted(self.also) if not file.startswith(inside)]

    def refresh_rules(self) -> None:
        """Read the ignore rules again; the watcher has to walk again too."""
        self.stale = False
        self.accepts.reload()

    # --- the listing ---

    def list(self) -> None:
        """Take the tree as it is now for what the next build will see."""
        self._known.begin(self.roots)

    def listing(self) -> Iterator[None]:
        """List the tree, as ``list``, a directory between two yields; a sift may go on with it."""
        self._left = self._known.listing(self.roots)
        return self._left

    def doubt(self) -> None:
        """A build begins before the listing is done: what it read may be older than that.

        Until ``trust`` each event counts as a change, whatever a comparison says. It may have
        come before its directory was listed, but after the build had read it.
        """
        self._touched.doubting = True

    def trust(self) -> None:
        """All is listed, and what came before the end of that has been noted."""
        self._touched.doubting = False

    @property
    def files(self) -> int:
        """How many files are watched."""
        return len(self._known)

    @property
    def directories(self) -> int:
        """How many directories they are in."""
        return len(self._known.tree)

    def paths(self) -> Iterator[str]:
        """Yield every watched file."""
        return self._known.paths()

    def prime(self) -> Iterator[None]:
        """Hash the files ahead, so that even the first save of a file can be told from a change.

        A generator: it works a little between two yields, so that an idle loop can drive it.
        """
        return self._known.contents.prime(self._known.tree)

    # --- events in ---

    def note(self, items: Collection[Item], *, building: bool = False) -> bool:
        """Take events in; True when any of them may be a change.

        Args:
            items: What the watcher read.
            building: A build is reading the files: one that strays now and comes back before
                it is compared counts as changed, for the build may have seen it astray.
        """
        relevant = False
        self._building = building
        for item in items:
            if isinstance(item, Event):
                relevant |= self._note_event(item)
            elif isinstance(item, Overflow):
                self._touched.lost(item.root)
                relevant = True
            elif isinstance(item, Refreshed):
                self._touched.walked(item.root)
                relevant = True
        return relevant

    def _note_event(self, event: Event) -> bool:
        path, op, _, directory = event
        bits: int = op._value_
        known, paths = self._known, self._touched.paths
        touch = paths.get(path)
        # Of a file that was noted before it is known.
        if (touch is None or touch.directory) and self.accepts.is_ignore_file(path):
            self.stale = True
            return True
        relevant, leads = False, known.leads(path)
        # Of a link that is followed also what it leads to, or led to, is in doubt; and Windows
        # does not say of what is gone that it was a directory.
        if directory or leads or (bits & WENT and path in known.tree):
            relevant = self._note_directory(path, bits)
            if directory and not leads:
                return relevant
            touch = paths.get(path)
        return self._note_name(path, touch, bits) or relevant

    def _note_directory(self, path: str, bits: int) -> bool:
        """A directory has no content; only its coming and going can change files."""
        if not bits & CAME_OR_WENT:
            return False
        if self.accepts.skips(path) and path not in self._known.tree:
            return False
        if bits & RENAME and any(map(self.accepts.is_ignore_file, self._known.below(path))):
            self.stale = True  # the rules went along, and nothing was said of them
        self._touched.directory(path, bits)
        return True

    def _note_name(self, path: str, touch: Touch | None, bits: int) -> bool:
        """Take in what is said of a file or link."""
        touched = self._touched
        if touch is None:
            if not self._wants(path):
                return False
            touch = touched.first(path, bits)
        if bits & WENT and self._is_nothing(path) and (touch.came or not touched.doubting):
            # The temporary half of an atomic save: it came and went, and was never ours. (Of a
            # name that was exchanged the kernel tells first that it came, then that it went.)
            touched.drop(path, touch)
            return False
        touched.add(path, touch, bits)
        self._look(path, touch, bits)
        return True

    def _is_nothing(self, path: str) -> bool:
        """Whether nothing is at a path, and nothing is known to have been."""
        if self._known.get(path) is not None or os.path.lexists(path):
            return False
        # By another link the same file may be known.
        return not self._known.follow_symlinks or self._known.lists(path)

    def _look(self, path: str, touch: Touch, bits: int) -> None:
        """Look at a file now for what will not be seen later; not at each of very many."""
        many = len(self._touched.paths)
        if self._building and bits & (FINISHED | WENT) and many <= MANY:
            known = self._known
            touch.strayed = touch.strayed or known.contents.strays(path, known.get(path))
        if bits & SAVING and many <= FEW:
            self._touched.emptied(path, is_empty=self._is_emptied(path))
        elif bits & WENT:
            self._touched.gone(path)
        elif bits & CAME and not bits & MOVED_TO and many <= FEW and self._is_born(path):
            self._touched.born(path)

    def _is_born(self, path: str) -> bool:
        """Whether a file is new and empty: who has made it is about to write, and then closes it.

        A link, a socket or a fifo came whole, and nobody closes it.
        """
        try:
            stat = os.lstat(path)
        except OSError:
            return False
        return S_ISREG(stat.st_mode) and not stat.st_size

    def _is_emptied(self, path: str) -> bool:
        # Some editors truncate, and write a moment later: nobody wants the empty file built.
        known = self._known.get(path)
        try:
            return known is not None and known.size > 0 and os.lstat(path).st_size == 0
        except OSError:
            return False

    # --- how quiet it is ---

    @property
    def unfinished(self) -> bool:
        """A touched file is still being written, or has just become empty."""
        return self._touched.unfinished

    @property
    def lone_save(self) -> bool:
        """All that happened is one finished save of one file."""
        return self._touched.lone_save

    def locked(self) -> bool:
        """Git is rewriting the tree: more is to come until its lock is gone."""
        return any(map(is_locked, self.roots))

    # --- changes out ---

    def sift(self) -> Iterator[Sifted | None]:
        """Compare what was touched with the disk, and take it as the new state.

        A generator, because 20,000 paths take a while: None means "not done yet", the last
        item is the answer. Events that are noted meanwhile belong to the next sift.
        """
        touched, lost = self._touched.take()
        result = Sifted(recovered=lost)
        if not touched.keys().isdisjoint(self.roots):  # else all that is not listed is new
            yield from (None for _ in self._left)
        for count, _ in enumerate(self._changes.find(touched, result), 1):
            if count % CHUNK == 0:
                yield None
        for path in result.born:
            if path not in self._touched.paths:  # else it was told of meanwhile
                self._touched.born(path)
        if result.recovered:
            result.listed = self.files
        yield result
