"""The console: plain lines for people.

It hears the notices and hands each to who has something to say of it; what there is to say of the
session and its files stands here, of builds and the app in app_lines.py. Lines go to stderr, so
that stdout is the app's alone.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from hotrun import notices
from hotrun.ui.app_lines import AppLines
from hotrun.ui.colour import paint
from hotrun.ui.held import Held
from hotrun.ui.keys import HELP
from hotrun.ui.links import Links
from hotrun.ui.report import Report
from hotrun.ui.voice import Manner, Voice
from hotrun.ui.words import many, named, printable, shortened, time

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.notices import Notice
    from hotrun.ui.live import LiveLine
    from hotrun.ui.sink import Stream

__all__ = ["Console", "Manner"]


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
        manner: Manner,
        *,
        out: Stream | None = None,
        live: LiveLine | None = None,
    ) -> None:
        self._voice = Voice(stream, manner, live)
        self._streams = (stream, out if out is not None else stream)
        self._app = AppLines(self._voice)
        self._report = Report()
        self._held = Held()
        self._links = Links(on=manner.links)
        self._ways = self._app.ways() | self._each_way()

    def __call__(self, notice: Notice) -> None:
        """Say one notice."""
        is_over = self._report.note(notice)
        if isinstance(notice, notices.BuildStarted):
            self._begin(notice)
        elif isinstance(notice, notices.BuildFinished):
            self._end(notice)
        if (say := self._ways.get(type(notice))) is not None:
            say(notice)
        if is_over and self._voice.manner.verbose:
            self._explain()

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
            notices.Paused: self._tell_paused,
            notices.SessionEnded: self._session_ended,
        }

    # --- what a key, or another config, asks of us ---

    def act(self, action: str) -> bool:
        """Do what only the screen is needed for: "clear", "explain", "help" or "line".

        Returns:
            Whether it was one of these.
        """
        match action:
            case "clear":
                self._voice.clear()
            case "explain":
                self._explain()
            case "help":
                self._voice.write(HELP.rstrip())
                return False  # and how the app is
            case "line":
                self._voice.write("")
            case _:
                return False
        self._app.red.again()
        return True

    def adopt(self, manner: Manner, because: Callable[[str], str]) -> None:
        """Speak by a config.

        Args:
            manner: How.
            because: Says of a file why it is watched, in a line.
        """
        self._voice.manner = manner
        self._report.because = because

    def _explain(self) -> None:
        self._voice.write("\n".join(map(printable, self._report.lines())))

    # --- of the session and its files ---

    def _session_started(self, notice: notices.SessionStarted) -> None:
        self._links.begin(notice.directory)
        keys = "; ? shows the keys" if self._voice.manner.keys else ""
        where = printable(notice.config or notice.directory)
        self._voice.say("dim", f"hotrun {notice.version}: {where}{keys}")

    def _watching(self, notice: notices.Watching) -> None:
        where = f"{many(notice.files, 'file')} in {many(notice.directories, 'directory')}"
        text = f"watching {where} ({notice.backend}), listed in {time(notice.ms)}"
        self._voice.say("dim", text)

    def _listening(self, notice: notices.Listening) -> None:
        self._voice.say("dim", f"holding {', '.join(notice.addresses)} open across restarts")

    def _config_changed(self, notice: notices.ConfigChanged) -> None:
        name = os.path.basename(notice.file)
        if not notice.keys:  # it was bad, or gone, for a while
            self._voice.say("yellow", f"{name} is good again, and says what counts already")
            return
        self._voice.say("yellow", f"{name} changed: {', '.join(notice.keys)}")
        if "rule" in notice.keys:
            self._app.red.forget_rules()

    def _changed_files(self, notice: notices.Changed) -> None:
        self._app.changed = named(notice.paths, notice.count)

    def _unchanged(self, notice: notices.Unchanged) -> None:
        text = f"{named(notice.paths, notice.count)} saved, nothing changed"
        self._nothing_follows(text)

    def _ignored(self, notice: notices.Ignored) -> None:
        self._nothing_follows(f"{named(notice.paths, notice.count)} changed; {notice.reason}")

    def _nothing_follows(self, text: str) -> None:
        self._voice.say("dim", text)
        if not self._voice.manner.quiet:
            self._app.red.again()

    def _overflow(self, notice: notices.Overflow) -> None:
        text = f"event queue overflowed, listed {notice.files} files again in {time(notice.ms)}"
        self._voice.say("yellow", text)

    def _tell_paused(self, notice: notices.Paused) -> None:
        self._app.paused = notice.on
        text = "paused: changes wait for p, r or s"
        self._voice.say("yellow", text if notice.on else "goes on: changes count again")

    def _session_ended(self, notice: notices.SessionEnded) -> None:
        self._app.red.close()
        self._voice.hide()
        self._voice.say("dim", f"hotrun ended: {notice.reason}")

    def _trace(self, notice: notices.Trace) -> None:
        if self._voice.manner.verbose:
            self._voice.say("dim", shortened(f"{notice.kind} {notice.text}"))

    def _problem(self, notice: notices.Problem) -> None:
        on, write = self._voice.manner.colour, self._voice.write
        style = "red" if notice.severity == "error" else "yellow"
        head = paint(f"{notice.severity}:", "bold", style, on=on)
        write(f"{head} {self._links(printable(notice.message))}")
        if notice.excerpt:
            write("\n".join(map(printable, notice.excerpt.split("\n"))))
        if notice.hint:
            write(f"{paint('hint:', 'cyan', on=on)} {printable(notice.hint)}")

    # --- of what is printed ---

    def _begin(self, notice: notices.BuildStarted) -> None:
        """Make ready for the output of a build."""
        if self._voice.manner.clears:
            self._voice.clear()
        self._held.clear()
        self._links.begin(command=notice.command)

    def _end(self, notice: notices.BuildFinished) -> None:
        """Show what a quiet build printed, if it failed."""
        if notice.ok:
            self._held.clear()
            return
        self._voice.hide()
        held = self._held.take()
        if held and self._voice.manner.shows_output:
            self._voice.write(self._links(held), end="")

    def _output(self, notice: notices.Output) -> None:
        manner, is_app = self._voice.manner, notice.source == "app"
        if manner.quiet and notice.source == "build":
            self._held.add(notice.text)
        elif manner.shows_output:
            text = notice.text if is_app else self._links(notice.text)
            to = self._streams[is_app and notice.stream == "stdout"]
            self._voice.write(text, end="", to=to)
            if is_app:
                self._app.red.printed(text)
