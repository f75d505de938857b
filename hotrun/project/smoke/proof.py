"""The smoke test: each check in its turn, from a config to nothing that is left.

Law: what was begun is ended. However a check ends (also by a signal, or when the time is up), the
session is stopped, the edit is undone, and it is looked whether anything is left.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from hotrun.errors import ConfigErrors, HotrunError
from hotrun.project.smoke import ending, turns
from hotrun.project.smoke.check import (
    LATE,
    NAMES,
    Check,
    FailedError,
    Found,
    InterruptedByError,
    OutOfTimeError,
    Result,
    SkippedError,
    place,
)
from hotrun.project.smoke.live import Live
from hotrun.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hotrun.project.smoke.check import Reporter
    from hotrun.project.smoke.subject import Subject


class Proof:
    """A smoke test.

    Args:
        load: Reads the config and chooses the file to edit; raises HotrunError.
        timeout: Seconds for all of it; the stop and what follows have time of their own.
        reporters: Hear of every check.
        directory: Where the config is looked for.
    """

    def __init__(
        self,
        load: Callable[[], Subject],
        timeout: float,
        reporters: Sequence[Reporter],
        directory: str,
    ) -> None:
        self._load = load
        self._directory = directory
        self._timeout = timeout
        self._reporters = reporters
        self._checks: list[Check] = []
        self._missing = ""  # why the next check has nothing to look at
        self._warnings: list[str] = []  # that were told meanwhile
        self._begin = time.monotonic()

    def run(self) -> Result:
        """Make every check, and return what they come to."""
        subjects: list[Subject] = []
        self._make("config", lambda: self._config(subjects))
        for subject in subjects:
            self._prove(subject)
        for name in NAMES[len(self._checks) :]:
            self._skip(name)
        code = next((check.code for check in self._checks if check.code), 0)
        return Result(tuple(self._checks), code, _since(self._begin))

    def _config(self, subjects: list[Subject]) -> Found:
        """The config is right, and names something to do."""
        try:
            subject = self._load()
        except ConfigErrors as error:
            raise _wrong(error, self._directory) from error
        except HotrunError as error:
            raise FailedError(error.message, error.hint, code=error.exit_code) from error
        subjects.append(subject)
        return Found(subject.source)

    def _prove(self, subject: Subject) -> None:
        with Live(subject, self._begin + self._timeout) as live:
            self._warnings = live.heard.warnings
            for name, prove in turns.CHECKS.items():
                if self._missing:
                    self._skip(name)
                else:
                    self._make(name, lambda prove=prove: prove(live))  # type: ignore[misc]
            live.failed = bool(self._missing)
            self._make("stop", lambda: ending.stop(live))
            self._make("clean", lambda: ending.clean(live))

    def _make(self, name: str, prove: Callable[[], Found]) -> None:
        begin = time.monotonic()
        check = self._judged(name, prove)
        if check.ok is not None:
            check = replace(check, ms=_since(begin), notes=(*check.notes, *self._warnings))
            self._warnings.clear()
        if check.ok is False:
            self._missing = self._missing or f"not reached: {name} failed"
        self._tell(check)

    def _judged(self, name: str, prove: Callable[[], Found]) -> Check:
        try:
            found = prove()
        except SkippedError as skipped:
            return Check(name, None, 0, str(skipped))
        except InterruptedByError as error:
            return Check(name, False, 0, "interrupted", code=error.code)
        except OutOfTimeError:
            what = f"not done when the time was up ({format_duration(self._timeout)})"
            return Check(name, False, 0, what, "give it longer with --timeout", LATE)
        except FailedError as failed:
            return Check(
                name,
                False,
                0,
                failed.message,
                failed.hint,
                failed.code,
                failed.output,
                failed.places,
            )
        return Check(name, True, 0, found.message, notes=tuple(found.notes))

    def _skip(self, name: str) -> None:
        self._tell(Check(name, None, 0, self._missing, reached=False))

    def _tell(self, check: Check) -> None:
        self._checks.append(check)
        for reporter in self._reporters:
            reporter(check)


def _wrong(error: ConfigErrors, directory: str) -> FailedError:
    """Everything that is wrong in a config, as it is shown by every command."""
    problems = error.problems
    base = os.path.abspath(directory)
    places = [place(base, each.file, each.line, each.column, each.message) for each in problems]
    places = [each for each in places if os.path.isfile(each.file)]  # it may be an option
    message, hint, lines = error.message, error.hint, str(error).splitlines()
    if len(problems) > 1:
        message, hint = f"{len(problems)} things are wrong in the config", ""
    else:  # the line and its carets
        lines = [line for line in lines if not line.startswith(("error: ", "hint: "))]
    return FailedError(message, hint, code=error.exit_code, output=lines, places=places)


def _since(begin: float) -> int:
    return round((time.monotonic() - begin) * 1000)
