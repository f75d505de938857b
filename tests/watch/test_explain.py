"""Every decision can be explained, and the rule that is named is there and is the cause."""

from __future__ import annotations

import os
import random
import shutil
from typing import TYPE_CHECKING

import pytest
from oracle import Answer, empty_home, git_says, put
from random_rules import NAMES, is_behind_link, near, random_repository

from hotrun.watch.rules.filter import Decision, Filter, Rule

if TYPE_CHECKING:
    from pathlib import Path

SEED = int(os.environ.get("HOTRUN_TEST_SEED", "20261121"))
ROUNDS = 20
BUILT_IN = ("node_modules", "src/.hg", ".venv", "a/__pycache__", "foo/target", "b/venv")
JUNK = ("a.go~", "b/.a.go.swp", ".#a", "#a#", "4913", "ab/.DS_Store", "a/.git", ".git/HEAD")
NEVER = "no/such/name"

Lists = dict[str, list[str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """No settings of the machine or its user."""
    return empty_home(tmp_path, monkeypatch)


class Repository:
    """A random repository with a random config."""

    def __init__(self, seed: str, top: str, home: str) -> None:
        chance = random.Random(seed)
        self.seed, self.top = seed, top
        self.paths = random_repository(chance, top, home)
        for name in BUILT_IN:
            place(top, f"{name}/in")
        for name in ("foo/target/CACHEDIR.TAG", "b/venv/pyvenv.cfg"):
            place(top, name)
        self.paths += [*BUILT_IN, *(f"{name}/in" for name in BUILT_IN), *JUNK]
        self.lists = {key: self.globs(chance) for key in ("include", "exclude", "outputs")}
        self.filter = self.make(self.lists)

    def globs(self, chance: random.Random) -> list[str]:
        if chance.random() < 0.4:
            return []
        chosen = ["/".join(near(chance, path)) for path in chance.choices(self.paths, k=3)]
        chosen += [f"{chance.choice(('', '/', '!'))}{chance.choice(NAMES)}", "*.o"]
        return [glob for glob in chosen if "\0" not in glob]

    def make(self, lists: Lists) -> Filter:
        return Filter(roots=[self.top], base=self.top, **lists)  # type: ignore[arg-type]

    def explain(self, path: str) -> Decision:
        full = f"{self.top}/{path}"
        return self.filter.explain(full, is_directory(full))


def place(top: str, name: str) -> None:
    """Put a file, unless something random is in its way."""
    if not os.path.lexists(f"{top}/{name}"):
        try:
            put(top, name)
        except OSError:
            return


def is_directory(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def texts(repository: Repository, rule: Rule) -> list[bytes]:
    """The lines of where a rule is said to be from, as they are written there."""
    key = rule.file.rpartition(".")[2]
    if rule.file in {"watch.include", "watch.exclude", "build.outputs"}:
        return [os.fsencode(text) for text in repository.lists[key]]
    with open(rule.file, "rb") as file:
        return file.read().removeprefix(b"\xef\xbb\xbf").split(b"\n")


def without(repository: Repository, rule: Rule) -> Filter:
    """A filter for which the rule does not exist."""
    if os.path.isabs(rule.file):
        lines = texts(repository, rule)
        lines[rule.line - 1] = b"#"
        with open(rule.file, "wb") as file:
            file.write(b"\n".join(lines))
        return repository.make(repository.lists)
    key = rule.file.rpartition(".")[2]
    lists = {name: list(globs) for name, globs in repository.lists.items()}
    lists[key][rule.line - 1] = NEVER
    return repository.make(lists)


def check_the_rule_is_there(repository: Repository, path: str, decision: Decision) -> None:
    rule = decision.rule
    if rule is None:
        return
    about = (repository.seed, path, decision)
    line = texts(repository, rule)[rule.line - 1]
    text = os.fsencode(rule.pattern)
    # A line of a file ends at a NUL or carriage return, and final blanks are not part of it.
    assert line.startswith(text), about
    assert not line[len(text) :].partition(b"\0")[0].strip(b" \r"), about
    assert rule.negated == rule.pattern.startswith("!"), about
    assert f"`{rule.pattern}`" in decision.reason, about


def check_it_is_the_cause(repository: Repository, path: str, rule: Rule) -> None:
    full = f"{repository.top}/{path}"
    kept = None
    if os.path.isabs(rule.file):
        with open(rule.file, "rb") as file:
            kept = file.read()
    after = without(repository, rule).explain(full, is_directory(full))
    assert after.rule != rule, (repository.seed, path, rule)
    if kept is not None:
        with open(rule.file, "wb") as file:
            file.write(kept)


def check(repository: Repository) -> None:
    """Hold all answers about all paths of a repository against one another and the disk."""
    chosen, top = repository.filter, repository.top
    rules: dict[Rule, str] = {}
    for path in repository.paths:
        full = f"{top}/{path}"
        decision = repository.explain(path)
        answer = not chosen.skips(full) if is_directory(full) else chosen.wants(full)
        assert answer == decision.watched, (repository.seed, path, decision)
        assert decision.root == top, (repository.seed, path, decision)
        check_the_rule_is_there(repository, path, decision)
        check_what_is_above(repository, path, decision)
        if decision.rule is not None:
            rules[decision.rule] = path
    for rule, path in rules.items():
        check_it_is_the_cause(repository, path, rule)


def check_what_is_above(repository: Repository, path: str, decision: Decision) -> None:
    """Nothing is watched in a directory that is not; the reason names the first one that is out."""
    above = [path[:at] for at, char in enumerate(path) if char == "/"]
    out = [name for name in above if repository.filter.skips(f"{repository.top}/{name}")]
    said = decision.reason.startswith("Its directory ")
    assert said == bool(out), (repository.seed, path, decision)
    if out:
        assert f" {repository.top}/{out[0]} is left out: " in decision.reason
        assert not decision.watched


def test_every_answer_has_a_rule_that_is_where_it_says_and_is_the_cause(
    tmp_path: Path, home: str
) -> None:
    for number in range(ROUNDS):
        check(Repository(f"{SEED}-{number}", str(tmp_path / str(number)), home))
        shutil.rmtree(tmp_path / str(number))


@pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle")
def test_without_a_config_git_alone_decides_and_is_quoted(tmp_path: Path, home: str) -> None:
    for number in range(ROUNDS):
        repository = Repository(f"{SEED}-{number}", str(tmp_path / str(number)), home)
        repository.filter = repository.make({})
        asked = [path for path in repository.paths if not is_behind_link(repository.top, path)]
        for path, answer in git_says(repository.top, asked).items():
            decision = repository.explain(path)
            if decision.rule is None and not decision.watched:
                continue  # a name that hotrun itself leaves out
            assert as_answer(decision.rule) == answer, (repository.seed, path, decision)
            assert decision.watched == (answer is None or answer.pattern.startswith("!"))
        shutil.rmtree(repository.top)


def as_answer(rule: Rule | None) -> Answer | None:
    return rule and Answer(rule.file, rule.line, rule.pattern)
