"""Python: Django, an ASGI or WSGI application, or a script.

Applications are found by their line (`app = FastAPI(`), and only in a few likely files: nothing is
imported here. The reloader of a framework is left out, because hotrun is one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotrun.project.detect import shells, toml
from hotrun.project.detect.found import Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotrun.project.detect.place import Place

_ASGI = ("FastAPI", "Starlette", "Litestar", "Quart", "BlackSheep", "FastHTML")
_WSGI = ("Flask", "Bottle")
_APP = re.compile(
    rf"^(\w+)[ \t]*(?::[^=\n]+)?=[ \t]*(?:\w+\.)?({'|'.join((*_ASGI, *_WSGI))})\(", re.MULTILINE
)
_FACTORY = re.compile(r"^def[ \t]+(create_app|make_app|get_app)[ \t]*\(", re.MULTILINE)
_GUARD = re.compile(r"^if[ \t]+__name__[ \t]*==[ \t]*['\"]__main__['\"]", re.MULTILINE)
_LIKELY = ("main", "app", "asgi", "wsgi", "server", "api", "application", "run", "__init__")
_SCRIPTS = ("main.py", "app.py", "server.py", "run.py", "__main__.py")
_DEPENDENCIES = (
    "pyproject.toml",
    "requirements.txt",
    "requirements-dev.txt",
    "Pipfile",
    "setup.cfg",
)
_LOCKS = {"uv.lock": "uv run", "poetry.lock": "poetry run", "Pipfile.lock": "pipenv run"}
_ENVIRONMENTS = (".venv", "venv")
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
_LONGEST = 200_000  # bytes of a source; an application is made near its beginning
_MOST = 50  # files, or packages, that are read
_IMPORTS = "Modules of this project are found here."


@dataclass(frozen=True, slots=True)
class App:
    """An application object.

    Args:
        file: Where it is: "src/shop/main.py".
        name: Its name in that module, or that of the function which makes it.
        kind: "FastAPI", "Flask" and the like.
        factory: Whether the name is a function.
    """

    file: str
    name: str
    kind: str
    factory: bool = False

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


@dataclass(frozen=True, slots=True)
class Tools:
    """How Python is run in a project.

    Args:
        python: The command: "python3", ".venv/bin/python", "uv run python".
        why: A sentence about it, or nothing.
        names: What the files of dependencies name, in lower case.
    """

    python: str
    why: tuple[str, ...]
    names: frozenset[str]


def find_app(place: Place, main: str = "") -> Found | None:
    """Find a web application.

    Args:
        place: Where.
        main: The application to take, `module:name`; "": decide.
    """
    if place.has("manage.py") and "django" in place.text("manage.py").lower():
        return _django(place, _tools(place))
    apps = list(_apps(place))
    if not apps:
        return None
    tools = _tools(place)
    app = next((app for app in apps if app.target == main), apps[0])
    server = _served(place, app, tools)
    if server is None:
        return None
    what = f"{app.file} makes {'an' if app.kind[0] in 'AEIOU' else 'a'} {app.kind} application"
    because = (f"{what}, {app.name}", server.why, *tools.why)
    others = tuple(other.target for other in apps if other != app)
    check = f'{tools.python} -B -c "import {app.module}"'
    text = _text(place, tools, server.command, check, app.root, holds=server.holds)
    return Found("python", text, because, (), others, app.file, app.target)


def find_script(place: Place, main: str = "") -> Found | None:
    """Find a program that is no web application as far as one can see."""
    del main
    file = place.first(*_SCRIPTS)
    files, directories = place.names()
    sources = [name for name in files if name.endswith(".py")][:_MOST]
    guarded = [name for name in sources if _GUARD.search(place.text(name, _LONGEST))]
    file = file or (guarded[0] if len(guarded) == 1 else "")
    packages = [name for name in directories if place.has(f"{name}/__main__.py")]
    if not file and len(packages) != 1:
        return None
    tools = _tools(place)
    source = file or f"{packages[0]}/__main__.py"
    target = shells.quoted(file) if file else f"-m {shells.quoted(packages[0])}"
    command = f"{tools.python} -B {target}"
    text = _text(place, tools, command, "")
    what = f"{source} is here, and run as a script"
    return Found("python", text, (what, *tools.why), source=source)


def _django(place: Place, tools: Tools) -> Found:
    check = f"{tools.python} -B manage.py check"
    command = f"{tools.python} -B manage.py runserver --noreload"
    text = _text(place, tools, command, check)
    because = ("manage.py is here, and is Django's", "its own reloader is off: hotrun restarts it")
    return Found("python", text, (*because, *tools.why), source="manage.py")


def _text(
    place: Place, tools: Tools, command: str, check: str, root: str = ".", *, holds: bool = False
) -> str:
    path = {} if root == "." else {"PYTHONPATH": root}
    files = [".env"] if place.has(".env") and _DOTENV & tools.names else []
    listen = ["127.0.0.1:${PORT:-8000}"] if holds else []
    return toml.document(
        toml.table(
            "watch",
            ("include", ["*.py", *_pages(place)], "What the running app holds in memory."),
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
    there = [name for name in _ENVIRONMENTS if place.has_directory(name)]
    return [f"/{name}/" for name in there if not place.is_ignored(name)]


# Who runs it


def _tools(place: Place) -> Tools:
    texts = (place.text(name) for name in _DEPENDENCIES)
    words = re.findall(r"[a-z0-9][a-z0-9_.-]*(?:\[[a-z, _-]*\])?", "\n".join(texts).lower())
    names = frozenset(word.replace("_", "-") for word in words)
    for directory in _ENVIRONMENTS:
        python = f"{directory}/bin/python"
        if place.has(python):
            return Tools(python, (f"{directory} is here, so its Python is taken",), names)
    lock = place.first(*_LOCKS)
    if lock:
        why = f"{lock} is here, so `{_LOCKS[lock]}` starts it"
        return Tools(f"{_LOCKS[lock]} python", (why,), names)
    return Tools("python3", (), names)


@dataclass(frozen=True, slots=True)
class Server:
    """What serves an application: the command, whether it takes a held socket, and why it."""

    command: str
    holds: bool
    why: str


def _served(place: Place, app: App, tools: Tools) -> Server | None:
    """Choose the server: one that is a dependency, or the application itself."""
    python = tools.python
    found = _gateway(place, app, tools)
    if found is not None:
        return found
    if app.kind == "Flask" or (app.factory and "flask" in tools.names):
        command = f"{python} -m flask --app {app.target} run --no-reload"
        return Server(command, holds=False, why="flask serves it, without its own reloader")
    if _GUARD.search(place.text(app.file)):
        return Server(f"{python} -B {app.file}", holds=False, why="it starts itself")
    if app.kind in _ASGI:
        why = "uvicorn has to be there: no file of dependencies names a server"
        return Server(_uvicorn(app, python), holds=True, why=why)
    return None


def _gateway(place: Place, app: App, tools: Tools) -> Server | None:
    """Return the server among the dependencies, if there is one."""
    names = tools.names
    standard = any(name.startswith("fastapi[") for name in names)
    if app.kind in _WSGI:
        if "gunicorn" not in names or app.factory:
            return None
        # It takes what LISTEN_FDS says, and closes it: a --bind of the same socket would fail.
        command = f"{tools.python} -m gunicorn {app.target}"
        return Server(command, holds=True, why="gunicorn serves it, without its own reloader")
    if "uvicorn" in names or standard or _uses(place, app, "uvicorn"):
        why = "uvicorn serves it, without its own reloader"
        return Server(_uvicorn(app, tools.python), holds=True, why=why)
    if "hypercorn" in names and not app.factory:
        command = f"{tools.python} -m hypercorn --bind fd://{{fd}} {app.target}"
        return Server(command, holds=True, why="hypercorn serves it, without its own reloader")
    return None


def _uvicorn(app: App, python: str) -> str:
    words = [python, "-m", "uvicorn", "--fd", "{fd}", *(["--factory"] if app.factory else [])]
    return " ".join([*words, app.target])


def _uses(place: Place, app: App, server: str) -> bool:
    return bool(re.search(rf"^\s*(?:import|from) {server}\b", place.text(app.file), re.MULTILINE))


# Applications


def _apps(place: Place) -> Iterator[App]:
    """Applications in likely files, the likeliest first."""
    for file in _likely(place):
        text = place.text(file, _LONGEST)
        found = [App(file, name, kind) for name, kind in _APP.findall(text)]
        kinds = [kind for kind in (*_ASGI, *_WSGI) if f"{kind}(" in text]
        makers = _FACTORY.findall(text) if kinds and not found else []
        yield from (*found, *(App(file, name, kinds[0], factory=True) for name in makers))


def _likely(place: Place) -> Iterator[str]:
    _, directories = place.names()
    _, inside = place.names("src")
    hidden = {*_ENVIRONMENTS, "tests", "test", "docs", "node_modules", "src"}
    packages = [name for name in directories if name.isidentifier() and name not in hidden]
    packages = ["", *packages, *(f"src/{name}" for name in inside if name.isidentifier()), "src"]
    for package in packages[:_MOST]:
        for stem in _LIKELY:
            file = f"{package}/{stem}.py".lstrip("/")
            if place.has(file):
                yield file
