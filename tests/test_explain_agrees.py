"""`explain` agrees with the watcher: random trees, random configs, and every file touched."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from typing import TYPE_CHECKING

import pytest
from oracle import empty_home, put
from random_rules import NAMES, is_behind_link, near, random_repository

from hotrun.config import load
from hotrun.project.explain import Explainer, Explanation
from hotrun.project.plan import plan
from hotrun.project.watched import single_files, watch
from hotrun.watch import SAVES, Event

if TYPE_CHECKING:
    from pathlib import Path

    from hotrun.config import Config

SEED = int(os.environ.get("HOTRUN_TEST_SEED", "20261127"))
ROUNDS = 6
PROBE = "probe~"  # never counts, and is heard all the same
PATIENCE = 60.0  # seconds
BUILT_IN = ("node_modules", ".venv/a", "src/.hg", "a/__pycache__", ".git/x", "b/a.go~", "b/.#a")
ACTIONS = ("build", "restart", "ignore", "reload", "signal", "command")
MORE = {"signal": 'signal = "SIGHUP"\n', "command": 'command = "true {files}"\n'}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """No settings of the machine or its user."""
    return empty_home(tmp_path, monkeypatch)


class Project:
    """A random repository with a random config, watched for real."""

    def __init__(self, seed: str, top: str, home: str, *, follow: bool) -> None:
        chance = random.Random(seed)
        self.seed, self.top, self.follow = seed, top, follow
        self.paths = random_repository(chance, top, home)
        for name in BUILT_IN:
            if not os.path.lexists(f"{top}/{name.partition('/')[0]}"):
                put(top, f"{name}/in")
                self.paths.append(f"{name}/in")
        self._lead_elsewhere(chance)
        self.paths += [f"{name}/{chance.choice(NAMES)}" for name in self._links()]
        put(top, "hotrun.toml", self._text(chance))
        self.config: Config = load(None, top)
        planned = plan(self.config)
        self.explainer = Explainer(self.config, planned)
        self.heard: set[str] = set()
        self.watcher, self.sieve = watch(self.config, planned)
        for path in (*planned.roots, *self.sieve.apart):
            self.watcher.add(path, ops=SAVES, missing_ok=True)
        self.sieve.list()

    def _lead_elsewhere(self, chance: random.Random) -> None:
        """A link to the top of everything would have all of it listed."""
        directories = [name for name in self.paths if os.path.isdir(f"{self.top}/{name}")]
        for name in self._links():
            if os.readlink(f"{self.top}/{name}") == "/":
                os.unlink(f"{self.top}/{name}")
                target = f"{self.top}/{chance.choice([*directories, '.'])}"
                os.symlink(target, f"{self.top}/{name}")

    def _links(self) -> list[str]:
        return [name for name in self.paths if os.path.islink(f"{self.top}/{name}")]

    def _text(self, chance: random.Random) -> str:
        lines = ["[watch]", f"follow_symlinks = {str(self.follow).lower()}"]
        lines += [f"gitignore = {chance.choice(('true', 'true', 'true', 'false'))}"]
        lines += [f'backend = "{chance.choice(("auto", "auto", "native", "poll"))}"']
        lines += ['poll_interval = "10ms"', self._list("paths", self._roots(chance))]
        lines += [self._list(key, self._globs(chance)) for key in ("include", "exclude")]
        lines += ["[build]", 'command = "make"', self._list("outputs", self._globs(chance))]
        lines += ["[run]", 'command = "./app"', 'env_files = [".env", "a/b", "../last.env"]']
        for action in chance.sample(ACTIONS, chance.randint(0, 3)):
            lines += ["[[rule]]", self._list("match", self._globs(chance) or ["*"])]
            lines += [f'action = "{action}"', MORE.get(action, "")]
        return "\n".join(lines)

    def _roots(self, chance: random.Random) -> list[str]:
        real = [name for name in self.paths if not os.path.islink(f"{self.top}/{name}")]
        directories = [name for name in real if os.path.isdir(f"{self.top}/{name}")]
        some = [name for name in directories if plain(name) and not is_behind_link(self.top, name)]
        if not some or chance.random() < 0.7:
            return ["."]
        chosen = chance.sample(some, min(len(some), chance.randint(1, 2)))
        return chance.choice(([], ["."])) + chosen

    def _globs(self, chance: random.Random) -> list[str]:
        if chance.random() < 0.4:
            return []
        chosen = ["/".join(near(chance, path)) for path in chance.choices(self.paths, k=3)]
        chosen += [f"{chance.choice(('', '/', '!'))}{chance.choice(NAMES)}", "*.o"]
        return [glob for glob in chosen if plain(glob)]

    def _list(self, key: str, texts: list[str]) -> str:
        return f"{key} = [\n" + "".join(f"  {json.dumps(text)},\n" for text in texts) + "]"

    def files(self) -> list[str]:
        """The paths at which there is a file or link, or may be one."""
        files = [name for name in self.paths if not is_directory(f"{self.top}/{name}")]
        if self.follow:  # to touch a link would alter what is behind it
            files = [name for name in files if not os.path.islink(f"{self.top}/{name}")]
        return files

    def close(self) -> None:
        """End it."""
        self.watcher.close()
        shutil.rmtree(self.top)


def plain(text: str) -> bool:
    """Whether a text can stand in a TOML file."""
    return (
        bool(text.strip())
        and "\0" not in text
        and "\x7f" not in text
        and not any(0xD800 <= ord(c) < 0xE000 for c in text)
    )


def is_directory(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def touch(path: str) -> bool:
    """Change what is at a path, or make a file there; False where that cannot be."""
    try:
        if os.path.islink(path):
            os.unlink(path)
            os.symlink("elsewhere", path)
            return True
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "a", encoding="utf-8") as file:
            file.write("more\n")
    except OSError:
        return False
    return True


def read_on(project: Project) -> None:
    """Read until something is told of a file that is written now."""
    last = put(os.path.dirname(project.top), "last.env", str(time.monotonic_ns()))
    deadline = time.monotonic() + PATIENCE
    heard = False
    while not heard:
        assert time.monotonic() < deadline, f"{project.seed}: nothing was told of {last}"
        items = project.watcher.read(1)
        paths = {item.path for item in items if isinstance(item, Event)}
        project.heard |= paths
        heard = last in paths
        project.sieve.note(items)


def changes(project: Project) -> list[str]:
    """The paths that changed, when all is read."""
    read_on(project)
    read_on(project)  # a poll may have been half through the tree when the first one was written
    *_, found = project.sieve.sift()
    assert found is not None
    return found.changed


def check_directories(project: Project) -> None:
    """A directory that is said to be watched is open to the kernel, and no other one is."""
    directories = [name for name in project.paths if is_directory(f"{project.top}/{name}")]
    single = [os.path.realpath(file) for file in single_files(project.config)]
    probes = {}
    for name in directories:
        path = f"{project.top}/{name}"
        if not any(file.startswith(f"{path}/") for file in single):  # those ways are always open
            probes[put(path, PROBE)] = project.explainer.explain(path)
    read_on(project)
    found = set(map(identity, project.heard))
    for probe, explanation in probes.items():
        heard = identity(probe) in found
        assert heard == explanation.watched, (project.seed, probe, explanation)


def check(project: Project) -> None:
    explained: dict[str, Explanation] = {}
    for name in project.files():
        explained[f"{project.top}/{name}"] = project.explainer.explain(f"{project.top}/{name}")
    touched = [path for path in explained if touch(path)]
    changed = changes(project)
    found = set(map(identity, changed))
    for path in touched:
        explanation = explained[path]
        about = (project.seed, path, explanation, sorted(changed))
        assert (identity(path) in found) == explanation.watched, about
        if explanation.watched:
            assert project.watcher.is_native(path) == explanation.native, about
        check_the_line(project, explanation)


def identity(path: str) -> tuple[str, str]:
    """What tells a file from all others, by whatever links one comes to it."""
    return os.path.realpath(os.path.dirname(path)), os.path.basename(path)


def check_the_line(project: Project, explanation: Explanation) -> None:
    """The pattern is in the very line that is named."""
    rule = explanation.rule
    if rule is None or rule.line is None:
        return
    with open(os.path.join(project.top, rule.file), "rb") as file:
        line = file.read().removeprefix(b"\xef\xbb\xbf").split(b"\n")[rule.line - 1]
    wanted = json.dumps(rule.pattern) if rule.file == "hotrun.toml" else rule.pattern
    assert os.fsencode(wanted) in line, (project.seed, explanation, line)


def walk(numbers: range, tmp_path: Path, home: str, *, follow: bool) -> None:
    for number in numbers:
        project = Project(f"{SEED}-{number}", str(tmp_path / str(number)), home, follow=follow)
        try:
            if not follow and project.config.watch.backend != "poll":
                check_directories(project)
            check(project)
        finally:
            project.close()


@pytest.mark.parametrize("follow", [False, True])
def test_it_agrees_with_what_the_watcher_does(tmp_path: Path, home: str, *, follow: bool) -> None:
    walk(range(ROUNDS), tmp_path, home, follow=follow)


@pytest.mark.stress
@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize("part", range(12))
def test_it_agrees_with_what_the_watcher_does_for_long(
    tmp_path: Path, home: str, part: int, *, follow: bool
) -> None:
    walk(range(part * 50, (part + 1) * 50), tmp_path, home, follow=follow)
