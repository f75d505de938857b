"""What was meant by a word that is no command: a typo, another tool's word, a path, a program.

A path or a program becomes the whole line that does it, to be copied. Only a command line that
is wrong pays for this module.
"""

from __future__ import annotations

import os
import shlex
import shutil
from typing import TYPE_CHECKING

from hotrun.cli import COMMANDS
from hotrun.config.wording import listed, nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

# What other tools call it: air, bee, nodemon, cargo, npm, tilt, git.
ALIASES = {
    "run": "build dev exec live reload serve server start up watch",
    "new": "create generate scaffold template templates",
    "init": "detect setup",
    "check": "config doctor info lint status validate verify",
    "explain": "ignored match which why",
    "events": "log monitor",
    "smoke": "ci test",
    "leftovers": "clean kill kill-stale ps stop",
    "schema": "json-schema jsonschema",
    "completion": "autocomplete complete completions",
}
_BY_ALIAS = {alias: name for name, aliases in ALIASES.items() for alias in aliases.split()}

# With what a script is run.
SCRIPTS = {".py": "python3", ".js": "node", ".mjs": "node", ".cjs": "node", ".rb": "ruby"}
SCRIPTS |= {".sh": "sh", ".ts": "npx tsx"}
_PROGRAMS = """
bash bun bundle cargo cmake deno dotnet flask go gradle gunicorn java just make mvn ninja node npm
npx php pnpm poetry python python3 ruby sh uv uvicorn yarn
"""
PROGRAMS = frozenset(_PROGRAMS.split())
BUILDERS = frozenset(("build", "compile", "install"))
BUILD_PROGRAMS = frozenset(("cmake", "gradle", "make", "mvn", "ninja"))
# A directory that has one of these is a project, and no part of one.
PROJECT_FILES = frozenset(
    ("hotrun.toml", "go.mod", "Cargo.toml", "package.json", "pyproject.toml", "Makefile")
)


def hint(words: Sequence[str]) -> str:
    """Return what to type instead.

    Args:
        words: The command line; the first one is no command.
    """
    word = words[0]
    if is_path(word):
        return of_path(word)
    return (
        _of_question(words)
        or _of_known_program(words)
        or _of_alias(word)
        or (of_path(word) if os.path.exists(word) else "")
        or _of_typo(word)
        or "`hotrun --help` lists the commands"
    )


def did_you_mean(*words: str) -> str:
    """Return the suggestion of a whole command line."""
    return f'did you mean "{shlex.join(("hotrun", *words))}"?'


def _of_question(words: Sequence[str]) -> str:
    word, *rest = (each.lower() for each in words)
    if word == "version":
        return did_you_mean("--version")
    if word in ("list", "ls"):
        return did_you_mean("new", "--list")
    if word != "help":
        return ""
    return did_you_mean(*(name for name in rest[:1] if name in COMMANDS), "--help")


def _of_alias(word: str) -> str:
    return f"did you mean {quoted(_BY_ALIAS[word])}?" if word in _BY_ALIAS else ""


def _of_typo(word: str) -> str:
    begun = [name for name in COMMANDS if word and name.startswith(word.lower())]
    near = nearest(word, COMMANDS) or _BY_ALIAS.get(nearest(word, _BY_ALIAS), "")
    names = begun or list(filter(None, [near]))
    return f"did you mean {listed(map(quoted, names), 'or')}?" if names else ""


# Paths


def is_path(word: str) -> bool:
    """Tell a path from a word by its looks, whether it is there or not."""
    extension = os.path.splitext(word)[1]
    looks = extension in {*SCRIPTS, ".go", ".toml", ".rs", ".c"}
    return looks or word.startswith(".") or "/" in word or os.sep in word


def of_path(path: str) -> str:
    """Return the line that does with a file or a directory what was wanted of it."""
    if path.endswith(".toml"):
        return did_you_mean("run", "-c", path)
    script = SCRIPTS.get(os.path.splitext(path)[1])
    if script is not None:
        return _starting(shlex.join((*script.split(), path)))
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    if path.endswith(".go") or _is_package(folder) or os.path.normpath(path) == ".":
        return _of_package(folder)
    if os.path.isdir(path):
        return did_you_mean("run", "-C", path)
    if os.path.isfile(path) and os.access(path, os.X_OK):
        return _starting(path if os.path.dirname(path) else f"./{path}")
    return "`hotrun run -C DIR` runs the project of a directory"


def _is_package(folder: str) -> bool:
    """Whether a directory is a Go package inside of a project, and no project itself."""
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return False
    return any(name.endswith(".go") for name in names) and PROJECT_FILES.isdisjoint(names)


def _of_package(folder: str) -> str:
    here = os.path.normpath(folder or ".")
    if here == ".":
        return "`hotrun run` builds and runs the project here"
    return _building(f"./{here}" if not os.path.isabs(here) and here[0] != "." else here)


def _building(package: str) -> str:
    build = shlex.join(("go", "build", "-o", "app", package))
    return did_you_mean("run", "--set", f"build.command={build}", "--set", "run.command=./app")


def _starting(command: str) -> str:
    return did_you_mean("run", "--set", f"run.command={command}")


# Programs


def of_program(words: Sequence[str]) -> str:
    """Return the line that runs a program which was typed as a command, or nothing.

    Args:
        words: The program, and its arguments.
    """
    if not words or os.path.exists(words[0]) or "/" in words[0]:
        return ""
    if known := _of_known_program(words):
        return known
    # `test`, `kill` and `ps` alone are programs as well, and rarely meant.
    unlikely = words[0].startswith("-") or (len(words) == 1 and words[0] in _BY_ALIAS)
    if unlikely or shutil.which(words[0]) is None:
        return ""
    return _starting(shlex.join(words))


def _of_known_program(words: Sequence[str]) -> str:
    """Turn `hotrun go run ./cmd/x`, as other tools are called, into what the config says."""
    program, *rest = words
    if program not in PROGRAMS:
        return ""
    if words[:2] == ["go", "run"]:
        packages = [word for word in rest[1:] if not word.startswith("-")]
        return _of_package(packages[0] if packages else ".")
    command = shlex.join(words)
    if program in BUILD_PROGRAMS or BUILDERS & {*rest}:
        return did_you_mean("run", "--set", f"build.command={command}")
    return _starting(command)
