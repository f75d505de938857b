"""`hotrun init`: a hotrun.toml for the project that is found here."""

from __future__ import annotations

import errno
import os
import shlex
import sys
from typing import TYPE_CHECKING

import click

from hotrun.cli.options import project_directory
from hotrun.errors import ConfigError

if TYPE_CHECKING:
    from hotrun.project.detect import Found

NAME = "hotrun.toml"

_SMALLEST = """it looks for go.mod, Cargo.toml, package.json, manage.py and apps of Python, \
CMakeLists.txt, Makefile, .air.toml, bee.json; the smallest file is two lines, [run] and \
command = "./app\""""


@click.command(epilog="Example: hotrun init --main ./cmd/server")
@click.option("-C", "--directory", metavar="DIR", default=".", help="The project's directory.")
@click.option("--main", metavar="NAME", default="", help="Which of several programs: ./cmd/x.")
@click.option("--force", is_flag=True, help="Replace a hotrun.toml; the old one is kept beside it.")
@click.option("--stdout", "prints", is_flag=True, help="Print it, and write nothing.")
def init(directory: str, main: str, force: bool, prints: bool) -> None:
    """Write a short, commented hotrun.toml, and say what was found and why it follows.

    It knows Go, Rust, Node, Python, C and C++ (CMake, make) and anything with a Makefile. What
    .air.toml, bee.json or a Beefile say is carried over.
    """
    place = project_directory(directory)
    if not prints and not force:
        _refuse(place, directory)
    found = _chosen(place, directory, main, asks=not prints)
    _explain(found, aside=prints)
    if prints:
        click.echo(found.text, nl=False)
        return
    _write(place, directory, found.text)


def _shown(directory: str, name: str = NAME) -> str:
    return os.path.normpath(os.path.join(directory, name))


def _refuse(place: str, directory: str) -> None:
    """Leave alone what is there."""
    if os.path.lexists(os.path.join(place, NAME)):
        hint = "--force replaces it and keeps the old one; --stdout only shows the new one"
        raise ConfigError(f"{_shown(directory)} exists", hint)
    if _has_table(place):
        hint = "--force writes a hotrun.toml all the same, and it wins; --stdout only shows it"
        raise ConfigError(f"[tool.hotrun] in {_shown(directory, 'pyproject.toml')} exists", hint)


def _has_table(place: str) -> bool:
    from hotrun.config import load
    from hotrun.errors import ConfigErrors, NoConfigError

    try:
        load(None, place)
    except NoConfigError:
        return False
    except ConfigErrors as error:  # a pyproject.toml that is no TOML has no table of ours
        return "hotrun" in str(error)
    return True


# What is found


def _chosen(place: str, directory: str, main: str, *, asks: bool) -> Found:
    """Detect the project, and settle which of its programs is meant."""
    from hotrun.cli.assumed import ambiguous
    from hotrun.project.detect import detect

    found = detect(place)
    if found is None:
        raise ConfigError(f"no project that hotrun knows is in {_where(directory)}", _SMALLEST)
    if main:
        return _named(place, found, main)
    if found.choices and asks and _can_ask():
        return _named(place, found, _asked(found))
    if found.ambiguous:
        raise ambiguous(found)
    return found


def _where(directory: str) -> str:
    return "this directory" if directory == "." else directory


def _named(place: str, found: Found, main: str) -> Found:
    from hotrun.project.detect import detect

    there = [choice for choice in (found.chosen, *found.choices) if choice]
    # `./cmd/x` as it is listed, `cmd/x/` as a shell completes it, `cmd/x/main.go`.
    above = os.path.dirname(main) or "."
    meant = [each for each in (main, f"./{main.rstrip('/')}", above, f"./{above}") if each in there]
    if meant:
        return detect(place, meant[0]) or found
    hint = f"there is {', '.join(there)}" if there else f"{found.source} leaves nothing to choose"
    raise ConfigError(f"--main {shlex.quote(main)}: no such program is here", hint)


def _can_ask() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and not os.environ.get("CI")


def _asked(found: Found) -> str:
    choices = (found.chosen, *found.choices)
    click.echo(f"{found.because[0]}:")
    for number, choice in enumerate(choices, 1):
        click.echo(f"  {number}  {choice}")
    default = None if found.ambiguous else 1
    kind = click.IntRange(1, len(choices))
    return choices[click.prompt("Which one", type=kind, default=default) - 1]


def _explain(found: Found, *, aside: bool) -> None:
    """Say what was found, and what could not be taken over."""
    lines = list(found.because)
    if found.choices:
        lines.append(f"also here: {', '.join(found.choices)} (--main takes another)")
    if found.left_out:
        lines += ["not carried over:", *(f"  {line}" for line in found.left_out)]
    click.echo("\n".join(lines), err=aside)


# The file


def _write(place: str, directory: str, text: str) -> None:
    """Write the file and its schema, and say so."""
    from hotrun.project import schema_file

    path = os.path.join(place, NAME)
    try:
        with schema_file.draft(path, text) as written:
            old = _keep(path)
            _move(written, path, replaces=bool(old))
    except FileExistsError as error:
        raise ConfigError(f"{_shown(directory)} has appeared meanwhile", "look at it") from error
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "write to a directory that is yours, or use --stdout"
        raise ConfigError(f"cannot write {_shown(directory)}: {reason}", hint) from error
    if old:
        click.echo(f"replaced {_shown(directory)}; the old one is {_shown(directory, old)} now")
    else:
        click.echo(f"wrote {_shown(directory)}")
    schema_file.write(place)
    run = "hotrun run" if directory == "." else shlex.join(("hotrun", "run", "-C", directory))
    click.echo(f"Next: {run} (`hotrun check` shows every value)")


def _keep(path: str) -> str:
    """Give the file that is there a second name, a free one; "": there is none."""
    if not os.path.lexists(path):
        return ""
    if os.path.isdir(path) and not os.path.islink(path):
        raise IsADirectoryError(errno.EISDIR, "it is a directory")
    directory, number = os.path.dirname(path), 0
    while True:
        name = f"{NAME}.old{number or ''}"
        number += 1
        try:
            os.link(path, os.path.join(directory, name), follow_symlinks=False)
        except FileExistsError:
            continue
        return name


def _move(written: str, path: str, *, replaces: bool) -> None:
    """Put the file in its place; without `replaces` never over another one."""
    if replaces:
        os.replace(written, path)
        return
    try:
        os.link(written, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if os.path.lexists(path):
            raise FileExistsError(path) from None
        os.replace(written, path)
