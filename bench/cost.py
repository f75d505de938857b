"""What a process tree costs, read from /proc (proc(5)) without waking anything in it.

Law: none of these looks takes a lock that the measured tool needs, but for ``watches``, which is
for a tool that is at rest.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MB = 1024 * 1024
_TICK = 1e9 / os.sysconf("SC_CLK_TCK")  # nanoseconds


def tree(pid: int, without: frozenset[int] = frozenset()) -> list[int]:
    """Return a process and its descendants, leaving some out with all below them."""
    found = [pid]
    for task in _tasks(pid):
        for child in _read(f"{task}/children").split():
            if int(child) not in without:
                found += tree(int(child), without)
    return found


def switches(pids: Iterable[int]) -> int:
    """Return the context switches so far, of both kinds, in all threads."""
    total = 0
    for pid in pids:
        for task in _tasks(pid):
            lines = _read(f"{task}/status").splitlines()
            total += sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
    return total


def on_cpu(pids: Iterable[int]) -> int:
    """Return the nanoseconds that the threads which are there have been on a CPU."""
    stats = (_read(f"{task}/schedstat").split() for pid in pids for task in _tasks(pid))
    return sum(int(stat[0]) for stat in stats if stat)


def on_cpu_ever(pids: Iterable[int]) -> int:
    """Return the nanoseconds on a CPU, those of ended threads and reaped children included.

    To the tick of 10 ms: what a shell script costs is in its children.
    """
    stats = (_read(f"/proc/{pid}/stat").rpartition(")")[2].split() for pid in pids)
    return int(sum(sum(map(int, stat[11:15])) * _TICK for stat in stats if stat))


def peak(pids: Iterable[int]) -> int:
    """Return the bytes that were resident at most, added up over the processes."""
    lines = (line for pid in pids for line in _read(f"/proc/{pid}/status").splitlines())
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def watches(pids: Iterable[int]) -> int:
    """Return how many inotify watches are held; it locks what adds watches meanwhile."""
    total = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, PermissionError):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(FileNotFoundError):
                    if os.readlink(f"/proc/{pid}/fd/{fd}").endswith("inotify"):
                        total += _read(f"/proc/{pid}/fdinfo/{fd}").count("inotify wd:")
    return total


def watches_allowed() -> int:
    """Return how many watches the kernel lets one user have (inotify(7))."""
    with open("/proc/sys/fs/inotify/max_user_watches", encoding="ascii") as file:
        return int(file.read())


def command_of(pid: int) -> list[str]:
    """Return the arguments of a process; none when it has ended."""
    return _read(f"/proc/{pid}/cmdline").split("\0")[:-1]


def is_alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    stat = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return bool(stat) and stat[0] not in "ZX"


def _tasks(pid: int) -> Iterator[str]:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            yield f"/proc/{pid}/task/{thread}"


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""
