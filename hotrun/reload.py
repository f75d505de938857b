"""What another config asks for: a build, a restart, another watcher, or nothing at once.

What a change of a key leads to stands here, and nowhere else.
"""

from __future__ import annotations

import os
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from hotrun import notices
from hotrun.errors import ConfigError, ConfigErrors
from hotrun.lean import dataclass
from hotrun.project.watched import single_files
from hotrun.triage import Triage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hotrun.config import Config
    from hotrun.project.plan import Plan
    from hotrun.state import State
    from hotrun.triage import Outcome

STAYS = "mend the file and save it: it is read again"

# What a build is made by, what an app is started by, and what decides which files are watched.
BUILDS = frozenset({"build.command", "build.env", "build.inputs"})
# The streams, the sockets and the commands before it are of its start too. `on_hang`: it says
# whether the output is read.
RESTARTS = frozenset(
    f"run.{key}"
    for key in (
        "command", "args", "env", "env_files", "working_directory", "stdin", "listen", "ready",
        "before", "on_hang",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two configs, and what follows.

    Attributes:
        keys: Dotted, in the order of the config; a table that came or went by its name.
    """

    keys: tuple[str, ...]

    @property
    def builds(self) -> bool:
        """Whether the program has to be built again."""
        return any(key == "build" or key in BUILDS for key in self.keys)

    @property
    def restarts(self) -> bool:
        """Whether the app has to be started again."""
        return any(key == "run" or key in RESTARTS for key in self.keys)


def difference(old: Config, new: Config) -> Difference:
    """Compare two configs of one project."""
    keys: list[str] = []
    for table in ("watch", "build", "run"):
        before, after = getattr(old, table), getattr(new, table)
        if before is None or after is None:
            keys += [table] * (before is not after)
            continue
        names = [field.name for field in fields(after)]
        keys += [
            f"{table}.{name}" for name in names if getattr(before, name) != getattr(after, name)
        ]
    return Difference((*keys, *["rule"] * (_rules(old) != _rules(new))))


def _rules(config: Config) -> list[object]:
    """Return the rules without the lines they stand in."""
    return [replace(rule, origin="") for rule in config.rules]


def problems_of(error: ConfigError) -> list[notices.Problem]:
    """Return all that is wrong in a config that was to be read while we run."""
    stays = notices.Problem("the config before this change still counts", STAYS, severity="warning")
    if not isinstance(error, ConfigErrors):
        # Its own hint says what to do; the file may be fine, or gone.
        hint = "" if error.hint else STAYS
        return [notices.Problem(error.message, error.hint), stays._replace(hint=hint)]
    found = [
        notices.Problem(
            f"{one.place}: {one.message}", one.hint, one.file, one.line or None, excerpt=one.excerpt
        )
        for one in error.problems
    ]
    return [*found, stays]


def another_file(old: Config, new: Config) -> notices.Problem | None:
    """Say that a config stands in another file than before: one came, or went. None: it does not.

    A project that was moved away has its own file in another place.
    """
    if new.file == old.file or new.directory != old.directory:
        return None
    before = f"before, {_name(old)} was" if old.file else "before, it was what was detected"
    message = f"{_name(new)} is the config from now on"
    return notices.Problem(message, before, new.file, severity="warning")


def _name(config: Config) -> str:
    return os.path.basename(config.file or "")


def watched(config: Config, planned: Plan) -> object:
    """Return what decides which files are watched, and how; to be compared, and no more."""
    # Only the core's alarms go by these two.
    watch = replace(config.watch, debounce=0.0, max_wait=0.0)
    rules = [[each for each in rule.match if _opens(each, config)] for rule in config.rules]
    matches = [match for match in rules if match]
    return watch, planned.roots, planned.outputs, single_files(config), matches


def _opens(pattern: str, config: Config) -> bool:
    """Whether a pattern of a rule decides what is watched, as the filter has it."""
    first = pattern.removeprefix("/").partition("/")[0]
    return bool(config.watch.include) or not any(char in first for char in "*?[\\!")


def sorted_again(state: State, config: Config, roots: Sequence[str]) -> Outcome:
    """Say what the files that wait for the command of a rule are for by another config.

    Args:
        state: Of the core.
        config: The config that counts from now on.
        roots: Its watched roots.
    """
    steps = state.steps | (state.build.steps if state.build is not None else frozenset())
    paths = sorted({config.resolve(step.path) for step in steps})
    return Triage(config, roots).sort(paths, paths)


def read_again(
    read: Callable[[], tuple[Config, Plan]], old: Config, sockets: int
) -> tuple[Config, Plan]:
    """Read the config that is to count from now on.

    Args:
        read: Reads it.
        old: The config that counts.
        sockets: Descriptors that were reserved for ``run.listen`` at our start.

    Raises:
        ConfigError: it is not as it must be, or cannot be had while we run.
    """
    new, planned = read()
    if new.run is not None and len(new.run.listen) > sockets:
        raise ConfigError(
            "run.listen names more addresses than at the start of hotrun",
            "start hotrun again: it reserves their descriptors before anything else",
        )
    before = old.run.stdin if old.run is not None else "null"
    if new.run is not None and new.run.stdin != before:
        hint = "start hotrun again: the keys are set up at its start"
        raise ConfigError("run.stdin changed", hint)
    for what, hint in sorted(_unusable(new) - _unusable(old)):
        raise ConfigError(what, f"{hint}: what runs is left alone")
    return new, planned


def _unusable(config: Config) -> set[tuple[str, str]]:
    """Say which programs cannot be executed, and what helps: an app is not stopped for these."""
    from hotrun.project.tools import tools

    lost = "command not found", "install it, or correct its name"
    return {
        (f"{tool.key}: {tool.fault[0]}", tool.fault[1])
        if tool.fault is not None
        else (f"{tool.key}: {tool.program}: {lost[0]}", lost[1])
        for tool in tools(config)
        if (tool.path is None or tool.fault is not None) and not tool.to_come
    }
