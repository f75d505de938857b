"""``hotrun check``: validate the config and show what it comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hotrun.cli.options import config_options, load_config

if TYPE_CHECKING:
    from hotrun.config import Config, Ready
    from hotrun.config.schema import Key


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
    roots = ", ".join(config.watch.paths)
    click.echo(f"\n{config.file or config.directory} is fine; watched: {roots}")
    for message, hint in planned.warnings:
        click.echo(f"warning: {message}\nhint: {hint}", err=True)
    return 0


def _show(config: Config) -> None:
    from rich.console import Console
    from rich.table import Table

    from hotrun.config.schema import KEYS

    table = Table(box=None, pad_edge=False)
    for heading in ("key", "value", "from"):
        table.add_column(heading, overflow="fold")
    for key in KEYS:
        origin = config.origins.get(key.dotted)
        if origin is not None:
            style = "dim" if origin == "default" else ""
            table.add_row(key.dotted, _value(config, key), origin, style=style)
    Console(highlight=False, markup=False).print(table)


def _value(config: Config, key: Key) -> str:
    """Return a value as one would write it."""
    from hotrun.config.reference import toml_text

    part = getattr(config, key.table)
    value = getattr(part, key.name)
    if key.kind == "duration":
        value = "auto" if value is None else _duration(value)
    elif key.kind == "signal":
        value = value.name
    elif key.kind == "ready" and value is not None:
        return _ready(value)
    elif value is None:
        return "none"
    return toml_text(list(value) if isinstance(value, tuple) else value)


def _ready(ready: Ready) -> str:
    from hotrun.config.reference import toml_text

    forms = {"http": ready.http, "tcp": ready.tcp, "log": ready.log}
    written = {name: form for name, form in forms.items() if form}
    return toml_text({**written, "timeout": _duration(ready.timeout)})


def _duration(seconds: float) -> str:
    whole = round(seconds * 1000)
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if whole and whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{whole}ms"
