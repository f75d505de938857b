"""The probes where there is no C compiler: slower to start, by tens of milliseconds.

``python probe.py stamp FILE``, ``build LOG MS SOURCE``, ``app LOG`` and ``burst ROOT WRITES
DIRECTORIES`` do what the C files of the same names do.
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


def put(path: str, text: int) -> None:
    """Write a file in place."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
    os.write(fd, f"{text:8}\n".encode())
    os.close(fd)


def burst(root: str, writes: int, directories: int) -> None:
    """Write files in turn, and make directories in between."""
    made = 0
    for number in range(writes):
        unit = number // 5 % 200
        put(f"{root}/part{unit // 100}/unit{unit}/file{number % 5}.txt", number)
        while made < directories * (number + 1) // writes:
            new = f"{root}/new/part{made // 100}/unit{made}"
            os.makedirs(new)
            put(f"{new}/file.txt", made)
            made += 1
    put(f"{root}/end", 0)


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
        case ["burst", root, writes, directories]:
            burst(root, int(writes), int(directories))
        case _:
            sys.exit(2)


if __name__ == "__main__":
    main()
