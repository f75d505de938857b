"""What reaches the DLL, and what comes back: functions of its C types, written in Python."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from fake_kernel32 import FakeKernel32

from hotrun.watch.windows import kernel32
from hotrun.watch.windows.kernel32 import (
    PROTOTYPES,
    Completion,
    Native,
    Overlapped,
    Request,
    WinError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

BIG = 0x1_2345_6789_ABC0  # a handle of more than 32 bits
INVALID = 2**64 - 1


class Dll:
    """A DLL whose functions answer what they are told to, and note what they were given.

    Args:
        answers: By name of a function: what it returns, or a callable that does.
    """

    def __init__(self, **answers: object) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.error = 0
        functions = {name: self._function(name, answers.get(name, 1)) for name in PROTOTYPES}
        self.native = Native(SimpleNamespace(**functions), lambda: self.error)  # type: ignore[arg-type]

    def _function(self, name: str, answer: object) -> object:
        def call(*arguments: object) -> object:
            self.calls.append((name, *arguments))
            return answer(*arguments) if callable(answer) else answer

        return ctypes.CFUNCTYPE(*PROTOTYPES[name])(call)


def test_a_directory_is_opened_for_others_to_do_what_they_like_with_it() -> None:
    dll = Dll(CreateFileW=BIG)
    assert dll.native.open_directory("C:/work/caf\u00e9") == BIG
    [(name, path, access, share, security, how, flags, template)] = dll.calls
    assert (name, path) == ("CreateFileW", "\\\\?\\C:\\work\\caf\u00e9")
    assert (access, share, security, how, template) == (1, 7, None, 3, None)
    assert flags == 0x02000000 | 0x40000000


@pytest.mark.parametrize("answer", [INVALID, None], ids=["invalid", "null"])
def test_one_that_cannot_be_opened_is_an_error_with_its_path(answer: int | None) -> None:
    dll = Dll(CreateFileW=answer)
    dll.error = 5
    with pytest.raises(OSError, match="C:/work") as caught:
        dll.native.open_directory("C:/work")
    assert isinstance(caught.value, WinError)
    assert (caught.value.code, caught.value.errno) == (5, errno.EACCES)
    assert caught.value.filename == "C:/work"


def test_a_port_is_made_and_joined_with_whole_handles_and_keys() -> None:
    dll = Dll(CreateIoCompletionPort=BIG + 4)
    assert dll.native.open_port() == BIG + 4
    dll.native.join(BIG, BIG + 4, 7)
    dll.native.post(BIG + 4, 0)
    dll.native.close(BIG + 4)
    assert dll.calls == [
        ("CreateIoCompletionPort", INVALID, None, 0, 0),
        ("CreateIoCompletionPort", BIG, BIG + 4, 7, 0),
        ("PostQueuedCompletionStatus", BIG + 4, 0, 0, None),
        ("CloseHandle", BIG + 4),
    ]


@pytest.mark.parametrize("subtree", [False, True])
def test_a_request_lends_its_own_memory(subtree: bool) -> None:
    dll = Dll()
    request = Request(64 * 1024)
    request.overlapped.internal = 0x103  # of its last use
    dll.native.read_changes(BIG, request, subtree=subtree)
    [(_, handle, buffer, size, deep, wanted, returned, overlapped, routine)] = dll.calls
    assert (handle, size, deep, wanted) == (BIG, 65536, subtree, 0x5F)
    assert buffer == ctypes.addressof(request.buffer)
    assert ctypes.addressof(overlapped.contents) == request.address  # type: ignore[attr-defined]
    assert (returned, routine) == (None, None)
    assert request.overlapped.internal == 0
    dll.native.cancel(BIG, request)
    assert dll.calls[-1][0] == "CancelIoEx"


def test_memory_is_as_windows_wants_it() -> None:
    assert ctypes.sizeof(Overlapped) == 16 + 2 * ctypes.sizeof(ctypes.c_void_p)
    request = Request(16 * 1024)
    assert ctypes.sizeof(request.buffer) == request.size == 16 * 1024
    assert ctypes.addressof(request.buffer) % 4 == 0
    ctypes.memmove(request.buffer, b"abcd", 4)
    assert request.data(3) == b"abc"
    assert len(request.data(2**32)) == request.size  # never more than there is


def completing(done: int, size: int, key: int, address: int | None) -> Callable[..., int]:
    """A GetQueuedCompletionStatus that fills in what it is given."""

    def call(port: int, sizes: object, keys: object, addresses: object, limit: int) -> int:
        assert (port, limit >= 0) == (BIG, True)
        sizes[0], keys[0] = size, key  # type: ignore[index]
        addresses[0] = ctypes.c_void_p(address)  # type: ignore[index]
        return done

    return call


@pytest.mark.parametrize(
    ("done", "error", "address", "expected"),
    [
        (1, 0, BIG, Completion(7, BIG, 9, 0)),
        (1, 99, None, Completion(7, 0, 9, 0)),  # posted; the last error is an old one
        (0, 5, BIG, Completion(7, BIG, 9, 5)),
        (0, 258, None, None),
        (0, 735, None, None),
    ],
    ids=["completed", "posted", "failed", "a time passed", "the port was closed"],
)
def test_what_a_port_hands_out(
    done: int, error: int, address: int | None, expected: Completion | None
) -> None:
    dll = Dll(GetQueuedCompletionStatus=completing(done, 9, 7, address))
    dll.error = error
    assert dll.native.next_completion(BIG, 50) == expected
    assert dll.calls[0][-1] == 50
    dll.native.next_completion(BIG, None)
    assert dll.calls[1][-1] == 0xFFFFFFFF


def test_a_port_that_fails_is_an_error() -> None:
    dll = Dll(GetQueuedCompletionStatus=completing(0, 0, 0, None))
    dll.error = 6
    with pytest.raises(WinError) as caught:
        dll.native.next_completion(BIG, 0)
    assert caught.value.code == 6


@pytest.mark.parametrize(
    "call",
    [
        lambda native: native.open_port(),
        lambda native: native.join(1, 2, 3),
        lambda native: native.read_changes(1, Request(4), subtree=True),
        lambda native: native.post(1, 0),
        lambda native: native.close(1),
    ],
    ids=["open_port", "join", "read_changes", "post", "close"],
)
def test_every_call_that_fails_says_why(call: Callable[[Native], object]) -> None:
    dll = Dll(**dict.fromkeys(PROTOTYPES, 0) | {"CreateIoCompletionPort": None})
    dll.error = 87
    with pytest.raises(WinError) as caught:
        call(dll.native)
    assert (caught.value.code, caught.value.errno) == (87, errno.EINVAL)


def test_that_there_is_nothing_to_cancel_is_no_error() -> None:
    dll = Dll(CancelIoEx=0)
    dll.error = 1168
    dll.native.cancel(BIG, Request(4))


@pytest.mark.parametrize(
    ("answer", "error", "expected"),
    [
        (0x10, 0, 0x10),
        (0xFFFFFFFF, 2, None),
        (0xFFFFFFFF, 3, None),
        (0xFFFFFFFF, 53, None),
        (0xFFFFFFFF, 5, 0),
        (0xFFFFFFFF, 32, 0),
    ],
    ids=["there", "no name", "no path", "no server", "kept from us", "in use"],
)
def test_a_look_at_a_name(answer: int, error: int, expected: int | None) -> None:
    dll = Dll(GetFileAttributesW=answer)
    dll.error = error
    assert dll.native.attributes("//server/share/a") == expected
    assert dll.calls == [("GetFileAttributesW", "\\\\?\\UNC\\server\\share\\a")]


def filling(text: str) -> Callable[..., int]:
    """A function that fills a buffer as Windows does: short of room it says how much it needs."""

    def call(*arguments: object) -> int:
        buffer, size = (argument for argument in arguments[1:3])
        assert isinstance(buffer, int)
        assert isinstance(size, int)
        if len(text) + 1 > size:
            return len(text) + 1
        (ctypes.c_wchar * (len(text) + 1)).from_address(buffer).value = text
        return len(text)

    return call


@pytest.mark.parametrize("name", ["short", "long" * 80, "d\\" * 9_000 + "f"], ids=len)
def test_a_path_of_any_length_is_read_whole(name: str) -> None:
    text = f"\\\\?\\C:\\{name}"
    dll = Dll(GetLongPathNameW=filling(text), GetFinalPathNameByHandleW=filling(text))
    expected = f"C:/{name}".replace("\\", "/")
    assert dll.native.long_path("C:/x~1") == expected
    assert dll.native.final_path(BIG) == expected


def test_a_path_that_cannot_be_told_is_none() -> None:
    dll = Dll(GetLongPathNameW=0, GetFinalPathNameByHandleW=0)
    assert dll.native.long_path("C:/x~1") is None
    assert dll.native.final_path(BIG) is None


@pytest.mark.parametrize(
    ("mode", "attributes", "tag", "expected"),
    [
        (stat.S_IFREG, 0x20, 0, (False, False)),
        (stat.S_IFDIR, 0x10, 0, (True, False)),
        (stat.S_IFLNK, 0x410, 0xA000000C, (True, True)),
        (stat.S_IFLNK, 0x400, 0xA000000C, (False, True)),
        (stat.S_IFDIR, 0x410, 0xA0000003, (True, True)),
        (stat.S_IFDIR, 0x410, 0x9000301A, (True, False)),
    ],
    ids=["file", "directory", "link to a directory", "link to a file", "junction", "cloud"],
)
def test_an_entry_of_a_directory(
    mode: int, attributes: int, tag: int, expected: tuple[bool, bool]
) -> None:
    found = SimpleNamespace(st_mode=mode, st_file_attributes=attributes, st_reparse_tag=tag)
    entry = SimpleNamespace(name="n", stat=lambda *, follow_symlinks: found)  # noqa: ARG005
    assert kernel32._entry(entry) == ("n", *expected)  # type: ignore[arg-type]


def test_what_cannot_be_listed_is_an_error_of_the_same_kind() -> None:
    dll = Dll()
    with pytest.raises(WinError):
        dll.native.entries("C:/surely/not/here")
    assert not dll.native.is_link("C:/surely/not/here")


def test_the_fake_has_every_call_and_no_other_spelling_of_it() -> None:
    calls = [name for name in vars(kernel32.Kernel32) if not name.startswith("_")]
    assert calls
    for name in calls:
        assert callable(getattr(Native, name))
        real, fake = getattr(Native, name).__code__, getattr(FakeKernel32, name).__code__
        arguments = real.co_argcount + real.co_kwonlyargcount
        assert real.co_varnames[:arguments] == fake.co_varnames[:arguments], name


def test_the_module_loads_everywhere_and_touches_no_dll() -> None:
    code = (
        "import hotrun.watch.windows.backend, hotrun.watch.windows.kernel32, sys; "
        "print('ctypes' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "True\n"


@pytest.mark.skipif(os.name == "nt", reason="there kernel32 is to be had")
def test_elsewhere_there_is_nothing_to_load() -> None:
    with pytest.raises(KeyError):
        kernel32.load()
