"""hotrun and the tools beside it, in the order of the tables.

To add one: write the function that calls it in the module of its kind, and put it here.
"""

from __future__ import annotations

import json
import os
import sys

from harness import write
from tool import hotrun

from peers.go import GO, GO_ONLY
from peers.node import NODE
from peers.peer import Peer, Work
from peers.python import PYTHON
from peers.unix import UNIX

__all__ = ["GO_ONLY", "HOTRUN", "PEERS", "Peer", "Work"]


def _hotrun(work: Work) -> list[str]:
    watch = [f'debounce = "{"0ms" if work.fast else "auto"}"']
    if work.ignored:
        watch.append(f"exclude = {json.dumps([f'{name}/' for name in work.ignored])}")
    parts = ["[watch]", *watch, "[build]", f"command = {json.dumps(list(work.build))}"]
    if work.app:
        parts += ["[run]", f"command = {json.dumps(list(work.app))}"]
    if work.listen:
        parts.append(f"listen = [{json.dumps(work.listen)}]")
    write(os.path.join(work.root, "hotrun.toml"), "\n".join([*parts, ""]))
    return hotrun("run")


HOTRUN = Peer("hotrun", sys.executable, (), _hotrun)
PEERS = (*UNIX, *NODE, *PYTHON, *GO)
