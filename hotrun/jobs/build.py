"""One run of the build command, or of the command of a rule."""

from __future__ import annotations

import os
import signal
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from hotrun import facts, notices
from hotrun.host import Clock
from hotrun.jobs import COLOUR_HINTS, exit_code, halted
from hotrun.lean import NamedTuple
from hotrun.process import command as commands
from hotrun.process import environment
from hotrun.process.child import Child, Hooks
from hotrun.process.spawn import Spawn, SpawnError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hotrun.host import Host
    from hotrun.process.artifact import Artifact
    from hotrun.process.backdate import Backdate
    from hotrun.process.diagnostics import Diagnostic
    from hotrun.streak import Writer

# Of what a build prints, as much is looked through for what compilers complain about: reads of a
# pipe, 64 KiB at most. A good build's app waits for it, and a MiB takes 30 ms.
MOST_TEXTS = 200
MOST_GOOD = 16
# Seconds that a build has to clean up when it is cancelled. On SIGTERM make deletes the target
# that it was making, and would else take the torn file for new; the compilers end at once.
CLEAN_UP = 0.25
# Characters of a text that is more than a read of a pipe and the line that it ends: a line without
# an end comes in one piece of 8 MiB, and so many of these would fill the memory.
LONG_TEXT = 128 * 1024
LONGEST_COMMAND = 500  # characters that are shown: that of a rule may name thousands of files


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_COMMAND else f"{text[:LONGEST_COMMAND]}..."


def _clipped(text: str) -> str:
    from hotrun.process import diagnostics  # its patterns are not compiled for a silent build

    return diagnostics.clipped(text)


class Task(NamedTuple):
    """What is run.

    Attributes:
        key: Where it stands in the config: "build.command".
        command: The command.
        env: Variables in addition to ours.
        timeout: After so many seconds it was killed, if it was.
        artifact: What it makes; None: nothing that the app is.
        scrap: A file in the scratch directory that is deleted when it has ended.
        dates: Of what it makes.
    """

    key: str
    command: commands.Command
    env: Mapping[str, str]
    timeout: float
    artifact: Artifact | None
    scrap: str = ""
    dates: Backdate | None = None


class BuildJob:
    """One run of a task."""

    def __init__(self, host: Host, service: str, run: int, task: Task, writer: Writer) -> None:
        self._host = host
        self._writer = writer
        self._service = service
        self._task = task
        self._child: Child | None = None
        self._texts: deque[str] = deque(maxlen=MOST_TEXTS)
        self._reason = ""
        self._clock = Clock.start()
        self.run = run
        self.paths: list[str] = []

    def start(self, paths: list[str]) -> None:
        """Start the command; the end is posted as ``BuildExited``."""
        self.paths = paths
        env, _ = environment.compose(self._task.env, ours=self._host.environ)
        if self._host.colour and not env.get("NO_COLOR"):
            env = COLOUR_HINTS | env
        directory, behind = self._host.config.directory, self._host.behind
        env = self._host.scratch.lend(env, directory)
        # One pipe for both streams keeps their order; JSON lines name the stream instead.
        streams = ("stdout", "stderr") if self._host.captures else ("stdout",)
        hears = tuple(self._hears(stream) for stream in streams)
        spawn = Spawn(self._task.command, directory, env, hears, behind=behind)
        self._host.loops.begins(self._writer)
        if self._task.dates is not None:
            self._task.dates.begin([os.path.join(directory, path) for path in paths])
        try:
            hooks = Hooks(gone=self._gone, halted=self._halted)
            self._child = Child(self._host.loop, self._host.reaper, spawn, hooks)
        except SpawnError as error:
            self._tell_started()
            message = f"{self._task.key}: {error.message}"
            self._host.tell(notices.Problem(message, error.hint))
            self._host.loops.ends(self._writer)
            self._finish(error.code)
        else:
            self._host.loops.runs(self._writer, self._child.pid)
            self._tell_started()  # what it prints is not heard before

    def _tell_started(self) -> None:
        text, named = _cut(self._task.command.text), self.paths[: notices.MOST_PATHS]
        self._host.tell(
            notices.BuildStarted(
                self._service, self.run, text, named, len(self.paths), self._task.key
            )
        )

    def send(self, number: int) -> None:
        """Pass a signal on to the command's group."""
        if self._child is not None:
            self._child.send(number)

    def cancel(self, reason: str) -> None:
        """End the command and its whole group: SIGTERM, and soon SIGKILL."""
        self._reason = reason
        if self._child is None or self._child.code is not None:  # only who holds its output is left
            self.kill(reason)
        else:
            self._child.stop(signal.SIGTERM)
            self._host.alarms.later(CLEAN_UP, partial(self.kill, reason))

    def kill(self, reason: str) -> None:
        """Kill the command's whole group, at once."""
        self._reason = reason
        if self._child is not None:
            self._child.kill()

    def _hears(self, stream: str) -> Callable[[str], None]:
        def hear(text: str) -> None:
            self._texts.append(text if len(text) <= LONG_TEXT else _clipped(text))
            self._host.tell(notices.Output(self._service, "build", self.run, stream, text))

        return hear

    def _halted(self, number: int) -> None:
        """It asks for a password, and has no terminal to ask at."""
        if not self._host.suspended and self._child is not None:
            hint = "a build has none: sudo -n, ssh-agent, GIT_TERMINAL_PROMPT=0"
            self._host.tell(halted.problem("build", self._child.pid, number, hint))

    def _gone(self) -> None:
        pause = self._host.loops.ends(self._writer)
        if self._reason:  # it may not have cleaned up; and no other build runs now
            self._host.scratch.empty()
        self._host.mend_terminal(screen=False)
        code = exit_code((self._child.code if self._child is not None else None) or 0)
        if pause:
            self._host.loop.call_later(pause, self._finish, code)
        else:
            self._finish(code)

    def _finish(self, code: int) -> None:
        self._host.scratch.drop(self._task.scrap)
        if self._task.dates is not None:
            self._task.dates.end()
        if self._reason in ("superseded", "quit"):
            named = self.paths[: notices.MOST_PATHS]
            self._host.tell(notices.BuildCancelled(self._service, self.run, self._clock.ms, named))
            self._host.post(self._service, facts.BuildExited(self.run, code))
            return
        if self._reason == "timeout":
            code = code or 1
            self._host.tell(
                notices.Problem(
                    f"{self._task.key} was killed after {self._task.timeout:g} s",
                    "give it longer with build.timeout in hotrun.toml",
                )
            )
        artifact = self._task.artifact
        same = code == 0 and artifact is not None and artifact.same()
        self._host.tell(self._finished(code, same))
        self._host.post(self._service, facts.BuildExited(self.run, code, same))

    def _finished(self, code: int, same: bool) -> notices.BuildFinished:
        artifact = None
        if code == 0 and self._task.artifact is not None and self._task.artifact.known:
            artifact = "same" if same else "changed"
        found = self._complaints(MOST_TEXTS if code else MOST_GOOD) if self._texts else []
        return notices.BuildFinished(
            self._service,
            self.run,
            code == 0,
            code,
            self._clock.ms,
            [diagnostic._asdict() for diagnostic in found],
            artifact,
        )

    def _complaints(self, most: int) -> list[Diagnostic]:
        # Its patterns take 3 ms to compile: a build that is silent does not wait for them.
        from hotrun.process import diagnostics

        lines = "".join([*self._texts][-most:]).split("\n")
        command = self._task.command.text
        return diagnostics.parse(lines, self._host.config.directory, command)
