"""Saves of one file under a tool, again and again, and when the build began after each."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness import MS, BenchError, Log, Project, rest, until
from peers import HOTRUN, Peer, Work
from tool import Tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness import Bench

WARM_UP = 3
MODES = {False: "default settings", True: "shortest delay that can be set"}


@dataclass(slots=True)
class Saves:
    """What came of a row of saves.

    Attributes:
        reactions: Milliseconds from each save to the next stamp.
        writing: Milliseconds of the call that saves.
        extra: Stamps that no save explains.
        missed: Saves after which there was none.
    """

    reactions: list[float] = field(default_factory=list)
    writing: list[float] = field(default_factory=list)
    extra: int = 0
    missed: int = 0


def contenders(bench: Bench, *, fast: bool) -> Iterator[Peer]:
    """Yield hotrun and the peers that have this mode."""
    yield HOTRUN
    yield from (peer for peer in bench.peers if (peer.is_fast if fast else peer.is_default))


def name_of(bench: Bench, peer: Peer, *words: object) -> str:
    """Return a path for what one tool does in one trial."""
    return bench.at("-".join(str(word).replace(" ", "-") for word in (*words, peer.name)))


def save_and_wait(log: Log, save: Callable[[], int], count: int, pause: float) -> Saves:
    """Save again and again, each time until the next stamp, or until none is to be expected.

    Args:
        log: Where the build stamps.
        save: Saves, and returns when it began.
        count: How many times, after those that warm up.
        pause: Seconds in which a build too many would come.

    Raises:
        BenchError: none of the first saves led to a stamp.
    """
    saves = Saves()
    seen = 0
    for trial in range(WARM_UP + count):
        if trial == WARM_UP and not seen:
            raise BenchError("none of the first saves was built")
        before = len(log.lines())
        saved = save()
        try:
            stamp = int(log.wait(before + 1, "the build of a save", 5)[0])
        except BenchError:
            saves.missed += trial >= WARM_UP
            continue
        seen += 1
        rest(pause)
        if trial >= WARM_UP:
            saves.reactions.append((stamp - saved) / MS)
            saves.extra += len(log.lines()) - before - 1
    return saves


def saved_under(bench: Bench, peer: Peer, how: str, count: int, *, fast: bool) -> Saves:
    """Have a tool stamp each save of one file in 200 directories."""
    name = name_of(bench, peer, "saved", how, fast)
    project, log = Project(name, 200), Log(f"{name}.stamps")
    work = Work(project.path, bench.probe("stamp", log.path), fast=fast)
    with Tool(peer.call(work), project.path, f"{name}.output"):
        log.wait(1, "the first build")
        until_armed(peer, log)
        pause = 0.1 if fast or bench.quick else 0.25
        saves = save_and_wait(log, lambda: project.save(how), count, pause)
    saves.writing = [took / MS for took in project.save_times[WARM_UP:]]
    return saves


def until_armed(peer: Peer, log: Log) -> None:
    """Wait until a tool watches: some begin to when their first build has begun."""
    until_quiet(log, 0.3 if peer is HOTRUN else 1.2)


def until_quiet(log: Log, seconds: float) -> None:
    """Wait until nothing has been stamped for a while."""
    seen = [len(log.lines()), time.monotonic()]

    def is_quiet() -> bool:
        if len(log.lines()) != seen[0]:
            seen[:] = len(log.lines()), time.monotonic()
        return time.monotonic() - seen[1] > seconds

    until("the end of the builds", is_quiet)
