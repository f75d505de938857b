"""The guardian: what we started does not survive us, not even our own SIGKILL.

A small process is forked at the very start, before threads and heavy imports, and sleeps in
``read`` on a pipe. It is told of every group that begins and ends. When the pipe ends without a
farewell, we are gone: the groups and all who descend from them get SIGTERM and, half a second
later, SIGKILL; then whatever carries our cookie in its environment, until nothing is found; and
the builds' scratch directory is removed. (PDEATHSIG would reach the direct child alone, and is
bound to the thread that spawned it; measured.)
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING, Self

from hotrun.process import scratch, tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotrun.process.tree import Stat

GRACE = 0.5  # seconds between SIGTERM and SIGKILL
LOOK = 0.01  # seconds between two looks at what is left: the dead cannot wake us here
ROUNDS = 100  # of the last search; a fork bomb is not ours to win against
FAREWELL = b"bye\n"


class Guardian:
    """Our end of the pipe.

    Args:
        cookie: ``NAME=value`` in the environment of every app.
    """

    def __init__(self, cookie: str) -> None:
        ours, theirs = os.pipe()  # not inherited by any program: a copy would keep it asleep
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(theirs)
                _guard(ours, cookie)
            finally:
                os._exit(0)
        os.close(ours)
        self._pipe = theirs

    def expect(self) -> None:
        """A process group is about to be started: we may be killed before we know its number."""
        self._say(b"?%d\n" % tree.now())

    def begin(self, group: int) -> None:
        """A process group was started."""
        self._say(b"+%d\n" % group)

    def end(self, group: int) -> None:
        """A process group is gone; its number may be given to strangers."""
        self._say(b"-%d\n" % group)

    def own(self, directory: str) -> None:
        """We made a directory, to be removed after us; empty: there is none any more."""
        self._say(b"=%b\n" % os.fsencode(directory))

    def dismiss(self) -> None:
        """We end in good order and nothing is left: let it go, and see it gone."""
        self._say(FAREWELL)
        self._see_it_gone()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: object, *_: object) -> None:
        if error is None:
            self.dismiss()
        else:  # a bug of ours: whatever is left is for the guardian to end
            self._see_it_gone()

    def _see_it_gone(self) -> None:
        os.close(self._pipe)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def _say(self, record: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):  # somebody killed it: we go on without
            os.write(self._pipe, record)


def _guard(pipe: int, cookie: str) -> None:
    """Sleep until the pipe ends; runs in the forked process, and never returns to the caller."""
    os.setsid()  # out of reach of the terminal, and of a kill of our group
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)
    _let_go_of_all_but(pipe)
    _rename(b"hotrun-guardian")
    text = b""
    while data := os.read(pipe, 4096):
        text += data
        if (b"\n" + text).endswith(b"\n" + FAREWELL):  # a directory's name may end so too
            return
    directory = last_directory(text)
    groups = living_groups(text)
    if (since := expected_since(text)) and directory:
        groups += _started(since, f"{scratch.VARIABLE}={directory}")
    _sweep(groups, cookie)
    if directory:
        scratch.remove(directory)


def _let_go_of_all_but(pipe: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):  # a pipe of the caller's that we held open would never end
        os.dup2(null, fd)
    for name in os.listdir("/dev/fd"):
        if int(name) > 2 and int(name) != pipe:  # noqa: PLR2004
            with contextlib.suppress(OSError):
                os.close(int(name))


def _rename(name: bytes) -> None:
    """Be told apart in ``ps``: prctl(2), PR_SET_NAME."""
    if tree.LINUX:
        with contextlib.suppress(OSError), open("/proc/self/comm", "wb") as file:
            file.write(name[:15])


def living_groups(records: bytes) -> list[int]:
    """Return the groups that began and did not end; a last record that was cut is no record."""
    groups: dict[int, None] = {}
    for record in records.split(b"\n")[:-1]:
        if record[:1] == b"+":
            groups[int(record)] = None
        elif record[:1] == b"-":
            groups.pop(-int(record), None)
    return list(groups)


def expected_since(records: bytes) -> int:
    """Return when a group was about to be started whose number never came; 0: there is none."""
    since = 0
    for record in records.split(b"\n")[:-1]:
        if record[:1] in (b"?", b"+"):
            since = int(record[1:]) if record[:1] == b"?" else 0
    return since


def _started(since: int, variable: str) -> list[int]:
    """Return the groups of builds that began after a time: those that nobody told us of.

    A daemon that an earlier build left on purpose carries the variable too, but is older.
    """
    looks = (tree.read(pid) for pid in _all_pids())
    leaders = (stat for stat in looks if stat is not None and stat.group == stat.pid)
    young = [stat.pid for stat in leaders if stat.process.began >= since]
    return [pid for pid in young if tree.carries(pid, variable)]


def last_directory(records: bytes) -> str:
    """Return the directory we own, empty for none; one whose record was cut is another's."""
    owned = [record[1:] for record in records.split(b"\n")[:-1] if record[:1] == b"="]
    return os.fsdecode(owned[-1]) if owned else ""


def _sweep(groups: list[int], cookie: str) -> None:
    left = _left(groups, [])  # before the first signal: whose parent is dead descends from nobody
    _signal_all(groups, left, signal.SIGTERM)
    until = time.monotonic() + GRACE
    while (left := _left(groups, left)) and time.monotonic() < until:
        time.sleep(LOOK)
    for _ in range(ROUNDS):
        if not left:
            break
        _signal_all(groups, left, signal.SIGKILL)
        time.sleep(LOOK)
        left = _left(groups, left)
    _sweep_cookie(cookie)


def _sweep_cookie(cookie: str) -> None:
    for _ in range(ROUNDS):
        left = [pid for pid in _all_pids() if tree.carries(pid, cookie)]
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(LOOK)


def _left(groups: list[int], known: Iterable[Stat]) -> list[Stat]:
    """Return who lives of the groups, of those we know, and of all below them.

    A build carries no cookie, and timeout(1) makes a group of its own: descent is all that
    leads to it. What we may not kill (sudo) is not waited for.
    """
    members = [stat for group in groups for stat in tree.members(group)]
    roots = {stat.process: stat for stat in (*members, *_still(known))}
    found = roots | {stat.process: stat for stat in tree.below(p.pid for p in roots)}
    return [stat for stat in found.values() if tree.reachable(stat.pid)]


def _still(known: Iterable[Stat]) -> list[Stat]:
    """Look again at processes: who lives, and in which group it is by now."""
    looks = [(stat.process, tree.read(stat.pid)) for stat in known]
    return [now for then, now in looks if now and now.process == then and now.alive]


def _signal_all(groups: list[int], left: list[Stat], number: int) -> None:
    for group in {stat.group for stat in left}.intersection(groups):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
    for stat in left:
        if stat.group not in groups:
            tree.send(stat.process, number)


def _all_pids() -> list[int]:
    if tree.LINUX:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    import psutil

    return psutil.pids()
