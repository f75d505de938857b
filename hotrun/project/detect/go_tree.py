"""The Go packages of a project, found by reading: which are programs, and what they embed.

No `go list` here: it may take seconds, and download. The package clause of one file tells what a
directory is, so a tree is read about as fast as it is listed.
"""

from __future__ import annotations

import fnmatch
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hotrun.project.detect.place import MOST, SKIPPED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hotrun.project.detect.place import Place

PAGES = (".gohtml", ".html", ".tmpl", ".tpl")
_CLAUSE = re.compile(r"^package[ \t]+(\w+)", re.MULTILINE)
_MAIN = re.compile(r"^func[ \t]+main[ \t]*\([ \t]*\)", re.MULTILINE)
_CONSTRAINT = re.compile(r"^//go:build[ \t]+(.+)$", re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_EMBED = re.compile(r"^//go:embed[ \t]+(.+)$", re.MULTILINE)
_HEAD = 16 * 1024  # characters, in which the package clause stands below any licence
_SYSTEM = {"win32": "windows", "cygwin": "windows"}.get(sys.platform, sys.platform)
_SYSTEMS = frozenset(
    [
        "aix",
        "android",
        "darwin",
        "dragonfly",
        "freebsd",
        "illumos",
        "ios",
        "js",
        "linux",
        "netbsd",
        "openbsd",
        "plan9",
        "solaris",
        "wasip1",
        "windows",
    ]
)
_ARCHITECTURES = frozenset(
    ["386", "amd64", "arm", "arm64", "loong64", "mips64", "ppc64le", "riscv64", "s390x", "wasm"]
)
_SET = _ARCHITECTURES | {_SYSTEM, "cgo", "gc"} | ({"unix"} if _SYSTEM != "windows" else set())


@dataclass(slots=True)
class GoTree:
    """What a walk has found; directories and files are relative, with slashes.

    Args:
        mains: The directories of the programs.
        files: The Go files of every package, by directory.
        pages: The other files that were asked for: templates for HTML and the like.
        templ: There are `*.templ` files, from which Go is made.
    """

    mains: list[str] = field(default_factory=list)
    files: dict[str, list[str]] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)
    templ: bool = False


def scan(place: Place, modules: Collection[str], endings: tuple[str, ...]) -> GoTree:
    """Walk the packages of the modules.

    Args:
        place: The project.
        modules: The directories below which a go.mod of their own is no border: "." and what
            go.work uses.
        endings: Of the other files that are looked for.
    """
    tree = GoTree()
    for directory, files in _walk(place, modules):
        sources = [name for name in files if _is_source(name)]
        prefix = "" if directory == "." else f"{directory}/"
        tree.pages += [f"{prefix}{name}" for name in files if name.endswith(endings)]
        tree.templ = tree.templ or any(name.endswith(".templ") for name in files)
        if sources:
            tree.files[directory] = sources
            if is_program(place, directory, sources):
                tree.mains.append(directory)
    return tree


def _walk(place: Place, modules: Collection[str]) -> Iterator[tuple[str, list[str]]]:
    left, seen = ["."], 0
    while left and seen < MOST:
        directory = left.pop()
        files, below = place.names(directory)
        seen += len(files) + len(below) + 1
        if directory != "." and "go.mod" in files and directory not in modules:
            continue
        yield directory, files
        inside = [name for name in below if name[0] not in "._" and name not in SKIPPED]
        left += [name if directory == "." else f"{directory}/{name}" for name in reversed(inside)]


def _is_source(name: str) -> bool:
    """Whether `go build` takes a file here, as far as its name tells."""
    if not name.endswith(".go") or name.endswith("_test.go") or name[0] in "._":
        return False
    words = name[:-3].split("_")[1:]  # windows.go is for every system, x_windows.go is not
    if words and words[-1] in _ARCHITECTURES:
        words.pop()
    return not words or words[-1] not in _SYSTEMS or words[-1] == _SYSTEM


def is_program(place: Place, directory: str, sources: list[str]) -> bool:
    """Whether a directory holds `package main` with a `func main`."""
    program = False
    for name in sources:
        text = place.text(f"{directory}/{name}")
        if not program and (package := _package(text)):
            if package != "main":
                return False  # one clause tells: the rest of a package has the same
            program = True
        if program and _MAIN.search(text) and _package(text):
            return True
    return False


def _package(text: str) -> str:
    """Return the package that a file belongs to; "" when its build tags leave it out."""
    head = text[:_HEAD]
    constraint = _CONSTRAINT.search(head)
    if constraint and not _holds(constraint[1]):
        return ""
    clause = _CLAUSE.search(_COMMENT.sub("", head))
    return clause[1] if clause else ""


def _holds(constraint: str) -> bool:
    """Evaluate a //go:build line without brackets; with them: it may well hold."""
    if "(" in constraint:
        return True
    return any(
        all(_tag(word.strip()) for word in part.split("&&")) for part in constraint.split("||")
    )


def _tag(word: str) -> bool:
    if word.startswith("!"):
        return not _tag(word[1:].strip())
    return word in _SET or word.startswith("go1.")


# What is not part of the program


def read_at_run_time(place: Place, tree: GoTree) -> list[str]:
    """Return patterns of the pages that no `//go:embed` takes into the program.

    The compiler knows nothing of them, yet most programs read them only when they start.
    """
    known: dict[str, list[str]] = {}
    loose = [page for page in tree.pages if not _is_embedded(place, tree, page, known)]
    kept = {_ending(page) for page in tree.pages} if len(loose) == len(tree.pages) else set()
    # Where some files of an ending are embedded, only the directory tells the others.
    return sorted({f"*{_ending(page)}" if kept else _around(page) for page in loose})


def _ending(page: str) -> str:
    return f".{page.rpartition('.')[2]}"


def _around(page: str) -> str:
    directory, _, _ = page.rpartition("/")
    return f"{directory}/**" if directory else f"/{page}"


def _is_embedded(place: Place, tree: GoTree, page: str, known: dict[str, list[str]]) -> bool:
    directory = page
    below: list[str] = []
    while directory != ".":
        directory, _, name = directory.rpartition("/")
        directory, below = directory or ".", [name, *below]
        if directory not in known:
            known[directory] = _embeds(place, directory, tree.files.get(directory, []))
        if any(_takes(pattern, below) for pattern in known[directory]):
            return True
    return False


def _embeds(place: Place, directory: str, sources: list[str]) -> list[str]:
    texts = (place.text(f"{directory}/{name}") for name in sources)
    lines = (match[1] for text in texts for match in _EMBED.finditer(text))
    return [word.strip('"`').removeprefix("all:") for line in lines for word in line.split()]


def _takes(pattern: str, parts: list[str]) -> bool:
    """Whether a pattern of `//go:embed` takes a file, or a directory above it."""
    if pattern == ".":
        return True
    words = pattern.strip("/").split("/")
    return len(words) <= len(parts) and all(map(fnmatch.fnmatchcase, parts, words))
