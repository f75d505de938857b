"""An app that ignores the signals by which programs are asked to end: what becomes of it?

A save is to replace it: measured is the time from the save to the new one's first instruction. In
another session SIGTERM is to end the tool: measured are the time to its end, and how many apps live
half a second later.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

from cost import is_alive
from harness import MS, BenchError, Log, Project
from peers import HOTRUN, Peer, Work
from report import Column, Group, Row, Table
from tool import Tool

from scenarios.apps import begun, wait_begun
from scenarios.saving import name_of, until_armed
from scenarios.signals import happens, heed, kill, send, stop_timeout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness import Bench
    from report import Cell

REPLACED = 15.0  # seconds for the new app to come
ENDED = 8.0  # seconds for the tool to end
TIMEOUTS = {"5s": 5000, "1s": 1000}  # hotrun's stop_timeout and its milliseconds; 5s is its default
LATE = 300  # milliseconds


def stubborn(bench: Bench) -> Table:
    """Measure it of each tool with its default settings."""
    table = Table(
        "stubborn",
        "An app ignores SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2. A save is to replace it; in "
        "another session SIGTERM is to end the tool.",
    )
    columns = [
        Column("save -> new app"),
        Column("SIGTERM -> the tool's end"),
        Column("apps left", "", counts=True),
    ]
    group = Group("default settings", columns)
    heed()
    for timeout in list(TIMEOUTS)[bench.quick :]:
        said = f'stop_timeout = "{timeout}"'
        cells = _cells(bench, HOTRUN, bench.some(3, 1), timeout)
        table.rows += _over(said, TIMEOUTS[timeout], cells)
        group.rows[f"{HOTRUN.name}, {said}" if group.rows else HOTRUN.name] = cells
    for peer in bench.peers:
        if peer.restarts:
            group.rows[peer.name] = _cells(bench, peer, 1)
        else:
            table.notes.append(f"{peer.name} replaces no app.")
    table.groups += [group] if bench.peers else []
    return table


def _over(said: str, timeout: int, cells: list[Cell]) -> Iterator[Row]:
    """Say by how much hotrun exceeds the time that it is to leave the app."""
    replaced, ended, left = cells
    for what, times in (("save -> new app", replaced), ("SIGTERM -> hotrun's end", ended)):
        if isinstance(times, str):
            raise BenchError(f"stubborn, {said}: {what}: {times}")
        yield Row(f"{said}: {what}, beyond that", [each - timeout for each in times], most=LATE)
    yield Row(f"{said}: apps left", [float(each) for each in left], "", 0)


def _cells(bench: Bench, peer: Peer, count: int, timeout: str = "") -> list[Cell]:
    """Return the times to the new app, those to the tool's end, and the apps left."""
    trials = range(count)
    replaced = [_replaced(bench, peer, timeout, f"save{trial}") for trial in trials]
    ended = [_ended(bench, peer, timeout, f"end{trial}") for trial in trials]
    return [
        _times(replaced, f"not in {REPLACED:g} s"),
        _times([took for took, _ in ended], f"not in {ENDED:g} s"),
        [left for _, left in ended],
    ]


def _times(times: list[float | None], word: str) -> Cell:
    """Return them, or the word where one is missing."""
    return word if None in times else [each for each in times if each is not None]


def _replaced(bench: Bench, peer: Peer, timeout: str, name: str) -> float | None:
    """Return the milliseconds from a save to the next app, if it came."""
    with _running(bench, peer, timeout, name) as (_, project, log):
        saved = project.save("rename")
        try:
            return (wait_begun(log, 2, REPLACED) - saved) / MS
        except BenchError:
            return None


def _ended(bench: Bench, peer: Peer, timeout: str, name: str) -> tuple[float | None, int]:
    """Return the milliseconds from SIGTERM to the tool's end, if it came, and the apps left."""
    with _running(bench, peer, timeout, name) as (tool, _, log):
        began = time.monotonic_ns()
        send(tool, peer, signal.SIGTERM)
        happens(lambda: tool.code is not None, ENDED)
        took = (time.monotonic_ns() - began) / MS
        apps = [int(line[2]) for line in begun(log)]
        happens(lambda: not any(map(is_alive, apps)), 0.5)
        return (None if tool.code is None else took), sum(map(is_alive, apps))


@contextlib.contextmanager
def _running(
    bench: Bench, peer: Peer, timeout: str, name: str
) -> Iterator[tuple[Tool, Project, Log]]:
    """Have a tool run the app, and kill what is left of it."""
    path = name_of(bench, peer, "stubborn", timeout, name)
    project, log = Project(path, 20), Log(f"{path}.log")
    build, app = bench.probe("stamp", os.devnull), bench.probe("stubborn", log.path)
    command = peer.call(Work(project.path, build, app, chain=bench.probe("chain")[0]))
    if timeout:
        stop_timeout(project, timeout)
    with Tool(command, project.path, f"{path}.output") as tool:
        try:
            wait_begun(log, 1)
            until_armed(peer, log)
            yield tool, project, log
        finally:
            kill((int(line[2]) for line in begun(log)), app)
