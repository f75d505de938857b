from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from hotrun.config import Build, Config, Inputs, Ready, Rule, Run, Watch, load_text
from hotrun.config.key import Key
from hotrun.config.keys import KEYS, LAYERS, LISTS, TABLES, keys_of
from hotrun.config.reference import EXAMPLE_FILE, GUIDE_FILE, example_text, guide_text, toml_text

KINDS = [("watch", Watch), ("build", Build), ("run", Run), ("rule", Rule)]
# Every part of run.ready that has a default, with it.
PARTS = ", ".join(
    f"{part.name} = {toml_text(part.default)}"
    for part in keys_of("run")["ready"].parts
    if part.default is not None
)
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
    example = without_comments()
    written = {key for key, origin in example.origins.items() if origin != "default"}
    assert written == {key.dotted for key in KEYS if key.table not in LISTS}
    assert [rule.action for rule in example.rules] == ["command", "signal"]
    assert all(rule.command or rule.signal for rule in example.rules)
    assert example.profiles == ("debug",)


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
    if key.table in LISTS:
        return  # the example file has them together, and is read as a whole
    command = (
        "" if key.name == "command" or key.table == "watch" else f"{key.table}.command = 'x'\n"
    )
    config = load_text(f"{command}{key.dotted} = {key.example}", "/")
    assert config.origins[key.dotted] != "default"


@pytest.mark.parametrize(("table", "kind"), KINDS)
def test_the_fields_of_a_table_are_its_keys(table: str, kind: type[Watch | Rule]) -> None:
    names = [field.name for field in fields(kind) if field.name != "origin"]
    assert names == list(keys_of(table))


@pytest.mark.parametrize(("key", "kind"), [("run.ready", Ready), ("build.inputs", Inputs)])
def test_the_fields_of_a_value_are_its_parts(key: str, kind: type[Ready | Inputs]) -> None:
    (parts,) = (one.parts for one in KEYS if one.dotted == key)
    assert [field.name for field in fields(kind) if field.name != "kind"] == [
        part.name for part in parts
    ]
    assert {part.table for part in parts} == {key}


def test_a_part_that_can_be_left_out_has_the_default_of_its_field() -> None:
    assert load_text("run.command = 'x'\nrun.ready.tcp = ':80'", "/").run == (
        load_text(f"run.command = 'x'\nrun.ready = {{ tcp = ':80', {PARTS} }}", "/").run
    )


def test_the_example_of_a_layer_is_valid_and_in_both_files() -> None:
    for kind, layer in LAYERS.items():
        written = f"[{kind}.{layer.name}]\n{layer.example}"
        load_text(written, "/", profile=layer.name if kind == "profile" else "")
        assert written in guide_text()
        assert written.replace("\n", "\n#").rstrip("#") in example_text()


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
    assert toml_text({"a b": "\x7f"}) == r'{ "a b" = "\u007f" }'


def test_a_path_is_resolved_from_the_directory_of_the_file() -> None:
    assert load_text("", "/project").resolve("./a/../b") == "/project/b"
