"""What kind of project a directory holds, and the hotrun.toml that fits it.

Reading only: nothing is run, nothing is written, and whatever the files say, nothing is raised.
A config of another tool comes first, because somebody wrote it for this; then what a compiler
needs, then what only a language uses, and a Makefile, which any of them may have; last a source
that nothing speaks for but that it is alone.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from hotrun.project.detect.found import Found
from hotrun.project.detect.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CARRIED = ("air", "bee")
FILES = (".air.toml", ".air.conf", "bee.json", "Beefile")

__all__ = ["Found", "detect"]


def detect(directory: str, main: str = "") -> Found | None:
    """Recognise the project in a directory.

    Args:
        directory: Where.
        main: Which one of the `choices` of an earlier answer to take; "": decide.

    Returns:
        What was found; None: nothing that is known.
    """
    place = Place(os.path.abspath(directory))
    found = None
    for find in _finders():
        found = find(place, main)
        if found is not None and found.kind in CARRIED and not _loads(found.text, place.directory):
            found = None
        if found is not None:
            break
    if found is None or found.kind in CARRIED:
        return found
    # Somebody wrote these, and will ask where they have gone.
    there = tuple(f"{file}: it cannot be read" for file in FILES if place.has(file))
    return replace(found, left_out=there)


def _finders() -> Iterator[Callable[[Place, str], Found | None]]:
    """Each is imported only when nobody before it has found anything."""
    from hotrun.project.detect import air, bee, go

    yield from (air.find, bee.find, go.find)
    from hotrun.project.detect import node, python, python_script, rust

    yield from (rust.find, python.find_app, node.find, python_script.find)
    from hotrun.project.detect import cmake, makefile

    yield from (cmake.find, makefile.find, python_script.find_lone)


def _loads(text: str, directory: str) -> bool:
    """Whether the text is a config: what somebody wrote for another tool may be anything."""
    from hotrun.config import load_text
    from hotrun.errors import ConfigError

    try:
        load_text(text, directory)
    except ConfigError:
        return False
    return True
