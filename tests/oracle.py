"""Git as the oracle of ignore rules, kept from the settings of the machine and its user."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from hotrun.watch.rules.ignore import GitIgnore

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let git and the code read an empty home; return it."""
    home = tmp_path / "home"
    (home / "xdg").mkdir(parents=True)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "xdg"))
    return str(home)


def work_tree(top: str) -> str:
    """Make the least that git takes for a work tree; `git init` costs more than all the rest."""
    for name in ("objects", "refs", "info"):
        os.makedirs(os.path.join(top, ".git", name))
    put(top, ".git/HEAD", "ref: refs/heads/main\n")
    return top


def put(top: str, name: str, content: str | bytes = "") -> str:
    """Write a file below a directory; return its path."""
    path = os.path.join(top, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(os.fsencode(content))
    return path


class Answer(NamedTuple):
    """What one side says of a path."""

    file: str
    line: int
    pattern: str


def git_says(top: str, paths: list[str]) -> dict[str, Answer | None]:
    """Ask the oracle about paths relative to `top`; no path may lie behind a link."""
    asked = b"".join(os.fsencode(path) + b"\0" for path in paths)
    command = ["git", "check-ignore", "--no-index", "-z", "--stdin", "-v", "-n"]
    done = subprocess.run(command, input=asked, cwd=top, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    fields = [os.fsdecode(field) for field in done.stdout.split(b"\0")[:-1]]
    rows = zip(*(fields[at::4] for at in range(4)), strict=True)
    return {
        path: Answer(os.path.join(top, file), int(line), pattern) if line else None
        for file, line, pattern, path in rows
    }


def hotrun_says(top: str, paths: list[str], root: str = "") -> dict[str, Answer | None]:
    """Ask the code, for the root `top`/`root`, about paths relative to `top`."""
    ignore = GitIgnore(os.path.join(top, root).rstrip("/"))
    answers = {}
    for path in paths:
        full = os.path.join(top, path)
        is_dir = os.path.isdir(full) and not os.path.islink(full)
        rule = ignore.match(full, is_dir)
        answers[path] = rule and Answer(rule.file, rule.line, rule.pattern)
    return answers
