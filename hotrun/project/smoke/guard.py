"""Who undoes the edit and ends the session when we are killed ourselves.

As the guardian (hotrun.process.guardian) it is a shell that sleeps in ``read`` on a pipe which
only we can end. When that ends without a farewell, we are gone: the shell becomes a Python that
has the session end, and puts the file back.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from hotrun.process import tree
from hotrun.process.guardian import FAREWELL, PYTHON, SHELL
from hotrun.project.smoke import edit

if TYPE_CHECKING:
    from hotrun.project.smoke.edit import Place

# Nobody who ends our group means the guard (Ctrl-C, a CI system that cancels the step).
SLEEP = """trap '' INT TERM HUP QUIT TSTP
read -r word
[ "$word" = bye ] || exec "$@"
"""
# Our directory comes last: beside us may lie a package called like one of the standard library.
WAKE = """import sys
sys.path.append(sys.argv[1])
from hotrun.project.smoke.guard import main
main(*sys.argv[2:])
"""
PATIENCE = 60.0  # seconds that the session has for its graceful stop
LOOK = 0.02  # seconds between two looks: nobody tells us of the end of what is no child of ours


class Guard:
    """Our end of the pipe.

    Args:
        place: Where the bytes of the edited file are, or will be; None: nothing is edited.
        pid: Of the session that is to end with us.
    """

    def __init__(self, place: Place | None, pid: int) -> None:
        stat = tree.read(pid)
        began = stat.process.began if stat is not None else 0.0
        root = os.path.abspath(__file__).removesuffix("/hotrun/project/smoke/guard.py")
        where = (place.path, "made" if place.made else "") if place is not None else ("", "")
        words = [sys.executable, *PYTHON, WAKE, root, str(pid), repr(began), *where]
        self._shell = subprocess.Popen(
            [SHELL, "-c", SLEEP, "hotrun-smoke", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """All is undone: let it go, and see it gone."""
        if self._shell.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # somebody killed it
                self._shell.stdin.write(FAREWELL)
                self._shell.stdin.close()
        self._shell.wait()


def main(pid: str, began: str, place: str, made: str) -> None:
    """Undo it all: the smoke test is gone.

    Args:
        pid: Of the session.
        began: When that began, so that a pid which was used again is told apart.
        place: Where the bytes of the edited file are; empty: nothing is edited.
        made: Not empty: ``.hotrun`` was made for it.
    """
    session = tree.Process(int(pid), float(began))
    tree.send(session, signal.SIGTERM)  # first: it builds nothing any more when the file changes
    kept = not place
    try:
        edit.undo(place)
    except edit.NotUndoneError:  # the next smoke test says so
        kept = True
    until = time.monotonic() + PATIENCE
    while tree.alive(session) and time.monotonic() < until:
        time.sleep(LOOK)
    tree.send(session, signal.SIGKILL)  # what it leaves is for its own guardian
    if not kept:
        edit.remove(place, made=bool(made))
