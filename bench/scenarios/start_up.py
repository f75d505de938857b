"""How long a call takes that only says something, and how long until the first build runs.

Calls: from posix_spawn(2) to the end of the process; all commands once a round, so that a slow
moment of the machine is shared. A tool that has no such option is asked for what it has instead.
Launches: from the start of the tool to the first instruction of the build command.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from harness import MS, BenchError, Log, Project, rest
from peers import HOTRUN, Peer, Work
from report import Column, Group, Row, Table
from tool import Tool, environment, hotrun, time_of

from scenarios.saving import contenders, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness import Bench
    from report import Cell

SAYS = "A whole call; and `hotrun run` -> the first build's first instruction."
SECONDS = 4.0  # for the launches of one tool: entr needs long for each


def start_up(bench: Bench) -> Table:
    """Measure calls and launches."""
    table = Table("start-up", SAYS)
    table.rows = [*_beside_python(bench), *_launches_of_hotrun(bench)]
    if bench.peers:
        table.groups = [_calls_beside_peers(bench), _launches_beside_peers(bench)]
        table.notes.append("Of hotrun and the peers: default settings, `--version` and `--help`.")
        table.notes.append("-: it has no such option.")
        table.notes.append("entr is started by the loop of its manual, which sleeps 100 ms before.")
    return table


def _beside_python(bench: Bench) -> list[Row]:
    bare = [sys.executable, "-c", "pass"]
    calls = {
        "python -c pass": bare,
        "python -I -S -c pass": [*bare[:1], "-I", "-S", *bare[1:]],
        "hotrun --version": hotrun("--version"),
        "hotrun --help": hotrun("--help"),
    }
    times = _in_turns(list(calls.values()), bench.some(20, 5), good=0)
    ratios = [version / bare for version, bare in zip(times[2], times[0], strict=True)]
    return [
        *(Row(name, taken) for name, taken in zip(calls, times, strict=True)),
        Row("--version / python -c pass", ratios, "x", 1.5),
    ]


def _in_turns(
    commands: Sequence[Sequence[str]], count: int, good: int | None = None
) -> list[list[float]]:
    """Time commands, one after the other, in milliseconds; the first of each warms up."""
    rounds = [[_time(command, good) for command in commands] for _ in range(1 + count)]
    return [list(times) for times in zip(*rounds[1:], strict=True)]


def _time(command: Sequence[str], good: int | None) -> float:
    return time_of(command, environment(), good=good) / MS


def _launches_of_hotrun(bench: Bench) -> list[Row]:
    return [
        Row(
            f"hotrun run, {directories:,} x 5 files",
            _launches(bench, HOTRUN, directories, bench.some(20, 2)),
            most=most,
        )
        for directories, most in ((1, None), (200, None), (1000, 150))
    ]


def _launches(bench: Bench, peer: Peer, directories: int, count: int) -> list[float]:
    """Return the milliseconds to the first build, again and again; the first is left out."""
    name = name_of(bench, peer, "launch", directories, count)
    project, log = Project(name, directories), Log(f"{name}.stamps")
    command = peer.call(Work(project.path, bench.probe("stamp", log.path)))
    times: list[float] = []
    while len(times) <= count and sum(times) < SECONDS * 1000:
        before = len(log.lines())
        with Tool(command, project.path, f"{name}.output") as tool:
            stamp = int(log.wait(before + 1, "the first build")[0])
            rest(0.2)
        times.append((stamp - tool.began) / MS)
    return times[1:]


def _calls_beside_peers(bench: Bench) -> Group:
    """Ask each tool for its version and for its help, in turns."""
    asked = {HOTRUN.name: [hotrun("--version"), hotrun("--help")]}
    for peer in contenders(bench, fast=False):
        if peer is not HOTRUN:
            options = (peer.asks, peer.help)
            asked[peer.name] = [[peer.path or "", *each] if each else [] for each in options]
    times = iter(_in_turns([call for calls in asked.values() for call in calls if call], 20))
    group = Group("a call that only says something", [Column("version"), Column("help")])
    for tool, calls in asked.items():
        cells: list[Cell] = [next(times) if call else "-" for call in calls]
        group.rows[tool] = cells
    return group


def _launches_beside_peers(bench: Bench) -> Group:
    """Measure it on 1,000 directories, where a tool's way of setting up tells."""
    columns = [Column("launch -> first build"), Column("trials", "", counts=True)]
    group = Group("1,000 directories, default settings", columns)
    for peer in contenders(bench, fast=False):
        times: Cell = "not in 30 s"
        with contextlib.suppress(BenchError):
            times = _launches(bench, peer, 1000, 10)
        group.rows[peer.name] = [times, "-" if isinstance(times, str) else [len(times)]]
    return group
