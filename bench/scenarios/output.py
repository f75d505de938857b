"""What it costs that a tool stands between a command's output and the terminal.

A probe prints lines and says what that took by its own clock. hotrun reads what it captures: that
is put beside a bare reader, in turns. Beside the peers every tool runs the same app with its
standard output a pipe, which the harness reads like the bare reader; most let the app inherit it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from cost import MB, tree
from harness import HERE, MS, BenchError, Log, Project, rest, write
from peers import Work
from report import Column, Group, Row, Table
from tool import GRACE, environment, hotrun, sweep

from scenarios.saving import contenders, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness import Bench
    from peers import Peer

LINE = 80  # bytes
OUTPUT = 32 * MB // LINE * LINE
CHUNK = 64 * 1024
PATIENCE = 20.0  # seconds for a tool to have all of it printed
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
    """Measure it for each way in which hotrun reads, and beside the peers."""
    table = Table(
        "output",
        f"{OUTPUT / MB:.0f} MB in lines of {LINE} bytes: what the writer took by its own clock. "
        "The bare reader is Python, os.read of 64 KB and no more. What is shown goes to /dev/null, "
        "or to a pipe that is read in the same way.",
    )
    log = Log(bench.at("output.log"))
    in_c = bench.probe("lines", str(OUTPUT), log.path)
    in_python = [sys.executable, "-I", "-S", _script("lines.py"), str(OUTPUT), log.path]
    table.rows += _outputs(bench, "C, stdio", in_c, BARRED if bench.quick else HOW, log)
    table.rows += _outputs(bench, "Python, print", in_python, BARRED[:1], log)
    if bench.peers:
        table.groups.append(_beside_peers(bench, table))
    return table


def _script(name: str) -> str:
    return os.path.join(HERE, "probes", name)


# --- hotrun beside a bare reader -----------------------------------------------------------


def _outputs(
    bench: Bench, writer: str, command: list[str], names: Iterable[str], log: Log
) -> Iterator[Row]:
    """Have a writer read in turns, by a bare reader and by hotrun."""
    calls = {READ: ([sys.executable, "-I", "-S", _script("reader.py"), *command], False)}
    for name in names:
        kind, ready, options, reads = HOW[name]
        path = bench.at(f"output-{writer[0]}-{name}".replace(" ", "-"))
        calls[name] = (hotrun("run", "--once", "-C", path, *options), reads)
        _print(Project(path), kind, command, ready)
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(1 + bench.some(9, 1)):
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
        while process.stdout is not None and (data := os.read(process.stdout.fileno(), CHUNK)):
            read += len(data)
        code = process.wait()
    if code or (reads and read < OUTPUT):
        raise BenchError(f"{' '.join(command)} ended with {code}, {read} bytes were read")
    return int(log.wait(count + 1, "the writer's end")[0]) / MS


# --- hotrun beside its peers ---------------------------------------------------------------


def _beside_peers(bench: Bench, table: Table) -> Group:
    group = Group("an app that prints into the tool's standard output, a pipe", [Column("it took")])
    for peer in contenders(bench, fast=False):
        try:
            group.rows[peer.name] = [[_through(bench, peer, trial) for trial in range(5)]]
        except BenchError as error:
            table.notes.append(f"{peer.name}: {error}.")
    return group


def _through(bench: Bench, peer: Peer, trial: int) -> float:
    """Have a tool run the app once, and return the milliseconds that it took to print."""
    name = name_of(bench, peer, "output", trial)
    project, log = Project(name), Log(f"{name}.log")
    app = bench.probe("lines", str(OUTPUT), log.path)
    build, chain = bench.probe("stamp", os.devnull), bench.probe("chain")[0]
    since = frozenset(tree(os.getpid()))
    ours, theirs = os.pipe()
    process = subprocess.Popen(
        peer.call(Work(project.path, build, app, chain=chain)),
        cwd=project.path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    try:
        read = _drain(ours, log)
    finally:
        _end(process, ours, since)
    if read < OUTPUT:
        raise BenchError(f"{read} of {OUTPUT} bytes arrived in {PATIENCE:g} s")
    return int(log.lines()[0][0]) / MS


def _end(process: subprocess.Popen[bytes], output: int, since: frozenset[int]) -> None:
    process.terminate()
    os.close(output)  # who still writes into it is not to wait for us
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    sweep(since)
    process.wait()


def _drain(fd: int, log: Log) -> int:
    """Read until all has arrived and the writer has told its time; return the bytes."""
    read, end = 0, time.monotonic() + PATIENCE
    while time.monotonic() < end and not (read >= OUTPUT and log.lines()):
        ready, _, _ = select.select([fd], [], [], 0.01)
        data = os.read(fd, CHUNK) if ready else b""
        if ready and not data:
            break
        read += len(data)
    return read
