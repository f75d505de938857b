"""``hotrun run``: watch, build, run, and rebuild on every save."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from hotrun.cli.options import Chosen, colour_option, config_options
from hotrun.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hotrun.config import Config
    from hotrun.process.guardian import Tty
    from hotrun.process.listen import Sockets
    from hotrun.process.terminal import Terminal
    from hotrun.project.plan import Plan


NO_TERMINAL = (
    'run.stdin = "terminal", and there is no terminal',
    "the app reads from /dev/null; start hotrun where somebody can type",
)


@click.command(epilog='Example: hotrun run --set build.command="make" -- --port 8080')
@config_options
@click.option("--once", is_flag=True, help="Build, run the app, end with its code.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON lines to stdout.")
@click.option("--clear/--no-clear", help="Clear the screen before each build.")
@click.option("--no-keys", is_flag=True, help="Leave the keyboard alone.")
@click.option("-v", "--verbose", is_flag=True, help="Show every fact and command.")
@click.option("-q", "--quiet", is_flag=True, help="Show problems only.")
@colour_option
@click.argument("app_args", metavar="[-- APP_ARGS...]", nargs=-1, type=click.UNPROCESSED)
def run(
    chosen: Chosen,
    once: bool,
    as_json: bool,
    clear: bool,
    no_keys: bool,
    verbose: bool,
    quiet: bool,
    color: str,
    app_args: tuple[str, ...],
) -> int:
    """Build and run the project, and again on every save.

    What follows `--` goes to the app. Ctrl-C stops it, a second one kills it.
    """

    def load() -> Config:
        return _with_arguments(chosen.load(), app_args)

    loaded = chosen.project()
    if loaded.found is not None and not quiet:
        from hotrun.cli import assumed

        assumed.say(loaded.found, loaded.config)
    config = _with_arguments(loaded.config, app_args)
    with _reserved(config) as sockets:
        return _run(
            config,
            sockets,
            load,
            once=once,
            as_json=as_json,
            verbose=verbose,
            quiet=quiet,
            color=color,
            clear=clear,
            keys=not no_keys,
        )


def _with_arguments(config: Config, words: tuple[str, ...]) -> Config:
    """Add what stands behind ``--`` to the arguments of the app."""
    if not words:
        return config
    if config.run is None:
        hint = 'say how it is started: [run] and below it command = "./app"'
        raise ConfigError("there is no app that could get the arguments", hint)
    return replace(config, run=replace(config.run, args=(*config.run.args, *words)))


@contextlib.contextmanager
def _reserved(config: Config) -> Iterator[Sockets | None]:
    """Take the descriptors of ``run.listen``, before anything else can have them."""
    if config.run is None or not config.run.listen:
        yield None
        return
    from hotrun.process.listen import Sockets

    sockets = Sockets(len(config.run.listen))
    try:
        yield sockets
    finally:
        sockets.close()


def _run(
    config: Config,
    sockets: Sockets | None,
    load: Callable[[], Config],
    *,
    once: bool,
    **said: Any,  # noqa: ANN401
) -> int:
    from hotrun.process import terminal
    from hotrun.process.guardian import Guardian
    from hotrun.project.plan import plan

    planned = plan(config)
    cookie = f"HOTRUN_SESSION={os.getpid()}-{time.time_ns()}"
    # Before threads and heavy imports: a fork is safe only now, and its copy stays small.
    with (
        terminal.kept() as tty,
        Guardian(cookie, _settings(tty)) as guardian,
        contextlib.ExitStack() as stack,
    ):
        from hotrun.cli import watching

        watch = None if once else stack.enter_context(watching.begun(config, planned))
        from hotrun.cli import wiring
        from hotrun.process.session_file import SessionFile
        from hotrun.session import Session

        warnings = [*planned.warnings, *wiring.left_before(config.directory)]
        if tty is None and config.run is not None and config.run.stdin == "terminal":
            warnings.append(NO_TERMINAL)
        file = SessionFile(config.directory, cookie, guardian.pid)
        guardian.own(file.path)
        screen = wiring.Screen(config, planned, tty, once=once, **said)
        options = replace(
            wiring.options(config, planned, screen, once=once),
            cookie=cookie,
            guardian=guardian,
            terminal=tty,
            sockets=sockets,
            file=file,
            warnings=tuple(warnings),
            reload=_reading(load),
        )
        session = Session(config, watch, screen.subscribers, options)
        try:
            code = session.run()
        finally:
            screen.finish()
        file.close()  # not after a bug of ours: the guardian needs it then
        return code


def _reading(load: Callable[[], Config]) -> Callable[[], tuple[Config, Plan]]:
    """Make what reads the config again, and holds it against the disk."""
    from hotrun.project.plan import plan

    def read() -> tuple[Config, Plan]:
        config = load()
        if config.file is None:  # detected in its place
            hint = "put it back: it is read again"
            raise ConfigError("the config file is gone, or has nothing of hotrun in it", hint)
        return config, plan(config)

    return read


def _settings(tty: Terminal | None) -> Tty | None:
    """Return what the guardian has to know of the terminal: it has none of its own."""
    if tty is None or not tty.foreground or tty.path == "/dev/tty":
        return None
    return tty.path, tty.saved, tty.cbreak
