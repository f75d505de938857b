"""The apps of the templates: they serve, take a socket over, and end well."""

from __future__ import annotations

import os
import signal
import socket
import sys
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest
from apps import (
    HAND_OVER,
    answer,
    asked,
    build,
    copied,
    edit,
    get,
    handed,
    made,
    port_of,
    refused,
    running,
    wait_until_serving,
)
from live import DEADLINE, free_port, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TITLE = "<h1>The &#34;Shop&#34; [*] {{of}} &lt;日本&gt;\ufeff</h1>"
BIG = 8 << 20  # bytes: more than the kernel takes at once from who writes to a slow client


# The server of go-api is the one of go, file by file.
@pytest.fixture(scope="module", params=["go", "python", "node", "c"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a difficult name, built by the command in its own hotrun.toml."""
    return made(request.param, tmp_path_factory.mktemp("projects"))


@pytest.fixture
def copy(shop: Path, tmp_path: Path) -> Path:
    """A copy of a project, to be changed."""
    return copied(shop, tmp_path)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield listener


def test_the_app_answers_and_ends_well_on_sigterm(shop: Path) -> None:
    port = free_port()
    with running(shop, port) as app:
        wait_until_serving(app, port)
        status, page = get(port, "/")
        assert status == 200
        assert TITLE in page.replace("&quot;", "&#34;")
        assert f"Process {app.pid}" in page
        if (shop / "static").exists():
            assert get(port, "/static/style.css")[0] == 200
        assert get(port, "/nowhere")[0] == 404
        app.send_signal(signal.SIGTERM)
        assert app.wait(DEADLINE) == 0


def test_a_silent_connection_does_not_hold_up_the_end(shop: Path) -> None:
    port = free_port()
    with running(shop, port) as app:
        wait_until_serving(app, port)
        with socket.create_connection(("127.0.0.1", port)):
            # Accepted in order: once this answer is there, the silent one has been seen.
            assert get(port, "/healthz")[0] == 200
            app.send_signal(signal.SIGINT)
            # Had it waited for that connection until its limit, it would end with 1.
            assert app.wait(DEADLINE) == 0


def test_a_connection_kept_for_the_next_request_does_not_hold_up_the_end(shop: Path) -> None:
    port = free_port()
    with running(shop, port) as app:
        wait_until_serving(app, port)
        client = HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        client.request("GET", "/healthz")
        assert client.getresponse().read() == b"ok\n"
        app.send_signal(signal.SIGTERM)
        assert app.wait(DEADLINE) == 0
        client.close()


def test_a_port_that_is_taken_is_said_and_ends_the_app(shop: Path, listener: socket.socket) -> None:
    port = port_of(listener)
    with running(shop, port) as app:
        _, message = app.communicate(timeout=DEADLINE)
    assert app.returncode == 1
    assert message == (
        f"error: 127.0.0.1:{port} is taken by another program\n"
        "hint: stop that one, or set PORT to a free port\n"
    )


def test_a_running_request_is_finished_and_a_new_one_is_not_taken(copy: Path) -> None:
    have_much_to_say(copy)
    take_time(copy)
    build(copy)
    port = free_port()
    with running(copy, port) as app:
        wait_until_serving(app, port)
        client = asked(port, "/static/big", room=4096, version="1.1")
        begin = client.recv(1)
        app.send_signal(signal.SIGTERM)
        until(lambda: refused(port), "the end of listening")
        assert app.poll() is None
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BIG)  # slow no more
        head, _, body = (begin + answer(client)).partition(b"\r\n\r\n")
        assert (head.split()[1], len(body)) == (b"200", BIG)
        assert app.wait(DEADLINE) == 0


def test_a_request_without_an_end_is_cut_off(copy: Path) -> None:
    have_much_to_say(copy)
    hurry(copy)
    build(copy)
    port = free_port()
    with running(copy, port) as app:
        wait_until_serving(app, port)
        with asked(port, "/static/big", room=4096) as client:
            client.recv(1)
            app.send_signal(signal.SIGTERM)
            _, message = app.communicate(timeout=DEADLINE)
    assert app.returncode == 1
    assert "error: some requests were cut off: not finished within " in message


def have_much_to_say(project: Path) -> None:
    """Let /static/big answer more than the kernel takes at once."""
    if (project / "static").exists():
        (project / "static/big").write_bytes(bytes(BIG))
        return
    write = f"static void big(FILE *body) {{ for (int i = 0; i < {BIG}; i++) putc(0, body); }}\n"
    edit(
        project, "handlers.c", "static const struct route {", f"{write}static const struct route {{"
    )
    edit(project, "handlers.c", '{"/healthz"', '{"/static/big", PLAIN, big}, {"/healthz"')


def hurry(project: Path) -> None:
    """Let the app wait for running requests only for a moment."""
    edit_one(
        project,
        ("main.go", "= 4 * time.Second", "= time.Millisecond"),
        ("app.py", "STOP_LIMIT = 4", "STOP_LIMIT = 0.001"),
        ("server.js", "STOP_LIMIT = 4000", "STOP_LIMIT = 1"),
        ("main.c", "STOP_LIMIT 4", "STOP_LIMIT 0"),
    )


def take_time(project: Path) -> None:
    """Let the app wait for running requests, however busy the machine is."""
    edit_one(
        project,
        ("main.go", "= 4 * time.Second", "= time.Minute"),
        ("app.py", "STOP_LIMIT = 4", "STOP_LIMIT = 60"),
        ("server.js", "STOP_LIMIT = 4000", "STOP_LIMIT = 60000"),
        ("main.c", "STOP_LIMIT 4", "STOP_LIMIT 60"),
    )


def be_patient(project: Path) -> None:
    """Let the app wait for those who are about to ask as well."""
    take_time(project)
    edit_one(
        project,
        ("conns.go", "50 * time.Millisecond", "time.Hour"),
        ("server.py", "FIRST_WORDS = 0.05", "FIRST_WORDS = 3600"),
        ("server.js", "FIRST_WORDS = 50", "FIRST_WORDS = 3600000"),
        ("server.c", "FIRST_WORDS 50", "FIRST_WORDS 3600000"),
    )


def edit_one(project: Path, *edits: tuple[str, str, str]) -> None:
    """Make the edit whose file the project has."""
    ((name, old, new),) = [edit for edit in edits if (project / edit[0]).exists()]
    edit(project, name, old, new)


# A socket that is handed over


@pytest.mark.parametrize("pid", ["own", ""], ids=["with its pid", "with no pid"])
def test_a_socket_that_is_handed_over_is_taken(
    shop: Path, listener: socket.socket, pid: str
) -> None:
    port = port_of(listener)
    with handed(shop, listener, port, pid) as app:
        wait_until_serving(app, port)
        assert f"Process {app.pid}" in get(port, "/")[1]


def test_a_socket_for_another_process_is_left_alone(shop: Path, listener: socket.socket) -> None:
    port = free_port()
    with handed(shop, listener, port, pid="other") as app:
        wait_until_serving(app, port)


def test_what_was_handed_over_is_not_handed_on(shop: Path, listener: socket.socket) -> None:
    with handed(shop, listener) as app:
        wait_until_serving(app, port_of(listener))
        assert inheritable_sockets(app.pid) == []


def inheritable_sockets(pid: int) -> list[str]:
    """Return the sockets of a process that its children would get (proc(5), O_CLOEXEC)."""
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            with open(f"/proc/{pid}/fdinfo/{fd}") as lines:
                flags = dict(line.split(":", 1) for line in lines)["flags"]
            kind = os.readlink(f"/proc/{pid}/fd/{fd}")
        except FileNotFoundError:  # the app closed the client that just had its answer
            continue
        if kind.startswith("socket:") and not int(flags, 8) & os.O_CLOEXEC:
            found.append(fd)
    return found


def test_descriptor_3_that_is_no_socket_is_said(shop: Path) -> None:
    with open(shop / "README.md") as file:
        launcher = (sys.executable, "-ISc", HAND_OVER, str(file.fileno()), "")
        with running(shop, 0, launcher, file.fileno()) as app:
            _, message = app.communicate(timeout=DEADLINE)
    assert app.returncode == 1
    assert message.startswith("error: LISTEN_FDS is set, but descriptor 3 is no socket: ")


def test_who_asks_between_two_apps_is_answered_by_the_next(
    shop: Path, listener: socket.socket
) -> None:
    port = port_of(listener)
    with handed(shop, listener) as app:
        wait_until_serving(app, port)
        app.send_signal(signal.SIGTERM)
        assert app.wait(DEADLINE) == 0
    client = asked(port, "/healthz")  # not refused: the app did not shut the socket down
    with handed(shop, listener):
        assert answer(client).endswith(b"\r\n\r\nok\n")


def test_nobody_who_asked_goes_without_an_answer(copy: Path, listener: socket.socket) -> None:
    be_patient(copy)
    build(copy)
    port = port_of(listener)
    clients = []
    for _ in range(4):
        with handed(copy, listener) as app:
            wait_until_serving(app, port)
            clients += [asked(port, "/healthz") for _ in range(50)]
            app.send_signal(signal.SIGTERM)
            clients += [asked(port, "/healthz") for _ in range(50)]
            assert app.wait(DEADLINE) == 0
    with handed(copy, listener):
        answers = [answer(client)[-3:] for client in clients]
    assert answers == [b"ok\n"] * len(clients)
