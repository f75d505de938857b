"""What a key of hotrun.toml is: its name, its kind, its default, and all that is said of it.

A key that consists of parts (`run.ready`) is one value; its parts are keys of the same make.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from hotrun.lean import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal[
    "addresses",
    "arguments",
    "boolean",
    "choice",
    "command",
    "commands",
    "duration",
    "environment",
    "files",
    "inputs",
    "ready",
    "signal",
    "string",
    "strings",
]
"""What a value is."""

FORMS: Mapping[Kind, str] = {
    "addresses": "a list of addresses",
    "arguments": "a list of strings",
    "boolean": "true or false",
    "choice": "a string",
    "command": "a string or a list of strings",
    "commands": "a list of commands",
    "duration": "a duration",
    "environment": "a table of strings",
    "files": "a string or a list of strings",
    "inputs": "a table",
    "ready": "a table",
    "signal": "the name of a signal",
    "string": "a string",
    "strings": "a list of strings",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of hotrun.toml.

    Args:
        table: The table it belongs in.
        name: Its name in that table, and the name of the field.
        kind: What its value is.
        default: The value when it is left out, as written in the file; None: there is none.
        doc: One paragraph.
        example: A useful value, as written in the file.
        words: Every value of a choice; else the words that may stand in the place of a value.
        least: The shortest duration that makes sense, in seconds; in `ready` of its timeout.
        filled: An empty list makes no sense.
        aliases: What other tools call it, for suggestions only.
        needed: A rule is nothing without it.
        only_with: The action of a rule that needs it; with any other it is refused.
        parts: The keys of its value.
        placeholders: The names that may stand in braces in a command.
    """

    table: str
    name: str
    kind: Kind
    default: object
    doc: str
    example: str
    words: tuple[str, ...] = ()
    least: float = 0.0
    filled: bool = False
    aliases: tuple[str, ...] = ()
    needed: bool = False
    only_with: str = ""
    parts: tuple[Key, ...] = ()
    placeholders: tuple[str, ...] = ()

    @property
    def dotted(self) -> str:
        """`build.command`, as in --set and in messages."""
        return f"{self.table}.{self.name}"

    @property
    def path(self) -> tuple[str | int, ...]:
        """The way to its value from the level of the tables on."""
        return (*self.table.split("."), self.name)
