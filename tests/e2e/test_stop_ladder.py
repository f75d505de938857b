"""The stop ladder: one signal, the time it takes, stacks where there are any, then SIGKILL."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from app_log import AppLog, write_app
from live import until
from pty_rig import Rig

from hotrun.jobs.app import LINGERS
from hotrun.process import tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from live import Event, Live, Project

    Start = Callable[..., Live]

HOTRUN = (sys.executable, "-m", "hotrun", "run", "--no-keys")

# The app, a worker in its group, and one in a session of its own. Each goes on for a while after
# the first signal that asks it to end, and so would hear another. The app waits for its worker.
EARS = """
ENDINGS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT}
def ears(who, *workers):
    hear(*ENDINGS, signal.SIGUSR1, signal.SIGUSR2, who=who)
    say(who, os.getpid())
    while not ENDINGS & set(heard):
        time.sleep(0.001)
    time.sleep(0.3)
    for worker in workers:
        os.waitpid(worker, 0)
    os._exit(130 if signal.SIGINT in heard else 0)
worker = fork(lambda: ears("worker"))
fork(lambda: ears("away"), setsid=True)
ears("app", worker)
"""
FAMILY = ("app", "worker", "away")

# It ends itself, when it was asked, after some seconds.
GRACEFUL = """
hear(signal.SIGTERM, who="app")
say("app", os.getpid())
listen(1)
time.sleep(float(sys.argv[2]))
say("clean", os.getpid())
"""

DEAF = """
def act():
    os.execvp("sh", ["sh", "-c", f"trap '' TERM; echo child $$ >>{sys.argv[1]}; exec sleep 600"])
fork(act, setsid=True)
signal.signal(signal.SIGQUIT, signal.SIG_IGN)
hear(signal.SIGTERM, who="app")
say("app", os.getpid())
forever()
"""


def heard(log: AppLog) -> dict[str, list[str]]:
    """Who heard which signals, in order."""
    pairs = [line.split() for line in log.lines()]
    return {who: [what for name, what in pairs if name == who and "SIG" in what] for who in FAMILY}


def ears(project: Project, more: str = "") -> AppLog:
    return write_app(project, EARS, more=more)


def all_are_there(log: AppLog) -> None:
    for who in FAMILY:
        log.pid_of(who)


def once(name: str) -> dict[str, list[str]]:
    return {who: [name] for who in FAMILY}


# --- each signal once ---


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGQUIT"])
def test_a_restart_sends_the_stop_signal_once_to_everybody(
    project: Project, start: Start, name: str
) -> None:
    log = ears(project, f'stop_signal = "{name}"')
    session = start()
    all_are_there(log)
    project.write("main.txt", "changed")
    session.wait_for("app_exited", run=1, expected=True)
    assert heard(log) == once(name)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_hotrun_is_one_stop_signal_to_everybody(
    project: Project, start: Start, number: signal.Signals
) -> None:
    log = ears(project)
    session = start()
    all_are_there(log)
    assert session.stop(number) == 128 + number
    assert heard(log) == once("SIGTERM")


def test_ctrl_c_is_one_stop_signal_to_everybody(project: Project) -> None:
    log = ears(project)
    with Rig(*HOTRUN, cwd=project.path) as at:
        all_are_there(log)
        at.type("\x03")
        assert at.ends() == 130
    assert heard(log) == once("SIGTERM")


def test_a_window_that_is_closed_is_one_stop_signal_to_everybody(project: Project) -> None:
    log = ears(project)
    with Rig(*HOTRUN, cwd=project.path) as at:
        all_are_there(log)
        at.hang_up()
        assert at.ends() == 129
    assert heard(log) == once("SIGTERM")


def test_ctrl_c_of_an_app_that_has_the_terminal_is_its_own(project: Project) -> None:
    """The kernel tells the group in the foreground; who left it is told by hotrun."""
    log = ears(project, 'stdin = "terminal"')
    with Rig(*HOTRUN, cwd=project.path) as at:
        all_are_there(log)
        at.until(lambda: at.foreground == log.pid_of("app"), "the terminal to be the app's")
        at.type("\x03")
        assert at.ends() == 130
    assert heard(log) == {"app": ["SIGINT"], "worker": ["SIGINT"], "away": ["SIGTERM"]}


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2])
def test_a_signal_that_is_not_for_hotrun_is_passed_on_once(
    project: Project, start: Start, number: signal.Signals
) -> None:
    log = ears(project)
    session = start()
    all_are_there(log)
    session.send(number)
    log.until_said(f"app {number.name}")
    assert session.stop() == 130
    assert heard(log)["app"] == [number.name, "SIGTERM"]
    assert heard(log)["away"] == ["SIGTERM"]


def test_a_signal_that_is_passed_on_does_not_end_what_has_not_asked_for_it(
    project: Project, start: Start
) -> None:
    """`docker kill -s USR1` means the app, not the commands before it, nor its helpers."""
    gate, log = project.out / "gate", project.out / "log"
    wait = f"echo before >>{log}; until test -e {gate}; do sleep 0.01; done"
    code = 'fork(forever)\nhear(signal.SIGUSR1, who="app")\nsay("app", os.getpid())\nforever()\n'
    app = write_app(project, code, more=f"before = [{json.dumps(wait)}]")
    session = start()
    app.until_said("before")
    session.send(signal.SIGUSR1)
    session.send(signal.SIGUSR2)
    gate.touch()
    session.wait_for("app_started")
    helper = helper_of(app.pid_of("app"))
    session.send(signal.SIGUSR1)
    app.until_said("app SIGUSR1")
    assert tree.alive(helper)
    assert session.stop() == 130


def test_an_app_that_does_not_catch_a_signal_does_not_get_it(
    project: Project, start: Start
) -> None:
    """It may have come before the app was there, and be read from the kernel after its start."""
    log = write_app(
        project, 'hear(signal.SIGUSR1, who="app")\nsay("app", os.getpid())\nforever()\n'
    )
    session = start()
    pid = log.pid_of("app")
    session.send(signal.SIGUSR2)
    told = session.wait_for("problem", severity="warning")
    assert (
        told["message"] == f"SIGUSR2 is not passed on: pid {pid} does not catch it, and would end"
    )
    assert told["hint"] == f"if that is meant: kill -USR2 {pid}"
    session.send(signal.SIGUSR1)
    log.until_said("app SIGUSR1")
    assert session.stop() == 130


def helper_of(pid: int) -> tree.Process:
    (helper,) = tree.below([pid])
    return helper.process


def test_without_an_app_a_signal_to_pass_on_is_nothing(project: Project, start: Start) -> None:
    project.config()
    session = start()
    session.wait_for("build_finished")
    session.send(signal.SIGUSR1)
    project.write("main.txt", "changed")
    session.wait_for("build_finished")
    assert session.stop() == 130


# --- the time it takes ---


def test_an_app_that_takes_two_seconds_has_them(project: Project, start: Start) -> None:
    log = write_app(project, GRACEFUL, 2)
    session = start()
    first = log.pid_of("app")
    project.write("main.txt", "changed")
    session.wait_for("app_stopping", run=1, signal="SIGTERM")
    lingers = session.wait_for("app_lingers", run=1)
    assert (lingers["pid"], lingers["kill_ms"]) == (first, 4500)
    session.wait_for("app_exited", run=1, code=0, expected=True)
    session.wait_for("app_started", run=2)
    assert log.lines()[:3] == [f"app {first}", "app SIGTERM", f"clean {first}"]
    log.pid_of("app", 2)
    assert session.stop() == 130
    assert not session.all("app_killed")


def test_an_app_that_ends_soon_is_not_waited_for_longer(project: Project, start: Start) -> None:
    log = write_app(project, GRACEFUL, 0.05, more='stop_timeout = "30s"')
    session = start()
    for number in range(5):
        log.pid_of("app", number + 1)
        project.write("main.txt", f"{number}")
        session.wait_for("app_started", run=number + 2)
    log.pid_of("app", 6)
    assert session.stop() == 130
    slow = {run for run, took in stops(session).items() if took > LINGERS}
    assert {event["run"] for event in session.all("app_lingers")} <= slow
    assert not session.all("app_killed")
    assert {event["code"] for event in session.all("app_exited", expected=True)} == {0}
    sys.stdout.write(f"measured gaps: {gaps(session)} ms\n")  # for a person to read (pytest -s)


def stops(session: Live) -> dict[int, float]:
    """How many seconds each app took to stop."""
    asked = {event["run"]: event["t"] for event in session.all("app_stopping")}
    return {e["run"]: e["t"] - asked[e["run"]] for e in session.all("app_exited", expected=True)}


def gaps(session: Live) -> list[int]:
    """How long each restart was without an app: from the signal to the next start."""
    stops, starts = session.all("app_stopping"), session.all("app_started")[1:]
    return [round((b["t"] - a["t"]) * 1000) for a, b in zip(stops, starts, strict=False)]


def test_what_did_not_stop_is_killed_and_named(project: Project, start: Start) -> None:
    log = write_app(project, DEAF, more='stop_timeout = "200ms"')
    session = start()
    pids = [log.pid_of("app"), log.pid_of("child")]
    until(lambda: tree.command_line(pids[1]) == "sleep 600", "what the child is in the end")
    project.write("main.txt", "changed")
    killed = session.wait_for("app_killed", run=1, reason="stop_timeout")
    commands = dict(zip(killed["pids"], killed["commands"], strict=True))
    assert sorted(commands) == sorted(pids)
    assert commands[pids[0]].startswith(f"{sys.executable} -IS ")
    assert commands[pids[1]] == "sleep 600"
    session.wait_for("app_exited", run=1, signal="SIGKILL", expected=True)
    session.wait_for("app_started", run=2)
    assert heard(log)["app"] == ["SIGTERM"]


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_who_asks_twice_does_not_wait(
    project: Project, start: Start, second: signal.Signals
) -> None:
    log = write_app(project, DEAF, more='stop_timeout = "10m"')
    session = start()
    log.pid_of("child")
    log.pid_of("app")
    session.send(signal.SIGINT)
    log.until_said("app SIGTERM")
    assert session.stop(second) == 130
    killed = session.wait_for("app_killed", reason="asked twice")
    assert len(killed["pids"]) == 2


def test_who_types_ctrl_c_twice_does_not_wait(project: Project) -> None:
    log = write_app(project, DEAF, more='stop_timeout = "10m"')
    with Rig(*HOTRUN, cwd=project.path) as at:
        family = [tree.read(log.pid_of(who)) for who in ("app", "child")]
        at.type("\x03")
        log.until_said("app SIGTERM")
        at.type("\x03")
        assert at.ends() == 130
        assert not any(stat is not None and tree.alive(stat.process) for stat in family)
    assert heard(log)["app"] == ["SIGTERM"]


# --- stacks ---

HANGS = """package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	fmt.Println("up %s")
	<-stop
	waitsForTheDatabase()
}

//go:noinline
func waitsForTheDatabase() {
	time.Sleep(time.Hour)
}
"""


@pytest.mark.parametrize("command", ["./app", "sh -c './app; true'"], ids=["app", "shell"])
def test_a_go_program_that_hangs_tells_its_stacks(
    project: Project, start: Start, command: str
) -> None:
    """Of a shell in front of it nothing is left when the time has passed."""
    more = 'on_hang = "dump"\nstop_timeout = "200ms"\n'
    project.config(
        f'[run]\ncommand = "{command}"\n{more}', command="go build -buildvcs=false -o app ."
    )
    project.write("go.mod", "module app\n\ngo 1.22\n")
    project.write("main.go", HANGS % "one")
    session = start()
    session.wait_for("output", text="up one")
    project.write("main.go", HANGS % "two")
    tells_stacks(project, session.wait_for("app_dumped"))
    session.wait_for("app_exited", run=1, expected=True)
    session.wait_for("output", text="up two")
    assert session.stop() == 130
    for event in session.all("app_dumped"):
        tells_stacks(project, event)
    assert [event["run"] for event in session.all("app_dumped")] == [1, 2]
    assert not session.all("app_killed")
    assert [event["paths"] for event in session.all("build_started")] == [[], ["main.go"]]
    assert ".gitignore" in os.listdir(project.path / ".hotrun")


def tells_stacks(project: Project, dumped: Event) -> None:
    directory, _, name = dumped["file"].rpartition("/")
    assert directory == str(project.path / ".hotrun")
    text = (project.path / ".hotrun" / name).read_text()
    assert "SIGQUIT" in text
    assert "goroutine 1 " in text
    assert "main.waitsForTheDatabase" in text


def test_an_app_without_stacks_is_killed_after_them(project: Project, start: Start) -> None:
    log = write_app(project, DEAF, more='on_hang = "dump"\nstop_timeout = "200ms"')
    session = start()
    log.pid_of("app")
    log.pid_of("child")
    project.write("main.txt", "changed")
    killed = session.wait_for("app_killed", run=1, reason="stop_timeout")
    assert len(killed["pids"]) == 2
    warning = session.wait_for("problem", severity="warning")
    assert "did not tell its stacks" in warning["message"]
    assert warning["hint"]
    session.wait_for("app_started", run=2)
    assert not session.all("app_lingers"), "what is left of the time is told while there is any"
    assert not session.all("app_dumped")
    assert not list((project.path / ".hotrun").glob("stacks-*"))


def test_an_app_that_stops_in_its_time_is_not_asked_for_stacks(
    project: Project, start: Start
) -> None:
    log = ears(project, 'on_hang = "dump"')
    session = start()
    all_are_there(log)
    assert session.stop() == 130
    assert heard(log) == once("SIGTERM")
    assert not session.all("problem")
    until(lambda: not (project.path / ".hotrun").exists(), "nothing to be left in the project")
