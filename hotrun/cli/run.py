"""``hotrun run``: watch, build, run, and rebuild on every save."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from hotrun.cli.options import colour_option, config_options, load_config

if TYPE_CHECKING:
    from hotrun.config import Config
    from hotrun.notices import Subscriber
    from hotrun.project.plan import Plan
    from hotrun.watch import Watcher
    from hotrun.watch.sieve.sieve import Sieve


@click.command(epilog='Example: hotrun run --set build.command="make" -- --port 8080')
@config_options
@click.option("--debounce", metavar="TIME", help="Quiet before a build: 50ms, 0ms, or auto.")
@click.option(
    "--watch", type=click.Choice(["auto", "native", "poll"]), help="How changes are noticed."
)
@click.option("--once", is_flag=True, help="Build, run the app, end with its code; no watching.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON lines to stdout.")
@click.option("-v", "--verbose", is_flag=True, help="Show every fact and command.")
@click.option("-q", "--quiet", is_flag=True, help="Show problems only.")
@colour_option
@click.argument("app_args", nargs=-1, type=click.UNPROCESSED)
def run(
    file: str | None,
    directory: str,
    sets: tuple[str, ...],
    debounce: str | None,
    watch: str | None,
    once: bool,
    as_json: bool,
    verbose: bool,
    quiet: bool,
    color: str,
    app_args: tuple[str, ...],
) -> int:
    """Build and run the project, and again on every save.

    What follows `--` is passed to the app. The first Ctrl-C stops the app gracefully, the
    second one kills it.
    """
    if debounce is not None:
        sets += (f'watch.debounce="{debounce}"',)
    if watch is not None:
        sets += (f'watch.backend="{watch}"',)
    config = load_config(file, directory, sets)
    if app_args and config.run is not None:
        config = replace(config, run=replace(config.run, args=(*config.run.args, *app_args)))

    from hotrun.process import terminal
    from hotrun.process.guardian import Guardian
    from hotrun.project.plan import plan
    from hotrun.ui.colour import wants_colour

    planned = plan(config)
    cookie = f"HOTRUN_SESSION={os.getpid()}-{time.time_ns()}"
    # Before threads and heavy imports: a fork is safe only now, and its copy stays small.
    with terminal.kept(), Guardian(cookie) as guardian:
        from hotrun.session import Options, Session
        from hotrun.ui.console import Console
        from hotrun.ui.jsonl import JsonLines
        from hotrun.ui.sink import Sink

        coloured = wants_colour(color, sys.stderr, os.environ)
        sinks = Sink(sys.stdout), Sink(sys.stderr)
        options = Options(
            cookie,
            guardian,
            planned.outputs,
            planned.program,
            tuple(planned.warnings),
            once=once,
            trace=verbose,
            captures=as_json,
            colour=coloured,
            behind=lambda: any(sink.behind for sink in sinks),
        )
        on_exit = config.run.on_exit if config.run is not None else ""
        console = Console(
            sinks[1],
            colour=coloured,
            verbose=verbose,
            quiet=quiet,
            app="exit" if once and on_exit else on_exit,
            keeps=config.build is None or config.build.on_error == "keep",
            shows_output=not as_json,
        )
        subscribers: list[Subscriber] = [JsonLines(sinks[0]), console] if as_json else [console]
        feed = None if once else _watch(config, planned)
        session = Session(config, feed, subscribers, options)
        try:
            return session.run()
        finally:
            for sink in sinks:
                sink.finish()


def _watch(config: Config, planned: Plan) -> tuple[Watcher, Sieve]:
    from hotrun.watch import Op, Watcher
    from hotrun.watch.rules.filter import Filter
    from hotrun.watch.sieve.sieve import Sieve

    watch = config.watch
    accepts = Filter(
        roots=planned.roots,
        base=config.directory,
        include=watch.include,
        exclude=watch.exclude,
        gitignore=watch.gitignore,
        outputs=planned.outputs,
    )
    watcher = Watcher(
        watch.backend,
        skips=accepts.skips,
        wants=accepts.wants,
        interval=watch.poll_interval,
        follow_symlinks=watch.follow_symlinks,
    )
    env_files = config.run.env_files if config.run is not None else ()
    also = [config.resolve(file) for file in env_files]
    if config.file is not None:
        also.append(config.file)
    sieve = Sieve(
        planned.roots,
        accepts,
        also=also,
        sees_close=lambda path: watcher.tells(Op.CLOSE_WRITE, path),
        unchanged_counts=watch.unchanged == "build",
        follow_symlinks=watch.follow_symlinks,
    )
    return watcher, sieve
