"""One life of the app: the commands before it, itself, the commands after it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from hotrun import facts, notices
from hotrun.host import Clock
from hotrun.jobs import exit_code
from hotrun.process import command as commands
from hotrun.process import environment
from hotrun.process.child import Child, Hooks
from hotrun.process.spawn import BusyError, Spawn, SpawnError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from hotrun.config import Run
    from hotrun.host import Host
    from hotrun.process.artifact import Artifact

BUSY_PAUSE = 0.02  # seconds; a file that is still being written is soon closed (ETXTBSY)
BUSY_TRIES = 100
LINGERS = 0.5  # seconds after which somebody who waits wants to know for what


class AppJob:
    """One life of the app: the commands before it, itself, the commands after it."""

    def __init__(self, host: Host, service: str, run: int, app: Run, artifact: Artifact) -> None:
        self._host = host
        self._service = service
        self._app = app
        self._artifact = artifact
        self._child: Child | None = None
        self._before = [commands.parse(command) for command in app.before]
        self._after = [commands.parse(command) for command in app.after]
        self._clock = Clock.start()
        self._phase = "before"
        self._code = 0
        self._stopped = False
        self._alone = False  # it ended by itself, and left others behind
        self._tries = BUSY_TRIES
        self._waiting: asyncio.TimerHandle | None = None  # for the program file to be closed
        self._linger: asyncio.TimerHandle | None = None
        self.run = run

    def start(self) -> None:
        """Start; the end of everything is posted as ``AppExited``."""
        self._next()

    def stop(self) -> None:
        """Send the stop signal, once."""
        number = self._app.stop_signal
        self._stopped = True
        self._before.clear()
        self._host.tell(notices.AppStopping(self._service, self.run, signal.Signals(number).name))
        if self._child is not None:
            self._child.stop(number)
            self._linger = self._host.loop.call_later(LINGERS, self._say_it_lingers)
        self._stop_waiting()

    def _say_it_lingers(self) -> None:
        if self._child is not None:
            left = round((self._app.stop_timeout - LINGERS) * 1000)
            pid = self._child.pid
            self._host.tell(notices.AppLingers(self._service, self.run, pid, max(0, left)))

    def kill(self, reason: str) -> None:
        """Kill what is left of it."""
        self._before.clear()
        self._after.clear()
        if self._child is not None:
            pids = self._child.kill()
            self._host.tell(notices.AppKilled(self._service, self.run, pids, reason))
        self._stop_waiting()

    def _next(self) -> None:
        """Go on with the next command, or end."""
        if self._before:
            self._spawn(self._before.pop(0))
        elif self._phase == "before" and not self._stopped:
            self._phase = "app"
            self._clock = Clock.start()
            self._spawn(commands.parse(self._app.command, self._app.args))
        elif self._after and self._phase != "before":
            self._phase = "after"
            self._spawn(self._after.pop(0))
        else:
            self._host.post(self._service, facts.AppExited(self.run, exit_code(self._code)))

    def _spawn(self, command: commands.Command) -> None:
        self._waiting = None
        try:
            self._child = Child(
                self._host.loop,
                self._host.reaper,
                self._spawn_of(command),
                Hooks(ended=self._ended, gone=self._gone),
            )
        except BusyError as error:
            self._try_again(command, error)
        except SpawnError as error:
            self._refused(error)
        else:
            if self._phase == "app":
                self._host.tell(notices.AppStarted(self._service, self.run, self._child.pid))
                # Off the path between save and start: reading a big program takes a while.
                self._host.loop.call_soon(self._artifact.remember)

    def _spawn_of(self, command: commands.Command) -> Spawn:
        config = self._host.config
        files = [config.resolve(file) for file in self._app.env_files]
        env, bad = environment.compose(self._app.env, files)
        for line in bad:
            where = f"{os.path.basename(line.file)}:{line.line or 1}"
            hint = "the rest of the file counts" if line.line else "it is left out"
            self._host.tell(
                notices.Problem(
                    f"{where}: {line.message}", hint, line.file, line.line, severity="warning"
                )
            )
        name, _, value = self._host.cookie.partition("=")
        env[name] = value
        hears = tuple(map(self._hears, ("stdout", "stderr"))) if self._host.captures else ()
        directory = config.resolve(self._app.working_directory)
        # What a command beside the app leaves running is no reason to wait: it ends with the app.
        cookie = self._host.cookie if self._phase == "app" else ""
        return Spawn(command, directory, env, hears, cookie, self._host.behind)

    def _hears(self, stream: str) -> Callable[[list[str]], None]:
        def hear(lines: list[str]) -> None:
            for line in lines:
                self._host.tell(notices.Output(self._service, "app", self.run, stream, line))

        return hear

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
            self._host.post(self._service, facts.AppExited(self.run, exit_code(self._code)))

    def _refused(self, error: SpawnError) -> None:
        self._host.tell(notices.Problem(f"run.{self._key}: {error.message}", error.hint))
        self._code = error.code
        self._before.clear()
        self._after.clear()
        self._child = None
        self._host.post(self._service, facts.AppExited(self.run, error.code))

    @property
    def _key(self) -> str:
        return "command" if self._phase == "app" else self._phase

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
        code = self._child.code if self._child is not None else 0
        code = code or 0
        if self._phase == "app":
            self._code = code
            self._tell_exit(code)
        elif code and not self._stopped:
            self._host.tell(
                notices.Problem(
                    f"run.{self._phase}: a command failed with code {exit_code(code)}",
                    "the app is not started" if self._phase == "before" else "",
                )
            )
            if self._phase == "before":
                self._code = code
                self._before.clear()
                self._stopped = True
        if self._linger is not None:
            self._linger.cancel()
        self._child = None
        self._next()

    def _tell_exit(self, code: int) -> None:
        by = _signal_name(-code) if code < 0 else None
        self._host.tell(
            notices.AppExited(
                self._service,
                self.run,
                None if by else code,
                by,
                self._clock.ms,
                self._stopped and not self._alone,
            )
        )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
