"""For how long nobody answers while a TCP server is rebuilt and replaced.

The build takes 300 ms; the server binds its port and answers at once. A probe tries to connect
every 0.2 ms and tells each streak of failures; a streak counts for the save that it follows.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness import MS, BenchError, Log, Project, rest
from peers import HOTRUN, Peer, Work
from report import Column, Group, Row
from teller import Teller
from tool import Tool

from scenarios.apps import free_port, wait_begun
from scenarios.saving import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness import Bench
    from report import Cell, Table

BUILD = "300"  # milliseconds
PATIENCE = 10.0  # seconds for the new server
LISTEN = f"{HOTRUN.name}, listen"
COLUMNS = (
    Column("refused, per restart"),
    Column("write -> the new server listens"),
    Column("starts that found the port taken", "", counts=True),
    Column("restarts", "", counts=True),
)


@dataclass(slots=True)
class Server:
    """What became of a server over some restarts.

    Attributes:
        refused: Milliseconds of each restart in which nobody answered.
        back: Milliseconds from each save to the new server's first.
        taken: Starts that failed because the port was taken.
        restarts: Saves that were followed by a new server, and how many there were.
    """

    refused: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)
    taken: int = 0
    restarts: str = ""

    def cells(self) -> list[Cell]:
        """Return what the table shows."""
        return [self.refused, self.back or "none came", [self.taken], self.restarts]


def window(bench: Bench, table: Table) -> None:
    """Add the group, and the bar for hotrun with ``listen``."""
    group = Group(f"a TCP server, build of {BUILD} ms, shortest delay that can be set", COLUMNS)
    for name, peer in _contenders(bench):
        try:
            server = _restarted(bench, peer, listens=name == LISTEN)
        except BenchError as error:
            if peer is HOTRUN:
                raise
            group.rows[name] = ["-"] * len(COLUMNS)
            table.notes.append(f"{name}, a TCP server: {error}.")
            continue
        group.rows[name] = server.cells()
        if name == LISTEN:
            if len(server.back) < len(server.refused):
                raise BenchError(f"{name}: only {server.restarts} saves brought a new server")
            whole = [sum(server.refused)]
            table.rows.append(
                Row("listen: refused, in all restarts", whole, most=0, n=len(server.refused))
            )
    table.groups.append(group)
    table.notes += [
        f"{peer.name} restarts nothing, so it is left out."
        for peer in bench.peers
        if not peer.restarts
    ]


def _contenders(bench: Bench) -> Iterator[tuple[str, Peer]]:
    if not bench.quick:
        yield HOTRUN.name, HOTRUN
    yield LISTEN, HOTRUN
    yield from ((peer.name, peer) for peer in bench.peers if peer.restarts)


def _restarted(bench: Bench, peer: Peer, *, listens: bool) -> Server:
    """Replace the server again and again, and watch its port."""
    path, port = name_of(bench, peer, "window", listens), free_port()
    project, log, streaks = Project(path, 20), Log(f"{path}.log"), Log(f"{path}.streaks")
    work = Work(
        project.path,
        bench.probe("build", f"{path}.builds", BUILD, project.source),
        bench.probe("server", str(port), "0", log.path),
        fast=peer.is_fast,
        chain=bench.probe("chain")[0],
        listen=f"127.0.0.1:{port}" if listens else "",
    )
    with Tool(peer.call(work), project.path, f"{path}.output"):
        wait_begun(log, 1)
        rest(0.4 if peer is HOTRUN else 1.5)
        # No Tool: one that ends sweeps up what began since, and the servers are the other's.
        with Teller(bench.probe("window", str(port), streaks.path)) as prober:
            prober.hear("ready")
            saves = _save(bench.some(8, 2), project, log)
            os.kill(prober.pid, signal.SIGTERM)
            prober.hear("done")
    return _server(saves, log, streaks)


def _save(count: int, project: Project, log: Log) -> list[tuple[int, float | None]]:
    """Return when each save was, and how long the new server took to come."""
    saves: list[tuple[int, float | None]] = []
    for _ in range(count):
        rest(0.3)
        begun = sum(line[0] == "begin" for line in log.lines())
        saved = project.save("rename")
        try:
            took = (wait_begun(log, begun + 1, PATIENCE) - saved) / MS
        except BenchError:  # it found the port taken, say, and waits for another save
            took = None
        saves.append((saved, took))
    rest(0.3)
    return saves


def _server(saves: list[tuple[int, float | None]], log: Log, streaks: Log) -> Server:
    server = Server(taken=sum(line[0] == "taken" for line in log.lines()))
    ends = [*(saved for saved, _ in saves[1:]), float("inf")]
    told = [(int(line[1]), int(line[2])) for line in streaks.lines()]
    for (saved, took), end in zip(saves, ends, strict=True):
        server.refused.append(sum(long for at, long in told if saved <= at < end) / MS)
        server.back += [] if took is None else [took]
    server.restarts = f"{len(server.back)}/{len(saves)}"
    return server
