"""From a config to what is really watched and made, and what is wrong with it on this disk.

The config wing checks what is written; here it is held against the project: are the roots
directories one would want to watch, does the build overwrite a source?
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import field
from typing import TYPE_CHECKING

from hotrun.errors import ConfigError, ConfigErrors, Problem
from hotrun.lean import dataclass
from hotrun.process import command as commands

if TYPE_CHECKING:
    from collections.abc import Collection

    from hotrun.config import Config
    from hotrun.process.command import Command

SOURCES = frozenset(
    {".c", ".cc", ".cpp", ".cxx", ".go", ".h", ".hpp", ".java", ".js", ".jsx", ".kt", ".mod"}
    | {".py", ".rb", ".rs", ".sum", ".swift", ".tmpl", ".ts", ".tsx", ".zig"}
)
BINARY_MAGIC = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a config comes to on this disk.

    Attributes:
        roots: The watched directories, absolute.
        outputs: What the build makes, absolute paths or globs: they never trigger.
        program: The file of the project that ``run.command`` executes, if it is one.
        warnings: Message and hint of what is odd, but no reason to stop.
    """

    roots: tuple[str, ...]
    outputs: tuple[str, ...]
    program: str | None = None
    warnings: list[tuple[str, str]] = field(default_factory=list)


def plan(config: Config, *, may_idle: bool = False) -> Plan:
    """Hold a config against the disk.

    Args:
        config: The config.
        may_idle: That it builds and runs nothing is a warning: an empty file is a valid config.

    Raises:
        ConfigError: there is nothing to do, a root is not to be watched, a command cannot be
            read, or the build would overwrite a source file.
    """
    idle = _idle(config)
    if idle and not may_idle:
        raise ConfigError(*idle[0])
    roots = tuple(dict.fromkeys(_root(config, path) for path in config.watch.paths))
    _check_run(config)
    _check_rules(config)
    outputs, warnings = _outputs(config)
    warnings += _listening(config)
    return Plan(roots, outputs, _program(config), [*idle, *config.warnings, *warnings])


def _idle(config: Config) -> list[tuple[str, str]]:
    """Say that there is nothing to do, if there is nothing."""
    if config.build is not None or config.run is not None:
        return []
    message = f"{_name(config)} has neither build.command nor run.command"
    return [(message, 'say what to do, for example: [run] and below it command = "./app"')]


def _name(config: Config) -> str:
    return os.path.basename(config.file) if config.file else "the config"


def _root(config: Config, path: str) -> str:
    root = os.path.normpath(config.resolve(path))
    real, home = os.path.realpath(root), os.path.realpath(os.path.expanduser("~"))
    if real == home or home.startswith(real.rstrip("/") + "/"):
        what = "your home directory" if real == home else f"{real}, which holds home directories"
        raise ConfigError(
            f'watch.paths: "{path}" is {what}, too much to watch',
            'name the directories that hold the sources, for example paths = ["src"]',
        )
    if os.path.exists(root) and not os.path.isdir(root):
        directory, name = os.path.split(path)
        raise ConfigError(
            f'watch.paths: "{path}" is a file',
            f'watch its directory: paths = ["{directory or "."}"], include = ["{name}"]',
        )
    return root


def _check_run(config: Config) -> None:
    """Read every command of [run] now: an open quote is no news for after the first build."""
    if config.run is None:
        return
    _parse(config, config.run.command, "run.command")
    for key, several in (("run.before", config.run.before), ("run.after", config.run.after)):
        for command in several:
            _parse(config, command, key)


def _check_rules(config: Config) -> None:
    """Read the commands of rules, which may first run in an hour, and of what lists the inputs."""
    for number, rule in enumerate(config.rules, 1):
        if rule.command is not None:
            _parse(config, rule.command, f"rule[{number}].command", rule.origin)
    if config.build is not None and config.build.inputs.command is not None:
        _parse(config, config.build.inputs.command, "build.inputs.command")


def _listening(config: Config) -> list[tuple[str, str]]:
    """Say where sockets are handed over in a way that some programs do not take."""
    run = config.run
    if run is None or not run.listen:
        return []
    from hotrun.process.passing import knows_pid

    found = []
    if not knows_pid(_parse(config, run.command, "run.command")):
        what = "run.listen: a shell stays in front of the app, so LISTEN_PID is not set"
        hint = "let the command end in the app alone, without | and &: gunicorn and others need it"
        found.append((what, hint))
    if run.ready is not None and run.ready.tcp in run.listen:
        what = f"run.ready: hotrun itself holds {run.ready.tcp}, and takes every connection"
        found.append((what, "ask for a page instead (http), or for a line of output (log)"))
    return found


def _outputs(config: Config) -> tuple[tuple[str, ...], list[tuple[str, str]]]:
    if config.build is None:
        return (), []
    outputs = [config.resolve(output) for output in config.build.outputs]
    warnings = [
        (
            f'build.outputs: "{written}" is {reason}',
            "its changes never trigger a build: leave it out if it is written by hand",
        )
        for written, output in zip(config.build.outputs, outputs, strict=True)
        if (reason := _written_by_hand(output))
    ]
    command = _parse(config, config.build.command, "build.command")
    made, program = _made(config, command), _program(config)
    if made is not None and made not in outputs:
        outputs.append(made)
    # Without -o the build makes the app's program all the same, if it is a binary of ours.
    if program is not None and program not in outputs and is_made(program):
        outputs.append(program)
    return tuple(outputs), warnings


def _parse(config: Config, command: str | Collection[str], key: str, origin: str = "") -> Command:
    try:
        return commands.parse(command if isinstance(command, str) else tuple(command))
    except ValueError as error:
        from hotrun.config.located import located

        message, hint = f"{key}: {error}", "close the quote, or write a list"
        here = Problem(message, hint, origin) if origin else located(config, key, message, hint)
        raise ConfigErrors([here]) from error


def _made(config: Config, command: Command) -> str | None:
    """Return the file a plain compiler call makes; refuse if that is a source.

    ``go build -o main.go`` would replace the program by its binary.
    """
    written = commands.target(command)
    if written is None:
        return None
    path = os.path.normpath(config.resolve(written))
    if os.path.isdir(path):
        # `-o bin/`: all below is made, unless sources are kept there too.
        return path if not _holds_sources(path) and path != config.directory else None
    reason = _written_by_hand(path) or _is_source(path)
    if reason:
        raise ConfigError(
            f'build.command writes its output to "{written}", which is {reason}',
            "name another file after -o, for example: -o app",
        )
    return path


def _program(config: Config) -> str | None:
    """Return the file that ``run.command`` executes, if it is one of this project."""
    if config.run is None:
        return None
    words = _parse(config, config.run.command, "run.command").argv
    path = os.path.normpath(os.path.join(config.resolve(config.run.working_directory), words[0]))
    return path if "/" in words[0] and path.startswith(f"{config.directory}/") else None


def is_made(path: str) -> bool:
    """Whether a program is what a build makes, and not a script that somebody wrote.

    A question about now: what is not there yet may become either.
    """
    return _is_binary(path) and not tracked(path)


def _is_source(path: str) -> str:
    return "a source file" if os.path.splitext(path)[1] in SOURCES else ""


def _written_by_hand(path: str) -> str:
    """Say why an existing file is more than an output; nothing if it is not."""
    if not os.path.isfile(path):
        return ""
    return "tracked by git" if tracked(path) else _is_source(path)


def _is_binary(path: str) -> bool:
    if not os.path.isfile(path):  # to open a FIFO waits for a writer
        return False
    try:
        with open(path, "rb") as file:
            return file.read(4).startswith(BINARY_MAGIC)
    except OSError:
        return False


def _holds_sources(directory: str) -> bool:
    try:
        return any(os.path.splitext(name)[1] in SOURCES for name in os.listdir(directory))
    except OSError:
        return True


def tracked(path: str) -> bool:
    """Whether git has a file under version control."""
    directory, name = os.path.split(path)
    try:
        done = subprocess.run(
            ["git", "ls-files", "--error-unmatch", "--", name],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False  # no git: nothing is tracked
    return done.returncode == 0
