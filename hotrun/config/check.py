"""The checker: one source of values held against the table of keys.

It reports everything that is wrong and raises nothing. A profile or a platform of the source is
a source of its own, with a check of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hotrun.config.converters import CONVERTERS, wrong_type
from hotrun.config.keys import LAYERS, LISTS, TABLES, keys_of
from hotrun.config.merge import Setting
from hotrun.config.rules import example_rule, rule_of
from hotrun.config.system import PLATFORMS
from hotrun.config.wording import (
    key_meant,
    key_text,
    keys_named,
    known,
    listed,
    meant_in,
    platform_meant,
    quoted,
    table_meant,
    what,
)

if TYPE_CHECKING:
    from hotrun.config.key import Key
    from hotrun.config.locate import Path
    from hotrun.config.schema import Rule
    from hotrun.config.source import Source
    from hotrun.errors import Problem


class Check:
    """The check of one source: what is wrong in it, and what it sets."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = list(source.problems)
        self.settings: list[Setting] = []
        self.rules: list[Rule] = []
        self.tables: set[str] = set()
        self.given: set[str] = set()  # "build.command": it is there, or is what was meant
        self.layers: dict[tuple[str, str], Check] = {}

    def in_order(self) -> list[Problem]:
        """Return what is wrong, as it stands in the file."""
        below = (problem for layer in self.layers.values() for problem in layer.problems)
        problems = [*self.problems, *below]
        return sorted(problems, key=lambda problem: (problem.line, problem.column))

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
            if name in LAYERS and not self.source.layer:
                self.every_layer(name, content)
            elif name not in TABLES:
                self.unknown_at_top(name, content)
            elif name in LISTS:
                self.every_element(name, content)
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
                continue
            self.given.add(key.dotted)
            origin = self.source.origin((table, name))
            self.settings.append(Setting(key, self.value(key, value), origin))

    def every_element(self, table: str, content: object) -> None:
        """Check each table of a list of them."""
        if not isinstance(content, list):
            self.no_list(table, content)
            return
        for number, one in enumerate(content):
            element = Check(self.source.element(number))
            if isinstance(one, dict):
                element.table(table, one)
                self.rules.append(rule_of(element))
            else:
                element.no_list(table, one)
            self.problems += element.problems

    def every_layer(self, kind: str, content: object) -> None:
        """Check each profile, or each platform."""
        if not isinstance(content, dict):
            self.no_layers(kind, content)
            return
        for name, tree in content.items():
            if kind == "platform" and name not in PLATFORMS:
                self.unknown_platform(name)
                continue
            if not isinstance(tree, dict):
                self.no_layer(kind, name, tree)
            tables = tree if isinstance(tree, dict) else {}
            layer = self.layers[kind, name] = Check(self.source.laid_over(kind, name, tables))
            layer.every_table()

    # Values

    def value(self, key: Key, value: object) -> object:
        """Convert a value; None after a report."""
        types, converter = CONVERTERS[key.kind]
        if type(value) in types:
            return converter(self, key, value)
        self.report(key.path, *wrong_type(self.source, key, value))
        return None

    # What is wrong with a table or a key

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

    def no_list(self, table: str, content: object) -> None:
        """Report something else that stands where a list of tables should."""
        header = self.source.header(table)
        message = f"{table} must be a list of tables, not {what(content)}"
        hint = f"write {header}, and its keys on the lines below"
        if self.source.is_option:
            name = ".".join((*map(key_text, self.source.prefix), table))
            hint = f"write --set '{name}=[{{ {example_rule()} }}]'"
        elif isinstance(content, dict):
            hint = f"write {header}, with two brackets on each side"
        self.report((table,), message, hint)

    def no_layers(self, kind: str, content: object) -> None:
        """Report something else that stands where the profiles or the platforms should."""
        header = self.source.header(f"{kind}.NAME")
        if isinstance(content, list):
            self.report((kind,), f"[[{kind}]] is a list of tables", f"write {header}, once")
        else:
            message = f"{kind} must hold tables, not {what(content)}"
            self.report((kind,), message, f"write {header}, and below it what is different")

    def no_layer(self, kind: str, name: str, content: object) -> None:
        """Report something else that stands where one profile or platform should."""
        dotted = f"{kind}.{key_text(name)}"
        header = self.source.header(f"{dotted}.build")
        message = f"{dotted} must be a table, not {what(content)}"
        self.report((kind, name), message, f"write {header}, and its keys on the lines below")

    def unknown_platform(self, name: str) -> None:
        """Report a system that hotrun does not know."""
        headers = {one: self.source.header(f"platform.{one}") for one in PLATFORMS}
        hint = f"the platforms are {listed(headers.values(), 'and')}"
        if meant := platform_meant(name):
            hint = f"did you mean {headers[meant]}?"
        message = f"unknown platform {self.source.header(f'platform.{key_text(name)}')}"
        self.report_key(("platform", name), message, hint)

    def no_command(self, table: str, profile: str = "") -> None:
        """Report a table without the one key it needs; `profile` names one that has it."""
        message = f"{self.source.header(table)} has no command"
        example = f"add command = {keys_of(table)['command'].example}"
        elsewhere = f"choose a profile that has one: --profile {key_text(profile)}"
        hint = f"{example}, or {elsewhere if profile else 'remove the table'}"
        self.report_key((table,), message, hint)

    def unknown_key(self, table: str, name: str) -> None:
        """Report a key that its table does not have."""
        hint, meant = meant_in(table, name, self.source)
        if meant:
            self.given.add(f"{table}.{meant}")
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
            hint = self.unnamed_layer(name) or key_meant(name, self.source)
        self.report_key((name,), message, hint)

    def unnamed_layer(self, name: str) -> str:
        """Return the hint for a key in [profile.build], where the profile's own name is missing."""
        kind, _, table = self.source.layer.partition(" ")
        if table not in TABLES or name not in keys_of(table):
            return ""
        above = replace(self.source, prefix=self.source.prefix[:-1])
        return f"name the {kind}: {above.header(f'NAME.{table}')}"
