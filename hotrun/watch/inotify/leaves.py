"""Directories that certainly hold no directory: most of a tree, and they need not be opened.

On some filesystems a directory has one link for its name, one for its own "." and one for the
".." of each directory in it (``mounts.leaf_links``): two links are none within. Ask after the
watch is set, for a directory may be made at any time.
"""

from __future__ import annotations

import os

from hotrun.watch import mounts

LEAF = 2  # links
LINKS, DEVICE = 3, 2  # places in a stat result, faster to read than its attributes


class Leaves:
    """Tells leaves from other directories, as the mount table was when it was made."""

    def __init__(self) -> None:
        counted = (mount for mount in mounts.read() if mounts.leaf_links(mount))
        self._devices = frozenset(os.makedev(*mount.device) for mount in counted)

    def may_be_below(self, directory: str) -> bool:
        """Whether the filesystem of a directory counts links; elsewhere it is idle to ask."""
        try:
            return os.stat(directory).st_dev in self._devices
        except OSError:
            return False

    def has(self, entry: os.DirEntry[str]) -> bool:
        """Whether a directory certainly holds none.

        Args:
            entry: Of an open directory (``scandir`` of a descriptor): then only the last name
                has to be looked up, and the look takes half of the time.
        """
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError:
            return True  # it is gone, and that is told
        return found[LINKS] == LEAF and found[DEVICE] in self._devices
