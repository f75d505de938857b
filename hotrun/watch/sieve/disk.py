"""The disk, held against what is known of it; what is found is known from then on.

Law: a file has changed if its bytes or its executable bits differ; its signature only tells
whether it is worth reading. Directories are listed again to find the files that may differ, and
no link is looked through on the way, unless links are followed.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from hotrun.watch.event import Op
from hotrun.watch.paths import is_below
from hotrun.watch.sieve.snapshot import Directory, list_linked, subtree

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hotrun.watch.sieve.known import Known

WROTE = Op.WRITE | Op.CLOSE_WRITE | Op.CREATE | Op.MOVED_TO


class Disk:
    """What is on the disk, asked a path at a time.

    Args:
        known: What it is held against.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        self._ending: Collection[str] = ()  # directories that are going: their files come first

    # --- one file ---

    def differs(self, path: str, op: Op | None = None) -> bool:
        """Compare a file with what is known of it, and take it as known from now on.

        Args:
            path: Where a file is, or was.
            op: What was heard of it; None when it may be anything.
        """
        contents = self._known.contents
        known = self._known.get(path)
        wanted = self._known.wants(path)
        now = time.time_ns()
        found = contents.signature(path) if wanted else None
        if found is None or self._is_out_of_sight(path):
            self._known.forget(path)
            # What is no longer wanted, by rules that are new, did not change: it left us.
            return wanted and known is not None
        if known is None:
            self._known.remember(path, found, now)
            contents.hash(path, found)
            return True
        vague = path in contents.vague
        if found == known and not vague and not (op and op & WROTE):
            return False
        self._known.remember(path, found, now)
        rewritten = contents.rewritten(path, known, found, op, vague=vague)
        felt = (known.executable, known.readable) != (found.executable, found.readable)
        return rewritten or felt

    def _is_out_of_sight(self, path: str) -> bool:
        """Whether a path, though it may be there, is in no directory that is to be listed."""
        directory = path.rpartition("/")[0]
        if directory in self._ending:
            return True
        roots, tree, linked = self._known.roots, self._known.tree, False
        while directory and directory not in roots and directory not in tree:
            linked = linked or os.path.islink(directory)
            directory = directory.rpartition("/")[0]
        return linked and directory != ""  # links on the way to a root are nobody's business

    # --- directories ---

    def relist(self, top: str) -> Iterator[str | None]:
        """List a directory and all below it again; not what links lead to.

        Yields:
            The files that may differ, to be compared before the next one is asked for; None
            after each directory, so that a long walk can be done bit by bit.
        """
        known = self._known
        stack = [top]
        if known.follow_symlinks:
            stack = [] if is_below(top, known.linked) else [top]
        known.look_for_link(top)
        while stack:
            path = stack.pop()
            is_link = path not in known.roots and os.path.islink(path)
            if is_link and known.follow_symlinks:
                known.above(path).below.discard(path.rpartition("/")[2])
                continue
            # To list a link is to follow it.
            hidden = path not in known.roots and (is_link or self._is_out_of_sight(path))
            new = None if hidden else known.look(path)
            old = known.tree.get(path, Directory()) if new is None else known.enter(path)
            stack += [f"{path}/{name}" for name in old.below.union(new.below if new else ())]
            self._ending = (path,) if new is None else ()
            yield from known.contents.suspects(path, old.files, new.files if new else {})
            self._ending = ()
            if new is None:
                known.leave(path)
            else:
                old.links, old.identity = new.links, new.identity
            yield None

    def relist_linked(self) -> Iterator[str | None]:
        """List all that links lead to again; as ``relist``, when that is done.

        Always all of it: any directory that came or went, and any link, may decide which of
        the others have a name of their own, and which link is the first one.
        """
        known, tree = self._known, self._known.tree
        own = {path: tree[path] for root in known.roots for path in subtree(tree, root)}
        left = tree.keys() - own.keys()
        for path, new in list_linked(own, known.skips, known.wants):
            left.discard(path)
            old = tree.setdefault(path, Directory())
            old.below, old.links, old.identity = new.below, new.links, new.identity
            yield from known.contents.suspects(path, old.files, new.files)
            yield None
        self._ending = left
        for path in left:
            yield from [f"{path}/{name}" for name in tree[path].files]
            yield None
        for path in left:
            tree.pop(path, None)
        self._ending = ()
        known.note_links()

    def links(self) -> Iterator[str]:
        """Yield the links that differ: what they lead to may have changed under another name."""
        for path, directory in list(self._known.tree.items()):
            for link in [f"{path}/{name}" for name in directory.links if name in directory.files]:
                if self._known.contents.signature(link) != self._known.get(link):
                    yield link
