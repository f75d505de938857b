"""Binding one socket, and saying in words why it cannot be bound.

Law: what lies at the path of a unix socket is never deleted here, not even when it is dead: the
user is told the `rm`. Numbers and their meaning: bind(2), ip(7), ipv6(7), unix(7).
"""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import socket
import stat
from typing import TYPE_CHECKING

from hotrun.errors import HotrunError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotrun.address import Address

    Where = tuple[str | int | bytes, ...] | str

# Connections that wait while no app accepts. Measured with 16 clients and apps that start in
# 300 ms: with 1 the slowest request took 3.3 s (a dropped SYN is sent again after 1 s, then 3 s),
# with 512 it took the start. The kernel cuts it to net.core.somaxconn (4096; listen(2)).
BACKLOG = 512
_LONGEST_PATH = 107  # bytes of sun_path without its NUL (unix(7))
_RESERVED = 1024  # IPPORT_RESERVED, where no sysctl says otherwise (ip(7))
_UNPRIVILEGED = "/proc/sys/net/ipv4/ip_unprivileged_port_start"


class ListenError(HotrunError):
    """A socket that cannot be had.

    Args:
        message: What is wrong, one line.
        hint: What to do about it, one line.
        address: Which it is; None: it is about the numbers of all of them.
        number: The errno; 0 when it was not the kernel who refused.
    """

    def __init__(
        self, message: str, hint: str, address: Address | None = None, number: int = 0
    ) -> None:
        super().__init__(message, hint)
        self.address = address
        self.errno = number


def open_socket(address: Address) -> socket.socket:
    """Return a socket that listens, not inheritable.

    Raises:
        ListenError: it cannot be bound.
    """
    with explained(address):
        return _listening(socket.AF_UNIX, address.path) if address.path else _tcp(address)


def _tcp(address: Address) -> socket.socket:
    if not address.host:
        return _everywhere(address.port)
    # As bytes, or Python loads its tables of international names, for an address in digits too.
    host = address.host.encode() if address.host.isascii() else address.host
    infos = socket.getaddrinfo(host, address.port, type=socket.SOCK_STREAM)
    # "localhost" is both, and one descriptor can be only one: IPv4, as Go's net.Listen has it.
    family, _, _, _, where = min(infos, key=lambda info: info[0] != socket.AF_INET)
    return _listening(family, where)


def _everywhere(port: int) -> socket.socket:
    """All interfaces, IPv4 and IPv6 by one socket; IPv4 alone where there is no IPv6."""
    try:
        return _listening(socket.AF_INET6, ("::", port), both=True)
    except OSError as error:
        if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT):
            raise
        return _listening(socket.AF_INET, ("0.0.0.0", port))  # noqa: S104 - this is what was asked


def _listening(family: int, where: Where, *, both: bool = False) -> socket.socket:
    sock = _bound(family, where, both=both)
    if family != socket.AF_UNIX and where[1] == 0:
        # Bound again to the number that was picked: a picked one is given up by `shutdown`, and
        # the next listen(2) would pick another (SOCK_BINDPORT_LOCK in Linux' bind).
        port = sock.getsockname()[1]
        sock.close()
        sock = _bound(family, (where[0], port, *where[2:]), both=both)
    try:
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _bound(family: int, where: Where, *, both: bool) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family != socket.AF_UNIX:
            # Connections of the app before us are in TIME_WAIT (socket(7)).
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if both:  # whatever net.ipv6.bindv6only says (ipv6(7))
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(where)
    except OSError:
        sock.close()
        raise
    return sock


# --- why not ---


@contextlib.contextmanager
def explained(address: Address) -> Iterator[None]:
    """Turn what the kernel or the resolver answers into a ListenError."""
    try:
        yield
    except UnicodeError as error:  # a host whose name no resolver takes
        raise _no_host(address) from error
    except socket.gaierror as error:
        raise _no_host(address) from error
    except OSError as error:
        # "AF_UNIX path too long" is Python's own, and has no number.
        number = error.errno or errno.ENAMETOOLONG
        reasons = _unix_reasons if address.path else _tcp_reasons
        what, hint = reasons(address, number) or _other(number)
        raise ListenError(f"{address.text} {what}", hint, address, number) from error


def _no_host(address: Address) -> ListenError:
    hint = "look at its spelling, or name 127.0.0.1 (this machine only)"
    what = f"cannot be bound: there is no host {address.host}"
    return ListenError(f"{address.text} {what}", hint, address)


def _other(number: int) -> tuple[str, str]:
    return f"cannot be bound: {os.strerror(number)}", "name another address in run.listen"


def _tcp_reasons(address: Address, number: int) -> tuple[str, str] | None:
    if number == errno.EADDRINUSE:
        return "is taken", "end the program that listens there, or name another port in run.listen"
    if number in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        here = "127.0.0.1 (this machine only) or no host at all (all interfaces)"
        return f"cannot be bound: {address.host} is no address of this machine", f"name {here}"
    if number == errno.EACCES:
        first = _first_unprivileged()
        return f"needs root: ports below {first} are reserved", f"name a port from {first} on"
    return None


def _first_unprivileged() -> int:
    try:
        with open(_UNPRIVILEGED, "rb") as file:
            return int(file.read())
    except (OSError, ValueError):
        return _RESERVED


def _unix_reasons(address: Address, number: int) -> tuple[str, str] | None:
    directory = os.path.dirname(address.path) or "."
    match number:
        case errno.EADDRINUSE:
            return _occupied(address.path)
        case errno.ENAMETOOLONG:
            size = len(os.fsencode(address.path))
            hint = f"a unix socket's path has at most {_LONGEST_PATH} bytes (unix(7)): name another"
            return f"cannot be bound: its path has {size} bytes", hint
        case errno.ENOENT:
            hint = f"create it: mkdir -p {shlex.quote(directory)}"
            return "cannot be bound: its directory does not exist", hint
        case errno.ENOTDIR:
            return f"cannot be bound: {directory} is no directory", "name another path"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            hint = "name a path in a directory of yours"
            return f"cannot be bound: {directory} may not be written to", hint
        case _:
            return None


def _occupied(path: str) -> tuple[str, str]:
    """Say what lies at a path. It is left there: we did not make it."""
    try:
        is_socket = stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        is_socket = False
    if not is_socket:
        return "is a file and no socket", "name another path in run.listen"
    if _somebody_accepts(path):
        return "is taken", "end the program that listens there, or name another path in run.listen"
    return "is left over from a program that is gone", f"rm {shlex.quote(path)}"


def _somebody_accepts(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)  # a full backlog would block (unix(7)), and is a living one
        return probe.connect_ex(path) != errno.ECONNREFUSED
