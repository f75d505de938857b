"""What is made ready for the app while the compiler runs goes by the config of its start."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from live import Live, Project

APP = 'import signal; print("up", flush=True); signal.pause()'


def test_an_app_is_stopped_as_is_said_while_its_build_ran(
    project: Project, start: Callable[..., Live]
) -> None:
    gate = project.out / "gate"

    def config(stop_signal: str) -> str:
        return f"""
[build]
command = "test ! -e {gate} || cat {gate}"
[run]
command = {json.dumps([sys.executable, "-SE", "-c", APP])}
stop_signal = "{stop_signal}"
"""

    project.write("hotrun.toml", config("SIGTERM"))
    session = start()
    session.wait_for("output", text="up")
    os.mkfifo(gate)
    project.write("main.txt", "1")
    session.wait_for("build_started", paths=["main.txt"])
    project.write("hotrun.toml", config("SIGUSR1"))
    session.wait_for("config_changed", keys=["run.stop_signal"])
    gate.write_text("go on\n")  # waits for who reads it
    session.wait_for("app_started")
    gate.unlink()
    project.write("main.txt", "2")
    assert session.wait_for("app_stopping")["signal"] == "SIGUSR1"
