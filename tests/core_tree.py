"""The simulated project of the core's random walks: a tree of files, and the sieve before it.

Some files are built, some are for the command of a rule, which makes another file of each, one
is an env file, and of some the app has to be told by a signal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hotrun.facts import FilesChanged, Step

NOT_COMPILED = "notes.md"  # a change in it builds the same artifact
COMPILED = ("main.go", "lib.go", "page.go", "gen.go")
BUILT = (*COMPILED, NOT_COMPILED)
# The second rule makes what the first one is for.
RULES = {"page.templ": 0, "gen.templ": 0, "site.toml": 1}
MAKES = {"page.templ": "page.go", "gen.templ": "gen.go", "site.toml": "gen.templ"}
ENV = ".env"
SIGNALS = {"app.conf": 1, "log.conf": 10}
PATHS = (*BUILT, *RULES, ENV, *SIGNALS)
# By a person; what a command makes is left alone.
EDITED = ("main.go", "page.templ", "lib.go", "site.toml", "notes.md", ENV, *SIGNALS)
CONTENTS = (0, 1, 2)  # few, so that an edit often takes an earlier one back

Content = dict[str, int]


@dataclass
class Reading:
    """What a build, or an app without a build, found in the tree."""

    content: Content

    @property
    def artifact(self) -> Content:
        return {path: self.content[path] for path in COMPILED}


@dataclass
class Comparison:
    """A sift under way: the touched files as they were when it began."""

    last: bool
    content: Content


def beginning() -> Content:
    return dict.fromkeys(PATHS, 0)


@dataclass
class Tree:
    """The files, the watcher's events, and the sieve that turns them into changes."""

    disk: Content = field(default_factory=beginning)
    reported: Content = field(default_factory=beginning)
    events: set[str] = field(default_factory=set)  # not yet read from the kernel
    touched: set[str] = field(default_factory=set)  # read, not yet compared
    sift: Comparison | None = None
    exposed: set[str] = field(default_factory=set)  # something read them before they were sifted

    def edit(self, path: str, content: int) -> None:
        # The app may read these at any time, and so they never come back to what they were.
        lasting = path == ENV or path in SIGNALS
        self.disk[path] = self.disk[path] + 1 if lasting else content
        self.events.add(path)

    def read_events(self) -> None:
        self.touched |= self.events
        self.events = set()

    def begin(self, *, last: bool) -> None:
        self.sift = Comparison(last, {path: self.disk[path] for path in sorted(self.touched)})
        self.touched = set()

    def hold(self) -> None:
        if self.sift is not None:
            self.touched |= self.sift.content.keys()
        self.sift = None

    def finish(self, *, early: bool) -> tuple[str, ...]:
        """End the sift; ``early``: it read the files when it began, not only now."""
        compared = {} if self.sift is None else self.sift.content
        found = compared if early else {path: self.disk[path] for path in compared}
        # An edit that was taken back is a change all the same, if a build may have read it.
        changed = tuple(
            path for path, it in found.items() if self.reported[path] != it or path in self.exposed
        )
        self.exposed -= found.keys()
        self.reported.update(found)
        self.sift = None
        return changed

    def read(self) -> Reading:
        self.exposed |= {path for path in PATHS if self.disk[path] != self.reported[path]}
        return Reading(dict(self.disk))

    def make(self, sources: Iterable[str]) -> Content:
        """Run the command of a rule: return what it read."""
        content = {path: self.read().content[path] for path in sorted(sources)}
        for path, it in content.items():
            self.edit(MAKES[path], it)
        return content

    def coming(self) -> set[str]:
        """Paths that a sift to come, or the one under way, will look at."""
        compared = set() if self.sift is None else set(self.sift.content)
        return self.events | self.touched | compared

    def differs(self, content: Content, paths: Iterable[str]) -> set[str]:
        """Those of the paths that are no longer as they were read."""
        return {path for path in paths if content[path] != self.disk[path]}


def steps_for(paths: Iterable[str], config: int) -> tuple[Step, ...]:
    """Return what the rules of a config, told by its number, run for files."""
    return tuple(Step(RULES[path], f"make {config}", path) for path in paths if path in RULES)


def sorted_out(changed: tuple[str, ...], config: int, *, rules: bool) -> FilesChanged:
    """Return what follows from a change; without rules all of it is built."""
    if not rules:
        return FilesChanged(tuple(path for path in changed if path in BUILT), ENV in changed)
    return FilesChanged(
        tuple(path for path in changed if path in BUILT),
        ENV in changed,
        steps_for(changed, config),
        tuple(sorted(SIGNALS[path] for path in changed if path in SIGNALS)),
    )
