"""What a build reads from where nobody watches: modules beside the project.

A `replace => ../other` in go.mod, and the members of a go.work, are sources like any other, and
lie where no root need be. A save there would be lost in silence, so it is said which line of the
config has them watched. What is excluded below a root was somebody's choice: of that nothing is
said.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotrun.config import Config
    from hotrun.inputs.verdict import Knowledge

MOST = 3  # directories that a message names; the line for the config names all


class Outside(NamedTuple):
    """Directories of sources that are below no root.

    Attributes:
        places: Absolute, and no links.
        shown: The same, relative to the project.
        line: Of a hotrun.toml, that has them watched.
    """

    places: tuple[str, ...]
    shown: tuple[str, ...]
    line: str

    @property
    def named(self) -> str:
        """The directories in words."""
        more = len(self.shown) - MOST
        return ", ".join(self.shown[:MOST]) + (f" and {more} more" if more > 0 else "")

    @property
    def problem(self) -> tuple[str, str]:
        """Message and hint."""
        verb = "is" if len(self.shown) == 1 else "are"
        return (
            f"the build reads {self.named}, which {verb} not watched: an edit there does nothing",
            f"say so in [watch]: {self.line}",
        )


def outside(config: Config, knowledge: Knowledge) -> Outside | None:
    """Find what no root covers; None: nothing.

    Args:
        config: The config.
        knowledge: What the build reads.
    """
    watched = config.watch
    if watched.follow_symlinks:  # a link may lead there, and nobody but the watcher knows
        return None
    here = os.path.realpath(config.directory)
    roots = [os.path.realpath(config.resolve(path)) for path in watched.paths]
    bare = [place for place in knowledge.places() if not _is_in(place[0], roots)]
    # Of a module that holds the project itself not all is meant: it may be a whole company's.
    tops = {directory if _is_in(here, [module]) else module for directory, module in bare}
    places = tuple(sorted(top for top in tops if not _is_in(os.path.dirname(top), tops)))
    if not places:
        return None
    from hotrun.config.reference import toml_text

    shown = tuple(os.path.relpath(place, here) for place in places)
    return Outside(places, shown, f"paths = {toml_text([*watched.paths, *shown])}")


def _is_in(path: str, tops: Iterable[str]) -> bool:
    return any(f"{path}/".startswith(f"{top.rstrip('/')}/") for top in tops)
