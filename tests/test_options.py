"""The options that several commands share: they reach the config, and another hotrun."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.testing import CliRunner
from live import Live, until

from hotrun.cli.options import Chosen, config_options
from hotrun.config import Given
from hotrun.project import schema_file

if TYPE_CHECKING:
    from pathlib import Path


def chosen_by(*words: str) -> Chosen:
    """What a command gets of its options."""
    seen: list[Chosen] = []

    def command(chosen: Chosen) -> int:
        seen.append(chosen)
        return 0

    done = CliRunner().invoke(click.command()(config_options(command)), words)
    assert done.exit_code == 0, done.output
    return seen[0]


def test_the_options_of_a_config_come_as_one() -> None:
    assert chosen_by() == Chosen(None, ".")
    words = ("-C", "web", "-c", "x.toml", "--profile", "debug", "--set", "a.b=1")
    chosen = chosen_by("--watch", "poll", *words, "--debounce", "50ms")
    assert chosen == Chosen(
        "x.toml",
        "web",
        "debug",
        (
            "a.b=1",
            Given("--debounce", "watch.debounce", "50ms"),
            Given("--watch", "watch.backend", "poll"),
        ),
    )


def test_another_hotrun_is_given_the_same_options() -> None:
    chosen = chosen_by("-C", "web", "--set", "a.b=1", "--debounce", "50ms", "--watch", "poll")
    assert chosen_by(*chosen.words) == chosen


def test_a_session_renews_the_schema_that_the_config_names(tmp_path: Path) -> None:
    config = f'{schema_file.FIRST}\n[run]\ncommand = "sleep 1000"\n'
    (tmp_path / "hotrun.toml").write_text(config, encoding="utf-8")
    schema = tmp_path / ".hotrun/schema.json"
    with Live(tmp_path) as session:
        session.wait_for("app_started")
        until(schema.exists, "the schema")
    assert sorted(path.name for path in schema.parent.iterdir()) == [".gitignore", "schema.json"]
