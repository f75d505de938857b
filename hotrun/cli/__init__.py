"""The command line: one file a command, each imported when it is called.

What a user can mend is shown as two lines and an exit code; anything else keeps its traceback.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import sys
from typing import TYPE_CHECKING

import click

from hotrun import __version__
from hotrun.errors import HotrunError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "run": "watch, build, run, and rebuild on every save",
    "new": "make a new project that runs at once",
    "init": "write a hotrun.toml for the project found here",
    "check": "validate the config and show what it comes to",
    "explain": "tell why a path is watched or not, and what its change does",
    "events": "print what the watcher hears, as it comes",
    "smoke": "prove in CI that the project builds, serves and reloads",
    "leftovers": "list what an earlier hotrun left running, and stop it",
    "schema": "print the JSON schema of hotrun.toml",
    "completion": "print a completion script for bash, zsh or fish",
}


class UsageError(HotrunError):
    """The command line is not as it must be."""

    exit_code = 2


def load(name: str) -> click.Command:
    """Import the command of this name."""
    module = importlib.import_module(f"hotrun.cli.{name}")
    command: click.Command = getattr(module, name)
    return command


class Commands(click.Group):
    """Finds commands by name, and suggests what was meant by one that is not there."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the help."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        return load(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was typed."""
        if args[0] == "help":
            _help(ctx, args[1:])
        if args[0] not in COMMANDS:
            from hotrun.cli import meant
            from hotrun.config.wording import quoted

            raise UsageError(f"unknown command {quoted(args[0])}", meant.hint(args))
        name, command, rest = super().resolve_command(ctx, args)
        if name == "run" and command is not None:
            _refuse_stray(click.Context(command, ctx, name), rest)
        return name, command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _help(context: click.Context, words: list[str]) -> None:
    """Show the help of a command, or of all: `hotrun help run`, as with git and go.

    What is no command is left to the caller.
    """
    if not words or words[0].startswith("-"):
        click.echo(context.get_help())
    elif words[0] in COMMANDS:
        command = load(words[0])
        click.echo(command.get_help(click.Context(command, context, words[0])))
    else:
        return
    context.exit()


def _refuse_stray(context: click.Context, words: list[str]) -> None:
    """Refuse arguments of `run` in front of `--`: `hotrun run ./cmd/x` means something else.

    The app would get them without a word.
    """
    ours = words.index("--") if "--" in words else len(words)
    values, _, _ = context.command.make_parser(context).parse_args(words[:ours])
    arguments = values.get("app_args")
    if isinstance(arguments, tuple) and arguments:  # click has a value of its own for none
        from hotrun.cli import mistakes

        raise mistakes.stray([*arguments, *words[ours:]], words)


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: hotrun new hello && cd hello && hotrun run",
    invoke_without_command=True,
)
@click.version_option(__version__, message="hotrun %(version)s")
@click.pass_context
def hotrun(context: click.Context) -> None:
    """Save a file, and the new program is already serving."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        words: Without the name of the program; None: those that it was called with.
    """
    words = sys.argv[1:] if words is None else words
    try:
        code = hotrun.main(list(words), prog_name="hotrun", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:  # `hotrun check | head -1`
        sys.stderr.close()
        return 141
    except click.ClickException as error:
        from hotrun.cli import mistakes

        return _show(mistakes.told(error, words))
    except (HotrunError, OSError) as error:
        return _show(error)
    return code if isinstance(code, int) else 0


def _show(error: HotrunError | OSError) -> int:
    """Say what a user can mend, and return the exit code; a bug is raised again."""
    if isinstance(error, OSError):
        if error.filename is not None:
            raise error
        error = _exhausted(error)
    click.echo(_linked(str(error)), err=True)
    return error.exit_code


def _linked(text: str) -> str:
    """Make links of the positions in a message, where the terminal knows them."""
    from hotrun.ui.colour import wants_colour
    from hotrun.ui.links import Links, wants_links

    colour = wants_colour("auto", sys.stderr, os.environ)
    links = Links(on=wants_links(sys.stderr, os.environ, colour=colour))
    with contextlib.suppress(FileNotFoundError):  # the current directory was deleted
        links.begin(os.getcwd())
    return links(text)


def _exhausted(error: OSError) -> UsageError:
    """Word what the system refuses us: a process, a descriptor, or to write."""
    if error.errno in (errno.EAGAIN, errno.ENOMEM):
        hint = "end some processes, or raise the limit: ulimit -u"
        return UsageError("hotrun cannot start: there are too many processes", hint)
    if error.errno in (errno.EMFILE, errno.ENFILE):
        hint = "raise the limit: ulimit -n"
        return UsageError("hotrun cannot start: too many files are open", hint)
    return UsageError(f"cannot write: {error.strerror}", "look at where stdout goes")
