"""Who belongs to a command: what descends from its first process, whoever its parent is by now.

Law: a process is known by its pid and the time of its start; a number that is used again is
somebody else. Who was seen to descend from it stays of it when its parents are gone, and an orphan
that nobody saw is known by its group, or by the mark of the session.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hotrun.process import mark, tree

if TYPE_CHECKING:
    from hotrun.process.reaper import Reaper
    from hotrun.process.tree import Process, Stat


class Family:
    """The processes of one command.

    Args:
        reaper: Knows the orphans.
        pid: Of the first process, which leads the group.
        cookie: That an app carries; "" for a build, of which a daemon is none.
    """

    def __init__(self, reaper: Reaper, pid: int, cookie: str) -> None:
        self._reaper = reaper
        self._pid = pid
        self._cookie = cookie
        self._seen: set[Process] = set()  # as far as we have ever looked

    def look(self, *, first: bool) -> list[Stat]:
        """Return who lives of it, and remember them: later their parents may be gone.

        Orphans come last: whose parent ends while we look comes to us. One that ended itself
        meanwhile may have left us a child that our list has not; it is returned as not alive.

        Args:
            first: The first process is not reaped yet, so that its pid is its own.
        """
        top = tree.read(self._pid) if first else None
        seen = [stat for each in self._seen if (stat := tree.read(each.pid))]
        roots = [stat for stat in seen if stat.process in self._seen]
        found = _with_all_below([*roots, *([top] if top is not None else [])])
        orphans = [stat for stat in self._reaper.adopted() if stat.process not in found]
        owned = [stat for stat in orphans if stat.alive and self._owns(stat)]
        found |= _with_all_below(owned)
        if not self._cookie:  # who left our session did so to stay
            found = {process: s for process, s in found.items() if s.session == os.getsid(0)}
        self._seen = set(found)
        lost = [s for s in orphans if s not in owned and not (s.alive and tree.alive(s.process))]
        return [*found.values(), *(stat._replace(alive=False) for stat in lost)]

    def group(self) -> list[Stat]:
        """Return who is in its group; in another session that is somebody else's, used again."""
        return [stat for stat in tree.members(self._pid) if stat.session == os.getsid(0)]

    def leave(self) -> None:
        """The first process is reaped: whoever has its number from now on is another one."""
        self._seen = {each for each in self._seen if each.pid != self._pid}

    def _owns(self, orphan: Stat) -> bool:
        if orphan.group == self._pid:
            return True
        return bool(self._cookie) and mark.belongs(orphan.pid, self._cookie)


def _with_all_below(roots: list[Stat]) -> dict[Process, Stat]:
    below = tree.below(stat.pid for stat in roots)
    return {stat.process: stat for stat in (*roots, *below) if stat.alive}
