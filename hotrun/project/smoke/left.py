"""What an app leaves behind: processes with its cookie or mark, and ports that still listen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.address import AddressError, parse_address
from hotrun.process import leftovers, listeners, mark, ports, session_log, tree
from hotrun.process.leftovers import Leftover

if TYPE_CHECKING:
    from collections.abc import Iterable

GRACE = 1.0  # seconds between SIGTERM and SIGKILL: they had their stop signal before


def cookie_of(directory: str, pid: int) -> str:
    """Return the cookie of a session that runs, from its session file; empty: it has none."""
    found = (log.cookie for log in session_log.logs(directory) if log.hotrun.pid == pid)
    return next(found, "")


def living(cookie: str) -> list[Leftover]:
    """Return who lives of a session's app, whatever became of parents and groups."""
    if not cookie:
        return []
    looks = [tree.read(pid) for pid in tree.pids() if mark.belongs(pid, cookie)]
    return [
        Leftover(stat.process, tree.command_line(stat.pid), 0.0, "app")
        for stat in looks
        if stat is not None and stat.alive
    ]


def stop(cookie: str) -> list[Leftover]:
    """End who lives of a session's app, and return who that was."""
    found = living(cookie)
    leftovers.stop(found, GRACE)
    return found


def listening(cookie: str, pid: int) -> set[int]:
    """Return the TCP ports on which an app listens, all that it started included."""
    below = (stat.pid for stat in tree.below([pid]))
    return listeners.listening({pid, *below, *(left.process.pid for left in living(cookie))})


def ports_of(addresses: Iterable[str]) -> set[int]:
    """Return the TCP ports of addresses as hotrun writes them."""
    found = set()
    for text in addresses:
        try:
            address = parse_address(text)
        except AddressError:
            continue
        if not address.path:
            found.add(address.port)
    return found


def held(numbers: Iterable[int]) -> list[tuple[str, str]]:
    """Return who still listens on ports, and what to do about it: message and hint."""
    return [
        ports.explain(ports.holder(None, port), f"port {port}")
        for port in sorted(numbers)
        if listeners.of_port(port)
    ]
