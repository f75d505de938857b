"""A child on Windows: its job, on a fake kernel that keeps the laws of the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fake_job_kernel32 import BREAK, FakeJobs

from hotrun.errors import HotrunError
from hotrun.process.spawn import BusyError, SpawnError
from hotrun.process.windows import kernel32 as win
from hotrun.process.windows.job import KILLED, Job, refused
from hotrun.process.windows.kernel32 import Start, WinError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fake_job_kernel32 import Process, Program

PATH = "C:\\work\\app.exe"
START = Start(PATH, ("app", "a b"), "C:\\work", {"PORT": "80"}, (0x10, 0x14, 0x14))


def wait(_: Process) -> None:
    """A program that goes on."""


def family(*programs: Program) -> Program:
    """A program that starts others, and goes on."""

    def start_them(process: Process) -> None:
        for program in programs:
            process.spawn(program)

    return start_them


def leaver(process: Process) -> None:
    """A program that starts a tree, with a process in a group of its own, and ends itself."""
    process.spawn(family(wait))
    process.spawn(wait, group=True)
    process.end()


def loner(process: Process) -> None:
    """A program that starts another one in a group of its own, and goes on."""
    process.spawn(wait, group=True)


@pytest.fixture
def kernel() -> Iterator[FakeJobs]:
    kernel = FakeJobs({PATH: family(wait)})
    yield kernel
    kernel.check_clean()


def pids(kernel: FakeJobs) -> list[int]:
    return [process.pid for process in kernel.living()]


# --- start ---


def test_a_child_and_all_that_it_starts_are_members(kernel: FakeJobs) -> None:
    kernel.programs[PATH] = leaver
    with Job(kernel) as job:
        job.start(START)
        assert job.code == 0
        assert len(pids(kernel)) == 3
        assert job.members() == sorted(pids(kernel))


def test_a_child_is_a_member_before_its_first_instruction(kernel: FakeJobs) -> None:
    born: list[object] = []
    kernel.programs[PATH] = lambda process: born.append(process.job)
    with Job(kernel) as job:
        job.start(START)
        assert born
        assert born[0] is not None


def test_a_child_leads_a_group_and_gets_what_was_said(kernel: FakeJobs) -> None:
    with Job(kernel) as job:
        pid = job.start(START)
        assert pid == job.pid
        assert {process.group for process in kernel.living()} == {pid}
    assert kernel.started == [START]


def test_its_pid_is_nobody_elses_as_long_as_we_hold_it(kernel: FakeJobs) -> None:
    kernel.programs[PATH] = lambda process: process.end(3)
    with Job(kernel) as job:
        job.start(START)
        assert job.code == 3
        assert kernel.born(wait, None, 0).pid != job.pid
    assert kernel.born(wait, None, 0).pid == job.pid


@pytest.mark.parametrize("call", ["create_process", "assign", "resume"])
def test_a_start_that_fails_leaves_nothing(kernel: FakeJobs, call: str) -> None:
    kernel.fails[call] = win.ERROR_ACCESS_DENIED
    with Job(kernel) as job:
        with pytest.raises(SpawnError, match=r"app may not be executed: .*5"):
            job.start(START)
        assert pids(kernel) == []
        assert job.members() == []
        assert not job.stop()


def test_what_cannot_be_discarded_ends_with_the_job(kernel: FakeJobs) -> None:
    kernel.fails |= {"resume": win.ERROR_ACCESS_DENIED, "terminate": win.ERROR_ACCESS_DENIED}
    with Job(kernel) as job, pytest.raises(SpawnError):
        job.start(START)
    assert pids(kernel) == []


@pytest.mark.parametrize("call", ["create_job", "limit"])
def test_without_a_job_nothing_is_started(kernel: FakeJobs, call: str) -> None:
    kernel.fails[call] = win.ERROR_NOT_ENOUGH_MEMORY
    with pytest.raises(HotrunError, match=r"Windows gives no job object: .*8"):
        Job(kernel)


# --- stop ---


def test_a_stop_is_heard_once_by_each_of_the_group_and_by_nobody_else(kernel: FakeJobs) -> None:
    kernel.programs[PATH] = family(wait, loner)
    ours = kernel.born(wait, None, -1)
    with Job(kernel) as job:
        job.start(START)
        tree = [process for process in kernel.processes if process is not ours]
        assert job.stop()
        assert [process.heard for process in tree] == [int(p.group == job.pid) for p in tree]
        assert job.code == BREAK
        assert len(job.members()) == 1  # who left the group is for `terminate`
        assert ours.heard == 0
        job.terminate()
        assert pids(kernel) == [ours.pid]


def test_who_takes_its_time_is_waited_for(kernel: FakeJobs) -> None:
    def deaf(process: Process) -> None:
        process.handler = wait

    kernel.programs[PATH] = deaf
    with Job(kernel) as job:
        pid = job.start(START)
        assert job.stop()
        assert (job.code, job.members()) == (None, [pid])
        kernel.processes[0].end(0)
        assert (job.code, job.members()) == (0, [])


def test_without_a_console_a_stop_ends_it_at_once(kernel: FakeJobs) -> None:
    kernel.console = False
    kernel.programs[PATH] = family(family(wait), wait)
    with Job(kernel) as job:
        job.start(START)
        assert not job.stop()
        assert (job.code, job.members()) == (KILLED, [])


def test_a_stop_of_what_has_no_group_any_more_ends_the_rest(kernel: FakeJobs) -> None:
    def program(process: Process) -> None:
        process.spawn(wait, group=True)
        process.end()

    kernel.programs[PATH] = program
    with Job(kernel) as job:
        job.start(START)
        assert not job.stop()
        assert pids(kernel) == []


def test_a_stop_before_the_start_and_after_the_end_reaches_nobody(kernel: FakeJobs) -> None:
    job = Job(kernel)
    assert not job.stop()  # group 0 would be all in our console
    job.start(START)
    job.close()
    stranger = kernel.born(wait, None, 0)
    assert stranger.pid == job.pid
    assert not job.stop()
    assert stranger.alive
    assert stranger.heard == 0


# --- the end ---


def test_all_that_live_are_ended_and_named(kernel: FakeJobs) -> None:
    kernel.programs[PATH] = leaver
    with Job(kernel) as job:
        job.start(START)
        left = job.members()
        assert job.terminate(7) == left
        assert {process.code for process in kernel.processes[1:]} == {7}
        assert job.terminate() == []


def test_a_job_that_is_closed_ends_what_is_left(kernel: FakeJobs) -> None:
    kernel.programs[PATH] = leaver
    job = Job(kernel)
    job.start(START)
    job.close()
    job.close()
    assert pids(kernel) == []
    assert job.members() == []
    assert job.terminate() == []


def test_nothing_outlives_us(kernel: FakeJobs) -> None:
    kernel.programs[PATH] = leaver
    Job(kernel).start(START)
    Job(kernel).start(START)
    kernel.die()
    assert pids(kernel) == []


def test_we_may_be_killed_before_it_runs(kernel: FakeJobs) -> None:
    job = Job(kernel)
    started = kernel.create_process(START, win.SUSPENDED)
    kernel.assign(job._job, started.process)
    kernel.die()
    assert pids(kernel) == []


def test_what_is_released_lives_on(kernel: FakeJobs) -> None:
    kernel.programs[PATH] = leaver
    job = Job(kernel)
    job.start(START)
    daemons = job.members()
    job.release()
    assert job.members() == []
    kernel.die()
    assert sorted(pids(kernel)) == daemons
    job.release()


# --- in words ---


@pytest.mark.parametrize(
    ("code", "says", "shell"),
    [
        (win.ERROR_FILE_NOT_FOUND, "app does not exist", 127),
        (win.ERROR_PATH_NOT_FOUND, "app does not exist", 127),
        (win.ERROR_ACCESS_DENIED, "app may not be executed", 126),
        (win.ERROR_BAD_EXE_FORMAT, "app is no program for this system", 126),
        (win.ERROR_EXE_MACHINE_TYPE_MISMATCH, "app is no program for this system", 126),
        (win.ERROR_ELEVATION_REQUIRED, "app needs an administrator", 126),
        (win.ERROR_FILENAME_EXCED_RANGE, "app gets too long arguments", 126),
        (win.ERROR_COMMITMENT_LIMIT, "app finds no memory", 126),
        (win.ERROR_VIRUS_INFECTED, "app was stopped by the virus scanner", 126),
        (9999, "app cannot be started", 126),
    ],
)
def test_what_cannot_be_started_is_said_with_the_number(code: int, says: str, shell: int) -> None:
    error = refused(WinError(code), START)
    assert error.message == f"{says}: Windows error {code}"
    assert error.code == shell
    assert bool(error.hint) == (code != 9999)


def test_a_directory_that_is_not_there_is_named() -> None:
    error = refused(WinError(win.ERROR_DIRECTORY), START)
    assert error.message == "the working directory C:\\work does not exist"


def test_a_program_that_is_being_written_is_worth_another_try() -> None:
    assert isinstance(refused(WinError(win.ERROR_SHARING_VIOLATION), START), BusyError)
