"""What a build prints without an end of line is passed on, and not kept."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from plain import Plain

from hotrun.process import tree

if TYPE_CHECKING:
    from live import Project

MEGA = 1_000_000
PRINTED = 120 * MEGA
MOST = 110 * MEGA  # twice what it takes; each byte that is kept would come on top
BUILD = f"""
import os
for _ in range({PRINTED // MEGA}):
    os.write(1, b"x" * {MEGA})
os.write(1, b"\\nmain.go:3:1: the end\\n")
raise SystemExit(1)
"""


def test_a_build_that_never_ends_its_line_does_not_fill_the_memory(project: Project) -> None:
    project.config(command=[sys.executable, "-ISc", BUILD])
    with Plain(project.path) as session:
        session.until(lambda: b"BUILD FAILED" in session.err[-1000:], "the end of the build")
        assert session.err.count(b"x") >= PRINTED  # nothing is kept from who looks
        assert b"main.go:3:1: the end" in session.err[-1000:]
        assert (tree.peak_memory(session.pid) or 0) < MOST
