"""Options that several commands share, and the config they lead to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import click

from hotrun.errors import ConfigError, NoConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.config import Config
    from hotrun.project.detect import Found

F = TypeVar("F", bound="Callable[..., object]")


def config_options(command: F) -> F:
    """Add the options that choose and change the config."""
    for option in (
        click.option(
            "--profile", metavar="NAME", default="", help="Lay [profile.NAME] over the rest."
        ),
        click.option(
            "--set", "sets", metavar="KEY=VALUE", multiple=True, help="Set any key; repeatable."
        ),
        click.option(
            "-C", "--directory", metavar="DIR", default=".", help="The project's directory."
        ),
        click.option("-c", "--config", "file", metavar="FILE", help="Instead of hotrun.toml."),
    ):
        command = option(command)
    return command


def colour_option(command: F) -> F:
    """Add ``--color``."""
    choice = click.Choice(["auto", "always", "never"])
    return click.option("--color", type=choice, default="auto", help="Use colours.")(command)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A config, and what it was made from where there is no file.

    Args:
        config: The config.
        found: The project that was detected; None: there is a config file, or `--set` says all.
    """

    config: Config
    found: Found | None = None


def load_config(
    file: str | None, directory: str, sets: tuple[str, ...], profile: str = ""
) -> Config:
    """Load the config that the options name; without one, that of the project which is detected.

    Raises:
        ConfigError: with everything that is wrong.
    """
    return load_project(file, directory, sets, profile).config


def load_project(
    file: str | None, directory: str, sets: tuple[str, ...], profile: str = ""
) -> Loaded:
    """Load the config as `load_config` does, and tell what was detected.

    Raises:
        NoConfigError: there is no config, and nothing that could stand for one.
        ConfigError: with everything that is wrong.
    """
    from hotrun.config import load

    place = project_directory(directory)
    try:
        return Loaded(load(file, place, sets, profile))
    except NoConfigError:
        from hotrun.cli import assumed

        return assumed.loaded(place, sets, profile)


def project_directory(directory: str) -> str:
    """Make the value of -C absolute.

    Raises:
        ConfigError: it is no directory, or we are in one that was deleted.
    """
    try:
        os.getcwd()
    except FileNotFoundError as error:
        raise ConfigError("the current directory was deleted", "cd into one") from error
    if not os.path.isdir(directory):
        raise ConfigError(f"{directory} is not a directory", "name the project's with -C DIR")
    return os.path.abspath(directory)
