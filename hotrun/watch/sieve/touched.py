"""What events said of paths since the last sift, and how quiet it is.

Law: nothing here looks at the disk. What events say of a path adds up, so doubled and merged
ones come to the same; only whether a file is still being written is told by the last word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotrun.watch.event import Op

if TYPE_CHECKING:
    from collections.abc import Callable

# Bits of an Op: Flag's own operators take 1 us each, and a burst is a hundred thousand of them.
RENAME, WRITE, CLOSE_WRITE = Op.RENAME.value, Op.WRITE.value, Op.CLOSE_WRITE.value
WENT = Op.REMOVE.value | RENAME
CAME, MOVED_TO = Op.CREATE.value, Op.MOVED_TO.value
CAME_OR_WENT = CAME | WENT
FINISHED = CLOSE_WRITE | MOVED_TO
SAVING = WRITE | CLOSE_WRITE


@dataclass(slots=True)
class Touch:
    """What events said about one path since the last sift."""

    bits: int = 0  # of the ops of a file by that name
    finished: bool = False  # the last word was a close or a rename: nobody is writing
    directory: bool = False  # a directory by that name came or went: all in it is in doubt
    came: bool = False  # it was made: nothing was there before
    counts: bool = False  # whatever is there now: what it is to be compared with is too young
    strayed: bool = False  # it held other bytes while a build was running


class Touched:
    """The paths that events spoke of, by name.

    Args:
        sees_close: Tells of a path whether the watcher reports CLOSE_WRITE of it.
    """

    def __init__(self, sees_close: Callable[[str], bool]) -> None:
        self.paths: dict[str, Touch] = {}
        self.doubting = False  # what is touched now counts, whatever a comparison says
        self._sees_close = sees_close
        self._writing: set[str] = set()  # of these the last word was a write
        self._emptied: set[str] = set()
        self._lost = False

    # --- what is said ---

    def first(self, path: str, bits: int) -> Touch:
        """Return the touch of a file or link of which this is the first word."""
        touch = self.paths[path] = Touch(came=_is_new(bits))
        return touch

    def add(self, path: str, touch: Touch, bits: int) -> None:
        """Add to the touch of a file or link what was said of it."""
        touch.bits |= bits
        touch.counts |= self.doubting
        if bits & FINISHED:
            touch.finished = True
            self._writing.discard(path)
        elif bits & (WRITE | WENT):
            touch.finished = not self._sees_close(path)
            if bits & WRITE and not touch.finished:
                self._writing.add(path)

    def directory(self, path: str, bits: int) -> None:
        """Of a directory: it came or went."""
        touch = self.paths.setdefault(path, Touch(came=_is_new(bits)))
        touch.directory = True
        touch.counts |= self.doubting

    def lost(self, root: str) -> None:
        """Say that events below a root were lost."""
        self._lost = True
        self.directory(root, 0)

    def walked(self, root: str) -> None:
        """Say that a root was walked by other rules; what new ones let in is no newer for that."""
        self.paths.setdefault(root, Touch()).directory = True

    def emptied(self, path: str, *, is_empty: bool) -> None:
        """Say whether a file that was written has lost all its bytes by that."""
        (self._emptied.add if is_empty else self._emptied.discard)(path)

    def born(self, path: str) -> None:
        """Say that a file was made just now, and is still empty: it is about to be written."""
        if self._sees_close(path):
            self._writing.add(path)

    def gone(self, path: str) -> None:
        """Say that a file went: nobody is waited for who writes it."""
        self._writing.discard(path)
        self._emptied.discard(path)

    def drop(self, path: str, touch: Touch) -> None:
        """Take back all that was said of a file; a directory by its name is another matter."""
        self.gone(path)
        touch.bits = 0
        if not touch.directory:
            del self.paths[path]

    # --- how quiet it is ---

    @property
    def unfinished(self) -> bool:
        """A touched file is still being written, or has just become empty."""
        return bool(self._emptied or self._writing)

    @property
    def lone_save(self) -> bool:
        """All that happened is one finished save of one file."""
        if len(self.paths) != 1:
            return False
        ((path, touch),) = self.paths.items()
        return touch.finished and not touch.directory and self._sees_close(path)

    # --- what a sift takes over ---

    def take(self) -> tuple[dict[str, Touch], bool]:
        """Hand over what was touched, and whether events were lost; all that follows is new."""
        taken = self.paths, self._lost
        self.paths, self._lost = {}, False
        self._writing.clear()
        self._emptied.clear()
        return taken


def _is_new(bits: int) -> bool:
    """Whether what came is new; what was moved to a name may have taken another's place."""
    return bool(bits & CAME) and not bits & MOVED_TO
