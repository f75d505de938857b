"""``hotrun smoke``: prove in CI that the project builds, serves, reloads and leaves nothing."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from hotrun.cli.options import Chosen, colour_option, config_options
from hotrun.errors import ConfigError

if TYPE_CHECKING:
    from hotrun.project.smoke.check import Reporter
    from hotrun.project.smoke.checklist import Checklist
    from hotrun.project.smoke.lines import Lines
    from hotrun.project.smoke.subject import Subject


@click.command(epilog="Example: hotrun smoke --timeout 5m --junit smoke.xml")
@config_options
@click.option(
    "--timeout", metavar="TIME", default="2m", help="For all of it: 90s, 5m.  [default: 2m]"
)
@click.option("--edit", metavar="FILE", help="Edit this file, and not the likeliest source.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON lines to stdout.")
@click.option("--junit", metavar="FILE", help="Write the checks to a JUnit file too.")
@colour_option
def smoke(
    chosen: Chosen,
    timeout: str,
    edit: str | None,
    as_json: bool,
    junit: str | None,
    color: str,
) -> int:
    """Prove that the project builds, gets ready, reloads, stops, leaves nothing.

    One source gets a newline, and is restored to the byte. Exit code 1: a check failed. 2: the
    config or an option is wrong. 3: the watcher cannot start. 124: not ready in time, or the
    time for all is up.
    """
    seconds = _seconds(timeout)
    from hotrun.project.smoke import junit as report
    from hotrun.project.smoke.proof import Proof

    if junit is not None:
        report.prepare(junit)

    def load() -> Subject:
        from hotrun.project.smoke.subject import prepare

        return prepare(chosen.load(), chosen.words, edit)

    checklist, others = _reporters(color, as_json=as_json)
    reporters: list[Reporter] = [*others, checklist, *_annotations(as_json=as_json)]
    try:
        result = Proof(load, seconds, reporters, chosen.directory).run()
        checklist.finish(result)
        for lines in others:
            lines.finish(result)
    except BrokenPipeError:  # `hotrun smoke | head -1`; all has been ended and undone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    if junit is not None:
        report.write(junit, result)
    return result.code


def _seconds(text: str) -> float:
    from hotrun.units import DurationError, parse_duration

    try:
        seconds = parse_duration(text)
    except DurationError as error:
        raise ConfigError(f'--timeout: "{text}" {error.message}', error.hint) from error
    if not seconds:
        raise ConfigError("--timeout: nothing can be done in no time", "for example --timeout 2m")
    return seconds


def _reporters(color: str, *, as_json: bool) -> tuple[Checklist, list[Lines]]:
    """Return who writes for people, and who for programs: those have stdout to themselves."""
    from hotrun.project.smoke.checklist import Checklist
    from hotrun.ui.colour import wants_colour

    stream = sys.stderr if as_json else sys.stdout
    checklist = Checklist(stream, colour=wants_colour(color, stream, os.environ))
    if not as_json:
        return checklist, []
    from hotrun.project.smoke.lines import Lines

    return checklist, [Lines(sys.stdout)]


def _annotations(*, as_json: bool) -> list[Reporter]:
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return []
    from hotrun.project.smoke.annotations import Annotations

    stream = sys.stderr if as_json else sys.stdout
    return [Annotations(stream, os.environ.get("GITHUB_WORKSPACE", ""))]
