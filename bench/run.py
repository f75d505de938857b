"""Measure hotrun: ``python bench/run.py [--quick] [SCENARIO...]``.

Prints one table a scenario. A run of all scenarios writes them to bench/RESULTS.md; a run of
some prints only.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile

from harness import HERE, BenchError, compile_probes
from report import head, verdict
from scenarios import SCENARIOS, Bench, measure


def main() -> int:
    """Run what was asked for; the exit code tells whether it could be measured."""
    arguments = _arguments()
    names = arguments.scenario or list(SCENARIOS)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that sessions are ended
    tables = []
    with tempfile.TemporaryDirectory(prefix="hotrun-bench-") as folder:
        probes = compile_probes(folder)
        said = "C probes" if probes.compiled else "Python probes (no C compiler), no floor"
        top = head("quick" if arguments.quick else "full", said)
        print(top)
        try:
            for table in measure(Bench(folder, probes, arguments.quick), names):
                tables.append(table)
                print(table.text(), flush=True)
        except BenchError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    print(verdict(tables))
    if not arguments.scenario:
        texts = [top, *(table.text() for table in tables), verdict(tables) + "\n"]
        with open(os.path.join(HERE, "RESULTS.md"), "w", encoding="utf-8") as file:
            file.write("\n".join(texts))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure hotrun.")
    parser.add_argument("--quick", action="store_true", help="few trials, small trees")
    parser.add_argument("scenario", nargs="*", choices=[[], *SCENARIOS], metavar="SCENARIO")
    parser.epilog = f"Scenarios: {', '.join(SCENARIOS)}."
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
