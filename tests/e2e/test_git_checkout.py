"""Whatever branch git goes to, the last build saw that branch, whole."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from live import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from live import Live, Project

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git moves the files")

FILES = 300
ROUNDS = 25
GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "gc.auto=0")


def test_after_each_checkout_the_last_build_saw_that_branch(
    project: Project, start: Callable[..., Live]
) -> None:
    project.config()
    project.run(*GIT, "init", "-q", "-b", "one")
    for branch in ("one", "two"):
        for number in range(FILES):
            place = branch if number % 5 == 0 else "both"  # other names, or other bytes
            project.write(f"src/{place}/{number % 7}/{number}.go", f"package {branch}\n")
        if branch == "two":
            project.run(*GIT, "checkout", "-q", "-b", "two")
            project.run(*GIT, "rm", "-q", "-r", "src/one")
        project.run(*GIT, "add", ".")
        project.run(*GIT, "commit", "-q", "-m", branch)
    session = start()
    session.wait_for("build_finished", ok=True)
    for number in range(ROUNDS):
        project.run(*GIT, "checkout", "-q", ("one", "two")[number % 2])
        there = project.on_disk()
        until(lambda there=there: project.seen() == there, f"a build of checkout {number}")
    assert session.stop() == 130  # then all that it said has been heard
    assert len(session.all("build_started")) > ROUNDS
