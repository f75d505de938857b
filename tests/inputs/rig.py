"""Where a build's inputs are asked for: a real loop, real children, the real go command.

Law: every wait has a deadline and says what it waited for, and nothing that was started is left.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, cast

import pytest

from hotrun.alarms import Alarms
from hotrun.config import load_text
from hotrun.inputs import Inputs
from hotrun.inputs.now import look
from hotrun.process.reaper import Reaper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hotrun.config import Config
    from hotrun.host import Host
    from hotrun.notices import Notice, Problem

DEADLINE = 60.0  # seconds
PAUSE = 0.002
ENV = {
    **os.environ,
    "PATH": f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}",
    "GOFLAGS": "",
    "GOWORK": "",
    "GO111MODULE": "",
}


@dataclass
class Stub:
    """As much of a session as asking needs."""

    loop: asyncio.AbstractEventLoop
    config: Config
    alarms: Alarms = field(init=False)
    reaper: Reaper = field(init=False)
    told: list[Notice] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.alarms = Alarms(self.loop, lambda _: None)
        self.reaper = Reaper(self.loop)

    def tell(self, notice: Notice) -> None:
        self.told.append(notice)


class Rig:
    """Inputs in a loop that runs while a test waits; as a context, it leaves nothing behind."""

    def __init__(self, project: Path, config: str) -> None:
        self.project = project
        self._loop = asyncio.new_event_loop()
        self.host = Stub(self._loop, load_text(config, str(project)))
        self.inputs = Inputs(cast("Host", self.host), self.host.config.build)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.inputs.close()
        self.wait(lambda: not self.host.reaper._children, "the end of what was asked")
        self.host.reaper.close()
        self._loop.close()

    def wait(self, predicate: Callable[[], object], what: str) -> None:
        async def look() -> None:
            end = self._loop.time() + DEADLINE
            while not predicate():
                assert self._loop.time() < end, f"waited {DEADLINE:g} s for {what}"
                await asyncio.sleep(PAUSE)

        self._loop.run_until_complete(look())

    def settle(self) -> None:
        """Wait until nothing is being asked."""
        self.wait(lambda: self.inputs._ask is None, "the answer")

    def build(self) -> None:
        """Tell of a good build, and wait for what follows from it."""
        self.inputs.building()
        self.inputs.built()
        self.settle()

    def changed(self, *names: str) -> list[str]:
        """Tell of files that changed, and return the names of those that matter."""
        base = f"{self.project}/"
        matter = self.inputs.changed([base + name for name in names])
        return sorted(path.removeprefix(base) for path in matter)

    def why(self, name: str) -> str:
        """Return what `hotrun explain` says of a file; empty where the globs decide."""
        verdict = look(self.host.config).verdict(f"{self.project}/{name}")
        return verdict.why if verdict is not None else ""

    @property
    def problems(self) -> list[tuple[str, str]]:
        told = cast("list[Problem]", self.host.told)
        return [(problem.message, problem.hint) for problem in told]


def write(project: Path, files: Mapping[str, str]) -> Path:
    """Write files, and their directories."""
    for name, text in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return project


def go(directory: Path, *words: str, **env: str) -> str:
    """Run the go command and return what it prints."""
    environment = ENV | env
    done = subprocess.run(
        ["go", *words], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.fail(f"go {words}: {done.stderr}")
    return done.stdout


def built(project: Path, output: Path) -> str:
    """Build the program and return a digest of it; empty when the build fails."""
    words = ["go", "build", "-trimpath", "-buildvcs=false", "-o", str(output), "."]
    done = subprocess.run(words, cwd=project, env=ENV, capture_output=True, check=False)
    return hashlib.sha256(output.read_bytes()).hexdigest() if done.returncode == 0 else ""
