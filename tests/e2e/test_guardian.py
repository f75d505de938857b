"""Nothing survives hotrun, not even its own SIGKILL."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from typing import TYPE_CHECKING, Any

import pytest
from live import environment, free_port, listens, until

from hotrun.process import scratch, sweep, tree
from hotrun.process.guardian import Guardian
from hotrun.process.scratch import VARIABLE
from hotrun.process.sweep import Owned, expected_since, living_groups, owned_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
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


# An app with every kind of child: in its group, in a session of its own, of a parent that is
# gone, both; each of them polite and deaf, each with the environment and without any.
FAMILY = """
import itertools, os, signal, socket, sys
notes = sys.argv[2]
def child(own_session, orphan, deaf, bare):
    pid = os.fork()
    if pid:
        return orphan and os.waitpid(pid, 0)
    if own_session:
        os.setsid()
    if orphan and os.fork():
        os._exit(0)
    ears = "trap '' TERM INT HUP; " if deaf else ""
    line = f"{ears}echo $$ {own_session} {orphan} {deaf} {bare} >> {notes}; exec sleep 600"
    os.execve("/bin/sh", ["sh", "-c", line], {} if bare else os.environ)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
for kind in itertools.product((0, 1), repeat=4):
    child(*kind)
while True:
    signal.pause()
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
    # Whose group the guardian has not been told yet goes with all that was started since.
    session.wait_for("build_started")
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
    guardian = session.guardian()
    assert session.stop() == 130
    assert not alive(guardian)


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
    ("records", "paths"),
    [
        (b"+10\n", []),
        (b"=1 2 /var/a b\n+10\n", ["/var/a b"]),
        (b"=1 2 /var/a\n=1 3 /var/b\n", ["/var/a", "/var/b"]),
        (b"=1 2 /var/a\n=1 3 /var/b\n!/var/a\n", ["/var/b"]),
        (b"=1 2 /var/a\n!/var/a\n=1 2 /var/a\n", ["/var/a"]),
        (b"=1 2 /var/hotrun-1\n=1 2 /tm", ["/var/hotrun-1"]),
        (b"=1 2 /tm", []),
    ],
)
def test_what_is_owned_is_what_was_made_and_not_removed(records: bytes, paths: list[str]) -> None:
    assert [each.path for each in owned_by(records)] == paths
    assert {each.identity for each in owned_by(records)} <= {(1, 2), (1, 3)}
    assert living_groups(records) == ([10] if b"+10" in records else [])


@pytest.mark.parametrize(
    ("records", "since"),
    [(b"", 0), (b"?7\n", 7), (b"?7\n+10\n", 0), (b"?7\n+10\n?9\n-10\n", 9), (b"?7\n?1", 7)],
)
def test_a_group_is_expected_until_its_number_comes(records: bytes, since: int) -> None:
    assert expected_since(records) == since


@contextlib.contextmanager
def sleeper(
    env: Mapping[str, str] | None = None,
    *,
    start_new_session: bool = False,
    process_group: int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process to be ended, or not; also a test that fails ends it."""
    with subprocess.Popen(
        ["sleep", "600"],
        env=env,
        start_new_session=start_new_session,
        process_group=process_group,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_build_whose_number_was_never_told_is_found(tmp_path: Path) -> None:
    """We are killed between the start of a build and the word of it."""
    directory = tmp_path / "scratch"
    directory.mkdir()
    env = {**os.environ, VARIABLE: str(directory)}
    guardian = Guardian("NOBODY=carries this")
    guardian.own(str(directory))
    with sleeper(start_new_session=True, env=env) as older:
        until(lambda: tree.now() > tree.read(older.pid).process.began + 1, "the clock to go on")
        guardian.expect()
        with sleeper(start_new_session=True, env=env) as build:
            guardian._see_it_gone()
            assert build.wait(60) == -signal.SIGTERM
        assert older.poll() is None


def test_a_directory_whose_name_ends_like_the_farewell_is_none(tmp_path: Path) -> None:
    directory = tmp_path / "hotrun-bye"
    directory.mkdir()
    guardian = Guardian("NOBODY=carries this")
    guardian.own(str(directory))
    guardian._see_it_gone()
    assert not directory.exists()


def test_a_dismissed_guardian_removes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    guardian = Guardian("NOBODY=carries this")
    guardian.own(str(path))
    guardian.dismiss()
    assert path.exists()


def test_what_was_put_in_the_place_of_what_we_made_is_left_alone(tmp_path: Path) -> None:
    guardian = Guardian("NOBODY=carries this")
    for name in ("ours", "file", "directory", "given back"):
        path = tmp_path / name
        path.mkdir() if name == "directory" else path.touch()
        guardian.own(str(path))
    guardian.own(str(tmp_path / "never was"))
    guardian.disown(str(tmp_path / "given back"))
    for name in ("file", "directory"):
        (tmp_path / name).rename(tmp_path / f"{name} of old")  # keeps its inode from being reused
        (tmp_path / name).mkdir()
    guardian._see_it_gone()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"file", "file of old", "directory", "directory of old", "given back"}


def test_a_file_stays_while_something_is_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    owned = Owned(str(path), scratch.identity(str(path)))
    sweep._remove(owned, files=False)
    assert path.exists()
    sweep._remove(owned, files=True)
    assert not path.exists()


def test_nothing_but_our_end_wakes_the_guardian_and_it_is_small(
    project: Project, start: Start
) -> None:
    project.config("[run]\ncommand = 'sleep 600'\n")
    session = start()
    session.wait_for("app_started")
    guardian = session.guardian()
    before = status(guardian, "status", "voluntary_ctxt_switches")
    for turn in range(3):
        project.write("source", str(turn))
        session.wait_for("app_started")
    assert status(guardian, "status", "voluntary_ctxt_switches") == before
    kinds = ("Private_Clean", "Private_Dirty")
    assert sum(status(guardian, "smaps_rollup", kind) for kind in kinds) <= 2048  # kB


def status(pid: int, file: str, key: str) -> int:
    with open(f"/proc/{pid}/{file}", encoding="ascii") as lines:
        found = re.search(rf"^{key}:\s+(\d+)", lines.read(), re.MULTILINE)
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize("end", ["restart", "SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"])
def test_no_child_of_the_app_survives(project: Project, start: Start, end: str) -> None:
    port, notes = free_port(), project.out / "pids"
    script = project.write("app.py", FAMILY)
    project.write(
        "hotrun.toml",
        f"[run]\ncommand = 'python3 {script} {port} {notes}'\nstop_timeout = '300ms'\n",
    )
    session = start()
    session.wait_for("app_started")
    until(lambda: notes.exists() and len(notes.read_text().splitlines()) == 16, "the family")
    family = {line.split(maxsplit=1)[1]: process(line) for line in notes.read_text().splitlines()}
    try:
        if end == "restart":
            script.write_text("raise SystemExit\n")
            session.wait_for("app_started")
        else:
            session.send(signal.Signals[end])
            session.ends()
        gone(family, f"the end of the family after {end}")
        assert not listens(port)
        if end != "restart":
            until(lambda: not session.leftovers(), "the end of the guardian, too")
    finally:
        for each in family.values():
            tree.send(each, signal.SIGKILL)


def process(line: str) -> tree.Process:
    stat = tree.read(int(line.split(maxsplit=1)[0]))
    assert stat is not None, f"{line}: ended early"
    return stat.process


def gone(family: dict[str, tree.Process], what: str) -> None:
    def living() -> list[str]:
        return [kind for kind, each in family.items() if tree.alive(each)]

    with contextlib.suppress(AssertionError):
        until(lambda: not living(), what)
    assert not living(), f"{what} (own session, orphan, deaf, bare)"


# A hotrun with one child in a group of its own; it prints the pids of its guardian and the child.
HOTRUN = """
import subprocess, sys
{before}
from hotrun.process.guardian import Guardian
guardian = Guardian("NOBODY=carries this")
with subprocess.Popen(["sleep", "600"], process_group=0) as child:
    guardian.begin(child.pid)
    print(guardian.pid, flush=True)
    print(child.pid, flush=True)
"""


@contextlib.contextmanager
def hotrun(
    before: str = "",
) -> Iterator[tuple[subprocess.Popen[bytes], tree.Process, tree.Process]]:
    """A hotrun that is killed with its group at the end; its guardian and its child."""
    words = [sys.executable, "-c", HOTRUN.replace("{before}", before)]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, env=environment(), start_new_session=True
    ) as popen:
        assert popen.stdout is not None
        family = [process(popen.stdout.readline().decode()) for _ in range(2)]

        def is_apart() -> bool:
            """Right after its fork the guardian is in the group, which is killed below."""
            stat = tree.read(family[0].pid)
            return stat is not None and stat.session == stat.pid

        try:
            until(is_apart, "the guardian's own session")
            yield popen, family[0], family[1]
        finally:
            os.killpg(popen.pid, signal.SIGKILL)
    try:
        until(lambda: not any(map(tree.alive, family)), "the guardian to end the child, and itself")
    finally:
        tree.send(family[1], signal.SIGKILL)


def test_without_a_program_to_become_the_copy_of_ourselves_keeps_watch() -> None:
    """An interpreter that is embedded does not know its own program."""
    with hotrun('sys.executable = ""') as (_, guardian, child):
        assert tree.alive(guardian)
        assert tree.alive(child)


def test_what_is_meant_for_the_whole_group_does_not_reach_the_guardian() -> None:
    with hotrun() as (popen, guardian, child):
        stat = tree.read(guardian.pid)
        assert stat is not None
        assert stat.session == stat.group == guardian.pid != popen.pid
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            tree.send(guardian, number)
        assert tree.alive(child)


# --- the terminal ---


@pytest.fixture
def terminal() -> Iterator[int]:
    ours, theirs = pty.openpty()
    yield theirs
    os.close(ours)
    os.close(theirs)


def keys_of(settings: list[Any]) -> list[Any]:
    """The settings in which keys are read one by one (termios(3): ICANON, ECHO)."""
    flags = settings[3] & ~(termios.ICANON | termios.ECHO)
    characters = settings[6].copy()
    characters[termios.VMIN] = b"\x01"
    characters[termios.VTIME] = 0
    return [*settings[:3], flags, *settings[4:6], characters]


def test_a_terminal_in_the_mode_of_our_keys_gets_its_settings_back(terminal: int) -> None:
    saved = termios.tcgetattr(terminal)
    keys = keys_of(saved)
    guardian = Guardian("NOBODY=carries this", (os.ttyname(terminal), saved, keys))
    termios.tcsetattr(terminal, termios.TCSANOW, keys)
    guardian._see_it_gone()
    assert termios.tcgetattr(terminal) == saved


def test_a_terminal_that_another_program_has_set_is_left_alone(terminal: int) -> None:
    saved = termios.tcgetattr(terminal)
    keys = keys_of(saved)
    guardian = Guardian("NOBODY=carries this", (os.ttyname(terminal), saved, keys))
    termios.tcsetattr(terminal, termios.TCSANOW, [*keys[:3], keys[3] | termios.ECHO, *keys[4:]])
    theirs = termios.tcgetattr(terminal)
    guardian._see_it_gone()
    assert termios.tcgetattr(terminal) == theirs != saved


def test_a_terminal_that_was_closed_is_no_reason_to_leave_a_child() -> None:
    ours, theirs = pty.openpty()
    saved = termios.tcgetattr(theirs)
    guardian = Guardian("NOBODY=carries this", (os.ttyname(theirs), saved, saved))
    os.close(ours)
    os.close(theirs)
    with sleeper(process_group=0) as child:
        guardian.begin(child.pid)
        guardian._see_it_gone()
        assert child.wait(60) == -signal.SIGTERM
