"""How soon the app's port is free when hotrun is killed: by SIGKILL, which it cannot answer."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from typing import TYPE_CHECKING

from cost import is_alive
from harness import MS, Log, Project, rest, until
from report import Row, Table
from tool import session

from scenarios.apps import free_port, listening, only_run, wait_begun
from scenarios.guardian import guardian_of

if TYPE_CHECKING:
    from harness import Bench

KINDS = {  # of apps: whether hotrun holds the socket, and what else the app is told
    "the app ends on SIGTERM": (False, ()),
    "the app ignores SIGTERM": (False, ("stubborn",)),
    "listen, the app ends on SIGTERM": (True, ()),
}


def leftover(bench: Bench) -> Table:
    """Measure it for an app that hears a signal and for one that does not."""
    table = Table("leftover", "SIGKILL of hotrun -> the app's port can be bound again.")
    for name, (listens, how) in KINDS.items():
        times = [
            _freed(bench, f"leftover-{len(table.rows)}-{trial}", how, listens=listens)
            for trial in range(bench.some(10, 1))
        ]
        table.rows.append(Row(name, times, most=1000))
    return table


def _freed(bench: Bench, name: str, how: tuple[str, ...], *, listens: bool) -> float:
    """Return the milliseconds until the port was free."""
    project, log, port = Project(bench.at(name)), Log(bench.at(f"{name}.log")), free_port()
    server = bench.probe("server", str(port), "0", log.path, *how)
    only_run(project, server, *([listening(port)] if listens else []))
    with session(project) as tool:
        wait_begun(log, 1)
        guards = guardian_of(tool.pid)
        rest(0.5)
        began = time.monotonic_ns()
        os.kill(tool.pid, signal.SIGKILL)
        until("the port", lambda: _is_free(port))
        took = (time.monotonic_ns() - began) / MS
        # It removes what hotrun made before it ends.
        until("the guardian's end", lambda: not is_alive(guards))
    return took


def _is_free(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False
