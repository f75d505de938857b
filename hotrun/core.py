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
from enum import Enum

PATIENCE = 2
"""Builds that may be cancelled in a row before one is let finish (no starvation)."""


class Quiet(Enum):
    """How long a tree must be still before a change in it is believed."""

    SAVE = "save"  # one finished save
    BURST = "burst"  # several files: more may be on their way
    HOLD = "hold"  # a file is empty or still open for writing, or git holds its lock


class Timer(Enum):
    """The alarms the core asks for; the driver knows how many seconds each one is."""

    SETTLE = "settle"
    SETTLE_CAP = "settle-cap"
    BUILD_TIMEOUT = "build-timeout"
    STOP_TIMEOUT = "stop-timeout"
    RESTART = "restart"
    STEADY = "steady"


class OnExit(Enum):
    """What follows when the app ends by itself."""

    WAIT = "wait"
    RESTART = "restart"
    EXIT = "exit"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user chose; read by ``reconcile``, one ``if`` each."""

    builds: bool = True  # there is a build command
    runs: bool = True  # there is an app
    cancels: bool = True  # build.on_busy: a change cancels the running build
    keeps: bool = True  # build.on_error: a broken build leaves the app alone
    on_exit: OnExit = OnExit.WAIT
    once: bool = False  # build, run, end with the app's code


# --- facts ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FilesTouched:
    """Something happened to watched files; whether it is a change is not known yet."""

    quiet: Quiet


@dataclass(frozen=True, slots=True)
class FilesHeld:
    """Answer to ``Sift``: the tree is not still yet, ask again later."""


@dataclass(frozen=True, slots=True)
class FilesChanged:
    """Answer to ``Sift``: the paths whose content differs (none: nothing really changed)."""

    paths: tuple[str, ...]
    recovered: bool = False  # found by listing the tree again, after the queue overflowed


@dataclass(frozen=True, slots=True)
class TimerFired:
    """An alarm that was set has gone off."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class BuildExited:
    """The build is over; ``same`` says that it made the very bytes the running app is."""

    run: int
    code: int
    same: bool = False


@dataclass(frozen=True, slots=True)
class AppEnded:
    """The app's first process ended by itself; others that it started still live."""

    run: int


@dataclass(frozen=True, slots=True)
class AppExited:
    """The app's whole process tree is gone; ``code`` is that of its first process."""

    run: int
    code: int


@dataclass(frozen=True, slots=True)
class BuildRequested:
    """Build now, whether or not a file changed (the first build is one of these)."""


@dataclass(frozen=True, slots=True)
class RestartRequested:
    """Replace the app without a build."""


@dataclass(frozen=True, slots=True)
class QuitRequested:
    """End the session with this exit code; asked a second time: kill what is left."""

    code: int


Fact = (
    FilesTouched
    | FilesHeld
    | FilesChanged
    | TimerFired
    | BuildExited
    | AppEnded
    | AppExited
    | BuildRequested
    | RestartRequested
    | QuitRequested
)


# --- commands ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sift:
    """Compare the touched files with the disk; ``last``: do not answer ``FilesHeld``."""

    last: bool


@dataclass(frozen=True, slots=True)
class StartBuild:
    """Run the build command; ``paths`` are what it is to contain for the first time."""

    run: int
    paths: frozenset[str]


@dataclass(frozen=True, slots=True)
class StartApp:
    """Start the app."""

    run: int


@dataclass(frozen=True, slots=True)
class KeepApp:
    """The app of this run goes on although a build ended: say so."""

    run: int
    reason: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Send the stop signal to the app of this run, once."""

    run: int


@dataclass(frozen=True, slots=True)
class Kill:
    """Send SIGKILL to the build or app of this run, and to all it started."""

    run: int
    reason: str


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Set (or set anew) an alarm; ``detail`` is the kind of quiet or the number of crashes."""

    timer: Timer
    detail: Quiet | int


@dataclass(frozen=True, slots=True)
class ClearTimer:
    """Forget an alarm."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class Exit:
    """Nothing is alive any more: end with this code."""

    code: int


Command = Sift | StartBuild | StartApp | KeepApp | Stop | Kill | SetTimer | ClearTimer | Exit


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
    build: Build | None = None

    good: int = 0
    served: int = 0
    app: App | None = None
    kept: str = ""  # a KeepApp still to be said
    crashes: int = 0
    backing_off: bool = False

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
        case FilesChanged(paths):
            s.answers += s.asked
            s.asked = s.capped = False
            s.dirty |= set(paths)
            s.wanted = s.wanted or bool(paths)
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
        case BuildRequested():
            s.wanted = True
        case RestartRequested():
            if s.good:
                s.good = _next_run(s)
        case QuitRequested(code):
            s.hurried = s.quitting is not None
            if s.quitting is None:
                s.quitting = code


def _record_timer(s: State, timer: Timer) -> None:
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
        case Timer.RESTART:
            if s.backing_off:
                s.backing_off = False
                s.good = _next_run(s)
        case Timer.STEADY:
            s.crashes = 0


def _record_build_end(s: State, build: Build, code: int, same: bool) -> None:
    s.build = None
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
    busy = s.build is not None and not s.build.killed
    if busy and s.wanted and s.policy.cancels and s.cancelled < PATIENCE:
        _kill_build(s, "superseded", commands)


def _keep(s: State, commands: list[Command]) -> None:
    if s.kept and s.app is not None and not s.app.stopping and s.served == s.good:
        commands.append(KeepApp(s.app.run, s.kept))
    s.kept = ""


def _replace_app(s: State, commands: list[Command]) -> None:
    """Bring the app to the newest good run: stop the old one, then start the new one."""
    down = _down(s)
    if s.app is not None and not s.app.stopping and (down or s.app.ended):
        _stop_app(s, s.app, commands)
    # While a build runs it may be writing the very file that would be started; a cancelled one
    # may have left it half written.
    if not s.policy.runs or s.served == s.good or s.build is not None or s.cancelled or down:
        return
    if s.app is None:
        s.served, s.backing_off = s.good, False
        s.app = App(s.good)
        commands.append(StartApp(s.good))
    elif not s.app.stopping:
        _stop_app(s, s.app, commands)


def _down(s: State) -> bool:
    """A broken build takes the app down, if that was asked for."""
    return s.broken and not s.policy.keeps


def _start_build(s: State, commands: list[Command]) -> None:
    if not s.wanted or s.build is not None:
        return
    if not s.policy.builds:
        s.good, s.dirty, s.wanted = _next_run(s), frozenset(), False
        _replace_app(s, commands)
    # A good build waits to be started from before the next one may overwrite it.
    elif not s.policy.runs or s.served == s.good or s.cancelled or _down(s):
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
    if s.app is not None and s.app.expired and s.app.stopping and not s.app.killed:
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
    return wanted
