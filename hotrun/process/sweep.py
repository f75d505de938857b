"""The sweep: hotrun was killed, and what it had started is ended.

The guardian becomes it, in a fresh interpreter. First the terminal gets its settings back; then
the groups, all who descend from them and all who belong to the app get SIGTERM and, half a
second later, SIGKILL, until nothing is found; then what hotrun made is removed, and a terminal
that the app left raw is mended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat as modes
import termios
import time
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple
from hotrun.process import mark, scratch, tree
from hotrun.process.guardian import RECORDS, flat
from hotrun.process.inode import identity
from hotrun.process.terminal import screen_reset

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hotrun.process.tree import Stat

GRACE = 0.5  # seconds between SIGTERM and SIGKILL
LOOK = 0.01  # seconds between two looks at what is left: the dead cannot wake us here
ROUNDS = 100  # of the last search; a fork bomb is not ours to win against


class Owned(NamedTuple):
    """What hotrun made: its path, device and inode."""

    path: str
    identity: tuple[int, int]


def main(cookie: str, *tty: str) -> None:
    """Do it all.

    Args:
        cookie: ``NAME=value`` in the environment of every app.
        tty: Nothing, or three words: the path of the terminal, its settings when hotrun began
            (``flat``), and those that hotrun's keys had made.
    """
    terminal = Lent(*tty) if tty else None
    if terminal is not None:
        terminal.give_back()
    _rename(b"hotrun-guardian")
    records = _read(RECORDS)
    owned = owned_by(records)
    groups = living_groups(records)
    if since := expected_since(records):
        groups += _started(since, [f"{scratch.VARIABLE}={each.path}" for each in owned])
    clean = _sweep(groups, cookie)
    if terminal is not None:
        terminal.undo_raw()
    for each in owned:
        _remove(each, files=clean)


class Lent:
    """The terminal that hotrun had, and perhaps an app of it.

    We are in another session than the terminal's, so nothing stops us for touching it
    (tcsetattr(3), SIGTTOU); but a shell that has taken over has made settings of its own, and
    those are left alone.

    Args:
        path: Of the terminal.
        saved: The settings to give back (``flat``).
        keys: The settings that hotrun had made.
    """

    def __init__(self, path: str, saved: str, keys: str) -> None:
        self._path = path
        self._saved = saved
        self._keys = keys
        self._found = self._settings()

    def give_back(self) -> None:
        """Undo the settings of hotrun's keys, if they are still in force."""
        if self._found == self._keys:
            self._set()

    def undo_raw(self) -> None:
        """Undo what an app did that is gone by now: a raw terminal, and its screen.

        No shell edits a line with signals or the treatment of output switched off.
        """
        now = self._settings()
        if now and now == self._found and now not in (self._saved, self._keys) and _is_raw(now):
            self._set(screen_reset(os.environ.get("TERM", "")))

    def _settings(self) -> str:
        with contextlib.suppress(OSError, termios.error), _opened(self._path) as fd:
            return flat(termios.tcgetattr(fd))
        return ""

    def _set(self, screen: bytes = b"") -> None:
        numbers = list(map(int, self._saved.split(",")))
        settings: list[int | list[int]] = [*numbers[:6], numbers[6:]]
        with contextlib.suppress(OSError, termios.error), _opened(self._path) as fd:
            termios.tcsetattr(fd, termios.TCSANOW, settings)
            os.write(fd, screen)


@contextlib.contextmanager
def _opened(path: str) -> Iterator[int]:
    # Without waiting for the carrier of a serial line, or for Ctrl-Q, and without making it ours.
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        yield fd
    finally:
        os.close(fd)


def _is_raw(settings: str) -> bool:
    _, output, _, local, *_ = map(int, settings.split(","))
    return not output & termios.OPOST or not local & termios.ISIG


def _rename(name: bytes) -> None:
    """Be told apart in ``ps``: prctl(2), PR_SET_NAME."""
    if tree.LINUX:
        with contextlib.suppress(OSError), open("/proc/self/comm", "wb") as file:
            file.write(name[:15])


# --- the records ---


def _read(fd: int) -> bytes:
    os.lseek(fd, 0, os.SEEK_SET)
    with open(fd, "rb") as file:
        return file.read()


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


def owned_by(records: bytes) -> list[Owned]:
    """Return what hotrun made and has not removed; a path whose record was cut is another's."""
    owned: dict[bytes, Owned] = {}
    for record in records.split(b"\n")[:-1]:
        if record[:1] == b"=":
            device, inode, path = record[1:].split(b" ", 2)
            owned[path] = Owned(os.fsdecode(path), (int(device), int(inode)))
        elif record[:1] == b"!":
            owned.pop(record[1:], None)
    return list(owned.values())


def _started(since: int, variables: list[str]) -> list[int]:
    """Return the groups of builds that began after a time: those that nobody told us of.

    A daemon that an earlier build left on purpose carries a variable too, but is older.
    """
    looks = (tree.read(pid) for pid in tree.pids())
    leaders = (stat for stat in looks if stat is not None and stat.group == stat.pid)
    young = [stat.pid for stat in leaders if stat.process.began >= since]
    return [pid for pid in young if any(tree.carries(pid, each) for each in variables)]


def _remove(owned: Owned, *, files: bool) -> None:
    """Remove what hotrun made, if it is still that; a file only when nothing needs it."""
    if identity(owned.path) != owned.identity:
        return
    with contextlib.suppress(OSError):
        if modes.S_ISDIR(os.lstat(owned.path).st_mode):
            scratch.remove(owned.path)
        elif files:
            os.unlink(owned.path)


# --- the processes ---


def _sweep(groups: list[int], cookie: str) -> bool:
    """End them all, and return whether nothing is left."""
    # Before the first signal: whose parent is dead descends from nobody.
    known = _living(groups, _belonging(cookie))
    _signal_all(groups, known, signal.SIGTERM)
    until = time.monotonic() + GRACE
    while any(map(_reachable, known)) and time.monotonic() < until:
        time.sleep(LOOK)
        known = _living(groups, known)
    for _ in range(ROUNDS):
        known = _living(groups, [*known, *_belonging(cookie)])
        if not any(map(_reachable, known)):
            break
        _signal_all(groups, known, signal.SIGKILL)
        time.sleep(LOOK)
    return not known


def _belonging(cookie: str) -> list[Stat]:
    looks = (tree.read(pid) for pid in tree.pids() if mark.belongs(pid, cookie))
    return [stat for stat in looks if stat is not None]


def _living(groups: list[int], known: Iterable[Stat]) -> list[Stat]:
    """Return who lives of the groups, of those we know, and of all below them.

    A build carries no cookie, and timeout(1) makes a group of its own: descent is all that
    leads to it.
    """
    members = [stat for group in groups for stat in tree.members(group)]
    roots = {stat.process: stat for stat in (*members, *_still(known))}
    found = roots | {stat.process: stat for stat in tree.below(p.pid for p in roots)}
    return list(found.values())


def _still(known: Iterable[Stat]) -> list[Stat]:
    """Look again at processes: who lives, and in which group it is by now."""
    looks = [(stat.process, tree.read(stat.pid)) for stat in known]
    return [now for then, now in looks if now and now.process == then and now.alive]


def _reachable(stat: Stat) -> bool:
    """Whether it is waited for: what we may not kill (sudo) would be waited for in vain."""
    return tree.reachable(stat.pid)


def _signal_all(groups: list[int], left: list[Stat], number: int) -> None:
    for group in {stat.group for stat in left}.intersection(groups):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
    for stat in left:
        if stat.group not in groups:
            tree.send(stat.process, number)
        tree.wake(stat)
