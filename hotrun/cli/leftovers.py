"""``hotrun leftovers``: what an earlier hotrun of this project left, and on request its end."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from hotrun.errors import ConfigError, HotrunError

if TYPE_CHECKING:
    from hotrun.process.leftovers import Leftover, Session
    from hotrun.process.tree import Process


@click.command(epilog="Example: hotrun leftovers --stop")
@click.option("--stop", "stops", is_flag=True, help="Stop them: SIGTERM, and SIGKILL after 5 s.")
@click.option("-C", "--directory", metavar="DIR", default=".", help="The project's directory.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object to stdout.")
def leftovers(stops: bool, directory: str, as_json: bool) -> int:
    """List the processes that an earlier hotrun of this project started and that still live.

    That happens when hotrun and its guardian were both killed. A hotrun that runs here is named
    and left alone. Exit code 1: something could not be stopped.
    """
    from hotrun.process import leftovers as rest

    place = _project(directory)
    sessions = rest.settled(place)
    found = [left for session in sessions for left in session.leftovers]
    survivors = _stop(place, found) if stops and found else []
    for session in rest.find(place) if survivors or stops else sessions:
        if not session.leftovers and not session.guardian_alive:
            rest.forget(session)
    running = [session for session in sessions if session.alive]
    alive = {left.process for left in survivors}
    if as_json:
        _write(place, running, found, alive if stops else None)
    else:
        _show(place, running, found, alive if stops else None)
    if survivors:
        raise _unstoppable(survivors)
    return 0


def _project(directory: str) -> str:
    try:
        place = os.path.abspath(directory)
    except FileNotFoundError as error:
        raise ConfigError("the current directory was deleted", "cd into one") from error
    if not os.path.isdir(place):
        raise ConfigError(f"{directory} is not a directory", "name the project's with -C DIR")
    return place


def _stop(place: str, found: list[Leftover]) -> list[Leftover]:
    """Stop them, and what they started meanwhile; return what still lives."""
    from hotrun.process import leftovers as rest

    survivors = rest.stop(found)
    later = [left for session in rest.find(place) for left in session.leftovers]
    return rest.stop(later, 0) if later else survivors


def _show(
    place: str, running: list[Session], found: list[Leftover], alive: set[Process] | None
) -> None:
    for session in running:
        since = _when(session.since)
        click.echo(f"hotrun runs here: pid {session.hotrun.pid}, since {since}")
    if not found:
        click.echo(f"no leftovers in {place}")
        return
    rows = [(str(left.process.pid), _when(left.since), left.command) for left in found]
    if alive is not None:
        stopped = [row for row, left in zip(rows, found, strict=True) if left.process not in alive]
        for pid, since, command in stopped:
            click.echo(f"stopped pid {pid}, since {since}: {command}")
        return
    rows.insert(0, ("pid", "since", "command"))
    pids, whens = (max(len(row[column]) for row in rows) for column in (0, 1))
    for pid, since, command in rows:
        click.echo(f"{pid:>{pids}}  {since:<{whens}}  {command}")
    click.echo("hint: `hotrun leftovers --stop` stops them", err=True)


def _write(
    place: str, running: list[Session], found: list[Leftover], alive: set[Process] | None
) -> None:
    import json

    left = [
        {
            "pid": each.process.pid,
            "since": each.since,
            "command": each.command,
            "kind": each.kind,
            "stopped": alive is not None and each.process not in alive,
        }
        for each in found
    ]
    sessions = [{"pid": each.hotrun.pid, "since": each.since} for each in running]
    click.echo(json.dumps({"v": 1, "directory": place, "running": sessions, "leftovers": left}))


def _when(seconds: float) -> str:
    then, now = time.localtime(seconds), time.localtime()
    today = then[:3] == now[:3]
    return time.strftime("%H:%M" if today else "%Y-%m-%d %H:%M", then)


def _unstoppable(survivors: list[Leftover]) -> HotrunError:
    pids = ", ".join(str(left.process.pid) for left in survivors)
    many = f"{len(survivors)} processes" if len(survivors) > 1 else "a process"
    return HotrunError(
        f"{many} could not be stopped: pid {pids}",
        "they may be another user's: look at them with ps -o user,state,args -p PID",
    )
