"""Measure hotrun and its peers: ``python bench/run.py [--quick] [--peers NAME,...] [SCENARIO...]``.

Prints one table a scenario. A full run writes them to bench/RESULTS.md; one of some scenarios
writes theirs alone with --write, and prints only without it.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
import traceback
from typing import TYPE_CHECKING

from harness import Bench, BenchError, compile_probes
from origin import FILE, beside, started
from peers import GO_ONLY, PEERS, Peer
from results import merge, verdict
from scenarios.all import SCENARIOS
from tool import adopt_orphans

if TYPE_CHECKING:
    from report import Table


def main() -> int:
    """Run what was asked for; the exit code tells whether all of it could be measured."""
    arguments = _arguments()
    names = arguments.scenario or list(SCENARIOS)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs is ended
    # A shell starts what is in its background with SIGINT ignored; tools stop apps with it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    adopt_orphans()
    peers = () if arguments.quick else _peers(arguments.peers)
    origin = f"{started()}{', few trials (--quick)' if arguments.quick else ''}"
    others = beside(peers, [] if arguments.quick else _missing())
    print(f"{origin}. {others}\n", flush=True)
    tables: list[Table] = []
    began = time.monotonic()
    try:
        _measure(names, arguments.quick, peers, tables)
    finally:  # an interrupt after most of an hour leaves what has been measured by then
        took = f"{(time.monotonic() - began) / 60:.1f} min"
        whole = not (arguments.scenario or arguments.quick or arguments.peers)
        if tables and (arguments.write or whole):
            merge(FILE, f"{origin}. The run took {took}. {others}", tables, list(SCENARIOS))
    told = verdict(table.text() for table in tables) if tables else "Nothing was measured."
    print(f"All of it took {took}. {told}")
    return 0 if len(tables) == len(names) else 1


def _measure(names: list[str], quick: bool, peers: tuple[Peer, ...], tables: list[Table]) -> None:
    """Add the table of each scenario, in which nothing went wrong, as it is there."""
    with tempfile.TemporaryDirectory(prefix="hotrun-bench-") as folder:
        compile_probes(folder)
        bench = Bench(folder, quick, peers)
        for name in names:
            began = time.monotonic()
            try:
                table = SCENARIOS[name](bench)
                print(table.text())
                tables.append(table)
            except BenchError as error:
                print(f"error: {name}: {error}", file=sys.stderr)
            except Exception:  # noqa: BLE001 - a mistake in one is no reason to lose the others
                traceback.print_exc()
            print(f"{name} took {time.monotonic() - began:.1f} s.\n", flush=True)


def _peers(wanted: str) -> tuple[Peer, ...]:
    known = [peer.name for peer in PEERS]
    names = wanted.split(",") if wanted else known
    if unknown := [name for name in names if name not in (*known, "none")]:
        raise BenchError(f"no peer is called {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(peer for peer in PEERS if peer.name in names and peer.is_here)


def _missing() -> list[str]:
    return [peer.name for peer in (*PEERS, *GO_ONLY) if not peer.is_here]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure hotrun and its peers.")
    parser.add_argument("--quick", action="store_true", help="few trials, small trees, no peers")
    parser.add_argument("--peers", default="", metavar="NAME,...", help="only these, or none")
    parser.add_argument("--write", action="store_true", help="put the tables into RESULTS.md")
    parser.add_argument("scenario", nargs="*", choices=[[], *SCENARIOS], metavar="SCENARIO")
    parser.epilog = f"Scenarios: {', '.join(SCENARIOS)}."
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
