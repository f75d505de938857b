from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from hotrun.config import Build, Config, Ready, Run, Watch, load_text
from hotrun.config.reference import EXAMPLE_FILE, GUIDE_FILE, example_text, guide_text, toml_text
from hotrun.config.schema import KEYS, TABLES, Key, keys_of

ROOT = Path(__file__).parents[2]


def without_comments() -> Config:
    """The example with the # taken off each key and table."""
    return load_text(re.sub(r"^#(?=[a-z\[])", "", example_text(), flags=re.MULTILINE), "/")


@pytest.mark.parametrize(("name", "text"), [(EXAMPLE_FILE, example_text), (GUIDE_FILE, guide_text)])
def test_the_file_in_the_tree_is_what_the_table_of_keys_gives(name: str, text: object) -> None:
    assert callable(text)
    found = (ROOT / name).read_text(encoding="utf-8")
    assert found == text(), "run `python -m hotrun.config.reference`"


def test_the_example_as_it_stands_is_an_empty_config() -> None:
    assert load_text(example_text(), "/") == load_text("", "/")


def test_the_example_without_comments_holds_every_default() -> None:
    example = without_comments()
    default = load_text('build.command = "go build -o app ."\nrun.command = "./app"', "/")
    assert (example.watch, example.build) == (default.watch, default.build)
    assert example.run is not None
    # The one key besides the commands that has no default, but an example.
    assert example.run.ready == Ready(http="http://127.0.0.1:8080/healthz", timeout=30.0)
    assert replace(example.run, ready=None) == default.run


def test_the_example_without_comments_holds_every_key() -> None:
    origins = without_comments().origins
    written = {key for key, origin in origins.items() if origin != "default"}
    assert written == {key.dotted for key in KEYS}


def test_the_first_lines_of_the_example_are_a_config() -> None:
    head = example_text().split("\n\n")[0].split("# Below")[0]
    smallest = "\n".join(line.removeprefix("#     ") for line in head.split("\n")[1:])
    config = load_text(smallest, "/")
    assert config.build is not None
    assert config.build.command == "go build -o app ."
    assert config.run is not None
    assert config.run.command == "./app"


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.dotted)
def test_the_example_of_a_key_is_valid(key: Key) -> None:
    command = (
        "" if key.name == "command" or key.table == "watch" else f"{key.table}.command = 'x'\n"
    )
    config = load_text(f"{command}{key.dotted} = {key.example}", "/")
    assert config.origins[key.dotted] != "default"


@pytest.mark.parametrize(("table", "kind"), [("watch", Watch), ("build", Build), ("run", Run)])
def test_the_fields_of_a_table_are_its_keys(table: str, kind: type[Watch | Build | Run]) -> None:
    assert [field.name for field in fields(kind)] == list(keys_of(table))


def test_every_key_is_in_a_table_and_explained_in_the_guide() -> None:
    guide = guide_text()
    for key in KEYS:
        assert key.table in TABLES
        assert f"### {key.dotted}\n" in guide


def test_no_line_of_the_generated_files_is_overlong_or_ends_in_a_space() -> None:
    for line in (example_text() + guide_text()).split("\n"):
        assert len(line) <= 100
        assert line == line.rstrip()


def test_defaults_are_written_as_toml() -> None:
    assert toml_text({"A": ["x", True]}) == '{ A = ["x", true] }'


def test_a_path_is_resolved_from_the_directory_of_the_file() -> None:
    assert load_text("", "/project").resolve("./a/../b") == "/project/b"
