"""What a build made: is it the very bytes that the running app is?

Never judged by time: a compiler touches a file that it did not change. Size first, then the
content in pieces, so that a difference near the beginning (Go puts its build id there) is
found at once.
"""

from __future__ import annotations

import glob
import hashlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

PIECE = 64 * 1024
MOST = 2_000  # files; beyond, comparing costs more than a restart

Print = dict[str, tuple[int, tuple[bytes, ...]]]


class Artifact:
    """The output files of a build.

    Args:
        outputs: Absolute paths or globs; a directory means all below it.
    """

    def __init__(self, outputs: Collection[str]) -> None:
        self._outputs = tuple(outputs)
        self._print: Print | None = None

    @property
    def known(self) -> bool:
        """Whether there is anything to compare."""
        return bool(self._outputs)

    def remember(self) -> None:
        """Take the files as they are now for what the app is."""
        files = self._files()
        if files is None:
            self._print = None
            return
        self._print = {path: (size, tuple(_pieces(path))) for path, size in files.items()}

    def forget(self) -> None:
        """The app is something else from now on."""
        self._print = None

    def same(self) -> bool:
        """Whether the files are the remembered ones, byte for byte."""
        files = self._files()
        if not self._print or files is None or files.keys() != self._print.keys():
            return False
        if any(self._print[path][0] != size for path, size in files.items()):
            return False
        return all(_matches(path, self._print[path][1]) for path in files)

    def _files(self) -> dict[str, int] | None:
        """Return each output file with its size; None when there are too many, or none."""
        files: dict[str, int] = {}
        for path in _expand(self._outputs):
            try:
                files[path] = os.stat(path).st_size
            except OSError:
                continue
            if len(files) > MOST:
                return None
        return files or None


def _expand(outputs: Collection[str]) -> Iterator[str]:
    for output in outputs:
        for path in glob.iglob(output, recursive=True) if glob.has_magic(output) else [output]:
            if os.path.isdir(path):
                for directory, _, names in os.walk(path):
                    yield from (os.path.join(directory, name) for name in names)
            else:
                yield path


def _pieces(path: str) -> Iterator[bytes]:
    try:
        with open(path, "rb") as file:
            while piece := file.read(PIECE):
                yield hashlib.blake2b(piece, digest_size=16).digest()
    except OSError:
        yield b"unreadable"


def _matches(path: str, pieces: tuple[bytes, ...]) -> bool:
    here = _pieces(path)
    return all(next(here, None) == piece for piece in pieces) and next(here, None) is None
