"""The watches of one inotify instance, kept like the disk.

Law: a directory is watched first and listed then, so nothing is lost between its birth and our
hearing of it. An event only says where to look: ``walk`` makes the watches at and below a path
what the disk is by now, whatever happened in which order.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

from hotrun.watch.event import LOOKS, Event, Item, Op, Unwatched
from hotrun.watch.inotify import libc, wire
from hotrun.watch.inotify.ahead import Ahead
from hotrun.watch.inotify.planting import MASK, Planting
from hotrun.watch.inotify.tree import Node, Tree
from hotrun.watch.limits import USED_UP, LimitError

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from hotrun.watch.scope import Scope

    StandIn = Callable[[str, OSError, bool], None]

_LOOKS = {
    Op.OPEN: wire.IN_OPEN,
    Op.READ: wire.IN_ACCESS,
    Op.CLOSE_READ: wire.IN_CLOSE_NOWRITE,
}
# Gone before we came, or no directory any more: its end was or will be reported.
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Watches:
    """Which directories are watched, and how they come to be.

    Args:
        fd: The inotify instance.
        scope: What was asked for.
        anchors: The directories that roots begin in; of these a link is followed, and no
            listing of the directory above makes them go.
        say: Takes what a walk finds.
        stand_in: Takes a directory for which the kernel has no watch left, why, and whether
            what is in it is new.

    Attributes:
        tree: The directories that are watched.
        unreadable: Those that cannot be.
        lost: Anchors of files that a walk found to have ended.
    """

    def __init__(
        self,
        fd: int,
        scope: Scope,
        anchors: Container[str],
        say: Callable[[Item], None],
        stand_in: StandIn,
    ) -> None:
        self._fd = fd
        self._scope = scope
        self._anchors = anchors
        self._say = say
        self._stand_in = stand_in
        self.tree = Tree()
        self._planting = Planting(fd, scope, self.tree, self._cannot)
        self._ahead: Ahead | None = None
        self.unreadable: set[str] = set()
        self.lost: set[str] = set()

    def walk(self, top: str, *, report: bool) -> None:
        """Watch a directory and all below it, and forget what is no longer there.

        Args:
            top: It need not exist.
            report: Say that what was not watched before, and all in it, was created.

        What the limits forbid to watch is handed to ``stand_in``, and not walked.
        """
        linked = self._follows(top)
        stack = [(top, False, linked)]
        links: list[tuple[str, bool, bool]] = []
        while (stack or links) and not self._scope.closing:
            # Links last: a directory that is also to be had without one keeps its own name.
            directory, told_by_nobody, linked = stack.pop() if stack else links.pop()
            known = self.tree.by_path.get(directory)
            try:
                node = self._watch(directory, known, linked=linked)
                if known is not None and node is not known:
                    self._lose(directory)
                if node is None:
                    self.forget(directory)
                    continue
                new = report and node is not known
                if new and known is not None and not linked:
                    # What was told to be here is not: it was another one that moved.
                    self._say(Event(directory, Op.REMOVE, None, directory=True))
                    told_by_nobody = True
                if new and told_by_nobody:
                    self._say(Event(directory, Op.CREATE, None, directory=True))
                if node is not known and not report and self._may_plant(directory, linked):
                    stack += [(path, False, False) for path in self._plant(node)]
                    continue
                below, found = self._list(node, report=new)
                self._add_looks(node)
            except LimitError as limit:
                self._stand_in(directory, limit.error, report)
                continue
            stack += [(path, report and not new, linked) for path in below]
            links += [(path, False, True) for path in found]

    def begin(self, top: str) -> None:
        """Watch all below a directory ahead of the walk that comes to it; it may fork."""
        if (
            self._ahead is not None
            or self._scope.follow_symlinks
            or self._scope.skips(top)
            or len(os.sched_getaffinity(0)) == 1  # nothing runs beside anything
        ):
            return
        with contextlib.suppress(OSError):  # the walk finds out why, and says so
            wd = libc.add_watch(self._fd, top, MASK | wire.IN_ONLYDIR)
            self._ahead = Ahead(self._fd, self._scope, top, wd)

    def end_ahead(self) -> None:
        """Undo what was done ahead, and no walk came to: it is about another directory."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.undo(self.tree)
            ahead.close()

    def _plant(self, node: Node) -> list[str]:
        """Watch all below a new directory, and return what needs a walk."""
        ahead = self._ahead
        if ahead is None or (ahead.path, ahead.wd) != (node.path, node.wd):
            return self._planting.below(node)
        self._ahead = None
        try:
            return ahead.plant(self.tree)
        finally:
            ahead.close()

    def _lose(self, directory: str) -> None:
        """What served a root has ended, and nobody tells of it by another name."""
        if directory in self._anchors and not self._scope.covers(directory):
            self.lost.add(directory)

    def _may_plant(self, directory: str, linked: bool) -> bool:
        plain = not linked and not self._scope.follow_symlinks and not self._looks_at_all()
        return plain and self._scope.descends(directory)

    def _follows(self, top: str) -> bool:
        follows = self._scope.follow_symlinks and top not in self._anchors
        return follows and os.path.islink(top)

    def is_at(self, node: Node, path: str) -> bool:
        """Whether a watched directory is the one that stands under a path now."""
        try:
            wd = libc.add_watch(
                self._fd, path, MASK | wire.IN_ONLYDIR | wire.IN_DONT_FOLLOW | wire.IN_MASK_ADD
            )
        except OSError:
            return False
        if wd not in self.tree.by_wd:
            libc.remove_watch(self._fd, wd)
        return wd == node.wd

    def watch_file(self, path: str) -> None:
        """Watch what a link to a file leads to: that has its names elsewhere."""
        try:
            wd = libc.add_watch(self._fd, path, MASK)
        except OSError as error:
            if error.errno in USED_UP:
                self._stand_in(path, error, False)
            return
        known = self.tree.by_path.get(path)
        if known is None or known.wd != wd:
            self.forget(path)
            known = self.tree.hang(path, wd)
        self._add_looks(known)

    def _watch(self, directory: str, known: Node | None, *, linked: bool) -> Node | None:
        if self._scope.skips(directory):
            return None
        mask = MASK | wire.IN_ONLYDIR
        if not linked and directory not in self._anchors:
            mask |= wire.IN_DONT_FOLLOW
        try:
            wd = libc.add_watch(self._fd, directory, mask)
        except OSError as error:
            self._cannot(directory, error)
            # A watch outlives the permission to set it.
            return known if error.errno == errno.EACCES else None
        if self.unreadable:
            self.unreadable.discard(directory)
        if known is not None and known.wd == wd:
            self.tree.join(known)
            return known
        if linked and wd in self.tree.by_wd:
            return None  # each real directory once, and loops end
        node = self.tree.hang(directory, wd)
        if known is not None:  # afterwards: its subtree may hold the very wd
            self.drop(known)
        return node

    def _add_looks(self, node: Node) -> None:
        """Hear of mere looks too, where that was asked for; but not of our own listing."""
        if not self._looks_at_all():
            return
        ops = Op(0)
        for owner in self.tree.owners(node.wd):  # an inode has one mask
            ops |= self._scope.ops_in(owner.path)
        bits = sum(bit for op, bit in _LOOKS.items() if op & ops)
        if bits:
            with contextlib.suppress(OSError):  # gone: that is heard of
                libc.add_watch(self._fd, node.path, bits | wire.IN_MASK_ADD)

    def _looks_at_all(self) -> bool:
        return any(root.ops & LOOKS for root in self._scope.roots.values())

    def _list(self, node: Node, *, report: bool) -> tuple[list[str], list[str]]:
        """Return the directories in a directory, and the links that are to be followed.

        Args:
            node: Of the directory.
            report: Say of what is in it that it was created.
        """
        descends = self._scope.descends(node.path)
        if not (report or descends or node.children):
            return [], []
        below: list[str] = []
        links: list[str] = []
        follows = self._scope.follow_symlinks
        try:
            with os.scandir(node.path) as entries:
                for entry in entries:
                    is_directory = entry.is_dir(follow_symlinks=False)
                    if is_directory:
                        below.append(entry.path)
                    elif follows and entry.is_symlink() and os.path.isdir(entry.path):
                        links.append(entry.path)  # entry.is_dir() raises on a loop
                    if report:
                        self._say(Event(entry.path, Op.CREATE, None, is_directory))
        except OSError as error:
            self._cannot(node.path, error)
            return below, links
        self._forget_children(node, below + links)
        if descends:
            return below, links
        return [path for path in below if path in self._anchors], []

    def _forget_children(self, node: Node, there: Iterable[str]) -> None:
        if node.children:
            for path in {child.path for child in node.children}.difference(there):
                if path not in self._anchors:  # it may be a link, which no listing shows
                    self.forget(path)

    def _cannot(self, directory: str, error: OSError) -> None:
        if error.errno in USED_UP:
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

    def release(self, path: str) -> None:
        """End the watch on a directory, and not those below it."""
        node = self.tree.by_path.get(path)
        if node is not None:
            self.tree.orphan(node)
            self.drop(node)

    def drop(self, node: Node) -> None:
        """End the watches of a subtree, also of one that is on its way elsewhere."""
        for wd in self.tree.drop(node):
            libc.remove_watch(self._fd, wd)

    def renew(self) -> Tree:
        """Begin an empty tree; the old one is for ``end``."""
        before, self.tree = self.tree, Tree()
        self._planting.tree = self.tree
        return before

    def end(self, before: Tree) -> None:
        """End the watches of an old tree that the present one does not use."""
        for wd in before.by_wd.keys() - self.tree.by_wd.keys():
            libc.remove_watch(self._fd, wd)
