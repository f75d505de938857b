"""hotrun's own decision: is this path watched, and by which rule.

Law: `wants`, `skips` and `explain` ask one function each for files and for directories, so they
cannot disagree; and nothing below a directory that is skipped is ever wanted.
The order: below a root; always-out names, outputs, editor temporaries; `exclude`; `include`; git.
Every directory gets a `_Place` once, which holds all lists as they are seen from there.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple, dataclass
from hotrun.watch.rules.globs import Globs, View
from hotrun.watch.rules.ignore import Directory, GitIgnore
from hotrun.watch.rules.lists import Seen, globs, opening, patterns
from hotrun.watch.rules.outputs import Outputs
from hotrun.watch.rules.pattern import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hotrun.watch.rules.pattern import Pattern

__all__ = ["Decision", "Filter", "Rule"]

# Version control and hotrun's own state: no rule and no root below them brings these back.
_PRIVATE = frozenset((".git", ".hg", ".svn", ".jj", ".hotrun"))
# Installed or generated, and large; an include that spells the name out opens them.
_INSTALLED = frozenset(("node_modules", ".venv", "__pycache__"))
# The same, but the name alone proves nothing: the file must be in it.
_MARKERS = {"target": "CACHEDIR.TAG", "venv": "pyvenv.cfg", "env": "pyvenv.cfg"}

# Files of vim (`4913`, swap files, backups), Emacs (locks, auto-saves), JetBrains and macOS.
_JUNK_NAMES = frozenset(("4913", ".DS_Store"))
_JUNK_ENDS = ("~", "___jb_tmp___", "___jb_old___")


class _Verdict(NamedTuple):
    """A decision before it is put into words; `why` is filled in from the rule."""

    watched: bool
    why: str
    rule: Rule | None = None
    subject: str = ""


_OUTSIDE = _Verdict(False, "It is below none of the watched roots.")
_WATCHED = _Verdict(True, "It is below a watched root, and no rule leaves it out.")
_ROOT = _Verdict(True, "It is a watched root.")
_PRIVATE_OUT = _Verdict(False, "Version control and hotrun's own files are never watched.")
_INSTALLED_OUT = _Verdict(False, "Installed and generated files are not watched.")
_MARKED_OUT = _Verdict(False, "A file in the directory says that it is generated.")
_JUNK_OUT = _Verdict(False, "It is an editor's temporary file.")
_NOT_INCLUDED = _Verdict(False, "No include pattern matches it.")
_CANNOT_INCLUDE = _Verdict(False, "No include pattern can match anything in it.")
_OUTPUT = "`{0.pattern}` is an output of the build."
_EXCLUDED = "`{0.pattern}` in {0.file} leaves it out."
_INCLUDED = "`{0.pattern}` in {0.file} names it."
_TAKEN_BACK = "`{0.pattern}` in {0.file} takes it back."
_OPENED = "`{0.pattern}` in {0.file} names it, which is stronger than what ignores it."
_IGNORED = "Git ignores it: `{0.pattern}` in {0.file}, line {0.line}."
_KEPT = "`{0.pattern}` in {0.file}, line {0.line}, keeps it."


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


class _Place:
    """One directory: what was decided about it, and the lists as they are seen from it.

    Attributes:
        path: Absolute; "" for "/".
        root: The root it belongs to; None above all roots.
        verdict: What was decided about the directory itself.
        shut: Why its entries are out unless an include opens them.
        include: What is included; empty: everything.
        opens: Those of its patterns that are stronger than git.
    """

    __slots__ = (
        "exclude", "git", "globs", "include", "opens", "outputs", "path", "root", "shut", "verdict",
    )  # fmt: skip

    def __init__(self, path: str, root: str | None, verdict: _Verdict) -> None:
        self.path = path
        self.root = root
        self.verdict = verdict
        self.shut: _Verdict | None = None
        self.exclude: View | None = None
        self.include: tuple[Seen, ...] = ()
        self.opens: tuple[Seen, ...] = ()
        self.outputs: Mapping[str, Rule] = {}
        self.globs: tuple[View, ...] = ()
        self.git: Directory | None = None


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
        # Places from which a root that may be a file is reached.
        self._parents = {root.rpartition(os.sep)[0] for root in self._roots}
        lists = [patterns(joined) for joined in _joined(("watch.include", include), rules)]
        self._include = _seen(lists) if include else ()
        opens = [opening(found) for found in lists]
        self._opens = _seen([found for found in opens if any(not p.negated for p in found)])
        self._exclude = globs(patterns([("watch.exclude", exclude)]))
        self._outputs = Outputs(outputs, self._base)
        self._git = {root: GitIgnore(root) for root in self._roots} if gitignore else {}
        self._places: dict[str, _Place] = {}

    def skips(self, directory: str) -> bool:
        """Whether `directory` must never be opened, listed or watched."""
        place = self._places.get(directory) or self._place(directory)
        return not place.verdict.watched

    def wants(self, path: str) -> bool:
        """Whether a change of `path`, a file or a link, counts."""
        parent, _, name = path.rpartition(os.sep)
        place = self._places.get(parent) or self._place(parent)
        return self._file(place, name).watched

    def explain(self, path: str, is_dir: bool = False) -> Decision:
        """Say what `wants` (with `is_dir`: the opposite of `skips`) answers, and why.

        Args:
            path: Absolute; it need not exist.
            is_dir: It is a directory; a link to one is not.
        """
        if is_dir:
            place = self._place(path)
            verdict = place.verdict
        else:
            parent, _, name = path.rpartition(os.sep)
            place = self._place(parent)
            verdict = self._file(place, name)
        reason = verdict.why.format(verdict.rule)
        if verdict.subject not in ("", path):
            because = reason[0].lower() + reason[1:]
            reason = f"Its directory {verdict.subject} is left out: {because}"
        root = path if path in self._roots else place.root
        return Decision(verdict.watched, reason, verdict.rule, os.sep if root == "" else root)

    def is_ignore_file(self, path: str) -> bool:
        """Whether a change of `path` may change decisions, so that `reload` is due.

        True for ignore files, and for the files that mark a directory as generated.
        """
        parent, _, name = path.rpartition(os.sep)
        if _MARKERS.get(parent.rpartition(os.sep)[2]) == name:
            return True
        return any(git.reads(path) for git in self._git.values())

    def reload(self) -> None:
        """Forget every decision; ignore files are read again when next needed."""
        self._places.clear()
        for git in self._git.values():
            git.reload()

    def _file(self, place: _Place, name: str) -> _Verdict:
        """Decide about a file or link: the one function behind `wants` and `explain`."""
        if place.path in self._parents and f"{place.path}{os.sep}{name}" in self._roots:
            place = self._above(f"{place.path}{os.sep}{name}")
        if not place.verdict.watched:
            return place.verdict
        verdict = _temporary(name) or _listed(place, name, is_dir=False)
        if verdict is None:
            verdict = _included(place, name) if place.include else _WATCHED
        return _past_git(place, name, verdict) if verdict.watched else verdict

    def _place(self, directory: str) -> _Place:
        """The place of a directory, made from the nearest known one above it."""
        missing = []
        here = directory.rstrip(os.sep)
        while (place := self._places.get(here)) is None:
            parent, slash, name = here.rpartition(os.sep)
            if here in self._roots:
                place = self._places[here] = self._at_root(here)
            elif not slash:
                place = self._places[here] = _Place(here, None, _OUTSIDE)
            else:
                missing.append((here, name))
                here = parent
        for path, name in reversed(missing):
            place = self._places[path] = self._below(place, path, name)
        return place

    def _below(self, parent: _Place, path: str, name: str) -> _Place:
        """Decide about a directory: the one function behind `skips` and `explain`."""
        if not parent.verdict.watched:
            return _Place(path, parent.root, parent.verdict)
        early = _PRIVATE_OUT if name in _PRIVATE else _listed(parent, name, is_dir=True)
        if early is not None:
            return _Place(path, parent.root, early._replace(subject=path))
        place = self._entered(parent, path, name)
        place.verdict = self._directory(parent, place, name)._replace(subject=path)
        if place.verdict.watched and parent.git is not None and parent.root is not None:
            place.git = self._git[parent.root].directory(path)
        return place

    def _directory(self, parent: _Place, place: _Place, name: str) -> _Verdict:
        """Decide about a directory that no stronger list leaves out; sets `place.shut`."""
        opened = any(seen.may_hold() for seen in place.opens)
        generated = _generated(place.path, name)
        if generated is not None and not any(seen.view.names() for seen in place.opens):
            return generated
        if place.include and not any(seen.may_hold() for seen in place.include):
            return _CANNOT_INCLUDE
        place.shut = parent.shut or generated
        if opened:
            return _WATCHED
        rule = None if parent.git is None else parent.git.match(name, is_dir=True)
        if place.shut is not None or rule is None:
            return place.shut or _WATCHED
        if rule.negated:
            return _WATCHED if place.include else _Verdict(True, _KEPT, rule)
        return _Verdict(False, _IGNORED, rule)

    def _entered(self, parent: _Place, path: str, name: str) -> _Place:
        """A place below `parent` with all lists as seen from there; nothing is decided."""
        place = _Place(path, parent.root, _WATCHED)
        place.outputs, place.globs = self._outputs.seen_from(path, name, parent.globs)
        if parent.exclude is not None:
            place.exclude = parent.exclude.below(name)
        place.include = tuple([seen.below(name) for seen in parent.include])
        place.opens = tuple([seen.below(name) for seen in parent.opens])
        return place

    def _at_root(self, root: str) -> _Place:
        """The place of a root: of all rules only `exclude` and outputs speak about it."""
        place = self._above(root)
        name = root.rpartition(os.sep)[2]
        out = None
        if place.path != root:
            out = _listed(place, name, is_dir=True) if place.verdict.watched else place.verdict
            place = self._entered(place, root, name)
        self._begin_lists(place, root)
        place.root, place.verdict = root, out or _ROOT
        if root in self._git:
            place.git = self._git[root].directory(root)
        return place

    def _above(self, root: str) -> _Place:
        """The directory above a root as the lists see it, git and built-in names left out."""
        first, *names = root.split(os.sep)
        place = _Place(first, None, _WATCHED)
        place.outputs, place.globs = self._outputs.seen_from(first, "", ())
        self._begin_lists(place, root)
        for name in names[:-1]:
            out = _listed(place, name, is_dir=True)
            path = f"{place.path}{os.sep}{name}"
            place = self._entered(place, path, name)
            self._begin_lists(place, root)
            if out is not None:
                place.verdict = out._replace(subject=path)
                break
        return place

    def _begin_lists(self, place: _Place, root: str) -> None:
        """Start the lists of the config where their globs are relative to."""
        below = root.startswith(self._base + os.sep)
        if place.path == (self._base if below else root):
            place.exclude = None if self._exclude is None else self._exclude.view("")
            place.include, place.opens = self._include, self._opens


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


def _included(place: _Place, name: str) -> _Verdict:
    """Decide about a file by what is included alone."""
    out = _NOT_INCLUDED
    for seen in place.include:
        found = seen.find(name)
        if found is not None and not found.negated:
            return _Verdict(True, _INCLUDED, found.rule)
        if found is not None and found.rule.file == "watch.include":
            out = _Verdict(False, _TAKEN_BACK, found.rule)
    return out


def _past_git(place: _Place, name: str, chosen: _Verdict) -> _Verdict:
    """Let git have its say about a file that hotrun's own lists watch, for the reason `chosen`."""
    rule = None if place.git is None else place.git.match(name, is_dir=False)
    if place.shut is None and (rule is None or rule.negated):
        return _Verdict(True, _KEPT, rule) if rule and chosen is _WATCHED else chosen
    for seen in place.opens:
        found = seen.find(name)
        if found is not None and not found.negated:
            return _Verdict(True, _OPENED, found.rule)
    return place.shut or _Verdict(False, _IGNORED, rule)


def _listed(place: _Place, name: str, is_dir: bool) -> _Verdict | None:
    """Whether an output or `exclude` leaves an entry out."""
    if name in place.outputs:
        return _Verdict(False, _OUTPUT, place.outputs[name])
    for view in place.globs:
        found = view.find(name, is_dir)
        if found is not None and not found.negated:
            return _Verdict(False, _OUTPUT, found.rule)
    if place.exclude is not None:
        found = place.exclude.find(name, is_dir)
        if found is not None and not found.negated:
            return _Verdict(False, _EXCLUDED, found.rule)
    return None


def _generated(path: str, name: str) -> _Verdict | None:
    """Whether a directory is installed or generated, by its name or by a file in it."""
    if name in _INSTALLED:
        return _INSTALLED_OUT
    marker = _MARKERS.get(name)
    if marker is not None and os.path.lexists(f"{path}{os.sep}{marker}"):
        return _MARKED_OUT
    return None


def _temporary(name: str) -> _Verdict | None:
    """Whether a file is an editor's own, or the `.git` of a linked work tree."""
    if (
        name.endswith(_JUNK_ENDS)
        or name in _JUNK_NAMES
        or name.startswith(".#")
        or name[-4:-1] == ".sw"
        or (name.startswith("#") and name.endswith("#") and len(name) > 1)
    ):
        return _JUNK_OUT
    return _PRIVATE_OUT if name == ".git" else None
