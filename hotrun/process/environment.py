"""The environment of a child: ours, then files, then hotrun.toml.

A variable that is really set wins over an env file; ``env`` in hotrun.toml, which stands there
for this very command, wins over both. Files are read at each start, so a key that was taken
out is gone. Values are never printed. What we were told of our own descriptors stays with us.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LINE = re.compile(r"\s*(?:export\s+)?(?P<key>[A-Za-z_][\w.]*)\s*=(?P<value>.*)", re.DOTALL)
# Whoever starts us may have passed us sockets (sd_listen_fds(3); another hotrun does). Our
# children do not get those descriptors, and would take whatever has the number 3 for one.
_OURS = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "HOTRUN_LISTEN_FDS")
PATIENCE = 1.0  # seconds for who writes to a FIFO: the whole session waits
_QUOTED = re.compile(r"""(?P<quote>["'])(?P<text>.*?)(?P=quote)\s*(?:#.*)?""", re.DOTALL)


class BadLine(NamedTuple):
    """A line of an env file that says nothing; the rest of the file counts."""

    file: str
    line: int
    message: str


def inherited() -> dict[str, str]:
    """Return what our children inherit of our own environment."""
    return {name: value for name, value in os.environ.items() if name not in _OURS}


def compose(
    env: Mapping[str, str], files: Sequence[str] = (), ours: Mapping[str, str] | None = None
) -> tuple[dict[str, str], list[BadLine]]:
    """Put an environment together.

    Args:
        env: From hotrun.toml.
        files: Env files, absolute; later ones win. One that is missing is no error.
        ours: What is inherited, where that is known: to decode it takes 0.05 ms.

    Returns:
        The environment, and the lines that could not be read.
    """
    from_files: dict[str, str] = {}
    bad: list[BadLine] = []
    for file in files:
        values, problems = read_file(file)
        from_files.update(values)
        bad.extend(problems)
    return {**from_files, **(inherited() if ours is None else ours), **env}, bad


def read_file(file: str) -> tuple[dict[str, str], list[BadLine]]:
    """Read ``KEY=value`` and ``export KEY=value`` lines; quotes are stripped, # comments."""
    try:
        # Windows editors put a mark in front. Other bytes than UTF-8 survive.
        text = _content(file).decode("utf-8-sig", "surrogateescape")
    except FileNotFoundError:
        return {}, []
    except OSError as error:
        return {}, [BadLine(file, 0, error.strerror or "cannot be read")]
    values: dict[str, str] = {}
    bad: list[BadLine] = []
    # Not `splitlines`, for which a form feed or U+2028 in a value ends a line too.
    for number, line in enumerate(re.split("\r\n?|\n", text), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        value = _value(match["value"]) if match is not None else None
        if match is None or "\0" in line:
            bad.append(BadLine(file, number, "not of the form KEY=value"))
        elif value is None:
            bad.append(BadLine(file, number, "its quotes do not fit (a value is one line)"))
        else:
            values[match["key"]] = value
    return values, bad


def _content(file: str) -> bytes:
    with open(file, "rb", 0, opener=_opened) as raw:
        if stat.S_ISFIFO(os.fstat(raw.fileno()).st_mode):
            return _from_writer(raw.fileno())
        return raw.read() or b""  # nothing yet, of a terminal


def _opened(file: str, flags: int) -> int:
    # To open a FIFO would wait for its writer, who may never come.
    return os.open(file, flags | os.O_NONBLOCK)


def _from_writer(fd: int) -> bytes:
    """Read a FIFO: keepers of secrets (1Password) write an env file whenever it is opened."""
    import select

    poll = select.poll()
    poll.register(fd, select.POLLIN)
    parts: list[bytes] = []
    until = time.monotonic() + PATIENCE
    while (left := until - time.monotonic()) > 0 and poll.poll(left * 1000):
        if not (part := os.read(fd, 64 * 1024)):
            return b"".join(parts)
        parts.append(part)
    raise TimeoutError(errno.ETIMEDOUT, "a FIFO that nobody writes to")


def _value(text: str) -> str | None:
    """Return what stands behind the ``=``; None when it begins with a quote and does not end so."""
    quoted = _QUOTED.fullmatch(text.strip())
    if quoted is not None:
        return quoted["text"]
    if text.lstrip().startswith(("'", '"')):
        return None
    return re.sub(r"\s+#.*", "", text, flags=re.DOTALL).strip()  # #fff is a colour
