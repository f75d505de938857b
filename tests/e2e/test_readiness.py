"""An app that serves is said to; one that does not in its time is, too."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from live import ended, free_port, until

if TYPE_CHECKING:
    from conftest import Start
    from live import Project

SERVER = """
import http.server, sys, time
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(sys.argv[2]))
        self.end_headers()
    def log_message(self, *args):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""


# As above, for who has no time: it is there at once, on a busy machine too.
QUICK = """
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        client, _ = server.accept()
        with client:
            client.recv(1000)
            client.sendall(b"HTTP/1.0 %s No\\r\\n\\r\\n" % sys.argv[2].encode())
"""


def app(project: Project, *words: object, **keys: str) -> None:
    project.write("app.py", SERVER)
    command = " ".join([sys.executable, "app.py", *map(str, words)])
    lines = [f"{key} = {value}" for key, value in keys.items()]
    project.write("hotrun.toml", "\n".join(["[run]", f"command = '{command}'", *lines, ""]))


def test_an_app_that_answers_is_ready(project: Project, start: Start) -> None:
    port = free_port()
    app(project, port, 204, ready=f'{{ http = "http://127.0.0.1:{port}/healthz" }}')
    session = start()
    started = session.wait_for("app_started")
    ready = session.wait_for("app_ready")
    assert ready["run"] == started["run"]
    assert ready["ms"] > 0


def test_an_app_that_accepts_is_ready(project: Project, start: Start) -> None:
    port = free_port()
    app(project, port, 500, ready=f'{{ tcp = "127.0.0.1:{port}" }}')
    start().wait_for("app_ready")


def test_an_app_is_ready_when_it_says_so(project: Project, start: Start) -> None:
    project.write("app.py", "import time; print('up and \\033[1mrunning\\033[0m'); time.sleep(600)")
    project.write(
        "hotrun.toml",
        f"[run]\ncommand = '{sys.executable} -u app.py'\nready = {{ log = 'and running$' }}\n",
    )
    start().wait_for("app_ready")


def test_an_app_without_a_probe_is_ready_when_it_lives_for_a_moment(
    project: Project, start: Start
) -> None:
    project.write("hotrun.toml", "[run]\ncommand = 'sleep 600'\n")
    start().wait_for("app_ready")


def test_each_life_of_the_app_gets_ready_anew(project: Project, start: Start) -> None:
    port = free_port()
    app(project, port, 200, ready=f'{{ http = "http://127.0.0.1:{port}" }}')
    session = start()
    for number in range(3):
        ready = session.wait_for("app_ready")
        project.write("change", str(number))
        assert session.wait_for("app_started")["run"] > ready["run"]


def test_once_ends_with_124_when_the_app_does_not_serve_in_time(project: Project) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/healthz"
    app(project, port, 503, ready=f'{{ http = "{url}", timeout = "6s" }}')
    project.write("app.py", QUICK)
    done = ended(project.path, "run", "--once")
    assert done.code == 124
    assert done.problem == [
        f"error: the app does not serve after 6 s: GET {url}: the last answer was 503",
        "hint: look at what it printed; run.ready says how it is asked, and for how long",
    ]


def test_a_session_goes_on_with_an_app_that_does_not_serve_in_time(
    project: Project, start: Start
) -> None:
    project.write(
        "hotrun.toml",
        "[run]\ncommand = 'sleep 600'\nready = { log = 'never', timeout = '100ms' }\n",
    )
    session = start()
    session.wait_for("problem", lambda event: "does not serve" in event["message"])
    project.write("change", "1")
    session.wait_for("app_exited", expected=True)
    session.wait_for("app_started")


@pytest.mark.parametrize("word", ["http", "tcp"])
def test_the_answer_of_a_stranger_is_not_the_apps(
    project: Project, start: Start, word: str
) -> None:
    """Who holds the port is named before the app has said a word."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-c", SERVER, str(port), "200"]) as stranger:
        try:
            until(lambda: _accepts(port), "the stranger to serve")
            address = f"http://127.0.0.1:{port}" if word == "http" else f"127.0.0.1:{port}"
            app(project, port, 200, ready=f'{{ {word} = "{address}" }}')
            session = start()
            event = session.wait_for("problem")
            assert f"is held by pid {stranger.pid} (" in event["message"]
            assert (
                event["hint"]
                == f"stop it with: kill {stranger.pid}, then try again; or use another port"
            )
            session.wait_for("app_exited", expected=False, code=1)
            assert not session.all("app_ready")
        finally:
            stranger.kill()
    project.write("change", "1")
    session.wait_for("app_ready")


def _accepts(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0
