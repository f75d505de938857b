"""Sockets that hotrun holds: no connection is refused while the app is replaced."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from live import DEADLINE, ended, free_port, listens, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Start
    from live import Live, Project

RESTARTS = 50
CLIENTS = 16

# Adopts descriptor 3 or binds by itself; at SIGTERM it answers what it has accepted, and ends.
SERVER = """
import os, select, signal, socket, sys
ours = os.environ.get("LISTEN_PID") == str(os.getpid())
if ours:
    listener = socket.socket(fileno=3)
else:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    listener.listen(5)
listener.setblocking(False)
woken, alarm = socket.socketpair()
alarm.setblocking(False)
signal.set_wakeup_fd(alarm.fileno())
signal.signal(signal.SIGTERM, lambda *_: None)
print("serving", os.environ.get("LISTEN_FDNAMES"), flush=True)
while woken not in select.select([listener, woken], [], [])[0]:
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        continue
    connection.setblocking(True)
    connection.recv(100)
    connection.sendall(str(os.getpid()).encode())
    connection.close()
"""


def app(project: Project, port: int, more: str = "") -> None:
    project.write("app.py", SERVER)
    project.write("hotrun.toml", f"[run]\ncommand = '{sys.executable} app.py {port}'\n{more}")


class Client(threading.Thread):
    """Connects again and again, and counts how that went."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.over = threading.Event()
        self.answered = self.refused = self.other = 0

    def run(self) -> None:
        while not self.over.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), DEADLINE) as connection:
                    connection.sendall(b"who?")
                    self.answered += bool(connection.recv(100))
            except ConnectionRefusedError:
                self.refused += 1
            except OSError:  # accepted by a process that ended: nobody outside can prevent it
                self.other += 1


@contextlib.contextmanager
def clients(port: int) -> Iterator[list[Client]]:
    several = [Client(port) for _ in range(CLIENTS)]
    try:
        for client in several:
            client.start()
        yield several
    finally:
        for client in several:
            client.over.set()
        for client in several:
            client.join(DEADLINE)
            assert not client.is_alive(), "a client hangs"


def restart(project: Project, session: Live, times: int) -> None:
    for number in range(times):
        project.write("change", str(number))
        session.wait_for("app_started")
        session.wait_for("output", lambda event: event["text"].startswith("serving"))


def test_no_connection_is_refused_in_fifty_restarts(project: Project, start: Start) -> None:
    port = free_port()
    app(project, port, f'listen = ["127.0.0.1:{port}"]\n')
    session = start("--debounce", "0ms")
    session.wait_for("output", text=f"serving {port}")
    with clients(port) as several:
        restart(project, session, RESTARTS)
    assert sum(client.refused for client in several) == 0
    assert sum(client.answered for client in several) > RESTARTS
    assert all(client.answered for client in several)


def test_without_a_held_socket_connections_are_refused(project: Project, start: Start) -> None:
    """So that the test above is known to be able to fail."""
    port = free_port()
    app(project, port)
    session = start("--debounce", "0ms")
    session.wait_for("output", text="serving None")
    with clients(port) as several:
        restart(project, session, 5)
    assert sum(client.refused for client in several) > 0


def test_a_socket_that_the_app_has_shut_down_listens_again(project: Project, start: Start) -> None:
    """They are shared: who ends the listening ends it for the next one, too."""
    port = free_port()
    ending = "\nlistener.shutdown(socket.SHUT_RDWR)\n"
    app(project, port, f'listen = ["127.0.0.1:{port}"]\n')
    project.write("app.py", SERVER + ending)
    session = start()
    session.wait_for("output", text=f"serving {port}")
    for number in range(3):
        restart(project, session, 1)
        project.write("change", f"again {number}")
        session.wait_for("output", text=f"serving {port}")
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as connection:
            connection.sendall(b"who?")
            assert connection.recv(100)


@pytest.mark.parametrize("harm", ["listener.shutdown(socket.SHUT_RDWR)", "listener.listen(1)"])
def test_while_no_app_runs_who_connects_waits_for_the_next(
    project: Project, start: Start, harm: str
) -> None:
    """Whatever the one that is gone did to the socket."""
    port = free_port()
    app(project, port, f'listen = ["127.0.0.1:{port}"]\n')
    project.write("app.py", f"{SERVER.partition('woken, alarm')[0]}\n{harm}\n")
    session = start()
    session.wait_for("app_exited", expected=False)
    with contextlib.ExitStack() as waiting:
        address = ("127.0.0.1", port)
        several = [
            waiting.enter_context(socket.create_connection(address, DEADLINE))
            for _ in range(CLIENTS)
        ]
        project.write("app.py", SERVER)
        for connection in several:
            connection.sendall(b"who?")
            assert connection.recv(100)


def test_who_connects_during_the_first_build_is_answered_after_it(
    project: Project, start: Start
) -> None:
    port = free_port()
    app(project, port, f'listen = ["127.0.0.1:{port}"]\n')
    go = project.out / "go"
    text = (project.path / "hotrun.toml").read_text()
    build = f"[build]\ncommand = 'while ! test -e {go}; do sleep 0.01; done'\n"
    project.write("hotrun.toml", build + text)
    session = start()
    session.wait_for("listening")
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as connection:
        connection.sendall(b"who?")
        go.touch()
        assert connection.recv(100)


def test_the_port_can_come_from_the_environment(project: Project, start: Start) -> None:
    port = free_port()
    app(project, 1, 'listen = ["127.0.0.1:${PORT:-1}"]\n')
    session = start(PORT=str(port))
    assert session.wait_for("listening")["addresses"] == [f"127.0.0.1:{port}"]
    session.wait_for("output", text=f"serving {port}")


def test_a_port_of_zero_is_any_that_is_free_and_stays(project: Project, start: Start) -> None:
    app(project, 1, 'listen = ["127.0.0.1:0"]\n')
    session = start()
    (address,) = session.wait_for("listening")["addresses"]
    port = int(address.rpartition(":")[2])
    restart(project, session, 2)
    with socket.create_connection(("127.0.0.1", port), DEADLINE):
        pass
    assert len(session.all("listening")) == 1


@pytest.mark.parametrize("rest", ["the app", "nothing"])
def test_a_socket_is_let_go_when_the_config_names_it_no_more(
    project: Project, start: Start, rest: str
) -> None:
    port = free_port()
    app(project, port, f'listen = ["127.0.0.1:{port}"]\n')
    session = start()
    session.wait_for("output", text=f"serving {port}")
    if rest == "the app":
        app(project, port)
        session.wait_for("output", text="serving None")
        assert listens(port)
    else:
        project.write("hotrun.toml", '[build]\ncommand = "true"\n')
        until(lambda: not listens(port), "the end of the listening")
    assert not session.all("problem")


def test_several_sockets_come_in_order_and_a_unix_one_is_removed_at_the_end(
    project: Project, start: Start
) -> None:
    show = (
        "import json, os, socket; socks = [socket.socket(fileno=3 + n) for n in range(2)];"
        "print(json.dumps([str(sock.getsockname()) for sock in socks]"
        "+ [os.environ['LISTEN_FDS'], os.environ['LISTEN_FDNAMES'],"
        " os.environ['HOTRUN_LISTEN_FDS'], os.environ['LISTEN_PID'] == str(os.getpid())]),"
        "flush=True); import time; time.sleep(600)"
    )
    port = free_port()
    project.write("app.py", show)
    project.write(
        "hotrun.toml",
        f"[run]\ncommand = '{sys.executable} app.py'\n"
        f'listen = ["unix:app.sock", "127.0.0.1:{port}"]\n',
    )
    session = start()
    said = json.loads(session.wait_for("output")["text"])
    path = project.path / "app.sock"
    assert said == [str(path), str(("127.0.0.1", port)), "2", f"app.sock:{port}", "3,4", True]
    assert path.is_socket()
    session.stop()
    assert not path.exists()


def test_the_place_holder_in_the_command_is_the_descriptor(project: Project, start: Start) -> None:
    code = (
        "import socket, sys, time; sock = socket.socket(fileno=int(sys.argv[1]));"
        " print(sock.getsockname(), flush=True); time.sleep(600)"
    )
    port = free_port()
    project.write(
        "hotrun.toml",
        f"[run]\ncommand = ['{sys.executable}', '-c', '{code}', '{{fd}}']\n"
        f'listen = ["127.0.0.1:{port}"]\n',
    )
    start().wait_for("output", text=str(("127.0.0.1", port)))


@pytest.mark.parametrize(
    "line", ["{python} app.py 0", "{python} app.py 0 2>/dev/null", "cd . && {python} app.py 0"]
)
def test_the_pid_is_right_behind_a_shell_too(project: Project, start: Start, line: str) -> None:
    port = free_port()
    project.write("app.py", SERVER)
    command = line.format(python=sys.executable)
    project.write("hotrun.toml", f"[run]\ncommand = '{command}'\nlisten = [\"127.0.0.1:{port}\"]\n")
    start().wait_for("output", text=f"serving {port}")
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as connection:
        connection.sendall(b"who?")
        assert connection.recv(100)


def test_a_shell_that_has_to_stay_is_said_to_keep_the_pid(project: Project, start: Start) -> None:
    port = free_port()
    project.write(
        "hotrun.toml",
        f"[run]\ncommand = 'sleep 600 | cat'\nlisten = [\"127.0.0.1:{port}\"]\n",
    )
    event = start().wait_for("problem")
    assert event["severity"] == "warning"
    assert "LISTEN_PID" in event["message"]


def test_a_taken_address_is_named_with_who_has_it_and_is_had_when_it_is_free(
    project: Project, start: Start
) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as taken, holder(taken) as stranger:
        taken.close()
        app(project, port, f'listen = ["127.0.0.1:{port}"]\n')
        session = start()
        event = session.wait_for("problem")
        assert event["message"].startswith(
            f"run.listen: 127.0.0.1:{port} is held by pid {stranger.pid} ("
        )
        assert (
            event["hint"]
            == f"stop it with: kill {stranger.pid}, then try again; or use another port"
        )
        stranger.kill()
        stranger.wait(DEADLINE)
        project.write("change", "1")
        session.wait_for("output", text=f"serving {port}")


@contextlib.contextmanager
def holder(listener: socket.socket) -> Iterator[subprocess.Popen[bytes]]:
    """Somebody else who has a socket."""
    fd = listener.fileno()
    with subprocess.Popen(["sleep", "600"], pass_fds=(fd,), start_new_session=True) as stranger:
        try:
            yield stranger
        finally:
            stranger.kill()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("192.0.2.1:8080", "192.0.2.1"),
        ("unix:/nowhere/at/all.sock", "/nowhere/at"),
    ],
)
def test_an_address_that_cannot_be_bound_ends_once_with_two_lines(
    project: Project, address: str, said: str
) -> None:
    app(project, 1, f'listen = ["{address}"]\n')
    done = ended(project.path, "run", "--once")
    assert done.code == 1
    assert len(done.problem) == 2
    assert done.problem[0].startswith("error: run.listen: ")
    assert said in done.problem[0]


def test_a_build_gets_no_socket(project: Project, start: Start) -> None:
    port = free_port()
    project.write(
        "hotrun.toml",
        "[build]\ncommand = 'ls -l /proc/self/fd'\n"
        f"[run]\ncommand = 'sleep 600'\nlisten = [\"127.0.0.1:{port}\"]\n",
    )
    session = start()
    session.wait_for("app_started")
    project.write("change", "1")
    session.wait_for("build_finished", run=2, ok=True)
    text = "".join(event["text"] for event in session.all("output", source="build"))
    assert "socket:" not in text


def test_make_may_have_passed_us_a_jobserver_at_the_same_numbers(project: Project) -> None:
    port = free_port()
    code = "import socket; print(socket.socket(fileno=3).getsockname())"
    project.write("app.py", code)
    project.write(
        "hotrun.toml",
        f"[run]\ncommand = '{sys.executable} app.py'\nlisten = [\"127.0.0.1:{port}\"]\n",
    )
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec 3</dev/null; exec {sys.executable} -m hotrun run --once"],
        cwd=project.path,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(("127.0.0.1", port))


def test_what_hotrun_holds_is_free_at_its_end(project: Project, start: Start) -> None:
    port = free_port()
    app(project, port, f'listen = ["127.0.0.1:{port}"]\n')
    session = start()
    session.wait_for("output", text=f"serving {port}")
    session.stop()
    assert not listens(port)
