"""How long it takes from a save to the build command's first instruction."""

from __future__ import annotations

import os
from statistics import median
from typing import TYPE_CHECKING

from harness import BenchError, Log, Project, rest
from peers import HOTRUN, Peer
from report import Column, Group, Row, Table
from tool import Tool

from scenarios.editors import EDITORS, editors
from scenarios.saving import MODES, Saves, contenders, save_and_wait, saved_under

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness import Bench

SAID = {"rename": "a rename over it", "write": "a write in place"}
WRONG = "editors' saves that were not built once, as they were saved"
ONCE = " that builds an editor's save once"
BARS = {True: ("debounce = 0ms", 3), False: ("debounce = auto", 20)}


def reaction(bench: Bench) -> Table:
    """Measure it for each kind of save, beside the peers and the floor."""
    table = Table("reaction", "Save -> the build command's first instruction; 200 directories.")
    for fast, (said, most) in BARS.items():
        group = Group(
            MODES[fast], [*map(Column, SAID.values()), Column("builds too many", "", counts=True)]
        )
        for peer in contenders(bench, fast=fast):
            saves = _saves(bench, peer, table, fast=fast)
            if saves:
                extra = [sum(each.extra for each in saves)]
                group.rows[peer.name] = [*(each.reactions for each in saves), extra]
            if saves and peer is HOTRUN:
                table.rows += [
                    Row(f"{said}, {how}", each.reactions, most=most)
                    for how, each in zip(SAID.values(), saves, strict=True)
                ]
        calm, right = _editors(bench, table, fast=fast)
        table.groups += [group, calm]
        # Who builds too early is soon done: twice, or with a file that was still empty.
        rivals, whom, bar = (set(group.rows), "", 1.3) if fast else (right, ONCE, 1)
        table.rows += _beside(group, rivals, f"{said} / the fastest peer{whom}", bar)
    table.rows += _floors(bench)
    table.notes.append("The floor reads one inotify event, then vforks and execs the same stamp.")
    return table


def _saves(bench: Bench, peer: Peer, table: Table, *, fast: bool) -> list[Saves]:
    count = bench.some(30 if peer is HOTRUN else 10, 3)
    try:
        saves = [saved_under(bench, peer, how, count, fast=fast) for how in SAID]
    except BenchError as error:
        if peer is HOTRUN:
            raise
        table.notes.append(f"{peer.name}, {MODES[fast]}: {error}.")
        return []
    missed = sum(each.missed for each in saves)
    if missed:
        table.notes.append(f"{peer.name}, {MODES[fast]}: {missed} saves were not built in 5 s.")
    return saves


def _editors(bench: Bench, table: Table, *, fast: bool) -> tuple[Group, set[str]]:
    """Say how many builds an editor's save leads to, and who always builds it once."""
    columns = [Column(editor, "", counts=True) for editor in EDITORS]
    group, right = Group(f"builds per save of an editor, {MODES[fast]}", columns), set()
    for peer in contenders(bench, fast=fast):
        try:
            outcomes = list(editors(bench, peer, fast=fast).values())
        except BenchError as error:
            if peer is HOTRUN:
                raise
            table.notes.append(f"{peer.name}, an editor's save: {error}.")
            continue
        if peer is HOTRUN:
            wrong = [sum(each.wrong for each in outcomes)]
            count = sum(len(each.builds) for each in outcomes)
            table.rows.append(Row(f"{BARS[fast][0]}, {WRONG}", wrong, "", 0, count))
        group.rows[peer.name] = list(map(str, outcomes))
        if all(outcome.is_right for outcome in outcomes):
            right.add(peer.name)
    return group, right


def _beside(group: Group, rivals: set[str], name: str, most: float) -> Iterator[Row]:
    """Compare hotrun with the fastest of some peers."""
    medians = {tool: median(cells[0]) for tool, cells in group.rows.items() if cells[0]}
    ours = medians.pop(HOTRUN.name, None)
    rivals &= medians.keys()
    if rivals and ours is not None:
        best = min(rivals, key=medians.__getitem__)
        yield Row(f"{name} ({best})", [ours / medians[best]], "x", most)


def _floors(bench: Bench) -> list[Row]:
    rows = []
    for how, said in SAID.items():
        saves = _floor(bench, how)
        rows.append(Row(f"floor in C, {said}", saves.reactions))
        rows.append(Row("  beside it: how long the saving call took", saves.writing))
    return rows


def _floor(bench: Bench, how: str) -> Saves:
    name = f"floor-{how}"
    project, log = Project(bench.at(name)), Log(bench.at(f"{name}.stamps"))
    folder = os.path.dirname(project.source)
    command = bench.probe("floor", how, folder, *bench.probe("stamp", log.path))
    with Tool(command, project.path, bench.at(f"{name}.output")):
        rest(0.5)
        saves = save_and_wait(log, lambda: project.save(how), bench.some(30, 3), 0.1)
    saves.writing = [took / 1e6 for took in project.save_times]
    return saves
