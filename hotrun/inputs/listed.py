"""Inputs that somebody lists: a compiler in its dependency files, or a command of the user.

A list is a picture of one build: any input that changes may change it, so it counts only from
the end of a good build to the next change. What no list can name is what is not there yet: a
new file among the inputs, of a kind that is among them, matters.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from hotrun.inputs.verdict import Verdict, real_ones

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# No compiler names them, and they say what is compiled, and how.
_RECIPES = re.compile(
    r"(?i:(?:gnu)?makefile(?:\..*)?|.*\.(?:mk|mak|cmake|ninja|gn|gni|bp|bazel|bzl|gradle|pro|pri))"
    r"|CMakeLists\.txt|CMakePresets\.json|meson\.build|meson_options\.txt|meson\.options|BUILD"
    r"|WORKSPACE|SConstruct|SConscript|wscript|configure(?:\.ac)?|config\.h\.in|Kconfig|\.config"
    r"|Cargo\.toml|Cargo\.lock|build\.rs|rust-toolchain(?:\.toml)?|build\.zig(?:\.zon)?|package\.json"
)


class Listed:
    """The files that a list names.

    Args:
        files: Absolute paths.
        words: All that stands in the build command: a file that is named there matters.
        whose: Whose list it is, in words.
    """

    def __init__(self, files: Iterable[str], words: Iterable[str], whose: str) -> None:
        self._whose = whose
        self._words = {part for word in words for part in re.split(r"[^\w.+-]+", word)}
        paths = {path for _, path in real_ones(map(os.path.normpath, files))}
        self._files = paths | {os.path.realpath(path) for path in paths if os.path.islink(path)}
        self._below = tuple(f"{path}/" for path in self._files if os.path.isdir(path))
        self._kinds = {(os.path.dirname(path), _kind(path)) for path in paths}
        self._there = {
            os.path.join(directory, name)
            for directory in {directory for directory, _ in self._kinds}
            for name in _names(directory)
        }

    def verdict(self, path: str) -> Verdict:
        """Judge a file, there or gone; its path is real but for its last part."""
        directory, name = os.path.split(path)
        if path in self._files or path.startswith(self._below):
            return Verdict(True, f"It is an input of the build: {self._whose} names it.")
        if name in self._words:
            return Verdict(True, "It is an input of the build: the command names it.")
        if _RECIPES.fullmatch(name) or directory.endswith("/.cargo"):
            return Verdict(True, "It is an input of the build: it says what is built.")
        if path not in self._there and (directory, _kind(name)) in self._kinds:
            return Verdict(True, "It may be an input of the build: it is new among others.")
        return Verdict(False, f"It is no input of the build: {self._whose} does not name it.")

    def outdated_by(self, _: str) -> bool:
        """Whether the change of a file that matters may have changed what the inputs are: yes."""
        return True

    def stood_still(self, _: int) -> bool:
        """Whether it is sure that the list was not being written: a build writes it itself."""
        return False

    def places(self) -> Collection[tuple[str, str]]:
        """Return directories of sources: none, for a list names the system's headers as well."""
        return ()

    def moved(self) -> Collection[str]:
        """Return what is not as it was: the next list tells, and it is made after each build."""
        return ()


def _kind(name: str) -> str:
    return os.path.splitext(name)[1]


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []
