"""How often polling looks, and how much it takes: by a clock that only the tests move."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

import pytest
from ear import write
from looker import INTERVAL, Looker

from hotrun.watch import Event, Op
from hotrun.watch.polling.source import HOT, MOST_HOT, PAUSE, TICK

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 0.03  # of a core
SIZE = 120
LOOK = 0.00005  # seconds for a directory of ten files, as measured


@pytest.fixture
def top(root: str) -> str:
    """A directory with many in it."""
    for number in range(SIZE):
        os.mkdir(f"{root}/{number:03}")
    return root


def running(looker: Looker, seconds: float) -> Iterator[list[str]]:
    """Look for a while; yield the paths of each take."""
    end = looker.clock.now + seconds
    while looker.clock.now < end:
        yield [item.path for item in looker.take() if isinstance(item, Event)]


def hotten(looker: Looker, path: str) -> None:
    """Let something happen, and be seen."""
    write(path)
    assert path in looker.ops()


@pytest.mark.parametrize("step", [LOOK, 0.002, 0.05], ids=["light", "heavy", "too heavy"])
@pytest.mark.parametrize("interval", [0, 0.05, INTERVAL, 5])
@pytest.mark.parametrize("changes", [False, True], ids=["idle", "busy"])
def test_it_takes_less_than_three_percent_of_a_core(
    top: str, step: float, interval: float, changes: bool
) -> None:
    looker = Looker(top, step=step, interval=interval)
    begin, spent, size = looker.clock.now, looker.scope.spent, 0
    for _ in running(looker, 40):
        if changes and looker.clock.now > begin + size * 3:
            size += 1
            write(f"{top}/{size:03}/f", "x" * size)
            write(f"{top}/000/f", "x" * size)
    due = looker.polling.due()
    assert due is not None
    share = (looker.scope.spent - spent) / (due - begin)  # the rest after the last look included
    assert share < MOST
    if step > LOOK and interval <= INTERVAL:  # all of it is used, where it is needed
        assert share > MOST * 2 / 3


@pytest.mark.parametrize("step", [0, LOOK / 100, LOOK, 0.002])
def test_no_sweep_begins_earlier_than_asked(top: str, step: float) -> None:
    looker = Looker(top, step=step)
    begins = []
    for _ in running(looker, 30):
        if looker.polling._sweep_at - INTERVAL not in begins:
            begins.append(looker.polling._sweep_at - INTERVAL)
    assert min(later - earlier for earlier, later in itertools.pairwise(begins)) >= INTERVAL


def test_a_small_tree_is_looked_at_as_a_whole_and_only_when_due(root: str) -> None:
    looker = Looker(root, step=LOOK)
    for number in range(100):
        os.mkdir(f"{root}/{number}")
    looker.events()
    looker.clock.now += HOT + 1
    looker.events()
    looker.events()
    begin, before = looker.clock.now, looker.polling.sweeps
    takes = sum(1 for _ in running(looker, 20))
    assert takes == looker.polling.sweeps - before
    assert takes == pytest.approx((looker.clock.now - begin) / INTERVAL, abs=1)


def test_a_large_tree_is_looked_at_in_slices_and_each_directory_once_a_sweep(top: str) -> None:
    looker = Looker(top, step=0.002)
    hotten(looker, f"{top}/007/f")
    for number in range(SIZE):
        write(f"{top}/{number:03}/new")
    before, takes, heard = looker.polling.sweeps, 0, set[str]()
    for paths in running(looker, 600):
        takes += 1
        heard.update(paths)
        if looker.polling.sweeps == before + 1:
            break
    assert len(heard) == SIZE
    assert takes > SIZE / 3


def test_where_something_changed_the_next_change_is_seen_at_the_next_tick(top: str) -> None:
    looker = Looker(top, step=LOOK * 10)
    path = f"{top}/119/f"
    hotten(looker, path)
    for size in range(2, 100):
        write(path, "x" * size)
        begin = looker.clock.now
        while path not in [getattr(item, "path", "") for item in looker.take()]:
            pass
        # A look that began just before does not see it, and then comes the pause.
        assert looker.clock.now - begin <= 2 * TICK


def test_elsewhere_a_change_is_seen_within_one_sweep(top: str) -> None:
    looker = Looker(top, step=LOOK * 10)
    hotten(looker, f"{top}/007/f")
    sweep = PAUSE * 2 * SIZE * LOOK * 10  # half of it is for what is hot
    for number in range(20, SIZE, 20):
        path = write(f"{top}/{number:03}/f")
        begin = looker.clock.now
        while path not in [getattr(item, "path", "") for item in looker.take()]:
            pass
        assert looker.clock.now - begin <= sweep + INTERVAL


def test_what_was_hot_cools_down(top: str) -> None:
    looker = Looker(top)
    hotten(looker, f"{top}/007/f")
    assert sum(1 for _ in running(looker, 10)) > 90
    looker.clock.now += HOT
    assert sum(1 for _ in running(looker, 10)) < 25


def test_with_a_shorter_interval_what_is_hot_is_looked_at_as_often(top: str) -> None:
    interval = TICK / 4
    looker = Looker(top, step=LOOK * 2, interval=interval)
    path = f"{top}/119/f"
    hotten(looker, path)
    for size in range(2, 20):
        write(path, "x" * size)
        begin = looker.clock.now
        while path not in [getattr(item, "path", "") for item in looker.take()]:
            pass
        assert looker.clock.now - begin <= 2 * interval


def test_only_so_much_is_hot_and_the_latest_first(top: str) -> None:
    looker = Looker(top)
    for number in range(100):
        write(f"{top}/{number:03}/f")
    looker.events()
    write(f"{top}/110/f")
    looker.events()
    assert len(looker.polling._hot) == MOST_HOT
    assert list(looker.polling._hot)[-1] == f"{top}/110"


def test_a_hot_directory_that_is_huge_leaves_time_for_the_rest(root: str) -> None:
    """Somebody's logs: a look at them alone takes the budget of many slices."""
    for number in range(50):
        os.makedirs(f"{root}/{number:02}")
    os.makedirs(f"{root}/huge/skip")

    def skips(path: str) -> bool:
        if path.endswith("/skip"):
            looker.scope.work(0.1)
        return path.endswith("/skip")

    looker = Looker(step=LOOK, skips=skips)
    looker.add(root)
    begin, spent = looker.clock.now, looker.scope.spent
    for size, _ in enumerate(running(looker, 120), 1):
        write(f"{root}/huge/log", "x" * size)
    assert looker.polling.sweeps >= 12
    assert looker.scope.spent - spent < MOST * (looker.clock.now - begin)


def test_a_slow_server_does_not_hold_up_who_waits_for_us(root: str) -> None:
    """It costs no time of the processor, but the watcher's other calls wait for each take."""
    for number in range(30):
        os.makedirs(f"{root}/{number:02}/skip")

    def skips(path: str) -> bool:
        looker.clock.now += 0.03
        return path.endswith("/skip")

    looker = Looker(skips=skips)
    looker.add(root)
    for _ in range(100):
        due = looker.polling.due()
        assert due is not None
        looker.clock.now = max(looker.clock.now, due)
        begin = looker.clock.now
        looker.polling.take()
        assert looker.clock.now - begin <= 0.13 + 0.001
    assert looker.polling.sweeps >= 10


def test_a_look_before_its_time_is_none(root: str) -> None:
    looker = Looker(root)
    write(f"{root}/f")
    looker.polling.take()
    assert looker.said == []
    looker.clock.now += INTERVAL
    looker.polling.take()
    assert [getattr(item, "op", None) for item in looker.said] == [Op.CREATE]


def test_after_a_refresh_a_sweep_begins_anew(top: str) -> None:
    looker = Looker(top, step=0.002)
    looker.take()
    looker.polling.refresh()
    looker.take()
    looker.clock.now += 1  # the rest after the first look
    assert looker.polling.due() == looker.clock.now - 1 + INTERVAL


def test_arming_is_no_reason_to_rest(top: str) -> None:
    looker = Looker(top, step=0.01)
    due = looker.polling.due()
    assert due is not None
    assert due <= looker.clock.now + INTERVAL


def test_without_anything_to_look_at_it_is_never_due(root: str) -> None:
    looker = Looker()
    assert looker.polling.due() is None
    looker.polling.take()
    looker.add(root)
    assert looker.polling.due() == looker.clock.now + INTERVAL
    looker.remove(root)
    assert looker.polling.due() is None
    looker.polling.release()
