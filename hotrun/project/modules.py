"""The files of Go's modules that lie above a project: they decide what its build reads.

A project may be one directory of a module, or one member of a go.work. Then go.mod and go.work
lie above all that is watched, in directories that hold far more than one would watch for them: so
they are watched for themselves, like the env files.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hotrun.process import command as commands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotrun.config import Build, Config


def above(config: Config) -> list[str]:
    """Return go.mod, go.work and their sums, absolute, where no root covers them.

    Args:
        config: The config; of a build that is no `go build` there are none.
    """
    build = config.build
    start = _directory(config, build) if build is not None else None
    if build is None or start is None:
        return []
    roots = [os.path.normpath(config.resolve(path)) for path in config.watch.paths]
    files = [*_with_sum(_nearest(start, "go.mod")), *_with_sum(_workspace(start, build))]
    return [file for file in files if not any(file.startswith(f"{root}/") for root in roots)]


def _directory(config: Config, build: Build) -> str | None:
    """Return where Go is at work; None when it is not Go that builds, or the globs decide."""
    kind, command = build.inputs.kind, build.command
    text = command if isinstance(command, str) else " ".join(command)
    # What takes an import to find out is on the way to the first build.
    if kind != "go" and (kind != "auto" or "go" not in text):
        return None
    from hotrun.process.go import go_build

    try:
        plain = go_build(commands.parse(command))
    except ValueError:  # a quote is not closed, as whoever runs it says
        return None
    if plain is None and kind == "auto":
        return None
    below = plain.directory if plain is not None else ""
    return os.path.normpath(os.path.join(config.directory, below))


def _workspace(start: str, build: Build) -> str:
    """Return the go.work that counts, as `go help environment` has it; empty: none does."""
    named = build.env.get("GOWORK", os.environ.get("GOWORK", ""))
    if named == "off":
        return ""
    return named if os.path.isabs(named) else _nearest(start, "go.work")


def _nearest(start: str, name: str) -> str:
    """Return the file of that name in a directory, or in the nearest one above that has it."""
    return next((file for file in _upwards(start, name) if os.path.isfile(file)), "")


def _upwards(directory: str, name: str) -> Iterator[str]:
    yield os.path.join(directory, name)
    while directory != (directory := os.path.dirname(directory)):
        yield os.path.join(directory, name)


def _with_sum(file: str) -> list[str]:
    """Return a file and its sums: go.sum of go.mod, go.work.sum of go.work; of no file none."""
    if not file:
        return []
    sums = f"{file.removesuffix('.mod')}.sum"
    return [file, sums]
