"""What cannot be started is said in words, with what a shell would answer, and no traceback."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hotrun.process.command import Command, beside
from hotrun.process.spawn import BusyError, Spawn, SpawnError, refused, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Refuse = Callable[..., SpawnError]


@pytest.fixture
def refuse(tmp_path: Path) -> Refuse:
    """Start what cannot be started, and return why."""

    def refuse(*argv: str, env: Mapping[str, str] | None = None, directory: str = "") -> SpawnError:
        with pytest.raises(SpawnError) as caught:
            run(argv, env, directory or str(tmp_path))
        return caught.value

    return refuse


def run(argv: Sequence[str], env: Mapping[str, str] | None, directory: str) -> int:
    command = Command(tuple(argv), " ".join(argv))
    process = start(Spawn(command, directory, os.environ if env is None else env), [])
    return process.wait()


def program(directory: Path, name: str, content: bytes, mode: int = 0o755) -> Path:
    path = directory / name
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_name_that_is_not_on_the_path(refuse: Refuse) -> None:
    error = refuse("no-such-program")
    assert (error.message, error.code) == ("no-such-program: command not found", 127)
    assert error.hint == "install no-such-program, or put its directory on PATH"


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


def test_a_program_that_is_still_being_written(refuse: Refuse, tmp_path: Path) -> None:
    path = tmp_path / "app"
    shutil.copy("/bin/sh", path)
    with path.open("ab"):
        error = refuse("./app", "-c", "true")
    assert isinstance(error, BusyError)
    assert run(["./app", "-c", "exit 5"], None, str(tmp_path)) == 5


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
    tmp_path: Path, path: str | None
) -> None:
    """The `go` of the extra has to be found by `make` and by shell lines, too."""
    env = {} if path is None else {"PATH": path}
    name = os.path.basename(sys.executable)
    assert run([name, "-ISc", "pass"], env, str(tmp_path)) == 0
    if path is not None:
        code = f"import os, sys; sys.exit(os.environ['PATH'] != {f'{path}:{beside()}'!r})"
        assert run([sys.executable, "-ISc", code], env, str(tmp_path)) == 0
