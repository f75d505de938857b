"""Changes that come at a bad moment, and whether each of them is built, once.

- a race: three directories, one in the other, and at once a file in the last: a tool that adds a
  watch when it hears of a directory comes too late for what is in it. Built: a build read the
  file, through a link outside of the tree.
- during a build: it takes 60 ms, and 20 ms after it began what it has read is written in place.
  Built: a build read the new bytes.
- a rename over a file, as editors save. Built: a build began afterwards.

Each change is one build's worth, and the save during a build is the second: whatever else begins
is a build too many.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import BenchError, Log, Project, rest, until, write
from peers import HOTRUN, Peer, Work
from report import Column, Group, Row, Table
from tool import Tool

from scenarios.saving import name_of, until_armed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness import Bench
    from report import Cell

BUILD = "60"  # milliseconds, of the build that a save comes into
INTO = 0.020  # seconds from its first instruction to that save
LOST = 4.0  # seconds after which a change is not taken to be built any more
CAP = 10.0  # seconds for one part of a peer, in which it is done this often at most
OFTEN = 50
FULL = {"made in new directories": 200, "saved during a build": 200, "renamed over": 100}
AUTO = 40  # times that hotrun does each with debounce = auto


@dataclass(slots=True)
class Part:
    """Changes of one kind under one tool, and what became of them.

    Attributes:
        project: Whose files change.
        read: What each build reads, a link to the project's source at first.
        log: Where the builds stamp "begin TIME STATE" and "end TIME STATE".
        pause: Seconds in which a build too many would come.
        made: How many changes there were.
        built: How many of them were built.
        extra: Builds that none of them asked for.
    """

    project: Project
    read: str
    log: Log
    pause: float
    made: int = 0
    built: int = 0
    extra: int = 0

    def make_deep(self) -> None:
        """Make directories and a file in the last, and wait for a build that reads it."""
        before = len(self._begins())
        path = os.path.dirname(self.project.source)  # entr watches directories that hold files
        below = (f"new{self.made}", "b", "c")
        os.remove(self.read)
        os.symlink(os.path.join(path, *below, "file.txt"), self.read)
        for name in below:
            path = os.path.join(path, name)
            os.mkdir(path)
        state = f"made{self.made}"
        write(os.path.join(path, "file.txt"), f"{state}\n")
        built = self._is("its build", lambda: any(b[2] == state for b in self._begins()[-3:]))
        self._count(before + 1, built=built)

    def save_during(self) -> None:
        """Save, save again when the build has begun, and wait for one that reads the latter."""
        before = len(self._begins())
        self.project.save("write")
        if self._is("a build", lambda: len(self._begins()) > before):
            self._sleep_into(int(self._begins()[-1][1]))
            self.project.save("write")
        state = f"state{len(self.project.save_times) - 1}"
        built = self._is("its build", lambda: self.log.lines()[-1][::2] == ["end", state])
        self._count(before + 2, built=built)

    def rename_over(self) -> None:
        """Rename a new file over one, and wait for a build that began afterwards."""
        before = len(self._begins())
        saved = self.project.save("rename")
        built = self._is("a build", lambda: any(int(b[1]) > saved for b in self._begins()[-3:]))
        self._count(before + 1, built=built)

    def _count(self, expected: int, *, built: bool) -> None:
        """Count a change, and the builds that began beyond those it asked for."""
        rest(self.pause)
        self.made += 1
        self.built += built
        self.extra += max(0, len(self._begins()) - expected)

    def _begins(self) -> list[list[str]]:
        return [line for line in self.log.lines() if line[0] == "begin"]

    @staticmethod
    def _is(what: str, fact: Callable[[], object]) -> bool:
        try:
            until(what, fact, LOST)
        except BenchError:
            return False
        return True

    @staticmethod
    def _sleep_into(began: int) -> None:
        time.sleep(max(0, INTO - (time.monotonic_ns() - began) / 1e9))


PARTS: dict[str, Callable[[Part], None]] = dict(
    zip(FULL, (Part.make_deep, Part.save_during, Part.rename_over), strict=True)
)


def lost(bench: Bench) -> Table:
    """Count the changes that were not built, and the builds that nothing asked for."""
    table = Table(
        "lost",
        "Changes at a bad moment: a file made at once in directories that are new, a save while a "
        f"build of {BUILD} ms runs, a rename over a file. Was each built, and how often?",
    )
    columns = [Column(name, "", counts=True) for name in PARTS]
    group = Group("shortest delay that can be set: built of made, builds too many", columns)
    ours = {name: _part(bench, HOTRUN, name, count, fast=True) for name, count in _counts(bench)}
    group.rows[HOTRUN.name] = _cells(ours)
    table.rows += _rows("debounce = 0ms", ours)
    if not bench.quick:
        auto = {name: _part(bench, HOTRUN, name, AUTO, fast=False) for name in PARTS}
        table.rows += _rows("debounce = auto", auto)
    for peer in bench.peers:
        group.rows[peer.name] = _cells({name: _of_peer(bench, peer, name) for name in PARTS})
    table.groups.append(group)
    if bench.peers:
        table.notes.append(
            f"A peer has {CAP:g} s for each kind, and {OFTEN} changes at most; one that is not "
            f"built in {LOST:g} s is lost. A full score is not a proof."
        )
    return table


def _counts(bench: Bench) -> list[tuple[str, int]]:
    return [(name, bench.some(count, 5)) for name, count in FULL.items()]


def _rows(debounce: str, parts: dict[str, Part]) -> Iterator[Row]:
    for name, part in parts.items():
        yield Row(f"{debounce}, {name}: missed", [part.made - part.built], "", 0, part.made)
        yield Row(f"  builds too many, {debounce}", [part.extra], "", 0, part.made)


def _cells(parts: Mapping[str, Part | str]) -> list[Cell]:
    return [
        part if isinstance(part, str) else f"{part.built}/{part.made}, {part.extra}"
        for part in parts.values()
    ]


def _of_peer(bench: Bench, peer: Peer, name: str) -> Part | str:
    try:
        return _part(bench, peer, name, OFTEN, fast=peer.is_fast, seconds=CAP)
    except BenchError as error:
        return str(error)


def _part(
    bench: Bench, peer: Peer, name: str, count: int, *, fast: bool, seconds: float = 600
) -> Part:
    """Have a tool build changes of one kind; none begins when the time is over."""
    path = name_of(bench, peer, "lost", name, fast)
    project, log = Project(path, 20), Log(f"{path}.builds")
    took = BUILD if PARTS[name] is Part.save_during else "0"
    read = f"{path}.read"
    os.symlink(project.source, read)
    build = bench.probe("build", log.path, took, read)
    part = Part(project, read, log, 0.06 if fast else 0.2)
    command = peer.call(Work(project.path, build, fast=fast, chain=bench.probe("chain")[0]))
    with Tool(command, project.path, f"{path}.output") as tool:
        log.wait(2, "the end of the first build")
        until_armed(peer, log)
        end = time.monotonic() + seconds
        while part.made < count and time.monotonic() < end and tool.code is None:
            PARTS[name](part)
    return part
