"""hotrun.toml, or [tool.hotrun] of a pyproject.toml, and --set: checked and typed.

All that is wrong is found before anything is raised. A check never stops at the first fault:
it reports, and goes on with a value that nobody will see.
"""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

from hotrun.config.check import Check
from hotrun.config.merge import (
    DEFAULT,
    HOTRUN_TOML,
    Setting,
    Source,
    assemble,
    laid_over,
    option_source,
    read_file,
    read_text,
)
from hotrun.config.schema import KEYS
from hotrun.errors import ConfigErrors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hotrun.config.schema import Config


def load(file: str | None, directory: str, sets: Sequence[str] = ()) -> Config:
    """Read and check the config of a project.

    Args:
        file: The config file, relative to `directory`; None: `hotrun.toml` there, else
            `[tool.hotrun]` in the `pyproject.toml` there.
        directory: The directory of the project.
        sets: `--set` options, `KEY=VALUE` each, laid over the file in their order.

    Returns:
        The whole config.

    Raises:
        NoConfigError: `file` is None and there is no config in `directory`.
        ConfigError: The file cannot be read.
        ConfigErrors: The file or an option is wrong; holds every problem.
    """
    source = read_file(file, directory)
    path = os.path.abspath(os.path.join(directory, source.label))
    return _config(path, os.path.dirname(path), source, sets)


def load_text(
    text: str, directory: str, sets: Sequence[str] = (), label: str = HOTRUN_TOML
) -> Config:
    """Check the text of a hotrun.toml that is in no file: of a project that was detected, say.

    Args:
        text: The text.
        directory: Where relative paths begin.
        sets: `--set` options, laid over it.
        label: What origins and problems call it.

    Returns:
        The whole config; its `file` is None.

    Raises:
        ConfigErrors: The text or an option is wrong; holds every problem.
    """
    return _config(None, os.path.abspath(directory), read_text(text, label), sets)


def _config(file: str | None, directory: str, source: Source, sets: Sequence[str]) -> Config:
    checks = [Check(one) for one in (source, *map(option_source, sets))]
    for check in checks:
        check.every_table()
    _require_commands(checks)
    if problems := [problem for check in checks for problem in check.in_order()]:
        raise ConfigErrors(problems)
    tables = {name for check in checks for name in check.tables}
    settings = [*_defaults(), *(one for check in checks for one in check.settings)]
    return assemble(file, directory, laid_over(settings), tables)


def _defaults() -> list[Setting]:
    check = Check(Source(DEFAULT, {}))
    return [
        Setting(key, None if key.default is None else check.value(key, key.default), DEFAULT)
        for key in KEYS
        if key.kind != "command"
    ]


def _require_commands(checks: Iterable[Check]) -> None:
    for table in ("build", "run"):
        named = [check for check in checks if table in check.tables]
        if named and not any(table in check.commanded for check in named):
            named[0].no_command(table)
