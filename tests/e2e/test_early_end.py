"""A signal that comes while hotrun still starts: it is told, nothing is left, nothing is a bug."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from live import DEADLINE, environment

if TYPE_CHECKING:
    from live import Project

# The signal comes when a module is about to be imported, and twice: somebody is impatient.
STARTS = """
import os, sys
from hotrun.__main__ import main
module, number = sys.argv[1:3]
del sys.argv[1:3]
class Finder:
    def find_spec(name, *_):
        if name == module:
            sys.meta_path.remove(Finder)
            try:
                os.kill(os.getpid(), int(number))
            finally:
                os.kill(os.getpid(), int(number))
sys.meta_path.insert(0, Finder)
main()
"""
MODULES = ("click", "hotrun.cli.run", "hotrun.config.load", "hotrun.session", "asyncio")
ENDINGS = {
    signal.SIGINT: (130, "interrupted"),
    signal.SIGTERM: (143, "terminated"),
    signal.SIGHUP: (129, "hung up"),
}


def started(project: Project, module: str, number: int, *words: str) -> tuple[int, str]:
    """Return code and stderr of a `hotrun run` that hears a signal in the middle of its start."""
    project.config("[run]\ncommand = 'sleep 600'\n")
    done = subprocess.run(
        [sys.executable, "-c", STARTS, module, str(int(number)), "run", *words],
        cwd=project.path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.stdout == ""
    assert os.listdir(project.path) == ["hotrun.toml"]
    return done.returncode, done.stderr


@pytest.mark.parametrize("module", MODULES)
def test_ctrl_c_at_the_start_is_told_in_the_words_of_every_end(
    project: Project, module: str
) -> None:
    assert started(project, module, signal.SIGINT) == (130, "hotrun ended: interrupted\n")


@pytest.mark.parametrize("number", ENDINGS)
def test_each_signal_has_its_word_and_its_code(project: Project, number: signal.Signals) -> None:
    code, reason = ENDINGS[number]
    said = started(project, "hotrun.session", number, "--json")
    assert said == (code, f"hotrun ended: {reason}\n")


def test_a_quiet_hotrun_says_nothing(project: Project) -> None:
    assert started(project, "hotrun.session", signal.SIGINT, "--quiet") == (130, "")
