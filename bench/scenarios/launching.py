"""When a tool that was launched watches all it is to watch, found without disturbing it.

A look at /proc/PID/fdinfo locks what adds watches, and writes in a row keep a trailing debounce
from firing. So a launch is left alone until it rests (schedstat takes no lock), which tells what
it comes to, and then others are asked, each once: at T its watches are counted and the deepest
file is written. It was complete at T when it held as many as at rest, and a build other than the
first one followed. T is halved in down to 5 % or 10 ms (10 % for what takes over two seconds), for
20 s at most: what is told is the least T at which one was complete. A tool that lists before its
first build has the listing in this: a write before that is no change.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cost import MB, on_cpu, on_cpu_ever, peak, watches
from harness import MS, BenchError, Log, rest, until, write
from tool import Tool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from peers import Peer, Work

SECOND = 1e9  # nanoseconds
QUIET = 0.5  # seconds with next to nothing on a CPU: at rest
NOTHING = 20 * MS  # on a CPU in that time; some look around ten times a second
PATIENCE = 1.2  # seconds until the build of a write, for a tool at rest: past any debounce here
HALVING = 20.0  # seconds, after which no more launches are asked
FREED = 50_000  # watches that the kernel frees in a second, after their holder's end
NEARLY = 0.998  # of the watches at rest: some hold one more for a file that comes and goes


@dataclass(frozen=True, slots=True)
class Subject:
    """A tool on a tree.

    Attributes:
        peer: The tool.
        work: What it is to do; its build stamps into ``log``.
        log: Where.
        deep: The file that is written.
        directories: How many there are to watch at least.
        cap: Seconds in which it has to rest.
    """

    peer: Peer
    work: Work
    log: str
    deep: str
    directories: int
    cap: float


@dataclass(frozen=True, slots=True)
class Rest:
    """What a launch had come to when it rested.

    Attributes:
        after: Milliseconds from the launch.
        first: Milliseconds from the launch to the first build.
        cpu: Milliseconds on a CPU, of all its processes.
        memory: MB that were resident at most.
        watches: Those that it holds.
    """

    after: float
    first: float
    cpu: float
    memory: float
    watches: int


@dataclass(slots=True)
class Setups:
    """All that was measured of a tool on a tree: one value a round."""

    complete: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    watches: list[float] = field(default_factory=list)

    def add(self, complete: float, came_to: Rest) -> None:
        """Take in what one round found."""
        self.complete.append(complete)
        self.first.append(came_to.first)
        self.cpu.append(came_to.cpu)
        self.memory.append(came_to.memory)
        self.watches.append(came_to.watches)

    @property
    def cells(self) -> list[list[float]]:
        """The columns of ``scenarios.setup.COLUMNS``."""
        return [self.complete, self.first, self.cpu, self.memory, self.watches]


def rounds(subject: Subject, count: int, seconds: float) -> Iterator[Setups]:
    """Yield what is known after each round: a launch that rests, and those of a bisection.

    Args:
        subject: What is launched.
        count: How many rounds there are at most.
        seconds: After these no further round begins.

    Raises:
        BenchError: it did not rest in time, watches too little, or does not see the change.
    """
    end = time.monotonic() + seconds
    found = Setups()
    while count and (not found.complete or time.monotonic() < end):
        came_to = at_rest(subject)
        found.add(moment(subject, came_to), came_to)
        yield found
        count -= 1


def setups(subject: Subject, count: int, seconds: float) -> Setups:
    """Return what all rounds found; see ``rounds``."""
    *_, found = rounds(subject, count, seconds)
    return found


def at_rest(subject: Subject) -> Rest:
    """Launch it, wait until it rests, and see that it sees the change."""
    with _launched(subject) as tool:
        log = Log(subject.log)
        first = _first_build(log, subject.cap) - tool.began
        after = _rested(tool, subject.cap)
        pids = tool.processes()
        cpu, memory, held = on_cpu_ever(pids), peak(pids), watches(pids)
        if held < subject.directories:
            raise BenchError(f"only {held:,} watches")
        if not _builds(subject, time.monotonic() + PATIENCE):
            raise BenchError("a deep change is not seen")
    _let_free(held)
    return Rest(after / MS, first / MS, cpu / MS, memory / MB, held)


def _first_build(log: Log, cap: float) -> int:
    try:
        return int(log.wait(1, "the first build", cap)[0])
    except BenchError as error:
        raise BenchError(f"no build in {cap:g} s") from error


def _rested(tool: Tool, cap: float) -> int:
    """Return the nanoseconds from its launch to when it was last busy."""
    ran, since = 0, time.monotonic_ns()  # some have done it all before their first build
    while (now := time.monotonic_ns()) - since < QUIET * SECOND:
        more = on_cpu(tool.processes())
        if not ran <= more <= ran + NOTHING:  # less when a process has ended
            ran, since = more, now
        if now - tool.began > cap * SECOND:
            raise BenchError(f"not in {cap:g} s")
        time.sleep(0.02)
    return since - tool.began


def moment(subject: Subject, came_to: Rest) -> float:
    """Return the least milliseconds from a launch at which one was complete."""
    low, high, found = came_to.first / 2, came_to.after, 0.0
    at = 0.9 * high  # a tool rests when it is done, as a rule
    end = time.monotonic() + HALVING
    while high - low > _fine(high) and time.monotonic() < end:
        complete = complete_at(subject, at, came_to)
        low, high, found = (low, at, complete) if complete else (at, high, found)
        at = (low + high) / 2
    while not found:
        if high > subject.cap * 1000 or time.monotonic() > end + subject.cap:
            raise BenchError(f"not in {subject.cap:g} s")
        found = complete_at(subject, high, came_to)
        high *= 1.1
    return found


def _fine(high: float) -> float:
    return max(10.0, high * (0.05 if high < 2000 else 0.1))


def complete_at(subject: Subject, at: float, came_to: Rest) -> float:
    """Launch it, and look once.

    Args:
        subject: What is launched.
        at: Milliseconds from the launch.
        came_to: What it comes to.

    Returns:
        The milliseconds from the launch to the write, when it was complete; else 0.
    """
    with _launched(subject) as tool:
        time.sleep(max(0.0, at / 1000 - (time.monotonic_ns() - tool.began) / SECOND))
        held, wrote = watches(tool.processes()), time.monotonic_ns()
        resting = (tool.began + came_to.after * MS) / SECOND
        end = max(resting, wrote / SECOND) + PATIENCE
        complete = held >= NEARLY * came_to.watches and _builds(subject, end)
    _let_free(held)
    return (wrote - tool.began) / MS if complete else 0.0


def _launched(subject: Subject) -> Tool:
    if os.path.exists(subject.log):
        os.unlink(subject.log)
    return Tool(subject.peer.call(subject.work), subject.work.root, f"{subject.log}.output")


def _builds(subject: Subject, end: float) -> bool:
    """Whether a build that is not the first follows a write of the deepest file."""
    wrote, log = time.monotonic_ns(), Log(subject.log)
    write(subject.deep, f"{wrote}\n")

    def is_built() -> bool:
        return any(int(stamp) > wrote for stamp, *_ in log.lines()[1:])

    try:
        until("the build", is_built, end - time.monotonic())
    except BenchError:
        return False
    return True


def _let_free(held: int) -> None:
    rest(0.1 + held / FREED)
