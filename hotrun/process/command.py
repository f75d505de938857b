"""Commands: from what stands in hotrun.toml to what is executed.

A string runs without a shell unless it needs one (see ``shell``); a list never sees one. What
a compiler call is told to make is known, because that file must not trigger the next build.
"""

from __future__ import annotations

import functools
import os
import re
import shlex
import sys
from typing import TYPE_CHECKING

from hotrun.lean import dataclass
from hotrun.process import shell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_GO = re.compile(r"go(?:[0-9][\w.]*)?|tinygo")
_C = re.compile(r"(?:[\w.]+-)*(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+|tcc)(?:-[0-9.]+)?")
_WRAPPERS = frozenset({"ccache", "sccache", "distcc"})
_DIRECTORY = re.compile(r"--?(?:C|chdir)(?:=(?P<value>.*))?", re.DOTALL)
# Options of compilers whose value is another word, which could look like an option.
_VALUED = frozenset({"-Xlinker", "-Xassembler", "-Xpreprocessor", "-Xclang"})


@dataclass(frozen=True, slots=True)
class Command:
    """What is executed.

    Attributes:
        argv: The arguments, the program first.
        text: As it stood in the config, for people.
        shell: Whether a shell runs it.
    """

    argv: tuple[str, ...]
    text: str
    shell: bool = False


def parse(command: str | Sequence[str], arguments: Sequence[str] = ()) -> Command:
    """Decide how a command is executed.

    Args:
        command: A string, or a list of arguments, which never sees a shell.
        arguments: More arguments, for the last command of the line.

    Raises:
        ValueError: a quote is not closed, or there is no command at all.
    """
    if not isinstance(command, str):
        argv = (*command, *arguments)
        text = shlex.join(argv)
    else:
        line = shell.append(command, shlex.join(arguments)) if arguments else command
        text = line.strip()
        if text and shell.needs_shell(line):
            argv = ("/bin/sh", "-c", shell.with_exec(line))
            return Command(argv, text, shell=True)  # noqa: S604 - a field, not a call
        argv = tuple(shlex.split(line))
    if not argv:
        raise ValueError("the command is empty")
    return Command(argv, text)


def target(command: Command) -> str | None:
    """Return the file that a plain compiler call is told to make (``-o``), if it is one."""
    # A shell line may still be a plain call with variables before it: GOGC=off go build -o app
    directory, words = _unwrap(shell.simple(command.text) if command.shell else [*command.argv])
    if not words:
        return None
    program = os.path.basename(words[0])
    if _GO.fullmatch(program):
        directory, made = _made_by_go(directory, words[1:])
    elif program == "zig" and words[1:2] in (["cc"], ["c++"]):
        made = _made_by_c(words[2:])
    elif program == "rustc" or _C.fullmatch(program):
        made = _made_by_c(words[1:])
    else:
        return None
    # `-o /dev/null` only checks: it must never be compared with what runs.
    if not made or made == "-" or made.startswith("/dev/"):
        return None
    return os.path.join(directory, made)


def _unwrap(words: list[str]) -> tuple[str, list[str]]:
    """Take ``env NAME=value`` and compiler caches from the front of a call."""
    directory = ""
    while words and os.path.basename(words[0]) in _WRAPPERS:
        words = words[1:]
    if not words or os.path.basename(words[0]) != "env":
        return directory, words
    rest = iter(words[1:])
    for word in rest:
        changes = _DIRECTORY.fullmatch(word)
        if changes is not None:
            directory = os.path.join(directory, _value(changes, rest))
        elif word in ("-u", "--unset"):
            next(rest, "")
        elif not word.startswith("-") and "=" not in word:
            below, words = _unwrap([word, *rest])
            return os.path.join(directory, below), words
    return directory, []


def _made_by_go(directory: str, words: list[str]) -> tuple[str, str]:
    """Return where Go works (``-C``, before or behind ``build``), and what it is to make."""
    made = verb = ""
    rest = iter(words)
    for word in rest:
        changes = _DIRECTORY.fullmatch(word)
        names = re.fullmatch(r"--?o(?:=(?P<value>.*))?", word, re.DOTALL)
        if changes is not None:
            directory = os.path.join(directory, _value(changes, rest))
        elif names is not None:
            made = _value(names, rest)
        elif word in ("--", "-args"):
            break
        elif not verb:
            verb = word
    return directory, made if verb in ("build", "test") else ""


def _made_by_c(words: list[str]) -> str:
    """``-o app``, ``-oapp``, ``--output=app``; of several the last one counts."""
    made = ""
    rest = iter(words)
    for word in rest:
        names = re.fullmatch(r"(?:-o|--output|--out-dir)|--(?:output|out-dir)=(?P<value>.*)", word)
        if word in _VALUED:
            next(rest, "")
        elif names is not None:
            made = _value(names, rest)
        elif word.startswith("-o"):
            made = word[2:]
    return made


def _value(match: re.Match[str], rest: Iterator[str]) -> str:
    """Return an option's value: behind its ``=``, or the next word."""
    return match["value"] if match["value"] is not None else next(rest, "")


def find(program: str, environment: Mapping[str, str], directory: str) -> str | None:
    """Find a program as it will be executed: a path from ``directory``, a name on PATH."""
    if "/" in program:
        path = os.path.join(directory, program)
        return path if os.path.exists(path) else None
    for place in search_path(environment).split(os.pathsep):
        # An entry that is relative, or empty, is meant from where the command runs.
        path = os.path.join(directory, place, program)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def search_path(environment: Mapping[str, str]) -> str:
    """Return the PATH that a command gets: its own, and at the very end where hotrun is.

    So the ``go`` of the extra serves a machine without Go, even when no virtual environment is
    active, and also inside of ``make`` and shell lines.
    """
    return _with_ours_last(environment.get("PATH", os.defpath))


@functools.lru_cache  # each start asks for the same one
def _with_ours_last(path: str) -> str:
    last = beside()
    return path if not last or last in path.split(os.pathsep) else f"{path}{os.pathsep}{last}"


def beside() -> str:
    """The directory that hotrun's own interpreter and its neighbours are in."""
    return os.path.dirname(sys.executable)
