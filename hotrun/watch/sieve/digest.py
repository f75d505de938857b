"""Hashes of small files: whether the bytes differ, when all that is known is that they may."""

from __future__ import annotations

import os
import stat

HASHED = 1024 * 1024  # bytes; bigger files are judged by their signature alone
# O_NONBLOCK: should the file be a fifo by now, open must not wait for a writer.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


def digest_of(path: str, *, follow_symlinks: bool = False) -> bytes | None:
    """Hash a small regular file; None when it cannot be read.

    Of a link the answer is where it points, and if it is followed and leads to a regular file,
    also the hash of that.
    """
    try:
        fd = os.open(path, _READ | _NO_FOLLOW)
    except OSError:
        return _digest_of_link(path, follow_symlinks=follow_symlinks)
    return _digest_of_open(fd)


def _digest_of_link(path: str, *, follow_symlinks: bool) -> bytes | None:
    try:
        target = os.fsencode(os.readlink(path))
    except OSError:
        return None
    try:
        # Looked at before it is opened: to open a device may set it in motion.
        if not follow_symlinks or not stat.S_ISREG(os.stat(path).st_mode):
            return target
        return target + b"\0" + (_digest_of_open(os.open(path, _READ)) or b"")
    except OSError:
        return target


def _digest_of_open(fd: int) -> bytes | None:
    from hashlib import blake2b

    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            return None
        hashed, left = blake2b(digest_size=16), HASHED + 1  # it may be growing without end
        while left > 0 and (part := os.read(fd, min(found.st_size + 4096, left))):
            hashed.update(part)
            left -= len(part)
        return hashed.digest()
    except OSError:
        return None
    finally:
        os.close(fd)
