"""Random patterns on random trees, answered as git answers: the file, the line and the text."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from oracle import Answer, empty_home, git_says, hotrun_says
from random_rules import random_repository

from hotrun.watch.rules.filter import Filter

if TYPE_CHECKING:
    from pathlib import Path

SEED = int(os.environ.get("HOTRUN_TEST_SEED", "20261121"))
LEAST = 20_000  # answers of git, compared by default
LEAST_EACH = 25_000  # by each of the parts of a stress run
PARTS = 16

KINDS = ("no rule", "taken back", "by the top", "by a nested file", "by an exclude file")


def kind_of(answer: Answer | None, top: str) -> str:
    if answer is None:
        return "no rule"
    if answer.pattern.startswith("!"):
        return "taken back"
    if not answer.file.startswith(f"{top}/") or not answer.file.endswith("/.gitignore"):
        return "by an exclude file"
    return "by the top" if answer.file == f"{top}/.gitignore" else "by a nested file"


def random_root(chance: random.Random, top: str, expected: dict[str, Answer | None]) -> str:
    """Choose a directory that git does not ignore; "" for the top."""
    places = [path for path, answer in expected.items() if not is_out(answer)]
    places = [path for path in places if is_directory(os.path.join(top, path))]
    return chance.choice(places) if places else ""


def is_out(answer: Answer | None) -> bool:
    return answer is not None and not answer.pattern.startswith("!")


def is_directory(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def compare(tmp_path: Path, home: str, first: int, least: int) -> Counter[str]:
    """Compare until there are enough answers; return how many of each kind there were."""
    kinds: Counter[str] = Counter()
    number, top = first, str(tmp_path / "tree")
    while kinds.total() < least:
        seed, number = f"{SEED}-{number}", number + 1
        chance = random.Random(seed)
        paths = random_repository(chance, top, home)
        expected = git_says(top, paths)
        check(seed, expected, hotrun_says(top, paths))
        check(f"{seed}, filter", expected, filter_says(top, paths))
        root = random_root(chance, top, expected)
        below = [path for path in paths if path.startswith(f"{root}/")]
        check(f"{seed}, root {root!r}", expected, hotrun_says(top, below, root))
        kinds.update(kind_of(answer, top) for answer in expected.values())
        for directory in (top, home):
            shutil.rmtree(directory)
        os.makedirs(os.path.join(home, "xdg"))
    return kinds


def filter_says(top: str, paths: list[str]) -> dict[str, Answer | None]:
    """Ask what is watched, as walks do; what hotrun itself leaves out is not git's matter."""
    chosen, answers = Filter(roots=[top], base=top), {}
    for path in paths:
        full = os.path.join(top, path)
        decision = chosen.explain(full, is_directory(full))
        answer = not chosen.skips(full) if is_directory(full) else chosen.wants(full)
        assert answer == decision.watched, path
        rule = decision.rule
        if decision.watched or rule is not None:
            answers[path] = rule and Answer(rule.file, rule.line, rule.pattern)
    return answers


def check(seed: str, expected: dict[str, Answer | None], got: dict[str, Answer | None]) -> None:
    different = {path: (expected[path], got[path]) for path in got if expected[path] != got[path]}
    assert not different, f"seed {seed}: path: (git, hotrun) {different}"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """No settings of the machine or its user."""
    return empty_home(tmp_path, monkeypatch)


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle")


@needs_git
def test_random_patterns_on_random_trees_are_answered_as_git_does(
    tmp_path: Path, home: str
) -> None:
    kinds = compare(tmp_path, home, 0, LEAST)
    print(f"seed {SEED}: {kinds.total()} answers of git, no difference: {dict(kinds)}")  # noqa: T201 - asked for
    assert kinds.total() >= LEAST
    # A walk that only ever met one kind would prove little.
    assert min(kinds[kind] for kind in KINDS) > LEAST // 50, kinds


@needs_git
@pytest.mark.stress
@pytest.mark.parametrize("part", range(PARTS))
def test_a_long_walk_is_answered_as_git_does(tmp_path: Path, home: str, part: int) -> None:
    kinds = compare(tmp_path, home, 100_000 * (part + 1), LEAST_EACH)
    assert kinds.total() >= LEAST_EACH
