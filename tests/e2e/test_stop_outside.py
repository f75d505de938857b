"""Who has left the app's group: it hears the stop signal in time, and what it begins is let be."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

from app_log import write_app
from live import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from live import Live, Project

    Start = Callable[..., Live]

DEAF = """
def away():
    hear(signal.SIGTERM, who="away", ends=True)
    say("away", os.getpid())
    forever()
fork(away, setsid=True)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
say("app", os.getpid())
forever()
"""

# What it begins to clean up with would not survive a signal; and an orphan that ends meanwhile has
# hotrun look at all who are left.
CLEANS_UP = """
def save():
    time.sleep(0.3)
    fork(lambda: say("orphan"), twice=True)
    time.sleep(0.3)
    say("saved")
def clean(*_):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.waitpid(fork(save, setsid=True), 0)
    os._exit(0)
def away():
    signal.signal(signal.SIGTERM, clean)
    say("away", os.getpid())
    forever()
fork(away, setsid=True)
hear(signal.SIGTERM, who="app", ends=True)
say("app", os.getpid())
forever()
"""

# Its first process ends at once, and the other one hears nothing.
LEAVES_DEAF = """
def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("deaf", os.getpid())
    forever()
fork(deaf)
hear(signal.SIGTERM, who="app", ends=True)
say("app", os.getpid())
forever()
"""


def test_a_deaf_app_keeps_the_stop_signal_from_nobody(project: Project, start: Start) -> None:
    log = write_app(project, DEAF, more='stop_timeout = "2s"')
    session = start()
    away, app = log.pid_of("away"), log.pid_of("app")
    project.write("main.txt", "changed")
    assert session.wait_for("app_killed")["pids"] == [app]
    session.wait_for("app_exited", run=1)
    assert log.lines().count("away SIGTERM") == 1
    assert not os.path.exists(f"/proc/{away}")


def test_what_is_begun_to_clean_up_is_not_stopped(project: Project, start: Start) -> None:
    log = write_app(project, CLEANS_UP, more='stop_timeout = "1m"')
    session = start()
    log.pid_of("away")
    log.pid_of("app")
    project.write("main.txt", "changed")
    session.wait_for("app_exited", run=1, expected=True)
    assert [line for line in log.lines() if line in ("orphan", "saved")] == ["orphan", "saved"]


def test_who_is_waited_for_is_one_that_lives(project: Project, start: Start) -> None:
    log = write_app(project, LEAVES_DEAF, more='stop_timeout = "3s"')
    session = start()
    deaf = log.pid_of("deaf")
    log.pid_of("app")
    project.write("main.txt", "changed")
    assert session.wait_for("app_lingers")["pid"] == deaf
    assert session.wait_for("app_killed")["pids"] == [deaf]


def test_a_command_beside_the_app_that_is_cut_short_is_told(project: Project, start: Start) -> None:
    log = project.out / "log"
    before = json.dumps([["sh", "-c", f"echo migrating >>{log}; exec sleep 600"]])
    write_app(project, 'say("up")\nforever()\n', more=f"before = {before}")
    session = start()
    until(log.exists, "the command before the app")
    project.write("main.txt", "changed")
    problem = session.wait_for("problem", severity="warning")
    assert problem["message"].startswith("run.before: ")
    assert problem["message"].endswith(" is cut short by SIGTERM")
    assert session.stop(signal.SIGINT) == 130
