"""Names on Windows that come and go, and the directories among them that have to be listed.

Law: whoever believes what is said knows what is there. Of a directory that came from elsewhere
the kernel tells only the name, so what is in it is listed, when the queue has been read; what
was made in it meanwhile is told twice, and no harm is in that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.watch.event import Event, Item, Op, Unwatched
from hotrun.watch.scope import MOST_CACHED
from hotrun.watch.windows.kernel32 import (
    FILE_ATTRIBUTE_DIRECTORY,
    FILE_ATTRIBUTE_REPARSE_POINT,
    MISSING,
    WinError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.watch.windows.kernel32 import Kernel32
    from hotrun.watch.windows.reach import Reach

LATE = 1.0  # seconds; how far the record of a rename may lag behind it, on a busy machine


class Names:
    """What is said of names.

    Args:
        calls: The kernel's.
        reach: What counts.
        say: Takes what happened.
        clock: Tells the time.

    Attributes:
        fresh: Directories to list.
    """

    def __init__(
        self,
        calls: Kernel32,
        reach: Reach,
        say: Callable[[Item], None],
        clock: Callable[[], float],
    ) -> None:
        self._calls = calls
        self._reach = reach
        self._say = say
        self._clock = clock
        self._directories: set[str] = set()  # names that were seen to be one
        self._created: set[str] = set()  # said since the last listing, and not gone since
        self._blind_until = 0.0  # something came and was gone before it could be looked at
        self.fresh: list[str] = []

    def came(self, path: str, found: int | None, renamed_from: str | None, *, split: bool) -> None:
        """Say that a name came.

        Args:
            path: The name.
            found: Its attributes; None if it is gone again.
            renamed_from: Its old name, if that was told of.
            split: Not all that it held came along, or was told by its old name.
        """
        directory = bool(found) and self.is_directory(path, found or 0)
        self._say_created(path, renamed_from, directory=directory)
        if renamed_from is None or split or self._is_news(renamed_from):
            if directory:
                self.fresh.append(path)
            elif not found:
                self._blind_until = self._clock() + LATE

    def _is_news(self, old: str) -> bool:
        """Whether what a directory held was never told: it was skipped, or is too young."""
        young = bool(self.fresh) or self._clock() < self._blind_until
        return young or not self._reach.opens(old)

    def came_back(self, root: str, *, directory: bool) -> None:
        """Say that a root is there (again); one that is a link is followed."""
        self._say_created(root, directory=directory)
        if directory:
            self.fresh.append(root)

    def went(self, path: str, op: Op, *, directory: bool) -> None:
        """Say that a name went."""
        self._created.clear()  # what was in it, and is there again, has to be said again
        self._directories.discard(path)
        self._say(Event(path, op, None, directory))

    def was_directory(self, path: str) -> bool:
        """Whether a name that is gone had been seen to be a directory."""
        return path in self._directories

    def is_directory(self, path: str, attributes: int) -> bool:
        """Whether a name is a directory, not a link to one; remembered for when it is gone."""
        directory = bool(attributes & FILE_ATTRIBUTE_DIRECTORY) and not (
            attributes & FILE_ATTRIBUTE_REPARSE_POINT and self._calls.is_link(path)
        )
        self._note(path, directory=directory)
        return directory

    def _note(self, path: str, *, directory: bool) -> None:
        if len(self._directories) > MOST_CACHED:
            self._directories.clear()
        (self._directories.add if directory else self._directories.discard)(path)

    def _say_created(self, path: str, renamed_from: str | None = None, *, directory: bool) -> None:
        self._created.add(path)
        self._say(Event(path, Op.CREATE, renamed_from, directory))

    def list_fresh(self) -> None:
        """Say what is in the directories that came; none counts once the watcher is closing."""
        while self.fresh:
            directory = self.fresh.pop()
            if self._reach.opens(directory):
                self._list(directory)
        self._created.clear()

    def _list(self, directory: str) -> None:
        try:
            entries = self._calls.entries(directory)
        except WinError as error:
            if error.code in MISSING:
                self._blind_until = self._clock() + LATE
            else:
                self._say(Unwatched(directory, error))
            return
        for entry in entries:
            path = f"{directory}/{entry.name}"
            is_directory = entry.directory and not entry.link
            self._note(path, directory=is_directory)
            if path not in self._created:
                self._say_created(path, directory=is_directory)
            if is_directory:
                self.fresh.append(path)
