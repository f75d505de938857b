"""Does each tool do what is measured? ``python bench/check.py [--brief] [TOOL...]``.

It builds at first, then once for a save; with an app, the old one goes and a new one runs. To be
run when an adapter is new or a tool has another version: what it is told may mean something else.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from cost import is_alive
from harness import Bench, BenchError, Log, Project, compile_probes, until
from peers import HOTRUN, PEERS, Peer, Work
from scenarios.saving import MODES, name_of, until_quiet
from tool import Tool, adopt_orphans

QUIET = 0.6  # seconds; chokidar-cli waits for 0.4 s after an event
FEW = 3.0  # seconds for the build of one save, after which it is tried once more
LONG = 60.0  # seconds for what is sure to come
TRIES = 20


def main() -> int:
    """Check the tools that are named, or all that are here; 1 if one is not as it should be."""
    # A shell starts what is in its background with SIGINT ignored; tools stop apps with it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments = _arguments()
    here = [peer for peer in (HOTRUN, *PEERS) if peer.is_here]
    here = [peer for peer in here if peer.name in (arguments.tool or [peer.name])]
    code = 0
    with tempfile.TemporaryDirectory(prefix="hotrun-check-") as folder:
        compile_probes(folder)
        look = partial(problems, Bench(folder, quick=False), brief=arguments.brief)
        # A process for each tool, which is the parent of what that tool leaves behind.
        with ProcessPoolExecutor(len(here), get_context("fork"), adopt_orphans) as pool:
            for peer, found in zip(here, pool.map(look, here), strict=True):
                for what, problem in found:
                    print(f"{peer.name}, {what}: {problem or 'as it should be'}", flush=True)
                    code = 1 if problem else code
    return code


def problems(bench: Bench, peer: Peer, *, brief: bool) -> list[tuple[str, str]]:
    """Return each way of calling a tool with what is wrong then; nothing: empty.

    Args:
        bench: Where.
        peer: The tool.
        brief: In its fastest mode alone, and with an app alone.
    """
    modes = [fast for fast in (True, False) if (peer.is_fast if fast else peer.is_default)]
    found = []
    for fast in modes[:1] if brief else modes:
        for with_app in (True,) if brief else (True, False):
            problem = ""
            try:
                _check(bench, peer, fast=fast, with_app=with_app)
            except BenchError as error:
                problem = str(error)
            found.append((f"{MODES[fast]}, {'with' if with_app else 'without'} an app", problem))
    return found


def _check(bench: Bench, peer: Peer, *, fast: bool, with_app: bool) -> None:
    name = name_of(bench, peer, "check", fast, with_app)
    project, builds, apps = Project(name, 5), Log(f"{name}.builds"), Log(f"{name}.apps")
    app = bench.probe("app", apps.path) if with_app else []
    build, chain = bench.probe("stamp", builds.path), bench.probe("chain")[0]
    command = peer.call(Work(project.path, build, app, fast, chain=chain))
    with Tool(command, project.path, f"{name}.output"):
        builds.wait(1, "the first build")
        _wait_until_it_watches(project, builds)
        before = len(builds.lines())
        project.save("rename")
        builds.wait(before + 1, "the build of a save", LONG)
        until_quiet(builds, QUIET)
        count = len(builds.lines()) - before
        if count != 1:
            raise BenchError(f"{count} builds of one save")
        if with_app and peer.restarts:
            until("the old app's end, and a new one", lambda: _only_last_runs(apps), LONG)


def _wait_until_it_watches(project: Project, builds: Log) -> None:
    """Save until a build follows: some tools run the first one before they watch."""
    for _ in range(TRIES):
        before = len(builds.lines())
        project.save("rename")
        try:
            builds.wait(before + 1, "a build", FEW)
        except BenchError:
            continue
        until_quiet(builds, QUIET)
        return
    raise BenchError(f"{TRIES} saves, and no build")


def _only_last_runs(apps: Log) -> bool:
    *old, last = [int(pid) for _, pid in apps.lines()]
    return bool(old) and is_alive(last) and not any(map(is_alive, old))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="See whether each tool does what is measured.")
    parser.add_argument("--brief", action="store_true", help="one way of calling each")
    parser.add_argument("tool", nargs="*", metavar="TOOL")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"error: {error}")
