"""The calls of a watcher, as docs/watching.md has them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ear import DEADLINE, directories, write

from hotrun.errors import WatchError
from hotrun.watch import BASE, SAVES, Event, Item, Op, Watcher
from hotrun.watch.pause import Pace, Pause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hotrun.watch.scope import Scope

BACKENDS = pytest.mark.parametrize("backend", ["native", "poll"])


def until(watcher: Watcher, wanted: Callable[[list[Item]], object]) -> list[Item]:
    """Read until it is enough."""
    heard: list[Item] = []
    end = time.monotonic() + DEADLINE
    while not wanted(heard):
        assert time.monotonic() < end, f"waited {DEADLINE} s; heard {heard}"
        heard += watcher.read(0.05)
    return heard


def told(items: Iterable[Item]) -> dict[str, Op]:
    """What was told of each path."""
    ops: dict[str, Op] = {}
    for item in items:
        if isinstance(item, Event):
            ops[item.path] = ops.get(item.path, Op(0)) | item.op
    return ops


# --- add, remove ---


@BACKENDS
def test_a_path_that_is_not_there_is_an_error_unless_it_is_waited_for(
    root: str, backend: str
) -> None:
    path = f"{root}/later"
    with Watcher(backend, interval=0.01) as watcher:
        with pytest.raises(FileNotFoundError) as refused:
            watcher.add(path)
        assert refused.value.filename == path
        assert watcher.watch_list() == []
        watcher.add(path, missing_ok=True)
        write(f"{path}/f.go")
        until(watcher, lambda heard: f"{path}/f.go" in told(heard))


@BACKENDS
@pytest.mark.parametrize("kind", [str, os.fsencode, Path], ids=["str", "bytes", "PathLike"])
def test_a_path_may_be_relative_and_of_any_kind(
    root: str, backend: str, kind: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkdir(f"{root}/src")
    monkeypatch.chdir(root)
    with Watcher(backend, interval=0.01) as watcher:
        watcher.add(kind("src"))
        assert watcher.watch_list() == [f"{root}/src"]
        path = write(f"{root}/src/f.go")
        until(watcher, lambda heard: path in told(heard))
        watcher.remove(kind("src/"))
        assert watcher.watch_list() == []


def test_a_second_add_only_widens(root: str) -> None:
    path = write(f"{root}/d/f.go")
    with Watcher("native") as watcher:
        watcher.add(root, recursive=False, ops=Op.CREATE)
        write(path, "unheard")
        write(f"{root}/g.go")
        assert told(watcher.read(DEADLINE)) == {f"{root}/g.go": Op.CREATE}
        watcher.add(root, ops=Op.CLOSE_WRITE)
        watcher.add(root, recursive=False, ops=Op.REMOVE)
        write(path, "heard")
        os.remove(path)
        heard = told(until(watcher, lambda heard: told(heard).get(path, Op(0)) & Op.REMOVE))
        assert heard == {path: Op.CLOSE_WRITE | Op.REMOVE}
        assert watcher.watch_list() == [root]


def test_what_was_removed_is_silent_at_once(root: str) -> None:
    with Watcher("native") as watcher:
        watcher.add(root)
        write(f"{root}/queued.go")
        watcher.remove(root)
        assert watcher.read(0) == []
        with pytest.raises(KeyError):
            watcher.remove(root)
        watcher.add(root)
        path = write(f"{root}/f.go")
        assert set(told(watcher.read(DEADLINE))) == {path}


def test_without_listening_for_closes_a_write_through_mmap_is_a_write(root: str) -> None:
    import mmap

    path = write(f"{root}/f.go", "old")
    with Watcher("native") as watcher:
        watcher.add(root)
        with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            memory[:3] = b"new"
        assert told(until(watcher, bool)) == {path: Op.WRITE}


def test_an_ordinary_write_is_told_once(root: str) -> None:
    path = write(f"{root}/f.go", "old")
    with Watcher("native") as watcher:
        watcher.add(root, ops=Op.WRITE)
        with open(path, "r+b", buffering=0) as file:
            file.write(b"new")
        write(f"{root}/end")
        heard = until(watcher, lambda heard: f"{root}/end" in told(heard))
        assert [item for item in heard if isinstance(item, Event) and item.path == path] == [
            Event(path, Op.WRITE)
        ]


@BACKENDS
def test_single_files_are_watched_alone(root: str, backend: str) -> None:
    path = write(f"{root}/go.mod")
    with Watcher(backend, interval=0.01) as watcher:
        watcher.add(path)
        for number in range(3):
            write(f"{root}/beside.go", str(number))
            os.replace(write(f"{root}/draft", "x" * (number + 2)), path)
            heard = until(watcher, bool)
            assert set(told(heard)) == {path}
        os.remove(path)
        until(watcher, lambda heard: told(heard).get(path, Op(0)) & Op.REMOVE)
        write(path)
        until(watcher, lambda heard: told(heard).get(path, Op(0)) & Op.CREATE)


# --- errors ---


class Failing(Pause):
    """A backend that fails when it is read."""

    name = "failing"
    offers = SAVES

    def __init__(self, scope: Scope, say: object, stand_in: object) -> None:
        super().__init__()
        self.released = 0
        del scope, say, stand_in

    def arm(self, path: str) -> None: ...

    def disarm(self, path: str) -> None: ...

    def refresh(self) -> None: ...

    def directories(self) -> int:
        return 0

    def places(self) -> Iterable[str]:
        return ()

    def due(self) -> float | None:
        return 0.0

    def take(self) -> None:
        raise OSError(5, "Input/output error")

    def release(self) -> None:
        self.released += 1


def test_an_error_that_ends_watching_is_raised_by_read_and_by_iteration(root: str) -> None:
    watcher = Watcher(Failing)
    watcher.add(root)
    with pytest.raises(WatchError, match="Input/output error"):
        watcher.read()
    with pytest.raises(WatchError, match="come to an end"):
        next(iter(watcher))
    native = watcher._native
    watcher.close()
    watcher.close()
    assert isinstance(native, Failing)
    assert native.released == 1


def test_a_backend_of_another_system_says_so() -> None:
    with pytest.raises(WatchError, match="not of this system"):
        Watcher("windows")


# --- threads ---


class Changer(threading.Thread):
    """Adds and removes roots at random, and writes below them."""

    def __init__(self, watcher: Watcher, places: list[str], seed: int) -> None:
        super().__init__()
        self.failure: BaseException | None = None
        self._watcher, self._places, self._seed = watcher, places, seed
        self.start()

    def run(self) -> None:
        chance = random.Random(self._seed)
        try:
            for _ in range(150):
                self._change(chance)
        except BaseException as failure:  # noqa: BLE001 - told in the test's own thread
            self.failure = failure

    def _change(self, chance: random.Random) -> None:
        place = chance.choice(self._places)
        if chance.random() < 0.5:
            self._watcher.add(place, recursive=chance.random() < 0.7)
        else:
            with contextlib.suppress(KeyError):
                self._watcher.remove(place)
        write(f"{place}/deep/{self._seed}")
        self._watcher.wake()


def test_adding_removing_and_reading_in_many_threads(root: str) -> None:
    places = [f"{root}/{name}" for name in "abcdef"]
    for place in places:
        os.makedirs(f"{place}/deep/down")
    watcher = Watcher("native")
    changers = [Changer(watcher, places, seed) for seed in range(3)]
    end = time.monotonic() + DEADLINE
    while any(changer.is_alive() for changer in changers):
        assert time.monotonic() < end, f"waited {DEADLINE} s for threads that add and remove"
        watcher.read(0.05)
    assert [changer.failure for changer in changers] == [None] * 3
    for place in places:
        watcher.add(place)
    expected = {path for place in places for path in directories(place)}
    assert watcher._native is not None
    assert set(watcher._native.places()) == expected
    watcher.close()


# --- as a stream ---


def test_a_loop_over_it_ends_when_it_is_closed(root: str) -> None:
    watcher = Watcher("native")
    watcher.add(root)
    write(f"{root}/f.go")
    heard = []
    for item in watcher:
        heard.append(item)
        watcher.close()
    assert heard


@BACKENDS
def test_an_asyncio_loop_hears_the_same(root: str, backend: str) -> None:
    async def hear(watcher: Watcher) -> list[str]:
        paths: list[str] = []
        async for item in watcher:
            assert isinstance(item, Event)
            paths.append(item.path)
            if len(set(paths)) == 3:
                break
        return paths

    async def main() -> None:
        first, second = Watcher(backend, interval=0.01), Watcher(backend, interval=0.01)
        with first, second:
            for watcher in (first, second):
                watcher.add(root, ops=Op.CREATE)
            listening = [asyncio.create_task(hear(watcher)) for watcher in (first, second)]
            for name in ("one", "two", "last"):
                await asyncio.to_thread(write, f"{root}/{name}")
            for task in listening:
                paths = await asyncio.wait_for(task, DEADLINE)
                assert set(paths) == {f"{root}/{name}" for name in ("one", "two", "last")}

    before = threading.active_count()
    asyncio.run(main())
    assert threading.active_count() == before


def _reads() -> bool:
    return any(thread.name.startswith("watcher") for thread in threading.enumerate())


def test_a_cancelled_iteration_leaves_no_thread_and_loses_nothing(root: str) -> None:
    async def first_of(watcher: Watcher) -> Item:
        async for item in watcher:
            return item
        raise AssertionError

    async def main() -> None:
        with Watcher("native") as watcher:
            watcher.add(root, ops=Op.CREATE)
            waiting = asyncio.create_task(first_of(watcher))
            await asyncio.sleep(0)  # it begins to wait
            # A thread tells no loop of its start.
            while not _reads():  # noqa: ASYNC110
                await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            paths = [write(f"{root}/{number}") for number in range(5)]
            stream = aiter(watcher)
            assert await anext(stream) == Event(paths[0], Op.CREATE)
            await stream.aclose()  # type: ignore[attr-defined]
            rest = until(watcher, lambda heard: len(heard) == 4)
            assert list(told(rest)) == paths[1:]

    before = threading.active_count()
    asyncio.run(main())
    assert threading.active_count() == before


def test_closing_ends_an_asynchronous_iteration(root: str) -> None:
    async def main() -> None:
        watcher = Watcher("native")
        watcher.add(root)

        async def hear() -> int:
            return len([item async for item in watcher])

        listening = asyncio.create_task(hear())
        await asyncio.sleep(0)
        await asyncio.to_thread(watcher.close)
        assert await asyncio.wait_for(listening, DEADLINE) == 0

    asyncio.run(main())


# --- pace ---


def test_only_a_long_row_of_reads_is_slowed_down() -> None:
    pace = Pace(row=20, rest=3600)
    rests = []
    for _ in range(22):
        rests.append(pace.rest())
        pace.spend()
    assert rests[:20] == [0.0] * 20
    assert all(0 < rest <= 3600 for rest in rests[20:21])


def test_the_longer_a_burst_lasts_the_longer_its_events_gather_up_to_a_bound() -> None:
    pace = Pace(row=2, rest=3600, most=4)
    for _ in range(20):
        pace.rest()
        pace.spend()
    owed = pace.rest()
    pace.spend()
    assert pace.rest() - owed == pytest.approx(4 * 3600, rel=1e-3)  # one read more


def test_the_default_listens_for_the_five_that_every_backend_has() -> None:
    assert BASE == Op.CREATE | Op.WRITE | Op.REMOVE | Op.RENAME | Op.CHMOD
    assert not BASE & (Op.OPEN | Op.READ | Op.CLOSE_READ)
