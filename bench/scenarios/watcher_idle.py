"""What the watcher alone costs that hears nothing (probes/watch.py, in a process of its own)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cost import on_cpu, switches
from harness import MS, grow
from report import Row, Table
from teller import Teller

from scenarios.arming import ours

if TYPE_CHECKING:
    from harness import Bench


def watcher_idle(bench: Bench) -> Table:
    """Let it wait for what never comes."""
    seconds = bench.some(20, 1)
    root = grow(bench.at("watcher-idle"), 1_000, 5)
    with Teller(ours("block", root)) as teller:
        teller.hear("armed")
        time.sleep(bench.some(2, 1))
        switched, ran = switches([teller.pid]), on_cpu([teller.pid])
        time.sleep(seconds)
        switched, ran = switches([teller.pid]) - switched, on_cpu([teller.pid]) - ran
    table = Table("watcher-idle", f"{seconds} s in `read`, with 1,000 directories.")
    table.rows = [Row("context switches", [switched], "", 0), Row("CPU", [ran / MS])]
    return table
