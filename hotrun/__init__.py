"""hotrun: save a file, and the new program is already serving.

The watcher is public: ``from hotrun import Watcher, Event, Op``. It is imported when it is
first asked for, because ``hotrun --version`` needs none of it.
"""

__version__ = "0.1.0"

_PUBLIC = frozenset({"BASE", "SAVES", "Event", "Op", "Overflow", "Polled", "Unwatched", "Watcher"})


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'hotrun' has no attribute {name!r}")
    from hotrun import watch

    return getattr(watch, name)
