"""What the kqueue backend makes of each kevent: scripted ones, on a disk that is as they say."""

from __future__ import annotations

import os
import resource
import shutil
import stat
import threading
from typing import TYPE_CHECKING, NamedTuple

import fake_kqueue as fake
import pytest
from ear import write
from fake_kqueue import (
    KQ_EV_ADD,
    KQ_EV_CLEAR,
    KQ_EV_ENABLE,
    KQ_FILTER_READ,
    KQ_FILTER_VNODE,
    KQ_NOTE_ATTRIB,
    KQ_NOTE_DELETE,
    KQ_NOTE_EXTEND,
    KQ_NOTE_LINK,
    KQ_NOTE_RENAME,
    KQ_NOTE_REVOKE,
    KQ_NOTE_WRITE,
)
from kqueue_ear import DEADLINE, KqueueEar

from hotrun.watch.event import BASE, Event, Op
from hotrun.watch.kqueue.backend import Kqueue
from hotrun.watch.kqueue.calls import MAC_OPEN_MAX, Limit, most_files, open_node, wanted
from hotrun.watch.kqueue.nodes import ROUND, SLICE, Kind, Listed, Node, Rounds, Tree, differences
from hotrun.watch.kqueue.ways import Ways
from hotrun.watch.paths import way
from hotrun.watch.scope import Root, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Notes = list[tuple[str, int]]


@pytest.fixture
def ears() -> Iterator[Callable[..., KqueueEar]]:
    """Make scripted ears; they are released at the end."""
    made: list[KqueueEar] = []

    def make(*roots: str, **options: object) -> KqueueEar:
        made.append(KqueueEar(*roots, live=False, frozen=True, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for ear in made:
        ear.backend.release()


# --- one kevent, or several in one batch, and what is told ---


class Case(NamedTuple):
    """What is done to the disk (``d/f``, ``d/g`` and ``e`` are there), and noted, and told."""

    do: Callable[[str], object]
    notes: Notes
    told: list[tuple[str, Op] | tuple[str, Op, str]]


def rename(old: str, new: str) -> Callable[[str], object]:
    return lambda root: os.rename(f"{root}/{old}", f"{root}/{new}")


def nothing(_: str) -> None:
    """Leave the disk alone."""


DIRECTORY = KQ_NOTE_WRITE
CASES = {
    "file written": Case(nothing, [("d/f", KQ_NOTE_WRITE)], [("d/f", Op.WRITE)]),
    "file extended": Case(nothing, [("d/f", KQ_NOTE_EXTEND)], [("d/f", Op.WRITE)]),
    "written twice, read once": Case(
        nothing, [("d/f", KQ_NOTE_WRITE), ("d/f", KQ_NOTE_EXTEND)], [("d/f", Op.WRITE)]
    ),
    "mode changed": Case(
        lambda root: os.chmod(f"{root}/d/f", 0o700),
        [("d/f", KQ_NOTE_ATTRIB)],
        [("d/f", Op.CHMOD)],
    ),
    "an attribute that is not seen": Case(nothing, [("d/f", KQ_NOTE_ATTRIB)], [("d/f", Op.CHMOD)]),
    "truncation is an ATTRIB": Case(
        lambda root: os.truncate(f"{root}/d/f", 0),
        [("d/f", KQ_NOTE_ATTRIB)],
        [("d/f", Op.WRITE)],
    ),
    "truncation and chmod": Case(
        lambda root: (os.truncate(f"{root}/d/f", 0), os.chmod(f"{root}/d/f", 0o700)),
        [("d/f", KQ_NOTE_ATTRIB)],
        [("d/f", Op.WRITE | Op.CHMOD)],
    ),
    "written and touched": Case(
        lambda root: write(f"{root}/d/f", "longer"),
        [("d/f", KQ_NOTE_WRITE | KQ_NOTE_ATTRIB)],
        [("d/f", Op.WRITE)],
    ),
    "directory's mode": Case(
        lambda root: os.chmod(f"{root}/e", 0o700), [("e", KQ_NOTE_ATTRIB)], [("e", Op.CHMOD)]
    ),
    "directory noted, nothing new": Case(nothing, [("d", DIRECTORY)], []),
    "new name": Case(
        lambda root: write(f"{root}/d/new"), [("d", DIRECTORY)], [("d/new", Op.CREATE)]
    ),
    "new subdirectory is a LINK": Case(
        lambda root: os.mkdir(f"{root}/d/new"), [("d", KQ_NOTE_LINK)], [("d/new", Op.CREATE)]
    ),
    "new name by a rename from elsewhere is an EXTEND (FreeBSD)": Case(
        lambda root: os.mkfifo(f"{root}/d/new"), [("d", KQ_NOTE_EXTEND)], [("d/new", Op.CREATE)]
    ),
    "new directories with all that is in them": Case(
        lambda root: write(f"{root}/e/x/y/z"),
        [("e", DIRECTORY)],
        [("e/x", Op.CREATE), ("e/x/y", Op.CREATE), ("e/x/y/z", Op.CREATE)],
    ),
    "removed": Case(
        lambda root: os.remove(f"{root}/d/f"),
        [("d", DIRECTORY), ("d/f", KQ_NOTE_DELETE)],
        [("d/f", Op.REMOVE)],
    ),
    "removed, only the directory noted": Case(
        lambda root: os.remove(f"{root}/d/f"), [("d", DIRECTORY)], [("d/f", Op.REMOVE)]
    ),
    "removed, only the file noted": Case(
        lambda root: os.remove(f"{root}/d/f"), [("d/f", KQ_NOTE_DELETE)], [("d/f", Op.REMOVE)]
    ),
    "written and removed is removed": Case(
        lambda root: os.remove(f"{root}/d/f"),
        [("d/f", KQ_NOTE_WRITE | KQ_NOTE_DELETE)],
        [("d/f", Op.REMOVE)],
    ),
    "removed, and another one at once": Case(
        lambda root: (os.remove(f"{root}/d/f"), write(f"{root}/d/f")),
        [("d/f", KQ_NOTE_DELETE)],
        [("d/f", Op.REMOVE), ("d/f", Op.CREATE)],
    ),
    "moved out": Case(
        rename("d/f", "../out"),
        [("d", DIRECTORY), ("d/f", KQ_NOTE_RENAME)],
        [("d/f", Op.RENAME)],
    ),
    "moved out, only the directory noted": Case(
        rename("d/f", "../out"), [("d", DIRECTORY)], [("d/f", Op.RENAME)]
    ),
    "one of two links removed": Case(
        lambda root: (os.link(f"{root}/d/f", f"{root}/../out"), os.remove(f"{root}/d/f")),
        [("d", DIRECTORY), ("d/f", KQ_NOTE_DELETE | KQ_NOTE_LINK)],
        [("d/f", Op.REMOVE)],
    ),
    "one of two links removed (NetBSD)": Case(
        lambda root: (os.link(f"{root}/d/f", f"{root}/../out"), os.remove(f"{root}/d/f")),
        [("d", DIRECTORY), ("d/f", KQ_NOTE_LINK)],
        [("d/f", Op.REMOVE)],
    ),
    "a file with another link moved out": Case(
        lambda root: (
            os.link(f"{root}/d/f", f"{root}/../out"),
            os.rename(f"{root}/d/f", f"{root}/../out2"),
        ),
        [("d", DIRECTORY), ("d/f", KQ_NOTE_LINK | KQ_NOTE_RENAME)],
        [("d/f", Op.RENAME)],
    ),
    "another link of it removed": Case(nothing, [("d/f", KQ_NOTE_DELETE | KQ_NOTE_LINK)], []),
    "renamed and renamed back": Case(nothing, [("d", DIRECTORY), ("d/f", KQ_NOTE_RENAME)], []),
    "renamed": Case(
        rename("d/f", "d/new"),
        [("d", DIRECTORY), ("d/f", KQ_NOTE_RENAME)],
        [("d/f", Op.RENAME), ("d/new", Op.CREATE, "d/f")],
    ),
    "renamed into another directory": Case(
        rename("d/f", "e/f"),
        [("d", DIRECTORY), ("e", DIRECTORY), ("d/f", KQ_NOTE_RENAME)],
        [("d/f", Op.RENAME), ("e/f", Op.CREATE, "d/f")],
    ),
    "renamed, only the new directory noted": Case(
        rename("d/f", "e/f"),
        [("e", DIRECTORY)],
        [("d/f", Op.RENAME), ("e/f", Op.CREATE, "d/f")],
    ),
    "written, then renamed": Case(
        rename("d/f", "e/f"),
        [("d/f", KQ_NOTE_WRITE | KQ_NOTE_RENAME), ("e", DIRECTORY)],
        [("d/f", Op.RENAME), ("e/f", Op.CREATE, "d/f"), ("e/f", Op.WRITE)],
    ),
    "renamed over another one": Case(
        rename("d/f", "d/g"),
        [("d", DIRECTORY), ("d/f", KQ_NOTE_RENAME), ("d/g", KQ_NOTE_DELETE)],
        [("d/g", Op.REMOVE), ("d/f", Op.RENAME), ("d/g", Op.CREATE, "d/f")],
    ),
    "overwritten by one from outside": Case(
        lambda root: os.rename(write(f"{root}/../new"), f"{root}/d/f"),
        [("d", DIRECTORY), ("d/f", KQ_NOTE_DELETE)],
        [("d/f", Op.REMOVE), ("d/f", Op.CREATE)],
    ),
    "a link to it is no rename": Case(
        lambda root: os.link(f"{root}/d/f", f"{root}/d/new"),
        [("d", DIRECTORY), ("d/f", KQ_NOTE_LINK)],
        [("d/new", Op.CREATE)],
    ),
    "directory renamed": Case(
        rename("d", "new"),
        [("", DIRECTORY), ("d", KQ_NOTE_RENAME)],
        [("d", Op.RENAME), ("new", Op.CREATE, "d")],
    ),
    "directory renamed, a file in it written": Case(
        rename("d", "new"),
        [("d/f", KQ_NOTE_WRITE), ("", DIRECTORY), ("d", KQ_NOTE_RENAME)],
        [("d", Op.RENAME), ("new", Op.CREATE, "d"), ("new/f", Op.WRITE)],
    ),
    "directory renamed, and a file in it": Case(
        lambda root: (
            os.rename(f"{root}/d/f", f"{root}/d/h"),
            os.rename(f"{root}/d", f"{root}/new"),
        ),
        [("d", DIRECTORY | KQ_NOTE_RENAME), ("", DIRECTORY), ("d/f", KQ_NOTE_RENAME)],
        [
            ("d", Op.RENAME),
            ("new", Op.CREATE, "d"),
            ("new/f", Op.RENAME),
            ("new/h", Op.CREATE, "new/f"),
        ],
    ),
    "directory renamed, and a link made to a file in it": Case(
        lambda root: (
            os.rename(f"{root}/d", f"{root}/new"),
            os.link(f"{root}/new/f", f"{root}/link2"),
        ),
        [("", DIRECTORY), ("d", KQ_NOTE_RENAME), ("d/f", KQ_NOTE_LINK)],
        [("d", Op.RENAME), ("new", Op.CREATE, "d"), ("link2", Op.CREATE)],
    ),
    "two links swapped": Case(
        lambda root: (
            os.rename(f"{root}/link", f"{root}/t"),
            os.rename(f"{root}/d/link", f"{root}/link"),
            os.rename(f"{root}/t", f"{root}/d/link"),
        ),
        [("", DIRECTORY), ("d", DIRECTORY)],
        [
            ("link", Op.RENAME),
            ("d/link", Op.RENAME),
            ("link", Op.CREATE, "d/link"),
            ("d/link", Op.CREATE, "link"),
        ],
    ),
    "two swapped": Case(
        lambda root: (
            os.rename(f"{root}/d", f"{root}/t"),
            os.rename(f"{root}/e", f"{root}/d"),
            os.rename(f"{root}/t", f"{root}/e"),
        ),
        [("", DIRECTORY), ("d", KQ_NOTE_RENAME), ("e", KQ_NOTE_RENAME)],
        [
            ("d", Op.RENAME),
            ("e", Op.RENAME),
            ("d", Op.CREATE, "e"),
            ("e", Op.CREATE, "d"),
        ],
    ),
    "directory removed": Case(
        lambda root: os.rmdir(f"{root}/e"),
        [("", DIRECTORY | KQ_NOTE_LINK), ("e", KQ_NOTE_DELETE)],
        [("e", Op.REMOVE)],
    ),
    "directory removed, only itself noted": Case(
        lambda root: os.rmdir(f"{root}/e"), [("e", KQ_NOTE_DELETE)], [("e", Op.REMOVE)]
    ),
    "directory removed with what was in it": Case(
        lambda root: shutil.rmtree(f"{root}/d"),
        [("d", DIRECTORY | KQ_NOTE_DELETE), ("d/f", KQ_NOTE_DELETE), ("", DIRECTORY)],
        [("d/f", Op.REMOVE), ("d/g", Op.REMOVE), ("d/link", Op.REMOVE), ("d", Op.REMOVE)],
    ),
    "directory removed that keeps its link count (APFS)": Case(
        rename("e", "../out"),  # on Linux, a directory with links that is not there
        [("", DIRECTORY), ("e", KQ_NOTE_DELETE)],
        [("e", Op.REMOVE)],
    ),
    "directory moved, only its own content noted": Case(
        lambda root: (os.rename(f"{root}/e", f"{root}/d/e"), write(f"{root}/d/e/new")),
        [("e", DIRECTORY)],
        [("e", Op.RENAME)],  # and the rest when the directory it came to is noted
    ),
    "another directory in its place": Case(
        lambda root: (os.rename(f"{root}/e", f"{root}/../out"), write(f"{root}/e/new")),
        [("e", DIRECTORY)],
        [("e", Op.RENAME), ("e", Op.CREATE), ("e/new", Op.CREATE)],
    ),
    "directory moved out": Case(
        rename("d", "../out"), [("", DIRECTORY), ("d", KQ_NOTE_RENAME)], [("d", Op.RENAME)]
    ),
    "a file where a directory was": Case(
        lambda root: (os.rmdir(f"{root}/e"), write(f"{root}/e")),
        [("", DIRECTORY), ("e", KQ_NOTE_DELETE)],
        [("e", Op.REMOVE), ("e", Op.CREATE)],
    ),
    "revoked, and still there": Case(
        nothing, [("d/f", KQ_NOTE_REVOKE)], [("d/f", Op.REMOVE), ("d/f", Op.CREATE)]
    ),
    "a link replaced by another one": Case(
        lambda root: (
            os.symlink("elsewhere", f"{root}/new"),
            os.rename(f"{root}/new", f"{root}/link"),
        ),
        [("", DIRECTORY)],
        [("link", Op.REMOVE), ("link", Op.CREATE)],
    ),
    "a link renamed": Case(
        rename("link", "d/link2"),
        [("", DIRECTORY), ("d", DIRECTORY)],
        [("link", Op.RENAME), ("d/link2", Op.CREATE, "link")],
    ),
    "a fifo removed": Case(
        lambda root: os.remove(f"{root}/fifo"), [("", DIRECTORY)], [("fifo", Op.REMOVE)]
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_a_batch_of_kevents_tells(
    root: str, ears: Callable[..., KqueueEar], case: Case
) -> None:
    ear = on_a_tree(root, ears)
    fds = {path: held_fd(ear, path) for path, _ in case.notes}
    case.do(root)
    for path, notes in case.notes:
        ear.queue.push(fds[path], notes)
    ear.backend.take()
    told = [short(event, root) for event in ear.items if isinstance(event, Event)]
    assert told == [(*each, None)[:3] for each in case.told]
    ear.items.clear()
    ear.backend.take()
    assert not ear.items, "told twice"


def on_a_tree(root: str, ears: Callable[..., KqueueEar]) -> KqueueEar:
    write(f"{root}/d/f")
    write(f"{root}/d/g")
    os.mkdir(f"{root}/e")
    os.symlink("d", f"{root}/link")
    os.symlink("nowhere", f"{root}/d/link")
    os.mkfifo(f"{root}/fifo")
    return ears(root)


def held_fd(ear: KqueueEar, path: str) -> int:
    (root,) = ear.scope.roots
    node = ear.backend._tree.find(f"{root}/{path}".rstrip("/"))
    assert node is not None
    return node.fd


def short(event: Event, root: str) -> tuple[str, Op, str | None]:
    old = event.renamed_from
    return (
        event.path.removeprefix(f"{root}/"),
        event.op,
        old and old.removeprefix(f"{root}/"),
    )


def test_nothing_is_looked_at_before_the_kernel_says_a_word(
    root: str, ears: Callable[..., KqueueEar]
) -> None:
    ear = on_a_tree(root, ears)
    write(f"{root}/d/new")
    os.remove(f"{root}/d/f")
    assert not ear.events()
    assert ear.backend.due() is None


def test_a_removal_noted_in_two_batches_is_told_once(
    root: str, ears: Callable[..., KqueueEar]
) -> None:
    ear = on_a_tree(root, ears)
    fd = held_fd(ear, "e")
    os.rmdir(f"{root}/e")
    ear.queue.push(root, DIRECTORY)
    assert [event.op for event in ear.events()] == [Op.REMOVE]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)  # closed: the kernel has nothing more to say of it


def test_halves_of_a_rename_noted_one_after_the_other_are_a_pair(
    root: str, ears: Callable[..., KqueueEar]
) -> None:
    ear = on_a_tree(root, ears)
    os.rename(f"{root}/d/f", f"{root}/e/f")
    ear.queue.push(f"{root}/d", DIRECTORY)
    assert ear.events() == [Event(f"{root}/d/f", Op.RENAME)]
    ear.queue.push(f"{root}/e/f", KQ_NOTE_WRITE | KQ_NOTE_RENAME)
    assert not ear.events()  # it is on its way
    ear.queue.push(f"{root}/e", DIRECTORY)
    assert ear.events() == [
        Event(f"{root}/e/f", Op.CREATE, f"{root}/d/f"),
        Event(f"{root}/e/f", Op.WRITE),
    ]


def test_what_was_noted_of_a_directory_on_its_way_is_looked_at_when_it_arrives(
    root: str, ears: Callable[..., KqueueEar]
) -> None:
    ear = on_a_tree(root, ears)
    os.rename(f"{root}/d", f"{root}/e/d")
    ear.queue.push(root, DIRECTORY)
    assert ear.ops() == {f"{root}/d": Op.RENAME}
    new = write(f"{root}/e/d/new")
    ear.queue.push(f"{root}/e/d", DIRECTORY)
    assert not ear.events()
    ear.queue.push(f"{root}/e", DIRECTORY)
    assert ear.ops() == {f"{root}/e/d": Op.CREATE, new: Op.CREATE}


def test_a_link_that_was_taken_for_a_rename_is_put_right(
    root: str, ears: Callable[..., KqueueEar]
) -> None:
    """Its directory moved, which is not noted yet: a link to it looks like itself."""
    ear = on_a_tree(root, ears)
    os.rename(f"{root}/d", f"{root}/new")
    os.link(f"{root}/new/f", f"{root}/e/f")
    ear.queue.push(f"{root}/e", DIRECTORY)
    told = ear.events()
    assert Event(f"{root}/e/f", Op.CREATE, f"{root}/d/f") in told
    assert Event(f"{root}/new", Op.CREATE, f"{root}/d", directory=True) in told
    assert Event(f"{root}/new/f", Op.CREATE) in told


def test_what_comes_back_from_a_directory_that_left_is_new(
    root: str, ears: Callable[..., KqueueEar]
) -> None:
    ear = on_a_tree(root, ears)
    os.rename(f"{root}/d", f"{root}/../out")
    ear.queue.push(root, DIRECTORY)
    assert ear.ops() == {f"{root}/d": Op.RENAME}
    os.rename(f"{root}/../out/f", f"{root}/e/f")
    ear.queue.push(f"{root}/e", DIRECTORY)
    assert ear.events() == [Event(f"{root}/e/f", Op.CREATE)]


def test_a_tree_under_two_names_moves_under_each_of_them(
    root: str, ears: Callable[..., KqueueEar], tmp_path: Path
) -> None:
    os.makedirs(f"{root}/d")
    link = str(tmp_path / "link")
    os.symlink(root, link)
    ear = ears(link, root)
    os.rename(f"{root}/d", f"{root}/new")
    for name in (root, link):
        ear.queue.push(ear.backend._tree.tops[name].fd, DIRECTORY)
        assert ear.events() == [
            Event(f"{name}/d", Op.RENAME, None, directory=True),
            Event(f"{name}/new", Op.CREATE, f"{name}/d", directory=True),
        ]


def test_a_root_that_is_a_link_goes_with_the_name_in_its_directory(
    root: str, ears: Callable[..., KqueueEar], tmp_path: Path
) -> None:
    target = write(f"{tmp_path}/target/f")
    os.symlink(os.path.dirname(target), f"{root}/link")
    ear = ears(root, f"{root}/link")
    assert ear.queue.registered(target)
    os.remove(f"{root}/link")
    ear.queue.push(ear.backend._tree.tops[root].fd, DIRECTORY)
    assert ear.ops()[f"{root}/link"] == Op.REMOVE
    ear.rest()
    assert not ear.queue.registered(target)


def test_a_name_that_is_another_file_when_it_is_opened(
    root: str, ears: Callable[..., KqueueEar]
) -> None:
    """The listing is older than the descriptor."""
    ear = on_a_tree(root, ears)
    watches, parent = ear.backend._watches, ear.backend._tree.tops[root]
    before = os.listdir("/proc/self/fd")
    for name, kind in (("fifo", Kind.FILE), ("d", Kind.FILE), ("link", Kind.FILE)):
        node = Node(name, Listed(1, kind))
        node.parent = parent
        assert not watches.hold(node)
        assert (node.lost, node.fd) == (True, -1)
    assert os.listdir("/proc/self/fd") == before
    node = Node("d", Listed(1, Kind.DIRECTORY))
    node.parent = parent
    assert watches.hold(node)
    assert node.listed.ino == os.stat(f"{root}/d").st_ino
    watches.drop(node)


def test_a_removal_is_known_from_a_note_that_comes_late(
    root: str, ears: Callable[..., KqueueEar]
) -> None:
    """FreeBSD notes at the directory first; the link count says nothing on APFS."""
    ear = on_a_tree(root, ears)
    os.rename(f"{root}/e", f"{root}/../out")
    ear.queue.push(root, DIRECTORY)
    ear.queue.push_late(held_fd(ear, "e"), KQ_NOTE_DELETE)
    assert ear.events() == [Event(f"{root}/e", Op.REMOVE, None, directory=True)]


def test_a_name_that_comes_back_is_told_as_new(root: str, ears: Callable[..., KqueueEar]) -> None:
    ear = on_a_tree(root, ears)
    os.rename(f"{root}/d", f"{root}/../out")
    ear.queue.push(root, DIRECTORY)
    assert ear.events() == [Event(f"{root}/d", Op.RENAME, None, directory=True)]
    os.rename(f"{root}/../out", f"{root}/d")
    ear.queue.push(root, DIRECTORY)
    assert {event.path for event in ear.events() if event.op == Op.CREATE} == {
        f"{root}/d",
        f"{root}/d/f",
        f"{root}/d/g",
        f"{root}/d/link",
    }


def test_a_directory_moved_within_keeps_its_descriptors(
    root: str, ears: Callable[..., KqueueEar]
) -> None:
    ear = on_a_tree(root, ears)
    fds = [held_fd(ear, path) for path in ("d", "d/f", "d/g")]
    os.rename(f"{root}/d", f"{root}/e/d")
    ear.queue.push(root, DIRECTORY)
    ear.queue.push(f"{root}/e", DIRECTORY)
    ear.all()
    assert fds == [held_fd(ear, path) for path in ("e/d", "e/d/f", "e/d/g")]


def test_what_moved_out_is_closed(root: str, ears: Callable[..., KqueueEar]) -> None:
    ear = on_a_tree(root, ears)
    os.rename(f"{root}/d", f"{root}/../out")
    ear.queue.push(root, DIRECTORY)
    ear.rest()
    assert set(ear.held()) == {root, f"{root}/e"}
    assert not ear.queue.registered(f"{root}/../out")
    assert not ear.queue.registered(f"{root}/../out/f")


def test_more_kevents_than_one_call_returns(root: str, ears: Callable[..., KqueueEar]) -> None:
    paths = [write(f"{root}/{number}") for number in range(1_200)]
    ear = ears(root)
    for path in paths:
        ear.queue.push(held_fd(ear, os.path.basename(path)), KQ_NOTE_WRITE)
    assert set(ear.ops()) == set(paths)


@pytest.mark.parametrize("ident", [0, 4_711], ids=["0, as on macOS", "one that is not ours"])
def test_an_ident_that_is_not_ours_is_passed_over(
    root: str, ears: Callable[..., KqueueEar], ident: int
) -> None:
    ear = ears(root)
    ear.queue.stray(ident, KQ_NOTE_DELETE | KQ_NOTE_WRITE)
    assert not ear.events()


def test_what_wait_has_seen_of_a_closed_descriptor_is_nobodys(
    root: str, ears: Callable[..., KqueueEar], tmp_path: Path
) -> None:
    """Its number may be another file's by then."""
    other = str(tmp_path / "other")
    path = write(f"{other}/f")
    ear = ears(root, other)
    fd = ear.backend._tree.find(path).fd  # type: ignore[union-attr]
    ear.queue.push(path, KQ_NOTE_WRITE)
    ear.backend.wait(DEADLINE)
    ear.remove(other)
    new = write(f"{root}/new")
    ear.queue.push(root, DIRECTORY)
    assert ear.ops() == {new: Op.CREATE}
    assert ear.backend._tree.find(new).fd <= fd  # type: ignore[union-attr]


def test_how_a_descriptor_is_registered(root: str, ears: Callable[..., KqueueEar]) -> None:
    write(f"{root}/f")
    ear = ears(root)
    wishes = [each.wish for each in ear.queue._vnodes.values()]
    own = [wish for wish in wishes if wish.ident in {held_fd(ear, ""), held_fd(ear, "f")}]
    assert len(own) == 2
    for wish in own:
        assert wish.filter == KQ_FILTER_VNODE
        assert wish.flags == KQ_EV_ADD | KQ_EV_CLEAR | KQ_EV_ENABLE
        assert wish.fflags == 0x7F  # all of DELETE to REVOKE
        assert not os.get_inheritable(wish.ident)
    # A busy directory above a root wakes nobody.
    above = [wish for wish in wishes if wish not in own]
    assert {wish.fflags for wish in above} == {KQ_NOTE_DELETE | KQ_NOTE_RENAME | KQ_NOTE_REVOKE}


def test_what_counts_has_a_descriptor_and_nothing_else(
    root: str, ears: Callable[..., KqueueEar]
) -> None:
    for path in ("a.go", "a.tmp", "d/b.go", "skip/c.go"):
        write(f"{root}/{path}")
    os.symlink("a.go", f"{root}/link")
    os.mkfifo(f"{root}/fifo")
    os.mknod(f"{root}/socket", stat.S_IFSOCK | 0o600)
    ear = ears(
        root, wants=lambda path: path.endswith(".go"), skips=lambda path: path.endswith("/skip")
    )
    assert set(ear.held()) == {root, f"{root}/a.go", f"{root}/d", f"{root}/d/b.go"}
    assert set(ear.backend.places()) == {root, f"{root}/d"}
    assert ear.backend.directories() == 2


def test_a_fifo_in_the_place_of_a_file_stops_nobody(root: str) -> None:
    os.mkfifo(f"{root}/fifo")
    os.close(open_node(f"{root}/fifo", directory=False, follow=False))


def test_descriptor_0_is_left_alone(root: str) -> None:
    path = write(f"{root}/f")
    program = f"""
import os
os.close(0)
from hotrun.watch.kqueue.calls import open_node
fd = open_node({path!r}, directory=False, follow=False)
assert fd >= 3 and not os.get_inheritable(fd), fd
try:
    os.fstat(0)
except OSError:
    raise SystemExit(0)
raise SystemExit("descriptor 0 is open")
"""
    import subprocess
    import sys

    subprocess.run([sys.executable, "-c", program], check=True, timeout=DEADLINE)


# --- waiting ---


def test_wait_returns_when_something_happened_and_loses_nothing(
    root: str, ears: Callable[..., KqueueEar]
) -> None:
    path = write(f"{root}/f")
    ear = ears(root)
    ear.queue.push(path, KQ_NOTE_WRITE)
    ear.backend.wait(None)
    ear.backend.wait(None)  # nobody has taken it: it is still there
    assert ear.ops() == {path: Op.WRITE}


def test_wake_lets_wait_return_from_another_thread(ears: Callable[..., KqueueEar]) -> None:
    ear = ears()
    threading.Thread(target=ear.backend.wake).start()
    ear.backend.wait(None)
    assert ear.backend.woken()
    assert not ear.backend.woken()
    ear.backend.take()
    ear.backend.wait(0)


def test_a_wake_before_the_wait_counts(ears: Callable[..., KqueueEar]) -> None:
    ear = ears()
    for _ in range(100_000):  # more than a pipe holds
        ear.backend.wake()
    ear.backend.wait(None)
    assert ear.backend.woken()
    assert not ear.backend.woken()


def test_a_wake_after_the_release_is_harmless() -> None:
    ear = KqueueEar(live=False)
    ear.backend.release()
    ear.backend.wake()


def test_nothing_is_due_at_rest(root: str, ears: Callable[..., KqueueEar]) -> None:
    ear = on_a_tree(root, ears)
    assert ear.backend.due() is None
    os.rename(f"{root}/d/f", f"{root}/../out")
    ear.queue.push(f"{root}/d", DIRECTORY)
    ear.all()
    assert ear.backend.due() is not None  # it may arrive somewhere, for a moment
    ear.rest()
    assert ear.backend.due() is None
    ear.backend.refresh()
    assert ear.backend.due() is not None


# --- the limit of descriptors ---


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    """The limits of this process; they are put back."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(
    ("most", "raised"), [(None, None), (700, 700), (100, 300)], ids=["unknown", "lower", "below"]
)
def test_the_soft_limit_is_raised_and_put_back(
    limits: tuple[int, int], most: int | None, raised: int | None
) -> None:
    hard = limits[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
    backend = Kqueue(Scope(), lambda _: None, fake, lambda: most)
    assert backend.soft_limit_before == 300
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (raised or hard, hard)
    backend.release()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (300, hard)


def test_a_limit_that_somebody_else_has_set_is_left(limits: tuple[int, int]) -> None:
    hard = limits[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
    backend = Kqueue(Scope(), lambda _: None, fake, lambda: 400)
    resource.setrlimit(resource.RLIMIT_NOFILE, (500, hard))
    backend.release()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (500, hard)


def test_where_there_is_no_kqueue_the_limit_is_put_back(limits: tuple[int, int]) -> None:
    class NoneLeft(fake.Kq):
        def kqueue(self) -> fake.kqueue:
            raise OSError(24, "Too many open files")

    resource.setrlimit(resource.RLIMIT_NOFILE, (300, limits[1]))
    with pytest.raises(OSError, match="Too many"):
        Kqueue(Scope(), lambda _: None, NoneLeft(), lambda: None)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 300


def test_several_watchers_raise_the_limit_again_when_they_meet_it(limits: tuple[int, int]) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, limits[1]))
    first, second = Limit(lambda: 400), Limit(lambda: 400)
    assert (first.before, second.before) == (300, 400)
    first.restore()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 300
    assert second.lift()
    assert not second.lift()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 400


@pytest.mark.parametrize("most", [None, 24_576], ids=["unknown", "known"])
def test_no_more_is_asked_for_than_macos_gives(most: int | None) -> None:
    """The hard limit there is "unlimited", and more than this is refused."""
    assert wanted(256, resource.RLIM_INFINITY, most) == (most or MAC_OPEN_MAX)
    assert wanted(resource.RLIM_INFINITY, resource.RLIM_INFINITY, most) == (most or MAC_OPEN_MAX)
    assert wanted(100_000, resource.RLIM_INFINITY, most) == 100_000  # it is in force already
    assert wanted(256, 1_024, most) == 1_024
    assert most_files() is None  # Linux has no such setting


# --- the way to a root ---


def test_where_links_cannot_be_opened_their_directories_tell(root: str, tmp_path: Path) -> None:
    link = str(tmp_path / "link")
    os.symlink(root, link)
    ear = KqueueEar(live=False)
    ways = Ways(ear.backend._kernel, opens_links=False)
    try:
        ways.follow({link: True})
        notes = {each.file: each.wish.fflags for each in ear.queue._vnodes.values()}
        found = os.stat(tmp_path)
        assert notes[(found.st_dev, found.st_ino)] & KQ_NOTE_WRITE
        itself = os.lstat(link)
        assert (itself.st_dev, itself.st_ino) not in notes
    finally:
        ways.release()
        ear.backend.release()


def test_the_way_to_a_root_holds_every_link_and_directory(tmp_path: Path) -> None:
    top = os.path.realpath(tmp_path)
    os.makedirs(f"{top}/a/b")
    os.symlink("a/../a", f"{top}/relative")
    os.symlink(f"{top}/relative/b", f"{top}/twice")
    os.symlink("loop", f"{top}/loop")
    steps = way(f"{top}/twice/c")
    assert [step.removeprefix(top) for step in steps if step.startswith(f"{top}/")] == [
        *("/twice", "/relative", "/a", "/a", "/a/b", "/a/b/c")
    ]
    assert steps[0] == "/"
    assert f"{top}/loop" in way(f"{top}/loop/x")


# --- the bookkeeping ---

FILE, OTHER_FILE = Listed(1, Kind.FILE), Listed(2, Kind.FILE)


@pytest.mark.parametrize(
    ("before", "now", "gone", "came"),
    [
        ({}, {}, [], []),
        ({"a": FILE}, {"a": FILE}, [], []),
        ({}, {"a": FILE}, [], ["a"]),
        ({"a": FILE}, {}, ["a"], []),
        ({"a": FILE}, {"b": FILE}, ["a"], ["b"]),
        ({"a": FILE}, {"a": OTHER_FILE}, ["a"], ["a"]),
        ({"a": FILE}, {"a": Listed(1, Kind.DIRECTORY)}, ["a"], ["a"]),
        ({"a": Listed(1, Kind.LINK, 5)}, {"a": Listed(1, Kind.LINK, 6)}, ["a"], ["a"]),
    ],
)
def test_two_listings_are_compared_by_name_and_inode(
    before: dict[str, Listed], now: dict[str, Listed], gone: list[str], came: list[str]
) -> None:
    children = {name: Node(name, listed) for name, listed in before.items()}
    left, new = differences(children, now)
    assert [node.name for node in left] == gone
    assert [name for name, _ in new] == came


def test_a_node_finds_its_path_wherever_it_hangs() -> None:
    tree = Tree()
    top, inner, leaf = (Node("", Listed(number, Kind.DIRECTORY)) for number in (1, 2, 3))
    tree.attach(top, None, "/")
    tree.attach(inner, top, "ab")
    tree.attach(leaf, inner, "c")
    assert (leaf.path, tree.find("/ab/c")) == ("/ab/c", leaf)
    assert tree.find("/a") is tree.find("/a/c") is tree.find("/ab/c/d") is None
    assert top.is_above(leaf)
    assert not leaf.is_above(inner)
    tree.detach(inner)
    assert (inner.path, leaf.path, tree.holds(leaf)) == ("/ab", "/ab/c", False)
    tree.attach(inner, None, "/x")
    assert (leaf.path, tree.find("/x/c"), tree.holds(leaf)) == ("/x/c", leaf, True)
    assert tree.find("/") is top


def test_all_that_is_polled_has_its_turn_some_at_a_time() -> None:
    rounds = Rounds()
    assert rounds.due() is None
    nodes = [Node(str(number), FILE) for number in range(2 * SLICE + 10)]
    for node in nodes:
        rounds.add(node, 100)
    assert not rounds.take(100)
    seen: list[Node] = []
    now = 0.0
    for _ in range(3):
        now = rounds.due() or 0
        seen += rounds.take(now)
    assert set(seen) == set(nodes)
    assert now <= 100 + 2 * ROUND
    for node in nodes:
        rounds.discard(node)
    assert rounds.due() is None


# --- the fake itself ---


def test_the_fake_merges_what_is_not_read_and_drops_what_is_closed(root: str) -> None:
    queue = fake.kqueue(live=False)
    flags = KQ_EV_ADD | KQ_EV_CLEAR | KQ_EV_ENABLE
    fds = [os.open(write(f"{root}/{name}"), os.O_RDONLY) for name in "ab"]
    wishes = [fake.kevent(fd, KQ_FILTER_VNODE, flags, KQ_NOTE_WRITE, udata=fd) for fd in fds]
    assert queue.control(wishes, 0) == []
    for notes in (KQ_NOTE_WRITE, KQ_NOTE_ATTRIB):
        for fd in fds:
            queue.push(fd, notes)
    os.close(fds[1])
    (event,) = queue.control(None, 10, 0)
    assert (event.ident, event.fflags, event.udata) == (fds[0], KQ_NOTE_WRITE, fds[0])
    assert queue.control(None, 10, 0) == []
    os.close(fds[0])


def test_the_fake_waits_for_a_pipe() -> None:
    queue = fake.kqueue()
    reader, writer = os.pipe()
    queue.control([fake.kevent(reader, KQ_FILTER_READ)], 0)
    assert queue.control(None, 1, 0.01) == []
    os.write(writer, b"x")
    for _ in range(2):  # as long as there is something to read
        (event,) = queue.control(None, 1, None)
        assert (event.ident, event.filter) == (reader, KQ_FILTER_READ)
    os.close(reader)
    os.close(writer)


LIVE: dict[str, tuple[Callable[[str], object], dict[str, int]]] = {
    "a child written": (lambda d: write(f"{d}/f", "more"), {"d/f": KQ_NOTE_WRITE | KQ_NOTE_EXTEND}),
    "a child's mode": (lambda d: os.chmod(f"{d}/f", 0o700), {"d/f": KQ_NOTE_ATTRIB}),
    "truncated": (lambda d: os.truncate(f"{d}/f", 0), {"d/f": KQ_NOTE_ATTRIB}),
    "a name more": (lambda d: write(f"{d}/new"), {"d": KQ_NOTE_WRITE}),
    "a directory more": (lambda d: os.mkdir(f"{d}/new"), {"d": KQ_NOTE_WRITE | KQ_NOTE_LINK}),
    "a child removed": (
        lambda d: os.remove(f"{d}/f"),
        {"d": KQ_NOTE_WRITE, "d/f": KQ_NOTE_DELETE | KQ_NOTE_LINK},
    ),
    "a child renamed": (
        lambda d: os.rename(f"{d}/f", f"{d}/g"),
        {"d": KQ_NOTE_WRITE, "d/f": KQ_NOTE_RENAME},
    ),
    "renamed itself": (lambda d: os.rename(d, f"{d}2"), {"d": KQ_NOTE_RENAME}),
    "removed itself": (
        shutil.rmtree,
        {
            "d": KQ_NOTE_WRITE | KQ_NOTE_DELETE | KQ_NOTE_LINK,
            "d/f": KQ_NOTE_DELETE | KQ_NOTE_LINK,
        },
    ),
}


@pytest.mark.parametrize(("do", "expected"), LIVE.values(), ids=LIVE)
def test_the_fake_notes_what_a_real_tree_does(
    root: str, do: Callable[[str], object], expected: dict[str, int]
) -> None:
    write(f"{root}/d/f")
    queue = fake.kqueue()
    fds = {name: os.open(f"{root}/{name}", os.O_RDONLY) for name in ("d", "d/f")}
    flags = KQ_EV_ADD | KQ_EV_CLEAR
    queue.control([fake.kevent(fd, KQ_FILTER_VNODE, flags, 0x7F) for fd in fds.values()], 0)
    do(f"{root}/d")
    names = {fd: name for name, fd in fds.items()}
    told = {names[event.ident]: event.fflags for event in queue.control(None, 10, 0)}
    for fd in fds.values():
        os.close(fd)
    assert told == expected


def test_a_backend_has_what_a_watcher_calls(root: str) -> None:
    said: list[object] = []
    scope = Scope()
    backend = Kqueue(scope, said.append, fake)  # the module itself stands in for select
    scope.put(root, Root(recursive=True, ops=BASE))
    backend.arm(root)
    write(f"{root}/f")
    backend.wait(DEADLINE)
    backend.take()
    backend.release()
    assert said == [Event(f"{root}/f", Op.CREATE)]
    assert (backend.name, backend.offers) == ("kqueue", BASE)


def test_the_fake_lists_a_directory_and_disturbs_nobody_who_lists_it(tmp_path: Path) -> None:
    """A copy of a descriptor shares its place in the directory: `rm -r` would find names twice."""
    (tmp_path / "x").mkdir()
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        with os.scandir(fd) as entries:
            names = [next(entries).name]
            fake.look(fd)
            names += [entry.name for entry in entries]
    finally:
        os.close(fd)
    assert names == ["x"]
