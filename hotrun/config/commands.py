"""A [build] or a [run] without a command comes to nothing: that is an error.

The command may stand anywhere: in the file, in a platform, in a profile, in an option. So this
is asked of what is in force together, and of each part at rest with all that could go with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotrun.config.check import Check


class _Layer(NamedTuple):
    """A profile or a platform of a source."""

    kind: str
    name: str
    check: Check


def require_commands(checks: Sequence[Check], in_force: Sequence[Check]) -> None:
    """Report each table that has no command.

    Args:
        checks: The file and the options.
        in_force: What of them, and of their profiles and platforms, makes this config.
    """
    layers = [
        _Layer(kind, name, layer)
        for check in checks
        for (kind, name), layer in check.layers.items()
    ]
    resting = [layer for layer in layers if layer.check not in in_force]
    for table in ("build", "run"):
        _in_force(table, in_force, resting)
        if not any(table in check.tables for check in checks):
            _at_rest(table, checks, layers, resting)


def _in_force(table: str, in_force: Sequence[Check], resting: Sequence[_Layer]) -> None:
    command = f"{table}.command"
    naming = [check for check in in_force if table in check.tables]
    if naming and not any(command in check.given for check in naming):
        having = [one for one in resting if command in one.check.given]
        profiles = [one.name for one in having if one.kind == "profile"]
        naming[0].no_command(table, next(iter(profiles), ""))


def _at_rest(
    table: str, checks: Sequence[Check], layers: Sequence[_Layer], resting: Sequence[_Layer]
) -> None:
    command = f"{table}.command"
    for layer in resting:
        # Of two profiles, and of two platforms, only one is ever in force.
        together = [one.check for one in layers if one.kind != layer.kind or one.name == layer.name]
        possible = (*checks, *together)
        if table in layer.check.tables and not any(command in one.given for one in possible):
            layer.check.no_command(table)
