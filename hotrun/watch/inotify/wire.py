"""What inotify writes: the bits of its masks, and the bytes of its queue, cut into records.

Pure: runs on every system. Facts: inotify(7), <sys/inotify.h>.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_ACCESS = 0x1
IN_MODIFY = 0x2
IN_ATTRIB = 0x4
IN_CLOSE_WRITE = 0x8
IN_CLOSE_NOWRITE = 0x10
IN_OPEN = 0x20
IN_MOVED_FROM = 0x40
IN_MOVED_TO = 0x80
IN_CREATE = 0x100
IN_DELETE = 0x200
IN_DELETE_SELF = 0x400
IN_MOVE_SELF = 0x800
IN_UNMOUNT = 0x2000
IN_Q_OVERFLOW = 0x4000
IN_IGNORED = 0x8000
IN_ONLYDIR = 0x01000000
IN_DONT_FOLLOW = 0x02000000
IN_EXCL_UNLINK = 0x04000000
IN_MASK_ADD = 0x20000000
IN_ISDIR = 0x40000000

_HEADER = struct.Struct("iIII")


class Record(NamedTuple):
    """One ``struct inotify_event``."""

    wd: int
    mask: int
    cookie: int
    name: bytes


def decode(data: bytes) -> Iterator[Record]:
    """Cut what ``read`` gave into records; names come padded with NUL bytes."""
    at = 0
    while at < len(data):
        wd, mask, cookie, size = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        yield Record(wd, mask, cookie, data[at : at + size].rstrip(b"\0"))
        at += size
