"""Process trees: who descends from whom, and who still lives.

Linux reads /proc directly (28 us a tree, where psutil scans all processes); other systems ask
psutil. A process is a pid and the time it began, so that a pid used again is somebody else.
A zombie counts as gone: it holds no port and no file. Facts: proc(5).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LINUX = sys.platform == "linux"
# A kernel without CONFIG_PROC_CHILDREN has no such file, and the whole table is read instead.
HAS_CHILDREN = os.path.exists("/proc/thread-self/children")
TICKS = os.sysconf("SC_CLK_TCK") if LINUX else 0  # a second
MOMENT = 0.0002  # seconds between two looks at a process in the middle of an exec or exit
MOMENT_LOOKS = 100
PIECE = 64 * 1024
WITHSTOOD = (b"SigBlk:", b"SigIgn:", b"SigCgt:")  # lines of /proc/PID/status
PF_KTHREAD = 0x00200000  # include/linux/sched.h: a thread of the kernel never has any


class Process(NamedTuple):
    """One process: its pid and when it began, in the clock of the system."""

    pid: int
    began: float


class Stat(NamedTuple):
    """A process as it was when we looked."""

    process: Process
    parent: int
    group: int
    session: int
    alive: bool
    stopped: bool

    @property
    def pid(self) -> int:
        """The pid of the process."""
        return self.process.pid


def read(pid: int) -> Stat | None:
    """Look at a pid; None when nothing has it."""
    return _read_proc(pid) if LINUX else _read_psutil(pid)


def now() -> int:
    """Return the time in the clock of ``Process.began``, rounded down."""
    if LINUX:  # in ticks since boot (proc(5), starttime)
        return int(time.clock_gettime(time.CLOCK_BOOTTIME) * TICKS)
    return int(time.time())


def alive(process: Process) -> bool:
    """Whether this very process still lives."""
    stat = read(process.pid)
    return stat is not None and stat.process == process and stat.alive


def below(roots: Iterable[int], *, zombies: bool = False) -> list[Stat]:
    """Return all living descendants of some processes, without themselves.

    While a parent reaps, the kernel may leave out a sibling of the reaped one (proc(5)): one
    look is a snapshot, and no proof. The children of ourselves, whom nobody else reaps, are
    always complete; that is where everything ends up whose parent is gone.

    Args:
        roots: Their pids.
        zombies: Return those too that have ended and that nobody has waited for.
    """
    if LINUX and HAS_CHILDREN:
        return walk(roots, children, read, zombies=zombies)
    table = everyone()
    return walk(roots, _by_parent(table), table.get, zombies=zombies)


def walk(
    roots: Iterable[int],
    children_of: Callable[[int], list[int]],
    stat_of: Callable[[int], Stat | None],
    *,
    zombies: bool = False,
) -> list[Stat]:
    """Collect the living below the roots, parents before their children."""
    found: list[Stat] = []
    stack = list(dict.fromkeys(roots))
    seen = set(stack)
    for parent in stack:  # grows while we walk
        for pid in children_of(parent):
            stat = stat_of(pid) if pid not in seen else None
            if stat is not None:
                seen.add(pid)
                stack.append(pid)
                found.extend([stat] if stat.alive or zombies else ())
    return found


def children(pid: int, *, first: bool = False) -> list[int]:
    """Return the children of a process, zombies among them.

    Args:
        pid: The process.
        first: Those of its first thread will do: orphans come to that (exit(2), subreapers).
    """
    if not (LINUX and HAS_CHILDREN):
        return _by_parent(everyone())(pid)
    found: list[int] = []
    try:
        threads = [str(pid)] if first or _has_one_thread(pid) else os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:  # each thread has the children it started
        try:
            found.extend(map(int, content(f"/proc/{pid}/task/{thread}/children").split()))
        except OSError:
            continue
    return found


def members(group: int) -> list[Stat]:
    """Return the living members of a process group.

    Reads the whole table, because ``killpg`` counts zombies too; but asks that first, and the
    answer is mostly that the group is gone.
    """
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return []
    except PermissionError:  # none may be signalled: they are another user's, or zombies (macOS)
        pass
    return [stat for stat in everyone().values() if stat.alive and stat.group == group]


def pids() -> list[int]:
    """Return the pids of the whole process table."""
    if LINUX:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    import psutil

    return psutil.pids()


def everyone() -> dict[int, Stat]:
    """Return the whole process table."""
    return _everyone_proc() if LINUX else _everyone_psutil()


def carries(pid: int, cookie: str) -> bool:
    """Whether a process was started with this ``NAME=value`` in its environment (Linux).

    In the middle of an exec(2), and for a moment of its exit(2), a process has no memory, and
    so no environment: it is asked again.
    """
    settled = False
    for _ in range(MOMENT_LOOKS):
        environment = _environment(pid)
        if environment or environment is None or settled:
            return os.fsencode(cookie) in (environment or b"").split(b"\0")
        settled = not _in_between(pid)
        if not settled:
            time.sleep(MOMENT)
    return False


def send(process: Process, number: int) -> None:
    """Send a signal to this very process; it may have ended, and its pid be another's."""
    try:
        pinned = os.pidfd_open(process.pid) if LINUX else -1
    except ProcessLookupError:
        return
    except OSError:  # no descriptor left, or an old kernel (before 5.3)
        pinned = -1
    try:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if alive(process) and pinned >= 0:
                signal.pidfd_send_signal(pinned, number)
            elif alive(process):
                os.kill(process.pid, number)
    finally:
        if pinned >= 0:
            os.close(pinned)


def wake(stat: Stat) -> None:
    """Let a process go on that was stopped (SIGTTIN, Ctrl-Z): it hears no other signal before."""
    if stat.stopped:
        send(stat.process, signal.SIGCONT)


def command_line(pid: int) -> str:
    """Return what a process runs, as one would type it; empty when it has ended."""
    import shlex

    return shlex.join(_words(pid) if LINUX else _words_psutil(pid))


def peak_memory(pid: int) -> int | None:
    """Return the bytes that a living process had at the most; None when that is not known."""
    try:
        _, _, rest = content(f"/proc/{pid}/status", single=True).partition(b"VmHWM:")
    except OSError:
        return None
    words = rest.split(maxsplit=1)
    return int(words[0]) * 1024 if words else None


def withstands(pid: int, number: int) -> bool:
    """Whether a process catches, ignores or blocks a signal; True too when that is not known.

    The masks are in /proc/PID/status (proc_pid_status(5)). In the middle of an exec they are
    still those of the program before: what we catch ourselves.
    """
    for _ in range(MOMENT_LOOKS):
        if not LINUX or not _in_between(pid):
            break
        time.sleep(MOMENT)
    try:
        lines = content(f"/proc/{pid}/status", single=True).split(b"\n")
    except OSError:
        return True
    masks = (line.split()[1] for line in lines if line.startswith(WITHSTOOD))
    return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)


def reachable(pid: int) -> bool:
    """Whether we may signal a process: one that took another user (sudo) is out of reach."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return False
    except ProcessLookupError:
        pass
    return True


def _by_parent(table: dict[int, Stat]) -> Callable[[int], list[int]]:
    families: dict[int, list[int]] = {}
    for stat in table.values():
        families.setdefault(stat.parent, []).append(stat.pid)
    return lambda pid: families.get(pid, [])


# --- Linux ---


def content(file: str, *, single: bool = False) -> bytes:
    """Read a file of /proc, which has no size: `open` would ask for it, and take twice as long.

    Args:
        file: Its path.
        single: The kernel makes it in one piece (fs/seq_file.c, single_open), so that a read that
            could have taken more was the last.

    Raises:
        OSError: it cannot be read.
    """
    fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        pieces = []
        while piece := os.read(fd, PIECE):
            pieces.append(piece)
            if single and len(piece) < PIECE:
                break
        return b"".join(pieces)
    finally:
        os.close(fd)


def _has_one_thread(pid: int) -> bool:
    """Whether a process has its first thread alone: to list one takes five system calls."""
    return os.stat(f"/proc/{pid}/task").st_nlink == 2 + 1  # fs/proc/base.c, proc_task_getattr


def _fields(pid: int) -> list[bytes]:
    """Return the fields of /proc/PID/stat from the third on; none when the pid is free."""
    try:
        # The name in parentheses may hold anything, so read from its end.
        return content(f"/proc/{pid}/stat", single=True).rpartition(b")")[2].split()
    except OSError:
        return []


def _environment(pid: int) -> bytes | None:
    """Return the environment of a process; None when we may not know it."""
    try:
        return content(f"/proc/{pid}/environ")
    except ProcessLookupError:  # it has no memory
        return b""
    except OSError:
        return None


def _in_between(pid: int) -> bool:
    """Whether a living process has no memory at the moment: ``env_end`` is 0."""
    fields = _fields(pid)
    if not fields or fields[0] in b"ZX" or int(fields[6]) & PF_KTHREAD:
        return False
    return fields[48] == b"0"


def _words(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            text = os.fsdecode(file.read(4096)).rstrip("\0")
    except OSError:
        return []
    return text.split("\0") if text else []


def _read_proc(pid: int) -> Stat | None:
    fields = _fields(pid)
    if not fields:
        return None
    state, parent, group, session = fields[:4]
    # The first thread may end before the others: the leader is then a zombie, the process not.
    over = state in b"ZX" and int(fields[17]) <= 1
    process = Process(pid, float(fields[19]))
    return Stat(process, int(parent), int(group), int(session), not over, state == b"T")


def _everyone_proc() -> dict[int, Stat]:
    return {pid: stat for pid in pids() if (stat := _read_proc(pid)) is not None}


# --- other systems ---


def _read_psutil(pid: int) -> Stat | None:
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            status, began, parent = process.status(), process.create_time(), process.ppid()
        group, session = os.getpgid(pid), os.getsid(pid)
    except psutil.ZombieProcess:
        return None
    except (psutil.Error, OSError):
        return None
    over = status in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    stopped = status == psutil.STATUS_STOPPED
    return Stat(Process(pid, began), parent, group, session, not over, stopped)


def _everyone_psutil() -> dict[int, Stat]:
    import psutil

    return {pid: stat for pid in psutil.pids() if (stat := _read_psutil(pid)) is not None}


def _words_psutil(pid: int) -> list[str]:
    import psutil

    try:
        return psutil.Process(pid).cmdline()
    except psutil.Error:
        return []
