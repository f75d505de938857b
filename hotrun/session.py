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
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotrun import __version__, core, facts, notices
from hotrun.feed import Feed
from hotrun.process.reaper import Reaper
from hotrun.process.scratch import Scratch
from hotrun.project.plan import is_made
from hotrun.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from hotrun.config import Config
    from hotrun.notices import Notice, Subscriber
    from hotrun.process.guardian import Guardian
    from hotrun.watch import Watcher
    from hotrun.watch.sieve.sieve import Sieve

# debounce = "auto", in seconds. An editor's own steps of one save are under 1 ms apart; in a
# git checkout the largest gap was 5 ms (measured); an editor that truncates and writes later
# does so within 120 ms.
QUIET = {facts.Quiet.SAVE: 0.015, facts.Quiet.BURST: 0.060, facts.Quiet.HOLD: 0.150}
BACK_OFF = (0.5, 30.0)  # seconds: the first pause, doubled up to the last
STEADY = 10.0  # seconds an app has to live for its crashes to be forgiven
SAME_REQUEST = 0.002  # seconds in which several signals are one request
SIGNALS = {
    signal.SIGINT: (130, "interrupted"),
    signal.SIGTERM: (143, "terminated"),
    signal.SIGHUP: (129, "hung up"),
}


@dataclass(frozen=True, slots=True)
class Options:
    """How a session runs, apart from the config.

    Attributes:
        cookie: ``NAME=value`` that every app carries in its environment.
        guardian: The process that ends what is left when we are killed.
        outputs: What the build makes, absolute: compared to tell whether the app changed.
        program: The app's own program, if it is a file of the project.
        warnings: Message and hint of what is odd in the config, told at the start.
        once: Build, run the app, end with its code; nothing is watched.
        trace: Tell every fact and command.
        captures: The app's output becomes notices instead of going to our own streams.
        colour: Children whose output we show may use colours.
        behind: Tells that a reader of our output has fallen behind.
    """

    cookie: str
    guardian: Guardian | None = None
    outputs: tuple[str, ...] = ()
    program: str | None = None
    warnings: tuple[tuple[str, str], ...] = ()
    once: bool = False
    trace: bool = False
    captures: bool = False
    colour: bool = False
    behind: Callable[[], bool] = lambda: False


class Session:
    """Runs a config until something ends it.

    Args:
        config: What to watch, build and run.
        watch: The watcher and its sieve; None with ``once``.
        subscribers: Callables that hear every notice.
        options: How to run.
    """

    loop: asyncio.AbstractEventLoop
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
        self.scratch = Scratch(options.guardian)
        self._options = options
        self._subscribers = list(subscribers)
        name = os.path.basename(config.directory) or "app"
        self._service = Service(self, name, options.outputs, once=options.once)
        self._inbox: deque[tuple[str, facts.Fact]] = deque()
        self._draining = False
        self._timers: dict[facts.Timer, asyncio.TimerHandle] = {}
        self._reason = ""
        self._signals: list[signal.Signals] = []  # not yet acted on
        self._feed = Feed(self, name, *watch) if watch is not None else None

    def run(self) -> int:
        """Run until the end and return the exit code."""
        with asyncio.Runner() as runner:
            return runner.run(self._main())

    async def _main(self) -> int:
        self.loop = asyncio.get_running_loop()
        self.loop.set_exception_handler(self._fail)
        self.reaper = Reaper(self.loop, self._options.guardian)
        self._done: asyncio.Future[int] = self.loop.create_future()
        for number in SIGNALS:
            self.loop.add_signal_handler(number, self._signalled, number)
        self.tell(
            notices.SessionStarted(
                __version__, os.getpid(), self.config.file, self.config.directory
            )
        )
        for message, hint in self._options.warnings:
            self.tell(notices.Problem(message, hint, severity="warning"))
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
        if self._feed is not None:
            self._feed.close()
        self.reaper.close()
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
                self._clear(timer)
                seconds = self._seconds(timer, detail)
                self._timers[timer] = self.loop.call_later(seconds, self._fire, timer)
            case facts.ClearTimer(timer):
                self._clear(timer)
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

    # --- time and signals ---

    def _seconds(self, timer: facts.Timer, detail: facts.Quiet | int) -> float:
        watch, build, run = self.config.watch, self.config.build, self.config.run
        match timer, detail:
            case facts.Timer.SETTLE, facts.Quiet():
                return settle_time(watch.debounce, detail)
            case facts.Timer.RESTART, int(crashes):
                return float(min(BACK_OFF[0] * 2 ** (crashes - 1), BACK_OFF[1]))
            case _:
                return {
                    facts.Timer.SETTLE_CAP: watch.max_wait,
                    facts.Timer.BUILD_TIMEOUT: build.timeout if build is not None else 0.0,
                    facts.Timer.STOP_TIMEOUT: run.stop_timeout if run is not None else 0.0,
                }.get(timer, STEADY)

    def _fire(self, timer: facts.Timer) -> None:
        del self._timers[timer]
        self.post(self._service.name, facts.TimerFired(timer))

    def _clear(self, timer: facts.Timer) -> None:
        handle = self._timers.pop(timer, None)
        if handle is not None:
            handle.cancel()

    def _signalled(self, number: signal.Signals) -> None:
        # timeout(1) and others send a signal to us and to our group: that is one request. Who
        # answers to what we did comes after it.
        if not self._signals:
            self.loop.call_later(SAME_REQUEST, self._quit_by_signal)
        self._signals.append(number)

    def _quit_by_signal(self) -> None:
        first, self._signals = self._signals[0], []
        self.quit(*SIGNALS[first])

    def quit(self, code: int, reason: str) -> None:
        """End the session; called again, it kills what is left."""
        self._reason = self._reason or reason
        self.loop.call_soon(self.post, self._service.name, facts.QuitRequested(code))


def settle_time(debounce: float | None, quiet: facts.Quiet) -> float:
    """Return the seconds of quiet that are waited for; a ``debounce`` of None is "auto".

    A debounce that the user set leaves an unfinished write its time all the same.
    """
    if debounce is None:
        return QUIET[quiet]
    return max(debounce, QUIET[quiet]) if quiet is facts.Quiet.HOLD else debounce
