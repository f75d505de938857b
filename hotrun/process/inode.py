"""Which file has a name: by its device and inode, so that another one of that name is told apart.

What was made here may be deleted here, and nothing else; a name alone does not tell.
"""

from __future__ import annotations

import os

NOTHING = (0, 0)


def identity(path: str) -> tuple[int, int]:
    """Return device and inode of what has a name, a link itself; ``NOTHING`` for nothing."""
    try:
        stat = os.lstat(path)
    except (OSError, ValueError):
        return NOTHING
    return stat.st_dev, stat.st_ino
