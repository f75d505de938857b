"""What the key `e` tells: why the last build ran, and where its time went.

The chain from the event to the app that serves: settle, build, stop, start, ready, with the time
of each. No line is longer than 80 columns.
"""

from __future__ import annotations

import textwrap
import time
from dataclasses import field
from typing import TYPE_CHECKING

from hotrun import notices
from hotrun.lean import NamedTuple, dataclass
from hotrun.ui.words import printable
from hotrun.ui.words import time as shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hotrun.notices import Notice

COLUMNS = 80
NAMED = 5  # paths; a checkout changes thousands
MOST = 12  # phases; an app may end and be started again for hours
WAIT = 5  # milliseconds; less is the time that a notice takes to come here


class Phase(NamedTuple):
    """One part of the chain: its name, how long it took, and what is to be said of it."""

    name: str
    ms: int
    detail: str = ""


@dataclass(slots=True)
class Cycle:
    """A build, or a restart without one, and what came of it.

    Attributes:
        head: What was done.
        run: Its number; 0 while that is not known.
        paths: Why.
        count: How many paths there were.
        begun: When the first event came, in seconds of the clock; None: nothing changed.
        done: When the last phase ended that was our doing.
        phases: What came of it.
    """

    head: str
    run: int
    paths: list[str] = field(default_factory=list)
    count: int = 0
    begun: float | None = None
    done: float = 0.0
    phases: list[Phase] = field(default_factory=list)


class Report:
    """Collects what is said of the last run; give it every notice.

    Args:
        because: Says of a path, relative to the project, why it is watched; empty: nothing.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        because: Callable[[str], str] = lambda _: "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.because = because
        self._clock = clock
        self._changed: tuple[notices.Changed, float] | None = None  # and no run of it yet
        self._busy = ""  # what a change has to wait for now
        self._waits = ""  # what the last one had to wait for
        self._is_paused = False
        self._cycle: Cycle | None = None
        self._mark = 0.0  # when the last phase ended
        self._is_served = True  # the last good build: its app was started, or there is none
        self._sent = ""  # the signal that the app was asked to stop with

    def note(self, notice: Notice) -> bool:
        """Take a notice.

        Returns:
            Whether the chain has come to its end with it.
        """
        is_over = self._noted(notice)
        self._look_busy(notice)
        return is_over

    def _look_busy(self, notice: Notice) -> None:
        """Remember what is under way, for the changes that come meanwhile."""
        match notice:
            case notices.BuildStarted() | notices.AppStopping():
                self._busy = "what was under way"
            case notices.BuildFinished(_, _, False) | notices.AppExited(_, _, _, _, _, False):
                self._busy = ""
            case notices.BuildCancelled() | notices.AppStarted() | notices.AppKept():
                self._busy = ""
            case notices.Paused(_, on):
                self._is_paused = on
            case _:
                pass

    def _noted(self, notice: Notice) -> bool:
        match notice:
            case notices.Changed():
                self._changed = notice, self._clock()
                self._waits = "what was paused" if self._is_paused else self._busy
                return False
            case notices.BuildStarted(_, run, command, paths, count, key):
                what = "build" if key == "build.command" else "rule"
                self._begin(f"{what} #{run}: {command}", run, paths, count)
                return False
            case notices.BuildFinished():
                return self._built(notice)
            case notices.BuildCancelled(_, _, ms, _):
                self._add("build", ms, "given up for a newer change")
                return False
            case _:
                return self._note_app(notice)

    def _note_app(self, notice: Notice) -> bool:
        match notice:
            case notices.AppStopping(_, _, signal):
                self._stopping(signal)
            case notices.AppExited():
                return self._exited(notice)
            case notices.AppStarted(_, run, pid):
                self._started(run, pid)
            case notices.AppReady(_, _, ms):
                self._add("ready", ms)
                return True
            case notices.AppKept(_, run, "same artifact"):
                self._add("app", self._since(), f"#{run} goes on: the build made the same bytes")
                return True
            case notices.AppSignalled(_, run, signal):
                self._begin_again(f"{signal} to the app #{run}", run)
                return True
            case _:
                pass
        return False

    def _built(self, notice: notices.BuildFinished) -> bool:
        self._is_served = not notice.ok
        self._add("build", notice.ms, "" if notice.ok else f"failed with code {notice.code}")
        return not notice.ok

    def _stopping(self, signal: str) -> None:
        self._sent = signal
        if self._is_served:  # it makes room for no build: it has to start again
            self._begin_again("restart of the app", 0)
        self._mark = self._clock()

    def _exited(self, notice: notices.AppExited) -> bool:
        how = f"signal {notice.signal}" if notice.signal else f"code {notice.code}"
        if notice.expected:
            self._add("stop", self._since(), f"{self._sent}, {how}")
            return False
        self._add("end", notice.ms, f"the app ended by itself ({how})")
        return True

    def _started(self, run: int, pid: int) -> None:
        cycle = self._cycle
        if cycle is None or (cycle.run and cycle.run != run):
            self._begin_again("start of the app", run)
        elif not cycle.run:
            cycle.run = run
        self._is_served = True
        self._add("start", self._since(), f"#{run}, pid {pid}")

    # --- the chain ---

    def _begin_again(self, head: str, run: int) -> None:
        """Begin what is no build; what changed last, and no build took, is its cause."""
        paths, count = [], 0
        if self._changed is not None:
            paths, count = self._changed[0].paths, self._changed[0].count
        self._begin(head, run, paths, count)

    def _begin(self, head: str, run: int, paths: list[str], count: int) -> None:
        self._cycle = Cycle(head, run, paths[:NAMED], count)
        now = self._mark = self._clock()
        if self._changed is not None:
            changed, heard = self._changed
            self._cycle.begun = heard - changed.ms / 1000
            self._cycle.phases.append(Phase("settle", changed.ms))
            waited = round((now - heard) * 1000)
            if self._waits and waited > WAIT:
                self._cycle.phases.append(Phase("wait", waited, f"for {self._waits}"))
            self._changed = None

    def _since(self) -> int:
        """Milliseconds since the last phase ended."""
        return round((self._clock() - self._mark) * 1000)

    def _add(self, name: str, ms: int, detail: str = "") -> None:
        self._mark = self._clock()
        if self._cycle is not None and len(self._cycle.phases) < MOST:
            self._cycle.phases.append(Phase(name, ms, detail))
            if name != "end":
                self._cycle.done = self._mark

    # --- in words ---

    def lines(self) -> list[str]:
        """Return the report."""
        cycle = self._cycle
        if cycle is None:
            return ["nothing was built yet"]
        return [_cut(cycle.head), *self._causes(cycle), *self._chain(cycle)]

    def _causes(self, cycle: Cycle) -> Iterator[str]:
        if not cycle.paths:
            first = cycle.run == 1 and cycle.begun is None
            yield f"  because {'hotrun started' if first else 'it was asked for'}"
            return
        yield _cut(f"  because of {cycle.paths[0]}")
        if why := self.because(cycle.paths[0]):
            indent = " " * 4
            yield from textwrap.wrap(
                printable(why), COLUMNS, initial_indent=indent, subsequent_indent=indent
            )
        yield from (_cut(f"  and of {path}") for path in cycle.paths[1:])
        if cycle.count > len(cycle.paths):
            yield f"  and of {cycle.count - len(cycle.paths):,} more"

    def _chain(self, cycle: Cycle) -> Iterator[str]:
        if cycle.begun is not None:
            yield _row("event", shown(0), "the first one")
        for phase in cycle.phases:
            yield _row(phase.name, shown(phase.ms), phase.detail)
        if cycle.begun is not None and cycle.done:
            total = round((cycle.done - cycle.begun) * 1000)
            yield _row("total", shown(total), "since the first event")


def _row(name: str, took: str, detail: str = "") -> str:
    return _cut(f"  {name:<6} {took:>10}  {detail}".rstrip())


def _cut(text: str) -> str:
    text = printable(text)
    return text if len(text) <= COLUMNS else f"{text[: COLUMNS - 3]}..."
