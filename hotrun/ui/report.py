"""What the key `e` tells: why the last build ran, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hotrun import notices
from hotrun.ui.words import time

if TYPE_CHECKING:
    from hotrun.notices import Notice

SHOWN = 20  # paths; a checkout changes thousands


@dataclass(slots=True)
class Report:
    """Collects what is said of the last run; give it every notice."""

    run: int = 0
    command: str = ""
    paths: list[str] = field(default_factory=list)
    count: int = 0
    came: list[str] = field(default_factory=list)

    def note(self, notice: Notice) -> None:
        """Take a notice."""
        match notice:
            case notices.BuildStarted(_, run, command, paths, count):
                self.run, self.command, self.came = run, command, []
                self.paths, self.count = paths[:SHOWN], count
            case notices.BuildFinished(_, _, ok, code, ms, _, artifact):
                result = "good" if ok else f"failed with code {code}"
                same = ", the same bytes as before" if artifact == "same" else ""
                self.came.append(f"{result} after {time(ms)}{same}")
            case notices.BuildCancelled(_, _, ms, _):
                self.came.append(f"cancelled after {time(ms)}, for a newer change")
            case notices.AppStarted(_, run, pid):
                self.came.append(f"the app started as #{run}, pid {pid}")
            case notices.AppReady(_, run, ms):
                self.came.append(f"the app #{run} was ready after {time(ms)}")
            case notices.AppKept(_, run, reason):
                self.came.append(f"the app #{run} kept running: {reason}")
            case notices.AppExited(_, run, code, signal, ms, expected):
                how = f"signal {signal}" if signal else f"code {code}"
                why = "was stopped" if expected else "ended by itself"
                self.came.append(f"the app #{run} {why} ({how}) after {time(ms)}")
            case _:
                pass

    def lines(self) -> list[str]:
        """Return the report."""
        if not self.run:
            return ["nothing was built yet"]
        causes = self.paths or ["no file: it was asked for"]
        more = [f"and {self.count - len(self.paths)} more"] if self.count > len(self.paths) else []
        return [
            f"build #{self.run}: {self.command}",
            *(f"  because of {cause}" for cause in [*causes, *more]),
            *(f"  {came}" for came in self.came),
        ]
