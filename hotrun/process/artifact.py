"""What a build made: is it the very bytes that the running app is?

Never judged by time: a compiler touches a file that it did not change. Size first, then the
content in pieces, so that a difference near the beginning (Go puts its build id there) is
found at once. In doubt (unreadable, too much, changed while we read) the answer is "another":
one restart too many is cheaper than an app that is not what was built.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

PIECE = 64 * 1024
MOST = 2_000  # files; beyond, comparing costs more than a restart
LARGEST = 256 * 1024 * 1024  # bytes in all, about 0.3 s of reading; same reason

Files = dict[str, os.stat_result]
Print = dict[str, tuple[int, tuple[bytes, ...]]]


class Artifact:
    """The output files of a build.

    Args:
        outputs: Absolute paths or globs; a directory means all below it.
    """

    def __init__(self, outputs: Collection[str]) -> None:
        self._outputs = tuple(outputs)
        self._print: Print | None = None
        self._found: Files | None = None

    @property
    def known(self) -> bool:
        """Whether there is anything to compare."""
        return bool(self._outputs)

    def forget(self) -> None:
        """The app is something else from now on: whatever lies there at this moment."""
        self._print = None
        self._found = self._files()

    def remember(self) -> None:
        """Take the files for what the app is, unless they changed since it was started."""
        files = self._files()
        found, self._found = self._found, None
        if files is None or (found is not None and _marks(files) != _marks(found)):
            self._print = None
            return
        try:
            self._print = {path: (s.st_size, tuple(_pieces(path))) for path, s in files.items()}
        except OSError:
            self._print = None
        if _marks(self._files() or {}) != _marks(files):  # the next build was faster than we
            self._print = None

    def same(self) -> bool:
        """Whether the files are the remembered ones, byte for byte."""
        files, known = self._files(), self._print
        if not known or files is None or files.keys() != known.keys():
            return False
        if any(known[path][0] != status.st_size for path, status in files.items()):
            return False
        try:
            return all(_matches(path, known[path][1]) for path in files)
        except OSError:
            return False

    def _files(self) -> Files | None:
        """Return each output file with its status; None when they cannot be compared."""
        files: Files = {}
        size = 0
        try:
            for path in expand(self._outputs):
                status = _status(path)
                if status is not None and path not in files:
                    files[path] = status
                    size += status.st_size
                if len(files) > MOST or size > LARGEST:
                    return None
        except OSError:
            return None
        return files or None


def _status(path: str) -> os.stat_result | None:
    """Return the status of a file; None for what is not there, or has no content of its own."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    # A link to a directory counts as what it points to, see `_pieces`.
    if stat.S_ISDIR(status.st_mode):
        return os.lstat(path)
    return status if stat.S_ISREG(status.st_mode) else None


def _marks(files: Files) -> dict[str, tuple[int, int, int, int]]:
    return {p: (s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for p, s in files.items()}


def expand(outputs: Collection[str]) -> Iterator[str]:
    """Yield the files that outputs stand for: paths, globs, and all below directories."""
    for output in outputs:
        for path in _matching(output):
            if not os.path.isdir(path):
                yield path
                continue
            for directory, below, names in os.walk(path, onerror=_raise):
                linked = [name for name in below if os.path.islink(os.path.join(directory, name))]
                yield from (os.path.join(directory, name) for name in (*names, *linked))


def _matching(output: str) -> Iterator[str]:
    """Expand a glob; brackets in the name of a directory that exists are meant as they stand."""
    import glob  # here, as hashlib below: the first build waits for every import

    if os.path.lexists(output) or not glob.has_magic(output):
        return iter([output])
    base, rest = "", output
    while rest:
        name, slash, after = rest.partition("/")
        if not slash or not os.path.isdir(base + name + slash):
            break
        base, rest = base + name + slash, after
    return glob.iglob(glob.escape(base) + rest, recursive=True, include_hidden=True)


def _raise(error: OSError) -> NoReturn:
    raise error


def _pieces(path: str) -> Iterator[bytes]:
    if os.path.isdir(path):
        yield os.fsencode(os.readlink(path))
        return
    import hashlib

    with open(path, "rb") as file:
        while piece := file.read(PIECE):
            yield hashlib.blake2b(piece, digest_size=16).digest()


def _matches(path: str, pieces: tuple[bytes, ...]) -> bool:
    here = _pieces(path)
    return all(next(here, None) == piece for piece in pieces) and next(here, None) is None
