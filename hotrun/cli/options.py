"""Options that several commands share, and the config they lead to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

import click

from hotrun.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.config import Config

F = TypeVar("F", bound="Callable[..., object]")


def config_options(command: F) -> F:
    """Add the options that choose and change the config."""
    for option in (
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


def load_config(file: str | None, directory: str, sets: tuple[str, ...]) -> Config:
    """Load the config that the options name.

    Raises:
        ConfigError: with everything that is wrong.
    """
    from hotrun.config import load

    try:
        os.getcwd()
    except FileNotFoundError as error:
        raise ConfigError("the current directory was deleted", "cd into one") from error
    if not os.path.isdir(directory):
        raise ConfigError(f"{directory} is not a directory", "name the project's with -C DIR")
    return load(file, os.path.abspath(directory), sets)
