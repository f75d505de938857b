"""Globs of files that a step names anew in each run, by a pid, a time or a hash."""

from __future__ import annotations

import os

VARIES = r"[^\W_]*\d[^\W_]*"  # a pid, a time, a hash


def patterns(path: str) -> list[str]:
    """Return globs of a file's neighbours of its kind, the narrowest first: ``logs/app.*.log``."""
    import re

    directory, name = os.path.split(path)
    parts = [escaped(part) for part in re.split(VARIES, name)]
    first, dot, _ = name.partition(".")
    names = ["*".join(parts)] if len(parts) > 1 else []
    if first and dot:
        names.append(f"{escaped(first)}.*")
    names.append(f"*{escaped(os.path.splitext(name)[1])}")
    return [os.path.join(escaped(directory), each) for each in dict.fromkeys(names)]


def escaped(path: str) -> str:
    """Return a path as a glob that fits nothing else."""
    return "".join(f"\\{char}" if char in "*?[\\" else char for char in path)
