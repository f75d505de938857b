"""A watcher that cannot start: exit code 3, in a user namespace that has no watches left.

Somebody who is not root runs it there; see tests/watch/test_limits.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from live import DEADLINE
from watch.test_limits import lesser, python

import hotrun

if TYPE_CHECKING:
    from collections.abc import Iterator

LOWERED = 'echo 2 >/proc/sys/user/max_inotify_watches || exit 77; exec "$@"'
WATCH = '[watch]\npaths = ["a", "b", "c", "d"]\nbackend = "native"\n'
CONFIG = f'{WATCH}[run]\ncommand = "sleep 1000"\n'


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A project, and beside it what hotrun is made of; everybody may read and write there."""
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o755)  # noqa: S103 - there is nothing to hide in it
        for package in (hotrun, click):
            source = Path(str(package.__file__)).parent
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, f"{top}/lib/{source.name}", ignore=ignored)
        project = Path(top, "project")
        for name in "abcd":
            (project / name).mkdir(parents=True)
            (project / name / "x.py").write_text("1\n")
            (project / name / "x.py").chmod(0o666)
        project.chmod(0o777)
        (project / "hotrun.toml").write_text(CONFIG)
        yield project


def ended(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    inner = ["sh", "-c", LOWERED, "sh", python(), "-m", "hotrun", *words]
    done = subprocess.run(
        [*lesser(), "unshare", "-Ur", *inner],
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env={
            **os.environ,
            "PYTHONPATH": str(project.parent / "lib"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(project),
            "GITHUB_ACTIONS": "",
        },
        cwd=project,
    )
    if done.returncode == 77 or "unshare:" in done.stderr:
        pytest.skip(f"no user namespace here: {done.stderr.strip()}")
    return done


def test_a_run_that_cannot_watch_ends_with_3_and_says_what_is_used_up(place: Path) -> None:
    done = ended(place, "run")
    assert done.returncode == 3, done.stderr
    assert "error: " in done.stderr
    assert "sudo sysctl user.max_inotify_watches=524288" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_smoke_test_whose_run_cannot_watch_ends_with_3_and_says_it_once(place: Path) -> None:
    done = ended(place, "smoke")
    assert done.returncode == 3, done.stderr
    assert done.stdout.count("sudo sysctl user.max_inotify_watches=524288") == 1
