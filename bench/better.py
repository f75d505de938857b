"""Why a tool does better than hotrun at something, where the reason is known.

A reason is written for a scenario and a tool, or for one column of that scenario; it stands below
the table of every run in which that tool is the better one.
"""

from __future__ import annotations

UNKNOWN = "no reason is known yet"

_C = "a C program starts in 1 ms, and hotrun has an interpreter to start"
_GO = "a Go program starts in 2 ms, and hotrun has an interpreter to start"
_RUST = "a Rust program starts in 2 ms, and hotrun has an interpreter to start"
_BEFORE = "it runs the first build before all is watched; hotrun begins with the watches"
_ARGPARSE = "argparse of the standard library writes it, and hotrun imports click for that"
_INHERITS = (
    "the app inherits its stdout, so not a byte goes through it; nothing is prefixed or kept"
)

_STOPPED = "it ends the old app before the build, so that nothing serves while it builds"
_AFTER = "build's end -> new app's start"
_RELISTS = "it ends at the first new file, and its loop lists the tree anew when all is over"

REASONS: dict[tuple[str, ...], str] = {
    ("start-up", "entr"): _C,
    ("start-up", "inotifywait loop"): _C,
    ("start-up", "reflex"): _GO,
    ("start-up", "air"): _GO,
    ("start-up", "wgo"): _GO,
    ("start-up", "CompileDaemon"): _GO,
    ("start-up", "watchexec"): _RUST,
    ("start-up", "inotifywait loop", "launch -> first build"): f"{_C}; {_BEFORE}",
    ("start-up", "reflex", "launch -> first build"): f"{_GO}; {_BEFORE}",
    ("start-up", "watchmedo", "help"): _ARGPARSE,
    ("start-up", "watchmedo", "launch -> first build"): _BEFORE,
    ("start-up", "watchfiles", "launch -> first build"): _BEFORE,
    ("start-up", "nodemon", "launch -> first build"): _BEFORE,
    ("restart", "entr", _AFTER): _STOPPED,
    ("restart", "inotifywait loop", _AFTER): _STOPPED,
    ("restart", "reflex", _AFTER): _STOPPED,
    ("restart", "nodemon", _AFTER): _STOPPED,
    ("restart", "watchfiles", _AFTER): _STOPPED,
    ("restart", "watchfiles API", _AFTER): _STOPPED,
    ("restart", "watchmedo", _AFTER): _STOPPED,
    ("burst", "entr"): _RELISTS,
    ("output", "entr"): _INHERITS,
    ("output", "inotifywait loop"): _INHERITS,
    ("output", "nodemon"): _INHERITS,
    ("output", "watchfiles"): _INHERITS,
    ("output", "watchfiles API"): _INHERITS,
    ("output", "watchmedo"): _INHERITS,
    ("output", "watchexec"): _INHERITS,
}


def why(scenario: str, tool: str, column: str) -> str:
    """Return the reason, the one for the column before the one for the scenario."""
    general = REASONS.get((scenario, tool), UNKNOWN)
    return REASONS.get((scenario, tool, column), general)
