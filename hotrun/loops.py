"""Loops: what the steps write themselves comes to an end, or costs little, and is told.

The breaker decides and knows neither clock nor disk; here are both. What a run of a step begins
and ends is told by the jobs, what has changed by the feed.
"""

from __future__ import annotations

import os
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Protocol

from hotrun import notices
from hotrun.breaker import TICK, Breaker, Writer, advice
from hotrun.lean import NamedTuple
from hotrun.process import tree
from hotrun.process.session_file import DIRECTORY
from hotrun.process.wrote import Meter, is_counted, write_out

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection

    from hotrun.alarms import Alarm, Alarms
    from hotrun.breaker import Caught
    from hotrun.config import Config
    from hotrun.process.reaper import Reaper

APP, BUILD = Writer("app"), Writer("build")
# Between two looks at a step in doubt. A server has 5 to 50 ms between what it writes when it
# imports and its first answer, and who saves because of that answer is told apart in between.
LOOK = 0.002
# Seconds of an app's life in which it is looked at: that takes a tenth of a core, and who saves
# every few seconds is in doubt, too. What it writes later is not known to be its own.
FIRST_LOOKS = 2.0
SHARE = 4  # times as long as a look takes is waited for the next one
MOST_WRITTEN_OUT = 100  # files, 0.1 ms each
MOST_RUNS = 16


class LoopsHost(Protocol):
    """What is needed of the session."""

    loop: asyncio.AbstractEventLoop
    alarms: Alarms
    reaper: Reaper
    config: Config

    def tell(self, notice: notices.Notice) -> None:
        """Tell the subscribers."""


class Weighed(NamedTuple):
    """What becomes of a change; paths are absolute.

    Attributes:
        own: Those that trigger nothing.
        held: Those that trigger after ``pause`` seconds.
        why: What is said of ``own``.
    """

    own: frozenset[str]
    held: frozenset[str]
    pause: float
    why: str


class _Run:
    """One run of a step; it is only looked at if it is in doubt."""

    def __init__(self, writer: Writer, *, doubted: bool) -> None:
        self.writer = writer
        self.since = time.time()
        self.until = self.since + FIRST_LOOKS if writer.kind == "app" else float("inf")
        self.pid = 0  # as long as it lives
        self.meter = Meter() if doubted else None


class Loops:
    """Watches over one service.

    Args:
        host: The session.
    """

    def __init__(self, host: LoopsHost) -> None:
        self._host = host
        self._breaker = Breaker()
        self._runs: deque[_Run] = deque(maxlen=MOST_RUNS)
        self._counted: dict[str, bool] = {}  # by directory
        self._held: dict[Alarm, Callable[[], None]] = {}

    def adopt(self) -> None:
        """Go by the host's config, which is another one."""
        self._breaker.forget()

    # --- when steps run ---

    def begins(self, writer: Writer) -> None:
        """A step is about to be started."""
        run = _Run(writer, doubted=self._breaker.doubts(writer))
        self._breaker.began(writer, run.since)
        self._runs.append(run)
        self._look(run)

    def runs(self, writer: Writer, pid: int) -> None:
        """It has been started."""
        run = self._last(writer)
        if run is not None:
            run.pid = pid
            self._keep_looking(run)

    def stops(self, writer: Writer) -> None:
        """The app is about to be sent its stop signal."""
        self._breaker.stopping(writer, time.time())
        run = self._last(writer)
        if run is not None and run.pid:
            is_looking = time.time() < run.until
            run.until = float("inf")
            if not is_looking:
                self._keep_looking(run)

    def ends(self, writer: Writer) -> float:
        """The end of a step was seen; return the seconds after which it may be told."""
        run = self._last(writer)
        if run is not None and run.until:
            run.pid = 0
            self._look(run)
            run.until = 0.0
            if run.meter is not None:
                run.meter.close()
        self._breaker.ended(writer, time.time())
        return TICK if self._breaker.doubts(writer) else 0.0

    def _last(self, writer: Writer) -> _Run | None:
        found = (run for run in reversed(self._runs) if run.writer == writer)
        return next(found, None)

    # --- what they write ---

    def _keep_looking(self, run: _Run) -> None:
        if run.meter is not None and run.pid and time.time() < run.until:
            began = time.thread_time()  # what others took of the machine is no work of ours
            self._look(run)
            pause = max(LOOK, SHARE * (time.thread_time() - began))
            self._host.loop.call_later(pause, self._keep_looking, run)

    def _look(self, run: _Run) -> None:
        if run.meter is not None:
            run.meter.look(partial(self._pids, run.pid))

    def _pids(self, pid: int) -> list[int]:
        """Return a step's process and all below it; what has left it has come to us.

        What a zombie has written is counted nowhere else until somebody waits for it, and that
        may take a while on a busy machine.
        """
        roots = [*([pid] if pid else ()), *(stat.pid for stat in self._host.reaper.adopted())]
        return [*roots, *(stat.pid for stat in tree.below(roots, zombies=True))]

    def _wrote(self, path: str, writer: Writer, at: float) -> bool | None:
        """Whether a step wrote at the time when a file changed."""
        found = (run for run in reversed(self._runs) if run.writer == writer)
        run = next((run for run in found if run.since - TICK <= at), None)
        if (
            run is None
            or run.meter is None
            or not self._is_counted(self._host.config.resolve(path))
        ):
            return None
        return run.meter.wrote(at, sharp=not self._breaker.has_caught(path, writer))

    def _is_counted(self, path: str) -> bool:
        directory = os.path.dirname(path)
        if directory not in self._counted:
            own = self._host.config.resolve(DIRECTORY)
            self._counted[directory] = is_counted(path, own)
        return self._counted[directory]

    # --- what has changed ---

    def weigh(self, names: Collection[str]) -> Weighed:
        """Find out which files are written by what they trigger, and say so.

        Args:
            names: Those that would trigger, as they are shown.
        """
        paths = {name: self._host.config.resolve(name) for name in names}
        changes = {name: _changed_at(path) for name, path in paths.items()}
        for run in self._runs:
            if run.pid and names:
                self._look(run)
        verdict = self._breaker.weigh(changes, self._wrote)
        for name in verdict.doubted[:MOST_WRITTEN_OUT]:
            write_out(paths[name])
        if verdict.outside and names:
            self._host.loop.call_soon(self.flush)  # after the answer that this is for
        self._advise(verdict.caught)
        own = frozenset(paths[name] for name in verdict.dropped)
        held = frozenset(paths[name] for name in verdict.held)
        by = next((writer.shown for writer in verdict.dropped.values()), "")
        return Weighed(own, held, verdict.pause, f"written by {by}: it triggers nothing now")

    def hold(self, pause: float, post: Callable[[], None]) -> None:
        """Put something off, until nobody knows better; it is never lost.

        Args:
            pause: Seconds, at the most.
            post: Does it.
        """
        alarm = self._host.alarms.later(pause, lambda: self._let_go(alarm))
        self._held[alarm] = post

    def flush(self) -> None:
        """Do at once what was put off."""
        for alarm in list(self._held):
            alarm.cancel()
            self._let_go(alarm)

    def _let_go(self, alarm: Alarm) -> None:
        if (post := self._held.pop(alarm, None)) is not None:
            post()

    def _advise(self, caught: Collection[Caught]) -> None:
        config = self._host.config
        outputs = config.build.outputs if config.build is not None else None
        for message, hint in advice(caught, outputs, config.watch.exclude):
            self._host.tell(notices.Problem(message, hint, severity="warning"))


def _changed_at(path: str) -> float | None:
    """Return when a file changed; one that is gone did so with the directory it was in."""
    for each in (path, os.path.dirname(path)):
        try:
            return os.lstat(each).st_mtime_ns / 1e9
        except OSError:
            continue
    return None
