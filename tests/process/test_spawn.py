"""What cannot be started is said in words, with what a shell would answer, and no traceback.

The same words with sockets passed, although there a shell stands between us and the program.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hotrun.process.command import Command, beside, parse
from hotrun.process.passing import is_being_written, placed
from hotrun.process.spawn import BusyError, Spawn, SpawnError, _missing, refused, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Refuse = Callable[..., SpawnError]


@pytest.fixture(params=[0, 1], ids=["alone", "with a socket"])
def sockets(request: pytest.FixtureRequest) -> Iterator[tuple[int, ...]]:
    with socket.socket() as held:
        yield (held.fileno(),) * request.param


@pytest.fixture
def refuse(tmp_path: Path, sockets: tuple[int, ...]) -> Refuse:
    """Start what cannot be started, and return why."""

    def refuse(*argv: str, env: Mapping[str, str] | None = None, directory: str = "") -> SpawnError:
        with pytest.raises(SpawnError) as caught:
            run(argv, env, directory or str(tmp_path), sockets)
        return caught.value

    return refuse


def run(
    argv: Sequence[str],
    env: Mapping[str, str] | None,
    directory: str,
    sockets: tuple[int, ...] = (),
    stdin: int | None = None,
) -> int:
    command = Command(tuple(argv), " ".join(argv))
    env = os.environ if env is None else env
    return start(Spawn(command, directory, env, sockets=sockets, stdin=stdin), []).wait()


def program(directory: Path, name: str, content: bytes, mode: int = 0o755) -> Path:
    path = directory / name
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_name_that_is_not_on_the_path(refuse: Refuse) -> None:
    error = refuse("no-such-program")
    assert (error.message, error.code) == ("no-such-program: command not found", 127)
    assert error.hint == "install no-such-program, or put its directory on PATH"


def test_go_comes_with_pip_as_well() -> None:
    assert _missing("go", "/").hint == "pip install 'hotrun[go]', or put its directory on PATH"


def test_a_path_that_is_not_there(refuse: Refuse, tmp_path: Path) -> None:
    error = refuse("./app")
    assert (error.message, error.code) == ("./app does not exist", 127)
    assert str(tmp_path / "app") in error.hint


def test_a_directory(refuse: Refuse, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    error = refuse("./app")
    assert (error.message, error.code) == ("./app is a directory", 126)


def test_a_file_that_is_not_executable(refuse: Refuse, tmp_path: Path) -> None:
    program(tmp_path, "my app", b"#!/bin/sh\n", 0o644)
    error = refuse("./my app")
    assert (error.message, error.code) == ("./my app is not executable", 126)
    assert error.hint == "chmod +x './my app'"


def test_a_script_whose_interpreter_is_not_there(refuse: Refuse, tmp_path: Path) -> None:
    program(tmp_path, "app", b"#! /no/such/python -u\n")
    error = refuse("./app")
    assert (error.message, error.code) == ("./app needs /no/such/python, which is not there", 126)


def test_a_script_with_windows_line_ends(refuse: Refuse, tmp_path: Path) -> None:
    program(tmp_path, "app", b"#!/bin/sh\r\necho\r\n")
    error = refuse("./app")
    assert error.message == "./app needs /bin/sh\\r, which is not there"
    assert error.hint == "it has Windows line ends: sed -i 's/\\r$//' ./app"


def test_a_script_whose_interpreter_may_not_be_executed(refuse: Refuse, tmp_path: Path) -> None:
    program(tmp_path, "sh", b"", 0o644)
    program(tmp_path, "app", b"#!%b\n" % os.fsencode(tmp_path / "sh"))
    error = refuse("./app")
    assert (error.message, error.code) == ("./app may not be executed", 126)
    assert str(tmp_path / "sh") in error.hint


def test_a_binary_for_another_machine(refuse: Refuse, tmp_path: Path) -> None:
    binary = bytearray(Path(sys.executable).read_bytes()[:4096])
    binary[18:20] = b"\xfe\xca"  # e_machine of the ELF header
    program(tmp_path, "app", bytes(binary))
    error = refuse("./app")
    assert (error.message, error.code) == ("./app is no program for this system", 126)


def test_a_binary_whose_loader_is_not_there(refuse: Refuse, tmp_path: Path) -> None:
    binary = Path(sys.executable).read_bytes()
    if b"/ld-linux" not in binary:
        pytest.skip("this Python is linked in another way")
    program(tmp_path, "app", binary.replace(b"/ld-linux", b"/ld-gone!"))
    assert refuse("./app").message == "./app needs a loader that is not there"


def test_text_that_is_no_program(refuse: Refuse, tmp_path: Path) -> None:
    program(tmp_path, "app", b"echo hello\n")
    assert refuse("./app").message == "./app is no program for this system"


def test_a_script_whose_interpreter_is_a_script_that_cannot_run(
    refuse: Refuse, tmp_path: Path
) -> None:
    program(tmp_path, "between", b"#!/no/such/python\n")
    program(tmp_path, "app", b"#!./between\n")
    assert refuse("./app").message == "./app needs ./between, which is not there"


def test_scripts_that_are_one_another_s_interpreters(refuse: Refuse, tmp_path: Path) -> None:
    program(tmp_path, "app", b"#!./app\n")
    assert "too many levels" in refuse("./app").message.lower()


def test_a_torn_binary(refuse: Refuse, tmp_path: Path) -> None:
    """A build that was killed leaves the first bytes of a program."""
    program(tmp_path, "app", Path(sys.executable).read_bytes()[:40])
    assert refuse("./app").code == 126


def test_a_program_that_is_still_being_written(
    refuse: Refuse, tmp_path: Path, sockets: tuple[int, ...]
) -> None:
    path = tmp_path / "app"
    shutil.copy("/bin/sh", path)
    with path.open("ab"):
        error = refuse("./app", "-c", "true")
    assert isinstance(error, BusyError)
    assert error.message == "./app is still being written"
    assert run(["./app", "-c", "exit 5"], None, str(tmp_path), sockets) == 5


def test_a_look_at_a_program_does_not_hurt_who_writes_it_next(tmp_path: Path) -> None:
    """A lease that is broken sends a signal, and would make the writer wait."""
    path = tmp_path / "app"
    shutil.copy("/bin/sh", path)
    assert not is_being_written(str(path))
    with open(os.open(path, os.O_WRONLY | os.O_NONBLOCK), "wb"):  # EWOULDBLOCK while leased
        assert is_being_written(str(path))


def test_a_working_directory_that_is_not_there(refuse: Refuse, tmp_path: Path) -> None:
    """Not "./app does not exist": the build cannot make it there."""
    error = refuse("./app", directory=str(tmp_path / "web"))
    assert error.message == f"the working directory {tmp_path / 'web'} does not exist"
    assert error.code == 126


def test_a_working_directory_that_is_a_file(refuse: Refuse, tmp_path: Path) -> None:
    path = program(tmp_path, "web", b"")
    error = refuse("true", directory=str(path))
    assert error.message == f"the working directory {path} is no directory"


def test_a_working_directory_that_may_not_be_entered(tmp_path: Path) -> None:
    error = PermissionError(13, "Permission denied", str(tmp_path))
    message = refused(error, "true", "/bin/true", str(tmp_path)).message
    assert message == f"the working directory {tmp_path} may not be entered"


def test_more_arguments_than_fit(refuse: Refuse) -> None:
    error = refuse("true", "x" * 2**22)
    assert (error.message, error.code) == ("true gets too many or too long arguments", 126)


@pytest.mark.parametrize(
    ("argv", "env"),
    [
        (["true", "a\0b"], {}),
        (["true", "half \ud800"], {}),
        (["true"], {"A": "b\0c"}),
        (["true"], {"A=B": "c"}),
        (["tr\0ue"], {}),
        (["./tr\0ue"], {}),
        ([""], {}),
    ],
)
def test_what_no_program_can_be_given(
    refuse: Refuse, argv: list[str], env: Mapping[str, str]
) -> None:
    error = refuse(*argv, env={**os.environ, **env})
    assert error.message.isprintable()


def test_a_path_that_no_terminal_could_show(refuse: Refuse) -> None:
    assert refuse("./\udcff\x1b[2J").message.isprintable()


def test_a_writer_who_comes_during_a_look_does_not_end_us(tmp_path: Path) -> None:
    """The kernel tells who holds a lease that it is broken, by a signal that ends by default."""
    path = tmp_path / "app"
    path.touch()
    writes = f"while True: open({str(path)!r}, 'wb').close()"
    with subprocess.Popen([sys.executable, "-ISc", writes]) as writer:
        pid = os.fork()
        if pid == 0:
            try:
                for _ in range(5000):
                    is_being_written(str(path))
            finally:
                os._exit(0)
        try:
            assert os.waitpid(pid, 0)[1] == 0
        finally:
            writer.kill()


@pytest.fixture
def few_files() -> Iterator[None]:
    """So few descriptors are left that one more pipe is too much."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    first = os.dup(0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (first + 2, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.close(first)


@pytest.mark.usefixtures("few_files")
def test_no_descriptor_is_left(refuse: Refuse) -> None:
    error = refuse("true")
    assert error.message == "true cannot be started: too many files are open"
    assert error.hint == "raise the limit: ulimit -n"


def test_no_process_is_left() -> None:
    """In a forked process of another user, whom the limit holds; root it does not."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
            run(["true"], None, "/")
        except SpawnError as error:
            os.write(write, f"{error.message}\n{error.hint}".encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(pid, 0)
    with open(read, "rb") as said:
        message, hint = said.read().decode().split("\n")
    assert message == "true cannot be started: there are too many processes"
    assert "ulimit -u" in hint


def test_a_child_has_a_group_of_its_own_and_no_descriptor_but_three(tmp_path: Path) -> None:
    code = (
        "import os, sys; fds = os.listdir('/proc/self/fd');"
        "sys.exit((os.getpgid(0) == os.getpid()) * 10 + len(fds) - 1)"
    )
    extra = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(extra, True)
    try:
        assert run([sys.executable, "-ISc", code], None, str(tmp_path)) == 13
    finally:
        os.close(extra)


@pytest.mark.parametrize("path", ["/bin:/usr/bin", "", None])
def test_what_is_beside_hotrun_is_found_last_and_by_children_too(
    tmp_path: Path, path: str | None, sockets: tuple[int, ...]
) -> None:
    """The `go` of the extra has to be found by `make` and by shell lines, too."""
    env = {} if path is None else {"PATH": path}
    name = os.path.basename(sys.executable)
    code = f"import sys; sys.exit(sys.orig_argv[0] != {name!r})"
    if path is None:  # the shell in between could not find it
        code = "pass"
    assert run([name, "-ISc", code], env, str(tmp_path), sockets) == 0
    if path is not None:
        code = f"import os, sys; sys.exit(os.environ['PATH'] != {f'{path}:{beside()}'!r})"
        assert run([sys.executable, "-ISc", code], env, str(tmp_path)) == 0


@pytest.mark.parametrize("name", ["a.b", "BASH_FUNC_f%%"])
def test_the_shell_in_between_loses_no_variable(tmp_path: Path, name: str) -> None:
    """The usual /bin/sh passes on only what it could set itself."""
    code = f"import os, sys; sys.exit(os.environ[{name!r}] != 'x y=z')"
    env = {**os.environ, name: "x y=z"}
    with socket.socket() as held:
        assert run([sys.executable, "-ISc", code], env, str(tmp_path), (held.fileno(),)) == 0


@pytest.mark.parametrize("name", ["app", "-e", "a=b", "a b", "$x"])
@pytest.mark.parametrize("env", [{}, {"a.b": "c"}], ids=["plain", "dotted"])
def test_a_program_keeps_its_name_and_its_arguments(
    tmp_path: Path, name: str, env: Mapping[str, str], sockets: tuple[int, ...]
) -> None:
    arguments = ["", "a b", "$HOME", "'\"", "*", "-n", "x=y", "a\nb", "\udcff"]
    program(
        tmp_path,
        name,
        f"#!{sys.executable} -ISu\n".encode()
        + b"""
import os, sys
got = sys.argv[1:]
sys.exit(got != eval(os.environ["EXPECTED"]))
""",
    )
    env = {**os.environ, **env, "EXPECTED": ascii(arguments)}
    env["PATH"] = f"{tmp_path}:{env['PATH']}"
    assert run([name, *arguments], env, "/", sockets) == 0
    assert run([f"./{name}", *arguments], env, str(tmp_path), sockets) == 0


def test_a_placeholder_is_the_number_of_a_socket(tmp_path: Path) -> None:
    with socket.socket() as one, socket.socket() as two:
        fds = one.fileno(), two.fileno()
        code = f"import sys; sys.exit(sys.argv[1:] != {[f'--fd={fds[0]}', f'x{fds[1]}:{fds[0]}']})"
        argv = [sys.executable, "-ISc", code, "--fd={fd}", "x{fd2}:{fd1}"]
        assert run(argv, None, str(tmp_path), fds) == 0


@pytest.mark.parametrize("line", ["test {fd} = %d", "cd . && test {fd} = %d", "test '{fd}' = %d"])
def test_a_placeholder_in_a_shell_line(tmp_path: Path, line: str) -> None:
    with socket.socket() as held:
        fd = held.fileno()
        spawn = Spawn(parse(line % fd), str(tmp_path), os.environ, sockets=(fd,))
        assert start(spawn, []).wait() == 0


@pytest.mark.parametrize("placeholder", ["{fd2}", "{fd0}", "{fd99999999999}"])
@pytest.mark.parametrize("line", ["app %s", "cd . && app %s"])
def test_a_placeholder_without_a_socket(tmp_path: Path, placeholder: str, line: str) -> None:
    with socket.socket() as held:
        sockets = (held.fileno(),)
        spawn = Spawn(parse(line % placeholder), str(tmp_path), os.environ, sockets=sockets)
        with pytest.raises(SpawnError) as caught:
            start(spawn, [])
    message = f"{placeholder} in the command has no socket: run.listen has 1"
    assert (caught.value.message, caught.value.hint) == (message, "the last one is {fd}")


def test_a_redirection_of_bash_is_no_placeholder() -> None:
    command = parse("bash -c 'exec {fd}>log; ./app {fd}'")
    assert placed(command, [7]).argv == ("bash", "-c", "exec {fd}>log; ./app 7")


def test_without_sockets_braces_are_braces(tmp_path: Path) -> None:
    code = "import sys; sys.exit(sys.argv[1] != '{fd}')"
    assert run([sys.executable, "-ISc", code, "{fd}"], None, str(tmp_path)) == 0


def test_a_placeholder_alone_needs_no_shell(refuse: Refuse, tmp_path: Path) -> None:
    """So it is we who say that the program is not there."""
    with socket.socket() as held:
        spawn = Spawn(parse("./app {fd}"), str(tmp_path), os.environ, sockets=(held.fileno(),))
        with pytest.raises(SpawnError) as caught:
            start(spawn, [])
    assert caught.value.message == refuse("./app").message


@pytest.fixture
def typed() -> Iterator[int]:
    """Something to be read, on our own stdin, and on a descriptor of its own."""
    kept = os.dup(0)
    read, write = os.pipe()
    os.write(write, b"seven b")
    os.close(write)
    os.dup2(read, 0)
    try:
        yield read
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(read)


def test_stdin_is_empty_or_what_is_given(tmp_path: Path, typed: int) -> None:
    code = "import sys; sys.exit(len(sys.stdin.read()))"
    assert run([sys.executable, "-ISc", code], None, str(tmp_path)) == 0
    assert run([sys.executable, "-ISc", code], None, str(tmp_path), stdin=typed) == 7
