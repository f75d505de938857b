"""Where the files lie that a compiler names.

A relative name is meant from the directory of whoever prints it: that of the command's own
``-C DIR`` or ``cd DIR``, or the one that make says it entered, or goes to in a line of a recipe
that it prints. What is really there decides.
"""

from __future__ import annotations

import os
import re
import shlex
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 10_000  # names that are remembered
MOST_RECIPES = 20  # directories of recipes

_MOVES = re.compile(r"\S+(?:\[\d+\])?: (?P<way>Entering|Leaving) directory [`'](?P<to>[^']+)'")
# make prints what it runs, and so does a shell with -x.
_RECIPE = re.compile(r"\s*(?:\++ )?\(?\s*cd (?P<to>[^\s;&|$`'\"()]+)\s*(?:&&.*|;.*)?")
# go, make, ninja, cargo, cmake, npm: the directory is the next word.
_OPTIONS = frozenset(("-C", "cd", "--directory", "--prefix", "--build"))
_FILES = frozenset(("--manifest-path", "-f", "--file", "--makefile"))

_SOURCE = re.compile(r"\.(?P<extension>[A-Za-z][\w+-]*)$|(?:^|[\\/])[A-Z]\w*file$|(?:^|/)makefile$")
# `db.example.com:5432: connection refused` is no file.
_HOSTS = frozenset({"com", "org", "net", "io", "dev", "local", "localhost", "internal", "lan"})


class Places:
    """The directories that names can be meant from.

    Args:
        directory: Where the command was started, absolute.
        command: The command as text.
    """

    def __init__(self, directory: str, command: str = "") -> None:
        self._directory = directory
        self._own = [os.path.join(directory, name) for name in _named(command)]
        self._entered: list[str] = []
        self._went: list[str] = []  # the last one first; nothing says when a recipe comes back
        self._left: dict[str, None] = {}  # two streams are not always in order
        self._known: dict[str, str] = {}

    def note(self, line: str) -> None:
        """Hear a line of the output: make and ninja say where they are."""
        if (move := _MOVES.match(line)) is None:
            self._note_recipe(line)
            return
        self._known.clear()
        to = os.path.join(self._directory, move["to"])
        if move["way"] == "Entering":
            self._entered.append(to)
        elif to in self._entered:
            self._entered.remove(to)
            self._left[to] = None

    def _note_recipe(self, line: str) -> None:
        if (goes := _RECIPE.fullmatch(line)) is not None:
            self._known.clear()
            base = self._entered[-1] if self._entered else self._directory
            to = os.path.join(base, goes["to"])
            self._went = [to, *(each for each in self._went if each != to)][:MOST_RECIPES]

    def find(self, name: str) -> str:
        """Return the path of a file, absolute; empty when there is none."""
        path = self._known.get(name)
        if path is None:
            if len(self._known) >= MOST:
                self._known.clear()
            path = next((each for each in self._candidates(name) if os.path.isfile(each)), "")
            self._known[name] = path
        return path

    def shown(self, name: str) -> str:
        """Return a name relative to the directory; one that is not below it stays as it is."""
        path = self.find(name)
        below = os.path.join(self._directory, "")
        return path.removeprefix(below) if path.startswith(below) else name

    def _candidates(self, name: str) -> Iterator[str]:
        own = (*reversed(self._entered), *self._own, self._directory)
        for base in (*own, *self._went, *self._left):
            yield os.path.normpath(os.path.join(base, name))


def _named(command: str) -> Iterator[str]:
    """Yield the directories that a command changes to."""
    try:
        words = shlex.split(command)
    except ValueError:  # a quote is open
        return
    for option, word in pairwise(words):
        if option in _OPTIONS:
            yield word.rstrip(";&")
        elif option in _FILES:
            yield os.path.dirname(word)
    for word in words:
        option, equals, value = word.partition("=")
        if equals and option in _OPTIONS | _FILES:
            yield value if option in _OPTIONS else os.path.dirname(value)


def is_source(file: str) -> bool:
    """Tell a file from a host, a time, a version: it has an extension, or a well-known name."""
    match = _SOURCE.search(file)
    return match is not None and match["extension"] not in _HOSTS
