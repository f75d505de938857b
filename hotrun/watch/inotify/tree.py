"""Watch descriptors and paths: which directory a wd of the kernel stands for.

Pure: knows no kernel. A directory that moves takes its subtree along, so that events below it
carry the new paths; one inode under two names has one wd and two nodes. Fifty thousand
directories are no rarity, so a node without children has no set for them, and a wd with one
owner no list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_CHILDREN: set[Node] = set()  # shared: always empty


class Node:
    """One watched directory (or the file that a link given to ``add`` leads to)."""

    __slots__ = ("children", "parent", "path", "wd")

    def __init__(self, path: str, wd: int, parent: Node | None = None) -> None:
        self.path = path
        self.wd = wd
        self.parent = parent
        self.children: set[Node] = NO_CHILDREN

    def __repr__(self) -> str:
        return f"Node({self.path!r}, wd={self.wd}, {len(self.children)} children)"


class Tree:
    """All watched directories, by path and by wd."""

    def __init__(self) -> None:
        self.by_path: dict[str, Node] = {}
        self.by_wd: dict[int, Node] = {}
        self._also: dict[int, list[Node]] = {}  # further nodes of a wd

    def __len__(self) -> int:
        return len(self.by_path)

    def owners(self, wd: int) -> tuple[Node, ...]:
        """Return the nodes of a wd; none for one that was dropped."""
        first = self.by_wd.get(wd)
        if first is None:
            return ()
        return (first, *self._also[wd]) if wd in self._also else (first,)

    def hang(self, path: str, wd: int) -> Node:
        """Add a directory that is not in the tree, below its parent if that is."""
        node = Node(path, wd)
        self.by_path[path] = node
        if self.by_wd.setdefault(wd, node) is not node:
            self._also.setdefault(wd, []).append(node)
        self.join(node)
        return node

    def plant(self, path: str, wd: int, parent: Node) -> Node:
        """The same, for one that is known to be new below a parent that is in the tree."""
        self.by_path[path] = node = Node(path, wd, parent)
        if self.by_wd.setdefault(wd, node) is not node:
            self._also.setdefault(wd, []).append(node)
        if parent.children is NO_CHILDREN:
            parent.children = set()
        parent.children.add(node)
        return node

    def attach(self, node: Node, path: str) -> None:
        """Put a detached subtree under a name, with all paths below it."""
        old = len(node.path)
        for each in self.subtree(node):
            each.path = path + each.path[old:]
            self.by_path[each.path] = each
        self.join(node)

    def join(self, node: Node) -> None:
        """Tie a node to the one above it: that may have come later (a root in a root)."""
        above = node.path.rpartition("/")[0] or "/"
        parent = node.parent = None if above == node.path else self.by_path.get(above)
        if parent is not None:
            if parent.children is NO_CHILDREN:
                parent.children = set()
            parent.children.add(node)

    def detach(self, node: Node) -> None:
        """Take a subtree out of its place; its wds stay known, for it may be on its way."""
        if node.parent is not None:
            node.parent.children.discard(node)
            node.parent = None
        for each in self.subtree(node):
            if self.holds(each):
                del self.by_path[each.path]

    def holds(self, node: Node) -> bool:
        """Whether a node has its place: neither dropped nor on its way to another one."""
        return self.by_path.get(node.path) is node

    def orphan(self, node: Node) -> None:
        """Untie the nodes below one from it."""
        for child in node.children:
            child.parent = None
        node.children = NO_CHILDREN

    def drop(self, node: Node) -> list[int]:
        """Forget a subtree.

        Returns:
            The wds that no node uses any more: the kernel has to be told.
        """
        self.detach(node)
        return [each.wd for each in self.subtree(node) if self._disown(each)]

    def _disown(self, node: Node) -> bool:
        """Take a node from its wd; True when it was the last one."""
        owners = [each for each in self.owners(node.wd) if each is not node]
        if len(owners) == len(self.owners(node.wd)):
            return False
        self._also.pop(node.wd, None)
        if not owners:
            del self.by_wd[node.wd]
            return True
        self.by_wd[node.wd], *others = owners
        if others:
            self._also[node.wd] = others
        return False

    def subtree(self, node: Node) -> Iterator[Node]:
        """Yield the node and all below it."""
        stack = [node]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(node.children)
