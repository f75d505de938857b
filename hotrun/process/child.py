"""One command that runs: its group, its descendants, its end.

Laws: a child has its own group and hears one signal a stop. Four facts are never taken for one
another: the first process exited; its output ended; its group is empty; its tree is gone.
"""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hotrun.process import tree
from hotrun.process.output import Pipe
from hotrun.process.spawn import SpawnError, start

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from hotrun.process.reaper import Reaper
    from hotrun.process.spawn import Spawn
    from hotrun.process.tree import Process

DRAIN = 0.1  # seconds that output may still come after the exit: a grandchild may hold the pipe


@dataclass(slots=True)
class Hooks:
    """What a child tells: its first process ended; all of it is gone."""

    ended: Callable[[], None] = field(default=lambda: None)
    gone: Callable[[], None] = field(default=lambda: None)


class Child:
    """A started command.

    Raises:
        SpawnError: the program is missing or cannot be executed.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, reaper: Reaper, spawn: Spawn, hooks: Hooks
    ) -> None:
        self._loop = loop
        self._reaper = reaper
        self._cookie = spawn.cookie
        self._hooks = hooks
        self._pipes = [Pipe(loop, hear, self._finish) for hear in spawn.outputs]
        try:
            self._popen = start(spawn, [pipe.write_fd for pipe in self._pipes])
        except SpawnError:
            for pipe in self._pipes:
                pipe.close_write()
                pipe.finish()
            raise
        for pipe in self._pipes:
            pipe.close_write()
        self.pid = self._popen.pid
        self.code: int | None = None  # of the first process, negative for a signal
        self.gone = False
        self.killed: list[int] = []
        self._seen: set[Process] = set()  # descendants, as far as we have ever looked
        self._signal: int | None = None  # the stop signal that was sent
        self._told: set[Process] = set()  # who left the group and was signalled by pid
        self._killing = False
        self._tree_gone = False
        self._deadline: asyncio.TimerHandle | None = None
        reaper.add(self)

    @property
    def ending(self) -> bool:
        """Whether its end has begun."""
        return self._signal is not None or self._killing or self.code is not None

    def stop(self, number: int) -> None:
        """Send the stop signal to the group, once."""
        self._look_around()
        self._signal = number
        self._signal_group(number)
        self._loop.call_soon(self._reaper.look)

    def kill(self) -> list[int]:
        """Send SIGKILL to all that is left, and return their pids."""
        self._look_around()
        self._killing = True
        left = {process.pid for process in self._seen if tree.alive(process)}
        if self.code is None:
            left.add(self.pid)
        self._signal_group(signal.SIGKILL)
        for process in self._seen:
            _signal_one(process, signal.SIGKILL)
        self.killed = sorted(left)
        self._loop.call_soon(self._reaper.look)
        return self.killed

    def look(self) -> None:
        """Find out what is over; called whenever any process ended."""
        if self._tree_gone:
            return
        if self.code is None:
            self.code = self._popen.poll()
            if self.code is None:
                return
            if self._tree_lives() and not (self._signal or self._killing):
                self._hooks.ended()
        if self._tree_lives():
            self._press()
            return
        self._tree_gone = True
        if self._killing:
            self._finish_output()
        elif self._pipes:
            self._deadline = self._loop.call_later(DRAIN, self._finish_output)
        self._finish()

    def _finish_output(self) -> None:
        for pipe in self._pipes:
            pipe.finish()

    def _finish(self) -> None:
        """All is over when the tree is gone and the output has ended (or had its time)."""
        if self.gone or not self._tree_gone or not all(pipe.ended for pipe in self._pipes):
            return
        self.gone = True
        if self._deadline is not None:
            self._deadline.cancel()
        self._hooks.gone()

    # --- the tree ---

    def _look_around(self) -> None:
        """Note who descends from the child now: later their parents may be gone."""
        self._seen |= tree.descendants(self.pid)
        if self._cookie:
            for pid in self._reaper.adopted():
                process = tree.identify(pid)
                if process is not None and tree.carries(pid, self._cookie):
                    self._seen |= {process} | tree.descendants(pid)

    def _tree_lives(self) -> bool:
        if not self._cookie and not self._killing:
            return False  # a build is over with its command; its daemons are there on purpose
        if tree.group_lives(self.pid):
            return True
        if not self._cookie:
            return False
        self._look_around()
        self._seen = {process for process in self._seen if tree.alive(process)}
        return bool(self._seen)

    def _press(self) -> None:
        """Whoever left the group hears the signal too, once the group is empty.

        Not before: a supervisor passes the signal on to its own children, and they would hear
        it twice.
        """
        if self._killing:
            self._look_around()
            self._signal_group(signal.SIGKILL)
            targets, number = self._seen, int(signal.SIGKILL)
        elif self._signal is not None and not tree.group_lives(self.pid):
            targets, number = self._seen - self._told, self._signal
        else:
            return
        self._told |= targets
        for process in targets:
            _signal_one(process, number)

    def _signal_group(self, number: int) -> None:
        # The pid cannot be somebody else's group: it is unreaped, or the group has members.
        if self.code is None or tree.group_lives(self.pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)


def _signal_one(process: Process, number: int) -> None:
    if tree.alive(process):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, number)
