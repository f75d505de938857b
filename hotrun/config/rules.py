"""One [[rule]]: which keys it must have, and which go together.

What is needed and what goes with which action stands in the table of keys; this holds a rule
against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from hotrun.config.keys import keys_of
from hotrun.config.schema import Rule
from hotrun.config.wording import shown

if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping, Sequence

    from hotrun.config.check import Check
    from hotrun.config.key import Key
    from hotrun.config.schema import Command


def rule_of(check: Check) -> Rule:
    """Make the rule of a check that has seen its keys; what is missing or too much is reported."""
    values = {one.key.name: one.value for one in check.settings}
    for key in keys_of("rule").values():
        _belonging(check, key, values)
    return Rule(
        match=cast("tuple[str, ...]", values.get("match") or ()),
        action=cast("str", values.get("action") or ""),
        command=cast("Command | None", values.get("command")),
        signal=cast("signal.Signals | None", values.get("signal")),
        origin=check.source.origin(("rule",)),
    )


def _belonging(check: Check, key: Key, values: Mapping[str, object]) -> None:
    """Report a key that the rule lacks, or has for nothing."""
    # A misspelt one is not missing too.
    there, action = key.dotted in check.given, values.get("action")
    header = check.source.header(key.table)
    if key.needed and not there:
        check.report_key((key.table,), f"{header} has no {key.name}", _missing(check, key))
    elif key.only_with and key.only_with == action and not there:
        message = f"{header} with action = {shown(action)} has no {key.name}"
        check.report_key((key.table,), message, f"add {key.name} = {key.example}")
    elif key.name in values and key.only_with and _is_action(action) and key.only_with != action:
        message = f"{key.dotted} does nothing with action = {shown(action)}"
        hint = f'write action = "{key.only_with}", or remove it'
        check.report_key((key.table, key.name), message, hint)


def _is_action(action: object) -> bool:
    return action in keys_of("rule")["action"].words


def _missing(check: Check, key: Key) -> str:
    """Say what to add; the action is known from the key that goes with it."""
    siblings = keys_of(key.table).values()
    meant = [one.only_with for one in siblings if one.only_with and one.dotted in check.given]
    if key.name == "action" and len(meant) == 1:
        return f'add action = "{meant[0]}"'
    return f"add {key.name} = {key.example}"


def warnings_of(rules: Sequence[Rule], *, has_app: bool) -> tuple[tuple[str, str], ...]:
    """Return message and hint for each rule that is right, and yet does nothing.

    Args:
        rules: The rules in force.
        has_app: There is a [run].
    """
    found = []
    for rule in rules:
        if rule.action == "reload":
            found.append(_reload(rule))
        elif rule.action in {"restart", "signal"} and not has_app:
            what = f'{rule.origin}: action = "{rule.action}", and there is no app'
            found.append((what, 'add [run], and below it command = "./app"'))
    return tuple(found)


def _reload(rule: Rule) -> tuple[str, str]:
    what = "needs the browser side, which this version does not have"
    hint = 'nothing happens on a change of these files; with action = "restart" the app restarts'
    return f'{rule.origin}: action = "reload" {what}', hint


def example_rule() -> str:
    """Write the keys of a whole rule, parted by commas."""
    keys = keys_of("rule")
    together = [
        key for key in keys.values() if key.needed or f'"{key.only_with}"' == keys["action"].example
    ]
    return ", ".join(f"{key.name} = {key.example}" for key in together)
