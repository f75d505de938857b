"""hotrun.toml, or [tool.hotrun] of a pyproject.toml, and --set: checked and typed.

All that is wrong is found before anything is raised. A check never stops at the first fault:
it reports, and goes on with a value that nobody will see.
"""

from __future__ import annotations

import os.path
import signal
from typing import TYPE_CHECKING

import hotrun
from hotrun.config.merge import (
    DEFAULT,
    HOTRUN_TOML,
    Setting,
    Source,
    assemble,
    laid_over,
    option_source,
    read_file,
    read_text,
)
from hotrun.config.schema import FORMS, KEYS, LATER_TABLES, TABLES, keys_of
from hotrun.errors import ConfigErrors, Problem
from hotrun.units import DurationError, format_duration, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hotrun.config.locate import Path
    from hotrun.config.schema import Command, Config, Key, Kind

# Nobody waits longer, and the clocks of some kernels do not count much further.
_LONGEST = 365 * 24 * 3_600.0
# As much of a value as a message repeats.
_SHOWN = 40
_LONGEST_NUMBER = 128  # bits


def load(file: str | None, directory: str, sets: Sequence[str] = ()) -> Config:
    """Read and check the config of a project.

    Args:
        file: The config file, relative to `directory`; None: `hotrun.toml` there, else
            `[tool.hotrun]` in the `pyproject.toml` there.
        directory: The directory of the project.
        sets: `--set` options, `KEY=VALUE` each, laid over the file in their order.

    Returns:
        The whole config.

    Raises:
        NoConfigError: `file` is None and there is no config in `directory`.
        ConfigError: The file cannot be read.
        ConfigErrors: The file or an option is wrong; holds every problem.
    """
    source = read_file(file, directory)
    path = os.path.abspath(os.path.join(directory, source.label))
    return _config(path, os.path.dirname(path), source, sets)


def load_text(
    text: str, directory: str, sets: Sequence[str] = (), label: str = HOTRUN_TOML
) -> Config:
    """Check the text of a hotrun.toml that is in no file: of a project that was detected, say.

    Args:
        text: The text.
        directory: Where relative paths begin.
        sets: `--set` options, laid over it.
        label: What origins and problems call it.

    Returns:
        The whole config; its `file` is None.

    Raises:
        ConfigErrors: The text or an option is wrong; holds every problem.
    """
    return _config(None, os.path.abspath(directory), read_text(text, label), sets)


def _config(file: str | None, directory: str, source: Source, sets: Sequence[str]) -> Config:
    checks = [_Check(one) for one in (source, *map(option_source, sets))]
    for check in checks:
        check.every_table()
    _require_commands(checks)
    if problems := [problem for check in checks for problem in check.in_order()]:
        raise ConfigErrors(problems)
    tables = {name for check in checks for name in check.tables}
    settings = [*_defaults(), *(one for check in checks for one in check.settings)]
    return assemble(file, directory, laid_over(settings), tables)


def _defaults() -> list[Setting]:
    check = _Check(Source(DEFAULT, {}))
    optional = (key for key in KEYS if key.kind != "command")
    return [Setting(key, check.value(key, key.default), DEFAULT) for key in optional]


def _require_commands(checks: Iterable[_Check]) -> None:
    for table in ("build", "run"):
        named = [check for check in checks if table in check.tables]
        if named and not any(table in check.commanded for check in named):
            named[0].no_command(table)


class _Check:
    """The check of one source: what is wrong in it, and what it sets."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = list(source.problems)
        self.settings: list[Setting] = []
        self.tables: set[str] = set()
        self.commanded: set[str] = set()  # the tables with a command, or with what is meant as one

    def in_order(self) -> list[Problem]:
        return sorted(self.problems, key=lambda problem: (problem.line, problem.column))

    def report(self, path: Path, message: str, hint: str) -> None:
        self.problems.append(self.source.problem(path, message, hint))

    def report_key(self, path: Path, message: str, hint: str) -> None:
        self.problems.append(self.source.problem(path, message, hint, at_key=True))

    # Tables and keys

    def every_table(self) -> None:
        for name, content in self.source.tree.items():
            if name in LATER_TABLES:
                self.later_table(name)
            elif name not in TABLES:
                self.unknown_at_top(name, content)
            elif isinstance(content, dict):
                self.table(name, content)
            else:
                self.no_table(name, content)

    def table(self, table: str, content: dict[str, object]) -> None:
        self.tables.add(table)
        keys = keys_of(table)
        for name, value in content.items():
            if (key := keys.get(name)) is None:
                self.unknown_key(table, name)
            elif self.is_available(key, value):
                self.settings.append(
                    Setting(key, self.value(key, value), self.source.origin((table, name)))
                )
            if name == "command":
                self.commanded.add(table)

    def no_table(self, table: str, content: object) -> None:
        header = self.source.header(table)
        if isinstance(content, list):
            self.report((table,), f"[{header}] is a list of tables", f"write {header}, once")
        else:
            message = f"{table} must be a table, not {_what(content)}"
            hint = f"write {header}, and its keys on the lines below"
            if self.source.is_option:
                hint = f"set its keys one by one: {_listed(_known(table), 'and')}"
            self.report((table,), message, hint)

    def no_command(self, table: str) -> None:
        message = f"{self.source.header(table)} has no command"
        example = keys_of(table)["command"].example
        self.report_key((table,), message, f"add command = {example}, or remove the table")

    def later_table(self, table: str) -> None:
        header = self.source.header(table)
        header = f"[{header}]" if table == "rule" else f"{header[:-1]}.*]"
        message = f"{header} is not available in this version"
        hint = f"remove the table; in hotrun {hotrun.__version__} {LATER_TABLES[table]}"
        self.report_key((table,), message, hint)

    def is_available(self, key: Key, value: object) -> bool:
        # 1 == True, and 1 is for the check of types to name.
        later = any(type(value) is type(one) and value == one for one in key.later_values)
        yet = f"hotrun {hotrun.__version__} {key.lacking} yet"
        path = (key.table, key.name)
        if not key.available:
            remove = "the option" if self.source.is_option else "the line"
            message = f"{key.dotted} is not available in this version"
            self.report_key(path, message, f"remove {remove}; {yet}")
        elif later:
            message = f"{key.dotted} = {_shown(value)} is not available in this version"
            self.report(path, message, f"write {key.name} = {_shown(key.default)}; {yet}")
        return key.available and not later

    def unknown_key(self, table: str, name: str) -> None:
        hint, meant = _meant_in(table, name, self.source)
        if meant == "command":
            self.commanded.add(table)
        message = f"unknown key {_quoted(name)} in {self.source.header(table)}"
        self.report_key((table, name), message, hint)

    def unknown_at_top(self, name: str, content: object) -> None:
        first = content[0] if isinstance(content, list) and content else content
        if isinstance(first, dict) and not _keys_named(name):
            message = f"unknown table {self.source.header(_key_text(name))}"
            hint = _table_meant(name, self.source)
        else:
            message = f"unknown key {_quoted(name)} outside of a table"
            hint = _key_meant(name, self.source)
        self.report_key((name,), message, hint)

    # Values

    def value(self, key: Key, value: object) -> object:
        types, converter = _CONVERTERS[key.kind]
        if type(value) in types:
            return converter(self, key, value)
        self.report((key.table, key.name), *_wrong_type(key, value))
        return None


def _wrong_type(key: Key, value: object) -> tuple[str, str]:
    message = f"{key.dotted} must be {_form(key)}, not {_what(value)}"
    if key.kind == "boolean" and value in ("true", "false"):
        return message, f"write {key.name} = {value}, without the quotes"
    if isinstance(value, str) and list in _CONVERTERS[key.kind][0]:
        return message, f"write {key.name} = [{_quoted(value)}]"
    return message, f"for example {key.name} = {key.example}"


def _as_it_is(_check: _Check, _key: Key, value: object) -> object:
    return value


def _later(_check: _Check, _key: Key, value: list[str] | None) -> object:
    return value if value is None else tuple(value)


def _choice(check: _Check, key: Key, value: str) -> str:
    if value not in key.words:
        message = f"{key.dotted} must be {_form(key)}, not {_quoted(value)}"
        hint = _did_you_mean(value, key.words) or f"the default is {_shown(key.default)}"
        check.report((key.table, key.name), message, hint)
    return value


def _duration(check: _Check, key: Key, value: str | float) -> float | None:
    if value in key.words:
        return None
    text, wrong = value if isinstance(value, str) else _shown(value), ""
    try:
        seconds = parse_duration(text)
    except DurationError as error:
        seconds, wrong = 0.0, error.message
        hint = _did_you_mean(text, key.words) or error.hint
    else:
        hint = f"for example {key.name} = {key.example}"
        if seconds > _LONGEST:
            wrong = "is longer than a year"
        elif seconds < key.least:
            wrong = f"is too short, it must be at least {format_duration(key.least)}"
    if wrong:
        check.report((key.table, key.name), f"{key.dotted} = {_shown(value)} {wrong}", hint)
    return seconds


def _signal(check: _Check, key: Key, value: str) -> signal.Signals:
    known = signal.Signals.__members__
    name = value.upper().removeprefix("SIG")
    if f"SIG{name}" in known:
        return known[f"SIG{name}"]
    nearest = _nearest(name, [one.removeprefix("SIG") for one in known])
    example = f"for example {key.name} = {key.example}"
    hint = f'did you mean "SIG{nearest}"?' if nearest else example
    message = f"{key.dotted} = {_shown(value)} is not a signal of this system"
    check.report((key.table, key.name), message, hint)
    return signal.SIGTERM


def _string(check: _Check, key: Key, value: str) -> str:
    _text(check, key, value, (key.table, key.name))
    if not value:
        hint = f"write {key.name} = {_shown(key.default)}, or leave it out"
        check.report((key.table, key.name), f"{key.dotted} is empty", hint)
    return value


def _text(check: _Check, key: Key, value: object, path: Path) -> str:
    """One string somewhere in the value of a key."""
    if not isinstance(value, str):
        message = f"{key.dotted} must hold strings, not {_what(value)}"
        check.report(path, message, _in_quotes(check, key, value))
        return ""
    if "\0" in value:
        hint = "no path, argument or variable can hold one: remove it"
        check.report(path, f"{key.dotted} holds a NUL character", hint)
    return value


def _arguments(check: _Check, key: Key, value: list[object]) -> tuple[str, ...]:
    path = (key.table, key.name)
    return tuple(_text(check, key, one, (*path, index)) for index, one in enumerate(value))


def _strings(check: _Check, key: Key, value: list[object]) -> tuple[str, ...]:
    if key.filled and not value:
        hint = f"for example {key.name} = {key.example}"
        check.report((key.table, key.name), f"{key.dotted} is empty", hint)
    for index, one in enumerate(value):
        if isinstance(one, str) and not one.strip():
            path = (key.table, key.name, index)
            check.report(path, f"{key.dotted} holds an empty string", "remove it")
    return _arguments(check, key, value)


def _command(check: _Check, key: Key, value: str | list[object]) -> Command:
    return _one_command(check, key, value, (key.table, key.name))


def _commands(check: _Check, key: Key, value: list[object]) -> tuple[Command, ...]:
    path = (key.table, key.name)
    return tuple(_one_command(check, key, one, (*path, index)) for index, one in enumerate(value))


def _one_command(check: _Check, key: Key, value: object, path: Path) -> Command:
    program = value[0] if isinstance(value, list) and value else value
    if program == [] or (isinstance(program, str) and not program.strip()):
        subject = f"{key.dotted} is" if key.kind == "command" else f"{key.dotted} holds"
        what = "empty" if key.kind == "command" else "an empty command"
        check.report(path, f"{subject} {what}", f"for example {key.name} = {key.example}")
    if isinstance(value, list):
        each = enumerate(value)
        return tuple(_text(check, key, one, (*path, index)) for index, one in each)
    return _text(check, key, value, path)


def _environment(check: _Check, key: Key, value: dict[str, object]) -> dict[str, str]:
    return {name: _variable(check, key, name, text) for name, text in value.items()}


def _variable(check: _Check, key: Key, name: str, value: object) -> str:
    path = (key.table, key.name, name)
    if not name or "=" in name or "\0" in name:
        message = f"{_quoted(name)} in {key.dotted} cannot be the name of a variable"
        check.report_key(path, message, 'a name is not empty, and holds no "=" and no NUL')
    if isinstance(value, str):
        return _text(check, key, value, path)
    message = f"{key.dotted}.{_key_text(name)} must be a string, not {_what(value)}"
    check.report(path, message, _in_quotes(check, key, value, name))
    return ""


_CONVERTERS: dict[Kind, tuple[tuple[type, ...], Callable[..., object]]] = {
    "arguments": ((list,), _arguments),
    "boolean": ((bool,), _as_it_is),
    "choice": ((str,), _choice),
    "command": ((str, list), _command),
    "commands": ((list,), _commands),
    # A bare number is no duration, but the check of durations says so best.
    "duration": ((str, int, float), _duration),
    "environment": ((dict,), _environment),
    "later": ((list, type(None)), _later),
    "signal": ((str,), _signal),
    "string": ((str,), _string),
    "strings": ((list,), _strings),
}

# Suggestions


def _meant_in(table: str, name: str, source: Source) -> tuple[str, str]:
    """The hint for a key that its table does not have, and the key that was meant, if any."""
    own = keys_of(table)
    aliased = next((key.name for key in own.values() if name in key.aliases), "")
    elsewhere = _keys_named(name)
    if not aliased and elsewhere:
        return _belongs(elsewhere, source), ""
    if meant := aliased or _nearest(name, own):
        return f'did you mean "{meant}"?', meant
    if keys := _keys_named(_aliased(name)):
        return _did_you_mean_key(keys, source), ""
    return f"the keys of {source.header(table)} are {_listed(_known(table), 'and')}", ""


def _key_meant(name: str, source: Source) -> str:
    if keys := _keys_named(name):
        return _belongs(keys, source)
    if keys := _keys_named(_aliased(name) or _nearest(name, {key.name for key in KEYS})):
        return _did_you_mean_key(keys, source)
    return f"the keys stand in the tables {_listed(map(source.header, TABLES), 'and')}"


def _table_meant(name: str, source: Source) -> str:
    if meant := _nearest(name, [*TABLES, *LATER_TABLES]):
        return f"did you mean {source.header(meant)}?"
    return f"the tables are {_listed(map(source.header, TABLES), 'and')}"


def _belongs(keys: Sequence[Key], source: Source) -> str:
    if source.is_option:
        return _did_you_mean_key(keys, source)
    return f"it belongs in {_listed((source.header(key.table) for key in keys), 'or')}"


def _did_you_mean_key(keys: Sequence[Key], source: Source) -> str:
    if source.is_option:
        return f"did you mean {_listed((key.dotted for key in keys), 'or')}?"
    headers = _listed((source.header(key.table) for key in keys), "or")
    return f'did you mean "{keys[0].name}" in {headers}?'


def _keys_named(name: str) -> list[Key]:
    return [key for key in KEYS if key.name == name]


def _aliased(name: str) -> str:
    return next((key.name for key in KEYS if name in key.aliases), "")


def _known(table: str) -> list[str]:
    return [key.name for key in KEYS if key.table == table and key.available]


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    meant = _nearest(word, known)
    return f'did you mean "{meant}"?' if meant else ""


def _nearest(word: str, known: Iterable[str]) -> str:
    # Only an error pays for the import.
    import difflib

    by_case = {one.casefold(): one for one in sorted(known)}
    matches = difflib.get_close_matches(word.casefold(), by_case, n=1)
    return by_case[matches[0]] if matches else ""


# Words


def _form(key: Key) -> str:
    words = [f'"{word}"' for word in key.words]
    if key.kind == "choice":
        return _listed(words, "or")
    return _listed([FORMS[key.kind], *words], "or")


def _listed(words: Iterable[str], link: str) -> str:
    *most, last = words
    return f"{', '.join(most)} {link} {last}" if most else last


def _in_quotes(check: _Check, key: Key, value: object, variable: str = "") -> str:
    if isinstance(value, (list, dict)):
        return f"for example {key.name} = {key.example}"
    quoted = f'"{_shown(value)}"'
    if not variable:
        return f"put it in quotes: {quoted}"
    if check.source.is_option:  # where the shell takes one pair of quotes off
        return f"put it in quotes: --set '{key.dotted}.{_key_text(variable)}={quoted}'"
    return f"put it in quotes: {_key_text(variable)} = {quoted}"


def _what(value: object) -> str:
    if isinstance(value, bool):
        return _shown(value)
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), "a date or a time")


def _shown(value: object) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int) and value.bit_length() > _LONGEST_NUMBER:
        return "a huge number"  # Python refuses to write it with decimal digits
    return str(value).lower() if isinstance(value, bool) else str(value)[:_SHOWN]


def _quoted(text: str) -> str:
    short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return f'"{_escaped(short)}"'


def _key_text(name: str) -> str:
    plain = name.replace("_", "").replace("-", "")
    return name if plain.isascii() and plain.isalnum() else _quoted(name)


def _escaped(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in plain
    )
