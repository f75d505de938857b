"""What the core knows of one service; ``record`` writes it, ``reconcile`` acts on it."""

from __future__ import annotations

from dataclasses import field

from hotrun.facts import Policy, Quiet, Step, Timer
from hotrun.lean import NamedTuple, dataclass


class Build(NamedTuple):
    """The build, or the step before it, that is running."""

    run: int
    paths: frozenset[str]
    steps: frozenset[Step] = frozenset()  # what the command of a rule runs for
    again: bool = False  # something changed while the step ran: if it fails, it is tried again
    gone: bool = False  # a step of rules that may be gone
    killed: str = ""  # why it was killed, if it was
    expired: bool = False  # build.timeout has passed


class App(NamedTuple):
    """The app that is alive."""

    run: int
    ended: bool = False  # by itself: what it left behind has to be stopped
    stopping: bool = False
    killed: bool = False
    expired: bool = False  # run.stop_timeout has passed
    dumped: bool = False  # it was asked for its stacks
    given_up: bool = False  # its time to write them has passed


@dataclass
class State:
    """All that the core knows about one service."""

    policy: Policy = field(default_factory=Policy)
    last_run: int = 0

    # settling: touched -> (still for a while) -> due -> asked -> changed
    touches: int = 0  # grows with each touch, so that the alarm is set anew
    answers: int = 0  # grows with each answer, so that the bound is
    waiting: Quiet | None = None
    due: bool = False
    asked: bool = False
    capped: bool = False
    lasting: int = 0  # runs in a row that the bound gave cause for: the tree was never still

    dirty: frozenset[str] = frozenset()  # changed, and in no good build yet
    wanted: bool = False  # a build has to start
    cancelled: int = 0  # builds cancelled in a row
    pressed: bool = False  # somebody asked for a build: it waits for nothing
    broken: bool = False  # the last finished build failed
    steps: frozenset[Step] = frozenset()  # in no good step yet
    called: bool = False  # a step has to start
    stuck: bool = False  # the last finished step failed
    owed: bool = False  # a build was wanted when it did
    peering: bool = False  # what a step wrote is not known yet
    looking: bool = False  # the sift under way began after the step, and will find it
    signals: frozenset[int] = frozenset()  # for the app
    torn: bool = False  # a build was killed since the last good one: its file may be half written
    build: Build | None = None

    good: int = 0
    served: int = 0
    app: App | None = None
    kept: str = ""  # a KeepApp still to be said
    crashes: int = 0
    backing_off: bool = False
    anew: bool = False  # the next good build is started from, also if it made the same bytes
    stale: bool = False  # it has to be started again, for what it reads at its start has changed

    paused: bool = False
    quitting: int | None = None
    hurried: bool = False  # asked to quit twice
    exited: bool = False
    armed: dict[Timer, tuple[Quiet | int, int]] = field(default_factory=dict)

    def copy(self) -> State:
        """Return one that may be changed; not by ``replace``, which asks for each field."""
        new = object.__new__(State)
        new.__dict__ = self.__dict__.copy()
        new.armed = dict(self.armed)
        return new


def next_run(s: State) -> int:
    """Take a number for a run."""
    s.last_run += 1
    return s.last_run
