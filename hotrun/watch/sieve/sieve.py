"""The sieve: from events to changes.

An event says that something may have happened to a path. ``note`` takes events in, drops what
the filter rejects, and answers how long the tree should be quiet before it is believed;
``sift`` then compares what was touched with the disk and yields the paths whose content
differs. What an event claimed counts for nothing there, so doubled, late, merged and missing
events all come to the same.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from hotrun.watch.event import Event, Item, Op, Overflow, Refreshed
from hotrun.watch.paths import is_below
from hotrun.watch.sieve.known import Known

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

FEW = 64  # touched files up to which each write is looked at for an emptied file
MANY = 2_000  # touched files up to which a running build's reader is thought of
RETURNS = 2  # builds that a path may cause by coming back to what it was, in a row
CHUNK = 250  # paths compared between two yields
# Bits of an Op: Flag's own operators take 1 us each, and a burst is a hundred thousand of them.
RENAME, WRITE, CLOSE_WRITE = Op.RENAME.value, Op.WRITE.value, Op.CLOSE_WRITE.value
WENT = Op.REMOVE.value | RENAME
CAME, MOVED_TO = Op.CREATE.value, Op.MOVED_TO.value
CAME_OR_WENT = CAME | WENT
FINISHED = CLOSE_WRITE | MOVED_TO
SAVING = WRITE | CLOSE_WRITE


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


@dataclass(slots=True)
class Touch:
    """What events said about one path since the last sift."""

    bits: int = 0  # of the ops of a file by that name
    finished: bool = False  # the last word was a close or a rename: nobody is writing
    directory: bool = False  # a directory by that name came or went: all in it is in doubt
    came: bool = False  # it was made: nothing was there before
    counts: bool = False  # whatever is there now: what it is to be compared with is too young
    strayed: bool = False  # it held other bytes while a build was running


@dataclass(slots=True)
class Sifted:
    """What a sift found.

    Attributes:
        changed: Paths whose content (or executable bit) differs.
        saved: Paths that were written, but hold the same bytes as before.
        returned: Paths that strayed during each of the last builds, and no longer count.
        listed: Files listed again because events were lost, when that happened.
    """

    changed: list[str] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    listed: int = 0
    recovered: bool = False


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
        self.sees_close = sees_close
        self.unchanged_counts = unchanged_counts
        self.follow_symlinks = follow_symlinks
        self.stale = False  # an ignore file changed: the watcher has to walk again
        self._known = Known(
            accepts.skips,
            self._wants if also else accepts.wants,
            follow_symlinks=follow_symlinks,
        )
        self._touched: dict[str, Touch] = {}
        self._writing: set[str] = set()  # of these the last word was a write
        self._emptied: set[str] = set()
        self._recovered = False
        self._building = False
        self._left: Iterator[None] = iter(())  # of the listing
        self._doubting = False
        self._returned: dict[str, int] = {}  # how often each path came back to what it was

    def _wants(self, path: str) -> bool:
        return path in self.also or self.accepts.wants(path)

    @property
    def apart(self) -> list[str]:
        """The single files that lie in no root: ../shared/.env, the config above src/."""
        inside = tuple(f"{root.rstrip('/')}/" for root in self.roots)
        return [file for file in sorted(self.also) if not file.startswith(inside)]

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
        self._doubting = True

    def trust(self) -> None:
        """All is listed, and what came before the end of that has been noted."""
        self._doubting = False

    @property
    def files(self) -> int:
        """How many files are watched."""
        return len(self._known)

    @property
    def directories(self) -> int:
        """How many directories they are in."""
        return self._known.directories

    def paths(self) -> Iterator[str]:
        """Yield every watched file."""
        return self._known.paths()

    def prime(self) -> Iterator[None]:
        """Hash the files ahead, so that even the first save of a file can be told from a change.

        A generator: it works a little between two yields, so that an idle loop can drive it.
        """
        return self._known.prime()

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
            elif isinstance(item, Overflow | Refreshed):
                lost = isinstance(item, Overflow)
                self._recovered |= lost
                touch = self._touched.setdefault(item.root, Touch())
                touch.directory = True
                touch.counts |= lost and self._doubting
                relevant = True
        return relevant

    def _note_event(self, event: Event) -> bool:
        path, op, _, directory = event
        bits: int = op._value_
        touch = self._touched.get(path)
        # Of a file that was noted before it is known.
        if (touch is None or touch.directory) and self.accepts.is_ignore_file(path):
            self.stale = True
            return True
        if directory:
            relevant = self._note_directory(path, bits)
            return (self._known.leads(path) and self._note_name(path, bits)) or relevant
        # Of a link that is followed also what it leads to, or led to, is in doubt; and Windows
        # does not say of what is gone that it was a directory.
        doubted = self._known.leads(path) or (bits & WENT and self._known.holds(path))
        relevant = bool(doubted) and self._note_directory(path, bits)
        return self._note_name(path, bits) or relevant

    def _note_name(self, path: str, bits: int) -> bool:
        """Take in what is said of a file or link."""
        touch = self._touched.get(path)
        if touch is None:
            if not self._wants(path):
                return False
            touch = self._touched[path] = Touch(came=_is_new(bits))
        if bits & WENT and self._is_nothing(path) and (touch.came or not self._doubting):
            # The temporary half of an atomic save: it came and went, and was never ours. (Of a
            # name that was exchanged the kernel tells first that it came, then that it went.)
            self._drop(path, touch)
            return False
        self._note_file(path, touch, bits)
        return True

    def _is_nothing(self, path: str) -> bool:
        """Whether nothing is at a path, and nothing is known to have been."""
        if self._known.get(path) is not None or os.path.lexists(path):
            return False
        # By another link the same file may be known.
        return not self._known.follow_symlinks or self._known.lists(path)

    def _note_file(self, path: str, touch: Touch, bits: int) -> None:
        touch.bits |= bits
        touch.counts |= self._doubting
        if bits & FINISHED:
            touch.finished = True
            self._writing.discard(path)
        elif bits & (WRITE | WENT):
            touch.finished = not self.sees_close(path)
            if bits & WRITE and not touch.finished:
                self._writing.add(path)
        if self._building and bits & (FINISHED | WENT) and len(self._touched) <= MANY:
            touch.strayed = touch.strayed or self._known.strays(path)
        if bits & SAVING and len(self._touched) <= FEW:
            self._look_for_emptied(path)
        elif bits & WENT:
            self._writing.discard(path)
            self._emptied.discard(path)

    def _drop(self, path: str, touch: Touch) -> None:
        self._writing.discard(path)
        self._emptied.discard(path)
        touch.bits = 0
        if not touch.directory:
            del self._touched[path]

    def _note_directory(self, path: str, bits: int) -> bool:
        """A directory has no content; only its coming and going can change files."""
        if not bits & CAME_OR_WENT:
            return False
        if self.accepts.skips(path) and not self._known.holds(path):
            return False
        if bits & RENAME and any(map(self.accepts.is_ignore_file, self._known.below(path))):
            self.stale = True  # the rules went along, and nothing was said of them
        touch = self._touched.setdefault(path, Touch(came=_is_new(bits)))
        touch.directory = True
        touch.counts |= self._doubting
        return True

    def _look_for_emptied(self, path: str) -> None:
        # Some editors truncate, and write a moment later: nobody wants the empty file built.
        known = self._known.get(path)
        try:
            emptied = known is not None and known.size > 0 and os.lstat(path).st_size == 0
        except OSError:
            emptied = False
        (self._emptied.add if emptied else self._emptied.discard)(path)

    # --- how quiet it is ---

    @property
    def unfinished(self) -> bool:
        """A touched file is still being written, or has just become empty."""
        return bool(self._emptied or self._writing)

    @property
    def lone_save(self) -> bool:
        """All that happened is one finished save of one file."""
        if len(self._touched) != 1:
            return False
        ((path, touch),) = self._touched.items()
        return touch.finished and not touch.directory and self.sees_close(path)

    def locked(self) -> bool:
        """Git is rewriting the tree: more is to come until its lock is gone."""
        locks = {_git_lock(root) for root in self.roots}
        return any(lock is not None and os.path.lexists(lock) for lock in locks)

    def refresh_rules(self) -> None:
        """Read the ignore rules again; the watcher has to walk again too."""
        self.stale = False
        self.accepts.reload()

    # --- changes out ---

    def sift(self) -> Iterator[Sifted | None]:
        """Compare what was touched with the disk, and take it as the new state.

        A generator, because 20,000 paths take a while: None means "not done yet", the last
        item is the answer. Events that are noted meanwhile belong to the next sift.
        """
        touched, self._touched = self._touched, {}
        self._writing.clear()
        self._emptied.clear()
        result, self._recovered = Sifted(recovered=self._recovered), False
        if not touched.keys().isdisjoint(self.roots):  # else all that is not listed is new
            yield from (None for _ in self._left)
        for count, _ in enumerate(self._compare(touched, result), 1):
            if count % CHUNK == 0:
                yield None
        if result.recovered:
            result.listed = self.files
        yield result

    def _compare(self, touched: dict[str, Touch], result: Sifted) -> Iterator[None]:
        """Compare the directories in doubt, then the other files; yield after each look."""
        for path in self._relist(touched):
            if path is not None and self._known.differs(path):
                result.changed.append(path)
            yield
        compared = set(result.changed)
        compared.update(self._count_directories(touched, result))
        for told, touch in touched.items():
            path = self._known.listed_as(told)
            if touch.bits and path not in compared:
                if self._known.differs(path, Op(touch.bits)) or touch.counts:
                    self._returned.pop(path, None)
                    result.changed.append(path)
                elif touch.strayed and self._returned.get(path, 0) <= RETURNS:
                    self._count_return(path, result)
                elif self._known.get(path) is not None:
                    self._weigh_save(path, touch, result)
            yield
        result.changed.sort()

    def _count_directories(self, touched: dict[str, Touch], result: Sifted) -> Iterator[str]:
        """Count what is in directories that came or went while that could not be compared."""
        for path, touch in touched.items():
            if touch.counts and touch.directory:
                found = {*self._known.below(path)} - {*result.changed}
                result.changed += found
                yield from found
                if not (found or touch.came or touch.bits):
                    result.changed.append(path)  # nobody knows what was in it

    def _relist(self, touched: dict[str, Touch]) -> Iterator[str | None]:
        """List the directories in doubt again, as ``Known.relist``."""
        listed_as = self._known.listed_as
        doubted = {listed_as(path) for path, touch in touched.items() if touch.directory}
        for top in sorted(doubted):
            # A root below another one may be a link, which that one does not follow.
            if top in self.roots or not is_below(top, doubted):
                yield from self._known.relist(top)
        if self._known.follow_symlinks:
            if doubted or not all(map(self._known.lists, touched)):
                yield from self._known.relist_linked()
            yield from self._known.links()

    def _count_return(self, path: str, result: Sifted) -> None:
        """A path that came back counts; one that does so at each build is the build's own."""
        self._returned[path] = self._returned.get(path, 0) + 1
        counts = self._returned[path] <= RETURNS
        (result.changed if counts else result.returned).append(path)

    def _weigh_save(self, path: str, touch: Touch, result: Sifted) -> None:
        """Of a file that holds the same bytes: was it saved, and does that count?"""
        if touch.finished and self.unchanged_counts:
            result.changed.append(path)
        elif touch.bits & CLOSE_WRITE:
            result.saved.append(path)


def _is_new(bits: int) -> bool:
    """Whether what came is new; what was moved to a name may have taken another's place."""
    return bool(bits & CAME) and not bits & MOVED_TO


def _git_lock(root: str) -> str | None:
    """Return where git would put the lock of the work tree that a directory is in."""
    directory = root
    while not os.path.lexists(f"{directory}/.git"):
        if directory in ("", "/"):
            return None
        directory = os.path.dirname(directory)
    git = f"{directory}/.git"
    try:
        with open(git, encoding="utf-8", errors="surrogateescape") as file:  # a linked work tree
            git = os.path.join(directory, file.read().removeprefix("gitdir:").strip())
    except OSError:
        pass  # the usual case: a directory
    return f"{git}/index.lock"
