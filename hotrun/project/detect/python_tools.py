"""How Python is run in a project, and the hotrun.toml of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotrun.project.detect import toml

if TYPE_CHECKING:
    from hotrun.project.detect.place import Place

LONGEST = 200_000  # bytes of a source; an application is made near its beginning
MOST = 50  # files, or packages, that are read
GUARD = re.compile(r"^if[ \t]+__name__[ \t]*==[ \t]*['\"]__main__['\"]", re.MULTILINE)
_DEPENDENCIES = (
    "pyproject.toml",
    "requirements.txt",
    "requirements-dev.txt",
    "Pipfile",
    "setup.cfg",
)
_LOCKS = {"uv.lock": "uv run", "poetry.lock": "poetry run", "Pipfile.lock": "pipenv run"}
ENVIRONMENTS = (".venv", "venv")
_PAGES = (".html", ".jinja", ".jinja2", ".j2")
_UNBUFFERED = "What the app prints is seen at once."
_CHECKED = (
    "What does not load never replaces the app that runs. -B: a .pyc could miss a quick save."
)
_HELD = "hotrun holds this socket, also while the app restarts: nobody is refused."
_TESTS = "A test is no part of the program."
_DOTENV = frozenset(
    ["django-environ", "environs", "pydantic-settings", "python-decouple", "python-dotenv"]
)
_IMPORTS = "Modules of this project are found here."


@dataclass(frozen=True, slots=True)
class Tools:
    """How Python is run in a project.

    Args:
        python: The command: "python3", ".venv/bin/python", "uv run python".
        why: A sentence about it, or nothing.
        names: What the files of dependencies name, in lower case; with extras both as it stands
            and without them.
    """

    python: str
    why: tuple[str, ...]
    names: frozenset[str]


def tools(place: Place) -> Tools:
    """Return who runs Python here, and what the project depends on."""
    texts = (place.text(name) for name in _DEPENDENCIES)
    plain = re.sub(r"(^|\s)#.*", "", "\n".join(texts).lower(), flags=re.MULTILINE)
    words = re.findall(r"[a-z0-9][a-z0-9_.-]*(?:\[[a-z0-9, _-]*\])?", plain)
    whole = [word.replace("_", "-") for word in words]
    names = frozenset([*whole, *(word.partition("[")[0] for word in whole)])
    for directory in ENVIRONMENTS:
        python = f"{directory}/bin/python"
        if place.has(python):
            return Tools(python, (f"{directory} is here, so its Python is taken",), names)
    lock = place.first(*_LOCKS)
    if lock:
        why = f"{lock} is here, so `{_LOCKS[lock]}` starts it"
        return Tools(f"{_LOCKS[lock]} python", (why,), names)
    return Tools("python3", (), names)


def document(
    place: Place,
    tools: Tools,
    command: str,
    check: str = "",
    root: str = ".",
    *,
    holds: bool = False,
    renders: bool = False,
) -> str:
    """Return the hotrun.toml.

    Args:
        place: The project.
        tools: What `tools` says of it.
        command: Runs the app.
        check: The command that tells whether it loads; "": none.
        root: Where modules are imported from.
        holds: The app takes a socket that hotrun holds.
        renders: It reads pages from `templates/`, which need not be there yet.
    """
    pages = _pages(place) or (["templates/"] if renders else [])
    path = {} if root == "." else {"PYTHONPATH": root}
    files = [".env"] if place.has(".env") and _DOTENV & tools.names else []
    listen = ["127.0.0.1:${PORT:-8000}"] if holds else []
    return toml.document(
        toml.table(
            "watch",
            ("include", ["*.py", *pages], "What the running app holds in memory."),
            ("exclude", ["test_*.py", "*_test.py", *_hidden(place)], _TESTS),
        ),
        toml.table("build", ("command", check, _CHECKED), ("env", path if check else {}, _IMPORTS)),
        toml.table(
            "run",
            ("command", command, ""),
            ("env", {"PYTHONUNBUFFERED": "1", **path}, _UNBUFFERED),
            ("env_files", files, "A change of it restarts the app."),
            ("listen", listen, _HELD),
        ),
    )


def _pages(place: Place) -> list[str]:
    """Return patterns of the templates: outside of debug modes they are read once."""
    _, directories = place.names()
    likely = ["templates", *(f"{name}/templates" for name in directories)]
    found: set[str] = set()
    for directory in likely:
        files, below = place.names(directory)
        for each in below[:20]:
            files = [*files, *place.names(f"{directory}/{each}")[0]]
        found |= {f"*{ending}" for ending in _PAGES for file in files if file.endswith(ending)}
    return sorted(found)


def _hidden(place: Place) -> list[str]:
    there = [name for name in ENVIRONMENTS if place.has_directory(name)]
    return [f"/{name}/" for name in there if not place.is_ignored(name)]
