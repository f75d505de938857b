"""How long it takes the watcher alone to watch a tree, without a session around it.

Each measurement is a process of its own, which says on stdout what it took (probes/watch.py,
walk.c, peer.py). What is compared runs in turns on one tree, which was walked before; a ratio is
that of one turn.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cost import watches, watches_allowed
from harness import HERE, MS, BenchError, grow, rest
from report import Row, Table
from teller import Teller

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness import Bench

SHAPES = (10_000, 3), (50_000, 3), (50_000, 10)  # directories, and how many in each
SMALL = ((1_000, 3),)
LARGE = 50_000  # directories, from which on there are fewer turns
AFTER = 0.8  # seconds in which the kernel frees 50,000 watches of the tool before
PATIENCE = 60.0  # seconds that a tool has to set its watches
WATCHES = 0.7  # of what the kernel allows: as much as one run may take

Tools = dict[str, tuple[list[str], str]]
"""How each tool is called, and the word it says when it is ready."""


def ours(*words: str) -> list[str]:
    """Return the arguments that start hotrun's watcher."""
    return [sys.executable, os.path.join(HERE, "probes", "watch.py"), *words]


def arming(bench: Bench) -> Table:
    """Watch trees of some sizes, in turns with the floors and the peers."""
    table = Table(
        "arming",
        "Directories of 5 empty files, three or ten in each, so that two of three or nine of ten "
        "have none within; warm cache. `add` and the C program time themselves, without the start "
        "of the process.",
    )
    tools = _tools(bench, table)
    for count, each in SMALL if bench.quick else SHAPES:
        if count > WATCHES * watches_allowed():
            table.notes.append(f"{count:,} directories left out: fs.inotify.max_user_watches.")
            continue
        root = grow(bench.at(f"arming-{count}-{each}"), count, 5, each, empty=True)
        taken = _arm_in_turns(bench, root, count, tools, table)
        table.rows += _arming_rows(f"{count:,}, {each} in each", taken, bench.quick)
        shutil.rmtree(root)
    return table


def _tools(bench: Bench, table: Table) -> Tools:
    walk = bench.probe("walk")
    tools = {
        "hotrun": (ours("arm"), "armed"),
        "C": (walk, "armed"),
        "C, no leaf listed": (walk, "armed"),
    }
    if bench.quick:
        return tools
    if shutil.which("inotifywait"):
        tools["inotifywait -r"] = (["inotifywait", "-r", "-m"], "Watches established.")
    for peer in ("watchfiles", "watchdog"):
        if importlib.util.find_spec(peer):
            script = os.path.join(HERE, "probes", "peer.py")
            tools[peer] = ([sys.executable, script, peer], "armed")
    wanted = ("inotifywait -r", "watchfiles", "watchdog")
    missing = [tool for tool in wanted if tool not in tools]
    if missing:
        table.notes.append(f"Not here, so not measured: {', '.join(missing)}.")
    return tools


@dataclass(slots=True)
class Armings:
    """What one tool took on one tree, turn by turn, in milliseconds.

    Attributes:
        within: By its own clock.
        whole: From its start to its word.
        watches: How many it then held.
        memory: MB at rest and at most, of hotrun.
    """

    within: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    watches: list[int] = field(default_factory=list)
    memory: list[list[float]] = field(default_factory=list)


def _arm_in_turns(
    bench: Bench, root: str, count: int, tools: Tools, table: Table
) -> dict[str, Armings]:
    for _ in os.walk(root):
        pass
    taken = {tool: Armings() for tool in tools}
    for turn in range(bench.some(5 if count < LARGE else 3, 2)):
        order = list(tools)
        for tool in order[turn % len(order) :] + order[: turn % len(order)]:
            command, word = tools[tool]
            more = ["leaves"] if "leaf" in tool else []
            try:
                _arm([*command, root, *more], word, count, taken[tool])
            except BenchError as error:
                del taken[tool], tools[tool]  # nor is a bigger tree for it
                table.notes.append(f"{tool}, {count:,} directories: {error}.")
            rest(AFTER * count / 50_000)
    return taken


def _arm(command: list[str], word: str, count: int, taken: Armings) -> None:
    with Teller(command) as teller:
        said = teller.hear(word, PATIENCE)
        taken.whole.append((time.monotonic_ns() - teller.began) / MS)
        if said:
            taken.within.append(int(said[1]) / MS)
        if "watch.py" in command[1]:
            taken.memory.append([int(word) / 1024 for word in teller.hear("memory")])
        taken.watches.append(watches([teller.pid]))
        if taken.watches[-1] < count:
            raise BenchError(f"only {taken.watches[-1]:,} watches")


def _arming_rows(size: str, taken: dict[str, Armings], quick: bool) -> Iterable[Row]:
    hotrun = taken["hotrun"]
    # An interpreter's start is a good part of what a small tree takes.
    most = None if quick else 1.0
    yield Row(f"{size}: hotrun, `add`", hotrun.within)
    for tool in ("C", "C, no leaf listed"):
        if tool in taken:
            yield Row(f"{size}: {tool}", taken[tool].within)
            ratios = _ratios(hotrun.within, taken[tool].within)
            yield Row(f"{size}: hotrun / {tool}", ratios, "x", most if tool == "C" else None)
    yield Row(f"{size}: hotrun, from its start", hotrun.whole)
    for tool in ("inotifywait -r", "watchfiles", "watchdog"):
        if tool in taken:
            yield Row(f"{size}: {tool}, from its start", taken[tool].whole)
            ratios = _ratios(hotrun.whole, taken[tool].whole)
            yield Row(f"{size}: hotrun / {tool}", ratios, "x", most)
    at_rest, peak = zip(*hotrun.memory, strict=True)
    yield Row(f"{size}: inotify watches of hotrun", hotrun.watches, "")
    yield Row(f"{size}: memory at rest", at_rest, "MB", 60)
    yield Row(f"{size}: memory at most", peak, "MB")


def _ratios(ours: list[float], theirs: list[float]) -> list[float]:
    return [one / other for one, other in zip(ours, theirs, strict=True)]
