"""Where a value stands that is wrong for a reason that the checker cannot see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotrun.config import load, load_text
from hotrun.config.located import located

if TYPE_CHECKING:
    from pathlib import Path

FILE = """[build]
command = "make"
inputs = { command = "list" }
[run]
command = "app"
[profile."a b".run]
command = "other"
"""


@pytest.mark.parametrize(
    ("key", "profile", "place"),
    [
        ("build.command", "", "hotrun.toml:2:11"),
        ("build.inputs.command", "", "hotrun.toml:3:22"),
        ("run.command", "", "hotrun.toml:5:11"),
        ("run.command", "a b", "hotrun.toml:7:11"),
        ("run.before", "", "default"),
    ],
)
def test_a_value_is_found_in_the_file_or_in_the_part_of_it_that_counts(
    tmp_path: Path, key: str, profile: str, place: str
) -> None:
    tmp_path.joinpath("hotrun.toml").write_text(FILE)
    config = load(None, str(tmp_path), profile=profile)
    assert located(config, key, "wrong", "mend it").place == place


def test_the_file_is_called_as_it_was_named(tmp_path: Path) -> None:
    tmp_path.joinpath("deep").mkdir()
    tmp_path.joinpath("deep", "x.toml").write_text(FILE)
    config = load("deep/x.toml", str(tmp_path))
    assert located(config, "run.command", "wrong", "").place == "deep/x.toml:5:11"


def test_an_option_and_a_text_in_no_file_are_named(tmp_path: Path) -> None:
    config = load_text(FILE, str(tmp_path), ["run.command=x"], "detected")
    assert located(config, "run.command", "wrong", "").place == "--set"
    assert located(config, "build.command", "wrong", "").place == "detected:2"
    tmp_path.joinpath("hotrun.toml").write_text(FILE)
    config = load(None, str(tmp_path), ["run.command=x"])
    assert located(config, "run.command", "wrong", "").place == "--set"


@pytest.mark.parametrize("now", [None, "", "[run", "[build]\n[run]\ncommand = 1\n"])
def test_a_file_that_is_another_one_by_now_is_named_as_it_was(
    tmp_path: Path, now: str | None
) -> None:
    file = tmp_path / "hotrun.toml"
    file.write_text(FILE)
    config = load(None, str(tmp_path))
    file.unlink() if now is None else file.write_text(now)
    assert located(config, "run.command", "wrong", "").place == "hotrun.toml:5"
