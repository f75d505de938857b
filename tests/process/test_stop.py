"""Stopping and killing: whatever shape a tree has, it is told once, waited for and gone."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest
from process.yard import DEADLINE, Running, Yard

from hotrun.process import tree

SEED = int(os.environ.get("HOTRUN_TEST_SEED", "20261121"))


def test_an_app_hears_the_stop_signal_once_and_is_waited_for(yard: Yard) -> None:
    app = yard.app("""
hear(signal.SIGTERM, who="app")
say("ready")
listen(1)
say("bye")
sys.exit(3)
""")
    yard.until_said("ready")
    app.child.stop(signal.SIGTERM)
    yard.until_gone(app)
    assert yard.words() == ["ready", "app SIGTERM", "bye"]
    assert app.child.code == 3
    assert app.ended == 0


def test_a_second_stop_sends_nothing(yard: Yard) -> None:
    """SIGINT has the lower number: of two that wait, it would be heard first."""
    app = yard.app("""
hear(signal.SIGINT, who="app")
hear(signal.SIGUSR1, who="app", ends=True)
say("ready")
forever()
""")
    yard.until_said("ready")
    app.child.stop(signal.SIGINT)
    yard.until_said("app SIGINT")
    app.child.stop(signal.SIGINT)
    turn(yard)
    os.kill(app.child.pid, signal.SIGUSR1)
    yard.until_gone(app)
    assert yard.words() == ["ready", "app SIGINT", "app SIGUSR1"]


def test_the_stop_signal_is_the_configured_one(yard: Yard) -> None:
    app = yard.app('hear(signal.SIGINT, signal.SIGTERM, ends=True); say("ready"); forever()')
    yard.until_said("ready")
    app.child.stop(signal.SIGINT)
    yard.until_gone(app)
    assert yard.words() == ["ready", " SIGINT"]


def test_the_app_behind_a_shell_is_waited_for_not_the_shell(yard: Yard) -> None:
    """Dash dies of the signal at once; what it had started takes its time."""
    yard.directory.joinpath("app.py").write_text(
        yard.python("""
hear(signal.SIGTERM, who="app")
hear(signal.SIGUSR1, who="app")
say("ready", os.getpid())
listen(2)
say("bye")
""").argv[2]
    )
    app = yard.shell(f"{yard.python('').argv[0]} app.py log; true", 0, "A=1")
    yard.pid_of("ready")
    app.child.stop(signal.SIGTERM)
    yard.until(lambda: app.child.code is not None, "the end of the shell")
    yard.until_said("app SIGTERM")
    assert not app.gone
    os.kill(yard.pid_of("ready"), signal.SIGUSR1)
    yard.until_gone(app)
    assert yard.words()[1:] == ["app SIGTERM", "app SIGUSR1", "bye"]


def test_every_member_of_the_group_hears_the_signal_once(yard: Yard) -> None:
    app = yard.app("""
def child(who):
    hear(signal.SIGTERM, who=who)
    say("ready", who)
    listen(1)
for who in "abc":
    fork(lambda: child(who))
hear(signal.SIGTERM, who="first")
say("ready first")
listen(1)
for _ in "abc":
    os.wait()
""")
    yard.until_said("ready first", "ready a", "ready b", "ready c")
    app.child.stop(signal.SIGTERM)
    yard.until_gone(app)
    heard = sorted(line for line in yard.words() if "SIGTERM" in line)
    assert heard == ["a SIGTERM", "b SIGTERM", "c SIGTERM", "first SIGTERM"]


@pytest.mark.parametrize("twice", [False, True], ids=["setsid", "double fork"])
def test_what_left_the_group_hears_the_signal_once_too(yard: Yard, *, twice: bool) -> None:
    app = yard.app(f"""
def escaped():
    hear(signal.SIGINT, who="escaped")
    hear(signal.SIGUSR1, who="escaped", ends=True)
    say("escaped", os.getpid())
    forever()
fork(escaped, setsid=True, twice={twice})
hear(signal.SIGINT, who="first", ends=True)
say("ready")
forever()
""")
    yard.until_said("ready")
    escaped = yard.pid_of("escaped")
    app.child.stop(signal.SIGINT)
    yard.until_said("first SIGINT", "escaped SIGINT")
    turn(yard)
    yard.reaper.look()
    os.kill(escaped, signal.SIGUSR1)
    yard.until_gone(app)
    assert not yard.lives(escaped)
    assert yard.words().count("escaped SIGINT") == 1
    assert yard.words().count("first SIGINT") == 1


def test_a_supervisor_passes_the_signal_on_and_its_child_does_not_hear_it_twice(
    yard: Yard,
) -> None:
    """We hold back as long as anybody of the group lives, the supervisor among them."""
    app = yard.app("""
def child():
    hear(signal.SIGINT, who="child")
    say("child", os.getpid())
    listen(2)
def supervise():
    pid = fork(child, setsid=True)
    hear(signal.SIGINT, signal.SIGUSR1, who="supervisor")
    say("supervisor", os.getpid())
    listen(2)
    os.kill(pid, signal.SIGINT)
    say("passed on")
    listen(3)
fork(supervise)
hear(signal.SIGINT, who="first", ends=True)
say("ready")
forever()
""")
    yard.until_said("ready")
    child, supervisor = yard.pid_of("child"), yard.pid_of("supervisor")
    app.child.stop(signal.SIGINT)
    yard.until_said("first SIGINT", "supervisor SIGINT")
    yard.until(lambda: app.child.code is not None, "the end of the first process")
    turn(yard)
    assert "child SIGINT" not in yard.words()
    os.kill(supervisor, signal.SIGUSR1)
    yard.until_said("passed on", "child SIGINT")
    turn(yard)
    assert yard.words().count("child SIGINT") == 1
    os.kill(child, signal.SIGINT)
    os.kill(supervisor, signal.SIGUSR1)
    yard.until_gone(app)


def test_what_the_signal_moved_out_of_the_group_does_not_hear_it_again(yard: Yard) -> None:
    app = yard.app("""
def child():
    hear(signal.SIGINT, signal.SIGUSR1, who="child")
    say("child", os.getpid())
    listen(1)
    while not os.path.exists(sys.argv[1] + ".told"):
        time.sleep(0.001)
    os.setsid()
    say("left")
    listen(2)
fork(child)
hear(signal.SIGINT, who="first", ends=True)
say("ready")
forever()
""")
    yard.until_said("ready")
    child = yard.pid_of("child")
    app.child.stop(signal.SIGINT)
    yard.directory.joinpath("log.told").touch()  # who left before it was told is told once more
    yard.until_said("left")
    yard.until(lambda: app.child.code is not None, "the end of the first process")
    yard.reaper.look()
    turn(yard, 75)  # for longer than it is waited for that it follows
    os.kill(child, signal.SIGUSR1)
    yard.until_gone(app)
    heard = [line for line in yard.words() if line.startswith("child SIG")]
    assert heard == ["child SIGINT", "child SIGUSR1"]


def test_who_appears_while_the_app_stops_is_waited_for(yard: Yard) -> None:
    app = yard.app("""
def helper():
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    hear(signal.SIGUSR1, who="helper")
    say("helper", os.getpid())
    listen(1)
    say("cleaned up")
def end(*_):
    fork(helper)
    os._exit(0)
signal.signal(signal.SIGTERM, end)
say("ready")
forever()
""")
    yard.until_said("ready")
    app.child.stop(signal.SIGTERM)
    yard.pid_of("helper")
    yard.until(lambda: app.child.code is not None, "the end of the first process")
    turn(yard)
    assert not app.gone
    os.kill(yard.pid_of("helper"), signal.SIGUSR1)
    yard.until_gone(app)
    assert yard.words()[-1] == "cleaned up"


def test_a_seen_descendant_that_hides_everything_is_waited_for(yard: Yard) -> None:
    """No group, no session, no parent, no cookie of the app: only that we saw it before."""
    app = yard.app(
        """
if os.environ.get("HIDDEN"):
    hear(signal.SIGTERM, signal.SIGUSR1, who="hidden")
    say("hidden", os.getpid())
    listen(2)
    say("hidden-bye")
    os._exit(0)
def hide():
    os.execve(sys.executable, [sys.executable, "-ISc", CODE, sys.argv[1]], {"HIDDEN": "1"})
fork(hide, setsid=True)
hear(signal.SIGTERM, who="first", ends=True)
say("ready")
forever()
""".replace("CODE", 'open("/proc/self/cmdline").read().split("\\0")[2]')
    )
    yard.pid_of("hidden")
    yard.until_said("ready")
    app.child.stop(signal.SIGTERM)
    yard.until_said("first SIGTERM", "hidden SIGTERM")
    turn(yard)
    assert not app.gone
    os.kill(yard.pid_of("hidden"), signal.SIGUSR1)
    yard.until_gone(app)
    assert yard.words()[-1] == "hidden-bye"


def test_a_stopped_app_is_woken_to_hear_the_signal(yard: Yard) -> None:
    """State T is where SIGTTIN leaves a program that reads a terminal in the background."""
    app = yard.app("""
def child():
    hear(signal.SIGTERM, who="child", ends=True)
    say("child", os.getpid())
    forever()
fork(child)
hear(signal.SIGTERM, who="first", ends=True)
say("ready")
forever()
""")
    yard.until_said("ready")
    yard.pid_of("child")
    pids = app.child.pid, yard.pid_of("child")
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
        yard.until(lambda pid=pid: (tree.read(pid) or app).stopped, "state T")
    app.child.stop(signal.SIGTERM)
    yard.until_gone(app)
    assert sorted(yard.words()[-2:]) == ["child SIGTERM", "first SIGTERM"]


def test_an_app_that_ends_by_itself_is_gone_without_a_signal(yard: Yard) -> None:
    app = yard.app("sys.exit(7)")
    yard.until_gone(app)
    assert (app.child.code, app.ended) == (7, 0)


def test_when_only_the_first_process_ends_that_is_told(yard: Yard) -> None:
    app = yard.app("""
def worker():
    hear(signal.SIGTERM, who="worker", ends=True)
    say("worker")
    forever()
fork(worker)
while "worker" not in open(sys.argv[1]).read():
    time.sleep(0.001)
sys.exit(4)
""")
    yard.until(lambda: app.ended, "the hook `ended`")
    assert (app.ended, app.child.code, app.gone) == (1, 4, 0)
    app.child.stop(signal.SIGTERM)
    yard.until_gone(app)
    assert yard.words() == ["worker", "worker SIGTERM"]
    assert app.ended == 1


def test_workers_that_follow_their_master_are_no_reason_to_say_it_ended(yard: Yard) -> None:
    app = yard.app("""
read, write = os.pipe()
def worker():
    os.close(write)
    os.read(read, 1)
for _ in range(4):
    fork(worker)
os._exit(1)
""")
    yard.until_gone(app)
    assert app.ended == 0


def test_an_app_that_is_stopped_in_that_moment_is_not_said_to_have_ended(yard: Yard) -> None:
    app = yard.app("""
def worker():
    hear(signal.SIGTERM, signal.SIGUSR1, who="worker")
    say("worker", os.getpid())
    listen(2)
fork(worker)
while "worker" not in open(sys.argv[1]).read():
    time.sleep(0.001)
""")
    worker = yard.pid_of("worker")
    look_until_the_first_ended(app)
    app.child.stop(signal.SIGTERM)
    yard.until_said("worker SIGTERM")
    turn(yard, 75)
    assert (app.ended, app.gone) == (0, 0)
    os.kill(worker, signal.SIGUSR1)
    yard.until_gone(app)
    assert app.ended == 0


def test_what_ignores_the_signal_is_killed(yard: Yard) -> None:
    app = yard.app("""
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def child(who):
    say(who, os.getpid())
    forever()
fork(lambda: child("same"))
fork(lambda: child("setsid"), setsid=True)
fork(lambda: child("daemon"), setsid=True, twice=True)
say("first", os.getpid())
forever()
""")
    yard.until(lambda: len(yard.words()) == 4, "four processes")
    app.child.stop(signal.SIGTERM)
    turn(yard)
    assert not app.gone
    pids = {yard.pid_of(who) for who in ("first", "same", "setsid", "daemon")}
    assert set(app.child.kill()) == pids
    yard.until_gone(app)
    assert app.child.code == -signal.SIGKILL
    assert not [pid for pid in pids if yard.lives(pid)]


def test_a_kill_needs_no_stop_before_it(yard: Yard) -> None:
    app = yard.app('fork(forever, setsid=True); say("ready"); forever()')
    yard.until_said("ready")
    assert app.child.pid in app.child.kill()
    yard.until_gone(app)
    assert yard.strays() == set()
    assert app.child.kill() == {}


def test_a_fork_storm_does_not_outrun_the_kill(yard: Yard) -> None:
    """One blow misses some: they fork between the look and the signal."""
    app = yard.app("""
say("ready")
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
end = time.monotonic() + 50
def storm():
    while time.monotonic() < end:
        time.sleep(0.005)
        if os.fork() == 0:
            os.setsid()
        else:
            os._exit(0)
for _ in range(8):
    fork(storm)
forever()
""")
    yard.until_said("ready")
    turn(yard, 20)
    app.child.kill()
    yard.until_gone(app)
    assert yard.strays() == set()


def test_a_relay_of_processes_is_never_lost_from_sight(yard: Yard) -> None:
    """Each starts the next and ends; whoever looks at a list that is old by then sees nobody."""
    app = yard.app("""
def relay():
    for _ in range(1500):
        if os.fork():
            os._exit(0)
        os.setsid()
    say("at the goal")
for _ in range(2):
    fork(relay)
""")
    app.child.stop(signal.SIGCHLD)  # not for those who came later: it only has to be waited for
    yard.until_gone(app)
    assert yard.words() == ["at the goal"] * 2


def test_two_hundred_processes_of_every_shape_are_gone(yard: Yard) -> None:
    """Kept small in code, wide in shape: groups, sessions, daemons, deep chains."""
    app = yard.app(f"""
import random
random.seed({SEED})
def grow(depth):
    if depth:
        fork(lambda: grow(depth - 1), random.random() < 0.3, random.random() < 0.2)
    say(os.getpid())
    if random.random() < 0.5:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    forever()
for _ in range(25):
    fork(lambda: grow(7))
forever()
""")
    yard.until(lambda: len(yard.words()) == 200, "200 processes")
    app.child.stop(signal.SIGTERM)
    yard.until(lambda: app.child.code is not None, "the end of the first process")
    turn(yard, 20)
    app.child.kill()
    yard.until_gone(app)
    assert yard.strays() == set()


def test_two_hundred_processes_that_obey_are_gone_without_a_kill(yard: Yard) -> None:
    app = yard.app("""
def child():
    say("up")
    forever()
for number in range(200):
    fork(child, setsid=number % 3 == 0, twice=number % 6 == 0)
forever()
""")
    yard.until(lambda: len(yard.words()) == 200, "200 processes")
    app.child.stop(signal.SIGTERM)
    yard.until_gone(app)
    assert yard.strays() == set()


def test_zombies_in_the_group_do_not_keep_the_app(yard: Yard) -> None:
    """A parent outside of the group never reaps them: dead they are all the same."""
    app = yard.app("""
def keeper():
    hear(signal.SIGUSR1, who="keeper", ends=True)
    fork(lambda: os.setpgid(0, group), False)
    say("keeper", os.getpid())
    forever()
group = os.getpgid(0)
def away():
    os.setpgid(0, 0)
    keeper()
fork(away)
say("ready")
hear(signal.SIGTERM, ends=True)
forever()
""")
    yard.until_said("ready")
    yard.pid_of("keeper")
    group, keeper = app.child.pid, yard.pid_of("keeper")
    yard.until(lambda: is_zombie_of(keeper), "a zombie in the group")
    app.child.stop(signal.SIGTERM)
    yard.until(lambda: app.child.code is not None, "the end of the first process")
    # All of the group that is left is a zombie now: the keeper, outside, is told to end.
    yard.until_gone(app)
    assert tree.members(group) == []


def is_zombie_of(keeper: int) -> bool:
    return any((stat := tree.read(pid)) and not stat.alive for pid in tree.children(keeper))


def test_a_process_whose_first_thread_ended_is_no_zombie(yard: Yard) -> None:
    """Its /proc state is Z, and it holds its port all the same (pthread_exit in main)."""
    app = yard.app("""
import ctypes, threading
def go_on():
    while open(f"/proc/{os.getpid()}/stat").read().split(") ")[1][0] != "Z":
        time.sleep(0.001)
    say("alone", os.getpid())
    while not os.path.exists(sys.argv[1] + ".end"):
        time.sleep(0.001)
    os._exit(0)
def worker():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=go_on).start()
    ctypes.CDLL(None).pthread_exit(None)
fork(worker)
while "alone" not in open(sys.argv[1]).read():
    time.sleep(0.001)
""")
    yard.until(lambda: app.child.code is not None, "the end of the first process")
    app.child.stop(signal.SIGTERM)
    turn(yard)
    assert not app.gone
    assert yard.lives(yard.pid_of("alone"))
    yard.directory.joinpath("log.end").touch()
    yard.until_gone(app)


def test_children_that_end_during_the_stop_do_no_harm(yard: Yard) -> None:
    """Between the look and the signal anything may end: here hundreds do."""
    for _ in range(5):
        app = yard.app("""
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
say("ready")
while True:
    fork(lambda: None, setsid=True)
""")
        yard.until(lambda: yard.words()[-1:] == ["ready"], "a busy app")
        app.child.stop(signal.SIGTERM)
        yard.until_gone(app)
        yard.log.unlink()


def test_a_signal_never_reaches_another_who_has_the_pid(yard: Yard) -> None:
    app = yard.app('hear(signal.SIGTERM, ends=True); say("ready"); forever()')
    yard.until_said("ready")
    process = tree.read(app.child.pid).process
    tree.send(process._replace(began=process.began - 1), signal.SIGKILL)
    tree.send(process, signal.SIGTERM)
    yard.until_gone(app)
    assert yard.words() == ["ready", " SIGTERM"]


# --- builds ---

DAEMON = """
def daemon():
    say("daemon", os.getpid())
    os.close(1), os.close(2)
    forever()
fork(daemon, setsid=True, twice={twice})
while "daemon" not in open(sys.argv[1]).read():
    time.sleep(0.001)
"""


@pytest.mark.parametrize("twice", [False, True], ids=["setsid", "double fork"])
def test_a_build_leaves_its_daemons_alone(yard: Yard, *, twice: bool) -> None:
    build = yard.build(DAEMON.format(twice=twice) + "sys.exit(0)")
    yard.until_gone(build)
    turn(yard)
    assert yard.lives(yard.pid_of("daemon"))


def test_a_build_is_over_with_its_command_whatever_it_left_in_its_group(yard: Yard) -> None:
    build = yard.build("""
def left():
    os.close(1), os.close(2)
    say("left", os.getpid())
    forever()
fork(left)
while "left" not in open(sys.argv[1]).read():
    time.sleep(0.001)
""")
    yard.until_gone(build)
    turn(yard)
    assert yard.lives(yard.pid_of("left"))


@pytest.mark.parametrize("twice", [False, True], ids=["setsid", "double fork"])
def test_a_killed_build_leaves_its_daemons_alone(yard: Yard, *, twice: bool) -> None:
    build = yard.build(DAEMON.format(twice=twice) + 'say("ready"); forever()')
    yard.until_said("ready")
    build.child.kill()
    yard.until_gone(build)
    turn(yard)
    assert yard.lives(yard.pid_of("daemon"))


def test_a_killed_build_goes_with_its_whole_group(yard: Yard) -> None:
    build = yard.build("""
def compile():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("compile")
    forever()
def orphan():
    parent = os.getpid()
    def wait_and_compile():
        while os.getppid() == parent:
            time.sleep(0.001)
        compile()
    fork(wait_and_compile)
for _ in range(20):
    fork(compile)
    fork(orphan)
forever()
""")
    yard.until(lambda: len(yard.words()) == 40, "40 compilers")
    group = build.child.pid
    assert len(build.child.kill()) == 41
    yard.until_gone(build)
    assert tree.members(group) == []
    assert yard.strays() == set()


def test_a_killed_build_goes_with_what_has_a_group_of_its_own(yard: Yard) -> None:
    """As below ``timeout``, which makes itself a group: it would compile on beside the next."""
    build = yard.build("""
def timeout():
    os.setpgid(0, 0)
    fork(compile)
    forever()
def compile():
    say("compile")
    forever()
fork(timeout)
forever()
""")
    yard.until_said("compile")
    build.child.kill()
    yard.until_gone(build)
    assert yard.strays() == set()


@pytest.mark.parametrize("twice", [False, True], ids=["setsid", "double fork"])
def test_the_end_of_a_killed_build_is_seen_below_a_daemon_that_lives_on(
    yard: Yard, *, twice: bool
) -> None:
    """The daemon is told of its child's end, and we are not: nobody else wakes us."""
    build = yard.build(f"""
def daemon():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    def member():
        os.setpgid(0, group)
        hear(signal.SIGTERM)
        say("member")
        forever()
    fork(member)
    while "member" not in open(sys.argv[1]).read():
        time.sleep(0.001)
    os.setsid()
    say("daemon", os.getpid())
    forever()
group = os.getpgid(0)
fork(daemon, twice={twice})
while "daemon" not in open(sys.argv[1]).read():
    time.sleep(0.001)
say("ready")
forever()
""")
    yard.until_said("ready")
    group, daemon = build.child.pid, yard.pid_of("daemon")
    build.child.kill()
    yard.until_gone(build)
    assert tree.members(group) == []
    assert yard.lives(daemon)


def test_a_member_of_the_group_is_waited_for_whoever_its_parent_is(yard: Yard) -> None:
    """Its parent is a daemon that we let go, so that no walk of ours comes to it."""
    build = yard.build(
        """
def daemon():
    def member():
        hear(signal.SIGTERM, signal.SIGUSR1, who="member")
        say("member", os.getpid())
        listen(2)
    pid = fork(member)
    os.setsid()
    say("daemon", os.getpid())
    os.waitpid(pid, 0)
    forever()
fork(daemon, twice=True)
hear(signal.SIGTERM, who="first", ends=True)
say("ready")
forever()
""",
        streams=0,
    )
    yard.until_said("ready")
    member, daemon = yard.pid_of("member"), yard.pid_of("daemon")
    build.child.stop(signal.SIGTERM)
    yard.until_said("first SIGTERM", "member SIGTERM")
    yard.until(lambda: build.child.code is not None, "the end of the first process")
    turn(yard)
    assert not build.gone
    os.kill(member, signal.SIGUSR1)
    yard.until_gone(build)
    assert yard.lives(daemon)


def test_a_build_that_is_killed_after_its_first_process_goes_with_its_group(yard: Yard) -> None:
    """It would be over in a moment: the kill came while its output was awaited."""
    build = yard.build("""
def rest():
    fork(forever, setsid=True)  # it holds the pipe, and is let go
    say("rest", os.getpid())
    forever()
fork(rest)
while "rest" not in open(sys.argv[1]).read():
    time.sleep(0.001)
""")
    look_until_the_first_ended(build)
    assert not build.gone
    build.child.kill()
    yard.until_gone(build)
    assert not yard.lives(yard.pid_of("rest"))


def test_a_killed_build_may_be_stopped_already(yard: Yard) -> None:
    build = yard.build('say("ready"); forever()')
    yard.until_said("ready")
    os.kill(build.child.pid, signal.SIGSTOP)
    build.child.kill()
    yard.until_gone(build)
    assert build.child.code == -signal.SIGKILL


# --- several at once ---


def test_who_leaves_the_group_at_the_moment_of_the_stop_hears_it_too(yard: Yard) -> None:
    code = """
def child():
    hear(signal.SIGTERM, who="child", ends=True)
    forever()
for _ in range(12):
    fork(child, setsid=True)
say("ready")
forever()
"""
    for number in range(6):
        app = yard.app(code)
        yard.until(lambda number=number: yard.words().count("ready") > number, "the app")
        app.child.stop(signal.SIGTERM)  # the children are just being forked
        yard.until_gone(app)


def test_one_tree_ends_and_its_neighbour_does_not_notice(yard: Yard) -> None:
    code = """
def child():
    hear(signal.SIGTERM, who="child", ends=True)
    forever()
fork(child, setsid=True)
hear(signal.SIGTERM, who="first", ends=True)
say("ready")
forever()
"""
    build = yard.build(code)
    app = yard.app(code)
    yard.until(lambda: yard.words().count("ready") == 2, "both")
    app.child.stop(signal.SIGTERM)
    yard.until_gone(app)
    assert not build.gone
    assert yard.words().count("first SIGTERM") == 1


def test_a_walk_of_stops_and_kills_leaves_nothing(yard: Yard) -> None:
    rng = random.Random(SEED)
    code = """
import random
random.seed({seed})
def grow(depth):
    if depth and random.random() < 0.8:
        fork(lambda: grow(depth - 1), random.random() < 0.4, random.random() < 0.3)
    signal.signal(signal.SIGTERM, random.choice([signal.SIG_IGN, signal.SIG_DFL]))
    say("up")
    if random.random() < 0.3:
        os._exit(0)
    forever()
grow(4)
"""
    for _ in range(15):
        app = yard.app(code.format(seed=rng.randrange(10**6)), streams=rng.randrange(3))
        yard.until_said("up")
        turn(yard, rng.randrange(8))
        for act in rng.choice(["s", "k", "sk", "sks", "ss", ""]):
            app.child.stop(signal.SIGTERM) if act == "s" else app.child.kill()
            turn(yard, rng.randrange(5))
        app.child.kill()
        yard.until_gone(app)
        assert yard.strays() == set()
        yard.log.unlink()


def look_until_the_first_ended(running: Running) -> None:
    """Without the loop, whose timers would not wait for us."""
    end = time.monotonic() + DEADLINE
    while running.child.code is None:
        assert time.monotonic() < end, f"waited {DEADLINE} s for the end of the first process"
        running.child.look()


def turn(yard: Yard, times: int = 10) -> None:
    """Let the loop take some turns: enough to do wrong what is not to be done."""
    left = iter(range(times))
    yard.until(lambda: next(left, None) is None, "some turns of the loop")
