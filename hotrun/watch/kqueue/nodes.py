"""What the descriptors of a kqueue stand for: names in directories, and what differs in them.

Pure: asks no kernel and no disk. kqueue speaks of inodes and never of names, so every name in a
watched directory is a node here, with a descriptor or without. Law: the tree is what was told;
a node comes to its place when a CREATE is said (or silently, while a root is armed), and leaves
it when a REMOVE or RENAME is.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    Identity = tuple[int, int]

ROUND = 1.0  # seconds in which all that is polled is looked at once,
SLICE = 250  # so many at a time: 250 lstat are 0.5 ms,
SHORTEST = 0.05  # and no oftener: below 2 % of a core however many there are


class Kind(Enum):
    """What a name is; the order in which arrivals are taken in."""

    DIRECTORY = 0
    FILE = 1
    OTHER = 2  # fifo, socket, device: never opened
    LINK = 3


class Listed(NamedTuple):
    """A name as the listing of its directory shows it."""

    ino: int
    kind: Kind
    stamp: int = 0  # of a link: its mtime_ns, for it has no descriptor that keeps its inode


class State(NamedTuple):
    """What tells apart the two meanings of NOTE_ATTRIB, and what a poll compares."""

    mode: int
    owner: tuple[int, int]
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> State:
        """Cut it out of a stat."""
        owner = (found.st_uid, found.st_gid)
        return cls(found.st_mode, owner, found.st_size, found.st_mtime_ns)

    def is_written(self, now: State) -> bool:
        """Whether the content may be another one."""
        return self[2:] != now[2:]

    def is_changed(self, now: State) -> bool:
        """Whether mode or owner is another one."""
        return self[:2] != now[:2]


class Node:
    """One name in a watched directory, or a root that no watched directory holds.

    Attributes:
        name: In its directory; of a node without one the whole path ("" is the path "/").
        parent: The directory; None for a root, and for what is on its way elsewhere.
        listed: As the listing last showed it. Its kind is also the node's.
        identity: (st_dev, st_ino) of what is at the path, links not followed except at a root.
        fd: -1: none.
        number: Which events are about it (``Kernel.register``); 0: none.
        notes: What they said since it was last looked at.
        watched: A directory whose entries are known and kept.
        linked: A root that is a link; the node is of what it leads to.
        lost: It was gone when it was to be opened; if it is listed again it is a new one.
        state: When last looked at; None without descriptor, unless polled.
        children: By name.
    """

    __slots__ = (
        "children",
        "fd",
        "identity",
        "linked",
        "listed",
        "lost",
        "name",
        "notes",
        "number",
        "parent",
        "state",
        "watched",
    )

    def __init__(self, name: str, listed: Listed) -> None:
        self.name = name
        self.parent: Node | None = None
        self.listed = listed
        self.identity: Identity = (0, 0)
        self.fd = -1
        self.number = 0
        self.notes = 0
        self.watched = self.linked = self.lost = False
        self.state: State | None = None
        self.children: dict[str, Node] = {}

    def __repr__(self) -> str:
        return f"Node({self.path!r}, {self.kind.name}, fd={self.fd})"

    @property
    def kind(self) -> Kind:
        """What it is."""
        return self.listed.kind

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory, or a root that leads to one."""
        return self.listed.kind is Kind.DIRECTORY

    @property
    def path(self) -> str:
        """Where it is; of what is on its way elsewhere, and all below that, where it was."""
        parts = []
        node: Node | None = self
        while node is not None:
            parts.append(node.name)
            node = node.parent
        return "/".join(reversed(parts)) or "/"

    @property
    def top(self) -> Node:
        """The node above it that no directory holds, perhaps itself."""
        node = self
        while node.parent is not None:
            node = node.parent
        return node

    def is_above(self, node: Node | None) -> bool:
        """Whether it is ``node``, or one of the directories above it."""
        while node is not None and node is not self:
            node = node.parent
        return node is self

    def subtree(self) -> Iterator[Node]:
        """Yield the node and all below it."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(node.children.values())


class Tree:
    """All nodes, by place, by inode, and by the number of their events.

    Attributes:
        tops: By path: the roots that no watched directory holds.
    """

    def __init__(self) -> None:
        self.tops: dict[str, Node] = {}
        self.by_number: dict[int, Node] = {}
        self._by_identity: dict[Identity, list[Node]] = {}

    def holds(self, node: Node) -> bool:
        """Whether a node has a place: neither dropped nor on its way elsewhere."""
        top = node.top
        return self.tops.get(top.name or "/") is top

    def find(self, path: str) -> Node | None:
        """Return the node at a path."""
        names: list[str] = []
        at = path
        while at not in self.tops:
            if at in {"", "/"}:
                return None
            at, _, name = at.rpartition("/")
            names.append(name)
            at = at or "/"
        node: Node | None = self.tops[at]
        while names and node is not None:
            node = node.children.get(names.pop())
        return node

    def twins(self, identity: Identity) -> tuple[Node, ...]:
        """Return the nodes of an inode, also those on their way elsewhere."""
        return tuple(self._by_identity.get(identity, ()))

    def attach(self, node: Node, parent: Node | None, name: str) -> None:
        """Give a node its place: in a directory, or (``parent`` is None) at a path."""
        node.parent = parent
        if parent is None:
            node.name = name.rstrip("/")
            self.tops[name] = node
        else:
            node.name = name
            parent.children[name] = node
            if node.fd < 0:
                self.identify(node, (parent.identity[0], node.listed.ino))

    def detach(self, node: Node) -> None:
        """Take a node out of its place; it keeps its path as its name, and what is below it."""
        path = node.path
        if node.parent is not None:
            if node.parent.children.get(node.name) is node:
                del node.parent.children[node.name]
            node.parent = None
            node.name = path.rstrip("/")
        elif self.tops.get(path) is node:
            del self.tops[path]

    def identify(self, node: Node, identity: Identity) -> None:
        """Set the inode of a node."""
        if identity != node.identity or node not in self._by_identity.get(identity, ()):
            self._forget_identity(node)
            node.identity = identity
            self._by_identity.setdefault(identity, []).append(node)

    def enter(self, node: Node, number: int) -> None:
        """Set which events are about a node."""
        node.number = number
        self.by_number[number] = node

    def forget(self, node: Node) -> None:
        """Leave one node, which has no place any more, out of the indexes."""
        self.mute(node)
        self._forget_identity(node)

    def mute(self, node: Node) -> None:
        """No events are about a node any more."""
        self.by_number.pop(node.number, None)
        node.number = node.notes = 0

    def _forget_identity(self, node: Node) -> None:
        twins = self._by_identity.get(node.identity, [])
        if node in twins:
            twins.remove(node)
            if not twins:
                del self._by_identity[node.identity]


def differences(
    children: Mapping[str, Node], listing: Mapping[str, Listed]
) -> tuple[list[Node], list[tuple[str, Listed]]]:
    """Compare what was told of a directory with what is in it.

    Returns:
        The nodes whose names are gone or stand for something else, and the names that are new
        or stand for something else.
    """
    gone, came = [], []
    for name, node in children.items():
        if listing.get(name) != node.listed:
            gone.append(node)
    for name, listed in listing.items():
        known = children.get(name)
        if known is None or known.listed != listed:
            came.append((name, listed))
    return gone, came


class Rounds:
    """Nodes that are looked at again and again, some at a time."""

    def __init__(self) -> None:
        self._nodes: dict[Node, None] = {}  # the next ones first
        self._next = 0.0

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, node: Node) -> bool:
        return node in self._nodes

    def add(self, node: Node, now: float) -> None:
        """Begin to look at a node."""
        if not self._nodes:
            self._next = now + ROUND
        self._nodes[node] = None

    def discard(self, node: Node) -> None:
        """Cease to."""
        self._nodes.pop(node, None)

    def due(self) -> float | None:
        """When the next ones are to be looked at."""
        return self._next if self._nodes else None

    def take(self, now: float) -> list[Node]:
        """Return those whose turn has come."""
        if not self._nodes or now < self._next:
            return []
        turn = [node for node, _ in zip(self._nodes, range(SLICE), strict=False)]
        for node in turn:
            del self._nodes[node]
            self._nodes[node] = None
        self._next = now + max(SHORTEST, ROUND * len(turn) / len(self._nodes))
        return turn
