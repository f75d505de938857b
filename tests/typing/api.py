"""The public names as a user writes them: checked for types by `make check`, never run."""

from __future__ import annotations

from typing import assert_type

from hotrun import SAVES, Event, FileChange, Item, Op, Overflow, Watcher, poll_file


def blocking() -> None:
    with Watcher(skips=lambda directory: directory.endswith("/node_modules")) as watcher:
        watcher.add("src")
        watcher.add(b"go.mod", recursive=False, ops=SAVES | Op.OPEN, missing_ok=True)
        assert_type(watcher.watch_list(), list[str])
        assert_type(watcher.read(1.5), list[Item])
        for item in watcher:
            match item:
                case Event(path, op, renamed_from, directory):
                    assert_type(path, str)
                    assert_type(op, Op)
                    assert_type(renamed_from, str | None)
                    assert_type(directory, bool)
                case Overflow(root):
                    assert_type(root, str)
                case _:
                    watcher.remove("src")


async def asynchronous(watcher: Watcher) -> None:
    async for item in watcher:
        assert_type(item, Item)


def one_file() -> None:
    with poll_file("go.mod", interval=0.5) as poll:
        for change in poll:
            assert_type(change, FileChange)
            if change.current is not None:
                assert_type(change.current.st_size, int)
