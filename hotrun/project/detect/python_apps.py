"""Applications of Python, found by their line (`app = FastAPI(`, `def application(environ, ...`).

Only in a few likely files: nothing is imported here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotrun.project.detect.python_tools import ENVIRONMENTS, GUARD, LONGEST, MOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotrun.project.detect.place import Place

_ASGI = ("FastAPI", "Starlette", "Litestar", "Quart", "BlackSheep", "FastHTML")
_WSGI = ("Flask", "Bottle")
_APP = re.compile(
    rf"^(\w+)[ \t]*(?::[^=\n]+)?=[ \t]*(?:\w+\.)?({'|'.join((*_ASGI, *_WSGI))})\(", re.MULTILINE
)
# PEP 3333 and the ASGI specification: a function with just these parameters.
_CALLABLES = {
    "WSGI": re.compile(
        r"^def[ \t]+(\w+)[ \t]*\(\s*environ\b[^)]{0,200}?\bstart_response\b", re.MULTILINE
    ),
    "ASGI": re.compile(
        r"^async[ \t]+def[ \t]+(\w+)[ \t]*\(\s*scope\b[^)]{0,200}?\breceive\b[^)]{0,200}?\bsend\b",
        re.MULTILINE,
    ),
}
_USUAL = ("application", "app")  # the names that servers look for
# What starts a server: where nothing guards it, the import of its file does not come back.
_STARTS = re.compile(
    r"^(?:with[ \t]+|\w+[ \t]*=[ \t]*)?(?:\w+\.)*"
    r"(?:serve_forever|make_server|run_simple|serve|run)\(",
    re.MULTILINE,
)
_FACTORY = re.compile(r"^def[ \t]+(create_app|make_app|get_app)[ \t]*\(", re.MULTILINE)
_LIKELY = ("main", "app", "asgi", "wsgi", "server", "api", "application", "run", "__init__")


@dataclass(frozen=True, slots=True)
class App:
    """An application object.

    Args:
        file: Where it is: "src/shop/main.py".
        name: Its name in that module, or that of the function which makes it.
        kind: "FastAPI", "Flask" and the like; "ASGI" or "WSGI" of a plain function.
        factory: Whether the name is a function.
    """

    file: str
    name: str
    kind: str
    factory: bool = False

    @property
    def is_asgi(self) -> bool:
        """Whether ASGI is how it is called, and not WSGI."""
        return self.kind in (*_ASGI, "ASGI")

    @property
    def root(self) -> str:
        """The directory that modules are imported from."""
        return "src" if self.file.startswith("src/") else "."

    @property
    def module(self) -> str:
        """The dotted name of the module."""
        path = self.file.removeprefix("src/").removesuffix(".py").removesuffix("/__init__")
        return path.replace("/", ".")

    @property
    def target(self) -> str:
        """`module:name`, as servers take it."""
        return f"{self.module}:{self.name}"


def find(place: Place) -> Iterator[App]:
    """Yield the applications in likely files, the likeliest first."""
    for file in _likely(place):
        text = place.text(file, LONGEST)
        found = [App(file, name, kind) for name, kind in _APP.findall(text)]
        kinds = [kind for kind in (*_ASGI, *_WSGI) if f"{kind}(" in text]
        makers = _FACTORY.findall(text) if kinds and not found else []
        made = [*found, *(App(file, name, kinds[0], factory=True) for name in makers)]
        yield from made or _callables(file, text)


def serves(text: str) -> bool:
    """Whether a source starts its own server when it is imported."""
    return bool(_STARTS.search(text)) and not GUARD.search(text)


def _callables(file: str, text: str) -> list[App]:
    """Return the functions that are applications; one's middleware may look like them."""
    if serves(text):
        return []
    found = [
        App(file, name, kind)
        for kind, pattern in _CALLABLES.items()
        for name in pattern.findall(text)
    ]
    return found if len(found) == 1 else [app for app in found if app.name in _USUAL]


def _likely(place: Place) -> Iterator[str]:
    _, directories = place.names()
    _, inside = place.names("src")
    hidden = {*ENVIRONMENTS, "tests", "test", "docs", "node_modules", "src"}
    packages = [name for name in directories if name.isidentifier() and name not in hidden]
    packages = ["", *packages, *(f"src/{name}" for name in inside if name.isidentifier()), "src"]
    for package in packages[:MOST]:
        for stem in _LIKELY:
            file = f"{package}/{stem}.py".lstrip("/")
            if place.has(file):
                yield file
