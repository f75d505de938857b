"""Git at work: while its lock is there, it is rewriting the work tree file by file."""

from __future__ import annotations

import os


def is_locked(directory: str) -> bool:
    """Whether git holds the lock of the work tree that a directory is in."""
    lock = _lock_of(directory)
    return lock is not None and os.path.lexists(lock)


def _lock_of(directory: str) -> str | None:
    """Return where git would put the lock; None: the directory is in no work tree."""
    while not os.path.lexists(f"{directory}/.git"):
        if directory in ("", "/"):
            return None
        directory = os.path.dirname(directory)
    git = f"{directory}/.git"
    if not os.path.isfile(git):  # the usual case: a directory
        return f"{git}/index.lock"
    try:
        with open(git, encoding="utf-8", errors="surrogateescape") as file:  # a linked work tree
            git = os.path.join(directory, file.read().removeprefix("gitdir:").strip())
    except OSError:
        pass
    return f"{git}/index.lock"
