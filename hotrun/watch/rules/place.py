"""One directory as the rules see it: all lists as seen from there, and what they say of a name.

Most directories of a tree see the same, and share one `Place`. In one that is *settled* no rule
asks for the path any more; then what was decided about one name of which no rule speaks holds for
all of these, and most of a tree is decided by a look into a set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.watch.rules import builtin, verdict
from hotrun.watch.rules.globs import Names
from hotrun.watch.rules.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hotrun.watch.rules.globs import View
    from hotrun.watch.rules.ignore import Directory
    from hotrun.watch.rules.lists import Seen
    from hotrun.watch.rules.pattern import Rule


class Place:
    """What was decided about a directory, and what decides about its entries.

    Args:
        root: The root it belongs to; None above all roots.
        decided: What was decided about the directory itself.

    Attributes:
        verdict: The same.
        apart: Something is said of paths at or below this one: no other directory is like it.
        shut: Why its entries are out unless an include opens them.
        include: What is included; empty: everything.
        opens: Those of its patterns that are stronger than git.
    """

    __slots__ = (
        "_directories", "_file", "_files", "_plain", "apart", "exclude", "git", "globs", "include",
        "opens", "outputs", "root", "shut", "verdict",
    )  # fmt: skip

    def __init__(self, root: str | None, decided: Verdict) -> None:
        self.root = root
        self.verdict = decided
        self.apart = False
        self.shut: Verdict | None = None
        self.exclude: View | None = None
        self.include: tuple[Seen, ...] = ()
        self.opens: tuple[Seen, ...] = ()
        self.outputs: Mapping[str, Rule] = {}
        self.globs: tuple[View, ...] = ()
        self.git: Directory | None = None
        self._directories: Names | None = None
        self._files: Names | None = None
        self._plain: Place | None = None  # of the directories of which no rule speaks
        self._file = False  # whether the files of which no rule speaks are wanted

    def seen(self) -> tuple[object, ...]:
        """All that counts: two places of which this is the same are one."""
        return (
            self.root, self.verdict, self.shut, self.exclude, self.include, self.opens, self.globs,
            self.git,
        )  # fmt: skip

    def with_git(self, git: Directory) -> Place:
        """The same with other rules of git."""
        place = Place(self.root, self.verdict)
        place.apart, place.shut, place.exclude = self.apart, self.shut, self.exclude
        place.include, place.opens = self.include, self.opens
        place.outputs, place.globs, place.git = self.outputs, self.globs, git
        return place

    def plain(self, name: str) -> Place | None:
        """The place of a directory in this one, if it is known by its name alone."""
        names = self._directories
        return None if names is None or names.may_have(name) else self._plain

    def wants_plain(self, name: str) -> bool | None:
        """Whether a file in this directory, no temporary one, is wanted, if its name tells."""
        names = self._files
        return None if names is None or names.may_have(name) else self._file

    def learn(self, name: str, below: Place) -> None:
        """Take what was decided about a directory as true of all that are like it."""
        if self._directories is None and self._is_settled():
            names = Names(self._views(), is_dir=True, more=builtin.NAMES)
            if not names.may_have(name):
                self._plain, self._directories = below, names

    def learn_file(self, name: str, *, wanted: bool) -> None:
        """The same for a file."""
        if self._files is None and self._is_settled():
            names = Names(self._views(), is_dir=False, more=())
            if not names.may_have(name):
                self._file, self._files = wanted, names

    def _is_settled(self) -> bool:
        return self.verdict.watched and not self.apart and all(v.settled for v in self._views())

    def _views(self) -> Iterator[View]:
        """Every list there is."""
        yield from self.globs
        yield from (seen.view for seen in (*self.include, *self.opens))
        if self.exclude is not None:
            yield self.exclude
        if self.git is not None:
            yield from self.git.views

    def file(self, name: str) -> Verdict:
        """Decide about a file or link in it."""
        if not self.verdict.watched:
            return self.verdict
        found = builtin.temporary(name) or self.listed(name, is_dir=False)
        if found is None:
            found = self._included(name) if self.include else verdict.WATCHED
        return self._past_git(name, found) if found.watched else found

    def listed(self, name: str, *, is_dir: bool) -> Verdict | None:
        """Whether an output or `exclude` leaves an entry out."""
        if name in self.outputs:
            return Verdict(False, verdict.OUTPUT, self.outputs[name])
        for view in self.globs:
            found = view.find(name, is_dir)
            if found is not None and not found.negated:
                return Verdict(False, verdict.OUTPUT, found.rule)
        if self.exclude is not None:
            found = self.exclude.find(name, is_dir)
            if found is not None and not found.negated:
                return Verdict(False, verdict.EXCLUDED, found.rule)
        return None

    def _included(self, name: str) -> Verdict:
        """Decide about a file by what is included alone."""
        out = verdict.NOT_INCLUDED
        for seen in self.include:
            found = seen.find(name)
            if found is not None and not found.negated:
                return Verdict(True, verdict.INCLUDED, found.rule)
            if found is not None and found.rule.file == "watch.include":
                out = Verdict(False, verdict.TAKEN_BACK, found.rule)
        return out

    def _past_git(self, name: str, chosen: Verdict) -> Verdict:
        """Let git have its say about a file that hotrun's own lists watch, as was `chosen`."""
        rule = None if self.git is None else self.git.match(name, is_dir=False)
        if self.shut is None and (rule is None or rule.negated):
            kept = rule is not None and chosen is verdict.WATCHED
            return Verdict(True, verdict.KEPT, rule) if kept else chosen
        for seen in self.opens:
            found = seen.find(name)
            if found is not None and not found.negated:
                return Verdict(True, verdict.OPENED, found.rule)
        return self.shut or Verdict(False, verdict.IGNORED, rule)
