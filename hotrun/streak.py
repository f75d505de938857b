"""A streak: changes of one path in a row that a step may have made, and what they are worth.

Law: a run of the step counts once, and its first change. What comes at another pace each time is
no streak, unless the step is known to have written it, or it comes and goes with the runs.

Pure, as the breaker is.
"""

from __future__ import annotations

from collections import deque
from dataclasses import field

from hotrun.lean import NamedTuple, dataclass

BUILDS = 3
"""Builds in a row that a file may cause although the step itself writes it."""

MOST_PAUSE = 30.0
"""Seconds by which a build is put off at the most."""

LEAST_SPREAD = 0.3  # seconds that the lags of a program may differ, on a busy machine
SPREAD = 0.2  # the same, as a part of the lag


class Writer(NamedTuple):
    """What may write.

    Attributes:
        kind: "build", "rule" (the command of one), "app", "beside" (a command before or after it),
            "signal" (the app, when it is sent one).
        name: Of a rule where it stands, of a command beside the app its key, of a signal its own.
    """

    kind: str
    name: str = ""

    @property
    def shown(self) -> str:
        """As a message names it."""
        return {
            "build": "the build",
            "rule": f"the command of the rule at {self.name}",
            "beside": f"a command of {self.name}",
            "app": "the app",
            "signal": "the app",
        }[self.kind]


class Phase(NamedTuple):
    """Of an app, ``stops`` is what it does from its stop signal on."""

    writer: Writer
    stops: bool


@dataclass(eq=False, slots=True)
class Window:
    """When a step could write."""

    writer: Writer
    stops: bool
    start: float
    end: float

    @property
    def phase(self) -> Phase:
        """Whose it is, and of an app whether it stops."""
        return Phase(self.writer, self.stops)

    @property
    def is_the_step_alone(self) -> bool:
        """Whether it is as long as the step; an app has long been up when others come by."""
        return self.stops or self.writer.kind not in ("app", "signal")


@dataclass(slots=True)
class Blame:
    """One change that fits one window.

    Attributes:
        lag: Seconds from the window's start.
        sure: Its step wrote at that moment.
        gone: It is a removal.
        brief: It is the removal of what came in a window, too.
    """

    window: Window
    lag: float
    sure: bool
    gone: bool
    brief: bool


@dataclass(slots=True)
class Streak:
    """The changes of one path (or pattern) in a row, in one phase: the first of each run.

    Attributes:
        sure: So many of them were written by the step, and of the others that is not known.
        gone: The last one was a removal.
        comes_and_goes: There were removals and others.
    """

    blames: deque[Blame] = field(default_factory=lambda: deque(maxlen=BUILDS))
    count: int = 0
    sure: int = 0
    gone: bool = False
    comes_and_goes: bool = False

    def add(self, blame: Blame) -> None:
        """Go on with this, or begin anew; what is written again in the same run is left out.

        Nobody removes a file, and makes it again, once in each run: that needs no pace.
        """
        self.comes_and_goes |= blame.brief or (bool(self.blames) and self.gone != blame.gone)
        self.gone = blame.gone
        if self.blames and self.blames[-1].window is blame.window:
            return
        lags = [each.lag for each in (*self.blames, blame)]
        if not (blame.sure or self.comes_and_goes or _steady(lags)):
            self.blames.clear()
            self.count = 0  # how often it is sure stays: this one could not be measured
        self.blames.append(blame)
        self.count += 1
        self.sure += blame.sure

    def stays(self) -> bool:
        """Begin again with the least pause, if somebody saved; say whether it is worth that."""
        stays = self.comes_and_goes and self.count > BUILDS
        self.count, self.sure = BUILDS, 0
        return stays

    @property
    def pause(self) -> float:
        """Seconds by which its build is put off: 1, 2, 4 and so on, from the fourth on."""
        over = self.count - BUILDS
        return min(MOST_PAUSE, 2.0 ** min(over - 1, 9)) if over > 0 else 0.0


def _steady(lags: list[float]) -> bool:
    return max(lags) - min(lags) <= max(LEAST_SPREAD, SPREAD * max(lags))
