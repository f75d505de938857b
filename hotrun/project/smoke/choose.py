"""Which file is edited: a watched source to which one newline more does nothing.

The one that the commands name, or the main file of the main package, or the likeliest entrance.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Protocol

from hotrun.inputs.constraint import ARCHITECTURES, SYSTEMS
from hotrun.process import command as commands
from hotrun.watch.sieve.snapshot import list_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hotrun.config import Config

# Languages in which blank lines at the end of a file mean nothing, by how likely a file of it is
# what the build reads: first what is compiled, then what is run, then what is shown.
KINDS = (
    frozenset({".go", ".rs", ".zig", ".c", ".cc", ".cpp", ".cxx", ".java", ".kt", ".swift", ".cs"}),
    frozenset({".py", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".jsx", ".rb", ".php", ".ex", ".lua"}),
    frozenset({".h", ".hpp", ".sh", ".pl", ".dart", ".scala", ".hs", ".ml", ".templ", ".vue"}),
    frozenset({".html", ".tmpl", ".css", ".scss", ".sql", ".toml", ".json", ".md", ".txt"}),
)
ENTRANCES = ("main", "app", "server", "index", "__main__", "manage", "lib", "cmd")
# Tests are compiled into no program; what is generated is written again by the next build.
_TEST = re.compile(r"(?:^|[/_.-])(?:tests?|spec|testdata|fixtures)(?:[/_.-]|$)", re.IGNORECASE)
_GENERATED = re.compile(r"(?:\.pb\.|_pb2\.|\.gen\.|_gen\.|\.min\.|-lock\.|(?:^|/)vendor/)")
_GO_NAMES = SYSTEMS | ARCHITECTURES | {"test"}  # what the last part of a name restricts it to
_GO_TAGS = re.compile(rb"^//(?:go:build| \+build)", re.MULTILINE)
MOST = 1 << 20  # bytes of a source; what is larger is data
LOOKED_AT = 200  # candidates that are read; the first one that fits is taken


class Accepts(Protocol):
    """What is watched: hotrun.watch.rules.filter.Filter."""

    def skips(self, directory: str) -> bool:
        """Whether a directory is never opened."""

    def wants(self, path: str) -> bool:
        """Whether a change of a file counts."""


def choose(
    config: Config,
    roots: tuple[str, ...],
    accepts: Accepts,
    counts: Callable[[str], bool] = lambda _: True,
) -> str | None:
    """Find the file to edit.

    Args:
        config: The config.
        roots: The watched directories, absolute.
        accepts: What is watched.
        counts: Whether a change of a watched file builds or restarts.

    Returns:
        An absolute path; None when nothing fits.
    """
    named = set(_named(config))
    found = [path for path in _files(roots, accepts) if path != config.file]
    found.sort(key=lambda path: _rank(path, config.directory, named))
    for path in found[:LOOKED_AT]:
        if _is_fit(path) and counts(path):
            return path
    return None


def _files(roots: tuple[str, ...], accepts: Accepts) -> Iterator[str]:
    for directory, listed in list_tree(roots, accepts.skips, accepts.wants).items():
        for name in listed.files:
            if _kind(name) < len(KINDS):
                yield f"{directory}/{name}"


def _kind(name: str) -> int:
    ending = os.path.splitext(name)[1].lower()
    return next((number for number, kind in enumerate(KINDS) if ending in kind), len(KINDS))


def _named(config: Config) -> Iterator[str]:
    """Yield what the words of the commands may mean: files, and directories of packages."""
    tables = [(config.build.command, ".")] if config.build is not None else []
    if config.run is not None:
        tables.append((config.run.command, config.run.working_directory))
    for command, where in tables:
        for word in commands.parse(command).text.split():
            plain = word.strip("'\"()")
            path = os.path.normpath(os.path.join(config.resolve(where), plain))
            yield path
            yield f"{path}.py"  # `python -m tool`, `uvicorn app:app`
            yield os.path.join(os.path.dirname(path), f"{plain.partition(':')[0]}.py")


def _rank(path: str, base: str, named: set[str]) -> tuple[bool, bool, bool, int, int, str]:
    """Return what sorts the candidates: the smallest is the best."""
    shown = path.removeprefix(f"{base}/")
    stem, ending = os.path.splitext(os.path.basename(path))
    main = ENTRANCES.index(stem.lower()) if stem.lower() in ENTRANCES else len(ENTRANCES)
    is_named = path in named or (ending == ".go" and os.path.dirname(path) in named)
    odd = bool(_TEST.search(shown) or _GENERATED.search(shown))
    return odd, not is_named, _kind(path) > 1, main * 2 + shown.count("/"), _kind(path), shown


def _is_fit(path: str) -> bool:
    """Whether the file may be edited, and is the kind of file that its name says."""
    try:
        if os.path.islink(path) or not os.access(path, os.W_OK):
            return False
        with open(path, "rb") as file:
            content = file.read(MOST + 1)
    except OSError:
        return False
    if not content or len(content) > MOST or b"\0" in content:
        return False
    return not path.endswith(".go") or _is_built_by_go(path, content)


def _is_built_by_go(path: str, content: bytes) -> bool:
    """Whether the file is in the program on every system: exec_windows.go is not."""
    last = os.path.basename(path).removesuffix(".go").rpartition("_")[2]
    return last not in _GO_NAMES and not _GO_TAGS.search(content)
