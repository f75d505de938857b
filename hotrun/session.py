"""The session: the one event loop.

Everything that happens (events, exits, alarms, signals) becomes a fact in one inbox; the core
answers each with commands; ``do`` carries them out and ``tell`` says so. Handlers and threads
do nothing but post. The watcher has the only thread.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from hotrun import __version__, core, facts, notices
from hotrun.alarms import Alarms, seconds_of
from hotrun.errors import ConfigError
from hotrun.feeds import Feeds
from hotrun.inputs import Inputs
from hotrun.loops import Loops
from hotrun.process import environment
from hotrun.process.reaper import Reaper
from hotrun.process.scratch import Scratch
from hotrun.project.plan import is_made
from hotrun.reload import another_file, difference, problems_of, read_again, sorted_again, watched
from hotrun.seat import Seat
from hotrun.service import Service, policy_of
from hotrun.signals import Signals

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from hotrun.config import Config
    from hotrun.feed import Feed
    from hotrun.notices import Notice, Subscriber
    from hotrun.options import Options
    from hotrun.project.plan import Plan
    from hotrun.reload import Difference
    from hotrun.watch import Watcher
    from hotrun.watch.sieve.sieve import Sieve


CHORE = 2.0  # seconds from the start: the first build has the machine for itself


class Session:
    """Runs a config until something ends it.

    Args:
        config: What to watch, build and run.
        watch: The watcher and its sieve; None with ``once``.
        subscribers: Callables that hear every notice.
        options: How to run.
    """

    loop: asyncio.AbstractEventLoop
    alarms: Alarms
    reaper: Reaper

    def __init__(
        self,
        config: Config,
        watch: tuple[Watcher, Sieve] | None,
        subscribers: Collection[Subscriber],
        options: Options,
    ) -> None:
        self.config = config
        self.cookie = options.cookie
        self.environ: Mapping[str, str] = environment.inherited()
        self.colour = options.colour
        self.captures = options.captures
        self.sockets = options.sockets
        self.terminal = options.terminal
        self.guardian = options.guardian
        self.scratch = Scratch(options.guardian, options.file)
        self._seat = Seat(options.terminal, self._lends, shows=options.shows)
        self._options = options
        self._subscribers = list(subscribers)
        name = os.path.basename(config.directory) or "app"
        self._service = Service(self, name, options.outputs, once=options.once)
        self._inbox: deque[tuple[str, facts.Fact]] = deque()
        self._draining = False
        self._reason = ""
        self.inputs = Inputs(self, config.build, watches=watch is not None)
        self.loops = Loops(self)
        self._feeds = Feeds(self, name, watch) if watch is not None else None
        self._begun = False
        self._watched = options.watched
        self._refused = False  # what the config file last held was not as it must be
        self._roots: tuple[str, ...] = ()  # of another config than the first
        self._restarts = False  # the configs that come with the next feed ask for it

    def run(self) -> int:
        """Run until the end and return the exit code."""
        with asyncio.Runner() as runner:
            return runner.run(self._main())

    async def _main(self) -> int:
        self.loop = asyncio.get_running_loop()
        self.loop.set_exception_handler(self._fail)
        self.reaper = Reaper(self.loop, self._options.guardian, self._options.file)
        self._done: asyncio.Future[int] = self.loop.create_future()
        self.alarms = Alarms(self.loop, self._alarmed)
        self._signals = Signals(self)
        self._keys = self._options.keys(self) if self._options.keys is not None else None
        self.tell(
            notices.SessionStarted(
                __version__, os.getpid(), self.config.file, self.config.directory
            )
        )
        self._warn(self._options.warnings)
        if self._keys is not None:
            self._keys.start()
        if self._feeds is not None:
            self._feeds.start()
        else:
            self.loop.call_soon(self.begin)
        if (chore := self._options.chore) is not None:
            self.alarms.later(CHORE, chore)
        try:
            code = await self._done
        finally:
            self._close()
        self.tell(notices.SessionEnded(code, self._reason or "finished"))
        return code

    def _close(self) -> None:
        if self._keys is not None:
            self._keys.stop()
        if self._feeds is not None:
            self._feeds.close()
        self.inputs.close()
        self.reaper.close(self.cookie)
        self._signals.close()
        self.scratch.remove()

    def _fail(self, _: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """A bug: kill what runs, and let its traceback be seen."""
        error = context.get("exception")
        self._service.kill_all()
        if not self._done.done():
            bug = error if isinstance(error, Exception) else RuntimeError(context.get("message"))
            self._done.set_exception(bug)

    def is_made(self, path: str) -> bool:
        """Whether a changed file is what the build makes, although nobody named it."""
        return path == self._options.program and is_made(path)

    def behind(self) -> bool:
        """Whether a reader of the notices has fallen behind."""
        return self._options.behind()

    @property
    def building(self) -> bool:
        """Whether a build is running."""
        return self._service.state.build is not None

    @property
    def hurries(self) -> bool:
        """Whether the first build is still to come, and need not wait for the listing's end."""
        # Who reads JSON lines may rely on "watching" before "build_started".
        return not self._begun and not self._options.captures

    def begin(self) -> None:
        """Ask for the first build; what was only for the start is over."""
        self._begun = True
        if not self._done.done():
            self.post(self._service.name, facts.BuildRequested())
        gc.freeze()
        gc.enable()

    def listed(self, feed: Feed) -> None:
        """A feed watches its trees, and has listed them or is about it: now it is the one."""
        if not self._begun:
            self.begin()
        elif self._feeds is not None and self._feeds.settle(feed):
            # What changed while one listed, and the other was still the one that counts.
            restarts, self._restarts = self._restarts, False
            self._post_config(build=True, restart=restarts)

    # --- another config ---

    def reload(self) -> None:
        """Read the config again: its file changed. The old one stays if it is not as it must be."""
        if self._options.reload is None:
            return
        reserved = self.sockets.reserved if self.sockets is not None else 0
        try:
            config, planned = read_again(self._options.reload, self.config, reserved)
        except ConfigError as error:
            self._refused = True
            self._tell_all(problems_of(error))
            return
        refused, self._refused = self._refused, False
        found = difference(self.config, config)
        if (moved := another_file(self.config, config)) is not None:
            self.tell(moved)
        if found.keys or moved is not None:
            self._adopt(config, planned, found)
        elif refused:
            self.tell(notices.ConfigChanged(config.file or "", []))

    def _warn(self, warnings: Iterable[tuple[str, str]]) -> None:
        self._tell_all(notices.Problem(*each, severity="warning") for each in warnings)

    def _tell_all(self, problems: Iterable[notices.Problem]) -> None:
        for problem in problems:
            self.tell(problem)

    def _adopt(self, config: Config, planned: Plan, found: Difference) -> None:
        self.loops.flush()  # what is put off is meant by the old rules
        self.config = config
        self._options = replace(self._options, outputs=planned.outputs, program=planned.program)
        if found.keys:
            self.tell(notices.ConfigChanged(config.file or "", list(found.keys)))
        self._warn(planned.warnings)
        self._options.adopt(config, planned)
        self._service.adopt(planned.outputs)
        self.loops.adopt()
        if found.builds:
            self.inputs.close()
            self.inputs = Inputs(self, config.build)
        self._roots = planned.roots
        before, self._watched = self._watched, watched(config, planned)
        if self._feeds is None:
            return
        self._feeds.adopt()
        if self._options.watch is not None and before != self._watched:
            # What it asks for waits until that is listed, with what an edit before it asked for.
            self._restarts = self._restarts or found.restarts
            self._feeds.replace(self._options.watch(config, planned))
        else:
            self._post_config(build=found.builds, restart=found.restarts)

    def _post_config(self, *, build: bool, restart: bool) -> None:
        policy = policy_of(self.config, once=self._options.once)
        waiting = sorted_again(self._service.state, self.config, self._roots)
        build = build or bool(waiting.built)
        fact = facts.ConfigChanged(policy, build, restart, tuple(waiting.steps))
        self.post(self._service.name, fact)

    # --- the inbox ---

    def post(self, service: str, fact: facts.Fact) -> None:
        """Put a fact into the inbox, and work it off unless that is being done already."""
        self._inbox.append((service, fact))
        if self._draining:
            return
        self._draining = True
        try:
            while self._inbox:
                self._take(*self._inbox.popleft())
        finally:
            self._draining = False

    def _take(self, name: str, fact: facts.Fact) -> None:
        service = self._service
        self._trace(name, ">", fact)
        service.state, commands = core.step(service.state, fact)
        for command in commands:
            self._trace(name, "<", command)
            self._do(service, command)
        service.look_at_inputs()

    def _do(self, service: Service, command: facts.Command) -> None:
        match command:
            case facts.Sift(last):
                if self._feeds is not None:
                    self._feeds.sift(last=last)
            case facts.SetTimer(timer, detail):
                self._set(service, timer, detail)
            case facts.ClearTimer(timer):
                self.alarms.clear(timer)
            case facts.Exit(code):
                if not self._done.done():
                    self._done.set_result(code)
            case _:
                service.do(command)

    def _trace(self, name: str, kind: str, what: facts.Fact | facts.Command) -> None:
        if self._options.trace:
            self.tell(notices.Trace(name, kind, repr(what)))

    def tell(self, notice: Notice) -> None:
        """Tell every subscriber; one whose reader went away ends the session."""
        for subscriber in tuple(self._subscribers):
            try:
                subscriber(notice)
            except OSError:
                self._subscribers.remove(subscriber)
                self.quit(141, "nobody reads the output any more")

    # --- time ---

    def _set(self, service: Service, timer: facts.Timer, detail: facts.Quiet | int) -> None:
        seconds = seconds_of(self.config, timer, detail)
        if timer is facts.Timer.RESTART and isinstance(detail, int):
            self.tell(notices.AppBacksOff(service.name, detail, round(seconds * 1000)))
        if seconds:
            self.alarms.set(timer, seconds)
        else:  # debounce = "0ms": a turn of the loop would be all that it waits for
            self.alarms.clear(timer)
            self._alarmed(timer)

    def _alarmed(self, timer: facts.Timer) -> None:
        self.post(self._service.name, facts.TimerFired(timer))

    # --- what people ask for ---

    def quit(self, code: int, reason: str) -> None:
        """End the session; called again, it kills what is left."""
        self._reason = self._reason or reason
        self.loop.call_soon(self.post, self._service.name, facts.QuitRequested(code))

    def act(self, action: str) -> None:
        """Do what a key asks for: "rebuild", "restart", "pause", "help" or "quit"."""
        service = self._service
        paused = service.state.paused
        if action == "pause" or (action in ("rebuild", "restart") and paused):
            self.tell(notices.Paused(service.name, not paused))
        match action:
            case "rebuild":
                self.loops.flush()
                if self._feeds is not None:
                    self._feeds.relist()
                self.post(service.name, facts.BuildRequested())
            case "restart":
                self.post(service.name, facts.RestartRequested())
            case "pause":
                self.post(service.name, facts.PauseToggled())
            case "help":
                service.tell_status()
            case _:
                self.quit(0, "asked to quit")

    def pass_on(self, number: int) -> None:
        """Send the app a signal that came to us."""
        self._service.send(number)

    @property
    def suspended(self) -> bool:
        """We are being stopped, and our children with us (Ctrl-Z)."""
        return self._seat.suspended

    def suspend(self) -> None:
        """Stop with all children, until somebody lets us go on (Ctrl-Z, then ``fg``)."""
        self._seat.suspend(self._service, self.alarms)

    def resumed(self) -> None:
        """We go on after a stop: with ``fg`` in the foreground, with ``bg`` not."""
        if self.terminal is not None:
            self.terminal.resume()
        if self._keys is not None:
            self._keys.start()

    def mend_terminal(self, *, screen: bool) -> None:
        """Undo what a child did to the terminal."""
        self._seat.mend(screen=screen)

    def _lends(self) -> bool:
        """Whether the terminal is the app's."""
        return self.config.run is not None and self.config.run.stdin == "terminal"
