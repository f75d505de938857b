"""The apps of the templates: made by `hotrun new`, built and run as their hotrun.toml says.

Law: an app that was started is ended with its test. What it gets of the environment is a
socket, a port, and nothing of the kind from outside.
"""

from __future__ import annotations

import http.client
import shlex
import shutil
import socket
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from live import DEADLINE, environment, until

from hotrun.project import scaffold
from hotrun.project.catalogue import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    App = subprocess.Popen[str]

NAME = 'The "Shop" [*] {{of}} <日本>\ufeff'

# Without the network, and without what the machine has set for itself.
NEUTRAL = {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": "", "PYTHONDONTWRITEBYTECODE": ""}

# As hotrun hands a socket over: descriptor 3, and a pid that is known in the new process alone.
HAND_OVER = """
import os, sys
fd, pid, *argv = sys.argv[1:]
os.dup2(int(fd), 3)
if int(fd) != 3:
    os.close(int(fd))
os.environ["LISTEN_FDS"] = "1"
if pid:
    os.environ["LISTEN_PID"] = str(os.getpid() if pid == "own" else os.getppid())
os.execvp(argv[0], argv)
"""


def made(template: str, parent: Path) -> Path:
    """Make a project with a difficult name, and build it; skip the test without its tools."""
    need(template)
    project = parent / NAME
    scaffold.create(str(project), template)
    build(project)
    return project


def need(template: str) -> None:
    """Skip a test on a machine that lacks what a template needs."""
    missing = [tool for tool in TEMPLATES[template].tools if scaffold.find_tool(tool) is None]
    if missing:
        pytest.skip(f"the template {template} needs {' and '.join(missing)}")


def copied(shop: Path, parent: Path) -> Path:
    return shutil.copytree(shop, parent / "copy", symlinks=True)


def config(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "hotrun.toml").read_text())


def words(command: str | list[str]) -> list[str]:
    return shlex.split(command) if isinstance(command, str) else command


def build(project: Path) -> None:
    table = config(project)["build"]
    ask(project, *words(table["command"]), **table.get("env", {}))


def attempt(project: Path, *argv: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a project."""
    return subprocess.run(
        argv,
        cwd=project,
        env=environment({**NEUTRAL, **env}),
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )


def edit(project: Path, name: str, old: str, new: str) -> None:
    """Replace a text in a file of a project."""
    source = (project / name).read_text()
    assert old in source
    (project / name).write_text(source.replace(old, new))


def ask(project: Path, *argv: str, **env: str) -> str:
    done = attempt(project, *argv, **env)
    assert done.returncode == 0, f"{argv}:\n{done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def running(
    project: Path, port: int = 0, launcher: tuple[str, ...] = (), fd: int = 0
) -> Iterator[App]:
    """Start the app by the command in its hotrun.toml."""
    table = config(project)["run"]
    extra = {**NEUTRAL, **table.get("env", {}), "PORT": str(port)}
    env = {k: v for k, v in environment(extra).items() if not k.startswith("LISTEN_")}
    app = subprocess.Popen(
        [*launcher, *words(table["command"])],
        cwd=project,
        env=env,
        pass_fds=[fd] if fd else [],
        stderr=subprocess.PIPE,
        text=True,
    )
    with app:
        try:
            yield app
        finally:
            app.kill()


@contextmanager
def handed(
    project: Path, listener: socket.socket, port: int = 0, pid: str = "own"
) -> Iterator[App]:
    """Start the app, and hand a socket over; should it open one itself, its port is taken."""
    launcher = (sys.executable, "-ISc", HAND_OVER, str(listener.fileno()), pid)
    with running(project, port or port_of(listener), launcher, listener.fileno()) as app:
        yield app


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def get(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def wait_until_serving(app: App, port: int) -> None:
    def serving() -> bool:
        if app.poll() is not None:
            pytest.fail(f"the app ended with {app.returncode}: {app.communicate()[1]}")
        try:
            return get(port, "/healthz") == (200, "ok\n")
        except ConnectionRefusedError:
            return False

    until(serving, "an ok from /healthz")


def refused(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


def asked(port: int, path: str, room: int = 0, version: str = "1.0") -> socket.socket:
    """Ask for a path, and leave the answer for later.

    Args:
        port: Whom to ask.
        path: For what.
        room: How many bytes of the answer the kernel keeps for us; 0: as it likes.
        version: Of HTTP; from 1.1 on the connection is kept for the next request.
    """
    client = socket.socket()
    client.settimeout(DEADLINE)
    if room:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    client.connect(("127.0.0.1", port))
    client.sendall(f"GET {path} HTTP/{version}\r\nHost: shop\r\n\r\n".encode())
    return client


def answer(client: socket.socket) -> bytes:
    """Return all that comes until the end."""
    parts = []
    with client:
        while part := client.recv(1 << 20):
            parts.append(part)
    return b"".join(parts)
