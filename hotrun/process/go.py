"""A plain ``go build``: where it runs, for what system, and which packages it makes.

The law: in doubt it is no plain one. What we take for one is asked again as ``go list``,
and a word that was understood wrongly would give the list of another program.
Facts: `go help build`; package flag of Go, where the first word without a dash ends the flags.
"""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

from hotrun.lean import dataclass
from hotrun.process import shell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotrun.process.command import Command

_GO = re.compile(r"go(?:[0-9][\w.]*)?")
_ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)", re.DOTALL)
_FLAG = re.compile(r"--?(?P<name>[A-Za-z]\w*)(?:=(?P<value>.*))?", re.DOTALL)
# Flags without a value of their own, and those whose value may be the next word.
_SWITCHES = frozenset(
    {"a", "asan", "buildvcs", "cover", "json", "linkshared", "modcacherw", "msan", "n", "race"}
    | {"trimpath", "v", "work", "x"}
)
_VALUED = frozenset(
    {"asmflags", "buildmode", "compiler", "covermode", "coverpkg", "gccgoflags", "gcflags"}
    | {"installsuffix", "ldflags", "mod", "modfile", "o", "p", "pgo", "pkgdir", "tags"}
)
# They decide which files are compiled. (-overlay and -toolexec may read anything at all.)
_SELECTS = frozenset({"asan", "compiler", "cover", "mod", "modfile", "msan", "race", "tags"})


@dataclass(frozen=True, slots=True)
class GoBuild:
    """A plain ``go build``.

    Attributes:
        program: The go command, as it was written.
        directory: Where it works (``-C``), from where the command is run; empty: there.
        environment: Variables that the command itself sets.
        flags: Those that decide which files are compiled, each as ``-name=value``.
        packages: The packages, or .go files; empty: the one in the directory.
    """

    program: str
    directory: str
    environment: tuple[tuple[str, str], ...]
    flags: tuple[str, ...]
    packages: tuple[str, ...]


def go_build(command: Command) -> GoBuild | None:
    """Understand a command as a plain ``go build`` or ``go install``; None when it is another."""
    variables, words = _simple(command)
    directory = ""
    assigned, words = _without_env(words)
    if not words or _GO.fullmatch(os.path.basename(words[0])) is None:
        return None
    flags = {}
    rest = words[1:]
    if (moves := _flag(rest)) is not None and moves[0] == "C":  # go -C dir build
        directory, rest = os.path.join(directory, moves[1]), moves[2]
    if not rest or rest.pop(0) not in ("build", "install"):
        return None
    while (found := _flag(rest)) is not None:
        name, value, rest = found
        if name == "C":
            directory = os.path.join(directory, value)
        elif name in _SWITCHES | _VALUED:
            flags[name] = f"-{name}={value}"
        else:
            return None
    if any(word.startswith("-") for word in rest):
        return None
    selects = tuple(flag for name, flag in flags.items() if name in _SELECTS)
    return GoBuild(words[0], directory, (*variables, *assigned), selects, tuple(rest))


def _simple(command: Command) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the variables before a simple command, and its words."""
    if not command.shell:
        return [], list(command.argv)
    words = shell.simple(command.text)
    if not words:
        return [], []
    before = shlex.split(command.text)[: -len(words)]
    found = [_ASSIGNMENT.fullmatch(word) for word in before]
    if not all(found):  # A+=b
        return [], []
    return [(match["name"], match["value"]) for match in found if match is not None], words


def _without_env(words: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Take ``env NAME=value`` from the front; no words when it does more than that."""
    if not words or os.path.basename(words[0]) != "env":
        return [], list(words)
    assigned: list[tuple[str, str]] = []
    for at, word in enumerate(words[1:], 1):
        match = _ASSIGNMENT.fullmatch(word)
        if match is None:
            return assigned, list(words[at:]) if not word.startswith("-") else []
        assigned.append((match["name"], match["value"]))
    return assigned, []


def _flag(words: list[str]) -> tuple[str, str, list[str]] | None:
    """Take one flag from the front: its name, its value, and what follows."""
    match = _FLAG.fullmatch(words[0]) if words else None
    if match is None:
        return None
    name, value, rest = match["name"], match["value"], words[1:]
    if value is None and name in _SWITCHES:
        return name, "true", rest
    if value is None:
        return name, rest[0] if rest else "", rest[1:]
    return name, value, rest
