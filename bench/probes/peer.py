"""Another Python watcher, in a process of its own: ``python peer.py watchfiles|watchdog ROOT``.

It says "armed WATCHES NANOSECONDS" once all is watched (it does not count: 0 watches), and waits
to be killed. What it took begins after the imports. The exit code is 3 where it is not there.
"""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def watchfiles(root: str) -> Callable[[], object]:
    """Return what arms it: it watches before its first item, which comes after 1 ms of nothing."""
    from watchfiles import watch

    changes = watch(root, watch_filter=None, step=1, rust_timeout=1, yield_on_timeout=True)
    return lambda: next(changes)


def watchdog(root: str) -> Callable[[], object]:
    """Return what arms it: it watches before ``start`` returns."""
    from watchdog.events import FileSystemEventHandler
    from watchdog.observers import Observer

    observer = Observer()
    observer.daemon = True
    observer.schedule(FileSystemEventHandler(), root, recursive=True)
    return observer.start


def main() -> None:
    """Be the peer that the arguments name."""
    _, name, root = sys.argv
    try:
        start = {"watchfiles": watchfiles, "watchdog": watchdog}[name](root)
    except ImportError:
        sys.exit(3)
    began = time.perf_counter_ns()
    start()
    print("armed", 0, time.perf_counter_ns() - began, flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
