"""The first half of a step of the core: write a fact down, and do nothing about it.

A fact that is late or comes twice is harmless, because run numbers tell it from the present.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.facts import (
    AppEnded,
    AppExited,
    AppUnready,
    BuildExited,
    BuildRequested,
    ConfigChanged,
    Fact,
    FilesChanged,
    FilesHeld,
    FilesTouched,
    OnExit,
    PauseToggled,
    Quiet,
    QuitRequested,
    RestartRequested,
    Timer,
    TimerFired,
)
from hotrun.state import next_run

if TYPE_CHECKING:
    from hotrun.state import App, Build, State

NOT_READY = 124
"""The exit code of a session that ends because its app did not serve in time (timeout(1))."""


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
        case FilesChanged():
            _record_change(s, fact)
        case TimerFired(timer):
            s.armed.pop(timer, None)
            _record_timer(s, timer)
        case BuildExited(run, code, same):
            if s.build is not None and s.build.run == run:
                _record_build_end(s, s.build, code, same)
        case AppEnded(run):
            if s.app is not None and s.app.run == run and not s.app.stopping:
                s.app = s.app._replace(ended=True)
        case AppExited(run, code):
            if s.app is not None and s.app.run == run:
                _record_app_end(s, s.app, code)
        case AppUnready(run):
            if s.policy.once and s.quitting is None and s.app is not None and s.app.run == run:
                s.quitting = NOT_READY
        case ConfigChanged():
            _record_config(s, fact)
        case BuildRequested():
            s.wanted, s.paused, s.called = True, False, bool(s.steps)
            s.pressed = True
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


def _record_change(s: State, fact: FilesChanged) -> None:
    if s.asked:
        _record_answer(s, fact)
    s.asked = s.capped = False
    s.peering = s.peering and not s.looking
    s.dirty |= set(fact.paths)
    s.steps |= set(fact.steps)
    s.signals |= set(fact.signals)
    s.stale = s.stale or (fact.restart and bool(s.good))
    if fact.paths or fact.steps:  # what failed is tried again: the change may be its cure
        if s.build is not None:
            s.build = s.build._replace(again=True)
        s.called = bool(s.steps)
        s.wanted = s.wanted or s.owed or bool(fact.paths)


def _record_answer(s: State, fact: FilesChanged) -> None:
    s.answers += 1
    held = s.cancelled and (s.wanted or s.called)  # a build that waits for the tree to rest
    if s.capped and (held or fact.paths or fact.steps or fact.restart):
        s.lasting += 1
        if not s.due:  # its end is waited for, or the next burst would be taken for the same one
            s.waiting = s.waiting or Quiet.BURST
    else:
        s.lasting = 0


def _record_config(s: State, fact: ConfigChanged) -> None:
    s.policy = fact.policy
    s.wanted = s.wanted or fact.build or s.owed
    first = fact.build and fact.policy.builds  # and then the app is started anew from it
    s.anew = s.anew or (first and fact.restart)
    s.stale = s.stale or (fact.restart and not first and bool(s.good))
    running = s.build.steps if s.build is not None else frozenset()
    changed, s.steps = s.steps, frozenset(fact.steps)
    if s.build is not None and running <= s.steps:
        s.steps -= running - changed
    elif s.build is not None:
        s.build = s.build._replace(gone=True)
    # What failed is tried again: the config may be its cure.
    s.called, s.owed = bool(s.steps), False
    s.stuck = s.stuck and bool(s.steps or running)


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
                s.build = s.build._replace(expired=True)
        case Timer.STOP_TIMEOUT:
            if s.app is not None:
                s.app = s.app._replace(expired=True)
        case Timer.DUMP:
            if s.app is not None:
                s.app = s.app._replace(given_up=True)
        case Timer.RESTART:
            if s.backing_off:
                s.backing_off = False
                s.good = next_run(s)
        case Timer.STEADY:
            s.crashes = 0


def _record_build_end(s: State, build: Build, code: int, same: bool) -> None:
    s.build = None
    if build.steps:
        _record_step_end(s, build, code)
        return
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
        asked_to_restart = s.anew or s.stale or s.served != s.good
        s.good = max(s.good, build.run)
        s.crashes = 0  # of a program that is not there any more
        s.torn = s.anew = s.stale = False
        if same and not asked_to_restart and s.app is not None and not s.app.stopping:
            s.served = s.good
            s.kept = "same artifact"
    if s.policy.once and s.quitting is None and (s.broken or not s.policy.runs):
        s.quitting = int(s.broken)


def _record_step_end(s: State, build: Build, code: int) -> None:
    """A step that failed is a failed build: nothing is built until something changes."""
    s.stuck = (code != 0 or bool(build.killed)) and not build.gone
    if not s.stuck:
        s.peering, s.looking = not s.policy.once, False
        s.touches += 1  # what it wrote is looked for, whether or not it was heard of
        s.waiting, s.due = s.waiting or Quiet.SAVE, False
        return
    s.steps |= build.steps
    s.called = build.again
    if not s.called:
        s.owed, s.wanted = s.owed or s.wanted, False
    s.kept = "build failed" if s.policy.keeps else ""


def _record_app_end(s: State, app: App, code: int) -> None:
    s.app = None
    if s.quitting is not None or (app.stopping and not app.ended):
        return
    if s.policy.once or s.policy.on_exit is OnExit.EXIT:
        s.quitting = code
    elif s.policy.on_exit is OnExit.RESTART:
        s.crashes += 1
        s.backing_off = True
