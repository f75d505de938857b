"""The probes where there is no C compiler: slower to start, by tens of milliseconds.

``python probe.py stamp FILE``, ``build LOG MS SOURCE`` and ``app LOG`` do what the C files of
the same names do.
"""

import os
import signal
import sys
import time


def append(file: str, line: str) -> None:
    """Append one whole line at once."""
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.write(fd, f"{line}\n".encode())
    os.close(fd)


def build(began: int, log: str, milliseconds: str, source: str) -> None:
    """Take a while, and say which state of the source this was."""
    with open(source, encoding="utf-8") as file:
        state = file.read().strip()
    append(log, f"begin {began} {state}")
    time.sleep(int(milliseconds) / 1000)
    append(log, f"end {time.monotonic_ns()} {state}")


def app(began: int, log: str) -> None:
    """Wait for the stop signal."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    append(log, f"{began} {os.getpid()}")
    signal.sigwait([signal.SIGTERM])


def main() -> None:
    """Be the probe that the arguments name."""
    began = time.monotonic_ns()
    match sys.argv[1:]:
        case ["stamp", file]:
            append(file, str(began))
        case ["build", log, milliseconds, source]:
            build(began, log, milliseconds, source)
        case ["app", log]:
            app(began, log)
        case _:
            sys.exit(2)


if __name__ == "__main__":
    main()
