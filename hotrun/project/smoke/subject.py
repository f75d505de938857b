"""What is put to the test: a config, and the file whose edit has to reload."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotrun.errors import ConfigError
from hotrun.project.explain import Explainer
from hotrun.project.plan import plan
from hotrun.project.smoke.choose import choose
from hotrun.project.watched import accepts
from hotrun.watch.paths import is_below

if TYPE_CHECKING:
    from hotrun.config import Config

RELOADS = ("build", "restart")  # what a change does that proves something
SHOWS = (*RELOADS, "command", "signal")  # and what can at least be seen
NAME_ONE = "name another file with --edit FILE"


@dataclass(frozen=True, slots=True)
class Subject:
    """A project to be tested.

    Args:
        config: Its config.
        words: The options of `run` that lead to the same config.
        file: The file to edit, absolute.
        action: What its change does, in the word of `hotrun explain`: "build", "restart", ...
    """

    config: Config
    words: tuple[str, ...]
    file: str
    action: str = "build"

    @property
    def name(self) -> str:
        """The file as notices name it."""
        return self.file.removeprefix(self.config.directory.rstrip(os.sep) + os.sep)

    @property
    def source(self) -> str:
        """Where the config is from, for people."""
        config = self.config
        if config.file is not None:
            name = os.path.relpath(config.file)
            return f"{name}, profile {config.profile}" if config.profile else name
        return next(
            (f"no hotrun.toml; {each}" for each in config.origins.values() if ":" in each),
            "no hotrun.toml",
        )


def prepare(config: Config, words: tuple[str, ...], named: str | None) -> Subject:
    """Hold a config against the disk, and choose the file to edit.

    Args:
        config: The config.
        words: The options of `run` that lead to it.
        named: The file to edit as it was typed; None: hotrun chooses.

    Raises:
        ConfigError: the config or the file is not as it must be.
    """
    planned = plan(config)
    if config.run is not None:
        # An app that ends by itself is looked at, and neither ends the session nor is tried again.
        words += ("--set", 'run.on_exit="wait"')
    explainer = Explainer(config, planned)
    if named is not None:
        path, action = _named(config, named, explainer)
        return Subject(config, words, path, action)
    file = choose(
        config,
        planned.roots,
        accepts(config, planned),
        lambda path: explainer.explain(path).action in RELOADS,
    )
    if file is None:
        raise ConfigError("no source is watched that could be edited", NAME_ONE)
    return Subject(config, words, file, explainer.explain(file).action)


def _named(config: Config, named: str, explainer: Explainer) -> tuple[str, str]:
    """Return the file that was typed and what its change does.

    From where we are, or from the project's directory on: the first that is watched.
    """
    places = dict.fromkeys((os.path.abspath(named), config.resolve(named)))
    found = [(path, explainer.explain(path)) for path in places if os.path.isfile(path)]
    if not found:
        raise ConfigError(f"--edit: there is no file {named}", NAME_ONE)
    path, told = next((each for each in found if each[1].watched), found[0])
    if os.path.islink(path) and not config.watch.follow_symlinks:
        # The bytes of the file behind it are what is edited, and what is told of.
        path = _behind(path, config.directory)
        told, named = explainer.explain(path), f"{named}, which is a link to {path},"
    if not told.watched or told.action not in SHOWS:
        hint = f"{told.reason.removesuffix('.')}; {NAME_ONE}"
        raise ConfigError(f"--edit: a change of {named} {told.effect}", hint)
    return path, told.action


def _behind(link: str, directory: str) -> str:
    """Return the file that a link leads to, by the name that it has below the directory."""
    path, real = os.path.realpath(link), os.path.realpath(directory)
    return os.path.join(directory, os.path.relpath(path, real)) if is_below(path, {real}) else path
