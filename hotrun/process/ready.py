"""When an app is ready: it answers, takes connections, says so (ready_log.py), or stays alive.

Law: a probe tells at most once, and nothing after `cancel`; it never gives up by itself, because
the time-out is the core's. What it holds (a task, a socket) is gone one turn of the loop after
`cancel`. Own and small: `http.client` and `urllib` cost as much to load as all the rest of a start.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import socket
import threading
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple
from hotrun.process import page
from hotrun.units import format_duration
from hotrun.url import Url

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

# Seconds between two tries. An app that is up in 10 ms is known to be so 10 ms later; a server
# that compiles for half a minute is not asked a thousand times. Growing in proportion, we are
# late by at most the time that it took so far, and never by more than a person notices.
FIRST_PAUSE = 0.01
LONGEST_PAUSE = 0.25
# Seconds that one try may take. A first request that fills caches takes a second; a connection
# that was accepted by a process that is no more never answers. What is slow always (a health
# check that asks a database) gets there because each try without an answer doubles it.
PATIENCE = 2.0
LONGEST_PATIENCE = 10.0
# Seconds in which an app that cannot start ends (a missing module, a wrong option, a port in use:
# 20-150 ms in Go, Node and Python); an app that is still there then counts as started.
MOMENT = 0.2

_BOTH = ("127.0.0.1", "::1")
# Names of this machine: to look them up takes a thread, and an app listens on either address.
# A wildcard is no address to connect to, except on Linux.
_OURS = {"localhost": _BOTH, "": _BOTH, "0.0.0.0": _BOTH[:1], "::": _BOTH[::-1]}  # noqa: S104
_STRANGER = "another process holds the port, and the answer was its"


class Tcp(NamedTuple):
    """A port that accepts connections; the host is a name or an IP address without brackets."""

    host: str
    port: int


# A page, a port, what a line of output matches, or nothing to go by.
Ready = Url | Tcp | re.Pattern[str] | None


def describe(ready: Ready) -> str:
    """Return what an app is waited for, to be read after "waits for"."""
    if isinstance(ready, Url):
        return f"GET {ready.text}"
    if isinstance(ready, Tcp):
        host = f"[{ready.host}]" if ":" in ready.host else ready.host
        return f"a connection to {host}:{ready.port}"
    if isinstance(ready, re.Pattern):
        return f"a line of output that matches /{ready.pattern}/"
    return f"the app to stay alive for {format_duration(MOMENT)}"


class Probe:
    """Asks an app until it is ready; the first time at once.

    Args:
        loop: The event loop.
        ready: The page or the port that is asked; None: the app has to stay alive for `MOMENT`.
        on_ready: Told once.
        blocked: Whether somebody else holds the port: then an answer is not the app's.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        ready: Url | Tcp | None,
        on_ready: Callable[[], None],
        blocked: Callable[[], bool] = lambda: False,
    ) -> None:
        self._loop = loop
        self._on_ready = on_ready
        self._blocked = blocked
        self._patience = PATIENCE
        self._stream: page.Stream | None = None
        self._names: asyncio.Future[tuple[str, ...]] | None = None
        self._context: ssl.SSLContext | None = None
        self.last = "it was not asked yet"  # why it is not ready, in words
        self._task = loop.create_task(self._wait(ready))
        self._task.add_done_callback(_surface)

    def cancel(self) -> None:
        """Ask no more, and tell nothing from now on."""
        self._task.cancel()

    async def _wait(self, ready: Url | Tcp | None) -> None:
        if ready is None:
            await asyncio.sleep(MOMENT)
            self._on_ready()
            return
        pause = FIRST_PAUSE
        while not await self._asked(ready):
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _asked(self, ready: Url | Tcp) -> bool:
        """Try once, and tell when it is ready: before the answer has ended."""
        try:
            self.last = await self._try(ready)
            if not self.last and self._blocked():
                self.last = _STRANGER
            if not self.last:
                self._on_ready()
            if self._stream is not None and isinstance(ready, Url):
                await page.part(self._stream[0])
        finally:
            if self._stream is not None:
                self._stream[1].transport.abort()
            self._stream = None
        return not self.last

    async def _try(self, ready: Url | Tcp) -> str:
        """Connect and ask; return why it is not ready, empty when it is."""
        try:
            async with asyncio.timeout(self._patience):
                failure = await self._connect(ready)
                if not failure and self._stream is not None and isinstance(ready, Url):
                    return await page.ask(self._stream, ready)
                return failure
        except TimeoutError:
            waited = self._patience
            self._patience = min(2 * waited, LONGEST_PATIENCE)
            return f"no answer within {waited:g} s"
        except OSError as error:
            return _in_words(error)
        except ValueError:  # a name of labels that are too long, for ssl (RFC 1035, 2.3.4)
            return f"the name {ready.host} is none that can be asked for"

    async def _connect(self, ready: Url | Tcp) -> str:
        """Open a connection, to the first of the host's addresses that takes one."""
        failure = f"the name {ready.host} is not known"
        tls = self._tls(ready)
        for number, address in enumerate(await self._addresses(ready.host)):
            try:
                self._stream = await asyncio.open_connection(
                    address,
                    ready.port,
                    limit=page.LONGEST_LINE,
                    ssl=tls,
                    server_hostname=ready.host if tls else None,
                )
            except OSError as error:
                # An app on 127.0.0.1 is not helped by "no route to ::1".
                failure = failure if number else _in_words(error)
            else:
                if not _is_itself(self._stream[1]):
                    return ""
                # At once, or the app finds its port in use.
                self._stream[1].transport.abort()
                self._stream, failure = None, os.strerror(errno.ECONNREFUSED).lower()
        return failure

    def _tls(self, ready: Url | Tcp) -> ssl.SSLContext | None:
        """Return how to encrypt; the certificate of an app on one's own machine is self-made."""
        if not isinstance(ready, Url) or ready.scheme == "http":
            return None
        if self._context is None:
            import ssl

            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._context.check_hostname = False
            self._context.verify_mode = ssl.CERT_NONE
        return self._context

    async def _addresses(self, host: str) -> tuple[str, ...]:
        name = host.lower()
        name = "localhost" if name.endswith(".localhost") else name  # RFC 6761, 6.3
        if name in _OURS:
            return _OURS[name]
        if _numeric(host):
            return (host,)
        if self._names is None or (self._names.done() and not self._names.result()):
            self._names = _look_up(self._loop, host)  # unknown so far: it may have been added
        return await asyncio.shield(self._names)


def _surface(task: asyncio.Task[None]) -> None:
    """Let an error of ours reach the loop's handler now, and not when the task is collected."""
    if not task.cancelled():
        task.result()


def _is_itself(writer: asyncio.StreamWriter) -> bool:
    """Whether a connection is to itself.

    Nobody listens, and the kernel picked the very port that is asked as the one to ask from: both
    ends open at once (RFC 9293, 3.5). Of some ten thousand tries, one meets with that.
    """
    return bool(writer.get_extra_info("sockname") == writer.get_extra_info("peername"))


def _numeric(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError, ValueError):
            socket.inet_pton(family, host)
            return True
    return False


def _look_up(loop: asyncio.AbstractEventLoop, host: str) -> asyncio.Future[tuple[str, ...]]:
    """Look a name up; the result has no addresses when it is not known.

    getaddrinfo(3) can only block, for as long as name servers are silent. Not in the loop's
    executor, whose threads are waited for when Python ends.
    """
    future: asyncio.Future[tuple[str, ...]] = loop.create_future()

    def settle(found: tuple[str, ...]) -> None:
        if not future.done():
            future.set_result(found)

    def ask() -> None:
        found: list[str] = []
        with contextlib.suppress(OSError, UnicodeError):
            infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            found = [str(info[4][0]) for info in infos]
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(settle, tuple(dict.fromkeys(found)))

    threading.Thread(target=ask, name="getaddrinfo", daemon=True).start()
    return future


def _in_words(error: OSError) -> str:
    """Return a failure as people say it: asyncio's own texts name its calls."""
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "the connection was reset"
    if error.errno in errno.errorcode and not hasattr(error, "reason"):
        return os.strerror(error.errno or 0).lower()
    # An ssl.SSLError; its reason is such as WRONG_VERSION_NUMBER.
    reason = str(getattr(error, "reason", None) or error).replace("_", " ").lower()
    return f"no TLS connection ({reason})"
