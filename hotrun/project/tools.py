"""The programs that the commands of a config need, and where each was found.

Of a shell line the programs are read off as far as that is certain; what is in doubt is left
out, because a warning about a program that nobody calls is worse than none.
"""

from __future__ import annotations

import errno
import os
import re
import shlex
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple
from hotrun.process import command as commands
from hotrun.process import environment, shell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hotrun.config import Command, Config

_REDIRECTIONS = frozenset("<>")
_PLACE_HOLDER = re.compile(r"\{(?:files|dirs|fd[0-9]*)\}")  # these stand for plain words
_DOUBTFUL = frozenset("`$\\\n{}#")  # a shell line with one of these is more than calls of programs


class Tool(NamedTuple):
    """One program that a command needs.

    Attributes:
        program: As the command names it.
        key: Whose command: "build.command", "rule[1].command".
        path: Where it is, absolute; None: nowhere.
        to_come: It is not there, or cannot be executed, and the build may make it.
        fault: Message and hint of why what is there cannot be executed.
    """

    program: str
    key: str
    path: str | None
    to_come: bool = False
    fault: tuple[str, str] | None = None


class _Call(NamedTuple):
    """A command of the config, and how it is started."""

    key: str
    command: Command
    directory: str
    env: Mapping[str, str]


def tools(config: Config) -> list[Tool]:
    """Find what every command of a config needs; each program once a key."""
    found: dict[tuple[str, str], Tool] = {}
    for call in _calls(config):
        for program in _programs(call.command):
            path = commands.find(program, call.env, call.directory)
            fault = _fault(program, path)
            amiss = path is None or (fault is not None and not os.path.isdir(path))
            named = os.sep in program
            to_come = amiss and named and config.build is not None and call.key[:3] == "run"
            tool = Tool(program, call.key, path and os.path.normpath(path), to_come, fault)
            found.setdefault((call.key, program), tool)
    return list(found.values())


def _fault(program: str, path: str | None) -> tuple[str, str] | None:
    """Say why what is at a path cannot be executed, in the words of who would try."""
    if path is None or (os.path.isfile(path) and os.access(path, os.X_OK)):
        return None
    from hotrun.process.spawn import refused

    error = refused(PermissionError(errno.EACCES, os.strerror(errno.EACCES)), program, path)
    return error.message, error.hint


def _calls(config: Config) -> Iterator[_Call]:
    build, run = config.build, config.run
    env = environment.compose(build.env if build is not None else {})[0]
    if build is not None:
        yield _Call("build.command", build.command, config.directory, env)
        if build.inputs.command is not None:
            yield _Call("build.inputs", build.inputs.command, config.directory, env)
    for number, rule in enumerate(config.rules, 1):
        if rule.command is not None:
            yield _Call(f"rule[{number}].command", rule.command, config.directory, env)
    if run is not None:
        files = [config.resolve(file) for file in run.env_files]
        env = environment.compose(run.env, files)[0]
        directory = config.resolve(run.working_directory)
        named: list[tuple[str, Sequence[Command]]] = [
            ("run.command", (run.command,)), ("run.before", run.before), ("run.after", run.after)
        ]  # fmt: skip
        for key, several in named:
            for command in several:
                yield _Call(key, command, directory, env)


def _programs(command: Command) -> list[str]:
    if not isinstance(command, str):
        return [command[0]]
    line = _PLACE_HOLDER.sub("WORD", command)
    parsed = commands.parse(line)
    if not parsed.shell:
        return [parsed.argv[0]]
    simple = shell.simple(line)
    if simple:
        return [] if shell.is_builtin(shlex.quote(simple[0])) else [simple[0]]
    return [] if _DOUBTFUL.intersection(line) else list(dict.fromkeys(_each(line)))


def _each(line: str) -> Iterator[str]:
    """Yield the program of each simple command in a line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    first, moved = True, False
    for word in lexer:
        if set(word) <= set(lexer.punctuation_chars):
            first = not _REDIRECTIONS.intersection(word)
        elif first and word != "exec" and "=" not in word:
            first = False
            builtin = shell.is_builtin(shlex.quote(word))
            moved = moved or word in ("cd", "pushd")
            # From where a relative path is meant, only the shell knows behind a `cd`.
            if not builtin and not (moved and os.sep in word):
                yield word
