"""What `go list -json` says of one package, as far as its files go."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from hotrun.lean import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOREIGN = ("CgoFiles", "CFiles", "CXXFiles", "MFiles", "HFiles", "FFiles", "SFiles")
_SWIG = ("SwigFiles", "SwigCXXFiles")
_COMPILED = ("GoFiles", "EmbedFiles", "SysoFiles", *_FOREIGN, *_SWIG)
_LEFT_OUT = ("IgnoredGoFiles", "IgnoredOtherFiles")
_ABOUT = ("Dir", "ImportPath", "Standard", "DepOnly", "Module", "Error", "Imports", "EmbedPatterns")
FIELDS = (*_ABOUT, *_LEFT_OUT, *_COMPILED)
# The package that is made of .go files which stand in the command.
UNNAMED = "command-line-arguments"


@dataclass(frozen=True, slots=True)
class Package:
    """One package that is compiled into the program, and no part of the standard library.

    Attributes:
        path: Its import path.
        directory: Where its files are; no link.
        module: The path and the directory of its module; None when it is in none.
        local: It is somebody's sources, and no copy that a tool downloaded.
        asked: The command names it; it is not only imported.
        files: Names, relative to the directory, of what is compiled or embedded.
        left_out: Names of what constraints keep out.
        imports: Import paths.
        patterns: Of files to embed.
        foreign: It has files that another compiler reads: C, assembler.
        broken: Go could not load it.
    """

    path: str
    directory: str
    module: tuple[str, str] | None
    local: bool
    asked: bool
    files: frozenset[str]
    left_out: frozenset[str]
    imports: frozenset[str]
    patterns: frozenset[str]
    foreign: bool
    broken: bool


def parse(text: str) -> list[Package]:
    """Read what `go list -e -deps -json=FIELDS` prints.

    Raises:
        ValueError: it is something else.
    """
    try:
        found = [_package(each) for each in _objects(text) if not each.get("Standard")]
    except (AttributeError, TypeError, KeyError) as error:
        raise ValueError("not what go list prints") from error
    if not found:
        raise ValueError("go list names no package")
    return found


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """One object stands behind the other, without a comma."""
    decoder = json.JSONDecoder()
    at, end = 0, len(text.rstrip())
    while at < end:
        value, at = decoder.raw_decode(text, at)
        yield value
        while at < end and text[at].isspace():
            at += 1


def _package(data: dict[str, Any]) -> Package:
    module = data.get("Module")
    directory = data.get("Dir", "")
    return Package(
        path=data["ImportPath"],
        directory=os.path.realpath(directory) if directory else "",
        module=(module["Path"], os.path.realpath(module.get("Dir", ""))) if module else None,
        local=module is None or _is_local(module),
        asked=not data.get("DepOnly", False),
        files=_names(data, *_COMPILED),
        left_out=_names(data, *_LEFT_OUT),
        imports=_names(data, "Imports"),
        patterns=_names(data, "EmbedPatterns"),
        foreign=bool(_names(data, *_FOREIGN, *_SWIG)),
        broken="Error" in data or not directory,
    )


def _names(data: dict[str, Any], *fields: str) -> frozenset[str]:
    return frozenset(name for field in fields for name in data.get(field) or ())


def _is_local(module: dict[str, Any]) -> bool:
    """A version stands for a copy in the module cache or in vendor/, unless it was replaced."""
    replaced = module.get("Replace") or module
    return not replaced.get("Version")
