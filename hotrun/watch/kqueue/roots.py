"""Roots that are missing, moved, replaced, or reached through links, and come back.

Law: watch the way, then look. Whenever anything on the way to a root says a word, what is at
its path is compared with what is watched there, and that until nothing differs.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from hotrun.watch.kqueue.nodes import Kind, Listed, Node
from hotrun.watch.kqueue.ways import MOST_ROUNDS, Ways

if TYPE_CHECKING:
    from hotrun.watch.kqueue.calls import Kernel
    from hotrun.watch.kqueue.told import Told
    from hotrun.watch.scope import Scope


class Roots:
    """The roots of one backend, and the links that it follows as such.

    Attributes:
        ways: What tells that a root may have become something else.
    """

    def __init__(self, kernel: Kernel, told: Told, scope: Scope) -> None:
        self._told = told
        self._tree = told.tree
        self._scope = scope
        self.ways = Ways(kernel)

    def arm(self, root: str) -> None:
        """Watch a root, or watch it more widely; what is there is not told."""
        node = self._tree.tops.get(root)
        if node is None and not os.path.islink(root):
            node = self._tree.find(root)
        self._watch_ways()  # first of all, also lest no descriptor be left for them
        if node is not None:
            self._told.review(node, report=False)
        else:
            self._check(root, report=False)
        if os.path.exists(root):
            self._told.there[root] = os.path.isdir(root)
        self.check()
        self._told.links = dict.fromkeys(self._told.links, True)

    def disarm(self, root: str) -> None:
        """Cease to watch a root; what others cover goes on."""
        told = self._told
        told.there.pop(root, None)
        top, node = self._tree.tops.get(root), self._tree.find(root)
        outside = [each for each in told.links if not self._scope.descends(os.path.dirname(each))]
        told.drop_links(outside)
        if top is not None and root not in told.links:
            told.cut(top)
        elif node is not None:
            told.review(node, report=False)
        for inner in [each for each in self._tree.tops if each.startswith(f"{root}/")]:
            told.review(self._tree.tops[inner], report=False)
        self.check()

    def check(self) -> None:
        """Compare each root with the disk until nothing differs."""
        for _ in range(MOST_ROUNDS):
            self._told.doubted = False
            roots = self._watch_ways()
            if self._scope.closing or not any([self._check(root) for root in roots]):  # noqa: C419
                break  # a list, because each is to be checked

    def _watch_ways(self) -> list[str]:
        # Outer roots first: what is told of one ends all that was told below it.
        roots = [*sorted(self._scope.roots), *self._told.links]
        self.ways.follow({root: self._is_held(root) for root in roots})
        return roots

    def _is_held(self, root: str) -> bool:
        top = self._tree.tops.get(root)
        if top is not None:
            return top.fd >= 0
        return self._teller(root) is not None and not os.path.islink(root)

    def _teller(self, root: str) -> Node | None:
        """Return the watched directory whose listing tells of a root."""
        above = None if root == "/" else self._tree.find(os.path.dirname(root))
        return above if above is not None and above.watched else None

    def _check(self, root: str, *, report: bool = True) -> bool:
        """Tell of a root that is gone, back, or another one; True when it is."""
        top, teller = self._tree.tops.get(root), self._teller(root)
        linked = os.path.islink(root)
        if teller is not None and not linked:
            return top is not None and self._hand_over(top, teller)
        found = self._look(root)
        if top is not None:
            if found is not None and _is(top, found) and top.linked == linked:
                return top.lost and self._hold_again(top, report=report)
            self._leave(top, told=teller is not None)
        elif found is None:
            return False
        if found is not None:
            self._arrive(root, found, report=report, linked=linked, told=teller is not None)
        return True

    def _hold_again(self, top: Node, *, report: bool) -> bool:
        """Watch a root that was gone when it was to be opened, and is back in the same inode.

        It may have been made anew: where nobody holds an inode its number is given again.
        """
        self._told.hold(top, report=report)
        return True

    def _hand_over(self, top: Node, teller: Node) -> bool:
        """A watched directory tells of a root from now on: what was a link, say, is none."""
        if top.linked:
            self._told.cut(top)
        else:
            self._told.leave(top)
        self._told.dirty[teller] = None
        return True

    def _leave(self, top: Node, *, told: bool) -> None:
        if top.linked:
            self._told.leave_link(top, told=told)
        else:
            self._told.leave(top)

    def _arrive(
        self, root: str, found: os.stat_result, *, report: bool, linked: bool, told: bool
    ) -> None:
        if root in self._told.links:
            report, self._told.links[root] = self._told.links[root], True
        node = Node(root, Listed(found.st_ino, _kind(found.st_mode)))
        node.linked = linked
        if not report and root in self._scope.roots:
            self._told.there[root] = node.is_directory
        identity = (found.st_dev, found.st_ino)
        self._told.arrive_at_top(node, identity, report=report, told=told)

    def _look(self, root: str) -> os.stat_result | None:
        """Return what is at a root; of a link that is followed only what is to be."""
        try:
            found = os.stat(root)
        except OSError:
            return None
        if root not in self._told.links or root in self._scope.roots:
            return found
        if not stat.S_ISDIR(found.st_mode) or self._scope.skips(root):
            return None
        others = self._tree.twins((found.st_dev, found.st_ino))
        is_watched = any(node.watched and node.path != root for node in others)
        return None if is_watched else found


def _is(node: Node, found: os.stat_result) -> bool:
    known = (*node.identity, node.kind)
    return known == (found.st_dev, found.st_ino, _kind(found.st_mode))


def _kind(mode: int) -> Kind:
    if stat.S_ISDIR(mode):
        return Kind.DIRECTORY
    return Kind.FILE if stat.S_ISREG(mode) else Kind.OTHER
