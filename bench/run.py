"""Measure hotrun and its peers: ``python bench/run.py [--quick] [--peers NAME,...] [SCENARIO...]``.

Prints one table a scenario. A full run writes them to bench/RESULTS.md; one of some scenarios
writes theirs alone with --write, and prints only without it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile

from harness import HERE, Bench, BenchError, compile_probes
from peers import GO_ONLY, PEERS, Peer
from report import head, verdict
from results import merge
from scenarios.all import SCENARIOS
from tool import adopt_orphans


def main() -> int:
    """Run what was asked for; the exit code tells whether it could be measured."""
    arguments = _arguments()
    names = arguments.scenario or list(SCENARIOS)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs is ended
    # A shell starts what is in its background with SIGINT ignored; tools stop apps with it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    adopt_orphans()
    peers = () if arguments.quick else _peers(arguments.peers)
    top = head("quick" if arguments.quick else "full", peers, [] if arguments.quick else _missing())
    print(top)
    tables = []
    with tempfile.TemporaryDirectory(prefix="hotrun-bench-") as folder:
        try:
            compile_probes(folder)
            bench = Bench(folder, arguments.quick, peers)
            for name in names:
                tables.append(SCENARIOS[name](bench))
                print(tables[-1].text(), flush=True)
        except BenchError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    print(verdict(tables))
    if arguments.write or not (arguments.scenario or arguments.quick):
        merge(os.path.join(HERE, "RESULTS.md"), top, tables, list(SCENARIOS))
    return 0


def _peers(wanted: str) -> tuple[Peer, ...]:
    names = wanted.split(",") if wanted else [peer.name for peer in PEERS]
    return tuple(peer for peer in PEERS if peer.name in names and peer.is_here)


def _missing() -> list[str]:
    return [peer.name for peer in (*PEERS, *GO_ONLY) if not peer.is_here]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure hotrun and its peers.")
    parser.add_argument("--quick", action="store_true", help="few trials, small trees, no peers")
    parser.add_argument("--peers", default="", metavar="NAME,...", help="only these")
    parser.add_argument("--write", action="store_true", help="put the tables into RESULTS.md")
    parser.add_argument("scenario", nargs="*", choices=[[], *SCENARIOS], metavar="SCENARIO")
    parser.epilog = f"Scenarios: {', '.join(SCENARIOS)}."
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
