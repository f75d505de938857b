"""The checker: one source of values held against the table of keys.

It reports everything that is wrong and raises nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import hotrun
from hotrun.config.converters import CONVERTERS, wrong_type
from hotrun.config.merge import Setting, Source
from hotrun.config.schema import LATER_TABLES, TABLES, keys_of
from hotrun.config.wording import (
    key_meant,
    key_text,
    keys_named,
    known,
    listed,
    meant_in,
    quoted,
    table_meant,
    what,
)

if TYPE_CHECKING:
    from hotrun.config.locate import Path
    from hotrun.config.schema import Key
    from hotrun.errors import Problem


class Check:
    """The check of one source: what is wrong in it, and what it sets."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = list(source.problems)
        self.settings: list[Setting] = []
        self.tables: set[str] = set()
        self.commanded: set[str] = set()  # the tables with a command, or with what is meant as one

    def in_order(self) -> list[Problem]:
        """Return what is wrong, as it stands in the file."""
        return sorted(self.problems, key=lambda problem: (problem.line, problem.column))

    def report(self, path: Path, message: str, hint: str) -> None:
        """Note a fault of a value."""
        self.problems.append(self.source.problem(path, message, hint))

    def report_key(self, path: Path, message: str, hint: str) -> None:
        """Note a fault of a key, or of a table."""
        self.problems.append(self.source.problem(path, message, hint, at_key=True))

    # Tables and keys

    def every_table(self) -> None:
        """Check the whole source."""
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
        """Check the keys of one table."""
        self.tables.add(table)
        keys = keys_of(table)
        for name, value in content.items():
            if (key := keys.get(name)) is None:
                self.unknown_key(table, name)
            else:
                self.settings.append(
                    Setting(key, self.value(key, value), self.source.origin((table, name)))
                )
            if name == "command":
                self.commanded.add(table)

    def no_table(self, table: str, content: object) -> None:
        """Report something else that stands where a table should."""
        header = self.source.header(table)
        if isinstance(content, list):
            self.report((table,), f"[{header}] is a list of tables", f"write {header}, once")
        else:
            message = f"{table} must be a table, not {what(content)}"
            hint = f"write {header}, and its keys on the lines below"
            if self.source.is_option:
                hint = f"set its keys one by one: {listed(known(table), 'and')}"
            self.report((table,), message, hint)

    def no_command(self, table: str) -> None:
        """Report a table without the one key it needs."""
        message = f"{self.source.header(table)} has no command"
        example = keys_of(table)["command"].example
        self.report_key((table,), message, f"add command = {example}, or remove the table")

    def later_table(self, table: str) -> None:
        """Report a table that this version knows, and does not serve yet."""
        header = self.source.header(table)
        header = f"[{header}]" if table == "rule" else f"{header[:-1]}.*]"
        message = f"{header} is not available in this version"
        hint = f"remove the table; in hotrun {hotrun.__version__} {LATER_TABLES[table]}"
        self.report_key((table,), message, hint)

    def unknown_key(self, table: str, name: str) -> None:
        """Report a key that its table does not have."""
        hint, meant = meant_in(table, name, self.source)
        if meant == "command":
            self.commanded.add(table)
        message = f"unknown key {quoted(name)} in {self.source.header(table)}"
        self.report_key((table, name), message, hint)

    def unknown_at_top(self, name: str, content: object) -> None:
        """Report what is neither a table of ours nor in one."""
        first = content[0] if isinstance(content, list) and content else content
        if isinstance(first, dict) and not keys_named(name):
            message = f"unknown table {self.source.header(key_text(name))}"
            hint = table_meant(name, self.source)
        else:
            message = f"unknown key {quoted(name)} outside of a table"
            hint = key_meant(name, self.source)
        self.report_key((name,), message, hint)

    # Values

    def value(self, key: Key, value: object) -> object:
        """Convert a value; None after a report."""
        types, converter = CONVERTERS[key.kind]
        if type(value) in types:
            return converter(self, key, value)
        self.report((key.table, key.name), *wrong_type(self.source, key, value))
        return None
