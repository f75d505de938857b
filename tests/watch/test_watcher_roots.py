"""Roots that are deleted, moved, replaced or reached through links are watched again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ear import Ear, write

import hotrun
from hotrun.watch import Event, Item, Op
from hotrun.watch.paths import way

if TYPE_CHECKING:
    from collections.abc import Callable

    Listen = Callable[..., Ear]


def about(heard: list[Item], path: str) -> list[Op]:
    """What was said of one path, in order."""
    return [item.op for item in heard if isinstance(item, Event) and item.path == path]


def heard_again(ear: Ear, root: str) -> None:
    """The root is as it should be: watched, and heard under its name."""
    ear.settle()
    path = write(f"{root}/again/f.go")
    assert path in ear.ops()


def test_a_root_deleted_and_made_again_is_told_and_watched(root: str, listen: Listen) -> None:
    write(f"{root}/d/f.go")
    ear = listen(root)
    shutil.rmtree(root)
    assert about(ear.all(), root) == [Op.REMOVE]
    path = write(f"{root}/new/f.go")
    heard = ear.all()
    assert about(heard, root) == [Op.CREATE]
    assert about(heard, path)
    heard_again(ear, root)


def test_a_root_made_again_before_anybody_looks(root: str, listen: Listen) -> None:
    """The new directory often gets the inode number of the old one (ext4)."""
    ear = listen(root)
    for _ in range(20):
        shutil.rmtree(root)
        path = write(f"{root}/d/f.go")
        heard = ear.all()
        assert about(heard, root)[-1] == Op.CREATE
        assert about(heard, path)
    heard_again(ear, root)


def test_a_root_replaced_many_times_between_two_looks(root: str, listen: Listen) -> None:
    ear = listen(root)
    for number in range(50):
        os.rename(root, f"{root}-{number}")
        write(f"{root}/{number}/f.go")
    write(f"{root}-49/stranger.go")
    heard = ear.all()
    assert f"{root}/49/f.go" in {item.path for item in heard if isinstance(item, Event)}
    assert not about(heard, f"{root}/stranger.go")
    heard_again(ear, root)


def test_a_root_moved_away_falls_silent_until_there_is_one_again(root: str, listen: Listen) -> None:
    write(f"{root}/f.go")
    ear = listen(root)
    os.rename(root, f"{root}-old")
    assert about(ear.all(), root) == [Op.RENAME]
    write(f"{root}-old/f.go", "more")
    assert not ear.all()
    assert not ear.inodes
    os.rename(f"{root}-old", root)
    heard = ear.all()
    assert about(heard, root) == [Op.CREATE]
    assert about(heard, f"{root}/f.go") == [Op.CREATE]
    heard_again(ear, root)


def test_nothing_is_told_under_a_path_that_is_something_else(root: str, listen: Listen) -> None:
    """The parent of the root moves: the watch on the root itself hears nothing of that."""
    write(f"{root}/f.go")
    ear = listen(root)
    above = os.path.dirname(root)
    os.rename(above, f"{above}-old")
    os.makedirs(root)
    write(f"{above}-old/root/f.go", "more")
    write(f"{above}-old/root/g.go")
    heard = ear.all()
    assert about(heard, root) == [Op.REMOVE, Op.CREATE]
    assert not about(heard, f"{root}/f.go") + about(heard, f"{root}/g.go")
    heard_again(ear, root)


def test_a_parent_deleted_and_made_again(root: str, listen: Listen) -> None:
    ear = listen(root)
    for _ in range(20):
        shutil.rmtree(os.path.dirname(root))
        path = write(f"{root}/f.go")
        assert about(ear.all(), path)
    heard_again(ear, root)


def test_a_missing_root_is_waited_for(root: str, listen: Listen) -> None:
    below = f"{root}/not/yet/there"
    ear = listen(below)
    assert not ear.all()
    write(f"{root}/not/else.go")
    assert not ear.all()
    path = write(f"{below}/f.go")
    heard = ear.all()
    assert about(heard, below) == [Op.CREATE]
    assert about(heard, path)
    heard_again(ear, below)


def test_a_missing_root_that_appears_step_by_step(root: str, listen: Listen) -> None:
    below = f"{root}/not/yet/there"
    ear = listen(below)
    for step in (f"{root}/not", f"{root}/not/yet", below):
        os.mkdir(step)
        ear.all()
    heard_again(ear, below)


def test_a_file_in_the_place_of_a_root_is_no_root(root: str, listen: Listen) -> None:
    path = write(f"{root}/later")
    ear = listen(path)
    os.remove(path)
    write(f"{path}/f.go")
    assert about(ear.all(), f"{path}/f.go")


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
        os.symlink(f"{root}/two", link)
    else:
        os.symlink(f"{root}/two", f"{link}-new")
        os.rename(f"{link}-new", link)
    heard = ear.all()
    assert about(heard, f"{link}/p/new.go") == [Op.CREATE]
    write(old, "more")
    assert not ear.all()
    write(new, "more")
    assert set(ear.ops()) == {f"{link}/p/new.go"}


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


def test_the_way_to_a_root_holds_every_link_and_directory(tmp_path: Path) -> None:
    top = os.path.realpath(tmp_path)
    os.makedirs(f"{top}/a/b")
    os.symlink("a/../a", f"{top}/relative")
    os.symlink(f"{top}/relative/b", f"{top}/twice")
    os.symlink("loop", f"{top}/loop")
    steps = way(f"{top}/twice/c")
    assert [step.removeprefix(top) for step in steps if step.startswith(f"{top}/")] == [
        "/twice",
        "/relative",
        "/a",
        "/a",
        "/a/b",
        "/a/b/c",
    ]
    assert steps[0] == "/"
    assert f"{top}/loop" in way(f"{top}/loop/x")


def test_roots_in_roots_are_heard_once(root: str, listen: Listen) -> None:
    below = f"{root}/a/b"
    os.makedirs(below)
    for order in ([root, below], [below, root]):
        ear = listen(*order)
        path = write(f"{below}/{len(os.listdir(below))}.go")
        assert [event.path for event in ear.events() if event.op == Op.CREATE] == [path]
        ear.settle()
        ear.watcher.close()


def test_a_root_in_a_moved_directory_of_another_root(root: str, listen: Listen) -> None:
    below = f"{root}/a/b"
    write(f"{below}/c/f.go")
    ear = listen(below, root)
    os.rename(f"{root}/a", f"{root}/x")
    heard = ear.settle()
    assert not about(heard, below)[1:]
    path = write(f"{root}/x/b/c/g.go")
    assert set(ear.ops()) == {path}
    os.rename(f"{root}/x", f"{root}/a")
    ear.settle()
    path = write(f"{below}/c/h.go")
    assert set(ear.ops()) == {path}


def test_a_root_taken_away_leaves_the_others(root: str, listen: Listen, tmp_path: Path) -> None:
    below, beside = f"{root}/a/b", f"{root}-beside"
    os.makedirs(below)
    os.makedirs(beside)
    ear = listen(root, below, beside)
    write(f"{root}/queued.go")
    ear.watcher.remove(root)
    assert not ear.all()
    write(f"{root}/f.go")
    path, other = write(f"{below}/f.go"), write(f"{beside}/f.go")
    assert set(ear.ops()) == {path, other}
    assert ear.watcher.watch_list()[1:] == [below, beside]
    with pytest.raises(KeyError):
        ear.watcher.remove(str(tmp_path))


def test_added_twice_is_added_once(root: str, listen: Listen) -> None:
    ear = listen(root, root, f"{root}/", f"{root}/./")
    path = write(f"{root}/f.go")
    assert [event.path for event in ear.events() if event.op == Op.CREATE] == [path]
    assert ear.watcher.watch_list().count(root) == 1


def test_a_linked_root_in_a_directory_that_went_and_came_back(
    root: str, listen: Listen, tmp_path: Path
) -> None:
    """A listing of that directory does not show the link as one to watch."""
    target = tmp_path / "target"
    target.mkdir()
    os.mkdir(f"{root}/d")
    os.symlink(target, f"{root}/d/link")
    ear = listen(root, f"{root}/d/link")
    os.rename(f"{root}/d", f"{root}/e")
    os.rename(f"{root}/e", f"{root}/d")
    ear.all()
    path = write(f"{root}/d/link/f.go")
    assert path in ear.ops()


UNMOUNT = """
import os, subprocess, sys
from hotrun.watch import Event, Op, Watcher

top = sys.argv[1]
mount = top + "/mount"
os.makedirs(mount + "/hidden")
subprocess.run(["mount", "-t", "tmpfs", "none", mount], check=True)
os.makedirs(mount + "/in/deep")
with Watcher("native") as outer, Watcher("native") as inner:
    outer.add(top)
    inner.add(mount)
    subprocess.run(["umount", mount], check=True)
    for watcher in (outer, inner):
        heard = watcher.read(60)
        assert Event(mount, Op.REMOVE, None, directory=True) in heard, heard
        assert Event(mount + "/hidden", Op.CREATE, None, directory=True) in heard, heard
    path = mount + "/hidden/f"
    open(path, "w").close()
    for watcher in (outer, inner):
        assert Event(path, Op.CREATE) in watcher.read(60)
    assert (outer.directories, inner.directories) == (3, 2)
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="there is no unshare")
def test_an_unmounted_directory_is_told_and_what_it_hid_is_watched(root: str) -> None:
    done = subprocess.run(
        ["unshare", "-rm", sys.executable, "-c", UNMOUNT, root],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(hotrun.__file__).parent.parent)},
    )
    if "unshare:" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stderr
