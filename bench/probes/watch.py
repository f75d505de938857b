"""The watcher under measurement, in a process of its own: ``python watch.py WHAT ROOT...``.

Each way says on stdout what it has to say, one line a fact: a word, then numbers. Times are
nanoseconds; what one takes begins after the imports.
"""

from __future__ import annotations

import gc
import signal
import sys
import time
from typing import TYPE_CHECKING

from hotrun.watch import SAVES, Event, Op, Overflow, Watcher

if TYPE_CHECKING:
    from collections.abc import Callable

QUIET = 0.3  # seconds without an event after which a burst is over


def say(*words: object) -> None:
    """Say one fact, at once."""
    print(*words, flush=True)


def arm(root: str) -> None:
    """Watch a tree, and say what that took in time and memory."""
    watcher = Watcher("native")  # it imports its backend
    began = time.perf_counter_ns()
    watcher.add(root)
    took = time.perf_counter_ns() - began
    say("armed", watcher.directories, took)
    gc.collect()
    say("memory", *(_kilobytes(what) for what in ("VmRSS", "VmHWM")))
    signal.pause()


def _kilobytes(what: str) -> int:
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(what))


def block(root: str) -> None:
    """Do nothing but wait for what never comes."""
    with Watcher("native") as watcher:
        watcher.add(root)
        say("armed", watcher.directories)
        watcher.read()


def drain(root: str, directories: str) -> None:
    """Take in a burst, to its end; say what was heard and what it cost."""
    heard: dict[str, Op] = {}
    events = overflows = 0
    over = False
    with Watcher("native") as watcher:
        watcher.add(root, ops=SAVES)
        say("armed", watcher.directories)
        ran = time.process_time_ns()
        while items := watcher.read(QUIET if over else None):
            for item in items:
                if isinstance(item, Event):
                    events += 1
                    heard[item.path] = heard.get(item.path, Op(0)) | item.op
                elif isinstance(item, Overflow):
                    overflows += 1
            if not over and f"{root}/end" in heard:
                over = True
                say("end", time.monotonic_ns())
        say("drained", time.process_time_ns() - ran, events, overflows)
    say("missing", *_missing(root, heard, int(directories)))


def _missing(root: str, heard: dict[str, Op], directories: int) -> tuple[int, int, int]:
    """Count the new directories, the files in them and the old files that nobody spoke of."""
    units = [f"{root}/new/part{number // 100}/unit{number}" for number in range(directories)]
    new = sum(Op.CREATE not in heard.get(path, Op(0)) for path in units)
    within = sum(Op.CREATE not in heard.get(f"{path}/file.txt", Op(0)) for path in units)
    old = [f"{root}/part{n // 500}/unit{n // 5}/file{n % 5}.txt" for n in range(1000)]
    return new, within, sum(Op.WRITE not in heard.get(path, Op(0)) for path in old)


def poll(root: str) -> None:
    """Poll a tree, and say of each event when it came."""
    with Watcher("poll") as watcher:
        watcher.add(root)
        say("armed", watcher.directories)
        while items := watcher.read():
            now = time.monotonic_ns()
            for item in items:
                if isinstance(item, Event):
                    say("event", now, item.path)


def list_once(root: str) -> None:
    """List a tree for the first time."""
    from hotrun.watch.sieve.snapshot import list_tree

    began = time.perf_counter_ns()
    listing = list_tree([root], lambda _: False, lambda _: True)
    took = time.perf_counter_ns() - began
    say("listed", sum(len(directory.files) for directory in listing.values()), took)


def relist(root: str) -> None:
    """Take a tree in as a session does, lose events, and find what differs."""
    from hotrun.watch.rules.filter import Filter
    from hotrun.watch.sieve.sieve import Sieve

    sieve = Sieve([root], Filter(roots=[root], base=root))
    began = time.perf_counter_ns()
    sieve.list()
    say("listed", sieve.files, time.perf_counter_ns() - began)
    with open(f"{root}/file0.txt", "a", encoding="utf-8") as file:
        file.write("more\n")
    began = time.perf_counter_ns()
    sieve.note([Overflow(root)])
    for sifted in sieve.sift():  # noqa: B007 - the last one is the answer
        pass
    took = time.perf_counter_ns() - began
    assert sifted is not None  # noqa: S101 - by contract
    say("relisted", sifted.listed, took, len(sifted.changed))


WAYS: dict[str, Callable[..., None]] = {
    "arm": arm,
    "block": block,
    "drain": drain,
    "poll": poll,
    "list": list_once,
    "relist": relist,
}

if __name__ == "__main__":
    WAYS[sys.argv[1]](*sys.argv[2:])
