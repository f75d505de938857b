"""Whatever is in the file: a config, or every problem in words; never a traceback."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from hotrun.config import Config, load_text
from hotrun.config.key import Key
from hotrun.config.keys import KEYS, LAYERS, LISTS, TABLES, keys_of
from hotrun.config.schema import Ready
from hotrun.config.system import PLATFORMS
from hotrun.errors import ConfigErrors, Problem

ALPHABET = "abcdefghijklmnopqrstuvwxyz_-"
NEEDED = "build.command = 'x'\nrun.command = 'x'\n"
# Of all typos of all keys these four alone are as near to another key: exclude and include.
BETWEEN = {"ixclude", "nxclude", "enclude", "eiclude"}
# And of all typos of the tables these.
BETWEEN_TABLES = {"rue", "rul", "ruln", "rune"}
TABLE_KEYS = [key for key in KEYS if key.table not in LISTS]
READY = [field.name for field in fields(Ready)]
# And of all typos of the keys of `ready` these two: http and tcp.
BETWEEN_READY = {"htcp", "ttp"}


@st.composite
def typos(draw: st.DrawFn, word: str) -> str:
    """The word with one letter lost, added, changed, or swapped with the next."""
    at = draw(st.integers(0, len(word) - 1))
    letter = draw(st.sampled_from(ALPHABET))
    edits = [
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
    ]
    return draw(st.sampled_from(edits))


def header(table: str, prefix: str = "") -> str:
    if table in LISTS:
        return f"[[{prefix}{table}]]"
    return f"[{prefix}{table}.NAME]" if table in LAYERS else f"[{prefix}{table}]"


def problems_of(text: str, *sets: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigErrors) as caught:
        load_text(text, "/", sets)
    return caught.value.problems


@settings(deadline=None)
@given(st.sampled_from(TABLE_KEYS), st.data())
def test_a_typo_of_a_key_is_told_the_key_that_was_meant(key: Key, data: st.DataObject) -> None:
    typo = data.draw(typos(key.name))
    assume(typo and typo not in {one.name for one in KEYS})
    assume(typo not in BETWEEN)
    (problem,) = problems_of(f"{key.table}.{typo} = 0\n{NEEDED}")
    assert problem.message == f'unknown key "{typo}" in [{key.table}]'
    assert problem.hint == f'did you mean "{key.name}"?'
    assert (problem.line, problem.column, problem.span) == (1, len(key.table) + 2, len(typo))
    (again,) = problems_of(NEEDED, f"{key.table}.{typo}=0")
    assert (again.message, again.hint) == (problem.message, problem.hint)


@settings(deadline=None)
@given(st.sampled_from(READY), st.data())
def test_a_typo_in_ready_is_told_the_key_that_was_meant(name: str, data: st.DataObject) -> None:
    typo = data.draw(typos(name))
    assume(typo and typo not in {*READY, *BETWEEN_READY})
    (problem,) = problems_of(f"run.ready.{typo} = ':80'\n{NEEDED}")
    assert problem.message == f'unknown key "{typo}" in [run.ready]'
    assert problem.hint == f'did you mean "{name}"?'
    assert (problem.line, problem.column, problem.span) == (1, 11, len(typo))


@settings(deadline=None)
@given(st.sampled_from([*TABLES, *LAYERS]), st.data())
def test_a_typo_of_a_table_is_told_the_table_that_was_meant(
    table: str, data: st.DataObject
) -> None:
    typo = data.draw(typos(table))
    assume(typo and typo not in {*TABLES, *LAYERS, *(key.name for key in KEYS), *BETWEEN_TABLES})
    (problem,) = problems_of(f"[{typo}]\n")
    assert problem.message == f"unknown table [{typo}]"
    assert problem.hint == f"did you mean {header(table)}?"


# The typos that fingers make, all of them: every key of every table, everywhere it may stand.

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def beside(letter: str) -> list[str]:
    """The letters beside a letter on the keyboard."""
    found = [(row, at) for row, keys in enumerate(ROWS) for at, one in enumerate(keys)]
    here = next((place for place in found if ROWS[place[0]][place[1]] == letter), None)
    if here is None:
        return []
    steps = ((0, -1), (0, 1), (-1, 0), (-1, 1), (1, 0), (1, -1))
    near = [(here[0] + down, here[1] + right) for down, right in steps]
    return [ROWS[row][at] for row, at in near if (row, at) in found]


def fumbled(word: str) -> set[str]:
    """The word with a letter lost, doubled, swapped or hit beside; in other case, number, style."""
    every = range(len(word))
    lost = {word[:at] + word[at + 1 :] for at in every}
    doubled = {word[:at] + word[at] + word[at:] for at in every}
    swapped = {word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :] for at in every}
    missed = {word[:at] + one + word[at + 1 :] for at in every for one in beside(word[at])}
    first, *others = word.split("_")
    camel = first + "".join(map(str.capitalize, others))
    styled = {word.replace("_", "-"), word.replace("_", ""), camel, word.title(), word.upper()}
    number = {f"{word}s", word.removesuffix("s"), word.removesuffix("y") + "ies"}
    return (lost | doubled | swapped | missed | styled | number) - {word, ""}


def told(text: str, *sets: str) -> str:
    """The hint of the one problem with what is unknown; nothing when there is another number."""
    hints = [one.hint for one in problems_of(text, *sets) if one.message.startswith("unknown")]
    return hints[0] if len(hints) == 1 else ""


def hints_for(key: Key, typo: str) -> list[str]:
    """What is said of a typo of a key in a file, in a profile, in a platform, in an option."""
    line = f"{typo} = 0\n"
    if key.table in LISTS:
        return [told(f"[[{prefix}{key.table}]]\n{line}") for prefix in ("", "profile.x.")]
    layers = [f"[{prefix}{key.table}]\n{line}" for prefix in ("profile.x.", "platform.linux.")]
    texts = [f"{NEEDED}{key.table}.{line}", *(f"{NEEDED}{layer}" for layer in layers)]
    options = [f"{prefix}{key.table}.{typo}=0" for prefix in ("", "profile.x.")]
    return [*map(told, texts), *(told(NEEDED, option) for option in options)]


def test_of_all_typos_that_fingers_make_nearly_all_are_told_what_was_meant() -> None:
    parts = [part for key in KEYS for part in key.parts]
    right = wrong = 0
    for key in [*KEYS, *parts]:
        names = {one.name for one in [*KEYS, *parts] if one.table == key.table}
        for typo in fumbled(key.name) - names:
            hints = hints_for(key, typo)
            found = sum(hint.startswith(f'did you mean "{key.name}"?') for hint in hints)
            right, wrong = right + found, wrong + len(hints) - found
    assert right > 9_000
    assert right / (right + wrong) >= 0.95


def test_of_all_typos_of_tables_and_platforms_nearly_all_are_told_what_was_meant() -> None:
    known = {*TABLES, *LAYERS, *(key.name for key in KEYS)}
    results = [
        told(f"[{typo}]\n") == f"did you mean {header(table)}?"
        for table in [*TABLES, *LAYERS]
        for typo in fumbled(table) - known
    ]
    results += [
        told(f"[platform.{typo}]\n") == f"did you mean [platform.{name}]?"
        for name in PLATFORMS
        for typo in fumbled(name)
    ]
    results += [
        told(f"[profile.x.{typo}]\n") == f"did you mean {header(table, 'profile.x.')}?"
        for table in TABLES
        for typo in fumbled(table) - known
    ]
    assert len(results) > 500
    assert sum(results) / len(results) >= 0.95


def test_of_all_typos_of_words_nearly_all_are_told_what_was_meant() -> None:
    results = []
    for key in KEYS:
        for word in key.words if key.kind == "choice" else ():
            for typo in fumbled(word) - {*key.words}:
                value = f"'{typo}'"
                text = f"{NEEDED}{key.dotted} = {value}\n"
                if key.table in LISTS:
                    text = f"[[{key.table}]]\nmatch = ['x']\n{key.name} = {value}\n"
                (problem,) = problems_of(text)
                results.append(problem.hint == f'did you mean "{word}"?')
    assert len(results) > 500
    assert sum(results) / len(results) >= 0.95


TEXTS = (
    st.text(max_size=8)
    | st.sampled_from(["auto", "5s", "-5s", "99999h", "", " ", "a\0b", "x\x1b"])
    | st.sampled_from(["command", "signal", "ignore", "{files}", "{x}", "a.d"])
    | st.sampled_from(["keep", "SIGTERM", "terminal", "null", "(", "[[a]", *READY])
    | st.sampled_from([":80", "80", "http://h:1/", "unix:x", "${P}", ":${P:-80}", "${", "$P"])
)
RULE = [*keys_of("rule"), "x"]
# Python cannot even write it with decimal digits.
HUGE = object()
SCALARS = (
    st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats()
    | st.just(HUGE)
    | TEXTS
    | st.dates()
    | st.times()
    | st.datetimes()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


NAMES = st.sampled_from([*TABLES, *PLATFORMS, "debug", "", "command", "env", "match"])
TREES = VALUES | st.dictionaries(NAMES, VALUES | st.dictionaries(NAMES, VALUES, max_size=3))


def toml(value: object) -> str:
    if value is HUGE:
        return "0x" + "f" * 4_000
    if isinstance(value, str):
        # As JSON, but TOML wants the one character escaped that JSON lets stand.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{toml(name)} = {toml(one)}' for name, one in value.items())} }}"
    return str(value)


def checked(text: str, *sets: str) -> Config | tuple[Problem, ...]:
    """The config, or the problems; each of them can be shown, and says what to do."""
    try:
        return load_text(text, "/", sets)
    except ConfigErrors as error:
        caught = error
    assert caught.problems
    for problem in caught.problems:
        assert problem.message.isprintable()
        assert problem.hint
        assert problem.hint.isprintable()
        assert problem.file
        assert "\x1b" not in str(problem)
    return caught.problems


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(TABLE_KEYS), VALUES)
def test_any_value_of_any_key_is_a_config_or_a_problem(key: Key, value: object) -> None:
    written = toml(value)
    others = "".join(f"{table}.command = 'x'\n" for table in ("build", "run") if table != key.table)
    command = (
        f"{key.table}.command = 'x'\n" if key.name != "command" and key.table != "watch" else ""
    )
    found = checked(f"{others}{command}{key.dotted} = {written}\n")
    if isinstance(found, Config):
        assert found.origins[key.dotted].startswith("hotrun.toml:")
    else:
        assert all(key.dotted in problem.message for problem in found)
    again = checked(f"{others}{command}", f"{key.dotted}={written}")
    assert isinstance(again, Config) == isinstance(found, Config)


@settings(max_examples=250, deadline=None)
@given(st.dictionaries(st.sampled_from(READY), SCALARS, max_size=4))
def test_any_ready_is_a_config_or_problems(ready: dict[str, object]) -> None:
    found = checked(f"run.command = 'x'\nrun.ready = {toml(ready)}\n")
    if isinstance(found, Config):
        assert found.run is not None
        assert found.run.ready is not None
    else:
        assert all("run.ready" in problem.message for problem in found)


@settings(max_examples=120, deadline=None)
@given(st.dictionaries(st.sampled_from(RULE), VALUES, max_size=4), st.booleans())
def test_any_rule_is_a_config_or_problems(rule: dict[str, object], in_profile: bool) -> None:
    written = toml([rule])
    found = checked(f"{'profile.x.' if in_profile else ''}rule = {written}\n")
    if isinstance(found, Config):
        assert len(found.rules) == (not in_profile)
    assert isinstance(checked("", f"rule={written}"), Config) == isinstance(found, Config)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(["command", "depfile", "x"]), VALUES, max_size=2))
def test_any_inputs_are_a_config_or_problems(inputs: dict[str, object]) -> None:
    found = checked(f"build.command = 'x'\nbuild.inputs = {toml(inputs)}\n")
    if not isinstance(found, Config):
        assert all("build.inputs" in problem.message for problem in found)


@settings(max_examples=250, deadline=None)
@given(st.lists(TEXTS, max_size=4))
def test_any_addresses_are_a_config_or_problems(texts: list[str]) -> None:
    found = checked(f"run.command = 'x'\nrun.listen = {toml(texts)}\n")
    if isinstance(found, Config):
        assert found.run is not None
        assert found.run.listen == tuple(texts)


@settings(max_examples=120, deadline=None)
@given(st.dictionaries(st.sampled_from([*TABLES, *LAYERS, "x", ""]), TREES, max_size=4))
def test_any_tree_is_a_config_or_problems(tree: dict[str, object]) -> None:
    checked("".join(f"{toml(name)} = {toml(value)}\n" for name, value in tree.items()))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
@example("a\r\nb = 'x")
def test_any_text_is_a_config_or_problems(text: str) -> None:
    checked(text)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec=None), max_size=30))
@example("run.args=\udc80")
@example("\udc80=1")
@example('run.env."=1')
def test_any_option_is_a_config_or_problems(option: str) -> None:
    checked("", option)


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_a_file_with_one_character_changed_is_a_config_or_problems(data: st.DataObject) -> None:
    rows = (f"{key.name} = {key.example}\n" for key in keys_of("run").values())
    text = "[run]\n" + "".join(rows)
    at = data.draw(st.integers(0, len(text) - 1))
    checked(text[:at] + data.draw(st.text(max_size=2)) + text[at + 1 :])
