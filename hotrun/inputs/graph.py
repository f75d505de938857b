"""The package graph of a Go program: which files can alter the binary.

It is a picture of one moment, and stays true as long as nothing changes that decides what the
graph is: a file's imports, its constraint, what it embeds, the files of a package, go.mod. Each
of these is an input itself, so whoever hears of every change knows when to ask again.

One case needs evidence. A file that its own //go:build line keeps out may have been in when the
binary was built, if the line came after that and before we looked. So a line counts only in a file
that has not changed since the build began (ctime, which nobody sets).
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from hotrun.inputs import source
from hotrun.inputs.constraint import HEADER, left_out_by_header, left_out_by_name
from hotrun.inputs.embed import embeds
from hotrun.inputs.package import UNNAMED
from hotrun.inputs.verdict import Mark, Verdict, mark, real
from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hotrun.inputs.constraint import Context
    from hotrun.inputs.package import Package

# Wherever one of these appears or changes, another package may be meant by an import.
MODULE_FILES = frozenset({"go.mod", "go.sum", "go.work", "go.work.sum"})
_C = ".c .cc .cpp .cxx .m .h .hh .hpp .hxx .f .F .for .f90 .s .S .sx .swig .swigcxx .syso"
_FOREIGN = tuple(_C.split())
SOURCES = (".go", *_FOREIGN)
# What C code and its linker read besides, from anywhere.
_BESIDE = (
    *_FOREIGN,
    ".inc",
    ".inl",
    ".def",
    ".tcc",
    ".ipp",
    ".a",
    ".o",
    ".so",
    ".dylib",
    ".ld",
    ".pc",
)
# Nanoseconds that a file's time may be behind the clock: Linux counts in ticks of up to 10 ms, and
# some file systems in whole seconds (FAT in two of them).
_TICK, _COARSE = 50_000_000, 2_000_000_000
_SECOND = 1_000_000_000


class Asked(NamedTuple):
    """What a graph was asked for.

    Attributes:
        name: The packages, in words.
        words: All that stands in the command: a file that is named there matters.
        wide: Directories below which every package is meant, however new it is (./...).
    """

    name: str
    words: tuple[str, ...]
    wide: tuple[str, ...]


class Graph:
    """The packages of one build.

    Args:
        packages: Those that are not of the standard library.
        context: For what is built.
        asked: What was asked for.
        built: When the build began, in nanoseconds since 1970.
    """

    def __init__(
        self, packages: Collection[Package], context: Context, asked: Asked, built: int
    ) -> None:
        self._context = context
        self._name = asked.name
        self._all = all(each.module or each.path == UNNAMED for each in packages)
        self._words = {part for word in asked.words for part in re.split(r"[^\w.+-]+", word)}
        self._packages = {each.directory: each for each in packages if each.path != UNNAMED}
        self._asked = {each.directory for each in packages if each.asked}
        self._embedding = [each for each in packages if each.patterns]
        self._paths = {each.path: each.directory for each in packages}
        self._modules = {each.module for each in packages if each.module is not None}
        self._foreign = any(each.foreign for each in packages)
        self._broken = tuple(_doubtful(each) for each in packages if each.broken)
        self._wide = asked.wide
        self._local = [each for each in packages if each.local and not each.broken]
        self._files = {os.path.join(p.directory, name) for p in packages for name in p.files}
        self._looked = frozenset(each.directory for each in self._local)
        self._marks = dict(self._look())
        self._known = frozenset(self._marks)
        self._files |= self._targets()
        self._left_out = {
            path
            for each in self._local
            for name in each.left_out
            if self._older(path := os.path.join(each.directory, name), built)
        }

    # --- judging ---

    def verdict(self, path: str) -> Verdict:
        """Judge a file, there or gone; its path is real but for its last part."""
        directory, name = os.path.split(path)
        why = self._named(path, name)
        if not why and name.endswith(SOURCES) and self._is_in(directory):
            return self._source(path, name)
        # Any name will do for that, even one of a test.
        if not why and name.endswith(".go") and self._takes_over(directory):
            why = "an import could mean its directory"
        if not why and self._foreign and name.endswith(_BESIDE):
            why = "{} holds C code, which may read it"
        if not why and name == "default.pgo" and directory in self._asked:
            why = "it is the profile of {}"
        return self._yes(why) if why else self._no("the package graph of {} does not name it")

    def _named(self, path: str, name: str) -> str:
        """Say why a file is an input whatever it holds; empty: it is not."""
        if path in self._files:
            return "the package graph of {} names it"
        if name in MODULE_FILES or path.endswith("/vendor/modules.txt"):
            return "it decides which packages are meant"
        if name in self._words:
            return "the command names it"
        if any(_within(path, each) for each in self._broken) or not self._all:
            return "Go cannot load its package, so it may be one"
        if any(self._embeds(each, path) for each in self._embedding):
            return "a package of {} embeds it"
        return ""

    def _yes(self, why: str) -> Verdict:
        return Verdict(True, f"It is an input of the build: {why.replace('{}', self._name)}.")

    def _no(self, why: str) -> Verdict:
        return Verdict(False, f"It is no input of the build: {why.replace('{}', self._name)}.")

    def _embeds(self, package: Package, path: str) -> bool:
        below = path.removeprefix(f"{package.directory}/")
        return below != path and any(embeds(pattern, below) for pattern in package.patterns)

    def _is_in(self, directory: str) -> bool:
        """Whether a source file in a directory would be one of the program."""
        if directory in self._packages:
            return True
        below = [f"{directory}/"[len(base) :] for base in self._wide if _within(directory, base)]
        return any(not re.search(r"/(?:[._]|testdata/|vendor/)", each) for each in below)

    def _takes_over(self, directory: str) -> bool:
        """Whether an import that means another package would mean this one, or both, and fail."""
        known = [*self._modules, *_module_around(directory)]
        for module, root in known:
            if _within(directory, root):
                path = os.path.normpath(f"{module}/{directory[len(root) :]}")
                if self._paths.get(path, directory) != directory:
                    return True
        return False

    def _source(self, path: str, name: str) -> Verdict:
        """Judge a source file in a package that the graph did not name."""
        why = left_out_by_name(name, self._context)
        if why:
            return self._no(why)
        known = path in self._known
        looked = os.path.dirname(path) in self._looked  # else nobody knows what was there
        if looked and (not known or path in self._left_out):
            try:
                why = left_out_by_header(_content(path, HEADER), self._context)
            except FileNotFoundError:
                why = "it was left out, and is gone" if known else ""
            except OSError:
                why = ""
        return self._no(why) if why else self._yes("it is in a package of {}")

    # --- growing old ---

    def outdated_by(self, path: str) -> bool:
        """Whether the change of a file that matters may have changed what the graph is."""
        name = os.path.basename(path)
        if self._broken or name in self._words or name in MODULE_FILES or name == "modules.txt":
            return True
        if not name.endswith(".go"):
            return name.endswith(SOURCES) and path not in self._files
        package = self._packages.get(os.path.dirname(path))
        if path not in self._files or package is None:
            return True
        heads = [self._head(package, name) for name in _names(package.directory)]
        if None in heads:
            return True
        asked = [head for head in heads if head is not None]
        imports = frozenset(each for head in asked for each in head.imports)
        patterns = frozenset(each for head in asked for each in head.patterns)
        return (imports, patterns) != (package.imports, package.patterns)

    def _head(self, package: Package, name: str) -> source.Head | None:
        """Return what a file asks for; nothing when it is left out; None when it cannot be told."""
        nothing = source.Head(frozenset(), frozenset())
        if not name.endswith(".go") or left_out_by_name(name, self._context):
            return nothing
        try:
            data = _content(os.path.join(package.directory, name))
        except OSError:
            return None
        out = left_out_by_header(data, self._context)
        if out and name in package.files:  # it was in, and what follows is for Go to say
            return None
        return nothing if out else source.head(data)

    def stood_still(self, since: int) -> bool:
        """Whether it is sure that no source changed, came or went since a moment.

        Args:
            since: Nanoseconds since 1970.
        """
        named = {os.path.join(p.directory, name) for p in self._local for name in p.files}
        gone = {path for path in named if path.endswith(SOURCES)} - self._marks.keys()
        there = [path for path, found in self._marks.items() if found is not None]
        return not gone and all(self._older(path, since) for path in there)

    def places(self) -> Collection[tuple[str, str]]:
        """Return the directories of the packages that lie on this disk, and of their modules."""
        return [(each.directory, each.module[1]) for each in self._local if each.module]

    def moved(self) -> Collection[str]:
        """Return what is not as it was when we last asked this, or at first."""
        marks = dict(self._look())
        paths = marks.keys() | self._marks.keys()
        changed = [path for path in paths if marks.get(path) != self._marks.get(path)]
        self._marks = marks
        return changed

    def _look(self) -> Iterator[tuple[str, Mark | None]]:
        """Yield which file is which: the sources in each package, and the modules' own files."""
        for package in self._local:
            for name in _names(package.directory):
                if name.endswith(SOURCES):
                    path = os.path.join(package.directory, name)
                    yield path, mark(path)
        for _, root in self._modules:
            for name in MODULE_FILES:
                path = os.path.join(root, name)
                yield path, mark(path)

    def _older(self, path: str, built: int) -> bool:
        """Whether a file is as it was when a build began, and not only looks as if."""
        found = self._marks.get(path)
        if found is None or os.path.islink(path):
            return False
        return found[2] < built - (_TICK if found[2] % _SECOND else _COARSE)

    def _targets(self) -> set[str]:
        """Return what those inputs are that are links."""
        local = (file for file in self._files if os.path.dirname(file) in self._looked)
        links = [file for file in local if os.path.islink(file)]
        return {real(os.path.realpath(link)) for link in links}


def _within(path: str, directory: str) -> bool:
    return f"{path}/".startswith(f"{directory}/")


def _doubtful(package: Package) -> str:
    """Return the directory of which all matters when a package could not be loaded."""
    return package.module[1] if package.module is not None else ""


def _module_around(directory: str) -> list[tuple[str, str]]:
    """Return the module that a directory is in: its path and where it begins."""
    while directory != os.path.dirname(directory):
        try:
            text = _content(os.path.join(directory, "go.mod"))
        except OSError:
            directory = os.path.dirname(directory)
        else:
            found = re.search(rb'^[ \t]*module[ \t]+["`]?([^\s"`]+)', text, re.MULTILINE)
            return [(found[1].decode("utf-8", "replace"), directory)] if found else []
    return []


def _content(path: str, most: int = -1) -> bytes:
    """Read a file's beginning, or all of it; of a FIFO nothing: its writer may never come."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        return b""
    with open(path, "rb") as file:
        return file.read(most)


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []
