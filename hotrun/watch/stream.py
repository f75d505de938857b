"""A watcher as an asynchronous iterator.

The watcher itself knows no loop: one thread blocks in ``read`` while the loop waits for it, and
is gone when the iteration ends, however that ends. Nothing that was read and not yielded is lost.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from hotrun.errors import WatchError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from concurrent.futures import Future

    from hotrun.watch.event import Item
    from hotrun.watch.watcher import Watcher


async def stream(watcher: Watcher) -> AsyncIterator[Item]:
    """Yield what comes until the watcher is closed.

    Raises:
        WatchError: watching cannot go on.
    """
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    reader = ThreadPoolExecutor(1, thread_name_prefix="watcher")
    items: deque[Item] = deque()
    reading: Future[list[Item]] | None = None
    try:
        while not watcher.closed:
            reading = reader.submit(watcher.read)
            # Shielded: the thread goes on when the task is cancelled, and what it reads is kept.
            read: list[Item] = await asyncio.shield(asyncio.wrap_future(reading))
            items.extend(read)
            reading = None
            while items:
                yield items.popleft()
    except WatchError:
        if not watcher.closed:
            raise
    finally:
        if reading is not None:
            watcher.wake()
        reader.shutdown()  # waits for the thread, which has just been woken
        if reading is not None and reading.exception() is None:
            items.extend(reading.result())
        watcher.put_back(items)
