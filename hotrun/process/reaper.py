"""The reaper: hears that a process ended, and lets each child look whether it was its own.

On Linux we become a child subreaper: what loses its parent comes to us instead of to pid 1, so
its end is told to us (SIGCHLD) and no zombie of it makes a dead group look alive. An adopted
process is reaped by its pid; ``waitpid(-1)`` would steal the children of others.
The end of a child itself is told by its pidfd as well, and sooner: what follows is waited for.
Facts: prctl(2), waitpid(2), pidfd_open(2).
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

from hotrun.process import mark, tree

if TYPE_CHECKING:
    import asyncio

    from hotrun.process.child import Child
    from hotrun.process.guardian import Guardian
    from hotrun.process.session_file import SessionFile
    from hotrun.process.tree import Stat

PR_SET_CHILD_SUBREAPER = 36
# Seconds between two looks while something is ending. SIGCHLD tells us of every orphan that we
# adopt, but not of what ends below a daemon that lives on, and of nothing without a subreaper.
LOOK_AGAIN = {True: 0.1, False: 0.02}


def become_subreaper() -> bool:
    """Ask the kernel for the orphans of our descendants; False where it cannot."""
    if not tree.LINUX:
        return False
    import ctypes

    return bool(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


class Reaper:
    """Knows all children, and looks after them whenever one may have ended.

    Args:
        loop: The event loop.
        guardian: Is told of every group, for the case that we are killed.
        file: Is told as well, for the case that the guardian is killed too.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        guardian: Guardian | None = None,
        file: SessionFile | None = None,
    ) -> None:
        self._loop = loop
        self._guardian = guardian
        self._file = file
        self._children: list[Child] = []
        self._pidfds: dict[Child, int] = {}
        self._helpers: set[int] = set()
        if guardian is not None:
            self.leave_out(guardian.pid)
        self._adopts = become_subreaper()
        self._again: asyncio.TimerHandle | None = None
        loop.add_signal_handler(signal.SIGCHLD, self.look)

    def expect(self) -> None:
        """A child is about to be started."""
        if self._guardian is not None:
            self._guardian.expect()

    def add(self, child: Child) -> None:
        """Look after a child from now on."""
        self._children.append(child)
        if self._guardian is not None:
            self._guardian.begin(child.pid)
        self._hear_end(child)
        if self._file is not None:  # off the path between save and start
            self._loop.call_soon(self._file.begin, child.pid, child.kind, child.command)

    def _hear_end(self, child: Child) -> None:
        """Hear of its end at once: asyncio takes two more turns of the loop for a signal."""
        with contextlib.suppress(OSError, AttributeError):  # no descriptor left; no such system
            self._pidfds[child] = os.pidfd_open(child.pid)
            self._loop.add_reader(self._pidfds[child], self._ended, child)

    def _ended(self, child: Child) -> None:
        """Its first process has ended; SIGCHLD, which comes as well, is for all the others."""
        try:
            child.look()
        finally:
            self._hear_no_more(child)

    def _forget(self, child: Child) -> None:
        self._hear_no_more(child)  # one that took another user may live on
        if self._file is not None:
            self._file.end(child.pid)

    def _hear_no_more(self, child: Child) -> None:
        pidfd = self._pidfds.pop(child, None)
        if pidfd is not None:
            self._loop.remove_reader(pidfd)
            os.close(pidfd)

    def remove(self, child: Child) -> None:
        """Look after a child no more: it is gone."""
        self._children.remove(child)
        if self._guardian is not None:
            self._guardian.end(child.pid)
        self._loop.call_soon(self._forget, child)

    def leave_out(self, pid: int) -> None:
        """Never look at, reap or signal a process that we forked for ourselves."""
        self._helpers.add(pid)

    def look(self) -> None:
        """Let each child find out what the end of a process means for it, and reap the others."""
        for child in tuple(self._children):
            child.look()
        self.reap()
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if any(child.ending for child in self._children):
            self._again = self._loop.call_later(LOOK_AGAIN[self._adopts], self.look)

    def reap(self) -> None:
        """Reap the orphans that came to us and have ended."""
        ended = _who_has_ended() if self._adopts else 0
        if not ended or any(child.pid == ended for child in self._children):
            return  # that child's own look is still to come, and comes back here
        for stat in self.adopted():
            if not stat.alive:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(stat.pid, os.WNOHANG)

    def adopted(self) -> list[Stat]:
        """Return the orphans that came to us, zombies among them.

        What is in our own group was started by other code of this process, or stood before us
        in the shell: whoever started it waits for it.
        """
        if not self._adopts:
            return []
        known = {child.pid for child in self._children} | self._helpers
        ours = tree.children(os.getpid(), first=True)
        stats = (tree.read(pid) for pid in ours if pid not in known)
        return [stat for stat in stats if stat is not None and stat.group != os.getpgrp()]

    def close(self, cookie: str = "") -> None:
        """Hear no more; what carries the cookie and is left is the guardian's.

        No child answers for what a command before or after the app has put into the background.
        """
        left = (stat for stat in self.adopted() if stat.alive and mark.belongs(stat.pid, cookie))
        if self._guardian is not None and any(left):
            self._guardian.take_over()
        self._loop.remove_signal_handler(signal.SIGCHLD)
        for child in tuple(self._pidfds):
            self._hear_no_more(child)
        if self._again is not None:
            self._again.cancel()


def _who_has_ended() -> int:
    """Return one child of ours that is to be reaped; to read who they all are takes much longer."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:  # we have none
        return 0
    return found.si_pid if found is not None else 0
