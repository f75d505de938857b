"""One completion port, and the directories that tell it of their changes.

Law: a directory has one request under way, and two to take turns: the next is made before the
answer of the last is looked at, so the kernel is never without a place to write to. A request
lives until its completion has come, whatever has become of its directory.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from hotrun.watch.windows import kernel32
from hotrun.watch.windows.kernel32 import Completion, Request, WinError

if TYPE_CHECKING:
    from hotrun.watch.windows.kernel32 import Kernel32

BUFFER = 64 * 1024  # bytes; the most that a network share takes (ReadDirectoryChangesW, Remarks)
# For servers that refuse even that: what watchman and notify-rs ask for everywhere, so that a
# server that refuses this too would have been heard of.
SMALL = 16 * 1024
SLICE = 0.25  # seconds; see Port.wait
FAREWELL = 1.0  # seconds for the last completions; a dead server may never send them
_WAKE = 0  # the key of what is posted; watches count from 1
_LONGEST = 0xFFFFFFFE  # milliseconds; one more would mean for ever
_TOLD = (0, kernel32.ERROR_MORE_DATA)  # of a network: what is there counts (so does the JDK)
_TOO_MUCH = (kernel32.ERROR_NOTIFY_ENUM_DIR, kernel32.STATUS_NOTIFY_ENUM_DIR)


class Watch:
    """One open directory.

    Attributes:
        path: As its events are to begin.
        subtree: Whether the kernel tells of all below it too; fixed by the first request.
        final: Where the kernel says that it is; None where it does not say.
        linked: It was opened through a link.
        renaming: What was renamed, while its new name is still to come.
        ended: Nothing new is asked; its handle is closed.
        superseded: It ended because another one tells the same.
    """

    def __init__(self, path: str, key: int, handle: int, *, subtree: bool) -> None:
        self.path = path
        self.key = key
        self.handle = handle
        self.subtree = subtree
        self.final: str | None = None
        self.linked = False
        self.renaming: str | None = None
        self.ended = self.superseded = False
        self.requests = deque((Request(BUFFER), Request(BUFFER)))
        self.pending: Request | None = None

    @property
    def size(self) -> int:
        """Of its buffers, in bytes."""
        return self.requests[0].size


class Heard(NamedTuple):
    """What a directory has told.

    Attributes:
        watch: Of the directory.
        data: Records.
        overflowed: There was more than the kernel could keep, and it told nothing of it.
        failure: Why there is no next request.
    """

    watch: Watch
    data: bytes
    overflowed: bool
    failure: WinError | None


class Port:
    """A completion port.

    Args:
        calls: The kernel's.

    Raises:
        WinError: there is none to be had.
    """

    def __init__(self, calls: Kernel32) -> None:
        self._calls = calls
        self._port = calls.open_port()
        self._watches: dict[int, Watch] = {}  # by key; also those that ended, until they are told
        self._keys = 0
        self._stash: deque[Completion] = deque()
        self._wakes: deque[None] = deque(maxlen=1)
        # Reentrant: a signal handler may wake.
        self._lock = threading.RLock()

    # --- directories ---

    def watch(self, path: str, *, subtree: bool) -> Watch:
        """Open a directory, and ask for its changes.

        Raises:
            WinError: that cannot be done.
        """
        handle = self._calls.open_directory(path)
        try:
            self._keys += 1
            watch = Watch(path, self._keys, handle, subtree=subtree)
            self._calls.join(handle, self._port, watch.key)
            watch.final = self._calls.final_path(handle)
            watch.linked = self._calls.is_link(path)
            self._ask(watch)
        except WinError:
            self._calls.close(handle)
            raise
        self._watches[watch.key] = watch
        return watch

    def end(self, watch: Watch, *, superseded: bool = False) -> None:
        """Close a directory, whose memory stays until the kernel is done with it."""
        watch.ended, watch.superseded = True, superseded
        if watch.pending is None:
            del self._watches[watch.key]
        else:
            self._calls.cancel(watch.handle, watch.pending)
        # At once: one that was deleted keeps its name for as long as anybody holds it open.
        self._calls.close(watch.handle)

    def _ask(self, watch: Watch) -> None:
        request = watch.requests[0]
        try:
            self._calls.read_changes(watch.handle, request, subtree=watch.subtree)
        except WinError as error:
            if error.code != kernel32.ERROR_INVALID_PARAMETER or watch.size == SMALL:
                raise
            request = _shrink(watch)
            self._calls.read_changes(watch.handle, request, subtree=watch.subtree)
        watch.pending = request
        watch.requests.rotate(1)

    # --- completions ---

    @property
    def stashed(self) -> bool:
        """Whether ``hear`` has something though the kernel tells nothing."""
        return bool(self._stash)

    def hear(self) -> Heard | None:
        """Return what was told next, having asked for what follows; None: that was all."""
        while (completion := self._next()) is not None:
            watch = self._watches.get(completion.key)
            if watch is not None and watch.pending is not None:
                return self._heard(watch, watch.pending, completion)
        return None  # what was posted has nobody's key

    def _next(self) -> Completion | None:
        if self._stash:
            return self._stash.popleft()
        return self._calls.next_completion(self._port, 0) if self._port else None

    def _heard(self, watch: Watch, done: Request, completion: Completion) -> Heard:
        error, failure = completion.error, None
        watch.pending = None
        refused = error == kernel32.ERROR_INVALID_PARAMETER and watch.size > SMALL
        if watch.ended:
            del self._watches[watch.key]
        elif refused:
            _shrink(watch)
            failure = self._ask_again(watch)
        elif error in (*_TOLD, *_TOO_MUCH, kernel32.ERROR_OPERATION_ABORTED):
            # Aborted, but not by us: by the driver, say. Should it not let us ask again either,
            # it will say why.
            failure = self._ask_again(watch)
        else:
            failure = WinError(error, watch.path)
        data = done.data(completion.size) if error in _TOLD else b""
        overflowed = refused or error in _TOO_MUCH or (error in _TOLD and not data)
        return Heard(watch, data, overflowed, failure)

    def _ask_again(self, watch: Watch) -> WinError | None:
        try:
            self._ask(watch)
        except WinError as error:
            return WinError(error.code, watch.path)
        return None

    # --- waiting ---

    def wait(self, seconds: float | None) -> None:
        """Wait until something is told, until woken, or for a time.

        The main thread waits in slices: a Ctrl-C that comes while it is inside of the kernel is
        served when it is back in Python, and nothing else would bring it back.
        """
        slices = threading.current_thread() is threading.main_thread()
        end = math.inf if seconds is None else time.monotonic() + seconds
        while self._port and not self._stash and not self._wakes:
            left = max(0.0, end - time.monotonic())
            completion = self._calls.next_completion(
                self._port, _milliseconds(min(left, SLICE) if slices else left)
            )
            if completion is not None:
                self._stash.append(completion)
            elif left == 0:
                return

    def wake(self) -> None:
        """Let ``wait`` come back; from any thread, and harmless after ``release``."""
        self._wakes.append(None)
        with self._lock:
            if self._port:
                self._calls.post(self._port, _WAKE)

    def woken(self) -> bool:
        """Tell whether somebody did wake, and forget it."""
        try:
            self._wakes.pop()
        except IndexError:
            return False
        return True

    def release(self) -> None:
        """Close everything, and wait until the kernel has let go of our memory."""
        for watch in tuple(self._watches.values()):
            if not watch.ended:
                self.end(watch)
        end = time.monotonic() + FAREWELL
        while self._watches and (self.hear() or time.monotonic() < end):
            if self._watches and not self._stash:
                self._await(end)
        for watch in self._watches.values():
            if watch.pending is not None:
                watch.pending.leave()
        self._watches.clear()
        with self._lock:
            port, self._port = self._port, 0
        if port:
            self._calls.close(port)

    def _await(self, end: float) -> None:
        left = max(0.0, end - time.monotonic())
        completion = self._calls.next_completion(self._port, _milliseconds(left))
        if completion is not None:
            self._stash.append(completion)


def _shrink(watch: Watch) -> Request:
    watch.requests = deque((Request(SMALL), Request(SMALL)))
    return watch.requests[0]


def _milliseconds(seconds: float) -> int | None:
    """Rounded up: to come back too early would be to come back for nothing."""
    return None if math.isinf(seconds) else min(math.ceil(seconds * 1000), _LONGEST)
