"""`hotrun init` as it is typed: what it writes, what it says, and what it leaves alone."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from pty_rig import Rig
from trees import AIR, MAIN, PROJECTS, plant

from hotrun.cli import hotrun
from hotrun.config import load, load_text
from hotrun.errors import ConfigError, HotrunError
from hotrun.project import schema_file

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

SHOP = {"go.mod": "module example.com/shop\n", "main.go": MAIN}
TWO = {"go.mod": "module x\n", "cmd/a/main.go": MAIN, "cmd/b/main.go": MAIN}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "work"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


def typed(*words: str) -> Result:
    return CliRunner().invoke(hotrun, ["init", *words], standalone_mode=False)


def refused(*words: str) -> list[str]:
    """Return the two lines of a refusal, which wrote nothing to stdout."""
    result = typed(*words)
    assert isinstance(result.exception, HotrunError), result.output
    assert result.exception.exit_code == 2
    return str(result.exception).splitlines()


# What it writes


@pytest.mark.parametrize("name", PROJECTS)
def test_the_file_loads_from_where_it_was_written(here: Path, name: str) -> None:
    plant(here, PROJECTS[name])
    result = typed()
    if isinstance(result.exception, ConfigError):  # one has to be chosen
        choice = result.exception.hint.removeprefix("choose one: hotrun init --main ")
        result = typed("--main", choice)
    assert result.exit_code == 0, result.exception
    config = load(None, str(here))
    assert config.file == str(here / "hotrun.toml")
    text = (here / "hotrun.toml").read_text()
    assert load_text(text, str(here)).build == config.build
    assert text.startswith("#:schema .hotrun/schema.json\n")
    assert json.loads((here / ".hotrun/schema.json").read_text())["title"] == "hotrun.toml"
    assert (here / ".hotrun/.gitignore").read_text() == "*\n"


def test_what_was_found_is_said_with_the_next_step(here: Path) -> None:
    plant(here, SHOP)
    result = typed()
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "go.mod is here, and main.go is package main\n"
        "wrote hotrun.toml\n"
        "Next: hotrun run (`hotrun check` shows every value)\n"
    )
    assert sorted(os.listdir(here)) == [".hotrun", "go.mod", "hotrun.toml", "main.go"]


def test_what_could_not_be_carried_over_is_listed(here: Path) -> None:
    plant(here, {".air.toml": AIR})
    assert typed().stdout == (
        ".air.toml is here, and carried over\n"
        "not carried over:\n"
        "  build.exclude_regex: 'a(b|c)' is no pattern of names\n"
        "  build.post_cmd: air runs it at its own end, run.after at each stop of the app\n"
        "  proxy: there is no proxy, and browsers are not reloaded\n"
        "wrote hotrun.toml\n"
        "Next: hotrun run (`hotrun check` shows every value)\n"
    )


def test_another_directory_is_named_as_it_was_typed(here: Path) -> None:
    plant(here / "a b", SHOP)
    assert typed("-C", "a b").stdout.splitlines()[-2:] == [
        "wrote a b/hotrun.toml",
        "Next: hotrun run -C 'a b' (`hotrun check` shows every value)",
    ]
    assert (here / "a b/.hotrun/schema.json").exists()


def test_the_text_can_be_printed_only(here: Path) -> None:
    plant(here, {**SHOP, "hotrun.toml": "# mine\n"})
    result = typed("--stdout")
    assert result.exit_code == 0
    assert result.stdout.startswith("#:schema .hotrun/schema.json\n\n[build]\n")
    assert result.stderr == "go.mod is here, and main.go is package main\n"
    assert (here / "hotrun.toml").read_text() == "# mine\n"
    assert not (here / ".hotrun").exists()


# What it leaves alone


def test_a_config_is_never_overwritten(here: Path) -> None:
    plant(here, {**SHOP, "hotrun.toml": "# mine\n"})
    assert refused() == [
        "error: hotrun.toml exists",
        "hint: --force replaces it and keeps the old one; --stdout only shows the new one",
    ]
    assert (here / "hotrun.toml").read_text() == "# mine\n"


def test_a_dangling_link_is_a_config_too(here: Path) -> None:
    plant(here, SHOP)
    (here / "hotrun.toml").symlink_to("elsewhere/hotrun.toml")
    assert refused()[0] == "error: hotrun.toml exists"


def test_force_keeps_the_old_one(here: Path) -> None:
    plant(here, {**SHOP, "hotrun.toml": "# mine\n", "hotrun.toml.old": "# older\n"})
    assert typed("--force").stdout.splitlines()[1] == (
        "replaced hotrun.toml; the old one is hotrun.toml.old1 now"
    )
    assert (here / "hotrun.toml").read_text().startswith("#:schema")
    assert (here / "hotrun.toml.old1").read_text() == "# mine\n"
    assert (here / "hotrun.toml.old").read_text() == "# older\n"


def test_force_on_a_link_leaves_its_target_alone(here: Path) -> None:
    plant(here, {**SHOP, "shared.toml": "# shared\n"})
    (here / "hotrun.toml").symlink_to("shared.toml")
    assert typed("--force").exit_code == 0
    assert (here / "shared.toml").read_text() == "# shared\n"
    assert not (here / "hotrun.toml").is_symlink()
    assert os.readlink(here / "hotrun.toml.old") == "shared.toml"


def test_a_directory_of_that_name_is_refused(here: Path) -> None:
    plant(here, SHOP)
    (here / "hotrun.toml").mkdir()
    assert refused("--force") == [
        "error: cannot write hotrun.toml: it is a directory",
        "hint: write to a directory that is yours, or use --stdout",
    ]
    assert sorted(os.listdir(here)) == ["go.mod", "hotrun.toml", "main.go"]


def test_a_table_in_pyproject_is_a_config_too(here: Path) -> None:
    plant(here, {**SHOP, "pyproject.toml": '[tool.hotrun.run]\ncommand = "x"\n'})
    assert refused() == [
        "error: [tool.hotrun] in pyproject.toml exists",
        "hint: --force writes a hotrun.toml all the same, and it wins; --stdout only shows it",
    ]
    assert typed("--force").exit_code == 0


def test_a_pyproject_that_only_names_hotrun_is_no_config(here: Path) -> None:
    plant(here, {**SHOP, "pyproject.toml": 'dependencies = ["hotrun"]\n'})
    assert typed().exit_code == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written_to_is_said(here: Path) -> None:
    plant(here, SHOP)
    here.chmod(0o500)
    assert refused()[0] == "error: cannot write hotrun.toml: Permission denied"


def test_a_hotrun_directory_of_somebody_else_is_left_alone(here: Path) -> None:
    plant(here, SHOP)
    (here / "elsewhere").mkdir()
    (here / ".hotrun").symlink_to("elsewhere")
    assert typed().exit_code == 0
    assert os.listdir(here / "elsewhere") == []
    assert schema_file.write(str(here)) == ""


def test_the_schema_is_renewed(here: Path) -> None:
    assert schema_file.write(str(here)) == str(here / ".hotrun/schema.json")
    (here / ".hotrun/schema.json").write_text("old")
    (here / ".hotrun/.gitignore").write_text("mine")
    schema_file.write(str(here))
    assert json.loads((here / ".hotrun/schema.json").read_text())
    assert (here / ".hotrun/.gitignore").read_text() == "mine"
    assert sorted(os.listdir(here / ".hotrun")) == [".gitignore", "schema.json"]


# What it refuses, and what it asks


def test_nothing_that_is_known_is_refused_with_the_smallest_file() -> None:
    assert refused() == [
        "error: no project that hotrun knows is in this directory",
        (
            "hint: it looks for go.mod, Cargo.toml, package.json, manage.py and apps of Python, "
            "CMakeLists.txt, Makefile, .air.toml, bee.json; the smallest file is two lines, [run] "
            'and command = "./app"'
        ),
    ]


def test_a_directory_that_is_none_is_refused() -> None:
    assert refused("-C", "gone") == [
        "error: gone is not a directory",
        "hint: name the project's with -C DIR",
    ]


def test_two_programs_are_listed_where_nobody_can_be_asked(here: Path) -> None:
    plant(here, TWO)
    assert refused() == [
        "error: go.mod is here, with 2 main packages: ./cmd/a, ./cmd/b",
        "hint: choose one: hotrun init --main ./cmd/a",
    ]


@pytest.mark.parametrize("name", ["./cmd/b", "cmd/b", "cmd/b/", "cmd/b/main.go", "./cmd/b/main.go"])
def test_a_program_is_named_however_it_is_completed(here: Path, name: str) -> None:
    plant(here, TWO)
    result = typed("--main", name)
    assert result.exit_code == 0, result.exception
    assert result.stdout.splitlines()[:3] == [
        "go.mod is here, with 2 main packages",
        "./cmd/b is taken: it was named",
        "also here: ./cmd/a (--main takes another)",
    ]
    assert "./cmd/b" in (here / "hotrun.toml").read_text()


def test_the_program_right_here_can_be_named(here: Path) -> None:
    plant(here, {**SHOP, "cmd/a/main.go": MAIN})
    assert typed("--main", ".").exit_code == 0
    assert typed("--main", "main.go", "--force").exit_code == 0


def test_a_program_that_is_not_there_is_refused(here: Path) -> None:
    plant(here, TWO)
    assert refused("--main", "./cmd/c") == [
        "error: --main ./cmd/c: no such program is here",
        "hint: there is ./cmd/a, ./cmd/b",
    ]


def test_where_there_is_no_choice_a_name_is_refused(here: Path) -> None:
    plant(here, {"Makefile": "all:\n\ttrue\n"})
    assert refused("--main", "x") == [
        "error: --main x: no such program is here",
        "hint: Makefile leaves nothing to choose",
    ]


def test_at_a_terminal_it_asks(here: Path) -> None:
    plant(here, TWO)
    with Rig(sys.executable, "-c", "from hotrun.cli.init import init; init()", cwd=here) as rig:
        rig.wait_for("Which one: ")
        assert rig.text.replace("\r", "") == (
            "go.mod is here, with 2 main packages:\n  1  ./cmd/a\n  2  ./cmd/b\nWhich one: "
        )
        rig.type("2\n")
        rig.wait_for("wrote hotrun.toml")
        rig.wait_for("./cmd/b is taken: it was named")
    assert "./cmd/b" in (here / "hotrun.toml").read_text()
