"""What each command loads: names, not milliseconds, because names do not flake.

A bare interpreter starts in about 11 ms, click takes it to 37, asyncio to 66, rich to 86.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROBE = """
import json, sys
before = set(sys.modules)
sys.argv = ["hotrun", *json.loads(sys.argv[1])]
from hotrun.__main__ import main
try:
    main()
except SystemExit:
    pass
print("LOADED" + json.dumps(sorted(set(sys.modules) - before)), file=sys.stderr)
"""


def loaded(*arguments: str, directory: Path) -> set[str]:
    """Run a command in a fresh interpreter and return the modules it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(arguments)],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(json.loads(done.stderr.rpartition("LOADED")[2]))


def project(directory: Path) -> Path:
    (directory / "hotrun.toml").write_text('[run]\ncommand = "true"\n')
    return directory


def test_the_version_loads_nothing_at_all(tmp_path: Path) -> None:
    assert loaded("--version", directory=tmp_path) == {"hotrun", "hotrun.__main__"}


def test_the_help_loads_no_wing(tmp_path: Path) -> None:
    names = loaded("--help", directory=tmp_path)
    assert not names & {"asyncio", "rich", "psutil", "tomllib", "ctypes", "hotrun.watch"}


def test_checking_a_config_starts_no_loop(tmp_path: Path) -> None:
    names = loaded("check", directory=project(tmp_path))
    assert not names & {"asyncio", "psutil", "ctypes", "hotrun.session"}


def test_making_a_project_starts_no_loop(tmp_path: Path) -> None:
    names = loaded("new", "hello", directory=tmp_path)
    assert not names & {"asyncio", "rich", "psutil", "ctypes", "hotrun.session"}


def test_running_loads_neither_rich_nor_psutil(tmp_path: Path) -> None:
    names = loaded("run", "--once", directory=project(tmp_path))
    assert "asyncio" in names
    assert not names & {"rich", "psutil", "hotrun.project.scaffold"}
