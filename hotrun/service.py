"""A service: one build and one app of the config, under one core state.

It turns the core's commands about processes into jobs. The commands about time and files are
the session's.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from hotrun import core, facts, notices
from hotrun.jobs.build import BuildJob, Task
from hotrun.loops import BUILD
from hotrun.process import command as commands
from hotrun.process.artifact import Artifact
from hotrun.process.backdate import Backdate
from hotrun.process.usage import SAMPLE, Measurement, Use
from hotrun.streak import Writer

if TYPE_CHECKING:
    from collections.abc import Collection

    from hotrun.config import Build, Config, Run
    from hotrun.host import Host
    from hotrun.jobs.app import AppJob


class Service:
    """Runs what the core decides for one build and app pair."""

    def __init__(
        self, host: Host, name: str, outputs: Collection[str], *, once: bool = False
    ) -> None:
        self.name = name
        self.state = core.State(policy=policy_of(host.config, once=once))
        self._host = host
        self._outputs = tuple(outputs)
        self._artifact = Artifact(outputs)
        self._dates = Backdate(outputs)
        self._ports: set[int] = set()  # on which the app was seen to listen
        self._task: Task | None = None  # what [build] comes to
        self._build: BuildJob | None = None
        self._last_build = 0
        self._read = 0  # the last build after which it was asked what builds read
        self._app: AppJob | None = None
        self._next: AppJob | None = None  # from the build that runs, or ran last

    def do(self, command: facts.Command) -> None:
        """Carry out a command that starts or ends a process."""
        match command:
            case facts.StartBuild(run, paths):
                self._start_build(run, sorted(paths))
            case facts.StartStep(run, steps):
                self._start_step(run, steps)
            case facts.StartApp(run):
                self._start_app(run)
            case facts.KeepApp(run, reason):
                self._host.tell(notices.AppKept(self.name, run, reason))
            case facts.Kill(run, reason):
                self._kill(run, reason)
            case facts.Stop(run) | facts.Send(run) | facts.Dump(run):
                if self._app is not None and self._app.run == run:
                    _tell_app(self._app, command)
            case _:
                pass

    def look_at_inputs(self) -> None:
        """Ask what the build reads, once the newest good one is served: that takes a while."""
        state, run = self.state, self._last_build
        served = not state.policy.runs or state.served == state.good
        if (
            run != self._read
            and served
            and state.build is None
            and not (state.broken or state.torn)
        ):
            self._read = run
            self._host.loop.call_soon(self._host.inputs.built)

    def adopt(self, outputs: Collection[str]) -> None:
        """Go by the host's config, which is another one; the core hears of it from the session.

        Args:
            outputs: What the build makes.
        """
        self._task = self._next = None
        if tuple(outputs) != self._outputs:  # of the new ones nobody knows what the app is
            self._outputs = tuple(outputs)
            self._artifact, self._dates = Artifact(outputs), Backdate(outputs)
        if self._app is not None and self._host.config.run is not None:
            self._app.adopt(self._host.config.run)
        if self._host.config.run is None and self._host.sockets is not None:
            self._host.sockets.bind([])  # nobody will answer any more

    def send(self, number: int) -> None:
        """Pass a signal on to the app."""
        if self._app is not None:
            self._app.pass_on(number)

    def halt(self) -> None:
        """Stop all that runs: we are stopped ourselves (Ctrl-Z)."""
        self._send_all(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let all go on again."""
        self._send_all(signal.SIGCONT)

    def tell_status(self) -> None:
        """Say what the app is doing, after the moment that it takes to measure it."""
        job = self._app
        pid = job.pid if job is not None and self.state.app is not None else None
        if job is None or pid is None:
            self._host.tell(self._status(None, 0, Use(0, 0.0, 0)))
        else:
            measured = Measurement(pid)
            self._host.loop.call_later(SAMPLE, self._measured, job, pid, measured)

    def _measured(self, job: AppJob, pid: int, measured: Measurement) -> None:
        self._host.tell(self._status(pid, job.ms, measured.end(), job.run))

    def _status(self, pid: int | None, ms: int, use: Use, run: int = 0) -> notices.Status:
        paused = self.state.paused
        return notices.Status(self.name, run, pid, ms, use.processes, use.cpu, use.memory, paused)

    def _send_all(self, number: int) -> None:
        for job in (self._build, self._app):
            if job is not None:
                job.send(number)

    def kill_all(self) -> None:
        """Leave nothing behind when the session itself has failed."""
        for job in (self._build, self._app):
            if job is not None:
                job.kill("hotrun failed")

    def _start_build(self, run: int, paths: list[str]) -> None:
        build = self._host.config.build
        if build is not None:
            self._task = self._task or self._task_of(build)
            self._build = BuildJob(self._host, self.name, run, self._task, BUILD)
            self._last_build = run
            self._host.inputs.building()
            self._build.start(paths)
            self._prepare(run)

    def _task_of(self, build: Build) -> Task:
        command, made, dates = commands.parse(build.command), self._artifact, self._dates
        return Task("build.command", command, build.env, build.timeout, made, dates=dates)

    def _start_step(self, run: int, steps: Collection[facts.Step]) -> None:
        from hotrun.jobs.step import task

        if (made := task(self._host, self.name, run, steps)) is None:
            self._host.post(self.name, facts.BuildExited(run, 0))
        else:
            # Between a reload and its listing the step may be of a config with more rules.
            rule = self._host.config.rules[min(steps).rule :][:1]
            writer = Writer("rule", rule[0].origin if rule else made.key)
            self._build = BuildJob(self._host, self.name, run, made, writer)
            self._build.start(sorted(step.path for step in steps))

    def _prepare(self, run: int) -> None:
        """Do what the app needs, while the compiler runs: the imports take as long as a start."""
        app = self._host.config.run
        if app is not None:
            self._next = self._made(run, app)
            if self._app is None:  # who runs has the sockets as it likes them
                self._next.hold()

    def _made(self, run: int, app: Run) -> AppJob:
        from hotrun.jobs.app import AppJob

        return AppJob(self._host, self.name, run, app, self._artifact, self._ports)

    def _start_app(self, run: int) -> None:
        app, made = self._host.config.run, self._next
        self._next = None
        if app is not None:
            self._artifact.forget()
            self._app = made if made is not None and made.run == run else self._made(run, app)
            self._app.start()

    def _kill(self, run: int, reason: str) -> None:
        state = self.state
        if state.build is not None and state.build.run == run and self._build is not None:
            self._build.cancel(reason)
        elif self._app is not None and self._app.run == run:
            self._app.kill(reason)


def _tell_app(app: AppJob, command: facts.Stop | facts.Send | facts.Dump) -> None:
    match command:
        case facts.Stop():
            app.stop()
        case facts.Dump():
            app.dump()
        case facts.Send(_, number):
            app.signal(number)


def policy_of(config: Config, *, once: bool) -> facts.Policy:
    """Translate the user's choices for the core."""
    build, run = config.build, config.run
    return facts.Policy(
        builds=build is not None,
        runs=run is not None,
        cancels=build is None or build.on_busy == "cancel",
        keeps=build is None or build.on_error == "keep",
        on_exit=facts.OnExit(run.on_exit) if run is not None else facts.OnExit.WAIT,
        dumps=run is not None and run.on_hang == "dump",
        once=once,
    )
