"""What was told of the trees, kept like the disk: names that come, go and move.

Law: a name that is new is a move if its inode has left the place it was told at, and only then;
where two names could have been exchanged, what stood in the way is told to be gone first. So
whoever replays the events in their order has what is on the disk, if a RENAME puts what is below
a path aside until a CREATE says where it is (or for ever).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hotrun.watch.event import Event, Item, Op
from hotrun.watch.kqueue.nodes import Kind, Listed, Node, Tree
from hotrun.watch.kqueue.watches import Watches, look, look_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from hotrun.watch.kqueue.calls import Kernel, Limit
    from hotrun.watch.kqueue.nodes import Identity
    from hotrun.watch.scope import Scope

MOVE_HOLD = 0.05  # seconds; the directory a name came to is noted later than the one it left


class _Left(NamedTuple):
    """What is known of a node whose name is gone, and that has not arrived anywhere yet."""

    top: Node  # of its old place
    until: float


class Told:
    """The nodes, and how they come to their places and leave them.

    Attributes:
        dirty: Directories to list.
        doubted: What is at the path of a root may be something else.
        left: Nodes that may be on their way elsewhere.
        links: Links below roots that are followed as roots are; whether what is there when they
            are first followed is to be told.
        gone: Nodes that a listing did not show: by directory and name, for they may yet move.
        coming: Inodes of names that are new, and not taken in yet.
        there: Roots that were told, or found, to exist; whether as directories.
    """

    def __init__(
        self,
        kernel: Kernel,
        scope: Scope,
        say: Callable[[Item], None],
        limit: Limit,
    ) -> None:
        self.tree = Tree()
        self.watches = Watches(kernel, self.tree, scope, say, limit)
        self._kernel = kernel
        self._notes = kernel.notes
        self._scope = scope
        self._say = say
        self.dirty: dict[Node, None] = {}
        self.doubted = False
        self.left: dict[Node, _Left] = {}
        self.links: dict[str, bool] = {}
        self.gone: dict[Node, tuple[Node, str]] = {}
        self.coming: set[Identity] = set()
        self.there: dict[str, bool] = {}

    # --- where to look ---

    def suspect(self, node: Node) -> None:
        """Find out what the notes of a node say of names."""
        notes = node.notes
        unlisted = notes & self._notes.attrib and node in self.watches.rounds
        if node.watched and (notes & self._notes.names or unlisted):
            self.dirty[node] = None
        if notes & self._notes.away:
            self.doubt(node)
        if notes & self._notes.revoke:  # its descriptor is dead, though it may still be there
            self.leave(node)

    def doubt(self, node: Node) -> None:
        """What is at the path of a node may be something else: who tells of it is to be asked."""
        if node.parent is None:
            self.doubted = True
        elif node.parent.watched:
            self.dirty[node.parent] = None

    def live(self, nodes: Iterable[Node]) -> list[Node]:
        """Of directories return those that are watched, in their places."""
        return [node for node in nodes if node.watched and self.tree.holds(node)]

    # --- coming ---

    def arrive(self, parent: Node, name: str, entry: Listed) -> None:
        """Take in a name that a listing shows for the first time."""
        occupant = parent.children.get(name)
        if occupant is not None:
            self.leave(occupant)
        mover = self._mover(parent, name, (parent.identity[0], entry.ino), entry)
        if mover is not None:
            self._move(mover, parent, name, entry)
        elif not self._adopt(parent, name, entry):
            node = Node(name, entry)
            self.tree.attach(node, parent, name)
            self.hold(node, report=True)
            if node.path not in self.there:  # as a root that is a link, when it was followed
                self._say_created(node)

    def arrive_at_top(self, root: Node, identity: Identity, *, report: bool, told: bool) -> None:
        """Take in a root, or a link that is followed, that no watched directory holds.

        Args:
            root: It, with its path as its name.
            identity: What it is, or leads to.
            report: Tell of it, and of all that is in it.
            told: A listing tells of the link itself.
        """
        if report and not root.linked:
            mover = self._mover(None, root.name, identity, root.listed)
            if mover is not None:
                self._move(mover, None, root.name, root.listed)
                return
        self.tree.attach(root, None, root.name)
        self.tree.identify(root, identity)
        self.hold(root, report=report)
        if report and not told:
            self._say_created(root)

    def hold(self, node: Node, *, report: bool) -> None:
        """Watch what is wanted; of a directory tell what is in it, or take it in silently."""
        if node.kind is Kind.LINK:
            self._follow(node, report=report)
        elif self.watches.wanted(node) and self.watches.hold(node):
            if report:
                self.dirty[node] = None
            else:
                self._fill(node)

    def _fill(self, top: Node) -> None:
        stack = [top]
        while stack and not self._scope.closing:
            directory = stack.pop()
            for name, entry in (self.watches.list(directory) or {}).items():
                if self._adopt(directory, name, entry):
                    continue
                node = Node(name, entry)
                self.tree.attach(node, directory, name)
                if node.kind is not Kind.DIRECTORY:
                    self.hold(node, report=False)
                elif self.watches.wanted(node) and self.watches.hold(node):
                    stack.append(node)

    def _adopt(self, parent: Node, name: str, entry: Listed) -> bool:
        """Put a root that had no watched directory above it below the one it has now."""
        path = f"{parent.path.rstrip('/')}/{name}"
        node = self.tree.tops.get(path)
        if node is None or node.linked:
            return False
        if (node.kind, *node.identity) != (entry.kind, parent.identity[0], entry.ino):
            self.leave(node)
            return False
        self.tree.detach(node)
        node.listed = entry
        self.tree.attach(node, parent, name)
        return True

    def _follow(self, node: Node, *, report: bool) -> None:
        above, path = node.parent, node.path
        if self._scope.follow_symlinks and above and self._scope.descends(above.path):
            self.links.setdefault(path, report)
        self.doubted |= path in self.links or path in self._scope.roots

    # --- moving ---

    def _mover(
        self, parent: Node | None, name: str, identity: Identity, entry: Listed
    ) -> Node | None:
        """Return the node that a new name stands for, if that has left its old place."""
        twins = self.tree.twins(identity)
        if not twins:
            return None
        path = name if parent is None else f"{parent.path.rstrip('/')}/{name}"
        found = [
            node
            for node in twins
            if (node.kind, node.listed.stamp) == (entry.kind, entry.stamp)
            and not node.linked
            and not node.is_above(parent)
            and self._has_left(node)
            and node.path != path  # what is back where it was is told like what is new
        ]
        # One tree under two names, by a link that is a root too, moves under each of them.
        near = [node for node in found if parent is not None and self._origin(node) is parent.top]
        return next(iter(near or found), None)

    def _origin(self, node: Node) -> Node:
        return self.left[node].top if node in self.left else node.top

    def _has_left(self, node: Node) -> bool:
        # Known from a listing: where case does not count, ``a`` can be found though it is ``A``.
        if node in self.left or node in self.gone:
            return True
        if not self.tree.holds(node):  # below what has left, and gone with it
            return False
        found = look(node)
        return found is None or (found.st_dev, found.st_ino) != node.identity

    def _move(self, node: Node, parent: Node | None, name: str, entry: Listed) -> None:
        """Hang a node under its new name, with all below it."""
        old = node.path
        if self.left.pop(node, None) is None:
            self._say_gone(node, Op.RENAME)
            if node.parent is not None:  # it may not have been listed
                self.dirty[node.parent] = None
            self.tree.detach(node)
        node.listed = entry
        self.tree.attach(node, parent, name)
        self._say_created(node, old)
        self._bring_roots(node)
        self.review(node, report=True)
        for each in node.subtree():
            if each.notes:
                self.suspect(each)
            if each.watched and each in self.watches.rounds:  # not found by its old path
                self.dirty[each] = None

    # --- leaving ---

    def leave(self, node: Node) -> None:
        """Tell that a name is gone; of a directory that was removed all that was in it first."""
        stack = [(node, False)]
        while stack:
            each, below_is_told = stack.pop()
            op = self._fate(each)
            if op is Op.REMOVE and each.children and not below_is_told:
                stack.append((each, True))
                stack += [(child, False) for child in reversed(each.children.values())]
                continue
            top = each.top
            self._say_gone(each, op)
            self.tree.detach(each)
            if op is Op.RENAME:
                self.left[each] = _Left(top, self._kernel.now() + MOVE_HOLD)
            else:
                self.watches.drop(each)

    def leave_gone(self) -> None:
        """Tell of the names that are gone, and that no other name was found to be a rename of."""
        gone, self.gone = self.gone, {}
        for node, (directory, name) in gone.items():
            in_place = directory.children.get(name) is node
            if in_place and directory.watched and self.tree.holds(node):
                self.leave(node)

    def leave_link(self, top: Node, *, told: bool) -> None:
        """A link that is followed leads elsewhere, or nowhere.

        Args:
            top: What it led to.
            told: A listing tells of the link itself.
        """
        if told:
            for child in tuple(top.children.values()):
                self.leave(child)
        else:
            self._say_gone(top, Op.REMOVE)
        self.cut(top)

    def _fate(self, node: Node) -> Op:
        """Tell from an inode whether its name was removed or renamed."""
        notes = node.notes
        if node.fd < 0:
            return Op.RENAME if node.identity in self.coming else Op.REMOVE
        found = look_inside(node)
        if found is None or found.st_nlink == 0 or notes & self._notes.revoke:
            return Op.REMOVE
        # APFS leaves a removed directory the link count that it had (bazelbuild/sandboxfs#96);
        # a file may have another link.
        ends = self._notes.delete if node.is_directory else self._notes.delete | self._notes.link
        renamed = notes & self._notes.rename and not node.is_directory
        return Op.REMOVE if notes & ends and not renamed else Op.RENAME

    def _say_gone(self, node: Node, op: Op) -> None:
        path = node.path
        if node.is_directory:
            self._leave_inner(path)
        self.gone.pop(node, None)
        self.there.pop(path, None)
        self._say(Event(path, op, None, node.is_directory))
        if op is Op.RENAME and node.children:
            self._take_roots(path)
        # A root may have gone with a directory, or with a link.
        self.doubted |= node.is_directory or path in self._scope.roots
        if self.links:
            below = f"{path}/"
            self.drop_links([link for link in self.links if f"{link}/".startswith(below)])

    def _leave_inner(self, path: str) -> None:
        """Tell that roots that stand for themselves below a directory go with it.

        Such a root may be newer than the end of the directory, if that was replaced while roots
        were compared: it is found again, and told again, afterwards.
        """
        inner = [each for each in self.tree.tops if each.startswith(f"{path}/")]
        for top in [self.tree.tops[each] for each in sorted(inner, reverse=True)]:
            if top.path in self._scope.roots and self.tree.holds(top):
                if top.linked:
                    self.leave_link(top, told=False)
                else:
                    self.leave(top)

    def _take_roots(self, path: str) -> None:
        """Tell of roots that moved away with the directory that held them, and so are gone."""
        for root in [each for each in self.there if each.startswith(f"{path}/")]:
            self._say(Event(root, Op.REMOVE, None, self.there.pop(root)))

    def _bring_roots(self, node: Node) -> None:
        """Roots that came along with a directory are there."""
        for root in self._below(node, self._scope.roots):
            found = self.tree.find(root)
            if found is not None:
                self.there[root] = found.is_directory

    def _say_created(self, node: Node, renamed_from: str | None = None) -> None:
        path = node.path
        if path in self._scope.roots:
            self.there[path] = node.is_directory
        self._say(Event(path, Op.CREATE, renamed_from, node.is_directory))

    def drop_links(self, links: Iterable[str]) -> None:
        """Cease to follow links."""
        for link in links:
            del self.links[link]
            top = self.tree.tops.get(link)
            if top is not None and link not in self._scope.roots:
                self.cut(top)

    def let_go(self) -> None:
        """What was moved out of all trees falls silent."""
        now = self._kernel.now()
        for node, left in list(self.left.items()):
            # Without a descriptor its inode's number may stand for something else by now.
            if now >= left.until or node.fd < 0:
                del self.left[node]
                self.watches.drop(node)

    # --- when something else is asked for ---

    def review(self, top: Node, *, report: bool) -> None:
        """Watch what is wanted at and below a node, and nothing else."""
        stack = [top]
        while stack and not self._scope.closing:
            node = stack.pop()
            if node.kind is Kind.LINK:
                self._follow(node, report=report)
            elif not self.watches.wanted(node):
                self._unwatch(node)
            elif node.watched:
                stack.extend(node.children.values())
            else:
                self.hold(node, report=report)

    def _unwatch(self, node: Node) -> None:
        self._promote(node)
        for child in tuple(node.children.values()):
            self.tree.detach(child)
            self.watches.drop(child)
        self.watches.release(node)

    def cut(self, top: Node) -> None:
        """Forget a root's node and all below it, except for other roots; nothing is told."""
        self._promote(top)
        self.tree.detach(top)
        self.watches.drop(top)

    def _promote(self, node: Node) -> None:
        """Roots below a directory that is no longer watched stand for themselves."""
        below = self._below(node, self._scope.roots)
        for root in sorted(below, key=len):
            inner = self.tree.find(root)
            if inner is not None and inner is not node and node.is_above(inner):
                self.tree.detach(inner)
                self.tree.attach(inner, None, root)
                self.doubted = True

    def _below(self, node: Node, paths: Collection[str]) -> list[str]:
        path = node.path.rstrip("/")
        return [each for each in paths if each.startswith(f"{path}/")] if node.children else []
