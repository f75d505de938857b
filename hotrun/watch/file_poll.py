"""One file, looked at again and again: what Node calls ``fs.watchFile`` and libuv ``uv_fs_poll``.

For a file whose changes no kernel tells of, or whose state before a change is wanted. Law: a
change is a difference between two looks, never a time that is newer; and there is no thread:
whoever reads does the looking, so what nobody reads costs nothing.

Unlike Node's, two polls of one path are two, each with its own interval.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING, Self, TypeVar

from hotrun.errors import WatchError
from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")

INTERVAL = 5.007  # seconds, as in Node: long enough that an idle disk may fall asleep
SHORTEST = 0.001  # seconds, as in libuv for an interval of 0

# All that libuv compares. Not the time of the last access, for reading is no change. What an
# operating system does not have is None on both sides.
_COMPARED = (
    *("st_ctime_ns", "st_mtime_ns", "st_birthtime_ns", "st_birthtime", "st_size", "st_mode"),
    *("st_uid", "st_gid", "st_ino", "st_dev", "st_flags", "st_gen"),
)


class FileChange(NamedTuple):
    """One difference.

    Attributes:
        path: Absolute.
        previous: The state at the last look that differed; None: there was nothing, or nothing
            that may be looked at.
        current: The state now, in the same way. Both are None once: when a poll begins with
            nothing there.
    """

    path: str
    previous: os.stat_result | None
    current: os.stat_result | None


def poll_file(path: str | bytes | os.PathLike[str], interval: float = INTERVAL) -> FilePoll:
    """Poll one file, or directory, from now on; a link is followed.

    Args:
        path: It need not exist; a relative one is taken from the current directory of now.
        interval: Seconds from the beginning of one look to that of the next; 0 is a thousandth.

    Raises:
        ValueError: the interval is no such number, or there is a NUL in the path.
    """
    return FilePoll(path, interval)


class FilePoll:
    """Yields the changes of one path, for a thread or an asyncio loop, until it is closed.

    The first look is made at once, so that nothing is missed before the first ``read``. One
    thread or task reads; ``wake`` and ``close`` are free to all.

    Args:
        path: See ``poll_file``.
        interval: See ``poll_file``.
        stat: Looks.
        clock: Tells the time.

    Attributes:
        path: Absolute.
        interval: Seconds.
    """

    def __init__(
        self,
        path: str | bytes | os.PathLike[str],
        interval: float = INTERVAL,
        *,
        stat: Callable[[str], os.stat_result] = os.stat,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 <= interval < float("inf"):
            raise ValueError(f"no interval: {interval}")
        self.path = os.path.abspath(os.fsdecode(path))
        self.interval = max(interval, SHORTEST)
        self._stat = stat
        self._clock = clock
        self._woken = threading.Event()
        self._alarms: set[Callable[[], object]] = set()  # of tasks that wait
        self._closed = False
        begin = clock()
        self._known = self._look()
        self._is_missing_at_first = self._known is None
        self._due = self._next(begin)

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    def read(self, timeout: float | None = None) -> FileChange | None:
        """Wait until the file differs.

        Args:
            timeout: Seconds; None waits for ever.

        Returns:
            None after ``timeout``, ``wake`` or ``close``.

        Raises:
            WatchError: it was closed before.
        """
        if self._closed:
            raise WatchError("the poll is closed", "make a new one")
        until = None if timeout is None else self._clock() + timeout
        while not self._closed:
            change = self._change()
            now = self._clock()
            if change is not None or (until is not None and now >= until):
                return change
            end = self._due if until is None else min(self._due, until)
            if self._woken.wait(max(0.0, end - now)):
                self._woken.clear()
                break
        return None

    def wake(self) -> None:
        """Let ``read`` return, now or when it is next called; from any thread."""
        self._woken.set()

    def close(self) -> None:
        """End it; from any thread, any number of times. What reads or iterates comes to its end."""
        self._closed = True
        self.wake()
        for ring in self._alarms.copy():
            ring()

    # --- looking ---

    def _change(self) -> FileChange | None:
        """Look, if it is time, and return what differs."""
        if self._is_missing_at_first:
            return self._compare(self._known)
        begin = self._clock()
        if begin < self._due:
            return None
        found = self._look()
        self._due = self._next(begin)
        return self._compare(found)

    def _look(self) -> os.stat_result | None:
        """Return the state of the file; an error of any kind counts as none."""
        try:
            return self._stat(self.path)
        except OSError:
            return None

    def _next(self, begin: float) -> float:
        """When to look again: the time that a look took is part of the interval."""
        now = self._clock()
        return now + self.interval - (now - begin) % self.interval

    def _compare(self, found: os.stat_result | None) -> FileChange | None:
        previous, self._known = self._known, found
        at_first, self._is_missing_at_first = self._is_missing_at_first, False
        if _state(previous) == _state(found) and not at_first:
            return None
        return FileChange(self.path, previous, found)

    # --- as a stream ---

    def __iter__(self) -> Iterator[FileChange]:
        """Yield the changes until it is closed."""
        while not self._closed:
            try:
                change = self.read()
            except WatchError:  # closed just now
                return
            if change is not None:
                yield change

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> FileChange:
        """Wait until the file differs, without holding up the loop.

        A task that is cancelled here loses nothing: what it did not return is found again.
        """
        change = self._compare(self._known) if self._is_missing_at_first else None
        while change is None and await self._sleep():
            change = await self._look_aside()
        if change is not None:
            return change
        raise StopAsyncIteration

    async def _sleep(self) -> bool:
        """Wait until a look is due; False: it was closed."""
        import asyncio

        bell: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._settled_by_close(bell, None):
            await asyncio.wait((bell,), timeout=max(0.0, self._due - self._clock()))
        return not self._closed

    async def _look_aside(self) -> FileChange | None:
        """Look in a thread that ends with the look: a server that is away may hold it for minutes.

        Not in the loop's own threads, for these stay, and the loop waits for them at its end.
        """
        import asyncio

        loop = asyncio.get_running_loop()
        seen: asyncio.Future[os.stat_result | None] = loop.create_future()

        def look() -> None:
            found = self._look()
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(_settle, seen, found)

        begin = self._clock()
        with self._settled_by_close(seen, self._known):
            threading.Thread(target=look, name="poll_file", daemon=True).start()
            found = await seen
        self._due = self._next(begin)
        return self._compare(found)

    @contextlib.contextmanager
    def _settled_by_close(self, future: asyncio.Future[_T], value: _T) -> Iterator[None]:
        loop = future.get_loop()

        def ring() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits
                loop.call_soon_threadsafe(_settle, future, value)

        self._alarms.add(ring)
        if self._closed:  # asked after the alarm was set: close does it the other way round
            ring()
        try:
            yield
        finally:
            self._alarms.discard(ring)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _settle(future: asyncio.Future[_T], value: _T) -> None:
    if not future.done():  # cancelled, or closed, meanwhile
        future.set_result(value)


def _state(found: os.stat_result | None) -> tuple[object, ...] | None:
    """Return what is compared of a state."""
    return None if found is None else tuple(getattr(found, name, None) for name in _COMPARED)
