r"""kernel32 as Windows offers it: the calls that tell what happens in directories, by ctypes.

Law: a method is one call and decides nothing; one that fails raises ``WinError``. Paths are the
watcher's outside ("C:/work") and the kernel's inside ("\\?\C:\work"). The module loads
everywhere, so that a fake can stand in; only ``load`` asks for the DLL. It has never been run
on Windows: tests call it with functions of the same C types that are written in Python.
Facts: the pages of the functions named (learn.microsoft.com).
"""

from __future__ import annotations

import ctypes
import errno
import os
from typing import TYPE_CHECKING, NamedTuple, Protocol

from hotrun.watch.windows.records import native, plain

if TYPE_CHECKING:
    from collections.abc import Callable

# What GetLastError says (winerror.h).
ERROR_FILE_NOT_FOUND = 2
ERROR_PATH_NOT_FOUND = 3
ERROR_ACCESS_DENIED = 5
ERROR_BAD_NETPATH = 53
ERROR_BAD_NET_NAME = 67
ERROR_INVALID_PARAMETER = 87
ERROR_INVALID_NAME = 123
ERROR_BAD_PATHNAME = 161
ERROR_MORE_DATA = 234
WAIT_TIMEOUT = 258
ERROR_DIRECTORY = 267  # it is none
ERROR_ABANDONED_WAIT_0 = 735  # the port was closed
ERROR_OPERATION_ABORTED = 995
ERROR_NOTIFY_ENUM_DIR = 1022
STATUS_NOTIFY_ENUM_DIR = 0x10C  # the same, as some drivers let it through
MISSING = frozenset(
    {
        ERROR_FILE_NOT_FOUND,
        ERROR_PATH_NOT_FOUND,
        ERROR_BAD_NETPATH,
        ERROR_BAD_NET_NAME,
        ERROR_INVALID_NAME,
        ERROR_BAD_PATHNAME,
        ERROR_DIRECTORY,
    }
)
_ERRNO = dict.fromkeys(MISSING, errno.ENOENT) | {
    4: errno.EMFILE,  # ERROR_TOO_MANY_OPEN_FILES
    ERROR_ACCESS_DENIED: errno.EACCES,
    8: errno.ENOMEM,  # ERROR_NOT_ENOUGH_MEMORY
    ERROR_INVALID_PARAMETER: errno.EINVAL,
    ERROR_DIRECTORY: errno.ENOTDIR,
    1450: errno.ENOMEM,  # ERROR_NO_SYSTEM_RESOURCES
}

FILE_ATTRIBUTE_DIRECTORY = 0x10
FILE_ATTRIBUTE_REPARSE_POINT = 0x400
_INVALID_FILE_ATTRIBUTES = 0xFFFFFFFF
_NAME_SURROGATE = 0x20000000  # of a reparse tag: links and mounts, not a cloud's placeholders
_INVALID_HANDLE_VALUE = ctypes.c_void_p(-1).value
_INFINITE = 0xFFFFFFFF
_FILE_LIST_DIRECTORY = 0x1
_SHARE_ALL = 0x7  # read, write, delete: whoever we watch must not feel it
_OPEN_EXISTING = 3
_BACKUP_SEMANTICS = 0x02000000  # without it no directory can be opened
_OVERLAPPED = 0x40000000
# FILE_NAME, DIR_NAME, ATTRIBUTES, SIZE, LAST_WRITE, CREATION. Never LAST_ACCESS: a build reads
# everything.
_FILTER = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x40


class WinError(OSError):
    """A call failed.

    Attributes:
        code: What GetLastError said; ``errno`` is what comes nearest to it.
    """

    def __init__(self, code: int, path: str | None = None) -> None:
        explain: Callable[[int], str] = vars(ctypes).get("FormatError", "Windows error {}".format)
        super().__init__(_ERRNO.get(code, errno.EIO), explain(code), path)
        self.code = code


class Overlapped(ctypes.Structure):
    """``OVERLAPPED``, without its union: a directory has no offset."""

    _fields_ = (
        ("internal", ctypes.c_size_t),
        ("internal_high", ctypes.c_size_t),
        ("offset", ctypes.c_uint32),
        ("offset_high", ctypes.c_uint32),
        ("event", ctypes.c_void_p),
    )


class Request:
    """The memory of one ReadDirectoryChangesW.

    From the call to its completion it belongs to the kernel, which writes to it at any moment:
    it must neither be freed nor used a second time before.

    Args:
        size: Of the buffer, in bytes; a multiple of 4.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.overlapped = Overlapped()
        self.buffer = (ctypes.c_uint32 * (size // 4))()  # of DWORDs: else ERROR_NOACCESS

    @property
    def address(self) -> int:
        """By which a completion names it."""
        return ctypes.addressof(self.overlapped)

    def data(self, size: int) -> bytes:
        """Return the first bytes of the buffer."""
        return ctypes.string_at(ctypes.addressof(self.buffer), min(size, self.size))

    def leave(self) -> None:
        """Never free it: its completion did not come, and the kernel may still write to it."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))


class Completion(NamedTuple):
    """What a completion port hands out.

    Attributes:
        key: Given to ``join`` with the handle, or to ``post``.
        address: Of the ``OVERLAPPED`` of the request; 0 of what was posted.
        size: Bytes in its buffer.
        error: Why it failed; 0 if it did not.
    """

    key: int
    address: int
    size: int
    error: int


class Entry(NamedTuple):
    """A name in a directory."""

    name: str
    directory: bool  # also of a link to one
    link: bool  # a symbolic link, a junction, or where a volume is mounted


class Kernel32(Protocol):
    """The calls. Each raises ``WinError`` when it fails, unless it says otherwise."""

    def open_directory(self, path: str) -> int:
        """CreateFileW: return a handle; a link is followed."""

    def open_port(self) -> int:
        """CreateIoCompletionPort, for a new one."""

    def join(self, handle: int, port: int, key: int) -> None:
        """CreateIoCompletionPort: let what completes on a handle come to a port, with a key."""

    def read_changes(self, handle: int, request: Request, *, subtree: bool) -> None:
        """ReadDirectoryChangesW: ask for what happens next; the port tells the answer."""

    def next_completion(self, port: int, milliseconds: int | None) -> Completion | None:
        """GetQueuedCompletionStatus; None after a time (None: no limit) or without a port."""

    def post(self, port: int, key: int) -> None:
        """PostQueuedCompletionStatus."""

    def cancel(self, handle: int, request: Request) -> None:
        """CancelIoEx: let a request complete now; that it has already is no error."""

    def close(self, handle: int) -> None:
        """CloseHandle, of a directory or a port."""

    def attributes(self, path: str) -> int | None:
        """GetFileAttributesW; None: no such name; 0: it is kept from us, or being deleted."""

    def is_link(self, path: str) -> bool:
        """Whether a reparse point leads to another name; False where it cannot be read."""

    def long_path(self, path: str) -> str | None:
        """GetLongPathNameW; None where there is no such name."""

    def final_path(self, handle: int) -> str | None:
        """GetFinalPathNameByHandleW: where it is by now; None where that cannot be told."""

    def entries(self, path: str) -> list[Entry]:
        """FindFirstFileW and the calls that follow it, as ``os.scandir`` does them."""


_HANDLE = ctypes.c_void_p  # an int would be cut to 32 bits
_BOOL = ctypes.c_int
_DWORD = ctypes.c_uint32
_KEY = ctypes.c_size_t
_TEXT = ctypes.c_wchar_p
_OVERLAPPED_P = ctypes.POINTER(Overlapped)
PROTOTYPES: dict[str, tuple[type, ...]] = {  # what is returned first
    "CreateFileW": (_HANDLE, _TEXT, _DWORD, _DWORD, _HANDLE, _DWORD, _DWORD, _HANDLE),
    "CreateIoCompletionPort": (_HANDLE, _HANDLE, _HANDLE, _KEY, _DWORD),
    "ReadDirectoryChangesW": (
        *(_BOOL, _HANDLE, ctypes.c_void_p, _DWORD, _BOOL, _DWORD),
        *(ctypes.c_void_p, _OVERLAPPED_P, ctypes.c_void_p),
    ),
    "GetQueuedCompletionStatus": (
        *(_BOOL, _HANDLE, ctypes.POINTER(_DWORD), ctypes.POINTER(_KEY)),
        *(ctypes.POINTER(ctypes.c_void_p), _DWORD),
    ),
    "PostQueuedCompletionStatus": (_BOOL, _HANDLE, _DWORD, _KEY, ctypes.c_void_p),
    "CancelIoEx": (_BOOL, _HANDLE, _OVERLAPPED_P),
    "CloseHandle": (_BOOL, _HANDLE),
    "GetFileAttributesW": (_DWORD, _TEXT),
    "GetLongPathNameW": (_DWORD, _TEXT, ctypes.c_void_p, _DWORD),
    "GetFinalPathNameByHandleW": (_DWORD, _HANDLE, ctypes.c_void_p, _DWORD, _DWORD),
}


class Native:
    """The calls themselves.

    Args:
        dll: kernel32, opened so that the last error is kept a thread.
        last_error: Returns it.
    """

    def __init__(self, dll: ctypes.CDLL, last_error: Callable[[], int]) -> None:
        self._dll = dll
        self._last_error = last_error
        for name, (returned, *taken) in PROTOTYPES.items():
            function = getattr(dll, name)
            function.restype, function.argtypes = returned, taken

    def _check(self, done: int, path: str | None = None) -> None:
        if not done:
            raise WinError(self._last_error(), path)

    def open_directory(self, path: str) -> int:
        """Open a directory for its changes."""
        flags = _BACKUP_SEMANTICS | _OVERLAPPED
        handle: int | None = self._dll.CreateFileW(
            native(path), _FILE_LIST_DIRECTORY, _SHARE_ALL, None, _OPEN_EXISTING, flags, None
        )
        if handle is None or handle == _INVALID_HANDLE_VALUE:
            raise WinError(self._last_error(), path)
        return handle

    def open_port(self) -> int:
        """Make a port."""
        port: int | None = self._dll.CreateIoCompletionPort(_INVALID_HANDLE_VALUE, None, 0, 0)
        self._check(port or 0)
        return port or 0

    def join(self, handle: int, port: int, key: int) -> None:
        """Tie a handle to a port."""
        self._check(self._dll.CreateIoCompletionPort(handle, port, key, 0) or 0)

    def read_changes(self, handle: int, request: Request, *, subtree: bool) -> None:
        """Ask for changes."""
        # What the last use left would be taken for the state of this one.
        ctypes.memset(request.address, 0, ctypes.sizeof(Overlapped))
        buffer, overlapped = ctypes.addressof(request.buffer), ctypes.byref(request.overlapped)
        read = self._dll.ReadDirectoryChangesW
        self._check(read(handle, buffer, request.size, subtree, _FILTER, None, overlapped, None))

    def next_completion(self, port: int, milliseconds: int | None) -> Completion | None:
        """Wait for a completion."""
        size, key, overlapped = _DWORD(), _KEY(), ctypes.c_void_p()
        limit = _INFINITE if milliseconds is None else milliseconds
        done = self._dll.GetQueuedCompletionStatus(
            port, ctypes.byref(size), ctypes.byref(key), ctypes.byref(overlapped), limit
        )
        error = 0 if done else self._last_error()
        if not done and overlapped.value is None:  # nothing was taken from the port
            if error in (WAIT_TIMEOUT, ERROR_ABANDONED_WAIT_0):
                return None
            raise WinError(error)
        return Completion(key.value, overlapped.value or 0, size.value, error)

    def post(self, port: int, key: int) -> None:
        """Let somebody who waits at a port come back."""
        self._check(self._dll.PostQueuedCompletionStatus(port, 0, key, None))

    def cancel(self, handle: int, request: Request) -> None:
        """Cancel a request."""
        self._dll.CancelIoEx(handle, ctypes.byref(request.overlapped))

    def close(self, handle: int) -> None:
        """Close a handle."""
        self._check(self._dll.CloseHandle(handle))

    def attributes(self, path: str) -> int | None:
        """Look at a name; the cheapest look there is, as nothing is opened."""
        found: int = self._dll.GetFileAttributesW(native(path))
        if found != _INVALID_FILE_ATTRIBUTES:
            return found
        return None if self._last_error() in MISSING else 0

    def is_link(self, path: str) -> bool:
        """Look at a reparse point."""
        try:
            return _is_surrogate(os.lstat(native(path)))
        except OSError:
            return False

    def long_path(self, path: str) -> str | None:
        """Spell out 8.3 names."""
        get = self._dll.GetLongPathNameW
        return _text(lambda buffer, size: int(get(native(path), buffer, size)))

    def final_path(self, handle: int) -> str | None:
        """Ask where a handle's directory is."""
        get = self._dll.GetFinalPathNameByHandleW
        return _text(lambda buffer, size: int(get(handle, buffer, size, 0)))

    def entries(self, path: str) -> list[Entry]:
        """List a directory."""
        try:
            with os.scandir(native(path)) as found:
                return [_entry(entry) for entry in found]
        except OSError as error:
            raise WinError(getattr(error, "winerror", None) or 0, path) from error


def _entry(entry: os.DirEntry[str]) -> Entry:
    # The listing brought the attributes along: this asks the kernel nothing.
    found = entry.stat(follow_symlinks=False)
    attributes: int = getattr(found, "st_file_attributes", 0)
    directory = bool(attributes & FILE_ATTRIBUTE_DIRECTORY)
    return Entry(entry.name, directory, _is_surrogate(found))


def _is_surrogate(found: os.stat_result) -> bool:
    tag: int = getattr(found, "st_reparse_tag", 0)
    return bool(tag & _NAME_SURROGATE)


def _text(fill: Callable[[int, int], int]) -> str | None:
    """Call a function that fills a buffer, and says how long it must be if it is too short."""
    size = 300  # more than MAX_PATH, so that one call is the rule
    while size:
        buffer = ctypes.create_unicode_buffer(size)
        needed = fill(ctypes.addressof(buffer), size)
        if needed < size:
            return plain(buffer.value) if needed else None
        size = needed + 1
    return None


def load() -> Kernel32:
    """Return kernel32 itself.

    Raises:
        KeyError: this is not Windows.
    """
    here = vars(ctypes)  # the type checker knows these names on Windows alone
    return Native(here["WinDLL"]("kernel32", use_last_error=True), here["get_last_error"])
