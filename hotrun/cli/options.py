"""Options that several commands share, and the config they lead to."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hotrun.errors import ConfigError, NoConfigError
from hotrun.lean import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hotrun.config import Config, Given, Override
    from hotrun.project.detect import Found

F = TypeVar("F", bound="Callable[..., object]")


WATCH = "HOTRUN_WATCH"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the options say of the config.

    Args:
        file: Of -c; None: the one that is found.
        directory: Of -C.
        profile: Of --profile; "": none.
        sets: What is laid over the file, in this order.
    """

    file: str | None
    directory: str
    profile: str = ""
    sets: tuple[Override, ...] = ()

    def load(self) -> Config:
        """Load the config, as `load_config` does."""
        return load_config(self.file, self.directory, self.sets, self.profile)

    def project(self) -> Loaded:
        """Load the config, and tell what was detected, as `load_project` does."""
        return load_project(self.file, self.directory, self.sets, self.profile)

    @property
    def words(self) -> tuple[str, ...]:
        """The options as another hotrun takes them, in the same environment."""
        words = ["-C", self.directory]
        words += [] if self.file is None else ["-c", self.file]
        words += ["--profile", self.profile] if self.profile else []
        for each in self.sets:
            words += ["--set", each] if isinstance(each, str) else [each.name, each.value]
        return tuple(words)


def config_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options that choose and change the config; the command gets a `Chosen` of them."""

    @functools.wraps(command)
    def chosen(
        *,
        file: str | None,
        directory: str,
        profile: str,
        sets: tuple[str, ...],
        debounce: str | None,
        watch: str | None,
        **others: Any,  # noqa: ANN401
    ) -> int:
        overrides: tuple[Override, ...] = (*sets, *_given(debounce, watch))
        return command(Chosen(file, directory, profile, overrides), **others)

    return _with_options(chosen)


def _given(debounce: str | None, watch: str | None) -> list[Given]:
    """Return what the options say that stand for one key each."""
    from hotrun.config import Given

    said = (("--debounce", "watch.debounce", debounce), ("--watch", "watch.backend", watch))
    return [Given(name, key, value) for name, key, value in said if value is not None]


def of_environment(environ: Mapping[str, str]) -> list[Given]:
    """Return what variables say of the config; an empty one says nothing.

    A container or a machine whose filesystems tell of no changes sets it for all projects.
    """
    from hotrun.config import Given

    value = environ.get(WATCH, "")
    return [Given(WATCH, "watch.backend", value)] if value else []


def _with_options(command: F) -> F:
    for option in (
        click.option(
            "--watch",
            type=click.Choice(["auto", "native", "poll"]),
            help="How changes are noticed.",
        ),
        click.option(
            "--debounce", metavar="TIME", help="Quiet before a build: 50ms, 0ms, or auto."
        ),
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
    file: str | None, directory: str, sets: Sequence[Override], profile: str = ""
) -> Config:
    """Load the config that the options name; without one, that of the project which is detected.

    Raises:
        ConfigError: with everything that is wrong.
    """
    return load_project(file, directory, sets, profile).config


def load_project(
    file: str | None, directory: str, sets: Sequence[Override], profile: str = ""
) -> Loaded:
    """Load the config as `load_config` does, and tell what was detected.

    Raises:
        NoConfigError: there is no config, and nothing that could stand for one.
        ConfigError: with everything that is wrong.
    """
    from hotrun.config import load

    place = project_directory(directory)
    sets = (*of_environment(os.environ), *sets)
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
