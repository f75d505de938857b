"""Where children play: a real loop, a real reaper, real processes, and nothing left behind.

Law: every wait has a deadline and says what it waited for; whatever a test started is killed
and reaped at its end, also when it fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from hotrun.process import tree
from hotrun.process.child import Child, Hooks
from hotrun.process.command import Command, parse
from hotrun.process.reaper import Reaper
from hotrun.process.spawn import Spawn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

DEADLINE = 60  # seconds; generous, because the machine may be busy with other tests
PAUSE = 0.002  # seconds between two looks at something that cannot tell us
COOKIE = f"HOTRUN_TEST={os.getpid()}-{time.time_ns()}"

# What the children of the tests have in common: a log, and ears for signals.
PRELUDE = """
import os, signal, subprocess, sys, time
log = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def say(*words):
    os.write(log, (" ".join(map(str, words)) + "\\n").encode())
heard = []
def hear(*numbers, who="", ends=False):
    def handle(number, frame):
        heard.append(number)
        say(who, signal.Signals(number).name)
        if ends:
            os._exit(0)
    for number in numbers:
        signal.signal(number, handle)
def fork(act, setsid=False, twice=False):
    pid = os.fork()
    if pid:
        if twice:
            os.waitpid(pid, 0)
        return pid
    if setsid:
        os.setsid()
    if twice and os.fork():
        os._exit(0)
    try:
        act()
    finally:
        os._exit(0)
def listen(count):
    while len(heard) < count:  # `pause` would miss a signal that came just before
        time.sleep(0.001)
def forever():
    while True:
        signal.pause()
"""


@dataclass
class Running:
    """A child, and what was heard of it."""

    child: Child = field(init=False)
    ended: int = 0
    gone: int = 0
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    outlived: list[dict[int, str]] = field(default_factory=list)

    def on_ended(self) -> None:
        self.ended += 1

    def on_gone(self) -> None:
        self.gone += 1


class Yard:
    """Starts children and waits for facts.

    Args:
        directory: Where they run, and where their log is.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "log"
        self.loop = asyncio.new_event_loop()
        self.reaper = Reaper(self.loop)
        self._before = {stat.process for stat in tree.below([os.getpid()])}
        self._started: list[Child] = []
        self.failures: list[object] = []
        self.loop.set_exception_handler(lambda _, context: self.failures.append(context))

    def app(self, code: str, streams: int = 0) -> Running:
        """Start Python code as an app."""
        return self.start(self.python(code), streams, COOKIE)

    def build(self, code: str, streams: int = 1) -> Running:
        """Start Python code as a build."""
        return self.start(self.python(code), streams)

    def shell(self, line: str, streams: int = 1, cookie: str = "") -> Running:
        """Start a command as it stands in a config."""
        return self.start(parse(line), streams, cookie)

    def python(self, code: str) -> Command:
        argv = [sys.executable, "-ISc", PRELUDE + code, str(self.log)]
        return Command(tuple(argv), "python")

    def start(self, command: Command, streams: int = 0, cookie: str = "") -> Running:
        running = Running()
        name, _, value = cookie.partition("=")
        env = {**os.environ, **({name: value} if name else {})}
        outputs = (_into(running.out), _into(running.err))[:streams]
        spawn = Spawn(command, str(self.directory), env, outputs, cookie)
        hooks = Hooks(running.on_ended, running.on_gone, outlived=running.outlived.append)
        running.child = Child(self.loop, self.reaper, spawn, hooks)
        self._started.append(running.child)
        return running

    def until(self, predicate: Callable[[], object], what: str) -> None:
        """Run the loop until something is true."""

        async def wait() -> None:
            end = time.monotonic() + DEADLINE
            while not predicate():
                assert time.monotonic() < end, f"waited {DEADLINE} s for {what}: {self.words()}"
                await asyncio.sleep(PAUSE)

        self.loop.run_until_complete(wait())
        assert not self.failures

    def until_said(self, *words: str) -> None:
        self.until(lambda: set(words) <= set(self.words()), f"{words} in the log")

    def until_gone(self, *running: Running) -> None:
        self.until(lambda: all(each.gone for each in running), "the end of the children")
        assert all(each.gone == 1 and each.child.gone for each in running)

    def words(self) -> list[str]:
        """What the children have said, line by line."""
        with contextlib.suppress(FileNotFoundError):
            return self.log.read_text().split("\n")[:-1]
        return []

    def pid_of(self, who: str) -> int:
        """Wait for the line ``WHO PID``."""
        found: list[int] = []

        def look() -> bool:
            lines = [line.split() for line in self.words()]
            found[:] = [int(line[1]) for line in lines if line[0] == who and line[-1].isdigit()]
            return bool(found)

        self.until(look, f"the pid of {who}")
        return found[0]

    def lives(self, pid: int) -> bool:
        """Whether a process of the test still lives."""
        stat = tree.read(pid)
        return stat is not None and stat.alive

    def strays(self) -> set[int]:
        """All that lives below us and did not before."""
        now = tree.below([os.getpid()])
        return {stat.pid for stat in now if stat.process not in self._before}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.reaper.close()
        self.loop.close()
        end = time.monotonic() + DEADLINE
        while strays := self.strays():
            assert time.monotonic() < end, f"waited {DEADLINE} s for the end of {strays}"
            for pid in strays:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            reap()
        for child in self._started:
            child._popen.poll()  # reaped by now; it warns if it was never told
        reap()


def reap() -> None:
    """Reap whatever came to us and ended; asks each child, or it would be another's zombie."""
    for pid in tree.children(os.getpid()):
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def _into(lines: list[str]) -> Callable[[str], None]:
    return lambda text: lines.extend(text.split("\n")[:-1])
