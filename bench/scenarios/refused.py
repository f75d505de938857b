"""Whom restarts under load keep from an answer, with a socket of hotrun's and with the app's own.

Each client connects, asks, reads the answer and rests; the probe `clients` counts what came of it.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from harness import MS, Log, Project, rest
from report import Row, Table
from teller import Teller
from tool import session

from scenarios.apps import free_port, listening, only_run, wait_begun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness import Bench

CLIENTS = 16
PATIENCE = 60.0  # seconds for what is counted in the end


def refused(bench: Bench) -> Table:
    """Measure it for an app that is ready at once, and for one that takes a while."""
    restarts = bench.some(50, 3)
    table = Table(
        "refused",
        f"{restarts} restarts under {CLIENTS} clients, which rest 10 ms after each answer.",
    )
    for start in (0, 100)[: bench.some(2, 1)]:
        for listens in (True, False):
            name = f"{'listen' if listens else 'the app binds'}, it starts in {start} ms"
            table.rows += _refusals(bench, name, restarts, start, listens=listens)
    table.notes.append("Other errors: the app ended with the connection accepted or waiting.")
    return table


def _refusals(
    bench: Bench, name: str, restarts: int, start: int, *, listens: bool
) -> Iterator[Row]:
    label = f"refused-{start}-{listens}"
    project, log, port = Project(bench.at(label)), Log(bench.at(f"{label}.log")), free_port()
    server = bench.probe("server", str(port), str(start), log.path)
    only_run(project, server, *([listening(port)] if listens else []))
    with session(project):
        wait_begun(log, 1)
        with Teller(bench.probe("clients", str(port), str(CLIENTS))) as clients:
            clients.hear("ready")
            for count in range(restarts):
                rest(0.1)
                project.save("rename")
                wait_begun(log, count + 2)
            rest(0.1)
            os.kill(clients.pid, signal.SIGTERM)
            told = [int(word) for word in clients.hear("counted", PATIENCE)]
    answered, refusals, other, p99, longest = told
    yield Row(f"{name}: answered", [answered], "", n=restarts)
    yield Row(f"{name}: refused", [refusals], "", 0 if listens else None, restarts)
    yield Row(f"{name}: other errors", [other], "", n=restarts)
    yield Row(f"{name}: answer after, p99", [p99 / MS], n=restarts)
    yield Row(f"{name}: answer after, at most", [longest / MS], n=restarts)
