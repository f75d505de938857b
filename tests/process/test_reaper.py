"""The reaper: every orphan of ours, and nobody else's child."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

import live
from process.yard import Yard

from hotrun.process import tree


def test_an_orphan_comes_to_us_and_is_reaped(yard: Yard) -> None:
    app = yard.app("""
def orphan():
    hear(signal.SIGTERM, ends=True)
    say("orphan", os.getpid())
    forever()
fork(orphan, setsid=True, twice=True)
hear(signal.SIGTERM, ends=True)
forever()
""")
    orphan = yard.pid_of("orphan")
    yard.until(lambda: orphan in {stat.pid for stat in yard.reaper.adopted()}, "the orphan")
    os.kill(orphan, signal.SIGKILL)
    yard.until(lambda: tree.read(orphan) is None, "the orphan's end, no zombie left")
    assert not app.gone


def test_who_has_ended_beside_a_child_is_reaped_in_the_same_look(yard: Yard) -> None:
    """The kernel names one of them first, whichever that is."""
    app = yard.app("""
fork(lambda: (say("orphan", os.getpid()), forever()), setsid=True, twice=True)
forever()
""")
    orphan = yard.pid_of("orphan")
    yard.until(lambda: orphan in {stat.pid for stat in yard.reaper.adopted()}, "the orphan")
    for pid in (app.child.pid, orphan):
        os.kill(pid, signal.SIGKILL)
    live.until(lambda: is_zombie(app.child.pid) and is_zombie(orphan), "two zombies")
    yard.reaper.look()
    assert app.gone
    assert tree.read(orphan) is None


def test_the_end_of_a_child_is_heard_before_the_signal_is(yard: Yard) -> None:
    app = yard.app("forever()")
    yard.loop.remove_signal_handler(signal.SIGCHLD)
    os.kill(app.child.pid, signal.SIGKILL)
    yard.until_gone(app)


def test_the_end_of_a_child_is_heard_by_the_signal_alone(yard: Yard) -> None:
    """Before Linux 5.3, in some sandboxes, and where no descriptor is left."""
    app = yard.app("forever()")
    (pidfd,) = pidfds()
    yard.loop.remove_reader(pidfd)
    os.kill(app.child.pid, signal.SIGKILL)
    yard.until_gone(app)


def test_no_descriptor_is_kept_of_a_child_that_is_gone(yard: Yard) -> None:
    yard.until_gone(yard.build("pass"), yard.app("pass"))
    yard.until(lambda: not pidfds(), "the end of the descriptors")


def test_an_app_whose_tree_outlives_its_first_process_wakes_nobody_by_that(yard: Yard) -> None:
    """A pidfd stays readable: a loop that goes on hearing it turns and turns."""
    app = yard.app("fork(lambda: (say('left'), forever()))")
    yard.until_said("left")
    yard.until(lambda: app.ended, "the end of the first process")
    assert not pidfds()
    assert not app.gone


def pidfds() -> list[int]:
    """Return our descriptors of processes."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{name}") == "anon_inode:[pidfd]":
                found.append(int(name))
    return found


def test_a_hundred_orphans_that_end_at_once_are_all_reaped(yard: Yard) -> None:
    """Signals that wait are one signal: whoever counts them misses some."""
    yard.app("""
for _ in range(100):
    fork(lambda: say("up"), setsid=True, twice=True)
forever()
""")
    yard.until(lambda: len(yard.words()) == 100, "a hundred orphans")
    own = {os.getpid()}
    yard.until(lambda: len(tree.children(os.getpid())) == len(own), "the end of all zombies")


def test_the_children_of_other_code_are_left_to_it(yard: Yard) -> None:
    other = subprocess.Popen([sys.executable, "-ISc", "raise SystemExit(5)"])
    yard.until(lambda: is_zombie(other.pid), "the end of the other child")
    build = yard.build("pass")
    yard.until_gone(build)
    yard.reaper.look()
    assert other.wait() == 5


def test_a_helper_is_left_out_of_everything(yard: Yard) -> None:
    """Like the guardian: a session of its own, and perhaps our cookie in its environment."""
    helper = subprocess.Popen(["sleep", "600"], start_new_session=True, env={"A": "1"})
    try:
        assert helper.pid in {stat.pid for stat in yard.reaper.adopted()}
        yard.reaper.leave_out(helper.pid)
        assert helper.pid not in {stat.pid for stat in yard.reaper.adopted()}
        app = yard.shell("sleep 600", 0, "A=1")
        assert list(app.child.kill()) == [app.child.pid]
        yard.until_gone(app)
        assert helper.poll() is None
    finally:
        helper.kill()
    yard.until(lambda: is_zombie(helper.pid), "the end of the helper")
    yard.reaper.look()
    assert helper.wait() == -signal.SIGKILL


def test_nothing_wakes_us_while_nothing_ends(yard: Yard) -> None:
    app = yard.app('hear(signal.SIGTERM, who="app"); say("ready"); forever()')
    yard.until_said("ready")
    yard.reaper.look()
    assert not timers(yard)
    app.child.stop(signal.SIGTERM)
    yard.until_said("app SIGTERM")
    assert timers(yard)
    app.child.kill()
    yard.until_gone(app)
    yard.reaper.look()
    assert not timers(yard)


def test_an_end_that_nobody_tells_us_of_is_found(yard: Yard) -> None:
    app = yard.app("""
hear(signal.SIGTERM, who="app")
hear(signal.SIGUSR1, ends=True)
say("ready")
forever()
""")
    yard.until_said("ready")
    yard.loop.remove_signal_handler(signal.SIGCHLD)
    app.child.stop(signal.SIGTERM)
    yard.until_said("app SIGTERM")
    os.kill(app.child.pid, signal.SIGUSR1)
    yard.until_gone(app)


def timers(yard: Yard) -> list[object]:
    return [handle for handle in yard.loop._scheduled if not handle.cancelled()]


def is_zombie(pid: int) -> bool:
    stat = tree.read(pid)
    return stat is not None and not stat.alive
