"""The backend for Linux: what inotify tells, as events with paths.

Law: only ``take`` touches the descriptor. A record is turned into an event with the path its
directory has at that moment; directories it speaks of are walked when the queue is empty, and
the walk looks at the disk alone, so no order of records can leave a directory unwatched.
Never use one across a fork: a child that holds the descriptor takes the events.
"""

from __future__ import annotations

import contextlib
import os
import select
from typing import TYPE_CHECKING

from hotrun.watch.event import LOOKS, SAVES, Event, Item, Op, Overflow, Refreshed
from hotrun.watch.inotify import libc, wire
from hotrun.watch.inotify.ancestors import Ancestors
from hotrun.watch.inotify.anchors import Roots
from hotrun.watch.inotify.moves import Moves
from hotrun.watch.inotify.watches import Watches
from hotrun.watch.paths import join, topmost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hotrun.watch.inotify.tree import Node
    from hotrun.watch.inotify.watches import StandIn
    from hotrun.watch.scope import Scope

_OPS = {
    wire.IN_ACCESS: Op.READ,
    wire.IN_MODIFY: Op.WRITE,
    wire.IN_ATTRIB: Op.CHMOD,
    wire.IN_CLOSE_WRITE: Op.CLOSE_WRITE,
    wire.IN_CLOSE_NOWRITE: Op.CLOSE_READ,
    wire.IN_OPEN: Op.OPEN,
    wire.IN_CREATE: Op.CREATE,
    wire.IN_DELETE: Op.REMOVE,
    wire.IN_MOVED_FROM: Op.RENAME,
    wire.IN_MOVED_TO: Op.CREATE | Op.MOVED_TO,
}
_WRITE, _CLOSE_WRITE = Op.WRITE, Op.CLOSE_WRITE  # Flag looks a member up in 75 ns, each time
_EVENTS = 0xFFF  # the bits of a mask that are events (IN_ALL_EVENTS)
_SPECIAL = wire.IN_ISDIR | wire.IN_MOVED_FROM | wire.IN_MOVED_TO
_GONE = wire.IN_DELETE | wire.IN_MOVED_FROM
_NAMES = wire.IN_CREATE | wire.IN_DELETE | wire.IN_MOVED_FROM | wire.IN_MOVED_TO


class Inotify:
    """One inotify instance for any number of roots, and one more for the ways to them.

    Args:
        scope: What was asked for.
        say: Takes what happened.
        stand_in: Takes a directory for which the kernel has no watch left.

    Raises:
        OSError: there is no instance to be had.
    """

    name = "inotify"
    offers = SAVES | LOOKS

    def __init__(self, scope: Scope, say: Callable[[Item], None], stand_in: StandIn) -> None:
        self._scope = scope
        self._say = say
        self._items: list[Item] = []
        self._suspects: set[str] = set()  # directories to walk
        self._new: set[str] = set()  # of these, those in which nothing was told yet
        self._swapped: set[str] = set()  # names that came and left at once, and may be there
        self._open: set[str] = set()  # files created or written since they were last closed
        self._doubted = self._overflowed = self._refresh = False
        with contextlib.ExitStack() as undo:
            self._fd = libc.init()
            undo.callback(os.close, self._fd)
            self._ancestors = Ancestors()
            undo.callback(os.close, self._ancestors.fd)
            self._wakeup = libc.Wakeup()
            undo.callback(self._wakeup.close)
            self._descriptors = undo.pop_all()
        places: set[str] = set()
        self._watches = Watches(self._fd, scope, places, self._items.append, stand_in)
        self._roots = Roots(scope, self._watches, self._ancestors, places, self._items)
        self._moves = Moves(self._watches)
        self._poll = select.poll()
        for fd in (self._fd, self._ancestors.fd, self._wakeup.fd):
            self._poll.register(fd, select.POLLIN)

    # --- the verbs every backend has ---

    def begin(self, path: str) -> None:
        """Watch a root ahead of ``arm``, by processes of their own where that takes long."""
        self._roots.begin(path)
        self._watches.begin(path)

    def arm(self, path: str) -> None:
        """Watch a root, or watch it wider."""
        self._roots.begin(path)
        self._roots.arm(path, report=False)
        self._watches.end_ahead()
        self._roots.check()
        self._flush()

    def disarm(self, path: str) -> None:
        """Stop watching a root; what is below another one goes on."""
        self._roots.drop(path)
        self._walk_again()
        self._flush()

    def directories(self) -> int:
        """Count the directories that are watched."""
        return len(self._watches.tree)

    def places(self) -> Iterable[str]:
        """Return the directories that are watched."""
        return self._watches.tree.by_path

    def refresh(self) -> None:
        """Let the next ``take`` walk the roots again, by the ignore rules of now."""
        self._refresh = True

    def due(self) -> float | None:
        """When a directory that moved is no longer waited for."""
        if self._refresh or self._items:
            return 0.0
        return self._moves.due()

    def wait(self, seconds: float | None) -> None:
        """Wait for the kernel."""
        self._poll.poll(None if seconds is None else seconds * 1000)

    def wake(self) -> None:
        """Let ``wait`` come back; from any thread."""
        self._wakeup.set()

    def woken(self) -> bool:
        """Tell whether somebody did wake."""
        return self._wakeup.clear()

    def release(self) -> None:
        """Give the descriptors back."""
        self._watches.end_ahead()
        self._descriptors.close()

    def take(self) -> None:
        """Read the queue to its end, and say what it comes to."""
        # The queue first: what then turns out to have moved away above is dropped before its
        # records are looked at, lest they come under a path that is something else by now.
        data = libc.drain(self._fd)
        records: Iterable[wire.Record] = wire.decode(data)
        moved, elsewhere = self._ancestors.drain()
        self._doubted |= moved
        if elsewhere:
            records = list(records)
            self._note_moved(records)
            self._roots.drop_moved()
        for record in records:
            self._hear(record)
        self._walk_suspects()
        self._moves.let_go()
        if self._doubted:
            self._doubted = self._roots.check()
        if self._overflowed or self._refresh:
            item = Overflow if self._overflowed else Refreshed
            self._overflowed = self._refresh = False
            self._walk_again()
            self._items += [item(root) for root in self._roots.armed]
        self._flush()

    def _note_moved(self, records: Iterable[wire.Record]) -> None:
        """See which roots were moved themselves: the others were deleted, or moved with others."""
        for record in records:
            if record.mask & wire.IN_MOVE_SELF:
                owners = self._watches.tree.owners(record.wd)
                self._roots.moved.update(node.path for node in owners)

    def _flush(self) -> None:
        for item in self._items:
            self._say(item)
        self._items.clear()

    # --- events ---

    def _hear(self, record: wire.Record) -> None:
        """Take one record; one about a watch that was dropped is nobody's."""
        if record.mask & wire.IN_Q_OVERFLOW:
            self._overflowed = True
        for node in self._watches.tree.owners(record.wd):
            if not record.name:
                self._take_self(node, record.mask)
            elif self._watches.tree.holds(node):
                self._take(join(node.path, os.fsdecode(record.name)), record)
            else:
                self._moves.hold(node, record)

    def _take(self, path: str, record: wire.Record) -> None:
        """Turn one record about a name into an event."""
        mask = record.mask
        if mask & _NAMES:
            self._take_name(path, record)
            return
        directory = bool(mask & wire.IN_ISDIR)
        op = _OPS[mask & _EVENTS]
        self._items.append(Event(path, self._with_write(path, op), None, directory))
        # ATTRIB: it may be readable now.
        if directory and path in self._watches.unreadable:
            self._suspects.add(path)

    def _take_name(self, path: str, record: wire.Record) -> None:
        """Turn a record about a name that came or went into an event."""
        mask = record.mask
        directory = bool(mask & wire.IN_ISDIR)
        if mask & _GONE:
            self._open.discard(path)
        elif mask & wire.IN_CREATE and not directory:
            self._open.add(path)
        renamed_from = self._replant(path, record, directory=directory)
        self._items.append(Event(path, _OPS[mask & _EVENTS], renamed_from, directory))
        if self._roots.hear(path, is_there=not mask & _GONE):
            self._doubted = True  # a directory may stand where a file was
        if mask & wire.IN_MOVED_TO:
            for node, held in self._moves.heard():
                self._take(join(node.path, os.fsdecode(held.name)), held)

    def _replant(self, path: str, record: wire.Record, *, directory: bool) -> str | None:
        """Let the watches follow a name that came or went; return its old path, if known."""
        if directory or self._is_walked(path):
            self._suspects.add(path)
        if record.mask & wire.IN_MOVED_TO:
            return self._arrive(path, record.cookie, directory=directory)
        if record.mask & wire.IN_MOVED_FROM:
            if self._moves.has_come(path):
                self._swapped.add(path)
            elif not directory:
                self._end(path)
            is_new = path in self._new
            self._moves.leave(path, record.cookie, directory=directory, is_new=is_new)
        elif not directory or record.mask & wire.IN_DELETE:
            self._end(path)
        else:
            self._new.add(path)
        if record.mask & _GONE:
            self._new.discard(path)
        return None

    def _is_walked(self, path: str) -> bool:
        """Whether a name that is no directory's stands for one, or did."""
        followed = self._scope.follow_symlinks and os.path.islink(path)
        return followed or path in self._watches.tree.by_path

    def _end(self, path: str) -> None:
        """End the watches on what stood under a path; what stands there now is walked anew."""
        if path in self._watches.tree.by_path and not self._roots.is_linked_file(path):
            self._watches.forget(path)
            if path in self._roots.places:
                self._roots.lose(path)
                self._doubted = True

    def _arrive(self, path: str, cookie: int, *, directory: bool) -> str | None:
        """Take the second half of a move; return the old path if that is to be told."""
        displaces = not self._roots.is_linked_file(path)
        arrival = self._moves.arrive(path, cookie, directory=directory, displaces=displaces)
        if arrival is None:
            if not directory:
                self._end(path)
            return None
        origin = arrival.origin
        if arrival.is_new:
            self._new.add(path)
        if self._swapped and directory:
            self._swapped = {_moved(each, origin, path) for each in self._swapped}
        if arrival.swapped and not self._tell_swap(path, origin):
            return None
        if not arrival.swapped and not directory:
            self._end(origin)  # what was taken to be half a swap was none
        if directory and not (self._scope.descends(path) and not self._scope.skips(path)):
            self._watches.forget(path)
        if directory and arrival.node is None and not arrival.is_new and self._tells_in(origin):
            return None  # what was told in it was not followed to here: it is listed
        return origin if self._scope.covers(origin) else None

    def _tell_swap(self, path: str, origin: str) -> bool:
        """Tell a swap in an order that can be followed; False: its first half is long told."""
        if not self._tell_earlier(origin):
            for each in (path, origin):
                self._watches.forget(each)
            return False
        self._swapped.discard(origin)
        self._roots.hear(origin, is_there=True)
        return True

    def _tells_in(self, directory: str) -> bool:
        return bool(self._scope.ops_in(directory)) and not self._scope.skips(directory)

    def _tell_earlier(self, path: str) -> bool:
        """Of a swap, tell that a name was left before telling what came there."""
        left = 0
        for at in range(len(self._items) - 1, -1, -1):
            item = self._items[at]
            if isinstance(item, Event) and item.path == path:
                if item.op & Op.RENAME:
                    left = at
                elif item.op & Op.CREATE:
                    self._items.insert(at, self._items.pop(left))
                    return True
        return False

    def _with_write(self, path: str, op: Op) -> Op:
        """Call a close a write too, if no write was told: of one through mmap nothing else is.

        Who listens for CLOSE_WRITE can tell the two apart, and is told no more than there is.
        """
        if op is _WRITE:
            self._open.add(path)
        elif op is _CLOSE_WRITE:
            if path in self._open:
                self._open.discard(path)
            elif not self._scope.ops(path) & Op.CLOSE_WRITE:
                return Op.WRITE | Op.CLOSE_WRITE
        return op

    def _take_self(self, node: Node, mask: int) -> None:
        """Take a record about a watched directory itself (or a linked file)."""
        anchors = node.path in self._roots.places
        if mask & wire.IN_UNMOUNT and not anchors:
            self._items.append(Event(node.path, Op.REMOVE, None, directory=True))
            self._suspects.add(node.path)  # what was hidden below the mount is there again
        if mask & wire.IN_IGNORED:  # the kernel has dropped the watch
            self._watches.drop(node)
            self._roots.lose(node.path)
        if anchors and mask & wire.IN_MOVE_SELF:
            self._roots.moved.add(node.path)
        if anchors and mask & (wire.IN_IGNORED | wire.IN_MOVE_SELF):
            self._doubted = True
        op = _OPS.get(mask & _EVENTS)
        if op is None or not self._watches.tree.holds(node):
            return
        linked = self._roots.is_linked_file(node.path)
        if linked or (anchors and os.path.dirname(node.path) not in self._watches.tree.by_path):
            op = self._with_write(node.path, op)
            self._items.append(Event(node.path, op, None, not linked))

    def _walk_suspects(self) -> None:
        """Bring the watches in line wherever a directory came, went or moved."""
        self._tell_swapped()
        suspects, self._suspects = self._suspects, set()
        self._new.clear()
        for path in topmost(suspects):
            above = os.path.dirname(path)
            if above not in self._watches.tree.by_path:
                continue  # it moved away meanwhile, and is walked under its new path
            if self._scope.descends(above) or path in self._roots.places:
                self._watches.walk(path, report=True)
            else:
                self._watches.forget(path)  # it moved to where nobody looks
        self._doubted |= bool(self._watches.lost)

    def _tell_swapped(self) -> None:
        """Tell of names that have left, and stand there all the same: two were swapped."""
        for path in self._swapped:
            if os.path.lexists(path) and os.path.dirname(path) in self._watches.tree.by_path:
                directory = os.path.isdir(path) and not os.path.islink(path)
                self._items.append(Event(path, Op.CREATE, None, directory))
                self._doubted |= self._roots.hear(path, is_there=True)
                if directory:
                    self._suspects.add(path)
        self._swapped.clear()

    def _walk_again(self) -> None:
        """Watch all there is by now, and drop the rest."""
        self._moves.clear()
        self._open.clear()
        self._roots.walk_again()


def _moved(path: str, origin: str, to: str) -> str:
    """Return a path by the new name of a directory that it may be below."""
    return to + path[len(origin) :] if path.startswith(f"{origin}/") else path
