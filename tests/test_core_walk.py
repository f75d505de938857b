"""The core by random walks through a simulated world.

The world plays all that the core cannot see: a tree of files, the sieve, builds, apps, alarms
and a user. It keeps its own books, from facts and commands alone and never from the core's
state, so that a wrong state cannot excuse a wrong command. After each fact the commands are
held against the books; at rest the disk is held against what was built and what is served.

When a walk fails, the story at the end of the report is every fact and what it led to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from hotrun.core import NOT_READY, PATIENCE, State, step
from hotrun.facts import (
    AppEnded,
    AppExited,
    AppUnready,
    BuildExited,
    BuildRequested,
    ClearTimer,
    Command,
    Dump,
    Exit,
    Fact,
    FilesChanged,
    FilesHeld,
    FilesTouched,
    KeepApp,
    Kill,
    OnExit,
    PauseToggled,
    Policy,
    Quiet,
    QuitRequested,
    RestartRequested,
    SetTimer,
    Sift,
    StartApp,
    StartBuild,
    Stop,
    Timer,
    TimerFired,
)

PATHS = ("main.go", "lib.go", "notes.md")
NOT_COMPILED = "notes.md"  # a change in it builds the same artifact
CONTENTS = (0, 1, 2)  # few, so that an edit often takes an earlier one back
SIGKILLED = -9
CODES = (0, 1, 0, SIGKILLED, 0)
PER_MOVE = 3  # bytes that decide a move
FAIR = 200  # a world that is driven fairly comes to rest in far fewer moves

Content = dict[str, int]
T = TypeVar("T")


# --- the world -----------------------------------------------------------------------------


@dataclass
class Reading:
    """What a build, or an app without a build, found in the tree."""

    content: Content
    ahead: frozenset[str]  # paths found in a state that the sieve had not reported

    @property
    def artifact(self) -> Content:
        return {path: it for path, it in self.content.items() if path != NOT_COMPILED}


@dataclass
class Comparison:
    """A sift under way: the touched files as they were when it began."""

    last: bool
    content: Content


@dataclass
class Tree:
    """The files, the watcher's events, and the sieve that turns them into changes."""

    disk: Content = field(default_factory=lambda: dict.fromkeys(PATHS, 0))
    reported: Content = field(default_factory=lambda: dict.fromkeys(PATHS, 0))
    events: set[str] = field(default_factory=set)  # not yet read from the kernel
    touched: set[str] = field(default_factory=set)  # read, not yet compared
    sift: Comparison | None = None
    exposed: set[str] = field(default_factory=set)  # something read them before they were sifted

    def edit(self, path: str, content: int) -> None:
        self.disk[path] = content
        self.events.add(path)

    def read_events(self) -> None:
        self.touched |= self.events
        self.events = set()

    def begin(self, *, last: bool) -> None:
        self.sift = Comparison(last, {path: self.disk[path] for path in sorted(self.touched)})
        self.touched = set()

    def hold(self) -> None:
        if self.sift is not None:
            self.touched |= self.sift.content.keys()
        self.sift = None

    def finish(self, *, early: bool) -> tuple[str, ...]:
        """End the sift; ``early``: it read the files when it began, not only now."""
        compared = {} if self.sift is None else self.sift.content
        found = compared if early else {path: self.disk[path] for path in compared}
        # An edit that was taken back is a change all the same, if a build may have read it.
        changed = tuple(
            path for path, it in found.items() if self.reported[path] != it or path in self.exposed
        )
        self.exposed -= found.keys()
        self.reported.update(found)
        self.sift = None
        return changed

    def read(self) -> Reading:
        ahead = frozenset(path for path in PATHS if self.disk[path] != self.reported[path])
        self.exposed |= ahead
        return Reading(dict(self.disk), ahead)

    def coming(self) -> set[str]:
        """Paths that a sift to come, or the one under way, will look at."""
        compared = set() if self.sift is None else set(self.sift.content)
        return self.events | self.touched | compared


@dataclass
class LiveBuild:
    run: int
    paths: frozenset[str]
    reading: Reading | None = None
    killed: str = ""
    expired: bool = False


@dataclass
class LiveApp:
    run: int
    reading: Reading
    ended: bool = False  # by itself, and left others behind
    stopping: bool = False
    killed: str = ""
    expired: bool = False
    dumped: bool = False  # asked for its stacks
    given_up: bool = False  # and had its time to write them


class World:
    """Tells the core what happens, does what it commands, and keeps the books.

    Args:
        policy: What the user chose.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.state = State(policy=policy)
        self.story: list[tuple[Fact, list[Command]]] = []
        self.tree = Tree()
        self.timers: dict[Timer, Quiet | int] = {}

        self.restless = False  # touched, and not still for long enough since
        self.settled = False  # still for long enough, and no sift since
        self.capped = False  # the bound of settling has passed, and no answer since

        self.newest = 0  # the greatest run number seen
        self.build: LiveBuild | None = None
        self.wanted = False  # a build is owed
        self.owed: frozenset[str] = frozenset()  # reported, in no good build, in none running
        self.cancelled = 0
        self.last = self.tree.read()  # what the last build that was let finish has read
        self.failed = False  # it failed
        self.good: Reading | None = None
        self.good_run = 0

        self.app: LiveApp | None = None
        self.served_run = 0
        self.served: Reading | None = None
        self.app_owed = False  # a start of the app is owed
        self.torn = False  # a killed build may have left its file half written
        self.backing_off = False
        self.crashes = 0
        self.ended_alone = False
        self.to_say: list[str] = []  # why the app goes on after the build that has just ended
        self.said: list[str] = []

        self.paused = False
        self.ending: int | None = None  # the code the session has to end with
        self.hurried = False
        self.code: int | None = None  # the code it did end with

    # Facts.

    def tell(self, fact: Fact) -> None:
        """Hand one fact to the core, do what it commands, check everything."""
        before = replace(self.state, armed=dict(self.state.armed))
        over, late = self.code is not None, self.is_late(fact)
        self.to_say, self.said = [], []
        self._hear(fact)
        state, commands = step(self.state, fact)
        self.story.append((fact, commands))
        assert self.state == before, "the state that was handed in has changed"
        assert not (over and commands), "a command after Exit"
        assert not late or (state == before and not commands), "a late answer did something"
        self.state = state
        for command in commands:
            assert self.code is None, "Exit is not the last command"
            self._do(command)
        self._check(fact, commands)

    def edit(self, path: str, content: int) -> None:
        self.tree.edit(path, content)

    def watch(self, quiet: Quiet) -> None:
        """One read of the watcher: all events so far in one fact."""
        self.tree.read_events()
        self.tell(FilesTouched(quiet))

    def hold(self) -> None:
        self.tree.hold()
        self.tell(FilesHeld())

    def answer(self, *, early: bool = False) -> None:
        self.tell(FilesChanged(self.tree.finish(early=early)))

    def fire(self, timer: Timer) -> None:
        assert timer in self.timers, "only an alarm that is set can go off"
        self.tell(TimerFired(timer))

    def touch(self, path: str, content: int, quiet: Quiet) -> None:
        self.edit(path, content)
        self.watch(quiet)

    def save(self, path: str, content: int) -> None:
        """One plain save, from the edit to the answer, or to a sift that is still under way."""
        busy = self.tree.sift is not None
        self.touch(path, content, Quiet.SAVE)
        if Timer.SETTLE in self.timers:
            self.fire(Timer.SETTLE)
        if self.tree.sift is not None and not busy:
            self.answer()

    def read_tree(self) -> None:
        """The running build reads its input."""
        if self.build is not None and self.build.reading is None:
            self.build.reading = self.tree.read()

    def end_build(self, code: int) -> None:
        self.read_tree()
        if self.build is not None and self.build.reading is not None:
            made = self.build.reading.artifact
            same = self.served is not None and self.served.artifact == made
            self.tell(BuildExited(self.build.run, code, same))

    def end_app(self, code: int) -> None:
        if self.app is not None:
            self.tell(AppExited(self.app.run, code))

    def leave_behind(self) -> None:
        """The app's first process ends, and others that it started live on."""
        if self.app is not None:
            self.tell(AppEnded(self.app.run))

    def come_to_rest(self, *, works: bool, stubborn: bool) -> None:
        """Drive the world fairly until nothing is pending, then look at the whole.

        Args:
            works: What the compiler says to the tree as it is.
            stubborn: The app ignores the stop signal.
        """
        if self.paused:
            self.tell(PauseToggled())
        moves = 0
        while self._advance(works=works, stubborn=stubborn):
            moves += 1
            assert moves < FAIR, "the world does not come to rest"
        self._check_rest()

    def _advance(self, *, works: bool, stubborn: bool) -> bool:
        if self.tree.events:
            self.watch(Quiet.BURST)
        elif self.tree.sift is not None:
            self.answer()
        elif self.build is not None:
            self.end_build(SIGKILLED if self.build.killed else int(not works))
        elif self.app is not None and self.app.stopping and (self.app.killed or not stubborn):
            self.end_app(0)
        elif self.timers:
            self.fire(next(iter(self.timers)))
        else:
            return False
        return True

    # The books: what each fact means.

    @property
    def down(self) -> bool:
        """A broken build keeps the app from running."""
        return self.failed and not self.policy.keeps

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

    def _hear(self, fact: Fact) -> None:  # noqa: C901, PLR0912 - one case a fact
        match fact:
            case FilesTouched() | FilesHeld():
                self.restless, self.settled = True, False
                self._hurry()
            case FilesChanged(paths):
                self.capped = False
                self.owed |= set(paths)
                self._want(build=bool(paths))
            case TimerFired(timer):
                del self.timers[timer]
                self._hear_timer(timer)
            case BuildExited() if self.build is not None and not self.is_late(fact):
                self._hear_build_end(self.build, fact)
            case AppEnded() if self.app is not None and not self.is_late(fact):
                self.app.ended = True
            case AppExited() if self.app is not None and not self.is_late(fact):
                self._hear_app_end(self.app, fact.code)
            case AppUnready() if not self.is_late(fact):
                if self.policy.once:
                    self._end(NOT_READY)
            case PauseToggled():
                self.paused = not self.paused
            case BuildRequested():
                self.paused = False
                self._want(build=True)
            case RestartRequested():
                held = self.paused and self.wanted  # it is built first
                self.paused = False
                self.app_owed = self.app_owed or (self.good is not None and not held)
            case QuitRequested(code):
                self.hurried = self.ending is not None
                self._end(code)
            case _:
                pass

    def _hurry(self) -> None:
        """Once the bound has passed, nothing is waited for but the sift under way."""
        if self.capped and self.restless and self.tree.sift is None:
            self.restless, self.settled = False, True

    def _want(self, *, build: bool) -> None:
        if build and self.policy.builds:
            self.wanted = True
        elif build and self.ending is None:
            self.good, self.owed, self.app_owed = self.tree.read(), frozenset(), True
            self.crashes = 0  # of a program that is not there any more

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

    def _hear_build_end(self, build: LiveBuild, fact: BuildExited) -> None:
        assert build.reading is not None
        self.build = None
        self.torn = self.torn or build.killed != ""
        if build.killed == "superseded":
            self.cancelled += 1
            self.owed |= build.paths
            self.wanted = True
            return
        self.cancelled = 0
        self.last = build.reading
        self.failed = fact.code != 0 or build.killed != ""
        if self.failed:
            self.owed |= build.paths
        else:
            self.good, self.good_run = build.reading, build.run
            self.crashes, self.torn = 0, False
        if self.policy.once and (self.failed or not self.policy.runs):
            self._end(int(self.failed))
        self._hear_verdict(same=fact.same)

    def _hear_verdict(self, *, same: bool) -> None:
        """What the build that was let finish means for the app."""
        alive = self.app is not None and not self.app.stopping
        if not self.failed and not (same and alive):
            self.app_owed = True
        elif not self.failed and not self.app_owed:
            self._say("same artifact")
        elif self.failed and self.policy.keeps and not self.app_owed:
            self._say("build failed")

    def _say(self, reason: str) -> None:
        if self.app is not None and not self.app.ended and self.ending is None:
            self.to_say = [reason]

    def _hear_app_end(self, app: LiveApp, code: int) -> None:
        self.app = None
        if self.ending is not None or (app.stopping and not app.ended):
            return
        self.ended_alone = True
        if self.policy.once or self.policy.on_exit is OnExit.EXIT:
            self._end(code)
        elif self.policy.on_exit is OnExit.RESTART:
            self.crashes += 1
            self.backing_off = True

    def _end(self, code: int) -> None:
        if self.ending is None:
            self.ending = code

    # The commands: each is held against the books when it is done.

    def _do(self, command: Command) -> None:  # noqa: C901 - one case a command
        match command:
            case Sift(last):
                self._sift(last=last)
            case StartBuild():
                self._start_build(command)
            case StartApp(run):
                self._start_app(run)
            case KeepApp(run, reason):
                self._keep(run, reason)
            case Stop(run):
                self._stop(run)
            case Dump(run):
                self._dump(run)
            case Kill(run, reason):
                self._kill(run, reason)
            case SetTimer(timer, detail):
                self._set_timer(timer, detail)
            case ClearTimer(timer):
                assert timer in self.timers, "an alarm is cleared that is not set"
                del self.timers[timer]
            case Exit(code):
                self._exit(code)

    def _sift(self, *, last: bool) -> None:
        assert self.tree.sift is None, "two sifts at once"
        assert self.ending is None, "a sift while the session ends"
        assert self.settled, "a sift before the tree settled"
        assert not self.restless, "a sift while an editor may still be writing"
        assert last == self.capped, "the last sift is the one after the bound"
        self.settled = False
        self.tree.begin(last=last)

    def _start_build(self, command: StartBuild) -> None:
        assert self.build is None, "two builds"
        assert self.ending is None, "a build while the session ends"
        assert self.wanted, "a build without a cause"
        assert not self.paused, "a build in a pause"
        assert command.run > self.newest, "a run number did not grow"
        assert command.paths == self.owed, "a build forgets or invents a path"
        waits = self.policy.runs and self.app_owed and not self.down and not self.torn
        assert not waits, "a good build is overwritten before it was started"
        self.newest = command.run
        self.wanted, self.owed = False, frozenset()
        self.build = LiveBuild(command.run, command.paths)

    def _start_app(self, run: int) -> None:
        assert self.policy.runs, "there is no app to start"
        assert self.app is None, "two apps"
        assert self.build is None, "an app starts while a build may write its file"
        assert self.ending is None, "an app starts while the session ends"
        assert self.app_owed, "an app starts without a cause"
        assert not self.down, "an app starts although the build is broken"
        assert not self.torn, "an app starts from what a killed build left half written"
        assert run > self.served_run, "a run number did not grow"
        assert run >= self.good_run, "an app carries an older number than its build"
        self.newest, self.served_run = max(self.newest, run), run
        self.app_owed = self.backing_off = self.ended_alone = False
        assert self.good is not None, "there is nothing good to start"
        self.served = self.good if self.policy.builds else self.tree.read()
        self.app = LiveApp(run, self.served)

    def _keep(self, run: int, reason: str) -> None:
        assert self.app is not None, "an app is kept that is not alive"
        assert self.app.run == run, "another app is kept than the one alive"
        self.said.append(reason)

    def _stop(self, run: int) -> None:
        assert self.app is not None, "an app is stopped that is not alive"
        assert self.app.run == run, "another app is stopped than the one alive"
        assert not self.app.stopping, "an app is stopped twice"
        replaced = not (self.down or self.app.ended or self.ending is not None)
        assert not (self.paused and replaced), "an app is replaced in a pause"
        ending = self.ending is not None
        assert ending or self.app_owed or self.down or self.app.ended, "a stop without a cause"
        self.app.stopping = True

    def _dump(self, run: int) -> None:
        assert self.policy.dumps, "nobody asked for stacks"
        assert self.app is not None, "the stacks of what is not alive"
        assert self.app.run == run, "the stacks of another app"
        assert self.app.expired, "an app is asked for its stacks that may still stop"
        assert not self.app.dumped, "an app is asked for its stacks twice"
        assert not self.app.killed, "the stacks of what was killed"
        self.app.dumped = True

    def _kill(self, run: int, reason: str) -> None:
        if self.build is not None and self.build.run == run:
            assert self.app is None or self.app.run != run, "it is not clear what is killed"
            self._kill_build(self.build, reason)
        else:
            assert self.app is not None, "what is not alive is killed"
            assert self.app.run == run, "what is not alive is killed"
            self._kill_app(self.app, reason)

    def _kill_build(self, build: LiveBuild, reason: str) -> None:
        assert not build.killed, "a build is killed twice"
        causes = {
            "superseded": self._may_supersede(),
            "timeout": build.expired,
            "quit": self.ending is not None,
        }
        assert causes[reason], f"no cause to kill the build: {reason}"
        build.killed = reason

    def _kill_app(self, app: LiveApp, reason: str) -> None:
        assert not app.killed, "an app is killed twice"
        assert app.stopping, "an app is killed that was never asked to stop"
        told = app.given_up or not self.policy.dumps
        causes = {"stop_timeout": app.expired and told, "asked twice": self.hurried}
        assert causes[reason], f"no cause to kill the app: {reason}"
        app.killed = reason

    def _may_supersede(self) -> bool:
        patient = self.cancelled >= PATIENCE
        going = self.ending is None and not self.paused
        return self.wanted and self.policy.cancels and not patient and going

    def _set_timer(self, timer: Timer, detail: Quiet | int) -> None:
        if timer is Timer.SETTLE_CAP and not isinstance(self.story[-1][0], FilesChanged):
            assert timer not in self.timers, "the bound counts from the first touch"
        if timer is Timer.RESTART:
            assert detail == self.crashes, "the back-off does not fit the crashes"
        self.timers[timer] = detail

    def _exit(self, code: int) -> None:
        assert self.build is None, "a build outlives the session"
        assert self.app is None, "an app outlives the session"
        assert not self.timers, "an alarm outlives the session"
        assert code == self.ending, "the wrong exit code"
        self.code = code

    # After each fact: what should have been done, was done.

    def _check(self, fact: Fact, commands: list[Command]) -> None:
        self._check_alarms(fact, commands)
        self._check_kept(commands)
        self._check_ladder()
        if self.ending is None:
            self._check_prompt()
        else:
            self._check_ending()
        if self.policy.builds and self.ending is None:
            self._check_nothing_forgotten()

    def _check_alarms(self, fact: Fact, commands: list[Command]) -> None:
        expected = {timer for timer, reason in self._reasons().items() if reason}
        assert set(self.timers) == expected, "an alarm without a reason, or none for one"
        assert set(self.state.armed) == expected, "the core lost count of the alarms"
        anew = {command.timer for command in commands if isinstance(command, SetTimer)}
        if isinstance(fact, FilesTouched) and self.restless and self.ending is None:
            assert Timer.SETTLE in anew, "stillness counts from the last touch"
            assert self.timers[Timer.SETTLE] is fact.quiet
        if any(isinstance(command, StartBuild) for command in commands):
            assert Timer.BUILD_TIMEOUT in anew, "a build inherits the alarm of another"

    def _reasons(self) -> dict[Timer, bool]:
        going = self.ending is None
        unanswered = self.restless or self.settled or self.tree.sift is not None
        stopping = self.app is not None and self.app.stopping
        return {
            Timer.SETTLE: going and self.restless,
            Timer.SETTLE_CAP: going and unanswered and not self.capped,
            Timer.RESTART: going and self.backing_off,
            Timer.STEADY: going and self.crashes > 0 and self.app is not None and not stopping,
            Timer.BUILD_TIMEOUT: self.build is not None and not self.build.expired,
            Timer.STOP_TIMEOUT: self.app is not None and stopping and not self.app.expired,
            Timer.DUMP: self.app is not None and self._writes_stacks(self.app),
        }

    @staticmethod
    def _writes_stacks(app: LiveApp) -> bool:
        return app.dumped and not app.given_up and not app.killed

    def _check_kept(self, commands: list[Command]) -> None:
        assert self.said == self.to_say, "an app that goes on after a build is told of once"
        if self.said:
            assert not any(isinstance(command, Stop) for command in commands), "a kept app stops"

    def _check_ladder(self) -> None:
        if self.build is not None and self.build.expired:
            assert self.build.killed, "a build outlives its time"
        if self.app is not None and self.app.expired:
            left = self.app.killed or self._writes_stacks(self.app)
            assert left, "an app outlives the time it had to stop"

    def _check_prompt(self) -> None:
        assert self.tree.sift is not None or not self.settled, "a settled tree is not sifted"
        if self.build is not None and not self.build.killed:
            assert not self._may_supersede(), "a build goes on that is out of date"
        if self.app is not None and not self.app.stopping:
            assert not self.down, "an app goes on although the build is broken"
            assert not self.app.ended, "what an app left behind goes on"

    def _check_ending(self) -> None:
        alive = self.build is not None or self.app is not None
        assert alive == (self.code is None), "the session ends when nothing is alive"
        if self.build is not None:
            assert self.build.killed, "a build goes on while the session ends"
        if self.app is not None:
            assert self.app.stopping, "an app goes on while the session ends"
            assert self.app.killed or not self.hurried, "asked twice, and the app still lives"

    def _check_nothing_forgotten(self) -> None:
        assert self.state.dirty == self.owed, "a change is forgotten or invented"
        accounted = self.tree.coming() | self.owed
        if self.build is not None:
            accounted |= self.build.paths
        good = self.good if self.good is not None else Tree().read()
        assert self._stale(good) <= accounted, "a change is forgotten"

    def _stale(self, reading: Reading) -> set[str]:
        """Paths that are no longer as they were read."""
        return {path for path in PATHS if reading.content[path] != self.tree.disk[path]}

    # At rest.

    def _check_rest(self) -> None:
        assert not self.timers, "an alarm is left although nothing happens"
        if self.ending is not None:
            assert self.code is not None, "the session never ends"
            return
        assert not self.wanted, "a build is owed and never came"
        if self.policy.builds:
            assert not self._stale(self.last), "an edit never ended in a build let finish"
            assert self.failed or not self.owed, "a good build has left paths behind"
        if self.policy.runs and not self.down:
            self._check_served()

    def _check_served(self) -> None:
        if self.torn:
            return  # nothing to start from, before the next good build
        assert not self.app_owed, "a start of the app is owed and never came"
        if self.app is None:
            waited_on = self.ended_alone and self.policy.on_exit is OnExit.WAIT
            assert self.good is None or waited_on, "the app is not running"
        elif self.policy.builds:
            assert self.good is not None
            served = self.app.reading.artifact
            assert served == self.good.artifact, "the app is not the newest good build"
        else:
            assert not self._stale(self.app.reading), "the app has not seen the last edit"


# --- the walk ------------------------------------------------------------------------------


class Dice:
    """Choices made by one number; a small one takes the first, so that walks shrink well.

    Args:
        number: A number far greater than the product of the options asked for.
    """

    def __init__(self, number: int) -> None:
        self.number = number

    def pick(self, options: Sequence[T]) -> T:
        self.number, index = divmod(self.number, len(options))
        return options[index]


Move = Callable[[World, Dice], object]
Test = Callable[["Plan"], None]


def edit(world: World, dice: Dice) -> None:
    world.edit(dice.pick(PATHS), dice.pick(CONTENTS))


def watch(world: World, dice: Dice) -> None:
    world.watch(dice.pick(tuple(Quiet)))


def touch(world: World, dice: Dice) -> None:
    world.touch(dice.pick(PATHS), dice.pick(CONTENTS), dice.pick(tuple(Quiet)))


def save(world: World, dice: Dice) -> None:
    world.save(dice.pick(PATHS), dice.pick(CONTENTS))


def hold(world: World, _dice: Dice) -> None:
    world.hold()


def answer(world: World, dice: Dice) -> None:
    world.answer(early=dice.pick((False, True)))


def fire(world: World, dice: Dice) -> None:
    world.fire(dice.pick(tuple(world.timers)))


def read_tree(world: World, _dice: Dice) -> None:
    world.read_tree()


def end_build(world: World, dice: Dice) -> None:
    world.end_build(dice.pick(CODES))


def end_app(world: World, dice: Dice) -> None:
    world.end_app(dice.pick(CODES))


def leave_behind(world: World, _dice: Dice) -> None:
    world.leave_behind()


def ask_for_a_build(world: World, _dice: Dice) -> None:
    world.tell(BuildRequested())


def ask_for_a_restart(world: World, _dice: Dice) -> None:
    world.tell(RestartRequested())


def pause(world: World, _dice: Dice) -> None:
    world.tell(PauseToggled())


def be_unready(world: World, _dice: Dice) -> None:
    if world.app is not None:
        world.tell(AppUnready(world.app.run))


def quit_session(world: World, dice: Dice) -> None:
    """Seldom at first, or most walks would be short."""
    if dice.pick((False, False, True)) or world.ending is not None:
        world.tell(QuitRequested(dice.pick((130, 143))))


def answer_late(world: World, dice: Dice) -> None:
    """An answer that comes twice, or from a run that is over."""
    run, code = dice.pick(range(world.newest + 1)), dice.pick(CODES)
    same = dice.pick((False, True))
    ends = (AppEnded(run), AppExited(run, code), AppUnready(run))
    for fact in (BuildExited(run, code, same), *ends):
        if world.is_late(fact):
            world.tell(fact)


def come_to_rest(world: World, dice: Dice) -> None:
    world.come_to_rest(works=dice.pick((True, False)), stubborn=dice.pick((False, True)))


def moves(world: World) -> list[Move]:
    """Return what can happen now, each as often as it should be picked."""
    sift, build, app = world.tree.sift, world.build, world.app
    going = world.ending is None
    stopping = app is not None and app.stopping
    odds: dict[Move, int] = {
        edit: 3,
        watch: 3 * bool(world.tree.events),
        touch: 4,
        save: 5,
        hold: 3 * (sift is not None and not sift.last),
        answer: 3 * (sift is not None),
        fire: 5 * bool(world.timers),
        read_tree: 3 * (build is not None and build.reading is None),
        end_build: 6 * (build is not None),
        end_app: (4 if stopping else 1) * (app is not None),
        leave_behind: 2 * (app is not None),
        ask_for_a_build: 2,
        ask_for_a_restart: 2,
        pause: 2 if world.paused else 1,
        be_unready: 1 * (app is not None),
        quit_session: 1 if going else 6,
        answer_late: 2,
        come_to_rest: 1,
    }
    return [move for move, odd in odds.items() for _ in range(odd)]


@dataclass(frozen=True)
class Plan:
    """A walk before it is taken: what the user chose, and a number for each move."""

    policy: Policy
    numbers: list[int]

    def take(self) -> None:
        world = World(self.policy)
        try:
            for number in self.numbers:
                dice = Dice(number)
                dice.pick(moves(world))(world, dice)
                if world.code is not None:
                    break
            world.come_to_rest(works=True, stubborn=False)
            check_the_end(world)
        finally:
            for fact, commands in world.story:
                note(f"{fact} -> {commands}")


def check_the_end(world: World) -> None:
    """After Exit nothing leads to anything; a session that goes on ends when it is asked to."""
    world.tell(QuitRequested(130))
    world.come_to_rest(works=True, stubborn=True)
    for fact in (BuildRequested(), FilesTouched(Quiet.SAVE), QuitRequested(130)):
        world.tell(fact)


def pick_policy(dice: Dice) -> Policy:
    """Mostly the usual one.

    What ends a session early makes a walk short, and without builds or without an app most
    moves have no part in it.
    """
    builds, runs = dice.pick((*[(True, True)] * 6, (True, False), (False, True)))
    return Policy(
        builds=builds,
        runs=runs,
        cancels=dice.pick((True, True, False)),
        keeps=dice.pick((True, True, False)),
        on_exit=dice.pick((*[OnExit.WAIT, OnExit.RESTART] * 3, OnExit.EXIT)),
        dumps=dice.pick((False, True)),
        once=dice.pick((*[False] * 5, True)),
    )


def plan_in(drawn: bytes) -> Plan:
    """Read a walk from bytes; a zero is no move."""
    chunks = (drawn[at : at + PER_MOVE] for at in range(0, len(drawn), PER_MOVE))
    first, *others = map(int.from_bytes, chunks)
    return Plan(pick_policy(Dice(first)), [number for number in others if number])


def walks(examples: int, moves: int, *, repeatable: bool) -> Callable[[Test], Callable[..., None]]:
    """Decorate a test of one walk so that it takes many."""
    # One draw of bytes, not a list of draws: of a list hypothesis tries many near copies. The
    # length is fixed, or it would prefer short walks; a walk shrinks by its zeros instead.
    size = (1 + moves) * PER_MOVE
    chosen = settings(
        max_examples=examples,
        derandomize=repeatable,
        database=None,
        deadline=None,
        print_blob=True,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: chosen(given(st.binary(min_size=size, max_size=size).map(plan_in))(test))


@walks(400, 150, repeatable=True)
def test_whatever_happens_the_core_keeps_its_promises(plan: Plan) -> None:
    plan.take()


@pytest.mark.stress
@walks(6000, 200, repeatable=False)
def test_the_core_keeps_its_promises_for_long(plan: Plan) -> None:
    plan.take()


# --- the gaps it found ---------------------------------------------------------------------


TOUCH = FilesTouched(Quiet.SAVE)
STILL = TimerFired(Timer.SETTLE)
BOUND = TimerFired(Timer.SETTLE_CAP)
NOTHING_CHANGED = FilesChanged(())


def last_commands(*facts: Fact) -> list[Command]:
    """Return what the last of these facts leads to."""
    state, commands = State(), list[Command]()
    for fact in facts:
        state, commands = step(state, fact)
    return commands


def test_a_touch_takes_back_a_stillness_that_had_to_wait_for_a_sift() -> None:
    commands = last_commands(TOUCH, STILL, TOUCH, STILL, TOUCH, NOTHING_CHANGED)
    assert Sift(last=False) not in commands, "an editor may still be writing"


def test_a_touch_after_the_bound_begins_to_settle_anew() -> None:
    commands = last_commands(TOUCH, BOUND, TOUCH, NOTHING_CHANGED)
    assert Sift(last=False) not in commands, "an editor may still be writing"


def test_an_app_that_ended_by_itself_is_not_said_to_go_on() -> None:
    served = BuildRequested(), BuildExited(1, 0)
    commands = last_commands(*served, BuildRequested(), AppEnded(1), BuildExited(2, 1))
    assert KeepApp(1, "build failed") not in commands


def test_an_edit_taken_back_after_a_build_has_read_it_is_built_again() -> None:
    world = World(Policy())
    world.tell(BuildRequested())
    world.edit("main.go", 1)
    world.read_tree()
    world.edit("main.go", 0)
    world.come_to_rest(works=True, stubborn=False)
    assert world.last.content == world.tree.disk
