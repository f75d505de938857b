"""What git's own files say: where a work tree's git directory is, and git's settings.

Read here, without git: a process of it would cost 3 ms, and need a git. Whatever is missing or
may not be read is empty.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# O_NONBLOCK: a fifo in the place of a file must not hang us.
_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
# The same limit as git's config.c (MAX_INCLUDE_DEPTH).
_INCLUDE_DEPTH = 10

_SECTION = re.compile(r'\s*\[\s*([\w.-]*)(?:\s+"((?:\\.|[^"\\])*)")?\s*\]')
_ENTRY = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)[ \t]*(=)?")
_LINE = re.compile(r"\s*[^\n]*\n?")
_TOKEN = re.compile(r"\\.|.", re.DOTALL)
_ESCAPES = {"\\\n": "", "\\n": "\n", "\\t": "\t", "\\b": "\b"}


def content(file: str, flags: int = 0) -> bytes | None:
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


def git_directory(top: str) -> str | None:
    """The git directory if `top` is the top of a work tree: the common one of all its work trees.

    A `.git` file (linked work tree, submodule) is followed. An empty `.git` is none, as for git.
    """
    git = f"{top}{os.sep}.git"
    if not is_there(git):
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


def is_there(file: str) -> bool:
    """Whether there is such a file, or what a link leads to.

    Most directories have neither file, and this is 1 us where an exception is 3.
    """
    return os.access(file, os.F_OK)


def _first_line(file: str) -> str:
    return os.fsdecode((content(file) or b"").partition(b"\n")[0])


def default_excludes() -> str:
    """The ignore file of the user, where no setting names another one."""
    return os.path.join(_config_home(), "git", "ignore")


def settings(git: str | None) -> dict[str, str]:
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


def _config_home() -> str:
    return os.environ.get("XDG_CONFIG_HOME") or os.path.join(_home(), ".config")


def _home() -> str:
    return os.environ.get("HOME") or os.path.expanduser("~")


def _read_config(file: str, config: dict[str, str], depth: int) -> None:
    """Lay the settings of one file, and of those it includes, over `config`."""
    for key, value in _assignments(os.fsdecode(content(file) or b"")):
        path = _home() + value[1:] if value.startswith("~/") else value
        if key == "include.path" and depth < _INCLUDE_DEPTH:
            _read_config(os.path.join(os.path.dirname(file), path), config, depth + 1)
        config[key] = path


def _assignments(text: str) -> Iterator[tuple[str, str]]:
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
