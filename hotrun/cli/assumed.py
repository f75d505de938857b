"""Going without a hotrun.toml: the config of the project that is detected, and what was assumed."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from hotrun.cli.options import Loaded
from hotrun.config.wording import key_text, quoted
from hotrun.errors import ConfigError, ConfigErrors, NoConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hotrun.config import Config, Override
    from hotrun.project.detect import Found

_LABEL = "detected"
# In which directory above a project one may have gone too deep.
_TOPS = ("hotrun.toml", "go.mod", "go.work", "Cargo.toml", "package.json", "manage.py")

_MOST = 1000  # folders that are looked into


def loaded(directory: str, sets: Sequence[Override], profile: str) -> Loaded:
    """Detect the project in a directory without a config, and load what fits it.

    Args:
        directory: Absolute.
        sets: What is laid over it; with a command among them nothing need be detected.
        profile: Refused: a profile stands in a file.

    Raises:
        NoConfigError: there is nothing that is known.
        ConfigError: one of several programs has to be chosen, or an option is wrong.
    """
    from hotrun.config import load_text
    from hotrun.project.detect import detect

    if profile:
        raise _no_profile(profile)
    found = detect(directory)
    if (found is None or found.ambiguous) and not _names_a_command(sets):
        raise nothing_in(directory) if found is None else ambiguous(found)
    if found is None or found.ambiguous:
        return Loaded(load_text("", directory, sets, "--set"))
    config = load_text(found.text, directory, sets, _LABEL)
    return Loaded(_from(config, f"{_LABEL}: {found.source}"), found)


def _no_profile(profile: str) -> ConfigErrors:
    header = f"[profile.{key_text(profile)}]"
    hint = f"`hotrun init` writes one; add {header} there, or leave --profile out"
    message = f"there is no hotrun.toml, so no profile {quoted(profile)}"
    return ConfigErrors([Problem(message, hint, f"--profile {profile}")])


def _names_a_command(sets: Iterable[Override]) -> bool:
    options = (each for each in sets if isinstance(each, str))
    keys = {option.partition("=")[0].replace(" ", "") for option in options}
    return bool(keys & {"build.command", "run.command"})


def _from(config: Config, origin: str) -> Config:
    """Say where the values come from: a line of a text that is in no file helps nobody."""
    origins = {
        key: ", ".join(
            origin if part.startswith(f"{_LABEL}:") else part for part in was.split(", ")
        )
        for key, was in config.origins.items()
    }
    rules = tuple(replace(rule, origin=origin) for rule in config.rules)
    return replace(config, origins=origins, rules=rules)


def ambiguous(found: Found) -> ConfigError:
    """Word that one of several programs has to be chosen."""
    choices = (found.chosen, *found.choices)
    return ConfigError(
        f"{found.because[0]}: {', '.join(choices)}",
        f"choose one: hotrun init --main {choices[0]}",
    )


def nothing_in(directory: str) -> NoConfigError:
    """Word that a directory holds nothing to go by."""
    above = _above(directory)
    if above:
        name, place = above
        return NoConfigError(
            f"no hotrun.toml in {directory}, but {name} is in {place}",
            f"`hotrun run -C {place}` runs the project from there",
        )
    return NoConfigError(
        f"no hotrun.toml in {directory}, and no project that is known",
        _below(directory)
        or "is this the project's folder? `hotrun new NAME` makes one, "
        "`hotrun init` tells what is known",
    )


def _below(directory: str) -> str:
    """Return the hint for projects in the folders below, or nothing."""
    try:
        with os.scandir(directory) as entries:
            folders = [e.path for e in entries if e.name[0] != "." and e.is_dir()]
    except OSError:
        return ""
    found = [
        os.path.relpath(folder)
        for folder in sorted(folders)[:_MOST]
        if any(os.path.isfile(os.path.join(folder, name)) for name in _TOPS)
    ]
    if not found:
        return ""
    run = shlex.join(("hotrun", "run", "-C", found[0]))
    others = f"; also here: {', '.join(found[1:4])}" if found[1:] else ""
    return f"is this the project's folder? `{run}` runs the project there{others}"


def _above(directory: str) -> tuple[str, str] | None:
    """Find the project that a directory is in: the file that tells, and the relative way."""
    way = ""
    while (parent := os.path.dirname(directory)) != directory:
        directory, way = parent, os.path.join("..", way) if way else ".."
        for name in _TOPS:
            if os.path.isfile(os.path.join(directory, name)):
                return name, way
        if os.path.lexists(os.path.join(directory, ".git")):
            return None
    return None


def say(found: Found, config: Config) -> None:
    """Tell people what was assumed in place of a hotrun.toml, and still holds in the config."""
    what = ": ".join(filter(None, (found.because[0], _commands(config))))
    click.echo(f"no hotrun.toml; {what}", err=True)
    if found.choices:
        others = ", ".join(found.choices)
        click.echo(f"also here: {others} (hotrun init --main {found.choices[0]})", err=True)
    if found.left_out:
        keys = ", ".join(each.partition(":")[0] for each in found.left_out)
        click.echo(f"not carried over: {keys}", err=True)
    click.echo("hint: `hotrun init` writes it down, with the reasons", err=True)


def _commands(config: Config) -> str:
    """Return what is built and what is run, without what an option put in its place."""
    tables = {"build": config.build, "run": config.run}
    commands = [
        table.command
        for name, table in tables.items()
        if table is not None and config.origins[f"{name}.command"].startswith(_LABEL)
    ]
    return ", then ".join(each if isinstance(each, str) else shlex.join(each) for each in commands)
