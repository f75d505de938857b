"""``hotrun check``: validate the config, and show what it comes to on this machine."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from hotrun.cli.options import Chosen, colour_option, config_options
from hotrun.errors import HotrunError

if TYPE_CHECKING:
    from hotrun.config import Config
    from hotrun.project.survey import Survey

FAILED = 2


@click.command(epilog="Example: hotrun check --set watch.debounce=50ms")
@config_options
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object to stdout.")
@colour_option
def check(chosen: Chosen, as_json: bool, color: str) -> int:
    """Validate the config and show each value with where it comes from.

    Then what it comes to here: the files, who tells of changes, the kernel's limits, the tools
    of the commands, the addresses. Exit code 0: all is well. 2: something has to be mended.
    """
    try:
        config = chosen.load()

        from hotrun.project import schema_file
        from hotrun.project.plan import plan
        from hotrun.project.survey import survey

        schema_file.renew(config.file)
        found = survey(config, plan(config, may_idle=True))
    except HotrunError as error:
        if as_json:
            click.echo(_refused(error))
            return error.exit_code
        raise
    if as_json:
        click.echo(_json(config, found))
    else:
        _show(config, found, color)
    return 0 if found.works else FAILED


def _refused(error: HotrunError) -> str:
    import json

    from hotrun.project import report

    return json.dumps(report.refused(error))


def _json(config: Config, found: Survey) -> str:
    import json

    from hotrun.project import report

    return json.dumps(report.as_object(config, found))


def _show(config: Config, found: Survey, color: str) -> None:
    """Values and facts go to stdout, what is odd to stderr."""
    import shutil

    from hotrun.project import report
    from hotrun.ui.colour import wants_colour

    columns = shutil.get_terminal_size().columns
    colour = wants_colour(color, sys.stdout, os.environ)
    for line in report.lines(config, found, columns, colour=colour):
        click.echo(line, color=colour)
    colour = wants_colour(color, sys.stderr, os.environ)
    for line in report.troubles(found, colour=colour):
        click.echo(line, err=True, color=colour)
