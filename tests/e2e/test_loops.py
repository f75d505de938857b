"""What is written by what it triggers comes to an end, and whoever saves loses nothing."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from live import Live, Project, free_port, until

from hotrun.streak import BUILDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from live import Event

# Writes the time into a file at each start.
WRITER = """
import signal, sys, time
for path in sys.argv[1:]:
    with open(path, "w") as file:
        file.write(str(time.time_ns()))
print("up", flush=True)
signal.pause()
"""
APPENDER = WRITER.replace('"w"', '"a"')
# Answers with what was in a file when it started; sets itself up for a while, if it is told to.
SERVER = """
import socket, sys, time
path, port, cache = sys.argv[1:]
with open(path) as file:
    text = file.read()
if cache:
    with open(cache, "w") as file:
        file.write(str(time.time_ns()))
    time.sleep(0.05)
with socket.create_server(("127.0.0.1", int(port))) as server:
    while True:
        client, _ = server.accept()
        with client:
            client.sendall(text.encode())
"""
STAMP = "date +%s.%N > "
APP = "which it restarts again: it triggers nothing now while the app"


def python(program: str, *words: str) -> str:
    """A command line as hotrun.toml has it."""
    return json.dumps([sys.executable, "-SE", "-c", program, *words])


def quiet(project: Project, session: Live) -> None:
    """Save one more file: what it triggers writes again, and that triggers nothing."""
    before = len(session.all("changed"))
    project.write("src/sentinel.txt", f"{session.now}")
    session.wait_for("changed", paths=["src/sentinel.txt"])
    session.wait_for("ignored")
    project.write("src/sentinel.txt", f"{session.now}")
    session.wait_for("changed", paths=["src/sentinel.txt"])
    # On a busy machine it is not always seen who wrote, and then it counts once more.
    assert before + 2 <= len(session.all("changed")) <= before + 12


def stamped(session: Live, since: int = 0) -> list[Event]:
    """The changes of what the step writes."""
    return [each for each in session.all("changed", since) if "stamp.txt" in each["paths"][0]]


def until_caught(project: Project, session: Live, message: str) -> int:
    """Wait for the message; return in how many rounds of builds it came.

    A machine that is so busy that it is not seen who wrote has what is written wait, longer each
    time, until somebody saves: then there is another round.
    """
    rounds, since = 1, 0

    def is_caught() -> bool:
        nonlocal rounds, since
        if session.all("problem", message=message):
            return True
        if len(stamped(session, since)) > BUILDS:
            rounds, since = rounds + 1, session.now
            project.write("src/another.txt", f"{rounds}")
        return False

    until(is_caught, "the message")
    return rounds


def told(session: Live) -> list[tuple[str, str]]:
    return [(event["message"], event["hint"]) for event in session.all("problem")]


def test_a_generator_that_writes_the_same_bytes_causes_no_build(
    project: Project, start: Callable[..., Live]
) -> None:
    project.write("api.txt", "the api")
    project.write(
        "hotrun.toml", '[build]\ncommand = "cp api.txt gen.txt; cp api.txt t~; mv t~ new.txt"\n'
    )
    project.write("gen.txt", "the api")
    project.write("new.txt", "the api")
    session = start()
    session.wait_for("build_finished", ok=True)
    for n in range(4):
        project.write("main.txt", f"{n}")
        session.wait_for("build_started", lambda event: "main.txt" in event["paths"])
        session.wait_for("build_finished", ok=True)
    named = [event["paths"] for event in session.all("build_started")]
    # Of files that are as young as the session nobody knows yet what was in them: each may count
    # once.
    assert len([paths for paths in named[1:] if paths != ["main.txt"]]) <= 2
    assert named[-2:] == [["main.txt"]] * 2


AGAIN = "which it triggers again: it triggers nothing now while"
STAMPS = [
    pytest.param(
        f'[build]\ncommand = "{STAMP} gen/stamp.txt"\noutputs = ["app"]\n',
        f"gen/stamp.txt is written by the build, {AGAIN} the build runs",
        'put this into [build] of hotrun.toml: outputs = ["app", "gen/stamp.txt"]',
        id="build",
    ),
    pytest.param(
        f'[build]\ncommand = "{STAMP} gen/stamp.txt; sleep 0.4"\n',
        f"gen/stamp.txt is written by the build, {AGAIN} the build runs",
        'put this into [build] of hotrun.toml: outputs = ["gen/stamp.txt"]',
        id="build that is cancelled by what it writes",
    ),
    pytest.param(
        f"""[build]
command = "true"
[[rule]]
match = ["*.txt"]
action = "command"
command = "{STAMP} gen/stamp.txt"
""",
        "gen/stamp.txt is written by the command of the rule at hotrun.toml:3,"
        f" {AGAIN} that command runs",
        'put this into [build] of hotrun.toml: outputs = ["gen/stamp.txt"]',
        id="rule",
    ),
    pytest.param(
        f"[run]\ncommand = {python(WRITER, 'gen/stamp.txt')}\n",
        f"gen/stamp.txt is written by the app, {APP} starts",
        'put this into [watch] of hotrun.toml: exclude = ["gen/stamp.txt"]',
        id="app at its start",
    ),
    pytest.param(  # into a page that is dirty already: the kernel does not count that
        f"[run]\ncommand = {python(APPENDER, 'gen/stamp.txt')}\n",
        f"gen/stamp.txt is written by the app, {APP} starts",
        'put this into [watch] of hotrun.toml: exclude = ["gen/stamp.txt"]',
        id="app that appends",
    ),
    pytest.param(
        f"[run]\ncommand = {python(WRITER)}\nbefore = ['{STAMP} stamp.txt']\n",
        f"stamp.txt is written by a command of run.before, {AGAIN} that command runs",
        'put this into [watch] of hotrun.toml: exclude = ["/stamp.txt"]',
        id="command before the app",
    ),
]


@pytest.mark.parametrize(("config", "message", "hint"), STAMPS)
def test_what_a_step_writes_each_time_causes_a_few_builds_and_one_message(
    project: Project, start: Callable[..., Live], config: str, message: str, hint: str
) -> None:
    project.write("gen/keep", "")
    project.write("hotrun.toml", config)
    session = start()
    session.wait_for("watching")
    if "rule" in message:  # something else has to run it for the first time
        project.write("src/first.txt", "1")
        session.wait_for("changed", paths=["src/first.txt"])
    # The app may have been started for the last time before or after the message.
    rounds = until_caught(project, session, message)
    if "[run]" in config:
        until(lambda: session.all("output", text="up"), "the app")
    # Three, and a few more where the machine was too busy to see who wrote.
    assert 3 <= len(stamped(session)) <= 9 * rounds
    quiet(project, session)
    assert told(session).count((message, hint)) == 1


def test_an_edit_of_what_the_app_writes_at_its_start_is_one_restart(
    project: Project, start: Callable[..., Live]
) -> None:
    project.write("hotrun.toml", f"[run]\ncommand = {python(WRITER, 'config.json')}\n")
    session = start()
    session.wait_for("problem", lambda event: "is written by the app" in event["message"])
    session.wait_for("output", text="up") if not session.all("output") else None
    before = len(session.all("app_started"))
    for n in range(3):
        # A person is slower than the app, which has just written it.
        written = (project.path / "config.json").stat().st_mtime
        until(lambda written=written: time.time() > written + 0.6, "a while after the app")
        project.write("config.json", f"by hand {n}")
        session.wait_for("changed", paths=["config.json"])
        session.wait_for("app_started")
        session.wait_for("ignored", paths=["config.json"])
    assert len(session.all("app_started")) == before + 3


@pytest.mark.parametrize("cache", ["", "out/cache"], ids=["plain", "writes a cache"])
def test_a_script_that_saves_as_soon_as_the_app_answers_loses_nothing(
    project: Project, start: Callable[..., Live], cache: str
) -> None:
    port = free_port()
    where = str(project.out / "cache") if cache else ""
    command = python(SERVER, "page.txt", str(port), where)
    project.write("page.txt", "0")
    project.write("hotrun.toml", f"[run]\ncommand = {command}\n")
    session = start()
    for n in range(10):
        until(lambda n=n: answer(port) == f"{n}", f"answer {n}")
        project.write("page.txt", f"{n + 1}")
    until(lambda: answer(port) == "10", "the last answer")
    session.wait_for("app_started", run=11)  # the app may have answered before hotrun was read
    assert len(session.all("app_started")) == 11
    assert told(session) == []


def answer(port: int) -> str:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)) as connection:
        return connection.recv(100).decode()
    return ""


def test_a_script_that_saves_as_soon_as_it_hears_of_a_build_loses_nothing(
    project: Project, start: Callable[..., Live]
) -> None:
    project.config()
    session = start()
    for n in range(10):
        session.wait_for("build_finished", ok=True)
        file = project.write("new", f"{n}")
        tick = 4_000_000  # ns by which kernels before 6.13 stamp files too early
        os.utime(file, ns=(0, time.time_ns() - tick))
        file.rename(project.path / "main.txt")
        session.wait_for("build_started", lambda event: "main.txt" in event["paths"])
    session.wait_for("build_finished", ok=True)
    project.last_build(session)
    assert told(session) == []


def test_a_script_that_makes_and_removes_a_file_when_it_hears_of_a_build_loses_nothing(
    project: Project, start: Callable[..., Live]
) -> None:
    project.config()
    session = start()
    flag = project.path / "flag.txt"
    for n in range(10):
        session.wait_for("build_finished", ok=True)
        if n % 2:
            flag.unlink()
        else:
            project.write("flag.txt", "")
        session.wait_for("build_started", paths=["flag.txt"])
    session.wait_for("build_finished", ok=True)
    assert told(session) == []


def test_an_editor_that_saves_by_the_clock_loses_nothing_to_a_build_that_it_cancels(
    project: Project, start: Callable[..., Live]
) -> None:
    slow = f"sleep 1.2; {' '.join(map(json.dumps, project.snapshots))}"
    project.write("main.txt", "")
    project.config(command=slow)
    session = start()
    session.wait_for("build_finished", ok=True)
    due = time.monotonic()
    for n in range(9):
        time.sleep(max(0.0, due - time.monotonic()))
        project.write("main.txt", f"{n}")
        due += 0.6
    until(lambda: project.seen() == project.on_disk(), "a build of the last save")
    assert told(session) == []


SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a tmpfs on every Linux


@pytest.mark.parametrize("where", ["here", SHARED_MEMORY])
def test_seven_saves_as_long_after_the_start_of_the_app_are_seven_restarts(
    project: Project, where: str
) -> None:
    with ExitStack() as stack:
        if where != "here":
            if not os.access(where, os.W_OK):
                pytest.skip(f"there is no {where}")
            path = Path(stack.enter_context(TemporaryDirectory(dir=where)))
            project = Project(path / "project", path / "out")
        project.write("main.txt", "")
        config = '[build]\ncommand = "true"\n[run]\ncommand = "sleep 1000"\n'
        project.write("hotrun.toml", config)
        session = stack.enter_context(Live(project.path))
        session.wait_for("app_started")
        for n in range(7):
            due = time.time() + 0.2
            until(lambda due=due: time.time() > due, "the moment of the next save")
            started = session.now
            project.write("main.txt", f"{n}")
            session.wait_for("app_started")
            assert len(session.all("app_started", started)) == 1
        messages = [message for message, _ in told(session)]
        slowed = "main.txt changes each time the app starts: it restarts it only after a pause now"
        assert messages in ([], [slowed])


def test_a_loop_at_no_pace_comes_to_an_end(project: Project, start: Callable[..., Live]) -> None:
    program = "import random, time; time.sleep(random.random() * 1.2)"
    config = f"{sys.executable} -SEc '{program}'; date +%N > gen.txt"
    project.write("hotrun.toml", f"[build]\ncommand = {json.dumps(config)}\n")
    session = start()
    session.wait_for("problem", lambda event: event["message"].startswith("gen.txt is written by"))
    assert len(session.all("build_started")) <= 12


# What removes, renames or makes an empty file writes no byte.
UNWRITTEN = [
    pytest.param("if [ -e f ]; then rm f; else date > f; fi", "f", id="removed in turn"),
    pytest.param(": > build.lock; sleep 0.2; rm build.lock", "build.lock", id="empty lock"),
    pytest.param("echo $$ > build.lock; sleep 0.2; rm build.lock", "build.lock", id="lock"),
    pytest.param(
        "f=vite.config.ts.timestamp-$$.mjs; echo x > $f; sleep 0.2; rm $f",
        "vite.config.ts.timestamp-*.mjs",
        id="temporary file",
    ),
    pytest.param(
        "rm -rf dist; mkdir dist; date +%N > dist/main.$(date +%N).js",
        "dist/main.*.js",
        id="new name",
    ),
    pytest.param(
        "if [ -e d ]; then rm -rf d; else mkdir -p d/e; date > d/e/f; fi",
        "d/e/f",
        id="with its tree",
    ),
    pytest.param("ln -sfn $(date +%N) current", "current", id="link"),
    pytest.param("if [ -x a ]; then chmod -x a; else chmod +x a; fi", "a", id="mode"),
    pytest.param("if [ -e a ]; then mv a b; else mv b a; fi", "a +1 more", id="renamed in turn"),
]


@pytest.mark.parametrize(("command", "name"), UNWRITTEN)
def test_what_comes_and_goes_with_each_build_causes_a_few_builds_and_a_message(
    project: Project, start: Callable[..., Live], command: str, name: str
) -> None:
    project.write("hotrun.toml", f"[build]\ncommand = {json.dumps(command)}\n")
    os.utime(project.write("a", ""), (0, 0))
    session = start()
    session.wait_for("problem", lambda event: event["message"].startswith(f"{name} "))
    assert len(session.all("build_started")) <= 12
    project.write("main.txt", "saved")
    session.wait_for("build_started", lambda event: "main.txt" in event["paths"])


def test_a_lock_of_the_build_that_is_held_and_gone_again_is_no_change(
    project: Project, start: Callable[..., Live]
) -> None:
    project.write("hotrun.toml", '[build]\ncommand = ": > l.lock; sleep 0.6; rm l.lock"\n')
    session = start()
    session.wait_for("problem", lambda event: event["message"].startswith("l.lock "))
    session.wait_for("ignored", paths=["l.lock"])
    for n in range(3):
        builds = len(session.all("build_started"))
        project.write("main.txt", f"{n}")
        session.wait_for("build_finished", ok=True)
        session.wait_for("ignored", paths=["l.lock"])
        assert len(session.all("build_started")) == builds + 1


@pytest.mark.parametrize("name", ["f", "app-{}.pid"])
def test_an_app_that_writes_and_removes_a_file_in_each_life_is_slowed(
    project: Project, start: Callable[..., Live], name: str
) -> None:
    program = f"""
import os, signal, sys
name = {name!r}.format(os.getpid())
if os.path.exists(name):
    os.remove(name)
else:
    with open(name, "w") as file:
        file.write(str(os.getpid()))
def end(*_):
    if "pid" in name:
        os.remove(name)
    sys.exit()
signal.signal(signal.SIGTERM, end)
signal.pause()
"""
    project.write("hotrun.toml", f"[run]\ncommand = {python(program)}\n")
    session = start()
    shown = name.format("*")
    session.wait_for("problem", lambda event: event["message"].startswith(f"{shown} "))
    assert len(session.all("app_started")) <= 12


RELOADER = """
import signal, time
def reload(*_):
    with open("c.x", "w") as file:
        file.write(str(time.time_ns()))
signal.signal(signal.SIGHUP, reload)
print("up", flush=True)
while True:
    signal.pause()
"""


def test_an_app_that_writes_at_each_signal_what_sends_it_comes_to_an_end(
    project: Project, start: Callable[..., Live]
) -> None:
    rule = '[[rule]]\nmatch = ["c.x"]\naction = "signal"\nsignal = "HUP"\n'
    project.write("hotrun.toml", f"[run]\ncommand = {python(RELOADER)}\n{rule}")
    session = start()
    session.wait_for("output", text="up")
    file = project.write("c.x", "by hand")
    session.wait_for("problem", lambda event: event["message"].startswith("c.x "))
    assert len(session.all("app_signalled")) <= 12
    assert {hint.split("writes it, ")[-1] for _, hint in told(session)} == {
        'put this into [watch] of hotrun.toml: exclude = ["/c.x"]'
    }
    for n in range(3):
        written = file.stat().st_mtime  # a person is slower than the app
        until(lambda written=written: time.time() > written + 0.6, "a while after the app")
        before = len(session.all("app_signalled"))
        project.write("c.x", f"by hand {n}")
        until(lambda before=before: len(session.all("app_signalled")) > before, "the signal")
