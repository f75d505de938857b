"""`hotrun check`: what it shows of a config, and what of a wrong one."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from hotrun.config import load, load_text

if TYPE_CHECKING:
    from pathlib import Path

SERVING = """\
[run]
command = "./app {fd}"
on_hang = "dump"
listen = ["127.0.0.1:${PORT:-8080}", "unix:app.sock"]
ready = { timeout = "90s", http = "http://127.0.0.1:${PORT:-8080}/x?q=\\"1\\"" }
"""


def check(directory: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    (directory / "hotrun.toml").write_text(text, encoding="utf-8")
    (directory / "app").write_text("", encoding="utf-8")
    (directory / "app").chmod(0o755)
    return subprocess.run(
        [sys.executable, "-m", "hotrun", "check", *options],
        cwd=directory,
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def rows(shown: str) -> dict[str, tuple[str, str]]:
    """The value and the origin that stand behind each key of [run]."""
    lines = [line for line in shown.split("\n") if line.startswith("run.")]
    cells = [line.split(maxsplit=1) for line in lines]
    return {key: (rest.rsplit(maxsplit=1)[0], rest.rsplit(maxsplit=1)[1]) for key, rest in cells}


def test_it_shows_where_the_app_serves_as_one_would_write_it(tmp_path: Path) -> None:
    done = check(tmp_path, SERVING)
    assert done.returncode == 0, done.stderr
    shown = rows(done.stdout)
    assert shown["run.on_hang"] == ('"dump"', "hotrun.toml:3")
    assert shown["run.stdin"] == ('"null"', "default")
    assert shown["run.listen"] == (
        '["127.0.0.1:${PORT:-8080}", "unix:app.sock"]',
        "hotrun.toml:4",
    )
    assert shown["run.ready"] == (
        r'{ http = "http://127.0.0.1:${PORT:-8080}/x?q=\"1\"", timeout = "90s" }',
        "hotrun.toml:5",
    )


def test_ready_that_is_not_given_is_none_and_a_short_one_has_its_timeout(tmp_path: Path) -> None:
    text = '[run]\ncommand = "./app"\n'
    assert rows(check(tmp_path, text).stdout)["run.ready"] == ("none", "default")
    shown = rows(check(tmp_path, text, "--set", "run.ready.tcp=:80").stdout)
    assert shown["run.ready"] == ('{ tcp = ":80", timeout = "30s" }', "--set")


def test_what_it_shows_of_a_table_is_that_table(tmp_path: Path) -> None:
    shown = rows(check(tmp_path, SERVING).stdout)
    written = "".join(f"{key} = {value}\n" for key, (value, _) in shown.items())
    assert load_text(written, str(tmp_path)).run == load(None, str(tmp_path)).run


def test_a_wrong_address_is_told_with_its_place_and_code_2(tmp_path: Path) -> None:
    done = check(tmp_path, '[run]\ncommand = "./app"\nlisten = [":80", "8080"]\n')
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        'error: hotrun.toml:3:18: run.listen: "8080" is a port without an address\n'
        '    listen = [":80", "8080"]\n'
        "                     ^^^^^^\n"
        'hint: write "127.0.0.1:8080" (this machine only) or ":8080" (all interfaces)\n'
    )
