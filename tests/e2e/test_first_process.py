"""hotrun as the first process of a container: it reaps all, and hears what only it can hear.

The kernel gives it whoever loses its parent, and drops each signal that it has no handler for.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from app_log import write_app
from live import DEADLINE, Live, until

from hotrun.process import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from live import Project

    First = Callable[..., tuple[Live, int]]

# A namespace of pids with a /proc of its own; who is not root is root in there.
NAMESPACE = ("unshare", "--fork", "--pid", "--mount-proc")
AS_ROOT = (*NAMESPACE, "--user", "--map-root-user")

ORPHANS = 100
# Every other one is in a session of its own. They end together, when the gate opens.
LEAVES_ORPHANS = """
end, held = os.pipe()
def wait():
    os.close(held)
    os.read(end, 1)
for number in range(int(sys.argv[2])):
    fork(wait, setsid=number % 2 == 0, twice=True)
hear(signal.SIGUSR1, who="app")
hear(signal.SIGTERM, who="app", ends=True)
say("ready")
listen(1)
os.close(held)
forever()
"""

GRACEFUL = """
hear(signal.SIGTERM, who="app")
say("ready")
listen(1)
time.sleep(0.2)
say("clean")
"""


@pytest.fixture
def namespace() -> tuple[str, ...]:
    """A prefix that makes a command the first process of a namespace."""
    if not shutil.which("unshare"):
        pytest.skip("there is no unshare here")
    refused = []
    for words in (NAMESPACE, AS_ROOT):
        done = subprocess.run([*words, "true"], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return words
        refused.append(done.stderr.strip())
    pytest.skip(f"no namespace of pids may be made here: {refused}")


@pytest.fixture
def first(project: Project, namespace: tuple[str, ...]) -> Iterator[First]:
    """Start hotrun as the first process, and return what it says and its pid out here."""
    with contextlib.ExitStack() as stack:

        def first(*words: str, prefix: tuple[str, ...] = ()) -> tuple[Live, int]:
            session = Live(project.path, *words, prefix=(*namespace, *prefix))
            stack.enter_context(session)
            until(lambda: tree.children(session.pid), "the first process")
            (pid,) = tree.children(session.pid)
            process = tree.Process(pid, began(pid))
            # Its end is that of all in there; unshare itself hears no Ctrl-C.
            stack.callback(tree.send, process, signal.SIGKILL)
            return session, pid

        yield first


def began(pid: int) -> float:
    stat = tree.read(pid)
    assert stat is not None
    return stat.process.began


def children(pid: int) -> list[tree.Stat]:
    """The children of a process, zombies among them."""
    return [stat for each in tree.children(pid) if (stat := tree.read(each)) is not None]


def zombies(pid: int) -> list[int]:
    return [stat.pid for stat in children(pid) if not stat.alive]


def catches(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal (proc(5), SigCgt)."""
    with open(f"/proc/{pid}/status", encoding="ascii") as lines:
        (mask,) = (line.split()[1] for line in lines if line.startswith("SigCgt:"))
    return bool(int(mask, 16) >> (number - 1) & 1)


def test_a_hundred_orphans_are_reaped(project: Project, first: First) -> None:
    log = write_app(project, LEAVES_ORPHANS, ORPHANS)
    session, pid = first()
    assert session.wait_for("session_started")["pid"] == 1
    log.until_said("ready")
    until(lambda: len(children(pid)) == ORPHANS + 2, "the orphans, the app and the guardian")
    assert not zombies(pid)
    os.kill(pid, signal.SIGUSR1)
    log.until_said("app SIGUSR1")
    until(lambda: len(children(pid)) == 2, "the end of all orphans, and of their zombies")
    os.kill(pid, signal.SIGTERM)
    assert session.ends() == 143
    assert not session.all("problem")


def test_what_others_leave_in_the_container_is_reaped_and_not_stopped(
    project: Project, first: First, namespace: tuple[str, ...]
) -> None:
    """`docker exec` brings in processes that are no descendants of ours, until they are orphans."""
    log = write_app(project, 'say("app", os.getpid())\nforever()\n')
    session, pid = first()
    log.pid_of("app")
    gate = project.out / "gate"
    line = f"until test -e {gate}; do sleep 0.02; done"
    enter = ["nsenter", f"--target={pid}", "--pid", "--mount", *namespace[4:5]]
    before = {stat.pid for stat in children(pid)}
    subprocess.run([*enter, "setsid", "sh", "-c", f"({line}) & exit"], check=True, timeout=DEADLINE)
    until(lambda: len(children(pid)) == 3, "an orphan of somebody else")
    (stranger,) = {stat.pid for stat in children(pid)} - before
    project.write("main.txt", "changed")
    session.wait_for("app_started", run=2)
    log.pid_of("app", 2)
    assert stranger in {stat.pid for stat in children(pid) if stat.alive}
    gate.touch()
    until(lambda: len(children(pid)) == 2, "the end of the orphan, and of its zombie")
    os.kill(pid, signal.SIGTERM)
    assert session.ends() == 143


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_and_the_app_in_good_order(
    project: Project, first: First, number: signal.Signals
) -> None:
    log = write_app(project, GRACEFUL)
    session, pid = first()
    log.until_said("ready")
    os.kill(pid, number)
    assert session.ends() == 128 + number
    assert log.lines() == ["ready", "app SIGTERM", "clean"]
    assert session.all("app_exited")[-1]["expected"]
    assert session.events[-1]["event"] == "session_ended"
    assert not session.all("app_killed")
    assert not session.leftovers()


def test_a_signal_during_the_start_ends_it(project: Project, first: First) -> None:
    """Before our first line it is Python that starts, and the kernel drops the signal."""
    write_app(project, "forever()\n")
    session, pid = first()
    until(lambda: catches(pid, signal.SIGTERM), "a handler")
    os.kill(pid, signal.SIGTERM)
    assert session.ends() == 143
    assert not session.leftovers()


def test_a_signal_while_the_config_is_read_ends_it(project: Project, first: First) -> None:
    """Who writes it takes a long time: the kernel would drop the signal, and kill us later."""
    pipe = project.out / "pipe"
    os.mkfifo(pipe)
    from_pipe = ("sh", "-c", 'exec "$@" <"$0"', str(pipe))
    session, pid = first("-c", "/dev/stdin", prefix=from_pipe)
    with open(pipe, "wb"):
        until(lambda: catches(pid, signal.SIGTERM), "a handler")  # it is no longer the shell
        until(lambda: len(opened(pid, pipe)) == 2, "the config to be opened beside stdin")
        os.kill(pid, signal.SIGTERM)
        assert session.ends() == 143
    assert session.err == ["hotrun ended: terminated"]


def opened(pid: int, path: Path) -> list[str]:
    """The descriptors that a process has of a file."""
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed since
            if os.path.samefile(f"/proc/{pid}/fd/{name}", path):
                found.append(name)
    return found


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2])
def test_what_is_meant_for_the_app_is_passed_on(
    project: Project, first: First, number: signal.Signals
) -> None:
    code = 'hear(signal.SIGUSR1, signal.SIGUSR2, who="app")\nsay("ready")\nforever()\n'
    log = write_app(project, code)
    session, pid = first()
    log.until_said("ready")
    os.kill(pid, number)
    log.until_said(f"app {number.name}")
    os.kill(pid, signal.SIGTERM)
    assert session.ends() == 143
    assert log.lines() == ["ready", f"app {number.name}"]


def test_the_code_of_the_app_is_that_of_the_container(project: Project, first: First) -> None:
    write_app(project, "sys.exit(7)\n", more='on_exit = "exit"')
    session, _ = first()
    assert session.ends() == 7
