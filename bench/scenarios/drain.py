"""What a burst costs the one who reads it: the watcher alone, without a session around it.

probes/burst.c writes, probes/watch.py reads, in a process of its own, and says what it took.
"""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

from harness import MS, Project, rest
from report import Row, Table
from teller import Teller
from tool import time_of

from scenarios.arming import ours

if TYPE_CHECKING:
    from harness import Bench

SECOND = 1e9  # nanoseconds
ROUNDS = 5


def drain(bench: Bench) -> Table:
    """Write much at once, and see what is heard of it."""
    writes, directories = bench.some(20_000, 5_000), bench.some(2_000, 500)
    table = Table(
        "drain",
        f"{writes:,} writes to 1,000 files, in between {directories:,} new directories of one "
        "file, by another process without a pause; read with all ops that tell of a save.",
    )
    runs = [
        _drain(bench, Project(bench.at(f"drain{turn}"), 200).path, writes, directories)
        for turn in range(bench.some(ROUNDS, 1))
    ]
    names = {
        "CPU of the reader": ("s", 1.0),
        "events": ("", None),
        "overflows": ("", 0),
        "new directories not heard of": ("", 0),
        "files in them not heard of": ("", 0),
        "written files not heard of": ("", 0),
        "the burst took": ("ms", None),
        "its end -> heard of": ("ms", None),  # 0: before the process had ended
    }
    columns = zip(*runs, strict=True)
    for (name, (unit, most)), values in zip(names.items(), columns, strict=True):
        table.rows.append(Row(name, values, unit, most))
    return table


def _drain(bench: Bench, root: str, writes: int, directories: int) -> list[float]:
    burst = bench.probe("burst", root, str(writes), str(directories))
    with Teller(ours("drain", root, str(directories))) as teller:
        teller.hear("armed")
        rest(0.5)
        took = time_of(burst, dict(os.environ))
        ended = time.monotonic_ns()
        heard = int(teller.hear("end")[0])
        ran, events, overflows = (int(word) for word in teller.hear("drained"))
        missing = [int(word) for word in teller.hear("missing")]
    shutil.rmtree(root)
    return [ran / SECOND, events, overflows, *missing, took / MS, max(0, heard - ended) / MS]
