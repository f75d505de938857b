"""Every template under `hotrun run`: it serves, reloads, outlives a broken save, and ends.

The template `go` has this at length in e2e/test_go.py.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from apps import NEUTRAL, attempt, edit, get, need, refused
from live import Live, free_port

from hotrun.project import scaffold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def session(template: str, parent: Path, **env: str) -> Iterator[tuple[Live, Path]]:
    need(template)
    project = parent / "shop"
    scaffold.create(str(project), template)
    with Live(project, env={**NEUTRAL, **env}) as live:
        yield live, project


@pytest.mark.parametrize(
    ("template", "source"),
    [
        ("go-api", "handlers.go"),
        ("python", "handlers.py"),
        ("node", "handlers.js"),
        ("c", "handlers.c"),
    ],
)
def test_a_server_is_reloaded_and_a_broken_save_leaves_it_alone(
    tmp_path: Path, template: str, source: str
) -> None:
    port = free_port()
    with session(template, tmp_path, PORT=str(port)) as (live, project):
        live.wait_for("app_ready")
        assert get(port, "/healthz") == (200, "ok\n")

        edit(project, source, '"ok', '"fine')
        assert live.wait_for("build_started")["paths"] == [source]
        live.wait_for("app_ready")
        assert get(port, "/healthz") == (200, "fine\n")

        with (project / source).open("a") as file:
            file.write(") broken (\n")
        live.wait_for("build_finished", ok=False)
        assert live.wait_for("app_kept")["reason"] == "build failed"
        assert get(port, "/healthz") == (200, "fine\n")

        mended = (project / source).read_text().replace(") broken (\n", "")
        (project / source).write_text(mended.replace('"fine', '"mended'))
        live.wait_for("app_ready")
        assert get(port, "/healthz") == (200, "mended\n")

        assert live.stop() == 130
        assert [event["code"] for event in live.all("app_exited")] == [0, 0, 0]
    assert refused(port)


def test_a_command_is_run_again_and_a_broken_save_leaves_it_alone(tmp_path: Path) -> None:
    with session("command", tmp_path) as (live, project):
        live.wait_for("output", text="Hello, and welcome.")

        edit(project, "greeting.txt", "welcome", "welcome back")
        live.wait_for("output", text="Hello, and welcome back.")
        assert len(live.all("build_started")) == 1

        edit(project, "run.sh", "cat greeting", "cat ) greeting")
        live.wait_for("build_finished", ok=False)
        assert live.wait_for("app_kept")["reason"] == "build failed"

        edit(project, "run.sh", "cat ) greeting.txt", "echo mended")
        live.wait_for("output", text="mended")
        assert live.stop() == 130
        assert [event["code"] for event in live.all("app_exited")] == [0, 0, 0]
        assert live.all("output", source="app", stream="stderr") == []
        assert live.all("app_killed") == []  # its pause ends with it


def test_the_tests_of_a_command_pass_and_tell_what_is_wrong(tmp_path: Path) -> None:
    project = tmp_path / "shop"
    scaffold.create(str(project), "command")
    assert attempt(project, "sh", "test.sh").stdout == "ok\n"
    edit(project, "run.sh", "cat greeting.txt", "exit 3")
    failed = attempt(project, "sh", "test.sh")
    assert (failed.returncode, failed.stderr) == (1, "FAILED: the app ended by itself\n")
