"""The backend for macOS and the BSDs: what kqueue tells, as events with paths.

It has run on fakes only, never on a real kqueue: it is written from the manuals, from the sources
of FreeBSD and XNU, and from what fsnotify met there.

kqueue tells that something happened to an inode, and no more: no name, no order, no pair of a
rename. Law: an event only says where to look. Directories it speaks of are listed, what differs
from what was told is told, and a new name is a rename if its inode has left another name. So no
order of events, and no event too many, can leave the tree wrong.

What cannot be known: the order of what happened between two looks; whether a file was written,
truncated or only touched when its size is the same (WRITE is told); whether a name without
descriptor (a link, a fifo, a file that does not count) was removed or moved away (REMOVE is told).
"""

from __future__ import annotations

import contextlib
import select
import stat
import time
from typing import TYPE_CHECKING, cast

from hotrun.watch.event import BASE, Event, Item, Op, Refreshed
from hotrun.watch.kqueue.calls import Kernel, Kq, Limit, most_files
from hotrun.watch.kqueue.nodes import Kind, Listed, Node, State, differences
from hotrun.watch.kqueue.roots import Roots
from hotrun.watch.kqueue.told import Told
from hotrun.watch.kqueue.watches import look, look_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hotrun.watch.scope import Scope

RECENT = 2_000_000_000  # ns; a time so young may stand for two changes (HFS+: 1 s, FAT: 2 s)


class Kqueue:
    """One kqueue for any number of roots.

    Args:
        scope: What is asked for.
        say: Takes what there is to tell.
        kq: What serves as the module ``select``; None: that itself.
        most: Returns how many descriptors the kernel allows a process; None: not known.
        clock: Seconds; of ``due`` too.

    Attributes:
        soft_limit_before: The soft RLIMIT_NOFILE before it was raised for us. Children inherit
            the raised one, which old programs do not expect (select(2) fails above 1,024):
            whoever starts a program may put this one in force there.

    Raises:
        OSError: there is no kqueue, or no descriptor, to be had.
    """

    name = "kqueue"
    offers = BASE

    def __init__(
        self,
        scope: Scope,
        say: Callable[[Item], None],
        kq: Kq | None = None,
        most: Callable[[], int | None] = most_files,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._scope = scope
        self._say = say
        with contextlib.ExitStack() as undo:
            limit = Limit(most)
            undo.callback(limit.restore)
            self._kernel = Kernel(kq or cast("Kq", select), clock)
            undo.callback(self._kernel.release)
            self._undo = undo.pop_all()
        self.soft_limit_before = limit.before
        self._notes = self._kernel.notes
        self._told = Told(self._kernel, scope, say, limit)
        self._tree = self._told.tree
        self._watches = self._told.watches
        self._roots = Roots(self._kernel, self._told, scope)
        self._noted: dict[Node, None] = {}  # with notes that are still to be looked at
        self._refresh = False

    # --- the verbs every backend has ---

    def begin(self, path: str) -> None:
        """Do nothing ahead: a fork does not inherit a kqueue."""

    def arm(self, path: str) -> None:
        """Begin to watch a root; what is there already is not told."""
        self._roots.arm(path)
        self._watches.say_polled()

    def disarm(self, path: str) -> None:
        """Cease to watch a root; what others cover stays."""
        self._roots.disarm(path)

    def refresh(self) -> None:
        """Let the next ``take`` walk the roots again, by the rules of then."""
        self._refresh = True

    def directories(self) -> int:
        """Count the directories that are watched."""
        return sum(node.watched for top in self._tree.tops.values() for node in top.subtree())

    def places(self) -> Iterator[str]:
        """Return the directories that are watched."""
        for top in self._tree.tops.values():
            for node in top.subtree():
                if node.watched:
                    yield node.path

    def due(self) -> float | None:
        """When ``take`` has work though nothing comes."""
        if self._refresh or self._told.dirty or self._told.doubted:
            return self._kernel.now()
        ends = [left.until for left in self._told.left.values()]
        polls = self._watches.rounds.due()
        return min(ends if polls is None else [*ends, polls], default=None)

    def wait(self, seconds: float | None) -> None:
        """Come back when something happened, when woken, or after a time."""
        self._kernel.wait(seconds)

    def wake(self) -> None:
        """Let ``wait`` come back; from any thread, and harmless after ``release``."""
        self._kernel.wake()

    def woken(self) -> bool:
        """Tell whether ``wake`` was called since the last time."""
        return self._kernel.woken()

    def take(self) -> None:
        """Say what has happened by now.

        Raises:
            OSError: the queue is no more.
        """
        self._collect()
        refresh, self._refresh = self._refresh, False
        if refresh:
            self._look_everywhere()
        self._look_at_polled()
        self._settle()
        self._told.let_go()
        self._tell_contents()
        self._watches.say_polled()
        if refresh:
            for root in self._scope.roots:
                self._say(Refreshed(root))

    def release(self) -> None:
        """Give every descriptor back, and the limit of them."""
        for node in [*self._tree.tops.values(), *self._told.left]:
            self._watches.drop(node)
        self._tree.tops.clear()
        self._told.left.clear()
        self._roots.ways.release()
        self._undo.close()

    # --- what the kernel says ---

    def _collect(self) -> None:
        """Take the notes; a number that is not known was about a descriptor closed by now."""
        for number, notes in self._kernel.take():
            node = self._tree.by_number.get(number)
            if node is not None:
                node.notes |= notes
                self._noted[node] = None
                if self._tree.holds(node):
                    self._told.suspect(node)
            elif number in self._roots.ways:
                self._told.doubted = True

    def _tell_contents(self) -> None:
        """Tell what was written or changed, under the names of now."""
        noted, self._noted = self._noted, {}
        for node in noted:
            if self._tree.by_number.get(node.number) is not node:
                continue  # gone meanwhile: its end is all there is to tell
            if self._tree.holds(node):
                notes, node.notes = node.notes, 0
                self._tell(node, notes)
            else:
                self._noted[node] = None  # on its way; it may arrive

    def _tell(self, node: Node, notes: int) -> None:
        found, before = look_inside(node), node.state
        if found is None:
            self._told.doubt(node)
            return
        now = node.state = State.of(found)
        op = Op(0)
        if node.kind is Kind.FILE and (
            notes & self._notes.content
            # A truncation is an ATTRIB (fsnotify/fsnotify:testdata/watch-dir/truncate-file).
            or (notes & self._notes.attrib and before is not None and before.is_written(now))
        ):
            op = Op.WRITE
        if notes & self._notes.attrib and (not op or (before and before.is_changed(now))):
            op |= Op.CHMOD
        if op:
            self._say(Event(node.path, op, None, node.is_directory))

    # --- what it does not say ---

    def _look_everywhere(self) -> None:
        for top in tuple(self._tree.tops.values()):
            self._told.review(top, report=True)
            self._told.dirty |= {node: None for node in top.subtree() if node.watched}
        self._told.doubted = True

    def _look_at_polled(self) -> None:
        room = True
        for node in self._watches.rounds.take(self._kernel.now()):
            if not self._tree.holds(node):
                continue
            if node.is_directory:
                self._look_at_directory(node)
            else:
                self._look_at_file(node)
            if room and node.fd < 0:
                self._told.hold(node, report=True)
                room = node.fd >= 0

    def _look_at_directory(self, node: Node) -> None:
        found, before = look(node), node.state
        if found is None or not stat.S_ISDIR(found.st_mode):
            self._told.doubt(node)
        elif (
            node.fd >= 0  # it could not be listed
            or before is None  # nor opened
            or before.is_written(State.of(found))
            or time.time_ns() - found.st_mtime_ns < RECENT
        ):
            self._told.dirty[node] = None

    def _look_at_file(self, node: Node) -> None:
        found, before = look(node), node.state
        if found is None or (found.st_dev, found.st_ino) != node.identity:
            self._told.doubt(node)
        elif before is not None:
            now = node.state = State.of(found)
            op = Op.WRITE if before.is_written(now) else Op(0)
            op |= Op.CHMOD if before.is_changed(now) else Op(0)
            if op:
                self._say(Event(node.path, op))

    # --- making what was told what the disk is ---

    def _settle(self) -> None:
        """List what is suspect until nothing is; each place once, for some writers never rest."""
        told = self._told
        listed: set[tuple[Node, str]] = set()
        while not self._scope.closing:
            if told.doubted:
                self._roots.check()
            places = {(node, node.path) for node in told.live(told.dirty)} - listed
            if places:
                listed |= places
                self._compare([node for node in told.dirty if (node, node.path) in places])
            elif told.gone:
                told.leave_gone()
            elif not told.doubted:
                break
        told.dirty = dict.fromkeys(told.live(told.dirty))

    def _compare(self, directories: list[Node]) -> None:
        """List directories; take in what is new there, and remember what is gone."""
        came: list[tuple[Node, str, Listed]] = []
        for directory in directories:
            del self._told.dirty[directory]
            listing = self._watches.list(directory)
            if listing is None:
                self._told.doubt(directory)
                continue
            gone, new = differences(directory.children, listing)
            self._told.gone |= {node: (directory, node.name) for node in gone}
            came += [(directory, name, entry) for name, entry in new]
            for node in [each for each in directory.children.values() if each.lost]:
                self._told.hold(node, report=True)
        if self._told.gone:
            # FreeBSD notes at the directories first and at the inode last: by now it has, and
            # whether a name was removed or renamed is known from there.
            self._collect()
        # Directories first: what moved along with one did not move by itself.
        came.sort(key=lambda each: each[2].kind.value)
        self._told.coming = {(parent.identity[0], entry.ino) for parent, _, entry in came}
        for parent, name, entry in came:
            if parent.watched and self._tree.holds(parent):
                self._told.arrive(parent, name, entry)
        self._told.coming.clear()
