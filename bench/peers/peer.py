"""What a tool is to do, and what one has to know of a tool to have it do that."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from tool import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PACKAGES = {"inotifywait": "inotify-tools"}  # Debian's, where it is not called as the program


@dataclass(frozen=True, slots=True)
class Work:
    """What a tool is to do.

    Attributes:
        root: The directory to watch, in which the tool runs.
        build: The command to run at first and after each change.
        app: What to run after it, and to replace; empty: nothing.
        fast: With the shortest delay that can be set.
        ignored: Names of directories that the tool is told to ignore.
        chain: The probe of that name.
        listen: An address that hotrun is to hold for the app.
        ext: The extension of the files that change, for tools that must be told one.
    """

    root: str
    build: Sequence[str]
    app: Sequence[str] = ()
    fast: bool = False
    ignored: Sequence[str] = ()
    chain: str = ""
    listen: str = ""
    ext: str = "txt"

    @property
    def one(self) -> list[str]:
        """All that is to be done as one command."""
        # No "--" between them: a tool whose parser is argparse takes the second one out, too.
        return [self.chain, *self.build, "then", *self.app] if self.app else list(self.build)


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool.

    Attributes:
        name: As its documentation writes it.
        program: What is looked for on PATH.
        asks: The arguments that make it tell its version; empty: who installed it tells.
        call: Returns the arguments that start it; it may write a config into the root.
        is_fast: Its delay can be set.
        restarts: It replaces an app that still runs.
        is_default: It is measured with its default settings.
        help: The arguments that make it tell how it is called.
        module: What it imports into our own interpreter, which need not be the program's.
    """

    name: str
    program: str
    asks: tuple[str, ...]
    call: Callable[[Work], list[str]]
    is_fast: bool = True
    restarts: bool = True
    is_default: bool = True
    help: tuple[str, ...] = ("--help",)
    module: str = ""

    @property
    def path(self) -> str | None:
        """Where its program is, if it is."""
        return shutil.which(self.program, path=environment()["PATH"])

    @property
    def is_here(self) -> bool:
        """Whether it can be started."""
        return self.path is not None and (not self.module or find_spec(self.module) is not None)

    def version(self) -> str:
        """Return what it, its package or its module calls its version; "?" if nobody tells."""
        if self.asks:
            return _version_in(_said(self.program, *self.asks))
        package = PACKAGES.get(self.program, self.program)
        packaged = _version_in(_said("dpkg-query", "-W", "-f=${Version}", package))
        return _module_version(self.path or "") if packaged == "?" else packaged


def _module_version(path: str) -> str:
    """Return the version of the Go module that a program was built from."""
    found = re.search(r"^\s*mod\s+\S+\s+(\S+)", _said("go", "version", "-m", path), re.MULTILINE)
    return found[1] if found else "?"


def _version_in(text: str) -> str:
    found = re.search(r"\d+\.\d+[\w.+-]*", text)
    return found[0] if found else "?"


def _said(*command: str) -> str:
    """Return what a command prints, on whichever stream; nothing if it is not there."""
    try:
        done = subprocess.run(
            command,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return done.stdout or done.stderr
