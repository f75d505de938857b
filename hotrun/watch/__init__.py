"""The watcher wing: a library of its own, which knows no build, no config and no loop.

``Watcher`` chooses the backend: the kernel's events where there are any and the limits allow
it, polling otherwise. ``poll_file`` looks at one file again and again. Who needs certainty puts
a ``Sieve`` behind a watcher.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from hotrun.watch.file_poll import FileChange, FilePoll, poll_file

__all__ = [
    "BASE",
    "SAVES",
    "Event",
    "FileChange",
    "FilePoll",
    "Item",
    "Op",
    "Overflow",
    "Polled",
    "Refreshed",
    "Unwatched",
    "Watcher",
    "poll_file",
]


def __getattr__(name: str) -> object:
    """Import what few need when it is asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'hotrun.watch' has no attribute {name!r}")
    from hotrun.watch import file_poll

    return getattr(file_poll, name)
