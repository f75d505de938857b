"""One life of the app: the commands before it, itself, the commands after it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from hotrun import facts, notices
from hotrun.errors import HotrunError
from hotrun.host import Clock
from hotrun.jobs import exit_code, halted, signal_name
from hotrun.jobs.launch import Launch
from hotrun.jobs.serving import Serving
from hotrun.jobs.stacks import Stacks
from hotrun.jobs.taken import Taken
from hotrun.loops import APP
from hotrun.process import command as commands
from hotrun.process import tree
from hotrun.process.child import Child, Hooks
from hotrun.process.spawn import BusyError, SpawnError
from hotrun.streak import Writer

if TYPE_CHECKING:
    import asyncio

    from hotrun.alarms import Alarm
    from hotrun.config import Run
    from hotrun.host import Host
    from hotrun.process.artifact import Artifact
    from hotrun.process.spawn import Spawn

BUSY_PAUSE = 0.02  # seconds; a file that is still being written is soon closed (ETXTBSY)
BUSY_TRIES = 100
LEND_AGAIN = 1.0  # seconds between two looks whether we are in the foreground, where an app waits
LINGERS = 0.5  # seconds after which somebody who waits wants to know for what
NAMED = 60  # characters of a command before or after the app
LAST = 1.0  # seconds, or half of `stop_timeout`, before SIGKILL: the last moment for a stop signal


class AppJob:
    """One life of the app: the commands before it, itself, the commands after it.

    Args:
        host: The session.
        service: Whose app it is.
        run: The number of this life.
        app: The table [run].
        artifact: What the build makes; remembered as what runs.
        ports: Ports on which an app of this service was once seen to listen; added to.
    """

    def __init__(
        self, host: Host, service: str, run: int, app: Run, artifact: Artifact, ports: set[int]
    ) -> None:
        self._host = host
        self._service = service
        self._app = app
        self._artifact = artifact
        self._launch = Launch(host, service, app, self._hear)
        self._taken = Taken(host, ports)
        self._serving = Serving(host, service, run, app, self._taken)
        self._stacks = Stacks(host, service, run)
        self._child: Child | None = None
        self._command = commands.parse(app.command, app.args)
        self._before = [commands.parse(command) for command in app.before]
        self._after = [commands.parse(command) for command in app.after]
        self._clock = Clock.start()
        self._phase = "before"
        self._code = 0
        self._stopped = False
        self._alone = False  # it ended by itself, and left others behind
        self._tries = BUSY_TRIES
        self._waiting: asyncio.TimerHandle | None = None  # for the program file to be closed
        self._linger: Alarm | None = None
        self.run = run

    def hold(self) -> None:
        """Have its sockets listen before it is started."""
        self._launch.hold()

    # --- what the core asks for ---

    def start(self) -> None:
        """Start; the end of everything is posted as ``AppExited``."""
        self._next()

    def stop(self) -> None:
        """Send the stop signal, once."""
        number = self._app.stop_signal
        self._stopped = True
        self._before.clear()
        if self._child is not None:
            if self._phase == "app":
                self._host.loops.stops(APP)
            # First: the next app waits for its end. What it used is told in JSON lines alone.
            grace = self._app.stop_timeout
            patience = max(grace / 2, grace - LAST)
            self._child.stop(number, patience=patience, measures=self._host.captures)
            if self._app.stop_timeout > LINGERS:
                self._linger = self._host.alarms.later(LINGERS, self._say_it_lingers)
        self._serving.end()
        self._host.tell(notices.AppStopping(self._service, self.run, number.name))
        if self._child is not None and self._phase != "app":
            what = f"{self._beside(self._child)} is cut short by {number.name}"
            self._host.tell(notices.Problem(what, severity="warning"))
        self._stop_waiting()

    def dump(self) -> None:
        """Ask the runtime of an app that hangs for its stacks: Go and the JVM hear SIGQUIT."""
        if self._child is not None:
            self._stacks.begin()
            self._child.send(signal.SIGQUIT)

    def kill(self, reason: str) -> None:
        """Kill what is left of it."""
        self._before.clear()
        self._after.clear()
        self._serving.end()
        if self._child is not None:
            killed = self._child.kill()
            pids, ran = list(killed), list(killed.values())
            if pids:
                self._host.tell(notices.AppKilled(self._service, self.run, pids, reason, ran))
            for pid, command in self._child.beyond.items():
                what = f"pid {pid} ({command}) belongs to another user, and still runs"
                self._host.tell(notices.Problem(what, f"stop it with: sudo kill {pid}"))
        self._stop_waiting()

    @property
    def pid(self) -> int | None:
        """The first process of the app itself, while it runs."""
        return self._child.pid if self._child is not None and self._phase == "app" else None

    @property
    def ms(self) -> int:
        """For how long the app has run."""
        return self._clock.ms

    def send(self, number: int) -> None:
        """Send what runs, and its group, a signal: it is stopped, or goes on."""
        if self._child is not None:
            self._child.send(number)

    def pass_on(self, number: int) -> None:
        """Send the app's first process a signal that came to us, but none that would end it.

        It may have come while there was no app yet, and be read from the kernel after the start
        of one that has not said yet what it wants to hear.
        """
        if self._child is None or self.pid is None:
            return
        if tree.withstands(self.pid, number):
            self._child.send_first(number)
        else:
            name = signal_name(number)
            what = f"{name} is not passed on: pid {self.pid} does not catch it, and would end"
            hint = f"if that is meant: kill -{name.removeprefix('SIG')} {self.pid}"
            self._host.tell(notices.Problem(what, hint, severity="warning"))

    def signal(self, number: int) -> None:
        """Send the app's first process the signal of a rule."""
        if self._child is not None and self.pid is not None:
            self._host.loops.signals(signal_name(number), self.pid)
            self._child.send_first(number)
        self._host.tell(notices.AppSignalled(self._service, self.run, signal_name(number)))

    def adopt(self, app: Run) -> None:
        """Stop by another [run] than it was started by; what its start depends on is the next's."""
        self._app = app
        if not self._stopped:
            self._after = [commands.parse(command) for command in app.after]

    # --- one command after the other ---

    def _next(self) -> None:
        """Go on with the next command, or end."""
        if self._before:
            self._spawn(self._before.pop(0))
        elif self._phase == "before" and not self._stopped:
            self._phase = "app"
            self._spawn(self._command)
        elif self._after and self._phase != "before":
            self._phase = "after"
            self._spawn(self._after.pop(0))
        else:
            self._finish(self._code)

    def _finish(self, code: int) -> None:
        self._host.post(self._service, facts.AppExited(self.run, exit_code(code)))

    def _spawn(self, command: commands.Command) -> None:
        self._waiting = None
        hooks = Hooks(
            outlived=self._outlived, ended=self._ended, gone=self._gone, halted=self._halted
        )
        try:
            spawn = self._described(command)
            self._host.loops.begins(self._writer)
            self._child = Child(self._host.loop, self._host.reaper, spawn, hooks)
        except BusyError as error:
            self._try_again(command, error)
        except HotrunError as error:
            self._refused(error)
        else:
            self._host.loops.runs(self._writer, self._child.pid)
            if self._phase == "app":
                self._started(self._child.pid)

    @property
    def _writer(self) -> Writer:
        return APP if self._phase == "app" else Writer("beside", f"run.{self._phase}")

    def _described(self, command: commands.Command) -> Spawn:
        if self._phase != "app":
            return self._launch.beside(command)
        self._clock = Clock.start()
        env = self._launch.environment(warn=True)
        spawn = self._launch.app(command, env)
        self._serving.prepare(command, env)
        return spawn

    def _started(self, pid: int) -> None:
        if self._launch.takes_terminal and self._host.terminal is not None:
            self._host.terminal.give(pid)
        self._host.tell(notices.AppStarted(self._service, self.run, pid))
        self._serving.begin(pid)
        # Off the path between save and start: reading a big program takes a while.
        self._host.loop.call_soon(self._artifact.remember)

    def _try_again(self, command: commands.Command, error: BusyError) -> None:
        self._tries -= 1
        if self._tries:
            self._child = None
            self._waiting = self._host.loop.call_later(BUSY_PAUSE, self._spawn, command)
        else:
            self._refused(error)

    def _stop_waiting(self) -> None:
        """Nothing runs yet that could end by itself, and nothing is to be started any more."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
            self._after.clear()
            self._finish(self._code)

    def _refused(self, error: HotrunError) -> None:
        self._host.tell(self._taken.refusal(self._key, error))
        self._host.loops.ends(self._writer)
        if self._phase != "after":  # the code of the app is the one that counts
            self._code = error.code if isinstance(error, SpawnError) else error.exit_code
        self._before.clear()
        self._after.clear()
        self._child = None
        self._finish(self._code)

    @property
    def _key(self) -> str:
        return "command" if self._phase == "app" else self._phase

    # --- what happens to it ---

    def _hear(self, stream: str, text: str) -> None:
        if self._phase == "app":
            self._serving.hear(text)
            self._stacks.hear(text)
        self._host.tell(notices.Output(self._service, "app", self.run, stream, text))

    def _say_it_lingers(self) -> None:
        if self._child is not None:
            left = round((self._app.stop_timeout - LINGERS) * 1000)
            pid = self._child.waits_for
            self._host.tell(notices.AppLingers(self._service, self.run, pid, max(0, left)))

    def _halted(self, number: int) -> None:
        """Ctrl-Z, a read of a terminal that is not its own, or somebody's SIGSTOP."""
        lent = self._launch.takes_terminal and self._phase == "app"
        if lent and number in (signal.SIGTSTP, signal.SIGSTOP):
            self._host.suspend()  # or nobody could type: the app has the terminal
        elif lent and number in halted.TERMINAL:
            self._lend_later()
        elif not self._host.suspended and self._child is not None:
            who, hint = "app", 'let it have the terminal: stdin = "terminal" in [run]'
            if self._phase != "app":
                who = f"command in run.{self._phase}"
                hint = "only the app can have the terminal: have it ask nothing"
            self._host.tell(halted.problem(who, self._child.pid, number, hint))

    def _lend_later(self) -> None:
        """It wants the terminal, and we are in the background: bash sends no signal with `fg`."""
        terminal = self._host.terminal
        if self.pid is None or self._stopped or terminal is None:
            return
        if not terminal.resume():
            self._host.loop.call_later(LEND_AGAIN, self._lend_later)

    def _outlived(self, left: dict[int, str]) -> None:
        if self._phase == "app" and not self._alone:  # else it was told when that ended
            pids, ran = list(left), list(left.values())
            self._host.tell(notices.AppLeaked(self._service, self.run, pids, ran))

    def _ended(self) -> None:
        """The first process is over, and others of its tree are not: they have to follow."""
        if self._phase == "app" and not self._stopped and self._child is not None:
            self._alone = True
            self._host.tell(
                notices.Problem(
                    "the app's first process ended, and what it had started is stopped now",
                    "let it wait for its children (a shell line ends with `wait`)",
                    severity="warning",
                )
            )
            self._host.post(self._service, facts.AppEnded(self.run))

    def _gone(self) -> None:
        if self._linger is not None:
            self._linger.cancel()
        code = (self._child.code if self._child is not None else 0) or 0
        self._host.loops.ends(self._writer)
        if self._phase == "app":
            self._code = code
            self._app_gone(code)
        elif code and not self._stopped and self._child is not None:
            self._beside_failed(self._child, code)
        self._host.mend_terminal(screen=not self._launch.captures)
        self._child = None
        self._next()

    def _app_gone(self, code: int) -> None:
        self._serving.end()
        self._stacks.end()
        self._launch.mend()
        expected = self._stopped and not self._alone
        self._tell_exit(code, expected=expected)
        if not expected and code:
            self._taken.explain(self._clock.ms)
        # The terminal sent Ctrl-C to the app alone, and who typed it meant all of it.
        alone = self._alone or not self._stopped
        if self._launch.takes_terminal and alone and exit_code(code) == 130:  # noqa: PLR2004
            self._host.quit(130, "interrupted")

    def _beside(self, child: Child) -> str:
        """Name a command before or after the app."""
        text = " ".join(child.command.split())
        return f"run.{self._phase}: {text if len(text) <= NAMED else f'{text[:NAMED]}...'}"

    def _beside_failed(self, child: Child, code: int) -> None:
        before = self._phase == "before"
        self._host.tell(
            notices.Problem(
                f"{self._beside(child)} failed with code {exit_code(code)}",
                "the app is not started" if before else "",
            )
        )
        if before:
            self._code = code
            self._before.clear()
            self._stopped = True

    def _tell_exit(self, code: int, *, expected: bool) -> None:
        by = signal_name(-code) if code < 0 else None
        usage = self._child.usage if self._child is not None else None
        self._host.tell(
            notices.AppExited(
                self._service,
                self.run,
                None if by else code,
                by,
                self._clock.ms,
                expected,
                usage.cpu_ms if usage is not None else None,
                usage.memory if usage is not None else None,
            )
        )
