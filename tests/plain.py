"""A live `hotrun run` as people see it, without a terminal: two streams of bytes.

Law: as in live.py: every wait has a deadline and says what it waited for, and whatever was
started is ended when it is left, found by its mark.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import uuid
from typing import IO, TYPE_CHECKING, Self

import pytest
from live import DEADLINE, environment, marked, until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

SHOWN = 20_000  # bytes of a stream that are worth reading when a test failed


class Plain:
    """One `hotrun run` as a context; leaving it ends it and looks for leftovers.

    Args:
        directory: The project.
        words: Options and arguments of `run`.
        env: Added to the environment.
        prefix: A command that executes hotrun in its place, such as env.
    """

    def __init__(
        self,
        directory: Path,
        *words: str,
        env: Mapping[str, str] | None = None,
        prefix: tuple[str, ...] = (),
    ) -> None:
        self.mark = f"HOTRUN_TEST_MARK={uuid.uuid4()}"
        name, _, value = self.mark.partition("=")
        self._hotrun = subprocess.Popen(
            [*prefix, sys.executable, "-m", "hotrun", "run", *words],
            cwd=directory,
            env=environment({**(env or {}), name: value}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # no signal of a terminal but those that a test sends
        )
        self.pid = self._hotrun.pid
        self.out = bytearray()
        self.err = bytearray()
        streams = ((self._hotrun.stdout, self.out), (self._hotrun.stderr, self.err))
        self._readers = [threading.Thread(target=_read, args=each, daemon=True) for each in streams]
        for reader in self._readers:
            reader.start()

    @property
    def lines(self) -> list[str]:
        """The whole lines of stderr so far."""
        return self.err.decode(errors="surrogateescape").split("\n")[:-1]

    @property
    def problem(self) -> list[str]:
        """Those of them that say what is wrong and what to do."""
        return [line for line in self.lines if line.startswith(("error: ", "warning: ", "hint: "))]

    def wait_for(self, text: str, count: int = 1) -> None:
        """Wait until so many lines of stderr hold a text."""
        what = f"{text!r}, {count} times"
        self.until(lambda: sum(text in line for line in self.lines) >= count, what)

    def until(self, predicate: Callable[[], object], what: str) -> None:
        """Wait for a fact; tell what was heard when it does not come."""
        try:
            until(predicate, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.transcript()}") from None

    def transcript(self) -> str:
        """What was heard last."""
        streams = (("stdout", self.out), ("stderr", self.err))
        texts = (
            f"--- {name}\n{bytes(it[-SHOWN:]).decode(errors='replace')}" for name, it in streams
        )
        return "\n".join(texts)

    def ends(self) -> int:
        """Wait for the end and return the exit code."""
        try:
            code = self._hotrun.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            pytest.fail(f"waited {DEADLINE:g} s for the end of hotrun\n{self.transcript()}")
        for reader in self._readers:
            reader.join(DEADLINE)
        return code

    def stop(self) -> int:
        """Press Ctrl-C, wait for the end, and return the exit code."""
        self._hotrun.send_signal(signal.SIGINT)
        return self.ends()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if self._hotrun.poll() is None:
                self.stop()
            if kind is None:
                assert not marked(self.mark), f"left behind\n{self.transcript()}"
                assert not any("Traceback" in line for line in self.lines), self.transcript()
        finally:
            self._end_all()
            sys.stdout.write(f"{self.transcript()}\n")  # shown when the test failed

    def _end_all(self) -> None:
        for pid in marked(self.mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._hotrun.wait(DEADLINE)
        for reader in self._readers:
            reader.join(DEADLINE)
        for stream in (self._hotrun.stdout, self._hotrun.stderr):
            if stream is not None:
                stream.close()


def _read(stream: IO[bytes], into: bytearray) -> None:
    while data := os.read(stream.fileno(), 1 << 16):
        into += data
