"""Sockets passed to a command: ``{fd}`` in it, and a LISTEN_PID that is right.

LISTEN_PID is the number of the very process that takes the sockets (sd_listen_fds(3); gunicorn
insists), and nobody knows it before the process is there. ``preexec_fn`` would cost 8 ms a start,
so a shell in between, which then becomes the app, exports its own ``$$`` (0.5 to 1 ms).

That shell must not be who is refused by the kernel: it would say so on stderr, in its own words,
and run as a script what is no program. So whatever the kernel may refuse is started directly.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import signal
import struct
import sys
from dataclasses import replace
from typing import IO, TYPE_CHECKING

from hotrun.process import command as commands
from hotrun.process import shell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hotrun.process.command import Command

_PLACE = re.compile(r"\{fd(?P<number>[0-9]*)\}(?![<>])")  # `{fd}>log` is a redirection of bash
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SHELL = "/bin/sh"
_ENV = "/usr/bin/env"
_EXPORT = "export LISTEN_PID=$$; "
_SCRIPTS = 4  # that may be one another's interpreters (execve(2))
# They refuse a lease with EAGAIN, too, when the server has not granted them one.
_GRUDGING = ("nfs4", "cifs", "smb3")
_ELF = b"\x7fELF"
_PT_INTERP = 3  # elf(5)


class NoSuchSocketError(ValueError):
    """A ``{fd9}`` for which there is no socket; its text is the placeholder."""


def placed(command: Command, sockets: Sequence[int]) -> Command:
    """Put the descriptors in their places: ``{fd}`` is the first, ``{fd2}`` the second.

    Raises:
        NoSuchSocketError: there are not so many.
    """

    def number(match: re.Match[str]) -> str:
        at = int(match["number"][:9] or 1) - 1
        if not 0 <= at < len(sockets):
            raise NoSuchSocketError(match[0])
        return str(sockets[at])

    if not any("{fd" in word for word in command.argv):
        return command
    if command.shell:  # the braces may have been all that it needed a shell for
        return commands.parse(_PLACE.sub(number, command.text))
    return replace(command, argv=tuple(_PLACE.sub(number, word) for word in command.argv))


def knows_pid(command: Command) -> bool:
    """Tell whether the app becomes the process that is started, so that LISTEN_PID can be right.

    It does not in a shell line that the shell has to survive: ``./app | tee log``.
    """
    if not command.shell or command.argv[-1].strip() != command.text:
        return True  # an `exec` was put into it
    line = command.text
    return any(_is_last(line, match) for match in re.finditer(r"\bexec[ \t]+", line))


def _is_last(line: str, match: re.Match[str]) -> bool:
    """Tell whether an ``exec`` that stands in a line is where we would have put one."""
    before, behind = line[: match.start()], line[match.end() :]
    with contextlib.suppress(ValueError):  # it was inside quotes that do not fit now
        return shell.with_exec(before + behind) == f"{before}exec {behind}"
    return False


def told_its_pid(
    command: Command, path: str, environment: Mapping[str, str], directory: str
) -> tuple[str, Sequence[str]]:
    """Return what to execute and its arguments, so that the app finds its pid in LISTEN_PID.

    Args:
        command: What is to run.
        path: Its program, found.
        environment: All of the app's.
        directory: Where it runs; absolute.
    """
    if command.shell:
        if not knows_pid(command):
            return path, command.argv
        return path, (*command.argv[:-1], _EXPORT + command.argv[-1])
    program = command.argv[0]
    # dash keeps no variable whose name it could not set itself ("a.b", "BASH_FUNC_f%%").
    others = [f"{key}={value}" for key, value in environment.items() if not _NAME.fullmatch(key)]
    # An option of `exec`, and for env a variable.
    misread = program.startswith("-") or (others and "=" in program)
    if misread or _is_doubtful(path, directory):
        return path, command.argv
    word = program if "/" in program or "PATH" in environment else path
    argv = (*((_ENV, "--", *others) if others else ()), word, *command.argv[1:])
    return _SHELL, (_SHELL, "-c", f'{_EXPORT}exec "$@"', "sh", *argv)


def is_being_written(path: str) -> bool:
    """Tell whether execve(2) would answer ETXTBSY.

    By a read lease, which is refused with EAGAIN while anybody has the file open for writing
    (fcntl(2)); given back by the close. Where there are no leases, or not on files of others,
    nothing can be told: it is taken for complete.
    """
    set_lease = getattr(fcntl, "F_SETLEASE", None)
    if set_lease is None or not os.path.isfile(path):  # to open a FIFO waits for a writer
        return False
    try:
        with open(path, "rb", buffering=0) as file:
            # Who opens it for writing just now makes the kernel tell us, by SIGIO, which would
            # end us. SIGURG is ignored unless somebody listens (signal(7)).
            fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(file, set_lease, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN and _file_system(path) not in _GRUDGING
    return False


def _file_system(path: str) -> str:
    """Return the type of the file system that a file is on; empty when it is not to be found."""
    device = os.stat(path).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    with contextlib.suppress(OSError), open("/proc/self/mountinfo", errors="replace") as mounts:
        for line in mounts:
            fields = line.split(" ")
            if fields[2] == number:  # proc(5)
                return fields[fields.index("-") + 1]
    return ""


def _is_doubtful(path: str, directory: str, depth: int = 0) -> bool:
    """Tell whether the kernel may refuse to execute a file (execve(2)).

    What looks wrong and is not (binfmt_misc) starts all the same, without LISTEN_PID.
    """
    if depth > _SCRIPTS or not os.path.isfile(path) or not os.access(path, os.X_OK):
        return True
    try:
        with open(path, "rb") as file:
            head = file.read(256)
            if head.startswith(b"#!"):
                interpreter = re.match(rb"#![ \t]*([^ \t\n]+)", head)
                where = os.path.join(directory, os.fsdecode(interpreter[1]) if interpreter else "")
                return _is_doubtful(where, directory, depth + 1)
            return _is_foreign(head) or not _has_loader(file, head)
    except OSError:
        return False  # it may be executed, but not read


def _is_foreign(head: bytes) -> bool:
    """Tell whether a file is no ELF program for this machine; by our own one."""
    with open(sys.executable, "rb") as file:
        own = file.read(20)
    # Width, byte order, machine (elf(5)). Where programs are not ELF, nothing can be told.
    return own.startswith(_ELF) and (head[:6], head[18:20]) != (own[:6], own[18:20])


def _has_loader(file: IO[bytes], head: bytes) -> bool:
    """Tell whether the loader that an ELF program asks for is there; a static one asks for none."""
    if not head.startswith(_ELF):
        return True
    order = "<" if head[5] == 1 else ">"
    wide = head[4] == 2  # noqa: PLR2004 - ELFCLASS64
    try:
        (start,) = struct.unpack_from(order + ("Q" if wide else "I"), head, 32 if wide else 28)
        size, count = struct.unpack_from(order + "HH", head, 54 if wide else 42)
        file.seek(start)
        table = file.read(size * count)
        for at in range(0, size * count, size):
            if struct.unpack_from(order + "I", table, at)[0] == _PT_INTERP:
                return os.path.exists(_loader(file, table[at:], order, wide=wide))
    except (struct.error, ValueError, OverflowError):
        return False  # it is torn
    return True


def _loader(file: IO[bytes], entry: bytes, order: str, *, wide: bool) -> str:
    (start,) = struct.unpack_from(order + ("Q" if wide else "I"), entry, 8 if wide else 4)
    (size,) = struct.unpack_from(order + ("Q" if wide else "I"), entry, 32 if wide else 16)
    file.seek(start)
    return os.fsdecode(file.read(min(size, 4096)).rstrip(b"\0"))
