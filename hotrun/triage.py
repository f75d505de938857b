"""What follows from the files that changed: a build, a restart, a command, a signal, nothing.

The rules of the config are asked first, the last one that fits decides. A file of no rule is an
env file, which is read at each start, or one that the build reads, or it is of no account.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from hotrun import facts
from hotrun.host import relative
from hotrun.lean import dataclass
from hotrun.watch.rules.actions import Actions

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from hotrun.config import Config, Rule

NO_INPUT = "it is no input of the build"


@dataclass(slots=True)
class Outcome:
    """What follows from a change. Paths are relative to the project where they are in it.

    Attributes:
        counted: The files that something follows from.
        ignored: The files that nothing follows from although no rule says so.
        own: The files that nothing follows from because what follows writes them.
    """

    counted: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    built: list[str] = field(default_factory=list)
    restart: bool = False
    steps: list[facts.Step] = field(default_factory=list)
    signals: set[int] = field(default_factory=set)

    @property
    def fact(self) -> facts.FilesChanged:
        """For the core."""
        signals = tuple(sorted(self.signals))
        return facts.FilesChanged(tuple(self.built), self.restart, tuple(self.steps), signals)


class Triage:
    """Knows what a change of each file is for.

    Attributes:
        env_files: Read at each start of the app, absolute.

    Args:
        config: The config.
        roots: The watched roots.
    """

    def __init__(self, config: Config, roots: Sequence[str]) -> None:
        self._config = config
        self._rules = config.rules
        matches = [rule.match for rule in config.rules]
        self._actions = Actions(matches, config.directory, roots) if matches else None
        run = config.run
        self.env_files = {config.resolve(file) for file in run.env_files} if run else set()

    def sort(self, paths: Iterable[str], inputs: Container[str]) -> Outcome:
        """Say what follows from a change.

        Args:
            paths: The files that changed, absolute.
            inputs: Those of them that the build reads, as far as it is known.
        """
        outcome = Outcome()
        for path in paths:
            self._sort(path, inputs, outcome)
        return outcome

    def _sort(self, path: str, inputs: Container[str], outcome: Outcome) -> None:
        shown = relative(path, self._config.directory)
        index = self._actions.of(path) if self._actions is not None else None
        if index is not None:
            self._by_rule(self._rules[index], index, shown, outcome)
        elif path in self.env_files:
            outcome.restart = True
            outcome.counted.append(shown)
        elif path in inputs:
            outcome.built.append(shown)
            outcome.counted.append(shown)
        else:
            outcome.ignored.append(shown)

    def _by_rule(self, rule: Rule, index: int, shown: str, outcome: Outcome) -> None:
        match rule.action:
            case "build":
                outcome.built.append(shown)
            case "restart":
                outcome.restart = True
            case "command" if rule.command is not None:
                outcome.steps.append(facts.Step(index, rule.command, shown))
            case "signal" if rule.signal is not None:
                outcome.signals.add(rule.signal)
            case _:  # "ignore"; and "reload", for which there is no browser yet
                return
        outcome.counted.append(shown)
