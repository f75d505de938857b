"""The terminal is left as it was found: a real pty, and an app that spoils it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

import pytest
from live import environment, until

if TYPE_CHECKING:
    from live import Project

SPOIL = """
import os, signal, sys, time, tty
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
fd = os.open("/dev/tty", os.O_RDWR)
tty.setraw(fd)
open(sys.argv[1], "w").write("spoilt")
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_app_that_spoils_the_terminal_is_undone_at_our_end(
    project: Project, number: signal.Signals
) -> None:
    notes = project.out / "notes"
    app = project.write("app.py", SPOIL)
    project.write("hotrun.toml", f"[run]\ncommand = '{sys.executable} {app} {notes}'\n")
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    # A session of its own, whose controlling terminal this becomes when it is opened first.
    start = "import os, sys; os.close(os.open(sys.argv[1], 2)); os.execv(sys.argv[2], sys.argv[2:])"
    hotrun = subprocess.Popen(
        [sys.executable, "-c", start, os.ttyname(theirs), sys.executable, "-m", "hotrun", "run"],
        cwd=project.path,
        env=environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    try:
        until(lambda: notes.exists() and notes.read_text() == "spoilt", "the app to spoil it")
        assert termios.tcgetattr(theirs) != before
        hotrun.send_signal(number)
        assert hotrun.wait(60) == 128 + number
        assert termios.tcgetattr(theirs) == before
    finally:
        if hotrun.poll() is None:
            hotrun.kill()
            hotrun.wait(60)
        os.close(ours)
        os.close(theirs)
