"""What a watcher would do here, told without watching anything.

Law: the answer is that of ``Watcher`` and its standby as long as no limit of the kernel is met.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from hotrun.errors import WatchError
from hotrun.watch import choose, mounts

if TYPE_CHECKING:
    from collections.abc import Iterator


class Outlook:
    """How changes would be noticed.

    Args:
        backend: As in the config: "auto", "native" or "poll".

    Attributes:
        native: The kernel's interface ("inotify"); empty where everything is polled.
        reason: Why everything is polled; empty where it is not.
    """

    def __init__(self, backend: str) -> None:
        self.native, self.reason = "", ""
        self._mounts = mounts.read() if backend == "auto" else []
        if backend == "poll":
            self.reason = 'watch.backend = "poll"'
            return
        try:
            choose.native()
        except WatchError as error:
            self.reason = error.message
        else:
            self.native = _name()

    def polls(self, path: str, root: str) -> str:
        """Say why what happens to a path below a root is polled; empty: the kernel tells."""
        if self.reason or not self._mounts:
            return self.reason
        for place in _down(path, root):
            mount = mounts.deepest(self._mounts, os.path.realpath(place))
            if mount is not None and (why := mounts.silent(mount)):
                return why
        return ""


def _name() -> str:
    for name in choose.NATIVE:
        with contextlib.suppress(WatchError):
            choose.native(name)
            return name
    return ""


def _down(path: str, root: str) -> Iterator[str]:
    """Yield a root and the directories from there to a path, itself included."""
    yield root
    start = len(root.rstrip("/"))
    while (start := path.find("/", start + 1)) >= 0:
        yield path[:start]
    yield path
