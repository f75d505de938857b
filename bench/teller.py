"""A process under measurement that says itself what it does."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self

from harness import DEADLINE, BenchError
from tool import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Teller:
    """A process that says facts, one a line: a word, then more; leaving its block ends it.

    Its lines are read as they come, so that the time of one can be told to a fraction of a
    millisecond. stderr counts as well.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._output, theirs = os.pipe()
        self.began = time.monotonic_ns()
        self._process = subprocess.Popen(
            command, env=environment(), stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
        )
        self.pid = self._process.pid
        os.close(theirs)
        self._said: list[bytes] = []
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        if kind is BenchError:
            sys.stderr.write(b"\n".join([*self._said[-20:], b""]).decode(errors="replace"))
        os.close(self._output)

    def hear(self, word: str, deadline: float = DEADLINE) -> list[str]:
        """Return the words of the next line that begins with one, that word left out.

        Raises:
            BenchError: it did not come in time, or never will.
        """
        end = time.monotonic() + deadline
        while True:
            for line in self._lines(end):
                self._said.append(line)
                if line.startswith(word.encode()):
                    return line[len(word) :].decode(errors="surrogateescape").split()
            if time.monotonic() >= end:
                raise BenchError(f'waited {deadline:g} s for "{word}"')

    def _lines(self, end: float) -> Iterator[bytes]:
        """Yield whole lines; what the caller leaves is for the next time."""
        while b"\n" in self._rest:
            line, _, self._rest = self._rest.partition(b"\n")
            yield line
        ready, _, _ = select.select([self._output], [], [], max(0, end - time.monotonic()))
        if ready:
            more = os.read(self._output, 65536)
            if not more:
                raise BenchError(f"process {self.pid} ended with {self._process.wait()}")
            self._rest += more
