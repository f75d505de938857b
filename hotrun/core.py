"""The core: it decides whether to build, stop or start, and does none of it.

Law: facts go in, commands come out. This file reads no clock, no disk and no process table;
the driver (session.py) owns seconds, files and processes. ``step`` is ``record`` (write the
fact down) followed by ``reconcile`` (compare what is with what should be). Nobody asks how we
got here: ``reconcile`` looks at the state alone, so a fact that is late or comes twice is
harmless, because run numbers tell it from the present.

Words: a *run* is the number of one cycle. A build takes a number; the app started from it
carries the same one; a restart without a build takes a number of its own. ``good`` is the run
that should be served, ``served`` the run an app was last started for: while they differ, the
app has to be replaced.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

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

PATIENCE = 2
"""Builds that may be cancelled in a row before one is let finish (no starvation)."""

NOT_READY = 124
"""The exit code of a session that ends because its app did not serve in time (timeout(1))."""


# --- state ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Build:
    """The build that is running."""

    run: int
    paths: frozenset[str]
    killed: str = ""  # why it was killed, if it was
    expired: bool = False  # build.timeout has passed


@dataclass(frozen=True, slots=True)
class App:
    """The app that is alive."""

    run: int
    ended: bool = False  # by itself: what it left behind has to be stopped
    stopping: bool = False
    killed: bool = False
    expired: bool = False  # run.stop_timeout has passed
    dumped: bool = False  # it was asked for its stacks
    given_up: bool = False  # its time to write them has passed


@dataclass(slots=True)
class State:
    """All that the core knows about one service."""

    policy: Policy = field(default_factory=Policy)
    last_run: int = 0

    # settling: touched -> (still for a while) -> due -> asked -> changed
    touches: int = 0  # grows with each touch, so that the alarm is set anew
    answers: int = 0  # grows with each answer, so that the bound is
    waiting: Quiet | None = None
    due: bool = False
    asked: bool = False
    capped: bool = False

    dirty: frozenset[str] = frozenset()  # changed, and in no good build yet
    wanted: bool = False  # a build has to start
    cancelled: int = 0  # builds cancelled in a row
    broken: bool = False  # the last finished build failed
    torn: bool = False  # a build was killed since the last good one: its file may be half written
    build: Build | None = None

    good: int = 0
    served: int = 0
    app: App | None = None
    kept: str = ""  # a KeepApp still to be said
    crashes: int = 0
    backing_off: bool = False
    stale: bool = False  # it has to be started again, for what it reads at its start has changed

    paused: bool = False
    quitting: int | None = None
    hurried: bool = False  # asked to quit twice
    exited: bool = False
    armed: dict[Timer, tuple[Quiet | int, int]] = field(default_factory=dict)


def step(state: State, fact: Fact) -> tuple[State, list[Command]]:
    """Take one fact; the old state is left as it was.

    Returns:
        The new state and what the driver has to do now, in order.
    """
    new = replace(state, armed=dict(state.armed))
    record(new, fact)
    return new, reconcile(new)


# --- record: write the fact down -----------------------------------------------------------


def record(s: State, fact: Fact) -> None:  # noqa: C901, PLR0912 - the one match of the core
    """Write one fact into the state."""
    match fact:
        case FilesTouched(quiet):
            s.touches += 1
            s.waiting, s.due = quiet, False
        case FilesHeld():
            s.asked = False
            s.touches += 1
            s.waiting, s.due = s.waiting or Quiet.HOLD, False
        case FilesChanged(paths, restart):
            s.answers += s.asked
            s.asked = s.capped = False
            s.dirty |= set(paths)
            s.wanted = s.wanted or bool(paths)
            s.stale = s.stale or (restart and bool(s.good))
        case TimerFired(timer):
            s.armed.pop(timer, None)
            _record_timer(s, timer)
        case BuildExited(run, code, same):
            if s.build is not None and s.build.run == run:
                _record_build_end(s, s.build, code, same)
        case AppEnded(run):
            if s.app is not None and s.app.run == run and not s.app.stopping:
                s.app = replace(s.app, ended=True)
        case AppExited(run, code):
            if s.app is not None and s.app.run == run:
                _record_app_end(s, s.app, code)
        case AppUnready(run):
            if s.policy.once and s.quitting is None and s.app is not None and s.app.run == run:
                s.quitting = NOT_READY
        case BuildRequested():
            s.wanted, s.paused = True, False
        case RestartRequested():
            # What has changed in a pause is built first, and the app is started from that.
            s.stale = s.stale or (bool(s.good) and not (s.paused and s.wanted))
            s.paused = False
        case PauseToggled():
            s.paused = not s.paused
        case QuitRequested(code):
            s.hurried = s.quitting is not None
            if s.quitting is None:
                s.quitting = code


def _record_timer(s: State, timer: Timer) -> None:  # noqa: C901 - one case a timer
    match timer:
        case Timer.SETTLE:
            s.due = s.due or s.waiting is not None
            s.waiting = None
        case Timer.SETTLE_CAP:
            s.capped = True
            s.due = s.due or s.waiting is not None
            s.waiting = None
        case Timer.BUILD_TIMEOUT:
            if s.build is not None:
                s.build = replace(s.build, expired=True)
        case Timer.STOP_TIMEOUT:
            if s.app is not None:
                s.app = replace(s.app, expired=True)
        case Timer.DUMP:
            if s.app is not None:
                s.app = replace(s.app, given_up=True)
        case Timer.RESTART:
            if s.backing_off:
                s.backing_off = False
                s.good = _next_run(s)
        case Timer.STEADY:
            s.crashes = 0


def _record_build_end(s: State, build: Build, code: int, same: bool) -> None:
    s.build = None
    s.torn = s.torn or bool(build.killed)
    if build.killed == "superseded":
        # What it was to contain belongs to the next build. A code of 0 counts for nothing:
        # a shell may answer 0 although one of its children was killed.
        s.cancelled += 1
        s.dirty |= build.paths
        s.wanted = True
        return
    s.cancelled = 0
    s.broken = code != 0 or bool(build.killed)
    if s.broken:
        s.dirty |= build.paths
        s.kept = "build failed" if s.policy.keeps else ""
    else:
        asked_to_restart = s.served != s.good
        s.good = max(s.good, build.run)
        s.crashes = 0  # of a program that is not there any more
        s.torn = False
        if same and not asked_to_restart and s.app is not None and not s.app.stopping:
            s.served = s.good
            s.kept = "same artifact"
    if s.policy.once and s.quitting is None and (s.broken or not s.policy.runs):
        s.quitting = int(s.broken)


def _record_app_end(s: State, app: App, code: int) -> None:
    s.app = None
    if s.quitting is not None or (app.stopping and not app.ended):
        return
    if s.policy.once or s.policy.on_exit is OnExit.EXIT:
        s.quitting = code
    elif s.policy.on_exit is OnExit.RESTART:
        s.crashes += 1
        s.backing_off = True


def _next_run(s: State) -> int:
    s.last_run += 1
    return s.last_run


# --- reconcile: compare what is with what should be ----------------------------------------


def reconcile(s: State) -> list[Command]:
    """Return what has to be done so that what is becomes what should be."""
    if s.exited:
        return []
    commands: list[Command] = []
    if s.quitting is None:
        _settle(s, commands)
        _supersede(s, commands)
        _keep(s, commands)
        _go_without_build(s)
        _renew(s)
        _replace_app(s, commands)
        _start_build(s, commands)
    else:
        _wind_down(s, commands)
    _escalate(s, commands)
    _set_timers(s, commands)
    if s.quitting is not None and s.build is None and s.app is None:
        s.exited = True
        commands.append(Exit(s.quitting))
    return commands


def _settle(s: State, commands: list[Command]) -> None:
    if s.capped and s.waiting is not None and not s.asked:  # the bound has passed: no more waiting
        s.due, s.waiting = True, None
    if s.due and not s.asked:
        s.due, s.asked = False, True
        commands.append(Sift(last=s.capped))


def _supersede(s: State, commands: list[Command]) -> None:
    busy = s.build is not None and not s.build.killed and not s.paused
    if busy and s.wanted and s.policy.cancels and s.cancelled < PATIENCE:
        _kill_build(s, "superseded", commands)


def _keep(s: State, commands: list[Command]) -> None:
    if s.kept and s.app is not None and not s.app.stopping and s.served == s.good:
        commands.append(KeepApp(s.app.run, s.kept))
    s.kept = ""


def _go_without_build(s: State) -> None:
    """With no build command the tree is good as it is."""
    if s.wanted and not s.policy.builds:
        s.good, s.dirty, s.wanted = _next_run(s), frozenset(), False
        s.crashes = 0  # of a program that is not there any more


def _renew(s: State) -> None:
    """What is stale is a run of its own, but in a pause."""
    if s.stale and not s.paused:
        s.good, s.stale = _next_run(s), False


def _replace_app(s: State, commands: list[Command]) -> None:
    """Bring the app to the newest good run: stop the old one, then start the new one."""
    down = _down(s)
    if s.app is not None and not s.app.stopping and (down or s.app.ended):
        _stop_app(s, s.app, commands)
    if s.paused and s.app is not None and not s.app.stopping:
        return
    # While a build runs it may be writing the very file that would be started; one that was
    # killed may have left it half written.
    if not s.policy.runs or s.served == s.good or s.build is not None or s.torn or down:
        return
    if s.app is None:
        s.served, s.backing_off, s.stale = s.good, False, False
        s.app = App(s.good)
        commands.append(StartApp(s.good))
    elif not s.app.stopping:
        _stop_app(s, s.app, commands)


def _down(s: State) -> bool:
    """A broken build takes the app down, if that was asked for."""
    return s.broken and not s.policy.keeps


def _start_build(s: State, commands: list[Command]) -> None:
    if not s.wanted or s.build is not None or s.paused:
        return
    # A good build waits to be started from before the next one may overwrite it.
    if not s.policy.runs or s.served == s.good or s.torn or _down(s):
        s.build = Build(_next_run(s), s.dirty)
        s.dirty, s.wanted = frozenset(), False
        commands.append(StartBuild(s.build.run, s.build.paths))


def _wind_down(s: State, commands: list[Command]) -> None:
    if s.build is not None and not s.build.killed:
        _kill_build(s, "quit", commands)
    if s.app is not None and not s.app.stopping:
        _stop_app(s, s.app, commands)
    if s.app is not None and s.hurried and not s.app.killed:
        _kill_app(s, s.app, "asked twice", commands)


def _escalate(s: State, commands: list[Command]) -> None:
    """What did not end in its time is killed."""
    if s.build is not None and s.build.expired and not s.build.killed:
        _kill_build(s, "timeout", commands)
    if s.app is None or not s.app.expired or not s.app.stopping or s.app.killed:
        return
    if s.policy.dumps and not s.app.dumped:
        s.app = replace(s.app, dumped=True)
        commands.append(Dump(s.app.run))
    elif s.app.given_up or not s.policy.dumps:
        _kill_app(s, s.app, "stop_timeout", commands)


def _kill_build(s: State, reason: str, commands: list[Command]) -> None:
    if s.build is not None:
        s.build = replace(s.build, killed=reason)
        commands.append(Kill(s.build.run, reason))


def _stop_app(s: State, app: App, commands: list[Command]) -> None:
    s.app = replace(app, stopping=True)
    commands.append(Stop(app.run))


def _kill_app(s: State, app: App, reason: str, commands: list[Command]) -> None:
    s.app = replace(app, killed=True)
    commands.append(Kill(app.run, reason))


def _set_timers(s: State, commands: list[Command]) -> None:
    """Alarms are level too: the ones that should be set against the ones that are."""
    wanted = _timers(s)
    for timer in [t for t in s.armed if t not in wanted]:
        del s.armed[timer]
        commands.append(ClearTimer(timer))
    for timer, setting in wanted.items():
        if s.armed.get(timer) != setting:
            s.armed[timer] = setting
            commands.append(SetTimer(timer, setting[0]))


def _timers(s: State) -> dict[Timer, tuple[Quiet | int, int]]:
    """Each alarm that should be set: its detail, and a number that sets it anew."""
    wanted: dict[Timer, tuple[Quiet | int, int]] = {}
    if s.quitting is None:
        if s.waiting is not None:
            wanted[Timer.SETTLE] = (s.waiting, s.touches)
        if (s.waiting is not None or s.due or s.asked) and not s.capped:
            wanted[Timer.SETTLE_CAP] = (0, s.answers)
        if s.backing_off:
            wanted[Timer.RESTART] = (s.crashes, 0)
        if s.crashes and s.app is not None and not s.app.stopping:
            wanted[Timer.STEADY] = (0, s.app.run)
    if s.build is not None and not s.build.expired:
        wanted[Timer.BUILD_TIMEOUT] = (0, s.build.run)
    if s.app is not None and s.app.stopping and not s.app.expired:
        wanted[Timer.STOP_TIMEOUT] = (0, s.app.run)
    if s.app is not None and s.app.dumped and not (s.app.given_up or s.app.killed):
        wanted[Timer.DUMP] = (0, s.app.run)
    return wanted
