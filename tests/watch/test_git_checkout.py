"""Git goes to and fro between two branches, and all that differs is told, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from ear import Ear, write
from oracle import empty_home

from hotrun.watch.rules.filter import Filter
from hotrun.watch.sieve.sieve import Sieve
from hotrun.watch.sieve.snapshot import list_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git moves the files")

FILES = 300
ROUNDS = 50
BRANCHES = ("one", "two")


class Repository:
    """300 files; between its two branches most of them differ, in every way a file can."""

    def __init__(self, top: str) -> None:
        self.top = top
        self.git("init", "--quiet", "--initial-branch", "one")
        self.fill("one")
        self.git("checkout", "--quiet", "-b", "two")
        self.fill("two")
        names = self.git("diff", "--name-only", "--no-renames", "-z", "one..two")
        self.differ = sorted(f"{top}/{name}" for name in names.split("\0") if name)

    def git(self, *words: str) -> str:
        command = ["git", "-C", self.top, "-c", "user.name=n", "-c", "user.email=e", *words]
        done = subprocess.run(command, capture_output=True, check=False, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fill(self, branch: str) -> None:
        """Commit the files of a branch; contents are of one length, so that only bytes tell."""
        for name in os.listdir(self.top):
            if name != ".git":
                path = f"{self.top}/{name}"
                (shutil.rmtree if os.path.isdir(path) else os.remove)(path)
        for number in range(FILES):
            self.put(number, branch)
        write(f"{self.top}/.gitignore", f"*.log\n/{branch}-only/\n")
        os.symlink(f"pkg0/{branch}.txt", f"{self.top}/link")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", branch)

    def put(self, number: int, branch: str) -> None:
        path = f"{self.top}/pkg{number % 10}/sub{number % 3}/file{number}.go"
        kind = number % 6
        if kind == 0:  # the same on both
            write(path, f"{number:04}")
        elif kind == 1:  # other names, in a directory that comes and goes
            write(f"{self.top}/{branch}/dir{number % 7}/file{number}.go", f"{number:04}")
        elif kind == 2:  # a file here, a directory there
            write(path if branch == "one" else f"{path}/inside", f"{number:04}")
        else:  # other bytes
            write(path, f"{number:04}{branch}")
        if kind == 3 and branch == "two":
            os.chmod(path, 0o700)


@pytest.fixture
def repository(tmp_path: Path, root: str, monkeypatch: pytest.MonkeyPatch) -> Repository:
    empty_home(tmp_path, monkeypatch)
    return Repository(root)


class Session:
    """A watcher and a sieve, wired as `hotrun run` wires them."""

    def __init__(self, top: str, cookies: str, listen: Callable[..., Ear]) -> None:
        self.top = top
        self.cookies = cookies
        self.accepts = Filter(roots=[top], base=top)
        self.ear = listen(top, skips=self.skips, wants=self.accepts.wants)
        self.sieve = Sieve([top], self.accepts)
        self.sieve.list()
        list(self.sieve.prime())

    def skips(self, directory: str) -> bool:
        """As the filter; but the ear has to hear its own cookies."""
        return directory != self.cookies and self.accepts.skips(directory)

    def sift(self) -> set[str]:
        if self.sieve.stale:
            self.sieve.refresh_rules()
            self.ear.watcher.refresh()
            self.sieve.note(self.ear.all())
        *_, found = self.sieve.sift()
        assert found is not None
        assert not found.recovered
        return set(found.changed)

    def rest(self) -> set[str]:
        """Take in all that was told, until nothing is."""
        changed = set()
        while self.sieve.note(self.ear.all()):
            changed |= self.sift()
        return changed

    def agrees(self) -> bool:
        fresh = list_tree([self.top], self.accepts.skips, self.accepts.wants)
        return self.sieve._known.tree == fresh


@pytest.mark.parametrize("eager", [False, True], ids=["after it", "while it goes on"])
def test_fifty_checkouts_are_told_exactly(
    repository: Repository, tmp_path: Path, listen: Callable[..., Ear], eager: bool
) -> None:
    """Sifted once git is done, or all the time that it is at work."""
    session = Session(repository.top, str(tmp_path / "cookies"), listen)
    assert not session.rest()
    for number in range(ROUNDS):
        command = ["git", "-C", repository.top, "checkout", "--quiet", BRANCHES[number % 2]]
        changed: set[str] = set()
        with subprocess.Popen(command) as git:
            while eager and git.poll() is None:
                session.sieve.note(session.ear.watcher.read(0.001))
                changed |= session.sift()
        assert git.returncode == 0
        changed |= session.rest()
        assert sorted(changed) == repository.differ, number
        assert session.agrees(), number
    assert len(repository.differ) > FILES / 2
