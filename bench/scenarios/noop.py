"""How many builds follow what changes no byte.

hotrun has debounce = 0ms for the bars, so that no delay hides an event; beside the peers every tool
has its default settings. A real change comes first: how soon it is built tells how long to wait for
a build that should not come.
"""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

from harness import MS, BenchError, Log, Project, rest, write
from peers import HOTRUN, Peer, Work
from report import Column, Group, Row, Table
from tool import Tool

from scenarios.saving import contenders, name_of, until_armed, until_quiet

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness import Bench

    Acts = dict[str, Callable[[], object]]

CHANGE = "a change"
BARRED = (
    "touch",
    "the same bytes in place",
    "the same bytes by a rename",
    "chmod",
    "a read",
    "a swap file",
)
MARGIN = 1.0  # seconds beyond a tool's own reaction that are waited at most


def noop(bench: Bench) -> Table:
    """Count them, of hotrun without a delay and of each tool as it is."""
    table = Table("noop", "Builds that follow each of these; hotrun's bars are for debounce = 0ms.")
    table.rows = _bars(bench)
    if not bench.peers:
        return table
    group = Group("builds per act, default settings", [])
    for peer in contenders(bench, fast=False):
        try:
            counts = _counts(bench, peer)
        except BenchError as error:
            table.notes.append(f"{peer.name}: {error}.")
            continue
        group.columns = [Column(act, "", counts=True) for act in counts]
        group.rows[peer.name] = list(counts.values())
    table.groups.append(group)
    table.notes.append(
        "Another file is notes.md with new bytes: nodemon and watchmedo are told to watch *.txt, "
        "the others build whatever is in the tree."
    )
    return table


def _bars(bench: Bench) -> list[Row]:
    """Do each act again and again under hotrun, and a real change after all of them."""
    name = bench.at("noop")
    project, log = Project(name, 20), Log(f"{name}.stamps")
    acts = _acts(project)
    work = Work(project.path, bench.probe("stamp", log.path), fast=True)
    count = bench.some(20, 2)
    with Tool(HOTRUN.call(work), project.path, f"{name}.output"):
        log.wait(1, "the first build")
        until_quiet(log, 1.2)  # a touch is no change once the tree has been listed
        rows = [
            Row(act, [_follow(log, acts[act], 0.1, count)], "builds", 0, count) for act in BARRED
        ]
        before = len(log.lines())
        project.save("write")
        log.wait(before + 1, "the build of a real change")
    return rows


def _follow(log: Log, act: Callable[[], object], pause: float, count: int) -> int:
    before = len(log.lines())
    for _ in range(count):
        act()
        rest(pause)
    rest(0.4)
    return len(log.lines()) - before


def _counts(bench: Bench, peer: Peer) -> dict[str, list[float]]:
    """Return, for each act, how many builds each trial of it led to."""
    name = name_of(bench, peer, "noop")
    project, log = Project(name, 20), Log(f"{name}.stamps")
    acts = _acts(project)
    work = Work(project.path, bench.probe("stamp", log.path))
    with Tool(peer.call(work), project.path, f"{name}.output"):
        log.wait(1, "the first build")
        until_armed(peer, log)
        patience = _patience(log, project)
        counts: dict[str, list[float]] = {act: [] for act in acts}
        for _ in range(3):
            for act, do in acts.items():
                before = len(log.lines())
                do()
                time.sleep(patience)
                counts[act].append(len(log.lines()) - before)
    return counts


def _patience(log: Log, project: Project) -> float:
    """Return the seconds that a build can take to come: three times what a change takes."""
    slowest = 0.0
    for _ in range(3):
        before = len(log.lines())
        saved = project.save("write")
        stamp = int(log.wait(before + 1, "the build of a change", 10)[0])
        slowest = max(slowest, (stamp - saved) / MS / 1000)
        until_quiet(log, 0.6)
    return max(0.3, min(3 * slowest, slowest + MARGIN))


def _acts(project: Project) -> Acts:
    """Return what is done to the source, or beside it, by its name."""
    source, notes = project.source, project.at("src/notes.md")
    write(notes, "notes\n")
    return {
        CHANGE: lambda: project.save("write"),
        "touch": lambda: os.utime(source),
        "the same bytes in place": lambda: write(source, _text(source)),
        "the same bytes by a rename": lambda: _rename_same(project),
        "deleted, written anew": lambda: _anew(source),
        "chmod": lambda: os.chmod(source, os.stat(source).st_mode ^ 0o040),
        "a read": lambda: _text(source),
        "another file": lambda: write(notes, f"{time.monotonic_ns()}\n"),
        "a swap file": lambda: _swap(project.at("src/.main.txt.swp")),
    }


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _rename_same(project: Project) -> None:
    beside = f"{project.path}.same"
    shutil.copyfile(project.source, beside)
    os.rename(beside, project.source)


def _anew(path: str) -> None:
    text = _text(path)
    os.unlink(path)
    write(path, text)


def _swap(path: str) -> None:
    """Do as vim does while a file is open."""
    write(path, "b0VIM\n")
    os.unlink(path)
