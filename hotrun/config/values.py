"""Values: from what TOML holds to what hotrun uses, one converter a kind of key.

A converter that finds a fault reports it to the check and returns a value nobody will see.
"""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

from hotrun.config.wording import (
    did_you_mean,
    form,
    in_quotes,
    key_text,
    listed,
    nearest,
    quoted,
    shown,
    what,
)
from hotrun.units import DurationError, format_duration, parse_duration

if TYPE_CHECKING:
    from hotrun.config.check import Check
    from hotrun.config.key import Key
    from hotrun.config.locate import Path
    from hotrun.config.schema import Command

# Nobody waits longer, and the clocks of some kernels do not count much further.
_LONGEST = 365 * 24 * 3_600.0

# Signals that the kernel pauses a process by, or lets it go on (signal(7)): after one of them as
# the stop signal each stop would end in SIGKILL.
PAUSES = ("STOP", "TSTP", "TTIN", "TTOU", "CONT")

# How near a word as short as {dirs} comes with two letters swapped.
_SHORT = 0.5
# A name in braces. Not ${NAME}, which is the shell's, and not {{json}}, which is docker's.
_PLACEHOLDER = re.compile(r"(?<![${])\{([A-Za-z_][A-Za-z0-9_]*)\}")


def as_it_is(_check: Check, _key: Key, value: object) -> object:
    """Return the value of TOML."""
    return value


def choice(check: Check, key: Key, value: str) -> str:
    """One of the words of the key."""
    if value not in key.words:
        message = f"{key.dotted} must be {form(key)}, not {quoted(value)}"
        default = "" if key.default is None else f"the default is {shown(key.default)}"
        example = f"for example {key.name} = {key.example}"
        check.report(key.path, message, did_you_mean(value, key.words) or default or example)
    return value


def duration(check: Check, key: Key, value: str | float) -> float | None:
    """Return the seconds, or None for a word in their place ("auto")."""
    if value in key.words:
        return None
    return seconds_of(check, key, value, key.path)


def seconds_of(check: Check, key: Key, value: object, path: Path) -> float:
    """Return the seconds of a duration, which may stand inside of the value of a key."""
    name, example = ".".join(map(str, path)), f"for example {key.name} = {key.example}"
    text = value if isinstance(value, str) else shown(value)
    wrong, hint, seconds = "", example, 0.0
    try:
        seconds = parse_duration(text)
    except DurationError as error:
        wrong, hint = error.message, did_you_mean(text, key.words) or error.hint
    if seconds > _LONGEST:
        wrong = "is longer than a year"
    elif not wrong and seconds < key.least:
        wrong = f"is too short, it must be at least {format_duration(key.least)}"
    if wrong:
        said = shown(value) if check.source.given else f"{name} = {shown(value)}"
        check.report(path, f"{said} {wrong}", hint)
    return seconds


def signal_named(check: Check, key: Key, value: str) -> signal.Signals:
    """A signal of this system, with or without SIG in front."""
    known = signal.Signals.__members__
    name = value.upper().removeprefix("SIG")
    example = f"for example {key.name} = {key.example}"
    if f"SIG{name}" in known:
        if key.name == "stop_signal" and name in PAUSES:
            what = f"{key.dotted} = {shown(value)} does not ask a process to end"
            check.report(key.path, f"{what}, it pauses one or lets it go on", example)
        return known[f"SIG{name}"]
    meant = nearest(name, [one.removeprefix("SIG") for one in known])
    hint = f'did you mean "SIG{meant}"?' if meant else example
    message = f"{key.dotted} = {shown(value)} is not a signal of this system"
    check.report(key.path, message, hint)
    return signal.SIGTERM


def string(check: Check, key: Key, value: str) -> str:
    """A string that is not empty."""
    text_in(check, key, value, key.path)
    if not value:
        hint = f"write {key.name} = {shown(key.default)}, or leave it out"
        check.report(key.path, f"{key.dotted} is empty", hint)
    return value


def text_in(check: Check, key: Key, value: object, path: Path) -> str:
    """One string somewhere in the value of a key."""
    if not isinstance(value, str):
        message = f"{key.dotted} must hold strings, not {what(value)}"
        check.report(path, message, in_quotes(check.source, key, value))
        return ""
    if "\0" in value:
        hint = "no path, argument or variable can hold one: remove it"
        check.report(path, f"{key.dotted} holds a NUL character", hint)
    return value


def arguments(check: Check, key: Key, value: list[object]) -> tuple[str, ...]:
    """Strings that may be empty."""
    path = key.path
    return tuple(text_in(check, key, one, (*path, index)) for index, one in enumerate(value))


def strings(check: Check, key: Key, value: list[object]) -> tuple[str, ...]:
    """Strings that are not empty."""
    if key.filled and not value:
        hint = f"for example {key.name} = {key.example}"
        check.report(key.path, f"{key.dotted} is empty", hint)
    for index, one in enumerate(value):
        if isinstance(one, str) and not one.strip():
            path = (*key.path, index)
            check.report(path, f"{key.dotted} holds an empty string", "remove it")
    return arguments(check, key, value)


def command(check: Check, key: Key, value: str | list[object]) -> Command:
    """A string, or a list of arguments."""
    return _one_command(check, key, value, key.path)


def commands(check: Check, key: Key, value: list[object]) -> tuple[Command, ...]:
    """Several commands."""
    path = key.path
    return tuple(_one_command(check, key, one, (*path, index)) for index, one in enumerate(value))


def _one_command(check: Check, key: Key, value: object, path: Path) -> Command:
    program = value[0] if isinstance(value, list) and value else value
    if program == [] or (isinstance(program, str) and not program.strip()):
        subject = f"{key.dotted} is" if key.kind == "command" else f"{key.dotted} holds"
        what = "empty" if key.kind == "command" else "an empty command"
        check.report(path, f"{subject} {what}", f"for example {key.name} = {key.example}")
    if isinstance(value, list):
        each = enumerate(value)
        return tuple(_word(check, key, one, (*path, index)) for index, one in each)
    return _word(check, key, value, path)


def _word(check: Check, key: Key, value: object, path: Path) -> str:
    """One argument of a command, or all of it; in a rule braces may stand in it."""
    text = text_in(check, key, value, path)
    if not key.placeholders:
        return text
    unknown = (found for found in _PLACEHOLDER.findall(text) if found not in key.placeholders)
    if name := next(unknown, ""):
        known = [f"{{{one}}}" for one in key.placeholders]
        hint = f"there are {listed(known, 'and')}; a plain brace takes a space: {{ {name} }}"
        if meant := nearest(name, key.placeholders, _SHORT):
            hint = f'did you mean "{{{meant}}}"?'
        check.report(path, f'{key.dotted}: nothing stands for "{{{name}}}"', hint)
    elif name := _quoted_name(text):
        hint = "leave the quotes out: each file is a word of its own, whatever is in its name"
        check.report(path, f'{key.dotted}: "{{{name}}}" stands in quotes', hint)
    return text


def _quoted_name(line: str) -> str:
    """Return the place-holder of a command line that stands in quotes, if one does.

    A file called `$(reboot)` would be run there by the shell: what is put in is quoted already.
    """
    quote, at = "", 0
    while at < len(line):
        char = line[at]
        if char == "\\" and quote != "'":
            at += 1
        elif quote and (found := _PLACEHOLDER.match(line, at)) is not None:
            return found[1]
        elif char in "'\"":
            quote = "" if char == quote else quote or char
        at += 1
    return ""


def environment(check: Check, key: Key, value: dict[str, object]) -> dict[str, str]:
    """Variables and their values."""
    return {name: _variable(check, key, name, text) for name, text in value.items()}


def _variable(check: Check, key: Key, name: str, value: object) -> str:
    path = (*key.path, name)
    if not name or "=" in name or "\0" in name:
        message = f"{quoted(name)} in {key.dotted} cannot be the name of a variable"
        check.report_key(path, message, 'a name is not empty, and holds no "=" and no NUL')
    if isinstance(value, str):
        return text_in(check, key, value, path)
    message = f"{key.dotted}.{key_text(name)} must be a string, not {what(value)}"
    check.report(path, message, in_quotes(check.source, key, value, name))
    return ""


def files(check: Check, key: Key, value: str | list[object]) -> tuple[str, ...]:
    """One path or pattern, or several."""
    if isinstance(value, list):
        return strings(check, key, value)
    if not value.strip():
        check.report(key.path, f"{key.dotted} is empty", f"for example {key.name} = {key.example}")
    return (text_in(check, key, value, key.path),)
