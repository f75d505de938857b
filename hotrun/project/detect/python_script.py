"""Python without a web application that one could see: a script, or a package that is run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from hotrun.project.detect import python_tools, shells
from hotrun.project.detect.found import Found
from hotrun.project.detect.python_tools import GUARD, LONGEST, MOST

if TYPE_CHECKING:
    from hotrun.project.detect.place import Place

_SCRIPTS = ("main.py", "app.py", "server.py", "run.py", "__main__.py")
# They are called by a tool, and are no program.
_CALLED = re.compile(
    r"(?:test_.*|.*_test|conftest|setup|noxfile|tasks|fabfile|dodo|conf|__init__)\.py"
)


# Beside a directory with one of these a source is a helper, and running it may do anything.
_PROJECTS = ("hotrun.toml", "go.mod", "Cargo.toml", "package.json", "pyproject.toml", "manage.py")


class Script(NamedTuple):
    """What is run: the words behind `python`, the file that they lead to, and why it."""

    words: str
    file: str
    why: str
    root: str = "."


def find(place: Place, main: str = "") -> Found | None:
    """Find a program that is no web application as far as one can see."""
    del main
    script = _named(place) or _package(place)
    return _found(place, script) if script is not None else None


def find_lone(place: Place, main: str = "") -> Found | None:
    """Take the only source that is here: what else is here says nothing."""
    del main
    files, directories = place.names()
    sources = [name for name in files if name.endswith(".py")]
    if len(sources) != 1 or _CALLED.fullmatch(sources[0]):
        return None
    if any(place.first(*(f"{name}/{file}" for file in _PROJECTS)) for name in directories):
        return None
    why = f"{sources[0]} is here, the only file of Python, and run as a script"
    return _found(place, Script(shells.quoted(sources[0]), sources[0], why))


def _found(place: Place, script: Script) -> Found:
    tools = python_tools.tools(place)
    command = f"{tools.python} -B {script.words}"
    text = python_tools.document(place, tools, command, root=script.root)
    return Found("python", text, (script.why, *tools.why), source=script.file)


def _named(place: Place) -> Script | None:
    """Return the file with a usual name, or the only one that can be started."""
    file = place.first(*_SCRIPTS)
    if not file:
        sources = [name for name in place.names()[0] if name.endswith(".py")][:MOST]
        guarded = [name for name in sources if GUARD.search(place.text(name, LONGEST))]
        file = guarded[0] if len(guarded) == 1 else ""
    return (
        Script(shells.quoted(file), file, f"{file} is here, and run as a script") if file else None
    )


def _package(place: Place) -> Script | None:
    """Return the only package that can be run, here or in src/."""
    roots = {".": place.names()[1], "src": place.names("src")[1]}
    files = [
        (root, name, f"{name}/__main__.py" if root == "." else f"{root}/{name}/__main__.py")
        for root, names in roots.items()
        for name in names
        if name not in ("tests", "test", "docs")
    ]
    there = [each for each in files if place.has(each[2])]
    if len(there) == 1:
        root, name, file = there[0]
        return Script(
            f"-m {shells.quoted(name)}", file, f"{file} is here, and run as a script", root
        )
    return None
