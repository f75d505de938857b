"""What an app and all below it use at the moment; asked by a person, never by itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    import psutil

SAMPLE = 0.2  # seconds over which the processor's time is measured


class Use(NamedTuple):
    """What a process tree uses: memory in bytes, the processor in percent of one."""

    processes: int
    cpu: float
    memory: int


class Measurement:
    """A measurement that has begun; ``end`` it after SAMPLE seconds.

    Args:
        pid: The process that is measured, with its descendants.
    """

    def __init__(self, pid: int) -> None:
        import psutil

        self._tree: list[psutil.Process] = []
        try:
            first = psutil.Process(pid)
            self._tree = [first, *first.children(recursive=True)]
        except psutil.Error:
            pass
        self._spent = sum(_look(each)[0] for each in self._tree)
        self._began = time.monotonic()

    def end(self) -> Use:
        """Return what was used; memory that several share (the program) counts for each."""
        looks = [_look(each) for each in self._tree]
        spent = sum(seconds for seconds, _ in looks) - self._spent
        cpu = 100 * max(0.0, spent) / max(0.001, time.monotonic() - self._began)
        return Use(len(looks), cpu, sum(memory for _, memory in looks))


def _look(process: psutil.Process) -> tuple[float, int]:
    """Return the seconds and the bytes of one; nothing of one that has ended."""
    import psutil

    try:
        times = process.cpu_times()
        return times.user + times.system, process.memory_info().rss
    except psutil.Error:
        return 0.0, 0
