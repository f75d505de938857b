"""The routes, and what they answer.

`application` is a WSGI app: any WSGI server can run it.
"""

import html
import mimetypes
import os
import string
import time
from http import HTTPStatus
from pathlib import Path

from hotrun.lean import NamedTuple

# The name of the app, as its pages show it.
TITLE = __hotrun_title__

HOME = Path(__file__).resolve().parent
STARTED = time.strftime("%H:%M:%S")


class Answer(NamedTuple):
    """What goes back to the client."""

    status: HTTPStatus
    content_type: str
    body: bytes


def application(environ, start_response):
    """Answer one request (PEP 3333)."""
    method = environ["REQUEST_METHOD"]
    # WSGI hands the bytes of a path over as if they were Latin-1.
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    answer = respond(method, path)
    headers = [
        ("Content-Type", answer.content_type),
        ("Content-Length", str(len(answer.body))),
    ]
    if answer.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("Allow", "GET, HEAD"))
    start_response(f"{answer.status.value} {answer.status.phrase}", headers)
    return [b"" if method == "HEAD" else answer.body]


def respond(method: str, path: str) -> Answer:
    """Choose what answers."""
    if path.startswith("/static/"):
        handler = static
    else:
        handler = ROUTES.get(path, not_found)
    if method not in ("GET", "HEAD") and handler is not not_found:
        return text(HTTPStatus.METHOD_NOT_ALLOWED, f"{path} only answers GET")
    return handler(path)


def home(path: str) -> Answer:
    return page("index.html", title=TITLE, process=os.getpid(), started=STARTED)


def health(path: str) -> Answer:
    """Answer as soon as the app is serving."""
    return text(HTTPStatus.OK, "ok")


def static(path: str) -> Answer:
    """Answer with a file; never one outside of static/, whatever the path holds."""
    try:
        file = (HOME / path[1:]).resolve()
        inside = HOME / "static" in file.parents
        body = file.read_bytes() if inside else None
    except (OSError, ValueError):
        body = None
    if body is None:
        return not_found(path)
    content_type, _ = mimetypes.guess_type(path)
    return Answer(HTTPStatus.OK, content_type or "application/octet-stream", body)


def not_found(path: str) -> Answer:
    return text(HTTPStatus.NOT_FOUND, f"there is no {path}")


def page(name: str, **values: object) -> Answer:
    """Fill in a page of templates/: $name stands for a value, $$ for a dollar."""
    template = string.Template((HOME / "templates" / name).read_text(encoding="utf-8"))
    body = template.substitute({key: html.escape(str(values[key])) for key in values})
    return Answer(HTTPStatus.OK, "text/html; charset=utf-8", body.encode())


def text(status: HTTPStatus, line: str) -> Answer:
    return Answer(status, "text/plain; charset=utf-8", f"{line}\n".encode())


ROUTES = {"/": home, "/healthz": health}
