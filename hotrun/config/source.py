"""Where values come from, and how they are read.

A source is one tree of tables: the file, one `--set` option, or a part of them that is made like
a whole: a profile, a platform. Each is checked by itself, so that an error names its own place.
"""

from __future__ import annotations

import os
import stat
import tomllib
from dataclasses import field, replace
from typing import TYPE_CHECKING

from hotrun.config.keys import LISTS
from hotrun.config.locate import locate
from hotrun.config.syntax import lines_of, syntax_problem
from hotrun.config.wording import key_text, nearest
from hotrun.errors import ConfigError, ConfigErrors, NoConfigError, Problem
from hotrun.lean import NamedTuple, dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotrun.config.key import Key
    from hotrun.config.locate import Location, Path, Span

HOTRUN_TOML = "hotrun.toml"
PYPROJECT_TOML = "pyproject.toml"

DEFAULT = "default"
OPTION = "--set"


class Given(NamedTuple):
    """A value of one key that an option of its own, or a variable of the environment, gives.

    Args:
        name: As it was typed: "--debounce", "HOTRUN_WATCH".
        key: Dotted: "watch.debounce".
        value: A plain string, whatever it looks like.
    """

    name: str
    key: str
    value: str


Override = str | Given
"""What is laid over the file: `KEY=VALUE` of a --set, or a value that has a name of its own."""


@dataclass(frozen=True, slots=True)
class Source:
    """One tree of tables, and how to point into it.

    Args:
        label: The file as the user knows it, or the option as it was given.
        tree: What tomllib read, from the level of the tables on.
        prefix: The tables around that level: ("tool", "hotrun") in a pyproject.toml.
        given: It is a value that an option or a variable of its own gives.
        layer: "profile debug" or "platform linux" when it is that part of a source.
        number: Which [[rule]] it is, from 0, when it is one.
        lines: The lines of the file; none for an option.
        places: Where each key of the file stands.
        problems: What was wrong before there was a tree.
    """

    label: str
    tree: Mapping[str, object]
    prefix: tuple[str, ...] = ()
    given: bool = False
    layer: str = ""
    number: int | None = None
    lines: tuple[str, ...] = ()
    places: Mapping[Path, Location] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def is_option(self) -> bool:
        """It is a --set and not a file."""
        return self.label.startswith(OPTION)

    def header(self, table: str) -> str:
        """The table as it is written in this source: `[build]`, `[[tool.hotrun.rule]]`."""
        name = ".".join((*map(key_text, self.prefix), table))
        return f"[[{name}]]" if table in LISTS else f"[{name}]"

    def dotted(self, key: Key) -> str:
        """The key as an option names it: `profile.debug.build.command`."""
        return ".".join((*map(key_text, self.prefix), key.dotted))

    def laid_over(self, kind: str, name: str, tree: Mapping[str, object]) -> Source:
        """A profile or a platform of this source."""
        layer = f"{kind} {key_text(name)}"
        return replace(self, tree=tree, prefix=(*self.prefix, kind, name), layer=layer, problems=())

    def element(self, number: int) -> Source:
        """One of the tables of a list, in which paths go without the number."""
        return replace(self, number=number, problems=())

    def problem(self, path: Path, message: str, hint: str, *, at_key: bool = False) -> Problem:
        """Point at the value at `path`, or at its key."""
        if (span := self._span(path, at_key=at_key)) is None:
            return Problem(message, hint, self.label)
        width = span.end_column - span.column
        source = self.lines[span.line - 1]
        return Problem(message, hint, self.label, span.line, span.column, source, width)

    def origin(self, path: Path) -> str:
        """`hotrun.toml:7`, `hotrun.toml:30 (profile debug)`, `--set`, `--watch`, or a variable."""
        if self.given:
            return self.label if self.label.startswith("-") else f"environment ({self.label})"
        if self.is_option:
            return OPTION
        span = self._span(path, at_key=True)
        place = f"{self.label}:{span.line}" if span else self.label
        return f"{place} ({self.layer})" if self.layer else place

    def _span(self, path: Path, *, at_key: bool) -> Span | None:
        if self.number is not None:
            path = (path[0], self.number, *path[1:])
        location = self.places.get((*self.prefix, *path))
        if location is None:
            return None
        first, second = location if at_key else (location.value, location.key)
        return first or second


def read_file(file: str | None, directory: str) -> Source:
    """Read a config file.

    Args:
        file: The file, relative to `directory`; None: the one that is found there.
        directory: The directory of the project.

    Returns:
        What is in it; its label is the path relative to `directory`, or as it was given.

    Raises:
        NoConfigError: `file` is None and there is none.
        ConfigError: It cannot be read, or has no table of hotrun.
        ConfigErrors: It is not TOML.
    """
    label = _found(directory) if file is None else file
    prefix = ("tool", "hotrun") if os.path.basename(label) == PYPROJECT_TOML else ()
    content = _content(os.path.join(directory, label), label)
    if source := _parsed(_decoded(content, label), label, prefix):
        return source
    if file is None:
        raise _no_config(directory)
    raise ConfigError(f"no [tool.hotrun] in {label}", "add it, or name another file with -c FILE")


def read_text(text: str, label: str) -> Source:
    """Read the text of a hotrun.toml.

    Raises:
        ConfigErrors: It is not TOML.
    """
    return _parsed(text, label, ()) or Source(label, {})


def _found(directory: str) -> str:
    # A dangling link is a config that cannot be read, not a missing one.
    if os.path.lexists(os.path.join(directory, HOTRUN_TOML)):
        return HOTRUN_TOML
    pyproject = os.path.join(directory, PYPROJECT_TOML)
    # Most have no table of ours; that one of them is broken is not for us to say.
    if os.path.isfile(pyproject) and b"hotrun" in _content(pyproject, PYPROJECT_TOML):
        return PYPROJECT_TOML
    raise _no_config(directory)


def _no_config(directory: str) -> NoConfigError:
    return NoConfigError(
        f"no hotrun.toml in {directory}",
        "`hotrun new NAME` makes a project with one; here, write one of two lines, [run] and "
        'command = "./app", or name a file with -c FILE',
    )


def _content(path: str, label: str) -> bytes:
    try:
        with open(path, "rb", opener=_opened) as file:
            if not (_is_given(path) or stat.S_ISREG(os.fstat(file.fileno()).st_mode)):
                hint = "put a file in its place, or name another one: -c FILE"
                raise ConfigError(f"{label} is not a regular file", hint)
            return file.read()
    except IsADirectoryError as error:
        inside = os.path.join(label, HOTRUN_TOML)
        raise ConfigError(f"{label} is a directory", f"name the file in it: -c {inside}") from error
    except FileNotFoundError as error:
        hint = _file_meant(path, label) or "name one that exists: -c FILE"
        raise ConfigError(f"no such file: {label}", hint) from error
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        hint = "make it readable for the user who runs hotrun"
        raise ConfigError(f"cannot read {label}: {reason}", hint) from error


def _opened(path: str, flags: int) -> int:
    # A FIFO has to be seen for what it is: to open one waits for a writer, for ever.
    return os.open(path, flags if _is_given(path) else flags | getattr(os, "O_NONBLOCK", 0))


def _is_given(path: str) -> bool:
    """Whether it is the end of a pipe that a shell has made: `-c <(generate)`, /dev/stdin."""
    return path.startswith("/dev/")


def _file_meant(path: str, label: str) -> str:
    """Return the hint that names the file beside it with nearly that name, or nothing."""
    directory, name = os.path.split(path)
    try:
        names = [each for each in os.listdir(directory) if each.endswith(".toml") and each != name]
    except OSError:
        return ""
    near = nearest(name, names)
    return f'did you mean "-c {os.path.join(os.path.dirname(label), near)}"?' if near else ""


def _decoded(content: bytes, label: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode().split("\n")
        rest = error.object[error.start :].split(b"\n")[0].decode(errors="replace")
        problem = Problem(
            "this is not UTF-8",
            "save the file with the encoding UTF-8",
            label,
            len(before),
            len(before[-1]) + 1,
            before[-1] + rest,
        )
        raise ConfigErrors([problem]) from error


def _parsed(text: str, label: str, prefix: tuple[str, ...]) -> Source | None:
    """None when there is no table at the prefix."""
    try:
        tree: object = tomllib.loads(text)
    except ValueError as error:
        raise ConfigErrors([syntax_problem(str(error), text, label)]) from error
    except RecursionError as error:
        hint = "no key of hotrun needs more than a list in a list"
        raise ConfigErrors([Problem("nested too deeply", hint, label)]) from error
    for name in prefix:
        tree = tree.get(name) if isinstance(tree, dict) else None
    if not isinstance(tree, dict):
        return None
    return Source(label, tree, prefix, lines=lines_of(text), places=locate(text))


def override_source(override: Override) -> Source:
    """Read what is laid over the file."""
    if isinstance(override, str):
        return _option_source(override)
    table, _, name = override.key.partition(".")
    return Source(override.name, {table: {name: override.value}}, given=True)


def _option_source(option: str) -> Source:
    """Read one `--set KEY=VALUE`; a VALUE that is not TOML is a plain string."""
    label = f"{OPTION} {option}"
    name, equals, value = option.partition("=")
    path = _dotted(name)
    if not equals or not path:
        hint = "write KEY=VALUE, for example --set run.stop_timeout=10s"
        return Source(label, {}, problems=(Problem("this sets nothing", hint, label),))
    tree = _option_value(value)
    for part in reversed(path):
        tree = {part: tree}
    return Source(label, tree if isinstance(tree, dict) else {})


def _dotted(name: str) -> list[str]:
    """The parts of a dotted key; empty when it is none."""
    try:
        tree: object = {} if "\n" in name else tomllib.loads(f"{name} = 0")
    except (ValueError, RecursionError):
        return []
    path = []
    while isinstance(tree, dict) and tree:
        part, tree = next(iter(tree.items()))
        path.append(part)
    return path


def _option_value(text: str) -> object:
    try:
        tree = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    # A text of several lines may read as several keys.
    return tree["value"] if len(tree) == 1 else text
