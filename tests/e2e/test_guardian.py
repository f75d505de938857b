"""Nothing survives hotrun, not even its own SIGKILL."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from live import free_port, listens, until

from hotrun.process import tree
from hotrun.process.guardian import Guardian, expected_since, last_directory, living_groups
from hotrun.process.scratch import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from live import Live, Project

    Start = Callable[..., Live]

# It holds a port, is deaf to every polite signal, and has a child in a session of its own.
STUBBORN = """
import os, signal, socket, subprocess, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
open(sys.argv[2], "w").write(f"{os.getpid()} {child.pid}")
while True:
    time.sleep(60)
"""


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return False


def test_a_killed_hotrun_takes_the_app_and_what_left_its_group_along(
    project: Project, start: Start
) -> None:
    port, notes = free_port(), project.out / "pids"
    script = project.write("app.py", STUBBORN)
    command = f"python3 {script} {port} {notes}"
    project.write("hotrun.toml", f"[run]\ncommand = '{command}'\nenv = {{ PORT = '{port}' }}\n")
    session = start()
    session.wait_for("app_started")
    until(lambda: notes.exists() and " " in notes.read_text(), "the app to listen")
    assert listens(port)
    session.send(signal.SIGKILL)
    session.ends()
    until(lambda: not session.leftovers(), "the guardian to end what hotrun had started")
    assert not listens(port)


def test_a_killed_hotrun_takes_its_build_along(project: Project, start: Start) -> None:
    notes = project.out / "pid"
    project.config(command=["sh", "-c", f"echo $$ > {notes}; sleep 600"])
    session = start()
    until(lambda: notes.exists() and notes.read_text(), "the build to begin")
    session.send(signal.SIGKILL)
    session.ends()
    until(lambda: not session.leftovers(), "the guardian to end the build")


@pytest.mark.parametrize("ears", ["", "trap '' TERM; "], ids=["polite", "deaf"])
def test_a_killed_hotrun_takes_what_left_the_group_of_its_build_along(
    project: Project, start: Start, ears: str
) -> None:
    notes = project.out / "pid"
    inner = f"{ears}echo $$ > {notes}; exec sleep 600"
    project.config(command=f'timeout 600 sh -c "{inner.replace("$", chr(92) + "$")}"; true')
    session = start()
    until(lambda: notes.exists() and notes.read_text(), "the build to begin")
    assert comm(os.getpgid(int(notes.read_text()))) == b"timeout\n"
    session.send(signal.SIGKILL)
    session.ends()
    until(lambda: not session.leftovers(), "the guardian to end the build")


def test_a_daemon_that_a_build_left_on_purpose_survives_a_killed_hotrun(
    project: Project, start: Start
) -> None:
    notes, ready = project.out / "pid", project.out / "ready"
    daemon = f"(setsid sh -c 'echo $$ > {notes}; exec sleep 600' &)"
    project.config(command=f"{daemon}; echo > {ready}; sleep 600")
    session = start()
    until(lambda: ready.exists() and notes.exists() and notes.read_text(), "the build to begin")
    session.send(signal.SIGKILL)
    session.ends()
    pid = int(notes.read_text())
    until(lambda: session.leftovers() == [pid], "the guardian to end the build, and itself")
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid), "the end of the daemon")


def test_a_killed_hotrun_takes_the_scratch_of_its_build_along(
    project: Project, start: Start
) -> None:
    notes = project.out / "made"
    project.config(command=f"mkdir $GOTMPDIR/go-build1; echo made > {notes}; sleep 600")
    temporary = project.out / "tmp"
    temporary.mkdir()
    session = start(TMPDIR=str(temporary))
    until(lambda: notes.exists() and notes.read_text(), "the build to begin")
    assert len(list(temporary.glob("hotrun-*/go-build1"))) == 1
    session.send(signal.SIGKILL)
    session.ends()
    until(lambda: not session.leftovers(), "the guardian to end the build")
    assert list(temporary.iterdir()) == []


def test_the_guardian_goes_with_hotrun(project: Project, start: Start) -> None:
    project.write("hotrun.toml", "[run]\ncommand = 'sleep 600'\n")
    session = start()
    session.wait_for("app_started")
    with open(f"/proc/{session.pid}/task/{session.pid}/children", encoding="ascii") as file:
        children = [int(pid) for pid in file.read().split()]
    guardians = [pid for pid in children if b"guardian" in comm(pid)]
    assert len(guardians) == 1
    assert session.stop() == 130
    assert not alive(guardians[0])


def comm(pid: int) -> bytes:
    with open(f"/proc/{pid}/comm", "rb") as file:
        return file.read()


@pytest.mark.parametrize(
    ("records", "groups"),
    [
        (b"", []),
        (b"+10\n+11\n-10\n", [11]),
        (b"+10\n-10\n+10\n", [10]),
        (b"+10\n+1", [10]),
        (b"-10\n+12\n", [12]),
    ],
)
def test_the_groups_that_live_are_those_that_began_and_did_not_end(
    records: bytes, groups: list[int]
) -> None:
    assert living_groups(records) == groups


@pytest.mark.parametrize(
    ("records", "directory"),
    [
        (b"+10\n", ""),
        (b"=/var/a b\n+10\n", "/var/a b"),
        (b"=/var/a\n=/var/b\n", "/var/b"),
        (b"=/var/a\n=\n", ""),
        (b"=/var/hotrun-1\n=/tm", "/var/hotrun-1"),
        (b"=/tm", ""),
    ],
)
def test_the_directory_is_that_of_the_last_whole_record(records: bytes, directory: str) -> None:
    assert last_directory(records) == directory
    assert living_groups(records) == ([10] if b"+10" in records else [])


@pytest.mark.parametrize(
    ("records", "since"),
    [(b"", 0), (b"?7\n", 7), (b"?7\n+10\n", 0), (b"?7\n+10\n?9\n-10\n", 9), (b"?7\n?1", 7)],
)
def test_a_group_is_expected_until_its_number_comes(records: bytes, since: int) -> None:
    assert expected_since(records) == since


def test_a_build_whose_number_was_never_told_is_found(tmp_path: Path) -> None:
    """We are killed between the start of a build and the word of it."""
    directory = tmp_path / "scratch"
    directory.mkdir()
    env = {**os.environ, VARIABLE: str(directory)}
    guardian = Guardian("NOBODY=carries this")
    guardian.own(str(directory))
    with subprocess.Popen(["sleep", "600"], start_new_session=True, env=env) as older:
        until(lambda: tree.now() > tree.read(older.pid).process.began + 1, "the clock to go on")
        guardian.expect()
        with subprocess.Popen(["sleep", "600"], start_new_session=True, env=env) as build:
            guardian._see_it_gone()
            assert build.wait(60) == -signal.SIGTERM
        assert older.poll() is None
        older.kill()


def test_a_directory_whose_name_ends_like_the_farewell_is_none(tmp_path: Path) -> None:
    directory = tmp_path / "hotrun-bye"
    directory.mkdir()
    guardian = Guardian("NOBODY=carries this")
    guardian.own(str(directory))
    guardian._see_it_gone()
    assert not directory.exists()
