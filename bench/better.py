"""Why a tool does better than hotrun at something, where the reason is known.

A reason is written for a scenario and a tool, or for one column of that scenario; it stands below
the table of every run in which that tool is the better one.
"""

from __future__ import annotations

UNKNOWN = "no reason is known yet"

_C = "a C program starts in 1 ms, and hotrun has an interpreter to start"
_BARE = f"{_C}; it keeps no word of what is in the files"
_GO = "a Go program starts in 2 ms, and hotrun has an interpreter to start"
_RUST = "a Rust program starts in 2 ms, and hotrun has an interpreter to start"
_BEFORE = "it runs the first build before all is watched; hotrun begins with the watches"
_ARGPARSE = "argparse of the standard library writes it, and hotrun imports click for that"
_SAME = (
    "hotrun's app inherits its stdout too, and no tool reads a byte of it; on which cores the "
    "writer and the reader of the pipe come to run makes more than the tool does"
)
_KEEPS = (
    "it keeps no signature and no hash of the files, by which hotrun tells a save from a change; "
    "hotrun's own imports take 90 ms"
)
_SERVES = (
    "it has ended the app before it builds; hotrun's goes on answering the questions that are put "
    "every 10 ms here, beside a compiler that wants both cores"
)
_LEAVES = "it does not wait for the app, and leaves it behind"
_GUARDED = "hotrun has a guardian beside it, which ends the app when hotrun is killed"
_SMALL = "it is no interpreter"
_FEWER = "it loads less: hotrun has asyncio, click, the signatures of all files and hashes of most"

_OFTEN = (
    "it looks at all files again after a short pause, whatever that costs: see CPU; hotrun rests "
    "between two looks until it is below 3 % of a core"
)
_STOPPED = "it ends the old app before the build, so that nothing serves while it builds"
_AFTER = "build's end -> new app's start"
_RELISTS = "it ends at the first new file, and its loop lists the tree anew when all is over"

_EARLY = (
    "it builds at the first event; what follows within 50 ms is dropped, so that a file which is "
    "emptied first is built empty, and not again"
)
_TWICE = "it waits for nothing, so one save of an editor can be built several times"

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
    ("reaction", "nodemon"): _EARLY,
    ("reaction", "watchmedo"): _TWICE,
    ("restart", "nodemon"): _EARLY,
    ("restart", "inotifywait loop"): _STOPPED,
    ("restart", "entr", _AFTER): _STOPPED,
    ("restart", "inotifywait loop", _AFTER): _STOPPED,
    ("restart", "reflex", _AFTER): _STOPPED,
    ("restart", "nodemon", _AFTER): _STOPPED,
    ("restart", "watchfiles", _AFTER): _STOPPED,
    ("restart", "watchfiles API", _AFTER): _STOPPED,
    ("restart", "watchmedo", _AFTER): _STOPPED,
    ("burst", "entr"): _RELISTS,
    ("burst", "reflex"): "it compares nothing with the disk, so a file that came back is built too",
    ("burst", "watchfiles API"): "it waits for no quiet: a build is begun at each batch of events",
    ("go", "entr"): _SERVES,
    ("go", "inotifywait loop"): _SERVES,
    ("go", "nodemon"): _SERVES,
    ("go", "watchfiles"): _SERVES,
    ("go", "watchfiles API"): _SERVES,
    ("setup", "reflex"): _GO,
    ("setup", "entr"): _BARE,
    ("setup", "chokidar-cli"): _BEFORE,
    ("setup", "inotifywait loop"): _BARE,
    ("setup", "nodemon"): _BEFORE,
    ("setup", "watchfiles"): f"{_KEEPS}; {_BEFORE}",
    ("setup", "watchmedo"): f"{_KEEPS}; {_BEFORE}",
    ("node_modules", "reflex"): _GO,
    ("node_modules", "inotifywait loop"): _BARE,
    ("node_modules", "nodemon"): _BEFORE,
    ("node_modules", "chokidar-cli"): _BEFORE,
    ("node_modules", "entr"): _BARE,
    ("node_modules", "watchfiles"): f"{_KEEPS}; {_BEFORE}",
    ("node_modules", "watchmedo"): f"{_KEEPS}; {_BEFORE}",
    ("polling", "nodemon"): _OFTEN,
    ("polling", "chokidar-cli"): _OFTEN,
    ("polling", "watchfiles"): _OFTEN,
    ("polling", "watchmedo"): _OFTEN,
    ("stubborn", "entr"): _LEAVES,
    ("stubborn", "inotifywait loop"): _LEAVES,
    ("stubborn", "nodemon"): _LEAVES,
    ("stubborn", "reflex"): "it kills after a second; hotrun gives an app 5 s (stop_timeout)",
    ("idle", "entr"): _SMALL,
    ("idle", "inotifywait loop"): _SMALL,
    ("idle", "reflex"): _SMALL,
    ("idle", "watchfiles"): _FEWER,
    ("idle", "watchmedo"): _FEWER,
    ("idle", "reflex", "processes"): _GUARDED,
    ("idle", "chokidar-cli", "processes"): _GUARDED,
    ("idle", "watchfiles", "processes"): _GUARDED,
    ("idle", "watchmedo", "processes"): _GUARDED,
    ("output", "entr"): _SAME,
    ("output", "inotifywait loop"): _SAME,
    ("output", "nodemon"): _SAME,
    ("output", "watchfiles"): _SAME,
    ("output", "watchfiles API"): _SAME,
    ("output", "watchmedo"): _SAME,
    ("output", "watchexec"): _SAME,
}


def why(scenario: str, tool: str, column: str) -> str:
    """Return the reason, the one for the column before the one for the scenario."""
    general = REASONS.get((scenario, tool), UNKNOWN)
    return REASONS.get((scenario, tool, column), general)
