"""The process table: read two ways, and a way without the kernel's own lists of children."""

from __future__ import annotations

import os
import signal

import pytest
from process.yard import Yard

from hotrun.process import tree

FAMILY = """
def leaf():
    say("leaf")
    forever()
def branch():
    for number in range(3):
        fork(leaf, setsid=number == 1)
    say("branch")
    forever()
for _ in range(3):
    fork(branch)
fork(lambda: None)
import threading
def other_thread():
    fork(leaf)
    forever_thread.wait()
forever_thread = threading.Event()
threading.Thread(target=other_thread).start()
say("first")
while True:
    time.sleep(600)
"""


@pytest.fixture
def family(yard: Yard) -> int:
    """A process with 13 living descendants, one of them started by another thread, and a zombie."""
    app = yard.app(FAMILY)
    yard.until(lambda: len(yard.words()) == 14, "the whole family")
    pid = app.child.pid
    yard.until(lambda: not all(map(yard.lives, tree.children(pid))), "the zombie")
    return pid


def test_all_ways_see_the_same_family(family: int) -> None:
    stats = tree.below([family])
    assert len(stats) == 13
    table = tree.everyone()
    by_table = tree.walk([family], tree._by_parent(table), table.get)
    assert {stat.pid for stat in by_table} == {stat.pid for stat in stats}
    assert set(by_table) == set(stats)
    other = tree._everyone_psutil()
    by_psutil = tree.walk([family], tree._by_parent(other), other.get)
    assert {stat.pid for stat in by_psutil} == {stat.pid for stat in stats}
    for stat in by_psutil:
        mine = tree.read(stat.pid)
        assert mine is not None
        assert mine[1:] == stat[1:]


def test_parents_come_before_their_children(family: int) -> None:
    order = [family, *(stat.pid for stat in tree.below([family]))]
    for stat in tree.below([family]):
        assert order.index(stat.parent) < order.index(stat.pid)


def test_a_zombie_is_a_child_and_not_alive(family: int) -> None:
    stats = [tree.read(pid) for pid in tree.children(family)]
    assert [stat.alive for stat in stats if stat].count(False) == 1
    assert len(stats) == 5


def test_a_group_has_the_members_that_did_not_leave_it(family: int) -> None:
    members = {stat.pid for stat in tree.members(family)}
    assert len(members) == 11


def test_what_is_gone_is_nothing(yard: Yard) -> None:
    app = yard.app("pass")
    yard.until_gone(app)
    pid = app.child.pid
    assert tree.read(pid) is None
    assert tree._read_psutil(pid) is None
    assert tree.below([pid]) == []
    assert tree.children(pid) == []
    assert tree.members(pid) == []
    assert not tree.carries(pid, "A=1")
    tree.send(tree.Process(pid, 1.0), signal.SIGKILL)


def test_a_name_may_hold_anything(yard: Yard) -> None:
    """The name stands in the middle of the fields, between parentheses that it may contain."""
    app = yard.app("""
open("/proc/self/comm", "w").write(") Z 1 1 (\\n 1")
say("ready")
forever()
""")
    yard.until_said("ready")
    stat = tree.read(app.child.pid)
    assert stat is not None
    assert (stat.alive, stat.parent, stat.group) == (True, os.getpid(), app.child.pid)


def test_a_cookie_is_one_whole_variable(yard: Yard) -> None:
    app = yard.shell("sleep 600", 0, "COOKIE=12")
    assert tree.carries(app.child.pid, "COOKIE=12")
    assert not tree.carries(app.child.pid, "COOKIE=1")
    assert not tree.carries(app.child.pid, "OOKIE=12")


def test_a_cookie_is_seen_from_the_first_moment_on(yard: Yard) -> None:
    """Our wait for the exec ends before the new program has its environment."""
    for _ in range(50):
        app = yard.shell("sleep 600", 0, "A=1")
        assert tree.carries(app.child.pid, "A=1")


def test_an_empty_environment_carries_nothing(yard: Yard) -> None:
    app = yard.shell("env -i sleep 600", 0, "A=1")
    yard.until(lambda: not tree.carries(app.child.pid, "A=1"), "the empty environment")


def test_a_process_whose_pid_was_used_again_is_dead(yard: Yard) -> None:
    app = yard.shell("sleep 600", 0, "A=1")
    stat = tree.read(app.child.pid)
    assert stat is not None
    assert tree.alive(stat.process)
    assert not tree.alive(stat.process._replace(began=stat.process.began - 1))


def test_who_catches_ignores_or_blocks_a_signal_withstands_it(yard: Yard) -> None:
    app = yard.app("""
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
say("ready")
forever()
""")
    yard.until_said("ready")
    numbers = [signal.SIGUSR1, signal.SIGHUP, signal.SIGUSR2, signal.SIGALRM, signal.SIGTERM]
    withstood = [number for number in numbers if tree.withstands(app.child.pid, number)]
    assert withstood == [signal.SIGUSR1, signal.SIGHUP, signal.SIGUSR2]


def test_what_we_catch_says_nothing_of_what_we_just_started(yard: Yard) -> None:
    """Our wait for the exec ends before the new program has lost our handlers."""
    before = signal.signal(signal.SIGUSR2, lambda *_: None)
    try:
        for _ in range(50):
            app = yard.shell("sleep 600", 0, "A=1")
            assert not tree.withstands(app.child.pid, signal.SIGUSR2)
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_of_who_is_gone_nobody_says_that_a_signal_would_end_it(yard: Yard) -> None:
    app = yard.app("pass")
    yard.until_gone(app)
    assert tree.withstands(app.child.pid, signal.SIGUSR1)
