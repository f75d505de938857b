"""hotrun.toml, or [tool.hotrun] of a pyproject.toml, and --set: checked and typed.

All that is wrong is found before anything is raised. A check never stops at the first fault:
it reports, and goes on with a value that nobody will see. Of what is laid over each other the
last wins: default, file, platform, profile, environment, option.
"""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

from hotrun.config.check import Check
from hotrun.config.commands import require_commands
from hotrun.config.keys import KEYS, LISTS
from hotrun.config.merge import Setting, build_of, laid_over, run_of, watch_of
from hotrun.config.rules import warnings_of
from hotrun.config.schema import Config
from hotrun.config.source import (
    DEFAULT,
    HOTRUN_TOML,
    Source,
    override_source,
    read_file,
    read_text,
)
from hotrun.config.system import platform_named
from hotrun.config.wording import did_you_mean, key_text, listed, quoted
from hotrun.errors import ConfigErrors, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotrun.config.source import Override


def load(
    file: str | None, directory: str, sets: Sequence[Override] = (), profile: str = ""
) -> Config:
    """Read and check the config of a project.

    Args:
        file: The config file, relative to `directory`; None: `hotrun.toml` there, else
            `[tool.hotrun]` in the `pyproject.toml` there.
        directory: The directory of the project.
        sets: What is laid over the file, in this order: `KEY=VALUE` of `--set` options, and what
            other options and variables give.
        profile: The profile that is laid over the rest of the file; "": none.

    Returns:
        The whole config.

    Raises:
        NoConfigError: `file` is None and there is no config in `directory`.
        ConfigError: The file cannot be read.
        ConfigErrors: The file or an option is wrong, or there is no such profile; holds every
            problem.
    """
    source = read_file(file, directory)
    path = os.path.abspath(os.path.join(directory, source.label))
    return _config(path, os.path.dirname(path), [source, *map(override_source, sets)], profile)


def load_text(
    text: str,
    directory: str,
    sets: Sequence[Override] = (),
    label: str = HOTRUN_TOML,
    profile: str = "",
) -> Config:
    """Check the text of a hotrun.toml that is in no file: of a project that was detected, say.

    Args:
        text: The text.
        directory: Where relative paths begin.
        sets: Laid over it, as for `load`.
        label: What origins and problems call it.
        profile: The profile that is laid over the rest of the text; "": none.

    Returns:
        The whole config; its `file` is None.

    Raises:
        ConfigErrors: The text or an option is wrong, or there is no such profile; holds every
            problem.
    """
    sources = [read_text(text, label), *map(override_source, sets)]
    return _config(None, os.path.abspath(directory), sources, profile)


def _config(file: str | None, directory: str, sources: Sequence[Source], profile: str) -> Config:
    checks = [Check(source) for source in sources]
    for check in checks:
        check.every_table()
    profiles = tuple(dict.fromkeys(name for check in checks for name in _profiles(check)))
    in_force = [one for check in checks for one in _in_force(check, profile)]
    require_commands(checks, in_force)
    problems = [problem for check in checks for problem in check.in_order()]
    if profile and profile not in profiles:
        problems.append(_no_profile(sources[0], profile, profiles))
    if problems:
        raise ConfigErrors(problems)
    merged = laid_over([*_defaults(), *(one for check in in_force for one in check.settings)])
    tables = {"watch"}.union(*(check.tables for check in in_force))
    settings = [one for one in merged.values() if one.key.table in tables]
    rules = tuple(rule for check in in_force for rule in check.rules)
    return Config(
        file=file,
        directory=directory,
        watch=watch_of(settings),
        build=build_of(settings) if "build" in tables else None,
        run=run_of(settings) if "run" in tables else None,
        rules=rules,
        profile=profile,
        profiles=profiles,
        origins={one.key.dotted: one.origin for one in settings},
        warnings=warnings_of(rules, has_app="run" in tables),
    )


def _profiles(check: Check) -> list[str]:
    return [name for kind, name in check.layers if kind == "profile"]


def _in_force(check: Check, profile: str) -> list[Check]:
    """Return a check, and what of it is laid over it on this system with this profile."""
    wanted = (("platform", platform_named()), ("profile", profile))
    return [check, *(check.layers[name] for name in wanted if name in check.layers)]


def _no_profile(source: Source, profile: str, profiles: Sequence[str]) -> Problem:
    header = source.header(f"profile.{key_text(profile)}")
    hint = did_you_mean(profile, profiles)
    if not profiles:
        hint = f"add {header}, or leave --profile out"
    elif len(profiles) > 1 or not hint:
        verb = "profiles are" if len(profiles) > 1 else "only profile is"
        hint = f"{hint} the {verb} {listed(map(quoted, profiles), 'and')}".lstrip()
    return Problem(f"there is no profile {quoted(profile)}", hint, f"--profile {profile}")


def _defaults() -> list[Setting]:
    check = Check(Source(DEFAULT, {}))
    return [
        Setting(key, None if key.default is None else check.value(key, key.default), DEFAULT)
        for key in KEYS
        if key.kind != "command" and key.table not in LISTS
    ]
