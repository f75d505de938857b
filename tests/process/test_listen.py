"""Sockets held across apps: where they are, who gets them, and what an app can do to them.

Law: each test that holds sockets runs in a process of its own, forked, in which nothing is open
but stdin, stdout and stderr, as at the start of hotrun; what it started is killed at its end.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import shutil
import signal
import socket
import stat
import struct
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from live import free_port

from hotrun.address import parse_address
from hotrun.process.command import Command, parse
from hotrun.process.listen import BACKLOG, ListenError, Sockets
from hotrun.process.passing import knows_pid
from hotrun.process.spawn import Spawn, start

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

DEADLINE = 60  # seconds; generous, because the machine may be busy with other tests
REPORT = 500  # the descriptor of a test's verdict, far from those that are tested

# An app that answers once on each socket, and says what it was told.
ANSWERS = """
import json, os, socket, sys
told = {name: os.environ.get(name) for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")}
told |= {"pid": os.getpid(), "argv": sys.argv[1:], "ppid": os.getppid()}
for fd in map(int, os.environ["HOTRUN_LISTEN_FDS"].split(",")):
    with socket.socket(fileno=fd) as server:
        server.settimeout(60)
        connection, _ = server.accept()
        connection.sendall(json.dumps({**told, "fd": fd}).encode())
        connection.close()
"""
CLOSES = "import socket; server = socket.socket(fileno=3); server.listen(1); server.close()"
SHUTS = "import socket; server = socket.socket(fileno=3); server.shutdown(socket.SHUT_RDWR)"
SPOILS = "import os; os.set_blocking(3, False)"
NODE = """
const server = require("net").createServer((socket) => {
  socket.end(JSON.stringify({ pid: process.pid }), () => server.close());
});
server.listen({ fd: 3 });
"""


def alone(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test in a process of its own, whose only descriptors are 0, 1 and 2."""

    @functools.wraps(test)
    def forked(*args: object, **kwargs: object) -> None:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            _run(write, functools.partial(test, *args, **kwargs))
        os.close(write)
        with open(read, encoding="utf-8") as said:
            verdict = said.read()
        assert (os.waitpid(pid, 0)[1], verdict) == (0, "passed"), verdict

    return forked


def _run(report: int, test: Callable[[], None]) -> NoReturn:
    verdict = "passed"
    try:
        os.dup2(report, REPORT, inheritable=False)
        for name in os.listdir("/proc/self/fd"):
            if int(name) not in (0, 1, 2, REPORT):
                with contextlib.suppress(OSError):
                    os.close(int(name))
        signal.signal(signal.SIGALRM, _too_late)
        signal.alarm(DEADLINE)
        test()
    except BaseException:  # noqa: BLE001 - it is told to the process before the fork
        verdict = traceback.format_exc()
    finally:
        os.write(REPORT, verdict.encode())
        os._exit(0)


def _too_late(*_: object) -> NoReturn:
    raise TimeoutError(f"the test took {DEADLINE} s")


@contextlib.contextmanager
def held(*texts: str) -> Iterator[Sockets]:
    sockets = Sockets(len(texts))
    with contextlib.closing(sockets):
        sockets.bind([parse_address(text) for text in texts])
        yield sockets


@contextlib.contextmanager
def app(sockets: Sockets, command: Command) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command with all sockets, and kill it at the end."""
    env = {**os.environ, **sockets.environment()}
    process = start(Spawn(command, os.getcwd(), env, sockets=sockets.fds), [])
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def python(code: str, *arguments: str) -> Command:
    return Command((sys.executable, "-ISc", code, *arguments), "python")


def do(sockets: Sockets, code: str) -> None:
    """Let an app do something with the sockets, to its end."""
    with app(sockets, python(code)) as process:
        assert process.wait() == 0


def client(address: str) -> socket.socket:
    """Connect to an address as `Sockets.addresses` shows it."""
    where = parse_address(address)
    if where.path:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(DEADLINE)
        sock.connect(where.path)
        return sock
    return socket.create_connection((where.host or "127.0.0.1", where.port), DEADLINE)


def ask(address: str) -> dict[str, Any]:
    with client(address) as sock, sock.makefile() as answer:
        said: dict[str, Any] = json.load(answer)
        return said


def open_fds() -> list[int]:
    with os.scandir("/proc/self/fd") as entries:
        return sorted(int(entry.name) for entry in entries)


def is_null(fd: int) -> bool:
    return os.path.samestat(os.fstat(fd), os.stat(os.devnull))


def refused(*texts: str) -> ListenError:
    with pytest.raises(ListenError) as caught, held(*texts):
        pass
    return caught.value


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="::1 cannot be bound")
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not on PATH")


# --- the numbers ---


@alone
def test_the_numbers_from_three_on_are_reserved_before_anything_is_bound() -> None:
    sockets = Sockets(2)
    assert [is_null(3), is_null(4)] == [True, True]
    assert [os.get_inheritable(3), os.get_inheritable(4)] == [False, False]
    assert os.dup(0) == 5
    assert (sockets.fds, sockets.environment()) == ((), {})
    sockets.close()
    assert os.dup(0) == 3


@alone
def test_sockets_get_their_numbers_whatever_was_opened_in_between() -> None:
    sockets = Sockets(2)
    os.dup(0)
    sockets.bind([parse_address("127.0.0.1:0"), parse_address("localhost:0")])
    assert sockets.fds == (3, 4)
    assert all(stat.S_ISSOCK(os.fstat(fd).st_mode) for fd in (3, 4))
    assert not os.get_inheritable(3)
    sockets.close()


@alone
def test_what_our_parent_left_open_is_taken_over() -> None:
    """The jobserver of make has 3 and 4: nobody in hotrun uses it, nor would a child get it."""
    read, write = os.pipe()
    for fd in (read, write):
        os.set_inheritable(fd, True)
    assert (read, write) == (3, 4)
    with held("127.0.0.1:0") as sockets:
        assert sockets.fds == (3,)
        assert stat.S_ISFIFO(os.fstat(4).st_mode)
        with app(sockets, python(ANSWERS)):
            assert ask(sockets.addresses[0])["fd"] == 3


@alone
def test_what_is_our_own_is_not_taken_over() -> None:
    read, write = os.pipe()
    os.set_inheritable(read, True)
    error = refused("127.0.0.1:0", "localhost:0")
    assert (read, write) == (3, 4)
    assert error.message == "descriptor 4 is in use, a socket has to be there"
    assert (error.address, error.errno) == (None, 0)
    assert stat.S_ISFIFO(os.fstat(3).st_mode)


@alone
def test_nine_sockets_have_numbers_of_two_digits() -> None:
    with held(*[f"127.0.0.1:{port}" for port in free_ports(9)]) as sockets:
        assert sockets.fds == tuple(range(3, 12))
        with app(sockets, python(ANSWERS, "{fd9}")) as process:
            said = [ask(address) for address in sockets.addresses]
        assert [each["fd"] for each in said] == [*range(3, 12)]
        assert said[8]["argv"] == ["11"]
        assert said[8]["LISTEN_PID"] == str(process.pid)


# --- who gets them ---


@alone
def test_an_app_finds_its_socket_at_three_and_its_pid_in_the_environment() -> None:
    with held("127.0.0.1:0") as sockets, app(sockets, python(ANSWERS)) as process:
        said = ask(sockets.addresses[0])
        port = sockets.addresses[0].split(":")[1]
        assert said["pid"] == process.pid
        assert (said["LISTEN_FDS"], said["LISTEN_FDNAMES"], said["fd"]) == ("1", port, 3)
        assert said["LISTEN_PID"] == str(process.pid)
        assert said["ppid"] == os.getpid()  # no shell stays in between


@alone
@pytest.mark.parametrize(
    "line",
    [
        "cd . && X=1 {python} -ISc {code}",
        "test -d . ; exec {python} -ISc {code} >/dev/null",
        "{python} -ISc {code} {{fd}} $HOME",
    ],
)
def test_a_shell_line_whose_last_command_is_the_app(line: str) -> None:
    command = shell(line)
    assert knows_pid(command)
    with held("127.0.0.1:0") as sockets, app(sockets, command) as process:
        said = ask(sockets.addresses[0])
        assert said["pid"] == process.pid
        assert said["LISTEN_PID"] == str(process.pid)


@alone
@pytest.mark.parametrize("line", ["{python} -ISc {code} | cat", "{python} -ISc {code}; exit 3"])
def test_a_shell_that_stays_has_another_pid_and_nothing_is_said_of_it(line: str) -> None:
    command = shell(line)
    assert not knows_pid(command)
    with held("127.0.0.1:0") as sockets, app(sockets, command) as process:
        said = ask(sockets.addresses[0])
        assert said["pid"] != process.pid
        assert (said["LISTEN_PID"], said["LISTEN_FDS"], said["fd"]) == (None, "1", 3)


@pytest.mark.parametrize(
    ("line", "knows"),
    [
        ("./app", True),
        ("./app {fd}", True),
        ("cd web && ./app", True),
        ("cd web && exec ./app", True),
        ("  cd web; exec ./app >log  ", True),
        ("exec ./app $PORT", True),
        ("echo 'exec ./app' | cat", False),
        ("./app & wait", False),
        ("exec ./app | cat", False),
        ("trap 'rm x' EXIT; ./app", False),
        ("trap 'exec ./x' EXIT; ./app", False),
        ("exec ./app; echo", False),
    ],
)
def test_whether_a_line_becomes_its_app(line: str, *, knows: bool) -> None:
    assert knows_pid(parse(line)) is knows


def test_a_list_of_arguments_becomes_its_app() -> None:
    assert knows_pid(parse(["sh", "-c", "./app; true"]))


@alone
def test_who_is_not_given_them_does_not_get_them() -> None:
    """A build, or a command beside the app."""
    with held("127.0.0.1:0", "localhost:0") as sockets:
        code = "import os, sys; sys.exit(len(os.listdir('/proc/self/fd')) - 1 != 3)"
        spawn = Spawn(python(code), "/", os.environ)
        assert start(spawn, []).wait() == 0
        assert sockets.fds == (3, 4)


@alone
@needs_node
def test_node_takes_descriptor_three() -> None:
    with held("127.0.0.1:0") as sockets:
        with app(sockets, Command(("node", "-e", NODE), "node")) as process:
            assert ask(sockets.addresses[0])["pid"] == process.pid
            assert process.wait() == 0
        sockets.refresh()
        with app(sockets, python(ANSWERS)) as process:  # which expects a blocking socket
            assert ask(sockets.addresses[0])["pid"] == process.pid


# --- between two apps ---


@alone
def test_a_client_that_comes_between_two_apps_waits_for_the_second() -> None:
    with held("127.0.0.1:0") as sockets:
        with app(sockets, python(ANSWERS)):
            ask(sockets.addresses[0])
        sockets.refresh()
        early = client(sockets.addresses[0])
        with early, early.makefile() as answer, app(sockets, python(ANSWERS)) as process:
            assert json.load(answer)["pid"] == process.pid


def backlog(fd: int) -> int:
    """Return the backlog of a listening socket: Linux has it in tcpi_sacked (tcp(7))."""
    with socket.socket(fileno=os.dup(fd)) as sock:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    size: int = struct.unpack_from("=I", info, 28)[0]
    return size


@alone
def test_a_backlog_that_an_app_made_small_is_made_large_again() -> None:
    largest = int(Path("/proc/sys/net/core/somaxconn").read_text())
    with held("127.0.0.1:0") as sockets, contextlib.ExitStack() as clients:
        assert backlog(3) == min(BACKLOG, largest)
        do(sockets, CLOSES)
        assert backlog(3) == 1
        sockets.refresh()
        for _ in range(20):  # the third would hang
            clients.enter_context(client(sockets.addresses[0]))


@alone
@pytest.mark.parametrize("text", ["127.0.0.1:0", "./app.sock"])
def test_an_app_that_shuts_a_socket_down_ends_nothing(text: str, tmp_path: Path) -> None:
    os.chdir(tmp_path)
    with held(text) as sockets:
        before = sockets.addresses
        do(sockets, SHUTS)
        with pytest.raises(ConnectionRefusedError):
            client(before[0])
        sockets.refresh()
        assert sockets.addresses == before
        with app(sockets, python(ANSWERS)) as process:
            assert ask(before[0])["pid"] == process.pid
    assert os.listdir(tmp_path) == []


@alone
def test_an_app_that_makes_a_socket_non_blocking_does_it_for_itself() -> None:
    with held("127.0.0.1:0") as sockets:
        do(sockets, SPOILS)
        assert not os.get_blocking(3)
        sockets.refresh()
        assert os.get_blocking(3)


@alone
def test_an_app_that_removes_the_file_of_a_unix_socket(tmp_path: Path) -> None:
    os.chdir(tmp_path)
    with held("./app.sock") as sockets:
        os.unlink("app.sock")
        sockets.refresh()
        with app(sockets, python(ANSWERS)) as process:
            assert ask("./app.sock")["pid"] == process.pid


@alone
def test_a_file_that_a_stranger_put_in_our_place_stays(tmp_path: Path) -> None:
    os.chdir(tmp_path)
    with held("./app.sock") as sockets:
        os.unlink("app.sock")
        Path("app.sock").write_text("mine")
        with pytest.raises(ListenError) as caught:
            sockets.refresh()
        assert caught.value.message == "./app.sock is a file and no socket"
        assert sockets.fds == ()
        os.unlink("app.sock")
        sockets.bind([parse_address("./app.sock")])
        assert sockets.fds == (3,)


# --- which are bound ---


def free_ports(count: int) -> list[int]:
    return [free_port() for _ in range(count)]


@alone
def test_what_is_bound_stays_and_what_is_dropped_is_free_at_once() -> None:
    one, two = (parse_address(f"127.0.0.1:{port}") for port in free_ports(2))
    sockets = Sockets(2)
    sockets.bind([one, two])
    first = os.fstat(3).st_ino, os.fstat(4).st_ino
    sockets.bind([one, two])
    assert (os.fstat(3).st_ino, os.fstat(4).st_ino) == first
    sockets.bind([two])
    assert (sockets.fds, os.fstat(3).st_ino, is_null(4)) == ((3,), first[1], True)
    with socket.create_server((one.host, one.port)):
        with pytest.raises(ListenError):
            sockets.bind([one, two])
        assert (sockets.fds, is_null(3), is_null(4)) == ((), True, True)
        client(two.text).close()  # it is held on
    sockets.bind([one, two])
    assert os.fstat(4).st_ino == first[1]
    sockets.close()


@alone
def test_a_failure_leaves_bound_what_was_bound_before_and_can_be_tried_again() -> None:
    one, two = (parse_address(f"127.0.0.1:{port}") for port in free_ports(2))
    sockets = Sockets(2)
    with socket.create_server((two.host, two.port)):
        with pytest.raises(ListenError) as caught:
            sockets.bind([one, two])
        assert caught.value.address == two
        assert (sockets.fds, sockets.addresses) == ((3,), (one.text,))
    sockets.bind([one, two])
    assert sockets.names == (str(one.port), str(two.port))
    assert sockets.environment() == {
        "LISTEN_FDS": "2",
        "LISTEN_FDNAMES": f"{one.port}:{two.port}",
        "HOTRUN_LISTEN_FDS": "3,4",
    }
    sockets.close()


@alone
def test_more_addresses_than_were_reserved_need_a_new_start() -> None:
    with held("127.0.0.1:0") as sockets:
        first = parse_address("127.0.0.1:0")
        with pytest.raises(ListenError) as caught:  # its own descriptor lies behind the slots
            sockets.bind([first, parse_address(f"127.0.0.1:{free_ports(1)[0]}")])
        assert "start hotrun again" in caught.value.hint
        assert sockets.fds == (3,)
        client(sockets.addresses[0]).close()


@alone
def test_a_port_whose_last_connection_was_just_closed_by_the_app_can_be_bound_again() -> None:
    """It is in TIME_WAIT for a minute."""
    with held(f"127.0.0.1:{free_port()}") as sockets, app(sockets, python(ANSWERS)) as process:
        address = sockets.addresses[0]
        ask(address)
        process.wait()
    with held(address) as sockets:
        assert sockets.addresses == (address,)


@alone
@needs_ipv6
def test_ipv6_has_its_own_form() -> None:
    with held("[::1]:0") as sockets, app(sockets, python(ANSWERS)) as process:
        address = sockets.addresses[0]
        assert address.startswith("[::1]:")
        assert not address.endswith(":0")
        assert ask(address)["pid"] == process.pid


@alone
def test_no_host_is_all_interfaces_and_both_families() -> None:
    with held(":0") as sockets:
        port = parse_address(sockets.addresses[0]).port
        socket.create_connection(("127.0.0.1", port), DEADLINE).close()
        if has_ipv6():
            socket.create_connection(("::1", port), DEADLINE).close()


@alone
def test_localhost_is_ipv4() -> None:
    with held("localhost:0") as sockets:
        port = parse_address(sockets.addresses[0]).port
        socket.create_connection(("127.0.0.1", port), DEADLINE).close()
        assert sockets.addresses == (f"localhost:{port}",)


@alone
def test_a_unix_socket_has_a_name_without_a_colon(tmp_path: Path) -> None:
    with held(f"{tmp_path}/a:b.sock", "127.0.0.1:0") as sockets:
        with app(sockets, python(ANSWERS)):
            said = ask(sockets.addresses[0])
        assert said["LISTEN_FDNAMES"].split(":")[0] == "a_b.sock"
        assert len(said["LISTEN_FDNAMES"].split(":")) == 2


@alone
def test_closing_removes_our_file_and_no_other(tmp_path: Path) -> None:
    os.chdir(tmp_path)
    with held("./ours", "./theirs"):
        os.rename("theirs", "moved")
        Path("theirs").write_text("mine")
    assert sorted(os.listdir(tmp_path)) == ["moved", "theirs"]
    assert open_fds() == [0, 1, 2, 3, REPORT]  # 3: the look itself


# --- what cannot be bound ---


@alone
def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        os.dup2(sock.fileno(), 50, inheritable=False)
        text = f"127.0.0.1:{sock.getsockname()[1]}"
    error = refused(text)
    assert error.message == f"{text} is taken"
    assert error.hint == "end the program that listens there, or name another port in run.listen"
    assert (error.address, error.errno) == (parse_address(text), errno.EADDRINUSE)


@alone
def test_an_address_of_another_machine() -> None:
    error = refused("192.0.2.1:8080")  # RFC 5737: nobody has it
    message = "192.0.2.1:8080 cannot be bound: 192.0.2.1 is no address of this machine"
    assert (error.message, error.errno) == (message, errno.EADDRNOTAVAIL)
    assert "127.0.0.1" in error.hint


@alone
@pytest.mark.parametrize("host", ["no.such.host.invalid", "a" * 70, "ü" * 70, "."])
def test_a_host_that_does_not_exist(host: str) -> None:
    error = refused(f"{host}:80")
    assert error.message == f"{host}:80 cannot be bound: there is no host {host}"


@alone
def test_a_port_for_root_only() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if first == 0:
        return  # nothing is reserved here
    if os.getuid() == 0:
        os.setuid(65534)
    error = refused("127.0.0.1:1")
    assert error.message == f"127.0.0.1:1 needs root: ports below {first} are reserved"
    assert (error.hint, error.errno) == (f"name a port from {first} on", errno.EACCES)


@alone
@pytest.mark.parametrize(
    ("path", "what", "hint"),
    [
        ("./none/x", "cannot be bound: its directory does not exist", "create it: mkdir -p ./none"),
        ("./file/x", "cannot be bound: ./file is no directory", "name another path"),
        ("./file", "is a file and no socket", "name another path in run.listen"),
        ("./dead", "is left over from a program that is gone", "rm ./dead"),
        ("./alive", "is taken", "end the program that listens there, or name another path in"),
        ("./" + "x" * 106, "cannot be bound: its path has 108 bytes", "at most 107 bytes"),
    ],
)
def test_a_path_that_cannot_be_bound(tmp_path: Path, path: str, what: str, hint: str) -> None:
    os.chdir(tmp_path)
    Path("file").write_text("")
    socks = [socket.socket(socket.AF_UNIX) for _ in range(2)]
    for sock, name in zip(socks, ("dead", "alive"), strict=True):
        sock.bind(name)
        sock.listen()
        os.dup2(sock.fileno(), 50, inheritable=False)  # the last one stays open there
        sock.close()
    error = refused(path)
    assert error.message == f"{path} {what}"
    assert hint in error.hint
    assert sorted(os.listdir(tmp_path)) == ["alive", "dead", "file"]


@alone
def test_a_directory_that_may_not_be_written_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o755 if os.getuid() == 0 else 0o555)
    os.chdir(tmp_path)
    if os.getuid() == 0:
        os.setuid(65534)
    assert refused("./x").message == "./x cannot be bound: . may not be written to"


def shell(line: str) -> Command:
    """A line that runs ANSWERS."""
    code = "'" + ANSWERS.replace("'", "'\\''") + "'"
    return parse(line.format(python=sys.executable, code=code))
