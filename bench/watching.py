"""The scenarios of the watcher itself, without a session around it.

Each measurement is a process of its own, which says on stdout what it took (probes/watch.py).
What is compared runs in turns on one tree, which was walked before; a ratio is that of one turn.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import time
from typing import TYPE_CHECKING

from harness import (
    HERE,
    BenchError,
    Project,
    grow,
    on_cpu,
    rest,
    switches,
    time_of,
    watches,
    write,
)
from report import Row, Table
from teller import Teller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scenarios import Bench

MS = 1e6  # nanoseconds
SECOND = 1e9
SHAPES = (10_000, 3), (50_000, 3), (50_000, 10)  # directories, and how many in each
SMALL = ((2_000, 3),)
ROUNDS = 5
AFTER = 0.8  # seconds in which the kernel frees the watches of the tool before
PATIENCE = 60.0  # seconds that a tool has to set its watches
WATCHES = 0.7  # of what the kernel allows: as much as one run may take


def ours(*words: str) -> list[str]:
    """Return the arguments that start hotrun's watcher."""
    return [sys.executable, os.path.join(HERE, "probes", "watch.py"), *words]


# --- arming --------------------------------------------------------------------------------


def arming(bench: Bench) -> Table:
    """How long it takes until a tree is watched."""
    table = Table(
        "arming",
        "Directories of 5 small files, three or ten in each, so that two of three or nine of ten "
        "have none within; warm cache. `add` and the C program time themselves, without the start "
        "of the process.",
    )
    tools = _tools(bench, table)
    for count, each in SMALL if bench.quick else SHAPES:
        if count > _allowed():
            table.notes.append(f"{count:,} directories left out: fs.inotify.max_user_watches.")
            continue
        root = grow(bench.at(f"arming-{count}-{each}"), count, 5, each)
        size = f"{count:,}, {each} in each"
        table.rows += _arming_rows(size, _arm_in_turns(root, count, tools, table), bench.quick)
        shutil.rmtree(root)
    return table


def _allowed() -> float:
    with open("/proc/sys/fs/inotify/max_user_watches", encoding="ascii") as file:
        return int(file.read()) * WATCHES


def _tools(bench: Bench, table: Table) -> dict[str, tuple[list[str], str]]:
    """Return how each tool that is here is called, and the word it says when it is ready."""
    tools = {"hotrun": (ours("arm"), "armed")}
    if bench.probes.compiled:
        walk = bench.probes.command("walk")
        tools["C"] = (walk, "armed")
        tools["C, no leaf listed"] = (walk, "armed")
    if shutil.which("inotifywait"):
        tools["inotifywait -r"] = (["inotifywait", "-r", "-m"], "Watches established.")
    for peer in ("watchfiles", "watchdog"):
        if importlib.util.find_spec(peer):
            script = os.path.join(HERE, "probes", "peer.py")
            tools[peer] = ([sys.executable, script, peer], "armed")
    wanted = ("C", "inotifywait -r", "watchfiles", "watchdog")
    missing = [tool for tool in wanted if tool not in tools]
    if missing:
        table.notes.append(f"Not here, so not measured: {', '.join(missing)}.")
    return tools


class Armings:
    """What one tool took on one tree, turn by turn, in milliseconds.

    Attributes:
        within: By its own clock.
        whole: From its start to its word.
        watches: How many it then held.
        memory: MB at rest and at most, of hotrun.
    """

    def __init__(self) -> None:
        self.within: list[float] = []
        self.whole: list[float] = []
        self.watches: list[int] = []
        self.memory: list[list[float]] = []


def _arm_in_turns(
    root: str, count: int, tools: dict[str, tuple[list[str], str]], table: Table
) -> dict[str, Armings]:
    for _ in os.walk(root):
        pass
    taken = {tool: Armings() for tool in tools}
    for turn in range(ROUNDS):
        order = list(tools)
        for tool in order[turn % len(order) :] + order[: turn % len(order)]:
            command, word = tools[tool]
            more = ["leaves"] if "leaf" in tool else []
            try:
                _arm([*command, root, *more], word, count, taken[tool])
            except BenchError as error:
                del taken[tool], tools[tool]  # nor is a bigger tree for it
                table.notes.append(f"{tool}, {count:,} directories: {error}.")
            rest(AFTER)
    return taken


def _arm(command: list[str], word: str, count: int, taken: Armings) -> None:
    with Teller(command) as teller:
        said = teller.hear(word, PATIENCE)
        taken.whole.append((time.monotonic_ns() - teller.began) / MS)
        if said:
            taken.within.append(int(said[1]) / MS)
        if "watch.py" in command[1]:
            taken.memory.append([int(word) / 1024 for word in teller.hear("memory")])
        taken.watches.append(watches(teller.pid))
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


# --- drain ---------------------------------------------------------------------------------


def drain(bench: Bench) -> Table:
    """What a burst costs the one who reads it."""
    writes, directories = bench.some(20_000, 5_000), bench.some(2_000, 500)
    table = Table(
        "drain",
        f"{writes:,} writes to 1,000 files, in between {directories:,} new directories of one "
        "file, by another process without a pause; read with all ops that tell of a save.",
    )
    runs = [
        _drain(bench, Project(bench.at(f"drain{turn}"), 200).path, writes, directories)
        for turn in range(bench.some(ROUNDS, 2))
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
    burst = bench.probes.command("burst", root, str(writes), str(directories))
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


# --- idle ----------------------------------------------------------------------------------


def watcher_idle(bench: Bench) -> Table:
    """What a watcher costs that hears nothing."""
    seconds = bench.some(20, 5)
    root = grow(bench.at("watcher-idle"), 1_000, 5)
    with Teller(ours("block", root)) as teller:
        teller.hear("armed")
        time.sleep(2)
        switched, ran = switches([teller.pid]), on_cpu([teller.pid])
        time.sleep(seconds)
        switched, ran = switches([teller.pid]) - switched, on_cpu([teller.pid]) - ran
    table = Table("watcher-idle", f"{seconds} s in `read`, with 1,000 directories.")
    table.rows = [Row("context switches", [switched], "", 0), Row("CPU", [ran / MS])]
    return table


# --- snapshot ------------------------------------------------------------------------------


def snapshot(bench: Bench) -> Table:
    """What it takes to see a whole tree: at first, and after events were lost."""
    directories = bench.some(10_000, 1_000)
    root = grow(bench.at("snapshot"), directories, 10)
    table = Table("snapshot", f"{directories * 10:,} files in {directories:,} directories.")
    firsts, takes, relists = [], [], []
    for _ in range(bench.some(ROUNDS, 2)):
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


# --- polling -------------------------------------------------------------------------------


def polling(bench: Bench) -> Table:
    """What polling costs at rest, and how late it is."""
    seconds, count = bench.some(20, 5), bench.some(2_000, 500)
    root = grow(bench.at("polling"), count, 10)
    cold, hot = [], []
    with Teller(ours("poll", root)) as teller:
        teller.hear("armed")
        time.sleep(3)
        ran, since = on_cpu([teller.pid]), time.monotonic_ns()
        time.sleep(seconds)
        share = 100 * (on_cpu([teller.pid]) - ran) / (time.monotonic_ns() - since)
        folders = [path for path, _, _ in os.walk(root)]
        for trial in range(bench.some(10, 3)):
            path = f"{folders[trial * 37 % len(folders)]}/file{trial % 10}.txt"
            cold.append(_heard(teller, path))
            rest(0.5)
            hot.append(_heard(teller, path))
            rest(0.5)
    table = Table("polling", f"{count * 10:,} files in {count:,} directories.")
    table.rows = [
        Row(f"CPU over {seconds} s at rest", [share], "%", 3),
        Row("write -> event, of a file that was at rest", cold),
        Row("write -> event, of one that was just written", hot),
    ]
    return table


def _heard(teller: Teller, path: str) -> float:
    began = time.monotonic_ns()
    write(path, f"{began}\n")
    while True:
        when, of = teller.hear("event")
        if of == path:
            return (int(when) - began) / MS


WATCHING: dict[str, Callable[[Bench], Table]] = {
    "arming": arming,
    "drain": drain,
    "watcher-idle": watcher_idle,
    "snapshot": snapshot,
    "polling": polling,
}
