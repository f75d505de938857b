"""What is said of an app that is asked and does not serve yet; the answers are real."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from hotrun.config import load_text
from hotrun.jobs.serving import PATIENT, Serving
from hotrun.jobs.taken import Taken
from hotrun.notices import Problem
from hotrun.process.command import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.host import Host

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
ANSWER = "the last answer was 404"
LONG = 60.0  # seconds


class Alarms:
    """Rings when it is told to."""

    def __init__(self) -> None:
        self.set: dict[float, Callable[[], None]] = {}

    def later(self, seconds: float, ring: Callable[[], None]) -> SimpleNamespace:
        self.set[seconds] = ring
        return SimpleNamespace(cancel=lambda: self.set.pop(seconds, None))


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(NOT_FOUND)
        await writer.drain()
    writer.close()


async def _asked(ready: str, env: dict[str, str]) -> tuple[Alarms, list[Any]]:
    """Ask a server that has no such page; ring the alarms that were set, in their order."""
    async with await asyncio.start_server(_refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        alarms, told = Alarms(), []
        host = SimpleNamespace(
            loop=asyncio.get_running_loop(),
            alarms=alarms,
            sockets=None,
            terminal=None,
            captures=True,
            tell=lambda notice: told.append(notice._replace(message=_plain(notice, port))),
            post=lambda *_: None,
        )
        config = load_text(f"[run]\ncommand = './app'\nready = {ready}\n", "/")
        assert config.run is not None
        a_host = cast("Host", host)
        serving = Serving(a_host, "app", 1, config.run, Taken(a_host, set()))
        serving.prepare(parse("./app"), {"PORT": str(port), **env})
        told.clear()  # who holds the port: that is us
        serving.begin(1)
        async with asyncio.timeout(LONG):
            while getattr(serving._probe, "last", "") != ANSWER:  # noqa: ASYNC110 - tells nobody
                await asyncio.sleep(0.005)
        for seconds in sorted(alarms.set):
            alarms.set[seconds]()
        serving.end()
        return alarms, told


def _plain(notice: Problem, port: int) -> str:
    return notice.message.replace(str(port), "PORT")


def test_after_a_while_it_is_said_what_is_waited_for() -> None:
    ready = '{ http = "http://127.0.0.1:${PORT}/healthz", timeout = "30s" }'
    alarms, told = asyncio.run(_asked(ready, {}))
    asked = "GET http://127.0.0.1:PORT/healthz: the last answer was 404"
    assert told[0] == Problem(f"waiting for {asked}, 27 s left", severity="warning")
    assert told[1].message == f"the app does not serve after 30 s: {asked}"
    assert len(told) == 2
    assert alarms.set == {}


def test_what_has_little_time_is_told_at_its_end_only() -> None:
    ready = f'{{ http = "http://127.0.0.1:${{PORT}}/", timeout = "{PATIENT:g}s" }}'
    _, told = asyncio.run(_asked(ready, {}))
    assert [notice.severity for notice in told] == ["error"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("http://${HOST}:${PORT}/${PAGE:-x}?a=1", "http://127.0.0.1:PORT/x?a=1"),
        ("http://127.0.0.1:${PORT}/x?t=${TOKEN}", "http://127.0.0.1:PORT/x?t=${TOKEN}"),
        ("http://me:${TOKEN}@127.0.0.1:${PORT}/", "http://127.0.0.1:PORT/"),
    ],
)
def test_an_address_is_shown_with_its_variables_and_a_token_is_not(
    written: str, shown: str
) -> None:
    ready = f'{{ http = "{written}", timeout = "1s" }}'
    _, told = asyncio.run(_asked(ready, {"HOST": "127.0.0.1", "TOKEN": "secret"}))
    assert (
        told[0].message == f"the app does not serve after 1 s: GET {shown}: the last answer was 404"
    )
