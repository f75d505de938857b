"""What every scenario needs: probes, projects, sessions of hotrun, and waiting for a fact.

Law: all that is started is ended by its pid, and all that is made lies below one temporary
directory, so that a failed or interrupted run leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HERE = os.path.dirname(os.path.abspath(__file__))
# In C; without a compiler probe.py has a few of them.
PROBES = ("stamp", "build", "app", "floor", "walk", "burst", "ender", "lines", "server", "clients")
BESIDE = os.path.dirname(sys.executable)  # hotrun's command, and the go of the extra
POLL = 0.004  # seconds between two looks; the probes stamp the times, so it costs no accuracy
DEADLINE = 30.0  # seconds that any one fact is waited for
GRACE = 15.0  # seconds for a session to end before it is killed


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
class Probes:
    """How each probe is called.

    Attributes:
        folder: Where the compiled ones are; None without a C compiler.
    """

    folder: str | None

    @property
    def compiled(self) -> bool:
        """Whether they are C programs, and the floor is there."""
        return self.folder is not None

    def command(self, name: str, *arguments: str) -> list[str]:
        """Return the arguments that start a probe."""
        if self.folder is not None:
            return [os.path.join(self.folder, name), *arguments]
        script = os.path.join(HERE, "probes", "probe.py")
        return [sys.executable, "-I", "-S", script, name, *arguments]


def compile_probes(folder: str) -> Probes:
    """Compile the C probes; without a compiler the Python ones stand in."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return Probes(None)
    for name in PROBES:
        source, program = os.path.join(HERE, "probes", f"{name}.c"), os.path.join(folder, name)
        subprocess.run([compiler, "-O2", "-pthread", "-o", program, source], check=True)
    return Probes(folder)


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

    def wait(self, count: int, what: str) -> list[str]:
        """Wait until there are ``count`` lines, and return the words of that one."""
        until(what, lambda: len(self.lines()) >= count)
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

    def configure(
        self, build: Sequence[str], app: Sequence[str] = (), debounce: str = "auto"
    ) -> None:
        """Write hotrun.toml."""
        text = f'[watch]\ndebounce = "{debounce}"\n[build]\ncommand = {json.dumps(build)}\n'
        if app:
            text += f"[run]\ncommand = {json.dumps(app)}\n"
        write(self.at("hotrun.toml"), text)

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


def grow(path: str, directories: int, files: int, each: int = 3) -> str:
    """Make a tree in ``path``: directory n lies in directory (n - 1) // ``each``.

    With three in each, two of three have no directory in them, and 10,000 are 8 to 9 deep: much
    like the site-packages of a virtual environment (68 %, 7 deep). Each has a few small files.
    """
    paths = []
    for number in range(directories):
        above = paths[(number - 1) // each] if number else os.path.dirname(path)
        paths.append(f"{above}/package{number}" if number else path)
        os.mkdir(paths[-1])
        for name in range(files):
            write(f"{paths[-1]}/file{name}.txt", f"{number} {name}\n")
    return path


def write(path: str, text: str) -> None:
    """Write a file in place, as simple editors do."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


# --- processes -----------------------------------------------------------------------------


def hotrun(*arguments: str) -> list[str]:
    """Return the arguments that call hotrun, by its installed command where that is there."""
    command = os.path.join(BESIDE, "hotrun")
    start = [command] if os.path.exists(command) else [sys.executable, "-m", "hotrun"]
    return [*start, *arguments]


def environment(**more: str) -> dict[str, str]:
    """Return the environment of what is measured.

    PYTHONDONTWRITEBYTECODE and the like would change what a start costs.
    """
    path = f"{BESIDE}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    ours = {
        name: value
        for name, value in os.environ.items()
        if name == "PYTHONPATH" or not name.startswith("PYTHON")
    }
    return {**ours, "PATH": path, "NO_COLOR": "1", **more}


class Tool:
    """A long-running command under measurement; leaving its ``with`` block ends it.

    Args:
        command: What to start.
        directory: Where.
        log: The file that takes what it prints; it is shown when a wait fails.
        env: The whole environment.
    """

    def __init__(
        self, command: Sequence[str], directory: str, log: str, env: dict[str, str] | None = None
    ) -> None:
        self._log = log
        with open(log, "wb") as output:
            self.began = time.monotonic_ns()
            self._process = subprocess.Popen(
                command,
                cwd=directory,
                env=env or environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._end()
        if kind is BenchError:
            self._show()

    def _end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _show(self) -> None:
        with open(self._log, encoding="utf-8", errors="replace") as file:
            sys.stderr.write("".join(file.readlines()[-20:]))


def session(project: Project) -> Tool:
    """Start ``hotrun run`` in a project."""
    return Tool(hotrun("run"), project.path, f"{project.path}.output")


def time_of(command: Sequence[str], env: dict[str, str]) -> int:
    """Run a command to its end and return the nanoseconds it took.

    Raises:
        BenchError: it failed.
    """
    null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    began = time.perf_counter_ns()
    pid = os.posix_spawn(command[0], command, env, file_actions=null)
    _, status = os.waitpid(pid, 0)
    took = time.perf_counter_ns() - began
    if status:
        raise BenchError(f"{' '.join(command)} failed")
    return took


# --- what processes cost -------------------------------------------------------------------


def tree(pid: int, without: frozenset[int] = frozenset()) -> list[int]:
    """Return a process and its descendants, leaving some out with all below them."""
    found = [pid]
    for task in _tasks(pid):
        for child in _read(f"{task}/children").split():
            if int(child) not in without:
                found += tree(int(child), without)
    return found


def switches(pids: Sequence[int]) -> int:
    """Return the context switches so far, of both kinds, in all threads."""
    total = 0
    for pid in pids:
        for task in _tasks(pid):
            lines = _read(f"{task}/status").splitlines()
            total += sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
    return total


def watches(pid: int) -> int:
    """Return how many inotify watches a process holds."""
    with contextlib.suppress(FileNotFoundError):
        infos = (_read(f"/proc/{pid}/fdinfo/{fd}") for fd in os.listdir(f"/proc/{pid}/fdinfo"))
        return sum(info.count("inotify wd:") for info in infos)
    return 0


def on_cpu(pids: Sequence[int]) -> int:
    """Return the nanoseconds that all threads have been on a CPU."""
    stats = (_read(f"{task}/schedstat").split() for pid in pids for task in _tasks(pid))
    return sum(int(stat[0]) for stat in stats if stat)


def _tasks(pid: int) -> Iterator[str]:
    with contextlib.suppress(FileNotFoundError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            yield f"/proc/{pid}/task/{thread}"


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""
