"""The guardian: what we started does not survive us, not even our own SIGKILL.

A small process is forked at the very start, before threads and heavy imports, and becomes a shell
that sleeps in ``read`` on a pipe. (A sleeping copy of ourselves would come to hold every page
that we change: 6.5 MB after the first build, measured; a shell has 0.1.) What begins and ends is
written to a file without a name that both have open, so that it is woken by nothing but our end.
When the pipe ends without a farewell, we are gone: the shell becomes the sweep (sweep.py).
(PDEATHSIG would reach the direct child alone, and is bound to the thread that spawned it.)
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Self

from hotrun.process import tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    # Path, the settings to give back, and those that hotrun's keys need (termios.tcgetattr).
    Tty = tuple[str, list[Any], list[Any]]

FAREWELL = b"bye\n"
PIPE, NULL, RECORDS = 0, (1, 2), 3  # the descriptors of the sleeper
SHELL = "/bin/sh"  # called by this name alone: as anything else, bash would read $BASH_ENV
SLEEP = """{ echo hotrun-guardian >/proc/$$/comm; } 2>/dev/null
read -r word
[ "$word" = bye ] || exec "$@"
"""
# -I: nothing of the user's environment and directory; -B: it writes nothing. Without the site,
# which takes half of its start, where psutil is not needed.
PYTHON = ("-I", "-B", *(["-S"] if tree.LINUX else []), "-c")
# Our directory comes last: beside us may lie a package called like one of the standard library.
SWEEP = """import sys
sys.path.append(sys.argv[1])
from hotrun.process.sweep import main
main(*sys.argv[2:])
"""


class Guardian:
    """Our end of the pipe.

    Args:
        cookie: ``NAME=value`` in the environment of every app.
        tty: The path of the terminal (not /dev/tty: the guardian has none), its settings now,
            and those that our keys need. If they are in force when we are killed, those of now
            are given back.
    """

    def __init__(self, cookie: str, tty: Tty | None = None) -> None:
        self._takes_over = False
        self._records = _nameless_file()
        ours, theirs = os.pipe()  # not inherited by any program: a copy would keep it asleep
        self.pid = os.fork()
        if self.pid == 0:
            try:
                settings = tty[1:] if tty is not None else ()
                words = [cookie, *((tty[0], *map(flat, settings)) if tty is not None else ())]
                _guard(ours, self._records, words)
            finally:
                os._exit(0)
        os.close(ours)
        self._pipe = theirs

    def expect(self) -> None:
        """A process group is about to be started: we may be killed before we know its number."""
        self._note(b"?%d\n" % tree.now())

    def begin(self, group: int) -> None:
        """A process group was started."""
        self._note(b"+%d\n" % group)

    def end(self, group: int) -> None:
        """A process group is gone; its number may be given to strangers."""
        self._note(b"-%d\n" % group)

    def own(self, path: str) -> None:
        """We made a file or a directory, to be removed after us.

        A directory goes with all that is in it; a file only when nothing is left of what we
        started: it may say what is, or be the socket on which that listens.
        """
        with contextlib.suppress(OSError):
            stat = os.lstat(path)
            if "\n" not in path:  # records are lines
                place = stat.st_dev, stat.st_ino, os.fsencode(path)
                self._note(b"=%d %d %b\n" % place)

    def disown(self, path: str) -> None:
        """What we made is gone, or is not to be removed any more."""
        if "\n" not in path:
            self._note(b"!%b\n" % os.fsencode(path))

    def dismiss(self) -> None:
        """We end in good order and nothing is left: let it go, and see it gone."""
        with contextlib.suppress(BrokenPipeError):  # somebody killed it
            os.write(self._pipe, FAREWELL)
        self._see_it_gone()

    def take_over(self) -> None:
        """Sweep, although we end in good order: something is left that is to end with us."""
        self._takes_over = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: object, *_: object) -> None:
        if error is None and not self._takes_over:
            self.dismiss()
        else:  # or a bug of ours: whatever is left is for the guardian to end
            self._see_it_gone()

    def _see_it_gone(self) -> None:
        os.close(self._pipe)
        os.close(self._records)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def _note(self, record: bytes) -> None:
        with contextlib.suppress(OSError):  # no memory left for it: we go on without
            os.write(self._records, record)


def flat(settings: Sequence[Any]) -> str:
    """Return a terminal's settings as one word; control characters are bytes, or numbers."""
    *flags, characters = settings
    numbers = (each if isinstance(each, int) else ord(each) for each in characters)
    return ",".join(map(str, (*flags, *numbers)))


def _nameless_file() -> int:
    if tree.LINUX:
        with contextlib.suppress(OSError):  # a sandbox without it
            return os.memfd_create("hotrun-records")  # close-on-exec, as all that Python opens
    path = f"/tmp/hotrun-records-{os.getpid()}-{time.time_ns()}"  # noqa: S108 - it has no name soon
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    os.unlink(path)
    return fd


def _guard(pipe: int, records: int, words: list[str]) -> None:
    """Sleep until the pipe ends; runs in the forked process, and never returns to the caller."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)  # execve(2) keeps that
    os.setsid()  # out of reach of the terminal, and of a kill of our group
    _let_go_of_all_but(pipe, records)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    python = [sys.executable, *PYTHON, SWEEP, root]
    if os.access(sys.executable or "", os.X_OK):
        with contextlib.suppress(OSError):  # a system without a shell
            os.execv(SHELL, ["sh", "-c", SLEEP, "hotrun-guardian", *python, *words])
    if os.read(PIPE, len(FAREWELL)) != FAREWELL:
        from hotrun.process import sweep

        sweep.main(*words)


def _let_go_of_all_but(pipe: int, records: int) -> None:
    """Keep two descriptors, under the numbers that are agreed on."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in NULL:  # a pipe of the caller's that we held open would never end
        os.dup2(null, fd)
    os.dup2(pipe, PIPE)
    os.dup2(records, RECORDS)
    os.set_inheritable(RECORDS, True)
    for name in os.listdir("/dev/fd"):
        if int(name) > RECORDS:
            with contextlib.suppress(OSError):
                os.close(int(name))
