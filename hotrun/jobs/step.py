"""The command of a rule, for the files that changed.

`{files}` and `{dirs}` stand for the files and for the directories they are in, relative to the
project, each a word of its own whatever is in its name. All of them, and what is gone, are in
the JSON file that HOTRUN_CHANGES names: a command line has its limits (execve(2), E2BIG).
"""

from __future__ import annotations

import json
import os
import re
import shlex
from typing import TYPE_CHECKING

from hotrun import notices
from hotrun.alarms import STEP
from hotrun.jobs.build import Task
from hotrun.process import command as commands

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hotrun.facts import Step
    from hotrun.host import Host

CHANGES = "HOTRUN_CHANGES"
FILES, DIRS = "{files}", "{dirs}"
_NAMES = re.compile(r"\{files\}|\{dirs\}")


def task(host: Host, service: str, run: int, steps: Collection[Step]) -> Task | None:
    """Make the task of a step; None: it names its files, and all are gone, which is told.

    Args:
        host: The session.
        service: Whose step it is.
        run: The number of the run.
        steps: Of one rule.
    """
    config = host.config
    first = min(steps)
    files, removed = _present([step.path for step in steps], config.directory)
    words = {FILES: files, DIRS: _directories(files)}
    command = filled(first.command, words)
    if command is None:
        host.tell(_skipped(service, run, first, removed))
        return None
    env = dict(config.build.env) if config.build is not None else {}
    text = json.dumps({"files": files, "dirs": words[DIRS], "removed": removed})
    path = host.scratch.write(f"changes-{run}.json", text, config.directory)
    if path:
        env[CHANGES] = path
    timeout = config.build.timeout if config.build is not None else STEP
    key = f"rule[{first.rule + 1}].command"
    return Task(key, commands.parse(command), env, timeout, None, path)


def _skipped(service: str, run: int, step: Step, gone: Sequence[str]) -> notices.Ignored:
    """Say why a run has no build: whoever counts them would miss it."""
    why = f"all that rule[{step.rule + 1}].command would name is gone, so #{run} is skipped"
    return notices.Ignored(service, [*gone[: notices.MOST_PATHS]], len(gone), why)


def filled(
    command: str | Sequence[str], words: Mapping[str, Sequence[str]]
) -> str | list[str] | None:
    """Put the files into a command; None: a place-holder in it stands for nothing.

    Args:
        command: A line, in which they are quoted for the shell; or a list of arguments, in which
            one that is a place-holder and no more becomes as many as there are files.
        words: What each place-holder stands for.
    """
    text = command if isinstance(command, str) else " ".join(command)
    if any(not words[name] for name in _NAMES.findall(text)):
        return None
    if isinstance(command, str):
        return _replaced(command, words)
    arguments: list[str] = []
    for argument in command:
        arguments += words.get(argument) or [_replaced(argument, words)]
    return arguments


def _replaced(text: str, words: Mapping[str, Sequence[str]]) -> str:
    return _NAMES.sub(lambda name: shlex.join(words[name[0]]), text)


def _present(paths: Sequence[str], base: str) -> tuple[list[str], list[str]]:
    """Part what is there from what is gone."""
    files: list[str] = []
    removed: list[str] = []
    for path in sorted(paths):
        there = os.path.lexists(os.path.join(base, path))
        (files if there else removed).append(_no_option(path))
    return files, removed


def _directories(files: Sequence[str]) -> list[str]:
    return sorted({os.path.dirname(path) or "." for path in files})


def _no_option(path: str) -> str:
    """Keep a file called `-rf` from being taken for an option."""
    return f"./{path}" if path.startswith("-") else path
