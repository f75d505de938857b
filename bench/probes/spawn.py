"""Starts of a child, by subprocess and by hotrun: ``python spawn.py COUNT LOG COMMAND...``.

COMMAND appends the time of its first instruction to LOG and ends. Each way to start it has its
turn COUNT times, and one line: ``start WAY CALL FIRST``, the nanoseconds that the call took, and
those from the call to the first instruction. A pause lies between two.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable

from hotrun.address import parse_address
from hotrun.process.child import Child, Hooks
from hotrun.process.command import Command
from hotrun.process.guardian import Guardian
from hotrun.process.listen import Sockets
from hotrun.process.reaper import Reaper
from hotrun.process.spawn import Spawn

WARM_UP = 3
PAUSE = 0.005  # seconds

Way = Callable[[], Callable[[], object]]
"""Starts the command, and returns what waits for its end."""


class Ways:
    """The ways to start a command.

    Args:
        argv: The command; its program is an absolute path.
        sockets: What is passed where sockets are.
        guardian: The guardian of this process.
        cookie: ``NAME=value`` of every child.
    """

    def __init__(self, argv: list[str], sockets: Sockets, guardian: Guardian, cookie: str) -> None:
        self._argv = argv
        self._sockets = sockets
        self._cookie = cookie
        name, _, value = cookie.partition("=")
        self._env = {**os.environ, name: value}
        self._loop = asyncio.new_event_loop()
        self._reaper = Reaper(self._loop, guardian)
        self.all: dict[str, Way] = {
            "popen": lambda: self._popen(None),
            "hotrun": self._child,
            "hotrun+listen": lambda: self._child(listens=True),
            "popen+pipes": lambda: self._popen(subprocess.PIPE),
            "hotrun+pipes": lambda: self._child(captures=True),
        }

    def _popen(self, output: int | None) -> Callable[[], object]:
        child = subprocess.Popen(
            self._argv,
            cwd=os.getcwd(),
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
        )
        return child.communicate

    def _child(self, *, listens: bool = False, captures: bool = False) -> Callable[[], object]:
        gone = self._loop.create_future()
        hears = (lambda _: None,) * 2 if captures else ()
        spawn = Spawn(
            Command(tuple(self._argv), self._argv[0]),
            os.getcwd(),
            {**self._env, **self._sockets.environment()} if listens else self._env,
            hears,
            self._cookie,
            sockets=self._sockets.fds if listens else (),
        )
        Child(self._loop, self._reaper, spawn, Hooks(gone=lambda: gone.set_result(None)))
        return lambda: self._loop.run_until_complete(gone)

    def close(self) -> None:
        """Hear of no child any more."""
        self._reaper.close()
        self._loop.close()


def main() -> None:
    """Start again and again, and say what each start took."""
    count, log, *argv = sys.argv[1:]
    sockets = Sockets(1)  # first: it wants descriptor 3
    sockets.bind([parse_address("127.0.0.1:0")])
    cookie = f"HOTRUN_SESSION={os.getpid()}-{time.time_ns()}"
    with Guardian(cookie) as guardian:
        ways = Ways(argv, sockets, guardian, cookie)
        names = list(ways.all)
        for turn in range(WARM_UP + int(count)):
            at = turn % len(names)
            for name in names[at:] + names[:at]:
                call, first = measure(ways.all[name], log)
                if turn >= WARM_UP:
                    print("start", name, call, first, flush=True)
        ways.close()
    print("done", flush=True)


def measure(start: Way, log: str) -> tuple[int, int]:
    """Start once."""
    time.sleep(PAUSE)
    began = time.monotonic_ns()
    wait = start()
    returned = time.monotonic_ns()
    wait()
    with open(log, encoding="utf-8") as file:
        stamp = int(file.read())
    os.truncate(log, 0)
    return returned - began, stamp - began


if __name__ == "__main__":
    main()
