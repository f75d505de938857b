"""What a change of a file does, by name and in words; the feed's triage decides it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hotrun.inputs.verdict import Verdict
from hotrun.lean import NamedTuple
from hotrun.triage import Triage
from hotrun.watch.rules.actions import Actions

if TYPE_CHECKING:
    from hotrun.config import Config, Rule
    from hotrun.project.plan import Plan
    from hotrun.triage import Outcome
    from hotrun.watch.rules import pattern

NOTHING = "does nothing"


class Effect(NamedTuple):
    """What a change does.

    Attributes:
        action: "build", "restart", "command", "signal", "reload" (of a browser), "ignore" (by a
            rule), or "nothing".
        words: To be read after "a change".
        rule: The pattern of the [[rule]] that says so, if one does.
        inputs: A sentence: whether the build reads the file, and why; empty where that is of no
            account.
    """

    action: str
    words: str
    rule: pattern.Rule | None = None
    inputs: str = ""


Judge = Callable[[str], Verdict | None]
"""Whether the build reads a file (absolute), and why; None when the globs alone decide."""


class Effects:
    """Tells what a change of each watched file does.

    Args:
        config: The config.
        planned: What it comes to on this disk.
        judge: Whether the build reads a file; asked only where it is of account.
    """

    def __init__(self, config: Config, planned: Plan, judge: Judge) -> None:
        self._config = config
        self._judge = judge
        self._triage = Triage(config, planned.roots)
        matches = [rule.match for rule in config.rules]
        self._actions = Actions(matches, config.directory, planned.roots)

    def of(self, path: str) -> Effect:
        """Tell what a change of a file does; it is absolute, and need not exist."""
        index = self._actions.of(path)
        rule = None if index is None else self._config.rules[index]
        asked = rule is None and path not in self._triage.env_files
        verdict = self._judge(path) if asked and self._config.build is not None else None
        inputs = {path} if verdict is None or verdict.matters else frozenset[str]()
        action = _action(self._triage.sort([path], inputs), rule)
        if action == "build" and self._config.build is None:
            action = "restart"
        words = self._words(action, rule)
        if action == "ignore" and index is not None:
            words = f"{NOTHING}: rule {index + 1} says so"
        why = "" if verdict is None else verdict.why
        return Effect(action, words, self._actions.why(path), why)

    def building(self) -> str:
        """What a build comes to, in words."""
        return self._words("build" if self._config.build is not None else "restart", None)

    def _words(self, action: str, rule: Rule | None) -> str:
        if rule is not None and action == "command" and rule.command is not None:
            text = rule.command
            return f"runs `{text if isinstance(text, str) else ' '.join(text)}`"
        builds, runs = self._config.build is not None, self._config.run is not None
        if action in ("restart", "signal") and not runs:
            return f"{NOTHING}: there is no app"
        if rule is not None and rule.signal is not None and action == "signal":
            return f"sends the app {rule.signal.name}"
        return {
            "build": "builds, then replaces the app" if runs else "builds",
            "restart": "restarts the app without a build" if builds else "restarts the app",
            "reload": f"{NOTHING} yet: reloading the browser comes later",
        }.get(action, NOTHING)


def _action(outcome: Outcome, rule: Rule | None) -> str:
    """The name of what follows from a change."""
    if outcome.steps:
        return "command"
    if outcome.signals:
        return "signal"
    if outcome.built:
        return "build"
    if outcome.restart:
        return "restart"
    return "nothing" if rule is None else rule.action
