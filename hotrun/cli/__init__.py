"""The command line: one file a command, each imported when it is called.

What a user can mend is shown as two lines and an exit code; anything else keeps its traceback.
"""

from __future__ import annotations

import errno
import importlib
import sys

import click

from hotrun import __version__
from hotrun.errors import HotrunError

COMMANDS = {
    "run": "watch, build, run, and rebuild on every save",
    "new": "make a new project that runs at once",
    "check": "validate the config and show what it comes to",
    "events": "print what the watcher hears, as it comes",
    "leftovers": "list what an earlier hotrun left running, and stop it",
}


class UsageError(HotrunError):
    """The command line is not as it must be."""

    exit_code = 2


class Commands(click.Group):
    """Finds commands by name, and suggests the nearest for one that is not there."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the help."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"hotrun.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was typed."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f'did you mean "{near[0]}"?' if near else "`hotrun --help` lists the commands"
            raise UsageError(f'unknown command "{args[0]}"', hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: hotrun new hello && cd hello && hotrun run",
)
@click.version_option(__version__, message="hotrun %(version)s")
def hotrun() -> None:
    """Save a file, and the new program is already serving."""


def main() -> int:
    """Run the command line and return its exit code."""
    try:
        code = hotrun.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help())
        return 0
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:  # `hotrun check | head -1`
        sys.stderr.close()
        return 141
    except (HotrunError, click.ClickException, OSError) as error:
        return _show(error)
    return code if isinstance(code, int) else 0


def _show(error: HotrunError | click.ClickException | OSError) -> int:
    """Say what a user can mend, and return the exit code; a bug is raised again."""
    if isinstance(error, OSError):
        if error.filename is not None:
            raise error
        error = _exhausted(error)
    elif isinstance(error, click.ClickException):
        error = _translated(error)
    click.echo(str(error), err=True)
    return error.exit_code


def _exhausted(error: OSError) -> UsageError:
    """Word what the system refuses us: a process, a descriptor, or to write."""
    if error.errno in (errno.EAGAIN, errno.ENOMEM):
        hint = "end some processes, or raise the limit: ulimit -u"
        return UsageError("hotrun cannot start: there are too many processes", hint)
    if error.errno in (errno.EMFILE, errno.ENFILE):
        hint = "raise the limit: ulimit -n"
        return UsageError("hotrun cannot start: too many files are open", hint)
    return UsageError(f"cannot write: {error.strerror}", "look at where stdout goes")


def _translated(error: click.ClickException) -> UsageError:
    """Put click's own errors into our two lines."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "hotrun"
    hint = f"`{command} --help` shows what is possible"
    near = getattr(error, "possibilities", None)
    if near:
        hint = "did you mean " + " or ".join(f'"{each}"' for each in near[:3]) + "?"
    if isinstance(error, click.NoSuchOption):
        return UsageError(f"unknown option {error.option_name}", hint)
    message = error.format_message().rstrip(".")
    return UsageError(message[:1].lower() + message[1:], hint)
