"""What it takes the watcher to see a whole tree: at first, and after events were lost.

probes/watch.py lists in a process of its own, and times itself after its imports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import BenchError, grow
from report import Row, Table
from teller import Teller

from scenarios.arming import ours

if TYPE_CHECKING:
    from harness import Bench

SECOND = 1e9  # nanoseconds
ROUNDS = 5


def snapshot(bench: Bench) -> Table:
    """List a tree, and list it again for the one file that differs."""
    directories = bench.some(10_000, 500)
    root = grow(bench.at("snapshot"), directories, 10)
    table = Table("snapshot", f"{directories * 10:,} files in {directories:,} directories.")
    firsts, takes, relists = [], [], []
    for _ in range(bench.some(ROUNDS, 1)):
        firsts.append(_seconds(ours("list", root), "listed"))
        with Teller(ours("relist", root)) as teller:
            takes.append(int(teller.hear("listed")[1]) / SECOND)
            files, took, changed = (int(word) for word in teller.hear("relisted"))
        if (files, changed) != (directories * 10, 1):
            raise BenchError(f"{files} files and {changed} changes after an overflow")
        relists.append(took / SECOND)
    table.rows = [
        Row("a bare listing", firsts, "s", 1.2),
        Row("a session's first listing, by the default rules", takes, "s"),
        Row("after an overflow: list, compare, find the one change", relists, "s", 1.2),
    ]
    return table


def _seconds(command: list[str], word: str) -> float:
    with Teller(command) as teller:
        return int(teller.hear(word)[1]) / SECOND
