"""Who outlives an app's first process is named; who follows it by itself is not."""

from __future__ import annotations

import signal

from process.yard import Yard

DAEMON = """
def daemon():
    hear(signal.SIGTERM, who="daemon", ends=True)
    say("d", os.getpid())
    {}
fork(daemon, True, {})
"""


def test_a_daemon_that_is_left_by_a_stop_is_named_before_it_is_told_to_end(yard: Yard) -> None:
    app = yard.app(DAEMON.format("forever()", True) + 'say("ready"); forever()')
    told = app.outlived
    daemon = yard.pid_of("d")
    yard.until_said("ready")
    app.child.stop(signal.SIGTERM)
    yard.until_gone(app)
    (named,) = told
    assert list(named) == [daemon]
    assert str(yard.log) in named[daemon]
    assert "daemon SIGTERM" in yard.words()


def test_a_child_in_a_session_of_its_own_that_sees_the_app_end_is_no_leak(yard: Yard) -> None:
    """It reads from a pipe that ends with the app, and tidies up, as workers do."""
    app = yard.app(f"""
ours, theirs = os.pipe()
{DAEMON.format("os.close(theirs); os.read(ours, 1); time.sleep(0.005)", False)}
os.close(ours)
say("ready")
forever()
""")
    told = app.outlived
    yard.pid_of("d")
    yard.until_said("ready")
    app.child.stop(signal.SIGTERM)
    yard.until_gone(app)
    assert told == []
    assert "daemon SIGTERM" not in yard.words()


def test_a_group_that_takes_its_time_is_no_leak(yard: Yard) -> None:
    app = yard.app("""
fork(lambda: (hear(signal.SIGTERM), say("c", os.getpid()), listen(1), time.sleep(0.3)))
say("ready")
forever()
""")
    told = app.outlived
    yard.pid_of("c")
    yard.until_said("ready")
    app.child.stop(signal.SIGTERM)
    yard.until_gone(app)
    assert told == []


def test_all_that_is_left_by_an_app_that_ended_by_itself_is_named(yard: Yard) -> None:
    app = yard.app('fork(lambda: (say("c", os.getpid()), forever())); say("ready")')
    told = app.outlived
    child = yard.pid_of("c")
    yard.until(lambda: app.ended, "the end of the app's first process")
    assert [list(named) for named in told] == [[child]]
    app.child.stop(signal.SIGTERM)
    yard.until_gone(app)
    assert len(told) == 1
