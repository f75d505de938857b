"""What polling costs at rest, and how late it is: where no event comes from the kernel.

Each tool is told to poll as its documentation shows, with its own pause between two looks and the
shortest delay that can be set. A file is written in place: one that was at rest (cold), and the
same one again half a second after its build (hot). The watcher of hotrun is measured alone too.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cost import on_cpu
from harness import HERE, MS, BenchError, Log, grow, rest, until, write
from peers import HOTRUN, Peer, Work
from report import Column, Group, Row, Table
from teller import Teller
from tool import Tool, environment

from hotrun.watch.polling.source import PAUSE
from scenarios.saving import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness import Bench
    from report import Cell

SETTLE = 3  # seconds between the first build that followed a write and the look at the CPU
CAP = 15.0  # seconds after which a write counts as missed: hotrun's round takes a third of them
FEW = 3  # writes missed, after which no more are made
ARMED = 30.0  # seconds in which a tool has to see a first write
POLLS: dict[str, tuple[int, Sequence[str]]] = {  # where in the command, and what is put there
    "nodemon": (1, ["--legacy-watch"]),
    "chokidar-cli": (1, ["--polling"]),
    "watchmedo": (2, ["--debug-force-polling"]),
    "watchfiles": (1, []),
}
VARIABLES = {HOTRUN.name: "HOTRUN_WATCH=poll", "watchfiles": "WATCHFILES_FORCE_POLLING=true"}
COLUMNS = (
    Column("CPU", "%"),
    Column("at rest: write -> build"),
    Column("just written: write -> build"),
    Column("missed", "", counts=True),
)


@dataclass(slots=True)
class Polled:
    """What a tool came to.

    Attributes:
        share: Of one CPU at rest, in %.
        cold: Milliseconds from a write to its build, of files that were at rest.
        hot: The same, of files that were just written.
        made: Writes of both kinds.
    """

    share: float
    cold: list[float] = field(default_factory=list)
    hot: list[float] = field(default_factory=list)
    made: int = 0

    @property
    def missed(self) -> int:
        """How many writes no build followed in time."""
        return self.made - len(self.cold) - len(self.hot)

    @property
    def cells(self) -> list[Cell]:
        """The columns."""
        late = f"not in {CAP:g} s"
        missed = f"{self.missed} of {self.made}" if self.missed else "0"
        return [[self.share], self.cold or late, self.hot or late, missed]


def polling(bench: Bench) -> Table:
    """Measure the watcher alone, hotrun, and the peers that can poll."""
    seconds, count = bench.some(20, 1), bench.some(2_000, 200)
    root = grow(bench.at("polling"), count, 10)
    table = Table("polling", f"{count * 10:,} files in {count:,} directories, told to poll.")
    ours = _polled(bench, HOTRUN, root, seconds)
    group = Group("told to poll, shortest delay that can be set", COLUMNS)
    group.rows[HOTRUN.name] = ours.cells
    for peer in bench.peers:
        if peer.name in POLLS:
            group.rows[peer.name] = _cells(bench, peer, root, seconds)
    table.rows = [
        Row(f"hotrun: CPU over {seconds} s at rest", [ours.share], "%", 3),
        *_delays("hotrun: write -> build", ours.cold, ours.hot),
        Row("hotrun: writes that were not built", [ours.missed], "", 0, ours.made),
        *([] if bench.quick else _watcher(bench, root, seconds)),
    ]
    table.groups += [group] if bench.peers else []
    table.notes += _notes(group)
    shutil.rmtree(root)
    return table


def _notes(group: Group) -> Iterator[str]:
    yield f"Missed: no build in {CAP:g} s; after {FEW} such writes no more are made."
    if "watchfiles" in group.rows:
        yield "watchfiles compares times of whole seconds, so it misses a second write within one."
    yield (
        f"hotrun rests {PAUSE} times as long as a look cost it, so that it stays below 3 % of a "
        f"core. A round over all files takes {PAUSE + 1} times the CPU that it costs: that is what "
        "a write at rest waits for at most, and for half of it on average."
    )


def _delays(what: str, cold: Sequence[float], hot: Sequence[float]) -> Iterator[Row]:
    kinds = {"of a file that was at rest": cold, "of one that was just written": hot}
    for kind, taken in kinds.items():
        if not taken:
            raise BenchError(f"{what}, {kind}: none was seen")
        yield Row(f"{what}, {kind}", taken)


def _cells(bench: Bench, peer: Peer, root: str, seconds: float) -> Sequence[Cell]:
    try:
        return _polled(bench, peer, root, seconds).cells
    except BenchError as error:
        return [str(error), *[""] * (len(COLUMNS) - 1)]


def _polled(bench: Bench, peer: Peer, root: str, seconds: float) -> Polled:
    name = name_of(bench, peer, "polling")
    log = Log(f"{name}.stamps")
    work = Work(root, bench.probe("stamp", log.path), fast=peer.is_fast)
    at, words = POLLS.get(peer.name, (0, []))
    command = peer.call(work)
    command[at:at] = words
    variable, _, value = VARIABLES.get(peer.name, "=").partition("=")
    env = environment(**{variable: value}) if variable else environment()
    with Tool(command, root, f"{name}.output", env) as tool:
        log.wait(1, "the first build")
        _until_armed(log, root)
        time.sleep(bench.some(SETTLE, 1))
        polled = Polled(_share(tool.processes(), seconds))
        for path in _files(root, bench.some(5, 1)):
            for delays in (polled.cold, polled.hot):
                if polled.missed < FEW:
                    polled.made += 1
                    delays.extend(_built(log, path))
                    rest(0.5)
    return polled


def _until_armed(log: Log, root: str) -> None:
    """Write until a build follows: a first look of 20,000 files takes a while."""
    end = time.monotonic() + ARMED
    while not _built(log, f"{root}/file0.txt"):
        if time.monotonic() > end:
            raise BenchError("no write is seen")


def _share(pids: Sequence[int], seconds: float) -> float:
    """Return the share of one CPU in %."""
    ran, since = on_cpu(pids), time.monotonic_ns()
    time.sleep(seconds)
    return 100 * (on_cpu(pids) - ran) / (time.monotonic_ns() - since)


def _files(root: str, count: int) -> list[str]:
    folders = [path for path, _, _ in os.walk(root)]
    return [
        f"{folders[(trial * 37 + 1) % len(folders)]}/file{trial % 10}.txt" for trial in range(count)
    ]


def _built(log: Log, path: str) -> list[float]:
    """Write a file, and return the milliseconds to the next build; nothing when there is none."""
    began = time.monotonic_ns()
    write(path, f"{began}\n")

    def stamps() -> list[int]:
        return [int(stamp) for stamp, *_ in log.lines() if int(stamp) > began]

    try:
        until("the build of a write", stamps, CAP)
    except BenchError:
        return []
    return [(stamps()[0] - began) / MS]


# --- the watcher alone ---------------------------------------------------------------------


def _watcher(bench: Bench, root: str, seconds: float) -> list[Row]:
    cold: list[float] = []
    hot: list[float] = []
    script = os.path.join(HERE, "probes", "watch.py")
    with Teller([sys.executable, script, "poll", root]) as teller:
        teller.hear("armed")
        time.sleep(SETTLE)
        share = _share([teller.pid], seconds)
        for path in _files(root, bench.some(5, 1)):
            cold.append(_heard(teller, path))
            rest(0.5)
            hot.append(_heard(teller, path))
            rest(0.5)
    return [
        Row(f"the watcher alone: CPU over {seconds} s at rest", [share], "%", 3),
        *_delays("the watcher alone: write -> event", cold, hot),
    ]


def _heard(teller: Teller, path: str) -> float:
    began = time.monotonic_ns()
    write(path, f"{began}\n")
    while True:
        when, of = teller.hear("event")
        if of == path:
            return (int(when) - began) / MS
