"""The project as detection sees it: small pieces of files, read-only.

Law: whatever is in the project, nothing here raises, and nothing is read for long. What cannot
be read is not there.
"""

from __future__ import annotations

import os
import re
import stat as modes
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 1_000_000  # bytes; a manifest that somebody wrote is a thousandth of it
MOST = 20_000  # entries of a tree; whoever has more waits for no detection
# Never a place of sources that somebody means to run.
SKIPPED = frozenset({"node_modules", "vendor", "testdata", "target", "__pycache__", "venv"})
BINARY_MAGIC = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


@dataclass(frozen=True)
class Place:
    """One directory, and what is below it; all names are relative to it, with slashes.

    Args:
        directory: Absolute.
    """

    directory: str

    @property
    def name(self) -> str:
        """The directory's own name."""
        return os.path.basename(self.directory)

    def path(self, name: str) -> str:
        """Make a name absolute."""
        return os.path.normpath(os.path.join(self.directory, name))

    def text(self, name: str, limit: int = LONGEST) -> str:
        """Return a file as text, at most `limit` bytes of it; "" when there is none to read."""
        data = self.data(name, limit)
        # Windows editors: a byte order mark, and UTF-16 that is full of zeros.
        encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        return data.decode(encoding, "replace").replace("\r\n", "\n")

    def data(self, name: str, limit: int = LONGEST) -> bytes:
        """Return the beginning of a regular file; b"" when there is none to read."""
        try:
            # A FIFO of that name would hold us for ever.
            with open(os.open(self.path(name), os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
                return file.read(limit) if modes.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
        except (OSError, ValueError):
            return b""

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return _is(os.path.isfile, self.path(name))

    def has_directory(self, name: str) -> bool:
        """Whether there is a directory of this name."""
        return _is(os.path.isdir, self.path(name))

    def first(self, *names: str) -> str:
        """Return the first of these files that is there, or nothing."""
        return next((name for name in names if self.has(name)), "")

    def names(self, below: str = ".") -> tuple[list[str], list[str]]:
        """Return the files and the directories in a directory, sorted; links count as files."""
        files: list[str] = []
        directories: list[str] = []
        try:
            with os.scandir(self.path(below)) as entries:
                for entry in entries:
                    if writable(entry.name):
                        which = directories if entry.is_dir(follow_symlinks=False) else files
                        which.append(entry.name)
        except (OSError, ValueError):
            return [], []
        return sorted(files), sorted(directories)

    @cached_property
    def ignored(self) -> frozenset[str]:
        """The plain lines of .gitignore: "tmp", "bin/app" for `/bin/app`; no globs."""
        lines = self.text(".gitignore").split("\n")
        return frozenset(
            line.strip().strip("/") for line in lines if line[:1] not in ("#", "!") and line.strip()
        )

    def is_ignored(self, directory: str) -> bool:
        """Whether .gitignore, here or inside of it, keeps a top directory away from git."""
        own = self.text(f"{directory}/.gitignore", 100)
        return directory in self.ignored or own.strip().endswith("*")

    def is_free(self, name: str) -> bool:
        """Whether a build may write this file: nothing is there, or what a build made."""
        path = self.path(name)
        if not os.path.lexists(path):
            above = os.path.dirname(path)
            return above == self.directory or not os.path.isfile(above)
        return os.path.isfile(path) and self.data(name, 4).startswith(BINARY_MAGIC)


def _is(test: Callable[[str], bool], path: str) -> bool:
    try:
        return test(path)
    except ValueError:  # a NUL in a name that a manifest gives
        return False


def writable(text: str) -> bool:
    """Whether a text can stand in a hotrun.toml as it is: a name of bytes that are no UTF-8 cannot.

    Control characters are left to those who want them in their file names.
    """
    return text.isprintable()


def plain(name: str) -> str:
    """Return a name for a program: what is special to a shell or a file system goes away."""
    # A dot would make an extension of what follows: chart.js is a source.
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name.partition(".")[0]).strip("-") or "app"
