"""One command that runs: its group, its descendants, its end.

Laws: a child has its own group and hears one signal a stop. Four facts are never taken for one
another: the first process exited; its output ended; its group is empty; its tree is gone.

An app (it has a cookie) is over when its whole tree is. A build is over with its first process:
the daemons it leaves (compile servers) are there on purpose. A build that is killed goes with
its group and with its descendants in our session, where a daemon is not.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple
from hotrun.process import spawn as spawning
from hotrun.process import tree
from hotrun.process.family import Family
from hotrun.process.output import Pipe

if TYPE_CHECKING:
    import asyncio
    import resource
    from collections.abc import Callable

    from hotrun.process.reaper import Reaper
    from hotrun.process.spawn import Spawn
    from hotrun.process.tree import Process, Stat

DRAIN = 0.1  # seconds that output may still come after a build: a grandchild may hold the pipe
# Seconds that the rest of an app has to follow its first process by itself: workers that see
# their master gone need a few milliseconds, and are no reason for a warning.
FOLLOW = 0.1


class Hooks(NamedTuple):
    """What a child tells.

    Attributes:
        ended: Its first process ended, and others of its tree did not follow.
        gone: All is gone.
        halted: Its first process was stopped by this signal (SIGTTIN, SIGTSTP), not ended.
        outlived: Its first process ended, and these others did not follow (pids, and what they
            run): all of its tree, or after a stop those who had left its group. They are told to
            end now.
    """

    ended: Callable[[], None] = lambda: None
    gone: Callable[[], None] = lambda: None
    halted: Callable[[int], None] = lambda _: None
    outlived: Callable[[dict[int, str]], None] = lambda _: None


class Usage(NamedTuple):
    """What a process that ended had used, with all whose end it had waited for (wait4(2)).

    ``memory`` is in bytes, at the most of any one of them; None when that is not known.
    """

    cpu_ms: int
    memory: int | None


# getrusage(2) counts kilobytes, and on macOS bytes.
MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024


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
        self.kind = "app" if spawn.cookie else "build"
        self.command = spawn.command.text
        self._hooks = hooks
        self.code: int | None = None  # of the first process, negative for a signal
        self._least = 0  # bytes, of which the kernel takes it for its own that they were ours
        self._peak: int | None = None  # bytes, as it was when we stopped it
        self.usage: Usage | None = None  # of an app's first process, known when it has ended
        self.beyond: dict[int, str] = {}  # at a kill: who took another user (sudo), and lives on
        self.gone = False
        self._told: set[Process] = set()  # who was sent the stop signal
        self._signal: int | None = None  # the stop signal that was sent
        self._signalled = 0  # when, in the clock of `Process.began`
        self._killing = False
        self._waited = False  # FOLLOW has passed since its first process ended
        self._tree_gone = False
        self._timer: asyncio.TimerHandle | None = None
        self._late: asyncio.TimerHandle | None = None  # for the last moment to tell who escaped
        self._pipes: list[Pipe] = []
        reaper.expect()
        self._start(spawn)
        reaper.add(self)

    def _start(self, spawn: Spawn) -> None:
        try:
            for hear in spawn.outputs:
                self._pipes.append(Pipe(self._loop, hear, self._finish, spawn.behind))
            self._popen = spawning.start(spawn, [pipe.write_fd for pipe in self._pipes])
        except (OSError, spawning.SpawnError) as error:
            for pipe in self._pipes:
                pipe.discard()
            if isinstance(error, OSError):
                raise spawning.refused(error, spawn.command.argv[0]) from error
            raise
        for pipe in self._pipes:
            pipe.listen()
        self.pid = self._popen.pid
        self._family = Family(self._reaper, self.pid, self._cookie)
        if self._cookie:
            self._least = tree.peak_memory(os.getpid()) or 0

    @property
    def ending(self) -> bool:
        """Whether its end has begun."""
        return self._signal is not None or self._killing or self.code is not None

    @property
    def waits_for(self) -> int:
        """The pid that its end waits for: of its first process, or of one that outlives that."""
        left = [stat.pid for stat in self._left() if stat.alive] if self.code is not None else []
        return min(left, default=self.pid)

    def stop(self, number: int, *, patience: float | None = None, measures: bool = True) -> None:
        """Send the stop signal to the group, once; what left the group hears it later.

        Args:
            number: The signal.
            patience: Seconds after which that hears it even if the group is not empty.
            measures: Look first at the memory it has used; else that may not be known.
        """
        if self._signal is not None or self._killing or self._tree_gone:
            return
        group = [stat for stat in self._look_around() if stat.group == self.pid]
        self._signal, self._signalled = number, tree.now()
        self._peak = tree.peak_memory(self.pid) if measures and self.code is None else None
        self._signal_group(number, group)
        # Who left between our look and the signal did not hear it; it is told with those who had
        # left before.
        self._told.update(stat.process for stat in group if not _left(stat))
        for stat in group:
            tree.wake(stat)
        if patience is not None:
            self._late = self._loop.call_later(patience, self._tell_late)
        self._loop.call_soon(self._reaper.look)

    def send(self, number: int) -> None:
        """Send the group a signal that is no part of a stop; a shell may have ended before it."""
        if not self._tree_gone:
            members = [stat for stat in self._look_around() if stat.group == self.pid]
            self._signal_group(number, members)

    def send_first(self, number: int) -> None:
        """Send the first process a signal: its helpers have not asked for it, and would end."""
        if self.code is None:  # unreaped, so the pid is nobody else's
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, number)

    def kill(self) -> dict[int, str]:
        """Send SIGKILL to all that is left, and return their pids and what they run."""
        if self.gone:
            return {}
        self._killing = True
        self._tree_gone = False  # of a build only its first process was, up to now
        self._cancel()
        left = self._left()
        alive = sorted(stat.pid for stat in left if stat.alive)
        killed = {pid: tree.command_line(pid) for pid in alive}
        around = (stat for stat in self._look_around() if stat.alive)
        self.beyond = {s.pid: tree.command_line(s.pid) for s in around if not tree.reachable(s.pid)}
        self._kill_all(left)
        self._loop.call_soon(self._reaper.look)
        return killed

    def look(self) -> None:
        """Find out what is over; called whenever any process ended."""
        if self._tree_gone:
            return
        first = self.code is None
        if first:
            self._reap()
        if self.code is None and (not self._killing or tree.reachable(self.pid)):
            return
        self._reaper.reap()  # before we look for them: one who has ended is no reason to wait
        left = self._left()
        if not left:
            self._end()
        elif self._killing:
            self._kill_all(left)
        elif self._signal is not None:
            self._tell_escaped(left)
        elif first:
            self._timer = self._loop.call_later(FOLLOW, self._follow_no_more)

    def _reap(self) -> None:
        """Learn whether the first process ended; a stop of it (Ctrl-Z, SIGTTIN) is told."""
        try:
            pid, status, used = os.wait4(self.pid, os.WNOHANG | os.WUNTRACED)
        except ChildProcessError:  # somebody else waited for it: only its code is lost
            self.code = self._popen.returncode = 0
            return
        if pid and os.WIFSTOPPED(status):
            self._hooks.halted(os.WSTOPSIG(status))
        elif pid:
            self.code = self._popen.returncode = os.waitstatus_to_exitcode(status)
            self._family.leave()
            if self._cookie:
                self.usage = self._used(used)

    def _used(self, used: resource.struct_rusage) -> Usage:
        """Say what it used; the kernel begins to count memory with what we had at its start.

        (vfork(2) and then execve(2): the memory that is left behind was ours. A small app would
        be told to have used 30 MB.)
        """
        most = used.ru_maxrss * MEMORY_UNIT
        seconds = used.ru_utime + used.ru_stime
        return Usage(round(seconds * 1000), most if most > self._least else self._peak)

    # --- the end ---

    def _follow_no_more(self) -> None:
        """Whoever has not followed the first process by now does not do so by itself."""
        self._timer, self._waited = None, True
        self.look()  # on a busy machine they have followed, and we have not heard of it yet
        if self._signal is None and not (self._tree_gone or self._killing):
            self._tell_outlived(self._left())
            self._hooks.ended()

    def _tell_outlived(self, left: list[Stat]) -> None:
        found = {stat.pid: tree.command_line(stat.pid) for stat in left if stat.alive}
        if found and self._cookie:
            self._hooks.outlived(found)

    def _end(self) -> None:
        """The tree is gone, and so is everybody of it who could write.

        A build's grandchild may live on and hold the pipe: it delays us no longer than DRAIN.
        """
        self._tree_gone = True
        self._cancel()
        if self._cookie or self._killing:
            self._finish_output()
        elif not all(pipe.ended for pipe in self._pipes):
            self._timer = self._loop.call_later(DRAIN, self._finish_output)
        self._finish()

    def _finish_output(self) -> None:
        for pipe in self._pipes:
            pipe.finish()

    def _finish(self) -> None:
        """All is over when the tree is gone and the output has ended (or had its time)."""
        if self.gone or not self._tree_gone or not all(pipe.ended for pipe in self._pipes):
            return
        self.gone = True
        self._cancel()
        self._reaper.remove(self)
        self._hooks.gone()

    def _cancel(self) -> None:
        for timer in (self._timer, self._late):
            if timer is not None:
                timer.cancel()
        self._timer = self._late = None

    # --- the tree ---

    def _look_around(self) -> list[Stat]:
        return self._family.look(first=self.code is None)

    def _left(self) -> list[Stat]:
        """Return who has to be gone before it is over."""
        if not self._cookie and not self._killing and self._signal is None:
            return []
        left = self._look_around() or self._family.group()
        if self._killing:  # what we may not kill is not waited for
            left = [stat for stat in left if tree.reachable(stat.pid)]
        return left

    def _tell_escaped(self, left: list[Stat]) -> None:
        """Whoever left the group hears the stop signal too, once the group is empty.

        Not before: a supervisor passes the signal on to its own children, and they would hear
        it twice.
        """
        if any(stat.group == self.pid for stat in left):
            return
        escaped = self._untold(left)
        if escaped and self.code is not None and not self._waited:
            if self._timer is None:
                self._timer = self._loop.call_later(FOLLOW, self._follow_no_more)
            return
        self._tell_outlived(escaped)
        self._tell(escaped)

    def _tell_late(self) -> None:
        """The time is nearly up: to hear it twice is better than to be killed unheard."""
        self._late = None
        if not (self._tree_gone or self._killing):
            escaped = [stat for stat in self._left() if stat.group != self.pid]
            self._tell(self._untold(escaped))

    def _untold(self, left: list[Stat]) -> list[Stat]:
        """Return who did not hear the stop signal; what was started since cleans up, it may be."""
        return [
            stat
            for stat in left
            if stat.process not in self._told and stat.process.began <= self._signalled
        ]

    def _tell(self, untold: list[Stat]) -> None:
        if self._signal is None:
            return
        self._told.update(stat.process for stat in untold)
        for stat in untold:
            tree.send(stat.process, self._signal)
            tree.wake(stat)

    def _kill_all(self, left: list[Stat]) -> None:
        self._signal_group(signal.SIGKILL, [stat for stat in left if stat.group == self.pid])
        for stat in left:
            tree.send(stat.process, signal.SIGKILL)

    def _signal_group(self, number: int, members: list[Stat]) -> None:
        # The pid cannot be somebody else's group: it is unreaped, or the group has members.
        if self.code is None or members:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)


def _left(stat: Stat) -> bool:
    """Whether a process is in another group by now."""
    now = tree.read(stat.pid)
    return now is not None and now.process == stat.process and now.group != stat.group
