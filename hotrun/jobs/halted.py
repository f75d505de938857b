"""A child that is stopped and not ended, in words: it hangs in silence otherwise."""

from __future__ import annotations

import signal

from hotrun import notices
from hotrun.jobs import signal_name

TERMINAL = (signal.SIGTTIN, signal.SIGTTOU)  # to who touches a terminal in the background


def problem(who: str, pid: int, number: int, terminal_hint: str) -> notices.Problem:
    """Say that a child was stopped.

    Args:
        who: "app" or "build".
        pid: Of its first process.
        number: The signal that stopped it.
        terminal_hint: What to do when it wants the terminal.
    """
    if number in TERMINAL:
        what = f"is stopped, waiting for the terminal ({signal_name(number)})"
        hint = terminal_hint
    else:
        what, hint = f"is stopped by {signal_name(number)}", f"kill -CONT {pid} lets it go on"
    return notices.Problem(f"the {who} (pid {pid}) {what}", hint, severity="warning")
