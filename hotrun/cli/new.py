"""`hotrun new`: a project that runs at once."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hotrun.project.catalogue import Template
    from hotrun.project.scaffold import Project


def _list(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from hotrun.project.catalogue import TEMPLATES

    width = max(map(len, TEMPLATES))
    for name, template in TEMPLATES.items():
        click.echo(f"{name:{width}}  {template.summary}")
    ctx.exit()


@click.command(epilog="Example: hotrun new my-app -t python")
@click.argument("name")
@click.option(
    "-t",
    "--template",
    metavar="TEMPLATE",
    default="go",
    show_default=True,
    help="What to make: go, go-api, python, node, c, command.",
)
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list,
    help="Say what each template is.",
)
def new(name: str, template: str) -> None:
    """Make a new project in the folder NAME: `hotrun run` in it, and it serves.

    NAME is a new folder (`my-app`, `work/my-app`) or an empty one (`.`). Nothing is overwritten.
    """
    from hotrun.project.catalogue import TEMPLATES
    from hotrun.project.scaffold import create, find_tool

    project = create(name, template)
    chosen = TEMPLATES[template]
    click.echo(_next_steps(name, project, template))
    if hint := _meant(project.name, template):
        click.echo(hint, err=True)
    if project.warning:
        click.echo(f"warning: {project.warning}", err=True)
    missing = [tool for tool in chosen.tools if find_tool(tool) is None]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        click.echo(f"warning: {' and '.join(missing)} {verb} missing, and needed here", err=True)
        click.echo(f"hint: {chosen.tool_hint}", err=True)


def _meant(name: str, template: str) -> str:
    """Return a hint when a project is called like another template."""
    from hotrun.project.catalogue import TEMPLATES

    word = name.casefold()
    for other, known in TEMPLATES.items():
        if word in (other, *known.aliases) and other != template:
            return f"hint: for that template: hotrun new NAME -t {other}"
    return ""


def _next_steps(typed: str, project: Project, template: str) -> str:
    from hotrun.project.catalogue import TEMPLATES

    steps = [] if os.path.samefile(project.path, ".") else [f"  cd {_shell_word(typed)}"]
    return "\n".join(
        [
            f"made {project.name} from the template {template}: {len(project.files)} files. Next:",
            "",
            *steps,
            "  hotrun run",
            "",
            *_address(TEMPLATES[template]),
            "`hotrun smoke` proves it in one go, for CI: build, start, reload, stop.",
        ]
    )


def _address(template: Template) -> list[str]:
    if template.port is None:
        return []
    port = os.environ.get("PORT") or template.port
    return [f"The app will answer at http://127.0.0.1:{port} (set PORT for another port)."]


def _shell_word(path: str) -> str:
    """Quote a path for `cd`, to which a leading dash means an option."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)
