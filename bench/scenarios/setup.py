"""How long it takes from a launch until all of a tree is watched, and what that costs.

The tree: directories of five files, three directories in each. What *complete* means, and how it
is found, is told in scenarios/launching.py. Delays are the shortest that can be set, so that
waiting is short; they have no part in what is measured. The floor is probes/walk.c, which times
itself, and a bare interpreter's start, in turns with hotrun.
"""

from __future__ import annotations

import os
import shutil
import sys
from statistics import median
from typing import TYPE_CHECKING

from cost import watches_allowed
from harness import MS, BenchError, grow
from peers import HOTRUN, Peer, Work
from report import Column, Group, Row, Table
from teller import Teller
from tool import environment, time_of

from scenarios.launching import Setups, Subject, rounds, setups
from scenarios.saving import contenders

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness import Bench
    from report import Cell

COLUMNS = (
    Column("complete"),
    Column("first build"),
    Column("CPU"),
    Column("memory at most", "MB"),
    Column("watches", "", counts=True),
)
SIZES = {1_000: 5, 10_000: 5, 50_000: 3}  # directories, and rounds at most
SMALL = {1_000: 1}
SPEND = 8.0  # seconds for a tool on a tree, after which no further round begins
CAP = 30.0  # seconds in which a tool has to rest; twice as many from 50,000 directories on
BARRED = 10_000  # directories, from which on the bars hold
RIVALS = ("inotifywait loop", "watchfiles", "watchmedo", "nodemon", "air")
FLOOR = "C + a bare interpreter's start"


def setup(bench: Bench) -> Table:
    """Measure it for each size, beside the peers and the floor."""
    table = Table(
        "setup",
        "Launch -> all is watched and a change deep in the tree is built; directories of 5 files, "
        "three in each; shortest delay that can be set. CPU and memory: of all processes, when "
        "the tool first rests.",
    )
    before: dict[str, Sequence[Cell]] = {}
    for count, most in (SMALL if bench.quick else SIZES).items():
        root = grow(bench.at(f"setup-{count}"), count, 5)
        group = Group(f"{count:,} directories", COLUMNS)
        table.rows += _hotrun(bench, root, count, most, group)
        for peer in contenders(bench, fast=False):
            if peer is not HOTRUN:
                group.rows[peer.name] = _peer(bench, peer, root, count, most, before)
        table.rows += _beside(count, group)
        before = {name: [*cells, str(count)] for name, cells in group.rows.items()}
        table.groups.append(group)
        shutil.rmtree(root)
    table.notes.append("A tool that was not in time on one tree is left out of the bigger ones.")
    table.notes.append("A write before the first build began is part of that, and is no change.")
    return table


def subject_of(
    bench: Bench, peer: Peer, root: str, deep: str, directories: int, *ignored: str
) -> Subject:
    """Return a tool on a tree, with the shortest delay that it has."""
    log = bench.at("setup.stamps")
    work = Work(root, bench.probe("stamp", log), fast=peer.is_fast, ignored=ignored)
    cap = CAP if directories < max(SIZES) else 2 * CAP
    return Subject(peer, work, log, deep, directories, cap)


def deepest(root: str) -> str:
    """Return a file in one of the deepest directories."""
    paths = (path for path, _, files in os.walk(root) if "file0.txt" in files)
    return os.path.join(max(paths, key=lambda path: path.count("/")), "file0.txt")


def _hotrun(bench: Bench, root: str, count: int, most: int, group: Group) -> Iterator[Row]:
    """Measure hotrun, and the floor after each of its rounds."""
    walks, starts, found = [], [], Setups()
    for found in rounds(subject_of(bench, HOTRUN, root, deepest(root), count), most, 4 * SPEND):  # noqa: B007
        walks.append(_walk(bench, root))
        starts.append(time_of([sys.executable, "-c", "pass"], environment()) / MS)
    group.rows[HOTRUN.name] = found.cells
    name, bar = f"{count:,} directories", 1 if count >= BARRED else None
    floors = [walk + start for walk, start in zip(walks, starts, strict=True)]
    ratios = [ours / floor for ours, floor in zip(found.complete, floors, strict=True)]
    yield Row(f"{name}: hotrun", found.complete)
    yield Row("  of it until the first build", found.first)
    yield Row(f"{name}: C: watch and list, by its own clock", walks)
    yield Row(f"{name}: a bare interpreter's start", starts)
    yield Row(f"{name}: hotrun / ({FLOOR})", ratios, "x", bar)


def _walk(bench: Bench, root: str) -> float:
    with Teller(bench.probe("walk", root)) as teller:
        return int(teller.hear("armed")[1]) / MS


def _peer(
    bench: Bench, peer: Peer, root: str, count: int, most: int, before: dict[str, Sequence[Cell]]
) -> Sequence[Cell]:
    *last, held, size = before.get(peer.name, ["", [0], "1"])
    needs = int(median(held) * count / int(size)) if not isinstance(held, str) else 0
    if isinstance(last[0], str) and last[0]:
        return _word("left out")
    if needs > watches_allowed():
        return _word(f"needs {needs:,} watches; {watches_allowed():,} are allowed")
    try:
        return setups(subject_of(bench, peer, root, deepest(root), count), most, SPEND).cells
    except BenchError as error:
        return _word(str(error))


def _word(word: str) -> Sequence[Cell]:
    return [word, *[""] * (len(COLUMNS) - 1)]


def _beside(count: int, group: Group) -> Iterator[Row]:
    """Compare hotrun with the peers that it has to be faster than."""
    ours = group.rows[HOTRUN.name][0]
    for name in RIVALS:
        theirs = group.rows.get(name, [""])[0]
        if count >= BARRED and not isinstance(theirs, str) and not isinstance(ours, str):
            ratio = median(ours) / median(theirs)
            yield Row(f"{count:,} directories: hotrun / {name}", [ratio], "x", 1)
