"""What a person is shown when something they can mend is wrong.

One family: a message (what is wrong), a hint (what to do), an exit code. The command line
prints it as two lines and no traceback; any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

# As much of one source line as is shown left and right of the carets.
_CONTEXT = 60


class HotrunError(Exception):
    """Something the user can mend.

    Args:
        message: What is wrong, one line, without a final full stop.
        hint: What to do about it, one line; empty when there is nothing to add.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"error: {self.message}" + (f"\nhint: {self.hint}" if self.hint else "")


class ConfigError(HotrunError):
    """The config file, an option or the project is not as it must be: nothing was started."""

    exit_code = 2


class NoConfigError(ConfigError):
    """There is no config file here: a command that can do without one goes on."""


class Problem(NamedTuple):
    """One thing that is wrong in a config.

    Args:
        message: What is wrong, one line.
        hint: What to do about it, one line.
        file: The file as the user knows it, or the option ("--set build.comand=make").
        line: From 1; 0 when it is not known.
        column: From 1, in characters; 0 when it is not known.
        source: That line of the file, without its end.
        span: How many characters from `column` on are meant.
    """

    message: str
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    source: str = ""
    span: int = 1

    @property
    def place(self) -> str:
        """`hotrun.toml:7:3`, as far as it is known."""
        known = (part for part in (self.line, self.column) if part)
        return ":".join([_printable(self.file), *map(str, known)])

    @property
    def excerpt(self) -> str:
        """The line of the file, and below it carets; nothing when the place is not known."""
        if not self.column:
            return ""
        return "\n".join(_pointed_at(self.source, self.column - 1, max(1, self.span)))

    def __str__(self) -> str:
        place = f"{self.place}: " if self.file else ""
        lines = [f"error: {place}{self.message}"]
        if self.excerpt:
            lines.append(self.excerpt)
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


class ConfigErrors(ConfigError):  # noqa: N818 - it holds several
    """Everything that is wrong in a config, at once; `message` and `hint` are of the first.

    Args:
        problems: At least one, in the order in which they are shown.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        super().__init__(f"{first.place}: {first.message}", first.hint)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


def _pointed_at(source: str, start: int, span: int) -> list[str]:
    """The source line and the carets below it; a long line is cut around them."""
    left = max(0, start - _CONTEXT)
    shown = source[left : start + span + _CONTEXT][: 3 * _CONTEXT]
    before, meant = shown[: start - left], shown[start - left :][:span]
    indent = "".join("\t" if char == "\t" else " " * _cells(char) for char in before)
    carets = "^" * max(1, sum(map(_cells, meant)))
    return [f"    {_printable(shown)}".rstrip(), f"    {indent}{carets}"]


def _printable(text: str) -> str:
    # A file that is not TOML may hold anything, also what would steer the terminal.
    return "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in text)


def _cells(char: str) -> int:
    """How many columns of a terminal the character takes."""
    if char.isascii():
        return 1
    # A large library, for the one line in a thousand that needs it.
    import unicodedata

    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


class TextError(ValueError):
    """A text of the user's that does not say what it should: a duration, an address, a URL.

    Args:
        message: What is wrong, to be read after the text: "needs a unit".
        hint: The right form.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class WatchError(HotrunError):
    """The watcher cannot start, or cannot go on."""

    exit_code = 3
