"""`bee.json` and `Beefile`: what `bee run` is told, carried over, with a list of what could not be.

The keys are those of bee's config/conf.go. bee builds the package right here into a program named
like the directory, and rebuilds for `.go` and the endings in `watch_ext`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from hotrun.project.detect import go, toml, yamlish
from hotrun.project.detect.air_file import texts
from hotrun.project.detect.found import Found
from hotrun.project.detect.go_tree import read_at_run_time, scan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotrun.project.detect.place import Place

_PAGES = (".tpl", ".html")
_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
UNKNOWN = "hotrun does not know this key"
# What is in vendor/ is watched in any case.
_CARRIED = frozenset(
    ["version", "go_install", "watch_ext", "dir_structure", "cmd_args", "envs", "vendor_watch"]
)
# Keys of other commands of bee, which `bee run` never reads.
_OTHERS = {
    "bale": "it is of `bee bale`",
    "database": "it is of `bee migrate` and `bee generate`",
    "scripts": "it is of `bee rs`",
    "gopm": "gopm is gone; go.mod does its work",
}


def find(place: Place, main: str = "") -> Found | None:
    """Carry a `bee.json` or a `Beefile` over, if there is one that can be read."""
    del main
    file = place.first("bee.json", "Beefile")
    tree = _read(place, file) if file else None
    if tree is None:
        return None
    left: list[str] = []
    text = _document(place, tree, left)
    _leave_the_rest(tree, left)
    return Found("bee", text, (f"{file} is here, and carried over",), tuple(left), source=file)


def _read(place: Place, file: str) -> Mapping[str, Any] | None:
    text = place.text(file)
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        # bee.json is nothing but JSON; a Beefile is YAML, of which JSON is a part.
        tree = yamlish.parse(text) if file == "Beefile" else None
    return tree if isinstance(tree, dict) else None


def _document(place: Place, tree: Mapping[str, Any], left: list[str]) -> str:
    program, _ = go.program(place, go.module_of(place), ".")
    structure = tree.get("dir_structure")
    others = texts(structure.get("others")) if isinstance(structure, dict) else []
    return toml.document(
        toml.table("watch", ("paths", _roots(others, left), "")),
        go.build(f"{go.BUILD} -o {program} .", go.NO_STAMP),
        toml.table(
            "run",
            ("command", f"./{program}", ""),
            ("args", texts(tree.get("cmd_args")), ""),
            ("env", _variables(texts(tree.get("envs")), left), ""),
        ),
        toml.rule(_loose(place, tree), "restart", go.RESTARTED),
    )


def _roots(others: list[str], left: list[str]) -> list[str]:
    """Return the roots beside the project: what is below it is watched in any case."""
    roots = ["."]
    for other in others:
        if "$" in other:
            left.append(f'dir_structure.others: "{other}" names a directory by a variable')
        elif other.startswith(("/", "..")):
            roots.append(other)
    return roots if len(roots) > 1 else []


def _variables(lines: list[str], left: list[str]) -> dict[str, str]:
    pairs = {line: _VARIABLE.fullmatch(line) for line in lines}
    left += [f'envs: "{line}" is no NAME=value' for line, pair in pairs.items() if pair is None]
    return {pair[1]: pair[2] for pair in pairs.values() if pair}


def _loose(place: Place, tree: Mapping[str, Any]) -> list[str]:
    """Return patterns of what is watched and no Go: bee restarts for it."""
    wished = [f".{each.lstrip('.')}" for each in texts(tree.get("watch_ext"))]
    others = [each for each in wished if each != ".go"]
    # The templates of beego are read when it starts; bee's own list leaves them out.
    endings = tuple(dict.fromkeys((*others, *_PAGES)))
    found = read_at_run_time(place, scan(place, ["."], endings))
    return [*found, *(f"*{each}" for each in others if f"*{each}" not in found)]


def _leave_the_rest(tree: Mapping[str, Any], left: list[str]) -> None:
    if tree.get("go_install") is True:
        left.append("go_install: the build cache of Go makes it needless")
    if tree.get("enable_reload") is True:
        left.append("enable_reload: browsers are not reloaded")
    static = texts(tree.get("watch_ext_static"))
    if static:
        left.append(f"watch_ext_static: {', '.join(static)} reload no browser")
    if tree.get("enable_notification") is True:
        left.append("enable_notification: there are no desktop notifications")
    known = _CARRIED | {"enable_reload", "enable_notification", "watch_ext_static"}
    rest = [key for key in tree if key.lower() not in known]
    left += [f"{key}: {_OTHERS.get(key.lower(), UNKNOWN)}" for key in rest]
