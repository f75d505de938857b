r"""What ReadDirectoryChangesW answers: bytes cut into records, and the two ways to write a path.

Pure, and the same on every system. The watcher has "/" between names everywhere, also on
Windows, which takes both ("C:/work/a.go", "//server/share/a.go"; a drive is "C:"); only what is
handed to the kernel is written its way, with the prefix that lifts the limit of 260 characters.
Facts: FILE_NOTIFY_INFORMATION, "Naming Files, Paths, and Namespaces" (learn.microsoft.com).
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDED, REMOVED, MODIFIED, RENAMED_OLD, RENAMED_NEW = range(1, 6)

_HEADER = struct.Struct("<III")  # NextEntryOffset, Action, FileNameLength (in bytes)
_WORD = 2  # bytes of one UTF-16 unit
_VERBATIM = "\\\\?\\"
_UNC = "\\\\?\\UNC\\"
_SHORT = re.compile(r"~\d")  # "PROGRA~1": as NTFS makes names for programs of 1985


class Record(NamedTuple):
    """One ``FILE_NOTIFY_INFORMATION``.

    Attributes:
        action: ``ADDED`` to ``RENAMED_NEW``; later Windows may know more.
        name: Relative to the directory that was opened, with "/" between names. Units that are
            no UTF-16 are kept as lone surrogates, as ``os.fsdecode`` does on Windows.
    """

    action: int
    name: str


class Malformed(ValueError):  # noqa: N818 - says what the bytes are
    """The bytes are no chain of records: what else they had to tell is lost."""


def decode(data: bytes) -> Iterator[Record]:
    """Cut what the kernel wrote into records.

    Offsets are relative and only lead forward, so this ends whatever the bytes say; nothing is
    asked of their alignment, for Wine aligns records to 2 bytes and Windows to 4.

    Raises:
        Malformed: after the records that are whole.
    """
    at, following = 0, bool(data)
    while following:
        if at + _HEADER.size > len(data):
            raise Malformed(f"a record begins at {at} of {len(data)} bytes")
        following, action, size = _HEADER.unpack_from(data, at)
        end = at + _HEADER.size + size
        if end > len(data) or 0 < following < end - at:
            raise Malformed(f"the name of the record at {at} has {size} bytes")
        yield Record(action, _name(data[at + _HEADER.size : end]))
        at += following


def _name(raw: bytes) -> str:
    if len(raw) % _WORD:
        raise Malformed("a name ends in half a character")
    name = raw.decode("utf-16-le", "surrogatepass")
    if "\0" in name:  # no name has one, and every call of the kernel would end there
        raise Malformed("a name holds a NUL")
    return name.replace("\\", "/")


# --- paths ---


def native(path: str) -> str:
    r"""Write an absolute path as the kernel's wide calls take it at any length.

    With the prefix nothing is interpreted any more: "/" must be gone, and a drive needs its
    final backslash ("\\?\C:" is the volume, not its root).
    """
    path = path.replace("/", "\\")
    if path.startswith((_VERBATIM, "\\\\.\\")):
        return path
    if path.startswith("\\\\"):
        return _UNC + path[2:].rstrip("\\")
    return _VERBATIM + path.rstrip("\\") + ("\\" if path.rstrip("\\").endswith(":") else "")


def plain(path: str) -> str:
    r"""Write a path of the kernel as the watcher has it: no prefix, "/", none at the end."""
    if path.startswith(_UNC):
        path = "\\\\" + path.removeprefix(_UNC)
    return path.removeprefix(_VERBATIM).replace("\\", "/").rstrip("/")


def parent(path: str) -> str:
    """Return the directory that a path's name is in; empty above a drive."""
    return path.rpartition("/")[0]


def is_below(path: str, directory: str) -> bool:
    """Whether a path lies somewhere below a directory (which it is not itself)."""
    return path.startswith(f"{directory}/")


def may_be_short(name: str) -> bool:
    """Whether a relative name may hold an 8.3 name: the kernel tells what the writer used."""
    return _SHORT.search(name) is not None


def lengthened(name: str, long_path: str) -> str:
    """Return a relative name as its long path has it.

    Only as many names as it had: what is above them stays as the root was given.
    """
    count = name.count("/") + 1
    return "/".join(long_path.split("/")[-count:])
