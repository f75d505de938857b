"""What a config watches: the one place that makes the filter, the watcher, the sieve of it.

`run`, `check` and `explain` ask the same object, so they cannot disagree.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hotrun.config.source import HOTRUN_TOML, PYPROJECT_TOML
from hotrun.project.modules import above
from hotrun.watch.event import Op
from hotrun.watch.rules.actions import key
from hotrun.watch.rules.filter import Filter
from hotrun.watch.sieve.sieve import Sieve
from hotrun.watch.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hotrun.config import Config
    from hotrun.project.plan import Plan

NO_FILE = "no file is watched", "look at watch.paths, include, exclude and outputs"
"""Message and hint when the filter leaves nothing."""


def accepts(config: Config, planned: Plan, written: Iterable[str] = ()) -> Filter:
    """Make the filter of a config.

    Args:
        config: The config.
        planned: What it comes to on this disk.
        written: Absolute paths of what is written to all the time, and is no change.
    """
    watched = config.watch
    # What a change of no account is for need not be watched.
    rules = [
        (key(index), rule.match)
        for index, rule in enumerate(config.rules)
        if rule.action != "ignore"
    ]
    return Filter(
        roots=planned.roots,
        base=config.directory,
        include=watched.include,
        exclude=watched.exclude,
        gitignore=watched.gitignore,
        outputs=(*planned.outputs, *written),
        rules=rules,
    )


def env_files(config: Config) -> list[str]:
    """Return the env files, absolute: they are watched wherever they lie."""
    return [config.resolve(file) for file in config.run.env_files] if config.run else []


def single_files(config: Config) -> list[str]:
    """Return the files that count whatever the filter says: they are watched for themselves."""
    return list(dict.fromkeys([*env_files(config), *config_files(config), *above(config)]))


def config_files(config: Config) -> list[str]:
    """Return the files by whose change the config is another one."""
    file = config.file
    # A config may be a link: what is saved is then the file behind it.
    found = [] if file is None else [file, os.path.realpath(file)]
    # Where nothing was written down, or in a pyproject.toml, a hotrun.toml that comes counts.
    if file is None or os.path.basename(file) == PYPROJECT_TOML:
        found.append(config.resolve(HOTRUN_TOML))
    return list(dict.fromkeys(found))


def watch(config: Config, planned: Plan, written: Iterable[str] = ()) -> tuple[Watcher, Sieve]:
    """Make the watcher and the sieve of a config; nothing is watched or listed yet.

    Args:
        config: The config.
        planned: What it comes to on this disk.
        written: As for ``accepts``.
    """
    watched, chosen = config.watch, accepts(config, planned, written)
    single = frozenset(single_files(config))
    # A single file counts wherever it lies: the way to it is opened, although it is ignored.
    ways = frozenset(directory for file in single for directory in _above(file))
    watcher = Watcher(
        watched.backend,
        skips=lambda directory: chosen.skips(directory) and directory not in ways,
        wants=lambda path: path in single or chosen.wants(path),
        interval=watched.poll_interval,
        follow_symlinks=watched.follow_symlinks,
    )
    sieve = Sieve(
        planned.roots,
        chosen,
        also=single,
        sees_close=lambda path: watcher.tells(Op.CLOSE_WRITE, path),
        unchanged_counts=watched.unchanged == "build",
        follow_symlinks=watched.follow_symlinks,
    )
    return watcher, sieve


def watches_nothing(config: Config, sieve: Sieve) -> bool:
    """Whether no file is watched, or the config alone, which the filter leaves out too.

    Args:
        config: The config.
        sieve: That has listed its trees.
    """
    apart = {file for file in config_files(config) if not sieve.accepts.wants(file)}
    return all(path in apart for path in sieve.paths())


def missing(root: str) -> tuple[str, str]:
    """Say that a root is not there: message and hint.

    Args:
        root: As people see it.
    """
    return f"watch.paths: {root} does not exist", "it is watched as soon as it is there"


def _above(path: str) -> Iterator[str]:
    while path != (path := os.path.dirname(path)):
        yield path
