"""The house has floors: a module imports only from lower ones, and no wing another wing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import hotrun

PACKAGE = Path(hotrun.__file__).parent
WINGS = ("watch", "config", "process", "notices")
PURE = ("core", "facts", "record", "state")  # of these the core is made
FLOORS = dict.fromkeys(
    (*PURE, "address", "advice", "breaker", "streak", "patterns", "errors", "lean"), 0
)
FLOORS |= dict.fromkeys(("units", "url", "variables"), 0)
FLOORS |= dict.fromkeys(WINGS, 1)
LOOP = ("alarms", "feed", "feeds", "host", "inputs", "jobs", "loops", "options", "reload")
LOOP += ("seat", "service", "session", "signals", "triage")
FLOORS |= dict.fromkeys((*LOOP, "project", "ui"), 2)
FLOORS |= dict.fromkeys(("cli", "__main__"), 3)
# Of the standard library the core needs words for data, and no more.
HARMLESS = ("__future__", "dataclasses", "enum", "typing")
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "templates" not in path.parts)


def room(module: str) -> str:
    """The room of ``hotrun.watch.inotify.tree`` is ``watch``; of the package itself, nothing."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports(path: Path) -> set[str]:
    """Every module of ours that a file names, at the top, in a function or for the types."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides where it leads"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == "hotrun"}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_from_lower_floors(path: Path) -> None:
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    if own == "__init__":
        return  # the version, and the public names on demand
    assert own in FLOORS, f"{own} has no floor: give it one here and in docs/design.md"
    for name in imports(path):
        other = room(name)
        if other not in FLOORS or other == own:
            continue  # the package's own names, or the same room
        assert FLOORS[other] <= FLOORS[own], f"{path.name} reaches up to {name}"
        if own in WINGS:
            assert other not in WINGS, f"{path.name}: wing {own} reaches into wing {other}"


@pytest.mark.parametrize("name", PURE)
def test_the_core_reads_no_clock_no_disk_and_no_process_table(name: str) -> None:
    tree = ast.parse((PACKAGE / f"{name}.py").read_text(encoding="utf-8"))
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
    assert modules <= {*HARMLESS, "hotrun.lean", *(f"hotrun.{each}" for each in PURE)}
