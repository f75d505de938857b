"""The reaper: hears that a process ended, and lets each child look whether it was its own.

On Linux we become a child subreaper: what loses its parent comes to us instead of to pid 1, so
its end is told to us (SIGCHLD) and no zombie of it makes a dead group look alive. An adopted
process is reaped by its pid; ``waitpid(-1)`` would steal the children of others.
Facts: prctl(2), waitpid(2).
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

from hotrun.process import tree

if TYPE_CHECKING:
    import asyncio

    from hotrun.process.child import Child

PR_SET_CHILD_SUBREAPER = 36
LOOK_AGAIN = 0.02  # seconds, where the kernel cannot tell us of the orphans' end


def become_subreaper() -> bool:
    """Ask the kernel for the orphans of our descendants; False where it cannot."""
    if not tree.LINUX:
        return False
    import ctypes

    return bool(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


class Reaper:
    """Knows all children, and looks after them whenever one may have ended."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._children: list[Child] = []
        self._told = become_subreaper()
        self._again: asyncio.TimerHandle | None = None
        loop.add_signal_handler(signal.SIGCHLD, self.look)

    def add(self, child: Child) -> None:
        """Look after a child from now on."""
        self._children.append(child)

    def look(self) -> None:
        """Reap what ended, and let each child find out what that means for it."""
        self._reap_adopted()
        for child in tuple(self._children):
            child.look()
        self._children = [child for child in self._children if not child.gone]
        if not self._told and any(child.ending for child in self._children):
            if self._again is not None:
                self._again.cancel()
            self._again = self._loop.call_later(LOOK_AGAIN, self.look)

    def adopted(self) -> list[int]:
        """Return the pids of children that we did not start ourselves."""
        if not self._told:
            return []
        own = {child.pid for child in self._children}
        return [pid for pid in tree.children(os.getpid()) if pid not in own]

    def _reap_adopted(self) -> None:
        for pid in self.adopted():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)

    def close(self) -> None:
        """Hear no more."""
        self._loop.remove_signal_handler(signal.SIGCHLD)
        if self._again is not None:
            self._again.cancel()
