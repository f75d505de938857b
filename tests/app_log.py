"""Apps in Python that write down what happens to them, and how a test reads it.

Law: the log is outside of the project, so that nothing is built for it; a line is written in one
go, and read when it is whole.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from live import until
from process.yard import PRELUDE

if TYPE_CHECKING:
    from pathlib import Path

    from live import Project


@dataclass(frozen=True, slots=True)
class AppLog:
    """What the apps of a project have said, and whoever else wrote into the file."""

    path: Path

    def lines(self) -> list[str]:
        """All whole lines so far."""
        return self.path.read_text().split("\n")[:-1] if self.path.exists() else []

    def until_said(self, line: str, count: int = 1) -> None:
        """Wait until a line was written that many times."""
        until(lambda: self.lines().count(line) >= count, f"{count} x {line!r}: {self}")

    def pid_of(self, who: str, count: int = 1) -> int:
        """Wait for the line ``WHO PID``, that many times, and return the last pid."""
        until(lambda: len(self._pids(who)) >= count, f"{count} x the pid of {who}: {self}")
        return self._pids(who)[-1]

    def _pids(self, who: str) -> list[int]:
        pairs = (line.rpartition(" ") for line in self.lines())
        return [int(pid) for name, _, pid in pairs if name == who and pid.isdigit()]

    def __str__(self) -> str:
        return f"the log holds {self.lines()}"


def write_app(project: Project, code: str, *words: object, more: str = "") -> AppLog:
    """Write an app and a hotrun.toml without a build: any change restarts it.

    Args:
        project: Whose app it is.
        code: What follows the prelude of the yard: say, hear, fork, listen, forever.
        words: Arguments after the log, which is the first.
        more: Further keys of [run], and tables.
    """
    script, log = project.out / "app.py", project.out / "log"
    script.write_text(PRELUDE + code)
    command = json.dumps([sys.executable, "-IS", str(script), str(log), *map(str, words)])
    project.write("hotrun.toml", f"[run]\ncommand = {command}\n{more}\n")
    return AppLog(log)
