"""One request for a page over an open connection: HTTP/1.1, as much of it as readiness needs.

Law: any bytes may come as an answer, at any pace; the time-out is the caller's. Facts: RFC 9112.
"""

from __future__ import annotations

import asyncio
import binascii
import contextlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hotrun.url import Url

# Seconds that an answer may take to end after its first line: who is hung up on in the middle
# logs a broken pipe, and the user would look for its cause.
PARTING = 0.1
LONGEST_LINE = 16 * 1024  # bytes of a line of an answer: what servers allow is 8 to 16 KiB

_STATUS = re.compile(rb"HTTP/1\.\d (\d{3})\b")
_OK, _ERROR = 200, 400

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def ask(stream: Stream, url: Url) -> str:
    """Ask for a page; return why its answer is none that counts, empty when it counts."""
    reader, writer = stream
    writer.write(_request(url))
    status = 0
    while status < _OK:  # 100 and 103 come before the answer (RFC 9110, 15.2)
        line = await _line(reader)
        if not line:
            return "the connection was closed without an answer"
        match = _STATUS.match(line)
        if match is None:
            return "the last answer was not HTTP"
        status = int(match[1])
        if status < _OK:
            await _pass_header(reader)
    return "" if status < _ERROR else f"the last answer was {status}"


async def part(reader: asyncio.StreamReader) -> None:
    """Let an answer come to its end, if that is near."""
    with contextlib.suppress(OSError):  # a TimeoutError is one
        async with asyncio.timeout(PARTING):
            while await reader.read(LONGEST_LINE):
                pass


def _request(url: Url) -> bytes:
    lines = [f"GET {url.target} HTTP/1.1", f"Host: {url.host_header}"]
    lines += ["User-Agent: hotrun", "Accept: */*", "Connection: close"]
    if url.credentials:
        basic = binascii.b2a_base64(url.credentials, newline=False).decode()
        lines.append(f"Authorization: Basic {basic}")
    return "\r\n".join([*lines, "", ""]).encode()


async def _pass_header(reader: asyncio.StreamReader) -> None:
    """Read on to the end of a header: an empty line, which is not the end of a cut one."""
    begins = True
    while line := await _line(reader):
        if begins and not line.strip():
            return
        begins = line.endswith(b"\n")


async def _line(reader: asyncio.StreamReader) -> bytes:
    """Return the next line, or what there is of it; one that is too long comes in pieces."""
    try:
        return await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        return error.partial
    except asyncio.LimitOverrunError as error:
        return await reader.read(error.consumed)
