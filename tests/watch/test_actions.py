"""Which rule speaks for a file: the last one whose `match`, taken for an include, has it."""

from __future__ import annotations

import os
import random

import pytest
from random_rules import NAMES, near

from hotrun.watch.rules.actions import Actions, key
from hotrun.watch.rules.filter import Filter

SEED = int(os.environ.get("HOTRUN_TEST_SEED", "20261127"))
ROUNDS = 150
TOP = "/home/me/project"

RULES = [
    ["static/**", "*.css", "!static/reset.css"],
    ["*.tmpl"],
    ["gen/", "!*.go"],
    ["/only.txt", "a/b.txt"],
    ["!never.c"],
    [],
]

# One row: a path, and the rule and the pattern that speak for it.
ROWS: list[tuple[str, int | None, str]] = [
    ("static/app.js", 0, "static/**"),
    ("static/deep/er/x", 0, "static/**"),
    ("web/a.css", 0, "*.css"),
    ("static/reset.css", None, ""),
    ("static/page.tmpl", 1, "*.tmpl"),
    ("gen/page.tmpl", 2, "gen/"),
    ("a/gen/x/y", 2, "gen/"),
    ("gen/a.go", None, ""),
    ("gen", None, ""),
    ("only.txt", 3, "/only.txt"),
    ("a/only.txt", None, ""),
    ("a/b.txt", 3, "a/b.txt"),
    ("x/a/b.txt", None, ""),
    ("never.c", None, ""),
    ("main.go", None, ""),
]


@pytest.mark.parametrize(("path", "rule", "pattern"), ROWS)
def test_the_last_rule_that_fits_counts(path: str, rule: int | None, pattern: str) -> None:
    actions = Actions(RULES, TOP)
    assert actions.of(f"{TOP}/{path}") == rule
    why = actions.why(f"{TOP}/{path}")
    assert (None if why is None else (why.file, why.pattern)) == (
        None if rule is None else (key(rule), pattern)
    )


def test_what_a_rule_takes_back_another_rule_may_still_have() -> None:
    actions = Actions([["*.c"], ["src/**", "!*.c"]], TOP)
    assert actions.of(f"{TOP}/src/a.c") == 0
    assert actions.of(f"{TOP}/src/a.h") == 1


def test_the_keys_count_from_one_and_the_patterns_too() -> None:
    why = Actions([["x"], ["a", "b"]], TOP).why(f"{TOP}/b")
    assert why is not None
    assert (why.file, why.line) == ("rule[2].match", 2)


def test_a_root_outside_is_the_base_of_its_own_files() -> None:
    actions = Actions([["/a/*.c"]], TOP, [TOP, "/lib", f"{TOP}/sub"])
    assert actions.of("/lib/a/x.c") == 0
    assert actions.of(f"{TOP}/a/x.c") == 0
    assert actions.of(f"{TOP}/sub/a/x.c") is None
    assert actions.of("/elsewhere/a/x.c") is None


def test_a_root_above_the_project_is_its_own_base_too() -> None:
    actions = Actions([["/project/*.c"]], TOP, ["/home/me"])
    assert actions.of(f"{TOP}/x.c") == 0


def test_the_top_of_everything_may_be_the_base() -> None:
    assert Actions([["/etc/*.conf"]], "/").of("/etc/a.conf") == 0


def test_a_path_of_two_thousand_elements_is_no_trouble() -> None:
    assert Actions([["*.c"]], TOP).of(f"{TOP}{'/d' * 2000}/x.c") == 0


def some_path(chance: random.Random) -> str:
    names = [name for name in NAMES if name != "node_modules"]  # the filter has its own say there
    return "/".join(chance.choices(names, k=chance.randint(1, 4)))


def some_globs(chance: random.Random, paths: list[str]) -> list[str]:
    globs = ["/".join(near(chance, chance.choice(paths))) for _ in range(chance.randint(1, 4))]
    starts, ends = ("", "", "", "!", "/"), ("", "", "/")
    return [f"{chance.choice(starts)}{glob}{chance.choice(ends)}" for glob in globs]


def test_a_rule_fits_exactly_what_an_include_of_its_patterns_has() -> None:
    """The filter is the oracle: it looks at one rule at a time."""
    for number in range(ROUNDS):
        chance = random.Random(f"{SEED}-{number}")
        paths = [some_path(chance) for _ in range(40)]
        rules = [some_globs(chance, paths) for _ in range(chance.randint(1, 4))]
        roots = chance.choice(([TOP], [TOP, "/lib"], [f"{TOP}/src", f"{TOP}/src/a"], ["/home/me"]))
        tops = [*roots, TOP, f"{TOP}/src"]
        oracles = [Filter(roots=roots, base=TOP, include=rule, gitignore=False) for rule in rules]
        actions = Actions(rules, TOP, roots)
        for path in paths:
            full = f"{chance.choice(tops)}/{path}"
            fitting = [at for at, oracle in enumerate(oracles) if is_included(oracle, full)]
            about = (number, rules, roots, full)
            assert actions.of(full) == (fitting[-1] if fitting else None), about


def is_included(oracle: Filter, path: str) -> bool:
    decision = oracle.explain(path)
    return decision.rule is not None and decision.watched
