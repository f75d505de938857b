"""Directories that come, go and move, on the real kernel: nothing is lost, nothing is misnamed."""

from __future__ import annotations

import os
import shutil
import threading
from typing import TYPE_CHECKING

import pytest
from ear import Ear, exchange, write

from hotrun.watch import Event, Op, Unwatched

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Listen = Callable[..., Ear]

MOVED_IN = Op.CREATE | Op.MOVED_TO


def test_a_save_in_place_is_told_with_its_end(root: str, listen: Listen) -> None:
    path = write(f"{root}/a.go")
    ear = listen(root)
    write(path, "more")
    assert ear.ops() == {path: Op.WRITE | Op.CLOSE_WRITE}


def test_a_file_comes_and_goes(root: str, listen: Listen) -> None:
    ear = listen(root)
    path = write(f"{root}/a.go")
    os.chmod(path, 0o600)
    os.remove(path)
    ops = [event.op for event in ear.events()]
    assert ops == [Op.CREATE, Op.WRITE, Op.CLOSE_WRITE, Op.CHMOD, Op.REMOVE]


@pytest.mark.parametrize("to", ["b.go", "../second/b.go"])
def test_a_renamed_file_is_followed_also_into_another_root(
    root: str, listen: Listen, to: str
) -> None:
    second = f"{os.path.dirname(root)}/second"
    os.mkdir(second)
    old = write(f"{root}/a.go")
    ear = listen(root, second)
    new = os.path.normpath(f"{root}/{to}")
    os.rename(old, new)
    assert ear.events() == [Event(old, Op.RENAME), Event(new, MOVED_IN, old)]


def test_a_file_moved_in_out_or_over_another_one(root: str, listen: Listen, tmp_path: Path) -> None:
    outside = write(f"{tmp_path}/outside/a.go")
    inside, other = write(f"{root}/b.go"), write(f"{root}/c.go")
    ear = listen(root)
    os.rename(outside, f"{root}/a.go")
    os.rename(inside, outside)
    os.rename(f"{root}/a.go", other)
    assert ear.events() == [
        Event(f"{root}/a.go", MOVED_IN),
        Event(inside, Op.RENAME),
        Event(f"{root}/a.go", Op.RENAME),
        Event(other, MOVED_IN, f"{root}/a.go"),
    ]


def test_a_file_made_at_once_in_new_directories_is_heard_of(root: str, listen: Listen) -> None:
    ear = listen(root)
    for number in range(200):
        path = write(f"{root}/{number}/b/c/d.go")
        assert path in ear.ops(), f"lost in round {number}"
        write(path, "more")
        assert Op.WRITE in ear.ops().get(path, Op(0)), f"deaf in round {number}"


def test_a_directory_made_again_and_again_stays_watched(root: str, listen: Listen) -> None:
    ear = listen(root)
    for _ in range(30):
        shutil.rmtree(f"{root}/d", ignore_errors=True)
        path = write(f"{root}/d/e/f.go")
    ear.settle()
    write(path, "more")
    assert ear.ops() == {path: Op.WRITE | Op.CLOSE_WRITE}


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
    heard += ear.settle()
    told = {item.path for item in heard if isinstance(item, Event)}
    assert not [path for path in made if path not in told and os.path.exists(path)]


def test_everything_in_a_directory_that_is_moved_in_is_told(
    root: str, listen: Listen, tmp_path: Path
) -> None:
    write(f"{tmp_path}/outside/d/e/f.go")
    os.symlink("f.go", f"{tmp_path}/outside/d/e/link")
    ear = listen(root)
    os.rename(f"{tmp_path}/outside/d", f"{root}/d")
    told = {(event.path.removeprefix(root), event.directory) for event in ear.events()}
    expected = {("/d", True), ("/d/e", True), ("/d/e/f.go", False), ("/d/e/link", False)}
    assert told == expected
    assert ear.agrees()


def test_below_a_moved_directory_events_carry_the_new_path(root: str, listen: Listen) -> None:
    write(f"{root}/d/e/f.go")
    ear = listen(root)
    os.rename(f"{root}/d", f"{root}/new")
    write(f"{root}/new/e/f.go", "more")
    path = f"{root}/new/e/f.go"
    assert ear.events() == [
        Event(f"{root}/d", Op.RENAME, None, directory=True),
        Event(f"{root}/new", MOVED_IN, f"{root}/d", directory=True),
        Event(path, Op.WRITE),
        Event(path, Op.CLOSE_WRITE),
    ]
    assert ear.agrees()


@pytest.mark.parametrize(
    "moves",
    [["a t", "b a", "t b"], ["a x", "x y", "y z"], ["a b/a", "b c"], ["a ab", "b a", "ab b/x"]],
    ids=["swap", "chain", "into another", "alike"],
)
@pytest.mark.parametrize("read_between", [False, True])
def test_moves_upon_moves_end_right(
    root: str, listen: Listen, moves: list[str], *, read_between: bool
) -> None:
    write(f"{root}/a/in-a/f.go")
    write(f"{root}/b/in-b/f.go")
    ear = listen(root)
    for move in moves:
        old, new = move.split()
        os.makedirs(os.path.dirname(f"{root}/{new}"), exist_ok=True)
        os.rename(f"{root}/{old}", f"{root}/{new}")
        if read_between:
            ear.all()
    ear.settle()


def test_a_swap_at_one_stroke_ends_right(root: str, listen: Listen) -> None:
    write(f"{root}/a/in-a/f.go")
    write(f"{root}/b/in-b/f.go")
    ear = listen(root)
    try:
        exchange(f"{root}/a", f"{root}/b")
    except OSError as error:
        pytest.skip(f"this filesystem cannot exchange names: {error.strerror}")
    ear.settle()
    path = write(f"{root}/a/in-b/f.go", "more")
    assert set(ear.ops()) == {path}


def test_a_directory_and_a_file_swapped_end_right(root: str, listen: Listen) -> None:
    write(f"{root}/a/in-a/f.go")
    write(f"{root}/b")
    ear = listen(root)
    try:
        exchange(f"{root}/a", f"{root}/b")
    except OSError as error:
        pytest.skip(f"this filesystem cannot exchange names: {error.strerror}")
    ear.settle()
    assert f"{root}/b/in-a" in ear.paths


def test_a_directory_born_in_one_that_moves_at_once_is_watched(root: str, listen: Listen) -> None:
    """Its CREATE is read under a path that leads nowhere by then."""
    write(f"{root}/d/f.go")
    ear = listen(root)
    os.mkdir(f"{root}/d/sub")
    os.rename(f"{root}/d", f"{root}/e")
    heard = {item.path for item in ear.settle() if isinstance(item, Event)}
    assert f"{root}/e/sub" in heard
    path = write(f"{root}/e/sub/f.go")
    assert path in ear.ops()


def test_a_directory_moved_over_an_empty_one_is_watched(
    root: str, listen: Listen, tmp_path: Path
) -> None:
    write(f"{tmp_path}/outside/d/f.go")
    os.mkdir(f"{root}/d")
    ear = listen(root)
    os.rename(f"{tmp_path}/outside/d", f"{root}/d")
    assert f"{root}/d/f.go" in ear.ops()
    ear.settle()


def test_what_was_moved_out_falls_silent(root: str, listen: Listen, tmp_path: Path) -> None:
    write(f"{root}/d/e/f.go")
    ear = listen(root)
    os.rename(f"{root}/d", f"{tmp_path}/out")
    write(f"{tmp_path}/out/e/f.go", "at once")
    os.mkdir(f"{tmp_path}/out/e/new")
    told = [event.path for event in ear.events()]
    assert told == [f"{root}/d"]
    heard = ear.settle()  # the kernel no longer watches it
    write(f"{tmp_path}/out/e/f.go", "later")
    assert not heard + ear.all()


def test_a_name_that_begins_alike_is_another_one(root: str, listen: Listen, tmp_path: Path) -> None:
    path = write(f"{root}/ab/f.go")
    write(f"{root}/a/f.go")
    ear = listen(root)
    os.rename(f"{root}/a", f"{tmp_path}/out")
    ear.settle()
    write(path, "more")
    assert set(ear.ops()) == {path}


def test_a_removed_directory_is_told_once(root: str, listen: Listen) -> None:
    os.makedirs(f"{root}/d")
    ear = listen(root)
    os.rmdir(f"{root}/d")
    assert ear.events() == [Event(f"{root}/d", Op.REMOVE, None, directory=True)]
    assert ear.agrees()


def test_a_file_takes_the_place_of_a_directory_and_back(root: str, listen: Listen) -> None:
    write(f"{root}/d/f.go")
    ear = listen(root)
    for _ in range(10):
        shutil.rmtree(f"{root}/d")
        write(f"{root}/d")
        os.remove(f"{root}/d")
        write(f"{root}/d/f.go")
    ear.settle()


def test_a_skipped_directory_is_neither_opened_nor_watched(root: str, listen: Listen) -> None:
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
    told = set(ear.ops())
    assert not [path for path in told if "/node_modules/" in path]
    assert ear.paths == {root, f"{root}/new"}
    assert ear.inodes == {os.stat(path).st_ino for path in ear.paths}
    assert not [path for path in asked if "/node_modules/" in path]


def test_a_directory_renamed_to_a_skipped_name_and_back(root: str, listen: Listen) -> None:
    write(f"{root}/lib/deep/a.js")
    ear = listen(root, skips=lambda path: path.endswith("/node_modules"))
    os.rename(f"{root}/lib", f"{root}/node_modules")
    ear.all()
    assert ear.paths == {root}
    os.rename(f"{root}/node_modules", f"{root}/lib")
    ear.settle()


def test_other_rules_are_followed_after_a_refresh(root: str, listen: Listen) -> None:
    write(f"{root}/gen/deep/a.go")
    skipped = {f"{root}/gen"}
    ear = listen(root, skips=skipped.__contains__)
    assert ear.paths == {root}
    skipped.clear()
    ear.watcher.refresh()
    assert "Refreshed" in {type(item).__name__ for item in ear.all()}
    assert ear.agrees()
    skipped.add(f"{root}/gen")
    ear.watcher.refresh()
    ear.all()
    assert ear.paths == {root}
    assert ear.inodes == {os.stat(root).st_ino}


def test_names_that_are_no_utf_8_keep_every_byte(root: str, listen: Listen) -> None:
    ear = listen(root)
    directory = os.fsencode(root) + b"/d\xe9"
    os.mkdir(directory)
    with open(directory + b"/caf\xe9.go", "wb"):
        pass
    path = f"{root}/d\udce9/caf\udce9.go"
    assert path in ear.ops()
    os.remove(directory + b"/caf\xe9.go")
    assert ear.events() == [Event(path, Op.REMOVE)]


def test_a_path_of_4000_characters_is_watched(root: str, listen: Listen) -> None:
    deep = root
    while len(deep) < 4000 - 2:
        deep += "/" + "d" * min(200, 4000 - 1 - len(deep))
    os.makedirs(deep)
    ear = listen(root)
    path = write(f"{deep}/f")
    assert path in ear.ops()


def test_what_is_too_deep_for_a_path_is_said_once(root: str, listen: Listen) -> None:
    here, depth = os.open(root, os.O_RDONLY), 0
    while len(root) + depth * 201 <= 4096:
        os.mkdir("d" * 200, dir_fd=here)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here, depth = below, depth + 1
    os.close(here)
    ear = listen(root)
    said = [item for item in ear.all() if isinstance(item, Unwatched)]
    ear.watcher.refresh()
    said += [item for item in ear.all() if isinstance(item, Unwatched)]
    assert len(said) == 1
    assert Op.CREATE in ear_of(ear, write(f"{root}/f"))


def ear_of(ear: Ear, path: str) -> Op:
    return ear.ops().get(path, Op(0))


def test_fifos_and_links_are_names_only(root: str, listen: Listen, tmp_path: Path) -> None:
    write(f"{tmp_path}/elsewhere/f.go")
    ear = listen(root)
    os.mkfifo(f"{root}/fifo")
    os.symlink(f"{tmp_path}/elsewhere", f"{root}/link")
    os.symlink(root, f"{root}/loop")
    write(f"{tmp_path}/elsewhere/f.go", "more")
    assert ear.ops() == dict.fromkeys((f"{root}/fifo", f"{root}/link", f"{root}/loop"), Op.CREATE)
    assert ear.paths == {root}


def test_each_watcher_of_a_path_hears_everything(root: str, listen: Listen) -> None:
    first, second = listen(root), listen(root)
    path = write(f"{root}/f.go")
    assert path in first.ops()
    assert path in second.ops()


def test_one_directory_under_two_names_is_heard_under_both(
    root: str, listen: Listen, tmp_path: Path
) -> None:
    link = f"{tmp_path}/link"
    os.symlink(root, link)
    ear = listen(root, link)
    write(f"{root}/d/f.go")
    told = ear.ops()
    assert {f"{root}/d/f.go", f"{link}/d/f.go"} <= set(told)
    ear.watcher.remove(link)
    write(f"{root}/d/f.go", "more")
    assert set(ear.ops()) == {f"{root}/d/f.go"}


def test_a_directory_under_two_names_moves_under_both(
    root: str, listen: Listen, tmp_path: Path
) -> None:
    link = f"{tmp_path}/link"
    os.symlink(root, link)
    write(f"{root}/d/e/f.go")
    ear = listen(root, link)
    os.rename(f"{root}/d", f"{root}/new")
    ear.all()
    write(f"{root}/new/e/f.go", "more")
    assert set(ear.ops()) == {f"{root}/new/e/f.go", f"{link}/new/e/f.go"}
    os.rename(f"{root}/new", f"{tmp_path}/out")
    inodes = {os.stat(root).st_ino}
    ear.until(lambda _: ear.inodes == inodes, "the watches of what moved out to end")
