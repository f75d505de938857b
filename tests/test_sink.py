"""A stream whose reader may stall: nobody waits for it, and it gets every byte."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import socket
import tty
from typing import TYPE_CHECKING

import pytest
from live import DEADLINE

from hotrun.ui.sink import MUCH, Sink

if TYPE_CHECKING:
    from collections.abc import Callable

    Pair = tuple[int, int]

TEXT = "".join(f"line {number} {'x' * (number % 90)}\n" for number in range(40_000))


def sockets() -> Pair:
    ours, theirs = socket.socketpair()
    return ours.detach(), theirs.detach()


def terminal() -> Pair:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    return ours, theirs


KINDS = pytest.mark.parametrize("pair", [os.pipe, sockets, terminal])


@KINDS
def test_a_reader_that_stalls_gets_all_of_it_when_it_goes_on(pair: Callable[[], Pair]) -> None:
    reader, writer = pair()
    with open(writer, "w", encoding="utf-8") as stream, open(reader, "rb", buffering=0) as end:
        got = asyncio.run(_late(Sink(stream), end.fileno()))
        assert got.decode() == TEXT
        assert not fcntl.fcntl(stream, fcntl.F_GETFL) & os.O_NONBLOCK


async def _late(sink: Sink, reader: int) -> bytes:
    loop, got, over = asyncio.get_running_loop(), bytearray(), asyncio.Event()

    def read() -> None:
        got.extend(os.read(reader, 10_000))
        if len(got) >= len(TEXT):
            over.set()

    half = TEXT.index("line 20000 ")
    for text in (TEXT[:half], TEXT[half:]):
        sink.write(text)
        sink.flush()
    assert sink.behind
    loop.add_reader(reader, read)
    async with asyncio.timeout(DEADLINE):
        await over.wait()
    loop.remove_reader(reader)
    assert not sink.behind
    return bytes(got)


@KINDS
def test_at_the_end_a_reader_that_stalls_is_not_waited_for(pair: Callable[[], Pair]) -> None:
    reader, writer = pair()
    with open(writer, "w", encoding="utf-8") as stream, open(reader, "rb", buffering=0) as end:
        sink = Sink(stream)
        sink.write("x" * (2 * MUCH))
        sink.flush()
        sink.finish()
        assert sink.behind
        assert set(os.read(end.fileno(), 1000)) == set(b"x")


def test_who_has_gone_is_told_of() -> None:
    reader, writer = os.pipe()
    with open(writer, "w", encoding="utf-8") as stream:
        sink = Sink(stream)
        os.close(reader)
        with pytest.raises(BrokenPipeError):
            sink.write("x")
