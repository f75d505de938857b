"""Which backend serves on this system: the one place that asks what system it is."""

from __future__ import annotations

import select
import sys
from typing import TYPE_CHECKING

from hotrun.errors import WatchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.watch.backend import Backend
    from hotrun.watch.event import Item
    from hotrun.watch.inotify.watches import StandIn
    from hotrun.watch.scope import Scope

    Make = Callable[[Scope, Callable[[Item], None], StandIn], Backend]

NATIVE = ("inotify", "kqueue", "windows")


def native(name: str = "native") -> Make:
    """Return how the native backend is made.

    Args:
        name: "native" for the one of this system, or "inotify", "kqueue", "windows".

    Raises:
        WatchError: this system has none, or not that one.
    """
    here = _here()
    if not here:
        raise WatchError(
            f"no native watcher for {sys.platform} yet", "changes are found by polling"
        )
    if name not in ("native", here):
        raise WatchError(f"{name} is not of this system", f"{here} is, and polling is everywhere")
    return {"inotify": _inotify, "kqueue": _kqueue, "windows": _windows}[here]


def _here() -> str:
    here = {"linux": "inotify", "win32": "windows"}
    return here.get(sys.platform) or ("kqueue" if hasattr(select, "kqueue") else "")


def _inotify(scope: Scope, say: Callable[[Item], None], stand_in: StandIn) -> Backend:
    from hotrun.watch.inotify.backend import Inotify

    return Inotify(scope, say, stand_in)


def _kqueue(scope: Scope, say: Callable[[Item], None], _: StandIn) -> Backend:
    from hotrun.watch.kqueue.backend import Kqueue

    return Kqueue(scope, say)


def _windows(scope: Scope, say: Callable[[Item], None], _: StandIn) -> Backend:
    from hotrun.watch.windows.backend import Windows
    from hotrun.watch.windows.kernel32 import load

    return Windows(scope, say, load())
