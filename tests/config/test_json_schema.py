"""The JSON schema holds what the checker holds, and `hotrun schema` prints it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotrun.config import load_text
from hotrun.config.json_schema import DRAFT, schema
from hotrun.config.key import Key, Kind
from hotrun.config.keys import KEYS, LAYERS, TABLES
from hotrun.config.reference import example_text, toml_text
from hotrun.errors import ConfigErrors
from hotrun.units import DurationError, parse_duration

SCHEMA = schema()
TYPES = {"array": list, "boolean": bool, "object": dict, "string": str}
ANNOTATIONS = {"$schema", "$defs", "title", "description", "default", "examples"}


# A validator of the keywords that the schema uses, as draft 2020-12 has them; another is an error.

Rule = dict[str, Any]
KEYWORDS: dict[str, tuple[type, Callable[[Any, Any, Rule], bool]]] = {
    # Of every value.
    "$ref": (object, lambda value, told, _: fits(value, resolved(told))),
    "type": (object, lambda value, told, _: isinstance(value, TYPES[told])),
    "enum": (object, lambda value, told, _: value in told),
    "const": (object, lambda value, told, _: value == told),
    "anyOf": (object, lambda value, told, _: any(fits(value, one) for one in told)),
    "allOf": (object, lambda value, told, _: all(fits(value, one) for one in told)),
    "oneOf": (object, lambda value, told, _: sum(fits(value, one) for one in told) == 1),
    "if": (object, lambda value, told, rule: fits(value, branch(rule, fits(value, told)))),
    "then": (object, lambda *_: True),
    "else": (object, lambda *_: True),
    # Of one type; every other passes.
    "pattern": (str, lambda value, told, _: re.search(told, value) is not None),
    "minLength": (str, lambda value, told, _: len(value) >= told),
    "minItems": (list, lambda value, told, _: len(value) >= told),
    "prefixItems": (list, lambda value, told, _: all(map(fits, value, told))),
    "items": (list, lambda value, told, rule: all(fits(one, told) for one in rest(value, rule))),
    "required": (dict, lambda value, told, _: all(name in value for name in told)),
    "properties": (
        dict,
        lambda value, told, _: all(fits(value[name], told[name]) for name in value if name in told),
    ),
    "propertyNames": (dict, lambda value, told, _: all(fits(name, told) for name in value)),
    "additionalProperties": (
        dict,
        lambda value, told, rule: all(
            fits(value[name], told) for name in value if name not in rule.get("properties", {})
        ),
    ),
}


def fits(value: object, rule: bool | Rule) -> bool:
    """Whether a value is as a schema says."""
    if isinstance(rule, bool):
        return rule
    told = {name: (*KEYWORDS[name], rule[name]) for name in rule if name not in ANNOTATIONS}
    return all(
        check(value, one, rule) for kind, check, one in told.values() if isinstance(value, kind)
    )


def branch(rule: Rule, fitting: bool) -> bool | Rule:
    chosen: bool | Rule = rule.get("then" if fitting else "else", True)
    return chosen


def rest(value: list[object], rule: Rule) -> list[object]:
    return value[len(rule.get("prefixItems", [])) :]


def resolved(reference: str) -> Rule:
    found: Rule = SCHEMA
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def valid(text: str) -> bool:
    return fits(tomllib.loads(text), SCHEMA)


def checked(text: str) -> bool:
    try:
        load_text(text, "/")
    except ConfigErrors:
        return False
    return True


# What it says


def everywhere(rule: object) -> list[Rule]:
    """Every object in a schema."""
    if isinstance(rule, list):
        return [found for one in rule for found in everywhere(one)]
    if not isinstance(rule, dict):
        return []
    return [rule, *(found for one in rule.values() for found in everywhere(one))]


def properties(table: str) -> Rule:
    return resolved(f"#/$defs/{table}/properties")


def test_it_is_of_draft_2020_12_and_has_a_title() -> None:
    assert SCHEMA["$schema"] == DRAFT == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["title"] == "hotrun.toml"


def test_every_table_stands_at_the_top_in_profiles_and_in_platforms() -> None:
    top, layer = resolved("#/properties"), properties("layer")
    assert [*top] == [*TABLES, *LAYERS]
    assert layer == {name: top[name] for name in TABLES}
    assert top["profile"]["additionalProperties"] == {"$ref": "#/$defs/layer"}
    assert top["platform"]["properties"]["macos"] == {"$ref": "#/$defs/layer"}


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.dotted)
def test_a_key_has_its_words_default_and_explanation(key: Key) -> None:
    told = properties(key.table)[key.name]
    assert told["description"] == " ".join(key.doc.split())
    assert told.get("default") == key.default
    assert told["examples"] == [tomllib.loads(f"x = {key.example}")["x"]]
    if key.kind == "choice":
        assert told["enum"] == list(key.words)


def test_no_table_takes_what_it_does_not_name() -> None:
    for one in everywhere(SCHEMA):
        if "properties" in one and "type" in one:
            assert one["additionalProperties"] is False
            assert one["type"] == "object"


def test_every_part_of_it_is_explained() -> None:
    for table in TABLES:
        assert all(told["description"] for told in properties(table).values())
        for told in properties(table).values():
            assert fits(told.get("default", told["examples"][0]), told)


# It holds what the checker holds

NEEDED = 'build.command = "x"\nrun.command = "x"\n'


def files_with(key: Key, value: str) -> list[str]:
    """Files that give a key a value: at the top, in a profile, in a platform."""
    if key.table == "rule":
        given = {"match": '["x"]', "action": f'"{key.only_with or "ignore"}"', key.name: value}
        if key.name == "action" and value in ('"command"', '"signal"'):
            given |= {value.strip('"'): '"hup"'}
        lines = "".join(f"{name} = {one}\n" for name, one in given.items())
        return [f"[[{prefix}rule]]\n{lines}" for prefix in ("", "profile.x.")]
    line = f"{key.dotted} = {value}\n"
    needed = "".join(f"{one}\n" for one in NEEDED.splitlines() if not line.startswith(one[:10]))
    return [f"{needed}{line}", f"[profile.x]\n{needed}{line}", f"[platform.linux]\n{needed}{line}"]


# What every kind takes, and what it does not; other types than its own are added below.
TAKEN: dict[Kind, list[str]] = {
    "addresses": ['[":8080", "unix:x.sock", "127.0.0.1:${PORT:-1}"]', "[]"],
    "arguments": ['["", " ", "x"]', "[]"],
    "boolean": ["true", "false"],
    "choice": [],
    "command": ['"make"', '["make"]', '["make", "", " "]'],
    "commands": ['["make", ["a", "b"]]', "[]"],
    "duration": ['"5s"', '"1.5 h"', '"100ms"', '"2m"'],
    "environment": ['{ A = "", "a b" = "x" }', "{}"],
    "files": ['"a.d"', '["a.d", "b/*.d"]'],
    "inputs": ['"auto"', '"go"', '"globs"', '{ command = ["a"] }', '{ depfile = ["a.d"] }'],
    "ready": ['{ tcp = ":80" }', '{ log = "x", timeout = "5s" }', '{ http = "http://h:1/" }'],
    "signal": ['"SIGTERM"', '"int"', '"Usr1"'],
    "string": ['"x"'],
    "strings": ['["x", "!y"]'],
}
REFUSED: dict[Kind, list[str]] = {
    "addresses": ['":8080"', '[""]', "[80]"],
    "arguments": ['"x"', "[1]", "[[]]"],
    "boolean": ['"true"', "1"],
    "choice": ['"xyzzy"', "true", "1"],
    "command": ['""', "[]", '[""]', '["x", 1]', "1"],
    "commands": ['"make"', '[""]', "[[]]", "[1]"],
    "duration": ["5", '"5"', '"-5s"', '"5 parsecs"', '"5sec"', '""', "1.5"],
    "environment": ["{ A = 1 }", '{ "A=B" = "x" }', '{ "" = "x" }', '["A=1"]'],
    "files": ['""', "[]", "[1]", '[""]', "{}"],
    "inputs": ['"x"', "{}", '{ command = "a", depfile = "b" }', "{ depfile = 1 }", '{ x = "y" }'],
    "ready": ['":80"', "{}", '{ timeout = "5s" }', '{ tcp = ":1", log = "x" }', "{ tcp = 1 }"],
    "signal": ['"9"', "15", '""', '"SIG TERM"'],
    "string": ['""', "[]", "1"],
    "strings": ['"x"', '[""]', "[1]", '[" "]'],
}
ANY = ["5", "1.5", "true", '"?"', "[]", "{}", "2024-01-01", '["?"]', "[[]]", "[{}]", "{ x = 1 }"]


def taken(key: Key) -> list[str]:
    words = [f'"{word}"' for word in key.words]
    default = [] if key.default is None else [toml_text(key.default)]
    return [key.example, *default, *words, *TAKEN[key.kind]]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.dotted)
def test_what_the_checker_takes_the_schema_takes(key: Key) -> None:
    for value in taken(key):
        for text in files_with(key, value):
            assert checked(text), text
            assert valid(text), text


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.dotted)
def test_what_is_of_the_wrong_type_both_refuse(key: Key) -> None:
    for value in REFUSED[key.kind]:
        for text in files_with(key, value):
            assert not checked(text), text
            assert not valid(text), text


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.dotted)
def test_whatever_is_written_the_schema_refuses_nothing_that_the_checker_takes(key: Key) -> None:
    for value in [*ANY, *(one for kind in TAKEN for one in (*TAKEN[kind], *REFUSED[kind]))]:
        text = files_with(key, value)[0]
        assert valid(text) or not checked(text), text


@pytest.mark.parametrize(
    "text",
    [
        "debounce = '5s'",
        "[biuld]",
        "build.comand = 'x'",
        "[[build]]",
        "[rule]",
        "[[rule]]\nmatch = ['x']",
        "[[rule]]\naction = 'ignore'",
        "[[rule]]\nmatch = []\naction = 'ignore'",
        "[[rule]]\nmatch = ['x']\naction = 'command'",
        "[[rule]]\nmatch = ['x']\naction = 'ignore'\ncommand = 'x'",
        "[[rule]]\nmatch = ['x']\naction = 'signal'",
        "[[rule]]\nmatch = ['x']\naction = 'restart'\nsignal = 'hup'",
        "[[rule]]\nmatch = ['x']\naction = 'ignore'\nx = 1",
        "profile = 'x'",
        "profile.x = 'y'",
        "[profile.x.biuld]",
        "[profile.x.profile.y]",
        "[platform.darwin]",
        "[profile.x.build]\ncomand = 'x'",
        "[[profile.x.rule]]\nmatch = ['x']",
        "run = { command = 'x', ready = { tpc = ':1' } }",
    ],
)
def test_a_file_that_the_checker_refuses_for_its_form_the_schema_refuses(text: str) -> None:
    assert not checked(text)
    assert not valid(text)


def test_a_rule_without_an_action_is_asked_for_that_alone() -> None:
    (told,) = (one for one in everywhere(SCHEMA) if "allOf" in one)
    assert all(fits({"match": ["x"], "command": "x"}, one) for one in told["allOf"])
    assert told["required"] == ["match", "action"]


@settings(max_examples=300, deadline=None)
@given(st.from_regex(r"-?[0-9]{1,3}(\.[0-9]{0,2})? {0,2}(ms|s|m|h|d|min|)", fullmatch=True))
def test_a_duration_is_a_duration_to_both(text: str) -> None:
    told = properties("watch")["max_wait"]
    try:
        parse_duration(text)
    except DurationError:
        assert not fits(text, told)
    else:
        assert fits(text, told)


def test_the_example_without_comments_is_valid() -> None:
    text = re.sub(r"^#(?=[a-z\[])", "", example_text(), flags=re.MULTILINE)
    assert checked(text)
    assert valid(text)
    assert valid(example_text())


def test_every_part_of_a_value_is_in_the_schema() -> None:
    for key in KEYS:
        for part in key.parts:
            assert fits(tomllib.loads(f"x = {part.example}")["x"], part_of(key, part.name))


def part_of(key: Key, name: str) -> Any:  # noqa: ANN401
    (told,) = (
        one["properties"][name]
        for one in everywhere(properties(key.table)[key.name])
        if "properties" in one
    )
    return told


# The command


def test_the_command_prints_the_schema_and_nothing_else() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hotrun", "schema"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(done.stdout) == SCHEMA
    assert done.stderr == ""
