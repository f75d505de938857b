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
from typing import TYPE_CHECKING

from cost import on_cpu
from harness import HERE, MS, BenchError, Log, grow, rest, until, write
from peers import HOTRUN, Peer, Work
from report import Column, Group, Row, Table
from teller import Teller
from tool import Tool, environment

from scenarios.saving import contenders, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness import Bench
    from report import Cell

SETTLE = 3.0  # seconds between the first build that followed a write and the look at the CPU
CAP = 8.0  # seconds after which a write counts as missed; a round over all files takes 5
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


def polling(bench: Bench) -> Table:
    """Measure the watcher alone, hotrun, and the peers that can poll."""
    seconds, count = bench.some(20, 2), bench.some(2_000, 200)
    root = grow(bench.at("polling"), count, 10)
    table = Table("polling", f"{count * 10:,} files in {count:,} directories, told to poll.")
    group = Group("told to poll, shortest delay that can be set", COLUMNS)
    for peer in contenders(bench, fast=False):
        if peer is HOTRUN or peer.name in POLLS:
            group.rows[peer.name] = _cells(bench, peer, root, seconds)
    share, cold, hot, _ = group.rows[HOTRUN.name]
    if isinstance(share, str) or isinstance(cold, str) or isinstance(hot, str):
        raise BenchError(f"hotrun: {share}")
    table.rows = [
        Row(f"hotrun: CPU over {seconds} s at rest", share, "%", 3),
        Row("hotrun: write -> build, of a file that was at rest", cold),
        Row("hotrun: write -> build, of one that was just written", hot),
        *([] if bench.quick else _watcher(bench, root, seconds)),
    ]
    table.groups.append(group)
    table.notes.append(f"Missed: no build in {CAP:g} s, of all writes of both kinds.")
    shutil.rmtree(root)
    return table


def _cells(bench: Bench, peer: Peer, root: str, seconds: float) -> Sequence[Cell]:
    try:
        return _polled(bench, peer, root, seconds)
    except BenchError as error:
        return [str(error), *[""] * (len(COLUMNS) - 1)]


def _polled(bench: Bench, peer: Peer, root: str, seconds: float) -> Sequence[Cell]:
    name = name_of(bench, peer, "polling")
    log = Log(f"{name}.stamps")
    work = Work(root, bench.probe("stamp", log.path), fast=peer.is_fast)
    at, words = POLLS.get(peer.name, (0, []))
    command = peer.call(work)
    command[at:at] = words
    variable, _, value = VARIABLES.get(peer.name, "=").partition("=")
    env = environment(**{variable: value}) if variable else environment()
    delays: dict[bool, list[float]] = {False: [], True: []}
    missed = 0
    with Tool(command, root, f"{name}.output", env) as tool:
        log.wait(1, "the first build")
        _until_armed(log, root)
        time.sleep(SETTLE)
        share = _share(tool.processes(), seconds)
        for path in _files(root, bench.some(5, 1)):
            for found in delays.values():
                delay = _built(log, path)
                missed += not delay
                found.extend([delay] if delay else [])
                rest(0.5)
    return [[share], delays[False] or "missed", delays[True] or "missed", [missed]]


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


def _built(log: Log, path: str) -> float:
    """Write a file, and return the milliseconds to the next build; 0 when there is none."""
    began = time.monotonic_ns()
    write(path, f"{began}\n")

    def stamps() -> list[int]:
        return [int(stamp) for stamp, *_ in log.lines() if int(stamp) > began]

    try:
        until("the build of a write", stamps, CAP)
    except BenchError:
        return 0.0
    return (stamps()[0] - began) / MS


# --- the watcher alone ---------------------------------------------------------------------


def _watcher(bench: Bench, root: str, seconds: float) -> list[Row]:
    cold, hot = [], []
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
        Row("the watcher alone: write -> event, of a file that was at rest", cold),
        Row("the watcher alone: write -> event, of one that was just written", hot),
    ]


def _heard(teller: Teller, path: str) -> float:
    began = time.monotonic_ns()
    write(path, f"{began}\n")
    while True:
        when, of = teller.hear("event")
        if of == path:
            return (int(when) - began) / MS
