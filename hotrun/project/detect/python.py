"""Python: Django, or an ASGI or WSGI application, and what serves it.

The reloader of a framework is left out, because hotrun is one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotrun.project.detect import python_apps, python_tools
from hotrun.project.detect.found import Found

if TYPE_CHECKING:
    from hotrun.project.detect.place import Place
    from hotrun.project.detect.python_apps import App
    from hotrun.project.detect.python_tools import Tools

# Kinds that read pages as they are used, and go on showing what they have read.
_RENDERS = ("Flask", "Quart")


def find_app(place: Place, main: str = "") -> Found | None:
    """Find a web application.

    Args:
        place: Where.
        main: The application to take, `module:name`; "": decide.
    """
    if place.has("manage.py") and "django" in place.text("manage.py").lower():
        return _django(place, python_tools.tools(place))
    apps = list(python_apps.find(place))
    if not apps:
        return None
    tools = python_tools.tools(place)
    app = next((app for app in apps if app.target == main), apps[0])
    server = _served(place, app, tools)
    if server is None:
        return None
    what = f"{app.file} makes {'an' if app.kind[0] in 'AEIOU' else 'a'} {app.kind} application"
    because = (f"{what}, {app.name}", server.why, *tools.why)
    others = tuple(other.target for other in apps if other != app)
    hangs = python_apps.serves(place.text(app.file, python_tools.LONGEST))
    check = "" if hangs else f'{tools.python} -B -c "import {app.module}"'
    renders = app.kind in _RENDERS or "jinja2" in tools.names
    text = python_tools.document(
        place, tools, server.command, check, app.root, holds=server.holds, renders=renders
    )
    return Found("python", text, because, (), others, app.file, app.target)


def _django(place: Place, tools: Tools) -> Found:
    check = f"{tools.python} -B manage.py check"
    command = f"{tools.python} -B manage.py runserver --noreload"
    text = python_tools.document(place, tools, command, check, renders=True)
    because = ("manage.py is here, and is Django's", "its own reloader is off: hotrun restarts it")
    return Found("python", text, (*because, *tools.why), source="manage.py")


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
    if python_tools.GUARD.search(place.text(app.file)):
        return Server(f"{python} -B {app.file}", holds=False, why="it starts itself")
    if app.kind == "WSGI":
        why = "wsgiref serves it, which is Python's own: no file of dependencies names a server"
        return Server(_wsgiref(app, python), holds=False, why=why)
    if app.is_asgi:
        why = "uvicorn has to be there: no file of dependencies names a server"
        return Server(_uvicorn(app, python), holds=True, why=why)
    return None


def _gateway(place: Place, app: App, tools: Tools) -> Server | None:
    """Return the server among the dependencies, if there is one."""
    names = tools.names
    standard = any(name.startswith("fastapi[") for name in names)
    if not app.is_asgi:
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


def _wsgiref(app: App, python: str) -> str:
    code = (
        "import sys; from wsgiref.simple_server import make_server; "
        f"from {app.module} import {app.name}; "
        f"make_server(sys.argv[1], int(sys.argv[2]), {app.name}).serve_forever()"
    )
    return f'{python} -B -c "{code}" 127.0.0.1 ${{PORT:-8000}}'


def _uses(place: Place, app: App, server: str) -> bool:
    return bool(re.search(rf"^\s*(?:import|from) {server}\b", place.text(app.file), re.MULTILINE))
