"""The backend for Windows: what ReadDirectoryChangesW tells, as events with paths.

It has run against a fake kernel32 only, never on Windows.

Law: a record is a hint. What a name is by now is asked of the kernel, a directory that came is
listed when the queue has been read, and which directories have to be open is worked out anew
whenever a root came, went or is in doubt.

- Paths have "/" between names, on Windows too; only ``kernel32`` turns it round.
- Of a tree that is removed or moved, what was in it may be told in part or not at all (fsnotify
  found the same): whoever keeps a listing takes the end of a directory for the end of all in
  it. A name that is gone cannot be asked what it was: ``Event.directory`` is True of it only if
  it had been seen to be a directory.
- A move to another directory comes as REMOVE and CREATE, for so the kernel tells it; a change
  of attributes as WRITE, never as CHMOD.
- Links below a root are names only, even if ``follow_symlinks`` asks for more, and of a root
  that is a link to a file only the link itself is watched.
- While a directory is open Windows lets nobody rename those above it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hotrun.watch.event import Event, Item, Op, Overflow, Refreshed
from hotrun.watch.windows import records as notify_records
from hotrun.watch.windows.kernel32 import (
    ERROR_ACCESS_DENIED,
    FILE_ATTRIBUTE_DIRECTORY,
    Kernel32,
    WinError,
)
from hotrun.watch.windows.names import LATE, Names
from hotrun.watch.windows.port import Heard, Port, Watch
from hotrun.watch.windows.reach import Reach
from hotrun.watch.windows.records import Malformed, Record, is_below, parent
from hotrun.watch.windows.served import Served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hotrun.watch.scope import Scope

SOON = 0.5  # seconds between two looks for a root that nothing open tells of
SELDOM = 2.0  # between two looks whether the open directories are still where they were
MANY = 64  # completions of one take: 4 MiB, so that a steady writer cannot hold it up


class Windows:
    """One completion port for any number of roots.

    Args:
        scope: What was asked for.
        say: Takes what happened.
        kernel32: The kernel's calls (``kernel32.load``).
        clock: Tells the time as ``time.monotonic`` does.

    Raises:
        OSError: there is no port to be had.
    """

    name = "windows"
    offers = Op.CREATE | Op.WRITE | Op.REMOVE | Op.RENAME

    def __init__(
        self,
        scope: Scope,
        say: Callable[[Item], None],
        kernel32: Kernel32,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._scope = scope
        self._say = say
        self._calls = kernel32
        self._clock = clock
        self._port = Port(kernel32)
        self._served = Served(scope, kernel32, self._port, say)
        self._reach = Reach(scope)
        self._names = Names(kernel32, self._reach, say, clock)
        self._present: dict[str, bool] = {}  # roots that are there: whether a directory is
        self._owed: dict[str, float] = {}  # roots whose end another one is to tell, since when
        self._lost: dict[str, None] = {}  # roots of which events were dropped
        self._doubted = self._refresh = False
        self._failure: WinError | None = None
        self._looked = clock()

    # --- the verbs every backend has ---

    def begin(self, path: str) -> None:
        """Do nothing ahead: a root is one handle, whatever is below it."""

    def arm(self, path: str) -> None:
        """Watch a root, or watch it wider."""
        self._reach.forget()
        found = self._calls.attributes(path)
        if found:
            self._present[path] = bool(found & FILE_ATTRIBUTE_DIRECTORY)
        self._look_at_roots()

    def disarm(self, path: str) -> None:
        """Stop watching a root; what is below another one goes on."""
        self._reach.forget()
        self._present.pop(path, None)
        self._owed.pop(path, None)
        self._look_at_roots()

    def refresh(self) -> None:
        """Let the next ``take`` say that each root is to be listed, by the rules of now."""
        self._reach.forget()
        self._refresh = True

    def directories(self) -> int:
        """Count the open directories; those below them cost nothing, and nobody counts them."""
        return len(self._served.watches)

    def places(self) -> Iterable[str]:
        """Return the open directories."""
        return tuple(self._served.watches)

    def due(self) -> float | None:
        """When to look whether a root is back, or an open directory has left its place."""
        work = (self._port.stashed, self._names.fresh, self._lost, self._failure)
        if self._doubted or self._refresh or any(work):
            return self._looked
        return self._next_look()

    def _next_look(self) -> float | None:
        if self._served.adrift or self._owed:
            return self._looked + SOON
        return self._looked + SELDOM if self._served.watches else None

    def wait(self, seconds: float | None) -> None:
        """Wait for the kernel."""
        self._port.wait(seconds)

    def wake(self) -> None:
        """Let ``wait`` come back; from any thread."""
        self._port.wake()

    def woken(self) -> bool:
        """Tell whether somebody did wake."""
        return self._port.woken()

    def release(self) -> None:
        """Close the directories and the port."""
        self._served.watches.clear()
        self._port.release()

    def take(self) -> None:
        """Say what the kernel has told, and what a look at the roots finds.

        Raises:
            OSError: a directory that is there can no longer be watched.
        """
        self._drain()
        look = self._next_look()
        if look is not None and self._clock() >= look:
            self._look_at_places()
        while self._doubted and not self._scope.closing:
            self._doubted = False
            self._look_at_roots()
        self._names.list_fresh()
        self._say_rescans()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    # --- what the kernel tells ---

    def _drain(self) -> None:
        for _ in range(MANY):
            heard = self._port.hear()
            if heard is None:
                break
            self._hear(heard)
        else:
            return  # the other half of a rename may be in the next one
        for watch in tuple(self._served.watches.values()):
            self._let_go(watch)

    def _hear(self, heard: Heard) -> None:
        watch, failure = heard.watch, heard.failure
        if watch.ended:
            if watch.superseded and (heard.data or heard.overflowed):
                self._overflow(watch.path)  # it happened before the successor could tell of it
            return
        left = self._served.left(watch)
        if left is not Op.RENAME:  # else it may speak of what goes by another path by now
            self._read(watch, heard)
        if left is None and failure is not None and failure.code == ERROR_ACCESS_DENIED:
            left = Op.REMOVE  # it is being deleted
        if left is not None:
            self._served.drop(watch)
            self._lose(watch.path, left)
        elif failure is not None:
            self._served.fail(watch)
            self._failure = failure

    def _read(self, watch: Watch, heard: Heard) -> None:
        try:
            for record in notify_records.decode(heard.data):
                self._take(watch, record)
        except Malformed:
            self._overflow(watch.path)
        if heard.overflowed:
            self._overflow(watch.path)

    def _take(self, watch: Watch, record: Record) -> None:
        """Turn one record into events; the two halves of a rename come one after the other."""
        old, watch.renaming = watch.renaming, None
        if old is not None and record.action != notify_records.RENAMED_NEW:
            self._went(old, Op.RENAME)
            old = None
        path = self._path(watch, record)
        match record.action:
            case _ if not record.name:
                self._doubted = True  # it speaks of the open directory itself
            case notify_records.RENAMED_OLD:
                watch.renaming = path
            case notify_records.RENAMED_NEW:
                self._renamed(old, path)
            case notify_records.ADDED:
                self._came(path)
            case notify_records.REMOVED:
                self._went(path, Op.REMOVE)
            case _:  # also what a later Windows may add: it is a hint, and a look costs little
                self._modified(path)

    def _path(self, watch: Watch, record: Record) -> str:
        path = f"{watch.path}/{record.name}"
        gone = record.action in (notify_records.REMOVED, notify_records.RENAMED_OLD)
        if not gone and notify_records.may_be_short(record.name):
            long = self._calls.long_path(path)
            if long is not None:
                path = f"{watch.path}/{notify_records.lengthened(record.name, long)}"
        if self._served.files and not self._reach.tells(path):
            return self._served.files.get(path.casefold(), path)
        return path

    def _let_go(self, watch: Watch) -> None:
        """A name that was renamed and got no new one here has left."""
        old, watch.renaming = watch.renaming, None
        if old is not None:
            self._went(old, Op.RENAME)

    # --- names ---

    def _renamed(self, old: str | None, new: str) -> None:
        if old is None:
            self._came(new)
            return
        found = self._calls.attributes(new)
        directory = self._names.is_directory(new, found) if found else None
        # What had a directory open of its own may have had more to tell: then what was told of
        # it is not to be taken along, and all that is in it is new.
        own = old in self._owed or bool(self._served.below(old))
        known = self._reach.tells(old) and not (own and self._reach.opens(new))
        self._went(old, Op.RENAME, directory=directory)
        self._came(new, old if known else None)

    def _came(self, path: str, renamed_from: str | None = None) -> None:
        rooted = self._holds_root(path)
        self._doubted = self._doubted or rooted
        found = self._calls.attributes(path)
        if path in self._scope.roots:  # even if it is gone again: who was told waits for its end
            self._present[path] = bool((found or 0) & FILE_ATTRIBUTE_DIRECTORY)
            self._owed.pop(path, None)
        if self._reach.tells(path):
            # A root that lies in what was renamed went its own way.
            split = rooted or (renamed_from is not None and self._holds_root(renamed_from))
            self._names.came(path, found, renamed_from, split=split)

    def _went(self, path: str, op: Op, *, directory: bool | None = None) -> None:
        was = self._present.pop(path, None)
        self._owed.pop(path, None)
        if directory is None:
            directory = self._names.was_directory(path) if was is None else was
        if self._holds_root(path):
            self._end_below(path, op)
        if self._reach.tells(path):
            self._names.went(path, op, directory=directory)

    def _modified(self, path: str) -> None:
        if not self._reach.tells(path):
            return
        found = self._calls.attributes(path)
        if found is None:
            return  # its end follows
        if found & FILE_ATTRIBUTE_DIRECTORY:
            self._names.is_directory(path, found)
            return  # noise: a name in it came or went
        self._say(Event(path, Op.WRITE))

    def _holds_root(self, path: str) -> bool:
        """Whether what happens to a name happens to a root: it is one, or one lies below it."""
        return any(root == path or is_below(root, path) for root in self._scope.roots)

    # --- what was lost ---

    def _overflow(self, path: str) -> None:
        """Events of an open directory were dropped."""
        roots = self._scope.roots
        hit = [root for root in roots if root == path or is_below(root, path)]
        for root in hit or [root for root in roots if is_below(path, root)]:
            self._lost[root] = None
        self._doubted = True  # the coming or going of a root may have been among them

    def _say_rescans(self) -> None:
        lost, self._lost = self._lost, {}
        for root in lost:
            if root in self._scope.roots:
                self._say(Overflow(root))
        if self._refresh:
            self._refresh = False
            for root in self._scope.roots:
                self._say(Refreshed(root))

    # --- roots ---

    def _follow_roots(self) -> None:
        """Open what the roots need, and close the rest when it has told what it has to tell."""
        self._served.follow()
        if self._served.obsolete:
            self._drain()
        for watch in tuple(self._served.obsolete):
            self._let_go(watch)
            left = None if watch.ended else self._served.left(watch)
            self._served.drop(watch, superseded=left is None)
            if left is not None:
                self._lose(watch.path, left)
        for path in self._served.late():
            self._overflow(path)

    def _lose(self, path: str, op: Op) -> None:
        """An open directory is no longer at its path."""
        self._end_below(path, op)
        if path in self._present:
            if self._served.tells_in(parent(path)):
                self._owed.setdefault(path, self._clock())
            else:
                self._say_end(path, op)

    def _end_below(self, path: str, op: Op) -> None:
        """Neither is anything below it; whoever hears of its end thinks so too."""
        for watch in self._served.below(path):
            self._served.drop(watch)
        for root in sorted(self._present, reverse=True):  # what is in it goes first
            if is_below(root, path):
                self._say_end(root, op)
        self._doubted = True

    def _say_end(self, root: str, op: Op) -> None:
        self._owed.pop(root, None)
        self._names.went(root, op, directory=self._present.pop(root))

    def _look_at_places(self) -> None:
        self._looked = self._clock()
        for watch in tuple(self._served.watches.values()):
            left = None if watch.ended else self._served.left(watch)
            if left is not None:
                self._lose(watch.path, left)
        if self._served.adrift or self._owed:
            self._doubted = True

    def _look_at_roots(self) -> None:
        """Say which roots came and went, where nothing else says so."""
        # Of what is opened only now, nothing that happened before will be told.
        told = {root for root in self._present if self._served.tells_in(parent(root))}
        self._follow_roots()
        for root in sorted(self._scope.roots):
            found = self._calls.attributes(root)
            if root in self._present and (not found or root in self._owed):
                since = self._owed.setdefault(root, self._clock())
                # Not for ever: the other one may have begun to listen after it happened.
                if root not in told or self._clock() >= since + LATE:
                    self._say_end(root, Op.REMOVE)
            if found and root not in self._present:
                self._present[root] = bool(found & FILE_ATTRIBUTE_DIRECTORY)
                self._names.came_back(root, directory=self._present[root])
