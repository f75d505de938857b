"""Where builds put what lasts as long as they run, so that a killed one leaves nothing behind.

A cancelled build ends by a signal, and ``go build`` then leaves its work directory (go-build…) in
TMPDIR, at every save that supersedes a build. GOTMPDIR brings it into a directory of ours.

Law: it deletes only what it made itself. A build goes without when it cannot be made.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Protocol

from hotrun.process.inode import NOTHING, identity

if TYPE_CHECKING:
    from collections.abc import Mapping


VARIABLE = "GOTMPDIR"


class Keeper(Protocol):
    """Who is told of what we make: the guardian, and the session file."""

    def own(self, path: str) -> None:
        """We made a directory, to be removed after us."""

    def disown(self, path: str) -> None:
        """It is gone."""


class Scratch:
    """One directory a session, made when a build first needs it.

    Args:
        keepers: Told of the directory: it is removed when we are killed.
    """

    def __init__(self, *keepers: Keeper | None) -> None:
        self._keepers = [keeper for keeper in keepers if keeper is not None]
        self._path = ""
        self._identity = NOTHING

    def lend(self, env: Mapping[str, str], directory: str) -> dict[str, str]:
        """Return the environment of a build, with the directory named in it.

        Args:
            env: What the build gets. Who sets the variable there is left alone.
            directory: Where the build runs: a relative TMPDIR begins there.
        """
        if VARIABLE in env:
            return dict(env)
        path = self._made(_parent(env, directory))
        return {**env, VARIABLE: path} if path else dict(env)

    def write(self, name: str, text: str, directory: str) -> str:
        """Write a file into it and return its path; nothing when that does not work.

        Args:
            name: Of the file.
            text: What is in it.
            directory: Where a relative TMPDIR begins.
        """
        parent = self._made(_parent(os.environ, directory))
        if not parent:
            return ""
        path = os.path.join(parent, name)
        try:
            with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text)
        except OSError:  # a full disk
            return ""
        return path

    def drop(self, path: str) -> None:
        """Delete a file that was written into it."""
        if path:
            with contextlib.suppress(OSError):
                os.unlink(path)

    def empty(self) -> None:
        """Delete what a build left in it that was killed and is gone."""
        if not self._there():
            return
        with contextlib.suppress(OSError), os.scandir(self._path) as entries:
            for entry in entries:
                _delete(entry)

    def remove(self) -> None:
        """Delete it: the session ends."""
        if self._there():
            remove(self._path)
        if self._path and not os.path.lexists(self._path):
            for keeper in self._keepers:
                keeper.disown(self._path)
            self._path, self._identity = "", NOTHING

    def _made(self, parent: str) -> str:
        """Return its path, empty when it cannot be made: a full disk must not cost a build."""
        if self._there():  # in a long session a cleaner of /tmp may have taken it
            return self._path
        # Not `mkdtemp`: its import alone is 4 ms, before the first build.
        path = os.path.join(parent, f"hotrun-{os.getpid()}-{time.time_ns()}")
        if "\n" in path:  # a guardian's records are lines
            return ""
        with contextlib.suppress(OSError, ValueError):
            os.mkdir(path, 0o700)
            self._keep(path)
            return path
        return ""

    def _keep(self, path: str) -> None:
        self._path, self._identity = path, identity(path)
        for keeper in self._keepers:
            keeper.own(path)

    def _there(self) -> bool:
        """Whether the directory we made is still there, and no other has its name."""
        return bool(self._path) and identity(self._path) == self._identity != NOTHING


def _parent(env: Mapping[str, str], directory: str) -> str:
    # Not `gettempdir`: its last resort is the working directory, which we watch.
    return os.path.join(directory, env.get("TMPDIR") or "/tmp")  # noqa: S108


def remove(path: str) -> None:
    """Delete a directory with all that is in it, as far as that goes; links are not followed."""
    import shutil

    shutil.rmtree(path, ignore_errors=True)


def _delete(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        remove(entry.path)
        return
    with contextlib.suppress(OSError):
        os.unlink(entry.path)
