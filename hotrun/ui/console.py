"""The console: plain lines for people.

One rule line a cycle: which run, which file, what was done, how long each part took. Lines go
to stderr, so that stdout is the app's alone.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotrun import notices
from hotrun.ui.colour import paint
from hotrun.units import format_duration

if TYPE_CHECKING:
    from hotrun.notices import Notice
    from hotrun.ui.sink import Stream


@dataclass(slots=True)
class Cycle:
    """What is known of the run that is under way."""

    run: int = 0
    cause: str = ""
    built_ms: int | None = None


LONGEST = 400  # characters of a fact or a command
AFTERWARDS = {"wait": "; the next change starts it again", "restart": "; it is started again"}


class Console:
    """A subscriber that writes lines.

    Args:
        stream: Where to.
        colour: Whether escape sequences may be used.
        verbose: Show every fact and command too.
        quiet: Show problems only.
        app: What follows when the app ends by itself: "wait", "restart", "exit"; "" if there
            is no app.
        keeps: A broken build leaves the app running.
        shows_output: Write the output of app and build (off when it goes elsewhere).
    """

    def __init__(
        self,
        stream: Stream,
        *,
        colour: bool = False,
        verbose: bool = False,
        quiet: bool = False,
        app: str = "wait",
        keeps: bool = True,
        shows_output: bool = True,
    ) -> None:
        self._stream = stream
        self._colour = colour
        self._verbose = verbose
        self._quiet = quiet
        self._shows_output = shows_output
        self._cycle = Cycle()
        self._changed = ""  # what changed last: the cause of a restart without a build
        self._stopped = ""  # how the app that is being replaced ended
        self._serving: tuple[int, int] | None = None  # run and pid of the app
        self._on_exit = app
        self._keeps = keeps
        self._held: list[str] = []  # of a quiet build, for the case that it fails

    def __call__(self, notice: Notice) -> None:  # noqa: C901, PLR0912 - one line a notice
        """Say one notice."""
        match notice:
            case notices.Problem():
                self._problem(notice)
            case notices.Output():
                self._output(notice)
            case notices.Trace():
                if self._verbose:
                    self._say("dim", shortened(f"{notice.kind} {notice.text}"))
            case notices.BuildStarted():
                self._build_started(notice)
            case notices.BuildFinished():
                self._build_finished(notice)
            case notices.BuildCancelled():
                self._rule("dim", notice.run, f"build cancelled after {_time(notice.ms)}")
            case notices.AppStarted():
                self._app_started(notice)
            case notices.AppExited():
                self._app_exited(notice)
            case notices.AppKept():
                self._app_kept(notice)
            case notices.AppLingers(_, run, pid, kill_ms):
                text = f"waiting for pid {pid} to stop, SIGKILL in {_time(kill_ms)}"
                self._rule("yellow", run, text)
            case notices.AppKilled():
                self._app_killed(notice)
            case _:
                self._rest(notice)

    def _rest(self, notice: Notice) -> None:
        match notice:
            case notices.SessionStarted(version, _, config, directory):
                self._say("dim", f"hotrun {version}: {config or directory}")
            case notices.Watching():
                self._watching(notice)
            case notices.Changed(_, paths, count, _):
                self._changed = named(paths, count)
            case notices.Unchanged(_, paths, count):
                self._say("dim", f"{named(paths, count)} saved, nothing changed")
            case notices.Overflow(files, ms):
                text = f"event queue overflowed, listed {files} files again in {_time(ms)}"
                self._say("yellow", text)
            case notices.SessionEnded(_, reason):
                self._say("dim", f"hotrun ended: {reason}")
            case _:
                pass

    def _output(self, notice: notices.Output) -> None:
        if self._quiet and notice.source == "build":
            self._held.append(notice.text)
        elif self._shows_output:
            self._write(notice.text)

    def _flush_held(self) -> None:
        for line in self._held if self._shows_output else ():
            self._write(line)
        self._held.clear()

    def _watching(self, notice: notices.Watching) -> None:
        where = f"{_many(notice.files, 'file')} in {_many(notice.directories, 'directory')}"
        text = f"watching {where} ({notice.backend}), listed in {_time(notice.ms)}"
        self._say("dim", text)

    def _build_started(self, notice: notices.BuildStarted) -> None:
        cause = named(notice.paths, notice.count)
        self._cycle = Cycle(notice.run, cause or ("first build" if notice.run == 1 else "rebuild"))
        self._changed = ""
        self._held.clear()
        self._rule("dim", notice.run, notice.command)

    def _build_finished(self, notice: notices.BuildFinished) -> None:
        self._cycle.built_ms = notice.ms
        if not notice.ok:
            self._flush_held()
            said = f"BUILD FAILED (exit {notice.code}) after {_time(notice.ms)}"
            if self._keeps and self._serving is not None:
                run, pid = self._serving
                said += f", #{run} still runs (pid {pid})"
            self._rule("red", notice.run, said)
        elif not self._on_exit:  # otherwise the line of the app's start says it all
            self._rule("green", notice.run, f"built {_time(notice.ms)}")

    def _app_started(self, notice: notices.AppStarted) -> None:
        if self._cycle.run != notice.run:
            self._cycle = Cycle(notice.run, self._changed)
            self._changed = ""
        parts = []
        if self._cycle.built_ms is not None:
            parts.append(f"built {_time(self._cycle.built_ms)}")
        if self._stopped:
            parts.append(self._stopped)
        parts.append(f"{'restarted' if self._stopped else 'started'} pid {notice.pid}")
        self._serving = (notice.run, notice.pid)
        self._stopped = ""
        self._rule("green", notice.run, ", ".join(parts))

    def _app_exited(self, notice: notices.AppExited) -> None:
        how = f"signal {notice.signal}" if notice.signal else f"code {notice.code}"
        self._serving = None
        if notice.expected:
            self._stopped = f"stopped ({how})"
            return
        style = "yellow" if notice.code == 0 else "red"
        text = f"app exited with {how} after {_time(notice.ms)}"
        self._rule(style, notice.run, f"{text}{AFTERWARDS.get(self._on_exit, '')}")

    def _app_kept(self, notice: notices.AppKept) -> None:
        if notice.reason == "same artifact" and self._serving is not None:
            built = _time(self._cycle.built_ms or 0)
            text = f"built {built}, binary unchanged, kept running (pid {self._serving[1]})"
            self._rule("green", self._cycle.run, text)

    def _app_killed(self, notice: notices.AppKilled) -> None:
        why = {"stop_timeout": "did not stop in its time", "asked twice": "asked twice"}
        pids = ", ".join(map(str, notice.pids))
        self._rule("yellow", notice.run, f"SIGKILL (pid {pids}): {why.get(notice.reason, '')}")

    def _problem(self, notice: notices.Problem) -> None:
        style = "red" if notice.severity == "error" else "yellow"
        head = paint(f"{notice.severity}:", "bold", style, on=self._colour)
        self._write(f"{head} {printable(notice.message)}")
        if notice.hint:
            self._write(f"{paint('hint:', 'cyan', on=self._colour)} {printable(notice.hint)}")

    def _rule(self, style: str, run: int, text: str) -> None:
        cause = self._cycle.cause if self._cycle.run == run else ""
        self._say(style, f"-- #{run} " + (f"{cause}: " if cause else "") + text)

    def _say(self, style: str, text: str) -> None:
        if not self._quiet or style == "red":
            self._write(paint(text, style, on=self._colour))

    def _write(self, text: str) -> None:
        # A terminal that went away (EIO) tells us so by SIGHUP; nothing is to be done here.
        with contextlib.suppress(OSError):
            self._stream.write(f"{text}\n")
            self._stream.flush()


def named(paths: list[str], count: int) -> str:
    """Return "main.go" or "main.go +2 more"; what cannot be printed is escaped."""
    if not paths:
        return ""
    first = printable(paths[0])
    return first if count == 1 else f"{first} +{count - 1} more"


def shortened(text: str) -> str:
    """Return a line that a person would read: a burst names thousands of paths."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def printable(text: str) -> str:
    """Return a text in which nothing steers the terminal, and every byte can be written."""
    plain = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in plain)


def _many(count: int, what: str) -> str:
    plural = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{count:,} {what if count == 1 else plural}"


def _time(ms: int) -> str:
    return format_duration(ms / 1000)
