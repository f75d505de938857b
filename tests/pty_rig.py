"""A command at a real terminal: a session of its own whose controlling terminal is a pty.

Law: what was started is ended when the rig is left, whatever happened; every wait has a
deadline and says what it waited for, together with all that the terminal received.
"""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import threading
from typing import TYPE_CHECKING, Any, Self

from live import DEADLINE, environment, marked, until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

# The pty becomes the controlling terminal of a session's first process when that opens it.
_START = "import os, sys; os.close(os.open(sys.argv[1], 2)); os.execvp(sys.argv[2], sys.argv[2:])"


class Rig:
    """Runs a command at a terminal, types, and reads what it shows.

    Args:
        words: The command.
        cwd: Where.
        env: Added to the environment.
        redirect: Streams of the command that are not the terminal, as of Popen.
    """

    def __init__(
        self,
        *words: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        **redirect: Any,  # noqa: ANN401 -- whatever Popen takes
    ) -> None:
        self._ours, self.fd = pty.openpty()
        self.name = os.ttyname(self.fd)
        self.before = self.settings()
        self._mark = f"HOTRUN_PTY_MARK={os.getpid()}-{id(self)}-{self.name}"
        name, _, value = self._mark.partition("=")
        streams = {"stdin": self.fd, "stdout": self.fd, "stderr": self.fd, **redirect}
        self._process = subprocess.Popen(
            [sys.executable, "-SEc", _START, self.name, *words],
            cwd=cwd,
            env=environment({"TERM": "xterm", "CI": "", name: value, **(env or {})}),
            start_new_session=True,
            **streams,
        )
        self.pid = self._process.pid
        self._received = bytearray()
        self._wake, self._woken = os.pipe()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while not select.select([self._wake], [], [], 0)[0]:
            ready, _, _ = select.select([self._ours, self._wake], [], [])
            if self._ours not in ready:
                return
            self._received += os.read(self._ours, 4096)

    # --- what it shows ---

    @property
    def received(self) -> bytes:
        """All that was written to the terminal so far."""
        return bytes(self._received)

    @property
    def text(self) -> str:
        """The same, as text."""
        return self.received.decode(errors="replace")

    def wait_for(self, text: str, count: int = 1) -> None:
        """Wait until the terminal has received a text that many times."""
        self.until(lambda: self.text.count(text) >= count, f"{text!r}, {count} times")

    def until(self, predicate: Callable[[], object], what: str) -> None:
        """Wait for a fact; tell what the terminal received when it does not come."""
        try:
            until(predicate, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n--- the terminal\n{self.text}") from None

    def number(self, name: str) -> int:
        """Wait for a line that ends with ``NAME NUMBER`` and return the number."""
        line = re.compile(rf"\b{name} (\d+)\r?\n")
        self.until(lambda: line.search(self.text), f"a line {name} NUMBER")
        return int(line.findall(self.text)[-1])

    # --- what is done to it ---

    def type(self, keys: str | bytes) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode() if isinstance(keys, str) else keys)

    def send(self, number: int, pid: int = 0) -> None:
        """Send a signal to the command, or to a process that it started."""
        os.kill(pid or self.pid, number)

    # --- what is so ---

    def settings(self) -> list[Any]:
        """What ``stty -a`` shows."""
        return termios.tcgetattr(self.fd)

    @property
    def foreground(self) -> int:
        """The process group in the foreground."""
        return os.tcgetpgrp(self._ours)

    def ends(self) -> int:
        """Wait for the end of the command and return its exit code."""
        try:
            return self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            message = f"waited {DEADLINE:g} s for the end\n--- the terminal\n{self.text}"
            raise AssertionError(message) from None

    def hang_up(self) -> None:
        """Close the window: the terminal is gone, and SIGHUP says so."""
        self._end_reader()
        os.close(self._ours)
        self._ours = -1

    def _end_reader(self) -> None:
        os.close(self._woken)
        self._reader.join(DEADLINE)
        os.close(self._wake)
        self._woken = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in {*marked(self._mark), *([self.pid] if self._process.poll() is None else [])}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(DEADLINE)
        if self._woken >= 0:
            self._end_reader()
        for fd in (self._ours, self.fd):
            if fd >= 0:
                os.close(fd)
        sys.stdout.write(self.text)  # shown when the test failed


def state(pid: int) -> str:
    """The state of a process: R, S, T (stopped), Z; empty when there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""
