"""The checks at the end: the app stops when it is asked to, and nothing is left of it."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from hotrun.process import tree
from hotrun.project.smoke import edit, left
from hotrun.project.smoke.check import (
    FailedError,
    Found,
    InterruptedByError,
    LateError,
    OutOfTimeError,
    SkippedError,
)
from hotrun.project.smoke.heard import how
from hotrun.units import format_duration

if TYPE_CHECKING:
    from hotrun.project.smoke.live import Live
    from hotrun.project.smoke.session import Event

LONGEST = 100  # characters of a command that are shown
# Seconds between two requests to end at once: hotrun takes what comes together for a single one
# (hotrun.signals), and the kernel what it could not deliver yet.
AGAIN = 0.1
DUE = 5.0  # seconds in which hotrun tells of an end that there has been
KILLED = 10.0  # seconds in which a hotrun that was asked twice is gone


def stop(live: Live) -> Found:
    """The stop signal ends the app in its time, and hotrun with it."""
    heard = live.heard
    live.has_time_to_end()
    interrupted = _caught_up(live)
    live.learn()
    stat = tree.read(heard.pid) if heard.pid else None
    if heard.pid and (stat is None or not stat.alive):  # dead, and hotrun is about to say so
        interrupted = _caught_up(live, "app_exited") or interrupted
    before = heard.exited
    heard.forget()
    hear_out(live, interrupted)
    if not heard.run:
        raise SkippedError("no app was started")
    if before is not None:
        return _ended_before(live, before)
    if heard.exited is None:
        raise FailedError("hotrun ended without its app", "`hotrun leftovers` lists what it left")
    if not heard.exited["expected"]:  # by itself, between our last look and what we asked
        return _ended_before(live, heard.exited)
    _is_graceful(live)
    heard.forget()
    return Found(f"{heard.stopping}: the app ended with {how(heard.exited)}")


def clean(live: Live) -> Found:
    """The edit is undone, and neither a process nor a port is left."""
    notes = []
    try:
        live.undo()
    except edit.TheirsError as error:
        notes.append(str(error))
    except edit.NotUndoneError as error:
        raise FailedError(str(error), "copy it back by hand") from error
    leaked = live.heard.leaked | {each.process.pid: each.command for each in left.stop(live.cookie)}
    held = left.held(live.ports)
    if leaked:
        what = f"the app left processes behind, which were stopped: {_listed(leaked)}"
        raise FailedError(what, "let it end what it starts, and wait for it, before it ends itself")
    if held:
        raise FailedError(*held[0])
    ports = ", ".join(map(str, sorted(live.ports)))
    return Found(f"no process is left, and no port{f' ({ports})' if ports else ''}", notes)


def _caught_up(live: Live, *due: str) -> InterruptedByError | None:
    """Hear whether the app has ended by itself meanwhile, and whether we are asked to end.

    Args:
        live: The smoke test.
        due: The names of events, of which one comes at once; none: hear what was said by now.
    """
    try:
        if due:
            live.wait(*due, within=DUE)
        else:
            live.catch_up()
    except InterruptedByError as error:
        return error
    except (LateError, OutOfTimeError):
        pass
    return None


def hear_out(live: Live, interrupted: InterruptedByError | None = None) -> None:
    """Ask hotrun to end, and hear all it says; who asks us meanwhile wants it at once."""
    live.session.send(signal.SIGTERM)
    while True:
        again = AGAIN if live.session.asked > 1 else None
        try:
            if live.wait("session_ended", within=again) is None:
                break
        except InterruptedByError as error:
            interrupted = error
        except LateError:
            live.session.send(signal.SIGTERM)
        except OutOfTimeError:
            live.session.kill()
            said = tuple(live.session.said)
            raise FailedError("hotrun did not end, and was killed", output=said) from None
    live.session.ends(time.monotonic() + KILLED)
    if interrupted is not None:
        raise interrupted


def _ended_before(live: Live, event: Event) -> Found:
    if event["code"] == 0:
        return Found("the app had run to its end, with code 0")
    if live.failed:
        raise SkippedError("the app had ended by itself")
    raise FailedError(
        f"the app ended by itself, with {how(event)}, before it was asked to",
        output=live.heard.printed("app"),
        places=live.heard.traced(),
    )


def _is_graceful(live: Live) -> None:
    """Raise what is wrong with a stop that SIGKILL was needed for; a leak is told of elsewhere."""
    heard = live.heard
    killed = {pid: what for pid, what in heard.killed.items() if pid not in heard.leaked}
    if not killed or live.config.run is None:
        return
    seconds = format_duration(live.config.run.stop_timeout)
    raise FailedError(
        f"{heard.stopping} did not end the app in {seconds}, so it was killed: {_listed(killed)}",
        "let it end on that signal, or set run.stop_signal or run.stop_timeout",
        output=heard.printed("app"),
    )


def _listed(processes: dict[int, str]) -> str:
    return ", ".join(f"pid {pid} ({what[:LONGEST] or '?'})" for pid, what in processes.items())
