"""A value that is a table of parts: which of them there are, and what is wrong with that.

Some of the parts exclude each other (those without a default): exactly one of them is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.config.wording import did_you_mean, listed, quoted

if TYPE_CHECKING:
    from hotrun.config.check import Check
    from hotrun.config.key import Key


def forms_in(check: Check, key: Key, value: dict[str, object]) -> list[Key]:
    """Return the parts that are there, of those that exclude each other; report the rest."""
    names = [part.name for part in key.parts]
    unknown = [name for name in value if name not in names]
    for name in unknown:
        message = f"unknown key {quoted(name)} in {check.source.header(key.dotted)}"
        check.report_key((*key.path, name), message, _name_meant(check, key, name))
    forms = [part for part in key.parts if part.default is None]
    there = [part for part in forms if part.name in value]
    # A misspelt one is not missing too.
    if len(there) > 1 or not (there or unknown):
        named = listed((part.name for part in there), "and") if there else "none"
        every = listed((part.name for part in forms), "and")
        message = f"{key.dotted} takes one of {every}, not {named}"
        check.report(key.path, message, _whole(check, key, value, there))
    return there


def example_of(key: Key, part: Key) -> str:
    """Write a value with one part: `ready = { tcp = "127.0.0.1:8080" }`."""
    return f"{key.name} = {{ {part.name} = {part.example} }}"


def _name_meant(check: Check, key: Key, name: str) -> str:
    for part in key.parts:
        if name.lower() in part.aliases:
            example = f" for example {example_of(key, part)}" if part.default is None else ""
            return f'did you mean "{part.name}"?{example}'
    names = [part.name for part in key.parts]
    header = check.source.header(key.dotted)
    return did_you_mean(name, names) or f"the keys of {header} are {listed(names, 'and')}"


def _whole(check: Check, key: Key, value: dict[str, object], there: list[Key]) -> str:
    """Return the hint for a table that has too little, or too much."""
    if len(there) > 1:
        return "keep one of them"
    if check.source.is_option and value:
        dotted = check.source.dotted(key)
        return f"an option sets it as a whole: --set '{dotted}={key.example}'"
    return f"for example {key.name} = {key.example}"
