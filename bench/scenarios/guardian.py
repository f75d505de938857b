"""What the guardian costs: the process that ends the app when hotrun is killed.

Its memory is what it has to itself (proc(5), smaps_rollup); the rest is shared with hotrun.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from cost import MB, switches, tree
from harness import Log, Project, rest, until
from report import Row, Table
from tool import session

from scenarios.apps import only_run, wait_begun

if TYPE_CHECKING:
    from harness import Bench


def guardian(bench: Bench) -> Table:
    """Measure it after some replacements of the app, while nothing happens."""
    seconds = bench.some(20, 1)
    table = Table("guardian", f"After three replacements of the app; {seconds} s of rest.")
    project, log = Project(bench.at("guardian"), 200), Log(bench.at("guardian.log"))
    only_run(project, bench.probe("ender", log.path, "0"))
    with session(project) as tool:
        for count in range(1, 4):
            wait_begun(log, count)
            rest(0.3)
            project.save("rename")
        wait_begun(log, 4)
        pid = guardian_of(tool.pid)
        rest(1)
        private, switched = _private(pid) / MB, switches([pid])
        time.sleep(seconds)
        switched = switches([pid]) - switched
    table.rows = [
        Row("private memory", [private], "MB", 2),
        Row("context switches", [switched], "", 0),
    ]
    return table


def guardian_of(pid: int) -> int:
    """Return the pid of the guardian of a hotrun.

    Raises:
        BenchError: it has none.
    """
    until("the guardian", lambda: _guardians(pid))  # it takes a moment to become one
    return _guardians(pid)[0]


def _guardians(pid: int) -> list[int]:
    found = []
    for each in tree(pid):
        with contextlib.suppress(OSError), open(f"/proc/{each}/comm", encoding="utf-8") as file:
            if file.read().strip() == "hotrun-guardian":
                found.append(each)
    return found


def _private(pid: int) -> int:
    """Return the bytes that a process has to itself."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        kilobytes = [int(line.split()[1]) for line in file if line.startswith("Private_")]
    return 1024 * sum(kilobytes)
