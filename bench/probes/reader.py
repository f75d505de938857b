"""The least that reads a command's output: ``python reader.py COMMAND...``."""

import os
import subprocess
import sys

CHUNK = 64 * 1024


def main() -> int:
    """Read to the end, and pass on the exit code."""
    ours, theirs = os.pipe()
    with subprocess.Popen(
        sys.argv[1:], stdin=subprocess.DEVNULL, stdout=theirs, process_group=0
    ) as child:
        os.close(theirs)
        while os.read(ours, CHUNK):
            pass
        return child.wait()


if __name__ == "__main__":
    sys.exit(main())
