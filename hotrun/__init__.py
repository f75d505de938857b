"""hotrun: save a file, and the new program is already serving.

The watcher is public: ``from hotrun import Watcher, Event, Op``. It is imported when it is
first asked for, because ``hotrun --version`` needs none of it.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False  # so type checkers call it; `typing` itself would take 5 ms
if TYPE_CHECKING:
    from hotrun.watch import (
        BASE,
        SAVES,
        Event,
        FileChange,
        FilePoll,
        Item,
        Op,
        Overflow,
        Polled,
        Refreshed,
        Unwatched,
        Watcher,
        poll_file,
    )

__all__ = [
    "BASE",
    "SAVES",
    "Event",
    "FileChange",
    "FilePoll",
    "Item",
    "Op",
    "Overflow",
    "Polled",
    "Refreshed",
    "Unwatched",
    "Watcher",
    "poll_file",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'hotrun' has no attribute {name!r}")
    from hotrun import watch

    return getattr(watch, name)
