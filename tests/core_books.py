"""The books of the core's random walks: what is owed, from facts and commands alone.

They never look at the core's state, so that a wrong state cannot excuse a wrong command. The
world hands them each fact before the core has it, and writes down what the core commands.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from core_tree import PATHS, Content, Reading, Tree

from hotrun.core import NOT_READY, PATIENCE
from hotrun.facts import (
    AppEnded,
    AppExited,
    AppUnready,
    BuildExited,
    BuildRequested,
    ConfigChanged,
    Fact,
    FilesChanged,
    FilesHeld,
    FilesTouched,
    OnExit,
    PauseToggled,
    Policy,
    Quiet,
    QuitRequested,
    RestartRequested,
    Step,
    Timer,
    TimerFired,
)


@dataclass
class LiveBuild:
    """A build; with ``steps`` the command of a rule."""

    run: int
    paths: frozenset[str]
    steps: frozenset[Step] = frozenset()
    reading: Reading | None = None
    made_from: Content = field(default_factory=dict)
    again: bool = False  # something changed while the step ran
    gone: bool = False  # the config changed, and has not all of its steps any more
    killed: str = ""
    expired: bool = False


@dataclass
class LiveApp:
    run: int
    reading: Reading
    knows: Content  # what it read at its start, or when a signal told it to
    fresh: bool = True  # started by the fact that is being dealt with
    ended: bool = False  # by itself, and left others behind
    stopping: bool = False
    killed: str = ""
    expired: bool = False
    dumped: bool = False  # asked for its stacks
    given_up: bool = False  # and had its time to write them


class Books:
    """What must be, what may be, and why.

    Args:
        policy: What the user chose.
        tree: The project.
    """

    def __init__(self, policy: Policy, tree: Tree) -> None:
        self.policy = policy
        self.tree = tree
        self.timers: dict[Timer, Quiet | int] = {}

        self.restless = False  # touched, and not still for long enough since
        self.settled = False  # still for long enough, and no sift since
        self.capped = False  # the bound of settling has passed, and no answer since
        self.lasting = 0  # answers in a row that it gave, and that something followed from

        self.newest = 0  # the greatest run number seen
        self.build: LiveBuild | None = None
        self.wanted = False  # a build is owed
        self.held = False  # one was when a step failed
        self.owed: frozenset[str] = frozenset()  # reported, in no good build, in none running
        self.cancelled = 0
        self.pressed = False  # a person wants a build now
        self.last = tree.read()  # what the last build that was let finish has read
        self.failed = False  # it failed
        self.promised = False  # a config has asked for a build that has not begun
        self.good: Reading | None = None
        self.good_built = False  # it is a build's, and not the tree as it was
        self.good_run = 0

        self.waiting: frozenset[Step] = frozenset()  # reported, in no good step, in none running
        self.called = False  # a step is owed
        self.stuck = False  # the last one failed
        self.unseen = False  # a step is over, and the tree was not looked at since
        self.looking = False  # the sift under way does
        self.made = dict.fromkeys(PATHS, 0)  # what a good step has read
        self.tried = dict.fromkeys(PATHS, 0)  # what a step has read

        self.app: LiveApp | None = None
        self.served_run = 0
        self.served: Reading | None = None
        self.served_built = False
        self.app_owed = False  # a start of the app is owed
        self.stale = False  # so is one, but not yet
        self.anew = False  # the next good build is started even if it is the same
        self.torn = False  # a killed build may have left its file half written
        self.signals: set[int] = set()  # for the app
        self.backing_off = False
        self.crashes = 0
        self.waits = False  # the app ended by itself, and comes back with the next change
        self.to_say: list[str] = []  # why the app goes on after the build that has just ended
        self.said: list[str] = []

        self.paused = False
        self.ending: int | None = None  # the code the session has to end with
        self.hurried = False
        self.code: int | None = None  # the code it did end with

    @property
    def down(self) -> bool:
        """A broken build keeps the app from running, or there is none."""
        broken = (self.failed or self.stuck) and not self.policy.keeps
        return broken or not self.policy.runs

    @property
    def running(self) -> frozenset[Step]:
        return self.build.steps if self.build is not None else frozenset()

    @property
    def may_supersede(self) -> bool:
        patient = self.cancelled >= PATIENCE or self.running
        going = self.ending is None and not self.paused
        return (self.wanted or self.called) and self.policy.cancels and not patient and going

    @property
    def overtaken(self) -> bool:
        """Changes came faster than they were built."""
        return self.cancelled > 0 or (self.build is not None and self.build.killed == "superseded")

    @property
    def waits_for_lull(self) -> bool:
        """What has overtaken a build goes on, and the bound has not passed."""
        moving = self.restless or self.settled or self.tree.sift is not None
        return self.cancelled > 0 and moving and not (self.lasting or self.pressed)

    @property
    def start_comes_first(self) -> bool:
        """A good build has to be started before the next one may overwrite it."""
        return self.app_owed and not self.down and not self.torn

    def is_late(self, fact: Fact) -> bool:
        match fact:
            case BuildExited(run):
                return self.build is None or self.build.run != run
            case AppExited(run) | AppUnready(run):
                return self.app is None or self.app.run != run
            case AppEnded(run):
                return self.app is None or self.app.run != run or self.app.stopping
            case _:
                return False

    def hear(self, fact: Fact) -> None:
        """Write down what a fact means."""
        self.to_say, self.said = [], []
        if self.app is not None:
            self.app.fresh = False
        self._hear(fact)
        if self.ending is None:
            self._go_without_build()
            if self.stale and not (self.paused or self.unseen or self.down):
                self.stale, self.app_owed = False, True
            if self.app_owed:
                self.to_say = []

    def _hear(self, fact: Fact) -> None:  # noqa: C901, PLR0912 - one case a fact
        match fact:
            case FilesTouched():
                self._stir()
            case FilesHeld():
                self.looking = False
                self._stir()
            case FilesChanged():
                self._hear_change(fact)
            case TimerFired(timer):
                del self.timers[timer]
                self._hear_timer(timer)
            case BuildExited() if self.build is not None and not self.is_late(fact):
                self._hear_end(self.build, fact)
            case AppEnded() if self.app is not None and not self.is_late(fact):
                self.app.ended = True
            case AppExited() if self.app is not None and not self.is_late(fact):
                self._hear_app_end(self.app, fact.code)
            case AppUnready() if not self.is_late(fact):
                if self.policy.once:
                    self._end(NOT_READY)
            case ConfigChanged():
                self._hear_config(fact)
            case PauseToggled():
                self.paused = not self.paused
            case BuildRequested():
                self.paused, self.wanted, self.called = False, True, bool(self.waiting)
                self.pressed = True
            case RestartRequested():
                built_first = self.paused and self.wanted
                self.paused = False
                self.stale = self.stale or (self.good is not None and not built_first)
            case QuitRequested(code):
                self.hurried = self.ending is not None
                self._end(code)
            case _:
                pass

    def _stir(self) -> None:
        self.restless, self.settled = True, False
        # Once the bound has passed, nothing is waited for but the sift under way.
        if self.capped and self.tree.sift is None:
            self.restless, self.settled = False, True

    def _hear_change(self, fact: FilesChanged) -> None:
        held = self.cancelled > 0 and (self.wanted or self.called)
        lasts = self.capped and (held or bool(fact.paths or fact.steps or fact.restart))
        self.capped = False
        self.lasting = self.lasting + 1 if lasts else 0
        self.restless = self.restless or (lasts and not self.settled)
        self.unseen, self.looking = self.unseen and not self.looking, False
        self.owed |= set(fact.paths)
        self.waiting |= set(fact.steps)
        self.signals |= set(fact.signals)
        self.stale = self.stale or (fact.restart and self.good is not None)
        if fact.paths or fact.steps:
            self.called = bool(self.waiting)
            self.wanted = self.wanted or self.held or bool(fact.paths)
            if self.build is not None:
                self.build.again = True

    def _hear_config(self, fact: ConfigChanged) -> None:
        self.policy = fact.policy
        self.promised = self.promised or (fact.build and fact.policy.builds)
        self.wanted, self.held = self.wanted or fact.build or self.held, False
        both = fact.build and fact.restart and fact.policy.builds
        self.anew = self.anew or both
        self.stale = self.stale or (fact.restart and not both and self.good is not None)
        changed, self.waiting = self.waiting, frozenset(fact.steps)
        if self.build is not None and self.running <= self.waiting:
            self.waiting -= self.running - changed
        elif self.build is not None:
            self.build.gone = True
        self.called = bool(self.waiting)
        self.stuck = self.stuck and bool(self.waiting or self.running)

    def _go_without_build(self) -> None:
        """With no build command the tree is good as it is."""
        busy = self.called or self.unseen or self.build is not None
        if self.wanted and not self.policy.builds and not busy:
            self.good, self.good_built = self.tree.read(), False
            self.owed, self.wanted, self.held = frozenset(), False, False
            self.app_owed = True
            self.failed = self.torn = self.promised = self.stale = False
            self.crashes = self.cancelled = 0  # of a program that is not there any more

    def _hear_timer(self, timer: Timer) -> None:
        match timer:
            case Timer.SETTLE:
                self.restless, self.settled = False, True
            case Timer.SETTLE_CAP:
                self.restless, self.settled = False, self.settled or self.restless
                self.capped = True
            case Timer.BUILD_TIMEOUT if self.build is not None:
                self.build.expired = True
            case Timer.STOP_TIMEOUT if self.app is not None:
                self.app.expired = True
            case Timer.DUMP if self.app is not None:
                self.app.given_up = True
            case Timer.RESTART:
                self.backing_off, self.app_owed = False, True
            case Timer.STEADY:
                self.crashes = 0
            case _:
                pass

    def _hear_end(self, build: LiveBuild, fact: BuildExited) -> None:
        self.build = None
        good = fact.code == 0 and not build.killed
        if build.steps:
            self._hear_step_end(build, good=good)
        else:
            self._hear_build_end(build, good=good, same=fact.same)

    def _hear_step_end(self, build: LiveBuild, *, good: bool) -> None:
        self.tried.update(build.made_from)
        if good:
            self.made.update(build.made_from)
        self.stuck = not good and not build.gone
        if not self.stuck:
            self.unseen, self.looking = True, False
            self._stir()
            return
        self.waiting |= build.steps
        self.called = build.again
        if not self.called:
            self.held, self.wanted = self.held or self.wanted, False
        if self.policy.keeps and not self.app_owed:
            self._say("build failed")

    def _hear_build_end(self, build: LiveBuild, *, good: bool, same: bool) -> None:
        assert build.reading is not None
        self.torn = self.torn or build.killed != ""
        if build.killed == "superseded":
            self.cancelled += 1
            self.owed |= build.paths
            self.wanted = True
            return
        self.cancelled = 0
        self.last = build.reading
        self.failed = not good
        if good:
            self.good, self.good_run, self.good_built = build.reading, build.run, True
            self.crashes, self.torn = 0, False
            self._hear_good(same=same)
        else:
            self.owed |= build.paths
            if self.policy.keeps and not self.app_owed:
                self._say("build failed")
        if self.policy.once and (self.failed or not self.policy.runs):
            self._end(int(self.failed))
            self.to_say = []

    def _hear_good(self, *, same: bool) -> None:
        """What a good build means for the app."""
        alive = self.app is not None and not self.app.stopping
        if not (same and alive) or self.anew or self.stale:
            self.app_owed = True
        elif not self.app_owed:
            self._say("same artifact")
        self.anew = self.stale = False

    def _say(self, reason: str) -> None:
        gone = self.app is None or self.app.ended or self.app.stopping
        if not gone and self.ending is None:
            self.to_say = [reason]

    def _hear_app_end(self, app: LiveApp, code: int) -> None:
        self.app = None
        if self.ending is not None or (app.stopping and not app.ended):
            return
        self.waits = self.policy.on_exit is OnExit.WAIT
        if self.policy.once or self.policy.on_exit is OnExit.EXIT:
            self._end(code)
        elif self.policy.on_exit is OnExit.RESTART:
            self.crashes += 1
            self.backing_off = True

    def _end(self, code: int) -> None:
        if self.ending is None:
            self.ending = code
