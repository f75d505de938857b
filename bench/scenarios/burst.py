"""What many changes at once lead to: few builds, and the last state built.

The probe `burst` writes as fast as it goes; its last act is to write "final" to the file that each
build reads at its start. A build takes 200 ms. What a tool costs is the CPU of all its processes,
from before the burst until it rests, less what the builds ran themselves.
"""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cost import on_cpu_ever
from harness import MS, BenchError, Log, Project, rest, until, write
from peers import HOTRUN, Peer, Work
from report import Column, Group, Row, Table
from tool import Tool

from scenarios.saving import MODES, contenders, name_of, until_quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness import Bench
    from report import Cell

BUILD = "200"  # milliseconds
EACH = 1  # files in a new directory
CAP = 60.0  # seconds after the last write, after which a tool is not waited for
STILL = 2.5  # seconds without a build and without work after which it is taken to rest
IDLE = 0.04  # of a CPU; more is work, for some poll
AFTER = 5.0  # seconds in which a change after all of it is to be built
COLUMNS = (
    Column("builds begun", "", counts=True),
    Column("builds finished", "", counts=True),
    Column("last write -> end of the last build"),
    Column("CPU of the tool", "s"),
    Column("last state built", "", counts=True),
    Column("change in a new directory built", "", counts=True),
)


@dataclass(frozen=True, slots=True)
class Burst:
    """What one burst led to.

    Attributes:
        begun: Builds that began after the burst did.
        finished: Those of them that ended.
        ready: Milliseconds from the last write to the end of the last build.
        started: Milliseconds from the last write to the beginning of the last build.
        cpu: Seconds that the tool itself ran.
        whole: The last build to finish read the last state.
        sees: A change in a new directory was built afterwards.
        died: The tool had ended by then.
    """

    begun: int
    finished: int
    ready: float
    started: float
    cpu: float
    whole: bool
    sees: bool
    died: bool


def burst(bench: Bench) -> Table:
    """Measure it with default settings and with the shortest delay."""
    writes, directories = _size(bench)
    table = Table(
        "burst",
        f"{writes:,} writes to 1,000 files and {directories:,} new directories with a file each; "
        f"a build takes {BUILD} ms, and the last of all writes is known to it.",
    )
    for fast in (False,) if bench.quick else (False, True):
        group = Group(MODES[fast], COLUMNS)
        for peer in contenders(bench, fast=fast):
            count = bench.some(5, 1) if peer is HOTRUN else 1
            try:
                bursts = [_burst(bench, peer, trial, fast=fast) for trial in range(count)]
            except BenchError as error:
                if peer is HOTRUN:
                    raise
                group.rows[peer.name] = ["-"] * len(COLUMNS)
                table.notes.append(f"{peer.name}, {MODES[fast]}: {error}.")
                continue
            group.rows[peer.name] = _cells(bursts)
            table.rows += _bars(bursts, fast=fast) if peer is HOTRUN else []
        table.groups.append(group)
    table.notes.append(
        f"A tool has {CAP:g} s after the last write, and {AFTER:g} s for the change after that."
    )
    return table


def _size(bench: Bench) -> tuple[int, int]:
    """Return how many writes and how many new directories there are."""
    return bench.some(20_000, 5_000), bench.some(2_000, 500)


def _bars(bursts: Sequence[Burst], *, fast: bool) -> list[Row]:
    name = f"debounce = {'0ms' if fast else 'auto'}"
    missed = sum(not each.whole for each in bursts)
    unseen = sum(not each.sees for each in bursts)
    return [
        Row(f"{name}: builds begun", [each.begun for each in bursts], "builds", 3),
        Row(f"{name}: last state not built", [missed], "times", 0, len(bursts)),
        Row(f"{name}: CPU of hotrun", [each.cpu for each in bursts], "s", 1.5),
        Row(f"{name}: last write -> the last build's start", [each.started for each in bursts]),
        Row(f"{name}: change in a new directory not built", [unseen], "times", 0, len(bursts)),
    ]


def _cells(bursts: Sequence[Burst]) -> list[Cell]:
    died = any(each.died for each in bursts)
    whole, sees = (
        f"{sum(facts)}/{len(bursts)}"
        for facts in ([each.whole for each in bursts], [each.sees for each in bursts])
    )
    return [
        [each.begun for each in bursts],
        [each.finished for each in bursts],
        [each.ready for each in bursts if each.whole],
        "it died" if died else [each.cpu for each in bursts],
        whole,
        sees,
    ]


def _burst(bench: Bench, peer: Peer, trial: int, *, fast: bool) -> Burst:
    """Let a tool go through one burst."""
    name = name_of(bench, peer, "burst", fast, trial)
    project, log = Project(name, 200), Log(f"{name}.builds")
    write(project.at("readme.txt"), "A root has files; entr watches directories that hold some.\n")
    work = Work(project.path, bench.probe("build", log.path, BUILD, project.source), (), fast=fast)
    with Tool(peer.call(work), project.path, f"{name}.output") as tool:
        log.wait(2, "the first build's end")
        until_quiet(log, 1.2)
        before, known = on_cpu_ever(tool.processes()), len(log.lines())
        last = _write_many(bench, project)
        _until_still(tool, log, last)
        spent, lines = on_cpu_ever(tool.processes()) - before, log.lines()[known:]
        died = tool.code is not None
        sees = not died and _is_seen(project, log)
    return _told(lines, last, spent, sees=sees, died=died)


def _told(lines: list[list[str]], last: int, spent: int, *, sees: bool, died: bool) -> Burst:
    begins = [line for line in lines if line[0] == "begin"]
    ends = [line for line in lines if line[0] == "end"]
    return Burst(
        begun=len(begins),
        finished=len(ends),
        ready=(int(ends[-1][1]) - last) / MS if ends else 0,
        started=(int(begins[-1][1]) - last) / MS if begins else 0,
        cpu=(spent - sum(int(line[3]) for line in ends)) / 1e9,
        whole=bool(ends) and ends[-1][2] == "final",
        sees=sees,
        died=died,
    )


def _write_many(bench: Bench, project: Project) -> int:
    """Make the burst; return when its last write was."""
    writes, directories = map(str, _size(bench))
    command = bench.probe("burst", project.path, writes, directories, str(EACH), project.source)
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"the burst failed: {done.stderr.strip()}")
    return int(done.stdout.split()[1])


def _until_still(tool: Tool, log: Log, last: int) -> None:
    """Wait until it has built the last state and rests, or is not waited for any longer."""
    seen = [len(log.lines()), on_cpu_ever(tool.processes())]
    since = time.monotonic()
    while time.monotonic_ns() - last < CAP * 1e9 and tool.code is None:
        time.sleep(0.1)
        lines, now = log.lines(), time.monotonic()
        ran = (on_cpu_ever(tool.processes()) - seen[1]) / 1e9
        if len(lines) != seen[0] or ran > IDLE * STILL:
            seen, since = [len(lines), on_cpu_ever(tool.processes())], now
        if now - since > STILL and lines[-1][0] == "end" and lines[-1][2] == "final":
            return


def _is_seen(project: Project, log: Log) -> bool:
    """Whether a change in a directory that the burst made is built."""
    before = len(log.lines())
    write(project.at("new/part0/unit77/file3.txt"), "after all\n")
    try:
        until("a build", lambda: len(log.lines()) > before, AFTER)
        until("its end", lambda: log.lines()[-1][0] == "end", AFTER)
    except BenchError:
        return False
    rest()
    return True
