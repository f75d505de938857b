"""An ear on a tree: a real watcher on the real kernel, and what it can be held against."""

from __future__ import annotations

import ctypes
import itertools
import os
import time
from typing import TYPE_CHECKING, TypedDict, Unpack

from hotrun.watch import SAVES, Event, Item, Op, Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEADLINE = 60  # seconds
EXCHANGE = 2  # RENAME_EXCHANGE, renameat2(2)
AT_FDCWD = -100

_numbers = itertools.count()


class Options(TypedDict, total=False):
    """How to watch."""

    backend: str
    skips: Callable[[str], bool]
    wants: Callable[[str], bool]
    interval: float


class Ear:
    """A watcher on some roots, and on a directory for cookies.

    A cookie is a file made to be heard of: once its event came, all earlier ones came too.
    """

    def __init__(self, cookies: str, *roots: str, **options: Unpack[Options]) -> None:
        os.makedirs(cookies, exist_ok=True)
        self._cookies = cookies
        self.roots = roots
        self.watcher = Watcher(**{"backend": "native", **options})
        for root in (cookies, *roots):
            self.watcher.add(root, ops=SAVES, missing_ok=True)

    def all(self) -> list[Item]:
        """What was heard until now."""
        cookie = f"{self._cookies}/{next(_numbers)}"
        with open(cookie, "x", encoding="ascii"):
            pass
        heard: list[Item] = []
        end = time.monotonic() + DEADLINE
        while not any(isinstance(item, Event) and item.path == cookie for item in heard):
            assert time.monotonic() < end, f"waited {DEADLINE} s for the cookie {cookie}"
            heard += self.watcher.read(1)
        return [item for item in heard if not self._is_cookie(item)]

    def _is_cookie(self, item: Item) -> bool:
        return isinstance(item, Event) and item.path.startswith(f"{self._cookies}/")

    def until(self, predicate: Callable[[list[Item]], object], what: str) -> list[Item]:
        """Listen until what was heard is enough."""
        heard: list[Item] = []
        end = time.monotonic() + DEADLINE
        while not predicate(heard):
            assert time.monotonic() < end, f"waited {DEADLINE} s for {what}; heard {heard}"
            heard += [i for i in self.watcher.read(0.02) if not self._is_cookie(i)]
        return heard

    def events(self) -> list[Event]:
        """The events among what was heard."""
        return [item for item in self.all() if isinstance(item, Event)]

    def ops(self) -> dict[str, Op]:
        """What happened to each path, put together."""
        ops: dict[str, Op] = {}
        for event in self.events():
            ops[event.path] = ops.get(event.path, Op(0)) | event.op
        return ops

    @property
    def inodes(self) -> set[int]:
        """The inodes that the kernel watches for us, the cookies' left out."""
        fd = self.watcher._native._fd  # type: ignore[attr-defined]
        with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as file:
            words = [line.split() for line in file if line.startswith("inotify")]
        found = {int(part[4:], 16) for line in words for part in line if part.startswith("ino:")}
        return found - {os.stat(self._cookies).st_ino}

    @property
    def paths(self) -> set[str]:
        """The paths under which directories are watched, the cookies' left out."""
        return set(self.watcher._native._watches.tree.by_path) - {  # type: ignore[attr-defined]
            self._cookies
        }

    def agrees(self) -> bool:
        """Whether exactly the directories on the disk are watched, under their names."""
        there = {path: os.stat(path).st_ino for root in self.roots for path in directories(root)}
        return self.paths == set(there) and self.inodes == set(there.values())

    def settle(self) -> list[Item]:
        """Listen until the watches agree with the disk (what moved out is held a moment)."""
        heard = self.all()
        return heard + self.until(lambda _: self.agrees(), "the watches to agree with the disk")


def directories(root: str) -> Iterator[str]:
    """Yield a directory and all below it."""
    if os.path.isdir(root):
        for directory, _, _ in os.walk(root):
            yield directory


def exchange(one: str, other: str) -> None:
    """Swap two names at one stroke."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), EXCHANGE):
        raise OSError(ctypes.get_errno(), "renameat2", one)


def write(path: str, content: bytes | str = b"x") -> str:
    """Write a file, its directories included."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(os.fsencode(content))
    return path
