"""What apps say about ports; the texts are what each runtime really prints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotrun.process.in_use import MOST, guesses, ports_in, says_in_use

NODE = """\
node:events:502
      throw er; // Unhandled 'error' event
      ^

Error: listen EADDRINUSE: address already in use :::3000
    at Server.setupListenHandle [as _listen2] (node:net:1908:16)
    at listenInCluster (node:net:1965:12)
    at Server.listen (node:net:2067:7)
    at Object.<anonymous> (/srv/app/server.js:12:8)
Emitted 'error' event on Server instance at:
    at emitErrorNT (node:net:1944:8)
    at process.processTicksAndRejections (node:internal/process/task_queues:82:21) {
  code: 'EADDRINUSE',
  errno: -98,
  syscall: 'listen',
  address: '::',
  port: 3000
}

Node.js v20.20.2
"""
RUST = """\
thread 'main' (13012) panicked at src/main.rs:1:137:
called `Result::unwrap()` on an `Err` value: Os { code: 98, kind: AddrInUse, message: "Address \
already in use" }
   0: __rustc::rust_begin_unwind
             at /rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/std/src/panicking.rs:689:5
"""
JAVA = """\
Exception in thread "main" java.net.BindException: Address already in use
\tat java.base/sun.nio.ch.Net.bind0(Native Method)
\tat java.base/sun.nio.ch.Net.bind(Net.java:555)
\tat B.main(B.java:1)
"""
JETTY = """\
2026-11-27 14:02:33.123:INFO :oejs.Server:main: jetty-11.0.15
java.io.IOException: Failed to bind to /127.0.0.1:8080
\tat org.eclipse.jetty.server.ServerConnector.openAcceptChannel(ServerConnector.java:344)
Caused by: java.net.BindException: Address already in use
"""
POSTGRES = """\
LOG:  could not bind IPv4 address "127.0.0.1": Address already in use
HINT:  Is another postmaster already running on port 5432? If not, wait a few seconds and retry.
"""
DJANGO = """\
Watching for file changes with StatReloader
System check identified no issues (0 silenced).
Starting development server at http://127.0.0.1:8000/
Quit the server with CONTROL-C.
Error: That port is already in use.
"""
FLASK = """\
Address already in use
Port 5000 is in use by another program. Either identify and stop that program, or start the \
server with a different port.
"""
GUNICORN = """\
[2026-11-27 14:02:33 +0000] [123] [INFO] Starting gunicorn 23.0.0
[2026-11-27 14:02:33 +0000] [123] [ERROR] Connection in use: ('127.0.0.1', 8000)
[2026-11-27 14:02:33 +0000] [123] [ERROR] connection to ('127.0.0.1', 8000) failed: \
[Errno 98] Address already in use
"""
SPRING = "Web server failed to start. Port 8080 was already in use."
WINDOWS = (
    "listen tcp :8080: bind: Only one usage of each socket address (protocol/network address/port)"
    " is normally permitted."
)


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("2026/11/27 14:02:33 listen tcp 127.0.0.1:8080: bind: address already in use", [8080]),
        ("2026/11/27 14:02:33 main.go:42: listen tcp :8080: bind: address already in use", [8080]),
        ("listen tcp 0.0.0.0:8080: bind: address already in use", [8080]),
        ("listen tcp4 localhost:8080: bind: address already in use", [8080]),
        ("listen tcp6 [::1]:8080: bind: address already in use", [8080]),
        ("panic: listen tcp app.test:8080: bind: address already in use", [8080]),
        (WINDOWS, [8080]),
        ("OSError: [Errno 98] Address already in use", []),
        ("OSError: [Errno 48] Address already in use", []),
        (
            (
                "OSError: [Errno 98] Address already in use (while attempting to bind on address "
                "('127.0.0.1', 8080))"
            ),
            [8080],
        ),
        (
            (
                "OSError: [Errno 98] error while attempting to bind on address "
                "('127.0.0.1', 8080): address already in use"
            ),
            [8080],
        ),
        (
            (
                "ERROR:    [Errno 98] error while attempting to bind on address "
                "('::1', 8000, 0, 0): address already in use"
            ),
            [8000],
        ),
        (GUNICORN, [8000]),
        (DJANGO, [8000]),
        (FLASK, [5000]),
        (NODE, [3000]),
        ("Error: listen EADDRINUSE: address already in use 127.0.0.1:3000", [3000]),
        ("Error: listen EADDRINUSE: address already in use ::1:3000", [3000]),
        ("{ code: 'EADDRINUSE', errno: -98, address: '::', port: 3000 }", [3000]),
        ("Error: Port 5173 is already in use", [5173]),
        ("\x1b[31mPort \x1b[1m5173\x1b[22m is in use\x1b[39m", [5173]),
        ("\u26a0 Port 3000 is in use, trying 3001 instead.", [3000]),
        ("error: Failed to start server. Is port 3000 in use?", [3000]),
        (JAVA, []),
        (JETTY, [8080]),
        (SPRING, [8080]),
        (
            "bind(2): Address already in use - bind(2) for 127.0.0.1:3000 (Errno::EADDRINUSE)",
            [3000],
        ),
        (
            'Address already in use - bind(2) for "127.0.0.1" port 3000 (Errno::EADDRINUSE)',
            [3000],
        ),
        ("nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)", [80]),
        ("nginx: [emerg] bind() to [::]:80 failed (98: Address already in use)", [80]),
        (RUST, []),
        ("Address already in use (os error 98)", []),
        ("Failed to listen on localhost:8000 (reason: Address already in use)", [8000]),
        (
            "Failed to bind to address http://127.0.0.1:5000: address already in use.",
            [5000],
        ),
        (
            (
                "# Warning: Could not create server TCP listening socket *:6379: bind: "
                "Address already in use"
            ),
            [6379],
        ),
        (POSTGRES, [5432]),
        ("reason: :eaddrinuse (address already in use), port 4000", [4000]),
    ],
)
def test_the_ports_of_a_message_are_found(text: str, ports: list[int]) -> None:
    assert any(says_in_use(line) for line in text.splitlines())
    assert ports_in(text) == ports


@pytest.mark.parametrize(
    "line",
    [
        "",
        "listening on 127.0.0.1:8080",
        "Memory in use: 5 MB",
        "the import of module x in use by y",
        "port 8080 is not in use",
        "port 8080 is free. Memory is in use",
        "connection refused: 127.0.0.1:5432",
        "reuse of port 8080",
    ],
)
def test_other_lines_say_nothing_of_the_kind(line: str) -> None:
    assert not says_in_use(line)
    assert ports_in(line) == []


def test_ports_of_other_lines_are_not_taken() -> None:
    text = "connected to db at 127.0.0.1:5432\n:9 x\nlisten tcp :8080: bind: address already in use"
    assert ports_in(text) == [8080]


def test_what_cannot_be_a_port_is_left_out() -> None:
    assert ports_in("port 0, port 65536, port 99999: address already in use") == []


def test_a_message_has_few_ports_and_each_once() -> None:
    named = " ".join(f"port {number}" for number in (1, 2, 1, 3, 4, 5, 6))
    assert ports_in(f"{named}: address already in use") == [1, 2, 3, 4]
    assert MOST == 4


@pytest.mark.parametrize(
    ("command", "ports"),
    [
        ("./app", []),
        ("./app :8080", [8080]),
        ("./app 127.0.0.1:8080", [8080]),
        ("./app [::1]:8080", [8080]),
        ("./app --port 8080", [8080]),
        ("./app --port=8080", [8080]),
        ("./app -port 8080", [8080]),
        ("./app -p 8080", [8080]),
        ("./app -p8080", [8080]),
        ("./app -addr=:8080 -metrics=:9090", [8080, 9090]),
        ("./app --http-port 8080 --server.port=8081", [8080, 8081]),
        ("./app --listen http://localhost:5000/", [5000]),
        ("./app --urls=http://*:5000", [5000]),
        ("gunicorn -b 0.0.0.0:8000 app:app", [8000]),
        ("uvicorn app:app --host 127.0.0.1 --port '8000'", [8000]),
        ("php -S localhost:8000", [8000]),
        ("sh -c 'PORT=3000 npm start'", [3000]),
        ("docker run -p 8080:80 redis:7", [8080]),
        ("./app --port eight -p --verbose 8080 --export 1234", [8080, 1234]),
        ("./app --db postgres://db.example:5432/x --cache redis:7", []),
        ("./app --listen tcp://:8080 tcp::8081", [8080, 8081]),
        ("./app --port 99999 main.go:42 --at 14:02:33", []),
    ],
)
def test_the_ports_of_a_command_are_guessed(command: str, ports: list[int]) -> None:
    assert guesses({}, command.split(" ")) == ports


def test_the_port_of_the_environment_comes_first() -> None:
    assert guesses({"PORT": "3000"}, ["./app", ":8080"]) == [3000, 8080]
    assert guesses({"PORT": "8080"}, ["./app", ":8080"]) == [8080]
    assert guesses({"PORT": "tcp://10.0.0.1:80"}, ["./app"]) == []


@given(st.text(), st.text())
def test_no_text_does_more_than_name_ports(before: str, after: str) -> None:
    ports = ports_in(f"{before}address already in use{after}") + guesses({"PORT": before}, [after])
    assert all(0 < port < 65_536 for port in ports)
