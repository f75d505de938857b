"""The breaker: tells what a step wrote itself from what somebody saved, and ends loops.

Law: no change is lost. One triggers nothing only if there is evidence that the step wrote the
file: its processes wrote to some file at that very moment, and so it was in the three runs before
that could be measured. Where nobody knows (tmpfs, other systems, who writes all the time), what
comes at one pace again and again is put off by a growing pause, and then it counts.

Pure: no clock and no disk. Times are seconds of the wall clock, as those in the file system are.
"""

from __future__ import annotations

import math
import os
from collections import deque
from dataclasses import field
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple, dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

START_WINDOW = 10.0
"""Seconds from its start in which what changes may be the app's: it writes when it sets up."""

BUILDS = 3
"""Builds in a row that a file may cause although the step itself writes it."""

TICK = 0.01
"""Seconds by which the time of a file may be behind the clock: a tick of the kernel (HZ = 100)."""

MOST_PAUSE = 30.0
"""Seconds by which a build is put off at the most."""

LEAST_SPREAD = 0.3  # seconds that the lags of a program may differ, on a busy machine
SPREAD = 0.2  # the same, as a part of the lag
MOST_WINDOWS = 64
MANY = 3  # caught files above which their directory is named


class Writer(NamedTuple):
    """What may write.

    Attributes:
        kind: "build", "rule" (the command of one), "app", "beside" (a command before or after it).
        name: Of a rule where it stands, of a command beside the app its key.
    """

    kind: str
    name: str = ""

    @property
    def shown(self) -> str:
        """As a message names it."""
        return {
            "build": "the build",
            "rule": f"the command of the rule at {self.name}",
            "beside": f"a command of {self.name}",
            "app": "the app",
        }[self.kind]


class Caught(NamedTuple):
    """From now on ``path`` triggers nothing when ``writer`` writes it, or only after a pause.

    ``pattern`` is set when each run of the writer made a file of another name.
    """

    path: str
    writer: Writer
    stops: bool = False  # the app writes it when it is stopped
    pattern: str = ""
    waits: bool = False  # it is not known who writes it


class Verdict(NamedTuple):
    """What becomes of a change.

    Attributes:
        counting: Paths that trigger now.
        dropped: Paths that do not, and who wrote them.
        held: Paths that trigger after ``pause`` seconds.
        caught: What was dropped or held for the first time.
        doubted: Paths that a step may have written, or writes at other times: their pages are to
            be written out now, or what is written to them next is not counted (``process.wrote``).
        outside: Somebody saved, so that nothing is to wait any longer.
    """

    counting: tuple[str, ...]
    dropped: Mapping[str, Writer]
    held: tuple[str, ...] = ()
    pause: float = 0.0
    caught: tuple[Caught, ...] = ()
    doubted: tuple[str, ...] = ()
    outside: bool = False


class _Phase(NamedTuple):
    """Of an app, ``stops`` is what it does from its stop signal on."""

    writer: Writer
    stops: bool


@dataclass(eq=False, slots=True)
class _Window:
    """When a step could write."""

    writer: Writer
    stops: bool
    start: float
    end: float

    @property
    def phase(self) -> _Phase:
        return _Phase(self.writer, self.stops)


@dataclass(slots=True)
class _Blame:
    """One change that fits one window; ``sure`` if its step wrote at that moment."""

    window: _Window
    lag: float
    sure: bool


@dataclass(slots=True)
class _Streak:
    """The changes of one path (or pattern) in a row, in one phase: the first of each run.

    Attributes:
        sure: So many of them were written by the step, and of the others that is not known.
    """

    blames: deque[_Blame] = field(default_factory=lambda: deque(maxlen=BUILDS))
    count: int = 0
    sure: int = 0

    def add(self, blame: _Blame) -> None:
        """Go on with this, or begin anew; what is written again in the same run is left out."""
        if self.blames and self.blames[-1].window is blame.window:
            return
        if not blame.sure and not _steady([each.lag for each in (*self.blames, blame)]):
            self.blames.clear()
            self.count = 0  # how often it is sure stays: this one could not be measured
        self.blames.append(blame)
        self.count += 1
        self.sure += blame.sure

    @property
    def pause(self) -> float:
        """Seconds by which its build is put off: 1, 2, 4 and so on, from the fourth on."""
        over = self.count - BUILDS
        return min(MOST_PAUSE, 2.0 ** min(over - 1, 9)) if over > 0 else 0.0


class Breaker:
    """Knows when which step ran, and which files it writes.

    Args:
        start_window: Seconds from its start in which what changes may be the app's.
    """

    def __init__(self, start_window: float = START_WINDOW) -> None:
        self._start_window = start_window
        self._windows: deque[_Window] = deque(maxlen=MOST_WINDOWS)
        # An app may write one file both when it starts and when it stops.
        self._streaks: dict[tuple[str, _Phase], _Streak] = {}
        self._kinds: dict[tuple[str, _Phase], _Streak] = {}  # by pattern
        self._caught: set[tuple[str, _Phase]] = set()
        self._told: set[tuple[str, _Phase]] = set()
        self._needed: dict[tuple[str, _Phase], int] = {}  # runs that have to be sure, if not BUILDS

    # --- when steps ran ---

    def began(self, writer: Writer, at: float) -> None:
        """A step has been started."""
        end = at + self._start_window if writer.kind == "app" else math.inf
        self._windows.append(_Window(writer, stops=False, start=at, end=end))

    def stopping(self, writer: Writer, at: float) -> None:
        """The app was sent its stop signal: many save their state then."""
        self._windows.append(_Window(writer, stops=True, start=at, end=math.inf))

    def ended(self, writer: Writer, at: float) -> None:
        """A step is over: the time when its end was seen."""
        for window in self._windows:
            if window.end > at and window.writer == writer:
                window.end = at

    def doubts(self, writer: Writer) -> bool:
        """Whether the last changes could be the step's own, so that it has to be looked at closely.

        Of a build or rule the end should then be told a TICK after it was seen: who saves as
        soon as it hears of the end, saves with a time before it. What is written should be
        looked at every few milliseconds.
        """
        return any(phase.writer == writer for _, phase in (*self._streaks, *self._caught))

    def has_caught(self, path: str, writer: Writer) -> bool:
        """Whether a step is known to write a file."""
        return any(phase.writer == writer for known, phase in self._caught if known == path)

    def forget(self) -> None:
        """Go by another config: what was caught may be named in it."""
        for each in (self._streaks, self._kinds, self._caught, self._told, self._needed):
            each.clear()

    # --- changes ---

    def weigh(
        self,
        changes: Mapping[str, float | None],
        wrote: Callable[[str, Writer, float], bool | None] = lambda *_: None,
    ) -> Verdict:
        """Decide which paths of a change trigger.

        Args:
            changes: The changed paths, relative, with the time at which each changed as the
                disk tells it: the mtime (a rename keeps it: what was moved here from afar is
                nobody's); of a path that is gone, the mtime of the directory it was in, or None.
            wrote: Tells of a path, a step and a time whether the step's processes wrote to any
                file then; None: not known.
        """
        blames = {path: self._blame(path, at, wrote) for path, at in changes.items()}
        dropped = {
            path: blame.window.writer
            for path, blame in blames.items()
            if blame and blame.sure and (path, blame.window.phase) in self._caught
        }
        rest = {path: blame for path, blame in blames.items() if path not in dropped}
        doubted = tuple(path for path in rest if self._is_doubted(path, changes[path]))
        own = {path: blame for path, blame in rest.items() if blame is not None}
        if len(own) < len(rest):  # somebody saved: all that follows may come of that
            self._streaks.clear()
            self._kinds.clear()
            return Verdict(tuple(rest), dropped, doubted=doubted, outside=True)
        caught = self._note(own)
        dropped |= {each.path: each.writer for each in caught}
        return self._put_off(own, dropped, caught)._replace(doubted=doubted)

    def _is_doubted(self, path: str, at: float | None) -> bool:
        return bool(self._holding(at)) or any(path == known for known, _ in self._caught)

    def _holding(self, at: float | None) -> list[_Window]:
        """Return the windows that hold a time, or else begin a tick after it; the last first."""
        if at is None:
            return []
        for early in (0.0, TICK):
            held = [each for each in self._windows if each.start - early <= at <= each.end]
            if held:
                return sorted(held, key=lambda window: window.start, reverse=True)
        return []

    def _blame(
        self, path: str, at: float | None, wrote: Callable[[str, Writer, float], bool | None]
    ) -> _Blame | None:
        """Blame who wrote, else the last one of whom that is not known, else nobody."""
        found: _Blame | None = None
        for window in self._holding(at):
            assert at is not None  # noqa: S101 - no window holds None
            did = wrote(path, window.writer, at)
            if did:
                return _Blame(window, at - window.start, sure=True)
            if did is None:
                found = found or _Blame(window, at - window.start, sure=False)
            elif (place := (path, window.phase)) in self._streaks and place not in self._caught:
                self._needed[place] = 2 * self._needed.get(place, BUILDS)
        return found

    def _note(self, own: Mapping[str, _Blame]) -> list[Caught]:
        """Write down a change that the steps themselves may have made; return what is caught."""
        caught: list[Caught] = []
        for path, blame in own.items():
            place = path, blame.window.phase
            streak = self._streaks.setdefault(place, _Streak())
            streak.add(blame)
            if blame.sure:
                self._kinds.setdefault((_pattern(path), place[1]), _Streak()).add(blame)
            if streak.sure >= self._needed.get(place, BUILDS):
                del self._streaks[place]
                self._caught.add(place)
                caught.append(Caught(path, *place[1]))
        return caught

    def _put_off(
        self, own: Mapping[str, _Blame], dropped: Mapping[str, Writer], caught: list[Caught]
    ) -> Verdict:
        """Let what counts all the same wait, if it has come too often."""
        found = {path: self._pause(path, own[path]) for path in own if path not in dropped}
        held = tuple(path for path, (pause, _) in found.items() if pause)
        for path in held:
            phase, pattern = own[path].window.phase, found[path][1]
            if (place := (pattern or path, phase)) not in self._told:
                self._told.add(place)
                caught.append(Caught(path, *phase, pattern=pattern, waits=True))
        counting = tuple(path for path in found if path not in held)
        pause = min((found[path][0] for path in held), default=0.0)
        return Verdict(counting, dropped, held, pause, tuple(caught))

    def _pause(self, path: str, blame: _Blame) -> tuple[float, str]:
        """Return the seconds that a path has to wait, and the pattern for which it has to."""
        phase = blame.window.phase
        streak = self._streaks[path, phase]
        kind = self._kinds.get((_pattern(path), phase))
        if kind is not None and streak.count == 1 and blame.sure:  # a file of a new name
            return kind.pause, _pattern(path)
        return streak.pause, ""


def _steady(lags: list[float]) -> bool:
    return max(lags) - min(lags) <= max(LEAST_SPREAD, SPREAD * max(lags))


def _pattern(path: str) -> str:
    """Return the glob of a file's neighbours of its kind: ``logs/*.log``."""
    directory, name = os.path.split(path)
    return os.path.join(directory, f"*{os.path.splitext(name)[1]}")


# --- what is said ---


def advice(
    caught: Collection[Caught], outputs: Sequence[str] | None, exclude: Sequence[str]
) -> list[tuple[str, str]]:
    """Return message and hint for each step that was caught.

    Args:
        caught: Of one verdict.
        outputs: What ``build.outputs`` holds already; None without a build.
        exclude: What ``watch.exclude`` holds already.
    """
    said = []
    for writer, stops, waits in sorted({(each.writer, each.stops, each.waits) for each in caught}):
        found = [each for each in caught if each[1:3] == (writer, stops) and each.waits == waits]
        message = _message(found, writer, stops=stops, waits=waits)
        said.append((message, _hint(found, writer, outputs, exclude)))
    return said


def _message(found: list[Caught], writer: Writer, *, stops: bool, waits: bool) -> str:
    again, when = {
        "build": ("trigger", "the build runs"),
        "app": ("restart", "the app stops" if stops else "the app starts"),
    }.get(writer.kind, ("trigger", "that command runs"))
    more = len({each.pattern or each.path for each in found}) - 1
    names = f"{found[0].pattern or found[0].path}{f' +{more} more' if more else ''}"
    be, it, s = ("are", "they", "") if more else ("is", "it", "s")
    if waits:
        return f"{names} change{s} each time {when}: {it} {again}{s} it only after a pause now"
    what = f"{names} {be} written by {writer.shown}, which {it} {again}{s} again"
    return f"{what}: {it} {'trigger' + s} nothing now while {when}"


def _hint(
    found: list[Caught], writer: Writer, outputs: Sequence[str] | None, exclude: Sequence[str]
) -> str:
    key, table, known, rooted = "exclude", "watch", exclude, True
    if outputs is not None and writer.kind in ("build", "rule"):
        key, table, known, rooted = "outputs", "build", outputs, False
    items = ", ".join(map(_quoted, (*known, *_globs(found, rooted=rooted))))
    line = f"put this into [{table}] of hotrun.toml: {key} = [{items}]"
    return f"if {writer.shown} writes it, {line}" if found[0].waits else line


def _globs(found: list[Caught], *, rooted: bool) -> list[str]:
    """Return globs for what was caught; a directory's when it holds many.

    Args:
        found: Of one writer.
        rooted: A slash has to begin what would mean such a name in every directory, or a comment.
    """
    paths = list(dict.fromkeys(each.pattern or _escaped(each.path) for each in found))
    top = os.path.commonpath([os.path.dirname(each.path) for each in found])
    if len(paths) > MANY and top:
        paths = [f"{_escaped(top)}/**"]
    loose = (path for path in paths if "/" not in path or path.startswith(("!", "#")))
    marked = set(loose) if rooted else set()
    return [f"/{path}" if path in marked else path for path in paths]


def _escaped(path: str) -> str:
    """Return a path as a glob that fits nothing else."""
    return "".join(f"\\{char}" if char in "*?[\\" else char for char in path)


def _quoted(text: str) -> str:
    """Return a string as TOML has it."""
    import json

    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
