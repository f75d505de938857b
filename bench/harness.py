"""What every scenario needs: probes, projects, and waiting for a fact.

Law: all that is made lies below one temporary directory, so that a failed or interrupted run
leaves nothing behind.
"""

from __future__ import annotations

import glob
import os
import random
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from peers import Peer

HERE = os.path.dirname(os.path.abspath(__file__))
POLL = 0.004  # seconds between two looks; the probes stamp the times, so it costs no accuracy
MS = 1e6  # nanoseconds
DEADLINE = 30.0  # seconds that any one fact is waited for


class BenchError(Exception):
    """A measurement that could not be made."""


def until(what: str, fact: Callable[[], object], deadline: float = DEADLINE) -> None:
    """Wait for a fact.

    Raises:
        BenchError: naming what did not happen.
    """
    end = time.monotonic() + deadline
    while not fact():
        if time.monotonic() > end:
            raise BenchError(f"waited {deadline:g} s for {what}")
        time.sleep(POLL)


def rest(seconds: float = 0.06) -> None:
    """Let the machine become quiet, for a time that keeps step with no timer."""
    time.sleep(seconds * random.uniform(0.8, 1.4))  # noqa: S311 - no secret


# --- probes --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the harness.

    Attributes:
        folder: The temporary directory; the compiled probes are in it.
        quick: Few trials, small trees, and hotrun beside the floors alone.
        peers: The tools beside hotrun that are here.
    """

    folder: str
    quick: bool
    peers: tuple[Peer, ...] = ()

    def at(self, name: str) -> str:
        """Return a path in the temporary directory."""
        return os.path.join(self.folder, name)

    def some(self, full: int, quick: int) -> int:
        """Return how many trials there are."""
        return quick if self.quick else full

    def probe(self, name: str, *arguments: str) -> list[str]:
        """Return the arguments that start a probe."""
        return [os.path.join(self.folder, "probes", name), *arguments]


def compile_probes(folder: str) -> None:
    """Compile the C probes, each a program of the name of its source.

    Raises:
        BenchError: there is no C compiler, or it failed.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise BenchError("there is no C compiler: install gcc or clang")
    os.mkdir(os.path.join(folder, "probes"))
    for source in sorted(glob.glob(os.path.join(HERE, "probes", "*.c"))):
        program = os.path.join(folder, "probes", os.path.basename(source)[:-2])
        done = subprocess.run([compiler, "-O2", "-pthread", "-o", program, source], check=False)
        if done.returncode:
            raise BenchError(f"{source} does not compile")


class Log:
    """A file to which a probe appends lines."""

    def __init__(self, path: str) -> None:
        self.path = path

    def lines(self) -> list[list[str]]:
        """Return the words of each line so far."""
        try:
            with open(self.path, encoding="utf-8") as file:
                return [line.split() for line in file]
        except FileNotFoundError:
            return []

    def wait(self, count: int, what: str, deadline: float = DEADLINE) -> list[str]:
        """Wait until there are ``count`` lines, and return the words of that one."""
        until(what, lambda: len(self.lines()) >= count, deadline)
        return self.lines()[count - 1]


# --- projects ------------------------------------------------------------------------------


class Project:
    """A directory tree with a hotrun.toml, and saves of its files.

    Args:
        path: Made anew.
        directories: How many; each has five small files.
    """

    def __init__(self, path: str, directories: int = 0) -> None:
        self.path = path
        self.save_times: list[int] = []  # nanoseconds: what the filesystem itself took
        os.makedirs(path)
        for number in range(directories):
            below = os.path.join(path, f"part{number // 100}", f"unit{number}")
            os.makedirs(below)
            for name in range(5):
                write(os.path.join(below, f"file{name}.txt"), f"{number} {name}\n")
        self.source = self.at("src/main.txt")
        os.mkdir(self.at("src"))
        write(self.source, "first\n")

    def at(self, name: str) -> str:
        """Return the path of a file of the project."""
        return os.path.join(self.path, name)

    def save(self, how: str) -> int:
        """Save the source with new bytes, by "rename" or by "write"; return when it began."""
        text = f"state{len(self.save_times)}\n"
        beside = f"{self.path}.saved"  # out of the tree: what is measured is one event
        if how == "rename":
            write(beside, text)
        began = time.monotonic_ns()
        if how == "rename":
            os.rename(beside, self.source)
        else:
            write(self.source, text)
        self.save_times.append(time.monotonic_ns() - began)
        return began


def grow(path: str, directories: int, files: int, each: int = 3, *, empty: bool = False) -> str:
    """Make a tree in ``path``: directory n lies in directory (n - 1) // ``each``.

    With three in each, two of three have no directory in them, and 10,000 are 8 to 9 deep: much
    like the site-packages of a virtual environment (68 %, 7 deep). Each has a few small files;
    where nobody reads them they may be empty: a file that holds no block is soon removed.
    """
    paths = []
    for number in range(directories):
        above = paths[(number - 1) // each] if number else os.path.dirname(path)
        paths.append(f"{above}/package{number}" if number else path)
        os.mkdir(paths[-1])
        for name in range(files):
            write(f"{paths[-1]}/file{name}.txt", "" if empty else f"{number} {name}\n")
    return path


def write(path: str, text: str) -> None:
    """Write a file in place, as simple editors do."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
