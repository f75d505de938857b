"""What is asked about a build's inputs, and what the answers mean.

A question is one command or more, or files to be read, and a way to read the answer; who runs the
commands, and whether somebody waits for them, is no matter here. Three are known: the package graph
of Go, a command of the user, dependency files.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from hotrun.errors import HotrunError
from hotrun.inputs import constraint, package
from hotrun.lean import dataclass
from hotrun.process import command as commands
from hotrun.process import environment
from hotrun.process.go import GoBuild, go_build

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from hotrun.config import Build, Config
    from hotrun.inputs.package import Package
    from hotrun.inputs.verdict import Knowledge
    from hotrun.process.command import Command

NO_GO_BUILD = (
    'build.inputs is "go", but build.command is no plain go build',
    'all packages of the module count; name what the build reads, or say inputs = "globs"',
)

GO_HINT = 'until it can be asked, watch.include alone decides; inputs = "globs" keeps it so'
# Variables of Go that may name files.
_SETTINGS = ("GOENV", "GOFLAGS", "GOWORK")


class AnswerError(HotrunError):
    """What the build reads cannot be told."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        kind: "go", "command" or "depfile".
        commands: Run one after the other; of each the output is wanted, and the code 0.
        directory: Where.
        environment: With what.
        warning: Message and hint of what is odd.
    """

    kind: str
    commands: tuple[Command, ...]
    directory: str
    environment: Mapping[str, str]
    config: Config
    build: Build
    go: GoBuild | None = None
    warning: tuple[str, str] | None = None

    def answer(self, outputs: Sequence[str], built: int) -> Generator[None, None, Knowledge]:
        """Read what was answered, and return it at the end; between two files it yields.

        Args:
            outputs: What each command printed.
            built: When the build began whose inputs these are, in nanoseconds since 1970.

        Raises:
            AnswerError: it is no answer.
        """
        if self.kind == "go":
            return self._graph(outputs, built)
        from hotrun.inputs.listed import Listed

        files: set[str] = set()
        if self.kind == "command":
            files.update(self.config.resolve(line) for line in outputs[0].split("\n") if line)
        else:
            for name in self._depfiles():
                files.update(self._named_in(name))
                yield
        if not files:
            what = f"build.inputs: {self._where()} names no file"
            raise AnswerError(what, "until it does, watch.include alone decides")
        whose = f"the list of {self._where()}" if self.kind == "command" else self._where()
        return Listed(files, _words(self.build), whose)

    def _where(self) -> str:
        return self.commands[0].text if self.commands else " ".join(self.build.inputs.depfile)

    def _graph(self, outputs: Sequence[str], built: int) -> Knowledge:
        from hotrun.inputs.graph import Asked, Graph

        listed, context = outputs
        packages = self.go.packages if self.go is not None else ()
        try:
            found = package.parse(listed)
            for_what = constraint.parse_context(context)
            _check_paths(found, os.path.realpath(self.directory))
        except ValueError as error:
            raise AnswerError(f"go list: {error}", GO_HINT) from error
        name = " ".join(each for each in packages if each != ".") or "the program"
        settings = [self.environment.get(each, "") for each in _SETTINGS]
        asked = Asked(name, (*_words(self.build), *settings), self._wide(packages))
        return Graph(found, for_what, asked, built)

    def _wide(self, packages: Sequence[str]) -> tuple[str, ...]:
        """Return the directories below which each package is meant; the root when in doubt."""
        found = []
        for each in packages:
            begin = each.partition("...")[0]
            if begin.startswith(".") and "..." in each:
                base = os.path.join(self.directory, os.path.dirname(begin))
                found.append(os.path.realpath(base))
            elif "..." in each or each in ("all", "work", "tool"):
                found.append("")
        return tuple(found)

    def _depfiles(self) -> list[str]:
        import glob

        found = []
        for each in self.build.inputs.depfile:
            pattern = self.config.resolve(each)  # a name with brackets may be meant as it stands
            named = [pattern] if os.path.exists(pattern) else []
            found += named or glob.glob(pattern, recursive=True, include_hidden=True)
        return found

    def _named_in(self, file: str) -> list[str]:
        """Return what a dependency file names; a relative path is one from here, or from there."""
        from hotrun.inputs import depfile

        if not os.path.isfile(file):  # to open a FIFO waits for a writer
            return []
        try:
            with open(file, encoding="utf-8", errors="surrogateescape") as lines:
                names = depfile.parse(lines.read())
        except OSError:
            return []
        places = (self.config.directory, os.path.dirname(file))
        return [os.path.join(place, name) for name in names for place in places]


def question(config: Config, build: Build | None) -> Question | None:
    """Return what is to be asked; None when the globs decide.

    Raises:
        AnswerError: the command cannot be read.
    """
    if build is None or build.inputs.kind == "globs":
        return None
    env, _ = environment.compose(build.env)
    inputs = build.inputs
    if inputs.kind == "command" and inputs.command is not None:
        try:
            asked = commands.parse(inputs.command)
        except ValueError as error:
            hint = "close the quote, or write a list"
            raise AnswerError(f"build.inputs.command: {error}", hint) from error
        return Question("command", (asked,), config.directory, env, config, build)
    if inputs.kind == "depfile":
        return Question("depfile", (), config.directory, env, config, build)
    plain = go_build(commands.parse(build.command))
    if re.search(r"-(?:overlay|toolexec)\b", env.get("GOFLAGS", "")):  # may read anything at all
        plain = None
    if plain is None and inputs.kind == "auto":
        return None
    go = plain or GoBuild("go", "", (), (), ("./...",))
    warning = None if plain else NO_GO_BUILD
    directory = os.path.join(config.directory, go.directory)
    env |= dict(go.environment)
    return Question("go", _go_lists(go), directory, env, config, build, go, warning)


def _go_lists(go: GoBuild) -> tuple[Command, Command]:
    fields = f"-json={','.join(package.FIELDS)}"
    graph = [go.program, "list", "-e", "-deps", fields, *go.flags, "--", *go.packages]
    # Of a package that is always there, only to have the context printed once.
    context = [go.program, "list", "-e", "-find", "-f", constraint.TEMPLATE, *go.flags, "unsafe"]
    return commands.parse(graph), commands.parse(context)


def _words(build: Build) -> tuple[str, ...]:
    command = build.command
    words = (command,) if isinstance(command, str) else command
    return (*words, *build.env.values())


def _check_paths(packages: Sequence[Package], here: str) -> None:
    """Refuse directories that we would not recognize: nothing in them would matter.

    JSON has no bytes that are no UTF-8, and where case does not count, Go may write a path in
    another one than whoever started us.
    """
    for each in packages:
        path = f"{each.directory}/"
        if "\ufffd" in path:
            raise ValueError(f"the name of {path} is no UTF-8")
        if path.casefold().startswith(f"{here}/".casefold()) and not path.startswith(f"{here}/"):
            raise ValueError(f"{here} is called {each.directory[: len(here)]} by Go")
