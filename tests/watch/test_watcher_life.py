"""A watcher's life: waiting, waking, closing, being idle, falling back to polling."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest
from ear import DEADLINE, Ear, write

from hotrun.errors import WatchError
from hotrun.watch import Event, Item, Op, Overflow, Watcher
from hotrun.watch.limits import LimitError

if TYPE_CHECKING:
    from collections.abc import Callable

    Listen = Callable[..., Ear]

BACKENDS = pytest.mark.parametrize("backend", ["native", "poll"])


class Reader(threading.Thread):
    """Reads once without a time limit, in a thread of its own."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(name="reader")
        self.watcher = watcher
        self.heard: list[Item] | None = None
        self.start()

    def run(self) -> None:
        self.heard = self.watcher.read()

    def until_it_waits(self) -> None:
        """Come back when the thread sleeps in the kernel, and not for the interpreter's lock.

        That one it gets while we sleep, and then it has given the processor away once more.
        """
        end, before = time.monotonic() + DEADLINE, -1
        while self.native_id is None or self._status("State")[0] != "S" or before != self.switches:
            assert time.monotonic() < end, f"waited {DEADLINE} s for the reader to wait"
            before = self.switches if self.native_id is not None else -1
            time.sleep(PAUSE)

    @property
    def switches(self) -> int:
        """How often the thread gave the processor away, of its own will or not."""
        return sum(int(self._status(f"{kind}_ctxt_switches")[0]) for kind in KINDS)

    def _status(self, key: str) -> list[str]:
        with open(f"/proc/self/task/{self.native_id}/status", encoding="ascii") as file:
            return next(line.split()[1:] for line in file if line.startswith(f"{key}:"))

    def ended(self) -> list[Item] | None:
        """What was read, once it is."""
        self.join(DEADLINE)
        assert not self.is_alive(), f"waited {DEADLINE} s for read to return"
        return self.heard


KINDS = ("voluntary", "nonvoluntary")
PAUSE = 0.01  # seconds between two looks


def descriptors() -> set[str]:
    """What this process has open."""
    found = set()
    for fd in os.listdir("/proc/self/fd"):
        try:
            found.add(f"{fd} {os.readlink(f'/proc/self/fd/{fd}')}")
        except OSError:  # that of the listing itself
            continue
    return found


@BACKENDS
def test_a_watcher_opened_and_closed_150_times_leaves_nothing(root: str, backend: str) -> None:
    write(f"{root}/d/f.go")
    before, threads = descriptors(), threading.active_count()
    for _ in range(150):
        watcher = Watcher(backend)
        watcher.add(root)
        write(f"{root}/unread.go")
        for _ in range(3):
            watcher.close()
    assert descriptors() == before
    assert threading.active_count() == threads


@BACKENDS
def test_closing_ends_a_read_in_another_thread(root: str, backend: str) -> None:
    before = descriptors()
    for _ in range(20):
        watcher = Watcher(backend, interval=3600)
        watcher.add(root)
        reader = Reader(watcher)
        reader.until_it_waits()
        for _ in range(3):
            watcher.close()
        assert reader.ended() == []
    assert descriptors() == before


@BACKENDS
def test_closing_at_any_moment_of_a_read(root: str, backend: str) -> None:
    """No waiting for the right moment: it may come before, in, or after the call."""
    before = descriptors()
    for _ in range(100):
        watcher = Watcher(backend, interval=0)
        watcher.add(root)
        stream = threading.Thread(target=list, args=(watcher,))
        stream.start()
        write(f"{root}/f.go")
        watcher.close()
        stream.join(DEADLINE)
        assert not stream.is_alive(), f"waited {DEADLINE} s for the stream to end"
    assert descriptors() == before


@BACKENDS
def test_a_closed_watcher_says_so(root: str, backend: str) -> None:
    watcher = Watcher(backend)
    watcher.add(root)
    watcher.close()
    assert watcher.watch_list() == []
    assert list(watcher) == []
    watcher.wake()
    watcher.refresh()
    with pytest.raises(WatchError, match="closed"):
        watcher.read()
    with pytest.raises(WatchError, match="closed"):
        watcher.add(root)


def test_waking_a_closed_watcher_writes_into_nobody_elses_file(root: str) -> None:
    """The number of its descriptor may be that of another file by now."""
    watcher = Watcher("native")
    watcher.close()
    path = write(f"{root}/f", b"")
    files = [os.open(path, os.O_RDWR) for _ in range(8)]
    watcher.wake()
    for fd in files:
        os.close(fd)
    assert os.path.getsize(path) == 0


@BACKENDS
def test_a_walk_under_way_does_not_outlive_close(root: str, backend: str) -> None:
    for number in range(50):
        os.makedirs(f"{root}/{number}/below")
    walked = 0

    def skips(_: str) -> bool:
        nonlocal walked
        walked += 1
        if walked == 10:  # closing waits for the lock which the walk holds
            closing.start()
            end = time.monotonic() + DEADLINE
            while not watcher._scope.closing:
                assert time.monotonic() < end, f"waited {DEADLINE} s for close to begin"
        return False

    watcher = Watcher(backend, skips=skips)
    closing = threading.Thread(target=watcher.close)
    watcher.add(root)
    closing.join(DEADLINE)
    assert walked < 50


@BACKENDS
def test_a_read_ends_after_its_time_or_when_woken(root: str, backend: str) -> None:
    with Watcher(backend, interval=3600) as watcher:
        watcher.add(root)
        assert watcher.read(0) == []
        assert watcher.read(0.01) == []
        reader = Reader(watcher)
        reader.until_it_waits()
        watcher.wake()
        assert reader.ended() == []


def test_a_directory_added_while_another_thread_reads(root: str) -> None:
    with Watcher("native") as watcher:
        reader = Reader(watcher)
        reader.until_it_waits()
        watcher.add(root)
        path = write(f"{root}/f.go")
        heard = reader.ended()
        assert heard
        assert Event(path, Op.CREATE) in heard


def test_nothing_wakes_an_idle_watcher(root: str) -> None:
    """Not a busy directory beside the root, nor one above it, nor an ignored one in it."""
    above, ignored = os.path.dirname(root), f"{root}/node_modules"
    os.makedirs(f"{above}/busy")
    os.mkdir(ignored)
    with Watcher("native", skips=lambda path: path == ignored) as watcher:
        watcher.add(root)
        os.rename(write(f"{root}/f.go"), f"{above}/f.go")
        while watcher.read(0.2):
            pass
        reader = Reader(watcher)
        reader.until_it_waits()
        before = reader.switches
        for number in range(500):
            for place in (above, f"{above}/busy", ignored):
                os.rename(write(f"{place}/{number}"), f"{place}/{number}-new")
                os.remove(f"{place}/{number}-new")
                os.mkdir(f"{place}/{number}")
                os.rmdir(f"{place}/{number}")
        assert reader.switches == before
        write(f"{root}/end")
        assert reader.ended()


# --- overflow ---


def queue_length() -> int:
    """How many unread events the kernel keeps."""
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as file:
        queue = int(file.read())
    if queue > 100_000:
        pytest.skip(f"a queue of {queue} events takes too long to fill")
    return queue


def test_an_overflow_is_told_once_a_root_and_ends_with_all_watched(
    root: str, listen: Listen
) -> None:
    other = f"{root}-other"
    os.mkdir(other)
    ear = listen(root, other)
    queue = queue_length()
    paths = [f"{root}/{number}" for number in (1, 2)]
    for path in paths:
        write(path)
    for _ in range(queue // 4 + 1):  # in turns: equal neighbours are one event
        for path in paths:
            os.utime(path)
            os.truncate(path, 1)
    os.makedirs(f"{root}/unheard/of")
    os.makedirs(f"{other}/unheard/of")
    heard = ear.until(lambda heard: Overflow(other) in heard, "the overflow")
    heard += ear.settle()
    lost = [item for item in heard if isinstance(item, Overflow)]
    assert sorted(item.root for item in lost if item.root in ear.roots) == sorted(ear.roots)
    path = write(f"{root}/unheard/of/f.go")
    assert path in ear.ops()


def test_a_root_replaced_during_an_overflow_is_watched(root: str, listen: Listen) -> None:
    ear = listen(root)
    queue = queue_length()
    for number in range(queue // 2 + 1):
        os.mkdir(f"{root}/{number}")
        os.rmdir(f"{root}/{number}")
    os.rename(root, f"{root}-old")
    os.makedirs(f"{root}/new")
    ear.until(lambda heard: Overflow(root) in heard, "the overflow")
    ear.settle()


# --- falling back ---


def test_without_a_descriptor_it_polls_and_says_why() -> None:
    """Run out of descriptors for real: the limit of this process is lowered for a moment."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = descriptors()
    # The limit is on the number of a descriptor, not on how many there are: fill the gaps.
    highest = max(map(int, os.listdir("/proc/self/fd")))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
    filled = []
    with contextlib.suppress(OSError):
        while True:
            filled.append(os.open(os.devnull, os.O_RDONLY))
    try:
        with pytest.raises(LimitError, match="no file descriptor left") as refused:
            Watcher("native")
        watcher = Watcher()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in filled:
            os.close(fd)
    assert refused.value.exit_code == 3
    assert "ulimit" in refused.value.hint
    assert watcher.backend == "polling"
    assert not watcher.tells(Op.CLOSE_WRITE, "/")
    assert "no file descriptor left" in watcher.reason
    watcher.close()
    assert descriptors() == before


def test_when_only_native_will_do_a_limit_is_an_error(root: str) -> None:
    def skips(_: str) -> bool:
        raise LimitError(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    with Watcher("native", skips=skips) as watcher, pytest.raises(LimitError):
        watcher.add(root)


def test_polling_can_be_asked_for(root: str) -> None:
    with Watcher("poll") as watcher:
        watcher.add(root)
        assert (watcher.backend, watcher.reason) == ("polling", "")
        assert watcher.directories == 1
