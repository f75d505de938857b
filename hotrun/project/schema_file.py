"""`.hotrun/schema.json`: what an editor checks a hotrun.toml by, named in its first line.

Law: it is a convenience. A project that cannot be written to goes without, and nothing that was
not made here is overwritten.
"""

from __future__ import annotations

import contextlib
import os
import stat as modes
import tempfile
from typing import TYPE_CHECKING

from hotrun.process.session_file import DIRECTORY, IGNORE

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "schema.json"


def write(directory: str) -> str:
    """Write the schema of this version into the `.hotrun` of a project.

    Args:
        directory: The project's.

    Returns:
        The path of the file; "" when it could not be written.
    """
    import json

    from hotrun.config.json_schema import schema

    place = os.path.join(os.path.abspath(directory), DIRECTORY)
    path = os.path.join(place, NAME)
    try:
        _make(place)
        with draft(path, json.dumps(schema(), indent=2) + "\n") as written:
            os.replace(written, path)
    except OSError:
        return ""
    return path


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
    with tempfile.TemporaryDirectory(prefix=".hotrun-", dir=os.path.dirname(path)) as stage:
        written = os.path.join(stage, os.path.basename(path))  # with the mode that the umask gives
        with open(written, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # a rename may reach the disk before the content does
        yield written
