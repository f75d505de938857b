"""Writing a hotrun.toml: what is written reads as what was meant, whatever characters it has."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from hotrun.project.detect import toml

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT)
def test_any_text_is_read_as_it_was_written(text: str) -> None:
    assert tomllib.loads(f"a = {toml.string(text)}") == {"a": text}


@given(st.dictionaries(TEXT, TEXT), st.lists(TEXT))
def test_any_table_and_list_are_too(names: dict[str, str], words: list[str]) -> None:
    text = f"a = {toml.written(names)}\nb = {toml.written(words)}\n"
    assert tomllib.loads(text) == {"a": names, "b": words}


def test_half_of_a_character_is_replaced() -> None:
    assert toml.string("a\ud800b") == '"a?b"'


def test_quotes_are_those_that_need_no_escapes() -> None:
    assert [toml.string(text) for text in ("a", 'a "b"', "a\\b", "a'b\"")] == [
        '"a"',
        "'a \"b\"'",
        "'a\\b'",
        '"a\'b\\""',
    ]


def test_what_is_empty_is_left_out() -> None:
    assert toml.table("run", ("args", [], "why"), ("env", {}, ""), ("command", "", "")) == ""
    assert toml.document("", toml.table("run", ("command", "x", "")), "") == (
        '#:schema .hotrun/schema.json\n\n[run]\ncommand = "x"\n'
    )
