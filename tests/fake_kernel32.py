"""A kernel32 in Python: a disk in memory, and the rules by which Windows tells of its changes.

It stands in for ``hotrun.watch.windows.kernel32.Native``. What it holds against its user:
- memory that was given to a request is the kernel's until the completion is taken: whoever
  frees it or asks with it again is at fault, and what was in it is overwritten at once;
- a handle is good until it is closed; a port is closed last, and nothing may be under way then.
What it does as Windows does:
- the first request fixes how deep a handle hears, and how much is kept for it between two;
  what is more comes as a completion without bytes;
- a record completes a waiting request at once; a name renamed away waits for its new one;
- a directory that is deleted while it is open keeps its name until the last handle is closed
  (``posix`` deletes as Windows 10 does), and lets nobody rename one above it;
- names differ only by more than case; a move to another directory is a removal and an addition.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import threading
import weakref
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hotrun.watch.windows.kernel32 import (
    ERROR_ACCESS_DENIED,
    ERROR_DIRECTORY,
    ERROR_FILE_NOT_FOUND,
    ERROR_INVALID_PARAMETER,
    ERROR_OPERATION_ABORTED,
    ERROR_PATH_NOT_FOUND,
    FILE_ATTRIBUTE_DIRECTORY,
    FILE_ATTRIBUTE_REPARSE_POINT,
    Completion,
    Entry,
    Request,
    WinError,
)
from hotrun.watch.windows.records import ADDED, MODIFIED, REMOVED, RENAMED_NEW, RENAMED_OLD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ARCHIVE = 0x20  # what a plain file has
GARBAGE = 0xEE


def encode(records: Iterable[tuple[int, str]], *, align: int = 4) -> bytes:
    """Write records as Windows does (Wine aligns them to 2 bytes)."""
    parts = []
    for action, name in records:
        raw = name.replace("/", "\\").encode("utf-16-le", "surrogatepass")
        size = -(-(12 + len(raw)) // align) * align
        parts.append((struct.pack("<III", 0, action, len(raw)) + raw).ljust(size, b"\0"))
    return chain(parts)


def chain(parts: list[bytes]) -> bytes:
    """Let each record but the last say where the next one is."""
    *first, last = parts or [b""]
    return b"".join([struct.pack("<I", len(part)) + part[4:] for part in first]) + last


@dataclass(eq=False)
class Node:
    """A file, a directory (it has children) or a link (it has a target)."""

    name: str
    parent: Node | None = None
    children: dict[str, Node] | None = None
    target: str | None = None
    short: str = ""
    deleting: bool = False
    gone: bool = False

    @property
    def path(self) -> str:
        return self.name if self.parent is None else f"{self.parent.path}/{self.name}"

    def above(self) -> Iterator[Node]:
        node = self.parent
        while node is not None:
            yield node
            node = node.parent


@dataclass(eq=False)
class Open:
    """An open directory."""

    node: Node
    port: int = 0
    key: int = 0
    subtree: bool = False
    size: int = 0  # fixed by the first request, as is ``subtree``
    queue: list[bytes] = field(default_factory=list)  # records, each whole
    kept: int = 0  # bytes of the queue
    overflowed: bool = False
    pending: int = 0  # the address of a request


class FakeKernel32:
    """The calls of ``Kernel32``, and what other programs do to the disk.

    Attributes:
        posix: Deleting takes the name away at once.
        splits: A name renamed away does not wait for its new one.
        deaf: No request is ever completed, as with a server that died.
        denied: Directories that cannot be opened.
        vanishing: Directories that are removed just before they are opened or listed.
        refused: By path, how large a request may be there; a share refuses larger ones.
        unplaced: Directories whose final path cannot be told.
        asked: The sizes of all requests that were made.
        faults: What was done against the rules.
    """

    def __init__(self, *volumes: str) -> None:
        self.volumes = {name.casefold(): Node(name, children={}) for name in volumes or ("C:",)}
        self.posix = self.splits = self.deaf = False
        self.denied: set[str] = set()
        self.vanishing: set[str] = set()
        self.refused: dict[str, int] = {}
        self.unplaced: set[str] = set()
        self.asked: list[int] = []
        self.opened: list[str] = []
        self.faults: list[str] = []
        self._open: dict[int, Open] = {}
        self._ports: dict[int, deque[Completion]] = {}
        self._lent: dict[int, weakref.ref[Request]] = {}
        self._next_handle = 0x1_2345_6780  # more than 32 bits
        self._ready = threading.Condition()

    # --- what the backend calls ---

    def open_directory(self, path: str) -> int:
        self._vanish(path)
        node = self._find(path, follow=True)
        if node is None:
            raise WinError(ERROR_PATH_NOT_FOUND, path)
        if path in self.denied or node.deleting:
            raise WinError(ERROR_ACCESS_DENIED, path)
        self.opened.append(path)
        return self._new(Open(node))

    def _vanish(self, path: str) -> None:
        if path in self.vanishing:
            self.vanishing.discard(path)
            self.rmtree(path)

    def _new(self, thing: Open | None) -> int:
        self._next_handle += 4
        if thing is None:
            self._ports[self._next_handle] = deque()
        else:
            self._open[self._next_handle] = thing
        return self._next_handle

    def open_port(self) -> int:
        return self._new(None)

    def join(self, handle: int, port: int, key: int) -> None:
        assert port in self._ports, self._fault("joined to a port that is closed")
        open_ = self._at(handle)
        assert not open_.port, self._fault("joined twice")
        open_.port, open_.key = port, key

    def read_changes(self, handle: int, request: Request, *, subtree: bool) -> None:
        open_ = self._at(handle)
        address = request.address
        assert not open_.pending, self._fault("asked while a request is under way")
        assert address not in self._lent, self._fault("memory used again too soon")
        assert ctypes.addressof(request.buffer) % 4 == 0
        self.asked.append(request.size)
        ctypes.memset(request.buffer, GARBAGE, request.size)
        if request.size > self.refused.get(open_.node.path, request.size):
            raise WinError(ERROR_INVALID_PARAMETER, open_.node.path)
        if open_.node.children is None:
            raise WinError(ERROR_INVALID_PARAMETER, open_.node.path)
        if open_.node.deleting or open_.node.gone:
            raise WinError(ERROR_ACCESS_DENIED, open_.node.path)
        if not open_.size:
            open_.size, open_.subtree = request.size, subtree
        self._lent[address] = weakref.ref(request)
        weakref.finalize(request, self._freed, address).atexit = False
        open_.pending = address
        self._flush(open_)

    def next_completion(self, port: int, milliseconds: int | None) -> Completion | None:
        assert port in self._ports, self._fault("waited at a port that is closed")
        seconds = None if milliseconds is None else milliseconds / 1000
        with self._ready:
            self._ready.wait_for(lambda: self._ports.get(port, True), seconds)
            queue = self._ports.get(port)
            if not queue:
                return None
            completion = queue.popleft()
        self._lent.pop(completion.address, None)
        return completion

    def post(self, port: int, key: int) -> None:
        assert port in self._ports, self._fault("posted to a port that is closed")
        self._put(port, Completion(key, 0, 0, 0))

    def cancel(self, handle: int, request: Request) -> None:
        open_ = self._at(handle)
        if open_.pending == request.address and not self.deaf:
            self._complete(open_, b"", ERROR_OPERATION_ABORTED)

    def close(self, handle: int) -> None:
        if handle in self._ports:
            if self._lent and not self.deaf:
                self._fault("the port was closed while requests were under way")
            with self._ready:
                del self._ports[handle]
                self._ready.notify_all()
            return
        open_ = self._at(handle)
        if open_.pending and not self.deaf:
            self._complete(open_, b"", 0)  # STATUS_NOTIFY_CLEANUP, which is no error
        del self._open[handle]
        if open_.node.deleting and all(other.node is not open_.node for other in self._handles()):
            self._unlink(open_.node)

    def attributes(self, path: str) -> int | None:
        node = self._find(path)
        if node is None:
            return None
        if node.deleting:
            return 0
        if node.target is not None:
            target = self._find(node.target, follow=True)
            directory = target is None or target.children is not None
            return FILE_ATTRIBUTE_REPARSE_POINT | (FILE_ATTRIBUTE_DIRECTORY if directory else 0)
        return ARCHIVE if node.children is None else FILE_ATTRIBUTE_DIRECTORY

    def is_link(self, path: str) -> bool:
        node = self._find(path)
        return node is not None and node.target is not None

    def long_path(self, path: str) -> str | None:
        node = self._find(path)
        return None if node is None else node.path

    def final_path(self, handle: int) -> str | None:
        node = self._at(handle).node
        if node.path in self.unplaced:
            return None
        return f"C:/$Extend/$Deleted/{id(node):x}" if node.gone else node.path

    def entries(self, path: str) -> list[Entry]:
        self._vanish(path)
        node = self._find(path, follow=True)
        if node is None or node.children is None:
            raise WinError(ERROR_FILE_NOT_FOUND if node is None else ERROR_DIRECTORY, path)
        if path in self.denied or node.deleting:
            raise WinError(ERROR_ACCESS_DENIED, path)
        return [
            Entry(
                child.name,
                bool((self.attributes(child.path) or 0) & FILE_ATTRIBUTE_DIRECTORY),
                child.target is not None,
            )
            for child in node.children.values()
        ]

    # --- what other programs do ---

    def mkdir(self, path: str) -> None:
        self._add(path, children={})

    def makedirs(self, path: str) -> None:
        above = path.rpartition("/")[0]
        if self._find(above) is None:
            self.makedirs(above)
        if self._find(path) is None:
            self.mkdir(path)

    def write(self, path: str) -> None:
        node = self._find(path) or self._add(path)
        if node.children is not None or node.deleting:
            raise PermissionError(errno.EACCES, "not a file to write to", path)
        self._tell(node, MODIFIED)

    def link(self, path: str, target: str) -> None:
        self._add(path, target=target)

    def shorten(self, path: str, name: str) -> None:
        self._get(path).short = name.casefold()

    def remove(self, path: str) -> None:
        node = self._get(path)
        if node.children:
            raise OSError(errno.ENOTEMPTY, "the directory is not empty", path)
        if node.deleting:
            raise PermissionError(errno.EACCES, "it is being deleted", path)
        handles = [open_ for open_ in self._handles() if open_.node is node]
        if handles and not self.posix:
            node.deleting = True
        else:
            self._unlink(node)
        for open_ in handles:
            if open_.pending:
                self._complete(open_, b"", ERROR_ACCESS_DENIED)

    def rmtree(self, path: str) -> None:
        node = self._get(path)
        for child in list((node.children or {}).values()):
            self.rmtree(child.path)
        self.remove(path)

    def rename(self, old: str, new: str) -> None:
        node, into = self._get(old), self._get(new.rpartition("/")[0])
        if old == new:
            return
        if node.deleting or any(node in open_.node.above() for open_ in self._handles()):
            raise PermissionError(errno.EACCES, "in use", old)
        if into.children is None or into is node or node in into.above():
            raise OSError(errno.EINVAL, "not to be moved there", old)
        occupant = self._find(new)
        if occupant is not None and occupant is not node:
            if occupant.children is not None or node.children is not None:
                raise FileExistsError(errno.EEXIST, "a directory is in the way", new)
            self._unlink(occupant)
        within = into is node.parent
        self._tell(node, RENAMED_OLD if within else REMOVED)
        self._cut(node)
        node.name = new.rpartition("/")[2]
        self._hang(node, into)
        self._tell(node, RENAMED_NEW if within else ADDED)

    def tell(self, path: str, *records: tuple[int, str]) -> None:
        """Let the directories that are open at a path tell these records."""
        node = self._find(path, follow=True)
        for open_ in self._handles():
            if open_.node is node:
                self._keep(open_, *records)
                self._flush(open_)

    def complete(self, path: str, data: bytes = b"", error: int = 0) -> None:
        """Complete the requests of the directories that are open at a path."""
        node = self._find(path, follow=True)
        for open_ in self._handles():
            if open_.node is node and open_.pending:
                self._complete(open_, data, error)

    # --- the disk ---

    def tree(self, path: str) -> dict[str, bool]:
        """Return all that is below a directory: whether each is a directory itself."""
        node = self._find(path, follow=True)
        if node is None or node.children is None or node.deleting:
            return {}
        found = {}
        for child in node.children.values():
            if not child.deleting:
                name = f"{path}/{child.name}"
                found[name] = child.children is not None
                found |= self.tree(name) if child.children is not None else {}
        return found

    def _find(self, path: str, *, follow: bool = False) -> Node | None:
        volume = next((v for v in self.volumes.values() if _is_in(path, v.name)), None)
        if volume is None:
            return None
        node: Node | None = volume
        names = path[len(volume.name) :].split("/")[1:]
        for at, name in enumerate(names):
            if node is None or node.children is None:
                return None
            node = node.children.get(name.casefold()) or next(
                (child for child in node.children.values() if child.short == name.casefold()), None
            )
            if node is not None and node.target is not None and (follow or at + 1 < len(names)):
                node = self._find(node.target, follow=True)
        return node

    def _get(self, path: str) -> Node:
        node = self._find(path)
        if node is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return node

    def _add(
        self, path: str, *, children: dict[str, Node] | None = None, target: str | None = None
    ) -> Node:
        above, _, name = path.rpartition("/")
        into = self._get(above)
        if self._find(path) is not None or into.children is None or into.deleting:
            raise FileExistsError(errno.EEXIST, "it is there, or cannot be", path)
        node = Node(name, children=children, target=target)
        self._hang(node, into)
        self._tell(node, ADDED)
        return node

    def _hang(self, node: Node, into: Node) -> None:
        assert into.children is not None
        node.parent = into
        into.children[node.name.casefold()] = node

    def _cut(self, node: Node) -> None:
        assert node.parent is not None
        assert node.parent.children is not None
        del node.parent.children[node.name.casefold()]

    def _unlink(self, node: Node) -> None:
        self._tell(node, REMOVED)
        self._cut(node)
        node.gone, node.deleting = True, False

    # --- what it tells ---

    def _handles(self) -> list[Open]:
        return list(self._open.values())

    def _tell(self, node: Node, action: int) -> None:
        self._tell_one(node, action)
        if action in (ADDED, REMOVED) and node.parent is not None and node.parent.parent:
            self._tell_one(node.parent, MODIFIED)  # a directory was written to

    def _tell_one(self, node: Node, action: int) -> None:
        parts = [node.name]
        for above in node.above():
            for open_ in self._handles():
                heard = open_.subtree or len(parts) == 1
                if open_.node is above and open_.size and heard:
                    self._keep(open_, (action, "/".join(parts)))
                    if action != RENAMED_OLD or self.splits:
                        self._flush(open_)
            parts.insert(0, above.name)

    def _keep(self, open_: Open, *records: tuple[int, str]) -> None:
        for record in records:
            open_.queue.append(encode([record]))
            open_.kept += len(open_.queue[-1])
        if open_.kept > open_.size:
            open_.overflowed = True
        if open_.overflowed:
            open_.queue.clear()
            open_.kept = 0

    def _flush(self, open_: Open) -> None:
        if open_.pending and not self.deaf and (open_.queue or open_.overflowed):
            data = chain(open_.queue)
            open_.queue.clear()
            open_.kept, open_.overflowed = 0, False
            self._complete(open_, data, 0)

    def _complete(self, open_: Open, data: bytes, error: int) -> None:
        address, open_.pending = open_.pending, 0
        request = self._lent[address]()
        assert request is not None, self._fault("memory freed while a request was under way")
        ctypes.memmove(request.buffer, data, len(data))
        self._put(open_.port, Completion(open_.key, address, len(data), error))

    def _put(self, port: int, completion: Completion) -> None:
        with self._ready:
            self._ports[port].append(completion)
            self._ready.notify_all()

    # --- what it holds against its user ---

    def _at(self, handle: int) -> Open:
        assert handle in self._open, self._fault(f"handle {handle:#x} is not open")
        return self._open[handle]

    def _freed(self, address: int) -> None:
        if address in self._lent:
            self._fault("memory freed while a request was under way")

    def _fault(self, what: str) -> str:
        self.faults.append(what)
        return what

    def check_clean(self) -> None:
        """Assert that nothing was done against the rules, and nothing is left open."""
        assert self.faults == []
        assert not self._open, f"still open: {[open_.node.path for open_ in self._handles()]}"
        assert not self._ports, "a port is still open"
        assert self.deaf or not self._lent, "requests are still under way"


def _is_in(path: str, volume: str) -> bool:
    folded, volume = path.casefold(), volume.casefold()
    return folded == volume or folded.startswith(f"{volume}/")
