"""The two jobs of a service: one run of the build, one life of the app.

A job starts children, tells what happens to them, and posts one fact when all of it is over.
It decides nothing: whether to start, stop or kill is the core's to say.
"""

import signal

# What makes programs use colours although they write to a pipe. gcc has no such variable.
COLOUR_HINTS = {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1", "CARGO_TERM_COLOR": "always"}


def exit_code(code: int) -> int:
    """Return what a shell would say: 128 + n when signal n ended the process."""
    return code if code >= 0 else 128 - code


def signal_name(number: int) -> str:
    """Return "SIGTERM" for 15; a real-time signal has only its number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
