"""Python: what is found of it, from files that name little."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from live import environment, free_port, listens, until
from trees import plant

from hotrun.config import load_text
from hotrun.project.detect import detect

if TYPE_CHECKING:
    from pathlib import Path

    from hotrun.config import Config
    from hotrun.project.detect import Found

WSGI = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"fine"]
"""
ASGI = "async def app(scope, receive, send):\n    pass\n"
GUARD = "if __name__ == '__main__':\n    serve()\n"


def found(directory: Path, files: dict[str, str]) -> tuple[Found, Config]:
    """Make a project, and return what is found in it, and its config."""
    plant(directory, files)
    answer = detect(str(directory))
    assert answer is not None
    return answer, load_text(answer.text, str(directory))


def command(config: Config) -> object:
    assert config.run is not None
    return config.run.command


# Servers


@pytest.mark.parametrize(
    ("app", "requirements", "server"),
    [
        ("FastAPI()", "uvicorn[standard]==0.30", "uvicorn"),
        ("FastAPI()", "uvicorn[standard,x2]", "uvicorn"),
        ("Flask(__name__)", "Flask\ngunicorn[gevent]", "gunicorn"),
        ("Flask(__name__)", "flask\n# gunicorn, one day\n", "flask"),
        ("Flask(__name__)", "flask  # no gunicorn\n", "flask"),
    ],
)
def test_a_server_is_a_dependency_with_extras_too_and_not_in_a_comment(
    tmp_path: Path, app: str, requirements: str, server: str
) -> None:
    answer, config = found(tmp_path, {"main.py": f"app = {app}", "requirements.txt": requirements})
    assert answer.because[1] == f"{server} serves it, without its own reloader"
    assert str(command(config)).startswith(f"python3 -m {server} ")


@pytest.mark.parametrize(
    ("files", "because", "run"),
    [
        (
            {"wsgi.py": WSGI, "requirements.txt": "gunicorn"},
            ("wsgi.py makes a WSGI application, application", "gunicorn serves it"),
            "python3 -m gunicorn wsgi:application",
        ),
        (
            {"main.py": ASGI, "requirements.txt": "uvicorn"},
            ("main.py makes an ASGI application, app", "uvicorn serves it"),
            "python3 -m uvicorn --fd {fd} main:app",
        ),
        (
            {"asgi.py": "async def application(\n    scope: dict[str, int], receive: R, send: S\n"},
            ("asgi.py makes an ASGI application, application", "uvicorn has to be there"),
            "python3 -m uvicorn --fd {fd} asgi:application",
        ),
        (
            {"wsgi.py": WSGI + GUARD},
            ("wsgi.py makes a WSGI application, application", "it starts itself"),
            "python3 -B wsgi.py",
        ),
        # Its helper is called like an application, and is none.
        (
            {"app.py": "def away(environ, start_response):\n    pass\n" + WSGI},
            ("app.py makes a WSGI application, application", "wsgiref serves it"),
            None,
        ),
        (
            {"app.py": "def log(environ, start_response): pass\n", "main.py": "app = Flask('x')"},
            ("main.py makes a Flask application, app", "flask serves it"),
            "python3 -m flask --app main:app run --no-reload",
        ),
    ],
)
def test_a_function_is_an_application_by_its_parameters(
    tmp_path: Path, files: dict[str, str], because: tuple[str, str], run: str | None
) -> None:
    answer, config = found(tmp_path, files)
    assert answer.because[0] == because[0]
    assert answer.because[1].startswith(because[1])
    assert run is None or command(config) == run


def test_a_file_that_serves_when_it_is_loaded_is_a_script(tmp_path: Path) -> None:
    serves = "with make_server('', 8000, application) as server:\n    server.serve_forever()\n"
    answer, config = found(tmp_path, {"app.py": WSGI + serves})
    assert answer.because == ("app.py is here, and run as a script",)
    assert config.build is None  # its import would never come back


def test_what_its_import_would_start_is_not_checked_by_it(tmp_path: Path) -> None:
    answer, config = found(tmp_path, {"main.py": "app = Flask('x')\napp.run(port=8000)\n"})
    assert answer.because[0] == "main.py makes a Flask application, app"
    assert config.build is None
    function = "app = Flask('x')\ndef f():\n    subprocess.run(['x'])\n"
    _, config = found(tmp_path, {"main.py": function})
    assert config.build is not None


def test_a_wsgi_application_is_served_without_any_package(tmp_path: Path) -> None:
    answer, config = found(tmp_path, {"wsgi.py": WSGI})
    assert answer.because[1] == (
        "wsgiref serves it, which is Python's own: no file of dependencies names a server"
    )
    port = free_port()
    words = ["sh", "-c", f"exec {command(config)}"]
    with subprocess.Popen(words, cwd=tmp_path, env=environment({"PORT": str(port)})) as app:
        try:
            until(lambda: listens(port), "the app's port")
            with urlopen(f"http://127.0.0.1:{port}/") as answered:
                assert answered.read() == b"fine"
        finally:
            app.kill()


# Pages


@pytest.mark.parametrize(
    ("files", "pages"),
    [
        ({"main.py": "app = Flask('x')"}, ("templates/",)),
        ({"main.py": "app = Flask('x')", "templates/x.html": ""}, ("*.html",)),
        ({"manage.py": "import django"}, ("templates/",)),
        ({"main.py": "app = FastAPI()", "requirements.txt": "jinja2"}, ("templates/",)),
        ({"main.py": "app = FastAPI()"}, ()),
    ],
)
def test_templates_are_watched_before_there_are_any_where_an_app_renders_them(
    tmp_path: Path, files: dict[str, str], pages: tuple[str, ...]
) -> None:
    _, config = found(tmp_path, files)
    assert config.watch.include == ("*.py", *pages)


# Scripts


@pytest.mark.parametrize(
    ("files", "run", "why"),
    [
        (
            {"bot.py": "print(1)", "README.md": ""},
            "python3 -B bot.py",
            "bot.py is here, the only file of Python, and run as a script",
        ),
        (
            {"pyproject.toml": '[project.scripts]\nx = "x:y"\n', "src/tool/__main__.py": ""},
            "python3 -B -m tool",
            "src/tool/__main__.py is here, and run as a script",
        ),
        (
            {"tool/__main__.py": "", "tests/__main__.py": ""},
            "python3 -B -m tool",
            "tool/__main__.py is here, and run as a script",
        ),
    ],
)
def test_a_script_is_found_where_little_is_said(
    tmp_path: Path, files: dict[str, str], run: str, why: str
) -> None:
    answer, config = found(tmp_path, files)
    assert command(config) == run
    assert answer.because == (why,)
    assert config.run is not None
    assert config.run.env.get("PYTHONPATH") == ("src" if "src/tool/__main__.py" in files else None)


@pytest.mark.parametrize(
    "files",
    [
        {"bot.py": "", "other.py": ""},
        {"setup.py": ""},
        {"conftest.py": ""},
        {"test_bot.py": ""},
        {"deploy.py": "", "api/go.mod": ""},  # it may do anything
    ],
)
def test_a_source_that_may_be_anything_is_not_run(tmp_path: Path, files: dict[str, str]) -> None:
    plant(tmp_path, files)
    assert detect(str(tmp_path)) is None


def test_a_makefile_says_more_than_a_source_that_is_alone(tmp_path: Path) -> None:
    answer, _ = found(tmp_path, {"gen.py": "", "Makefile": "all:\n\ttrue\n"})
    assert answer.kind == "make"
