"""The project of the template `node`: what is checked, and what needs no restart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from apps import (
    ask,
    attempt,
    config,
    copied,
    edit,
    get,
    made,
    running,
    wait_until_serving,
    words,
)
from live import DEADLINE, free_port

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made("node", tmp_path_factory.mktemp("projects"))


def test_the_project_passes_its_tests(shop: Path) -> None:
    package = json.loads((shop / "package.json").read_text())
    assert package["scripts"]["test"] == "node --test"
    assert "# fail 0" in ask(shop, "node", "--test", "--test-reporter=tap")


def test_a_module_that_does_not_load_fails_the_build_with_its_place(
    shop: Path, tmp_path: Path
) -> None:
    copy = copied(shop, tmp_path)
    command = words(config(copy)["build"]["command"])
    source = (copy / "handlers.js").read_text()
    for broken, error in ((") broken (", "SyntaxError"), ('import "./nothing.js"', "nothing.js")):
        (copy / "handlers.js").write_text(f"{source}\n{broken}\n")
        done = attempt(copy, *command)
        assert done.returncode == 1
        assert "handlers.js" in done.stderr
        assert error in done.stderr


def test_a_changed_page_needs_no_restart(shop: Path, tmp_path: Path) -> None:
    copy = copied(shop, tmp_path)
    port = free_port()
    with running(copy, port) as app:
        wait_until_serving(app, port)
        edit(copy, "templates/index.html", "It runs.", "It runs well.")
        assert "It runs well." in get(port, "/")[1]
        edit(copy, "templates/index.html", "It runs well.", "{{nothing}}")
        assert get(port, "/") == (500, "this page is broken, see the log\n")
        app.terminate()
        _, log = app.communicate(timeout=DEADLINE)
    assert "index.html wants {{nothing}}" in log


def test_a_port_that_is_no_number_is_said(shop: Path) -> None:
    for port in ("http", "99999", "1.5"):
        done = attempt(shop, "node", "app.js", PORT=port)
        assert done.returncode == 1
        assert done.stderr == f'error: PORT is "{port}"\nhint: it takes a number up to 65535\n'
