"""How long it takes from a save to the first instruction of the new app, and who is turned away.

The build takes 20 ms and the app ends at once on SIGTERM. Both stamp their first instruction, the
build its last one too, so that what is left is what the tool adds: before the build and after it.
Each save is a rename over the file. Hotrun and the floor wait side by side and are saved in turns:
only one of them has work to do.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness import MS, BenchError, Log, Project, rest
from peers import HOTRUN, Peer, Work
from report import Column, Group, Row, Table
from tool import Tool

from hotrun.alarms import settle_time
from hotrun.facts import Quiet
from scenarios.saving import MODES, WARM_UP, contenders, name_of, until_armed, until_quiet
from scenarios.window import window

if TYPE_CHECKING:
    from harness import Bench

MOST = 3  # the bar, in milliseconds, over the settle and the build's own time
SETTLE = {"0ms": 0.0, "auto": settle_time(None, Quiet.SAVE) * 1000}
BUILD = "20"  # milliseconds
COLUMNS = (
    Column("save -> new app's start, less the build"),
    Column("save -> build's start"),
    Column("build's end -> new app's start"),
)


@dataclass(slots=True)
class Restarts:
    """What a tool took around the build, of each save, in milliseconds.

    Attributes:
        before: From the save to the build's first instruction.
        after: From the build's last to the app's first.
    """

    before: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)

    @property
    def both(self) -> list[float]:
        """The sums."""
        return [sum(pair) for pair in zip(self.before, self.after, strict=True)]


class Site:
    """A project that one tool builds and restarts."""

    def __init__(self, name: str, directories: int = 200) -> None:
        self.name = name
        self.project = Project(name, directories)
        self.builds, self.apps = Log(f"{name}.builds"), Log(f"{name}.apps")

    def work(self, bench: Bench, *, fast: bool) -> Work:
        """Return what is to be done in it."""
        build = bench.probe("build", self.builds.path, BUILD, self.project.source)
        return Work(
            self.project.path,
            build,
            bench.probe("app", self.apps.path),
            fast=fast,
            chain=bench.probe("chain")[0],
        )

    def start(self, command: list[str]) -> Tool:
        """Start a tool in it."""
        return Tool(command, self.project.path, f"{self.name}.output")

    def restart(self) -> tuple[float, float]:
        """Save, wait for the new app, and return the times around the build."""
        count = len(self.apps.lines())
        saved = self.project.save("rename")
        started = int(self.apps.wait(count + 1, "the new app", 15)[0])
        begin, end = (int(line[1]) for line in self.builds.lines()[-2:])
        return (begin - saved) / MS, (started - end) / MS


def restart(bench: Bench) -> Table:
    """Measure it beside the floor and the peers, and count the refused connections."""
    table = Table(
        "restart",
        f"Save -> the new app's first instruction, less the build's own {BUILD} ms, and for hotrun "
        "less settle. The app exits at once on SIGTERM.",
    )
    _beside_floor(bench, table)
    for fast in (False, True) if not bench.quick else ():
        table.groups.append(_beside_peers(bench, table, fast=fast))
    window(bench, table)
    table.notes.append("The floor does the same with no settle, no output and no console.")
    table.notes.append(f"Settle is {SETTLE['auto']:g} ms with debounce = auto.")
    return table


# --- beside the floor ----------------------------------------------------------------------


def _beside_floor(bench: Bench, table: Table) -> None:
    seen = _in_turns(bench)
    floor = seen.pop("floor in C")
    for debounce, ours in seen.items():
        settle = SETTLE[debounce]
        ours.before = [before - settle for before in ours.before]
        over = [our - bare for our, bare in zip(ours.both, floor.both, strict=True)]
        name = f"debounce = {debounce}"
        table.rows.append(Row(f"{name}: added over the floor", over, most=MOST))
        # The narrower reading: of the floor only what follows the build, the app's own start.
        narrow = [our - bare for our, bare in zip(ours.both, floor.after, strict=True)]
        table.rows.append(
            Row(f"{name}: added over the floor's start of the app", narrow, most=MOST)
        )
        table.rows += _parts(f"{name}: added", ours)
    table.rows += _parts("floor in C: added", floor)
    table.notes.append(
        "Over the floor: save by save, as the app's own start and its predecessor's end cost "
        "anybody something."
    )


def _parts(what: str, seen: Restarts) -> list[Row]:
    return [
        Row(what, seen.both),
        Row("  of it until the build starts", seen.before),
        Row("  of it from the build's end to the app's start", seen.after),
    ]


def _in_turns(bench: Bench) -> dict[str, Restarts]:
    """Restart under hotrun, with each debounce, and under the floor, in turns."""
    sites = {name: Site(bench.at(f"restart-{name[:5]}")) for name in (*SETTLE, "floor in C")}
    seen = {name: Restarts() for name in sites}
    tools = []
    with ExitStack() as stack:
        for name, site in sites.items():
            tools.append(stack.enter_context(site.start(_command(bench, name, site))))
            site.apps.wait(1, "the first app")
        rest(0.5)
        for trial in range(WARM_UP + bench.some(30, 3)):
            for name, site in sites.items():
                rest(0.1)
                before, after = site.restart()
                if trial >= WARM_UP:
                    seen[name].before.append(before)
                    seen[name].after.append(after)
        for tool in tools:  # before any of them sweeps up what began since its own start
            tool.end()
    return seen


def _command(bench: Bench, name: str, site: Site) -> list[str]:
    work = site.work(bench, fast=name == "0ms")
    if name in SETTLE:
        return HOTRUN.call(work)
    folder = os.path.dirname(site.project.source)
    return bench.probe("floor", "rename", folder, *work.build, "--", *work.app)


# --- beside the peers ----------------------------------------------------------------------


def _beside_peers(bench: Bench, table: Table, *, fast: bool) -> Group:
    group = Group(f"restart, {MODES[fast]}", COLUMNS)
    for peer in contenders(bench, fast=fast):
        if not peer.restarts:
            continue
        try:
            seen = _restarts(bench, peer, fast=fast)
        except BenchError as error:
            if peer is HOTRUN:
                raise
            group.rows[peer.name] = ["-"] * len(COLUMNS)
            table.notes.append(f"{peer.name}, {group.name}: {error}.")
        else:
            group.rows[peer.name] = [seen.both, seen.before, seen.after]
    return group


def _restarts(bench: Bench, peer: Peer, *, fast: bool) -> Restarts:
    """Restart again and again under one tool."""
    site, seen = Site(name_of(bench, peer, "restarts", fast)), Restarts()
    with site.start(peer.call(site.work(bench, fast=fast))):
        site.apps.wait(1, "the first app")
        until_armed(peer, site.apps)
        for trial in range(WARM_UP + 10):
            before, after = site.restart()
            until_quiet(site.apps, 0.15 if fast else 0.25)
            if trial >= WARM_UP:
                seen.before.append(before)
                seen.after.append(after)
    return seen
