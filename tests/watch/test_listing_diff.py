"""Two looks at the disk, and what a kernel would have told of what lies between them."""

from __future__ import annotations

import stat

import pytest

from hotrun.watch.event import Event, Op
from hotrun.watch.polling.differences import Seen, Sights, differences, join, parent
from hotrun.watch.sieve.snapshot import Directory, Signature

C, W, R, N, M = Op.CREATE, Op.WRITE, Op.REMOVE, Op.RENAME, Op.CHMOD
LINK, FIFO = stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o644


def file(
    ino: int, *, at: int = 10, changed: int = 0, size: int = 1, mode: int = stat.S_IFREG | 0o644
) -> Signature:
    """A file written at a time; its inode was changed then too, unless said otherwise."""
    return Signature(at, size, ino, changed or at, mode)


def name(ino: int, **options: int) -> Signature:
    """A directory that is only a name."""
    return file(ino, mode=stat.S_IFDIR | 0o755, **options)


def place(
    ino: int, *below: str, at: int = 10, changed: int = 0, mode: int = 0o755, **files: Signature
) -> Seen:
    """A directory that was listed."""
    own = file(ino, at=at, changed=changed, mode=stat.S_IFDIR | mode)
    return Seen(own, 1, Directory(files, set(below)), frozenset())


def alone(signature: Signature) -> Seen:
    """A file that is a root."""
    return Seen(signature, 1, Directory(), frozenset())


def told(before: Sights, now: Sights) -> list[tuple[str, Op, str | None, bool]]:
    return [tuple(event) for event in differences(before, now)]  # type: ignore[misc]


def files(before: dict[str, Signature], now: dict[str, Signature]) -> list[tuple[str, Op]]:
    """What is told of one directory, without the old names."""
    told = differences({"/r": place(1, **before)}, {"/r": place(1, **now)})
    assert not any(event.renamed_from for event in told)
    return [(event.path[3:], event.op) for event in told]


def test_what_is_the_same_is_not_told() -> None:
    same = {"/r": place(1, "d", a=file(2)), "/r/d": place(3), "/f": alone(file(4))}
    assert differences(same, dict(same)) == []
    assert differences({}, {}) == []


@pytest.mark.parametrize(
    ("before", "now", "op"),
    [
        (file(2), file(2, at=11), W),
        (file(2), file(2, size=2), W),
        (file(2), file(2, changed=11), W),
        (file(2), file(2, at=9), W),
        (file(2), file(2, changed=11, mode=stat.S_IFREG | 0o755), M),
        (file(2), file(2, at=11, mode=stat.S_IFREG | 0o755), W | M),
        (file(2), file(3, at=11), W),
        (file(2), file(3, at=11, mode=stat.S_IFREG | 0o755), W | M),
        (file(2, mode=LINK), file(3, at=11, mode=LINK), W),
    ],
    ids=[
        "a later time", "another size", "a time that was set back", "an older time", "the mode",
        "the mode and the bytes", "an atomic save", "an atomic save with another mode",
        "a link that leads elsewhere",
    ],
)  # fmt: skip
def test_a_name_that_stays_is_written_or_chmodded(
    before: Signature, now: Signature, op: Op
) -> None:
    assert files({"a": before}, {"a": now}) == [("a", op)]
    assert told({"/a": alone(before)}, {"/a": alone(now)}) == [("/a", op, None, False)]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (file(2), file(3, at=11, mode=LINK)),
        (file(2, mode=LINK), file(3, at=11)),
        (file(2), file(2, at=11, mode=FIFO)),
        (file(2, mode=FIFO), file(3, at=11, mode=FIFO)),
        (name(2), file(3, at=11)),
        (name(2), name(3, at=11)),
    ],
    ids=[
        "a link for a file", "a file for a link", "a fifo for a file, with its inode",
        "another fifo", "a file for a directory", "another directory",
    ],
)  # fmt: skip
def test_another_thing_under_a_name_is_the_end_of_the_first(
    before: Signature, now: Signature
) -> None:
    assert files({"a": before}, {"a": now}) == [("a", R), ("a", C)]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (file(2, mode=FIFO), file(2, at=11, size=9, mode=FIFO)),
        (name(2), name(2, at=11)),
        (name(2), name(3)),
    ],
    ids=["bytes in a fifo", "names in a directory", "the number of a directory, by itself"],
)
def test_what_means_nothing_is_not_told(before: Signature, now: Signature) -> None:
    assert files({"a": before}, {"a": now}) == []


MOVED = file(2, changed=11)  # a rename leaves all as it is but the inode's own time


@pytest.mark.parametrize(
    ("before", "now", "events"),
    [
        (
            {"a": file(2)},
            {"b": MOVED},
            [("/r/a", N, None), ("/r/b", C, "/r/a")],
        ),
        (
            {"a": file(2), "b": file(3)},
            {"b": MOVED},
            [("/r/a", N, None), ("/r/b", C, "/r/a")],
        ),
        (
            {"a": file(2), "b": file(3)},
            {"a": file(3, changed=11), "b": MOVED},
            [("/r/b", N, None), ("/r/a", N, None), ("/r/a", C, "/r/b"), ("/r/b", C, "/r/a")],
        ),
        (
            {"a": file(2)},
            {"a": file(3, at=11), "b": MOVED},
            [("/r/a", N, None), ("/r/a", C, None), ("/r/b", C, "/r/a")],
        ),
        (
            {"a": name(2)},
            {"b": name(2, at=12, changed=12)},
            [("/r/a", R, None), ("/r/b", C, None)],
        ),
        (
            {"a": name(2)},
            {"b": name(2, changed=11)},
            [("/r/a", N, None), ("/r/b", C, "/r/a")],
        ),
        (
            {"a": file(2), "b": name(3)},
            {"b": MOVED},
            [("/r/b", R, None), ("/r/a", N, None), ("/r/b", C, "/r/a")],
        ),
        (
            {"a": file(2), "c": file(2)},
            {"b": MOVED},
            [("/r/c", R, None), ("/r/a", N, None), ("/r/b", C, "/r/a")],
        ),
        (
            {"a": file(2)},
            {"a": file(2, changed=11), "b": file(2, changed=11)},
            [("/r/a", W, None), ("/r/b", C, None)],
        ),
    ],
    ids=[
        "moved", "moved over another one", "swapped", "kept as a backup, and written anew",
        "a directory with its inode", "a directory",
        "moved to where a directory was", "one of two hard links", "a hard link more",
    ],
)  # fmt: skip
def test_a_rename_is_known_by_the_inode(
    before: dict[str, Signature],
    now: dict[str, Signature],
    events: list[tuple[str, Op, str | None]],
) -> None:
    told = differences({"/r": place(1, **before)}, {"/r": place(1, **now)})
    assert [event[:3] for event in told] == events


@pytest.mark.parametrize(
    "new",
    [file(2, at=11), file(2, size=2, changed=11), file(2)],
    ids=["another time", "another size", "born in the same tick"],
)
def test_a_new_file_with_the_inode_of_a_removed_one_was_not_renamed(new: Signature) -> None:
    assert files({"a": file(2)}, {"b": new}) == [("a", R), ("b", C)]


def test_an_old_file_that_moved_within_a_tick_is_known_all_the_same() -> None:
    old = file(2, at=5, changed=10)  # its time was set back, by tar for one
    assert told({"/r": place(1, a=old)}, {"/r": place(1, b=old)}) == [
        ("/r/a", N, None, False),
        ("/r/b", C, "/r/a", False),
    ]


def test_a_file_moves_from_one_directory_to_another() -> None:
    before = {"/r": place(1, a=file(2)), "/s": place(3)}
    assert told(before, {"/r": place(1), "/s": place(3, a=MOVED)}) == [
        ("/r/a", N, None, False),
        ("/s/a", C, "/r/a", False),
    ]


def test_the_same_number_on_another_device_is_another_file() -> None:
    before = {"/r": place(1, a=file(2)), "/s": place(3)}
    now = {"/r": place(1), "/s": place(3, a=MOVED)._replace(dev=2)}
    before["/s"] = before["/s"]._replace(dev=2)
    assert [event.op for event in differences(before, now)] == [R, C]


def test_of_a_moved_directory_only_its_own_two_names_are_told() -> None:
    before = {"/r/a": place(2, "x", f=file(3)), "/r/a/x": place(4, g=file(5))}
    now = {"/r/b": place(2, "x", changed=11, f=file(3)), "/r/b/x": place(4, g=file(5))}
    moved = [("/r/a", N, None, True), ("/r/b", C, "/r/a", True)]
    assert told(before, now) == moved
    now["/r/b/x"] = place(4, at=12, g=file(5), h=file(6, at=12))
    now["/r/b"] = place(2, "x", at=12, f=file(3, at=12), i=file(9))
    before["/r/a"].listed.files["i"] = file(9)
    assert told(before, now) == [
        *moved,
        ("/r/b/f", W, None, False),
        ("/r/b/x/h", C, None, False),
    ]


def test_what_left_a_directory_that_moved_is_told_before_by_its_old_path() -> None:
    before = {"/r": place(1, "a"), "/r/a": place(2, f=file(3), k=file(4), n=file(5))}
    now = {
        "/r": place(1, "b", f=file(3, changed=11)),
        "/r/b": place(2, at=11, m=file(4, changed=11), n=file(5)),
    }
    assert told(before, now) == [
        ("/r/a/k", N, None, False),
        ("/r/a/f", N, None, False),
        ("/r/a", N, None, True),
        ("/r/b", C, "/r/a", True),
        ("/r/b/m", C, "/r/a/k", False),
        ("/r/f", C, "/r/a/f", False),
    ]


def test_directories_swap_their_names() -> None:
    before = {"/r/a": place(2, f=file(3)), "/r/b": place(4, g=file(5))}
    now = {"/r/a": place(4, changed=11, g=file(5)), "/r/b": place(2, changed=11, f=file(3))}
    assert told(before, now) == [
        ("/r/b", N, None, True),
        ("/r/a", N, None, True),
        ("/r/a", C, "/r/b", True),
        ("/r/b", C, "/r/a", True),
    ]


def test_the_inner_directory_becomes_the_outer_one() -> None:
    before = {"/r/a": place(2, "b"), "/r/a/b": place(3)}
    now = {"/r/b": place(3, "a", changed=11), "/r/b/a": place(2, changed=11)}
    assert told(before, now) == [
        ("/r/a/b", N, None, True),
        ("/r/a", N, None, True),
        ("/r/b", C, "/r/a/b", True),
        ("/r/b/a", C, "/r/a", True),
    ]


def test_a_directory_goes_and_comes_with_all_in_it() -> None:
    tree = {"/r/d": place(2, "e", f=file(3)), "/r/d/e": place(4, g=file(5))}
    went = [("/r/d/f", R), ("/r/d/e/g", R), ("/r/d/e", R), ("/r/d", R)]
    assert [event[:2] for event in differences(tree, {})] == went
    assert [event[:2] for event in differences({}, tree)] == [(path, C) for path, _ in went[::-1]]


def test_another_directory_under_a_name_is_told_whole_before_and_after() -> None:
    """Also what was in the first one and was put into the second."""
    before = {"/r/d": place(2, "x", f=file(3)), "/r/d/x": place(4)}
    now = {"/r/d": place(9, "x", at=12, f=file(8)), "/r/d/x": place(4, changed=11)}
    assert told(before, now) == [
        ("/r/d/x", N, None, True),
        ("/r/d/f", R, None, False),
        ("/r/d", R, None, True),
        ("/r/d", C, None, True),
        ("/r/d/f", C, None, False),
        ("/r/d/x", C, "/r/d/x", True),
    ]


def test_in_another_directory_nothing_is_still_there() -> None:
    """Not even what looks alike: it was made within the same tick."""
    before = {"/r/d": place(2, "x"), "/r/d/x": place(4), "/r/d/root": alone(file(5))}
    now = {"/r/d": place(9, "x", at=12), "/r/d/x": place(3), "/r/d/root": alone(file(6))}
    ops = [(event.path, event.op) for event in differences(before, now)]
    went = ["/r/d/x", "/r/d/root", "/r/d"]
    assert ops == [*((path, R) for path in went), *((path, C) for path in reversed(went))]


def test_one_that_went_came_back_only_once() -> None:
    """Though two that came have its inode: hard links, bind mounts."""
    before = {"/r": place(1, "d", a=file(2)), "/r/d": place(3, f=file(4))}
    moved = place(3, changed=11, f=file(4))
    now = {"/r": place(1, "e", "g", b=MOVED, c=MOVED), "/r/e": moved, "/r/g": moved}
    origins = {e.path: e.renamed_from for e in differences(before, now) if e.op is C}
    assert origins == {"/r/b": "/r/a", "/r/c": None, "/r/e": "/r/d", "/r/g": None, "/r/g/f": None}


def test_what_is_mounted_over_a_directory_is_another_one() -> None:
    before, now = {"/r": place(2)}, {"/r": place(2, at=11)._replace(dev=2)}
    assert told(before, now) == [("/r", R, None, True), ("/r", C, None, True)]
    before, now = {"/f": alone(file(2))}, {"/f": alone(file(2))._replace(dev=2)}
    assert told(before, now) == [("/f", W, None, False)]


def test_a_directory_whose_number_changes_by_itself_is_the_same_one() -> None:
    """FUSE and SMB make the numbers up."""
    before = {"/r/d": place(2, f=file(3))}
    assert told(before, {"/r/d": place(7, f=file(3), g=file(8))}) == [("/r/d/g", C, None, False)]


@pytest.mark.parametrize(
    "new",
    [place(2, at=11), place(2, at=11, f=file(3, at=11)), place(2)],
    ids=["another time", "with another file", "born in the same tick"],
)
def test_a_new_directory_with_the_inode_of_a_removed_one_was_not_renamed(new: Seen) -> None:
    ops = [(event.path, event.op) for event in differences({"/r/a": place(2)}, {"/r/b": new})]
    assert ops[:2] == [("/r/a", R), ("/r/b", C)]


def test_a_chmod_of_a_directory_is_told() -> None:
    assert told({"/r": place(1)}, {"/r": place(1, changed=11, mode=0o700)}) == [
        ("/r", M, None, True)
    ]
    before, now = {"/r/a": place(2)}, {"/r/b": place(2, changed=11, mode=0o700)}
    assert [event.op for event in differences(before, now)] == [N, C, M]


@pytest.mark.parametrize("order", [1, -1])
def test_a_file_and_a_directory_take_each_others_place(order: int) -> None:
    """In a directory, and as a root."""
    some: list[Sights] = [
        {"/r": place(1, "a"), "/r/a": place(2, f=file(3))},
        {"/r": place(1, a=file(4))},
    ]
    before, now = some[::order]
    events = [(event.path, event.op, event.directory) for event in differences(before, now)]
    ends = [("/r/a/f", R, False), ("/r/a", R, True), ("/r/a", C, False)]
    begins = [("/r/a", R, False), ("/r/a", C, True), ("/r/a/f", C, False)]
    assert events == (ends if order == 1 else begins)
    some = [{"/a": place(2)}, {"/a": alone(file(4))}]
    events = [(e.path, e.op, e.directory) for e in differences(*some[::order])]
    assert events == [("/a", R, order == 1), ("/a", C, order != 1)]


def test_of_two_names_for_one_inode_the_nearest_is_the_old_one() -> None:
    """A root, and a link to it that is a root as well."""
    before = {f"/{r}/d": place(2, f=file(3)) for r in ("link", "real")}
    now = {f"/{r}/e": place(2, changed=11, f=file(3)) for r in ("link", "real")}
    origins = {event.path: event.renamed_from for event in differences(before, now)}
    assert origins["/link/e"] == "/link/d"
    assert origins["/real/e"] == "/real/d"


def test_a_root_in_a_root_stays_when_the_outer_one_comes() -> None:
    before, now = {"/r/a": place(2)}, {"/r": place(1, "a"), "/r/a": place(2, f=file(3))}
    assert told(before, now) == [("/r", C, None, True), ("/r/a/f", C, None, False)]


def test_events_are_plain_events() -> None:
    assert differences({}, {"/r": place(1)}) == [Event("/r", C, None, directory=True)]


def test_the_top_of_all_has_names_like_any_directory() -> None:
    assert (join("/", "a"), join("/a", "b")) == ("/a", "/a/b")
    assert (parent("/a"), parent("/a/b"), parent("/")) == ("/", "/a", "/")
