"""The watches of one inotify instance, kept like the disk.

Law: a directory is watched first and listed then, so nothing is lost between its birth and our
hearing of it. An event only says where to look: ``walk`` makes the watches at and below a path
what the disk is by now, whatever happened in which order.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from hotrun.watch import libc
from hotrun.watch.event import Event, Item, Op, Unwatched
from hotrun.watch.limits import LimitError
from hotrun.watch.tree import Node, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Container

# Never ACCESS, OPEN or CLOSE_NOWRITE: a build reads everything. CLOSE_WRITE is needed because
# a write through mmap gives no MODIFY at all. One mask for all: the last one set for an inode
# replaces what a path before it asked for.
MASK = (
    libc.IN_MODIFY
    | libc.IN_ATTRIB
    | libc.IN_CLOSE_WRITE
    | libc.IN_MOVED_FROM
    | libc.IN_MOVED_TO
    | libc.IN_CREATE
    | libc.IN_DELETE
    | libc.IN_DELETE_SELF
    | libc.IN_MOVE_SELF
    | libc.IN_ONLYDIR
)
_USED_UP = (errno.ENOSPC, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
# Gone before we came, or no directory any more: its end was or will be reported.
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Watches:
    """Which directories are watched, and how they come to be.

    Args:
        fd: The inotify instance.
        skips: Tells of a directory whether it is never to be opened or watched.
        roots: The paths that were asked for; only of these a link is followed.
        say: Takes what a walk finds.
    """

    def __init__(
        self,
        fd: int,
        skips: Callable[[str], bool],
        roots: Container[str],
        say: Callable[[Item], None],
    ) -> None:
        self._fd = fd
        self._skips = skips
        self._roots = roots
        self._say = say
        self.tree = Tree()
        self.unreadable: set[str] = set()
        self.closing = False  # set by another thread: a walk under way ends

    def walk(self, top: str, *, report: bool) -> None:
        """Watch a directory and all below it, and forget what is no longer there.

        Args:
            top: It need not exist.
            report: Say that what was not watched before, and all in it, was created.

        Raises:
            LimitError: the kernel's limit of watches is used up.
        """
        stack = [(top, False)]
        while stack and not self.closing:
            directory, told_by_nobody = stack.pop()
            known = self.tree.by_path.get(directory)
            node = None if self._skips(directory) else self._watch(directory, known)
            if node is None:
                self.forget(directory)
                continue
            new = report and node is not known
            if new and told_by_nobody:
                self._say(Event(directory, Op.CREATE, None, directory=True))
            stack += [(path, report and not new) for path in self._list(node, report=new)]

    def _watch(self, directory: str, known: Node | None) -> Node | None:
        mask = MASK if directory in self._roots else MASK | libc.IN_DONT_FOLLOW
        try:
            wd = libc.add_watch(self._fd, directory, mask)
        except OSError as error:
            self._cannot(directory, error)
            # A watch outlives the permission to set it.
            return known if error.errno == errno.EACCES else None
        self.unreadable.discard(directory)
        if known is not None and known.wd == wd:
            self.tree.join(known)
            return known
        node = self.tree.hang(directory, wd)
        if known is not None:  # afterwards: its subtree may hold the very wd
            self.drop(known)
        return node

    def _list(self, node: Node, *, report: bool) -> list[str]:
        """Return the directories in a directory; report what is there as created."""
        below = []
        try:
            with os.scandir(node.path) as entries:
                for entry in entries:
                    is_directory = entry.is_dir(follow_symlinks=False)
                    if is_directory:
                        below.append(entry.path)
                    if report:
                        self._say(Event(entry.path, Op.CREATE, None, is_directory))
        except OSError as error:
            self._cannot(node.path, error)
            return below
        if node.children:
            gone = {child.path for child in node.children}.difference(below)
            for path in gone:
                if path not in self._roots:  # it may be a link, which no listing shows
                    self.forget(path)
        return below

    def _cannot(self, directory: str, error: OSError) -> None:
        if error.errno in _USED_UP:
            raise LimitError(error) from error
        if error.errno in _GONE:
            self.unreadable.discard(directory)
        elif directory not in self.unreadable:
            self.unreadable.add(directory)
            self._say(Unwatched(directory, error))

    def forget(self, path: str) -> None:
        """End the watches at and below a path."""
        node = self.tree.by_path.get(path)
        if node is not None:
            self.drop(node)

    def drop(self, node: Node) -> None:
        """End the watches of a subtree, also of one that is on its way elsewhere."""
        for wd in self.tree.drop(node):
            libc.remove_watch(self._fd, wd)

    def renew(self) -> Tree:
        """Begin an empty tree; the old one is for ``end``."""
        before, self.tree = self.tree, Tree()
        return before

    def end(self, before: Tree) -> None:
        """End the watches of an old tree that the present one does not use."""
        for wd in before.by_wd.keys() - self.tree.by_wd.keys():
            libc.remove_watch(self._fd, wd)
