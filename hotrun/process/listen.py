"""Sockets that we hold while the app comes and goes: no connection is refused by a restart.

Each is bound once and put at a number of its own: 3, 4 and so on, where sd_listen_fds(3) wants
them in the app, so that passing is only inheriting. The numbers are reserved before anything else
opens descriptors. The app shares the sockets, it does not own them: what it did to them is
undone before the next one starts. Law: no file is deleted but the socket that we made.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
from typing import TYPE_CHECKING

from hotrun.lean import dataclass
from hotrun.process.bind import BACKLOG, ListenError, explained, open_socket
from hotrun.process.inode import identity

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from hotrun.address import Address

FIRST = 3  # SD_LISTEN_FDS_START of sd_listen_fds(3)


@dataclass(slots=True)
class _Held:
    """A socket that listens; its own descriptor is another one than the slot's."""

    address: Address
    sock: socket.socket
    file: tuple[int, int] | None  # device and inode of a unix socket's file

    @property
    def text(self) -> str:
        """Where it really listens: port 0 became a number."""
        if self.address.path:
            return self.address.text
        port = self.sock.getsockname()[1]
        return f"{self.address.text.rpartition(':')[0]}:{port}"

    @property
    def name(self) -> str:
        """For LISTEN_FDNAMES, whose separator no name may hold."""
        if self.address.path:
            return os.path.basename(self.address.path).replace(":", "_")
        return str(self.sock.getsockname()[1])

    def lost(self) -> bool:
        """Whether nobody can connect any more, whatever is called on the socket.

        A unix socket that the app has shut down stays so, listen(2) or not; and servers remove
        its file at their end (asyncio from Python 3.13 on).
        """
        if self.file is None:
            return False
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        shut = any(flags & select.POLLHUP or flags & _RDHUP for _, flags in poll.poll(0))
        return shut or identity(self.address.path) != self.file

    def close(self) -> None:
        """Close it, and remove its file when it is still the one we made."""
        self.sock.close()
        if self.file is not None and identity(self.address.path) == self.file:
            with contextlib.suppress(OSError):
                os.unlink(self.address.path)


_RDHUP = getattr(select, "POLLRDHUP", 0)  # Linux says it of a listening socket, others POLLHUP


class Sockets:
    """The sockets of a config, at the descriptors 3 and up.

    Args:
        count: How many there are going to be; that many numbers are reserved.

    Raises:
        ListenError: one of these numbers is taken already by this process itself.
    """

    def __init__(self, count: int) -> None:
        self._slots: list[int] = []
        self._held: dict[Address, _Held] = {}
        self._order: list[_Held] = []  # as they lie in the slots
        self._reserve(count)

    @property
    def reserved(self) -> int:
        """How many descriptors there can be."""
        return len(self._slots)

    @property
    def fds(self) -> tuple[int, ...]:
        """The descriptors of what is bound: 3, 4 and so on."""
        return tuple(self._slots[: len(self._order)])

    @property
    def names(self) -> tuple[str, ...]:
        """What LISTEN_FDNAMES calls them: the port, or the file's name."""
        return tuple(held.name for held in self._order)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where they really listen, as text."""
        return tuple(held.text for held in self._order)

    @property
    def files(self) -> frozenset[tuple[str, tuple[int, int]]]:
        """The files of unix sockets: path, and device and inode."""
        return frozenset((h.address.path, h.file) for h in self._order if h.file is not None)

    def environment(self) -> dict[str, str]:
        """What tells an app of them, but for LISTEN_PID, which only the app's start can know."""
        if not self._order:
            return {}
        return {
            "LISTEN_FDS": str(len(self._order)),
            "LISTEN_FDNAMES": ":".join(self.names),
            "HOTRUN_LISTEN_FDS": ",".join(map(str, self.fds)),
        }

    def bind(self, addresses: Sequence[Address]) -> None:
        """Listen on these addresses, and on no others; what is bound already stays.

        Args:
            addresses: Each once, in the order of their descriptors. Paths are absolute, or
                relative to where this process is.

        Raises:
            ListenError: one cannot be bound. Those before it are, and it may be tried again.
        """
        self._reserve(len(addresses))
        self._order = []
        _void(self._slots)  # what is dropped stops listening now, its place may be wanted
        for held in [*self._held.values()]:
            if held.address not in addresses or held.lost():
                self._held.pop(held.address).close()
        for address, slot in zip(addresses, self._slots, strict=False):
            if address not in self._held:
                self._held[address] = _hold(address)
            os.dup2(self._held[address].sock.fileno(), slot, inheritable=False)
            self._order.append(self._held[address])

    def refresh(self) -> None:
        """Undo what an app may have done to the sockets; called when none runs.

        They are shared with it, not copied. It may have called ``listen(fd, 5)``, which sets the
        backlog for everybody (Python's socketserver does), or ``shutdown``, which ends the
        listening for everybody, or may have made them non-blocking (Go and node do), which a
        program that does not expect it takes for an error of ``accept``.

        Raises:
            ListenError: one cannot be bound again.
        """
        if any(held.lost() for held in self._order):
            self.bind([held.address for held in self._order])
        for held in self._order:
            held.sock.setblocking(True)
            with explained(held.address):
                held.sock.listen(BACKLOG)

    def close(self) -> None:
        """Let go of all of them, and of their numbers."""
        for held in self._held.values():
            held.close()
        for slot in self._slots:
            os.close(slot)
        self._held, self._order, self._slots = {}, [], []

    def _reserve(self, count: int) -> None:
        """Have at least so many slots; one that serves no address is /dev/null."""
        new = range(FIRST + len(self._slots), FIRST + count)
        for slot in new:
            if _is_ours(slot):
                hint = "start hotrun again: it reserves the descriptors of run.listen at its start"
                raise ListenError(f"descriptor {slot} is in use, a socket has to be there", hint)
        self._slots += new
        _void(new)


def _is_ours(fd: int) -> bool:
    """Whether a number is taken by this very process.

    What we inherited is not: whatever Python opens is close-on-exec (PEP 446), so another one
    came through an exec, a jobserver of make for example, and nobody here uses it. No child of
    ours would get it either.
    """
    try:
        return bool(fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC)
    except OSError:
        return False


def _void(slots: Sequence[int]) -> None:
    null = os.open(os.devnull, os.O_RDONLY)  # may itself get one of the numbers
    for slot in slots:
        if slot != null:
            os.dup2(null, slot, inheritable=False)
    if null not in slots:
        os.close(null)


def _hold(address: Address) -> _Held:
    sock = open_socket(address)
    return _Held(address, sock, identity(address.path) if address.path else None)
