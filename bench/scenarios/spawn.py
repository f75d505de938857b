"""What hotrun's start of a child costs beside that of the standard library.

The probe `spawn` starts the same command by both, in one process, in turns; a difference is that of
one turn. The first instruction stamps itself.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from harness import HERE, MS
from report import Row, Table
from teller import Teller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness import Bench

    Times = dict[str, list[float]]

WAYS = "popen", "hotrun", "hotrun+listen", "popen+pipes", "hotrun+pipes"


def spawn(bench: Bench) -> Table:
    """Measure it plain, with a socket passed, and with two pipes."""
    table = Table(
        "spawn",
        "Child(...) and subprocess.Popen(..., process_group=0) start the same command with the "
        "same arguments, in one process, in turns.",
    )
    calls, firsts = _starts(bench, bench.some(200, 50))
    table.rows = [
        Row("subprocess.Popen, the call", calls["popen"]),
        Row("subprocess.Popen, first instruction", firsts["popen"]),
        *_added("hotrun adds", "popen", "hotrun", (calls, firsts), 1.5),
        *_added("with a socket, hotrun adds", "popen", "hotrun+listen", (calls, firsts)),
        *_added("with two pipes, hotrun adds", "popen+pipes", "hotrun+pipes", (calls, firsts)),
    ]
    table.notes.append("With a socket a shell comes in between, which exports LISTEN_PID.")
    return table


def _starts(bench: Bench, count: int) -> tuple[Times, Times]:
    """Return, for each way, what the calls took, and how long it was to the first instruction."""
    log = bench.at("spawn.stamps")
    command = [sys.executable, os.path.join(HERE, "probes", "spawn.py"), str(count), log]
    calls: Times = {way: [] for way in WAYS}
    firsts: Times = {way: [] for way in WAYS}
    with Teller([*command, *bench.probe("stamp", log)]) as teller:
        for _ in range(count * len(WAYS)):
            way, call, first = teller.hear("start")
            calls[way].append(int(call) / MS)
            firsts[way].append(int(first) / MS)
        teller.hear("done")
    return calls, firsts


def _added(
    what: str, theirs: str, ours: str, times: tuple[Times, Times], most: float | None = None
) -> Iterator[Row]:
    for taken, where in zip(times, ("the call", "to the first instruction"), strict=True):
        pairs = zip(taken[ours], taken[theirs], strict=True)
        yield Row(f"{what}: {where}", [our - their for our, their in pairs], most=most)
