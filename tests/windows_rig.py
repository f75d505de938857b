"""The Windows backend on a fake kernel, as a watcher would drive it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake_kernel32 import FakeKernel32

from hotrun.watch.event import BASE, Event, Item, Op, Overflow, Refreshed, Unwatched
from hotrun.watch.scope import Root, Scope
from hotrun.watch.windows.backend import Windows

if TYPE_CHECKING:
    from hotrun.watch.backend import Backend


class Rig:
    """One backend, a disk with ``C:/work`` on it, and a clock that stands still.

    Args:
        skip: The name of directories that are skipped.
    """

    def __init__(self, skip: str = "skip") -> None:
        self.skip = skip
        self.kernel = FakeKernel32("C:", "D:", "//server/share")
        self.kernel.mkdir("C:/work")
        self.scope = Scope(lambda path: path.rpartition("/")[2] == self.skip)
        self.items: list[Item] = []
        self.now = 100.0
        self.backend: Backend = Windows(
            self.scope, self.items.append, kernel32=self.kernel, clock=lambda: self.now
        )

    def add(self, path: str, *, recursive: bool = True) -> None:
        """As ``Watcher.add`` does it."""
        if self.scope.put(path, Root(recursive, BASE)):
            self.backend.arm(path)

    def remove(self, path: str) -> None:
        """As ``Watcher.remove`` does it."""
        self.scope.drop(path)
        self.backend.disarm(path)

    def take(self) -> list[str]:
        """Return what is told, in short (see ``short``)."""
        self.backend.take()
        items = self.scope.admit(self.items)
        self.items.clear()
        return [short(item) for item in items]

    def later(self, *, looks: int = 1) -> list[str]:
        """Let the time come for which the backend asked; return what is told then."""
        told = []
        for _ in range(looks):
            due = self.backend.due()
            self.now = max(self.now, due or 0.0)
            told += self.take()
        return told

    def end(self) -> None:
        """Release, and look whether anything is left."""
        assert self.backend._served.obsolete == []  # type: ignore[attr-defined]
        self.backend.release()
        self.backend.release()
        self.kernel.check_clean()


def short(item: Item) -> str:
    """Write an item so that it fits on a line: "create C:/work/b < C:/work/a"."""
    match item:
        case Event(path, op, renamed_from, directory):
            ops = {Op.CREATE: "create", Op.WRITE: "write", Op.REMOVE: "remove"}
            origin = f" < {renamed_from}" if renamed_from is not None else ""
            return f"{ops.get(op, 'rename')} {path}{'/' if directory else ''}{origin}"
        case Overflow(root):
            return f"overflow {root}"
        case Refreshed(root):
            return f"refreshed {root}"
        case Unwatched(path, error):
            return f"unwatched {path}: {type(error).__name__} {error.errno}"
        case _:
            raise AssertionError(item)
