"""Commands: from what stands in hotrun.toml to what is executed.

A string runs without a shell unless it needs one: a shell between us and the app takes the
signal in its place, and "the child has exited" is then not "the app is gone". Where a shell is
needed, the line is given an ``exec`` where that changes nothing, because dash keeps itself as
the parent in every form of ``sh -c`` (measured).
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What only a shell gives a meaning. Quotes and backslashes are not among it: shlex reads them.
_SHELL_ONLY = re.compile(r"[|&;<>()$`*?\[#~{}!\n]|^\s*\w+=")
_BUILTINS = frozenset(
    {
        "alias",
        "bg",
        "break",
        "case",
        "cd",
        "command",
        "continue",
        "do",
        "done",
        "elif",
        "else",
        "esac",
        "eval",
        "exec",
        "exit",
        "export",
        "fg",
        "fi",
        "for",
        "function",
        "getopts",
        "hash",
        "if",
        "in",
        "jobs",
        "local",
        "read",
        "readonly",
        "return",
        "set",
        "shift",
        "source",
        "then",
        "time",
        "times",
        "trap",
        "type",
        "ulimit",
        "umask",
        "unalias",
        "unset",
        "until",
        "wait",
        "while",
        ".",
        ":",
        "!",
        "{",
        "}",
        "[[",
    }
)
_ASSIGNMENT = re.compile(r"\w+=")
# Compilers whose `-o` names the file they make.
_MAKERS = frozenset({"go", "gcc", "g++", "cc", "c++", "clang", "clang++", "rustc", "tcc", "zig"})


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
        arguments: More arguments; a shell gets them quoted at the end of its line.

    Raises:
        ValueError: a quote is not closed.
    """
    if not isinstance(command, str):
        argv = (*command, *arguments)
        return Command(argv, shlex.join(argv))
    line = " ".join([command.strip(), *map(shlex.quote, arguments)])
    if not needs_shell(line):
        return Command(tuple(shlex.split(line)), line)
    shlex.split(line)  # an open quote is told now, and not by a shell
    return Command(("/bin/sh", "-c", with_exec(line)), line, shell=True)  # noqa: S604 - a field, not a call


def needs_shell(line: str) -> bool:
    """Tell whether a line means something else without a shell."""
    if _SHELL_ONLY.search(_unquoted(line)):
        return True
    if "$" in line or "`" in line:  # they work between double quotes too
        return True
    words = line.split(maxsplit=1)
    return bool(words) and words[0] in _BUILTINS


def with_exec(line: str) -> str:
    """Put ``exec`` before the last simple command of a line, where that changes nothing.

    ``cd web && ./app`` becomes ``cd web && exec ./app``; pipes, background jobs, alternatives
    and compound commands are left as they are.
    """
    bare = _unquoted(line)
    if re.search(r"[|()`{}\n#]|\$\(|(?<!&)&(?!&)|<<|\b(trap|if|for|while|until|case)\b", bare):
        return line
    start = max((m.end() for m in re.finditer(r"&&|;", bare)), default=0)
    words = re.match(r"(\s*(?:\w+=\S*\s+)*)(\S+)", bare[start:])
    if words is None or words[2] in _BUILTINS or _ASSIGNMENT.match(words[2]):
        return line
    at = start + words.end(1)
    return f"{line[:at]}exec {line[at:]}"


def _unquoted(line: str) -> str:
    """Return the line with what is quoted or escaped blanked out, at its old length."""
    pattern = r"\\.|'[^']*'|\"(?:\\.|[^\"\\])*\""
    return re.sub(pattern, lambda found: "_" * len(found[0]), line, flags=re.DOTALL)


def target(command: Command) -> str | None:
    """Return the file that a plain compiler call is told to make (``-o``), if it is one."""
    if command.shell or os.path.basename(command.argv[0]).split("-")[0] not in _MAKERS:
        return None
    named: str | None = None
    for word, following in zip(command.argv, (*command.argv[1:], ""), strict=True):
        if word == "--":
            break
        if word in ("-o", "--o", "--output"):
            named = following
        elif word.startswith(("-o=", "--o=", "--output=")):
            named = word.partition("=")[2]
    return named or None


def find(program: str, environment: Mapping[str, str], directory: str) -> str | None:
    """Find a program as it will be executed: a path from ``directory``, a name on PATH.

    What is installed beside hotrun itself is found last, so that the ``go`` of the extra serves
    a machine without Go even when no virtual environment is active.
    """
    if "/" in program:
        path = os.path.join(directory, program)
        return path if os.path.exists(path) else None
    search = environment.get("PATH", os.defpath)
    return shutil.which(program, path=search) or shutil.which(program, path=beside())


def beside() -> str:
    """The directory that hotrun's own interpreter and its neighbours are in."""
    return os.path.dirname(sys.executable)
