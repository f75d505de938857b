"""Which directories are open on Windows, so that every root is heard, and none twice.

Law: it is worked out anew from the roots and the disk each time, and never patched. A directory
serves itself, all below it if it is to be recursive, and the names in it; a root that is a file
or missing is served by the directory its name is in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.watch.event import Item, Op, Unwatched
from hotrun.watch.windows.kernel32 import FILE_ATTRIBUTE_DIRECTORY, MISSING, WinError
from hotrun.watch.windows.records import is_below, parent

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.watch.scope import Scope
    from hotrun.watch.windows.kernel32 import Kernel32
    from hotrun.watch.windows.port import Port, Watch

_DELETED = "/$Extend/$Deleted/"  # where NTFS keeps what is deleted while it is open (libuv)


class Served:
    """The open directories.

    Args:
        scope: What was asked for.
        calls: The kernel's.
        port: Opens and closes.
        say: Takes what cannot be opened.

    Attributes:
        watches: By path.
        obsolete: No longer needed: to be heard to their end, and dropped then.
        adrift: There is a root that nothing open tells of: it has to be looked for.
        files: Roots that are files or missing, by their folded paths: the kernel tells of a
            name as the disk has it, which may differ in case from the one that was given.
    """

    def __init__(
        self, scope: Scope, calls: Kernel32, port: Port, say: Callable[[Item], None]
    ) -> None:
        self._scope = scope
        self._calls = calls
        self._port = port
        self._say = say
        self._unwatched: set[str] = set()
        self._late: list[str] = []
        self.watches: dict[str, Watch] = {}
        self.obsolete: list[Watch] = []
        self.adrift = False
        self.files: dict[str, str] = {}

    def follow(self) -> None:
        """Open what is needed; what no longer is, is ``obsolete`` from now on."""
        wanted, before = self._wanted(), self.watches
        self.watches = {}
        for path in sorted(wanted, key=len):  # the outer ones first
            if not any(self._tells_of(watch, path) for watch in self.watches.values()):
                self._open(path, before.get(path), subtree=wanted[path])
        self.obsolete += [w for path, w in before.items() if self.watches.get(path) is not w]

    def _wanted(self) -> dict[str, bool]:
        """Return the directories that would serve every root: whether all below them too."""
        wanted: dict[str, bool] = {}
        self.adrift = False
        self.files = {}
        for root, how in self._scope.roots.items():
            if self.is_directory(root):
                wanted[root] = wanted.get(root, False) or how.recursive
                continue
            self.files[root.casefold()] = root
            if self.is_directory(parent(root)):
                wanted.setdefault(parent(root), False)
            else:
                self.adrift = True
        return wanted

    def is_directory(self, path: str) -> bool:
        """Whether there is a directory of that name now, or a link to one."""
        found = self._calls.attributes(path) if path else None
        return bool((found or 0) & FILE_ATTRIBUTE_DIRECTORY)

    def _tells_of(self, watch: Watch, path: str) -> bool:
        """Whether a recursive one tells of a directory below it, under that very name.

        Not past a link or a mounted volume, and not under a name that differs in case or was
        given in its 8.3 form: there the kernel has another path than we.
        """
        if not (watch.subtree and is_below(path, watch.path)):
            return False
        final = self._where_is(path)
        expected = None if watch.final is None else watch.final + path[len(watch.path) :]
        return final is None or expected is None or final == expected

    def _open(self, path: str, before: Watch | None, *, subtree: bool) -> None:
        if before is not None and before.subtree == subtree:
            self.watches[path] = before
            return
        try:
            self.watches[path] = self._port.watch(path, subtree=subtree)
        except WinError as error:
            self.adrift = True
            if error.code not in MISSING and path not in self._unwatched:
                self._unwatched.add(path)
                self._say(Unwatched(path, error))
            return
        if path in self._unwatched:
            self._unwatched.discard(path)
            self._late.append(path)

    def fail(self, watch: Watch) -> None:
        """Close one of which nothing is told any more, though it is there."""
        self.drop(watch)
        self._unwatched.add(watch.path)
        self.adrift = True

    def late(self) -> list[str]:
        """Return what could not be opened before: nobody knows what happened there meanwhile."""
        late, self._late = self._late, []
        return late

    def drop(self, watch: Watch, *, superseded: bool = False) -> None:
        """Close one."""
        if self.watches.get(watch.path) is watch:
            del self.watches[watch.path]
        elif watch in self.obsolete:
            self.obsolete.remove(watch)
        if not watch.ended:
            self._port.end(watch, superseded=superseded)

    def below(self, path: str) -> list[Watch]:
        """Return the open directories at and below a path."""
        watches = (*self.watches.values(), *self.obsolete)
        return [watch for watch in watches if watch.path == path or is_below(watch.path, path)]

    def tells_in(self, directory: str) -> bool:
        """Whether an open directory tells of the names in a directory, by the look of it."""
        return directory in self.watches or any(
            watch.subtree and is_below(directory, watch.path) for watch in self.watches.values()
        )

    def left(self, watch: Watch) -> Op | None:
        """Tell what has become of an open directory that is no longer at its path."""
        if watch.final is None:
            return None
        final = self._calls.final_path(watch.handle)
        if final is None or _DELETED in final:
            return Op.REMOVE
        if final != watch.final:
            return Op.RENAME
        # A link may lead elsewhere by now, and nothing tells of that.
        linked = watch.linked and self._where_is(watch.path) != watch.final
        return Op.REMOVE if linked else None

    def _where_is(self, path: str) -> str | None:
        try:
            handle = self._calls.open_directory(path)
        except WinError:
            return None
        try:
            return self._calls.final_path(handle)
        finally:
            self._calls.close(handle)
