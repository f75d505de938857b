"""What reaches the DLL for a child on Windows: functions of its C types, written in Python."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from hotrun.process.windows import kernel32 as win
from hotrun.process.windows.kernel32 import PROTOTYPES, Limits, Native, Start, WinError

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = "C:\\work\\app.exe"
START = Start(PATH, ("app", "a b"), "C:\\work", {"PORT": "80"}, (0x10, 0x14, 0x14))
BIG = 0x1_2345_6789_ABC0  # a handle of more than 32 bits


class Dll:
    """A DLL whose functions answer what they are told to, and note what they were given.

    Args:
        answers: By name of a function: what it returns, or a callable that does.
    """

    def __init__(self, **answers: object) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.error = 0
        self.created: object = (BIG, BIG + 4, 4711, 4712)
        functions = {name: self._function(name, answers.get(name, 1)) for name in PROTOTYPES}
        dll = SimpleNamespace(**functions)
        self.native = Native(dll, lambda: self.error, self._create)  # type: ignore[arg-type]

    def _function(self, name: str, answer: object) -> object:
        def call(*arguments: object) -> object:
            self.calls.append((name, *arguments))
            return answer(*arguments) if callable(answer) else answer

        return ctypes.CFUNCTYPE(*PROTOTYPES[name])(call)

    def _create(self, *arguments: object) -> tuple[int, int, int, int]:
        self.calls.append(("CreateProcess", *arguments))
        if isinstance(self.created, Exception):
            raise self.created
        return self.created  # type: ignore[return-value]


def test_the_limit_is_told_in_a_structure_of_its_true_size() -> None:
    seen: list[tuple[int, bytes]] = []

    def note(_job: int, kind: int, address: int, size: int) -> int:
        seen.append((kind, ctypes.string_at(address, size)))
        return 1

    Dll(SetInformationJobObject=note).native.limit(BIG, win.KILL_ON_JOB_CLOSE)
    [(kind, data)] = seen
    assert kind == 9
    assert len(data) == (144 if ctypes.sizeof(ctypes.c_void_p) == 8 else 112)
    flags = int.from_bytes(data[16:20], "little")
    assert (flags, sum(data)) == (0x2000, 0x20)  # nothing else is set
    assert Limits.io.offset == (64 if ctypes.sizeof(ctypes.c_void_p) == 8 else 48)


def test_handles_reach_the_dll_whole() -> None:
    dll = Dll(CreateJobObjectW=BIG)
    native = dll.native
    assert native.create_job() == BIG
    native.assign(BIG, BIG + 4)
    native.resume(BIG + 8)
    native.send_break(4711)
    native.terminate_job(BIG, 1)
    native.terminate(BIG + 4, 1)
    native.close(BIG)
    assert dll.calls == [
        ("CreateJobObjectW", None, None),
        ("AssignProcessToJobObject", BIG, BIG + 4),
        ("ResumeThread", BIG + 8),
        ("GenerateConsoleCtrlEvent", 1, 4711),
        ("TerminateJobObject", BIG, 1),
        ("TerminateProcess", BIG + 4, 1),
        ("CloseHandle", BIG),
    ]


@pytest.mark.parametrize(
    ("name", "answer", "call"),
    [
        ("CreateJobObjectW", None, lambda native: native.create_job()),
        ("SetInformationJobObject", 0, lambda native: native.limit(1, 0)),
        ("AssignProcessToJobObject", 0, lambda native: native.assign(1, 2)),
        ("ResumeThread", 0xFFFFFFFF, lambda native: native.resume(1)),
        ("GenerateConsoleCtrlEvent", 0, lambda native: native.send_break(1)),
        ("QueryInformationJobObject", 0, lambda native: native.pids(1)),
        ("TerminateJobObject", 0, lambda native: native.terminate_job(1, 1)),
        ("TerminateProcess", 0, lambda native: native.terminate(1, 1)),
        ("WaitForSingleObject", 0xFFFFFFFF, lambda native: native.exit_code(1)),
        ("CloseHandle", 0, lambda native: native.close(1)),
    ],
)
def test_a_call_that_fails_is_an_error_with_its_number(
    name: str, answer: object, call: Callable[[Native], object]
) -> None:
    dll = Dll(**{name: answer})
    dll.error = 6
    with pytest.raises(WinError) as caught:
        call(dll.native)
    assert caught.value.code == 6
    assert "6" in caught.value.words


def test_a_process_is_created_with_its_own_handles_and_no_others() -> None:
    dll = Dll()
    flags = win.SUSPENDED | win.NEW_PROCESS_GROUP
    assert dll.native.create_process(START, flags) == (BIG, BIG + 4, 4711)
    [(_, path, line, *security, inherits, told, env, directory, startup)] = dll.calls
    assert (path, line, security, inherits) == (PATH, 'app "a b"', [None, None], True)
    assert (told, env, directory) == (0x204, {"PORT": "80"}, "C:\\work")
    assert vars(startup) == {
        "dwFlags": 0x100,
        "wShowWindow": 0,
        "hStdInput": 0x10,
        "hStdOutput": 0x14,
        "hStdError": 0x14,
        "lpAttributeList": {"handle_list": [0x10, 0x14]},
    }


def test_a_process_that_is_not_created_is_an_error_with_its_number() -> None:
    dll = Dll()
    dll.created = OSError(2, "not found")
    dll.created.winerror = 3  # type: ignore[attr-defined]
    with pytest.raises(WinError) as caught:
        dll.native.create_process(START, 0)
    assert caught.value.code == 3


@pytest.mark.parametrize("count", [0, 1, 64, 65, 1000])
def test_members_are_listed_however_many_there_are(count: int) -> None:
    wanted = [4 * number for number in range(1, count + 1)]

    def query(_job: int, kind: int, address: int, size: int, _: object) -> int:
        assert kind == 3
        word = ctypes.sizeof(ctypes.c_size_t)
        room = (size - 8) // word
        told = wanted[:room]
        ctypes.memmove(address, (ctypes.c_uint32 * 2)(count, len(told)), 8)
        ctypes.memmove(address + 8, (ctypes.c_size_t * len(told))(*told), word * len(told))
        return int(room >= count)

    dll = Dll(QueryInformationJobObject=query)
    dll.error = win.ERROR_MORE_DATA
    assert dll.native.pids(BIG) == wanted
    assert len(dll.calls) == (1 if count <= 64 else 2)


def test_a_process_lives_or_has_a_code_which_may_be_any() -> None:
    def answer(_process: int, code: object) -> int:
        code[0] = 259  # type: ignore[index]  # STILL_ACTIVE, and yet it ended
        return 1

    assert Dll(WaitForSingleObject=win.WAIT_TIMEOUT).native.exit_code(BIG) is None
    assert Dll(WaitForSingleObject=0, GetExitCodeProcess=answer).native.exit_code(BIG) == 259
