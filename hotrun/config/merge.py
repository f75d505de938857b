"""How settings are laid over each other, and the tables they make.

The last one wins, key by key; only variables of an environment are added one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotrun.config.schema import Build, Run, Watch
from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotrun.config.key import Key


class Setting(NamedTuple):
    """A checked value of a key, in the type of its field, and where it is from."""

    key: Key
    value: object
    origin: str


def laid_over(settings: Iterable[Setting]) -> dict[str, Setting]:
    """Lay settings over each other by dotted key: the last wins, variables are added."""
    merged: dict[str, Setting] = {}
    for setting in settings:
        before = merged.get(setting.key.dotted)
        merged[setting.key.dotted] = _added(before, setting) if before else setting
    return merged


def _added(before: Setting, after: Setting) -> Setting:
    old, new = before.value, after.value
    if not (isinstance(old, dict) and isinstance(new, dict) and old):
        return after
    return Setting(after.key, {**old, **new}, f"{before.origin}, {after.origin}")


def watch_of(settings: Iterable[Setting]) -> Watch:
    """Make the [watch] table of a setting for each key."""
    return Watch(**_fields("watch", settings))


def build_of(settings: Iterable[Setting]) -> Build:
    """Make the [build] table."""
    return Build(**_fields("build", settings))


def run_of(settings: Iterable[Setting]) -> Run:
    """Make the [run] table."""
    return Run(**_fields("run", settings))


def _fields(table: str, settings: Iterable[Setting]) -> dict[str, Any]:
    return {one.key.name: one.value for one in settings if one.key.table == table}
