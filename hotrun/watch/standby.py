"""Polling where the kernel tells nothing, and saying so once.

Three causes: the system has no native watcher (or no instance of it is left), a limit is met on
the way, or a mount is known to tell half of what happens there.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hotrun.watch import mounts
from hotrun.watch.event import Item, Polled
from hotrun.watch.limits import LimitError, Shortage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hotrun.errors import WatchError
    from hotrun.watch.backend import Backend
    from hotrun.watch.polling.source import Polling
    from hotrun.watch.scope import Scope


class Standby:
    """What stands by to poll for a native backend.

    Args:
        scope: What was asked for.
        say: Takes what happened.
        interval: Seconds between two looks, at least.
        allowed: Whether to poll at all; if not, a limit that is met ends the watching.

    Attributes:
        poller: At work; None until it is needed.
        reason: Why anything is polled, one line; empty while nothing is.
    """

    def __init__(
        self, scope: Scope, say: Callable[[Item], None], interval: float, *, allowed: bool
    ) -> None:
        self._scope = scope
        self._say = say
        self._interval = interval
        self.allowed = allowed
        self.poller: Polling | None = None
        self.reason = ""
        self._hint = ""
        self._shortage: Shortage | None = None
        self._is_said = True
        self._short: set[str] = set()  # directories that the limits forbade to watch

    def polling(self) -> Polling:
        """Return the poller; from now on there is one."""
        if self.poller is None:
            from hotrun.watch.polling.source import Polling

            self.poller = Polling(self._scope, self._say, self._interval)
        return self.poller

    def replace(self, failure: WatchError) -> None:
        """Poll everything, because there is no native backend to be had."""
        self.reason, self._hint, self._is_said = failure.message, failure.hint, False
        if isinstance(failure, LimitError):
            self._shortage = Shortage(failure.error)

    def stand_in(self, directory: str, error: OSError, is_new: bool) -> None:
        """Poll a directory that the kernel has no watch left for.

        Args:
            directory: A root, or one below a root.
            error: Which limit it is.
            is_new: What is in it was created, and is told.

        Raises:
            LimitError: polling was ruled out.
        """
        if not self.allowed:
            raise LimitError(error) from error
        self._short.add(directory)
        if directory in self._scope.roots:
            self.polling().arm(directory, is_new=is_new)
        else:
            self.polling().stand_in(directory, is_new=is_new)
        if self._shortage is None:
            self._shortage, self._is_said = Shortage(error), False

    def poll_silent_mounts(self, root: str) -> None:
        """Poll where the kernel is known to tell half of it; its events are heard all the same."""
        recursive = self._scope.roots[root].recursive
        for place, why in _silent_places(root, recursive=recursive) if self.allowed else ():
            poller = self.polling()
            before = poller.directories()
            (poller.arm if place == root else poller.stand_in)(place)
            self.reason = self.reason or why
            self._say(Polled(place, poller.directories() - before, f"{why}, {self._pace}"))

    def disarm(self, root: str) -> None:
        """Cease to poll a root that the scope no longer has."""
        if self.poller is not None:
            self.poller.disarm(root)
            for directory in self.poller.stand_ins():
                if not self._scope.covers(directory):
                    self.poller.step_aside(directory)

    def polls(self, path: str) -> bool:
        """Tell whether what happens to a path is found out by polling."""
        return self.poller is not None and self.poller.polls(path)

    def settle(self, native: Backend | None) -> None:
        """Bring the polling in line with the kernel's watches, when a walk is over."""
        if self.poller is None:
            return
        if self._short and native is not None:
            self._give_back(native.places())
        if not self._is_said:
            self._is_said = True
            self._say_why(self.poller, native)

    def _give_back(self, watched: Iterable[str]) -> None:
        """Leave to the kernel what it has watches for again."""
        for directory in self._short.intersection(watched):
            self._short.discard(directory)
            self.polling().disarm(directory)
            self.polling().step_aside(directory)

    def _say_why(self, poller: Polling, native: Backend | None) -> None:
        root, polled = os.path.commonpath(self._scope.roots), poller.directories()
        if self._shortage is None:
            self._say(Polled(root, polled, f"{self.reason}, {self._pace}", self._hint))
            return
        watched = {*poller.places(), *(native.places() if native else ())}
        self.reason, hint = self._shortage.explain(root, watched)
        counted = f"{polled:,} of {len(watched):,} directories are polled {self._pace}"
        self._say(Polled(root, polled, f"{counted}: {self.reason}", hint))

    @property
    def _pace(self) -> str:
        return f"every {self._interval:g} s"


def _silent_places(root: str, *, recursive: bool) -> Iterator[tuple[str, str]]:
    """Yield where the kernel is known not to tell everything: the root, or mounts below it."""
    table, real = mounts.read(), os.path.realpath(root)
    own = mounts.deepest(table, real)
    if own is not None and (why := mounts.silent(own)):
        yield root, why
    elif recursive:
        for mount in mounts.below(table, real):
            if why := mounts.silent(mount):
                yield root + mount.point[len(real) :], why
