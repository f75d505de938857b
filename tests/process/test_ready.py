"""Probes against real sockets: servers of this loop that answer byte for byte what a test says."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import socket
import ssl
import subprocess
from typing import TYPE_CHECKING, Self

import pytest
from live import free_port
from process.yard import Yard

from hotrun.process.ready import MOMENT, Probe, Ready, Tcp, _is_itself, describe
from hotrun.url import parse_url

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\n\r\n"
SILENT = b""
CLOSING = b"close"


class Server:
    """Answers each request with the next of its answers; the last one stays.

    Args:
        yard: Whose loop it runs on.
        answers: Bytes of an answer; `SILENT` never answers, `CLOSING` closes at once.
    """

    def __init__(
        self,
        yard: Yard,
        *answers: bytes,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._loop = yard.loop
        self._answers = list(answers)
        self.requests: list[bytes] = []
        start = asyncio.start_server(self._serve, host, port, ssl=tls)
        self._server = self._loop.run_until_complete(start)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/healthz"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            if answer == SILENT:
                await reader.read()  # until the other side closes
            writer.write(b"" if answer == CLOSING else answer)
        writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run_until_complete(closed(self._server))


class Asking:
    """A probe, and how often it told."""

    def __init__(self, yard: Yard, ready: str | Tcp | None) -> None:
        self.yard = yard
        self.told = 0
        self.blocked = False
        what = parse_url(ready) if isinstance(ready, str) else ready
        self.probe = Probe(yard.loop, what, self._tell, lambda: self.blocked)

    def _tell(self) -> None:
        self.told += 1

    def until_told(self) -> None:
        self.yard.until(lambda: self.told, "readiness")
        self.until_over()
        assert self.told == 1

    def until_failed(self, words: str) -> None:
        self.yard.until(lambda: self.probe.last == words, f"a try that fails with {words!r}")
        assert not self.told

    def until_over(self) -> None:
        """Wait until the probe has no task left."""
        self.yard.until(self.probe._task.done, "the end of the probe")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.probe.cancel()
        self.until_over()


async def closed(server: asyncio.Server) -> None:
    """Close a server; connections that it had accepted come to their end."""
    server.close()
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)
    await server.wait_closed()
    await asyncio.sleep(0)  # a transport closes its socket one turn later


@contextlib.contextmanager
def serving(yard: Yard, serve: Serve) -> Iterator[int]:
    """Serve connections on a port of 127.0.0.1."""
    server = yard.loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
    yield server.sockets[0].getsockname()[1]
    yard.loop.run_until_complete(closed(server))


def sockets() -> set[str]:
    """The sockets that this process has open."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.add(os.readlink(f"/proc/self/fd/{name}"))
    return {target for target in found if target.startswith("socket:")}


# --- http ---


@pytest.mark.parametrize("status", [200, 204, 301, 302, 399])
def test_an_answer_from_200_to_399_is_ready(yard: Yard, status: int) -> None:
    answer = f"HTTP/1.1 {status} So\r\n\r\n".encode()
    with Server(yard, answer) as server, Asking(yard, server.url) as asking:
        asking.until_told()
        assert len(server.requests) == 1
        assert not asking.probe.last


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_another_answer_is_asked_again(yard: Yard, status: int) -> None:
    answer = f"HTTP/1.0 {status} So\r\n\r\n".encode()
    answers = [answer] * 3 + [OK]
    with Server(yard, *answers) as server, Asking(yard, server.url) as asking:
        asking.until_failed(f"the last answer was {status}")
        asking.until_told()
        assert len(server.requests) == 4


def test_a_server_that_is_not_there_yet_is_asked_again(yard: Yard) -> None:
    port = free_port()
    with Asking(yard, f"http://127.0.0.1:{port}/") as asking:
        asking.until_failed("connection refused")
        with Server(yard, OK, port=port):
            asking.until_told()


def test_the_request_is_whole(yard: Yard) -> None:
    with Server(yard, OK) as server:
        with Asking(yard, f"http://me:pass@127.0.0.1:{server.port}/a b?c=\u00fc#d") as asking:
            asking.until_told()
        lines = server.requests[0].decode().split("\r\n")
    assert lines == [
        "GET /a%20b?c=%C3%BC HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "User-Agent: hotrun",
        "Accept: */*",
        "Connection: close",
        "Authorization: Basic bWU6cGFzcw==",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (CLOSING, "the connection was closed without an answer"),
        (b"hello\r\n\r\n", "the last answer was not HTTP"),
        (b"\0\xff" * 500_000, "the last answer was not HTTP"),
        (b"\n\n", "the last answer was not HTTP"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "the last answer was not HTTP"),
        (b"HTTP/1.1 100 Continue\r\n", "the connection was closed without an answer"),
        (b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + BUSY, "the last answer was 503"),
    ],
)
def test_an_answer_that_does_not_count_is_named(yard: Yard, answer: bytes, words: str) -> None:
    with Server(yard, answer, answer, OK) as server, Asking(yard, server.url) as asking:
        asking.until_failed(words)
        asking.until_told()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\nX: y\n\n",
        b"HTTP/1.1 200\r\n\r\n",
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"z" * 10_000_000,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nX: y\r\n\r\n" + OK,
        b"HTTP/1.1 103 Hints\r\nX: " + b"y" * 100_000 + b"\r\n\r\n" + OK,
    ],
)
def test_an_answer_of_any_shape_counts_by_its_status(yard: Yard, answer: bytes) -> None:
    with Server(yard, answer) as server, Asking(yard, server.url) as asking:
        asking.until_told()
        assert len(server.requests) == 1


def test_a_server_that_never_answers_is_asked_again_and_given_more_time(yard: Yard) -> None:
    with Server(yard, SILENT, SILENT, OK) as server, Asking(yard, server.url) as asking:
        asking.probe._patience = 0.05
        asking.until_failed("no answer within 0.05 s")
        asking.until_failed("no answer within 0.1 s")
        asking.until_told()


def test_a_server_that_hangs_up_before_it_was_asked_is_asked_again(yard: Yard) -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(1)
        writer.close()

    met: list[int] = []
    with serving(yard, serve) as port, Asking(yard, f"http://127.0.0.1:{port}/") as asking:
        yard.until(lambda: len(met) > 2, "more connections")
        # Which one depends on whether the request was there before the end.
        hung_up = ("the connection was reset", "the connection was closed without an answer")
        assert asking.probe.last in hung_up
        assert not asking.told


def test_readiness_is_told_before_the_answer_ends(yard: Yard) -> None:
    ended: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n")
        await reader.read()  # until the other side closes: this answer never ends
        ended.append(asking.told)
        writer.close()

    with serving(yard, serve) as port, Asking(yard, f"http://127.0.0.1:{port}/") as asking:
        asking.until_told()
        yard.until(lambda: ended, "the end of the connection")
    assert ended == [1]


def test_the_answer_of_a_stranger_does_not_count(yard: Yard) -> None:
    with Server(yard, OK) as server, Asking(yard, server.url) as asking:
        asking.blocked = True
        asking.until_failed("another process holds the port, and the answer was its")
        yard.until(lambda: len(server.requests) > 2, "more requests")
        assert not asking.told
        asking.blocked = False
        asking.until_told()


def test_a_server_on_ipv6_is_asked(yard: Yard) -> None:
    with Server(yard, OK, host="::1") as server:
        with Asking(yard, f"http://[::1]:{server.port}/") as asking:
            asking.until_told()
        assert f"Host: [::1]:{server.port}\r\n".encode() in server.requests[0]


@pytest.mark.parametrize("name", ["localhost", "LocalHost", "app.localhost", "[::]"])
def test_a_name_of_this_machine_means_either_address(yard: Yard, name: str) -> None:
    for host in ("127.0.0.1", "::1"):
        with (
            Server(yard, OK, host=host) as server,
            Asking(yard, f"http://{name}:{server.port}/") as asking,
        ):
            asking.until_told()


def test_a_name_is_looked_up(yard: Yard) -> None:
    # getaddrinfo(3) takes the short form of an address, which no name server is asked about.
    with Server(yard, OK) as server, Asking(yard, f"http://127.1:{server.port}/") as asking:
        asking.until_told()


def test_a_name_that_nobody_knows_is_said_so(yard: Yard) -> None:
    name = "a" * 64 + ".example"  # longer than a label may be: refused without a name server
    with Asking(yard, f"http://{name}/") as asking:
        asking.until_failed(f"the name {name} is not known")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_certificate_that_was_made_at_home_is_good_enough(yard: Yard, tmp_path: Path) -> None:
    with Server(yard, OK, tls=home_made(tmp_path)) as server:
        with Asking(yard, f"https://localhost:{server.port}/") as asking:
            asking.until_told()
        assert server.requests[0].startswith(b"GET / HTTP/1.1\r\n")


def test_a_server_without_tls_is_named_as_such(yard: Yard) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    with serving(yard, serve) as port, Asking(yard, f"https://127.0.0.1:{port}/") as asking:
        asking.until_failed("no TLS connection (wrong version number)")


def home_made(directory: Path) -> ssl.SSLContext:
    """A server's context with a certificate for nobody."""
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=nobody"
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *words.split(), *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def test_a_real_server_that_starts_late_is_ready_when_it_answers(yard: Yard) -> None:
    port = free_port()
    code = f"""
from http.server import HTTPServer, SimpleHTTPRequestHandler
HTTPServer(("127.0.0.1", {port}), SimpleHTTPRequestHandler).serve_forever()
"""
    with Asking(yard, f"http://127.0.0.1:{port}/") as asking:
        asking.until_failed("connection refused")
        app = yard.app(code, streams=2)
        asking.until_told()
        yard.until(lambda: any('"GET / HTTP/1.1" 200' in line for line in app.err), "its log")


# --- tcp, and nothing to ask ---


def test_a_connection_that_is_accepted_is_ready(yard: Yard) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with Asking(yard, Tcp("127.0.0.1", listener.getsockname()[1])) as asking:
            asking.until_told()
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(1) == b""  # nothing was sent: it may be any protocol


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "localhost", "127.0.0.1"])  # noqa: S104
def test_a_port_is_connected_to_when_it_listens(yard: Yard, host: str) -> None:
    port = free_port()
    with Asking(yard, Tcp(host, port)) as asking:
        asking.until_failed("connection refused")
        with socket.create_server(("127.0.0.1", port)):
            asking.until_told()


def test_a_connection_to_itself_is_told_from_one_to_an_app(yard: Yard) -> None:
    async def open_both() -> tuple[bool, bool]:
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        sock.connect(sock.getsockname())  # what a probe of a free port may do by chance
        _, alone = await asyncio.open_connection(sock=sock)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            _, other = await asyncio.open_connection(*listener.getsockname())
            both = _is_itself(alone), _is_itself(other)
            for writer in (alone, other):
                writer.transport.abort()
            await asyncio.sleep(0)
            return both

    assert yard.loop.run_until_complete(open_both()) == (True, False)


def test_without_a_rule_an_app_has_to_stay_alive_for_a_moment(yard: Yard) -> None:
    began = yard.loop.time()
    with Asking(yard, None) as asking:
        asking.until_told()
        assert yard.loop.time() - began >= MOMENT


# --- the end of a probe ---


def test_nothing_is_told_and_nothing_is_left_after_cancel(yard: Yard) -> None:
    with Server(yard, SILENT) as silent, Server(yard, BUSY) as busy:
        before = sockets()
        refused = f"http://127.0.0.1:{free_port()}/"
        all_of_them = [
            Asking(yard, what) for what in (silent.url, busy.url, refused, None, Tcp("::1", 1))
        ]
        yard.until(lambda: silent.requests and busy.requests, "the first requests")
        for each in all_of_them:
            each.probe.cancel()
            each.probe.cancel()
        for each in all_of_them:
            each.until_over()
        yard.until(lambda: sockets() <= before, "the end of the probes' sockets")
        assert not any(each.told for each in all_of_them)


def test_cancel_before_the_first_try_asks_nothing(yard: Yard) -> None:
    with Server(yard, OK) as server:
        with Asking(yard, server.url) as asking:
            asking.probe.cancel()
            asking.until_over()
        assert not asking.told
        assert not server.requests


def test_a_probe_may_be_cancelled_by_who_is_told(yard: Yard) -> None:
    told: list[str] = []

    def tell() -> None:
        told.append("ready")
        probe.cancel()

    with Server(yard, OK) as server:
        probe = Probe(yard.loop, parse_url(server.url), tell)
        yard.until(probe._task.done, "the end of the probe")
    assert told == ["ready"]


def test_an_error_of_who_is_told_reaches_the_loop(yard: Yard) -> None:
    heard: list[object] = []
    yard.loop.set_exception_handler(lambda _, context: heard.append(context["exception"]))

    def tell() -> None:
        raise LookupError

    with Server(yard, OK) as server:
        Probe(yard.loop, parse_url(server.url), tell)
        yard.until(lambda: heard, "the error")
    assert isinstance(heard[0], LookupError)


# --- words ---


@pytest.mark.parametrize(
    ("ready", "words"),
    [
        (parse_url("http://me:pw@127.0.0.1:8080/healthz"), "GET http://127.0.0.1:8080/healthz"),
        (Tcp("127.0.0.1", 8080), "a connection to 127.0.0.1:8080"),
        (Tcp("::1", 8080), "a connection to [::1]:8080"),
        (re.compile("listening"), "a line of output that matches /listening/"),
        (None, "the app to stay alive for 200 ms"),
    ],
)
def test_what_is_waited_for_has_words(ready: Ready, words: str) -> None:
    assert describe(ready) == words
