"""The files of the templates: what a project is made of, and that none is lost on the way."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from hotrun.config import load
from hotrun.config.json_schema import schema
from hotrun.errors import ConfigError
from hotrun.project import scaffold
from hotrun.project.catalogue import TEMPLATES

FILES = {
    "go": """
        .gitignore README.md conns.go go.mod handlers.go handlers_test.go hotrun.toml listen.go
        main.go static/style.css templates/index.html
    """,
    "go-api": """
        .gitignore README.md conns.go go.mod handlers.go handlers_test.go hotrun.toml listen.go
        main.go notes.go
    """,
    "python": """
        .gitignore README.md app.py handlers.py hotrun.toml server.py static/style.css
        templates/index.html test_handlers.py
    """,
    "node": """
        .gitignore README.md app.js handlers.js handlers.test.js hotrun.toml package.json server.js
        static/style.css templates/index.html
    """,
    "c": """
        .gitignore Makefile README.md handlers.c handlers.h handlers_test.c hotrun.toml listen.c
        listen.h main.c server.c server.h
    """,
    "command": """
        .gitignore README.md greeting.txt hotrun.toml run.sh test.sh
    """,
}

every_template = pytest.mark.parametrize("template", TEMPLATES)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def everything(directory: Path) -> set[str]:
    """Return all paths in a project but those of git and of hotrun itself."""
    paths = {str(path.relative_to(directory)) for path in directory.rglob("*")}
    return {path for path in paths if path.split("/")[0] not in {".git", ".hotrun"}}


def refusal(template: str) -> str:
    with pytest.raises(ConfigError) as caught:
        scaffold.create("shop", template)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_an_unknown_template_is_refused_with_a_suggestion(here: Path) -> None:
    expected = 'error: no template is called "goo"\nhint: did you mean "go"?'
    assert refusal("goo") == expected
    expected = "\nhint: there is: go, go-api, python, node, c, command"
    assert refusal("cobol").endswith(expected)
    assert os.listdir(here) == []


@pytest.mark.parametrize("word", ["rust", "Django", "next", "flask"])
def test_what_needs_no_template_is_said_to_work_as_it_is(word: str) -> None:
    assert refusal(word).endswith(
        "\nhint: `hotrun run` works in such a project as it is; "
        "there is: go, go-api, python, node, c, command"
    )


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("GO", "go"),
        ("go_api", "go-api"),
        ("rest", "go-api"),
        ("pyhton", "python"),
        ("javascript", "node"),
        ("express.js", "node"),
        ("c++", "c"),
        ("bash", "command"),
        ("comand", "command"),
    ],
)
def test_a_template_is_found_by_what_else_people_call_it(typed: str, meant: str) -> None:
    assert refusal(typed).endswith(f'hint: did you mean "{meant}"?')


@every_template
def test_a_project_has_every_file_of_its_template_and_nothing_else(
    here: Path, template: str
) -> None:
    project = scaffold.create("shop", template)
    files = FILES[template].split()
    assert project.files == tuple(files)
    assert (project.path, project.name) == (str(here / "shop"), "shop")
    folders = {os.path.dirname(name) for name in files} - {""}
    assert everything(here / "shop") == {*files, *folders}
    assert os.listdir(here) == ["shop"]


@every_template
def test_no_placeholder_is_left(here: Path, template: str) -> None:
    project = scaffold.create("shop", template)
    assert [name for name in project.files if "__hotrun" in name] == []
    assert [
        name for name in project.files if "__hotrun" in (here / "shop" / name).read_text()
    ] == []


@every_template
def test_a_readme_tells_how_to_run_test_and_ship_and_what_hotrun_does(
    here: Path, template: str
) -> None:
    scaffold.create("shop", template)
    text = (here / "shop/README.md").read_text()
    assert text.startswith("# shop\n")
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert {"## What hotrun does here", "## For production"} <= set(headings)
    words = ("hotrun run ", "# the tests", "# without hotrun", "`hotrun.toml`")
    assert [word for word in words if word not in text] == []


@every_template
def test_template_files_survive_packaging(template: str) -> None:
    names = [os.path.basename(source) for source, _ in scaffold._sources(template)]
    assert "gitignore" in names
    assert [name for name in names if name.startswith(".") or name == "go.mod"] == []


def test_what_git_ignores_in_our_own_repository_is_no_part_of_a_template(here: Path) -> None:
    # A wheel is made of what git does not ignore.
    root = Path(scaffold._HOME).parents[2]
    if not (root / ".gitignore").exists():
        pytest.skip("hotrun is installed: there is no repository")
    subprocess.run(["git", "init", "-q"], cwd=here, check=True)
    (here / ".gitignore").write_bytes((root / ".gitignore").read_bytes())
    sources = {source for name in TEMPLATES for source, _ in scaffold._sources(name)}
    ignored = subprocess.run(
        ["git", "-c", "core.excludesFile=/dev/null", "check-ignore", "--stdin"],
        cwd=here,
        input="\n".join(os.path.relpath(source, root) for source in sources),
        capture_output=True,
        check=False,
        text=True,
    )
    assert (ignored.stdout, ignored.returncode) == ("", 1)


def test_every_file_under_templates_belongs_to_one() -> None:
    sources = {source for name in TEMPLATES for source, _ in scaffold._sources(name)}
    assert {source for source, _ in scaffold._files(scaffold._HOME)} == sources


@every_template
def test_the_config_of_a_template_is_fine_and_names_its_schema(here: Path, template: str) -> None:
    scaffold.create("shop", template)
    lines = (here / "shop/hotrun.toml").read_text().splitlines()
    assert lines[:2] == ["#:schema .hotrun/schema.json", ""]
    assert json.loads((here / "shop/.hotrun/schema.json").read_text()) == schema()
    config = load(str(here / "shop/hotrun.toml"), str(here / "shop"))
    assert config.build is not None
    assert config.run is not None
    port = TEMPLATES[template].port
    assert config.run.listen == ((f"127.0.0.1:${{PORT:-{port}}}",) if port else ())


def test_what_an_installer_compiles_is_no_part_of_a_template(here: Path) -> None:
    (here / "app.py").touch()
    (here / "__pycache__").mkdir()
    (here / "__pycache__/app.cpython-311.pyc").touch()
    assert [relative for _, relative in scaffold._files(str(here))] == ["app.py"]
