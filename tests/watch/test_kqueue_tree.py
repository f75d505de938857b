"""The kqueue backend on real trees, through the fake: nothing is lost, nothing is misnamed."""

from __future__ import annotations

import os
import shutil
import stat
import threading
from typing import TYPE_CHECKING

import pytest
from ear import exchange, write
from fake_kqueue import Kq, kevent
from kqueue_ear import KqueueEar, Replay, listing

from hotrun.watch.event import BASE, Event, Item, Op, Refreshed, Unwatched
from hotrun.watch.kqueue.backend import Kqueue
from hotrun.watch.scope import Root, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Listen = Callable[..., KqueueEar]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Make ears; they are released at the end, and no descriptor is left."""
    before = len(os.listdir("/proc/self/fd"))
    ears: list[KqueueEar] = []

    def listen(*roots: str, **options: object) -> KqueueEar:
        ears.append(KqueueEar(*roots, **options))  # type: ignore[arg-type]
        return ears[-1]

    yield listen
    for ear in ears:
        ear.backend.release()
    assert len(os.listdir("/proc/self/fd")) == before


def about(heard: list[Item] | list[Event], path: str) -> list[Op]:
    """What was said of one path, in order."""
    return [item.op for item in heard if isinstance(item, Event) and item.path == path]


def agrees(ear: KqueueEar, *roots: str) -> None:
    """Exactly what is on the disk has a descriptor, under its name, and is heard."""
    ear.rest()
    there = {path for root in roots for path in listing(root)}
    real = {path: os.stat(path) for path in there if not os.path.islink(path) or path in roots}
    assert ear.held() == {
        path: (found.st_dev, found.st_ino)
        for path, found in real.items()
        if stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)
    }
    written = {
        write(f"{path}/last" if os.path.isdir(path) else path, "more") for path in ear.held()
    }
    assert written <= set(ear.ops())


# --- files ---


def test_a_file_comes_and_goes(root: str, listen: Listen) -> None:
    ear = listen(root)
    path = write(f"{root}/a.go")
    assert ear.events() == [Event(path, Op.CREATE)]
    write(path, "more")
    assert ear.events() == [Event(path, Op.WRITE)]
    os.truncate(path, 0)
    assert ear.events() == [Event(path, Op.WRITE)]
    os.chmod(path, 0o600)
    assert ear.events() == [Event(path, Op.CHMOD)]
    os.remove(path)
    assert ear.events() == [Event(path, Op.REMOVE)]


@pytest.mark.parametrize("to", ["b.go", "d/b.go", "../second/b.go"])
def test_a_renamed_file_is_followed_also_into_another_root(
    root: str, listen: Listen, to: str
) -> None:
    second = f"{os.path.dirname(root)}/second"
    os.mkdir(second)
    os.mkdir(f"{root}/d")
    old = write(f"{root}/a.go")
    ear = listen(root, second)
    new = os.path.normpath(f"{root}/{to}")
    os.rename(old, new)
    assert ear.events() == [Event(old, Op.RENAME), Event(new, Op.CREATE, old)]
    write(new, "more")
    assert ear.events() == [Event(new, Op.WRITE)]


def test_a_file_moved_in_out_or_over_another_one(root: str, listen: Listen, tmp_path: Path) -> None:
    outside = write(f"{tmp_path}/outside/a.go")
    inside, other = write(f"{root}/b.go"), write(f"{root}/c.go")
    ear = listen(root)
    os.rename(outside, f"{root}/a.go")
    assert ear.events() == [Event(f"{root}/a.go", Op.CREATE)]
    os.rename(inside, outside)
    assert ear.events() == [Event(inside, Op.RENAME)]
    os.rename(f"{root}/a.go", other)
    assert ear.events() == [
        Event(other, Op.REMOVE),  # of the one that was there
        Event(f"{root}/a.go", Op.RENAME),
        Event(other, Op.CREATE, f"{root}/a.go"),
    ]


def test_an_atomic_save_is_heard_again_and_again(root: str, listen: Listen) -> None:
    path = write(f"{root}/a.go")
    ear = listen(root)
    for _ in range(20):
        os.rename(write(f"{root}/a.go.tmp", "new"), path)
        assert Op.CREATE in ear.ops()[path]
    write(path, "in place")
    assert ear.ops() == {path: Op.WRITE}


def test_a_renamed_file_that_counts_no_more_is_closed(root: str, listen: Listen) -> None:
    ear = listen(root, wants=lambda path: path.endswith(".go"))
    path = write(f"{root}/a.go")
    ear.all()
    os.rename(path, f"{root}/a.bak")
    assert ear.events() == [
        Event(path, Op.RENAME),
        Event(f"{root}/a.bak", Op.CREATE, path),
    ]
    assert set(ear.held()) == {root}
    os.rename(f"{root}/a.bak", path)
    ear.all()
    assert set(ear.held()) == {root, path}


def test_a_hard_link_is_a_name_of_its_own(root: str, listen: Listen) -> None:
    one, other = write(f"{root}/a.go"), f"{root}/b.go"
    ear = listen(root)
    os.link(one, other)
    assert ear.events() == [Event(other, Op.CREATE)]
    write(one, "more")
    assert ear.ops() == {one: Op.WRITE, other: Op.WRITE}
    os.remove(one)
    assert about(ear.all(), one) == [Op.REMOVE]
    write(other, "again")
    assert ear.ops() == {other: Op.WRITE}


def test_names_that_are_no_utf_8_keep_every_byte(root: str, listen: Listen) -> None:
    ear = listen(root)
    directory = os.fsencode(root) + b"/d\xe9"
    os.mkdir(directory)
    with open(directory + b"/caf\xe9\n.go", "wb"):
        pass
    path = f"{root}/d\udce9/caf\udce9\n.go"
    assert path in ear.ops()
    os.remove(directory + b"/caf\xe9\n.go")
    assert ear.events() == [Event(path, Op.REMOVE)]


def test_fifos_sockets_and_links_are_names_only(root: str, listen: Listen, tmp_path: Path) -> None:
    write(f"{tmp_path}/elsewhere/f.go")
    ear = listen(root)
    os.mkfifo(f"{root}/fifo")
    os.mknod(f"{root}/socket", stat.S_IFSOCK | 0o600)
    os.symlink(f"{tmp_path}/elsewhere", f"{root}/link")
    os.symlink(root, f"{root}/loop")
    write(f"{tmp_path}/elsewhere/f.go", "more")
    names = [f"{root}/{name}" for name in ("fifo", "socket", "link", "loop")]
    assert ear.ops() == dict.fromkeys(names, Op.CREATE)
    os.rename(f"{root}/link", f"{root}/link2")
    assert ear.events()[1] == Event(f"{root}/link2", Op.CREATE, f"{root}/link")
    for name in ("fifo", "socket", "link2", "loop"):
        os.remove(f"{root}/{name}")
    assert set(ear.ops().values()) == {Op.REMOVE}
    assert set(ear.held()) == {root}


# --- directories ---


def test_a_file_made_at_once_in_new_directories_is_heard_of(root: str, listen: Listen) -> None:
    ear = listen(root)
    for number in range(50):
        path = write(f"{root}/{number}/b/c/d.go")
        assert path in ear.ops(), f"lost in round {number}"
        write(path, "more")
        assert ear.ops() == {path: Op.WRITE}, f"deaf in round {number}"


def test_a_directory_made_again_and_again_stays_watched(root: str, listen: Listen) -> None:
    ear = listen(root)
    for _ in range(30):
        shutil.rmtree(f"{root}/d", ignore_errors=True)
        write(f"{root}/d/e/f.go")
        ear.all()
    agrees(ear, root)


def test_nothing_is_lost_while_another_thread_makes_and_removes(root: str, listen: Listen) -> None:
    ear = listen(root)
    made: list[str] = []

    def work() -> None:
        for number in range(150):
            made.append(write(f"{root}/{number % 7}/x{number}/y/{number}.go"))
            if number % 10 == 9:
                shutil.rmtree(f"{root}/{number % 7}")

    worker = threading.Thread(target=work)
    worker.start()
    heard = ear.until(lambda _: not worker.is_alive(), "the other thread to end")
    heard += ear.rest()
    told = {item.path for item in heard if isinstance(item, Event)}
    assert not [path for path in made if path not in told and os.path.exists(path)]
    agrees(ear, root)


def test_everything_in_a_directory_that_is_moved_in_is_told(
    root: str, listen: Listen, tmp_path: Path
) -> None:
    write(f"{tmp_path}/outside/d/e/f.go")
    os.symlink("f.go", f"{tmp_path}/outside/d/e/link")
    ear = listen(root)
    os.rename(f"{tmp_path}/outside/d", f"{root}/d")
    told = {(event.path.removeprefix(root), event.directory) for event in ear.events()}
    assert told == {("/d", True), ("/d/e", True), ("/d/e/f.go", False), ("/d/e/link", False)}
    agrees(ear, root)


def test_below_a_moved_directory_events_carry_the_new_path(root: str, listen: Listen) -> None:
    write(f"{root}/d/e/f.go")
    ear = listen(root)
    os.rename(f"{root}/d", f"{root}/new")
    path = write(f"{root}/new/e/f.go", "more")
    assert ear.events() == [
        Event(f"{root}/d", Op.RENAME, None, directory=True),
        Event(f"{root}/new", Op.CREATE, f"{root}/d", directory=True),
        Event(path, Op.WRITE),
    ]
    agrees(ear, root)


@pytest.mark.parametrize(
    "moves",
    [["a t", "b a", "t b"], ["a x", "x y", "y z"], ["a b/a", "b c"], ["a ab", "b a", "ab b/x"]],
    ids=["swap", "chain", "into another", "alike"],
)
@pytest.mark.parametrize("take_between", [False, True])
def test_moves_upon_moves_end_right(
    root: str, listen: Listen, moves: list[str], *, take_between: bool
) -> None:
    write(f"{root}/a/in-a/f.go")
    write(f"{root}/b/in-b/f.go")
    ear = listen(root)
    for move in moves:
        old, new = move.split()
        os.makedirs(os.path.dirname(f"{root}/{new}"), exist_ok=True)
        os.rename(f"{root}/{old}", f"{root}/{new}")
        if take_between:
            ear.all()
    agrees(ear, root)


@pytest.mark.parametrize("one", ["a", "file"])
def test_a_swap_at_one_stroke_ends_right(root: str, listen: Listen, one: str) -> None:
    write(f"{root}/a/in-a/f.go")
    write(f"{root}/b/in-b/f.go")
    write(f"{root}/file")
    ear = listen(root)
    try:
        exchange(f"{root}/{one}", f"{root}/b")
    except OSError as error:
        pytest.skip(f"this filesystem cannot exchange names: {error.strerror}")
    assert {event.renamed_from for event in ear.events() if event.op == Op.CREATE} == {
        f"{root}/{one}",
        f"{root}/b",
    }
    agrees(ear, root)


def test_a_directory_born_in_one_that_moves_at_once_is_watched(root: str, listen: Listen) -> None:
    write(f"{root}/d/f.go")
    ear = listen(root)
    os.mkdir(f"{root}/d/sub")
    os.rename(f"{root}/d", f"{root}/e")
    assert f"{root}/e/sub" in ear.ops()
    agrees(ear, root)


def test_a_file_saved_from_a_directory_that_is_removed(root: str, listen: Listen) -> None:
    old = write(f"{root}/d/e/f.go")
    ear = listen(root)
    os.rename(old, f"{root}/f.go")
    shutil.rmtree(f"{root}/d")
    told = ear.events()
    assert Event(f"{root}/f.go", Op.CREATE, old) in told
    assert about(told, old) == [Op.RENAME]
    assert about(told, f"{root}/d/e") == about(told, f"{root}/d") == [Op.REMOVE]
    agrees(ear, root)


def test_a_directory_that_moved_into_its_own_child_is_found_there(
    root: str, listen: Listen
) -> None:
    """A link in its old place makes the old path of the child lead to the child still."""
    write(f"{root}/a/d/f.go")
    os.mkdir(f"{root}/h")
    ear = listen(root)
    os.rename(f"{root}/a/d", f"{root}/h/d")
    os.rename(f"{root}/a", f"{root}/h/d/a")
    os.symlink("h", f"{root}/a")
    agrees(ear, root)


def test_a_directory_moved_over_an_empty_one_is_watched(
    root: str, listen: Listen, tmp_path: Path
) -> None:
    write(f"{tmp_path}/outside/d/f.go")
    os.mkdir(f"{root}/d")
    ear = listen(root)
    os.rename(f"{tmp_path}/outside/d", f"{root}/d")
    told = ear.events()
    assert about(told, f"{root}/d") == [Op.REMOVE, Op.CREATE]
    assert about(told, f"{root}/d/f.go") == [Op.CREATE]
    agrees(ear, root)


def test_what_was_moved_out_falls_silent(root: str, listen: Listen, tmp_path: Path) -> None:
    write(f"{root}/d/e/f.go")
    ear = listen(root)
    os.rename(f"{root}/d", f"{tmp_path}/out")
    write(f"{tmp_path}/out/e/f.go", "at once")
    os.mkdir(f"{tmp_path}/out/e/new")
    assert [event.path for event in ear.events()] == [f"{root}/d"]
    ear.rest()
    assert set(ear.held()) == {root}
    write(f"{tmp_path}/out/e/f.go", "later")
    assert not ear.all()


def test_a_name_that_begins_alike_is_another_one(root: str, listen: Listen, tmp_path: Path) -> None:
    path = write(f"{root}/ab/f.go")
    write(f"{root}/a/f.go")
    ear = listen(root, f"{root}/a", f"{root}/ab")
    os.rename(f"{root}/a", f"{tmp_path}/out")
    ear.rest()
    ear.remove(f"{root}/a")
    write(path, "more")
    assert set(ear.ops()) == {path}


@pytest.mark.parametrize("take_between", [False, True])
def test_a_removed_directory_is_told_once(root: str, listen: Listen, *, take_between: bool) -> None:
    write(f"{root}/d/f")
    ear = listen(root)
    os.remove(f"{root}/d/f")
    told = ear.events() if take_between else []
    os.rmdir(f"{root}/d")
    told += ear.events()
    assert told == [
        Event(f"{root}/d/f", Op.REMOVE),
        Event(f"{root}/d", Op.REMOVE, None, directory=True),
    ]
    agrees(ear, root)


def test_a_file_takes_the_place_of_a_directory_and_back(root: str, listen: Listen) -> None:
    write(f"{root}/d/f.go")
    ear = listen(root)
    for _ in range(10):
        shutil.rmtree(f"{root}/d")
        write(f"{root}/d")
        ear.all()
        os.remove(f"{root}/d")
        write(f"{root}/d/f.go")
    agrees(ear, root)


def test_a_path_of_4000_characters_is_watched(root: str, listen: Listen) -> None:
    deep = root
    while len(deep) < 4000 - 2:
        deep += "/" + "d" * min(200, 4000 - 1 - len(deep))
    os.makedirs(deep)
    ear = listen(root)
    path = write(f"{deep}/f")
    assert path in ear.ops()


def test_three_hundred_levels_come_and_go(root: str, listen: Listen) -> None:
    ear = listen(root)
    levels = [root + "/d" * number for number in range(1, 301)]
    for level in levels:
        os.mkdir(level)
    assert ear.ops() == dict.fromkeys(levels, Op.CREATE)
    for level in reversed(levels):
        os.rmdir(level)
    assert ear.events() == [Event(level, Op.REMOVE, None, True) for level in reversed(levels)]
    agrees(ear, root)


def test_what_is_too_deep_for_a_path_is_said_once(root: str, listen: Listen) -> None:
    here, depth = os.open(root, os.O_RDONLY), 0
    while len(root) + depth * 201 <= 4096:
        os.mkdir("d" * 200, dir_fd=here)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here, depth = below, depth + 1
    os.close(here)
    ear = listen(root)
    ear.backend.refresh()
    said = [item for item in ear.all() if isinstance(item, Unwatched)]
    assert len(said) == 1
    assert write(f"{root}/f") in ear.ops()


# --- what is skipped ---


def test_a_skipped_directory_is_neither_opened_nor_listed(root: str, listen: Listen) -> None:
    write(f"{root}/node_modules/deep/a.js")
    os.chmod(f"{root}/node_modules", 0)
    asked: list[str] = []

    def skips(directory: str) -> bool:
        asked.append(directory)
        return directory.endswith("/node_modules")

    ear = listen(root, skips=skips)
    os.mkdir(f"{root}/new")
    os.chmod(f"{root}/node_modules", 0o700)
    write(f"{root}/new/node_modules/a.js")
    write(f"{root}/node_modules/deep/a.js", "more")
    assert set(ear.ops()) == {f"{root}/new", f"{root}/new/node_modules"}
    assert set(ear.held()) == {root, f"{root}/new"}
    assert not [path for path in asked if "/node_modules/" in path]


def test_a_directory_renamed_to_a_skipped_name_and_back(root: str, listen: Listen) -> None:
    write(f"{root}/lib/deep/a.js")
    ear = listen(root, skips=lambda path: path.endswith("/node_modules"))
    os.rename(f"{root}/lib", f"{root}/node_modules")
    ear.all()
    assert set(ear.held()) == {root}
    os.rename(f"{root}/node_modules", f"{root}/lib")
    told = ear.events()
    assert Event(f"{root}/lib", Op.CREATE, f"{root}/node_modules", directory=True) in told
    assert about(told, f"{root}/lib/deep/a.js") == [Op.CREATE]
    agrees(ear, root)


def test_other_rules_are_followed_after_a_refresh(root: str, listen: Listen) -> None:
    write(f"{root}/gen/deep/a.go")
    write(f"{root}/b.txt")
    skipped, unwanted = {f"{root}/gen"}, {f"{root}/b.txt"}
    ear = listen(root, skips=skipped.__contains__, wants=lambda path: path not in unwanted)
    assert set(ear.held()) == {root}
    skipped.clear()
    unwanted.clear()
    ear.backend.refresh()
    assert ear.all()[-1] == Refreshed(root)
    agrees(ear, root)
    skipped.add(f"{root}/gen")
    unwanted.add(f"{root}/b.txt")
    ear.backend.refresh()
    assert Refreshed(root) in ear.all()
    assert set(ear.held()) == {root, f"{root}/last"}


# --- roots ---


def heard_again(ear: KqueueEar, root: str) -> None:
    """The root is as it should be: watched, and heard under its name."""
    agrees(ear, root)
    path = write(f"{root}/again/f.go")
    assert path in ear.ops()


def test_a_root_deleted_and_made_again_is_told_and_watched(root: str, listen: Listen) -> None:
    write(f"{root}/d/f.go")
    ear = listen(root)
    shutil.rmtree(root)
    assert about(ear.all(), root) == [Op.REMOVE]
    path = write(f"{root}/new/f.go")
    heard = ear.all()
    assert about(heard, root) == about(heard, path) == [Op.CREATE]
    heard_again(ear, root)


def test_a_root_made_again_before_anybody_looks(root: str, listen: Listen) -> None:
    ear = listen(root)
    for _ in range(20):
        shutil.rmtree(root)
        path = write(f"{root}/d/f.go")
        heard = ear.all()
        assert about(heard, root) == [Op.REMOVE, Op.CREATE]
        assert about(heard, path)[-1] == Op.CREATE
    heard_again(ear, root)


def test_a_root_replaced_many_times_between_two_looks(root: str, listen: Listen) -> None:
    ear = listen(root)
    for number in range(50):
        os.rename(root, f"{root}-{number}")
        write(f"{root}/{number}/f.go")
    write(f"{root}-49/stranger.go")
    heard = ear.all()
    assert about(heard, root) == [Op.RENAME, Op.CREATE]
    assert about(heard, f"{root}/49/f.go") == [Op.CREATE]
    assert not about(heard, f"{root}/stranger.go")
    heard_again(ear, root)


def test_a_root_moved_away_falls_silent_until_there_is_one_again(root: str, listen: Listen) -> None:
    write(f"{root}/f.go")
    ear = listen(root)
    os.rename(root, f"{root}-old")
    assert about(ear.rest(), root) == [Op.RENAME]
    write(f"{root}-old/f.go", "more")
    assert not ear.all()
    assert not ear.held()
    os.rename(f"{root}-old", root)
    heard = ear.all()
    assert about(heard, root) == about(heard, f"{root}/f.go") == [Op.CREATE]
    heard_again(ear, root)


def test_nothing_is_told_under_a_path_that_is_something_else(root: str, listen: Listen) -> None:
    """The parent of the root moves: the root's own descriptor hears nothing of that."""
    write(f"{root}/f.go")
    ear = listen(root)
    above = os.path.dirname(root)
    os.rename(above, f"{above}-old")
    os.makedirs(root)
    write(f"{above}-old/root/f.go", "more")
    write(f"{above}-old/root/g.go")
    heard = ear.all()
    assert about(heard, root) == [Op.RENAME, Op.CREATE]
    assert not about(heard, f"{root}/f.go") + about(heard, f"{root}/g.go")
    heard_again(ear, root)


def test_a_parent_deleted_and_made_again(root: str, listen: Listen) -> None:
    ear = listen(root)
    for _ in range(20):
        shutil.rmtree(os.path.dirname(root))
        path = write(f"{root}/f.go")
        assert about(ear.all(), path)[-1] == Op.CREATE
    heard_again(ear, root)


def test_a_root_that_was_away_while_it_was_opened_is_watched_once_it_is_back(
    root: str, tmp_path: Path
) -> None:
    away, heard = f"{tmp_path}/away", []
    times = 0

    def skips(path: str) -> bool:  # asked once the root was looked at, and before it is opened
        nonlocal times
        times += path == root
        if times == 1 and path == root:
            os.rename(root, away)
        return False

    def say(item: Item) -> None:  # ... and the root is told, though it was not opened
        heard.append(item)
        if os.path.exists(away):
            os.rename(away, root)

    os.rmdir(root)
    scope = Scope(skips)
    scope.put(root, Root(recursive=True, ops=BASE))
    backend = Kqueue(scope, say, Kq())
    try:
        backend.arm(root)
        write(f"{root}/early")
        backend.take()
        assert times > 1
        write(f"{root}/late")
        backend.take()
        assert about(heard, root) == [Op.CREATE]
        assert about(heard, f"{root}/early") == about(heard, f"{root}/late") == [Op.CREATE]
    finally:
        backend.release()


class Meddling(Kq):
    """Does something whenever a descriptor is about to be registered."""

    def __init__(self, meddle: Callable[[int], None]) -> None:
        super().__init__()
        self._meddle = meddle

    def kevent(self, ident: int, *args: int, **kwargs: int) -> kevent:
        self._meddle(ident)
        return kevent(ident, *args, **kwargs)


def test_a_directory_above_a_root_that_was_away_for_a_moment_is_listened_to(root: str) -> None:
    here, next_to_it, away = f"{root}/here", f"{root}/next", f"{root}/away"
    moves: dict[str, tuple[str, str]] = {}  # by what is registered then

    def meddle(fd: int) -> None:
        move = moves.pop(os.readlink(f"/proc/self/fd/{fd}"), None)
        if move is not None:
            os.rename(*move)

    heard: list[Item] = []
    scope = Scope()
    for directory in (here, next_to_it):
        scope.put(f"{directory}/root", Root(recursive=True, ops=BASE))
    backend = Kqueue(scope, heard.append, Meddling(meddle))
    try:
        for path in scope.roots:
            backend.arm(path)
        moves |= {root: (here, away), next_to_it: (away, here)}
        for directory in (here, next_to_it):
            os.mkdir(directory)
        backend.take()
        assert not moves
        write(f"{here}/root/f")
        backend.take()
        assert about(heard, f"{here}/root/f") == [Op.CREATE]
    finally:
        backend.release()


def test_a_missing_root_is_waited_for(root: str, listen: Listen) -> None:
    below = f"{root}/not/yet/there"
    ear = listen(below)
    assert not ear.all()
    write(f"{root}/not/else.go")
    assert not ear.all()
    path = write(f"{below}/f.go")
    heard = ear.all()
    assert about(heard, below) == about(heard, path) == [Op.CREATE]
    heard_again(ear, below)


def test_a_missing_root_that_appears_step_by_step(root: str, listen: Listen) -> None:
    below = f"{root}/not/yet/there"
    ear = listen(below)
    for step in (f"{root}/not", f"{root}/not/yet", below):
        os.mkdir(step)
        ear.all()
    heard_again(ear, below)


def test_roots_swapped_are_told_as_renamed(root: str, listen: Listen) -> None:
    second = f"{root}2"
    write(f"{root}/a")
    write(f"{second}/b")
    ear = listen(root, second)
    exchange(root, second)
    assert {(event.path, event.op, event.renamed_from) for event in ear.events()} == {
        (root, Op.RENAME, None),
        (second, Op.RENAME, None),
        (root, Op.CREATE, second),
        (second, Op.CREATE, root),
    }
    agrees(ear, root, second)


def test_a_linked_root_is_heard_under_the_name_of_the_link(
    root: str, listen: Listen, tmp_path: Path
) -> None:
    link = str(tmp_path / "link")
    os.symlink(root, link)
    ear = listen(link)
    write(f"{root}/d/f.go")
    assert {path.removeprefix(link) for path in ear.ops()} == {"/d", "/d/f.go"}
    heard_again(ear, link)


@pytest.mark.parametrize("how", ["replaced", "removed first"])
def test_a_link_that_leads_elsewhere_is_followed(
    root: str, listen: Listen, tmp_path: Path, how: str
) -> None:
    old, new = write(f"{root}/one/p/old.go"), write(f"{root}/two/p/new.go")
    link = str(tmp_path / "current")
    os.symlink(f"{root}/one", link)
    ear = listen(f"{link}/p")
    if how == "removed first":
        os.remove(link)
        ear.all()
        os.symlink(f"{root}/two", link)
    else:
        os.symlink(f"{root}/two", f"{link}-new")
        os.rename(f"{link}-new", link)
    heard = ear.all()
    assert about(heard, f"{link}/p/new.go") == [Op.CREATE]
    ear.rest()
    write(old, "more")
    assert not ear.all()
    write(new, "more")
    assert set(ear.ops()) == {f"{link}/p/new.go"}


def test_a_root_that_is_a_link_led_elsewhere_is_removed_and_created(
    root: str, listen: Listen, tmp_path: Path
) -> None:
    write(f"{root}/one/old.go")
    write(f"{root}/two/new.go")
    link = str(tmp_path / "current")
    os.symlink(f"{root}/one", link)
    ear = listen(link)
    os.symlink(f"{root}/two", f"{link}-new")
    os.rename(f"{link}-new", link)
    heard = ear.all()
    assert about(heard, link) == [Op.REMOVE, Op.CREATE]
    assert about(heard, f"{link}/new.go") == [Op.CREATE]
    heard_again(ear, link)


def test_a_directory_above_the_target_of_a_link_moves(
    root: str, listen: Listen, tmp_path: Path
) -> None:
    link = str(tmp_path / "link")
    os.makedirs(f"{root}/deep/down")
    os.symlink(f"{root}/deep/down", link)
    ear = listen(link)
    os.rename(f"{root}/deep", f"{root}/other")
    assert about(ear.all(), link) == [Op.REMOVE]
    os.rename(f"{root}/other", f"{root}/deep")
    assert about(ear.all(), link) == [Op.CREATE]
    heard_again(ear, link)


def test_a_linked_root_in_a_directory_that_went_and_came_back(
    root: str, listen: Listen, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.mkdir()
    os.mkdir(f"{root}/d")
    os.symlink(target, f"{root}/d/link")
    ear = listen(root, f"{root}/d/link")
    os.rename(f"{root}/d", f"{root}/e")
    ear.all()
    os.rename(f"{root}/e", f"{root}/d")
    ear.all()
    path = write(f"{root}/d/link/f.go")
    assert path in ear.ops()


@pytest.mark.parametrize("first", ["root", "link"])
def test_one_directory_under_two_names_is_heard_under_both(
    root: str, listen: Listen, tmp_path: Path, first: str
) -> None:
    link = str(tmp_path / "link")
    os.symlink(root, link)
    os.mkdir(f"{root}/e")
    ear = listen(*([root, link] if first == "root" else [link, root]))
    write(f"{root}/d/f.go")
    told = ear.ops()
    assert {f"{root}/d/f.go", f"{link}/d/f.go"} <= set(told)
    for old, new in (("d", "new"), ("new", "e/d"), ("e/d", "new")):
        os.rename(f"{root}/{old}", f"{root}/{new}")
        told = {event.path: event.renamed_from for event in ear.events() if event.op == Op.CREATE}
        assert told == {f"{name}/{new}": f"{name}/{old}" for name in (root, link)}
    ear.remove(link)
    path = write(f"{root}/new/f.go", "more")
    assert set(ear.ops()) == {path}


@pytest.mark.parametrize("order", [["", "/a/b"], ["/a/b", ""]], ids=["outer first", "inner first"])
def test_roots_in_roots_are_heard_once(root: str, listen: Listen, order: list[str]) -> None:
    os.makedirs(f"{root}/a/b/c")
    ear = listen(*[root + below for below in order])
    path = write(f"{root}/a/b/f.go")
    assert ear.events() == [Event(path, Op.CREATE)]
    write(path, "more")
    assert ear.events() == [Event(path, Op.WRITE)]
    agrees(ear, root)


def test_a_root_in_a_moved_directory_of_another_root(root: str, listen: Listen) -> None:
    below = f"{root}/a/b"
    write(f"{below}/c/f.go")
    ear = listen(below, root)
    os.rename(f"{root}/a", f"{root}/x")
    assert about(ear.all(), below) == [Op.REMOVE]
    path = write(f"{root}/x/b/c/g.go")
    assert set(ear.ops()) == {path}
    os.rename(f"{root}/x", f"{root}/a")
    ear.all()
    path = write(f"{below}/c/h.go")
    assert set(ear.ops()) == {path}
    shutil.rmtree(f"{root}/a")
    assert about(ear.all(), below) == [Op.REMOVE]


def test_a_root_that_came_with_a_moved_directory_goes_with_it(
    root: str, listen: Listen, tmp_path: Path
) -> None:
    write(f"{root}/x/b/f.go")
    ear = listen(root)
    ear.add(f"{root}/a/b")
    os.rename(f"{root}/x", f"{root}/a")
    assert Event(f"{root}/a", Op.CREATE, f"{root}/x", directory=True) in ear.events()
    os.rename(f"{root}/a", f"{tmp_path}/out")
    assert about(ear.all(), f"{root}/a/b") == [Op.REMOVE]


@pytest.mark.parametrize("ends", ["removed", "moved out", "renamed"])
@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_a_root_in_a_directory_that_nobody_watches_is_told_anew_when_that_is_replaced(
    root: str, listen: Listen, tmp_path: Path, kind: str, ends: str
) -> None:
    between, inner = f"{root}/between", f"{root}/between/inner"
    target = write(f"{tmp_path}/target")

    def make() -> None:
        os.makedirs(between)
        {
            "file": lambda: write(inner),
            "directory": lambda: os.mkdir(inner),
            "link": lambda: os.symlink(target, inner),
        }[kind]()

    make()
    ear = listen()
    ear.add(root, recursive=False)
    ear.add(inner)
    replay = Replay({root, between, inner})
    if ends == "removed":
        shutil.rmtree(between)
    else:
        os.rename(between, f"{tmp_path}/out" if ends == "moved out" else f"{root}/other")
    make()
    for event in ear.events():
        replay.hear(event)
    assert {root, between, inner} <= replay.paths
    write(inner if kind == "file" else f"{inner}/f" if kind == "directory" else target, "more")
    assert ear.ops()


def test_a_root_that_was_watched_deeper_for_another_is_watched_less_deep(
    root: str, listen: Listen
) -> None:
    write(f"{root}/a/s/f.go")
    ear = listen(root)
    ear.add(f"{root}/a", recursive=False)
    ear.remove(root)
    assert set(ear.held()) == {f"{root}/a"}
    write(f"{root}/a/s/f.go", "more")
    path = write(f"{root}/a/g.go")
    assert ear.ops() == {path: Op.CREATE}


def test_a_root_taken_away_leaves_the_others(root: str, listen: Listen) -> None:
    below, beside = f"{root}/a/b", f"{root}-beside"
    os.makedirs(f"{below}/c")
    os.makedirs(beside)
    ear = listen(root, below, beside)
    write(f"{root}/queued.go")
    ear.remove(root)
    assert not ear.all()
    write(f"{root}/f.go")
    path, other = write(f"{below}/f.go"), write(f"{beside}/f.go")
    assert set(ear.ops()) == {path, other}
    agrees(ear, below, beside)
    ear.remove(below)
    agrees(ear, beside)
    ear.remove(beside)
    assert not ear.held()
    assert not ear.queue.files()  # nor anything on the way to them


def test_what_is_not_asked_for_below_a_directory_is_not_watched(root: str, listen: Listen) -> None:
    write(f"{root}/d/e/f.go")
    ear = listen()
    ear.add(root, recursive=False)
    assert set(ear.held()) == {root}
    write(f"{root}/d/e/f.go", "more")
    write(f"{root}/new/g.go")
    path = write(f"{root}/h.go")
    assert ear.ops() == {f"{root}/new": Op.CREATE, path: Op.CREATE}
    ear.add(f"{root}/d/e")
    write(f"{root}/d/e/f.go", "again")
    write(f"{root}/d/x.go")
    assert ear.ops() == {f"{root}/d/e/f.go": Op.WRITE}
    ear.add(root, recursive=True)
    assert not ear.all()
    agrees(ear, root)
    ear.remove(root)
    agrees(ear, f"{root}/d/e")


# --- roots that are files ---


def test_a_single_file_stays_watched_through_each_way_of_saving(root: str, listen: Listen) -> None:
    path, other = write(f"{root}/a.go"), write(f"{root}/b.go")
    ear = listen(path)
    write(path, "more")
    write(other, "not asked for")
    write(f"{root}/c.go")
    assert ear.events() == [Event(path, Op.WRITE)]
    for _ in range(5):
        os.rename(write(f"{root}/saved", "new"), path)
        assert ear.ops() == {path: Op.REMOVE | Op.CREATE}
        os.remove(path)
        assert ear.ops() == {path: Op.REMOVE}
        write(path)
        assert ear.ops() == {path: Op.CREATE}
        os.rename(path, f"{root}/backup")
        write(path, "rewritten")
        assert ear.ops() == {path: Op.RENAME | Op.CREATE}
        write(path, "in place")
        assert ear.ops() == {path: Op.WRITE}
    shutil.rmtree(root)
    assert ear.ops() == {path: Op.REMOVE}
    write(path)
    assert ear.ops() == {path: Op.CREATE}
    assert set(ear.held()) == {path}


def test_what_happens_beside_a_single_file_wakes_nobody(root: str, listen: Listen) -> None:
    ear = listen(write(f"{root}/a.go"))
    write(f"{root}/b.go")
    assert not ear.queue.control(None, 100, 0)


def test_a_single_file_in_a_watched_directory_is_told_once(root: str, listen: Listen) -> None:
    path = write(f"{root}/d/a.go")
    for order in ([root, path], [path, root]):
        ear = listen(*order, wants=lambda path: path.endswith(".txt"))
        write(path, "more")
        assert ear.events() == [Event(path, Op.WRITE)]
        os.rename(write(f"{root}/d/saved"), path)
        ear.all()
        write(path, "again")
        assert ear.events() == [Event(path, Op.WRITE)]
        ear.remove(root)
        write(path, "still")
        assert ear.events() == [Event(path, Op.WRITE)]
        ear.remove(path)


def test_a_link_to_a_single_file_is_followed(root: str, listen: Listen, tmp_path: Path) -> None:
    target, link = write(f"{root}/d/a.go"), str(tmp_path / "link")
    os.symlink(target, link)
    ear = listen(link)
    write(target, "more")
    assert ear.events() == [Event(link, Op.WRITE)]
    os.rename(write(f"{root}/d/saved"), target)
    assert ear.ops() == {link: Op.REMOVE | Op.CREATE}
    write(target, "again")
    assert ear.events() == [Event(link, Op.WRITE)]


def test_a_single_fifo_is_watched_for_by_name(root: str, listen: Listen) -> None:
    path = f"{root}/fifo"
    os.mkfifo(path)
    ear = listen(path)
    os.remove(path)
    assert ear.ops() == {path: Op.REMOVE}
    write(path)
    assert ear.ops() == {path: Op.CREATE}
    write(path, "more")
    assert ear.ops() == {path: Op.WRITE}


def test_a_directory_in_the_place_of_a_single_file_and_back(root: str, listen: Listen) -> None:
    path = write(f"{root}/a")
    ear = listen(path)
    os.remove(path)
    inner = write(f"{path}/b")
    assert ear.ops() == {path: Op.REMOVE | Op.CREATE, inner: Op.CREATE}
    shutil.rmtree(path)
    write(path)
    assert ear.ops() == {path: Op.REMOVE | Op.CREATE, inner: Op.REMOVE}


# --- links that are followed ---


def test_links_are_followed_on_request_each_directory_once(
    root: str, listen: Listen, tmp_path: Path
) -> None:
    write(f"{tmp_path}/target/deep/f.go")
    os.symlink(tmp_path / "target", f"{root}/one")
    os.symlink(tmp_path / "target", f"{root}/other")
    os.symlink("..", f"{tmp_path}/target/deep/loop")
    os.symlink(tmp_path / "target/deep/f.go", f"{root}/file")
    ear = listen(root, follow_symlinks=True)
    write(f"{tmp_path}/target/deep/f.go", "more")
    assert set(ear.ops()) == {f"{root}/one/deep/f.go"}
    write(f"{tmp_path}/target/new/g.go")
    assert set(ear.ops()) == {f"{root}/one/new", f"{root}/one/new/g.go"}
    os.remove(f"{root}/one")
    ear.rest()
    path = write(f"{root}/other/new/h.go")  # now it is this one's turn
    assert set(ear.ops()) == {path}


def test_a_link_that_appears_is_followed_and_all_is_told(
    root: str, listen: Listen, tmp_path: Path
) -> None:
    write(f"{tmp_path}/target/f.go")
    ear = listen(root, follow_symlinks=True)
    os.symlink(tmp_path / "target", f"{root}/link")
    assert ear.ops() == {f"{root}/link": Op.CREATE, f"{root}/link/f.go": Op.CREATE}
    os.rename(f"{root}/link", f"{root}/new")
    told = ear.events()
    assert told[:2] == [
        Event(f"{root}/link", Op.RENAME),
        Event(f"{root}/new", Op.CREATE, f"{root}/link"),
    ]
    path = write(f"{root}/new/f.go", "more")
    assert path in ear.ops()
    ear.remove(root)
    write(f"{tmp_path}/target/f.go", "once more")
    assert not ear.all()
    assert not ear.queue.files()


def test_the_target_of_a_link_goes_and_comes_back(
    root: str, listen: Listen, tmp_path: Path
) -> None:
    target = str(tmp_path / "target")
    os.symlink(target, f"{root}/link")
    ear = listen(root, follow_symlinks=True)
    write(f"{target}/f.go")
    assert ear.ops() == {f"{root}/link/f.go": Op.CREATE}
    shutil.rmtree(target)
    assert ear.ops() == {f"{root}/link/f.go": Op.REMOVE}
    write(f"{target}/f.go")
    assert ear.ops() == {f"{root}/link/f.go": Op.CREATE}


def test_a_followed_link_moves_with_its_directory(
    root: str, listen: Listen, tmp_path: Path
) -> None:
    write(f"{tmp_path}/target/f.go")
    os.mkdir(f"{root}/d")
    os.symlink(tmp_path / "target", f"{root}/d/link")
    ear = listen(root, follow_symlinks=True)
    os.rename(f"{root}/d", f"{root}/e")
    ear.all()
    path = write(f"{root}/e/link/f.go", "more")
    assert set(ear.ops()) == {path}


# --- several, and the end ---


def test_each_backend_of_a_path_hears_everything(root: str, listen: Listen) -> None:
    first, second = listen(root), listen(root)
    path = write(f"{root}/f.go")
    assert first.ops() == second.ops() == {path: Op.CREATE}


def test_no_descriptor_is_left_after_many_rounds(root: str, tmp_path: Path) -> None:
    write(f"{root}/d/e/f.go")
    os.symlink(root, f"{tmp_path}/link")
    before = os.listdir("/proc/self/fd")
    for _ in range(50):
        ear = KqueueEar(root, f"{tmp_path}/link", f"{tmp_path}/missing/root")
        write(f"{root}/new/g.go")
        os.rename(f"{root}/d", f"{tmp_path}/out")
        ear.all()
        os.rename(f"{tmp_path}/out", f"{root}/d")
        shutil.rmtree(f"{root}/new")
        ear.backend.release()
        assert os.listdir("/proc/self/fd") == before


def test_a_walk_ends_when_the_watcher_is_closed(root: str, listen: Listen) -> None:
    for number in range(50):
        os.mkdir(f"{root}/{number}")
    asked = 0

    def skips(_: str) -> bool:
        nonlocal asked
        asked += 1
        ear.scope.closing = asked >= 10
        return False

    ear = listen(skips=skips)
    ear.add(root)
    assert asked < 100
    ear.all()
