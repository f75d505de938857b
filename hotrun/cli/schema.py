"""``hotrun schema``: the JSON schema of hotrun.toml, for editors."""

from __future__ import annotations

import click


@click.command(epilog="Example: hotrun schema > schema.json")
def schema() -> None:
    """Print the JSON schema of hotrun.toml (draft 2020-12).

    An editor that knows it completes and checks the file while you type: let the first line of
    hotrun.toml be `#:schema .hotrun/schema.json`, and `hotrun check` or `hotrun run` writes that
    file.
    """
    import json

    from hotrun.config import json_schema

    click.echo(json.dumps(json_schema.schema(), indent=2, ensure_ascii=False))
