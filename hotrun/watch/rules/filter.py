"""hotrun's own decision: is this path watched, and by which rule.

Law: `wants`, `skips` and `explain` ask one function each for files and for directories, so they
cannot disagree; and nothing below a directory that is skipped is ever wanted.
The order: below a root; always-out names, outputs, editor temporaries; `exclude`; `include`; git.
Every directory gets a `Place`, which holds all lists as they are seen from there; a directory is
decided about by the place above it, and its own ignore file is looked for when one of its entries
is asked about.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hotrun.lean import dataclass
from hotrun.watch.rules import builtin, verdict
from hotrun.watch.rules.globs import Globs
from hotrun.watch.rules.ignore import GitIgnore
from hotrun.watch.rules.lists import Seen, globs, opening, patterns
from hotrun.watch.rules.outputs import Outputs
from hotrun.watch.rules.pattern import Rule
from hotrun.watch.rules.place import Place
from hotrun.watch.rules.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hotrun.watch.rules.pattern import Pattern

__all__ = ["Decision", "Filter", "Rule"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What `hotrun explain` shows.

    Attributes:
        watched: A change of the file counts; the directory is opened.
        reason: One sentence.
        rule: The pattern that decided. For a pattern of the config `file` is the key
            ("watch.include", "watch.exclude", "build.outputs", or that of a rule), `line` the
            place in its list.
        root: The deepest root that contains the path.
    """

    watched: bool
    reason: str
    rule: Rule | None
    root: str | None


class Filter:
    """Decides what is watched. Paths are absolute `str`, without a final separator.

    Args:
        roots: The paths to watch; a root may be a file, lie in another root, or not exist.
        base: The directory of the config file.
        include: Gitignore-style globs relative to `base`, or to the root for a root that is not
            below it. A pattern speaks for all that lies below what it matches; the last pattern
            that speaks for a file counts, `!` takes back. Empty: every file.
        exclude: The same, but as in git nothing below a directory it matches can be taken back.
        gitignore: Whether git's ignore rules count.
        outputs: What the build writes: paths relative to `base` or absolute, or such globs.
        rules: The key of each list (for `Decision.rule.file`) and its globs: they widen a given
            `include`, and like it they beat git where they begin with a literal path. What one
            takes back with `!` it takes back from itself.
    """

    def __init__(
        self,
        *,
        roots: Sequence[str],
        base: str,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        gitignore: bool = True,
        outputs: Sequence[str] = (),
        rules: Sequence[tuple[str, Sequence[str]]] = (),
    ) -> None:
        self._base = base.rstrip(os.sep)
        self._roots = {root.rstrip(os.sep) for root in roots}
        lists = [patterns(joined) for joined in _joined(("watch.include", include), rules)]
        self._include = _seen(lists) if include else ()
        opens = [opening(found) for found in lists]
        self._opens = _seen([found for found in opens if any(not p.negated for p in found)])
        self._exclude = globs(patterns([("watch.exclude", exclude)]))
        self._outputs = Outputs(outputs, self._base)
        self._git = {root: GitIgnore(root) for root in self._roots} if gitignore else {}
        self._ways = _ways((*self._roots, *self._outputs.directories()))
        self._places: dict[str, Place] = {}  # of directories whose entries were asked about
        self._decided: dict[str, Place] = {}  # the same without what lies in them
        self._shared: dict[tuple[object, ...], Place] = {}

    def skips(self, directory: str) -> bool:
        """Whether `directory` must never be opened, listed or watched."""
        parent, _, name = directory.rpartition(os.sep)
        place = self._places.get(parent) or self._place(parent)
        return not (place.plain(name) or self._decide(directory)).verdict.watched

    def wants(self, path: str) -> bool:
        """Whether a change of `path`, a file or a link, counts."""
        parent, _, name = path.rpartition(os.sep)
        if builtin.temporary(name) is not None:
            return False
        place = self._places.get(parent) or self._place(parent)
        wanted = place.wants_plain(name)
        if wanted is None:
            wanted = self._file(place, path, name).watched
            place.learn_file(name, wanted=wanted)
        return wanted

    def explain(self, path: str, is_dir: bool = False) -> Decision:
        """Say what `wants` (with `is_dir`: the opposite of `skips`) answers, and why.

        Args:
            path: Absolute; it need not exist.
            is_dir: It is a directory; a link to one is not.
        """
        if is_dir:
            place = self._decide(path)
            found = place.verdict
        else:
            parent, _, name = path.rpartition(os.sep)
            place = self._place(parent)
            found = self._file(place, path, name)
        reason = found.why.format(found.rule)
        if found.subject not in ("", path):
            because = reason[0].lower() + reason[1:]
            reason = f"Its directory {found.subject} is left out: {because}"
        root = path if path in self._roots else place.root
        return Decision(found.watched, reason, found.rule, os.sep if root == "" else root)

    def is_ignore_file(self, path: str) -> bool:
        """Whether a change of `path` may change decisions, so that `reload` is due.

        True for ignore files, and for the files that mark a directory as generated.
        """
        parent, _, name = path.rpartition(os.sep)
        if builtin.MARKERS.get(parent.rpartition(os.sep)[2]) == name:
            return True
        return any(git.reads(path) for git in self._git.values())

    def reload(self) -> None:
        """Forget every decision; ignore files are read again when next needed."""
        for known in (self._places, self._decided, self._shared):
            known.clear()
        for git in self._git.values():
            git.reload()

    def _file(self, place: Place, path: str, name: str) -> Verdict:
        """Decide about a file or link: the one function behind `wants` and `explain`."""
        return (self._above(path) if path in self._roots else place).file(name)

    def _place(self, directory: str) -> Place:
        """The place of a directory, made from the nearest known one above it."""
        missing = []
        here = directory.rstrip(os.sep)
        while (place := self._places.get(here)) is None:
            parent, slash, name = here.rpartition(os.sep)
            if here in self._roots:
                place = self._places[here] = self._at_root(here)
            elif not slash:
                place = self._places[here] = Place(None, verdict.OUTSIDE)
            else:
                missing.append((here, name))
                here = parent
        for path, name in reversed(missing):
            place = self._places[path] = self._opened(place.plain(name) or self._decide(path), path)
        return place

    def _opened(self, place: Place, path: str) -> Place:
        """A place together with the rules of git that lie in the directory itself."""
        if place.git is None or place.root is None or not place.verdict.watched:
            return place
        git = self._git[place.root].opened(place.git, path)
        return place if git is place.git else self._share(place.with_git(git))

    def _decide(self, directory: str) -> Place:
        """What was decided about a directory: the one function behind `skips` and `explain`."""
        here = directory.rstrip(os.sep)
        place = self._decided.get(here)
        if place is None:
            parent, slash, name = here.rpartition(os.sep)
            if here in self._roots or not slash:
                return self._place(here)
            above = self._place(parent)
            place = self._decided[here] = self._below(above, here, name)
            above.learn(name, place)
        return place

    def _share(self, place: Place) -> Place:
        """The place that is known already for all directories that see the same."""
        return place if place.apart else self._shared.setdefault(place.seen(), place)

    def _below(self, parent: Place, path: str, name: str) -> Place:
        """Decide about a directory by the one above it."""
        if not parent.verdict.watched:
            return parent
        early = verdict.PRIVATE_OUT if name in builtin.PRIVATE else None
        if early := early or parent.listed(name, is_dir=True):
            return Place(parent.root, early._replace(subject=path))
        place = self._entered(parent, path, name)
        place.verdict = _directory(parent, place, path, name)
        if not place.verdict.watched:
            return place
        if parent.git is not None:
            place.git = parent.git.below(name)
        return self._share(place)

    def _entered(self, parent: Place, path: str, name: str) -> Place:
        """A place below `parent` with all lists as seen from there; nothing is decided."""
        place = Place(parent.root, verdict.WATCHED)
        place.apart = path in self._ways
        place.outputs, place.globs = self._outputs.seen_from(path, name, parent.globs)
        if parent.exclude is not None:
            place.exclude = parent.exclude.below(name)
        place.include = tuple([seen.below(name) for seen in parent.include])
        place.opens = tuple([seen.below(name) for seen in parent.opens])
        return place

    def _at_root(self, root: str) -> Place:
        """The place of a root: of all rules only `exclude` and outputs speak about it."""
        place = self._above(root)
        name = root.rpartition(os.sep)[2]
        out = None
        if root:
            out = place.listed(name, is_dir=True) if place.verdict.watched else place.verdict
            place = self._entered(place, root, name)
        self._begin_lists(place, root, root)
        place.apart, place.root, place.verdict = True, root, out or verdict.ROOT
        if root in self._git:
            place.git = self._git[root].directory(root)
        return place

    def _above(self, root: str) -> Place:
        """The directory above a root as the lists see it, git and built-in names left out."""
        path, *names = root.split(os.sep)
        place = Place(None, verdict.WATCHED)
        place.outputs, place.globs = self._outputs.seen_from(path, "", ())
        self._begin_lists(place, path, root)
        for name in names[:-1]:
            out = place.listed(name, is_dir=True)
            path = f"{path}{os.sep}{name}"
            place = self._entered(place, path, name)
            self._begin_lists(place, path, root)
            if out is not None:
                place.verdict = out._replace(subject=path)
                break
        return place

    def _begin_lists(self, place: Place, path: str, root: str) -> None:
        """Start the lists of the config where their globs are relative to."""
        below = root.startswith(self._base + os.sep)
        if path == (self._base if below else root):
            place.exclude = None if self._exclude is None else self._exclude.view("")
            place.include, place.opens = self._include, self._opens


def _ways(paths: Iterable[str]) -> frozenset[str]:
    """These paths and all above them."""
    found = set[str]()
    for path in paths:
        here = path
        while here not in found:
            found.add(here)
            here = here.rpartition(os.sep)[0]
    return frozenset(found)


def _directory(parent: Place, place: Place, path: str, name: str) -> Verdict:
    """Decide about a directory that no stronger list leaves out; sets `place.shut`."""
    opened = any(seen.may_hold() for seen in place.opens)
    generated = builtin.generated(path, name)
    if generated is not None and not any(seen.view.names() for seen in place.opens):
        return generated._replace(subject=path)
    if place.include and not any(seen.may_hold() for seen in place.include):
        return verdict.CANNOT_INCLUDE._replace(subject=path)
    place.shut = parent.shut or generated
    if opened:
        return verdict.WATCHED
    rule = None if parent.git is None else parent.git.match(name, is_dir=True)
    if place.shut is None and (rule is None or rule.negated):
        kept = rule is not None and not place.include
        return Verdict(True, verdict.KEPT, rule) if kept else verdict.WATCHED
    return (place.shut or Verdict(False, verdict.IGNORED, rule))._replace(subject=path)


def _joined(
    include: tuple[str, Sequence[str]], rules: Sequence[tuple[str, Sequence[str]]]
) -> Iterator[list[tuple[str, Sequence[str]]]]:
    """The lists as few as may be: only one that takes back has to stand alone."""
    backs = [any(text.startswith("!") for text in texts) for _, texts in rules]
    yield [include, *(rule for rule, back in zip(rules, backs, strict=True) if not back)]
    yield from ([rule] for rule, back in zip(rules, backs, strict=True) if back)


def _seen(lists: list[list[Pattern]]) -> tuple[Seen, ...]:
    """The lists as seen from where they begin."""
    return tuple([Seen(Globs(found).view("")) for found in lists])
