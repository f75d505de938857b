"""The main job: a Go web app from `hotrun new`, built by the real toolchain on every save."""

from __future__ import annotations

import os
import re
import shutil
import signal
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

import pytest
from live import DEADLINE, Project, environment, free_port, listens, until

from hotrun.project import scaffold

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from live import Live


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    scaffold.create(str(tmp_path / "app"), "go")
    return Project(tmp_path / "app", tmp_path / "out")


@pytest.fixture
def gate(project: Project) -> Path:
    """While this file is there, no build ends: what is to come in the middle of one does."""
    gate, path = project.out / "gate", environment()["PATH"]
    waits = f'test "$1" != build || while test -e {gate}; do sleep 0.01; done'
    go = project.out / "bin/go"
    go.parent.mkdir()
    go.write_text(f'#!/bin/sh\n{waits}\nexec {shutil.which("go", path=path)} "$@"\n')
    go.chmod(0o755)
    return gate


@pytest.fixture
def serving(start: Callable[..., Live], port: int, gate: Path) -> Live:
    """A session whose app answers."""
    path = f"{gate.parent / 'bin'}{os.pathsep}{environment()['PATH']}"
    session = start(PORT=str(port), PATH=path)
    session.wait_for("app_started")
    until(lambda: get(port, "/healthz") == "ok\n", "the first answer")
    return session


def get(port: int, path: str) -> str | None:
    """Ask the app; None when nobody answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def greet(project: Project, word: str) -> None:
    """Save handlers.go so that /healthz answers a word."""
    source = (project.path / "handlers.go").read_text()
    project.write("handlers.go", re.sub(r'Fprintln\(w, ".*"\)', f'Fprintln(w, "{word}")', source))


def pid(port: int) -> str:
    """The process that answers, as its page says."""
    found = re.search(r"[Pp]rocess\D*(\d+)", get(port, "/") or "")
    assert found is not None
    return found[1]


def test_an_edit_gives_a_new_answer(serving: Live, project: Project, port: int) -> None:
    first = serving.all("app_started")[-1]
    greet(project, "edited")
    built = serving.wait_for("build_started")
    assert built["paths"] == ["handlers.go"]
    assert serving.wait_for("build_finished", ok=True)["artifact"] == "changed"
    assert serving.wait_for("app_exited", run=first["run"], expected=True)["code"] == 0
    assert serving.wait_for("app_started", run=built["run"])["pid"] != first["pid"]
    until(lambda: get(port, "/healthz") == "edited\n", "the new answer")


def test_an_embedded_page_is_a_part_of_the_program(
    serving: Live, project: Project, port: int
) -> None:
    page = project.path / "templates/index.html"
    project.write("templates/index.html", page.read_text().replace("<body>", "<body>brand new "))
    until(lambda: "brand new" in (get(port, "/") or ""), "the new page")
    assert serving.wait_for("build_started")["paths"] == ["templates/index.html"]


def test_a_broken_build_shows_where_and_the_old_app_goes_on(
    serving: Live, project: Project, port: int
) -> None:
    before = pid(port)
    good = (project.path / "handlers.go").read_text()
    line = good.count("\n") + 2
    project.write("handlers.go", f"{good}\nfunc broken() {{ return 1 + }}\n")
    failed = serving.wait_for("build_finished", ok=False)
    assert ("handlers.go", line) in [(d["file"], d["line"]) for d in failed["diagnostics"]]
    assert serving.wait_for("app_kept")["reason"] == "build failed"
    assert (get(port, "/healthz"), pid(port)) == ("ok\n", before)
    project.write("handlers.go", good.replace('"ok"', '"mended"'))
    until(lambda: get(port, "/healthz") == "mended\n", "the mended answer")
    assert pid(port) != before
    assert not serving.all("app_stopping", run=failed["run"])


def test_a_mended_file_that_is_the_old_one_keeps_the_app(
    serving: Live, project: Project, port: int
) -> None:
    before = pid(port)
    good = (project.path / "handlers.go").read_text()
    project.write("handlers.go", f"{good}\nbroken")
    serving.wait_for("build_finished", ok=False)
    project.write("handlers.go", good)
    assert serving.wait_for("build_finished", ok=True)["artifact"] == "same"
    assert serving.wait_for("app_kept")["reason"] == "same artifact"
    assert pid(port) == before


def test_a_save_during_a_build_is_served(
    serving: Live, project: Project, port: int, gate: Path
) -> None:
    for word in ("one", "two", "three"):
        gate.touch()
        greet(project, f"early {word}")
        serving.wait_for("build_started")
        greet(project, f"late {word}")
        serving.wait_for("build_cancelled")
        gate.unlink()
        serving.wait_for("app_started")
        until(lambda: get(port, "/healthz") is not None, "an answer")
        assert get(port, "/healthz") == f"late {word}\n"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_it_and_nothing_is_left(
    serving: Live, port: int, number: signal.Signals, code: int
) -> None:
    assert serving.stop(number) == code
    assert not listens(port)
    assert serving.leftovers() == []
    assert serving.all("app_exited")[-1]["expected"]
    assert serving.events[-1]["event"] == "session_ended"
    assert serving.events[-1]["code"] == code


def test_ctrl_c_in_the_middle_of_a_build_leaves_nothing(
    serving: Live, project: Project, port: int, gate: Path
) -> None:
    gate.touch()
    greet(project, "never")
    serving.wait_for("build_started")
    assert serving.stop() == 130
    assert not listens(port)
    assert serving.leftovers() == []
    serving.wait_for("build_cancelled")
