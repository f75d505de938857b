"""Which names have a descriptor, and what serves those for which there is none left.

Law: a directory is registered first and listed then, so nothing is lost between its birth and
our hearing of it; and it is listed by its path, for a descriptor of macOS' O_EVTONLY cannot be
read, but only if that path still leads to what is registered.

A descriptor's number tells how many the process has: the kernel gives the lowest that is free.
Beyond 80 % of the limit files get none: their directories still tell of each atomic save, and a
slow poll of writes in place. Beyond 95 % directories are polled too; the rest is for the work
this process is there for.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from hotrun.watch.event import Item, Polled, Unwatched
from hotrun.watch.kqueue.calls import open_node
from hotrun.watch.kqueue.nodes import ROUND, Kind, Listed, Node, Rounds, State, Tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.watch.kqueue.calls import Kernel, Limit
    from hotrun.watch.scope import Scope

FILES = 80  # per cent of the limit,
DIRECTORIES = 95
ENOUGH = 10_240  # descriptors; the most that macOS allows without a change of its settings

_USED_UP = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
# Gone before we came, or another kind of file by now: the listing of the directory above tells.
# With O_NOFOLLOW a link is ELOOP, on FreeBSD EMLINK, on NetBSD EFTYPE; a socket is ENXIO.
_GONE = (
    *(errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.EOPNOTSUPP),
    getattr(errno, "EFTYPE", errno.ENOENT),
)


class Watches:
    """The descriptors of a tree.

    Args:
        kernel: Where they are registered.
        tree: Whose nodes are given descriptors.
        scope: What is asked for.
        say: Takes what cannot be watched.
        limit: How many descriptors this process may have.

    Attributes:
        rounds: The nodes that are polled: files and directories without descriptor, and
            directories that could not be opened or listed.
    """

    def __init__(
        self, kernel: Kernel, tree: Tree, scope: Scope, say: Callable[[Item], None], limit: Limit
    ) -> None:
        self._kernel = kernel
        self._tree = tree
        self._scope = scope
        self._say = say
        self._limit = limit
        self._unreadable: set[str] = set()
        self._short: set[Node] = set()  # without descriptor because of the limit
        self._told: set[str] = set()  # of these roots it was said
        self.rounds = Rounds()

    def wanted(self, node: Node) -> bool:
        """Whether a node is to be heard of by more than its name."""
        path, scope = node.path, self._scope
        if node.kind is Kind.DIRECTORY:
            above = node.parent
            asked = above is None or path in scope.roots or scope.descends(above.path)
            return asked and not scope.skips(path)
        return node.kind is Kind.FILE and (path in scope.roots or scope.wants(path))

    def hold(self, node: Node) -> bool:
        """Give a node that is wanted a descriptor; True: a directory that was not watched yet."""
        before, directory = node.watched, node.is_directory
        if node.fd >= 0:
            return False
        node.lost = False
        try:
            fd = open_node(node.path, directory=directory, follow=node.parent is None)
        except OSError as error:
            if error.errno == errno.EMFILE and self._limit.lift():
                return self.hold(node)
            self._cannot(node, error)
        else:
            self._keep(node, fd)
        return node.watched and not before

    def _keep(self, node: Node, fd: int) -> None:
        found = os.fstat(fd)
        is_kind = stat.S_ISDIR if node.is_directory else stat.S_ISREG
        if not is_kind(found.st_mode):  # a fifo, say, that has just taken the place of a file
            os.close(fd)
            node.lost = True
            return
        few = DIRECTORIES if node.is_directory or node.parent is None else FILES
        if fd >= self._limit.now * few // 100:
            os.close(fd)
            self._poll(node, found)
            return
        self._settle(node, found)
        try:
            number = self._kernel.register(fd, self._kernel.notes.all)
        except OSError:  # no events on this filesystem
            os.close(fd)
            self._poll(node, found)
            return
        node.fd = fd
        self._tree.enter(node, number)
        self.rounds.discard(node)
        self._short.discard(node)

    def _settle(self, node: Node, found: os.stat_result) -> None:
        """Set what is known of a node that is heard or polled from now on."""
        node.state = State.of(found)
        node.watched = node.is_directory
        self._tree.identify(node, (found.st_dev, found.st_ino))
        # Replaced since it was listed; but where something is mounted the listing does not show
        # the inode that is to be seen there.
        if node.parent is not None and node.parent.identity[0] == found.st_dev:
            node.listed = node.listed._replace(ino=found.st_ino)

    def _poll(self, node: Node, found: os.stat_result) -> None:
        if node.state is None:
            self._settle(node, found)
        self._short.add(node)
        self.rounds.add(node, self._kernel.now())

    def _cannot(self, node: Node, error: OSError) -> None:
        path = node.path
        if error.errno in _GONE:
            node.lost = True
            self._unreadable.discard(path)
            return
        found = look(node)
        if error.errno in _USED_UP and found is not None:
            self._poll(node, found)
            return
        if node.is_directory:
            self._say_unwatched(path, error)
        elif found is not None:
            node.state = State.of(found)
        self.rounds.add(node, self._kernel.now())  # it may be opened to us without a word

    def _say_unwatched(self, path: str, error: OSError) -> None:
        if path not in self._unreadable:
            self._unreadable.add(path)
            self._say(Unwatched(path, error))

    def list(self, node: Node) -> dict[str, Listed] | None:
        """Return what is in a directory; None when it cannot be listed, or is not there."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK
        path = node.path
        try:
            fd = os.open(path, flags if node.parent is None else flags | os.O_NOFOLLOW)
            try:
                return self._listing(node, fd)
            finally:
                os.close(fd)
        except OSError as error:
            if error.errno not in _GONE and error.errno not in _USED_UP:
                self._say_unwatched(path, error)
        self.rounds.add(node, self._kernel.now())
        return None

    def _listing(self, node: Node, fd: int) -> dict[str, Listed]:
        found = os.fstat(fd)
        if (found.st_dev, found.st_ino) != node.identity:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        with os.scandir(fd) as entries:
            # The order of a disk is an accident: events come in that of the names.
            listing = {each.name: _listed(each) for each in sorted(entries, key=_name)}
        self._unreadable.discard(node.path)
        if node.fd < 0:
            node.state = State.of(found)
        elif node in self.rounds:
            self.rounds.discard(node)
        return listing

    def release(self, node: Node) -> None:
        """Take a node's descriptor away; its name is still known."""
        if node.fd >= 0:
            os.close(node.fd)
            node.fd = -1
        self._tree.mute(node)
        self.rounds.discard(node)
        self._short.discard(node)
        node.watched, node.state = False, None

    def drop(self, node: Node) -> None:
        """Forget a node that has no place any more, and all below it."""
        for each in node.subtree():
            self.release(each)
            self._tree.forget(each)

    def say_polled(self) -> None:
        """Say once of each root that the limit has been met below it."""
        tops = {node.top.path for node in self._short} if self._short else set()
        for root in sorted(tops - self._told):
            self._told.add(root)
            self._say(self._polled(root))

    def _polled(self, root: str) -> Polled:
        short = [node for node in self._short if node.top.path == root]
        most = self._limit.now
        files = sum(not node.is_directory for node in short)
        directories = {node if node.is_directory else node.parent for node in short}
        hint = (
            f"raise the limit with `ulimit -n {ENOUGH}` in the shell that starts hotrun"
            if most < ENOUGH
            else "exclude big directories"
        )
        limit = f"kqueue needs a descriptor for each file, and this process may have {most}"
        why = f"{limit}: writes to {files} files are looked for every {ROUND:g} s or slower"
        return Polled(root, len(directories), why, hint)


def look(node: Node) -> os.stat_result | None:
    """Return what is at a node's path; a root that is a link is followed."""
    try:
        return os.stat(node.path, follow_symlinks=node.parent is None)
    except OSError:
        return None


def look_inside(node: Node) -> os.stat_result | None:
    """Return what a node's descriptor is of; None when that was taken away (an unmount)."""
    try:
        return os.fstat(node.fd)
    except OSError:
        return None


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _listed(entry: os.DirEntry[str]) -> Listed:
    if entry.is_symlink():
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError:  # gone since
            return Listed(entry.inode(), Kind.LINK)
        return Listed(entry.inode(), Kind.LINK, found.st_mtime_ns)
    if entry.is_dir(follow_symlinks=False):
        return Listed(entry.inode(), Kind.DIRECTORY)
    return Listed(entry.inode(), Kind.FILE if entry.is_file() else Kind.OTHER)
