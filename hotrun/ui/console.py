"""The console: plain lines for people.

One rule line a cycle: which run, which file, what was done, how long each part took. Lines go
to stderr, so that stdout is the app's alone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hotrun import notices
from hotrun.ui.colour import paint
from hotrun.ui.keys import HELP
from hotrun.ui.links import Links
from hotrun.ui.report import Report
from hotrun.ui.words import many, named, printable, shortened, size, time, used

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hotrun.notices import Notice
    from hotrun.ui.live import LiveLine
    from hotrun.ui.sink import Stream


@dataclass(slots=True)
class Cycle:
    """What is known of the run that is under way."""

    run: int = 0
    cause: str = ""
    is_step: bool = False  # the command of a rule: no app is started from it
    built_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Manner:
    """How the console speaks, by the options and the config.

    Attributes:
        colour: Escape sequences may be used.
        verbose: Show every fact and command too.
        quiet: Show problems only.
        on_exit: What follows when the app ends by itself: "wait", "restart", "exit"; "" if there
            is no app.
        keeps: A broken build leaves the app running.
        says_ready: The app is asked whether it serves, so that the answer is news.
        shows_output: Write the output of app and build (off when it goes elsewhere).
        keys: Keys are read.
        clears: Clear the screen before each build.
        shares: The app prints to our terminal by itself: a line that changes would be torn.
        links: File positions become links.
    """

    colour: bool = False
    verbose: bool = False
    quiet: bool = False
    on_exit: str = "wait"
    keeps: bool = True
    says_ready: bool = False
    shows_output: bool = True
    keys: bool = False
    clears: bool = False
    shares: bool = False
    links: bool = False


NAMED = 60  # characters of the command of a process that was killed
LOOP = 3  # ends in a row that are no accident any more


class Console:
    """A subscriber that writes lines.

    Args:
        stream: Where to.
        manner: How.
        out: Where the app's stdout goes, when it is read at all.
        live: A line for what lasts; None: there is no terminal.
    """

    def __init__(
        self,
        stream: Stream,
        manner: Manner = Manner(),
        *,
        out: Stream | None = None,
        live: LiveLine | None = None,
    ) -> None:
        self._stream = stream
        self._out = out if out is not None else stream
        self._live = live
        self._manner = manner
        self._cycle = Cycle()
        self._changed = ""  # what changed last: the cause of a restart without a build
        self._stopped = ""  # how the app that is being replaced ended
        self._serving: tuple[int, int] | None = None  # run and pid of the app
        self._report = Report()
        self._paused = False
        self._held: list[str] = []  # of a quiet build, for the case that it fails
        self._links = Links(on=manner.links)
        self._ways = self._each_way()

    def __call__(self, notice: Notice) -> None:
        """Say one notice."""
        is_over = self._report.note(notice)
        if (say := self._ways.get(type(notice))) is not None:
            say(notice)
        if is_over and self._manner.verbose:
            self._explain()

    def _explain(self) -> None:
        self._write("\n".join(map(printable, self._report.lines())))

    def _each_way(self) -> dict[type, Callable[[Any], None]]:
        """What is said of each notice; of the others nothing is."""
        return {
            notices.Problem: self._problem,
            notices.Output: self._output,
            notices.Trace: self._trace,
            notices.SessionStarted: self._session_started,
            notices.Watching: self._watching,
            notices.Listening: self._listening,
            notices.ConfigChanged: self._config_changed,
            notices.Changed: self._changed_files,
            notices.Unchanged: self._unchanged,
            notices.Ignored: self._ignored,
            notices.Overflow: self._overflow,
            notices.BuildStarted: self._build_started,
            notices.BuildFinished: self._build_finished,
            notices.BuildCancelled: self._build_cancelled,
            notices.AppStarted: self._app_started,
            notices.AppReady: self._app_ready,
            notices.AppKept: self._app_kept,
            notices.AppSignalled: self._app_signalled,
            notices.AppLingers: self._lingers,
            notices.AppDumped: self._app_dumped,
            notices.AppKilled: self._app_killed,
            notices.AppLeaked: self._app_leaked,
            notices.AppExited: self._app_exited,
            notices.AppBacksOff: self._backs_off,
            notices.Status: self._status,
            notices.Paused: self._tell_paused,
            notices.SessionEnded: self._session_ended,
        }

    # --- of the session and its files ---

    def _session_started(self, notice: notices.SessionStarted) -> None:
        self._links.begin(notice.directory)
        keys = "; ? shows the keys" if self._manner.keys else ""
        where = printable(notice.config or notice.directory)
        self._say("dim", f"hotrun {notice.version}: {where}{keys}")

    def _listening(self, notice: notices.Listening) -> None:
        self._say("dim", f"holding {', '.join(notice.addresses)} open across restarts")

    def _config_changed(self, notice: notices.ConfigChanged) -> None:
        name = os.path.basename(notice.file)
        self._say("yellow", f"{name} changed: {', '.join(notice.keys)}")

    def _changed_files(self, notice: notices.Changed) -> None:
        self._changed = named(notice.paths, notice.count)

    def _unchanged(self, notice: notices.Unchanged) -> None:
        self._say("dim", f"{named(notice.paths, notice.count)} saved, nothing changed")

    def _ignored(self, notice: notices.Ignored) -> None:
        self._say("dim", f"{named(notice.paths, notice.count)} changed; {notice.reason}")

    def _overflow(self, notice: notices.Overflow) -> None:
        text = f"event queue overflowed, listed {notice.files} files again in {time(notice.ms)}"
        self._say("yellow", text)

    def _tell_paused(self, notice: notices.Paused) -> None:
        self._paused = notice.on
        text = "paused: changes wait for p, r or s"
        self._say("yellow", text if notice.on else "goes on: changes count again")

    def _session_ended(self, notice: notices.SessionEnded) -> None:
        self._hide()
        self._say("dim", f"hotrun ended: {notice.reason}")

    def _trace(self, notice: notices.Trace) -> None:
        if self._manner.verbose:
            self._say("dim", shortened(f"{notice.kind} {notice.text}"))

    # --- what a key asks of us ---

    def act(self, action: str) -> bool:
        """Do what only the screen is needed for: "clear", "explain", "help" or "line".

        Returns:
            Whether it was one of these.
        """
        match action:
            case "clear":
                self._clear()
            case "explain":
                self._explain()
            case "help":
                self._write(HELP.rstrip())
                return False  # and how the app is
            case "line":
                self._write("")
            case _:
                return False
        return True

    def adopt(self, manner: Manner, because: Callable[[str], str]) -> None:
        """Speak by a config.

        Args:
            manner: How.
            because: Says of a file why it is watched, in a line.
        """
        self._manner = manner
        self._report.because = because

    # --- lines ---

    def _clear(self) -> None:
        # What stood there can still be scrolled to: a whole screen of lines goes first.
        rows = shutil.get_terminal_size().lines
        self._write("\n" * (rows - 1) + "\x1b[H\x1b[J", end="")

    def _output(self, notice: notices.Output) -> None:
        if self._manner.quiet and notice.source == "build":
            self._held.append(notice.text)
        elif self._manner.shows_output:
            is_app = notice.source == "app" and notice.stream == "stdout"
            text = notice.text if notice.source == "app" else self._links(notice.text)
            self._write(text, end="", to=self._out if is_app else self._stream)

    def _flush_held(self) -> None:
        if self._held and self._manner.shows_output:
            self._write(self._links("".join(self._held)), end="")
        self._held.clear()

    def _show(self, text: Callable[[float], str], first: float | None = None) -> None:
        if self._live is not None and not self._manner.quiet:
            self._live.show(text, *(() if first is None else (first,)))

    def _hide(self) -> None:
        if self._live is not None:
            self._live.hide()

    def _lingers(self, notice: notices.AppLingers) -> None:
        if self._live is None or self._manner.shares:
            left = time(notice.kill_ms)
            text = f"waiting for pid {notice.pid} to stop, SIGKILL in {left} (Ctrl-C: at once)"
            self._rule("yellow", notice.run, text)
            return
        until, pid = notice.kill_ms / 1000, notice.pid
        self._show(
            lambda seconds: (
                f"waiting for pid {pid} to stop, SIGKILL in {max(0.0, until - seconds):.1f} s"
            ),
            0.0,
        )

    def _backs_off(self, notice: notices.AppBacksOff) -> None:
        after = f"it is started again in {time(notice.ms)}"
        if notice.crashes < LOOP:
            self._say("yellow", after)
        else:
            self._say("red", f"a crash loop: {notice.crashes} ends in a row; {after}")

    def _status(self, notice: notices.Status) -> None:
        paused = ", paused" if notice.paused else ""
        if notice.pid is None:
            self._say("dim", f"no app runs{paused}; s starts it")
            return
        processes = many(notice.processes, "process")
        used = f"{notice.cpu:.0f} % cpu, {size(notice.memory)}"
        text = f"app #{notice.run}, pid {notice.pid}, up {time(notice.ms)}: {processes}, {used}"
        self._say("dim", f"{text}{paused}")

    def _watching(self, notice: notices.Watching) -> None:
        where = f"{many(notice.files, 'file')} in {many(notice.directories, 'directory')}"
        text = f"watching {where} ({notice.backend}), listed in {time(notice.ms)}"
        self._say("dim", text)

    def _build_started(self, notice: notices.BuildStarted) -> None:
        if self._manner.clears:
            self._clear()
        cause = named(notice.paths, notice.count)
        cause = cause or ("first build" if notice.run == 1 else "rebuild")
        self._cycle = Cycle(notice.run, cause, is_step=notice.key != "build.command")
        self._changed = ""
        self._held.clear()
        self._links.begin(command=notice.command)
        self._rule("dim", notice.run, notice.command)
        run = notice.run
        if self._serving is None or not self._manner.shares:
            self._show(lambda seconds: f"-- #{run} building for {seconds:.1f} s")

    def _build_finished(self, notice: notices.BuildFinished) -> None:
        self._hide()
        self._cycle.built_ms = notice.ms
        if not notice.ok:
            self._flush_held()
            said = f"BUILD FAILED (exit {notice.code}) after {time(notice.ms)}"
            if self._manner.keeps and self._serving is not None:
                run, pid = self._serving
                said += f", #{run} still runs (pid {pid})"
            self._rule("red", notice.run, said)
        elif self._cycle.is_step:
            self._rule("green", notice.run, f"done in {time(notice.ms)}")
        elif self._paused and self._serving is not None:
            self._rule("green", notice.run, f"built {time(notice.ms)}, waits for p, r or s")
        elif not self._manner.on_exit:  # otherwise the line of the app's start says it all
            self._rule("green", notice.run, f"built {time(notice.ms)}")

    def _build_cancelled(self, notice: notices.BuildCancelled) -> None:
        self._hide()
        self._rule("dim", notice.run, f"build cancelled after {time(notice.ms)}")

    def _app_ready(self, notice: notices.AppReady) -> None:
        if self._manner.says_ready:
            self._rule("green", notice.run, f"ready after {time(notice.ms)}")

    def _app_signalled(self, notice: notices.AppSignalled) -> None:
        cause = f"{self._changed}: " if self._changed else ""
        self._say("green", f"-- #{notice.run} {cause}sent {notice.signal}")

    def _app_dumped(self, notice: notices.AppDumped) -> None:
        self._rule("yellow", notice.run, f"the stacks of what hung are in {notice.file}")

    def _app_started(self, notice: notices.AppStarted) -> None:
        if self._cycle.run != notice.run:
            self._cycle = Cycle(notice.run, self._changed)
            self._changed = ""
        parts = []
        if self._cycle.built_ms is not None:
            parts.append(f"built {time(self._cycle.built_ms)}")
        if self._stopped:
            parts.append(self._stopped)
        parts.append(f"{'restarted' if self._stopped else 'started'} pid {notice.pid}")
        self._serving = (notice.run, notice.pid)
        self._stopped = ""
        self._rule("green", notice.run, ", ".join(parts))

    def _app_exited(self, notice: notices.AppExited) -> None:
        how = f"signal {notice.signal}" if notice.signal else f"code {notice.code}"
        self._serving = None
        self._hide()
        if notice.expected:
            self._stopped = f"stopped ({how})"
            return
        style = "yellow" if notice.code == 0 else "red"
        text = f"app exited with {how} after {time(notice.ms)}{used(notice)}"
        self._rule(style, notice.run, f"{text}{self._afterwards()}")

    def _afterwards(self) -> str:
        if self._manner.on_exit != "wait":
            return ""
        return f"; {'s or ' if self._manner.keys else ''}the next change starts it again"

    def _app_kept(self, notice: notices.AppKept) -> None:
        if notice.reason == "same artifact" and self._serving is not None:
            built = time(self._cycle.built_ms or 0)
            text = f"built {built}, binary unchanged, kept running (pid {self._serving[1]})"
            self._rule("green", self._cycle.run, text)

    def _app_killed(self, notice: notices.AppKilled) -> None:
        self._hide()
        why = {"stop_timeout": "did not stop in its time", "asked twice": "it was asked for twice"}
        text = f"SIGKILL (pid {_each(notice.pids, notice.commands)}): {why.get(notice.reason, '')}"
        self._rule("yellow", notice.run, text)

    def _app_leaked(self, notice: notices.AppLeaked) -> None:
        named = _each(notice.pids, notice.commands)
        self._rule("yellow", notice.run, f"outlived the app, and is stopped: pid {named}")

    def _problem(self, notice: notices.Problem) -> None:
        style = "red" if notice.severity == "error" else "yellow"
        head = paint(f"{notice.severity}:", "bold", style, on=self._manner.colour)
        self._write(f"{head} {self._links(printable(notice.message))}")
        if notice.excerpt:
            self._write("\n".join(map(printable, notice.excerpt.split("\n"))))
        if notice.hint:
            self._write(
                f"{paint('hint:', 'cyan', on=self._manner.colour)} {printable(notice.hint)}"
            )

    def _rule(self, style: str, run: int, text: str) -> None:
        cause = self._cycle.cause if self._cycle.run == run else ""
        self._say(style, f"-- #{run} " + (f"{cause}: " if cause else "") + text)

    def _say(self, style: str, text: str) -> None:
        if not self._manner.quiet or style == "red":
            self._write(paint(text, style, on=self._manner.colour))

    def _write(self, text: str, end: str = "\n", to: Stream | None = None) -> None:
        if self._live is not None:
            self._live.give_way()
        stream = to if to is not None else self._stream
        # A terminal that went away (EIO) tells us so by SIGHUP; nothing is to be done here.
        with contextlib.suppress(OSError):
            stream.write(text + end)
            stream.flush()


def _each(pids: Iterable[int], commands: Iterable[str]) -> str:
    """Name processes: pid and what it ran."""
    ran = zip(pids, commands, strict=True)
    return ", ".join(f"{pid} {printable(command)[:NAMED]}".rstrip() for pid, command in ran)
