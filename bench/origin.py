"""What is said of a run: when, with what and beside whom it measured, and how long that took."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harness import HERE

from hotrun import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peers import Peer

# An earlier run's figures are no change of what is measured.
FILE = os.path.join(HERE, "RESULTS.md")


def started() -> str:
    """Say when a run began, and with what."""
    facts = (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"hotrun {__version__}{_commit(os.path.dirname(HERE))}",
        f"Python {platform.python_version()}",
        f"{platform.system()} {platform.release()}",
        f"{os.cpu_count()} cores",
    )
    return ", ".join(facts)


def beside(peers: Sequence[Peer], missing: Sequence[str]) -> str:
    """Say beside whom.

    Args:
        peers: The tools that take part.
        missing: The names of those that are not here.
    """
    names = ", ".join(f"{peer.name} {peer.version()}" for peer in peers) or "no peer"
    left_out = f" Not here, so left out: {', '.join(missing)}." if missing else ""
    return f"Beside {names}.{left_out}"


def _commit(root: str) -> str:
    """Name the commit of a checkout; nothing where there is none."""
    if not os.path.exists(os.path.join(root, ".git")):  # else git takes one that lies above
        return ""
    commit = _git(root, "rev-parse", "--short", "HEAD")
    if not commit:
        return ""
    results = f":(exclude){os.path.relpath(FILE, root)}"
    changed = _git(root, "status", "--porcelain", "--", ".", results)
    return f" of commit {commit}{' with local changes' if changed else ''}"


def _git(root: str, *arguments: str) -> str:
    """Return what git says; nothing where there is no git, or it refuses."""
    try:
        command = ["git", "-C", root, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()
