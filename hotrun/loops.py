"""Loops: what the steps write themselves comes to an end, or costs little, and is told.

The breaker decides and knows neither clock nor disk; here are both. What a run of a step begins
and ends is told by the jobs, what has changed by the feed.
"""

from __future__ import annotations

import os
import time
from collections import deque
from functools import partial
from stat import S_ISLNK
from typing import TYPE_CHECKING, Protocol

from hotrun import notices
from hotrun.breaker import SIGNAL_WINDOW, TICK, Breaker, Change
from hotrun.lean import NamedTuple
from hotrun.process import tree
from hotrun.process.session_file import DIRECTORY
from hotrun.process.wrote import Meter, is_counted, write_out
from hotrun.streak import Writer

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
LOOKED_AT = {"app": FIRST_LOOKS, "signal": SIGNAL_WINDOW}
# Seconds between what is in a file and its name, mode and the like, from which on it was moved: an
# editor writes a file beside, and gives it its name at once.
OLD = 1.0
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

    def __init__(self, writer: Writer, pid: int, *, doubted: bool) -> None:
        self.writer = writer
        self.since = time.time()
        self.until = self.since + LOOKED_AT.get(writer.kind, float("inf"))
        self.pid = pid  # as long as it lives
        self.meter = Meter() if doubted else None


class _Held(NamedTuple):
    """Something that was put off, and the paths that it is for, as far as that is known."""

    post: Callable[[], None]
    paths: set[str]


class Loops:
    """Watches over one service.

    Args:
        host: The session.
    """

    def __init__(self, host: LoopsHost) -> None:
        self._host = host
        self._breaker = Breaker()
        self._runs: deque[_Run] = deque()
        self._counted: dict[str, bool] = {}  # by directory
        self._held: dict[Alarm, _Held] = {}
        self._seen: dict[str, tuple[int, int]] = {}  # what has changed: inode and time
        self._weighed: set[str] = set()  # what is to be held next

    def adopt(self) -> None:
        """Go by the host's config, which is another one."""
        self._breaker.forget()

    # --- when steps run ---

    def begins(self, writer: Writer) -> None:
        """A step is about to be started."""
        self._begin(writer)

    def _begin(self, writer: Writer, pid: int = 0) -> _Run:
        run = _Run(writer, pid, doubted=self._breaker.doubts(writer))
        self._breaker.began(writer, run.since)
        if len(self._runs) == MOST_RUNS:  # an app may outlive any number of builds and signals
            self._runs.remove(next((each for each in self._runs if not each.pid), self._runs[0]))
        self._runs.append(run)
        self._look(run)
        return run

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

    def signals(self, name: str, pid: int) -> None:
        """The app is about to be sent a signal of a rule: many read their files again then.

        Args:
            name: "SIGHUP".
            pid: Of the app.
        """
        writer = Writer("signal", name)
        self.ends(writer)
        self._keep_looking(self._begin(writer, pid))

    def ends(self, writer: Writer) -> float:
        """The end of a step was seen; return the seconds after which it may be told."""
        if writer == APP:
            for other in {run.writer for run in self._runs if run.writer.kind == "signal"}:
                self.ends(other)
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
        changes = {name: self._change(path) for name, path in paths.items()}
        for run in self._runs:
            if run.pid and names:
                self._look(run)
        verdict = self._breaker.weigh(changes, self._wrote)
        for name in verdict.doubted[:MOST_WRITTEN_OUT]:
            write_out(paths[name])
        if verdict.outside and names:
            self._host.loop.call_soon(self.flush)  # after the answer that this is for
        self._advise(verdict.caught)
        self._take_back(verdict.void)
        self._weighed = set(verdict.held)
        own = frozenset(paths[name] for name in verdict.dropped)
        held = frozenset(paths[name] for name in verdict.held)
        by = next((writer.shown for writer in verdict.dropped.values()), "")
        return Weighed(own, held, verdict.pause, f"written by {by}: it triggers nothing now")

    def _change(self, path: str) -> Change:
        """Tell of a changed path what the disk does; what is gone may be so with all around it."""
        before = self._seen.pop(path, None)
        try:
            stat = os.lstat(path)
        except OSError:
            return Change(_left_at(os.path.dirname(path)), gone=True)
        self._seen[path] = seen = stat.st_ino, stat.st_mtime_ns
        written, named = stat.st_mtime_ns / 1e9, stat.st_ctime_ns / 1e9
        is_old = seen == before or named - written > OLD
        empty = not stat.st_size or S_ISLNK(stat.st_mode)
        return Change(written, named if is_old else None, kept=seen == before, empty=empty)

    def hold(self, pause: float, post: Callable[[], None]) -> None:
        """Put something off, until nobody knows better; it is lost only when it comes to nothing.

        Args:
            pause: Seconds, at the most.
            post: Does it.
        """
        alarm = self._host.alarms.later(pause, lambda: self._let_go(alarm))
        self._held[alarm] = _Held(post, self._weighed)
        self._weighed = set()

    def flush(self) -> None:
        """Do at once what was put off."""
        for alarm in list(self._held):
            alarm.cancel()
            self._let_go(alarm)

    def _let_go(self, alarm: Alarm) -> None:
        if (held := self._held.pop(alarm, None)) is not None:
            self._breaker.lets_go(held.paths)
            held.post()

    def _take_back(self, void: Collection[str]) -> None:
        """Forget what has come to nothing."""
        for alarm, held in [*self._held.items()] if void else ():
            if held.paths and held.paths.issubset(void):
                del self._held[alarm]
                alarm.cancel()
            held.paths.difference_update(void)

    def _advise(self, caught: Collection[Caught]) -> None:
        if not caught:
            return
        from hotrun.advice import advice

        config = self._host.config
        outputs = config.build.outputs if config.build is not None else None
        for message, hint in advice(caught, outputs, config.watch.exclude):
            self._host.tell(notices.Problem(message, hint, severity="warning"))


def _left_at(directory: str) -> float | None:
    """Return when something went from the nearest directory that is there."""
    while True:
        try:
            return os.lstat(directory).st_mtime_ns / 1e9
        except OSError:
            if directory == (directory := os.path.dirname(directory)):
                return None
