"""What each command loads: names, not milliseconds, because names do not flake.

A bare interpreter starts in about 11 ms, click takes it to 37, asyncio to 66, rich to 86.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROBE = """
import sys
before = set(sys.modules)
sys.argv[0] = "hotrun"
from hotrun.__main__ import main
try:
    main()
except SystemExit:
    pass
print("LOADED", *sorted(set(sys.modules) - before), file=sys.stderr)
"""


def loaded(*arguments: str, directory: Path) -> set[str]:
    """Run a command in a fresh interpreter and return the modules it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stderr.rpartition("LOADED")[2].split())


def project(directory: Path) -> Path:
    (directory / "hotrun.toml").write_text('[run]\ncommand = "true"\n')
    return directory


def test_the_version_loads_nothing_at_all(tmp_path: Path) -> None:
    assert loaded("--version", directory=tmp_path) == {"hotrun", "hotrun.__main__"}


@pytest.mark.parametrize("words", [("--help",), ()])
def test_the_help_loads_no_wing(words: tuple[str, ...], tmp_path: Path) -> None:
    names = loaded(*words, directory=tmp_path)
    assert not names & {"asyncio", "rich", "psutil", "tomllib", "ctypes", "hotrun.watch"}
    assert not names & {"hotrun.config", "hotrun.process", "hotrun.cli.run", "hotrun.cli.mistakes"}


# Of what costs most, each command loads this alone.
HEAVY = {"asyncio", "rich", "psutil", "ctypes"}
HEAVY |= {"hotrun.session", "hotrun.project.scaffold", "hotrun.cli.mistakes"}
ALLOWED = {
    "new hello": {"hotrun.project.scaffold"},
    "init": set(),
    "check": {"rich"},
    "explain main.go": set(),
    "schema": set(),
    "completion bash": set(),
    "leftovers": set(),
    "run --once": {"asyncio", "ctypes", "hotrun.session"},
}


@pytest.mark.parametrize(("line", "allowed"), ALLOWED.items(), ids=[*ALLOWED])
def test_a_command_loads_no_more_than_it_needs(
    line: str, allowed: set[str], tmp_path: Path
) -> None:
    words = line.split()
    names = loaded(*words, directory=tmp_path if words[0] in {"new", "init"} else project(tmp_path))
    assert names & HEAVY <= allowed
    assert f"hotrun.cli.{words[0]}" in names


def test_a_run_loads_nothing_that_its_first_build_can_do_without(tmp_path: Path) -> None:
    # Each takes 1 to 3 ms; nobody reads JSON lines here, no key is pressed, no screen cleared.
    names = loaded("run", "--once", directory=project(tmp_path))
    assert not names & {"json", "shutil", "tempfile", "hotrun.ui.jsonl", "hotrun.ui.live"}
