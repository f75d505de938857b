"""A watcher in the hands of many threads: what they do to it comes to a good end."""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
from typing import TYPE_CHECKING

import pytest
from ear import DEADLINE, directories, write

from hotrun.errors import WatchError
from hotrun.watch import Event, Watcher

if TYPE_CHECKING:
    from collections.abc import Callable

BACKENDS = pytest.mark.parametrize("backend", ["native", "poll"])
SEED = int(os.environ.get("HOTRUN_TEST_SEED", "20261127"))
NAMES = "abcd"


def descriptors() -> set[str]:
    """What this process has open."""
    found = set()
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # that of the listing itself
            found.add(f"{fd} {os.readlink(f'/proc/self/fd/{fd}')}")
    return found


class Worker(threading.Thread):
    """Does something again and again until told to end, and keeps what it did not expect."""

    def __init__(self, what: Callable[[random.Random], object], seed: int) -> None:
        super().__init__()
        self._what = what
        self._seed = seed
        self._end = threading.Event()
        self.done = 0
        self.failure: BaseException | None = None
        self.start()

    def run(self) -> None:
        chance = random.Random(self._seed)
        try:
            while not self._end.is_set():
                self._what(chance)
                self.done += 1
        except BaseException as failure:  # noqa: BLE001 - told in the test's own thread
            self.failure = failure

    def end(self) -> None:
        """Let it come to its end."""
        self._end.set()
        self.join(DEADLINE)
        assert not self.is_alive(), f"waited {DEADLINE} s for a thread to end"
        assert self.failure is None, repr(self.failure)


class Hands:
    """What threads do to one watcher and to the roots it may have."""

    def __init__(self, watcher: Watcher, root: str) -> None:
        self.watcher = watcher
        self.places = [f"{root}/{name}" for name in NAMES]
        for place in self.places:
            os.makedirs(f"{place}/deep/down")

    def add(self, chance: random.Random) -> None:
        """Watch one of the places; one that a moment ago was moved is missing."""
        with contextlib.suppress(FileNotFoundError):
            self.watcher.add(chance.choice(self.places), chance.random() < 0.7)

    def remove(self, chance: random.Random) -> None:
        """Stop watching one."""
        with contextlib.suppress(KeyError):
            self.watcher.remove(chance.choice(self.places))

    def change(self, chance: random.Random) -> None:
        """Let something happen in the places."""
        one, other = chance.sample(self.places, 2)
        write(f"{one}/{chance.randrange(5)}/f")
        with contextlib.suppress(OSError):
            os.rename(f"{one}/{chance.randrange(5)}", f"{other}/{chance.randrange(5)}")
        if chance.random() < 0.2:
            os.rename(one, f"{one}-away")
            os.rename(f"{one}-away", one)

    def look(self, _: random.Random) -> None:
        """Ask it what can be asked."""
        assert set(self.watcher.watch_list()) <= set(self.places)
        assert self.watcher.directories >= 0
        self.watcher.is_native(self.places[0])
        self.watcher.refresh()

    def read(self, chance: random.Random) -> None:
        """Read for a short while."""
        for item in self.watcher.read(chance.choice([0, 0.001, 0.05])):
            assert not isinstance(item, Event) or item.path.startswith(tuple(self.places))


@BACKENDS
def test_all_calls_at_once_leave_the_watches_right(root: str, backend: str) -> None:
    before, threads = descriptors(), threading.active_count()
    with Watcher(backend, interval=0) as watcher:
        hands = Hands(watcher, root)
        jobs = [hands.read, hands.add, hands.add, hands.remove, hands.change, hands.look]
        workers = [Worker(job, SEED + number) for number, job in enumerate(jobs)]
        end = time.monotonic() + DEADLINE
        while min(worker.done for worker in workers) < 60:
            assert time.monotonic() < end, f"waited {DEADLINE} s for 60 rounds of each thread"
            assert all(worker.is_alive() for worker in workers), [w.failure for w in workers]
            workers[0].join(0.01)
        for worker in workers:
            worker.end()
        for place in hands.places:
            watcher.add(place)
        expected = {path for place in hands.places for path in directories(place)}
        while {place for source in watcher._sources() for place in source.places()} != expected:
            assert time.monotonic() < end, f"waited {DEADLINE} s for all to be watched"
            watcher.read(0.01)
        watcher.read(0)  # a refresh that is still to be told would take the place of events
        paths = {write(f"{path}/last") for path in expected}
        while paths:
            assert time.monotonic() < end, f"waited {DEADLINE} s for {paths}"
            paths -= {item.path for item in watcher.read(0.01) if isinstance(item, Event)}
    assert descriptors() == before
    assert threading.active_count() == threads


@BACKENDS
def test_closing_amid_all_other_calls(root: str, backend: str) -> None:
    """Each of them ends, or says that the watcher is closed."""
    hands = Hands(Watcher(backend), root)
    hands.watcher.close()
    before = descriptors()
    for seed in range(SEED, SEED + 25):
        hands.watcher = Watcher(backend, interval=0)
        jobs = [hands.read, hands.add, hands.remove, hands.look]
        workers = [Worker(until_closed(job), seed + number) for number, job in enumerate(jobs)]
        write(f"{root}/a/f")
        hands.watcher.close()
        for worker in workers:
            worker.end()
    assert descriptors() == before


def until_closed(job: Callable[[random.Random], object]) -> Callable[[random.Random], object]:
    """Take it for a good end that the watcher is closed."""

    def do(chance: random.Random) -> None:
        try:
            job(chance)
        except WatchError as error:
            assert "closed" in error.message  # noqa: PT017 - what it is is the test

    return do


def test_who_is_closed_leaves_the_watches_of_others_alone(root: str) -> None:
    """Its descriptors have been given back, and the next watcher gets the same numbers."""
    for name in ("one", "other"):
        os.makedirs(f"{root}/{name}/d")
    closed = Watcher("native")
    closed.add(f"{root}/one")
    closed.close()
    with Watcher("native") as watcher:
        watcher.add(f"{root}/other")
        closed.remove(f"{root}/one")
        closed.refresh()
        with pytest.raises(KeyError):
            closed.remove(f"{root}/one")
        path = write(f"{root}/other/d/f")
        heard = watcher.read(DEADLINE)
        assert [item.path for item in heard if isinstance(item, Event)][:1] == [path]


@BACKENDS
def test_the_rule_that_is_asked_in_a_walk_may_close(root: str, backend: str) -> None:
    before = descriptors()
    for number in range(5):
        os.makedirs(f"{root}/{number}/below")

    def skips(_: str) -> bool:
        watcher.close()
        return False

    watcher = Watcher(backend, skips=skips)
    watcher.add(root)
    assert watcher.closed
    assert watcher.watch_list() == []
    assert descriptors() == before
