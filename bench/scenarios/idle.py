"""What each tool costs while nothing happens.

A tree of 200 directories, an app running after the first build. The whole process tree of the
tool is looked at, a shell that it started included, the app itself left out. The two looks only
read /proc, and lie 20 s apart.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from cost import MB, on_cpu, switches
from harness import MS, BenchError, Log, Project
from peers import HOTRUN, Peer, Work
from report import Column, Group, Row, Table
from tool import Tool

from scenarios.saving import contenders, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness import Bench
    from report import Cell

DIRECTORIES = 200
CALM = 3  # seconds from the app's start until a tool rests; after two hotrun reads its config again
COLUMNS = (
    Column("context switches", ""),
    Column("CPU"),
    Column("memory", "MB"),
    Column("processes", ""),
)


def idle(bench: Bench) -> Table:
    """Measure hotrun and its peers, one after the other."""
    seconds = bench.some(20, 2)
    table = Table(
        "idle",
        f"{seconds} s of nothing with the app running and {DIRECTORIES} directories watched; the "
        "whole tree of processes, without the app. Memory is what is resident.",
    )
    group = Group("default settings", COLUMNS)
    for peer in contenders(bench, fast=False):
        group.rows[peer.name] = _cells(bench, peer, seconds)
    switched, ran, *_ = group.rows[HOTRUN.name]
    if isinstance(switched, str) or isinstance(ran, str):
        raise BenchError(f"hotrun: {switched}")
    table.rows = [Row("context switches", switched, "", 0), Row("CPU", ran)]
    table.groups.append(group)
    return table


def _cells(bench: Bench, peer: Peer, seconds: float) -> Sequence[Cell]:
    try:
        return [[figure] for figure in _at_rest(bench, peer, seconds)]
    except BenchError as error:
        return [str(error), *[""] * (len(COLUMNS) - 1)]


def _at_rest(bench: Bench, peer: Peer, seconds: float) -> tuple[float, ...]:
    """Return the switches, the milliseconds on a CPU, the MB and the number of processes."""
    name = name_of(bench, peer, "idle")
    project, apps = Project(name, DIRECTORIES), Log(f"{name}.apps")
    build = bench.probe("stamp", f"{name}.builds")
    chain = bench.probe("chain")[0]
    work = Work(project.path, build, bench.probe("app", apps.path), chain=chain)
    with Tool(peer.call(work), project.path, f"{name}.output") as tool:
        apps.wait(1, "the app")
        time.sleep(CALM)
        app = frozenset(int(pid) for _, pid in apps.lines())
        before = tool.processes(app)
        switched, ran = switches(before), on_cpu(before)
        time.sleep(seconds)
        pids = tool.processes(app)
        switched, ran = switches(pids) - switched, on_cpu(pids) - ran
        memory = _resident(pids) / MB
    return switched, ran / MS, memory, len(pids)


def _resident(pids: Iterable[int]) -> int:
    """Return the bytes that are resident, added up over the processes (proc(5), statm)."""
    page, total = os.sysconf("SC_PAGE_SIZE"), 0
    for pid in pids:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            total += int(file.read().split()[1]) * page
    return total
