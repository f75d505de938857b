"""The core: it decides whether to build, stop or start, and does none of it.

Law: facts go in, commands come out. This file reads no clock, no disk and no process table;
the driver (session.py) owns seconds, files and processes. ``step`` is ``record`` (write the
fact down, record.py) followed by ``reconcile`` (compare what is with what should be). Nobody
asks how we got here: ``reconcile`` looks at the state alone, so a fact that is late or comes
twice is harmless, because run numbers tell it from the present.

Words: a *run* is the number of one cycle. A build takes a number; the app started from it
carries the same one; a restart without a build takes a number of its own. ``good`` is the run
that should be served, ``served`` the run an app was last started for: while they differ, the
app has to be replaced.

The command of a rule is a *step*: a run of its own before the build, one rule at a time. What it
writes are changes like any other, so the build waits until the tree was looked at again.
"""

from __future__ import annotations

from hotrun.facts import (
    ClearTimer,
    Command,
    Dump,
    Exit,
    Fact,
    KeepApp,
    Kill,
    Quiet,
    Send,
    SetTimer,
    Sift,
    StartApp,
    StartBuild,
    StartStep,
    Stop,
    Timer,
)
from hotrun.record import NOT_READY, record
from hotrun.state import App, Build, State, next_run

__all__ = ["NOT_READY", "PATIENCE", "State", "reconcile", "record", "step"]

PATIENCE = 2
"""Builds that may be cancelled in a row before one is let finish (no starvation)."""


def step(state: State, fact: Fact) -> tuple[State, list[Command]]:
    """Take one fact; the old state is left as it was.

    Returns:
        The new state and what the driver has to do now, in order.
    """
    new = state.copy()
    record(new, fact)
    return new, reconcile(new)


def reconcile(s: State) -> list[Command]:
    """Return what has to be done so that what is becomes what should be."""
    if s.exited:
        return []
    commands: list[Command] = []
    if s.quitting is None:
        _settle(s, commands)
        _supersede(s, commands)
        _go_without_build(s)
        _renew(s)
        _keep(s, commands)
        _replace_app(s, commands)
        _signal(s, commands)
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
        s.due, s.asked, s.looking = False, True, s.peering
        commands.append(Sift(last=s.capped))


def _supersede(s: State, commands: list[Command]) -> None:
    # A step is let finish: what changes meanwhile is often what it writes.
    busy = s.build is not None and not s.build.steps and not s.build.killed and not s.paused
    new = s.wanted or s.called
    if busy and new and s.policy.cancels and s.cancelled < PATIENCE:
        _kill_build(s, "superseded", commands)


def _keep(s: State, commands: list[Command]) -> None:
    if s.kept and s.app is not None and not s.app.stopping and s.served == s.good:
        commands.append(KeepApp(s.app.run, s.kept))
    s.kept = ""


def _go_without_build(s: State) -> None:
    """With no build command the tree is good as it is."""
    if s.wanted and not (s.policy.builds or s.called or s.peering or s.build):
        s.good, s.dirty, s.wanted, s.owed = next_run(s), frozenset(), False, False
        s.crashes = s.cancelled = 0  # of a program and builds that are not there any more
        # Nor do the builds count that there were before the config lost its command.
        s.broken = s.torn = s.stale = False


def _renew(s: State) -> None:
    """What is stale is a run of its own, as soon as an app may be started."""
    if s.stale and not (s.paused or s.peering or _down(s)):
        s.good, s.stale = next_run(s), False


def _replace_app(s: State, commands: list[Command]) -> None:
    """Bring the app to the newest good run: stop the old one, then start the new one."""
    down = _down(s)
    if s.app is not None and not s.app.stopping and (down or s.app.ended):
        s.stale = s.stale or not s.app.ended  # it was not its own wish
        _stop_app(s, s.app, commands)
    if s.paused and s.app is not None and not s.app.stopping:
        return
    # While a build runs it may be writing the very file that would be started; one that was
    # killed may have left it half written.
    if not s.policy.runs or s.served == s.good or s.build is not None or s.torn or down:
        return
    if s.app is None:
        s.served, s.backing_off, s.stale = s.good, False, False
        s.signals = frozenset()  # it reads everything at its start
        s.app = App(s.good)
        commands.append(StartApp(s.good))
    elif not s.app.stopping:
        _stop_app(s, s.app, commands)


def _down(s: State) -> bool:
    """A broken build takes the app down, if that was asked for; so does a config without one."""
    return ((s.broken or s.stuck) and not s.policy.keeps) or not s.policy.runs


def _signal(s: State, commands: list[Command]) -> None:
    """Pass signals of rules on; one that is not there, or stops, needs none."""
    if s.paused:
        return
    if s.app is not None and not s.app.stopping:
        commands += [Send(s.app.run, number) for number in sorted(s.signals)]
    s.signals = frozenset()


def _start_build(s: State, commands: list[Command]) -> None:
    if s.build is not None or s.paused or s.peering or not (s.called or s.wanted):
        return
    # What has overtaken a build would overtake the next one too; but the bound counts.
    if s.cancelled and not (s.lasting or s.pressed) and (s.waiting is not None or s.asked):
        return
    # A good build waits to be started from before the next one may overwrite it.
    if s.policy.runs and s.served != s.good and not (s.torn or _down(s)):
        return
    s.pressed = False
    if s.called:
        commands.append(_start_step(s))
    elif s.policy.builds:
        s.build = Build(next_run(s), s.dirty)
        s.dirty, s.wanted, s.owed = frozenset(), False, False
        commands.append(StartBuild(s.build.run, s.build.paths))


def _start_step(s: State) -> StartStep:
    """The rules take their turns in the order of the config."""
    first = min(s.steps).rule
    steps = frozenset(step for step in s.steps if step.rule == first)
    s.build = Build(next_run(s), frozenset(), steps)
    s.steps -= steps
    s.called = bool(s.steps)
    return StartStep(s.build.run, steps)


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
        s.app = s.app._replace(dumped=True)
        commands.append(Dump(s.app.run))
    elif s.app.given_up or not s.policy.dumps:
        _kill_app(s, s.app, "stop_timeout", commands)


def _kill_build(s: State, reason: str, commands: list[Command]) -> None:
    if s.build is not None:
        s.build = s.build._replace(killed=reason)
        commands.append(Kill(s.build.run, reason))


def _stop_app(s: State, app: App, commands: list[Command]) -> None:
    s.app = app._replace(stopping=True)
    commands.append(Stop(app.run))


def _kill_app(s: State, app: App, reason: str, commands: list[Command]) -> None:
    s.app = app._replace(killed=True)
    commands.append(Kill(app.run, reason))


def _quiet(s: State, waiting: Quiet) -> Quiet:
    """What has overtaken a build, and none has ended since, has to come to rest first."""
    overtaken = s.cancelled > 0 or (s.build is not None and s.build.killed == "superseded")
    return Quiet.LULL if overtaken and not s.peering and waiting is not Quiet.HOLD else waiting


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
            wanted[Timer.SETTLE] = (_quiet(s, s.waiting), s.touches)
        if (s.waiting is not None or s.due or s.asked) and not s.capped:
            wanted[Timer.SETTLE_CAP] = (s.lasting, s.answers)
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
