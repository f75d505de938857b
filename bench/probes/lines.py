"""``python lines.py BYTES LOG``: what lines.c does, by print."""

import sys
import time


def main() -> None:
    """Print, and append the nanoseconds that it took."""
    began = time.monotonic_ns()
    line = "x" * 79
    for _ in range(int(sys.argv[1]) // 80):
        print(line)
    sys.stdout.flush()
    with open(sys.argv[2], "a", encoding="utf-8") as log:
        log.write(f"{time.monotonic_ns() - began}\n")


if __name__ == "__main__":
    main()
