"""Where a value stands that turned out wrong after the check: for errors that only others can see.

A config holds no text. So the file is read once more, and only when there is an error to show.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from hotrun.config.keys import LAYERS
from hotrun.config.source import read_file
from hotrun.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotrun.config.schema import Config
    from hotrun.config.source import Source


def located(config: Config, key: str, message: str, hint: str) -> Problem:
    """Point at the value of a key.

    Args:
        config: The config that has it.
        key: Dotted: "build.command", "build.inputs.command".
        message: What is wrong, one line.
        hint: What to do about it.

    Returns:
        The problem with line and column, or as much of its origin as is known.
    """
    path = tuple(key.split("."))
    origin = config.origins.get(".".join(path[:2]), "")
    with contextlib.suppress(ConfigError):  # it is gone, or another one by now
        for source in _sources(config, origin):
            if source.origin(path[:2]) == origin:
                return source.problem(path, message, hint)
    return Problem(message, hint, origin)


def _sources(config: Config, origin: str) -> Iterator[Source]:
    """Yield the file, under the name that the origin has for it, its profiles and platforms."""
    label, in_file, _ = origin.partition(":")
    if config.file is None or not in_file:
        return
    whole = replace(read_file(os.path.basename(config.file), config.directory), label=label)
    yield whole
    for kind in LAYERS:
        layers = whole.tree.get(kind)
        for name, tree in layers.items() if isinstance(layers, dict) else ():
            yield whole.laid_over(kind, name, tree if isinstance(tree, dict) else {})
