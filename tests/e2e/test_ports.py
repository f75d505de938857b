"""Whoever holds the port that the app wants is named, with what to type; and is never killed."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from live import Live, Project, ended, free_port, listens, until
from plain import Plain
from pty_rig import Rig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Start = Callable[..., Live]

# The port is in a file: no argument and no variable gives it away, unless a test wants so.
SERVER = """
import socket, sys, time
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
port = int(open("port").read())
try:
    listener.bind(("127.0.0.1", port))
except OSError as error:
    sys.exit(f"cannot listen on 127.0.0.1:{port}: {error.strerror}")
listener.listen()
print("serving", flush=True)
time.sleep(600)
"""

GO_SERVER = """
package main

import (
	"log"
	"net/http"
	"os"
)

func main() {
	port, _ := os.ReadFile("port")
	log.Fatal(http.ListenAndServe("127.0.0.1:"+string(port), nil))
}
"""


def app(project: Project, port: int, words: str = "", more: str = "", name: str = "") -> None:
    project.write("app.py", SERVER)
    project.write("port", str(port))
    command = f"{sys.executable} app.py {words} {name}"
    project.write("hotrun.toml", f"[run]\ncommand = '{command}'\n{more}\n")


@contextlib.contextmanager
def stranger(port: int, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program of somebody else that has a port, and has to have it at the end still."""
    (directory / "port").write_text(str(port))
    words = [sys.executable, "-c", SERVER, "a-stranger"]
    with subprocess.Popen(words, cwd=directory, stdout=subprocess.DEVNULL) as process:
        try:
            until(lambda: listens(port), "the stranger to listen")
            yield process
            assert process.poll() is None, "the stranger was ended"
        finally:
            process.kill()


def names(message: str, port: int, pid: int) -> bool:
    """Whether a message says who holds a port: pid, command and since when."""
    what = rf".*\bport {port} is held by pid {pid} \(\S.*, since (\d\d:\d\d|\d{{4}}-\d\d-\d\d)\)"
    return re.fullmatch(what, message) is not None


def kill(pid: int, again: str = "try again") -> str:
    return f"stop it with: kill {pid}, then {again}; or use another port"


# --- a stranger ---


def test_an_app_that_says_so_is_answered_with_who_holds_the_port(
    project: Project, start: Start
) -> None:
    port = free_port()
    app(project, port)
    with stranger(port, project.out) as holder:
        session = start()
        session.wait_for("app_exited", code=1, expected=False)
        problem = session.wait_for("problem")
        assert names(problem["message"], port, holder.pid)
        assert problem["hint"] == kill(holder.pid)
        assert len(session.all("problem")) == 1
    project.write("change", "1")
    session.wait_for("output", text="serving")


def test_a_traceback_says_so_too(project: Project, start: Start) -> None:
    port = free_port()
    app(project, port)
    project.write(
        "app.py",
        f"import asyncio\nasyncio.run(asyncio.start_server(None, '127.0.0.1', {port}))\n",
    )
    with stranger(port, project.out) as holder:
        session = start()
        assert session.wait_for("problem")["hint"] == kill(holder.pid)


def test_a_message_without_the_port_is_understood_by_the_command(
    project: Project, start: Start
) -> None:
    port = free_port()
    app(project, port, f"--port {port}")
    project.write("app.py", SERVER.replace("on 127.0.0.1:{port}", ""))
    with stranger(port, project.out) as holder:
        problem = start().wait_for("problem")
        assert names(problem["message"], port, holder.pid)


# Two that take more than one line for it, and name the port in another one than the words.
FLASK = ["Address already in use", "Port {} is in use by another program. Either identify it."]
DJANGO = [
    "Starting development server at http://127.0.0.1:{}/",
    "Quit the server with CONTROL-C.",
    "Error: That port is already in use.",
]


# Each is read before the next one is written: what comes together is no help.
LINE_BY_LINE = """
import array, fcntl, os, sys, termios, time
waiting = array.array("i", [0])
for line in LINES:
    os.write(2, line.encode() + b"\\n")
    while not fcntl.ioctl(2, termios.FIONREAD, waiting) and waiting[0]:
        time.sleep(0.001)
sys.exit(1)
"""


@pytest.mark.parametrize("lines", [FLASK, DJANGO], ids=["flask", "django"])
def test_the_port_may_stand_in_another_line(
    project: Project, start: Start, lines: list[str]
) -> None:
    port = free_port()
    app(project, port)
    project.write("app.py", f"LINES = {[line.format(port) for line in lines]}\n{LINE_BY_LINE}")
    with stranger(port, project.out) as holder:
        session = start()
        session.wait_for("app_exited")
        session.stop()
        (problem,) = session.all("problem")
        assert names(problem["message"], port, holder.pid)


@pytest.mark.skipif(not shutil.which("go", path=os.path.dirname(sys.executable)), reason="no Go")
def test_a_go_server_says_so_too(project: Project, start: Start) -> None:
    port = free_port()
    project.config("[run]\ncommand = './app'", command="go build -buildvcs=false -o app .")
    project.write("go.mod", "module app\n\ngo 1.22\n")
    project.write("main.go", GO_SERVER)
    project.write("port", str(port))
    with stranger(port, project.out) as holder:
        session = start()
        problem = session.wait_for("problem")
        assert names(problem["message"], port, holder.pid)
        assert problem["hint"] == kill(holder.pid)


WAYS = {
    "an option": ("--port {}", ""),
    "an option in one word": ("--listen-port={}", ""),
    "an address": ("127.0.0.1:{}", ""),
    "PORT": ("", 'env = {{ PORT = "{}" }}'),
    "PORT in an env file": ("", "env_files = ['env']"),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_app_whose_words_are_not_read_is_understood_by_how_it_is_started(
    project: Project, way: str
) -> None:
    """It writes to the terminal itself: its output is inherited."""
    port = free_port()
    words, more = (text.format(port) for text in WAYS[way])
    app(project, port, words, more)
    project.write("env", f"PORT={port}\n")
    with contextlib.ExitStack() as others:
        holder = others.enter_context(stranger(port, project.out))
        with Plain(project.path) as session:
            session.wait_for("hint: ")
            first, second = session.problem
            assert names(first, port, holder.pid)
            assert second == f"hint: {kill(holder.pid)}"
            others.close()
            project.write("change", "1")
            session.until(lambda: listens(port), "the app to listen")


def test_a_port_of_an_earlier_life_is_known_although_nothing_is_read(project: Project) -> None:
    """It is the case of a person at a terminal, whose app comes up with a default of its own."""
    port, asked = free_port(), free_port()
    ready = f'ready = {{ tcp = "127.0.0.1:{asked}" }}'
    app(project, port, more=f"{ready}\n[build]\ncommand = 'true'")
    # When it is ready, it has the other port too.
    second = f'second = socket.create_server(("127.0.0.1", {asked}))\nprint('
    project.write("app.py", SERVER.replace("print(", second))
    with Rig(sys.executable, "-m", "hotrun", "run", "--color", "never", cwd=project.path) as rig:
        learned(rig)
        os.kill(rig.number("started pid"), signal.SIGKILL)
        rig.wait_for("app exited with signal SIGKILL")
        with stranger(port, project.out) as holder:
            project.write("change", "1")
            rig.wait_for(f"hint: {kill(holder.pid, 'press s or save a file')}")
            line = next(line for line in rig.text.splitlines() if line.startswith("error: "))
            assert names(line, port, holder.pid)


def learned(rig: Rig) -> None:
    """Wait until the app was ready: then it is looked at which ports it has."""
    pressed = 0.0

    def is_ready() -> bool:
        nonlocal pressed
        if time.monotonic() > pressed + 0.3:  # what comes faster is taken for a paste
            pressed = time.monotonic()
            rig.type("e")
        return re.search(r"ready +\d+ ms", rig.text) is not None

    rig.wait_for("serving")
    rig.until(is_ready, "the app to be ready")


@pytest.mark.parametrize("json", [True, False], ids=["read", "inherited"])
def test_a_port_that_ready_asks_is_named_before_the_app_has_said_a_word(
    project: Project, json: bool
) -> None:
    port = free_port()
    app(project, port, more=f'ready = {{ tcp = "127.0.0.1:{port}" }}')
    message = f"127.0.0.1:{port}, which run.ready asks, is held by pid "
    with stranger(port, project.out) as holder:
        if json:
            with Live(project.path) as live:
                problem = live.wait_for("problem")
                assert problem["message"].startswith(f"{message}{holder.pid} (")
                assert problem["hint"] == kill(holder.pid)
                live.wait_for("app_exited", expected=False)
                assert not live.all("app_ready")
        else:
            with Plain(project.path) as session:
                session.wait_for(f"error: {message}{holder.pid} (")
                session.wait_for(f"hint: {kill(holder.pid)}")


# --- one of ours ---


def test_a_leftover_is_told_how_to_be_rid_of_and_then_the_app_starts(
    project: Project, start: Start
) -> None:
    port = free_port()
    app(project, port)
    dead = start()
    left = dead.wait_for("app_started")["pid"]
    dead.wait_for("output", text="serving")
    dead.is_killed_with_its_guardian()
    session = start()
    problem = session.wait_for("problem", lambda event: names(event["message"], port, left))
    assert problem["hint"] == "it was left by an earlier hotrun: hotrun leftovers --stop"
    done = ended(project.path, "leftovers", "--stop")
    assert (done.code, dead.leftovers()) == (0, [])
    project.write("change", "1")
    session.wait_for("output", text="serving")


def test_the_app_of_another_hotrun_is_named_with_that_one(
    project: Project, start: Start, tmp_path: Path
) -> None:
    port = free_port()
    other = Project(tmp_path / "other", tmp_path / "out")
    app(other, port)
    app(project, port)
    with Live(other.path) as lives:
        pid = lives.wait_for("app_started")["pid"]
        lives.wait_for("output", text="serving")
        problem = start().wait_for("problem")
        assert names(problem["message"], port, pid)
        assert problem["hint"] == (
            f"another hotrun (pid {lives.pid}) runs it: end that one, or use another port"
        )
        assert lives.apps() == {pid}


def test_an_app_that_binds_what_hotrun_holds_for_it_is_told_so(
    project: Project, start: Start
) -> None:
    port = free_port()
    app(project, port, more=f'listen = ["127.0.0.1:{port}"]')
    session = start()
    problem = session.wait_for("problem")
    assert names(problem["message"], port, session.pid)
    assert problem["hint"] == (
        "hotrun holds it for the app (`listen`): use that socket (LISTEN_FDS), or drop `listen`"
    )


# --- nobody ---


@pytest.mark.parametrize("words", ["--port {}", ""])
def test_an_app_that_fails_for_another_reason_is_left_alone(
    project: Project, start: Start, words: str
) -> None:
    port = free_port()
    app(project, port, words.format(port))
    project.write("app.py", f"import sys; sys.exit('port {port}: address already in use, it says')")
    session = start()
    session.wait_for("app_exited", code=1)
    project.write("change", "1")
    session.wait_for("app_exited", code=1)
    assert session.all("problem") == []


def test_an_app_that_fails_beside_a_stranger_is_left_alone_when_it_wants_another_port(
    project: Project,
) -> None:
    port, other = free_port(), free_port()
    app(project, port, f"--port {port}")
    project.write("app.py", "import sys; sys.exit(1)")
    with stranger(other, project.out), Plain(project.path) as session:
        session.wait_for("app exited with code 1")
        session.stop()
        assert session.problem == []


def test_an_app_that_ends_well_is_left_alone(project: Project) -> None:
    port = free_port()
    app(project, port, f"--port {port}")
    project.write("app.py", "import sys; sys.exit(0)")
    with stranger(port, project.out), Plain(project.path) as session:
        session.wait_for("app exited with code 0")
        session.stop()
        assert session.problem == []
