"""How soon the new app runs when the old one has ended; there is no build.

The apps stamp when they hear SIGTERM, their last act and their first instruction.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness import MS, Log, Project, rest
from report import Row, Table
from tool import Tool, session

from scenarios.apps import free_port, listening, only_run, wait_begun

if TYPE_CHECKING:
    from harness import Bench

WARM_UP = 3
LAST = "old tree's end -> new app's start"


@dataclass(slots=True)
class Replacements:
    """What became of one app after the other, in milliseconds.

    Attributes:
        last: From the last act of the old tree to the first instruction of the new app.
        gap: From the stop signal, as the old one heard it, to that instruction.
        saved: From the save to that instruction, less what the old app's end took.
    """

    last: list[float] = field(default_factory=list)
    gap: list[float] = field(default_factory=list)
    saved: list[float] = field(default_factory=list)

    def add(self, saved: int, told: list[list[str]]) -> None:
        """Take what the old app and the new one told since the old one's start."""
        heard = min(int(line[1]) for line in told if line[0] == "heard")
        end = max(int(line[1]) for line in told if line[0] == "end")
        begin = next(int(line[1]) for line in told if line[0] == "begin")
        self.last.append((begin - end) / MS)
        self.gap.append((begin - heard) / MS)
        self.saved.append((begin - saved - (end - heard)) / MS)


def replace(bench: Bench) -> Table:
    """Measure it for apps that end at once, late, and with a worker that ends last."""
    table = Table(
        "replace",
        "A save, no build, debounce = 0ms: the old app stamps SIGTERM and its last act, the new "
        "one its first instruction. The gap is from one to the other: no app serves.",
    )
    for name, lines in (("ends at once", ()), ("ends at once, listen", (listening(free_port()),))):
        seen = _replaced(bench, name, ("0",), *lines)
        table.rows += [
            Row(f"{name}: {LAST}", seen.last, most=3),
            Row(f"{name}: the gap", seen.gap, most=10),
            Row(f"{name}: save -> new app's start, less the app's own end", seen.saved, most=10),
        ]
    late = _replaced(bench, "ends after 50 ms", ("50",), 'stop_timeout = "30s"')
    table.rows += [
        Row(f"ends after 50 ms: {LAST}", late.last, most=3),
        Row("ends after 50 ms, stop_timeout = 30s: the gap", late.gap, most=150),
    ]
    whole = _replaced(bench, "its worker ends last", ("20", "worker"))
    table.rows.append(Row(f"a worker ends 20 ms later: {LAST}", whole.last, most=3))
    table.rows.append(Row(f"floor in C: {LAST}", _replaced_by_floor(bench).last))
    table.notes.append("The floor stops by kill and waitpid, and starts by vfork and exec.")
    return table


def _replaced(bench: Bench, name: str, how: tuple[str, ...], *lines: str) -> Replacements:
    name = f"replace-{name.replace(' ', '-')}"
    project, log = Project(bench.at(name), 20), Log(bench.at(f"{name}.log"))
    only_run(project, bench.probe("ender", log.path, *how), *lines)
    with session(project):
        return _save_and_see(bench, project, log)


def _replaced_by_floor(bench: Bench) -> Replacements:
    project, log = Project(bench.at("replace-floor")), Log(bench.at("replace-floor.log"))
    folder = os.path.dirname(project.source)
    app = bench.probe("ender", log.path, "0")
    build = bench.probe("stamp", os.devnull)
    command = bench.probe("floor", "rename", folder, *build, "--", *app)
    with Tool(command, project.path, bench.at("replace-floor.output")):
        return _save_and_see(bench, project, log)


def _save_and_see(bench: Bench, project: Project, log: Log) -> Replacements:
    """Save again and again, each time until the new app runs."""
    seen = Replacements()
    wait_begun(log, 1)
    rest(0.5)
    warm_up = bench.some(WARM_UP, 1)
    for trial in range(warm_up + bench.some(30, 2)):
        rest(0.15)
        before = len(log.lines())
        saved = project.save("rename")
        wait_begun(log, trial + 2)
        if trial >= warm_up:
            seen.add(saved, log.lines()[before:])
    return seen
