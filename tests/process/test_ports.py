"""Who holds a port: real sockets, held by us, by children and by what they started."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from process.yard import Running, Yard

import hotrun
from hotrun.process import tree
from hotrun.process.ports import (
    CLOCK_SLACK,
    Holder,
    _eldest,
    _shortened,
    _when,
    explain,
    holder,
    holder_of_path,
    taken,
)

LISTENS = """
import socket
sock = socket.create_server((HOST, 0), family=socket.AF_INET6 if ":" in HOST else socket.AF_INET)
say("port", sock.getsockname()[1])
forever()
"""
CHILD_LISTENS = f"""
def child():
    HOST = "127.0.0.1"
    {LISTENS.strip().replace(chr(10), chr(10) + "    ")}
say("child", fork(child, setsid=True))
forever()
"""
ANY = "0.0.0.0"  # noqa: S104


def start(yard: Yard, code: str, session: str = "") -> Running:
    cookie = f"HOTRUN_SESSION={session}" if session else ""
    return yard.start(yard.python(code), 0, cookie)


def listens(host: str = "127.0.0.1") -> str:
    return f"HOST = {host!r}{LISTENS}"


def now(pid: int | None = None) -> str:
    """The name of a session that began just now."""
    return f"{pid or os.getpid()}-{time.time_ns()}"


# --- taken ---


@pytest.mark.parametrize(
    ("bound", "wanted", "answer"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", ANY, True),
        ("127.0.0.1", "", True),
        ("127.0.0.1", "::", True),
        ("127.0.0.1", "localhost", True),
        ("127.0.0.1", "::1", False),
        ("127.0.0.1", "127.0.0.2", False),
        (ANY, "127.0.0.1", True),
        (ANY, "", True),
        ("::1", "::1", True),
        ("::1", "localhost", True),
        ("::1", "127.0.0.1", False),
        ("::1", "", True),
        ("::", "127.0.0.1", True),
    ],
)
def test_a_port_is_taken_where_a_listener_is_in_the_way(
    bound: str, wanted: str, *, answer: bool
) -> None:
    family = socket.AF_INET6 if ":" in bound else socket.AF_INET
    with socket.socket(family) as sock:
        if bound == "::":
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind((bound, 0))
        sock.listen()
        port = sock.getsockname()[1]
        assert taken(wanted, port) is answer
    assert not taken(wanted, port)


def test_a_port_that_somebody_may_share_is_taken_all_the_same() -> None:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        assert taken("127.0.0.1", sock.getsockname()[1])


def test_connections_that_were_do_not_hold_a_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            server.accept()[0].close()  # its side of the connection stays in TIME_WAIT
            assert client.recv(1) == b""
    assert not taken("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "no-such-host.invalid", "a" * 64])
def test_an_address_that_is_not_ours_is_not_taken(host: str) -> None:
    assert not taken(host, 80)


# --- holder ---


def test_a_holder_is_described(yard: Yard) -> None:
    app = start(yard, listens())
    port = yard.pid_of("port")
    found = holder("127.0.0.1", port)
    assert found is not None
    stat = tree.read(app.child.pid)
    assert stat is not None
    assert found.process == stat.process
    assert found.pid == app.child.pid
    assert found.command.startswith(f"{sys.executable} -ISc "[:20])
    assert abs(found.since - time.time()) < 3600
    assert found.user == psutil.Process().username()
    assert (found.session, found.owner, found.owner_alive) == ("", 0, False)


@pytest.mark.parametrize("wanted", [None, "", ANY, "::", "127.0.0.1", "localhost"])
def test_a_holder_is_found_by_any_address_it_is_in_the_way_of(
    yard: Yard, wanted: str | None
) -> None:
    app = start(yard, listens())
    found = holder(wanted, yard.pid_of("port"))
    assert found is not None
    assert found.pid == app.child.pid
    assert holder("::1", yard.pid_of("port")) is None


@pytest.mark.parametrize("bound", [ANY, "::"])
def test_who_has_all_addresses_holds_each_of_them(yard: Yard, bound: str) -> None:
    app = start(yard, listens(bound))
    found = holder("127.0.0.1", yard.pid_of("port"))
    assert found is not None
    assert found.pid == app.child.pid


def test_who_has_the_very_address_comes_first(yard: Yard) -> None:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((ANY, 0))
        sock.listen()
        port = sock.getsockname()[1]
        code = f"""
import socket
sock = socket.create_server(("127.0.0.1", {port}), reuse_port=True)
say("bound", os.getpid())
forever()
"""
        app = start(yard, code)
        assert yard.pid_of("bound") == app.child.pid
        one, all_of_them = holder("127.0.0.1", port), holder(ANY, port)
    assert one is not None
    assert one.pid == app.child.pid
    assert all_of_them is not None
    assert all_of_them.pid == os.getpid()


def test_of_a_family_that_shares_a_socket_the_eldest_is_the_holder(yard: Yard) -> None:
    code = """
import socket
shared = socket.create_server(("127.0.0.1", 0))
def worker():
    say("worker", os.getpid())
    forever()
fork(worker)
fork(worker, setsid=True)
say("port", shared.getsockname()[1])
forever()
"""
    app = start(yard, code)
    yard.until(lambda: len(yard.words()) == 3, "the whole family")
    found = holder("127.0.0.1", yard.pid_of("port"))
    assert found is not None
    assert found.pid == app.child.pid
    # Pids begin anew at some time: a worker's may be the lower one.
    assert _eldest((yard.pid_of("worker"), app.child.pid)) == app.child.pid
    assert _eldest(()) == 0


def test_a_descendant_that_listens_is_the_holder_and_carries_the_session(yard: Yard) -> None:
    session = now()
    app = start(yard, CHILD_LISTENS, session)
    found = holder("127.0.0.1", yard.pid_of("port"))
    assert found is not None
    assert found.pid == yard.pid_of("child") != app.child.pid
    assert (found.session, found.owner, found.owner_alive) == (session, os.getpid(), True)


def test_a_session_is_over_when_its_hotrun_is(yard: Yard) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    session = now(gone.pid)
    gone.wait()
    start(yard, listens(), session)
    found = holder(None, yard.pid_of("port"))
    assert found is not None
    assert (found.session, found.owner, found.owner_alive) == (session, gone.pid, False)


def test_a_process_that_got_the_pid_of_a_hotrun_is_none(yard: Yard) -> None:
    began = psutil.Process().create_time() - CLOCK_SLACK - 5
    start(yard, listens(), f"{os.getpid()}-{int(began * 1e9)}")
    found = holder(None, yard.pid_of("port"))
    assert found is not None
    assert (found.owner, found.owner_alive) == (os.getpid(), False)


@pytest.mark.parametrize("session", ["x", "1", "-", "1-x", "x-1", "1-2-3", "\u0661-\u0661"])
def test_a_session_that_no_hotrun_wrote_has_no_owner(session: str) -> None:
    assert Holder(None, session=session).owner == 0


def test_a_free_port_has_no_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert holder("127.0.0.1", port) is None


def test_the_holder_of_a_unix_socket_is_found(yard: Yard) -> None:
    path = str(yard.directory / "app.sock")
    code = f"""
import socket
sock = socket.socket(socket.AF_UNIX)
sock.bind({path!r})
sock.listen()
say("bound", os.getpid())
forever()
"""
    app = start(yard, code)
    assert yard.pid_of("bound") == app.child.pid
    found = holder_of_path(path)
    assert found is not None
    assert found.pid == app.child.pid
    app.child.kill()
    yard.until_gone(app)
    assert os.path.exists(path)
    assert holder_of_path(path) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_the_process_of_another_user_is_not_seen_into() -> None:
    # As its own program: it gives up its rights for good.
    code = """
import json, os, sys
sys.path[:0] = [sys.argv[1]]
from hotrun.process.ports import explain, holder
import psutil, hotrun.process.listeners
os.setgid(65534), os.setuid(65534)
found = holder("127.0.0.1", int(sys.argv[2]))
print(json.dumps([found, explain(found, "127.0.0.1:1")]))
"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        root = str(Path(hotrun.__file__).parent.parent)
        done = subprocess.run(
            [sys.executable, "-c", code, root, port], check=True, capture_output=True, text=True
        )
    found, words = json.loads(done.stdout)
    assert found == [None, 0, "", 0.0, "root", "", False, False]
    assert words == ["127.0.0.1:1 is held by a process of root", "use another port"]


# --- words ---


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("python3 -m http.server 8080", "python3 -m http.server 8080"),
        ("nginx: master process\0\0\0", "nginx: master process"),
        ("a\x1b[31m\tc\udcff", "a\\x1b[31m\\tc\\udcff"),
        ("python3 -c \nimport time\ntime.sleep(9)\n", "python3 -c ..."),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 60 + "..."),
    ],
)
def test_a_command_is_shown_as_one_readable_line(command: str, shown: str) -> None:
    assert _shortened(command) == shown


def test_today_is_a_time_and_another_day_a_date() -> None:
    noon = time.mktime((2026, 11, 27, 12, 0, 0, 0, 0, -1))
    assert _when(noon - 3600, noon) == "11:00"
    assert _when(noon - 13 * 3600, noon) == "2026-11-26"
    assert _when(noon - 366 * 86_400, noon) == "2025-11-26"


def test_a_stranger_is_named_and_never_ended(yard: Yard) -> None:
    app = start(yard, listens())
    port = yard.pid_of("port")
    found = holder("127.0.0.1", port)
    message, hint = explain(found, f"127.0.0.1:{port}")
    pid = app.child.pid
    before, _, since = message.rpartition(", since ")
    assert before.startswith(f"127.0.0.1:{port} is held by pid {pid} ({sys.executable}"[:40])
    assert re.fullmatch(r"\d\d:\d\d\)|\d{4}-\d\d-\d\d\)", since)
    assert hint == f"stop it with: kill {pid}, then try again; or use another port"
    assert yard.lives(pid)


def test_the_app_of_another_hotrun_is_left_to_it(yard: Yard) -> None:
    other = yard.app('say("other", os.getpid()); forever()')
    session = now(yard.pid_of("other"))
    start(yard, listens(), session)
    _, hint = explain(holder(None, yard.pid_of("port")), "port 1")
    owner = other.child.pid
    assert hint == f"another hotrun (pid {owner}) runs it: end that one, or use another port"


def test_what_an_earlier_hotrun_left_is_named_as_such(yard: Yard) -> None:
    # This process has the pid of that hotrun, but began long after it.
    start(yard, listens(), f"{os.getpid()}-1")
    _, hint = explain(holder(None, yard.pid_of("port")), "port 1")
    assert hint == "it was left by an earlier hotrun: hotrun leftovers --stop"


def test_what_this_hotrun_started_is_named_as_such(yard: Yard) -> None:
    app = start(yard, listens(), now())
    _, hint = explain(holder(None, yard.pid_of("port")), "port 1")
    pid = app.child.pid
    assert hint == f"this hotrun started it: stop it with: kill {pid}, or use another port"


def test_a_socket_that_hotrun_holds_for_the_app_is_named_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = holder(None, server.getsockname()[1])
    _, hint = explain(found, "port 1")
    assert hint == (
        "hotrun holds it for the app (`listen`): use that socket (LISTEN_FDS), or drop `listen`"
    )


def test_the_first_process_of_a_machine_is_not_to_be_killed() -> None:
    found = Holder(tree.Process(1, 0.0), 1, "init")
    assert explain(found, "/run/x") == ("/run/x is held by pid 1 (init)", "use another port")


def test_who_cannot_be_seen_is_said_so() -> None:
    unseen = Holder(None)
    message = "port 1 is held by another user's process"
    assert explain(unseen, "port 1") == (message, "use another port")
    message = "port 1 is in use, and nobody is seen to hold it"
    assert explain(None, "port 1") == (message, "try again, or use another port")
