"""The small language of ``tests/watch/scripts``: what is done, and what is to be heard of it.

One file is one situation; its first comment says what is to be seen. Paths: see ``world.py``.
A line is a command (those of ``world.py``, or one of these):

    watch PATH [nonrecursive] [missing] [ops=create+write|base|saves|all]
    unwatch PATH
    refresh
    wait                        everything so far was heard (no time passes: a cookie is)
    repeat N ... end            what is between, N times
    option follow_symlinks      before the first ``watch``
    option skip NAME            the same
    only BACKEND                of this one alone something is to be seen

``expect`` begins a list of all that was heard since the last one, indented, an event a line:
``create b <- a`` was renamed from ``a``; a directory ends with a slash; ``nothing`` is an empty
list. ``expect poll``, ``expect kqueue``, or both names, takes its place for backends that know
other things; the comment above it says why.

How it is compared:

- inotify: in order. Equal writes (and the like) in a row count once, for the kernel merges them
  while they are unread. ``found x`` is the ``create x`` of a listing, whose order is the disk's:
  neighbours that were found may come in any order.
- ``whatever`` as the list: what is told depends on the numbers a filesystem gives to its inodes,
  so the replay (see below) alone is looked at.
- all others: as a set of single ops. Of what was created since the last list, nothing else but
  its end is expected: whoever compares two states cannot know that it was written too.

After each list the events, replayed onto a set of paths, have to give what is on the disk.
A second run listens all the time instead of at the lists alone. More may be seen then, and what
happened before a directory could be watched is found: what is expected has to be among what is
heard, or the path to be created, and the replay has to be right again.
"""

from __future__ import annotations

import difflib
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from ear import Ear
from fake_kqueue import Kq
from replay import Replay, Roots
from world import World

from hotrun.watch import BASE, SAVES, Event, Item, Op
from hotrun.watch.kqueue.backend import Kqueue
from hotrun.watch.pause import Pause
from hotrun.watch.polling.source import Polling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from hotrun.watch.scope import Scope

BACKENDS = ("inotify", "poll", "kqueue")
_SETS = {"base": BASE, "saves": SAVES, "all": ~Op(0)}


# --- the file ---


@dataclass
class Step:
    """Some commands, and what is to be heard of them: lines, by backend ("" for most)."""

    commands: list[list[str]] = field(default_factory=list)
    expected: dict[str, list[str]] = field(default_factory=dict)
    line: int = 0

    def parts(self) -> list[list[list[str]]]:
        """Return the commands between one wait and the next."""
        parts: list[list[list[str]]] = [[]]
        for words in self.commands:
            if words == ["wait"]:
                parts.append([])
            else:
                parts[-1].append(words)
        return parts

    def lines(self, backend: str) -> list[str]:
        """What a backend is to say."""
        return self.expected.get(backend, self.expected[""])


@dataclass
class Script:
    """One situation."""

    about: str
    steps: list[Step]
    options: list[list[str]]
    only: str


def parse(text: str) -> Script:  # noqa: C901 - one branch a word
    """Read a script.

    Raises:
        ValueError: it is none; with the number of the line.
    """
    steps, options, only = [Step()], [], ""
    above = about = ""
    target: list[str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("# ")[0].split()
        if line.startswith("# "):
            about = about or line[2:]
        elif line.startswith(" ") and target is not None and words:
            target.append(_normal(words))
        elif words and words[0] == "expect":
            target = []
            for backend in words[1:] or [""]:
                if backend and not above.startswith("# "):
                    raise ValueError(f"line {number}: say above it why {backend} differs")
                steps[-1].expected[backend] = target
            steps[-1].line = steps[-1].line or number
        elif words and words[0] == "option":
            options.append(words[1:])
        elif words and words[0] == "only":
            only = words[1]
        elif words:
            if steps[-1].expected:
                steps.append(Step())
            target = None
            steps[-1].commands.append(words)
        above = line
    if not about or "" not in steps[-1].expected:
        raise ValueError(
            "it begins with a comment that says what is to be seen, and ends with expect"
        )
    return Script(about, _unrolled(steps), options, only)


def _normal(words: list[str]) -> str:
    return "" if words == ["nothing"] else " ".join(words)


def _unrolled(steps: list[Step]) -> list[Step]:
    """Put what is repeated in its place, as often as it is."""
    for step in steps:
        done: list[list[str]] = []
        begin = count = 0
        for words in step.commands:
            if words[0] == "repeat":
                begin, count = len(done), int(words[1])
            elif words[0] == "end":
                done += done[begin:] * (count - 1)
            else:
                done.append(words)
        step.commands = done
        for lines in step.expected.values():
            lines[:] = [line for line in lines if line]
    return steps


# --- comparing ---


def differences(expected: list[str], heard: list[str], backend: str) -> str:
    """Compare what was heard with what had to be; nothing if it is that."""
    if backend == "inotify":
        wanted, got = _folded(expected), _folded(heard)
        got = _in_order_of(wanted, got)
        wanted = [line.replace("found ", "create ") for line in wanted]
    else:
        wanted, got = sorted(_knowable(expected)), sorted({*heard})
    if wanted == got:
        return ""
    return "\n".join(difflib.ndiff(wanted, got))


def _is_among(line: str, heard: list[str]) -> bool:
    """Whether a line was heard, or its path was found when it had happened already."""
    op, path = line.split()[:2]
    told = [each.split()[:2] for each in heard]
    return op == "found" or [op, path] in told or ["create", path] in told


def _folded(lines: list[str]) -> list[str]:
    """Leave out what the kernel may merge: a second write, but no second birth or death."""
    return [
        line
        for line, before in zip(lines, ["", *lines], strict=False)
        if line != before or line.split()[0] in ("create", "remove", "rename")
    ]


def _in_order_of(wanted: list[str], heard: list[str]) -> list[str]:
    """Sort what was found, where it stands, like what was to be found there."""
    ordered: list[str] = []
    at = 0
    while at < len(wanted):
        end = at
        while end < len(wanted) and wanted[end].startswith("found "):
            end += 1
        found = [line.replace("found ", "create ") for line in wanted[at:end]]
        part = heard[at : max(end, at + 1)]
        if sorted(part) == sorted(found):
            part = found
        ordered += part
        at = max(end, at + 1)
    return ordered + heard[at:]


def _knowable(lines: list[str]) -> set[str]:
    """What of some events shows in the states before and after them."""
    made: set[str] = set()
    known: set[str] = set()
    for line in lines:
        op, path = line.split()[:2]
        if op in ("create", "found"):
            made.add(path)
            known.add(line.replace("found ", "create "))
        elif path not in made or op in ("remove", "rename"):
            made.discard(path)
            known.add(line)
    return known


# --- running ---


class Looking:
    """Polling as a backend: each look is at everything, and the next one may follow at once."""

    def __init__(self, scope: Scope, say: Callable[[Item], None], _: object) -> None:
        still: Callable[[], float] = lambda: 0.0  # noqa: E731 - a look costs nothing by this clock
        self._polling = Polling(scope, say, 0, clock=still, cost=still)
        self._pause = Pause()

    def __getattr__(self, name: str) -> object:
        waits = name in ("wait", "wake", "woken", "release")
        return getattr(self._pause if waits else self._polling, name)


def backend(name: str) -> object:
    """Return what a watcher takes to be of that kind."""
    return {"inotify": "inotify", "poll": Looking, "kqueue": _kqueue}[name]


def _kqueue(scope: Scope, say: Callable[[Item], None], _: object) -> Kqueue:
    """Make the backend of other systems, on a kqueue that looks at the real tree."""
    return Kqueue(scope, say, Kq())


class Run:
    """A script under way.

    Args:
        script: What to do.
        top: An empty directory.
        backend: Who tells.
        eager: Listen all the time.
    """

    def __init__(self, script: Script, top: str, backend_name: str, *, eager: bool) -> None:
        self._script = script
        self._backend = backend_name
        self._eager = eager
        self._world = World(top)
        names = [words[1] for words in script.options if words[0] == "skip"]
        self._follows = ["follow_symlinks"] in script.options
        self._ear = Ear(
            f"{top}/cookies",
            backend=backend(backend_name),
            skips=lambda path: path.rpartition("/")[2] in names,
            follow_symlinks=self._follows,
        )
        self._roots = Roots(names)
        self._ops = ~Op(0)
        self._replay = Replay(self._roots)
        self._heard: list[Item] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ear.watcher.close()
        self._world.close()

    def go(self) -> None:
        """Do it all."""
        for step in self._script.steps:
            for commands in step.parts():
                with ExitStack() as listening:
                    if self._eager:
                        listening.enter_context(_Listener(self._ear, self._heard))
                    for words in commands:
                        self._do(words)
                self._wait()
            if step.expected:
                self._check(step)
                self._heard.clear()

    def _wait(self) -> None:
        self._heard += self._ear.all()

    def _do(self, words: list[str]) -> None:
        match words:
            case ["watch", word, *how]:
                self._watch(word, how)
            case ["unwatch", word]:
                self._ear.watcher.remove(self._world.path(word))
                self._roots.asked.pop(self._world.path(word))
                self._replay.paths = self._roots.listing()
            case ["refresh"]:
                self._ear.watcher.refresh()
            case _:
                self._world.do(words)

    def _watch(self, word: str, how: list[str]) -> None:
        path, ops = self._world.path(word), BASE
        for option in how:
            if option.startswith("ops="):
                ops = _ops(option[4:])
        recursive = "nonrecursive" not in how
        self._ops &= ops
        self._roots.asked[path] = recursive or self._roots.asked.get(path, False)
        if self._replays():  # before the watch is set, which may hear of mere looks
            self._replay.paths |= self._roots.listing()
        self._ear.watcher.add(path, recursive, ops, missing_ok="missing" in how)

    def _replays(self) -> bool:
        """Whether enough is told for a replay, and each path has one name only."""
        return not self._follows and BASE in self._ops

    def _check(self, step: Step) -> None:
        where = f"line {step.line}, {self._backend}"
        heard = [line for item in self._heard for line in self._lines(item)]
        expected = step.lines(self._backend)
        if expected == ["whatever"]:
            pass
        elif not self._eager:
            wrong = differences(expected, heard, self._backend)
            assert not wrong, f"{where}: - was to be heard, + was heard:\n{wrong}"
        elif self._backend == "inotify":
            missing = [line for line in expected if not _is_among(line, heard)]
            assert not missing, f"{where}: {missing} not in {heard}"
        if self._replays():
            self._replay.hear(self._heard)
            known = self._roots.covered(self._replay.paths)
            there = self._roots.covered(self._roots.listing())
            assert known == there, f"{where}: replayed: {heard}"

    def _lines(self, item: Item) -> Iterable[str]:
        """Write down what was heard as a script does, one op a line."""
        if not isinstance(item, Event):
            path = item.root if hasattr(item, "root") else item.path
            yield f"{type(item).__name__.lower()} {self._world.word(path, directory=True)}"
            return
        path = self._world.word(item.path, directory=item.directory)
        origin = ""
        if item.renamed_from:
            origin = f" <- {self._world.word(item.renamed_from, directory=item.directory)}"
        for op in item.op:
            yield f"{str(op.name).lower()} {path}{origin if op is Op.CREATE else ''}"


def _ops(names: str) -> Op:
    ops = Op(0)
    for name in names.split("+"):
        ops |= _SETS.get(name) or Op[name.upper()]
    return ops


class _Listener:
    """Reads all the time, in a thread of its own, while something is done."""

    def __init__(self, ear: Ear, heard: list[Item]) -> None:
        self._ear = ear
        self._heard = heard
        self._done = False
        self._thread = threading.Thread(target=self._listen)

    def _listen(self) -> None:
        while not self._done:
            items = self._ear.watcher.read()
            self._heard += [item for item in items if not self._ear._is_cookie(item)]

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done = True
        self._ear.watcher.wake()
        self._thread.join()


def scripts(directory: Path) -> dict[str, Script]:
    """Read all scripts of a directory, by name."""
    found = {}
    for path in sorted(directory.glob("*.txt")):
        try:
            found[path.stem] = parse(path.read_text(encoding="ascii"))
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
    return found
