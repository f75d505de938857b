"""The same question, asked at once and waited for: `explain` and `check` have no session."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from hotrun.errors import HotrunError
from hotrun.inputs.ask import PATIENCE, AskError
from hotrun.inputs.outside import outside
from hotrun.inputs.question import question
from hotrun.inputs.verdict import real
from hotrun.lean import NamedTuple
from hotrun.process import command as commands

if TYPE_CHECKING:
    from collections.abc import Generator

    from hotrun.config import Config
    from hotrun.inputs.outside import Outside
    from hotrun.inputs.question import Question
    from hotrun.inputs.verdict import Knowledge, Verdict


class Answer(NamedTuple):
    """What the build reads.

    Attributes:
        knowledge: None when the globs decide.
        problem: Message and hint, when nobody could tell.
        outside: What the build reads and no root covers; None: nothing.
    """

    knowledge: Knowledge | None
    problem: tuple[str, str] | None = None
    outside: Outside | None = None

    def verdict(self, path: str) -> Verdict | None:
        """Judge a file, an absolute path; None when the globs decide."""
        return self.knowledge.verdict(real(path)) if self.knowledge is not None else None


def look(config: Config) -> Answer:
    """Ask what the build reads; it takes as long as `go list` does (0.1 s)."""
    try:
        asked = question(config, config.build)
        if asked is None:
            return Answer(None)
        outputs = [_run(asked, command.argv) for command in asked.commands]
        # What is on the disk is all there is: no build has begun that could have seen more.
        knowledge = _read(asked.answer(outputs, sys.maxsize))
        return Answer(knowledge, asked.warning, outside(config, knowledge))
    except HotrunError as error:
        return Answer(None, (error.message, error.hint))


def _read(reading: Generator[None, None, Knowledge]) -> Knowledge:
    while True:
        try:
            next(reading)
        except StopIteration as end:
            knowledge: Knowledge = end.value
            return knowledge


def _run(asked: Question, argv: tuple[str, ...]) -> str:
    environment = dict(asked.environment)
    environment["PATH"] = commands.search_path(environment)
    program = commands.find(argv[0], environment, asked.directory)
    name = os.path.basename(argv[0])
    if program is None:
        raise AskError(f"{argv[0]}: command not found", f"install {name}, or put it on PATH")
    try:
        done = subprocess.run(
            argv,
            executable=program,
            cwd=asked.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise AskError(f"{name} did not answer in {PATIENCE:g} s", "") from error
    except (OSError, subprocess.CalledProcessError) as error:
        raise AskError(f"{name} failed", "run the build to see why") from error
    return done.stdout.decode("utf-8", "surrogateescape")
