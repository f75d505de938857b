"""The effective config: every value as one would write it, and where it is from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.config.keys import KEYS
from hotrun.config.schema import Inputs, Ready
from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotrun.config import Config, Rule
    from hotrun.config.key import Key


class Value(NamedTuple):
    """One value.

    Attributes:
        key: "build.command", or "rule[1]".
        value: As in the file: a string, a boolean, lists and tables of such; None: there is none.
        origin: "hotrun.toml:7", "default", "--set".
    """

    key: str
    value: object
    origin: str


def values(config: Config) -> Iterator[Value]:
    """Yield every value of a config, and its rules behind them."""
    for key in KEYS:
        origin = config.origins.get(key.dotted)
        if origin is not None:
            yield Value(key.dotted, _value(config, key), origin)
    for number, rule in enumerate(config.rules, 1):
        yield Value(f"rule[{number}]", _rule(rule), rule.origin)


def _value(config: Config, key: Key) -> object:
    value = getattr(getattr(config, key.table), key.name)
    if key.kind == "duration":
        return "auto" if value is None else duration(value)
    if key.kind == "signal":
        return value.name
    if isinstance(value, Ready):
        return _ready(value)
    if isinstance(value, Inputs):
        return _inputs(value)
    return _plain(value)


def _plain(value: object) -> object:
    """The same with lists for tuples."""
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _ready(ready: Ready) -> dict[str, object]:
    forms = {"http": ready.http, "tcp": ready.tcp, "log": ready.log}
    written: dict[str, object] = {name: form for name, form in forms.items() if form}
    return {**written, "timeout": duration(ready.timeout)}


def _inputs(inputs: Inputs) -> object:
    if inputs.command is not None:
        return {"command": _plain(inputs.command)}
    return {"depfile": _plain(inputs.depfile)} if inputs.depfile else inputs.kind


def _rule(rule: Rule) -> dict[str, object]:
    written: dict[str, object] = {"match": _plain(rule.match), "action": rule.action}
    if rule.command is not None:
        written["command"] = _plain(rule.command)
    if rule.signal is not None:
        written["signal"] = rule.signal.name
    return written


def duration(seconds: float) -> str:
    """Write a duration as one would in the file: "500ms", "2m"."""
    whole = round(seconds * 1000)
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if whole and whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{whole}ms"
