"""The session: the one event loop.

Everything that happens (events, exits, alarms, signals) becomes a fact in one inbox; the core
answers each with commands; ``do`` carries them out and ``tell`` says so. Handlers and threads
do nothing but post. The watcher has the only thread.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections import deque
from typing import TYPE_CHECKING

from hotrun import __version__, core, facts, notices
from hotrun.alarms import Alarms, seconds_of
from hotrun.feed import Feed
from hotrun.process.reaper import Reaper
from hotrun.process.scratch import Scratch
from hotrun.project.plan import is_made
from hotrun.service import Service
from hotrun.signals import Signals

if TYPE_CHECKING:
    from collections.abc import Collection

    from hotrun.config import Config
    from hotrun.notices import Notice, Subscriber
    from hotrun.options import Options
    from hotrun.watch import Watcher
    from hotrun.watch.sieve.sieve import Sieve


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
        self.colour = options.colour
        self.captures = options.captures
        self.sockets = options.sockets
        self.terminal = options.terminal
        self.guardian = options.guardian
        self.scratch = Scratch(options.guardian)
        self.suspended = False
        self._options = options
        self._subscribers = list(subscribers)
        name = os.path.basename(config.directory) or "app"
        self._service = Service(self, name, options.outputs, once=options.once)
        self._inbox: deque[tuple[str, facts.Fact]] = deque()
        self._draining = False
        self._reason = ""
        self._feed = Feed(self, name, *watch) if watch is not None else None

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
        for message, hint in self._options.warnings:
            self.tell(notices.Problem(message, hint, severity="warning"))
        if self._keys is not None:
            self._keys.start()
        if self._feed is not None:
            self._feed.start()
        else:
            self.loop.call_soon(self.begin)
        try:
            code = await self._done
        finally:
            self._close()
        self.tell(notices.SessionEnded(code, self._reason or "finished"))
        return code

    def _close(self) -> None:
        if self._keys is not None:
            self._keys.stop()
        if self._feed is not None:
            self._feed.close()
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

    def begin(self) -> None:
        """Ask for the first build; what was only for the start is over."""
        if not self._done.done():
            self.post(self._service.name, facts.BuildRequested())
        gc.freeze()
        gc.enable()

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

    def _do(self, service: Service, command: facts.Command) -> None:
        match command:
            case facts.Sift(last):
                if self._feed is not None:
                    self._feed.sift(last=last)
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
        self.alarms.set(timer, seconds)

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
                if self._feed is not None:
                    self._feed.relist()
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

    def suspend(self) -> None:
        """Stop with all children, until somebody lets us go on (Ctrl-Z, then ``fg``)."""
        if self.suspended:
            return
        self.suspended = True
        self.alarms.halt()
        if self.terminal is not None:
            self.terminal.suspend(self._service.halt, self._service.go_on, group=self._lends)
        else:  # somebody's `kill -TSTP`
            self._service.halt()
            signal.raise_signal(signal.SIGSTOP)
            self._service.go_on()
        self.alarms.go_on()
        self.suspended = False

    def resumed(self) -> None:
        """We go on after a stop: with ``fg`` in the foreground, with ``bg`` not."""
        if self.terminal is not None:
            self.terminal.resume()
        if self._keys is not None:
            self._keys.start()

    def mend_terminal(self, *, screen: bool) -> None:
        """Undo what a child did to the terminal."""
        if self.terminal is None:
            return
        if self._lends:
            self.terminal.take()
        self.terminal.restore(screen=screen and self._options.shows)

    @property
    def _lends(self) -> bool:
        """Whether the terminal is the app's."""
        return self.config.run is not None and self.config.run.stdin == "terminal"
