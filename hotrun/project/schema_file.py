"""`.hotrun/schema.json`: what an editor checks a hotrun.toml by, named in its first line.

Law: it is a convenience. A project that cannot be written to goes without, and nothing that was
not made here is overwritten.
"""

from __future__ import annotations

import contextlib
import os
import stat as modes
from typing import TYPE_CHECKING

from hotrun.process.session_file import DIRECTORY, IGNORE

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "schema.json"
FIRST = f"#:schema {DIRECTORY}/{NAME}"
"""The line, the first of a hotrun.toml, by which an editor finds it."""


def write(directory: str) -> str:
    """Write the schema of this version into the `.hotrun` of a project.

    Args:
        directory: The project's.

    Returns:
        The path of the file; "" when it could not be written.
    """
    place = os.path.join(os.path.abspath(directory), DIRECTORY)
    path = os.path.join(place, NAME)
    try:
        _make(place)
        with draft(path, _text()) as written:
            os.replace(written, path)
    except OSError:
        return ""
    return path


def renew(config: str | None) -> None:
    """Write the schema if the first line of a config names it, and it is missing or old.

    git does not see it, so it is missing after a clone; it is old after an update of hotrun.

    Args:
        config: The path of the config; None: there is no file, and nothing to do.
    """
    if config is None or _read(config).partition("\n")[0].strip() != FIRST:
        return
    directory = os.path.dirname(os.path.abspath(config))
    if _read(os.path.join(directory, DIRECTORY, NAME)) != _text():
        write(directory)


def _read(path: str) -> str:
    """Return what is in a file; nothing when it cannot be read."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read()
    except (OSError, ValueError):
        return ""


def _text() -> str:
    import json

    from hotrun.config.json_schema import schema

    return json.dumps(schema(), indent=2) + "\n"


def _make(place: str) -> None:
    """Make the directory, and keep git out of it."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(place)
    if not modes.S_ISDIR(os.lstat(place).st_mode):  # a link would lead elsewhere
        raise NotADirectoryError(place)
    with (
        contextlib.suppress(FileExistsError),
        open(os.path.join(place, ".gitignore"), "xb") as file,
    ):
        file.write(IGNORE)


@contextlib.contextmanager
def draft(path: str, text: str) -> Iterator[str]:
    """Write a text beside its place, from where it can be moved there whole.

    Who reads the file meanwhile, or after a crash, sees the old one or the new one.

    Args:
        path: Where the text is to go.
        text: The text.

    Returns:
        A context; its value is the path of the draft, which is gone at the end.

    Raises:
        OSError: It could not be written.
    """
    import tempfile

    with tempfile.TemporaryDirectory(prefix=".hotrun-", dir=os.path.dirname(path)) as stage:
        written = os.path.join(stage, os.path.basename(path))  # with the mode that the umask gives
        with open(written, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # a rename may reach the disk before the content does
        yield written
