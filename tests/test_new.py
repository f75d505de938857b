"""`hotrun new` as it is typed: what it prints, and what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from hotrun.cli import hotrun
from hotrun.errors import ConfigError
from hotrun.project.catalogue import TEMPLATES

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PORT", raising=False)
    return tmp_path


def typed(*words: str) -> Result:
    return CliRunner().invoke(hotrun, ["new", *words], standalone_mode=False)


def steps(result: Result) -> list[str]:
    return [line.strip() for line in result.stdout.splitlines() if line.startswith("  ")]


def test_a_new_project_comes_with_its_next_steps(here: Path) -> None:
    result = typed("my-app", "-t", "go")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "made my-app from the template go: 11 files. Next:\n\n  cd my-app\n  hotrun run\n\n"
        "The app will answer at http://127.0.0.1:8080 (set PORT for another port).\n"
        "`hotrun smoke` proves it in one go, for CI: build, start, reload, stop.\n"
    )
    assert (here / "my-app/main.go").exists()


def test_the_template_is_go_when_none_is_named(here: Path) -> None:
    typed("my-app")
    assert (here / "my-app/go.mod").exists()


def test_a_name_that_is_a_template_gets_a_hint() -> None:
    result = typed("python")
    assert result.stdout.startswith("made python from the template go: 11 files. Next:\n")
    assert result.stderr == "hint: for that template: hotrun new NAME -t python\n"
    assert typed("express").stderr == "hint: for that template: hotrun new NAME -t node\n"
    assert typed("js", "-t", "node").stderr == ""
    assert typed("golang").stderr == ""


def test_a_difficult_name_is_quoted_for_the_shell() -> None:
    assert steps(typed("My App")) == ["cd 'My App'", "hotrun run"]
    assert steps(typed("a/b")) == ["cd a/b", "hotrun run"]
    assert steps(typed("--", "-x")) == ["cd ./-x", "hotrun run"]


def test_a_project_made_right_here_needs_no_cd() -> None:
    assert steps(typed(".")) == ["hotrun run"]


def test_each_template_has_its_own_port() -> None:
    assert "http://127.0.0.1:8000 " in typed("my-app", "-t", "python").stdout


def test_what_listens_nowhere_has_no_address() -> None:
    assert typed("my-app", "-t", "command").stdout == (
        "made my-app from the template command: 6 files. Next:\n\n  cd my-app\n  hotrun run\n\n"
        "`hotrun smoke` proves it in one go, for CI: build, start, reload, stop.\n"
    )


def test_the_address_follows_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "3000")
    assert "http://127.0.0.1:3000 " in typed("my-app").stdout


def test_the_templates_are_listed_and_nothing_is_made(here: Path) -> None:
    result = typed("--list")
    assert result.exit_code == 0
    assert result.stdout == (
        "go       a web app: html templates, static files, tests; standard library only\n"
        "go-api   a JSON API: routes, a resource in memory, tests; standard library only\n"
        "python   a web app: html templates, static files, tests; standard library only\n"
        "node     a web app: html templates, static files, tests; nothing from npm\n"
        "c        a small HTTP server: handlers, threads, tests, a Makefile\n"
        "command  any command: hotrun.toml and two shell scripts, yours to replace\n"
    )
    assert os.listdir(here) == []


def test_the_help_names_every_template() -> None:
    assert f"What to make: {', '.join(TEMPLATES)}." in " ".join(typed("--help").stdout.split())


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("go", "warning: go is missing, and needed here\nhint: pip install 'hotrun[go]'\n"),
        (
            "c",
            (
                "warning: make and cc are missing, and needed here\n"
                "hint: apt install build-essential; on macOS: xcode-select --install\n"
            ),
        ),
    ],
)
def test_what_is_missing_is_said_with_the_way_to_get_it(
    here: Path, template: str, said: str
) -> None:
    # A Python with nothing beside it, and a PATH with nothing on it: hotrun without the extra.
    (here / "python").symlink_to(sys.executable)
    code = "from hotrun.cli.new import new; new()"
    done = subprocess.run(
        [here / "python", "-c", code, "my-app", "-t", template],
        env={"PATH": str(here), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.stderr == said
    assert done.returncode == 0


def test_a_failing_git_is_a_warning(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "gitconfig").write_text("no section\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(here / "gitconfig"))
    result = typed("my-app")
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: not a git repository: ")


@pytest.mark.parametrize("words", [["", "-t", "go"], ["/"], ["my-app", "-t", "goo"]])
def test_a_refusal_reaches_the_command_line_as_it_is(here: Path, words: list[str]) -> None:
    result = typed(*words)
    assert isinstance(result.exception, ConfigError)
    assert result.exception.exit_code == 2
    assert result.stdout == ""
    assert os.listdir(here) == []
