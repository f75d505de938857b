"""kernel32 as Windows offers it: the calls that start and end processes, by ctypes.

Law: a method is one call and decides nothing; one that fails raises ``WinError``. The module
loads everywhere, so that a fake can stand in; only ``load`` asks for the DLL. It has never been
run on Windows: tests call it with functions of the same C types that are written in Python.
Facts: the pages of the functions named (learn.microsoft.com). CreateProcessW alone is left to
``_winapi``, as ``subprocess`` does it, which hands exactly the named handles to the child.
"""

from __future__ import annotations

import ctypes
import subprocess
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# What GetLastError says (winerror.h).
ERROR_FILE_NOT_FOUND = 2
ERROR_PATH_NOT_FOUND = 3
ERROR_TOO_MANY_OPEN_FILES = 4
ERROR_ACCESS_DENIED = 5
ERROR_INVALID_HANDLE = 6
ERROR_NOT_ENOUGH_MEMORY = 8
ERROR_BAD_FORMAT = 11
ERROR_SHARING_VIOLATION = 32
ERROR_INVALID_PARAMETER = 87
ERROR_BAD_EXE_FORMAT = 193
ERROR_FILENAME_EXCED_RANGE = 206
ERROR_EXE_MACHINE_TYPE_MISMATCH = 216
ERROR_VIRUS_INFECTED = 225
ERROR_MORE_DATA = 234
WAIT_TIMEOUT = 258
ERROR_DIRECTORY = 267  # the working directory is none
ERROR_ELEVATION_REQUIRED = 740
ERROR_NO_SYSTEM_RESOURCES = 1450
ERROR_COMMITMENT_LIMIT = 1455  # no room in the paging file

KILL_ON_JOB_CLOSE = 0x2000
SUSPENDED = 0x4
NEW_PROCESS_GROUP = 0x200
_USE_HANDLES = 0x100
_CTRL_BREAK_EVENT = 1
_PROCESS_ID_LIST = 3  # JobObjectBasicProcessIdList
_EXTENDED_LIMITS = 9  # JobObjectExtendedLimitInformation
_FAILED = 0xFFFFFFFF


class WinError(OSError):
    """A call failed.

    Attributes:
        code: What GetLastError said.
    """

    def __init__(self, code: int) -> None:
        explain: Callable[[int], str] = vars(ctypes).get("FormatError", "Windows error {}".format)
        super().__init__(code, explain(code).strip().rstrip("."))
        self.code = code

    @property
    def words(self) -> str:
        """What is wrong, with the number that a search finds."""
        number = f"Windows error {self.code}"
        return number if self.strerror == number else f"{self.strerror} ({number})"


@dataclass(frozen=True, slots=True)
class Start:
    """What CreateProcessW is told.

    Attributes:
        path: Of the program.
        argv: Its name, and its arguments.
        directory: Where it runs; absolute.
        environment: All of it.
        handles: Of stdin, stdout and stderr; inheritable. It inherits no others.
    """

    path: str
    argv: Sequence[str]
    directory: str
    environment: Mapping[str, str]
    handles: tuple[int, int, int]


class Started(NamedTuple):
    """A new process: its handles are ours to close."""

    process: int
    thread: int  # the first one
    pid: int


class Kernel32(Protocol):
    """The calls. Each raises ``WinError`` when it fails."""

    def create_job(self) -> int:
        """CreateJobObjectW: return a handle that nobody inherits."""

    def limit(self, job: int, flags: int) -> None:
        """SetInformationJobObject: these limits, and no others."""

    def create_process(self, start: Start, flags: int) -> Started:
        """CreateProcessW."""

    def assign(self, job: int, process: int) -> None:
        """AssignProcessToJobObject: it and all that it starts from now on."""

    def resume(self, thread: int) -> None:
        """ResumeThread."""

    def send_break(self, group: int) -> None:
        """GenerateConsoleCtrlEvent: Ctrl-Break to all of a process group in our console."""

    def pids(self, job: int) -> list[int]:
        """QueryInformationJobObject: who is in a job and lives."""

    def terminate_job(self, job: int, code: int) -> None:
        """TerminateJobObject: end all that are in it, with this exit code."""

    def terminate(self, process: int, code: int) -> None:
        """TerminateProcess."""

    def exit_code(self, process: int) -> int | None:
        """WaitForSingleObject and GetExitCodeProcess; None: it lives."""

    def close(self, handle: int) -> None:
        """CloseHandle."""


class _BasicLimits(ctypes.Structure):
    """``JOBOBJECT_BASIC_LIMIT_INFORMATION``."""

    _fields_ = (
        ("per_process_user_time", ctypes.c_int64),
        ("per_job_user_time", ctypes.c_int64),
        ("flags", ctypes.c_uint32),
        ("minimum_working_set", ctypes.c_size_t),
        ("maximum_working_set", ctypes.c_size_t),
        ("active_processes", ctypes.c_uint32),
        ("affinity", ctypes.c_size_t),
        ("priority_class", ctypes.c_uint32),
        ("scheduling_class", ctypes.c_uint32),
    )


class Limits(ctypes.Structure):
    """``JOBOBJECT_EXTENDED_LIMIT_INFORMATION``: the plain one refuses KILL_ON_JOB_CLOSE."""

    _fields_ = (
        ("basic", _BasicLimits),
        ("io", ctypes.c_uint64 * 6),
        ("process_memory", ctypes.c_size_t),
        ("job_memory", ctypes.c_size_t),
        ("peak_process_memory", ctypes.c_size_t),
        ("peak_job_memory", ctypes.c_size_t),
    )


_HANDLE = ctypes.c_void_p  # an int would be cut to 32 bits
_BOOL = ctypes.c_int
_DWORD = ctypes.c_uint32
_UINT = ctypes.c_uint
_P = ctypes.c_void_p
PROTOTYPES: dict[str, tuple[type, ...]] = {  # what is returned first
    "CreateJobObjectW": (_HANDLE, _P, ctypes.c_wchar_p),
    "SetInformationJobObject": (_BOOL, _HANDLE, _BOOL, _P, _DWORD),
    "QueryInformationJobObject": (_BOOL, _HANDLE, _BOOL, _P, _DWORD, _P),
    "AssignProcessToJobObject": (_BOOL, _HANDLE, _HANDLE),
    "TerminateJobObject": (_BOOL, _HANDLE, _UINT),
    "TerminateProcess": (_BOOL, _HANDLE, _UINT),
    "ResumeThread": (_DWORD, _HANDLE),
    "GenerateConsoleCtrlEvent": (_BOOL, _DWORD, _DWORD),
    "WaitForSingleObject": (_DWORD, _HANDLE, _DWORD),
    "GetExitCodeProcess": (_BOOL, _HANDLE, ctypes.POINTER(_DWORD)),
    "CloseHandle": (_BOOL, _HANDLE),
}


class Native:
    """The calls themselves.

    Args:
        dll: kernel32, opened so that the last error is kept a thread.
        last_error: Returns it.
        create: ``_winapi.CreateProcess``.
    """

    def __init__(
        self,
        dll: ctypes.CDLL,
        last_error: Callable[[], int],
        create: Callable[..., tuple[int, int, int, int]],
    ) -> None:
        self._dll = dll
        self._last_error = last_error
        self._create = create
        for name, (returned, *taken) in PROTOTYPES.items():
            function = getattr(dll, name)
            function.restype, function.argtypes = returned, taken

    def _check(self, done: int | None) -> None:
        if not done:
            raise WinError(self._last_error())

    def create_job(self) -> int:
        """Make a job without a name, which nobody else could open."""
        job: int | None = self._dll.CreateJobObjectW(None, None)
        self._check(job)
        return job or 0

    def limit(self, job: int, flags: int) -> None:
        """Set the limits of a job."""
        limits = Limits()
        limits.basic.flags = flags
        size = ctypes.sizeof(limits)
        call = self._dll.SetInformationJobObject
        self._check(call(job, _EXTENDED_LIMITS, ctypes.addressof(limits), size))

    def create_process(self, start: Start, flags: int) -> Started:
        """Start a process."""
        stdin, stdout, stderr = start.handles
        startup = SimpleNamespace(
            dwFlags=_USE_HANDLES,
            wShowWindow=0,
            hStdInput=stdin,
            hStdOutput=stdout,
            hStdError=stderr,
            lpAttributeList={"handle_list": sorted(set(start.handles))},
        )
        line = subprocess.list2cmdline(start.argv)
        places = (dict(start.environment), start.directory, startup)
        try:
            made = self._create(start.path, line, None, None, True, flags, *places)
        except OSError as error:
            raise WinError(getattr(error, "winerror", None) or 0) from error
        process, thread, pid, _ = made
        return Started(process, thread, pid)

    def assign(self, job: int, process: int) -> None:
        """Put a process into a job."""
        self._check(self._dll.AssignProcessToJobObject(job, process))

    def resume(self, thread: int) -> None:
        """Let a thread run that was started suspended."""
        self._check(self._dll.ResumeThread(thread) != _FAILED)

    def send_break(self, group: int) -> None:
        """Ask a process group to end."""
        self._check(self._dll.GenerateConsoleCtrlEvent(_CTRL_BREAK_EVENT, group))

    def pids(self, job: int) -> list[int]:
        """List the members: two DWORDs (how many there are, how many are told), and the pids."""
        room = 64
        head = 2 * ctypes.sizeof(_DWORD) // ctypes.sizeof(ctypes.c_size_t)
        while True:
            table = (ctypes.c_size_t * (head + room))()
            address, size = ctypes.addressof(table), ctypes.sizeof(table)
            done = self._dll.QueryInformationJobObject(job, _PROCESS_ID_LIST, address, size, None)
            there, told = (_DWORD * 2).from_buffer(table)
            if done:
                return table[head : head + told]
            if self._last_error() != ERROR_MORE_DATA:
                raise WinError(self._last_error())
            room = max(2 * room, there + 16)  # more may come before we ask again

    def terminate_job(self, job: int, code: int) -> None:
        """End a job's processes."""
        self._check(self._dll.TerminateJobObject(job, code))

    def terminate(self, process: int, code: int) -> None:
        """End a process."""
        self._check(self._dll.TerminateProcess(process, code))

    def exit_code(self, process: int) -> int | None:
        """Look whether a process ended; its code alone would not tell: 259 means both."""
        waited = self._dll.WaitForSingleObject(process, 0)
        if waited == WAIT_TIMEOUT:
            return None
        code = _DWORD()
        self._check(waited != _FAILED)
        self._check(self._dll.GetExitCodeProcess(process, ctypes.byref(code)))
        return code.value

    def close(self, handle: int) -> None:
        """Close a handle."""
        self._check(self._dll.CloseHandle(handle))


def load() -> Kernel32:
    """Return kernel32 itself.

    Raises:
        ImportError: this is not Windows.
    """
    import _winapi

    here = vars(ctypes)  # the type checker knows these names on Windows alone
    dll = here["WinDLL"]("kernel32", use_last_error=True)
    return Native(dll, here["get_last_error"], vars(_winapi)["CreateProcess"])
