"""What git ignores below one root: .gitignore files, info/exclude, core.excludesFile.

Law: below a root inside a git work tree the answer and the line named are those of
`git check-ignore --no-index -v`; nothing below an ignored directory is opened, as git does it.
Differences, on purpose: the root itself is never ignored (its user named it); a directory that is
in no work tree is treated as one; inside a nested work tree (a submodule, a clone) the rules of
that work tree alone count, as for git started there, while the outer rules may ignore it whole.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from hotrun.lean import dataclass
from hotrun.watch.rules.globs import Globs, View
from hotrun.watch.rules.pattern import Rule, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Directory", "GitIgnore", "Rule"]

_NAME = ".gitignore"
# O_NONBLOCK: a fifo in the place of an ignore file must not hang us.
_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
# The same limit as git's config.c (MAX_INCLUDE_DEPTH).
_INCLUDE_DEPTH = 10

_SECTION = re.compile(r'\s*\[\s*([\w.-]*)(?:\s+"((?:\\.|[^"\\])*)")?\s*\]')
_ENTRY = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)[ \t]*(=)?")
_LINE = re.compile(r"\s*[^\n]*\n?")
_TOKEN = re.compile(r"\\.|.", re.DOTALL)
_ESCAPES = {"\\\n": "", "\\n": "\n", "\\t": "\t", "\\b": "\b"}


@dataclass(frozen=True, slots=True)
class _WorkTree:
    """One work tree: the rules that are weaker than its .gitignore files."""

    fold: bool
    views: tuple[View, ...]


class Directory:
    """The rules for the entries of one directory.

    Attributes:
        ignored: The rule that ignores this directory or one above it, and so every entry.
    """

    __slots__ = ("_views", "_work_tree", "ignored")

    def __init__(
        self, ignored: Rule | None, work_tree: _WorkTree, views: tuple[View, ...] = ()
    ) -> None:
        self.ignored = ignored
        self._work_tree = work_tree
        self._views = views

    def match(self, name: str, is_dir: bool) -> Rule | None:
        """The rule that decides about the entry `name`; see `GitIgnore.match`."""
        if self.ignored is not None:
            return self.ignored
        for view in self._views:
            found = view.find(name, is_dir)
            if found is not None:
                return found.rule
        return None

    def below(self, path: str, name: str) -> Directory:
        """The rules for the entries of the directory `name` in this one; `path` is its path."""
        rule = self.match(name, is_dir=True)
        if rule is not None and not rule.negated:
            return Directory(rule, self._work_tree)
        return self.entered(path, name)

    def entered(self, path: str, name: str) -> Directory:
        """The same as `below`, whatever the rules say about the directory itself."""
        views = tuple(view.below(name) for view in self._views)
        return _read_directory(path, self._work_tree, views)


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
            known = self._directories[below] = self._below(known, below, name)
        return known

    def reads(self, path: str) -> bool:
        """Whether `path` is one of the files these rules come from (it need not exist)."""
        return path.rpartition(os.sep)[2] == _NAME or path in self._sources

    def forget(self, directory: str) -> None:
        """Read the ignore files in and below `directory` again when next needed."""
        inside = directory + os.sep
        for path in [p for p in self._directories if p == directory or p.startswith(inside)]:
            del self._directories[path]

    def reload(self) -> None:
        """Read everything again when next needed, git's configuration too."""
        self._directories.clear()
        self._sources.clear()

    def _at_root(self) -> Directory:
        """Collect the rules from the top of the work tree down to the root."""
        top = self.root
        while (git := _git_directory(top)) is None and top:
            top = top.rpartition(os.sep)[0]
        top = self.root if git is None else top
        directory = self._at_top(top, git)
        for name in self.root[len(top) :].split(os.sep)[1:]:
            top = f"{top}{os.sep}{name}"
            directory = directory.entered(top, name)
        return directory

    def _below(self, parent: Directory, path: str, name: str) -> Directory:
        """The rules for a directory below the root, where another work tree may begin."""
        directory = parent.below(path, name)
        git = None if directory.ignored else _git_directory(path)
        return directory if git is None else self._at_top(path, git)

    def _at_top(self, top: str, git: str | None) -> Directory:
        """The rules for the top of a work tree; without a git directory `git` it acts as one."""
        config = _git_config(git)
        fold = config.get("core.ignorecase", "false").lower() in ("true", "yes", "on", "1")
        files = [] if git is None else [os.path.join(git, "info", "exclude")]
        files.append(os.path.join(top, config.get("core.excludesfile", _default_excludes())))
        self._sources.update(files)
        lists = (_globs(file, fold=fold) for file in files)
        work_tree = _WorkTree(fold, tuple(globs.view("") for globs in lists if globs))
        return _read_directory(top, work_tree, work_tree.views)


def _read_directory(path: str, work_tree: _WorkTree, views: tuple[View, ...]) -> Directory:
    """Put the .gitignore of the directory `path` before the rules from further up."""
    file = f"{path}{os.sep}{_NAME}"
    own = _globs(file, fold=work_tree.fold, flags=_NO_FOLLOW) if _is_there(file) else None
    return Directory(None, work_tree, (own.view(""), *views) if own else views)


def _globs(file: str, *, fold: bool, flags: int = 0) -> Globs | None:
    content = _content(file, flags)
    patterns = parse(content, file, fold=fold) if content else []
    return Globs(patterns, fold=fold) if patterns else None


def _content(file: str, flags: int = 0) -> bytes | None:
    """The content of a regular file; None if there is none, or none that may be read."""
    try:
        # Not by `open` and an opener: most directories have no such file, and it costs twice.
        fd = os.open(file, _READ | flags)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        with open(fd, "rb", 0, closefd=False) as opened:
            return opened.read()
    except OSError:
        return None
    finally:
        os.close(fd)


def _git_directory(top: str) -> str | None:
    """The git directory if `top` is the top of a work tree: the common one of all its work trees.

    A `.git` file (linked work tree, submodule) is followed. An empty `.git` is none, as for git.
    """
    git = f"{top}{os.sep}.git"
    if not _is_there(git):
        return None
    try:
        mode = os.stat(git).st_mode
    except OSError:
        return None
    if not stat.S_ISDIR(mode):
        target = _first_line(git)
        if not target.startswith("gitdir: "):
            return None
        git = os.path.join(top, target.removeprefix("gitdir: "))
    if not os.path.lexists(os.path.join(git, "HEAD")):
        return None
    common = os.path.join(git, _first_line(os.path.join(git, "commondir")))
    return os.path.normpath(common)


def _is_there(file: str) -> bool:
    """Whether there is such a file, or what a link leads to.

    Most directories have neither file, and this is 1 us where an exception is 3.
    """
    return os.access(file, os.F_OK)


def _first_line(file: str) -> str:
    return os.fsdecode((_content(file) or b"").partition(b"\n")[0])


def _default_excludes() -> str:
    return os.path.join(_config_home(), "git", "ignore")


def _config_home() -> str:
    return os.environ.get("XDG_CONFIG_HOME") or os.path.join(_home(), ".config")


def _home() -> str:
    return os.environ.get("HOME") or os.path.expanduser("~")


def _git_config(git: str | None) -> dict[str, str]:
    """Git's settings, read here: a git process would cost 3 ms and need a git.

    `includeIf` and GIT_CONFIG_COUNT are not looked at.
    """
    environ = os.environ
    system = [environ.get("GIT_CONFIG_SYSTEM") or "/etc/gitconfig"]
    if environ.get("GIT_CONFIG_NOSYSTEM", "").lower() in ("true", "yes", "on", "1"):
        system = []
    own = [os.path.join(_config_home(), "git", "config"), os.path.join(_home(), ".gitconfig")]
    if "GIT_CONFIG_GLOBAL" in environ:
        own = [environ["GIT_CONFIG_GLOBAL"]]
    config: dict[str, str] = {}
    for file in [*system, *own, *([os.path.join(git, "config")] if git else [])]:
        _read_config(file, config, 0)
    return config


def _read_config(file: str, config: dict[str, str], depth: int) -> None:
    """Lay the settings of one file, and of those it includes, over `config`."""
    for key, value in _settings(os.fsdecode(_content(file) or b"")):
        path = _home() + value[1:] if value.startswith("~/") else value
        if key == "include.path" and depth < _INCLUDE_DEPTH:
            _read_config(os.path.join(os.path.dirname(file), path), config, depth + 1)
        config[key] = path


def _settings(text: str) -> Iterator[tuple[str, str]]:
    """The `section.key` and value of each setting; a key without `=` is "true"."""
    section, at = "", 0
    while at < len(text):
        if (head := _SECTION.match(text, at)) is not None:
            section, at = head[1].lower() + ("." + head[2] if head[2] else ""), head.end()
        elif (entry := _ENTRY.match(text, at)) is not None:
            value, at = _value(text, entry.end()) if entry[2] else ("true", entry.end())
            yield f"{section}.{entry[1].lower()}", value
        elif (line := _LINE.match(text, at)) is not None:
            at = line.end()


def _value(text: str, at: int) -> tuple[str, int]:
    """Read the value that begins at `at`: quotes, escapes, comments as in git's config.c."""
    value, blanks, quoted = "", "", False
    for token in _TOKEN.finditer(text, at):
        char, at = token.group(), token.end()
        if char == "\n" or (char in "#;" and not quoted):
            return value, token.start()
        if char == '"':
            quoted = not quoted
        elif char.isspace() and not quoted:
            blanks += char if value else ""
        else:
            value, blanks = value + blanks + _ESCAPES.get(char, char[-1]), ""
    return value, at
