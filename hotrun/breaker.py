"""The breaker: tells what a step wrote itself from what somebody saved, and ends loops.

Law: no change is lost. One triggers nothing only if there is evidence that the step wrote the
file: its processes wrote to some file at that very moment, and so it was in the three runs before
that could be measured. To remove, to rename and to make an empty file writes nothing: there a
step is known by what it made, and who comes and goes with its runs is suspected at any pace. Where
nobody knows (tmpfs, other systems, who writes all the time), what comes at one pace again and again
is put off by a growing pause, and then it counts.

Pure: no clock and no disk. Times are seconds of the wall clock, as those in the file system are.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple
from hotrun.patterns import escaped, patterns
from hotrun.streak import BUILDS, Blame, Phase, Streak, Window, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

START_WINDOW = 10.0
"""Seconds from its start in which what changes may be the app's: it writes when it sets up."""

SIGNAL_WINDOW = 2.0
"""Seconds from a signal of a rule in which what changes may be the app's: it reloads."""

TICK = 0.01
"""Seconds by which the time of a file may be behind the clock: a tick of the kernel (HZ = 100)."""

MOST_WINDOWS = 64


class Change(NamedTuple):
    """What the disk tells of a changed path.

    Attributes:
        at: When it changed: the mtime; of a path that is gone, that of the nearest directory
            above it that is there; None: not known.
        moved: When it was given its name or mode, by the ctime, if what is in it is older.
        kept: It is the very file that it was at its last change, and nothing was written to it.
        gone: Nothing is there.
        empty: It holds no byte of its own: a link does not.
    """

    at: float | None
    moved: float | None = None
    kept: bool = False
    gone: bool = False
    empty: bool = False

    @property
    def writes_nothing(self) -> bool:
        """Whether such a change can be made without writing a byte."""
        return self.gone or self.empty or self.moved is not None


class Caught(NamedTuple):
    """From now on ``path`` triggers nothing when ``writer`` writes it, or only after a pause.

    ``pattern`` is set when each run of the writer made a file of another name.
    """

    path: str
    writer: Writer
    stops: bool = False  # the app writes it when it is stopped
    pattern: str = ""
    waits: bool = False  # it is not known who writes it

    @property
    def shown(self) -> str:
        """As a message names it; a pattern of all files would say nothing."""
        return self.path if self.pattern in ("", "*") else self.pattern

    @property
    def glob(self) -> str:
        """As the config names it."""
        return escaped(self.path) if self.pattern in ("", "*") else self.pattern


class Verdict(NamedTuple):
    """What becomes of a change.

    Attributes:
        counting: Paths that trigger now.
        dropped: Paths that do not, and who wrote them.
        held: Paths that trigger after ``pause`` seconds.
        caught: What was dropped or held for the first time.
        void: Paths that were held because they had come, and are gone again: nothing is to follow.
        doubted: Paths that a step may have written, or writes at other times: their pages are to
            be written out now, or what is written to them next is not counted (``process.wrote``).
        outside: Somebody saved, so that nothing is to wait any longer.
    """

    counting: tuple[str, ...]
    dropped: Mapping[str, Writer]
    held: tuple[str, ...] = ()
    pause: float = 0.0
    caught: tuple[Caught, ...] = ()
    void: tuple[str, ...] = ()
    doubted: tuple[str, ...] = ()
    outside: bool = False


class Breaker:
    """Knows when which step ran, and which files it writes.

    Args:
        start_window: Seconds from its start in which what changes may be the app's.
    """

    def __init__(self, start_window: float = START_WINDOW) -> None:
        self._start_window = start_window
        self._windows: deque[Window] = deque(maxlen=MOST_WINDOWS)
        # An app may write one file both when it starts and when it stops.
        self._streaks: dict[tuple[str, Phase], Streak] = {}
        self._kinds: dict[tuple[str, Phase], Streak] = {}  # by pattern
        self._caught: set[tuple[str, Phase]] = set()
        self._told: set[tuple[str, Writer, bool]] = set()
        self._made: dict[str, Writer] = {}  # what is there, and a step is known to have written
        self._came: set[str] = set()  # what is there, and changed last while a step ran
        self._absent: set[str] = set()  # what was gone when it was last told of
        self._pending: set[str] = set()  # what was not there, has come, and is held
        self._needed: dict[tuple[str, Phase], int] = {}  # runs that have to be sure, if not BUILDS

    # --- when steps ran ---

    def began(self, writer: Writer, at: float) -> None:
        """A step has been started."""
        self._pending.clear()  # it may read them
        window = {"app": self._start_window, "signal": SIGNAL_WINDOW}.get(writer.kind, math.inf)
        end = at + window
        self._windows.append(Window(writer, stops=False, start=at, end=end))

    def stopping(self, writer: Writer, at: float) -> None:
        """The app was sent its stop signal: many save their state then."""
        self._windows.append(Window(writer, stops=True, start=at, end=math.inf))

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
        for paths in (self._made, self._came, self._absent, self._pending):  # they were watched
            paths.clear()

    def lets_go(self, paths: Collection[str]) -> None:
        """What was held is not held any more."""
        self._pending.difference_update(paths)

    # --- changes ---

    def weigh(
        self,
        changes: Mapping[str, Change],
        wrote: Callable[[str, Writer, float], bool | None] = lambda *_: None,
    ) -> Verdict:
        """Decide which paths of a change trigger.

        Args:
            changes: The changed paths, relative.
            wrote: Tells of a path, a step and a time whether the step's processes wrote to any
                file then; None: not known.
        """
        changes = self._placed(changes)
        blames = {path: self._blame(path, change, wrote) for path, change in changes.items()}
        void = tuple(p for p in changes if changes[p].gone and blames[p] and p in self._pending)
        dropped = self._of_caught(blames) | {
            path: blame.window.writer for path in void if (blame := blames[path])
        }
        rest = {path: blame for path, blame in blames.items() if path not in dropped}
        doubted = tuple(path for path in rest if self._is_doubted(path, changes[path].at))
        own = {path: blame for path, blame in rest.items() if blame is not None}
        if len(own) < len(rest):
            verdict = Verdict(tuple(rest), dropped, outside=True)
            self._somebody_saved(rest.keys() - own.keys())
        else:
            caught = self._note(own)
            verdict = self._put_off(own, dropped | self._of_caught(own), caught)
        self._remember(changes, blames)
        return verdict._replace(void=void, doubted=doubted)

    def _of_caught(self, blames: Mapping[str, Blame | None]) -> dict[str, Writer]:
        """Return who wrote what triggers nothing."""
        return {
            path: blame.window.writer
            for path, blame in blames.items()
            if blame and blame.sure and (path, blame.window.phase) in self._caught
        }

    def _somebody_saved(self, paths: Collection[str]) -> None:
        """All that follows may come of that; but not what comes and goes with the runs."""
        for streaks in (self._streaks, self._kinds):
            for place, streak in [*streaks.items()]:
                if place[0] in paths or not streak.stays():
                    del streaks[place]

    def _remember(self, changes: Mapping[str, Change], blames: Mapping[str, Blame | None]) -> None:
        """Write down what is there now, and whose it is."""
        for path, blame in blames.items():
            gone, came = changes[path].gone, blame is not None and not blame.gone
            self._made.pop(path, None)
            (self._absent.add if gone else self._absent.discard)(path)
            (self._came.add if came else self._came.discard)(path)
            if blame is not None and came and blame.sure:
                self._made[path] = blame.window.writer

    def _placed(self, changes: Mapping[str, Change]) -> dict[str, Change]:
        """Let what was moved have changed when it was; of others the mtime tells.

        What was copied here from another machine may have its old time too, so that only what
        has replaced another, or is itself, is known to be moved.
        """
        renames = any(change.gone for change in changes.values())
        return {
            path: change._replace(at=change.moved)
            if change.moved is not None and (renames or change.kept or path in self._absent)
            else change._replace(moved=None)
            for path, change in changes.items()
        }

    def _is_doubted(self, path: str, at: float | None) -> bool:
        return bool(self._holding(at)) or any(path == known for known, _ in self._caught)

    def _holding(self, at: float | None) -> list[Window]:
        """Return the windows that hold a time, or else begin a tick after it; the last first."""
        if at is None:
            return []
        for early in (0.0, TICK):
            held = [each for each in self._windows if each.start - early <= at <= each.end]
            if held:
                return sorted(held, key=lambda window: window.start, reverse=True)
        return []

    def _blame(
        self,
        path: str,
        change: Change,
        wrote: Callable[[str, Writer, float], bool | None],
    ) -> Blame | None:
        """Blame who wrote, else the last one of whom that is not known, else nobody."""
        found, at = None, change.at
        for window in self._holding(at):
            assert at is not None  # noqa: S101 - no window holds None
            did = wrote(path, window.writer, at)
            if not did and change.writes_nothing:
                did = self._unmade(path, change, window)
            brief = change.gone and path in self._came
            blame = Blame(window, at - window.start, bool(did), change.gone, brief)
            if did:
                return blame
            if did is None:
                found = found or blame
            elif (place := (path, window.phase)) in self._streaks and place not in self._caught:
                self._needed[place] = 2 * self._needed.get(place, BUILDS)
        return found

    def _unmade(self, path: str, change: Change, window: Window) -> bool | None:
        """Whether a step has made a change that writes nothing: it removes what it made."""
        is_own = change.gone and self._made.get(path) == window.writer
        return True if is_own and window.is_the_step_alone else None

    def _note(self, own: Mapping[str, Blame]) -> list[Caught]:
        """Write down a change that the steps themselves may have made; return what is caught."""
        caught: list[Caught] = []
        for path, blame in own.items():
            place = path, blame.window.phase
            streak = self._streaks.setdefault(place, Streak())
            streak.add(blame)
            if blame.sure or streak.comes_and_goes:
                for kind in patterns(path):
                    self._kinds.setdefault((kind, place[1]), Streak()).add(blame)
            if streak.sure >= self._needed.get(place, BUILDS):
                del self._streaks[place]
                self._caught.add(place)
                caught += self._first(Caught(path, *place[1]))
        return caught

    def _first(self, caught: Caught) -> list[Caught]:
        """Return what is caught, if it is to be told; of an app not for its end once more."""
        place = caught.pattern or caught.path, caught.writer, caught.waits
        if place in self._told:
            return []
        self._told.add(place)
        return [caught]

    def _put_off(
        self, own: Mapping[str, Blame], dropped: Mapping[str, Writer], caught: list[Caught]
    ) -> Verdict:
        """Let what counts all the same wait, if it has come too often."""
        found = {path: self._pause(path, own[path]) for path in own if path not in dropped}
        held = tuple(path for path, (pause, _) in found.items() if pause)
        for path in held:
            pattern = found[path][1]
            caught += self._first(
                Caught(path, *own[path].window.phase, pattern=pattern, waits=True)
            )
            if not own[path].gone and (path in self._absent or (pattern and own[path].sure)):
                self._pending.add(path)
        counting = tuple(path for path in found if path not in held)
        pause = min((found[path][0] for path in held), default=0.0)
        return Verdict(counting, dropped, held, pause, tuple(caught))

    def _pause(self, path: str, blame: Blame) -> tuple[float, str]:
        """Return the seconds that a path has to wait, and the pattern for which it has to."""
        phase = blame.window.phase
        streak = self._streaks[path, phase]
        pauses = []
        if streak.count <= 1 + streak.comes_and_goes:  # the name is new
            kinds = [(kind, self._kinds.get((kind, phase))) for kind in patterns(path)]
            suspect = blame.sure or streak.comes_and_goes
            pauses = [(k.pause, name) for name, k in kinds if k and (suspect or k.comes_and_goes)]
        longest = max(pauses, key=lambda each: each[0], default=(0.0, ""))  # the narrowest of them
        return max((streak.pause, ""), longest, key=lambda each: each[0])
