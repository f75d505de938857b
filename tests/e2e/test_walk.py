"""Random walks over a tree: after quiet, the last build saw exactly what is on the disk."""

from __future__ import annotations

import os
import random
import shutil
from typing import TYPE_CHECKING

import pytest
from live import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from live import Live, Project

    Start = Callable[..., Live]

SEED = int(os.environ.get("HOTRUN_TEST_SEED", "20261121"))
WALKS = [SEED + number for number in range(4)]
LONG_WALKS = [SEED + number for number in range(100, 140)]
ROUNDS = 6  # of one walk; after each one it is looked what the last build saw
STEPS = 25  # of one round, one right after the other

NAMES = ["a", "b", "c.go", "d.txt", ".hidden", "with space", "ünï", "e.tmp.go"]


class Walker:
    """Does things to a tree, by chance; what is not possible just now is left out."""

    def __init__(self, root: str, aside: str, chance: random.Random) -> None:
        self.root = root
        self.aside = aside
        self.chance = chance
        self.done: list[str] = []

    def step(self) -> None:
        act = self.chance.choice(
            [self.write] * 6
            + [self.replace, self.append, self.truncate, self.rename, self.rename]
            + [self.make_deep, self.make_deep, self.delete, self.recreate, self.chmod]
            + [self.link, self.hard_link, self.move_out, self.move_in, self.exchange]
        )
        try:
            act()
        except OSError as error:
            self.done.append(f"  (not: {error.strerror})")

    def path(self) -> str:
        """Some path, one to four names deep, which may be there or not."""
        depth = self.chance.randint(1, 4)
        return os.path.join(self.root, *(self.chance.choice(NAMES) for _ in range(depth)))

    def existing(self) -> str:
        """Some path that is there, if there is any."""
        found = [
            os.path.join(directory, name)
            for directory, below, names in os.walk(self.root)
            for name in (*below, *names)
            if name not in ("hotrun.toml", "sentinel")
        ]
        return self.chance.choice(sorted(found)) if found else self.path()

    def note(self, *what: str) -> None:
        self.done.append(" ".join(os.path.relpath(w, self.root) if "/" in w else w for w in what))

    def content(self) -> str:
        # Often of one length and sometimes the same: size and time alone do not tell.
        return str(self.chance.randint(10, 40))

    def write(self) -> None:
        path = self.chance.choice([self.path, self.existing])()
        self.note("write", path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(self.content())

    def append(self) -> None:
        path = self.existing()
        self.note("append", path)
        with open(path, "a", encoding="ascii") as file:
            file.write(self.content())

    def truncate(self) -> None:
        path = self.existing()
        self.note("truncate", path)
        os.truncate(path, 0)

    def replace(self) -> None:
        path, draft = self.existing(), os.path.join(self.aside, "draft")
        self.note("replace", path)
        with open(draft, "w", encoding="ascii") as file:
            file.write(self.content())
        os.replace(draft, path)

    def rename(self) -> None:
        old, new = self.existing(), self.path()
        self.note("rename", old, new)
        os.rename(old, new)

    def exchange(self) -> None:
        one, two, aside = self.existing(), self.existing(), os.path.join(self.aside, "third")
        self.note("exchange", one, two)
        os.rename(one, aside)
        try:
            os.rename(two, one)
        finally:
            os.rename(aside, two if os.path.lexists(one) else one)

    def make_deep(self) -> None:
        path = os.path.join(self.path(), self.chance.choice(NAMES))
        self.note("make", path)
        os.makedirs(path, exist_ok=True)
        for name in self.chance.sample(NAMES, 2):
            with open(os.path.join(path, name), "w", encoding="ascii") as file:
                file.write(self.content())

    def delete(self) -> None:
        path = self.existing()
        self.note("delete", path)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)

    def recreate(self) -> None:
        path = self.existing()
        self.note("recreate", path)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
            os.mkdir(path)
            path = os.path.join(path, self.chance.choice(NAMES))
        else:
            os.unlink(path)
        with open(path, "w", encoding="ascii") as file:
            file.write(self.content())

    def chmod(self) -> None:
        path = self.existing()
        self.note("chmod", path)
        if not os.path.isdir(path):
            os.chmod(path, self.chance.choice([0o644, 0o755, 0o600]))

    def link(self) -> None:
        path = self.path()
        self.note("link", path)
        os.symlink(self.chance.choice(NAMES), path)

    def hard_link(self) -> None:
        old, new = self.existing(), self.path()
        self.note("hard link", old, new)
        os.link(old, new, follow_symlinks=False)

    def move_out(self) -> None:
        path = self.existing()
        self.note("move out", path)
        shutil.rmtree(os.path.join(self.aside, "moved"), ignore_errors=True)
        os.rename(path, os.path.join(self.aside, "moved"))

    def move_in(self) -> None:
        path = self.path()
        self.note("move in", path)
        os.rename(os.path.join(self.aside, "moved"), path)


def walk(project: Project, start: Start, seed: int, *words: str) -> None:
    project.config()
    aside = project.out / "aside"
    aside.mkdir()
    walker = Walker(str(project.path), str(aside), random.Random(seed))
    for _ in range(STEPS):  # something to begin with
        walker.step()
    session = start(*words)
    for number in range(ROUNDS):
        walker.done.append(f"round {number}")
        for _ in range(walker.chance.randint(1, STEPS)):
            walker.step()
        seen_all(project, walker, f"walk {seed}, round {number}")
    session.wait_for("build_finished", ok=True)
    assert not session.all("build_finished", ok=False)


def seen_all(project: Project, walker: Walker, where: str) -> None:
    try:
        until(lambda: project.seen() == project.on_disk(), f"the last build of {where}")
    except AssertionError:
        seen, there = project.seen(), project.on_disk()
        differ = {
            path: (seen.get(path), there.get(path))
            for path in seen.keys() | there.keys()
            if seen.get(path) != there.get(path)
        }
        pytest.fail(f"{where}: seen, on disk: {differ}\n" + "\n".join(walker.done))


@pytest.mark.parametrize("seed", WALKS)
def test_the_last_build_saw_what_is_there(project: Project, start: Start, seed: int) -> None:
    walk(project, start, seed, "--debounce", "0ms" if seed % 2 else "auto")


def test_the_last_build_saw_what_is_there_by_polling(project: Project, start: Start) -> None:
    walk(project, start, SEED, "--watch", "poll", "--set", 'watch.poll_interval="20ms"')


@pytest.mark.stress
@pytest.mark.parametrize("seed", LONG_WALKS)
def test_the_last_build_saw_what_is_there_in_long_walks(
    project: Project, start: Start, seed: int
) -> None:
    walk(project, start, seed, "--debounce", "0ms" if seed % 2 else "auto")


@pytest.mark.stress
@pytest.mark.parametrize("seed", LONG_WALKS[:10])
def test_the_last_build_saw_what_is_there_in_long_walks_by_polling(
    project: Project, start: Start, seed: int
) -> None:
    walk(project, start, seed, "--watch", "poll", "--set", 'watch.poll_interval="20ms"')
