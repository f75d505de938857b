"""A real net/http program: from an edit of a Go file to the new answer.

The rows: hotrun beside a `go build` by hand and the start of what it made, in turns, so that a
slow moment of the machine is shared. Nobody asks the app while the compiler needs the cores.
The groups: each tool at a copy of the same project with the same flags and GOGC=off. There the
app is asked every 10 ms, and every millisecond once nobody answers: that tells for how long.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness import MS, BenchError, rest, until
from peers import GO_ONLY, HOTRUN, Peer, Work
from report import Column, Group, Row, Table
from tool import Tool, hotrun

from scenarios.goapp import GoApp, find_go, go_app
from scenarios.saving import MODES, contenders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness import Bench

SAYS = "`hotrun new -t go`: an edit of a Go file -> the new answer over HTTP."
FIRST = 60.0  # seconds for the first answer
PATIENCE = 15.0  # seconds for the answer to an edit
COLUMNS = (Column("edit -> new answer"), Column("nobody answered"))


def go(bench: Bench) -> Table:
    """Measure it beside a build by hand and, one after the other, beside the peers."""
    table = Table("go", SAYS)
    program = find_go()
    if program is None:
        table.notes.append("Skipped: there is no go.")
        return table
    table.rows = _beside_a_build(bench, program)
    by_hand = table.rows[-2].values
    table.notes.append(
        "In turns; the same edit, the same flags (GOGC=off), warm caches. The build by hand alone "
        f"took {min(by_hand):.0f} to {max(by_hand):.0f} ms: mind the spread."
    )
    if bench.peers:
        table.groups = [_group(bench, table, program, fast=fast) for fast in MODES]
        table.notes.append("A tool that ends the app before it builds leaves nobody to answer.")
    return table


# --- beside a build by hand ----------------------------------------------------------------


def _beside_a_build(bench: Bench, program: str) -> list[Row]:
    ours, bare = go_app(bench, "go-ours", program), go_app(bench, "go-bare", program)
    bare.build_by_hand()  # fills Go's cache, so that the session's first build is soon done
    output = bench.at("go-ours.output")
    tooled: list[float] = []
    by_hand: list[tuple[float, float]] = []
    with Tool(hotrun("run", "--json"), ours.path, output, ours.env):
        until("the first answer", lambda: ours.answer() is not None, 180)
        for number in range(1 + bench.some(15, 1)):
            turns = [
                lambda number=number: tooled.append(_edit_under_hotrun(ours, number, output)),
                lambda number=number: by_hand.append(_edit_by_hand(bare, number)),
            ]
            for turn in turns[:: -1 if number % 2 else 1]:
                turn()
                rest(0.3)
    return _rows(tooled[1:], by_hand[1:], _build_times(output)[2:])


def _rows(
    tooled: list[float], by_hand: list[tuple[float, float]], builds: list[float]
) -> list[Row]:
    bare = [build + start for build, start in by_hand]
    around = [one - build for one, build in zip(tooled, builds, strict=True)]
    added = [one - other for one, other in zip(tooled, bare, strict=True)]
    return [
        Row("edit -> new answer with hotrun", tooled),
        Row("  of it go build", builds),
        Row("  of it around the build: settle, stop, start, answer", around),
        Row("bare go build + the app's own start", bare),
        Row("  of it the app's start to its answer", [start for _, start in by_hand]),
        Row("  of it go build", [build for build, _ in by_hand]),
        Row("hotrun adds, edit by edit", added, most=40),
    ]


def _build_times(output: str) -> list[float]:
    """Return what each build took, as the JSON lines of hotrun tell."""
    with open(output, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file if line.startswith("{")]
    return [float(line["ms"]) for line in lines if line["event"] == "build_finished"]


def _edit_under_hotrun(app: GoApp, number: int, output: str) -> float:
    count = len(_build_times(output))
    edited = app.edit(f"ours {number}")
    # Asking the app while the compiler needs both cores would slow the build down.
    until("the build's end", lambda: len(_build_times(output)) > count)
    return (app.wait(f"ours {number}") - edited) / MS


def _edit_by_hand(app: GoApp, number: int) -> tuple[float, float]:
    """Return what the build took, and what the app took from its start to its answer."""
    app.edit(f"bare {number}")
    build = app.build_by_hand()
    with Tool([app.program], app.path, f"{app.path}.output", app.env) as tool:
        return build, (app.wait(f"bare {number}") - tool.began) / MS


# --- beside the peers ----------------------------------------------------------------------


@dataclass(slots=True)
class Answers:
    """What came of some edits, in milliseconds.

    Attributes:
        new: From each edit to the new answer.
        none: For how long nobody answered, after each.
    """

    new: list[float] = field(default_factory=list)
    none: list[float] = field(default_factory=list)


def _group(bench: Bench, table: Table, program: str, *, fast: bool) -> Group:
    group = Group(MODES[fast], COLUMNS)
    for peer in _tools(bench, fast=fast):
        try:
            answers = _answers(bench, peer, program, fast=fast)
        except BenchError as error:
            if peer is HOTRUN:
                raise
            table.notes.append(f"{peer.name}, {MODES[fast]}: {error}.")
            group.rows[peer.name] = ["none came", "-"]
        else:
            group.rows[peer.name] = [answers.new, answers.none]
    return group


def _tools(bench: Bench, *, fast: bool) -> Iterator[Peer]:
    """Yield those that replace an app, with those that can do this work and no other."""
    yield from (peer for peer in contenders(bench, fast=fast) if peer.restarts)
    if not fast:
        yield from (peer for peer in GO_ONLY if peer.is_here)


def _answers(bench: Bench, peer: Peer, program: str, *, fast: bool) -> Answers:
    """Edit five times under a tool; a first edit warms up."""
    words = (peer.name, "fast" if fast else "default")
    app = go_app(bench, "go-" + "-".join(words).replace(" ", "-"), program)
    answers = Answers()
    with Tool(_command(bench, peer, app, fast=fast), app.path, f"{app.path}.output", app.env):
        until("the first answer", lambda: app.answer() is not None, FIRST)
        rest(1.5)  # some tools watch only after their first build
        for number in range(6):
            new, none = _edit_and_ask(app, f"{peer.name} {number}")
            if number:
                answers.new.append(new)
                answers.none.append(none)
            rest(0.5)
    return answers


def _command(bench: Bench, peer: Peer, app: GoApp, *, fast: bool) -> list[str]:
    if peer is HOTRUN:  # as the template has it, but for the delay
        delay = ["--debounce", "0ms"] if fast else []
        return hotrun("run", *delay)
    chain = bench.probe("chain")[0]
    return peer.call(Work(app.path, app.build, [app.program], fast, chain=chain, ext="go"))


def _edit_and_ask(app: GoApp, text: str) -> tuple[float, float]:
    """Return the milliseconds to the new answer, and those in which nobody answered."""
    began = app.edit(text)
    alone = 0
    while True:
        asked = time.monotonic_ns()
        answer = app.answer()
        if answer == text:
            return (time.monotonic_ns() - began) / MS, (asked - alone) / MS if alone else 0.0
        if answer is None:
            alone = alone or asked
        if asked - began > PATIENCE * 1e9:
            raise BenchError(f"waited {PATIENCE:g} s for the answer to an edit")
        time.sleep(0.01 if answer else 0.001)
