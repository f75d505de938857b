"""A child on Windows: its job, its stop, its end.

Laws: nothing of it runs outside of its job, for it joins before its first instruction. While we
hold its handle its pid is nobody else's. The job's only handle is ours and kills with its
closing (``KILL_ON_JOB_CLOSE``), so that our own end, whatever its cause, is the end of the
whole tree: Windows needs no guardian. A build's daemons are let go by ``release``.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Self

from hotrun.errors import HotrunError
from hotrun.process.spawn import BusyError, SpawnError
from hotrun.process.windows import kernel32 as win
from hotrun.process.windows.kernel32 import WinError

if TYPE_CHECKING:
    from hotrun.process.windows.kernel32 import Kernel32, Start

KILLED = 1  # the exit code of who is ended by us, as taskkill and Task Manager give it


class Job:
    """One child and all that it starts.

    Args:
        kernel32: The calls.

    Raises:
        HotrunError: Windows gives no job object.
    """

    def __init__(self, kernel32: Kernel32) -> None:
        self._calls = kernel32
        self._process = 0
        self.pid = 0
        try:
            self._job = kernel32.create_job()
        except WinError as error:
            raise _no_job(error) from error
        try:
            kernel32.limit(self._job, win.KILL_ON_JOB_CLOSE)
        except WinError as error:
            self._close_job()
            raise _no_job(error) from error

    def start(self, start: Start) -> int:
        """Start the child, and return its pid; once a job.

        Raises:
            SpawnError: It cannot be started, and nothing of it is left.
        """
        # Its own group, or Ctrl-Break would reach us too.
        flags = win.SUSPENDED | win.NEW_PROCESS_GROUP
        try:
            started = self._calls.create_process(start, flags)
        except WinError as error:
            raise refused(error, start) from error
        try:
            self._calls.assign(self._job, started.process)
            self._calls.resume(started.thread)
        except WinError as error:
            self._discard(started.process)
            raise refused(error, start) from error
        finally:
            self._calls.close(started.thread)
        self._process, self.pid = started.process, started.pid
        return self.pid

    @property
    def code(self) -> int | None:
        """The exit code of the first process; None while it lives."""
        return self._calls.exit_code(self._process)

    def members(self) -> list[int]:
        """Return the pids of all that live; empty: the whole tree is gone."""
        return sorted(self._calls.pids(self._job)) if self._job else []

    def stop(self) -> bool:
        """Ask all of its group to end, by Ctrl-Break; without a console, end the job at once.

        Returns:
            Whether it was asked: ``terminate`` is then for what does not end.
        """
        if not self._process:  # group 0 is all in our console, and a pid that is free a stranger
            return False
        try:
            self._calls.send_break(self.pid)
        except WinError:  # we have no console, or it has left ours
            self.terminate()
            return False
        return True

    def terminate(self, code: int = KILLED) -> list[int]:
        """End all that live, and return their pids."""
        left = self.members()
        if left:
            self._calls.terminate_job(self._job, code)
        return left

    def release(self) -> None:
        """Let go of what is left: a build's compile server is there on purpose."""
        if self._job:
            self._calls.limit(self._job, 0)
        self.close()

    def close(self) -> None:
        """End what is left, and give the handles back; a second time nothing happens."""
        process, self._process = self._process, 0
        self._close_job()
        if process:
            self._calls.close(process)

    def _close_job(self) -> None:
        job, self._job = self._job, 0
        if job:
            self._calls.close(job)

    def _discard(self, process: int) -> None:
        """End what never ran; it may not even be in the job."""
        with contextlib.suppress(WinError):
            self._calls.terminate(process, KILLED)
        self._calls.close(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def refused(error: WinError, start: Start) -> SpawnError:
    """Say in words why Windows starts no process."""
    program, code = start.argv[0], error.code
    if code == win.ERROR_DIRECTORY:
        hint = "put it back, or start hotrun again where it is now"
        return SpawnError(f"the working directory {start.directory} does not exist", hint, 126)
    if code == win.ERROR_SHARING_VIOLATION:
        return BusyError(f"{program} is still being written", "end whoever writes it", 126)
    if code in _MISSING:
        hint = "see what removes it" if program == start.path else f"install {program}"
        return SpawnError(f"{program} does not exist: {error.words}", hint, 127)
    what, hint = _REASONS.get(code, ("cannot be started", ""))
    return SpawnError(f"{program} {what}: {error.words}", hint, 126)


_MISSING = (win.ERROR_FILE_NOT_FOUND, win.ERROR_PATH_NOT_FOUND)
_NO_PROGRAM = ("is no program for this system", "build it for this system: look at GOOS, GOARCH")
_NO_MEMORY = ("finds no memory", "end something that uses a lot of it")
_REASONS = {
    win.ERROR_ACCESS_DENIED: (
        "may not be executed",
        "look at its permissions, and at what the virus scanner says",
    ),
    win.ERROR_BAD_FORMAT: _NO_PROGRAM,
    win.ERROR_BAD_EXE_FORMAT: _NO_PROGRAM,
    win.ERROR_EXE_MACHINE_TYPE_MISMATCH: _NO_PROGRAM,
    win.ERROR_VIRUS_INFECTED: (
        "was stopped by the virus scanner",
        "make an exception there for the project's directory",
    ),
    win.ERROR_ELEVATION_REQUIRED: (
        "needs an administrator",
        "start hotrun from a terminal of an administrator",
    ),
    win.ERROR_FILENAME_EXCED_RANGE: (
        "gets too long arguments",
        "shorten run.args: Windows takes 32767 characters",
    ),
    win.ERROR_TOO_MANY_OPEN_FILES: ("finds no handle", "end something that holds many files"),
    win.ERROR_NOT_ENOUGH_MEMORY: _NO_MEMORY,
    win.ERROR_NO_SYSTEM_RESOURCES: _NO_MEMORY,
    win.ERROR_COMMITMENT_LIMIT: _NO_MEMORY,
}


def _no_job(error: WinError) -> HotrunError:
    hint = "without one, processes could outlive hotrun; end something that uses a lot of memory"
    return HotrunError(f"Windows gives no job object: {error.words}", hint)
