"""The watcher and the sieve of a config, as `hotrun run` has them.

Apart from what else a session is made of, for they come before it: while that is imported, which
takes half of a start, a big tree is being watched.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from hotrun.project import watched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotrun.config import Config
    from hotrun.project.plan import Plan
    from hotrun.watch import Watcher
    from hotrun.watch.sieve.sieve import Sieve


@contextlib.contextmanager
def begun(config: Config, planned: Plan) -> Iterator[tuple[Watcher, Sieve]]:
    """Make them, and begin to watch: it may fork. Closed in the end, even before a session was."""
    watcher, sieve = watch(config, planned)
    with watcher:
        for root in sieve.roots[:1]:  # the one that is added first
            watcher.begin(root)
        yield watcher, sieve


def watch(config: Config, planned: Plan) -> tuple[Watcher, Sieve]:
    """Make the watcher and the sieve of a config."""
    return watched.watch(config, planned, _written_to())


def _written_to() -> Iterator[str]:
    """Yield the files that we write to (`hotrun run > log`): what we say is no change."""
    for fd in (1, 2):
        with contextlib.suppress(OSError):
            if stat.S_ISREG(os.fstat(fd).st_mode):
                yield os.path.realpath(f"/dev/fd/{fd}")
