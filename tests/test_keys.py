"""Single keys: what is one, and what only looks like one; read from a real terminal."""

from __future__ import annotations

import asyncio
import io
import os
import pty
import shutil
import sys
import termios
import time
from typing import TYPE_CHECKING

import pytest
from live import DEADLINE, PAUSE
from pty_rig import Rig

from hotrun.ui import keys
from hotrun.ui.keys import ACTIONS, HELP, MOST, TOGETHER, Decoder, Keys

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LATER = TOGETHER * 2


@pytest.mark.parametrize(
    ("typed", "actions"),
    [
        (b"r", ["rebuild"]),
        (b"s", ["restart"]),
        (b"p", ["pause"]),
        (b"c", ["clear"]),
        (b"e", ["explain"]),
        (b"?", ["help"]),
        (b"h", ["help"]),
        (b"q", ["quit"]),
        (b"\n", ["line"]),
        (b"\r", ["line"]),
        (b"r\n", ["rebuild", "line"]),  # from a terminal whose lines somebody put back
        (b"rr", ["rebuild", "rebuild"]),
        (b"xR \t\x04\x7f\x00", []),
        ("é".encode(), []),
        (b"\xff\xf2\x80", []),
        (b"\x1b", []),
        (b"\x1b[A\x1b[B\x1b[C\x1b[D", []),  # arrow keys
        (b"\x1b[1;5C", []),  # with Ctrl
        (b"\x1bOP\x1bOq", []),  # F1; q of the other keypad
        (b"\x1b[[A", []),  # F1 of the Linux console
        (b"\x1b[3~\x1b[200~q\x1b[201~", []),  # Delete; a short paste
        (b"\x1br", []),  # Alt-r
        (b"\x1b[M rs", []),  # a click
        (b"\x1b[<0;12;5M\x1b[<0;12;5m", []),  # the same, in the new style
        (b"\x1b[?62;c", []),  # what it answers to "who are you"
        (b"\x1b]11;rgb:cc/ee/ss\x1b\\", []),  # and to "which background"
        (b"\x1bP>|xterm(370)\x1b\\", []),
        (b"\x1b[As", ["restart"]),
        (b"q\x1b[A", ["quit"]),
        (b"ls -l; q\n", []),  # a paste
        (b"\x1b[200~make test && echo q", []),
    ],
)
def test_what_is_a_key(typed: bytes, actions: list[str]) -> None:
    assert Decoder().actions(typed, LATER) == actions


@pytest.mark.parametrize("typed", [b"\x1b[A", b"\x1bOs", b"\x1b[1;5C", b"\x1b[[E", b"\x1b[M rs"])
def test_a_sequence_that_comes_in_parts_is_still_none(typed: bytes) -> None:
    for at in range(1, len(typed)):
        decoder = Decoder()
        assert decoder.actions(typed[:at], 1.0) == []
        assert decoder.actions(typed[at:], 1.0 + TOGETHER / 2) == []
        assert decoder.actions(b"r", 1.0 + LATER) == ["rebuild"]


def test_a_key_after_esc_counts() -> None:
    decoder = Decoder()
    assert decoder.actions(b"\x1b", 1.0) == []
    assert decoder.actions(b"q", 1.0 + LATER) == ["quit"]


@pytest.mark.parametrize("head", [b"make test\n" * 400, b"\x1b[200~s"])
def test_the_last_bit_of_a_paste_is_no_key(head: bytes) -> None:
    decoder = Decoder()
    assert decoder.actions(head, 1.0) == []
    assert decoder.actions(b"q\n", 1.0 + TOGETHER / 2) == []
    assert decoder.actions(b"q", 1.0 + TOGETHER / 2 + LATER) == ["quit"]


def test_the_help_names_every_action_once() -> None:
    lines = HELP.splitlines()
    assert len(lines) == len(set(ACTIONS.values()))
    for line in lines:
        key = line.split()[0]
        assert ACTIONS["\n" if key == "Enter" else key]


# --- reading ---


class Seat:
    """Somebody at a terminal, in the foreground or not."""

    foreground = True
    closed = False

    def keys_on(self) -> bool:
        return self.foreground


class Reading:
    """Keys of a pty, in a loop."""

    def __init__(self) -> None:
        self.ours, self.theirs = pty.openpty()
        os.set_blocking(self.theirs, False)
        self.seat = Seat()
        self.heard: list[str] = []
        self.loop = asyncio.new_event_loop()
        self.keys = Keys(self.loop, self.seat, self.theirs, self.heard.append)

    def until(self, predicate: Callable[[], object], what: str) -> None:
        async def wait() -> None:
            end = time.monotonic() + DEADLINE
            while not predicate():
                assert time.monotonic() < end, f"waited {DEADLINE:g} s for {what}: {self.heard}"
                await asyncio.sleep(PAUSE)

        self.loop.run_until_complete(wait())

    def close(self) -> None:
        self.keys.stop()
        self.loop.close()
        for fd in {self.ours, self.theirs} - {-1}:
            os.close(fd)


@pytest.fixture
def reading() -> object:
    at = Reading()
    yield at
    at.close()


def test_keys_are_heard_while_started(reading: Reading) -> None:
    reading.keys.start()
    reading.keys.start()
    os.write(reading.ours, b"r\n")
    reading.until(lambda: reading.heard == ["rebuild", "line"], "r and Enter")
    reading.keys.stop()
    reading.keys.stop()
    os.write(reading.ours, b"q\n")
    reading.keys.start()
    reading.until(lambda: len(reading.heard) == 4, "q, which waited")


def test_a_terminal_that_was_closed_ends_the_reading(reading: Reading) -> None:
    reading.keys.start()
    os.close(reading.ours)
    reading.ours = -1
    reading.seat.foreground, reading.seat.closed = False, True
    reading.until(lambda: not reading.keys.started, "the end of the reading")
    assert reading.heard == []
    assert not reading.loop.remove_reader(reading.theirs)
    reading.keys.start()
    assert not reading.keys.started
    assert reading.keys._again is None


def test_a_terminal_that_ends_while_we_have_it_ends_the_reading(reading: Reading) -> None:
    reading.keys.start()
    os.close(reading.ours)
    reading.ours = -1
    reading.until(lambda: not reading.keys.started, "the end of the reading")
    assert reading.keys._again is None


def test_in_the_background_nothing_is_read(reading: Reading) -> None:
    reading.keys.start()
    reading.seat.foreground = False
    os.write(reading.ours, b"ls\n")
    reading.until(lambda: not reading.keys.started, "the end of the reading")
    reading.keys.start()
    assert not reading.keys.started
    assert os.read(reading.theirs, 100) == b"ls\n"
    reading.seat.foreground = True
    reading.until(lambda: reading.keys.started, "keys, without being told of `fg`")
    os.write(reading.ours, b"q\n")
    reading.until(lambda: reading.heard == ["quit", "line"], "q")


def test_nobody_looks_for_the_foreground_after_a_stop(reading: Reading) -> None:
    reading.seat.foreground = False
    reading.keys.start()
    assert reading.keys._again is not None
    reading.keys.stop()
    assert reading.keys._again is None


# --- with the terminal ---

ASK = """
import asyncio, io, os, signal, sys
from hotrun.process.terminal import Terminal
from hotrun.ui.keys import Keys, available
terminal = Terminal.found()
print("pid", os.getpid(), flush=True)
print("available", available(sys.stdin, sys.stdout, terminal, os.environ), flush=True)
"""
READ = """
loop = asyncio.new_event_loop()
def act(action):
    print(action, flush=True)
    if action == "quit":
        loop.stop()
keys = Keys(loop, terminal, 0, act)
loop.add_signal_handler(signal.SIGCONT, keys.start)  # as the session does
keys.start()
print("started", flush=True)
loop.run_forever()
print("ended", keys.started, flush=True)
"""


def test_single_keys_of_a_terminal() -> None:
    with Rig(sys.executable, "-c", ASK + READ) as at:
        at.wait_for("available True")
        at.wait_for("started")
        at.type("r")
        at.wait_for("rebuild")
        at.type("\x1b[A")
        at.type("\n")
        at.wait_for("line")
        at.type("q")
        at.wait_for("quit")
        at.wait_for("ended True")
        words = at.text.partition("started")[2].split()
        assert words == ["rebuild", "line", "quit", "ended", "True"]


LATE = """
import asyncio, os
from hotrun.ui.keys import Keys
class Seat:
    foreground, closed = True, False
    def keys_on(self):
        return True
pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    loop = asyncio.new_event_loop()
    keys = Keys(loop, Seat(), 0, print)
    keys.start()
    print("started", flush=True)
    while keys.started:
        loop.run_until_complete(asyncio.sleep(0.001))
    os._exit(0)
_, status = os.waitpid(pid, os.WUNTRACED)
print("stopped" if os.WIFSTOPPED(status) else f"ended {status}", flush=True)
"""


def test_a_read_that_comes_too_late_does_not_stop_us() -> None:
    """We have just been put into the background, and do not know it yet."""
    with Rig(sys.executable, "-c", LATE) as at:
        at.wait_for("started")
        at.type("r\n")
        at.wait_for("ended 0")


def test_keys_come_back_with_fg_of_a_job_that_runs(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    (tmp_path / "keys.py").write_text(ASK + READ)
    words = (bash, "--norc", "--noprofile", "-i")
    with Rig(*words, cwd=tmp_path, env={"PY": sys.executable, "PS1": "ready> "}) as at:
        at.wait_for("ready> ")
        at.type("$PY keys.py\n")
        at.wait_for("started")
        job = at.number("pid")
        at.type("\x1a")
        at.wait_for("Stopped")
        at.type("bg\n")
        at.wait_for("keys.py &")
        at.type("echo e r q $((1 + 1))\n")  # read by bash alone
        at.wait_for("e r q 2")
        at.type("fg\n")
        at.until(lambda: at.foreground == job, "the foreground")
        at.until(lambda: not at.settings()[3] & termios.ICANON, "the keys")
        at.type("p")
        at.wait_for("pause")
        at.type("q")
        at.wait_for("ended True")
        assert "explain" not in at.text
        assert "rebuild" not in at.text


@pytest.mark.parametrize("ci", ["1", "true"])
def test_there_are_no_keys_in_ci(ci: str) -> None:
    with Rig(sys.executable, "-c", ASK, env={"CI": ci}) as at:
        at.wait_for("available False")


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_there_are_no_keys_without_somebody_who_types_and_sees(stream: str) -> None:
    code = ASK.replace("flush=True", "file=sys.stderr")
    ours, theirs = os.pipe()
    fd = {"stdin": ours, "stdout": theirs}[stream]
    with Rig(sys.executable, "-c", code, **{stream: fd}) as at:
        at.wait_for("available False")
    os.close(ours)
    os.close(theirs)


def test_there_are_no_keys_of_a_terminal_that_is_not_ours() -> None:
    ours, theirs = pty.openpty()
    with Rig(sys.executable, "-c", ASK, stdin=theirs) as at:
        at.wait_for("available False")
    os.close(ours)
    os.close(theirs)


def test_there_are_no_keys_in_the_background() -> None:
    code = "import os\nif os.fork() == 0:\n    os.setpgid(0, 0)\nelse:\n    os.wait()\n"
    with Rig(sys.executable, "-c", code + ASK) as at:
        at.wait_for("available True")
        assert at.text.index("available False") < at.text.index("available True")


def test_there_are_no_keys_without_a_terminal() -> None:
    assert not keys.available(io.StringIO(), io.StringIO(), None, {})


def test_a_held_key_is_many_and_a_word_is_none() -> None:
    assert Decoder().actions(b"r" * MOST, LATER) == ["rebuild"] * MOST
    assert Decoder().actions(b"r" * (MOST + 1), LATER) == []
