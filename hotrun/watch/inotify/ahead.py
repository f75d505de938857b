"""Watching ahead: a big tree is watched by processes beside us while we are still starting.

A fork shares the inotify instance, and whoever sets a watch, its wd is the same. (A thread would
not do: after each call it waits for an interpreter that is importing.)
Law: what was done ahead counts only where it began in the very directory that is watched now;
what could not be done, or all of it after an early end, is walked as if nobody had been there.
"""

from __future__ import annotations

import contextlib
import fcntl
import marshal
import os
from typing import IO, TYPE_CHECKING

from hotrun.watch.inotify import libc
from hotrun.watch.inotify.planting import Planting
from hotrun.watch.inotify.tree import Node, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotrun.watch.scope import Scope

    # Directories and their wds, those that need a walk, and what is to come after these.
    Batch = tuple[list[tuple[str, int]], list[str], int]

MORE, BOTH, LAST = 0, 1, 2  # batches to come: another; from now on by the other pipe too; none
FEW = 300  # directories; a fork, and the memory shared until one writes to it, takes 3 ms
BATCH = 250  # directories, 3 ms; after the first another process takes half of the rest
ROOM = 1 << 20  # bytes in a pipe, 10,000 directories: nobody reads while all is imported
LENGTH = 4  # bytes, before each batch


class Ahead:
    """All below a directory, watched by now or while others are at work.

    To be made before there are threads, for it may fork.

    Args:
        fd: The inotify instance.
        scope: What is skipped.
        path: The directory.
        wd: Its watch.

    Raises:
        OSError: no process is to be had.
    """

    def __init__(self, fd: int, scope: Scope, path: str, wd: int) -> None:
        self.path = path
        self.wd = wd
        self._fd = fd
        self._scope = scope
        self._tree = Tree()
        self._left: list[str] = []
        self._planting = Planting(fd, scope, self._tree, lambda path, _: self._left.append(path))
        self._is_all = False
        self._pid = 0  # of the process that we forked
        self._pipes: list[IO[bytes]] = []
        nodes = [Node(path, wd)]
        goes_on = any(len(self._tree) > FEW for _ in self._planting.steps(nodes, self._left))
        self._first = self._take(MORE if goes_on else LAST)
        if goes_on:
            self._fork(nodes)

    def _fork(self, nodes: list[Node]) -> None:
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as undo:
            undo.callback(self.close)
            pipes = []
            for _ in range(2):
                reader, writer = os.pipe()
                self._pipes.append(open(reader, "rb"))  # noqa: SIM115 - see close
                pipes.append(theirs.enter_context(open(writer, "wb")))
                with contextlib.suppress(OSError):  # more than the user may have
                    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, ROOM)
            self._pid = os.fork()
            if self._pid == 0:
                try:
                    _let_go_of_all_but(self._fd, *(pipe.fileno() for pipe in pipes))
                    self._go_on(nodes, *pipes)
                finally:
                    os._exit(0)
            undo.pop_all()

    # --- in the other processes ---

    def _go_on(self, nodes: list[Node], pipe: IO[bytes], spare: IO[bytes] | None = None) -> None:
        """Watch what is below these directories, and say so; with a spare pipe not all alone."""
        other = 0
        try:
            for _ in self._planting.steps(nodes, self._left):
                if len(self._tree) < BATCH:
                    continue
                _send(pipe, self._take(BOTH if spare is not None else MORE))
                if spare is not None:
                    other = self._share(nodes, pipe, spare)
                    spare = None
            _send(pipe, self._take(LAST))
        finally:  # also when nobody reads any more
            if other:
                os.waitpid(other, 0)

    def _share(self, nodes: list[Node], pipe: IO[bytes], spare: IO[bytes]) -> int:
        """Let another process take half of the rest; what is above that has been told."""
        half = nodes[::2]
        other = os.fork()
        if other == 0:
            try:
                pipe.close()  # nobody would see it end, should the first process be killed
                self._go_on(half, spare)
            finally:
                os._exit(0)
        spare.close()
        del nodes[::2]
        return other

    def _take(self, then: int) -> Batch:
        nodes = self._tree.by_path
        batch = [(node.path, node.wd) for node in nodes.values()], [*self._left], then
        nodes.clear()
        self._left.clear()
        return batch

    # --- in ours ---

    def plant(self, tree: Tree) -> list[str]:
        """Put what is watched into a tree that holds the directory itself.

        Returns:
            Directories that need a walk.
        """
        by_path, left = tree.by_path, list[str]()
        for batch, walked, _ in self._batches():
            left += walked
            for path, wd in batch:
                if path in by_path:
                    left.append(path)
                else:
                    tree.plant(path, wd, by_path[path.rpartition("/")[0] or "/"])
        return left if self._is_all else [self.path]

    def undo(self, tree: Tree) -> None:
        """End the watches, but for those of a tree: it is another directory by now."""
        for batch, _, _ in self._batches():
            for _, wd in [(self.path, self.wd), *batch]:
                if wd not in tree.by_wd:
                    libc.remove_watch(self._fd, wd)

    def _batches(self) -> Iterator[Batch]:
        """Yield what was done, of both in turns: neither is to wait for room in its pipe."""
        yield self._first
        pipes = self._pipes[:1]
        while pipes and not self._scope.closing:
            pipe = pipes.pop(0)
            batch = _receive(pipe)
            if batch is None:  # somebody was killed
                return
            yield batch
            pipes += {MORE: [pipe], BOTH: self._pipes, LAST: []}[batch[2]]
        self._is_all = not pipes

    def close(self) -> None:
        """Let go of the others: they end when they are done, or cannot tell any more."""
        for pipe in self._pipes:
            pipe.close()
        if self._pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pid, 0)


def _send(pipe: IO[bytes], batch: Batch) -> None:
    data = marshal.dumps(batch)
    pipe.write(len(data).to_bytes(LENGTH, "big") + data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Batch | None:
    """Wait for what is sent; None when nothing comes, or half of it."""
    length = int.from_bytes(pipe.read(LENGTH), "big")
    data = pipe.read(length)
    return marshal.loads(data) if length and len(data) == length else None  # noqa: S302 - ours


def _let_go_of_all_but(*kept: int) -> None:
    """Close what only we may hold open: others wait for the end of our pipes and sockets."""
    for name in os.listdir("/dev/fd"):
        if int(name) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(name))
