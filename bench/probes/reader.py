"""The least that reads a command's output: ``python reader.py read|pass COMMAND...``.

``pass`` writes it to stdout as well, which ``read`` does not.
"""

import os
import subprocess
import sys

CHUNK = 64 * 1024


def main() -> int:
    """Read to the end, and pass on the exit code."""
    how, *command = sys.argv[1:]
    ours, theirs = os.pipe()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, process_group=0)
    os.close(theirs)
    while data := os.read(ours, CHUNK):
        if how == "pass":
            while data:
                data = data[os.write(1, data) :]
    return child.wait()


if __name__ == "__main__":
    sys.exit(main())
