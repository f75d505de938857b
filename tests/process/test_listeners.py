"""Who listens where: real sockets of this process and of children, read in both ways."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import sys

import pytest
from live import free_port
from process.yard import Yard

from hotrun.process import listeners

# A server and its worker, which share one socket; the worker has another one for itself.
FAMILY = """
import socket
shared = socket.create_server(("127.0.0.1", 0))
def worker():
    own = socket.create_server(("127.0.0.1", 0))
    say("own", own.getsockname()[1])
    say("worker", os.getpid())
    forever()
fork(worker)
say("shared", shared.getsockname()[1])
say("parent", os.getpid())
forever()
"""


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "0.0.0.0"),  # noqa: S104
        ("::1", "::1"),
        ("::", "::"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
    ],
)
def test_both_ways_see_a_socket_that_listens(host: str, shown: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as sock:
        port = free_port()  # that of nobody else at another address
        sock.bind((host, port))
        assert listeners.of_port(port) == []  # bound is not listening
        sock.listen()
        (found,) = listeners._of_port_proc(port)
        assert found[:2] == (shown, port)
        assert found.pids == (os.getpid(),)
        assert found.user == pwd.getpwuid(os.geteuid()).pw_name
        (other,) = listeners._of_port_psutil(port)
        assert (other.host, other.port, other.pids) == (shown, port, found.pids)
    assert listeners.of_port(port) == []


def test_connections_are_no_listeners() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client, server.accept()[0]:
            assert listeners.listening([os.getpid()]) >= {port}
            ephemeral = client.getsockname()[1]
            assert ephemeral not in listeners.listening([os.getpid()])
            assert ephemeral not in listeners._ports_psutil(os.getpid()) >= {port}
        server.close()
        assert port not in listeners.listening([os.getpid()])
        assert listeners.of_port(port) == []


def test_all_who_share_a_socket_are_found(yard: Yard) -> None:
    yard.app(FAMILY)
    parent, worker = yard.pid_of("parent"), yard.pid_of("worker")
    shared, own = yard.pid_of("shared"), yard.pid_of("own")
    for of_port in (listeners._of_port_proc, listeners._of_port_psutil):
        assert [set(each.pids) for each in of_port(shared)] == [{parent, worker}]
        assert [set(each.pids) for each in of_port(own)] == [{worker}]
    assert listeners.listening([parent]) == {shared}
    assert listeners.listening([worker]) == {shared, own}
    assert listeners.listening([parent, worker]) == {shared, own}
    assert listeners._ports_psutil(worker) == {shared, own}


def test_who_is_gone_listens_nowhere() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert listeners.listening([gone.pid]) == set()
    assert listeners.listening([]) == set()
    assert listeners._ports_psutil(gone.pid) == set()
