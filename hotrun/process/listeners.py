"""Which sockets listen, and which processes have them open.

On Linux the kernel's tables are read (/proc/net/tcp and /proc/PID/fd, proc(5)), which name every
process that shares a socket and the user of those that we may not look into; other systems ask
psutil.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple
from hotrun.process import tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import psutil

LINUX = sys.platform == "linux"
LISTEN = b"0A"  # TCP_LISTEN, include/net/tcp_states.h, as /proc/net/tcp writes it


class Listener(NamedTuple):
    """A socket that listens; ``pids`` is empty when its process belongs to another user."""

    host: str
    port: int
    user: str
    pids: tuple[int, ...]


def of_port(port: int) -> list[Listener]:
    """Return all that listens on a TCP port."""
    return _of_port_proc(port) if LINUX else _of_port_psutil(port)


def listening(pids: Iterable[int]) -> set[int]:
    """Return the TCP ports on which any of these processes listens."""
    if not LINUX:
        return {port for pid in pids for port in _ports_psutil(pid)}
    inodes = {inode for pid in pids for inode in _sockets(pid)}
    return {row.port for row in _rows() if row.inode in inodes} if inodes else set()


# --- Linux ---


class _Row(NamedTuple):
    """One listening socket of /proc/net/tcp or tcp6."""

    host: str
    port: int
    uid: int
    inode: str


def _rows() -> Iterator[_Row]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError), open(table, "rb") as file:
            for line in file:
                fields = line.split()
                if fields[3] == LISTEN:
                    host, _, port = fields[1].decode().partition(":")
                    inode = fields[9].decode()
                    yield _Row(_address(host), int(port, 16), int(fields[7]), inode)


def _address(text: str) -> str:
    """Decode an address: the kernel writes each 32 bits of it as a number of its own."""
    words = (text[at : at + 8] for at in range(0, len(text), 8))
    data = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    family = socket.AF_INET if len(data) == 4 else socket.AF_INET6  # noqa: PLR2004
    # The JVM binds IPv4 addresses on IPv6 sockets.
    return socket.inet_ntop(family, data).removeprefix("::ffff:")


def _sockets(pid: int) -> Iterator[str]:
    """Return the inodes of the sockets that a process has open; none of another user's."""
    directory = f"/proc/{pid}/fd"
    try:
        names = os.listdir(directory)
    except OSError:
        return
    for name in names:
        with contextlib.suppress(OSError):
            target = os.readlink(f"{directory}/{name}")
            if target.startswith("socket:["):
                yield target[8:-1]


def _of_port_proc(port: int) -> list[Listener]:
    rows = [row for row in _rows() if row.port == port]
    owners: dict[str, list[int]] = {row.inode: [] for row in rows}
    for pid in tree.pids() if rows else ():
        for inode in owners.keys() & set(_sockets(pid)):
            owners[inode].append(pid)
    return [Listener(row.host, port, _user(row.uid), tuple(owners[row.inode])) for row in rows]


def _user(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


# --- other systems ---


def _of_port_psutil(port: int) -> list[Listener]:
    import psutil

    owners: dict[str, list[int]] = {}
    # Not psutil.net_connections: on macOS it gives up at the first process of another user.
    for process in psutil.process_iter():
        for host, number in _bound_psutil(process):
            if number == port:
                owners.setdefault(host, []).append(process.pid)
    return [Listener(host, port, "", tuple(pids)) for host, pids in owners.items()]


def _ports_psutil(pid: int) -> set[int]:
    import psutil

    try:
        return {port for _, port in _bound_psutil(psutil.Process(pid))}
    except psutil.Error:
        return set()


def _bound_psutil(process: psutil.Process) -> list[tuple[str, int]]:
    """Return the addresses on which a process listens; none when we may not know."""
    import psutil

    # Before psutil 6 it was called `connections`.
    ask = getattr(process, "net_connections", None) or process.connections
    try:
        found = [each.laddr for each in ask("tcp") if each.status == psutil.CONN_LISTEN]
    except (psutil.Error, OSError):
        return []
    return [(laddr.ip.removeprefix("::ffff:"), laddr.port) for laddr in found]
