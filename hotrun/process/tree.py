"""Process trees: who descends from whom, and who still lives.

Linux reads /proc directly (28 us a tree, where psutil scans all processes); other systems ask
psutil. A process is a pid and the time it began, so that a pid used again is somebody else.
A zombie counts as gone: it holds no port and no file. Facts: proc(5).
"""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

LINUX = sys.platform == "linux"


class Process(NamedTuple):
    """One process: its pid and when it began, in the clock of the system."""

    pid: int
    began: float


def identify(pid: int) -> Process | None:
    """Return a living process; None when it is gone, or only a zombie."""
    if not LINUX:
        return _identify_elsewhere(pid)
    found = _stat(pid)
    if found is None or found[0] in "ZX":
        return None
    return Process(pid, float(found[2]))


def alive(process: Process) -> bool:
    """Whether this very process still lives."""
    return identify(process.pid) == process


def descendants(pid: int) -> set[Process]:
    """Return all living descendants of a process, without itself."""
    if not LINUX:
        return _descendants_elsewhere(pid)
    found: set[Process] = set()
    seen = {pid}
    stack = children(pid)
    while stack:
        child = stack.pop()
        if child in seen:
            continue
        seen.add(child)
        process = identify(child)
        if process is not None:
            found.add(process)
        stack.extend(children(child))
    return found


def children(pid: int) -> list[int]:
    """Return the children of a process, zombies among them (Linux)."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:  # each thread has the children it started
        try:
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                found.extend(map(int, file.read().split()))
        except OSError:
            continue
    return found


def group_lives(group: int) -> bool:
    """Whether a process group has a member that is more than a zombie."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # members we may not signal: on macOS, a group of zombies
        return LINUX and _scan(group)
    return _scan(group) if LINUX else True


def _scan(group: int) -> bool:
    """Look at each member: ``killpg`` counts zombies too."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            found = _stat(int(name))
            if found is not None and found[1] == group and found[0] not in "ZX":
                return True
    return False


def carries(pid: int, cookie: str) -> bool:
    """Whether a process was started with this ``NAME=value`` in its environment (Linux)."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return os.fsencode(cookie) in file.read().split(b"\0")
    except OSError:
        return False


def _stat(pid: int) -> tuple[str, int, str] | None:
    """Return state, process group and start time of a pid."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name in parentheses may hold anything, so read from its end.
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return fields[0].decode(), int(fields[2]), fields[19].decode()


def _identify_elsewhere(pid: int) -> Process | None:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Process(pid, process.create_time())
    except psutil.Error:
        return None


def _descendants_elsewhere(pid: int) -> set[Process]:
    import psutil

    try:
        below = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return set()
    return {found for each in below if (found := identify(each.pid)) is not None}
