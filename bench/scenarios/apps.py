"""Apps that stamp "begin TIME PID", and projects that build nothing: each save replaces the app."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

from harness import Log, Project, until, write

if TYPE_CHECKING:
    from collections.abc import Sequence


def only_run(project: Project, app: Sequence[str], *lines: str) -> None:
    """Write a hotrun.toml that builds nothing.

    Args:
        project: Whose.
        app: Its command.
        lines: More lines of [run].
    """
    run = [f"command = {json.dumps(list(app))}", *lines]
    text = "\n".join(['[watch]\ndebounce = "0ms"', "[run]", *run, ""])
    write(project.at("hotrun.toml"), text)


def listening(port: int) -> str:
    """Return the line of [run] that has hotrun hold the app's socket."""
    return f'listen = ["127.0.0.1:{port}"]'


def free_port() -> int:
    """Return a port of the loopback that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def begun(log: Log) -> list[list[str]]:
    """Return the words of the apps' first lines so far."""
    return [line for line in log.lines() if line[0] == "begin"]


def wait_begun(log: Log, count: int, deadline: float = 30) -> int:
    """Wait until so many apps have begun, and return when that one did."""
    until(f"start {count} of the app", lambda: len(begun(log)) >= count, deadline)
    return int(begun(log)[count - 1][1])
