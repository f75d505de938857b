"""The source for everywhere: look at the tree again and again, and tell what differs.

It serves where the kernel tells nothing, or has no more watches. Law: after each look it rests
so long that polling takes less than 3 % of one core, however large the tree is. So where
something changed a moment ago it looks often, and at the rest in slices; a rename is told as one
if both names fall into one slice, and as REMOVE and CREATE otherwise.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from hotrun.watch.event import BASE, Event, Op, Refreshed
from hotrun.watch.polling.differences import parent
from hotrun.watch.polling.doubts import Doubts
from hotrun.watch.polling.glance import signature_of
from hotrun.watch.polling.lookout import Lookout

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.watch.event import Item
    from hotrun.watch.polling.glance import Sign
    from hotrun.watch.scope import Scope

PAUSE = 35  # times the cost of a look: with the look itself it is 1/36, below 3 % of a core
TICK = 0.1  # seconds between two looks at what is hot, as esbuild looks at its recent files
HOT = 60  # seconds after its last change that a directory is looked at at each tick
MOST_HOT = 64  # directories
LONGEST = 0.5  # seconds; a longer pause would be for a slice that blocks other threads too long
SLOWEST = 0.1  # seconds that a slice may wait for a slow server


class Polling:
    """Polls roots of a scope, and directories below them on behalf of the kernel.

    Args:
        scope: What was asked for.
        say: Takes what happened.
        interval: Seconds between the beginnings of two looks at everything, at least; 0: as
            often as the pauses allow.
        clock: Tells the time (``due`` answers by it).
        cost: Tells how much time of the processor was used.
        sign: Makes a signature of what ``stat`` found.

    Attributes:
        sweeps: How many times everything was looked at. What had happened before the one
            began that ended last has been told.
    """

    name = "polling"
    offers = BASE

    def __init__(
        self,
        scope: Scope,
        say: Callable[[Item], None],
        interval: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        cost: Callable[[], float] = time.thread_time,
        sign: Sign = signature_of,
    ) -> None:
        self._scope = scope
        self._say = say
        self._interval = interval
        self._tick = min(TICK, interval or TICK)
        self._clock = clock
        self._cost = cost
        self._lookout = Lookout(scope, say, sign)
        self._tops = self._lookout.tops
        self._asked: set[str] = set()  # roots of the scope, polled or not
        self._refresh = False
        self._doubts = Doubts()
        self._rested_at = 0.0
        self.sweeps = 0
        self._sweep_at = 0.0  # when the next sweep may begin
        self._sweep: deque[str] = deque()  # what is left of this one
        self._hot: dict[str, float] = {}  # directories by their last change, the latest last
        self._tick_at = 0.0
        self._round: deque[str] = deque()  # what is left of the hot ones
        self._ahead = 0.0  # how much more the hot ones got than a sweep that goes on

    # --- what is polled ---

    def arm(self, path: str, *, is_new: bool = False) -> None:
        """Poll a root, or poll it wider; one that is missing is waited for.

        Args:
            path: Of the roots of the scope.
            is_new: What is in it was created, and is told.
        """
        self._tops.add(path, self._tops.roots)
        self._open(path, is_new=is_new)

    def disarm(self, path: str) -> None:
        """Cease to poll a root; what others cover goes on."""
        self._tops.discard(path, self._tops.roots)
        self._lookout.shut(path)
        if self._asked - self._scope.roots.keys():  # it may have reached what stands in, too
            self._lookout.trim()
        self._asked = set(self._scope.roots)

    def stand_in(self, directory: str, *, is_new: bool = False) -> None:
        """Poll a directory below a root, of which itself somebody else tells.

        Once it is gone it is forgotten.

        Args:
            directory: All below it is polled too, as far as the scope goes.
            is_new: What is in it was created, and is told.
        """
        self._tops.add(directory, self._tops.stand_ins)
        self._open(directory, is_new=is_new)

    def step_aside(self, directory: str) -> None:
        """Leave a directory to somebody else; what other ones cover goes on."""
        if directory in self._tops.stand_ins:
            self._tops.discard(directory, self._tops.stand_ins)
            self._lookout.shut(directory)

    def stand_ins(self) -> list[str]:
        """Return the directories that were handed over to be polled."""
        return list(self._tops.stand_ins)

    def polls(self, path: str) -> bool:
        """Tell whether what happens to a path is found out here."""
        return self._lookout.covers(path)

    def directories(self) -> int:
        """Count the directories that are listed."""
        return len(self.places())

    def places(self) -> list[str]:
        """Return the directories that are listed."""
        return self._lookout.places()

    def refresh(self) -> None:
        """Let the next ``take`` list everything anew, by the rules of now."""
        self._refresh = True

    def release(self) -> None:
        """Nothing to give back."""

    def _open(self, top: str, *, is_new: bool) -> None:
        self._asked.update(self._scope.roots)
        if not self._lookout.seen:
            self._sweep_at = self._clock() + self._interval
        self._lookout.open(top)
        self._tell(self._lookout.told(with_new=is_new))

    # --- when ---

    def due(self) -> float | None:
        """When the next look is; None: there is nothing to look at."""
        if self._refresh:
            return 0.0
        if not (self._tops.roots or self._tops.stand_ins):
            return None
        work = 0.0 if self._sweep else self._sweep_at
        if self._hot:
            work = min(work, self._tick_at)
        return max(work, self._rested_at)

    def take(self) -> None:
        """Look at a slice, if it is time, and say what differs."""
        now, due = self._clock(), self.due()
        if self._refresh:
            self._list_anew()
        elif due is not None and now >= due:
            begin = self._cost()
            self._lookout.begin()
            self._look(now, begin)
            self._tell(self._lookout.told())
            self._tell_again(now)
            self._rested_at = self._clock() + PAUSE * (self._cost() - begin)

    def _list_anew(self) -> None:
        self._refresh = False
        self._lookout.relist()
        self._sweep.clear()
        self._sweep_at = self._clock() + self._interval
        if not self._scope.closing:
            for root in sorted(self._tops.roots):
                self._say(Refreshed(root))

    def _tell(self, events: list[Event]) -> None:
        if self._scope.closing:  # what a walk that was broken off shows is not so
            return
        now = self._clock()
        for event in events:
            self._say(event)
            if event.op & (Op.CREATE | Op.WRITE) and not event.directory:
                self._doubts.note(event.path, self._lookout.signature(event.path), now)
        self._heat(events, now)

    def _tell_again(self, now: float) -> None:
        # No need to be woken for it: where something was written is hot for longer than that.
        for path in self._doubts.ripe(now):
            if self._lookout.signature(path) is not None:
                self._say(Event(path, Op.WRITE))

    # --- what first ---

    def _look(self, now: float, begin: float) -> None:
        """Look at what is hot, and go on with the sweep, in one slice."""
        pause = self._tick if self._hot else min(max(self._interval, TICK), LONGEST)
        end = begin + pause / (PAUSE + 1)
        if not self._sweep and now >= self._sweep_at:
            self._sweep_at = now + self._interval
            self._sweep.extend(self._lookout.paths())
        if self._hot and now >= self._tick_at:
            self._tick_at = now + self._tick
            # A hot directory may be so large that nothing else would ever have its turn.
            if not self._sweep or self._ahead <= 0:
                self._look_at_hot(now, end)
                self._ahead = self._cost() - begin if self._sweep else 0.0
        if self._sweep:
            middle = self._cost()
            self._spend(self._sweep, now, end)
            self.sweeps += not self._sweep
            self._ahead = max(0.0, self._ahead - (self._cost() - middle))

    def _look_at_hot(self, now: float, end: float) -> None:
        for path, since in list(self._hot.items()):
            if now - since <= HOT:
                break
            del self._hot[path]
        if not self._round:
            self._round.extend(reversed(self._hot))
        self._spend(self._round, now, end)

    def _spend(self, paths: deque[str], now: float, end: float) -> None:
        """Look at one path at least, and at more until the cost is spent."""
        while paths and not self._scope.closing:
            self._lookout.look(paths.popleft())
            if self._cost() >= end or self._clock() >= now + SLOWEST:
                break

    def _heat(self, events: list[Event], now: float) -> None:
        """Where something happened, more is likely to."""
        if not self._hot:
            self._tick_at = now + self._tick
        for event in events:
            for path in (parent(event.path), event.path):
                if path in self._lookout.seen:
                    self._hot.pop(path, None)
                    self._hot[path] = now
        for path in list(self._hot)[:-MOST_HOT]:
            del self._hot[path]
