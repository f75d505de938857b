"""The session file, and what is found by it: all that an earlier hotrun left, and nothing else."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self

import pytest
from live import environment, until

from hotrun.process import leftovers, mark, session_file, tree
from hotrun.process.leftovers import Leftover, Session, find, forget, settled, stop
from hotrun.process.scratch import Scratch
from hotrun.process.session_file import SessionFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Hotrun = Callable[..., "Earlier"]

# What stands for a hotrun: it makes a session file, starts one child of a kind, which says when
# it is ready, and then does nothing more.
HOTRUN = """
import os, signal, subprocess, sys, time
from hotrun.process import mark
from hotrun.process.guardian import Guardian
from hotrun.process.session_file import SessionFile
kind, guarded, code = sys.argv[1:]
cookie = f"HOTRUN_SESSION={os.getpid()}-{time.time_ns()}"
guardian = Guardian(cookie) if guarded else None
record = SessionFile(".", cookie, guardian.pid if guardian else 0)
if guardian:
    guardian.own(record.path)
name, _, value = cookie.partition("=")
env = {**os.environ, **({name: value} if kind == "app" else {})}
with mark.worn(cookie if kind == "app" else ""):
    child = subprocess.Popen([sys.executable, "-ISc", code], process_group=0, env=env)
record.begin(child.pid, kind, "the command")
if guardian:
    guardian.begin(child.pid)
open("recorded", "x").close()
signal.pause()
"""
# What its children have in common.
FAMILY = """
import os, signal, sys, time
log = os.open("log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def say(who):
    os.write(log, f"{who} {os.getpid()}\\n".encode())
def child(who, *steps):
    if os.fork():
        return
    for step in steps:
        if step == "setsid":
            os.setsid()
        if step == "fork" and os.fork():
            os._exit(0)
        if step == "bare":
            code = f"import os, signal; os.write({log}, f'{who} {{os.getpid()}}\\\\n'.encode())"
            os.set_inheritable(log, True)
            words = [sys.executable, "-ISc", f"{code}; signal.pause()"]
            os.execve(sys.executable, words, {})
    say(who)
    while True:
        signal.pause()
"""


class Earlier:
    """A hotrun that is about to be killed, and the processes that it started."""

    def __init__(self, directory: Path, kind: str, code: str, *, guarded: bool) -> None:
        self.directory = str(directory)
        self._log, self._recorded = directory / "log", directory / "recorded"
        words = [sys.executable, "-c", HOTRUN, kind, "guarded" if guarded else "", FAMILY + code]
        self.popen = subprocess.Popen(
            words, cwd=directory, env=environment(), start_new_session=True
        )
        self._known: dict[str, tree.Process] = {}

    def pid(self, who: str) -> int:
        """Wait for the word of a process, and return its pid."""
        until(lambda: who in self._words(), f"the word of {who}")
        pid = self._words()[who]
        stat = tree.read(pid)
        if stat is not None:
            self._known.setdefault(who, stat.process)
        return pid

    def is_killed(self) -> None:
        """Kill it, but not between the start of its child and the record of that."""
        until(lambda: self._recorded.exists() or self.popen.poll() is not None, "the record")
        self.popen.kill()
        self.popen.wait()

    def lives(self, who: str) -> bool:
        return tree.alive(self._known[who])

    def _words(self) -> dict[str, int]:
        lines = self._log.read_text().split("\n")[:-1] if self._log.exists() else []
        return {line.split()[0]: int(line.split()[1]) for line in lines}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.is_killed()
        for who in self._words():
            with contextlib.suppress(AssertionError):
                self.pid(who)
        for each in self._known.values():
            tree.send(each, signal.SIGKILL)


@pytest.fixture
def hotrun(tmp_path: Path) -> Iterator[Hotrun]:
    with contextlib.ExitStack() as stack:

        def start(kind: str, code: str, *, guarded: bool = False) -> Earlier:
            return stack.enter_context(Earlier(tmp_path, kind, code, guarded=guarded))

        yield start


@contextlib.contextmanager
def sleeper(
    env: Mapping[str, str] | None = None, *, start_new_session: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of somebody else; also a test that fails ends it."""
    with subprocess.Popen(
        ["sleep", "600"],
        env=env,
        start_new_session=start_new_session,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def only(directory: str | Path) -> Session:
    (session,) = find(str(directory))
    return session


def pids(session: Session) -> set[int]:
    return {left.process.pid for left in session.leftovers}


# --- the file ---


def cookie() -> str:
    return f"HOTRUN_SESSION={os.getpid()}-{time.time_ns()}"


def test_the_file_is_short_again_when_nothing_lives(tmp_path: Path) -> None:
    record = SessionFile(str(tmp_path), cookie())
    path = tmp_path / ".hotrun" / f"session-{os.getpid()}"
    header = path.read_bytes()
    with sleeper() as one, sleeper() as two:
        record.begin(one.pid, "app", "sleep\n600 \x1b[31m")
        record.begin(two.pid, "build", "make")
        record.end(one.pid)
        lines = path.read_text().splitlines()
        assert [line.split()[0] for line in lines[1:]] == [
            f"+{one.pid}",
            f"+{two.pid}",
            f"-{one.pid}",
        ]
        record.end(two.pid)
        record.end(two.pid)
        assert path.read_bytes() == header
        record.begin(two.pid, "app", "again")
        assert path.read_bytes().startswith(header + b"+%d " % two.pid)
    record.close()


def test_git_never_sees_it_and_nothing_stays_of_it(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        env = {**environment(), "GIT_CONFIG_GLOBAL": os.devnull}
        return subprocess.check_output(["git", *words], cwd=tmp_path, env=env, text=True)

    git("init", "--quiet")
    record = SessionFile(str(tmp_path), cookie())
    assert os.path.exists(record.path)
    assert git("status", "--porcelain", "--untracked-files=all") == ""
    assert os.stat(record.path).st_mode & 0o777 == 0o600
    record.close()
    record.close()
    assert os.listdir(tmp_path) == [".git"]


def test_a_directory_that_was_there_or_is_used_stays(tmp_path: Path) -> None:
    place = tmp_path / ".hotrun"
    place.mkdir()
    SessionFile(str(tmp_path), cookie()).close()
    assert list(place.iterdir()) == []
    place.rmdir()
    record = SessionFile(str(tmp_path), cookie())
    (place / "dump").touch()
    record.close()
    assert sorted(os.listdir(place)) == [".gitignore", "dump"]


def test_what_was_put_in_its_place_is_left_alone(tmp_path: Path) -> None:
    record = SessionFile(str(tmp_path), cookie())
    os.rename(record.path, f"{record.path}-moved")  # keeps its inode from being used again
    with open(record.path, "w", encoding="ascii") as file:
        file.write("theirs")
    record.close()
    assert os.path.exists(record.path)


def test_a_pid_whose_file_is_there_already_gets_another_one(tmp_path: Path) -> None:
    first, second = (SessionFile(str(tmp_path), cookie()) for _ in range(2))
    assert first.path != second.path
    assert len(find(str(tmp_path))) == 2
    second.close()
    first.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("obstacle", ["a file", "a link", "no project"])
def test_a_project_that_cannot_hold_it_goes_without(tmp_path: Path, obstacle: str) -> None:
    elsewhere, project = tmp_path / "elsewhere", tmp_path / "project"
    elsewhere.mkdir()
    if obstacle != "no project":
        project.mkdir()
    if obstacle == "a file":
        (project / ".hotrun").touch()
    if obstacle == "a link":
        (project / ".hotrun").symlink_to(elsewhere)
    record = SessionFile(str(project), cookie())
    record.begin(os.getpid(), "app", "app")
    record.end(os.getpid())
    record.close()
    assert record.path == ""
    assert find(str(project)) == []
    assert list(elsewhere.iterdir()) == []


# --- who is found ---


def test_a_session_that_runs_has_no_leftovers(hotrun: Hotrun) -> None:
    earlier = hotrun("app", 'say("app"); signal.pause()')
    earlier.pid("app")
    session = only(earlier.directory)
    assert session.alive
    assert session.leftovers == ()
    assert session.hotrun.pid == earlier.popen.pid
    assert abs(session.since - time.time()) < 600
    forget(session)
    assert only(earlier.directory).alive


def test_what_an_app_started_is_found_whatever_it_shed(hotrun: Hotrun) -> None:
    ways = {
        "plain": (),
        "own": ("setsid",),
        "bare": ("setsid", "bare"),
        "orphan": ("setsid", "fork"),
        "lost": ("setsid", "fork", "bare"),
    }
    calls = "".join(f"child({name!r}, *{steps!r})\n" for name, steps in ways.items())
    earlier = hotrun("app", f'{calls}say("app")\nsignal.pause()')
    expected = {earlier.pid(who) for who in ("app", *ways)}
    earlier.is_killed()
    session = only(earlier.directory)
    assert not session.alive
    assert pids(session) == expected
    assert {left.kind for left in session.leftovers} == {"app"}
    assert all("-ISc" in left.command for left in session.leftovers)
    assert all(abs(left.since - time.time()) < 600 for left in session.leftovers)


def test_of_a_build_its_group_is_found_and_not_the_daemon_that_it_left(hotrun: Hotrun) -> None:
    earlier = hotrun(
        "build", 'child("compiler")\nchild("daemon", "setsid")\nsay("build")\nsignal.pause()'
    )
    expected = {earlier.pid("build"), earlier.pid("compiler")}
    earlier.pid("daemon")
    earlier.is_killed()
    session = only(earlier.directory)
    assert pids(session) == expected
    assert {left.kind for left in session.leftovers} == {"build"}
    assert stop(session.leftovers) == []
    assert earlier.lives("daemon")


def test_the_rest_of_a_group_is_found_without_its_first_process(hotrun: Hotrun) -> None:
    earlier = hotrun("build", 'child("compiler")\nsay("build")\nsignal.pause()')
    compiler = earlier.pid("compiler")
    first = earlier.pid("build")
    earlier.is_killed()
    os.kill(first, signal.SIGKILL)
    until(lambda: not lives(first), "the end of the first process")
    session = only(earlier.directory)
    assert pids(session) == {compiler}
    with open(session.path, encoding="ascii") as file:
        text = file.read()
    began = text.split(f"+{first} ")[1].split()[0]
    sid = f" {earlier.popen.pid} HOTRUN_SESSION="
    for old, new in ((sid, " 1 HOTRUN_SESSION="), (f" {began} ", f" {float(began) + 1e6!r} ")):
        with open(session.path, "w", encoding="ascii") as file:
            file.write(text.replace(old, new))
        assert pids(only(earlier.directory)) == set()  # its number was another group's, later


def test_a_pid_that_was_used_again_is_nobody_of_ours(hotrun: Hotrun) -> None:
    earlier = hotrun("build", 'say("build"); signal.pause()')
    first = earlier.pid("build")
    path = only(earlier.directory).path
    earlier.is_killed()
    with open(path, encoding="ascii") as file:
        text = file.read()
    began = text.split(f"+{first} ")[1].split()[0]
    for other in (f"{float(began) - 1!r}", f"{float(began) + 1!r}", "x", f"{'9' * 400}.0"):
        with open(path, "w", encoding="ascii") as file:
            file.write(text.replace(f"+{first} {began} ", f"+{first} {other} "))
        assert pids(only(earlier.directory)) == set()
    with open(path, "w", encoding="ascii") as file:
        file.write(f"{text}-{first}\n")
    assert pids(only(earlier.directory)) == set()
    assert earlier.lives("build")


def test_who_asks_is_no_leftover(tmp_path: Path, hotrun: Hotrun) -> None:
    """The app may be a terminal in which somebody works on."""
    code = f"""
import subprocess
say("app")
while not os.path.exists("killed"):
    time.sleep(0.005)
asked = "from hotrun.process import leftovers; print(leftovers.find('.')[0].leftovers)"
env = {{**os.environ, "PYTHONPATH": {os.path.dirname(os.path.dirname(leftovers.__file__))!r}}}
env["PYTHONPATH"] = os.path.dirname(env["PYTHONPATH"])
with open("answer.part", "w") as file:
    subprocess.run([{sys.executable!r}, "-c", asked], stdout=file, env=env)
os.rename("answer.part", "answer")
signal.pause()
"""
    earlier = hotrun("app", f'child("other")\n{code}')
    app, other = earlier.pid("app"), earlier.pid("other")
    earlier.is_killed()
    (tmp_path / "killed").touch()
    answer = tmp_path / "answer"
    until(answer.exists, "the answer")
    assert f"pid={other}" in answer.read_text()
    assert f"pid={app}" not in answer.read_text()
    assert answer.read_text().count("pid=") == 1


# --- the directories for builds ---


@pytest.fixture
def dead(tmp_path: Path) -> Dead:
    """A session whose hotrun is gone, with its guardian."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return Dead(tmp_path, process.pid)


class Dead:
    """Its file, and the directory that it made."""

    def __init__(self, directory: Path, pid: int) -> None:
        self.directory = directory
        self.pid = pid
        (directory / ".hotrun").mkdir()
        self.made = self.make()
        (self.made / "go-build1").mkdir()
        self.tell(self.record(self.made))

    def make(self, name: str = "") -> Path:
        path = self.directory / "tmp" / (name or f"hotrun-{self.pid}-1")
        path.mkdir(parents=True)
        return path

    def record(self, path: Path) -> str:
        stat = path.lstat()
        return f"={stat.st_dev} {stat.st_ino} {path}\n"

    def tell(self, records: str) -> None:
        head = f"{session_file.MAGIC} {session_file.here()} {self.pid} 1.0 0 0.0 0"
        path = self.directory / ".hotrun" / f"session-{self.pid}"
        path.write_text(f"{head} HOTRUN_SESSION={self.pid}-1\n{records}")

    def is_forgotten(self) -> None:
        forget(only(self.directory))
        assert find(str(self.directory)) == []


def test_what_a_session_made_for_its_builds_goes_with_its_file(dead: Dead) -> None:
    (dead.made / "link").symlink_to(dead.directory)
    dead.is_forgotten()
    assert sorted(os.listdir(dead.directory)) == [".hotrun", "tmp"]
    assert os.listdir(dead.directory / "tmp") == []


def test_the_directory_of_a_session_that_lives_stays(dead: Dead) -> None:
    with open(dead.directory / ".hotrun" / f"session-{dead.pid}", "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        forget(only(dead.directory))
    assert dead.made.exists()


@pytest.mark.parametrize("what", ["another one", "a link", "a file", "removed", "other names"])
def test_what_is_not_the_directory_that_was_made_stays(dead: Dead, what: str) -> None:
    if what == "removed":
        dead.tell(f"{dead.record(dead.made)}!{dead.made}\n")
    elif what == "other names":
        names = ("hotrun-1-1", f"hotrun-{dead.pid}", f"xhotrun-{dead.pid}-1", "work")
        dead.tell("".join(dead.record(dead.make(name)) for name in names))
    else:
        aside = dead.made.rename(dead.directory / "aside")  # keeps its inode from being used again
        if what == "another one":
            dead.make()
        elif what == "a link":
            dead.made.symlink_to(aside)
        else:
            dead.made.touch()
            dead.tell(dead.record(dead.made))
    before = sorted(dead.directory.glob("[!.]*/**"))
    dead.is_forgotten()
    assert sorted(dead.directory.glob("[!.]*/**")) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_the_directory_of_another_user_stays(dead: Dead) -> None:
    os.chown(dead.made, 1, 1)
    dead.is_forgotten()
    assert dead.made.exists()


def test_a_directory_is_written_down_until_it_is_removed(tmp_path: Path) -> None:
    record = SessionFile(str(tmp_path), cookie())
    scratch = Scratch(record)

    def records() -> list[str]:
        with open(record.path, encoding="utf-8") as file:
            return [line.partition(" ")[0] for line in file.read().split("\n")[1:-1]]

    made = scratch.lend({"TMPDIR": str(tmp_path)}, "/")["GOTMPDIR"]
    stat = os.lstat(made)
    with open(record.path, encoding="utf-8") as file:
        assert file.readlines()[1:] == [f"={stat.st_dev} {stat.st_ino} {made}\n"]
    before = records()
    with sleeper() as one:
        record.begin(one.pid, "build", "sleep")
        assert records() == [*before, f"+{one.pid}"]
        record.end(one.pid)
        assert records() == before  # what is cut off is written again
    scratch.remove()
    assert records()[-1].startswith("!")
    record.close()


# --- files that say nothing ---


def garbage() -> dict[str, str]:
    here, home = session_file.here(), f"HOME={os.environ.get('HOME', '')}"
    me = tree.read(os.getpid())
    assert me is not None
    head = f"{session_file.MAGIC} {here}"
    return {
        "session-1": "",
        "session-2": "no newline",
        "session-3": "\n\n",
        "session-4": f"{head} 1 1.0 0 0.0 0 {home}\n",  # everything of ours has that
        "session-5": f"{head} 1 1.0 0 0.0 0 HOTRUN_SESSION=2-1\n",
        "session-6": f"{head} {'9' * 5000} 1.0 0 0.0 0 HOTRUN_SESSION={'9' * 5000}-1\n",
        "session-7": f"hotrun-session-2 {here} 1 1.0 0 0.0 0 HOTRUN_SESSION=1-1\n",
        "session-8": "\udcff\udcfe\0\n" * 1000,
        "session-x": f"{head} 1 1.0 0 0.0 0 HOTRUN_SESSION=1-1\n",
        "xsession-1": f"{head} 1 1.0 0 0.0 0 HOTRUN_SESSION=1-1\n",
    }


def test_what_is_no_session_file_is_neither_read_nor_touched(tmp_path: Path) -> None:
    place = tmp_path / ".hotrun"
    place.mkdir()
    for name, text in garbage().items():
        (place / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    (place / "session-97").mkdir()
    os.mkfifo(place / "session-98")
    (place / "session-99").symlink_to("session-x")
    before = sorted(os.listdir(place))
    assert settled(str(tmp_path)) == []
    assert sorted(os.listdir(place)) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_file_of_another_user_is_not_believed(hotrun: Hotrun) -> None:
    earlier = hotrun("app", 'say("app"); signal.pause()')
    earlier.pid("app")
    path = only(earlier.directory).path
    earlier.is_killed()
    assert only(earlier.directory).leftovers
    os.chown(path, 1, 1)
    assert find(earlier.directory) == []


def test_a_session_before_the_last_boot_left_nothing_and_is_forgotten(tmp_path: Path) -> None:
    place = tmp_path / ".hotrun"
    place.mkdir()
    stat = tree.read(os.getpid())
    assert stat is not None
    path = place / "session-1"
    path.write_text(
        f"{session_file.MAGIC} 0-0-0:1 {os.getpid()} {stat.process.began!r} 0 0.0 0"
        f" HOTRUN_SESSION={os.getpid()}-1\n+{os.getpid()} {stat.process.began!r} app pytest\n"
    )
    session = only(tmp_path)
    assert (session.alive, session.leftovers) == (False, ())
    path.rename(f"{path}-moved")
    path.touch()
    forget(session)
    assert path.exists()  # it is another file
    os.rename(f"{path}-moved", path)
    forget(session)
    assert list(place.iterdir()) == []


def test_a_session_of_another_container_lives_while_it_holds_its_file(tmp_path: Path) -> None:
    place = tmp_path / ".hotrun"
    place.mkdir()
    path = place / "session-1"
    boot = session_file.here().partition(":")[0]
    path.write_text(f"{session_file.MAGIC} {boot}:1 1 1.0 0 0.0 0 HOTRUN_SESSION=1-1\n")
    with open(path, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        session = only(tmp_path)
        assert session.alive
        forget(session)
        assert path.exists()
    assert find(str(tmp_path)) == []  # it ended; what it left cannot be seen from here
    assert path.exists()


# --- the guardian ---


def test_a_guardian_at_work_is_waited_for(hotrun: Hotrun) -> None:
    earlier = hotrun("app", 'child("child", "setsid")\nsay("app")\nsignal.pause()', guarded=True)
    earlier.pid("app")
    earlier.pid("child")
    assert only(earlier.directory).guardian_alive
    earlier.is_killed()
    assert settled(earlier.directory, 60) == []
    assert not earlier.lives("app")
    assert not earlier.lives("child")
    assert os.listdir(f"{earlier.directory}/.hotrun") == [".gitignore"]


# --- the end of it ---

HEARS = """
def hear(number, frame):
    say(f"{signal.Signals(number).name}")
    if not deaf:
        sys.exit()
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCONT):
    signal.signal(number, hear)
say("app")
while True:
    signal.pause()
"""


@pytest.mark.parametrize("deaf", [False, True])
def test_each_is_asked_once_and_killed_when_it_does_not_go(hotrun: Hotrun, deaf: bool) -> None:
    earlier = hotrun("app", f"deaf = {deaf}\n{HEARS}")
    earlier.pid("app")
    earlier.is_killed()
    found = only(earlier.directory).leftovers
    assert stop(found, 0.3 if deaf else 60) == []
    assert not earlier.lives("app")
    with open(f"{earlier.directory}/log", encoding="ascii") as log:
        assert [line.split()[0] for line in log] == ["app", "SIGTERM"]
    forget(only(earlier.directory))
    assert find(earlier.directory) == []


def test_a_stopped_process_hears_it_too(hotrun: Hotrun) -> None:
    earlier = hotrun("app", f"deaf = False\n{HEARS}")
    pid = earlier.pid("app")
    earlier.is_killed()
    os.kill(pid, signal.SIGSTOP)
    until(lambda: (stat := tree.read(pid)) is not None and stat.stopped, "the stop")
    assert stop(only(earlier.directory).leftovers, 60) == []
    assert not earlier.lives("app")
    with open(f"{earlier.directory}/log", encoding="ascii") as log:
        assert "SIGTERM" in log.read()


def test_what_is_started_meanwhile_is_stopped_too(hotrun: Hotrun) -> None:
    """An app that, asked to end, starts something and waits for it."""
    earlier = hotrun(
        "app",
        """
def hear(number, frame):
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.execve("/bin/sh", ["sh", "-c", "exec sleep 600"], {})
    os.write(log, f"late {pid}\\n".encode())
    signal.signal(signal.SIGCHLD, lambda *_: os._exit(0))
    if os.waitpid(pid, os.WNOHANG)[0]:
        os._exit(0)
signal.signal(signal.SIGTERM, hear)
say("app")
while True:
    signal.pause()
""",
    )
    earlier.pid("app")
    earlier.is_killed()
    assert stop(only(earlier.directory).leftovers, 60) == []
    late = tree.read(earlier.pid("late"))
    assert late is None or not late.alive
    assert not earlier.lives("app")


def test_a_stranger_with_the_pid_of_a_leftover_is_left_alone() -> None:
    with sleeper() as stranger:
        stat = tree.read(stranger.pid)
        assert stat is not None
        older = stat.process._replace(began=stat.process.began - 1)
        assert stop([Leftover(older, "sleep", 0.0, "app")], 0) == []
        assert stranger.poll() is None


# --- the mark ---


def test_the_mark_goes_where_the_environment_does_not() -> None:
    ours = cookie()
    with contextlib.ExitStack() as stack:
        with mark.worn(ours):
            process = stack.enter_context(sleeper(env={}, start_new_session=True))
        assert mark.wears(process.pid, ours)
        assert mark.belongs(process.pid, ours)
        assert not mark.belongs(process.pid, f"{ours}0")
        assert not mark.wears(os.getpid(), ours)


@pytest.mark.parametrize("text", ["", "HOTRUN_TEST=1", "A=1-2", "A=b-c", f"A=1-{10**19}"])
def test_a_cookie_without_a_time_has_no_mark(text: str) -> None:
    assert mark.number(text) == 0
    with mark.worn(text):
        assert not mark.wears(os.getpid(), text)


def test_a_limit_that_somebody_set_is_left_alone() -> None:
    code = """
import resource, sys
from hotrun.process import mark
resource.setrlimit(resource.RLIMIT_RTTIME, (200000, int(sys.argv[1])))
with mark.worn("A=1-%d" % (mark.LEAST + 1)):
    print(resource.getrlimit(resource.RLIMIT_RTTIME)[0])
"""
    for hard in ("200000", "-1"):
        words = [sys.executable, "-c", code, hard]
        assert subprocess.check_output(words, env=environment(), text=True) == "200000\n"


def lives(pid: int) -> bool:
    """Whether a process is more than a zombie: pid 1 reaps what comes to it at leisure."""
    stat = tree.read(pid)
    return stat is not None and stat.alive
