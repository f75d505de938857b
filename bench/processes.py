"""The scenarios of the process wing: starts, replacements, output, refusals, leftovers.

The probes stamp what happens in them (CLOCK_MONOTONIC), so that nothing is measured of whoever
looks. What is compared runs in turns; a ratio or a difference is that of one turn.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness import (
    HERE,
    BenchError,
    Log,
    Project,
    Tool,
    environment,
    hotrun,
    rest,
    session,
    switches,
    tree,
    until,
    write,
)
from report import Row, Table
from teller import Teller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from scenarios import Bench

MS = 1e6  # nanoseconds
WARM_UP = 3
MB = 1024 * 1024
PATIENCE = 60.0  # seconds for what is counted in the end


def _script(name: str) -> str:
    return os.path.join(HERE, "probes", name)


def _configure(project: Project, app: Sequence[str], *lines: str) -> None:
    """Write a hotrun.toml that builds nothing: each save replaces the app.

    Args:
        project: Whose.
        app: Its command.
        lines: More lines of [run].
    """
    run = [f"command = {json.dumps(list(app))}", *lines]
    write(
        project.at("hotrun.toml"),
        "\n".join(['[watch]\ndebounce = "0ms"', "[run]", *run, ""]),
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _without_compiler(bench: Bench, table: Table) -> bool:
    if not bench.probes.compiled:
        table.notes.append("Skipped: there is no C compiler.")
    return not bench.probes.compiled


# --- spawn ---------------------------------------------------------------------------------

WAYS = "popen", "hotrun", "hotrun+listen", "popen+pipes", "hotrun+pipes"


def spawn(bench: Bench) -> Table:
    """What hotrun's start of a child adds to that of the standard library."""
    table = Table(
        "spawn",
        "Child(...) and subprocess.Popen(..., process_group=0) start the same command with the "
        "same arguments, in one process, in turns.",
    )
    calls, firsts = _starts(bench, bench.some(200, 100))
    table.rows = [
        Row("subprocess.Popen, the call", calls["popen"]),
        Row("subprocess.Popen, first instruction", firsts["popen"]),
        *_added("hotrun adds", "popen", "hotrun", (calls, firsts), 1.5),
        *_added("with a socket, hotrun adds", "popen", "hotrun+listen", (calls, firsts)),
        *_added("with two pipes, hotrun adds", "popen+pipes", "hotrun+pipes", (calls, firsts)),
    ]
    table.notes.append("With a socket a shell comes in between, which exports LISTEN_PID.")
    return table


Times = dict[str, list[float]]


def _starts(bench: Bench, count: int) -> tuple[Times, Times]:
    """Return, for each way, what the calls took, and how long it was to the first instruction."""
    log = bench.at("spawn.stamps")
    command = [sys.executable, _script("spawn.py"), str(count), log]
    calls: Times = {way: [] for way in WAYS}
    firsts: Times = {way: [] for way in WAYS}
    with Teller([*command, *bench.probes.command("stamp", log)]) as teller:
        for _ in range(count * len(WAYS)):
            way, call, first = teller.hear("start")
            calls[way].append(int(call) / MS)
            firsts[way].append(int(first) / MS)
        teller.hear("done")
    return calls, firsts


def _added(
    what: str, theirs: str, ours: str, times: tuple[Times, Times], most: float | None = None
) -> Iterator[Row]:
    for taken, where in zip(times, ("the call", "to the first instruction"), strict=True):
        pairs = zip(taken[ours], taken[theirs], strict=True)
        yield Row(f"{what}: {where}", [our - their for our, their in pairs], most=most)


# --- replace -------------------------------------------------------------------------------


@dataclass(slots=True)
class Replacements:
    """What became of one app after the other, in milliseconds.

    Attributes:
        last: From the last act of the old tree to the first instruction of the new app.
        gap: From the stop signal, as the old one heard it, to that instruction.
        saved: From the save to that instruction, less what the old app's end took.
    """

    last: list[float] = field(default_factory=list)
    gap: list[float] = field(default_factory=list)
    saved: list[float] = field(default_factory=list)

    def add(self, saved: int, told: list[list[str]]) -> None:
        """Take what the old app and the new one told since the old one's start."""
        heard = min(int(line[1]) for line in told if line[0] == "heard")
        end = max(int(line[1]) for line in told if line[0] == "end")
        begin = next(int(line[1]) for line in told if line[0] == "begin")
        self.last.append((begin - end) / MS)
        self.gap.append((begin - heard) / MS)
        self.saved.append((begin - saved - (end - heard)) / MS)


def replace(bench: Bench) -> Table:
    """How soon the new app runs when the old one has ended."""
    table = Table(
        "replace",
        "A save, no build, debounce = 0ms: the old app stamps SIGTERM and its last act, the new "
        "one its first instruction. The gap is from one to the other: no app serves.",
    )
    if _without_compiler(bench, table):
        return table
    last = "old tree's end -> new app's start"
    for name, lines in (("ends at once", ()), ("ends at once, listen", _listening())):
        seen = _replaced(bench, name, ("0",), *lines)
        table.rows += [
            Row(f"{name}: {last}", seen.last, most=3),
            Row(f"{name}: the gap", seen.gap, most=10),
            Row(f"{name}: save -> new app's start, less the app's own end", seen.saved, most=10),
        ]
    late = _replaced(bench, "ends after 50 ms", ("50",), 'stop_timeout = "30s"')
    table.rows += [
        Row(f"ends after 50 ms: {last}", late.last, most=3),
        Row("ends after 50 ms, stop_timeout = 30s: the gap", late.gap, most=150),
    ]
    whole = _replaced(bench, "its worker ends last", ("20", "worker"))
    table.rows.append(Row(f"a worker ends 20 ms later: {last}", whole.last, most=3))
    table.rows.append(Row(f"floor in C: {last}", _replaced_by_floor(bench).last))
    table.notes.append("The floor stops by kill and waitpid, and starts by vfork and exec.")
    return table


def _listening() -> tuple[str]:
    return (f'listen = ["127.0.0.1:{_free_port()}"]',)


def _replaced(bench: Bench, name: str, how: tuple[str, ...], *lines: str) -> Replacements:
    name = f"replace-{name.replace(' ', '-')}"
    project, log = Project(bench.at(name), 20), Log(bench.at(f"{name}.log"))
    _configure(project, bench.probes.command("ender", log.path, *how), *lines)
    with session(project):
        return _save_and_see(bench, project, log)


def _replaced_by_floor(bench: Bench) -> Replacements:
    project, log = Project(bench.at("replace-floor")), Log(bench.at("replace-floor.log"))
    folder = os.path.dirname(project.source)
    build = bench.probes.command("stamp", os.devnull)
    app = bench.probes.command("ender", log.path, "0")
    command = bench.probes.command("floor", "rename", folder, *build, "--", *app)
    with Tool(command, project.path, bench.at("replace-floor.output")):
        return _save_and_see(bench, project, log)


def _save_and_see(bench: Bench, project: Project, log: Log) -> Replacements:
    """Save again and again, each time until the new app runs."""
    seen = Replacements()
    _wait_begun(log, 1)
    rest(0.5)
    for trial in range(WARM_UP + bench.some(30, 10)):
        rest(0.15)
        before = len(log.lines())
        saved = project.save("rename")
        _wait_begun(log, trial + 2)
        if trial >= WARM_UP:
            seen.add(saved, log.lines()[before:])
    return seen


def _wait_begun(log: Log, count: int) -> None:
    until(f"start {count} of the app", lambda: len(_begun(log)) >= count)


def _begun(log: Log) -> list[int]:
    """Return the pids of the apps so far."""
    return [int(line[2]) for line in log.lines() if line[0] == "begin"]


# --- guardian ------------------------------------------------------------------------------


def guardian(bench: Bench) -> Table:
    """What the guardian costs."""
    seconds = bench.some(20, 5)
    table = Table("guardian", f"After three replacements of the app; {seconds} s of rest.")
    if _without_compiler(bench, table):
        return table
    project, log = Project(bench.at("guardian"), 200), Log(bench.at("guardian.log"))
    _configure(project, bench.probes.command("ender", log.path, "0"))
    with session(project) as tool:
        for count in range(1, 4):
            _wait_begun(log, count)
            rest(0.3)
            project.save("rename")
        _wait_begun(log, 4)
        pid = _guardian_of(tool.pid)
        time.sleep(2)
        private, switched = _private(pid) / MB, switches([pid])
        time.sleep(seconds)
        switched = switches([pid]) - switched
    table.rows = [
        Row("private memory", [private], "MB", 2),
        Row("context switches", [switched], "", 0),
    ]
    return table


def _guardian_of(pid: int) -> int:
    for each in tree(pid):
        with contextlib.suppress(OSError), open(f"/proc/{each}/comm", encoding="utf-8") as file:
            if file.read().strip() == "hotrun-guardian":
                return each
    raise BenchError("there is no guardian")


def _private(pid: int) -> int:
    """Return the bytes that a process has to itself (proc(5), smaps)."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        kilobytes = [int(line.split()[1]) for line in file if line.startswith("Private_")]
    return 1024 * sum(kilobytes)


# --- output --------------------------------------------------------------------------------

LINE = 80  # bytes
OUTPUT = 32 * MB // LINE * LINE
READ = "a bare reader"
AT_ONCE, NEVER = "x", "never said"  # what the first line matches, and what none does
HOW = {  # of hotrun: the table, what ready.log is, its options, and whether stdout is a pipe
    "captured app": ("run", AT_ONCE, [], False),
    "captured app, ready.log does not match yet": ("run", NEVER, [], False),
    "captured app, shown to a pipe": ("run", AT_ONCE, [], True),
    "build": ("build", "", [], False),
    "--json": ("run", AT_ONCE, ["--json"], False),
    "--json to a pipe": ("run", AT_ONCE, ["--json"], True),
}
BARRED = tuple(HOW)[:2]


def output(bench: Bench) -> Table:
    """What it costs that hotrun reads what a command prints."""
    table = Table(
        "output",
        f"{OUTPUT / MB:.0f} MB in lines of {LINE} bytes: what the writer took by its own clock. "
        "The bare reader is Python, os.read of 64 KB and no more. What is shown goes to /dev/null, "
        "or to a pipe that is read in the same way.",
    )
    if _without_compiler(bench, table):
        return table
    log = Log(bench.at("output.log"))
    in_c = [*bench.probes.command("lines"), str(OUTPUT), log.path]
    in_python = [sys.executable, "-I", "-S", _script("lines.py"), str(OUTPUT), log.path]
    table.rows += _outputs(bench, "C, stdio", in_c, HOW, log)
    table.rows += _outputs(bench, "Python, print", in_python, BARRED[:1], log)
    return table


def _outputs(
    bench: Bench, writer: str, command: list[str], names: Iterable[str], log: Log
) -> Iterator[Row]:
    """Have a writer read in turns, by a bare reader and by hotrun."""
    calls = {READ: ([sys.executable, "-I", "-S", _script("reader.py"), *command], False)}
    for name in names:
        kind, ready, options, reads = HOW[name]
        path = bench.at(f"output-{writer[0]}-{name}".replace(" ", "-"))
        calls[name] = ([*hotrun("run", "--once", "-C", path, *options)], reads)
        _print(Project(path), kind, command, ready)
    times: Times = {name: [] for name in calls}
    for _ in range(1 + bench.some(9, 3)):
        for name, (call, reads) in calls.items():
            times[name].append(_written(call, log, reads=reads))
    for name, taken in times.items():
        yield Row(f"{writer}: {name}", taken[1:])
        if name != READ:
            ratios = [our / bare for our, bare in zip(taken[1:], times[READ][1:], strict=True)]
            most = 1.3 if name in BARRED else None
            yield Row(f"{writer}: {name} / {READ}", ratios, "x", most)


def _print(project: Project, kind: str, command: list[str], ready: str) -> None:
    """Write a hotrun.toml whose build or app prints; with a ready.log the app is read."""
    more = f'ready = {{ log = "{ready}", timeout = "10m" }}\n' if ready else ""
    write(project.at("hotrun.toml"), f"[{kind}]\ncommand = {json.dumps(command)}\n{more}")


def _written(command: list[str], log: Log, *, reads: bool) -> float:
    """Run a reader, and return the milliseconds that its writer took."""
    count = len(log.lines())
    rest()
    with subprocess.Popen(
        command,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if reads else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        read = 0
        while process.stdout is not None and (data := os.read(process.stdout.fileno(), 65536)):
            read += len(data)
        code = process.wait()
    if code or (reads and read < OUTPUT):
        raise BenchError(f"{' '.join(command)} ended with {code}, {read} bytes were read")
    return int(log.wait(count + 1, "the writer's end")[0]) / MS


# --- refused -------------------------------------------------------------------------------

CLIENTS = 16


def refused(bench: Bench) -> Table:
    """Whom restarts under load keep from an answer."""
    restarts = bench.some(50, 10)
    table = Table(
        "refused",
        f"{restarts} restarts under {CLIENTS} clients, which rest 10 ms after each answer.",
    )
    if _without_compiler(bench, table):
        return table
    for start in (0, 100):
        for listens in (True, False):
            name = f"{'listen' if listens else 'the app binds'}, it starts in {start} ms"
            table.rows += _refusals(bench, name, restarts, start, listens=listens)
    table.notes.append("Other errors: the app ended with the connection accepted or waiting.")
    return table


def _refusals(
    bench: Bench, name: str, restarts: int, start: int, *, listens: bool
) -> Iterator[Row]:
    label = f"refused-{start}-{listens}"
    project, log, port = Project(bench.at(label)), Log(bench.at(f"{label}.log")), _free_port()
    server = bench.probes.command("server", str(port), str(start), log.path)
    _configure(project, server, *([f'listen = ["127.0.0.1:{port}"]'] if listens else []))
    with session(project):
        _wait_begun(log, 1)
        with Teller(bench.probes.command("clients", str(port), str(CLIENTS))) as clients:
            clients.hear("ready")
            for count in range(restarts):
                rest(0.1)
                project.save("rename")
                _wait_begun(log, count + 2)
            rest(0.1)
            os.kill(clients.pid, signal.SIGTERM)
            told = [int(word) for word in clients.hear("counted", PATIENCE)]
    answered, refusals, other, p99, longest = told
    yield Row(f"{name}: answered", [answered], "", n=restarts)
    yield Row(f"{name}: refused", [refusals], "", 0 if listens else None, restarts)
    yield Row(f"{name}: other errors", [other], "", n=restarts)
    yield Row(f"{name}: answer after, p99", [p99 / MS], n=restarts)
    yield Row(f"{name}: answer after, at most", [longest / MS], n=restarts)


# --- leftover ------------------------------------------------------------------------------


def leftover(bench: Bench) -> Table:
    """How soon the port is free when hotrun is killed."""
    table = Table("leftover", "SIGKILL of hotrun -> the app's port can be bound again.")
    if _without_compiler(bench, table):
        return table
    kinds = {
        "the app ends on SIGTERM": (False, ()),
        "the app ignores SIGTERM": (False, ("stubborn",)),
        "listen, the app ends on SIGTERM": (True, ()),
    }
    for name, (listens, how) in kinds.items():
        times = [
            _freed(bench, f"leftover-{len(table.rows)}-{trial}", how, listens=listens)
            for trial in range(bench.some(10, 3))
        ]
        table.rows.append(Row(name, times, most=1000))
    return table


def _freed(bench: Bench, name: str, how: tuple[str, ...], *, listens: bool) -> float:
    """Return the milliseconds until the port was free."""
    project, log, port = Project(bench.at(name)), Log(bench.at(f"{name}.log")), _free_port()
    server = bench.probes.command("server", str(port), "0", log.path, *how)
    _configure(project, server, *([f'listen = ["127.0.0.1:{port}"]'] if listens else []))
    with session(project) as tool:
        _wait_begun(log, 1)
        guards = _guardian_of(tool.pid)
        rest(0.5)
        began = time.monotonic_ns()
        os.kill(tool.pid, signal.SIGKILL)
        until("the port", lambda: _is_free(port))
        took = (time.monotonic_ns() - began) / MS
        # It removes what hotrun made, and is nobody's child but init's.
        until("the guardian's end", lambda: not os.path.exists(f"/proc/{guards}"))
    return took


def _is_free(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False


PROCESSES: dict[str, Callable[[Bench], Table]] = {
    "spawn": spawn,
    "replace": replace,
    "guardian": guardian,
    "output": output,
    "refused": refused,
    "leftover": leftover,
}
