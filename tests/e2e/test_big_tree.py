"""A big tree: the first build does not wait for the end of the listing, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from live import DEADLINE, environment, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from live import Project

DIRECTORIES, FILES = 600, 20  # too many to be listed before a build could begin
SUM = "cat tree/d7/f* tree/came/f* 2>/dev/null | cksum"


@pytest.fixture
def tree(project: Project) -> Path:
    """A project with many files; its build sums them up."""
    for number in range(DIRECTORIES):
        below = project.path / f"tree/d{number}"
        below.mkdir(parents=True)
        for name in range(FILES):
            (below / f"f{name}").write_text(f"{number} {name}\n")
    shutil.copytree(project.path / "tree/d0", project.path.parent / "aside")
    # It says that it has read before it is done: what changes after that, it has not seen.
    out = f"{project.out}/seen"
    sums = (
        f'sum=$({SUM}); echo >>{project.out}/begun; echo "$sum" >{out}.draft; mv {out}.draft {out}'
    )
    project.config(command=sums)
    return project.path / "tree"


@pytest.fixture
def said(project: Project, tree: Path) -> Iterator[Path]:
    """What a session for a person says, whose first build has just begun."""
    assert tree.is_dir()
    said = project.out / "said"
    with said.open("wb") as log:
        hotrun = subprocess.Popen(
            [sys.executable, "-m", "hotrun", "run", "--no-keys"],
            cwd=project.path,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        until((project.out / "begun").exists, "the first build's beginning")
        yield said
    finally:
        hotrun.send_signal(signal.SIGTERM)
        hotrun.wait(DEADLINE)
    assert "Traceback" not in said.read_text()


# One thing each: of many, one that comes after its directory was listed would be enough.


def remove(tree: Path) -> None:
    (tree / "d7/f3").unlink()


def move(tree: Path) -> None:
    """A directory goes, without a word of what was in it."""
    os.rename(tree / "d7", tree.parent / "moved")


def take_in(tree: Path) -> None:
    """A directory comes, with files that are older than the session."""
    os.rename(tree.parent.parent / "aside", tree / "came")


def write(tree: Path) -> None:
    (tree / "d7/f3").write_text("another")


@pytest.mark.parametrize("change", [remove, move, take_in, write])
def test_what_changes_while_the_first_build_runs_is_built(
    project: Project, tree: Path, said: Path, change: Callable[[Path], None]
) -> None:
    change(tree)
    now = subprocess.run(
        ["sh", "-c", SUM], cwd=project.path, capture_output=True, check=True
    ).stdout
    until(
        lambda: (project.out / "seen").exists() and (project.out / "seen").read_bytes() == now,
        f"a build of what is there after {change.__name__}",
    )
    until(lambda: "listed in" in said.read_text(), "the end of the listing")


@pytest.mark.usefixtures("tree")
def test_the_listing_is_told_of_when_it_is_done(said: Path) -> None:
    until(lambda: "listed in" in said.read_text(), "the end of the listing")
    text = said.read_text()
    assert text.index("first build") < text.index("listed in")
    assert f"watching {DIRECTORIES * FILES + 1:,} files" in text
