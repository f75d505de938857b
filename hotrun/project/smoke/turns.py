"""The checks that are made while the session runs: from the watcher to an edit that reloads."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from hotrun import variables
from hotrun.project.smoke import ending
from hotrun.project.smoke.check import LATE, FailedError, Found, LateError, SkippedError
from hotrun.project.smoke.heard import how, worded
from hotrun.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hotrun.project.smoke.live import Live
    from hotrun.project.smoke.session import Event

# Seconds that an app may still start in after a problem was told: it need not be about the start.
START = 1.0
# Seconds beyond the time of run.ready: two clocks, and the last answer on its way.
SLACK = 0.5
NOTICE = 15.0  # seconds in which hotrun says what is due, beside what the config gives it
# A variable for a port. One for a password has a "@" behind it, and one of the path a "/" before.
_PORT = re.compile(r"(?:\w+://)?[^/?#]*:(?P<port>\$\{\w+(?::-[0-9]*)?\})(?=[/?#]|$)")
NO_APP = "there is no app ([run])"


def watch(live: Live) -> Found:
    """The trees are watched and listed."""
    event = live.expect("watching")
    files, directories = event["files"], event["directories"]
    return Found(
        f"{files} {'file' if files == 1 else 'files'} in {directories} "
        f"{'directory' if directories == 1 else 'directories'} ({event['backend']})",
        live.notes,
    )


def build(live: Live) -> Found:
    """The first build succeeds."""
    if live.config.build is None:
        raise SkippedError("there is nothing to build ([build])")
    live.heard.forget()
    command = live.expect("build_started")["command"]
    _succeeds(live, live.expect("build_finished"), command)
    return Found(command)


def start(live: Live) -> Found:
    """The app starts."""
    if live.config.run is None:
        raise SkippedError(NO_APP)
    live.heard.forget()
    event = live.expect("app_started", "problem")
    while event["event"] == "problem":
        if event["severity"] == "error":
            event = _started_all_the_same(live)
        else:
            event = live.expect("app_started", "problem")
    return Found(f"pid {event['pid']}")


def ready(live: Live) -> Found:
    """The app serves; a program that runs to its end does so with code 0."""
    if live.config.run is None:
        raise SkippedError(NO_APP)
    return Found(_serves(live))


def edited(live: Live) -> Found:
    """An edit reloads: what had to be built or started again, was."""
    name = live.subject.name
    live.heard.forget()
    try:
        live.save()
    except OSError as error:
        what = f"{name} cannot be edited: {error.strerror}"
        raise FailedError(what, "name another file with --edit FILE") from error
    return Found(f"{name}: {_reloads(live, name)}")


CHECKS: dict[str, Callable[[Live], Found]] = {
    "watch": watch,
    "build": build,
    "start": start,
    "ready": ready,
    "reload": edited,
}


def _succeeds(live: Live, event: Event, command: str) -> None:
    """Let a build that failed be what a check failed for."""
    if event["ok"]:
        return
    if live.heard.problems:  # its command was not found, or took too long
        raise live.refused(source="build")
    raise FailedError(
        f"{command} failed (exit {event['code']})",
        "mend what it says, or try it by hand",
        output=live.heard.printed("build"),
        places=live.heard.complaints(event["diagnostics"]),
    )


def _started_all_the_same(live: Live) -> Event:
    """Wait a little longer for an app of which a problem was told."""
    try:
        return live.expect("app_started", within=START)
    except LateError:
        raise live.refused() from None


def _serves(live: Live) -> str:
    """Wait until the app that was started last is ready, and say how that was found out."""
    run = live.config.run
    limit = run.ready.timeout + SLACK if run is not None and run.ready is not None else None
    try:
        event = live.expect("app_ready", "app_exited", within=limit)
        while event["event"] == "app_exited" and event["expected"]:
            _replaced(live)
            event = live.expect("app_ready", "app_exited", within=limit)
    except LateError:
        live.learn()
        raise _not_ready(live) from None
    if event["event"] == "app_ready":
        live.learn()
        return _asked(live, event["ms"])
    if event["code"] == 0 and limit is None:
        return f"it ran to its end with code 0 in {_time(event['ms'])}"
    raise _ended(live, event)


def _ended(live: Live, event: Event) -> FailedError:
    """Return what to say of an app that ended, and was to serve.

    Who holds its port is told after its end, and looked for in all processes: it is heard out.
    """
    live.learn()
    live.has_time_to_end()
    ending.hear_out(live)
    what = f"the app ended with {how(event)} after {_time(event['ms'])}"
    hint = "look at what it printed" if live.heard.printed("app") else ""
    if event["code"] == 0:
        what, hint = f"{what}, before it was ready", "run.ready says how it is asked"
    if live.heard.problems:
        hint = worded(live.heard.take())
    return FailedError(what, hint, output=live.heard.printed("app"), places=live.heard.traced())


def _replaced(live: Live) -> None:
    """Wait for the next app: something else has changed, and this one was stopped for it."""
    event = live.expect("app_started", "build_finished")
    while event["event"] == "build_finished":
        _succeeds(live, event, "the build of a later change")
        event = live.expect("app_started", "build_finished")


def _not_ready(live: Live) -> FailedError:
    if not live.heard.problems:  # hotrun says so itself, on a busy machine a while after its time
        with suppress(LateError):
            live.expect("problem", "app_ready", "app_exited", within=NOTICE)
    if live.heard.problems:
        failed = live.refused(LATE)
    else:
        failed = FailedError("the app is not ready", code=LATE, output=live.heard.printed("app"))
    return failed


def _asked(live: Live, ms: int) -> str:
    form = live.config.run.ready if live.config.run is not None else None
    if form is None:
        return f"it is still alive after {_time(ms)}"
    if form.log:
        return f"it printed /{form.log}/ after {_time(ms)}"
    address = with_port(form.http or form.tcp, live.environment())
    what = f"GET {address}" if form.http else f"a connection to {address}"
    return f"{what} after {_time(ms)}"


def with_port(address: str, env: Mapping[str, str]) -> str:
    """Return an address with its port as a number; other variables may hold what is secret."""
    match = _PORT.match(address)
    if match is None:
        return address
    try:
        port = variables.expand(match["port"], env)
    except variables.ExpandError:
        return address
    return f"{address[: match.start('port')]}{port}{address[match.end('port') :]}"


def _reloads(live: Live, name: str) -> str:
    """Follow the edit until the app that has it is ready, and say what became of it."""
    _noticed(live, name)
    if live.subject.action == "signal":
        return f"the app was sent {live.expect('app_signalled')['signal']}, as its [[rule]] says"
    built = command = ""
    while True:
        event = _turn(live)
        if event["event"] == "build_started":
            command = event["command"]
        elif event["event"] == "build_finished":
            _succeeds(live, event, command)
            built = f"built in {_time(event['ms'])}, "
            if live.subject.action == "command":
                return f"{command} ran in {_time(event['ms'])}, as its [[rule]] says"
            if live.config.run is None:
                return built.removesuffix(", ")
        elif event["event"] == "app_kept":
            return f"{built}the same bytes, so the app (pid {live.heard.pid}) was kept"
        else:
            return f"{built}restarted as pid {event['pid']}: {_serves(live)}"


def _turn(live: Live) -> Event:
    """Return the next event on the way from a change to the app that has it."""
    names = ("build_started", "build_finished", "app_kept", "app_started")
    event = live.expect(*names, "problem")
    while event["event"] == "problem":
        # Between two apps: the next one, or a command before it, could not be started.
        if event["severity"] == "error" and live.heard.exited is not None:
            return _started_all_the_same(live)
        event = live.expect(*names, "problem")
    return event


def _noticed(live: Live, name: str) -> None:
    """Wait for the edit to be noticed; what is polled takes its time."""
    watched = live.config.watch
    limit = NOTICE + 2 * watched.poll_interval + watched.max_wait
    paths: list[str] = []
    while name not in paths:
        try:
            event = live.expect("changed", "ignored", "unchanged", within=limit)
        except LateError:
            what = f"the edit of {name} was not noticed in {format_duration(limit)}"
            raise FailedError(what, f"`hotrun explain {name}` says what its change does") from None
        paths = event["paths"]
        if name in paths and event["event"] != "changed":
            why = event.get("reason", "it holds the same bytes as before")
            hint = f"`hotrun explain {name}` says why; name another file with --edit FILE"
            raise FailedError(f"the edit of {name} builds nothing: {why}", hint)


def _time(ms: int) -> str:
    return format_duration(ms / 1000)
