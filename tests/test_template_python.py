"""The project of the template `python`: what is checked, and what needs no restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from apps import attempt, build, config, copied, get, made, running, wait_until_serving, words
from live import DEADLINE, free_port

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made("python", tmp_path_factory.mktemp("projects"))


def test_the_project_passes_its_tests(shop: Path) -> None:
    done = attempt(shop, "python3", "-W", "error", "-B", "-m", "unittest")
    assert done.returncode == 0, done.stderr
    assert "Ran 3 tests" in done.stderr


def test_a_module_that_does_not_load_fails_the_build_with_its_place(
    shop: Path, tmp_path: Path
) -> None:
    copy = copied(shop, tmp_path)
    source = (copy / "handlers.py").read_text()
    command = words(config(copy)["build"]["command"])
    for broken, error in (("def broken(:", "SyntaxError"), ("import nothing", "ModuleNotFound")):
        (copy / "handlers.py").write_text(f"{source}\n{broken}\n")
        done = attempt(copy, *command)
        line = source.count("\n") + 2
        assert done.returncode == 1
        assert f'{copy}/handlers.py", line {line}' in done.stderr
        assert error in done.stderr


def test_checking_and_running_leaves_no_file_behind(shop: Path, tmp_path: Path) -> None:
    copy = copied(shop, tmp_path)
    before = sorted(copy.rglob("*"))
    build(copy)
    port = free_port()
    with running(copy, port) as app:
        wait_until_serving(app, port)
    assert sorted(copy.rglob("*")) == before
    assert list(copy.rglob("*.pyc")) == []  # nor had the build of the original left one


def test_a_changed_page_needs_no_restart(shop: Path, tmp_path: Path) -> None:
    copy = copied(shop, tmp_path)
    port = free_port()
    page = copy / "templates/index.html"
    with running(copy, port) as app:
        wait_until_serving(app, port)
        page.write_text(page.read_text().replace("It runs.", "It runs well."))
        assert "It runs well." in get(port, "/")[1]
        page.write_text("$nothing")
        assert get(port, "/")[0] == 500
        app.terminate()
        _, log = app.communicate(timeout=DEADLINE)
    assert "KeyError: 'nothing'" in log


def test_a_port_that_is_no_number_is_said(shop: Path) -> None:
    for port in ("http", "99999"):
        done = attempt(shop, "python3", "-B", "app.py", PORT=port)
        assert done.returncode == 1
        assert done.stderr == f"error: PORT is '{port}'\nhint: it takes a number up to 65535\n"


def test_the_project_watches_its_modules_and_no_tests(shop: Path) -> None:
    assert config(shop)["watch"] == {"include": ["*.py"], "exclude": ["test_*.py"]}
