"""A watcher in an asyncio loop: nothing is lost, and no thread is left, however it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import threading
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

import pytest
from ear import DEADLINE, write

from hotrun.errors import WatchError
from hotrun.watch import Event, Item, Op, Watcher
from hotrun.watch.inotify.backend import Inotify

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

SEED = int(os.environ.get("HOTRUN_TEST_SEED", "20261127"))


class Counted(Inotify):
    """Counts how often somebody wakes it."""

    wakes = 0

    def wake(self) -> None:
        self.wakes += 1
        super().wake()


class Broken(Inotify):
    """Fails at the second look, as the kernel may."""

    looks = 0

    def take(self) -> None:
        self.looks += 1
        if self.looks > 1:
            raise OSError(5, "Input/output error")
        super().take()


def stream(watcher: Watcher) -> AsyncGenerator[Item]:
    """Iterate in a way that can be ended by hand."""
    return cast("AsyncGenerator[Item]", aiter(watcher))


def test_a_task_that_is_cancelled_at_any_moment_loses_nothing_and_doubles_nothing(
    root: str,
) -> None:
    heard: list[str] = []

    async def hear(watcher: Watcher) -> None:
        async for item in watcher:
            assert isinstance(item, Event)
            heard.append(item.path)

    async def main() -> None:
        chance = random.Random(SEED)
        with Watcher("native") as watcher:
            watcher.add(root, ops=Op.CREATE)
            writing = asyncio.create_task(asyncio.to_thread(write_all))
            while len(heard) < len(paths):
                task = asyncio.create_task(hear(watcher))
                for _ in range(chance.randrange(40)):
                    await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asyncio.wait_for(task, DEADLINE)
            await writing

    def write_all() -> None:
        for path in paths:
            write(path)

    paths = [f"{root}/{number}" for number in range(300)]
    before = threading.active_count()
    asyncio.run(asyncio.wait_for(main(), DEADLINE))
    assert heard == paths
    assert threading.active_count() == before


def test_what_was_read_and_not_used_is_the_beginning_of_the_next_read(root: str) -> None:
    async def main(watcher: Watcher) -> None:
        async with aclosing(stream(watcher)) as items:
            assert await anext(items) == Event(paths[0], Op.CREATE)

    with Watcher("native") as watcher:
        watcher.add(root, ops=Op.CREATE)
        paths = [write(f"{root}/{number}") for number in range(5)]
        asyncio.run(main(watcher))
        paths.append(write(f"{root}/later"))
        assert [item.path for item in watcher.read(0) if isinstance(item, Event)] == paths[1:]


def test_who_breaks_off_between_two_reads_wakes_nobody(root: str) -> None:
    """A wake that nobody waits for would end the next read before its time."""

    async def main() -> None:
        async with aclosing(stream(watcher)) as items:
            await anext(items)

    with Watcher(Counted) as watcher:
        watcher.add(root)
        write(f"{root}/f")
        asyncio.run(main())
        assert isinstance(watcher._native, Counted)
        assert watcher._native.wakes == 0


def test_an_error_that_ends_watching_ends_the_stream(root: str) -> None:
    async def main() -> None:
        items = stream(watcher)
        await anext(items)
        await asyncio.to_thread(write, f"{root}/g")
        while True:
            await anext(items)

    before = threading.active_count()
    with Watcher(Broken) as watcher:
        watcher.add(root)
        write(f"{root}/f")
        with pytest.raises(WatchError, match="Input/output error"):
            asyncio.run(asyncio.wait_for(main(), DEADLINE))
    assert threading.active_count() == before


def ends_by_break(watcher: Watcher) -> Callable[[], object]:
    async def main() -> None:
        async for _ in watcher:
            break

    return main


def ends_with_an_error(watcher: Watcher) -> Callable[[], object]:
    async def main() -> None:
        with contextlib.suppress(ZeroDivisionError):
            async for _ in watcher:
                raise ZeroDivisionError

    return main


def ends_with_the_loop(watcher: Watcher) -> Callable[[], object]:
    async def main() -> None:
        items = stream(watcher)
        await anext(items)
        keep.append(items)
        keep.append(asyncio.ensure_future(anext(items)))
        await asyncio.sleep(0)

    keep: list[object] = []
    return main


def ends_by_closing_while_it_waits(watcher: Watcher) -> Callable[[], object]:
    async def main() -> None:
        items = stream(watcher)
        async for _ in items:
            threading.Thread(target=watcher.close).start()

    return main


def ends_by_closing_with_items_unread(watcher: Watcher) -> Callable[[], object]:
    async def main() -> None:
        items = stream(watcher)
        await anext(items)
        watcher.close()
        async for _ in items:
            pass

    return main


ENDS = [
    ends_by_break,
    ends_with_an_error,
    ends_with_the_loop,
    ends_by_closing_while_it_waits,
    ends_by_closing_with_items_unread,
]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
@pytest.mark.parametrize("backend", ["native", "poll"])
def test_no_thread_is_left_however_it_ends(
    root: str, backend: str, end: Callable[[Watcher], Callable[[], object]]
) -> None:
    before = threading.active_count()
    with Watcher(backend, interval=0.01) as watcher:
        watcher.add(root)
        for number in range(5):
            write(f"{root}/{number}")

        async def main() -> None:
            await asyncio.wait_for(end(watcher)(), DEADLINE)  # type: ignore[arg-type]

        asyncio.run(main())
    while threading.active_count() > before:  # the thread that closed
        next(iter(threading.enumerate()[before:])).join(DEADLINE)


def test_a_watcher_that_is_closed_has_nothing_to_iterate(root: str) -> None:
    async def main() -> list[Item]:
        return [item async for item in watcher]

    watcher = Watcher("native")
    watcher.add(root)
    watcher.close()
    assert asyncio.run(main()) == []


def test_the_same_watcher_is_read_with_and_without_a_loop(root: str) -> None:
    """One after the other; the loop's thread lets go of it each time."""

    async def one(watcher: Watcher) -> Item:
        async with aclosing(stream(watcher)) as items:
            return await anext(items)

    with Watcher("native") as watcher:
        watcher.add(root, ops=Op.CREATE)
        for number in range(5):
            path = write(f"{root}/{number}")
            assert asyncio.run(one(watcher)) == Event(path, Op.CREATE)
            path = write(f"{root}/{number}-too")
            assert watcher.read(DEADLINE) == [Event(path, Op.CREATE)]
