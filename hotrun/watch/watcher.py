"""``Watcher``: one native backend, and polling where the kernel tells nothing.

Law: backends know no thread. The watcher calls one verb at a time under its lock, and waits
without it; whoever waits gives the descriptors back when another thread has closed.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Self

from hotrun.errors import WatchError
from hotrun.watch import choose
from hotrun.watch.event import BASE, Item, Op
from hotrun.watch.limits import LimitError
from hotrun.watch.pause import Pace, Pause
from hotrun.watch.scope import Root, Scope
from hotrun.watch.standby import Standby

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

    from hotrun.watch.backend import Backend, Source
    from hotrun.watch.choose import Make


class Watcher:
    """Watches files and directories, and says what happens to them.

    One thread reads; all other calls are free to any thread. Several watchers of one path are
    independent. Not to be used across a fork.

    Args:
        backend: "auto": the kernel's events where it has any, polling where it has none, on
            mounts whose events are known to be silent, and beyond the kernel's limits.
            "native" (or its name: "inotify", "kqueue", "windows"): never polls. "poll": always
            does. A callable makes another backend.
        skips: Tells of a directory (its absolute path) whether it is never to be opened, listed
            or watched. Called in the thread that adds or reads.
        wants: Tells of a file whether it counts; backends that pay for each file ask.
        interval: Seconds between two looks at all that is polled, at least.
        follow_symlinks: Links to directories that are found below a root are followed, each
            real directory once. A root that is a link is followed anyway.

    Raises:
        WatchError: a native backend was asked for, and there is none, or its limits are used up.
    """

    def __init__(
        self,
        backend: str | Make = "auto",
        *,
        skips: Callable[[str], bool] | None = None,
        wants: Callable[[str], bool] | None = None,
        interval: float = 0.5,
        follow_symlinks: bool = False,
    ) -> None:
        self._scope = Scope(skips, wants, follow_symlinks=follow_symlinks)
        self._items: list[Item] = []
        self._standby = Standby(
            self._scope, self._items.append, interval, allowed=backend in ("auto", "poll")
        )
        self._lock = threading.RLock()  # never held while waiting
        self._reading = threading.Lock()
        self._waiting = self._closed = False
        self._pace = Pace()
        self._hurry = threading.Event()  # ends a rest of the pace
        self._native = self._open(backend)
        self._waits: Backend | Pause = self._native or Pause()

    def _open(self, backend: str | Make) -> Backend | None:
        if backend == "poll":
            return None
        try:
            make = choose.native() if backend == "auto" else backend
            if isinstance(make, str):
                make = choose.native(make)
            return make(self._scope, self._items.append, self._standby.stand_in)
        except OSError as error:
            failure: WatchError = LimitError(error)
        except WatchError as error:
            failure = error
        if not self._standby.allowed:
            raise failure
        self._standby.replace(failure)
        return None

    # --- what is asked about it ---

    @property
    def backend(self) -> str:
        """What is at work: "inotify", "polling", or both: "inotify+polling"."""
        return "+".join(source.name for source in self._sources()) or "polling"

    @property
    def reason(self) -> str:
        """Why anything is polled though the kernel was to be heard; empty where nothing is."""
        return self._standby.reason

    def _sources(self) -> list[Source]:
        return [source for source in (self._native, self._standby.poller) if source is not None]

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    @property
    def directories(self) -> int:
        """How many directories are watched by now."""
        with self._lock:
            sources = self._sources()
            if len(sources) == 1:
                return sources[0].directories()
            return len({place for source in sources for place in source.places()})

    def tells(self, op: Op, path: str) -> bool:
        """Tell whether ``op`` can be told of a path, so that it may be waited for."""
        return self._native is not None and bool(
            op.value & self._native.offers.value and not self._standby.polls(path)
        )

    def is_native(self, path: str) -> bool:
        """Tell whether the kernel's events stand behind a path."""
        return self._native is not None and not self._standby.polls(path)

    # --- roots ---

    def add(
        self,
        path: str | bytes | os.PathLike[str],
        recursive: bool = True,
        ops: Op = BASE,
        *,
        missing_ok: bool = False,
    ) -> None:
        """Watch a file, or a directory and all below it.

        A path that was added already is only ever watched more widely by this. What is there
        is not told. Should the path vanish, it is watched again when it is back.

        Args:
            path: Relative ones are taken from the current directory; a link is followed, and
                events carry its own name.
            recursive: The directories below it too, those that are still to come included.
            ops: What is to be told; those that the backend does not know never come.
            missing_ok: Wait for a path that does not exist.

        Raises:
            OSError: there is no such path.
            WatchError: the watcher is closed; or the kernel's limit is used up, and polling was
                ruled out.
        """
        root = _normal(path)
        if not missing_ok:
            os.stat(root)
        with self._lock:
            self._check_open()
            if self._scope.put(root, Root(recursive, ops)):
                self._arm(root)
            said = bool(self._items)
        if said:  # one that could not be watched: a reader that waits shall say so
            self.wake()

    def begin(self, path: str) -> None:
        """Watch a path that is added next already now, beside what else the caller does till then.

        Where that takes long it forks, so there must be no thread yet.
        """
        if self._native is not None:
            self._native.begin(_normal(path))

    def remove(self, path: str | bytes | os.PathLike[str]) -> None:
        """Stop watching what was added; also what has happened already is no longer told.

        What another path that was added covers goes on.

        Raises:
            KeyError: it was not added.
        """
        root = _normal(path)
        with self._lock:
            self._scope.drop(root)
            if self._closed:  # its descriptors' numbers may be those of another watcher by now
                return
            if self._native is not None:
                self._native.disarm(root)
            self._standby.disarm(root)

    def watch_list(self) -> list[str]:
        """Return the paths that were added, not the directories found below them."""
        return [] if self._closed else list(self._scope.roots)

    def refresh(self) -> None:
        """Walk the roots again: ``skips`` and ``wants`` answer differently from now on."""
        with self._lock:
            for source in () if self._closed else self._sources():
                source.refresh()
        self.wake()

    def _arm(self, root: str) -> None:
        if self._native is None:
            self._standby.polling().arm(root)
            self._standby.settle(None)
            return
        try:
            self._native.arm(root)
        except LimitError:
            self._scope.drop(root)
            self._native.disarm(root)
            raise
        self._standby.poll_silent_mounts(root)
        self._standby.settle(self._native)

    # --- reading ---

    def read(self, timeout: float | None = None) -> list[Item]:
        """Wait for events.

        Args:
            timeout: Seconds; None waits for ever.

        Returns:
            All that is there, in one list; empty after ``timeout``, ``wake`` or ``close``.

        Raises:
            WatchError: the watcher is closed, or cannot go on.
        """
        self._check_open()
        until = None if timeout is None else time.monotonic() + timeout
        with self._reading:
            while True:
                self._wait(until)
                with self._lock:
                    if self._closed:
                        return []
                    woken = self._waits.woken()
                    self._hurry.clear()
                    items = self._take()
                if items:
                    self._pace.spend()
                if items or woken or (until is not None and time.monotonic() >= until):
                    return items

    def _take(self) -> list[Item]:
        try:
            for source in self._sources():
                source.take()
        except OSError as error:
            what = f"watching has come to an end: {error.strerror or error}"
            raise WatchError(what, "close the watcher, and begin again") from error
        self._standby.settle(self._native)
        if self._scope.closing:  # what a walk that was broken off shows is not so
            return []
        items = self._scope.admit(self._items)
        self._items.clear()
        return items

    def _wait(self, until: float | None) -> None:
        with self._lock:
            if self._closed:
                return
            self._waiting = True
            seconds = self._patience(until)
        try:
            self._waits.wait(seconds)
            if seconds != 0 and (rest := self._pace.rest()):
                self._hurry.wait(rest)
        finally:
            with self._lock:
                self._waiting = False
                self._release()

    def _patience(self, until: float | None) -> float | None:
        """Return for how many seconds nothing but an event matters."""
        if self._items:
            return 0.0
        dues = [source.due() for source in self._sources()]
        ends = [end for end in (*dues, until) if end is not None]
        return max(0.0, min(ends) - time.monotonic()) if ends else None

    def _check_open(self) -> None:
        if self._closed:
            raise WatchError("the watcher is closed", "make a new one")

    def wake(self) -> None:
        """Let a blocked ``read`` return; from any thread."""
        self._hurry.set()
        self._waits.wake()

    def close(self) -> None:
        """Stop watching; from any thread, any number of times."""
        self._scope.closing = True  # without the lock: a walk under way holds it, and ends
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._waiting:
                self.wake()  # who waits for the descriptors gives them back
            else:
                self._release()

    def _release(self) -> None:
        if self._closed:
            self._waits.release()

    # --- as a stream ---

    def __iter__(self) -> Iterator[Item]:
        """Yield what comes, until the watcher is closed."""
        while not self._closed:
            try:
                items = self.read()
            except WatchError:
                if not self._closed:
                    raise
            else:
                yield from items

    def __aiter__(self) -> AsyncIterator[Item]:
        """Yield what comes, for an asyncio loop, until the watcher is closed."""
        from hotrun.watch.stream import stream

        return stream(self)

    def put_back(self, items: Iterable[Item]) -> None:
        """Take back what was read and not used: the next ``read`` begins with it."""
        with self._lock:
            self._items[:0] = items

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _normal(path: str | bytes | os.PathLike[str]) -> str:
    """Return a path as events carry it: absolute, with slashes, which Windows takes as well."""
    absolute = os.path.abspath(os.fsdecode(path))
    return absolute if os.sep == "/" else absolute.replace(os.sep, "/").rstrip("/")
