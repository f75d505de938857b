"""Command lines that somebody wrote for another tool, in pieces."""

from __future__ import annotations

import re
import shlex

from hotrun.process import shell

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)


def words(line: str) -> list[str]:
    """Split a line as a shell would; [] when it needs more than that, or a quote is open."""
    try:
        return [] if shell.needs_shell(line) else shlex.split(line)
    except ValueError:
        return []


def variables(line: str) -> tuple[dict[str, str], str]:
    """Take `NAME=value` from the front: the variables, and the rest of the line as it stands."""
    found: dict[str, str] = {}
    rest = line.strip()
    while match := re.match(r"""([A-Za-z_]\w*)=([^\s'"$`\\|&;<>()*?]*)(?:\s+|$)""", rest, re.ASCII):
        found[match[1]] = match[2]
        rest = rest[match.end() :]
    return (found, rest) if rest and not _ASSIGNMENT.match(rest) else ({}, line.strip())


def program(line: str) -> str:
    """Return a command whose program is found: `app` alone would be looked for on PATH."""
    first, space, rest = line.partition(" ")
    here = bool(re.fullmatch(r"[\w.-]+", first))
    return f"./{first}{space}{rest}" if here else line


def joined(commands: list[str]) -> str:
    """Return one line that runs the commands, each only after the one before went well."""
    if len(commands) == 1:
        return commands[0]
    # `a || b` and `a; b` stay together.
    return " && ".join(f"({line})" if re.search(r"\|\||;", line) else line for line in commands)


def quoted(word: str) -> str:
    """Return a word as a shell line has it."""
    return shlex.quote(word)
