"""The watcher wing: a library of its own, which knows no build, no config and no loop.

``Watcher`` chooses the backend: the kernel's events where there are any and the limits allow
it, polling otherwise. ``poll_file`` looks at one file again and again. Who needs certainty puts
a ``Sieve`` behind a watcher.
"""

from hotrun.watch.event import (
    BASE,
    SAVES,
    Event,
    Item,
    Op,
    Overflow,
    Polled,
    Refreshed,
    Unwatched,
)
from hotrun.watch.watcher import Watcher

__all__ = [
    "BASE",
    "SAVES",
    "Event",
    "Item",
    "Op",
    "Overflow",
    "Polled",
    "Refreshed",
    "Unwatched",
    "Watcher",
]
