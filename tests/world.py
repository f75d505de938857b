r"""A place on the disk that scripts act on, and the words in which they speak of it.

A path lies below the root; ``/`` is the root itself. ``~`` is the whole place: the root is
``~/above/root``, and ``~/outside`` is there for what comes from elsewhere. A backslash begins a
byte: ``\x0a`` is a newline in a name.
"""

from __future__ import annotations

import errno
import mmap
import os
import re
import shutil
import socket
import stat
from typing import TYPE_CHECKING

import pytest
from ear import exchange

if TYPE_CHECKING:
    from collections.abc import Callable

_PLAIN = re.compile(rb"[^!-~]|\\")
_CANNOT = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM)  # of this filesystem, or of us


class World:
    """The place, and what can be done there.

    Args:
        top: An empty directory; no link leads through its path.
    """

    def __init__(self, top: str) -> None:
        self.top = top
        self.root = f"{top}/above/root"
        self._open: dict[str, int] = {}
        os.makedirs(self.root)
        os.mkdir(f"{top}/outside")

    def path(self, word: str) -> str:
        """Return the path that a word means."""
        text = os.fsdecode(word.encode("ascii").decode("unicode_escape").encode("latin-1"))
        if text == "/":
            return self.root
        if text.startswith("~"):
            return self.top + text[1:]
        return f"{self.root}/{text}"

    def word(self, path: str, *, directory: bool) -> str:
        """Return the word for a path; that of a directory ends with a slash."""
        if path == self.root and directory:
            return "/"
        if path.startswith(f"{self.root}/"):
            path = path[len(self.root) + 1 :]
        elif path.startswith(self.top):
            path = f"~{path[len(self.top) :]}"
        plain = _PLAIN.sub(lambda found: b"\\x%02x" % ord(found[0]), os.fsencode(path))
        return plain.decode("ascii") + "/" * directory

    def do(self, words: list[str]) -> None:
        """Do what one line says; skip the test where that cannot be done."""
        name, *rest = words
        flags = [word for word in rest if word.startswith("-")]
        places = [word for word in rest if not word.startswith("-")]
        command: Callable[..., object] = getattr(
            self, f"_{'_'.join([name, *flags])}".replace("-", "")
        )
        try:
            command(*places)
        except OSError as error:
            if error.errno in _CANNOT:
                pytest.skip(f"{' '.join(words)}: {error.strerror} here")
            raise

    def close(self) -> None:
        """Close what a script left open."""
        for fd in self._open.values():
            os.close(fd)

    # --- directories ---

    def _mkdir(self, *words: str) -> None:
        for word in words:
            os.mkdir(self.path(word))

    def _mkdir_p(self, *words: str) -> None:
        for word in words:
            os.makedirs(self.path(word), exist_ok=True)

    def _rmdir(self, word: str) -> None:
        os.rmdir(self.path(word))

    def _rm_r(self, *words: str) -> None:
        for word in words:
            shutil.rmtree(self.path(word))

    def _cp_r(self, old: str, new: str) -> None:
        shutil.copytree(self.path(old), self.path(new), symlinks=True)

    def _ls(self, word: str) -> None:
        os.listdir(self.path(word))

    # --- names ---

    def _mv(self, old: str, new: str) -> None:
        os.rename(self.path(old), self.path(new))

    def _swap(self, one: str, other: str) -> None:
        exchange(self.path(one), self.path(other))

    def _rm(self, *words: str) -> None:
        for word in words:
            os.unlink(self.path(word))

    def _ln(self, old: str, new: str) -> None:
        os.link(self.path(old), self.path(new))

    def _ln_s(self, target: str, new: str) -> None:
        os.symlink(self.path(target) if target[0] in "/~" else target, self.path(new))

    def _mkfifo(self, word: str) -> None:
        os.mkfifo(self.path(word))

    def _socket(self, word: str) -> None:
        """Bind a socket; its address may be shorter than the path."""
        path = self.path(word)
        here = os.open(os.path.dirname(path), os.O_RDONLY)
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(f"/proc/self/fd/{here}/{os.path.basename(path)}")
        os.close(here)

    def _device(self, word: str) -> None:
        os.mknod(self.path(word), stat.S_IFCHR | 0o600, os.makedev(1, 3))  # that of /dev/null

    def _chmod(self, mode: str, word: str) -> None:
        os.chmod(self.path(word), int(mode, 8))

    # --- content ---

    def _touch(self, *words: str) -> None:
        """Do as touch(1) does."""
        for word in words:
            fd = os.open(self.path(word), os.O_WRONLY | os.O_CREAT, 0o644)
            os.utime(fd)
            os.close(fd)

    def _age(self, *words: str) -> None:
        """Set the time of the last write back, so that it is not that of something else."""
        for number, word in enumerate(words, 1):
            os.utime(self.path(word), (number, number))

    def _write(self, word: str, text: str) -> None:
        with open(self.path(word), "wb") as file:
            file.write(text.encode())

    def _append(self, word: str, text: str) -> None:
        with open(self.path(word), "ab") as file:
            file.write(text.encode())

    def _truncate(self, size: str, word: str) -> None:
        os.truncate(self.path(word), int(size))

    def _mmapwrite(self, word: str, text: str) -> None:
        """Change a file through memory alone; it must be longer than the text."""
        with open(self.path(word), "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            memory[: len(text)] = text.encode()

    def _cp(self, old: str, new: str) -> None:
        """Write the content of one file into another one, in place."""
        with open(self.path(old), "rb") as source, open(self.path(new), "wb") as target:
            target.write(source.read())

    def _cat(self, word: str) -> None:
        with open(self.path(word), "rb") as file:
            file.read()

    def _open_w(self, word: str) -> None:
        self._open[word] = os.open(self.path(word), os.O_WRONLY)

    def _put(self, word: str, text: str) -> None:
        os.write(self._open[word], text.encode())

    def _close(self, word: str) -> None:
        os.close(self._open.pop(word))
