"""Tools that any Unix system has a package of.

watchexec's adapter is written from its manual; it was not there when RESULTS.md was written.
"""

from __future__ import annotations

import os
import shlex

from harness import HERE

from peers.peer import Peer, Work


def _entr(work: Work) -> list[str]:
    # entr(1): with -d it ends when a file comes, and is to be started again in a loop.
    pruned = "".join(f" -name {shlex.quote(name)} -prune -o" for name in work.ignored)
    files = f"find .{pruned} -type f -print"
    return ["sh", "-c", f"while sleep 0.1; do {files} | entr -n -r -d {shlex.join(work.one)}; done"]


def _reflex(work: Work) -> list[str]:
    ignored = [word for name in work.ignored for word in ("-R", f"(^|/){name}/")]
    return ["reflex", "-d", "none", *ignored, "-s", "--", *work.one]


def _inotifywait(work: Work) -> list[str]:
    script = os.path.join(HERE, "probes", "inotifywait.sh")
    return ["bash", script, "0.001" if work.fast else "0.02", " ".join(work.ignored), *work.one]


def _watchexec(work: Work) -> list[str]:
    delay = ["-d", "1ms"] if work.fast else []
    ignored = [word for name in work.ignored for word in ("-i", f"**/{name}/**")]
    # Without a shell: the tool is to be measured.
    return ["watchexec", "-r", "-n", "-e", work.ext, *delay, *ignored, "--", *work.one]


UNIX = (
    Peer("entr", "entr", (), _entr, is_fast=False, help=("-h",)),
    Peer("reflex", "reflex", (), _reflex, is_fast=False),
    Peer("inotifywait loop", "inotifywait", (), _inotifywait),
    Peer("watchexec", "watchexec", ("--version",), _watchexec),
)
