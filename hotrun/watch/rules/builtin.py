"""What is never watched, whatever the project says: by names that everybody uses alike."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hotrun.watch.rules import verdict

if TYPE_CHECKING:
    from hotrun.watch.rules.verdict import Verdict

# Version control and hotrun's own state: no rule and no root below them brings these back.
PRIVATE = frozenset((".git", ".hg", ".svn", ".jj", ".hotrun"))
# Installed or generated, and large; an include that spells the name out opens them.
_INSTALLED = frozenset(("node_modules", ".venv", "__pycache__"))
# The same, but the name alone proves nothing: the file must be in it.
MARKERS = {"target": "CACHEDIR.TAG", "venv": "pyvenv.cfg", "env": "pyvenv.cfg"}

# Files of vim (`4913`, swap files, backups), Emacs (locks, auto-saves), JetBrains and macOS.
_JUNK_NAMES = frozenset(("4913", ".DS_Store"))
_JUNK_ENDS = ("~", "___jb_tmp___", "___jb_old___")

# Directories of which something is decided by their names.
NAMES = PRIVATE | _INSTALLED | MARKERS.keys()


def generated(path: str, name: str) -> Verdict | None:
    """Whether a directory is installed or generated, by its name or by a file in it."""
    if name in _INSTALLED:
        return verdict.INSTALLED_OUT
    marker = MARKERS.get(name)
    if marker is not None and os.path.lexists(f"{path}{os.sep}{marker}"):
        return verdict.MARKED_OUT
    return None


def temporary(name: str) -> Verdict | None:
    """Whether a file is an editor's own, or the `.git` of a linked work tree."""
    if (
        name.endswith(_JUNK_ENDS)
        or name in _JUNK_NAMES
        or name.startswith(".#")
        or name[-4:-1] == ".sw"
        or (name.startswith("#") and name.endswith("#") and len(name) > 1)
    ):
        return verdict.JUNK_OUT
    return verdict.PRIVATE_OUT if name == ".git" else None
