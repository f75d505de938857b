"""Going without a hotrun.toml: the config of the project that is detected, and what was assumed."""

from __future__ import annotations

import os
import shlex
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from hotrun.cli.options import Loaded
from hotrun.config.wording import key_text, quoted
from hotrun.errors import ConfigError, ConfigErrors, NoConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hotrun.config import Config
    from hotrun.project.detect import Found

_LABEL = "detected"
# In which directory above a project one may have gone too deep.
_TOPS = ("hotrun.toml", "go.mod", "go.work", "Cargo.toml", "package.json", "manage.py")


def loaded(directory: str, sets: Sequence[str], profile: str) -> Loaded:
    """Detect the project in a directory without a config, and load what fits it.

    Args:
        directory: Absolute.
        sets: `--set` options, laid over it; with a command among them nothing need be detected.
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


def _names_a_command(sets: Iterable[str]) -> bool:
    keys = {option.partition("=")[0].replace(" ", "") for option in sets}
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
        "`hotrun init` tells what makes one, `hotrun new NAME` starts a new one; or write two "
        'lines, [run] and command = "./app"',
    )


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


def say(found: Found) -> None:
    """Tell people what was assumed in place of a hotrun.toml."""
    click.echo(f"no hotrun.toml; {found.because[0]}: {_commands(found)}", err=True)
    if found.choices:
        others = ", ".join(found.choices)
        click.echo(f"also here: {others} (hotrun init --main {found.choices[0]})", err=True)
    if found.left_out:
        keys = ", ".join(each.partition(":")[0] for each in found.left_out)
        click.echo(f"not carried over: {keys}", err=True)
    click.echo("hint: `hotrun init` writes it down, with the reasons", err=True)


def _commands(found: Found) -> str:
    """Return what is built and what is run, without what `--set` makes of it."""
    tree = tomllib.loads(found.text)
    commands = [tree[table]["command"] for table in ("build", "run") if table in tree]
    return ", then ".join(each if isinstance(each, str) else shlex.join(each) for each in commands)
