"""What git ignores below one root: .gitignore files, info/exclude, core.excludesFile.

Law: below a root inside a git work tree the answer and the line named are those of
`git check-ignore --no-index -v`; nothing below an ignored directory is opened, as git does it.
Differences, on purpose: the root itself is never ignored (its user named it); a directory that is
in no work tree is treated as one; inside a nested work tree (a submodule, a clone) the rules of
that work tree alone count, as for git started there, while the outer rules may ignore it whole.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple
from hotrun.watch.rules import git_files
from hotrun.watch.rules.globs import Globs
from hotrun.watch.rules.pattern import Rule, parse

if TYPE_CHECKING:
    from hotrun.watch.rules.globs import View

__all__ = ["Directory", "GitIgnore", "Rule"]

_NAME = ".gitignore"


class _WorkTree(NamedTuple):
    """One work tree: the rules that are weaker than its .gitignore files."""

    fold: bool
    views: tuple[View, ...]


class Directory(NamedTuple):
    """The rules for the entries of one directory, or of many of which the same is to be said.

    Attributes:
        ignored: The rule that ignores this directory or one above it, and so every entry.
        work_tree: The one it is in.
        views: The lists of patterns, the strongest first.
    """

    ignored: Rule | None
    work_tree: _WorkTree
    views: tuple[View, ...] = ()

    def match(self, name: str, is_dir: bool) -> Rule | None:
        """The rule that decides about the entry `name`; see `GitIgnore.match`."""
        if self.ignored is not None:
            return self.ignored
        for view in self.views:
            found = view.find(name, is_dir)
            if found is not None:
                return found.rule
        return None

    def below(self, name: str) -> Directory:
        """The rules for the entries of the directory `name` in this one; without its own file."""
        rule = self.match(name, is_dir=True)
        if rule is not None and not rule.negated:
            return Directory(rule, self.work_tree)
        return self.entered(name)

    def entered(self, name: str) -> Directory:
        """The same as `below`, whatever the rules say about the directory itself."""
        return self._replace(views=tuple([view.below(name) for view in self.views]))

    def with_file(self, path: str) -> Directory:
        """Put the .gitignore of the directory `path`, which this is, before the other rules."""
        file = f"{path}{os.sep}{_NAME}"
        if not git_files.is_there(file):
            return self
        own = _globs(file, fold=self.work_tree.fold, flags=git_files.NO_FOLLOW)
        return self._replace(views=(own.view(""), *self.views)) if own else self


_OUTSIDE = Directory(None, _WorkTree(fold=False, views=()))


class GitIgnore:
    """Git's ignore rules for what lies below one root; files are read when first needed.

    Args:
        root: An absolute path; it need not exist. "" stands for "/".
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._directories: dict[str, Directory] = {}
        self._sources: set[str] = set()

    def match(self, path: str, is_dir: bool) -> Rule | None:
        """The rule that decides about `path`.

        Args:
            path: Absolute, below the root.
            is_dir: It is a directory; a link to one is not.

        Returns:
            None: no rule speaks of it. A negated rule: it is not ignored. Any other: it is.
        """
        parent, _, name = path.rpartition(os.sep)
        return self.directory(parent).match(name, is_dir)

    def directory(self, path: str) -> Directory:
        """The rules for the entries of the directory `path`."""
        missing = []
        here = path
        while (known := self._directories.get(here)) is None:
            if here == self.root:
                known = self._directories[here] = self._at_root()
                break
            parent, slash, name = here.rpartition(os.sep)
            if not slash:
                return _OUTSIDE
            missing.append((here, name))
            here = parent
        for below, name in reversed(missing):
            known = self._directories[below] = self.opened(known.below(name), below)
        return known

    def opened(self, directory: Directory, path: str) -> Directory:
        """Add what lies in the directory `path`: its own file, or the top of another work tree.

        Args:
            directory: Its rules as the directory above knows them.
            path: Below the root.
        """
        if directory.ignored is not None:
            return directory
        git = git_files.git_directory(path)
        return directory.with_file(path) if git is None else self._at_top(path, git)

    def reads(self, path: str) -> bool:
        """Whether `path` is one of the files these rules come from (it need not exist)."""
        return path.rpartition(os.sep)[2] == _NAME or path in self._sources

    def reload(self) -> None:
        """Read everything again when next needed, git's configuration too."""
        self._directories.clear()
        self._sources.clear()

    def _at_root(self) -> Directory:
        """Collect the rules from the top of the work tree down to the root."""
        top = self.root
        while (git := git_files.git_directory(top)) is None and top:
            top = top.rpartition(os.sep)[0]
        top = self.root if git is None else top
        directory = self._at_top(top, git)
        for name in self.root[len(top) :].split(os.sep)[1:]:
            top = f"{top}{os.sep}{name}"
            directory = directory.entered(name).with_file(top)
        return directory

    def _at_top(self, top: str, git: str | None) -> Directory:
        """The rules for the top of a work tree; without a git directory `git` it acts as one."""
        config = git_files.settings(git)
        fold = config.get("core.ignorecase", "false").lower() in ("true", "yes", "on", "1")
        files = [] if git is None else [os.path.join(git, "info", "exclude")]
        files.append(
            os.path.join(top, config.get("core.excludesfile", git_files.default_excludes()))
        )
        self._sources.update(files)
        lists = (_globs(file, fold=fold) for file in files)
        work_tree = _WorkTree(fold, tuple(globs.view("") for globs in lists if globs))
        return Directory(None, work_tree, work_tree.views).with_file(top)


def _globs(file: str, *, fold: bool, flags: int = 0) -> Globs | None:
    content = git_files.content(file, flags)
    patterns = parse(content, file, fold=fold) if content else []
    return Globs(patterns, fold=fold) if patterns else None
