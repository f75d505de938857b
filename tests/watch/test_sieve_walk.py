"""Random walks: what a sift reports is what differs on the disk, no more and no less."""

from __future__ import annotations

import contextlib
import mmap
import os
import random
import shutil
import stat
import tempfile
import threading
import time
from typing import TYPE_CHECKING

import pytest
from ear import Ear, exchange, write
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hotrun.watch import Event, Item, Overflow
from hotrun.watch.sieve.contents import FINE
from hotrun.watch.sieve.digest import digest_of
from hotrun.watch.sieve.sieve import Sieve
from hotrun.watch.sieve.snapshot import list_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = int(os.environ.get("HOTRUN_TEST_SEED", "20261121"))

FILES = ("f.go", "g.go", "a/f.go", "a/g.go", "a/b/f.go", "ab/f.go", "a", "x.log", "skip/f.go")
DIRECTORIES = ("a", "ab", "a/b", "skip", "f.go")
CONTENTS = (b"", b"1", b"2", b"one", b"two", b"x" * 5000)
EMPTY = b""


class Rules:
    """*.log and skip/ are out."""

    def skips(self, directory: str) -> bool:
        return "skip" in directory.split("/")

    def wants(self, path: str) -> bool:
        return not path.endswith(".log") and "skip" not in path.split("/")[:-1]

    def is_ignore_file(self, _: str) -> bool:
        return False

    def reload(self) -> None:
        pass


def atomic(path: str, content: bytes) -> None:
    os.rename(write(f"{os.path.dirname(path)}/sedAbCdEf", content), path)


def backed_up(path: str, content: bytes) -> None:
    os.rename(path, f"{path}.log")
    write(path, content)


def in_place(path: str, content: bytes) -> None:
    """Write at the beginning and set the time back."""
    found = os.stat(path)
    with open(path, "r+b") as file:
        file.write(content)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def mapped(path: str, content: bytes) -> None:
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[: len(content)] = content[: len(memory)]


def link(path: str, content: bytes) -> None:
    os.remove(path)
    os.symlink(content[:3] or b"nowhere", os.fsencode(path))


ON_FILES = {
    "write": write,
    "atomic": atomic,
    "backed up": backed_up,
    "in place": in_place,
    "mapped": mapped,
    "link": link,
    "truncate": lambda path, _: os.truncate(path, 0),
    "remove": lambda path, _: os.remove(path),
    "touch": lambda path, _: os.utime(path),
    "chmod": lambda path, content: os.chmod(path, 0o600 | len(content) % 0o100),
    "run": lambda path, content: os.chmod(path, 0o700 if content else 0o600),
}
ON_TWO = {"move": os.rename, "swap": exchange, "hang": lambda one, two: os.rename(one, f"{two}/f")}
ON_DIRECTORIES = {"mkdir": os.makedirs, "rmtree": shutil.rmtree}

STEPS = st.one_of(
    st.tuples(st.sampled_from(sorted(ON_FILES)), st.sampled_from(FILES), st.sampled_from(CONTENTS)),
    st.tuples(
        st.sampled_from(sorted(ON_TWO)),
        st.sampled_from((*FILES, *DIRECTORIES)),
        st.sampled_from((*FILES, *DIRECTORIES)),
    ),
    st.tuples(
        st.sampled_from(sorted(ON_DIRECTORIES)), st.sampled_from(DIRECTORIES), st.just(EMPTY)
    ),
    st.tuples(st.just("sift"), st.just(""), st.just(EMPTY)),
)
Step = tuple[str, str, object]


class Walk:
    """A tree, a sieve that knows it, and an independent look at the disk."""

    def __init__(self, top: str) -> None:
        self.root = f"{top}/root"
        for name, content in (("f.go", b"1"), ("a/f.go", b"2"), ("a/b/f.go", b"one")):
            write(f"{self.root}/{name}", content)
        self.ear = Ear(f"{top}/cookies", self.root)
        self.sieve = Sieve([self.root], Rules())
        end = time.time_ns() + FINE
        while time.time_ns() <= end:  # files as new as this cannot be primed
            pass
        self.sieve.list()
        for _ in self.sieve.prime():
            pass
        self.seen = truth(self.root)

    def step(self, kind: str, one: str, other: object) -> None:
        """Do one thing; that it cannot be done is no harm."""
        path = f"{self.root}/{one}"
        with contextlib.suppress(OSError, ValueError):
            if kind in ON_FILES:
                ON_FILES[kind](path, other)
            elif kind in ON_TWO:
                ON_TWO[kind](path, f"{self.root}/{other}")
            elif kind in ON_DIRECTORIES:
                ON_DIRECTORIES[kind](path)

    def sift(self, items: list[Item]) -> None:
        """Let the sieve compare, and hold its answer against the disk."""
        self.sieve.note(items)
        *_, found = self.sieve.sift()
        assert found is not None
        now = truth(self.root)
        assert found.changed == sorted(
            path for path in now.keys() | self.seen.keys() if now.get(path) != self.seen.get(path)
        )
        assert not set(found.saved) & set(found.changed)
        self.seen = now
        self.check()

    def sift_in_doubt(self) -> None:
        """Let the sieve compare; what differs has to lead to a build, and more may."""
        *_, found = self.sieve.sift()
        assert found is not None
        now = truth(self.root)
        assert found.changed or now == self.seen
        self.seen = now

    def has_emptied(self) -> bool:
        return any(EMPTY in value for value in truth(self.root).values())

    def check(self) -> None:
        """What the sieve knows is what is there, to the byte."""
        self.check_listing()
        hashes = self.sieve._known.contents.hashes
        for path, digest in hashes.items():
            assert digest == digest_of(path), path
        assert set(hashes) == set(self.sieve.paths())

    def check_listing(self) -> None:
        listed = list_tree([self.root], Rules().skips, Rules().wants)
        assert self.sieve._known.tree == listed


def truth(root: str) -> dict[str, tuple[object, ...]]:
    """Every wanted file: its bytes and who may run it, or where it leads."""
    found: dict[str, tuple[object, ...]] = {}
    for top, below, names in os.walk(root):
        links = [name for name in below if os.path.islink(f"{top}/{name}")]
        below[:] = [name for name in below if name != "skip"]
        for name in (*names, *links):
            path = f"{top}/{name}"
            if Rules().wants(path):
                found[path] = one_truth(path)
    return found


def one_truth(path: str) -> tuple[object, ...]:
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        return ("link", os.readlink(path))
    with open(path, "rb") as file:
        return ("file", file.read(), mode & 0o111)


@contextlib.contextmanager
def walking() -> Iterator[Walk]:
    """Yield a walk in a place of its own."""
    with tempfile.TemporaryDirectory() as top:
        walk = Walk(os.path.realpath(top))
        try:
            yield walk
        finally:
            walk.ear.watcher.close()


def check_exact(steps: list[Step]) -> None:
    with walking() as walk:
        for kind, one, other in steps:
            if kind == "sift":
                walk.sift(walk.ear.all())
            walk.step(kind, one, other)
        walk.sieve.note(walk.ear.all())
        assert not walk.sieve.unfinished or walk.has_emptied()
        walk.sift([])
        walk.sift(walk.ear.all())


def check_lossy(steps: list[Step], chance: random.Random) -> None:
    """Events get lost, doubled and shuffled; then the overflow says so."""
    with walking() as walk:
        for kind, one, other in steps:
            if kind == "sift":
                items = walk.ear.all()
                left = [item for item in items if chance.random() < 0.5]
                left += [item for item in items if chance.random() < 0.3]
                chance.shuffle(left)
                walk.sieve.note(left)
                walk.sift([Overflow(walk.root)])
            walk.step(kind, one, other)
        walk.sift([Overflow(walk.root)])


def check_doubtful(steps: list[Step]) -> None:
    """The build begins before the listing is done: it saw the tree as it was then."""
    with walking() as walk:
        listing = walk.sieve.listing()
        walk.sieve.doubt()
        for kind, one, other in steps:
            if kind == "list":
                next(listing, None)
            elif kind == "sift":
                walk.sieve.note(walk.ear.all())
                walk.sift_in_doubt()
            walk.step(kind, one, other)
        for _ in listing:
            pass
        walk.sieve.note(walk.ear.all())  # all that came before the end of the listing
        walk.sieve.trust()
        walk.sift_in_doubt()
        walk.check_listing()
        walk.step("write", "f.go", b"another")
        walk.sieve.note(walk.ear.all())
        walk.sift_in_doubt()
        walk.check_listing()


LISTS = st.lists(STEPS, max_size=30)
DOUBTFUL = st.one_of(STEPS, st.tuples(st.just("list"), st.just(""), st.just(EMPTY)))


@settings(max_examples=200, deadline=None)
@example([("move", "a", "skip"), ("mkdir", "a", EMPTY)])
@example(
    [
        ("rmtree", "a", EMPTY),
        ("mkdir", "a/b", EMPTY),
        ("list", "", EMPTY),
        ("sift", "", EMPTY),
        ("move", "a", "g.go"),
        ("atomic", "a/f.go", EMPTY),
    ]
)
@given(st.lists(DOUBTFUL, max_size=30))
def test_a_build_that_begins_before_the_listing_is_done_misses_nothing(steps: list[Step]) -> None:
    check_doubtful(steps)


@pytest.mark.stress
@settings(max_examples=6_000, deadline=None)
@given(st.lists(DOUBTFUL, max_size=80))
def test_a_long_walk_before_the_listing_is_done_misses_nothing(steps: list[Step]) -> None:
    check_doubtful(steps)


@settings(max_examples=100, deadline=None)
@given(LISTS)
def test_a_sift_reports_exactly_what_differs(steps: list[Step]) -> None:
    check_exact(steps)


@settings(max_examples=60, deadline=None)
@given(LISTS, st.randoms(use_true_random=False))
def test_with_events_lost_doubled_and_shuffled_too(
    steps: list[Step], chance: random.Random
) -> None:
    check_lossy(steps, chance)


@pytest.mark.stress
@settings(max_examples=4_000, deadline=None)
@given(st.lists(STEPS, max_size=80))
def test_a_long_walk_is_reported_exactly(steps: list[Step]) -> None:
    check_exact(steps)


@pytest.mark.stress
@settings(max_examples=2_000, deadline=None)
@given(st.lists(STEPS, max_size=80), st.randoms(use_true_random=False))
def test_a_long_lossy_walk_is_reported_exactly(steps: list[Step], chance: random.Random) -> None:
    check_lossy(steps, chance)


def race(seed: int, count: int) -> None:
    """Sift all the time while another thread changes files; at rest nothing was missed."""
    chance = random.Random(seed)
    kinds = sorted({*ON_FILES, *ON_TWO, *ON_DIRECTORIES})
    steps = [
        (kind, chance.choice(FILES), chance.choice(CONTENTS))
        if kind in ON_FILES
        else (kind, chance.choice(DIRECTORIES), chance.choice(DIRECTORIES))
        for kind in chance.choices(kinds, k=count)
    ]
    with walking() as walk:
        told = set()
        worker = threading.Thread(target=lambda: [walk.step(*step) for step in steps])
        worker.start()
        while worker.is_alive():
            walk.sieve.note(walk.ear.watcher.read(0.001))
            *_, found = walk.sieve.sift()
            assert found is not None
            told.update(found.changed)
        walk.sieve.note([item for item in walk.ear.all() if isinstance(item, Event)])
        *_, found = walk.sieve.sift()
        assert found is not None
        told.update(found.changed)
        walk.check()
        now = truth(walk.root)
        assert {path for path in now if now[path] != walk.seen.get(path)} <= told


@pytest.mark.parametrize("seed", range(SEED, SEED + 8))
def test_nothing_is_missed_while_files_change_under_our_hands(seed: int) -> None:
    race(seed, 400)


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(SEED, SEED + 200))
def test_nothing_is_missed_in_a_long_race(seed: int) -> None:
    race(seed, 3_000)
