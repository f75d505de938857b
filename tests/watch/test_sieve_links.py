"""Links that lead to directories: left alone, or followed; nothing is lost and loops end."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import stat
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest
from ear import Ear, write

from hotrun.watch import Event, Item, Op, Overflow, Refreshed
from hotrun.watch.rules.filter import Filter
from hotrun.watch.sieve.contents import FINE
from hotrun.watch.sieve.sieve import Sieve
from hotrun.watch.sieve.snapshot import Directory, list_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SEED = int(os.environ.get("HOTRUN_TEST_SEED", "20261121"))

Truth = dict[str, tuple[object, ...]]


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


def truth(root: str, *, follow: bool) -> Truth:
    """Every wanted file by its name: its bytes and who may run it, or where it leads.

    Written without a look at the code: each real directory once, by its own name if it has one
    here, else by the link whose turn comes first.
    """
    found: Truth = {}
    seen: set[tuple[int, int]] = set()
    turns: list[str] = []
    take(root, found, seen, turns, follow=follow)
    turns.sort()
    while follow and turns:
        link = turns.pop(0)
        if os.path.isdir(link) and not Rules().skips(link):
            later: list[str] = []
            take(link, found, seen, later, follow=True, once=True)
            turns += later
    return found


def take(
    directory: str, found: Truth, seen: set[tuple[int, int]], links: list[str],
    *, follow: bool, once: bool = False,
) -> None:  # fmt: skip
    about = os.stat(directory)
    if once and (about.st_dev, about.st_ino) in seen:
        return
    seen.add((about.st_dev, about.st_ino))
    names = sorted(os.listdir(directory))
    for name in names:
        path = f"{directory}/{name}"
        is_directory = stat.S_ISDIR(os.lstat(path).st_mode)
        if not is_directory and Rules().wants(path):
            found[path] = one_truth(path, follow=follow)
        if os.path.islink(path) and os.path.isdir(path):
            links.append(path)
    for name in names:
        path = f"{directory}/{name}"
        if stat.S_ISDIR(os.lstat(path).st_mode) and not Rules().skips(path):
            take(path, found, seen, links, follow=follow, once=once)


def one_truth(path: str, *, follow: bool) -> tuple[object, ...]:
    link: tuple[object, ...] = ()
    if os.path.islink(path):
        link = ("link", os.readlink(path))
        if not follow or not os.path.isfile(path):
            return link
    with open(path, "rb") as file:
        return (*link, "file", file.read(), os.stat(path).st_mode & 0o111)


# Examples ---------------------------------------------------------------------------------------


def learn(sieve: Sieve) -> None:
    """Let it know the tree to the byte."""
    end = time.time_ns() + FINE
    while time.time_ns() <= end:  # files as new as this cannot be primed
        pass
    sieve.list()
    for _ in sieve.prime():
        pass


def sifted(sieve: Sieve, *items: Item) -> list[str]:
    sieve.note(items)
    *_, found = sieve.sift()
    assert found is not None
    return found.changed


def test_a_directory_that_became_a_link_is_not_looked_into(root: str, tmp_path: Path) -> None:
    write(f"{root}/a/f.go", "the same")
    write(f"{tmp_path}/out/f.go", "the same")
    sieve = Sieve([root], Rules())
    learn(sieve)
    shutil.rmtree(f"{root}/a")
    os.symlink(f"{tmp_path}/out", f"{root}/a")
    items = (Event(f"{root}/a", Op.REMOVE, None, True), Event(f"{root}/a", Op.CREATE))
    assert sifted(sieve, *items) == [f"{root}/a", f"{root}/a/f.go"]
    assert list(sieve.paths()) == [f"{root}/a"]
    assert not sifted(sieve, Event(f"{root}/a/f.go", Op.WRITE))


def test_a_change_of_what_a_link_leads_to_is_a_change_of_the_link(
    root: str, tmp_path: Path
) -> None:
    target = write(f"{tmp_path}/out/f.go", "one")
    link = f"{root}/l.go"
    os.symlink(target, link)
    sieve = Sieve([root], Rules(), follow_symlinks=True)
    learn(sieve)
    write(target, "two")
    assert sifted(sieve, Event(link, Op.WRITE)) == [link]
    os.chmod(target, 0o700)
    assert sifted(sieve, Event(link, Op.CHMOD)) == [link]
    os.replace(write(f"{tmp_path}/out/g.go", "three"), target)
    assert sifted(sieve, Overflow(root)) == [link]
    os.remove(target)
    assert sifted(sieve, Overflow(root)) == [link]
    assert not sifted(sieve, Overflow(root))


def test_a_link_in_the_tree_changes_with_its_file_whoever_tells_of_it(root: str) -> None:
    target = write(f"{root}/f.txt", "one")
    os.symlink("f.txt", f"{root}/l.go")
    sieve = Sieve([root], Rules(), follow_symlinks=True)
    learn(sieve)
    write(target, "two")
    assert sifted(sieve, Event(target, Op.WRITE)) == [target, f"{root}/l.go"]


def test_an_event_by_another_link_s_name_is_taken_under_the_known_one(
    root: str, tmp_path: Path
) -> None:
    write(f"{tmp_path}/out/d/f.go", "one")
    for name in ("k", "l"):
        os.symlink(f"{tmp_path}/out", f"{root}/{name}")
    sieve = Sieve([root], Rules(), follow_symlinks=True)
    learn(sieve)
    assert [path for path in sieve.paths() if path.endswith(".go")] == [f"{root}/k/d/f.go"]
    write(f"{tmp_path}/out/d/f.go", "other")
    assert sifted(sieve, Event(f"{root}/l/d/f.go", Op.WRITE)) == [f"{root}/k/d/f.go"]
    os.remove(f"{tmp_path}/out/d/f.go")
    assert sifted(sieve, Event(f"{root}/l/d/f.go", Op.REMOVE)) == [f"{root}/k/d/f.go"]


def test_an_event_by_a_link_s_name_is_taken_under_the_directory_s_own(root: str) -> None:
    write(f"{root}/d/f.go", "one")
    os.symlink("d", f"{root}/l")
    sieve = Sieve([root], Rules(), follow_symlinks=True)
    learn(sieve)
    write(f"{root}/d/f.go", "other")
    assert sifted(sieve, Event(f"{root}/l/f.go", Op.WRITE)) == [f"{root}/d/f.go"]
    write(f"{root}/d/new/g.go")
    told = Event(f"{root}/l/new", Op.CREATE, None, True)
    assert sifted(sieve, told) == [f"{root}/d/new/g.go"]


def test_when_the_link_that_was_followed_goes_another_one_takes_its_place(
    root: str, tmp_path: Path
) -> None:
    write(f"{tmp_path}/out/f.go", "one")
    for name in ("k", "l"):
        os.symlink(f"{tmp_path}/out", f"{root}/{name}")
    sieve = Sieve([root], Rules(), follow_symlinks=True)
    learn(sieve)
    os.remove(f"{root}/k")
    paths = [f"{root}/{name}" for name in ("k", "k/f.go", "l/f.go")]
    assert sifted(sieve, Event(f"{root}/k", Op.REMOVE)) == paths
    write(f"{tmp_path}/out/f.go", "other")
    assert sifted(sieve, Event(f"{root}/l/f.go", Op.WRITE)) == [f"{root}/l/f.go"]


def test_the_rules_hold_for_the_names_behind_a_link(root: str, tmp_path: Path) -> None:
    for name in ("a.go", "a.log", "node_modules/b.go", "gen/c.go", "deep/d.go", "build/e.go"):
        write(f"{tmp_path}/out/{name}")
    write(f"{tmp_path}/out/.gitignore", "/gen/\n")
    write(f"{root}/.git/HEAD", "ref: refs/heads/main\n")
    write(f"{root}/.gitignore", "*.log\nbuild/\n/off\n/as-directory/\n")
    for name in ("lib", "off", "as-directory", "node_modules", "build"):
        os.symlink(f"{tmp_path}/out", f"{root}/{name}")
    accepts = Filter(roots=[root], base=root, exclude=["deep/"])
    sieve = Sieve([root], accepts, follow_symlinks=True)
    learn(sieve)
    below = [".gitignore", "a.go"]
    # To git a link is no directory: the names of three of them count, what is in them does not.
    names = [".gitignore", "as-directory", "build", "lib", "node_modules"]
    assert sorted(sieve.paths()) == sorted(
        [f"{root}/{name}" for name in names] + [f"{root}/lib/{name}" for name in below]
    )
    assert all(map(accepts.wants, sieve.paths()))


def test_an_ignore_file_behind_a_link_counts_once_it_is_read_again(
    root: str, tmp_path: Path
) -> None:
    write(f"{tmp_path}/out/a.go")
    os.symlink(f"{tmp_path}/out", f"{root}/lib")
    accepts = Filter(roots=[root], base=root)
    sieve = Sieve([root], accepts, follow_symlinks=True)
    learn(sieve)
    ignore = write(f"{tmp_path}/out/.gitignore", "*.go\n")
    assert sieve.note([Event(f"{root}/lib/.gitignore", Op.CREATE)])
    assert sieve.stale
    sieve.refresh_rules()
    changed = sifted(sieve, Refreshed(root))
    assert changed == [f"{root}/lib/{os.path.basename(ignore)}"]
    assert f"{root}/lib/a.go" not in set(sieve.paths())


# Random walks -----------------------------------------------------------------------------------

NAMES = ("f.go", "g.go", "x.log", "a", "b", "skip", "l", "k")


class Sight(NamedTuple):
    """What is at a path, and by which names it may be told of."""

    path: str
    state: object
    directory: bool
    names: tuple[str, ...]


NOTHING = Sight("", None, False, ())


def real(path: str) -> str:
    """The path of an entry without links on the way to it."""
    above, _, name = path.rpartition("/")
    return f"{os.path.realpath(above)}/{name}"


def sight(path: str, names: list[str], *, deep: bool) -> Sight:
    try:
        about = os.stat(path, follow_symlinks=deep)
    except OSError:
        return Sight(path, None, False, tuple(names))
    mode, state = about.st_mode, (about.st_ino, about.st_mode, about.st_ctime_ns)
    state = state[:2] if stat.S_ISDIR(mode) else state
    return Sight(path, state, stat.S_ISDIR(mode), tuple(names))


def told_of(seen: Sight, op: Op, chance: random.Random) -> list[Event]:
    """Tell of it by its own name if it has one in the root, else by any by which links lead."""
    if seen.state is None or not seen.names:
        return []
    names = {*chance.sample(seen.names, chance.randint(1, len(seen.names)))}
    names |= {seen.path} & {*seen.names}
    return [Event(name, op, None, seen.directory) for name in sorted(names)]


def content(listed: Directory) -> tuple[object, ...]:
    return (listed.files, listed.below, listed.identity)


KINDS = ("write", "write", "link", "link", "link", "move", "move", "remove", "remove", "mkdir")
KINDS += ("run", "same")
DEPTH = 4  # of names through links that a watcher may tell by
WENT = Op.REMOVE | Op.RENAME
NEW = Op.CREATE | Op.WRITE | Op.CLOSE_WRITE | Op.CHMOD


class World:
    """A watched tree and one outside, full of links between them."""

    def __init__(self, top: str, *, follow: bool) -> None:
        self.top, self.root, self.follow = top, f"{top}/root", follow
        for name in ("root/a/b/f.go", "root/f.go", "out/a/f.go", "out/b/a/g.go", "out/f.go"):
            write(f"{top}/{name}", name)
        self.sieve = Sieve([self.root], Rules(), follow_symlinks=follow)
        learn(self.sieve)
        self.seen = truth(self.root, follow=follow)

    def place(self, chance: random.Random) -> str:
        depth = chance.choice((1, 1, 1, 2, 2, 3))
        return "/".join((self.top, chance.choice(("root", "root", "out")),
                         *chance.choices(NAMES, k=depth)))  # fmt: skip

    def step(self, chance: random.Random, *, tell: bool) -> list[Event]:
        """Do one thing; return what a watcher would tell, by any of the names it may know."""
        kind, one, other = chance.choice(KINDS), self.place(chance), self.place(chance)
        one = os.path.realpath(one) if kind in {"write", "run"} else real(one)  # these follow
        other = real(other)
        if not all(self.inside(path) for path in (one, other)):
            return []
        before = self.sights((one, other)) if tell else {}
        with contextlib.suppress(OSError):  # that it cannot be done is no harm
            self.do(kind, one, other, chance)
        after = self.sights((one, other)) if tell else {}
        told: list[Event] = []
        for path in before | after:
            was, now = before.get(path, NOTHING), after.get(path, NOTHING)
            if was.state != now.state:
                told += told_of(was, WENT, chance) + told_of(now, NEW, chance)
        chance.shuffle(told)
        return told

    def sights(self, paths: tuple[str, ...]) -> dict[str, Sight]:
        """Of some paths, and of links to what is not watched: what is there, and its names."""
        names = self.names()
        found = {path: sight(path, names.get(real(path), []), deep=False) for path in paths}
        for path, known in names.items():
            if os.path.islink(path) and not f"{os.path.realpath(path)}/".startswith(self.root):
                found[f"behind {path}"] = sight(path, known, deep=True)
        return found

    def names(self) -> dict[str, list[str]]:
        """All names in the root that an entry has, by its real path; loops are cut off."""
        found: dict[str, list[str]] = {}
        places = [self.root]
        while places:
            place = places.pop()
            for name in os.listdir(place):
                path = f"{place}/{name}"
                found.setdefault(real(path), []).append(path)
                if Rules().skips(path) or (os.path.islink(path) and not self.follow):
                    continue
                if os.path.isdir(path) and path.count("/") - self.root.count("/") < DEPTH:
                    places.append(path)
                    if os.path.islink(path):
                        found.setdefault(os.path.realpath(path), []).append(path)
        return found

    def do(self, kind: str, one: str, other: str, chance: random.Random) -> None:
        """Do it."""
        if kind == "write":
            with open(one, "wb") as file:
                file.write(chance.choice((b"1", b"22", b"333", b"")))
        elif kind == "link":
            target = chance.choice((other, other, os.path.dirname(other), self.root))
            relative = os.path.relpath(target, os.path.dirname(one))
            os.symlink(chance.choice((target, relative, ".")), one)
        elif kind == "move":
            os.rename(one, other)
        elif kind == "remove":
            real = os.path.isdir(one) and not os.path.islink(one)
            (shutil.rmtree if real else os.remove)(one)
        elif kind == "mkdir":
            os.mkdir(one)
        elif kind == "run":
            os.chmod(one, chance.choice((0o755, 0o644)))

    def inside(self, path: str) -> bool:
        """No link may lead a step out of the test's own directory."""
        return f"{os.path.realpath(os.path.dirname(path))}/".startswith(f"{self.top}/")

    def sift(self, items: list[Item]) -> None:
        """Let the sieve compare, and hold its answer against the disk."""
        self.sieve.note(items)
        *_, found = self.sieve.sift()
        assert found is not None
        now = truth(self.root, follow=self.follow)
        assert found.changed == sorted(
            path for path in now.keys() | self.seen.keys() if now.get(path) != self.seen.get(path)
        )
        self.seen = now
        fresh = list_tree([self.root], Rules().skips, Rules().wants, follow_symlinks=self.follow)
        known = self.sieve._known.tree
        assert {path: content(listed) for path, listed in known.items()} == {
            path: content(listed) for path, listed in fresh.items()
        }
        # A link that is gone, and was of no consequence, may be remembered.
        assert all(set(fresh[path].links) <= set(known[path].links) for path in fresh)
        assert set(self.sieve.paths()) == set(now)


def walk(top: str, first: int, rounds: int, *, follow: bool, lossy: bool) -> None:
    """Walk in new worlds; where it is lossy, all that is told is that events were lost."""
    for number in range(first, first + rounds):
        chance = random.Random(f"{SEED}-{number}")
        world = World(f"{top}/{number}", follow=follow)
        for _ in range(8):
            told: list[Item] = []
            for _ in range(chance.randint(1, 8 if lossy else 4)):
                told += world.step(chance, tell=not lossy)
            world.sift([Overflow(world.root)] if lossy else told)
        shutil.rmtree(world.top)


FOLLOW = pytest.mark.parametrize("follow", [False, True], ids=["left alone", "followed"])
LOSSY = pytest.mark.parametrize("lossy", [True, False], ids=["events lost", "events told"])


@FOLLOW
@LOSSY
def test_a_sift_reports_exactly_what_differs(tmp_path: Path, follow: bool, lossy: bool) -> None:
    walk(str(tmp_path), 0, 20, follow=follow, lossy=lossy)


@pytest.mark.stress
@FOLLOW
@LOSSY
@pytest.mark.parametrize("first", range(100, 1_100, 100))
def test_a_long_walk_is_reported_exactly(
    tmp_path: Path, first: int, follow: bool, lossy: bool
) -> None:
    walk(str(tmp_path), first, 100, follow=follow, lossy=lossy)


@FOLLOW
def test_what_a_watcher_tells_of_links_is_enough(
    tmp_path: Path, listen: Callable[..., Ear], follow: bool
) -> None:
    for number in range(12):
        chance = random.Random(f"{SEED}-{number}")
        world = World(str(tmp_path / str(number)), follow=follow)
        rules = Rules()
        ear = listen(world.root, skips=rules.skips, wants=rules.wants, follow_symlinks=follow)
        for _ in range(8):
            for _ in range(chance.randint(1, 4)):
                world.step(chance, tell=False)
            world.sift(ear.all())
        ear.watcher.close()
