"""What the console says of builds and of the app: one rule line a cycle.

Which run, which file, what was done, how long each part took, and who runs now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotrun import notices
from hotrun.lean import dataclass
from hotrun.ui.red_line import RedLine
from hotrun.ui.words import many, named, printable, size, time, used

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hotrun.ui.voice import Voice

NAMED = 60  # characters of the command of a process that was killed
LOOP = 3  # ends in a row that are no accident any more


@dataclass(slots=True)
class Cycle:
    """What is known of the run that is under way."""

    run: int = 0
    cause: str = ""
    key: str = "build.command"  # another one, of a rule: no app is started from it
    built_ms: int | None = None


class AppLines:
    """Speaks of builds and of the app.

    Args:
        voice: Writes.

    Attributes:
        red: The lines of failed builds.
        changed: What changed last: the cause of a restart without a build.
        paused: Changes wait.
    """

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._cycle = Cycle()
        self._stopped = ""  # how the app that is being replaced ended
        self._serving: tuple[int, int] | None = None  # run and pid of the app
        self.red = RedLine(voice)
        self.changed = ""
        self.paused = False

    def ways(self) -> dict[type, Callable[[Any], None]]:
        """What is said of each notice that is about builds and the app."""
        return {
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
        }

    # --- builds ---

    def _build_started(self, notice: notices.BuildStarted) -> None:
        cause = named(notice.paths, notice.count)
        cause = cause or ("first build" if notice.run == 1 else "rebuild")
        self._cycle = Cycle(notice.run, cause, notice.key)
        self.changed = ""
        self.red.tries(notice.key)
        self._rule("dim", notice.run, notice.command)
        run = notice.run
        if self._serving is None or not self._voice.manner.shares:
            self._voice.show(lambda seconds: f"-- #{run} building for {seconds:.1f} s")

    def _build_finished(self, notice: notices.BuildFinished) -> None:
        self._voice.hide()
        self._cycle.built_ms = notice.ms
        manner = self._voice.manner
        if not notice.ok:
            said = f"BUILD FAILED (exit {notice.code}) after {time(notice.ms)}"
            line = self._line(notice.run, said)
            self.red.broke(self._cycle.key, lambda: f"{line}{self._still_runs()}")
        elif self._cycle.key != "build.command":
            self._rule("green", notice.run, f"done in {time(notice.ms)}")
        elif self.paused and self._serving is not None:
            self._rule("green", notice.run, f"built {time(notice.ms)}, waits for p, r or s")
        elif not manner.on_exit:  # otherwise the line of the app's start says it all
            self._rule("green", notice.run, f"built {time(notice.ms)}")

    def _still_runs(self) -> str:
        if not self._voice.manner.keeps or self._serving is None:
            return ""
        run, pid = self._serving
        return f", #{run} still runs (pid {pid})"

    def _build_cancelled(self, notice: notices.BuildCancelled) -> None:
        self._voice.hide()
        self._rule("dim", notice.run, f"build cancelled after {time(notice.ms)}")

    # --- the app ---

    def _app_started(self, notice: notices.AppStarted) -> None:
        if self._cycle.run != notice.run:
            self._cycle = Cycle(notice.run, self.changed)
            self.changed = ""
        parts = []
        if self._cycle.built_ms is not None:
            parts.append(f"built {time(self._cycle.built_ms)}")
        if self._stopped:
            parts.append(self._stopped)
        parts.append(f"{'restarted' if self._stopped else 'started'} pid {notice.pid}")
        self._serving = (notice.run, notice.pid)
        self._stopped = ""
        self._rule("green", notice.run, ", ".join(parts))
        self.red.again()  # it is the one from before

    def _app_ready(self, notice: notices.AppReady) -> None:
        if self._voice.manner.says_ready:
            self._rule("green", notice.run, f"ready after {time(notice.ms)}")

    def _app_kept(self, notice: notices.AppKept) -> None:
        if notice.reason == "same artifact" and self._serving is not None:
            built = time(self._cycle.built_ms or 0)
            text = f"built {built}, binary unchanged, kept running (pid {self._serving[1]})"
            self._rule("green", self._cycle.run, text)

    def _app_signalled(self, notice: notices.AppSignalled) -> None:
        cause = f"{self.changed}: " if self.changed else ""
        self._voice.say("green", f"-- #{notice.run} {cause}sent {notice.signal}")

    def _app_exited(self, notice: notices.AppExited) -> None:
        how = f"signal {notice.signal}" if notice.signal else f"code {notice.code}"
        self._serving = None
        self._voice.hide()
        if notice.expected:
            self._stopped = f"stopped ({how})"
            return
        style = "yellow" if notice.code == 0 else "red"
        text = f"app exited with {how} after {time(notice.ms)}{used(notice)}"
        self._rule(style, notice.run, f"{text}{self._afterwards()}")

    def _afterwards(self) -> str:
        if self._voice.manner.on_exit != "wait":
            return ""
        return f"; {'s or ' if self._voice.manner.keys else ''}the next change starts it again"

    def _backs_off(self, notice: notices.AppBacksOff) -> None:
        after = f"it is started again in {time(notice.ms)}"
        if notice.crashes < LOOP:
            self._voice.say("yellow", after)
        else:
            self._voice.say("red", f"a crash loop: {notice.crashes} ends in a row; {after}")

    # --- its end, and what is left of it ---

    def _lingers(self, notice: notices.AppLingers) -> None:
        if not self._voice.is_watched or self._voice.manner.shares:
            left = time(notice.kill_ms)
            text = f"waiting for pid {notice.pid} to stop, SIGKILL in {left} (Ctrl-C: at once)"
            self._rule("yellow", notice.run, text)
            return
        until, pid = notice.kill_ms / 1000, notice.pid
        self._voice.show(
            lambda seconds: (
                f"waiting for pid {pid} to stop, SIGKILL in {max(0.0, until - seconds):.1f} s"
            ),
            0.0,
        )

    def _app_dumped(self, notice: notices.AppDumped) -> None:
        self._rule("yellow", notice.run, f"the stacks of what hung are in {notice.file}")

    def _app_killed(self, notice: notices.AppKilled) -> None:
        self._voice.hide()
        why = {"stop_timeout": "did not stop in its time", "asked twice": "it was asked for twice"}
        text = f"SIGKILL (pid {_each(notice.pids, notice.commands)}): {why.get(notice.reason, '')}"
        self._rule("yellow", notice.run, text)

    def _app_leaked(self, notice: notices.AppLeaked) -> None:
        named = _each(notice.pids, notice.commands)
        self._rule("yellow", notice.run, f"outlived the app, and is stopped: pid {named}")

    def _status(self, notice: notices.Status) -> None:
        paused = ", paused" if notice.paused else ""
        if notice.pid is None:
            self._voice.say("dim", f"no app runs{paused}; s starts it")
        else:
            processes = many(notice.processes, "process")
            used = f"{notice.cpu:.0f} % cpu, {size(notice.memory)}"
            text = f"app #{notice.run}, pid {notice.pid}, up {time(notice.ms)}: {processes}, {used}"
            self._voice.say("dim", f"{text}{paused}")
        self.red.again()

    # --- lines ---

    def _rule(self, style: str, run: int, text: str) -> None:
        self._voice.say(style, self._line(run, text))

    def _line(self, run: int, text: str) -> str:
        cause = self._cycle.cause if self._cycle.run == run else ""
        return f"-- #{run} " + (f"{cause}: " if cause else "") + text


def _each(pids: Iterable[int], commands: Iterable[str]) -> str:
    """Name processes: pid and what it ran."""
    ran = zip(pids, commands, strict=True)
    return ", ".join(f"{pid} {printable(command)[:NAMED]}".rstrip() for pid, command in ran)
