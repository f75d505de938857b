"""Who of an app's children outlives the app.

The probe `family` has five that leave it in five ways. A save replaces the family, or a signal ends
the tool; then the old family has some time to end, and a tool is judged by the names of those that
live on, "tool" being the tool itself. The harness is a subreaper, so what is left behind becomes
its child instead of init's: that changes who its parent is, not whether it lives.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from cost import is_alive
from harness import BenchError, Log, Project, until
from peers import HOTRUN, Peer, Work
from report import Column, Group, Row, Table
from tool import Tool
from tool import orphans as left_behind

from scenarios.saving import name_of, until_armed, until_quiet
from scenarios.signals import ASKING, happens, heed, kill, send, stop_timeout

if TYPE_CHECKING:
    from harness import Bench

MEMBERS = 6  # the app and its children
ENDS = {  # of a family: the signal to the tool; 0 is a save
    "a restart": 0,
    **{each.name: each for each in (*ASKING, signal.SIGKILL)},
}
PATIENCE = 15.0  # seconds for a tool to restart or to end: some wait 10 before they kill
GRACE = 3.0  # seconds for the family to end after that
QUICK = "200ms"  # hotrun's stop_timeout in a quick run


def orphans(bench: Bench) -> Table:
    """Fill the matrix: the tools, and the five ways in which a family comes to its end."""
    table = Table(
        "orphans",
        "An app has five children: in its group, in a session of its own (setsid), ignoring the "
        "signals (ignterm), a daemon, and in a session with a cleared environment. Named is who "
        f"lives {GRACE:g} s after the new app is there, or after a signal has ended the tool.",
    )
    heed()
    ours = {end: _survivors(bench, HOTRUN, end) for end in ENDS}
    table.rows = [Row(f"survivors after {end}", [len(ours[end])], "", 0) for end in ENDS]
    group = Group("survivors", [Column(f"after {end}", "") for end in ENDS])
    group.rows[HOTRUN.name] = [_said(names) for names in ours.values()]
    for peer in bench.peers:
        if peer.restarts:
            group.rows[peer.name] = [_cell(bench, peer, end) for end in ENDS]
        else:
            table.notes.append(f"{peer.name} replaces no app.")
    table.groups += [group] if bench.peers else []
    if bench.quick:
        table.notes.append(f'hotrun has stop_timeout = "{QUICK}".')
    return table


def _cell(bench: Bench, peer: Peer, end: str) -> str:
    try:
        return _said(_survivors(bench, peer, end))
    except BenchError as error:
        return str(error)


def _said(names: list[str]) -> str:
    return ", ".join(names) or "none"


def _survivors(bench: Bench, peer: Peer, end: str) -> list[str]:
    """Bring one family to its end, and return who is alive.

    Raises:
        BenchError: no new one came.
    """
    name = name_of(bench, peer, "orphans", end)
    project, log = Project(name, 20), Log(f"{name}.log")
    build, app = bench.probe("stamp", os.devnull), bench.probe("family", log.path)
    command = peer.call(Work(project.path, build, app, chain=bench.probe("chain")[0]))
    if bench.quick:
        stop_timeout(project, QUICK)
    with Tool(command, project.path, f"{name}.output") as tool:
        try:
            until("a family", lambda: len(log.lines()) == MEMBERS)
            if ENDS[end]:
                until_quiet(log, 0.3)
            else:
                until_armed(peer, log)
            return _bring_to_its_end(tool, peer, project, log, ENDS[end])
        finally:
            kill((int(pid) for _, pid, _ in log.lines()), app)


def _bring_to_its_end(tool: Tool, peer: Peer, project: Project, log: Log, number: int) -> list[str]:
    family = log.lines()
    if number:
        send(tool, peer, number)
        happens(lambda: tool.code is not None, PATIENCE)
    else:
        project.save("rename")
        until("a new app", lambda: len(log.lines()) == 2 * MEMBERS, PATIENCE)
    # hotrun's guardian is not of the family, yet what it does is not over before it ends.
    happens(lambda: not _alive(family) and not (number and left_behind()), GRACE)
    return (["tool"] if number and tool.code is None else []) + sorted(_alive(family))


def _alive(family: list[list[str]]) -> list[str]:
    return [name for name, pid, _ in family if is_alive(int(pid))]
