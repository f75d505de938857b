"""``hotrun events``: what the watcher hears, as it comes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from hotrun.cli import UsageError

if TYPE_CHECKING:
    from hotrun.watch import Item, Op, Watcher

BACKENDS = ("auto", "native", "inotify", "kqueue", "windows", "poll")


@click.command(epilog="Example: hotrun events --ops create,write,close_write src")
@click.argument("paths", metavar="[PATH...]", nargs=-1)
@click.option(
    "--backend", type=click.Choice(BACKENDS), default="auto", help="Who tells; default: auto."
)
@click.option(
    "--ops", metavar="LIST", help="What to tell: names with commas, or all. Default: changes."
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON lines to stdout.")
def events(paths: tuple[str, ...], backend: str, ops: str | None, as_json: bool) -> int:
    """Print every event below the paths (default: here), ignored files included.

    Nothing is filtered and nothing is compared: this is what the kernel, or polling, says. `run`
    makes of it what really changed.
    """
    from hotrun.watch import Watcher

    wanted = _ops(ops)
    for path in paths:
        if not os.path.lexists(path):
            raise UsageError(f"{path} does not exist", "name files or directories that are there")
    with Watcher(backend) as watcher:
        for path in paths or (".",):
            try:
                watcher.add(path, ops=wanted)
            except OSError as error:
                hint = "name what is there and may be read"
                raise UsageError(f"{path} cannot be watched: {error.strerror}", hint) from error
        show = _json_lines if as_json else _lines
        _begin(watcher, as_json=as_json)
        try:
            while True:
                sys.stdout.write("".join(map(show, watcher.read())))
                sys.stdout.flush()
        except BrokenPipeError:  # `hotrun events | head -1`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 141


def _ops(names: str | None) -> Op:
    """Turn a list of names into ops; what no backend knows is an error that says so."""
    from hotrun.watch import SAVES, Op

    if names is None:
        return SAVES
    known = {op.name.lower(): op for op in Op if op.name is not None}
    wanted = Op(0)
    for name in filter(None, map(str.strip, names.lower().split(","))):
        if name == "all":
            wanted |= ~Op(0)
        elif name in known:
            wanted |= known[name]
        else:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"known: all, {', '.join(known)}"
            raise UsageError(f'unknown op "{name}"', hint)
    if not wanted:
        raise UsageError("--ops names no op", f"known: all, {', '.join(known)}")
    return wanted


def _begin(watcher: Watcher, *, as_json: bool) -> None:
    """Say that it listens: what is done from now on is told."""
    if as_json:
        line = {"backend": watcher.backend, "roots": watcher.watch_list()}
        sys.stdout.write(_json("watching", line | {"directories": watcher.directories}))
        sys.stdout.flush()
    else:
        count = watcher.directories
        many = f"{count:,} director{'y' if count == 1 else 'ies'}"
        click.echo(f"watching {many} ({watcher.backend}); Ctrl-C ends it", err=True)


def _lines(item: Item) -> str:
    from hotrun.watch import Event, Overflow, Polled, Refreshed, Unwatched

    match item:
        case Event(path, op, renamed_from, directory):
            name = _shown(path) + ("/" if directory else "")
            source = f"  (from {_shown(renamed_from)})" if renamed_from else ""
            return f"{op.name:<16}  {name}{source}\n"
        case Overflow(root):
            return f"OVERFLOW          {_shown(root)}: the kernel dropped events\n"
        case Refreshed(root):
            return f"REFRESHED         {_shown(root)}\n"
        case Polled(path, count, reason, hint):
            more = f"\nhint: {hint}" if hint else ""
            return f"POLLED            {_shown(path)} ({count} directories): {reason}{more}\n"
        case Unwatched(path, error):
            return f"UNWATCHED         {_shown(path)}: {error.strerror}\n"


def _shown(path: str) -> str:
    """A path as one would type it; what would steer the terminal is escaped."""
    here = os.getcwd()
    short = os.path.relpath(path, here) if f"{path}/".startswith(f"{here}/") else path
    return short if short.isprintable() else ascii(short)[1:-1]


def _json_lines(item: Item) -> str:
    from hotrun.watch import Event

    fields: dict[str, object] = dict(item._asdict())
    if isinstance(item, Event):
        fields["op"] = [op.name.lower() for op in item.op if op.name is not None]
    if "error" in fields:
        fields["error"] = str(fields["error"])
    name = "file_event" if isinstance(item, Event) else type(item).__name__.lower()
    return _json(name, fields)


def _json(name: str, fields: dict[str, object]) -> str:
    import json
    import time

    from hotrun.ui.jsonl import VERSION

    return json.dumps({"v": VERSION, "t": time.time(), "event": name, **fields}) + "\n"
