"""A kernel32 in Python: processes, jobs and handles, and the laws by which Windows keeps them.

It stands in for ``hotrun.process.windows.kernel32.Native``. What it holds against its user:
- a handle is good until it is closed, and is of one kind; at the end none is open;
- Ctrl-Break to group 0, which is all in our console, is a fault.
What it does as Windows does:
- the last handle of a job with KILL_ON_JOB_CLOSE ends its members; without, they live on;
- what a member starts joins its job; what was started before it joined is left out;
- a suspended process runs nothing; its program runs when its thread is resumed;
- a pid is given away again as soon as its process ended and no handle of it is open;
- Ctrl-Break comes to all of a group in our console, and to nobody without one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from hotrun.process.windows.kernel32 import (
    ERROR_ACCESS_DENIED,
    ERROR_FILE_NOT_FOUND,
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    KILL_ON_JOB_CLOSE,
    NEW_PROCESS_GROUP,
    SUSPENDED,
    Start,
    Started,
    WinError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Program = Callable[["Process"], None]

T = TypeVar("T")

BREAK = 0xC000013A  # STATUS_CONTROL_C_EXIT: the code of who has no handler


@dataclass(eq=False)
class JobObject:
    flags: int = 0
    members: list[Process] = field(default_factory=list)


@dataclass(eq=False)
class Thread:
    process: Process


@dataclass(eq=False)
class Process:
    """A process; its program is a function that gets it and starts, ends or waits."""

    kernel: FakeJobs
    pid: int
    group: int
    program: Program
    job: JobObject | None = None
    suspended: bool = False
    code: int | None = None
    heard: int = 0  # how often Ctrl-Break came
    handler: Program | None = None  # what it does then; without one it ends

    @property
    def alive(self) -> bool:
        return self.code is None

    def spawn(self, program: Program, *, group: bool = False) -> Process:
        """Start a child."""
        return self.kernel.born(program, self.job, 0 if group else self.group)

    def end(self, code: int = 0) -> None:
        if self.alive:
            self.code = code


@dataclass(eq=False)
class FakeJobs:
    """The calls.

    Attributes:
        programs: By path.
        console: Whether we have one.
        fails: By name of a call: what it fails with.
    """

    programs: dict[str, Program] = field(default_factory=dict)
    console: bool = True
    fails: dict[str, int] = field(default_factory=dict)
    started: list[Start] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    _handles: dict[int, JobObject | Process | Thread] = field(default_factory=dict)
    _last: int = 0x1_0000_0000  # more than 32 bits

    # --- the calls ---

    def create_job(self) -> int:
        self._may("create_job")
        return self._open(JobObject())

    def limit(self, job: int, flags: int) -> None:
        self._may("limit")
        self._at(job, JobObject).flags = flags

    def create_process(self, start: Start, flags: int) -> Started:
        self._may("create_process")
        if start.path not in self.programs:
            raise WinError(ERROR_FILE_NOT_FOUND)
        self.started.append(start)
        group = 0 if flags & NEW_PROCESS_GROUP else -1
        process = self.born(self.programs[start.path], None, group, run=not flags & SUSPENDED)
        return Started(self._open(process), self._open(Thread(process)), process.pid)

    def assign(self, job: int, process: int) -> None:
        self._may("assign")
        member, into = self._at(process, Process), self._at(job, JobObject)
        if not member.alive:
            raise WinError(ERROR_ACCESS_DENIED)
        member.job = into
        into.members.append(member)

    def resume(self, thread: int) -> None:
        self._may("resume")
        process = self._at(thread, Thread).process
        if process.suspended and process.alive:
            process.suspended = False
            process.program(process)

    def send_break(self, group: int) -> None:
        self._may("send_break")
        assert group > 0, self._fault("Ctrl-Break to all in our console")
        if not self.console:
            raise WinError(ERROR_INVALID_HANDLE)
        hearing = [each for each in self.living() if each.group == group]
        if not hearing:
            raise WinError(ERROR_INVALID_PARAMETER)
        for process in hearing:
            process.heard += 1
            (process.handler or (lambda it: it.end(BREAK)))(process)

    def pids(self, job: int) -> list[int]:
        self._may("pids")
        return [each.pid for each in self._at(job, JobObject).members if each.alive]

    def terminate_job(self, job: int, code: int) -> None:
        self._may("terminate_job")
        for process in self._at(job, JobObject).members:
            process.end(code)

    def terminate(self, process: int, code: int) -> None:
        self._may("terminate")
        victim = self._at(process, Process)
        if not victim.alive:
            raise WinError(ERROR_ACCESS_DENIED)
        victim.end(code)

    def exit_code(self, process: int) -> int | None:
        self._may("exit_code")
        return self._at(process, Process).code

    def close(self, handle: int) -> None:
        self._may("close")
        assert handle in self._handles, self._fault(f"handle {handle:#x} is not open")
        closed = self._handles.pop(handle)
        last = closed not in self._handles.values()
        if isinstance(closed, JobObject) and last and closed.flags & KILL_ON_JOB_CLOSE:
            for process in closed.members:
                process.end()

    # --- what others do ---

    def born(
        self, program: Program, job: JobObject | None, group: int, *, run: bool = True
    ) -> Process:
        """Make a process; group 0 is one of its own."""
        pid = self._free_pid()
        process = Process(self, pid, group or pid, program, job, suspended=not run)
        self.processes.append(process)
        if job is not None:
            job.members.append(process)
        if run:
            program(process)
        return process

    def die(self) -> None:
        """End hotrun, as TerminateProcess does: the kernel closes its handles."""
        for handle in list(self._handles):
            self.close(handle)

    def living(self) -> list[Process]:
        return [each for each in self.processes if each.alive]

    def _free_pid(self) -> int:
        known = {each.pid for each in self.living()}
        known |= {held.pid for held in self._handles.values() if isinstance(held, Process)}
        return next(pid for pid in range(4, 1 << 16, 4) if pid not in known)

    # --- its books ---

    def _may(self, call: str) -> None:
        if call in self.fails:
            raise WinError(self.fails[call])

    def _open(self, what: JobObject | Process | Thread) -> int:
        self._last += 4
        self._handles[self._last] = what
        return self._last

    def _at(self, handle: int, kind: type[T]) -> T:
        found = self._handles.get(handle)
        assert isinstance(found, kind), self._fault(f"{handle:#x} is no {kind.__name__}")
        return found

    def _fault(self, what: str) -> str:
        self.faults.append(what)
        return what

    def check_clean(self) -> None:
        """Assert that nothing was done against the rules, and nothing is left open."""
        assert self.faults == []
        assert not self._handles, f"still open: {list(self._handles.values())}"
