"""``hotrun check``: validate the config and show what it comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hotrun.cli.options import config_options, load_config

if TYPE_CHECKING:
    from hotrun.config import Config


@click.command(epilog="Example: hotrun check --set watch.debounce=50ms")
@config_options
def check(file: str | None, directory: str, sets: tuple[str, ...]) -> int:
    """Validate the config and show each value with where it comes from.

    Exit code 0: all is well. 2: something has to be mended; nothing was started.
    """
    config = load_config(file, directory, sets)

    from hotrun.project.plan import plan

    planned = plan(config)
    _show(config)
    for message, hint in planned.warnings:
        click.echo(f"warning: {message}\nhint: {hint}", err=True)
    return 0


def _show(config: Config) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, title=config.file or config.directory)
    for heading in ("key", "value", "from"):
        table.add_column(heading, overflow="fold")
    for key, origin in config.origins.items():
        table.add_row(key, _value(config, key), origin, style="dim" if origin == "default" else "")
    Console(highlight=False, markup=False).print(table)


def _value(config: Config, key: str) -> str:
    table, _, name = key.partition(".")
    part = getattr(config, table)
    value = getattr(part, name) if part is not None else None
    return str(list(value)) if isinstance(value, tuple) else str(value)
