"""Paths and what they lead through; compared element by element, never by how they begin."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

MAX_LINKS = 40  # as many as the kernel follows (path_resolution(7))


def join(directory: str, name: str) -> str:
    """Return the path of a name in a directory, which may be the top of everything."""
    return f"/{name}" if directory == "/" else f"{directory}/{name}"


def is_below(path: str, tops: Container[str]) -> bool:
    """Whether one of the directories above a path is among ``tops``."""
    while path:
        path = path.rpartition("/")[0]
        if path in tops:
            return True
    return False


def topmost(paths: Iterable[str]) -> list[str]:
    """Leave out the paths that lie below another one of them."""
    tops = frozenset(paths)
    return sorted(path for path in tops if not is_below(path, tops))


def way(path: str) -> list[str]:
    """Return every directory and link that a path leads through, the path itself included."""
    steps = ["/"]
    at, names, links = "", path.split("/")[::-1], 0
    while names:
        name = names.pop()
        if name == "..":
            at = os.path.dirname(at).rstrip("/")
        elif name not in ("", "."):
            steps.append(f"{at}/{name}")
            target = _target(steps[-1]) if links < MAX_LINKS else None
            if target is None:
                at = steps[-1]
            else:
                links += 1
                at = "" if target.startswith("/") else at
                names += target.split("/")[::-1]
    return steps


def _target(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None
