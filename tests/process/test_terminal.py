"""The terminal: borrowed, lent and given back whole. Real ptys, real children, a real shell."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
from typing import TYPE_CHECKING

import pytest
from live import DEADLINE, until
from pty_rig import Rig, state

from hotrun.process import terminal as terminals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What the programs of the tests have in common: they take steps when told so (SIGUSR1), and
# speak on stderr, which may be a file.
PRELUDE = """
import os, select, signal, subprocess, sys, termios, time, tty
from hotrun.process.terminal import Terminal, kept
def is_stopped(pid):  # by which signal; the kernel's answer stays for whoever reaps (WNOWAIT)
    try:
        found = os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return 0
    return found.si_status if found is not None and found.si_code == os.CLD_STOPPED else 0
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
def say(*words):
    os.write(2, (" ".join(map(str, words)) + "\\n").encode())
def step():
    signal.sigwaitinfo({signal.SIGUSR1})
def until(predicate):
    end = time.monotonic() + 60
    while not predicate():
        assert time.monotonic() < end
        time.sleep(0.002)
def child(code):
    return subprocess.Popen([sys.executable, "-ISc", CHILD + code], process_group=0)
CHILD = '''
import os, signal, sys, termios, time, tty
def say(*words):
    os.write(2, (" ".join(map(str, words)) + "\\\\n").encode())
'''
terminal = Terminal.found()
"""
SPOILT = r"""
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
tty.setraw(0)
os.write(1, b"\x1b[?1049h\x1b[?25l\x1b[?1003h\x1b[31m\n")
say("spoilt", os.getpid())
time.sleep(600)
"""


def rig(code: str, **keywords: object) -> Rig:
    return Rig(sys.executable, "-c", PRELUDE + code, **keywords)


def step(at: Rig, name: str = "pid") -> None:
    """Let the program take its next step."""
    at.send(signal.SIGUSR1, at.number(name))


def local(at: Rig) -> int:
    flags: int = at.settings()[terminals.LFLAG]
    return flags


# --- keys ---

KEYS = """
say("pid", os.getpid())
say("on", terminal.keys_on())
step()
terminal.keys_off()
say("off")
step()
"""


def test_keys_change_lines_and_echo_and_nothing_else() -> None:
    with rig(KEYS) as at:
        at.wait_for("on True")
        settings = at.settings()
        assert not local(at) & (termios.ICANON | termios.ECHO)
        assert local(at) & termios.ISIG
        assert settings[terminals.CC][termios.VMIN] == 1
        assert settings[terminals.CC][termios.VTIME] == 0
        changed = [n for n, value in enumerate(settings) if value != at.before[n]]
        assert changed == [terminals.LFLAG, terminals.CC]
        step(at)
        at.wait_for("off")
        assert at.settings() == at.before


def test_the_settings_are_known_before_the_keys_are_on() -> None:
    code = "say(terminal.path, terminal.saved == termios.tcgetattr(0))\nterminal.keys_on()\n"
    with rig(code + "say('as told', terminal.cbreak == termios.tcgetattr(0))") as at:
        at.wait_for(f"{at.name} True")
        at.wait_for("as told True")


def test_ctrl_c_still_signals_while_keys_are_on() -> None:
    with rig("signal.signal(signal.SIGINT, lambda *_: say('interrupted'))\n" + KEYS) as at:
        at.wait_for("on True")
        at.type("\x03")
        at.wait_for("interrupted")


def test_a_program_without_a_terminal_has_none() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + "with kept() as it: say(terminal, it)"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=DEADLINE,
        check=True,
    )
    assert done.stderr == "None None\n"


def test_its_name_is_known_when_only_one_stream_leads_to_it() -> None:
    null = subprocess.DEVNULL
    with rig("say('it is', terminal.path)", stdin=null, stdout=null) as at:
        at.wait_for(f"it is {at.name}")


# --- the background ---

# The program is put into the background by one that does what a shell does.
BACKGROUND = """
import os, signal, sys
pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
_, status = os.waitpid(pid, os.WUNTRACED)
os.write(2, b"stopped\\n" if os.WIFSTOPPED(status) else b"ended %d\\n" % status)
signal.pause()
"""


@pytest.mark.parametrize("stops", ["tostop", "-tostop"])
def test_in_the_background_nothing_is_touched(stops: str) -> None:
    code = """
other = subprocess.Popen(["sleep", "600"], process_group=0)
terminal.keys_on()
terminal.restore(screen=True)
terminal.give(other.pid)
terminal.take()
terminal.keys_off()
terminal.restore(screen=True)
other.kill()
os._exit(not (terminal.foreground is False and termios.tcgetattr(0) == terminal.saved))
"""
    shell = 'stty "$0" && exec "$@"'
    python = [sys.executable, "-c", BACKGROUND, PRELUDE + code]
    with Rig("sh", "-c", shell, stops, *python) as at:
        at.wait_for("ended 0")
        assert at.text == "ended 0\r\n"
        assert at.foreground == at.pid


def test_a_terminal_that_nobody_has_just_now_is_the_shells() -> None:
    """A command of the shell ended, and the shell has not taken the terminal back yet."""
    code = """
if os.fork() == 0:
    os.setpgid(0, 0)
    terminal = Terminal.found()
    say("pid", os.getpid())
    step()
    terminal.restore(screen=True)
    terminal.take()
    say("on", terminal.keys_on(), terminal.foreground)
    os._exit(0)
other = child("")
os.tcsetpgrp(0, other.pid)
other.wait()
say("ended")
signal.pause()
"""
    with rig(code) as at:
        at.wait_for("ended")
        owner = at.foreground
        step(at)
        at.wait_for("on False False")
        assert at.foreground == owner
        assert at.settings() == at.before


# --- what a child left ---

KILLED = f"""
app = child({SPOILT!r})
step()
app.kill()
app.wait()
say("gone")
terminal.restore(screen=True)
say("restored")
step()
"""


def test_a_killed_app_leaves_no_trace_on_the_terminal() -> None:
    with rig("say('pid', os.getpid())\n" + KILLED) as at:
        at.number("spoilt")
        assert at.settings() != at.before
        step(at)
        at.wait_for("restored")
        assert at.settings() == at.before
        after = at.text.partition("gone")[2]
        for sequence in ("\x1b[?7;25h", "\x1b[?1049l", ";1003;", "\x1b[0m"):
            assert sequence in after


def test_keys_are_on_again_after_an_app_that_spoilt_the_settings() -> None:
    with rig("say('pid', os.getpid())\nterminal.keys_on()\n" + KILLED) as at:
        at.number("spoilt")
        step(at)
        at.wait_for("restored")
        assert not local(at) & termios.ICANON
        assert local(at) & termios.ISIG


def test_a_dumb_terminal_gets_no_sequences() -> None:
    with rig("say('pid', os.getpid())\n" + KILLED, env={"TERM": "dumb"}) as at:
        at.number("spoilt")
        step(at)
        at.wait_for("restored")
        assert "\x1b" not in at.text.partition("gone")[2]


def test_the_screen_is_left_alone_while_somebody_has_it() -> None:
    with rig("terminal.restore()\nsay('restored')") as at:
        at.wait_for("restored")
        assert "\x1b" not in at.text


def test_the_terminal_comes_back_from_an_app_that_took_it_and_was_killed() -> None:
    takes = f"signal.signal(signal.SIGTTOU, signal.SIG_IGN)\nos.tcsetpgrp(0, os.getpid())\n{SPOILT}"
    with rig("say('pid', os.getpid())\n" + KILLED.replace(repr(SPOILT), repr(takes))) as at:
        app = at.number("spoilt")
        assert at.foreground == app
        step(at)
        at.wait_for("restored")
        assert at.foreground == at.pid
        assert at.settings() == at.before


def test_a_process_of_another_session_can_restore_it_for_us() -> None:
    code = """
if os.fork() == 0:
    os.setsid()
    say("pid", os.getpid())
    step()
    termios.tcsetattr(terminal.fd, termios.TCSANOW, terminal.saved)
    os.write(terminal.fd, terminal.reset)
    say("restored")
    os._exit(0)
tty.setraw(0)
step()
"""
    with rig(code) as at:
        at.until(lambda: at.settings() != at.before, "raw")
        at.number("pid")  # out of our session: SIGHUP does not reach it
        at.send(signal.SIGKILL)
        at.ends()
        step(at)
        at.wait_for("restored")
        assert at.settings() == at.before
        at.wait_for("\x1b[?7;25h")


@pytest.mark.parametrize("end", ["", "raise SystemExit(3)", "1 / 0"])
def test_however_we_end_it_is_kept(end: str) -> None:
    code = """
with kept() as terminal:
    terminal.keys_on()
    tty.setraw(0)
    say("raw")
"""
    with rig(f"{code}    {end}\n") as at:
        at.ends()
        at.wait_for("raw")
        assert at.settings() == at.before
        at.wait_for("\x1b[?7;25h")


# --- a terminal that went away, or takes nothing ---

ALL = """
terminal.restore(screen=True)
terminal.keys_on()
terminal.give(os.getpgrp())
terminal.take()
terminal.resume()
terminal.keys_off()
terminal.restore(screen=True)
say("foreground", terminal.foreground)
terminal.close()
terminal.close()
terminal.restore(screen=True)
"""


def test_a_terminal_that_was_closed_is_no_error(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = """
signal.signal(signal.SIGHUP, lambda *_: say("hung up"))
say("ready")
step()
"""
    with log.open("wb") as file, rig(code + ALL, stderr=file) as at:
        until(lambda: "ready" in log.read_text(), "the program to be ready")
        at.hang_up()
        until(lambda: "hung up" in log.read_text(), "SIGHUP")
        at.send(signal.SIGUSR1)
        assert at.ends() == 0
        assert "foreground False" in log.read_text()


def test_a_terminal_that_takes_no_output_holds_nobody_up(tmp_path: Path) -> None:
    code = """
room = select.poll()
room.register(terminal.fd, select.POLLOUT)
until(lambda: not room.poll(0))
terminal.keys_on()
""" + ALL.replace("terminal.give(os.getpgrp())", "")
    with (tmp_path / "log").open("wb") as file, rig(code, stderr=file) as at:
        at.type("\x13")  # Ctrl-S
        assert at.ends() == 0
        assert at.settings() == at.before


# --- lending ---

LEND = """
app = child('''
say("app", os.getpid())
say("read", os.read(0, 100))
signal.sigwait({signal.SIGUSR1})
say("again", os.read(0, 100))
time.sleep(600)
''')
say("pid", os.getpid())
until(lambda: is_stopped(app.pid))
say("stopped by", signal.Signals(is_stopped(app.pid)).name)
step()
terminal.keys_on()
terminal.give(app.pid)
say("given", is_stopped(app.pid))
say("keys", terminal.keys_on())
step()
terminal.take()
say("taken", terminal.foreground)
step()
app.kill()
app.wait()
"""


def test_the_terminal_is_lent_to_an_app_and_taken_back() -> None:
    with rig(LEND) as at:
        at.wait_for("stopped by SIGTTIN")
        app = at.number("app")
        assert state(app) == "T"
        step(at)
        at.wait_for("given")
        assert at.foreground == app
        assert at.settings() == at.before  # the app's lines and echo, whoever had keys before
        at.wait_for("keys False")
        at.type("hello\n")
        at.wait_for("read b'hello\\n'")
        step(at)
        at.wait_for("taken True")
        assert at.foreground == at.pid
        step(at, "app")
        at.until(lambda: state(app) == "T", "the app to be stopped when it reads again")
        step(at)
        assert at.ends() == 0


def test_ctrl_c_goes_to_the_app_alone_while_it_has_the_terminal() -> None:
    app = "signal.signal(signal.SIGINT, lambda *_: say('app heard it'))\n"
    app += "say('app', os.getpid())\nwhile True: time.sleep(600)\n"
    code = f"""
signal.signal(signal.SIGINT, lambda *_: say("we heard it"))
app = child({app!r})
terminal.give(app.pid)
say("given")
step()
"""
    with rig(code) as at:
        at.number("app")
        at.wait_for("given")
        at.type("\x03")
        at.wait_for("app heard it")
        assert "we heard it" not in at.text


def test_an_app_that_is_gone_gets_nothing() -> None:
    code = """
app = child("")
app.wait()
terminal.give(app.pid)
say("owner", terminal.foreground)
terminal.take()
terminal.keys_on()
say("keys", not termios.tcgetattr(0)[3] & termios.ICANON)
"""
    with rig(code) as at:
        at.wait_for("owner True")
        at.wait_for("keys True")


# --- Ctrl-Z ---

SUSPEND = """
def stop():
    say("stop", terminal.foreground, termios.tcgetattr(0) == terminal.saved)
def go_on():
    say("go on", terminal.foreground)
signal.signal(signal.SIGTSTP, lambda *_: terminal.suspend(stop, go_on, group=GROUP))
signal.signal(signal.SIGCONT, lambda *_: say("continued", terminal.resume()))
terminal.keys_on()
say("pid", os.getpid())
step()
say("resumed", terminal.resume())
step()
terminal.keys_off()
say("finished")
"""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Rig]:
    """An interactive bash, in whose directory lies a program for Ctrl-Z."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    for name, group in (("alone", False), ("all", True)):
        code = PRELUDE + SUSPEND.replace("GROUP", str(group))
        (tmp_path / f"{name}.py").write_text(code)
    words = (bash, "--norc", "--noprofile", "-i")
    with Rig(*words, cwd=tmp_path, env={"PY": sys.executable, "PS1": "ready> "}) as at:
        at.wait_for("ready> ")
        yield at


def finish(at: Rig) -> None:
    step(at)
    at.wait_for("resumed True")
    assert has_keys(at)
    step(at)
    at.wait_for("finished")


def has_keys(at: Rig) -> bool:
    """Whether the program has keys: no lines, but Ctrl-C and Enter as they were."""
    return at.settings() == terminals.cbreak(at.before)


def stty(at: Rig) -> set[str]:
    """The settings that a command finds which the shell runs now."""
    at.type("stty -a; echo that was $((1 + 1))\n")
    at.wait_for("that was 2")
    return set(at.text.rpartition("speed")[2].split())


def test_ctrl_z_and_fg_come_back_whole(shell: Rig) -> None:
    shell.type("$PY alone.py\n")
    pid = shell.number("pid")
    shell.until(lambda: has_keys(shell), "keys")
    shell.type("\x1a")
    shell.wait_for("Stopped")
    assert "stop True True" in shell.text
    assert state(pid) == "T"
    shell.wait_for("ready> ", 2)
    assert {"icanon", "echo"} <= stty(shell)
    shell.type("fg\n")
    shell.wait_for("go on True")
    shell.until(lambda: has_keys(shell), "keys again")
    finish(shell)
    shell.type("echo code $?\n")
    shell.wait_for("code 0")


def test_after_bg_there_are_no_keys_until_fg(shell: Rig) -> None:
    shell.type("$PY alone.py\n")
    pid = shell.number("pid")
    shell.until(lambda: has_keys(shell), "keys")
    shell.type("\x1a")
    shell.wait_for("Stopped")
    assert "stop True True" in shell.text
    shell.type("bg\n")
    shell.wait_for("go on False")
    assert {"icanon", "echo"} <= stty(shell)
    assert state(pid) == "S"
    shell.type("fg\n")
    shell.until(lambda: shell.foreground == pid, "the foreground")
    finish(shell)


def test_what_the_user_sets_while_we_are_stopped_stays(shell: Rig) -> None:
    shell.type("$PY alone.py\n")
    shell.until(lambda: has_keys(shell), "keys")
    shell.type("\x1a")
    shell.wait_for("Stopped")
    shell.type("stty -ixon; fg\n")
    shell.wait_for("go on True")
    step(shell)
    shell.wait_for("resumed True")
    assert not shell.settings()[0] & termios.IXON


def test_ctrl_z_stops_a_script_that_started_us_too(shell: Rig) -> None:
    """The app has the terminal, so that Ctrl-Z reached nobody but the app."""
    shell.type("sh -c '$PY all.py; true'\n")
    pid = shell.number("pid")
    shell.until(lambda: has_keys(shell), "keys")
    shell.send(signal.SIGTSTP, pid)
    shell.wait_for("Stopped")
    assert "stop True True" in shell.text
    shell.type("fg\n")
    shell.wait_for("go on True")
    finish(shell)


def test_who_was_started_in_the_background_learns_the_settings_later(shell: Rig) -> None:
    """Bash has its own while it edits a line: they are not the user's."""
    shell.until(lambda: not local(shell) & termios.ICANON, "bash to edit a line")
    shell.type("$PY alone.py &\n")
    pid = shell.number("pid")
    shell.until(lambda: not local(shell) & termios.ICANON, "bash to edit a line")
    shell.type("fg\n")
    shell.until(lambda: shell.foreground == pid, "the foreground")
    finish(shell)
    assert {"icanon", "echo"} <= stty(shell)


def test_the_app_that_has_the_terminal_has_it_again_after_ctrl_z() -> None:
    code = """
app = child("say('app', os.getpid()); time.sleep(600)")
terminal.give(app.pid)
"""
    with rig(code + SUSPEND.replace("GROUP", "True")) as at:
        at.until(lambda: at.foreground == at.number("app"), "the app in the foreground")
        at.number("pid")
        at.send(signal.SIGTSTP)
        at.wait_for("stop True True")
        at.wait_for("go on False")
        assert at.foreground == at.number("app")
        assert at.settings() == at.before


def test_where_no_shell_would_wake_us_ctrl_z_goes_on() -> None:
    with rig(SUSPEND.replace("GROUP", "False")) as at:
        at.number("pid")
        at.type("\x1a")
        at.wait_for("go on True")
        assert has_keys(at)
        finish(at)
        assert at.ends() == 0


# --- what a terminal makes of it ---

SHOW = r"""
def title(text):
    os.write(1, b"\x1b]2;%s\x1b\\" % text)
os.write(1, b"\x1b[?1049h\x1b[?1049l")  # an editor was here before: its place is remembered
os.write(1, b"one\r\ntwo\r\nthree")
title(b"begun")
step()
terminal.restore(screen=True)
title(b"not moved")
step()
os.write(1, b"\x1b[?1049h\x1b[9;9Hhello\x1b[4;31m\x1b[3;5r")
os.write(1, b"\x1b[?25l\x1b[?1003h\x1b[?1h\x1b=\x1b[?7l")
title(b"spoilt")
step()
terminal.restore(screen=True)
title(b"restored")
step()
"""


def test_a_screen_is_whole_again_and_the_cursor_of_a_whole_one_stays() -> None:
    tmux = shutil.which("tmux")
    if tmux is None:
        pytest.skip("no tmux here")
    with tempfile.TemporaryDirectory() as directory:  # a socket's path must be short
        base = [tmux, "-S", f"{directory}/tmux", "-f", os.devnull]

        def ask(*words: str) -> str:
            return subprocess.check_output([*base, *words], text=True)

        def shows(what: str) -> str:
            return ask("display", "-p", what).strip()

        def on_to(name: str) -> None:
            os.kill(int(shows("#{pane_pid}")), signal.SIGUSR1)
            until(lambda: shows("#{pane_title}") == name, f"the title {name}")

        size = ("-x", "80", "-y", "24")
        ask("new-session", "-d", *size, sys.executable, "-c", PRELUDE + SHOW)
        try:
            until(lambda: shows("#{pane_title}") == "begun", "the program to begin")
            assert shows("#{cursor_x},#{cursor_y}") == "5,2"
            on_to("not moved")
            assert shows("#{cursor_x},#{cursor_y}") == "5,2"
            modes = (
                "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{keypad_flag} "
                "#{keypad_cursor_flag} #{wrap_flag} #{scroll_region_upper}"
            )
            on_to("spoilt")
            assert shows(modes) == "1 0 1 1 1 0 2"
            on_to("restored")
            assert shows(modes) == "0 1 0 0 0 1 0"
            assert ask("capture-pane", "-p").split() == ["one", "two", "three"]
        finally:
            subprocess.run([*base, "kill-server"], check=False)
