"""The one table of keys.

The checker, the JSON schema, `hotrun.toml.example` and docs/configuration.md are made from KEYS
and nothing else: a key that is not here does not exist, a default that is not here is not a
default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.config.tables import build, rule, run, watch
from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotrun.config.key import Key


class Layer(NamedTuple):
    """A kind of tables that are laid over the rest: what it is for, and an example."""

    doc: str
    name: str
    example: str


TABLES: Mapping[str, str] = {
    "watch": "What is watched, and when a change counts. Every key can be left out.",
    "build": "The finite command. Leave the table out when there is nothing to build.",
    "run": "The app. Leave the table out to build only.",
    "rule": "What a change of some files does instead of a build and a restart. There may be many "
    "rules: the last one that fits a file decides; without one a change builds. The rules of a "
    "platform or a profile come after those above.",
}

LISTS = frozenset({"rule"})
"""The tables of which there may be many, written `[[rule]]`."""

LAYERS: Mapping[str, Layer] = {
    "profile": Layer(
        "Laid over the rest of the file when it is asked for: `hotrun run --profile NAME`. A "
        "profile holds any of the tables above, only with what is different in it; variables of "
        "`env` are added one by one. It wins over a platform, and `--set` wins over both.",
        "debug",
        """build.command = "go build -gcflags 'all=-N -l' -o app ."\n""",
    ),
    "platform": Layer(
        "Laid over the rest of the file on that system: `linux`, `macos`, `windows` or "
        "`freebsd`. It holds what a profile holds.",
        "windows",
        """build.command = "go build -o app.exe ."\nrun.command = "app.exe"\n""",
    ),
}
"""The names of tables that hold the tables above."""

KEYS: tuple[Key, ...] = (*watch.KEYS, *build.KEYS, *run.KEYS, *rule.KEYS)


def keys_of(table: str) -> dict[str, Key]:
    """The keys of one table by name, in the order of the file."""
    return {key.name: key for key in KEYS if key.table == table}
