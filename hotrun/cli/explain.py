"""``hotrun explain``: why a path is watched or not, and what a change of it would do."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from hotrun.cli.options import Chosen, colour_option, config_options
from hotrun.errors import ConfigError

if TYPE_CHECKING:
    from hotrun.project.explain import Explanation

WIDEST = 100  # columns: longer lines are hard to read
LABEL = 8


@click.command(epilog="Example: hotrun explain main.go dist/ .env")
@config_options
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object a path to stdout.")
@colour_option
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
def explain(chosen: Chosen, as_json: bool, color: str, paths: tuple[str, ...]) -> int:
    """Tell of each path whether it is watched, by which rule, and what a change of it does.

    A path is relative to the current directory, and need not exist; with a slash at its end it
    is a directory.
    """
    if "" in paths:
        raise ConfigError("an empty path names nothing", "is it a variable that is not set?")
    config = chosen.load()

    from hotrun.project.explain import Explainer
    from hotrun.project.plan import plan
    from hotrun.ui.colour import wants_colour

    explainer = Explainer(config, plan(config, may_idle=True))
    colour = wants_colour(color, sys.stdout, os.environ)
    for number, path in enumerate(paths):
        found = explainer.explain(path)
        if as_json:
            click.echo(_json(found))
        else:
            click.echo(("\n" if number else "") + _text(found, colour=colour), color=colour)
    if explainer.problem is not None:
        message, hint = explainer.problem
        click.echo(f"warning: {message}\nhint: {hint}", err=True)
    return 0


def _json(found: Explanation) -> str:
    import json

    return json.dumps(
        {
            "path": found.path,
            "watched": found.watched,
            "reason": _reason(found),
            "rule": None if found.rule is None else found.rule._asdict(),
            "root": found.root,
            "native": found.native,
            "action": found.action,
        }
    )


def _reason(found: Explanation) -> str:
    """One sentence for all."""
    if not found.inputs:
        return found.reason
    return f"{found.reason.removesuffix('.')}; {found.inputs[0].lower()}{found.inputs[1:]}"


def _text(found: Explanation, *, colour: bool) -> str:
    from hotrun.project.effects import NOTHING
    from hotrun.ui.colour import paint
    from hotrun.ui.words import printable

    head = paint("watched", "green", on=colour)
    if not found.watched:
        head = paint("not watched", "yellow", on=colour)
    lines = [f"{paint(printable(found.path), 'bold', on=colour)}: {head}{_missing(found.path)}"]
    rows = [("why", found.why)]
    if found.inputs:
        rows.append(("input", found.inputs.removesuffix(".")))
    if found.watched or found.effect != NOTHING:
        rows.append(("change", found.effect))
    if found.watched:
        rows.append(("root", _root(found)))
    for label, text in rows:
        lines += _row(label, printable(text), colour=colour)
    return "\n".join(lines)


def _missing(path: str) -> str:
    """Say that nothing is there, and what may be meant: a typo is no answer."""
    if os.path.lexists(path):
        return ""
    import difflib

    from hotrun.ui.words import printable

    directory, name = os.path.split(path)
    try:
        near = difflib.get_close_matches(name, os.listdir(directory or "."), n=1)
    except OSError:
        near = []
    meant = f'; did you mean "{os.path.join(directory, near[0])}"?' if near else ""
    return printable(f", if it were there{meant}")


def _root(found: Explanation) -> str:
    root = "none: it is watched for itself" if found.root is None else found.root
    if found.native:
        return f"{root} ({found.told}: the kernel tells of changes)"
    return f"{root} (polled: {found.told})"


def _row(label: str, text: str, *, colour: bool) -> list[str]:
    """A label and a text, as wide as the terminal; below it the text goes on in its column."""
    import shutil
    import textwrap

    from hotrun.ui.colour import paint

    width = min(shutil.get_terminal_size().columns, WIDEST)
    indent = " " * (LABEL + 2)
    lines = textwrap.wrap(
        text, max(width, 40), initial_indent=indent, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    lines[0] = f"  {paint(label, 'dim', on=colour)}{lines[0][len(label) + 2 :]}"
    return lines
