"""Nothing outlives its turn: restarts, Ctrl-C once and twice, and what the app leaves behind."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from live import free_port, listens, marked, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from live import Live, Project

    Start = Callable[..., Live]

RESTARTS = 20

# It serves until SIGTERM, and goes on listening for two seconds while it shuts down.
SERVER = """
import os, signal, socket, sys, time

def log(word):
    with open(sys.argv[2], "a") as file:
        file.write(f"{word} {os.getpid()}\\n")

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    listener.bind(("127.0.0.1", int(sys.argv[1])))
except OSError as error:
    log(error.strerror.replace(" ", "-"))
    sys.exit(1)
listener.listen()
log("listens")
signal.sigwait([signal.SIGTERM])
time.sleep(2)
log("clean")
"""

DEAF = "trap '' TERM HUP INT; echo deaf; while :; do sleep 60; done"


def app(project: Project, command: str, more: str = "") -> None:
    """Write a hotrun.toml with an app and no build; any change restarts it."""
    project.write("hotrun.toml", f"[run]\ncommand = '''{command}'''\n{more}")


def wait_for_lines(path: Path, count: int) -> None:
    until(lambda: len(words(path)) >= count, f"line {count} of the servers' log")


def words(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def test_twenty_restarts_of_a_server_that_takes_two_seconds_to_end(
    project: Project, start: Start
) -> None:
    """The shell dies of the signal at once; its server, which holds the port, does not."""
    port, log = free_port(), project.out / "log"
    server = project.out / "server.py"
    server.write_text(SERVER)
    # On a busy machine it may take longer than those two seconds.
    app(project, f'sh -c "{sys.executable} {server} {port} {log}; true"', 'stop_timeout = "1m"')
    session = start()
    for number in range(RESTARTS):
        wait_for_lines(log, 2 * number + 1)
        project.write("main.txt", f"{number}")
        session.wait_for("app_started", run=number + 2)
    wait_for_lines(log, 2 * RESTARTS + 1)
    assert session.stop() == 130
    said = words(log)
    assert [word for word, _ in said] == ["listens", "clean"] * (RESTARTS + 1)
    assert [pid for _, pid in said[::2]] == [pid for _, pid in said[1::2]]
    assert len(session.all("app_stopping")) == RESTARTS + 1
    assert not session.all("app_killed")
    assert not listens(port)


def test_the_second_ctrl_c_kills_an_app_that_does_not_listen(
    project: Project, start: Start
) -> None:
    app(project, DEAF, 'stop_timeout = "10m"')
    session = start()
    session.wait_for("output", text="deaf")
    session.send(signal.SIGINT)
    session.wait_for("app_stopping")
    assert session.apps(), "the first one asks, and waits for the answer"
    session.send(signal.SIGINT)
    assert session.wait_for("app_killed")["reason"] == "asked twice"
    assert session.ends() == 130
    assert session.leftovers() == []


def test_an_app_that_does_not_stop_in_its_time_is_killed_and_replaced(
    project: Project, start: Start
) -> None:
    app(project, DEAF, 'stop_timeout = "100ms"')
    session = start()
    session.wait_for("output", text="deaf")
    project.write("main.txt", "changed")
    killed = session.wait_for("app_killed", run=1)
    assert killed["reason"] == "stop_timeout"
    session.wait_for("app_exited", run=1, signal="SIGKILL")
    session.wait_for("app_started", run=2)
    assert not set(killed["pids"]) & session.apps()


def test_ctrl_c_while_the_app_is_being_replaced_starts_no_other(
    project: Project, start: Start
) -> None:
    app(project, "trap 'echo asked; sleep 1; exit 0' TERM; echo ready; while :; do sleep 0.1; done")
    session = start()
    session.wait_for("output", text="ready")
    project.write("main.txt", "changed")
    session.wait_for("output", text="asked")
    assert session.stop() == 130
    assert len(session.all("app_started")) == 1
    assert len(session.all("app_stopping")) == 1


def test_what_the_app_put_into_the_background_goes_with_it(project: Project, start: Start) -> None:
    app(project, "sleep 1000 & (sleep 1000 &) ; echo up; wait")
    session = start()
    session.wait_for("output", text="up")
    first = session.apps()
    project.write("main.txt", "changed")
    session.wait_for("app_started", run=2)
    assert first
    assert not first & session.apps()


@pytest.mark.parametrize("way", ["{} & wait", "({} &); sleep 1000", "({} &) & wait; sleep 1000"])
def test_a_process_that_left_the_group_goes_with_the_app(
    project: Project, start: Start, way: str
) -> None:
    """In a session of its own, and without the parent that would lead to it."""
    app(project, way.format("setsid sh -c 'echo away; exec sleep 1000'"))
    session = start()
    session.wait_for("output", text="away")
    first = session.apps()
    project.write("main.txt", "changed")
    session.wait_for("app_started", run=2)
    assert first
    assert not first & session.apps()
    session.wait_for("output", text="away")
    assert session.stop() == 130
    assert session.leftovers() == []


def test_an_app_that_backgrounds_its_work_and_exits_leaves_nothing(
    project: Project, start: Start
) -> None:
    app(project, "sleep 1000 & sleep 1000 & echo started; exit 0")
    session = start()
    problem = session.wait_for("problem")
    assert "what it had started is stopped" in problem["message"]
    session.wait_for("app_exited", run=1)
    assert not session.apps()
    project.write("main.txt", "changed")
    session.wait_for("app_exited", run=2)


def test_a_grandchild_that_keeps_the_output_open_delays_nothing(
    project: Project, start: Start
) -> None:
    """A compile server that a build leaves behind has the build's pipe in its hand."""
    held = project.out / "held"
    project.config(
        "[run]\ncommand = \"sh -c 'echo app; exec sleep 1000'\"",
        command=f"setsid sh -c 'touch {held}; exec sleep 1000' & until test -e {held}; do :; done",
    )
    session = start()
    session.wait_for("build_finished", ok=True)
    session.wait_for("output", text="app")
    project.write("main.txt", "changed")
    session.wait_for("build_finished", ok=True)
    session.wait_for("app_started", run=2)
    assert session.stop() == 130
    for pid in marked(session.mark):  # the build's: it is meant to stay
        with contextlib.suppress(ProcessLookupError):  # touch(1) of the second one
            os.kill(pid, signal.SIGKILL)
    until(lambda: not session.leftovers(), "the end of the build's own server")


def test_a_session_whose_reader_went_away_ends(project: Project, start: Start) -> None:
    app(project, "sleep 1000")
    session = start()
    session.wait_for("app_started")
    session.close_output()
    project.write("main.txt", "changed")
    until(lambda: session.closed, "the reader to go away")
    project.write("main.txt", "changed again")
    assert session.ends() == 141
    assert session.leftovers() == []
