"""Why a path is watched or not, and what a change of it would do: told without a session.

Law: nothing is decided here. The filter of the watcher, the triage of the feed and the outlook
of the backend are asked, and their answers put into words.
"""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from hotrun.config.source import PYPROJECT_TOML
from hotrun.host import relative
from hotrun.inputs.now import look
from hotrun.lean import dataclass
from hotrun.project.effects import NOTHING, Effects
from hotrun.project.places import Place, Places
from hotrun.project.plan import is_made
from hotrun.project.watched import accepts, config_files, env_files, single_files
from hotrun.watch.outlook import Outlook
from hotrun.watch.paths import is_below
from hotrun.watch.sieve.known import Known

if TYPE_CHECKING:
    from hotrun.config import Config
    from hotrun.inputs.now import Answer
    from hotrun.inputs.verdict import Verdict
    from hotrun.project.plan import Plan
    from hotrun.watch.rules.filter import Decision

_CONFIG = "It is the config file."
_TO_COME = "It is the config file as soon as it is there."
_ENV_FILE = "It is one of run.env_files: the app gets what it says at each start."
_MODULE = "It decides which packages are meant, from above the project."
_SPECIAL = "It is neither a file nor a link, and such things have no content to compare."
_RULES = "has its ignore rules read again"
_LINK = "It is behind the symbolic link {}, and links are not followed."
_LISTED_AS = "Its directory is watched as {}"
_NAMED = "It is {} behind a symbolic link"
_UNCOVERED = "It is below none of the watched roots: in [watch], {} would have it watched."
_LISTED_NOWHERE = "It is behind the symbolic link {}, which leads to what is not watched."


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is to be said of one path.

    Attributes:
        path: As it was asked for.
        watched: A change of the file counts; the directory is opened.
        reason: One sentence.
        rule: The pattern that decided, or that says what a change does.
        root: The deepest root that contains it, relative to the project.
        native: The kernel's events stand behind it.
        action: What a change does: "build", "restart", "command", "signal", "reload" (of a
            browser), "ignore" (by a rule), "config" (is read again), or "nothing".
        effect: The same in words, to be read after "a change".
        told: How a change is noticed: "inotify", or why it is polled; empty if not at all.
        inputs: Whether the build reads it, a sentence; empty where the globs alone decide.
    """

    path: str
    watched: bool
    reason: str
    rule: Place | None
    root: str | None
    native: bool
    action: str
    effect: str
    told: str
    inputs: str

    @property
    def why(self) -> str:
        """The reason, and where the pattern stands, if the reason does not say so."""
        return _why(self.reason, self.rule)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What was found before it is worded for people."""

    watched: bool
    reason: str
    rule: Place | None
    root: str | None
    action: str = "nothing"
    effect: str = NOTHING
    inputs: str = ""


class Explainer:
    """Explains the paths of one project.

    Args:
        config: The config.
        planned: What it comes to on this disk.

    Attributes:
        problem: Message and hint when it could not be told what the build reads: everything
            counts then.
    """

    def __init__(self, config: Config, planned: Plan) -> None:
        self._config = config
        self._planned = planned
        self._accepts = accepts(config, planned)
        self._effects = Effects(config, planned, self._judge)
        self._places = Places(config, planned)
        self._outlook = Outlook(config.watch.backend)
        self._env_files = env_files(config)
        self._config_files = config_files(config)
        self._single = single_files(config)
        self._known: Known | None = None
        self._inputs: Answer | None = None
        self.problem: tuple[str, str] | None = None

    def explain(self, asked: str) -> Explanation:
        """Explain one path.

        Args:
            asked: Relative to the current directory; it need not exist. With a slash at its end
                it is a directory.
        """
        path = self._found(asked)
        verdict = self._of_link(path, asked) or self._judged(path, asked)
        told = native = ""
        if verdict.watched:
            polled = self._outlook.polls(path, verdict.root or path)
            native, told = ("", polled) if polled else (self._outlook.native,) * 2
        root = None if verdict.root is None else self._relative(verdict.root)
        return Explanation(
            asked, verdict.watched, verdict.reason, verdict.rule, root, bool(native),
            verdict.action, verdict.effect, told, verdict.inputs,
        )  # fmt: skip

    def because(self, path: str) -> str:
        """Why a file that changed is watched, as one line; it asks nobody, and so is quick.

        Args:
            path: Relative to the project, or absolute.
        """
        path = self._config.resolve(path)
        if path in self._single:
            why = _ENV_FILE if path in self._env_files else _MODULE
            return _why(_CONFIG if path in self._config_files else why, None)
        decision = self._accepts.explain(path)
        place = None if decision.rule is None else self._places.of(decision.rule)
        return _why(self._worded(decision, place), place)

    def _found(self, asked: str) -> str:
        """The path as the watcher would name it: who came by a link to the project is helped."""
        path = os.path.abspath(asked)
        if self._root(path) is not None or path in self._single:
            return path
        return self._named(path) or path

    def _relative(self, path: str) -> str:
        return relative(path, self._config.directory)

    def _root(self, path: str) -> str | None:
        above = [root for root in self._planned.roots if is_below(path, (root,)) or path == root]
        return max(above, key=len, default=None)

    def _judge(self, path: str) -> Verdict | None:
        """Whether the build reads a file."""
        return self._read().verdict(path)

    def _read(self) -> Answer:
        """What the build reads; whoever knows is asked once, and late: it takes time."""
        if self._inputs is None:
            self._inputs = look(self._config)
            self.problem = self._inputs.problem
        return self._inputs

    # --- links ---

    def _of_link(self, path: str, asked: str) -> _Verdict | None:
        """What links make of a path; None: nothing."""
        if self._config.watch.follow_symlinks:
            other = self._listed_as(path)
            if other is not None:
                where = self._relative(os.path.dirname(other))
                return None if other == path else self._as(other, asked, _LISTED_AS.format(where))
        root = self._root(path)
        link = None if root is None else _link(path, root)
        if link is None:
            return None
        other = self._named(path)
        if other is not None and other != path:
            return self._as(other, asked, _NAMED.format(self._relative(other)))
        why = _LISTED_NOWHERE if self._config.watch.follow_symlinks else _LINK
        return _Verdict(False, why.format(self._relative(link)), None, root)

    def _as(self, path: str, asked: str, why: str) -> _Verdict:
        """What is to be said of what has another name for the watcher: `path`."""
        found = self._judged(path, asked)
        return replace(found, reason=f"{why}: {found.reason[0].lower()}{found.reason[1:]}")

    def _named(self, path: str) -> str | None:
        """The name by which the watcher would come upon a path without any link below a root."""
        real = _real(path)
        for root in sorted(self._planned.roots, key=len, reverse=True):
            top = os.path.realpath(root)
            if real == top or is_below(real, (top,)):
                return root + real[len(top) :]
        return next((file for file in self._single if _real(file) == real), None)

    def _listed_as(self, path: str) -> str | None:
        """The name under which the directory of a path is watched; None: it is not."""
        if self._known is None:
            chosen = self._accepts
            self._known = Known(chosen.skips, chosen.wants, follow_symlinks=True)
            self._known.begin(self._planned.roots)
        here, rest = path, ""
        while not self._known.lists(other := self._known.listed_as(here)):
            directory, name = os.path.split(here)
            if os.path.lexists(directory):
                return None
            here, rest = directory, f"{os.sep}{name}{rest}"
        return other + rest

    # --- what it is ---

    def _judged(self, path: str, asked: str) -> _Verdict:
        kind = _kind(path)
        is_dir = stat.S_ISDIR(kind) or (not kind and asked.endswith(os.sep))
        if path in self._single and not is_dir:
            return self._of_single(path)
        decision = self._accepts.explain(path, is_dir)
        rule = None if decision.rule is None else self._places.of(decision.rule)
        reason = self._worded(decision, rule)
        if not decision.watched:
            found = self._uncovered(path) if decision.root is None else None
            plain = _Verdict(False, reason, rule, decision.root, effect=self._unheard(path))
            return found or plain
        if is_dir:
            return _Verdict(True, reason, rule, decision.root, effect="of a file in it counts")
        if kind and not (stat.S_ISREG(kind) or stat.S_ISLNK(kind)):
            return _Verdict(False, _SPECIAL, None, decision.root)
        return self._of_file(path, reason, rule, decision)

    def _of_single(self, path: str) -> _Verdict:
        """What is watched for itself, whatever the filter says."""
        if path in self._config_files:
            return self._of_config(path)
        if path in self._env_files:
            return self._of_env_file(path)
        effect = self._effects.of(path)
        return _Verdict(True, _MODULE, None, None, effect.action, effect.words, effect.inputs)

    def _of_config(self, path: str) -> _Verdict:
        root = self._root(path)
        effect = "has hotrun read the config again"
        if os.path.basename(path) == PYPROJECT_TOML and self._accepts.wants(path):
            effect += f", and {self._effects.building()}"
        file = self._config.file
        there = file is not None and path in (file, os.path.realpath(file))
        return _Verdict(True, _CONFIG if there else _TO_COME, None, root, "config", effect)

    def _of_env_file(self, path: str) -> _Verdict:
        files = self._config.run.env_files if self._config.run is not None else ()
        number = self._env_files.index(path)
        place = self._places.key("run.env_files", number, files[number])
        effect = self._effects.of(path)
        return _Verdict(True, _ENV_FILE, place, self._root(path), effect.action, effect.words)

    def _uncovered(self, path: str) -> _Verdict | None:
        """What is to be said of an input of the build that no root covers; None: it is none."""
        outside, real = self._read().outside, _real(path)
        if outside is None or not (real in outside.places or is_below(real, outside.places)):
            return None
        verdict = self._judge(path)
        inputs = verdict.why if verdict is not None and not os.path.isdir(path) else ""
        return _Verdict(False, _UNCOVERED.format(outside.line), None, None, inputs=inputs)

    def _of_file(self, path: str, reason: str, rule: Place | None, found: Decision) -> _Verdict:
        if path == self._planned.program and is_made(path):
            reason = "It is the program that runs, and the build makes it."
            return _Verdict(True, reason, rule, found.root)
        effect = self._effects.of(path)
        if effect.rule is not None:
            says = f"; `{effect.rule.pattern}` in {effect.rule.file} says what a change does."
            if effect.rule == found.rule:
                says = ", and says what a change does."
            reason, rule = f"{reason[:-1]}{says}", self._places.of(effect.rule)
        words = effect.words
        if self._accepts.is_ignore_file(path):
            words += f"; {_RULES}"
        return _Verdict(True, reason, rule, found.root, effect.action, words, effect.inputs)

    def _unheard(self, path: str) -> str:
        if self._root(path) is None:
            return NOTHING
        if self._accepts.is_ignore_file(path):
            return _RULES
        effect = self._effects.of(path)
        if effect.rule is None or effect.action == "ignore":
            return NOTHING
        return f"{NOTHING}, although `{effect.rule.pattern}` in {effect.rule.file} fits it"

    def _worded(self, decision: Decision, place: Place | None) -> str:
        """The sentence of a decision, with paths and patterns as they are written."""
        reason = decision.reason
        if decision.rule is not None and place is not None:
            reason = reason.replace(f"`{decision.rule.pattern}`", f"`{place.pattern}`")
        return reason.replace(f"{self._config.directory}/", "")


def _why(reason: str, rule: Place | None) -> str:
    reason = reason.removesuffix(".")
    if rule is None or f"in {rule.file}, line " in reason:
        return reason
    return f"{reason} ({rule})"


def _link(path: str, root: str) -> str | None:
    """The first link on the way from a root to a path, both left out."""
    at = len(root.rstrip(os.sep))
    while (at := path.find(os.sep, at + 1)) >= 0:
        if os.path.islink(path[:at]):
            return path[:at]
    return None


def _real(path: str) -> str:
    """A path whose directory is without links; it may be one itself."""
    directory, name = os.path.split(path)
    return os.path.join(os.path.realpath(directory), name)


def _kind(path: str) -> int:
    """What is at a path, for the tests of `stat`; 0: nothing, or it may not be seen."""
    try:
        return os.lstat(path).st_mode
    except (OSError, ValueError):
        return 0
