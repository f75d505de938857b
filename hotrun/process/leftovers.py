"""What an earlier hotrun of a project left running: found by its session file, and stopped.

The guardian was killed together with its hotrun: then the file (session_file.py) says what was
started, and the process table what of it still lives.

Law: nothing else is ever touched. A process is a pid and the time it began; of a group without
its first process only what was in the session counts; who asks is never among the left. Of
directories only those go that have name and inode of one that hotrun made, and are our user's.
"""

from __future__ import annotations

import os
import signal
import stat as modes
import time
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple
from hotrun.process import mark, scratch, session_file, session_log, tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotrun.process.session_log import Group, Log, Made
    from hotrun.process.tree import Process, Stat

GRACE = 5.0  # seconds between SIGTERM and SIGKILL
PATIENCE = 2.0  # seconds in which a guardian is done: half a second of grace, and a busy machine
LOOK = 0.02  # seconds between two looks: nobody tells us of the end of what is no child of ours
KILLS = 100  # looks after the first SIGKILL; what sleeps in the kernel (state D) outlives them


class Leftover(NamedTuple):
    """A process that should be gone.

    Args:
        process: Its pid and when it began.
        command: Its command line, printable.
        since: When it began, in seconds of Unix time.
        kind: Of what it is left: "app" or "build".
    """

    process: Process
    command: str
    since: float
    kind: str


class Session(NamedTuple):
    """A session of the project that runs, or that ended without taking its leave.

    Args:
        path: Its file.
        identity: Device and inode of the file.
        hotrun: Its hotrun.
        since: When it began, in seconds of Unix time.
        alive: It runs: nothing of it is left over.
        guardian_alive: Its guardian lives; when it does not run, that is at work now.
        leftovers: What should be gone, the oldest first.
        made: Directories that it made and that should be gone.
    """

    path: str
    identity: tuple[int, int]
    hotrun: Process
    since: float
    alive: bool
    guardian_alive: bool
    leftovers: tuple[Leftover, ...]
    made: tuple[Made, ...] = ()


def find(directory: str) -> list[Session]:
    """Return the sessions of a project that its session files tell of.

    Those of another container are not told of unless they run: their pids say nothing here.
    """
    logs = list(session_log.logs(directory))
    here = session_file.here() if logs else ""
    boot = here.partition(":")[0]
    known = [log for log in logs if log.locked or log.here == here or not log.here.startswith(boot)]
    return [_session(log, here) for log in known]


def settled(directory: str, patience: float = PATIENCE) -> list[Session]:
    """``find``, after a guardian that is at work had its moment to end what it guards."""
    until = time.monotonic() + patience
    while True:
        sessions = find(directory)
        at_work = any(session.guardian_alive and not session.alive for session in sessions)
        if not at_work or time.monotonic() > until:
            return sessions
        time.sleep(LOOK)


def forget(session: Session) -> None:
    """Delete the file of a session that has ended and left nothing, or not any more.

    And the directories that it had made for its builds, if they are still those.
    """
    if session.alive:
        return
    for made in session.made:
        if _is_ours(made):
            scratch.remove(made.path)
    session_file.remove(session.path, session.identity)


def _is_ours(made: Made) -> bool:
    """Whether a directory is the one that was made, and no link to it."""
    try:
        stat = os.lstat(made.path)
    except (OSError, ValueError):  # gone, or no path at all
        return False
    is_it = (stat.st_dev, stat.st_ino) == made.identity and modes.S_ISDIR(stat.st_mode)
    return is_it and stat.st_uid == os.geteuid()


def stop(leftovers: Iterable[Leftover], grace: float = GRACE) -> list[Leftover]:
    """End processes and what descends from them: SIGTERM once, SIGKILL after the grace.

    Returns:
        What still lives: of another user, or asleep in the kernel.
    """
    left = _grown({leftover.process: leftover for leftover in leftovers})
    told: set[Process] = set()
    until = time.monotonic() + grace
    while left and time.monotonic() < until:
        for process in left.keys() - told:
            _terminate(process)
        told |= left.keys()
        time.sleep(LOOK)
        left = _grown(left)
    for _ in range(KILLS):
        if not left:
            break
        for process in left:
            tree.send(process, signal.SIGKILL)
        time.sleep(LOOK)
        left = _grown(left)
    return list(left.values())


def _terminate(process: Process) -> None:
    stat = tree.read(process.pid)
    tree.send(process, signal.SIGTERM)
    if stat is not None:
        tree.wake(stat)


# --- who is left ---


def _session(log: Log, here: str) -> Session:
    same = log.here == here
    alive = log.locked or (same and tree.alive(log.hotrun))
    guarded = same and tree.alive(log.guardian)
    left = tuple(_left_of(log)) if same and not alive else ()
    made = log.made if same and not alive else ()
    return Session(log.path, log.identity, log.hotrun, log.since, alive, guarded, left, made)


def _left_of(log: Log) -> list[Leftover]:
    table = {pid: stat for pid, stat in tree.everyone().items() if stat.alive}
    found: dict[Process, Leftover] = {}
    for group in log.groups:
        for stat in _members(group, log.sid, table):
            found[stat.process] = _leftover(stat, group.kind, group.command)
    for stat in table.values():
        if mark.belongs(stat.pid, log.cookie):
            found[stat.process] = _leftover(stat, "app")
    return sorted(_grown(found).values(), key=lambda left: (left.process.began, left.process.pid))


def _members(group: Group, sid: int, table: dict[int, Stat]) -> list[Stat]:
    """Return who lives of a group, if its number was not given to another one.

    The kernel gives no pid away that is the number of a group. When the first process is gone,
    only what is of the old session, and not older than it, can have been of its group.
    """
    first = tree.read(group.first.pid)
    if first is not None and first.process != group.first:
        return []
    members = [stat for stat in table.values() if stat.group == group.first.pid]
    return [s for s in members if s.session == sid and s.process.began >= group.first.began]


def _grown(left: dict[Process, Leftover]) -> dict[Process, Leftover]:
    """Look again: who still lives of them, and all below; but never who asks, nor its parents.

    Whoever left the session of a build did so to stay (compile servers).
    """
    ours = _ourselves()
    found: dict[Process, Leftover] = {}
    for process, leftover in left.items():
        stat = tree.read(process.pid)
        if stat is None or stat.process != process or not stat.alive:
            continue
        for each in (stat, *tree.below([process.pid])):
            if leftover.kind == "app" or each.session == stat.session:
                known = left.get(each.process) or found.get(each.process)
                found[each.process] = known or _leftover(each, leftover.kind)
    return {process: each for process, each in found.items() if process.pid not in ours}


def _ourselves() -> set[int]:
    """Return our pid, and those of our parents up to the first."""
    found: set[int] = set()
    pid = os.getpid()
    while pid > 0 and pid not in found:
        found.add(pid)
        stat = tree.read(pid)
        pid = stat.parent if stat is not None else 0
    return found


def _leftover(stat: Stat, kind: str, recorded: str = "") -> Leftover:
    command = tree.command_line(stat.pid) or recorded or "?"
    shown = "".join(char if char.isprintable() else "\ufffd" for char in command)
    return Leftover(stat.process, shown[: session_file.LONGEST], _since(stat.process), kind)


def _since(process: Process) -> float:
    if not tree.LINUX:
        return process.began
    up = time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.time() - up + process.began / os.sysconf("SC_CLK_TCK")
