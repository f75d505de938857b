"""One file under the eye of a poll, as Node's ``fs.watchFile`` would have it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from ear import DEADLINE, write

from hotrun.errors import WatchError
from hotrun.watch.file_poll import FileChange, FilePoll, poll_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

QUICK = 0.001


class Clock:
    """A time that the test moves; a look takes as long as it says."""

    def __init__(self) -> None:
        self.now = 100.0
        self.look_takes = 0.0
        self.looks: list[float] = []

    def __call__(self) -> float:
        return self.now

    def stat(self, path: str) -> os.stat_result:
        self.looks.append(self.now - 100)
        self.now += self.look_takes
        return os.stat(path)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "f")


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    until(lambda: not set(threading.enumerate()) - before, "the threads to end")


def until(predicate: Callable[[], object], what: str) -> None:
    end = time.monotonic() + DEADLINE
    while not predicate():
        assert time.monotonic() < end, f"waited {DEADLINE} s for {what}"
        time.sleep(0.001)


def read(poll: FilePoll) -> FileChange:
    change = poll.read(DEADLINE)
    assert change is not None, f"waited {DEADLINE} s for a change"
    return change


def seen(poll: FilePoll) -> FileChange | None:
    """What the look shows that is due by now."""
    assert isinstance(poll._clock, Clock)
    poll._clock.now += poll.interval
    return poll.read(0)


def polled(path: str, interval: float = 5.0) -> FilePoll:
    """A poll whose time the test moves."""
    clock = Clock()
    return FilePoll(path, interval, stat=clock.stat, clock=clock)


# --- what is a change ---


def replace(path: str) -> None:
    write(f"{path}.new", "one")
    os.replace(f"{path}.new", path)


def set_back(path: str) -> None:
    found = os.stat(path)
    write(path, "two")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


CHANGES: dict[str, Callable[[str], object]] = {
    "write": lambda path: write(path, "longer"),
    "write as many bytes": lambda path: write(path, "two"),
    "append": lambda path: write(path, "one and more"),
    "truncate": lambda path: os.truncate(path, 0),
    "touch": lambda path: os.utime(path, (1, 1)),
    "set the time back": set_back,
    "chmod": lambda path: os.chmod(path, 0o600),
    "replace": replace,
    "hard link": lambda path: os.link(path, f"{path}.link"),
}


@pytest.mark.parametrize("step", CHANGES.values(), ids=CHANGES)
def test_a_change_is_told_once_with_the_states_before_and_after(
    path: str, step: Callable[[str], object]
) -> None:
    write(path, "one")
    before = os.stat(path)
    poll = polled(path)
    assert seen(poll) is None
    step(path)
    assert seen(poll) == FileChange(path, before, os.stat(path))
    assert seen(poll) is None


def test_reading_is_no_change(path: str) -> None:
    write(path, "one")
    os.utime(path, (1, time.time()))  # so old that a mount with relatime notes the reading
    poll = polled(path)
    before = os.stat(path)
    with open(path, "rb") as file:
        file.read()
    if os.stat(path).st_atime_ns == before.st_atime_ns:
        pytest.skip("this mount does not note when a file is read")
    assert seen(poll) is None


def state(**fields: float) -> os.stat_result:
    """A state as some system has it."""
    names = (
        "ctime_ns",
        "mtime_ns",
        "size",
        "mode",
        "uid",
        "gid",
        "ino",
        "dev",
        "atime_ns",
        "nlink",
    )
    return cast(
        "os.stat_result",
        SimpleNamespace(**{f"st_{name}": 1 for name in names} | fields),
    )


@pytest.mark.parametrize(
    ("field", "counts"),
    [
        ("st_ctime_ns", True), ("st_mtime_ns", True), ("st_birthtime", True),
        ("st_birthtime_ns", True), ("st_size", True), ("st_mode", True), ("st_uid", True),
        ("st_gid", True), ("st_ino", True), ("st_dev", True), ("st_flags", True),
        ("st_gen", True), ("st_atime_ns", False), ("st_atime", False), ("st_blocks", False),
    ],
)  # fmt: skip
def test_each_field_that_libuv_compares_counts_where_there_is_one(
    path: str, field: str, counts: bool
) -> None:
    states = [state(**{field: 1}), state(**{field: 1}), state(**{field: 2})]
    clock = Clock()
    poll = FilePoll(path, 5, stat=lambda _: states.pop(0), clock=clock)
    assert seen(poll) is None
    change = seen(poll)
    assert (change is not None) == counts


def test_a_missing_file_is_told_once_and_again_when_it_comes_and_goes(path: str) -> None:
    poll = polled(path)
    assert poll.read(0) == FileChange(path, None, None)
    assert poll.read(0) is None
    assert seen(poll) is None
    write(path)
    there = os.stat(path)
    assert seen(poll) == FileChange(path, None, there)
    os.remove(path)
    assert seen(poll) == FileChange(path, there, None)
    assert seen(poll) is None


def test_a_file_that_comes_between_the_first_look_and_the_second_is_told_after_its_absence(
    path: str,
) -> None:
    poll = polled(path)
    write(path)
    assert poll.read(0) == FileChange(path, None, None)
    assert seen(poll) == FileChange(path, None, os.stat(path))


def test_what_may_not_be_looked_at_is_missing() -> None:
    was = os.geteuid()
    top = os.path.realpath(tempfile.mkdtemp())
    path = write(f"{top}/d/f")
    if was == 0:
        for each in (top, f"{top}/d", path):
            os.chown(each, 65534, 65534)
        os.seteuid(65534)
    try:
        there = os.stat(path)
        poll = polled(path)
        os.chmod(f"{top}/d", 0)
        assert seen(poll) == FileChange(path, there, None)
        assert seen(poll) is None
        os.chmod(f"{top}/d", 0o700)
        assert seen(poll) == FileChange(path, None, there)
    finally:
        os.seteuid(was)
        shutil.rmtree(top)


def test_a_link_is_followed(path: str) -> None:
    one, two = write(f"{path}.one"), write(f"{path}.two")
    os.symlink(one, path)
    poll = polled(path)
    write(one, "longer")
    assert seen(poll) is not None
    os.remove(path)
    os.symlink(two, path)
    change = seen(poll)
    assert change is not None
    assert change.current == os.stat(two)


def test_a_directory_can_be_polled(tmp_path: Path) -> None:
    poll = polled(str(tmp_path))
    write(f"{tmp_path}/new")
    change = seen(poll)
    assert change is not None
    assert change.path == str(tmp_path)


# --- when it looks ---


def test_the_time_of_a_look_is_part_of_the_interval(path: str) -> None:
    write(path)
    clock = Clock()
    poll = FilePoll(path, 5, stat=clock.stat, clock=clock)
    for takes in (2, 2, 7, 0):
        clock.look_takes = takes
        clock.now = max(clock.now, poll._due)
        poll.read(0)
    # One that took longer than the interval is followed by the next that is due, not by two.
    assert clock.looks == [0, 5, 10, 15, 25]


def test_it_does_not_look_before_it_is_due_and_not_at_all_while_nobody_reads(path: str) -> None:
    write(path)
    clock = Clock()
    poll = FilePoll(path, 5, stat=clock.stat, clock=clock)
    for now in (1, 4.9, 23, 24):
        clock.now = 100 + now
        poll.read(0)
    assert clock.looks == [0, 23]


def test_the_interval_is_that_of_node_unless_another_one_is_asked_for(path: str) -> None:
    assert poll_file(path).interval == 5.007
    assert poll_file(path, 0.25).interval == 0.25
    assert poll_file(path, 0).interval == 0.001


@pytest.mark.parametrize("interval", [-1, float("nan"), float("inf")])
def test_an_interval_that_is_none_is_refused(path: str, interval: float) -> None:
    with pytest.raises(ValueError, match="no interval"):
        poll_file(path, interval)


def test_a_path_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(ValueError, match="null"):
        poll_file("a\0b")


def test_paths_come_in_all_kinds_and_are_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in ("f", b"f", tmp_path / "f", "./x/../f"):
        assert poll_file(path).path == str(tmp_path / "f")
    assert poll_file(b"caf\xe9").path == str(tmp_path / "caf\udce9")


def test_several_polls_of_one_path_are_independent(path: str) -> None:
    write(path)
    often, seldom = polled(path, 1), polled(path, 100)
    write(path, "longer")
    assert seen(often) is not None
    write(path, "and longer")
    assert seen(often) is not None
    assert seldom.read(0) is None
    often.close()
    change = seen(seldom)
    assert change is not None
    assert change.current == os.stat(path)


# --- waiting ---


def test_a_blocked_read_returns_with_the_change(path: str) -> None:
    with poll_file(path, QUICK) as poll:
        assert read(poll) == FileChange(path, None, None)
        writer = threading.Thread(target=write, args=(path,))
        writer.start()
        assert read(poll).current is not None
        writer.join()


def test_a_read_ends_after_its_time(path: str) -> None:
    write(path)
    with poll_file(path, QUICK) as poll:
        assert poll.read(0.01) is None
        assert poll.read(0) is None
        assert poll.read(-1) is None


@pytest.mark.parametrize("end", ["wake", "close"])
def test_a_blocked_read_can_be_ended(path: str, end: str) -> None:
    write(path)
    poll = poll_file(path, 3600)
    ended: list[FileChange | None] = []
    reader = threading.Thread(target=lambda: ended.append(poll.read()))
    reader.start()
    getattr(poll, end)()  # before it blocks or after: it is all the same
    reader.join(DEADLINE)
    assert ended == [None]
    poll.close()


def test_a_wake_is_good_for_one_read(path: str) -> None:
    write(path)
    poll = poll_file(path, 0.05)
    poll.wake()
    poll.wake()
    assert poll.read(DEADLINE) is None
    write(path, "longer")
    assert read(poll).current == os.stat(path)


def test_it_can_be_closed_again_and_again_and_not_read_afterwards(path: str) -> None:
    with poll_file(path) as poll:
        assert not poll.closed
        for _ in range(3):
            poll.close()
    assert poll.closed
    with pytest.raises(WatchError, match="closed"):
        poll.read(0)
    assert list(poll) == []


def test_an_iteration_goes_on_after_a_wake_and_ends_with_the_poll(path: str) -> None:
    poll = poll_file(path, QUICK)
    heard = []
    for change in poll:
        heard.append(change)
        if change.current is None:
            poll.wake()
            write(path)
        else:
            poll.close()
    assert [(change.previous, change.current is None) for change in heard] == [
        (None, True),
        (None, False),
    ]


def test_polls_leave_nothing_behind(path: str) -> None:
    before = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []
    for _ in range(150):
        with poll_file(path, QUICK) as poll:
            poll.read(0)
            poll.close()
    assert before == (os.listdir("/proc/self/fd") if before else [])


# --- in a loop ---


def run(main: Callable[[], object]) -> None:
    """Run a coroutine; it has as long as any test that waits."""
    failed: list[object] = []

    async def limited() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: failed.append(context))
        async with asyncio.timeout(DEADLINE):
            await main()  # type: ignore[misc]

    asyncio.run(limited())
    assert not failed


def test_a_task_iterates_until_the_poll_is_closed(path: str) -> None:
    async def main() -> None:
        poll, heard = poll_file(path, QUICK), []
        async for change in poll:
            heard.append(change)
            if change.current is None:
                write(path)
            else:
                poll.close()
        assert heard == [FileChange(path, None, None), FileChange(path, None, os.stat(path))]
        with pytest.raises(StopAsyncIteration):
            await anext(poll)

    run(main)


def test_an_iteration_of_what_is_closed_ends_at_once(path: str) -> None:
    write(path)

    async def main() -> None:
        poll = poll_file(path, 3600)
        poll.close()
        assert [change async for change in poll] == []

    run(main)


def test_another_thread_ends_an_iteration(path: str) -> None:
    write(path)

    async def main() -> None:
        poll = poll_file(path, 3600)
        task = asyncio.create_task(following(poll))
        await until_in_loop(lambda: poll._alarms)
        closer = threading.Thread(target=poll.close)
        closer.start()
        assert await task is None
        closer.join()

    run(main)


async def until_in_loop(predicate: Callable[[], object]) -> None:
    while not predicate():  # noqa: ASYNC110 - what is waited for rings no bell
        await asyncio.sleep(QUICK)


async def read_in_loop(poll: FilePoll) -> FileChange:
    return await anext(poll)


async def following(poll: FilePoll) -> FileChange | None:
    return await anext(poll, None)


def test_a_cancelled_task_loses_nothing_and_leaves_no_thread(path: str) -> None:
    write(path)

    async def main() -> None:
        poll = poll_file(path, QUICK)
        threads = set(threading.enumerate())
        for size in range(100):
            task = asyncio.create_task(following(poll))
            for _ in range(size % 5):
                await asyncio.sleep(0)
            write(path, "x" * size)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
                continue
            assert (await read_in_loop(poll)).current == os.stat(path)
        assert not poll._alarms
        await until_in_loop(lambda: not set(threading.enumerate()) - threads)

    run(main)


class Away:
    """A server that does not answer, until it does."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers = threading.Event()

    def stat(self, path: str) -> os.stat_result:
        self.asked += 1
        if self.asked > 1:  # it was there when the poll began
            self.answers.wait(DEADLINE)
        return os.stat(path)


@pytest.mark.parametrize("end", ["cancel", "close"])
def test_a_server_that_is_away_holds_up_neither_the_loop_nor_its_end(path: str, end: str) -> None:
    write(path)
    server = Away()

    async def main() -> None:
        poll = FilePoll(path, QUICK, stat=server.stat)
        task = asyncio.create_task(following(poll))
        await until_in_loop(lambda: server.asked > 1)
        if end == "cancel":
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            poll.close()
            assert await task is None

    run(main)
    assert not server.answers.is_set()
    server.answers.set()


PROGRAM = """
import asyncio, contextlib, os, sys, threading
from hotrun.watch.file_poll import FilePoll

asked = threading.Event()

def stat(path):
    if asked.is_set():
        threading.Event().wait()  # for ever
    asked.set()
    return os.stat(path)

async def main():
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.05):
            await anext(FilePoll(".", 0, stat=stat))

asyncio.run(main())
print("ended")
"""


def test_a_server_that_is_away_for_ever_does_not_hold_up_the_end_of_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, timeout=DEADLINE, check=True
    )
    assert done.stdout == b"ended\n"


def test_a_loop_that_is_gone_is_no_trouble_for_who_closes(path: str) -> None:
    write(path)
    poll = poll_file(path, 3600)
    loop = asyncio.new_event_loop()
    task = loop.create_task(following(poll))
    loop.run_until_complete(until_in_loop(lambda: poll._alarms))
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()
    poll.close()
