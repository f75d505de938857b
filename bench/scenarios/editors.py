"""How many builds one save of an editor leads to, and whether the last one saw what was saved.

Each way is the system calls of an editor, as strace shows them, on a file in the watched tree.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness import Log, Project, rest, write
from peers import Peer, Work
from tool import Tool

from scenarios.saving import name_of, until_armed, until_quiet

if TYPE_CHECKING:
    from harness import Bench

PAUSE = 0.030  # seconds between truncating and writing, in which another process had the disk


def by_rename(path: str, text: str) -> None:
    """Save as VS Code's atomic mode, JetBrains and sed -i do."""
    write(f"{path}.tmp", text)
    os.rename(f"{path}.tmp", path)


def by_vim(path: str, text: str) -> None:
    """Save as vim does with backupcopy=auto: see whether it may write here, then keep a backup."""
    probe = os.path.join(os.path.dirname(path), "4913")
    write(probe, "")
    os.chmod(probe, 0o644)
    os.unlink(probe)
    os.rename(path, f"{path}~")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), 0o644)
    os.chmod(path, 0o644)
    os.unlink(f"{path}~")


def in_two_steps(path: str, text: str) -> None:
    """Truncate the file, and write it when the scheduler comes back to us."""
    with open(path, "w", encoding="utf-8") as file:
        time.sleep(PAUSE)
        file.write(text)


EDITORS = {
    "a rename over it": by_rename,
    "vim": by_vim,
    "truncated, written 30 ms later": in_two_steps,
}


@dataclass(slots=True)
class Outcome:
    """What came of an editor's saves.

    Attributes:
        builds: How many each led to.
        stale: How many were followed by no build that read what was saved.
        wrong: How many were stale, or not built once.
    """

    builds: list[int] = field(default_factory=list)
    stale: int = 0
    wrong: int = 0

    @property
    def is_right(self) -> bool:
        """Whether each save led to one build, of the bytes that were saved."""
        return not self.wrong

    def add(self, ends: list[list[str]], text: str) -> None:
        """Add a save of a text, and the builds that ended after it."""
        stale = not ends or ends[-1][2] != text
        self.builds.append(len(ends))
        self.stale += stale
        self.wrong += stale or len(ends) != 1

    def __str__(self) -> str:
        most, least = max(self.builds), min(self.builds)
        counts = f"{least}" if most == least else f"{least} to {most}"
        return f"{counts}, stale {self.stale} of {len(self.builds)}" if self.stale else counts


def editors(bench: Bench, peer: Peer, *, fast: bool) -> dict[str, Outcome]:
    """Save as each editor does, a few times, and return what came of it."""
    name = name_of(bench, peer, "editors", fast)
    project, log = Project(name, 20), Log(f"{name}.builds")
    work = Work(project.path, bench.probe("build", log.path, "0", project.source), fast=fast)
    outcomes = {editor: Outcome() for editor in EDITORS}
    pause = 0.4 if bench.quick else 0.6 if fast else 1.1
    with Tool(peer.call(work), project.path, f"{name}.output"):
        log.wait(2, "the first build")
        until_armed(peer, log)
        for number in range(bench.some(3, 1)):
            for editor, save in EDITORS.items():
                before, text = len(log.lines()), f"{save.__name__}-{number}"
                save(project.source, f"{text}\n")
                until_quiet(log, pause)
                ends = [line for line in log.lines()[before:] if line[0] == "end"]
                outcomes[editor].add(ends, text)
    rest()
    return outcomes
