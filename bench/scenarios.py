"""The scenarios: each puts hotrun through one kind of work and returns a table.

Bars are those that the project set itself. Times are in milliseconds of CLOCK_MONOTONIC, from
the call that saves to the first instruction of a probe.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import (
    BenchError,
    Log,
    Probes,
    Project,
    Tool,
    environment,
    hotrun,
    on_cpu,
    rest,
    session,
    switches,
    time_of,
    tree,
    until,
    write,
)
from processes import PROCESSES
from report import Row, Table
from watching import WATCHING

from hotrun.alarms import settle_time
from hotrun.core import Quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MS = 1e6  # nanoseconds
SAVES = ("rename", "write")
SAID = {"rename": "a rename over it", "write": "a write in place"}
WARM_UP = 3
QUIET_AFTER = 1.5  # seconds without a build after which none is taken to follow
SETTLE = {"0ms": 0.0, "auto": settle_time(None, Quiet.SAVE) * 1000}


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the harness.

    Attributes:
        folder: The temporary directory.
        probes: How the probes are called.
        quick: Few trials, small trees.
    """

    folder: str
    probes: Probes
    quick: bool

    def at(self, name: str) -> str:
        """Return a path in the temporary directory."""
        return os.path.join(self.folder, name)

    def some(self, full: int, quick: int) -> int:
        """Return how many trials there are."""
        return quick if self.quick else full


# --- reaction ------------------------------------------------------------------------------


def reaction(bench: Bench) -> Table:
    """How long it takes from a save to the build command's first instruction."""
    table = Table("reaction", "Save -> the build command's first instruction; 200 directories.")
    for debounce, most in (("0ms", 3), ("auto", 20)):
        for how in SAVES:
            saves = _reactions(bench, debounce, how)
            saved = f"debounce = {debounce}, {SAID[how]}"
            table.rows.append(Row(saved, saves.reactions, most=most))
            if saves.extra:
                table.notes.append(f"{saved}: {saves.extra} builds too many.")
    if bench.probes.compiled:
        for how in SAVES:
            saves = _floor(bench, how)
            table.rows.append(Row(f"floor in C, {SAID[how]}", saves.reactions))
            table.rows.append(Row("  beside it: how long the saving call took", saves.writing))
        table.notes.append(
            "The floor reads one inotify event, then vforks and execs the same stamp."
        )
    return table


@dataclass(slots=True)
class Saves:
    """What came of a row of saves.

    Attributes:
        reactions: Milliseconds from each save to the next stamp.
        writing: Milliseconds of the call that saves.
        extra: Stamps that no save explains.
    """

    reactions: list[float]
    writing: list[float]
    extra: int


def _reactions(bench: Bench, debounce: str, how: str) -> Saves:
    name = f"reaction-{debounce}-{how}"
    project, log = Project(bench.at(name), 200), Log(bench.at(f"{name}.stamps"))
    project.configure(bench.probes.command("stamp", log.path), debounce=debounce)
    with session(project):
        log.wait(1, "the first build")
        return _save_and_wait(bench, project, log, how)


def _floor(bench: Bench, how: str) -> Saves:
    name = f"floor-{how}"
    project, log = Project(bench.at(name)), Log(bench.at(f"{name}.stamps"))
    folder = os.path.dirname(project.source)
    command = bench.probes.command("floor", how, folder, *bench.probes.command("stamp", log.path))
    with Tool(command, project.path, bench.at(f"{name}.output")):
        return _save_and_wait(bench, project, log, how)


def _save_and_wait(bench: Bench, project: Project, log: Log, how: str) -> Saves:
    """Save again and again, each time until the next stamp."""
    times: list[float] = []
    rest(0.5)
    for _ in range(WARM_UP):
        project.save(how)
        rest(0.2)
    start = len(log.lines())
    for _ in range(bench.some(30, 10)):
        before = len(log.lines())
        saved = project.save(how)
        stamp = int(log.wait(before + 1, f"the build of a save by {how}")[0])
        times.append((stamp - saved) / MS)
        rest(0.1)
    writing = [took / MS for took in project.save_times[WARM_UP:]]
    return Saves(times, writing, len(log.lines()) - start - len(times))


# --- restart -------------------------------------------------------------------------------


def restart(bench: Bench) -> Table:
    """How much hotrun adds between a save and the new app."""
    table = Table(
        "restart",
        "Save -> the new app's first instruction, less settle and the build's own 20 ms. "
        "The app exits at once on SIGTERM.",
    )
    for debounce in SETTLE:
        table.rows += _added(f"debounce = {debounce}: added", _restarts(bench, debounce), 3)
    if bench.probes.compiled:
        table.rows += _added("floor in C: added", _restarts_of_floor(bench))
        table.notes.append("The floor does the same with no settle, no output and no console.")
    table.notes.append(f"Settle is {SETTLE['auto']:g} ms with debounce = auto.")
    return table


def _added(what: str, parts: list[tuple[float, float]], most: float | None = None) -> list[Row]:
    before, after = ([part[side] for part in parts] for side in (0, 1))
    return [
        Row(what, [sum(part) for part in parts], most=most),
        Row("  of it until the build starts", before),
        Row("  of it from the build's end to the app's start", after),
    ]


def _restarts(bench: Bench, debounce: str) -> list[tuple[float, float]]:
    """Return, for each save, what hotrun took before the build and what after it."""
    name = f"restart-{debounce}"
    project = Project(bench.at(name), 200)
    builds, apps = Log(bench.at(f"{name}.builds")), Log(bench.at(f"{name}.apps"))
    build = bench.probes.command("build", builds.path, "20", project.source)
    project.configure(build, bench.probes.command("app", apps.path), debounce)
    with session(project):
        return _save_and_see_both(bench, project, builds, apps, SETTLE[debounce])


def _restarts_of_floor(bench: Bench) -> list[tuple[float, float]]:
    project = Project(bench.at("restart-floor"))
    builds, apps = Log(bench.at("restart-floor.builds")), Log(bench.at("restart-floor.apps"))
    build = bench.probes.command("build", builds.path, "20", project.source)
    app = bench.probes.command("app", apps.path)
    folder = os.path.dirname(project.source)
    command = bench.probes.command("floor", "rename", folder, *build, "--", *app)
    with Tool(command, project.path, bench.at("restart-floor.output")):
        return _save_and_see_both(bench, project, builds, apps, 0.0)


def _save_and_see_both(
    bench: Bench, project: Project, builds: Log, apps: Log, settle: float
) -> list[tuple[float, float]]:
    """Save again and again; return the times around the build."""
    parts = []
    apps.wait(1, "the first app")
    for _ in range(WARM_UP + bench.some(30, 10)):
        rest(0.15)
        count = len(apps.lines())
        saved = project.save("rename")
        started = int(apps.wait(count + 1, "the new app")[0])
        begin, end = (int(line[1]) for line in builds.lines()[-2:])
        parts.append(((begin - saved) / MS - settle, (started - end) / MS))
    return parts[WARM_UP:]


# --- idle ----------------------------------------------------------------------------------


def idle(bench: Bench) -> Table:
    """What hotrun costs while nothing happens."""
    seconds = bench.some(20, 5)
    project, builds = Project(bench.at("idle"), 200), Log(bench.at("idle.builds"))
    apps = Log(bench.at("idle.apps"))
    build = bench.probes.command("build", builds.path, "0", project.source)
    project.configure(build, bench.probes.command("app", apps.path))
    with session(project) as tool:
        app = frozenset([int(apps.wait(1, "the app")[1])])
        time.sleep(2)
        pids = tree(tool.pid, app)
        switched, ran = switches(pids), on_cpu(pids)
        time.sleep(seconds)
        pids = tree(tool.pid, app)
        switched, ran = switches(pids) - switched, on_cpu(pids) - ran
    table = Table(
        "idle", f"{seconds} s with the app running; the whole tree of hotrun, without the app."
    )
    table.rows = [
        Row("context switches", [switched], "", 0),
        Row("CPU", [ran / MS]),
        Row("processes", [len(pids)], ""),
    ]
    return table


# --- start-up ------------------------------------------------------------------------------


def start_up(bench: Bench) -> Table:
    """How long a call takes, and how long until the first build runs."""
    table = Table(
        "start-up", "A whole call; and `hotrun run` -> the first build's first instruction."
    )
    bare = [sys.executable, "-c", "pass"]
    calls = {
        "python -c pass": bare,
        "python -I -S -c pass": [*bare[:1], "-I", "-S", *bare[1:]],
        "hotrun --version": hotrun("--version"),
        "hotrun --help": hotrun("--help"),
    }
    times = _calls(list(calls.values()), bench.some(20, 10))
    table.rows = [Row(name, taken) for name, taken in zip(calls, times, strict=True)]
    ratios = [version / bare for version, bare in zip(times[2], times[0], strict=True)]
    table.rows.append(Row("--version / python -c pass", ratios, "x", 1.5))
    for directories, most in ((1, None), (200, None), (1000, 150)):
        row = Row(f"hotrun run, {directories} x 5 files", _launches(bench, directories), most=most)
        table.rows.append(row)
    return table


def _calls(commands: list[list[str]], count: int) -> list[list[float]]:
    """Time commands, one after the other in turn."""
    env = environment()
    for command in commands:
        time_of(command, env)
    rounds = [[time_of(command, env) / MS for command in commands] for _ in range(count)]
    return [list(times) for times in zip(*rounds, strict=True)]


def _launches(bench: Bench, directories: int) -> list[float]:
    name = f"launch-{directories}"
    project, log = Project(bench.at(name), directories), Log(bench.at(f"{name}.stamps"))
    project.configure(bench.probes.command("stamp", log.path))
    times = []
    for trial in range(1 + bench.some(20, 5)):
        with session(project) as tool:
            stamp = int(log.wait(trial + 1, "the first build")[0])
            rest(0.2)
        times.append((stamp - tool.began) / MS)
    return times[1:]


# --- noop ----------------------------------------------------------------------------------


def noop(bench: Bench) -> Table:
    """Saves that change no byte build nothing."""
    project, log = Project(bench.at("noop"), 20), Log(bench.at("noop.stamps"))
    project.configure(bench.probes.command("stamp", log.path), debounce="0ms")
    count = bench.some(20, 5)
    table = Table("noop", "Builds that follow what changes no byte; debounce = 0ms.")
    with session(project):
        log.wait(1, "the first build")
        rest(1)
        for what, act in _no_ops(project).items():
            before = len(log.lines())
            for _ in range(count):
                act()
                rest(0.1)
            rest(0.5)
            table.rows.append(Row(what, [len(log.lines()) - before], "builds", 0, count))
        before = len(log.lines())
        project.save("write")
        log.wait(before + 1, "the build of a real change")
    table.notes.append("A real change after all of them was built.")
    return table


def _no_ops(project: Project) -> dict[str, Callable[[], object]]:
    source = project.source
    beside = f"{source}.new"

    def rename_same() -> None:
        shutil.copyfile(source, beside)
        os.rename(beside, source)

    def chmod() -> None:
        os.chmod(source, os.stat(source).st_mode ^ 0o040)

    return {
        "touch": lambda: os.utime(source),
        "the same bytes, by a write in place": lambda: _write_same(source),
        "the same bytes, by a rename over it": rename_same,
        "chmod g-r, g+r": chmod,
    }


def _write_same(path: str) -> None:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    write(path, text)


# --- burst ---------------------------------------------------------------------------------


def burst(bench: Bench) -> Table:
    """Many changes at once lead to few builds, and to the last state."""
    table = Table("burst", "")
    builds_run, built_last, cost, settled = [], [], [], []
    for trial in range(bench.some(5, 1)):
        project, log = (
            Project(bench.at(f"burst{trial}"), 200),
            Log(bench.at(f"burst{trial}.builds")),
        )
        project.configure(bench.probes.command("build", log.path, "200", project.source))
        with session(project) as tool:
            until("the first build's end", lambda log=log: len(log.lines()) == 2)
            rest(1)
            before = on_cpu([tool.pid])
            written, new = _write_many(bench, project)
            last = time.monotonic_ns()
            _wait_for_quiet(log)
            cost.append((on_cpu([tool.pid]) - before) / MS / 1000)
        begins = [line for line in log.lines()[2:] if line[0] == "begin"]
        ends = [line for line in log.lines()[2:] if line[0] == "end"]
        builds_run.append(len(begins))
        whole = bool(ends) and ends[-1][2] == "final" and int(begins[-1][1]) > last
        built_last.append(0 if whole else 1)
        settled.append((int(begins[-1][1]) - last) / MS)
    table.says = (
        f"{written:,} writes to 1,000 files and {new:,} new files in {new // 5} new directories; "
        "a build takes 200 ms."
    )
    table.rows = [
        Row("builds started", builds_run, "builds", 3),
        Row("last state not built", built_last, "times", 0),
        Row("CPU of hotrun", cost, "s", 1.5),
        Row("last write -> the last build's start", settled),
    ]
    return table


def _write_many(bench: Bench, project: Project) -> tuple[int, int]:
    """Make the burst; return how many writes and how many new files it has."""
    writes, directories = bench.some(20_000, 5_000), bench.some(400, 100)
    old = [os.path.join(path, name) for path, _, names in os.walk(project.path) for name in names]
    old = [path for path in old if "/unit" in path]
    for number in range(writes):
        write(old[number % len(old)], f"{number}\n")
    for number in range(directories):
        below = project.at(f"new/unit{number}")
        os.makedirs(below)
        for name in range(5):
            write(os.path.join(below, f"file{name}.txt"), f"{number} {name}\n")
    write(project.source, "final\n")
    return writes, directories * 5


def _wait_for_quiet(log: Log) -> None:
    """Wait until no build has begun or ended for a while."""
    count, since = 0, time.monotonic()
    while time.monotonic() - since < QUIET_AFTER:
        if len(log.lines()) != count:
            count, since = len(log.lines()), time.monotonic()
        time.sleep(0.02)


# --- go ------------------------------------------------------------------------------------


def go(bench: Bench) -> Table:
    """A real web app: from an edit to the new answer, beside a build by hand."""
    table = Table("go", "`hotrun new -t go`: an edit of a Go file -> the new answer over HTTP.")
    if shutil.which("go", path=environment()["PATH"]) is None:
        table.notes.append("Skipped: there is no go.")
        return table
    ours, bare = _go_app(bench, "ours"), _go_app(bench, "bare")
    _build_by_hand(bare)  # fills Go's cache, so that the session's first build is soon done
    env = environment(PORT=str(ours.port))
    output, by_hand_output = bench.at("go.output"), bench.at("bare.output")
    tooled, by_hand = [], []
    with Tool(hotrun("run", "--json"), ours.path, output, env):
        until("the first answer", lambda: ours.answer() is not None, 180)
        for number in range(1 + bench.some(10, 3)):
            turns = [
                lambda number=number: tooled.append(_edit_under_hotrun(ours, number, output)),
                lambda number=number: by_hand.append(_edit_by_hand(bare, number, by_hand_output)),
            ]
            for turn in turns[:: -1 if number % 2 else 1]:
                turn()
                rest(0.3)
    table.rows = _go_rows(tooled[1:], by_hand[1:], _build_times(output)[2:])
    table.notes.append("In turns; the same edit, the same flags (GOGC=off), warm caches.")
    return table


def _go_rows(
    tooled: list[float], by_hand: list[tuple[float, float]], builds: list[float]
) -> list[Row]:
    bare = [build + start for build, start in by_hand]
    starts = [start for _, start in by_hand]
    around = [one - build for one, build in zip(tooled, builds, strict=True)]
    added = [one - other for one, other in zip(tooled, bare, strict=True)]
    return [
        Row("edit -> new answer with hotrun", tooled),
        Row("  of it go build", builds),
        Row("  of it around the build: settle, stop, start, answer", around),
        Row("bare go build + the app's own start", bare),
        Row("  of it go build", [build for build, _ in by_hand]),
        Row("  of it the app's start to its answer", starts),
        Row("hotrun adds, edit by edit", added, most=40),
    ]


def _build_times(output: str) -> list[float]:
    """Return what each build took, as the JSON lines of hotrun tell."""
    with open(output, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file if line.startswith("{")]
    return [float(line["ms"]) for line in lines if line["event"] == "build_finished"]


@dataclass(frozen=True, slots=True)
class GoApp:
    """A Go project and where its app answers."""

    path: str
    port: int

    def edit(self, text: str) -> int:
        """Change the title; return when."""
        file = os.path.join(self.path, "handlers.go")
        with open(file, encoding="utf-8") as source:
            old = source.read()
        new = re.sub(r"const title = .*", f'const title = "{text}"', old)
        beside = f"{file}.tmp"
        write(beside, new)
        began = time.monotonic_ns()
        os.rename(beside, file)
        return began

    def answer(self) -> str | None:
        """Return the title the app shows; None while nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/", headers={"Connection": "close"})
            page = connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        found = re.search(r"<title>(.*?)</title>", page)
        return found[1] if found else None

    def wait(self, text: str) -> int:
        """Wait for an answer; return when it came."""
        until(f'the answer "{text}"', lambda: self.answer() == text, 60)
        return time.monotonic_ns()


def _go_app(bench: Bench, name: str) -> GoApp:
    path = bench.at(name)
    subprocess.run(
        hotrun("new", path, "-t", "go"), check=True, capture_output=True, env=environment()
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return GoApp(path, listener.getsockname()[1])


def _build_by_hand(app: GoApp) -> float:
    """Build as the project's hotrun.toml does; return the milliseconds."""
    command = ["go", "build", "-buildvcs=false", "-o", "app", "."]
    env = environment(GOGC="off")
    program = shutil.which("go", path=env["PATH"])
    began = time.monotonic_ns()
    done = subprocess.run(command, executable=program, cwd=app.path, env=env, check=False)
    if done.returncode:
        raise BenchError("go build failed")
    return (time.monotonic_ns() - began) / MS


def _edit_under_hotrun(app: GoApp, number: int, output: str) -> float:
    count = len(_build_times(output))
    edited = app.edit(f"ours {number}")
    # Asking the app while the compiler needs both cores would slow the build down.
    until("the build's end", lambda: len(_build_times(output)) > count)
    return (app.wait(f"ours {number}") - edited) / MS


def _edit_by_hand(app: GoApp, number: int, output: str) -> tuple[float, float]:
    """Return what the build took, and what the app took from its start to its answer."""
    app.edit(f"bare {number}")
    build = _build_by_hand(app)
    with Tool(
        [os.path.join(app.path, "app")], app.path, output, environment(PORT=str(app.port))
    ) as tool:
        return build, (app.wait(f"bare {number}") - tool.began) / MS


SCENARIOS = {
    "reaction": reaction,
    "restart": restart,
    "idle": idle,
    "start-up": start_up,
    "noop": noop,
    "burst": burst,
    "go": go,
    **WATCHING,
    **PROCESSES,
}


def measure(bench: Bench, names: list[str]) -> Iterator[Table]:
    """Run scenarios, one at a time."""
    for name in names:
        yield SCENARIOS[name](bench)
