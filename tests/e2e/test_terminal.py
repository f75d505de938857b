"""hotrun at a real terminal: keys, Ctrl-Z, an app that has it, and an app that spoils it."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import termios
from functools import partial
from typing import TYPE_CHECKING

import pytest
from live import until
from pty_rig import Rig, state

from hotrun.process.terminal import cbreak

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Start
    from live import Project

HOTRUN = (sys.executable, "-m", "hotrun", "run")
# Notes in a file are seen by the test alone, whatever the app does to the terminal.
NOTES = r"""
import os, signal, sys, time, tty
def note(*words):
    with open(sys.argv[1], "a") as file:
        file.write(" ".join(map(str, words)) + "\n")
"""
SPOIL = r"""
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
fd = os.open("/dev/tty", os.O_RDWR)
tty.setraw(fd)
os.write(1, b"\x1b[?1049h\x1b[?25l\x1b[?1003h")
note("spoilt", os.getpid())
time.sleep(600)
"""
SERVE = """
note("serving", os.getpid())
time.sleep(600)
"""


def prepare(project: Project, code: str, config: str = "") -> Path:
    """Write an app and its config; return where it takes notes."""
    notes = project.out / "notes"
    app = project.write("app.py", NOTES + code)
    command = f"command = '{sys.executable} {app} {notes}'"
    project.write("hotrun.toml", f"[run]\n{command}\n{config}\n")
    return notes


def noted(notes: Path, word: str, count: int = 1) -> int:
    """Wait for the note ``WORD PID``, that many times, and return the last pid."""
    found: list[str] = []

    def look() -> bool:
        lines = notes.read_text().splitlines() if notes.exists() else []
        found[:] = [line.split()[-1] for line in lines if line.startswith(word)]
        return len(found) >= count

    until(look, f"the app's note {word!r}, {count} times")
    return int(found[-1])


def has_keys(at: Rig) -> bool:
    return at.settings() == cbreak(at.before)


def local(at: Rig) -> int:
    flags: int = at.settings()[3]
    return flags


# --- left as it was found ---


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_app_that_spoils_the_terminal_is_undone_at_our_end(
    project: Project, number: signal.Signals
) -> None:
    notes = prepare(project, SPOIL)
    with Rig(*HOTRUN, cwd=project.path) as at:
        noted(notes, "spoilt")
        at.until(lambda: not local(at) & termios.ISIG, "the app to spoil it")
        at.send(number)
        assert at.ends() == 128 + number
        assert at.settings() == at.before
        for undone in ("\x1b[?1049l", "\x1b[?7;25h"):
            at.until(partial(is_after, at, undone, "\x1b[?1003h"), repr(undone))


def is_after(at: Rig, text: str, mark: str) -> bool:
    """Whether a text came after the last mark; what a terminal is sent takes a moment."""
    return text in at.text.rpartition(mark)[2]


def test_an_app_that_is_killed_leaves_the_terminal_whole(project: Project) -> None:
    notes = prepare(project, SPOIL)
    with Rig(*HOTRUN, cwd=project.path) as at:
        pid = noted(notes, "spoilt")
        at.until(lambda: not local(at) & termios.ISIG, "the app to spoil it")
        at.send(signal.SIGKILL, pid)
        at.until(lambda: has_keys(at), "the settings for keys")
        at.wait_for("\x1b[?1049l")
        at.type("q")
        assert at.ends() == 0
        assert at.settings() == at.before


def test_our_own_sigkill_leaves_the_settings_whole(project: Project) -> None:
    notes = prepare(project, SERVE)
    with Rig("sh", "-c", '"$@"; exec sleep 600', "sh", *HOTRUN, cwd=project.path) as at:
        app = noted(notes, "serving")
        at.until(lambda: has_keys(at), "keys")
        with open(f"/proc/{app}/stat", encoding="ascii") as file:
            hotrun = int(file.read().rpartition(")")[2].split()[1])
        at.send(signal.SIGKILL, hotrun)
        at.until(lambda: at.settings() == at.before, "the settings as they were")


@pytest.mark.parametrize("more", ["", 'stdin = "terminal"'])
def test_our_own_sigkill_undoes_what_the_app_had_done(project: Project, more: str) -> None:
    notes = prepare(project, SPOIL, more)
    with Rig("sh", "-c", '"$@"; exec sleep 600', "sh", *HOTRUN, cwd=project.path) as at:
        app = noted(notes, "spoilt")
        at.until(lambda: not local(at) & termios.ISIG, "the app to spoil it")
        with open(f"/proc/{app}/stat", encoding="ascii") as file:
            hotrun = int(file.read().rpartition(")")[2].split()[1])
        at.send(signal.SIGKILL, hotrun)
        at.until(lambda: at.settings() == at.before, "the settings as they were")
        at.until(lambda: "\x1b[?1049l" in at.text.rpartition("\x1b[?1003h")[2], "its own screen")


# --- keys ---


def test_keys_restart_and_quit(project: Project) -> None:
    notes = prepare(project, SERVE)
    with Rig(*HOTRUN, cwd=project.path) as at:
        first = noted(notes, "serving")
        at.until(lambda: has_keys(at), "keys")
        at.type("\x1b[A")
        at.type("s")
        assert noted(notes, "serving", 2) != first
        at.type("?")
        at.wait_for("restart the app")
        at.type("q")
        assert at.ends() == 0
        assert at.settings() == at.before


def test_ctrl_c_ends_us_while_keys_are_on(project: Project) -> None:
    notes = prepare(project, SERVE)
    with Rig(*HOTRUN, cwd=project.path) as at:
        noted(notes, "serving")
        at.until(lambda: has_keys(at), "keys")
        at.type("\x03")
        assert at.ends() == 130
        assert at.settings() == at.before


@pytest.mark.parametrize(("words", "ci"), [(["--no-keys"], ""), ([], "true")])
def test_without_keys_nothing_is_changed(project: Project, words: list[str], ci: str) -> None:
    notes = prepare(project, SERVE)
    with Rig(*HOTRUN, *words, cwd=project.path, env={"CI": ci}) as at:
        noted(notes, "serving")
        at.type("s\n")
        at.type("\x03")
        assert at.ends() == 130
        assert at.settings() == at.before
        assert notes.read_text().count("serving") == 1


# --- what the app reads ---


def test_an_app_that_reads_finds_the_end(project: Project) -> None:
    notes = prepare(project, 'note(repr(sys.stdin.read()), "is all for", os.getpid())' + SERVE)
    with Rig(*HOTRUN, cwd=project.path) as at:
        noted(notes, "'' is all for")
        at.type("q")
        assert at.ends() == 0


def test_an_app_can_have_the_terminal(project: Project) -> None:
    code = 'note(repr(sys.stdin.readline()), "came to", os.getpid())' + SERVE
    notes = prepare(project, f'note("asks", os.getpid())\n{code}', 'stdin = "terminal"')
    with Rig(*HOTRUN, cwd=project.path) as at:
        app = noted(notes, "asks")
        at.until(lambda: at.foreground == app, "the app in the foreground")
        at.type("quit\n")
        noted(notes, "'quit\\n' came to")
        project.write("app.py", (project.path / "app.py").read_text() + "\n# changed\n")
        second = noted(notes, "asks", 2)
        at.until(lambda: at.foreground == second, "the next app in the foreground")
        at.type("again\n")
        assert noted(notes, "'again\\n' came to") == second
        at.type("\x03")
        assert at.ends() == 130
        assert at.settings() == at.before


def test_an_app_that_waits_for_the_terminal_is_explained(project: Project) -> None:
    code = 'note("asks", os.getpid())\nopen("/dev/tty").readline()\n'
    notes = prepare(project, code + SERVE)
    with Rig(*HOTRUN, cwd=project.path) as at:
        app = noted(notes, "asks")
        at.wait_for('stdin = "terminal"')
        assert state(app) == "T"
        at.type("q")
        assert at.ends() == 0
        assert not os.path.exists(f"/proc/{app}")


@pytest.mark.parametrize("stdin", ["null", "terminal"])
def test_a_command_before_the_app_that_waits_for_the_terminal_is_explained(
    project: Project, stdin: str
) -> None:
    prepare(project, SERVE, f"stdin = '{stdin}'\nbefore = ['read answer </dev/tty']")
    with Rig(*HOTRUN, cwd=project.path) as at:
        at.wait_for("the command in run.before (pid ")
        at.wait_for("only the app can have the terminal: have it ask nothing")
        at.type("\x03")
        assert at.ends() == 130


def test_a_terminal_that_is_not_there_is_told(project: Project, start: Start) -> None:
    prepare(project, SERVE, 'stdin = "terminal"')
    problem = start().wait_for("problem", severity="warning")
    assert problem["message"] == 'run.stdin = "terminal", and there is no terminal'
    assert problem["hint"] == "the app reads from /dev/null; start hotrun where somebody can type"


# --- Ctrl-Z ---


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("stdin", ["null", "terminal"])
def test_ctrl_z_and_fg_come_back_whole(project: Project, stdin: str, *, wrapped: bool) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    notes = prepare(project, SERVE, f'stdin = "{stdin}"')
    words = (bash, "--norc", "--noprofile", "-i")
    line = "$PY -m hotrun run"
    env = {"PY": sys.executable, "PS1": "ready> "}
    with Rig(*words, cwd=project.path, env=env) as at:
        at.wait_for("ready> ")
        at.type(f"sh -c '{line}; true'\n" if wrapped else f"{line}\n")
        app = noted(notes, "serving")

        def is_back() -> bool:
            return at.foreground == app if stdin == "terminal" else has_keys(at)

        at.until(is_back, "the terminal to be set up")
        at.type("\x1a")
        at.wait_for("Stopped")
        at.until(lambda: state(app) == "T", "the app to be stopped")
        at.type("stty -a; echo that was $((1 + 1))\n")
        at.wait_for("that was 2")
        assert " icanon" in at.text
        at.type("fg\n")
        at.until(is_back, "the terminal to be set up again")
        at.until(lambda: state(app) == "S", "the app to go on")
        at.type("\x03")
        at.until(lambda: not os.path.exists(f"/proc/{app}"), "the end of the app")
        at.type("echo and that was $((1 + 2))\n")
        at.wait_for("and that was 3")
