"""The simulated world of the core's random walks.

It plays all that the core cannot see: files, the sieve, builds, apps, alarms and a user. After
each fact the commands are held against the books; at rest the disk is held against what was
built and what is served.
"""

from __future__ import annotations

from dataclasses import replace

from core_books import Books, LiveApp, LiveBuild
from core_tree import BUILT, ENV, MAKES, RULES, SIGNALS, Tree, beginning, sorted_out, steps_for

from hotrun.core import State, step
from hotrun.facts import (
    AppEnded,
    AppExited,
    BuildExited,
    ClearTimer,
    Command,
    ConfigChanged,
    Dump,
    Exit,
    Fact,
    FilesChanged,
    FilesHeld,
    FilesTouched,
    KeepApp,
    Kill,
    PauseToggled,
    Policy,
    Quiet,
    Send,
    SetTimer,
    Sift,
    StartApp,
    StartBuild,
    StartStep,
    Stop,
    Timer,
    TimerFired,
)

SIGKILLED = -9
FAIR = 300  # a world that is driven fairly comes to rest in far fewer moves


class World:
    """Tells the core what happens, does what it commands, and looks whether it was right.

    Args:
        policy: What the user chose.
    """

    def __init__(self, policy: Policy) -> None:
        self.state = State(policy=policy)
        self.story: list[tuple[Fact, list[Command]]] = []
        self.tree = Tree()
        self.books = Books(policy, self.tree)
        self.config = 0  # how often the rules have changed

    # Facts.

    def tell(self, fact: Fact) -> None:
        """Hand one fact to the core, do what it commands, check everything."""
        before = replace(self.state, armed=dict(self.state.armed))
        over, late = self.books.code is not None, self.books.is_late(fact)
        self.books.hear(fact)
        state, commands = step(self.state, fact)
        self.story.append((fact, commands))
        assert self.state == before, "the state that was handed in has changed"
        assert not (over and commands), "a command after Exit"
        assert not late or (state == before and not commands), "a late answer did something"
        self.state = state
        for command in commands:
            assert self.books.code is None, "Exit is not the last command"
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
        # Without a watcher, which is once, no rule ever speaks.
        changed = self.tree.finish(early=early)
        self.tell(sorted_out(changed, self.config, rules=not self.books.policy.once))

    def configure(self, policy: Policy, *, build: bool, restart: bool, rules: bool) -> None:
        """Read another config; ``rules``: they are other ones too."""
        self.config += rules
        build = build or policy.builds != self.books.policy.builds
        restart = restart or policy.runs != self.books.policy.runs
        waiting = sorted({each.path for each in self.books.waiting | self.books.running})
        self.tell(ConfigChanged(policy, build, restart, steps_for(waiting, self.config)))

    def fire(self, timer: Timer) -> None:
        assert timer in self.books.timers, "only an alarm that is set can go off"
        self.tell(TimerFired(timer))

    def touch(self, path: str, content: int, quiet: Quiet) -> None:
        self.edit(path, content)
        self.watch(quiet)

    def save(self, path: str, content: int) -> None:
        """One plain save, from the edit to the answer, or to a sift that is still under way."""
        busy = self.tree.sift is not None
        self.touch(path, content, Quiet.SAVE)
        if Timer.SETTLE in self.books.timers:
            self.fire(Timer.SETTLE)
        if self.tree.sift is not None and not busy:
            self.answer()

    def read_tree(self) -> None:
        """The running build reads its input; the command of a rule writes its output too."""
        build = self.books.build
        if build is None or build.reading is not None:
            return
        build.reading = self.tree.read()
        build.made_from = self.tree.make({each.path for each in build.steps})

    def end_build(self, code: int) -> None:
        self.read_tree()
        build, books = self.books.build, self.books
        if build is not None and build.reading is not None:
            was = books.served.artifact if books.served is not None else None
            same = not build.steps and books.served_built and was == build.reading.artifact
            self.tell(BuildExited(build.run, code, same))

    def end_app(self, code: int) -> None:
        if self.books.app is not None:
            self.tell(AppExited(self.books.app.run, code))

    def leave_behind(self) -> None:
        """The app's first process ends, and others that it started live on."""
        if self.books.app is not None:
            self.tell(AppEnded(self.books.app.run))

    def come_to_rest(self, *, works: bool, stubborn: bool) -> None:
        """Drive the world fairly until nothing is pending, then look at the whole.

        Args:
            works: What the compiler says to the tree as it is.
            stubborn: The app ignores the stop signal.
        """
        if self.books.paused:
            self.tell(PauseToggled())
        moves = 0
        while self._advance(works=works, stubborn=stubborn):
            moves += 1
            assert moves < FAIR, "the world does not come to rest"
        self._check_rest()

    def _advance(self, *, works: bool, stubborn: bool) -> bool:
        build, app = self.books.build, self.books.app
        if self.tree.events:
            self.watch(Quiet.BURST)
        elif self.tree.sift is not None:
            self.answer()
        elif build is not None:
            self.end_build(SIGKILLED if build.killed else int(not works))
        elif app is not None and app.stopping and (app.killed or not stubborn):
            self.end_app(0)
        elif self.books.timers:
            self.fire(next(iter(self.books.timers)))
        else:
            return False
        return True

    # The commands: each is held against the books when it is done.

    def _do(self, command: Command) -> None:  # noqa: C901 - one case a command
        match command:
            case Sift(last):
                self._sift(last=last)
            case StartBuild():
                self._start_build(command)
            case StartStep():
                self._start_step(command)
            case StartApp(run):
                self._start_app(run)
            case KeepApp(run, reason):
                self._keep(run, reason)
            case Stop(run):
                self._stop(run)
            case Send(run, number):
                self._send(run, number)
            case Dump(run):
                self._dump(run)
            case Kill(run, reason):
                self._kill(run, reason)
            case SetTimer(timer, detail):
                self._set_timer(timer, detail)
            case ClearTimer(timer):
                assert timer in self.books.timers, "an alarm is cleared that is not set"
                del self.books.timers[timer]
            case Exit(code):
                self._exit(code)

    def _sift(self, *, last: bool) -> None:
        books = self.books
        assert self.tree.sift is None, "two sifts at once"
        assert books.ending is None, "a sift while the session ends"
        assert books.settled, "a sift before the tree settled"
        assert not books.restless, "a sift while an editor may still be writing"
        assert last == books.capped, "the last sift is the one after the bound"
        books.settled = False
        if books.unseen:  # what a step wrote is there, whether or not it was heard of
            books.looking = True
            self.tree.read_events()
        self.tree.begin(last=last)

    def _begin(self, run: int) -> None:
        """What a build and a step have in common."""
        books = self.books
        assert books.build is None, "two of build and step"
        assert books.ending is None, "a build while the session ends"
        assert not books.paused, "a build in a pause"
        assert not books.unseen, "a build before the tree was looked at after a step"
        assert run > books.newest, "a run number did not grow"
        assert not books.waits_for_lull, "a build begins that will be overtaken again"
        assert not books.start_comes_first, "a good build is overwritten before it was started"
        books.newest, books.pressed = run, False

    def _start_build(self, command: StartBuild) -> None:
        books = self.books
        self._begin(command.run)
        assert books.policy.builds, "there is nothing to build"
        assert books.wanted, "a build without a cause"
        assert not books.waiting, "a build before the commands of rules"
        assert command.paths == books.owed, "a build forgets or invents a path"
        books.wanted, books.held, books.promised = False, False, False
        books.owed = frozenset()
        books.build = LiveBuild(command.run, command.paths)

    def _start_step(self, command: StartStep) -> None:
        books = self.books
        self._begin(command.run)
        assert books.called, "a step without a cause"
        assert command.steps, "a step for nothing"
        first = min(each.rule for each in books.waiting)
        its = frozenset(each for each in books.waiting if each.rule == first)
        assert command.steps == its, "a step forgets or invents a path, or is not next"
        assert {each.command for each in its} == {f"make {self.config}"}, "a rule that is gone"
        books.waiting -= its
        books.called = bool(books.waiting)
        books.build = LiveBuild(command.run, frozenset(), its)

    def _start_app(self, run: int) -> None:
        books = self.books
        assert books.policy.runs, "there is no app to start"
        assert books.app is None, "two apps"
        assert books.build is None, "an app starts while a build may write its file"
        assert books.ending is None, "an app starts while the session ends"
        assert books.app_owed, "an app starts without a cause"
        assert not books.down, "an app starts although the build is broken"
        assert not books.torn, "an app starts from what a killed build left half written"
        assert run > books.served_run, "a run number did not grow"
        assert run >= books.good_run, "an app carries an older number than its build"
        assert books.good is not None, "there is nothing good to start"
        books.newest, books.served_run = max(books.newest, run), run
        books.app_owed = books.stale = books.backing_off = books.waits = False
        books.signals = set()
        books.served_built = books.good_built
        books.served = books.good if books.good_built else self.tree.read()
        books.app = LiveApp(run, books.served, dict(self.tree.disk))

    def _keep(self, run: int, reason: str) -> None:
        assert self.books.app is not None, "an app is kept that is not alive"
        assert self.books.app.run == run, "another app is kept than the one alive"
        self.books.said.append(reason)

    def _stop(self, run: int) -> None:
        books = self.books
        assert books.app is not None, "an app is stopped that is not alive"
        assert books.app.run == run, "another app is stopped than the one alive"
        assert not books.app.stopping, "an app is stopped twice"
        forced = books.down or books.app.ended or books.ending is not None
        assert not books.paused or forced, "an app is replaced in a pause"
        assert forced or books.app_owed, "a stop without a cause"
        books.app.stopping = True
        if books.ending is None and books.down and not books.app.ended:
            books.stale = True  # it comes back by itself

    def _send(self, run: int, number: int) -> None:
        books, app = self.books, self.books.app
        assert app is not None, "a signal for what is not alive"
        assert app.run == run, "a signal for another app"
        assert not app.stopping, "a signal for an app that stops"
        assert not app.fresh, "a signal for an app that has no handler yet"
        assert books.ending is None, "a signal while the session ends"
        assert not books.paused, "a signal in a pause"
        assert number in books.signals, "a signal without a cause, or twice"
        books.signals.remove(number)
        app.knows.update(
            {path: self.tree.disk[path] for path, its in SIGNALS.items() if its == number}
        )

    def _dump(self, run: int) -> None:
        app = self.books.app
        assert self.books.policy.dumps, "nobody asked for stacks"
        assert app is not None, "the stacks of what is not alive"
        assert app.run == run, "the stacks of another app"
        assert app.expired, "an app is asked for its stacks that may still stop"
        assert not app.dumped, "an app is asked for its stacks twice"
        assert not app.killed, "the stacks of what was killed"
        app.dumped = True

    def _kill(self, run: int, reason: str) -> None:
        build, app = self.books.build, self.books.app
        if build is not None and build.run == run:
            assert app is None or app.run != run, "it is not clear what is killed"
            self._kill_build(build, reason)
        else:
            assert app is not None, "what is not alive is killed"
            assert app.run == run, "what is not alive is killed"
            self._kill_app(app, reason)

    def _kill_build(self, build: LiveBuild, reason: str) -> None:
        assert not build.killed, "a build is killed twice"
        causes = {
            "superseded": self.books.may_supersede,
            "timeout": build.expired,
            "quit": self.books.ending is not None,
        }
        assert causes[reason], f"no cause to kill the build: {reason}"
        build.killed = reason

    def _kill_app(self, app: LiveApp, reason: str) -> None:
        assert not app.killed, "an app is killed twice"
        assert app.stopping, "an app is killed that was never asked to stop"
        told = app.given_up or not self.books.policy.dumps
        causes = {"stop_timeout": app.expired and told, "asked twice": self.books.hurried}
        assert causes[reason], f"no cause to kill the app: {reason}"
        app.killed = reason

    def _set_timer(self, timer: Timer, detail: Quiet | int) -> None:
        timers = self.books.timers
        if timer is Timer.SETTLE_CAP and not isinstance(self.story[-1][0], FilesChanged):
            assert timer not in timers, "the bound counts from the first touch"
        if timer is Timer.SETTLE_CAP:
            assert detail == self.books.lasting, "the bound does not fit the burst"
        if timer is Timer.RESTART:
            assert detail == self.books.crashes, "the back-off does not fit the crashes"
        timers[timer] = detail

    def _exit(self, code: int) -> None:
        books = self.books
        assert books.build is None, "a build outlives the session"
        assert books.app is None, "an app outlives the session"
        assert not books.timers, "an alarm outlives the session"
        assert code == books.ending, "the wrong exit code"
        books.code = code

    # After each fact: what should have been done, was done.

    def _check(self, fact: Fact, commands: list[Command]) -> None:
        self._check_alarms(fact, commands)
        self._check_kept(commands)
        self._check_ladder()
        if self.books.ending is not None:
            self._check_ending()
            return
        self._check_prompt()
        self._check_signals()
        self._check_nothing_forgotten()

    def _check_alarms(self, fact: Fact, commands: list[Command]) -> None:
        books = self.books
        expected = {timer for timer, reason in self._reasons().items() if reason}
        assert set(books.timers) == expected, "an alarm without a reason, or none for one"
        assert set(self.state.armed) == expected, "the core lost count of the alarms"
        anew = {command.timer for command in commands if isinstance(command, SetTimer)}
        if isinstance(fact, FilesTouched) and books.restless and books.ending is None:
            assert Timer.SETTLE in anew, "stillness counts from the last touch"
            shaken = books.overtaken and not books.unseen and fact.quiet is not Quiet.HOLD
            assert books.timers[Timer.SETTLE] is (Quiet.LULL if shaken else fact.quiet)
        if any(isinstance(command, StartBuild | StartStep) for command in commands):
            assert Timer.BUILD_TIMEOUT in anew, "a build inherits the alarm of another"

    def _reasons(self) -> dict[Timer, bool]:
        books, app, build = self.books, self.books.app, self.books.build
        going = books.ending is None
        unanswered = books.restless or books.settled or self.tree.sift is not None
        stopping = app is not None and app.stopping
        return {
            Timer.SETTLE: going and books.restless,
            Timer.SETTLE_CAP: going and unanswered and not books.capped,
            Timer.RESTART: going and books.backing_off,
            Timer.STEADY: going and books.crashes > 0 and app is not None and not stopping,
            Timer.BUILD_TIMEOUT: build is not None and not build.expired,
            Timer.STOP_TIMEOUT: app is not None and stopping and not app.expired,
            Timer.DUMP: app is not None and self._writes_stacks(app),
        }

    @staticmethod
    def _writes_stacks(app: LiveApp) -> bool:
        return app.dumped and not app.given_up and not app.killed

    def _check_kept(self, commands: list[Command]) -> None:
        told = self.books.said
        assert told == self.books.to_say, "an app that goes on after a build is told of once"
        if told:
            assert not any(isinstance(command, Stop) for command in commands), "a kept app stops"

    def _check_ladder(self) -> None:
        build, app = self.books.build, self.books.app
        if build is not None and build.expired:
            assert build.killed, "a build outlives its time"
        if app is not None and app.expired and app.stopping:
            left = app.killed or self._writes_stacks(app)
            assert left, "an app outlives the time it had to stop"

    def _check_prompt(self) -> None:
        books, build, app = self.books, self.books.build, self.books.app
        assert self.tree.sift is not None or not books.settled, "a settled tree is not sifted"
        if build is not None and not build.killed:
            assert not books.may_supersede, "a build goes on that is out of date"
        waits = books.paused or books.unseen or books.waits_for_lull or books.start_comes_first
        if build is None and not waits:
            assert not books.called, "a step does not start"
            assert not (books.wanted and books.policy.builds), "a build does not start"
        if app is not None and not app.stopping:
            assert not books.down, "an app goes on that is to be down"
            assert not app.ended, "what an app left behind goes on"

    def _check_signals(self) -> None:
        books, app = self.books, self.books.app
        if books.paused:
            return
        if app is not None and not app.stopping:
            assert not books.signals, "a signal is owed and did not come"
        books.signals = set()

    def _check_ending(self) -> None:
        books, build, app = self.books, self.books.build, self.books.app
        alive = build is not None or app is not None
        assert alive == (books.code is None), "the session ends when nothing is alive"
        if build is not None:
            assert build.killed, "a build goes on while the session ends"
        if app is not None:
            assert app.stopping, "an app goes on while the session ends"
            assert app.killed or not books.hurried, "asked twice, and the app still lives"

    def _check_nothing_forgotten(self) -> None:
        books, build, coming = self.books, self.books.build, self.tree.coming()
        assert self.state.dirty == books.owed, "a change is forgotten or invented"
        steps = books.waiting | books.running
        unmade = self.tree.differs(books.made, RULES)
        if not books.policy.once:
            assert unmade <= coming | {each.path for each in steps}, "a rule has not run"
        if books.policy.builds:
            content = books.good.content if books.good is not None else beginning()
            accounted = coming | books.owed | (build.paths if build is not None else set())
            assert self.tree.differs(content, BUILT) <= accounted, "a change is forgotten"

    # At rest.

    def _check_rest(self) -> None:
        books = self.books
        assert not books.timers, "an alarm is left although nothing happens"
        if books.ending is not None:
            assert books.code is not None, "the session never ends"
            return
        assert not books.wanted, "a build is owed and never came"
        assert not books.called, "a step is owed and never came"
        assert not books.unseen, "the tree was not looked at after a step"
        if books.waiting:
            self._check_stuck()
        else:
            self._check_built()
        if not books.policy.runs:
            assert books.app is None, "there is to be no app"
        elif not books.down and not books.torn:  # torn: nothing to start from
            self._check_served()

    def _check_stuck(self) -> None:
        books = self.books
        assert books.stuck, "no step has failed, and yet some never ran"
        first = min(each.rule for each in books.waiting)
        paths = {each.path for each in books.waiting if each.rule == first}
        assert not self.tree.differs(books.tried, paths), "a step never ran for the last edit"

    def _check_built(self) -> None:
        books, disk = self.books, self.tree.disk
        assert not books.held, "a build that waited for a step was forgotten"
        if not books.policy.once:
            old = {made for source, made in MAKES.items() if disk[source] != disk[made]}
            assert not old, "what the command of a rule makes is out of date"
        if books.policy.builds:
            assert not books.promised, "a config asked for a build that never came"
            unseen = self.tree.differs(books.last.content, BUILT)
            assert not unseen, "an edit never ended in a build let finish"
            assert books.failed or not books.owed, "a good build has left paths behind"

    def _check_served(self) -> None:
        books, app = self.books, self.books.app
        assert not books.app_owed, "a start of the app is owed and never came"
        assert not books.stale, "a restart of the app is owed and never came"
        if app is None:
            assert books.good is None or books.waits, "the app is not running"
            return
        told = (ENV,) if books.policy.once else (ENV, *SIGNALS)
        assert not self.tree.differs(app.knows, told), "the app was not told of a file"
        if books.good_built:
            assert books.good is not None
            newest = books.good.artifact
            assert app.reading.artifact == newest, "the app is not the newest good build"
        elif not books.waiting and not books.policy.builds:
            unseen = self.tree.differs(app.reading.content, BUILT)
            assert not unseen, "the app has not seen the last edit"
