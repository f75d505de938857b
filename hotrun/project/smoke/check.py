"""One check of the smoke test, and how it can end.

Law: a check ends once, and is told at once to every reporter; reporters are plain callables,
none knows another, and none can make a check fail.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from hotrun.host import relative

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAMES = ("config", "watch", "build", "start", "ready", "reload", "stop", "clean")
"""The checks, in the order in which they are made; JSON and JUnit name them so."""

LATE = 124
"""The exit code for what did not come in time (timeout(1))."""


class Place(NamedTuple):
    """A complaint about a line: ``file`` absolute, or "" ; ``line`` and ``column`` 0: not known.

    ``shown`` is the file from the project on; ``severity`` is "error" or "warning".
    """

    file: str
    line: int
    column: int
    message: str
    shown: str = ""
    severity: str = "error"


def place(directory: str, name: str, line: int, column: int, message: str) -> Place:
    """Make a place of a file that is named from the project's directory (absolute) on."""
    file = os.path.normpath(os.path.join(directory, name))
    return Place(file, line, column, message, relative(file, directory))


@dataclass(frozen=True, slots=True)
class Check:
    """A check that was made, or was skipped.

    Attributes:
        name: One of ``NAMES``.
        ok: Whether it holds; None: it was skipped, and ``message`` says why.
        ms: How long it took.
        message: What was found, one line.
        hint: What to do about it; empty when there is nothing to add.
        code: The exit code that it leads to, 0 unless it failed.
        output: The last lines that the build or the app printed.
        places: Where in the sources it is wrong, as far as somebody said so.
        notes: More that should be known, also of a check that holds.
        reached: It was skipped for what it is itself, and not because another one failed.
    """

    name: str
    ok: bool | None
    ms: int
    message: str
    hint: str = ""
    code: int = 0
    output: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    notes: tuple[str, ...] = ()
    reached: bool = True


@dataclass(frozen=True, slots=True)
class Result:
    """All checks, and what they come to: ``code`` is the exit code, that of the first failure."""

    checks: tuple[Check, ...]
    code: int
    ms: int

    @property
    def failed(self) -> tuple[Check, ...]:
        """Those that do not hold."""
        return tuple(check for check in self.checks if check.ok is False)


if TYPE_CHECKING:
    Reporter = Callable[[Check], None]


@dataclass(slots=True)
class Found:
    """What a check that holds has found."""

    message: str
    notes: list[str] = field(default_factory=list)


class SkippedError(Exception):
    """A check that has nothing to look at; its text says why."""


class FailedError(Exception):
    """A check that does not hold.

    Args:
        message: What is wrong, one line.
        hint: What to do about it.
        code: The exit code.
        output: The last lines of the build or the app.
        places: Where in the sources.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        code: int = 1,
        output: Sequence[str] = (),
        places: Sequence[Place] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.output = tuple(output)
        self.places = tuple(places)


class LateError(Exception):
    """What a check waited for did not come in the time that this check has."""


class OutOfTimeError(Exception):
    """The time for the whole smoke test is up."""


class InterruptedByError(Exception):
    """A signal asked us to end; ``code`` is 128 and its number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number
