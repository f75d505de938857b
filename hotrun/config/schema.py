"""The typed config: what the table of keys leads to.

Each table is a class, and each key of it a field of the same name.
"""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

from hotrun.lean import dataclass

if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping

Command = str | tuple[str, ...]
"""A command: text (a shell only where it needs one), or a list of arguments."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched, and when a change counts. Durations are seconds.

    `include` empty: every file that is not ignored. `debounce` None: chosen by hotrun ("auto").
    `backend` is "auto", "native" or "poll"; `unchanged` is "skip" or "build".
    """

    paths: tuple[str, ...]
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    gitignore: bool
    backend: str
    poll_interval: float
    debounce: float | None
    max_wait: float
    follow_symlinks: bool
    unchanged: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the build reads. `kind`: "auto", "go", "globs", "command" or "depfile".

    With "command" a `command` prints the files, one a line; with "depfile" the files named here
    (paths or patterns, relative to the config) list them in the syntax of make.
    """

    kind: str
    command: Command | None = None
    depfile: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Build:
    """The finite command. `on_error`: "keep" or "stop"; `on_busy`: "cancel" or "finish"."""

    command: Command
    env: Mapping[str, str]
    outputs: tuple[str, ...]
    inputs: Inputs
    on_error: str
    on_busy: str
    timeout: float


@dataclass(frozen=True, slots=True)
class Ready:
    """How the app is known to serve: one of `http` (a URL), `tcp` (an address), `log` (a regex).

    `timeout` is seconds.
    """

    http: str = ""
    tcp: str = ""
    log: str = ""
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Run:
    """The app. `stdin`: "null" or "terminal"; `on_exit`: "wait", "restart" or "exit".

    `stop_timeout` is seconds; `on_hang` is "kill" or "dump". In `listen` and `ready` variables
    (`${PORT:-8080}`) stand as written. `ready` None: alive for a moment is ready.
    """

    command: Command
    args: tuple[str, ...]
    env: Mapping[str, str]
    env_files: tuple[str, ...]
    working_directory: str
    stop_signal: signal.Signals
    stop_timeout: float
    on_hang: str
    stdin: str
    listen: tuple[str, ...]
    ready: Ready | None
    on_exit: str
    before: tuple[Command, ...]
    after: tuple[Command, ...]

    @property
    def reads_output(self) -> bool:
        """Whether a key has hotrun read what the app prints: then that is no terminal to it."""
        return self.on_hang == "dump" or (self.ready is not None and bool(self.ready.log))


@dataclass(frozen=True, slots=True)
class Rule:
    """What a change of some files does; of several rules the last one that fits a file counts.

    Args:
        match: Patterns as in .gitignore, relative to the directory of the config.
        action: "build", "restart", "reload", "signal", "command" or "ignore".
        command: What runs with the action "command"; `{files}` and `{dirs}` stand as written.
        signal: What the app gets with the action "signal".
        origin: Where the table stands: "hotrun.toml:12", or "--set".
    """

    match: tuple[str, ...]
    action: str
    command: Command | None
    signal: signal.Signals | None
    origin: str


@dataclass(frozen=True, slots=True)
class Config:
    """A whole config, checked. Paths are as written, relative to `directory`.

    Args:
        file: The file it was read from, absolute; None when it came from no file.
        directory: Where relative paths begin: the directory of the file, absolute.
        watch: The [watch] table.
        build: The [build] table; None: nothing to build.
        run: The [run] table; None: build only.
        rules: Every [[rule]] that counts, in order: those of the file, of the platform, of the
            profile, of options.
        profile: The profile that was asked for; "": none.
        profiles: Every profile that there is.
        origins: For every key of [watch], [build] and [run] ("build.command") where its value is
            from: "hotrun.toml:7", "hotrun.toml:30 (profile debug)", "default" or "--set".
        warnings: Message and hint of what is accepted, and does not do what one may think.
    """

    file: str | None
    directory: str
    watch: Watch
    build: Build | None
    run: Run | None
    rules: tuple[Rule, ...]
    profile: str
    profiles: tuple[str, ...]
    origins: Mapping[str, str]
    warnings: tuple[tuple[str, str], ...]

    def resolve(self, path: str) -> str:
        """Make a path of the config absolute; `..` is taken off by its letters, not on disk."""
        return os.path.normpath(os.path.join(self.directory, path))
