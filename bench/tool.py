"""A command under measurement: how it is called, started and ended.

Law: all that is started is ended by its pid, and with it what it leaves behind. A tool that
forgets its children must not disturb the one measured next.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self

from cost import command_of, tree
from harness import HERE, BenchError, until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness import Project

BESIDE = os.path.dirname(sys.executable)  # hotrun's command, the go of the extra, Python's peers
NODE = os.path.join(HERE, ".peers", "node_modules", ".bin")  # where `make bench` puts npm's
GRACE = 15.0  # seconds for a tool to end before it is killed
SHORT = 2.0  # seconds for one that has failed already: some are too busy to hear
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER, prctl(2)


def adopt_orphans() -> None:
    """Become the parent of what a tool leaves behind, so that it can be ended by its pid."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def orphans(since: frozenset[int] = frozenset()) -> list[int]:
    """Return what has become ours and is alive, with all below it.

    Args:
        since: Our descendants of before, which are left out.
    """
    reap()
    return [pid for pid in tree(os.getpid())[1:] if pid not in since]


def reap() -> None:
    """Take the exit codes of orphans that have ended; Popen keeps its own children's."""
    with contextlib.suppress(ChildProcessError):
        for pid in tree(os.getpid())[1:]:
            if not command_of(pid):  # a zombie has none
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)


def sweep(since: frozenset[int]) -> None:
    """Kill what was left behind."""

    def is_clean() -> bool:
        for pid in orphans(since):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not orphans(since)

    until("the end of what a tool left behind", is_clean)


def hotrun(*arguments: str) -> list[str]:
    """Return the arguments that call hotrun, by its installed command where that is there."""
    command = os.path.join(BESIDE, "hotrun")
    start = [command] if os.path.exists(command) else [sys.executable, "-m", "hotrun"]
    return [*start, *arguments]


def environment(**more: str) -> dict[str, str]:
    """Return the environment of what is measured.

    PYTHONDONTWRITEBYTECODE and the like would change what a start costs.
    """
    path = os.pathsep.join([BESIDE, NODE, os.environ.get("PATH", os.defpath)])
    ours = {
        name: value
        for name, value in os.environ.items()
        if name == "PYTHONPATH" or not name.startswith("PYTHON")
    }
    return {**ours, "PATH": path, "NO_COLOR": "1", **more}


class Tool:
    """A long-running command under measurement; leaving its ``with`` block ends it.

    Args:
        command: What to start.
        directory: Where.
        log: The file that takes what it prints; it is shown when a wait fails.
        env: The whole environment.
    """

    def __init__(
        self, command: Sequence[str], directory: str, log: str, env: dict[str, str] | None = None
    ) -> None:
        self._log = log
        self._since = frozenset(tree(os.getpid()))
        with open(log, "wb") as output:
            self.began = time.monotonic_ns()
            try:
                self._process = subprocess.Popen(
                    command,
                    cwd=directory,
                    env=env or environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
            except OSError as error:
                raise BenchError(f"{command[0]}: {error.strerror}") from error
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.end(grace=GRACE if kind is None else SHORT)
        sweep(self._since)
        if kind is BenchError:
            self._show()

    def end(self, number: int = signal.SIGTERM, grace: float = GRACE) -> float:
        """Send a signal, wait for the end, kill when that takes longer; return the seconds."""
        began = time.monotonic()
        self._process.send_signal(number)  # does nothing when it has ended
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return time.monotonic() - began

    @property
    def code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    def processes(self, without: frozenset[int] = frozenset()) -> list[int]:
        """Return the pids of the tool and what is below it, leaving some out."""
        return tree(self.pid, without)

    def _show(self) -> None:
        with open(self._log, encoding="utf-8", errors="replace") as file:
            sys.stderr.write("".join(file.readlines()[-20:]))


def session(project: Project) -> Tool:
    """Start ``hotrun run`` in a project."""
    return Tool(hotrun("run"), project.path, f"{project.path}.output")


def time_of(command: Sequence[str], env: dict[str, str], good: int | None = 0) -> int:
    """Run a command to its end and return the nanoseconds it took.

    Args:
        command: Its program by its path.
        env: The whole environment.
        good: The wait status that it must have; None: any (some exit with 1 after --help).

    Raises:
        BenchError: it failed.
    """
    null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    began = time.perf_counter_ns()
    pid = os.posix_spawn(command[0], command, env, file_actions=null)
    _, status = os.waitpid(pid, 0)
    took = time.perf_counter_ns() - began
    if good is not None and status != good:
        raise BenchError(f"{' '.join(command)} failed")
    return took
