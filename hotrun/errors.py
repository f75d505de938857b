"""What a person is shown when something they can mend is wrong.

One family: a message (what is wrong), a hint (what to do), an exit code. The command line
prints it as two lines and no traceback; any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations


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


class WatchError(HotrunError):
    """The watcher cannot start, or cannot go on."""

    exit_code = 3
