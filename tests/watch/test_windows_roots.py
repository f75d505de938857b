"""The Windows backend: roots that nest, come, go, move, and are no directories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from windows_rig import Rig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fake_kernel32 import FakeKernel32


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    rig.kernel.makedirs("C:/work/sub/deep")
    rig.kernel.write("C:/work/main.go")
    yield rig
    rig.end()


@pytest.fixture
def kernel(rig: Rig) -> FakeKernel32:
    return rig.kernel


# --- which directories are open ---


@pytest.mark.parametrize(
    ("roots", "places"),
    [
        ({"C:/work": True}, {"C:/work"}),
        ({"C:/work": True, "C:/work/sub": True}, {"C:/work"}),
        ({"C:/work/sub/deep": True, "C:/work/sub": False, "C:/work": True}, {"C:/work"}),
        ({"C:/work": False, "C:/work/sub": True}, {"C:/work", "C:/work/sub"}),
        ({"C:/work": True, "C:/work/main.go": True}, {"C:/work"}),
        ({"C:/work/main.go": True}, {"C:/work"}),
        ({"C:/work/main.go": True, "C:/work/other.go": True}, {"C:/work"}),
        ({"C:/work/missing": True}, {"C:/work"}),
        ({"C:/missing/a/b": True}, set()),
        ({"C:/work/skip/a": True, "C:/work": True}, {"C:/work"}),
        ({"C:/work": True, "D:": True}, {"C:/work", "D:"}),
    ],
    ids=lambda each: str(sorted(each)),  # a set has no order
)
def test_each_root_is_served_by_one_open_directory(
    rig: Rig, kernel: FakeKernel32, roots: dict[str, bool], places: set[str]
) -> None:
    kernel.makedirs("C:/work/skip/a")
    for path, recursive in roots.items():
        rig.add(path, recursive=recursive)
    assert set(rig.backend.places()) == places
    assert rig.backend.directories() == len(places)
    for path in roots:
        rig.remove(path)
    assert not set(rig.backend.places())
    assert rig.backend.due() is None


@pytest.mark.parametrize("first", ["C:/work", "C:/work/sub"])
def test_nested_roots_tell_each_event_once(rig: Rig, kernel: FakeKernel32, first: str) -> None:
    for root in (first, *({"C:/work", "C:/work/sub"} - {first})):
        rig.add(root)
    kernel.write("C:/work/sub/f")
    kernel.write("C:/work/f")
    assert rig.take() == [
        "create C:/work/sub/f",
        "write C:/work/sub/f",
        "create C:/work/f",
        "write C:/work/f",
    ]


def test_what_was_told_before_a_root_was_widened_is_not_lost(
    rig: Rig, kernel: FakeKernel32
) -> None:
    rig.add("C:/work", recursive=False)
    kernel.write("C:/work/main.go")
    kernel.write("C:/work/main.go")  # this one waits in the kernel
    rig.add("C:/work")
    kernel.write("C:/work/sub/f")
    assert rig.take() == [
        "write C:/work/main.go",
        "write C:/work/main.go",
        "create C:/work/sub/f",
        "write C:/work/sub/f",
    ]


def test_nor_what_another_thread_was_just_taking_from_the_port(
    rig: Rig, kernel: FakeKernel32
) -> None:
    rig.add("C:/work", recursive=False)
    kernel.write("C:/work/main.go")
    port = next(iter(kernel._ports))
    taken = kernel.next_completion(port, 0)
    assert taken is not None
    rig.add("C:/work")
    assert rig.take() == []
    kernel._put(port, taken)  # as if that thread put it into the stash only now
    kernel._lent.setdefault(taken.address, lambda: None)  # type: ignore[arg-type]
    assert rig.take() == ["overflow C:/work"]


def test_what_is_left_of_a_root_that_was_removed_goes_on(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work")
    rig.add("C:/work/sub", recursive=False)
    rig.add("C:/work/main.go")
    kernel.write("C:/work/sub/early")
    rig.remove("C:/work")
    assert set(rig.backend.places()) == {"C:/work", "C:/work/sub"}
    kernel.write("C:/work/other.go")
    kernel.write("C:/work/main.go")
    kernel.write("C:/work/sub/deep/f")
    kernel.write("C:/work/sub/f")
    assert rig.take() == [
        "create C:/work/sub/early",
        "write C:/work/sub/early",
        "write C:/work/main.go",
        "create C:/work/sub/f",
        "write C:/work/sub/f",
    ]


def test_silence_after_a_root_was_removed_also_about_what_was_queued(
    rig: Rig, kernel: FakeKernel32
) -> None:
    rig.add("C:/work")
    kernel.write("C:/work/main.go")
    rig.remove("C:/work")
    kernel.write("C:/work/main.go")
    assert rig.take() == []
    assert rig.take() == []


def test_a_root_below_a_skipped_directory_is_heard(rig: Rig, kernel: FakeKernel32) -> None:
    kernel.makedirs("C:/work/skip/a/b")
    rig.add("C:/work")
    rig.add("C:/work/skip/a")
    kernel.write("C:/work/skip/a/b/f")
    kernel.write("C:/work/skip/f")
    assert rig.take() == ["create C:/work/skip/a/b/f", "write C:/work/skip/a/b/f"]


def test_names_that_only_begin_alike_are_strangers(rig: Rig, kernel: FakeKernel32) -> None:
    kernel.makedirs("C:/workshop")
    rig.add("C:/work")
    rig.add("C:/workshop")
    kernel.rename("C:/work", "C:/gone")
    kernel.write("C:/workshop/f")
    assert rig.later() == ["create C:/workshop/f", "write C:/workshop/f", "rename C:/work/"]
    kernel.write("C:/workshop/f")
    assert rig.take() == ["write C:/workshop/f"]


# --- links, case, places ---


def test_a_root_that_is_a_link_is_followed_and_keeps_its_name(
    rig: Rig, kernel: FakeKernel32
) -> None:
    kernel.link("C:/link", "C:/work/sub")
    rig.add("C:/link")
    kernel.write("C:/work/sub/deep/f")
    assert rig.take() == ["create C:/link/deep/f", "write C:/link/deep/f"]


def test_two_roots_of_one_directory_hear_each_under_its_own_name(
    rig: Rig, kernel: FakeKernel32
) -> None:
    kernel.link("C:/work/link", "C:/work/sub")
    rig.add("C:/work")
    rig.add("C:/work/link")
    assert set(rig.backend.places()) == {"C:/work", "C:/work/link"}
    kernel.write("C:/work/sub/f")
    told = rig.take()
    assert sorted(told) == sorted(
        f"{what} C:/work/{where}/f" for what in ("create", "write") for where in ("sub", "link")
    )


def test_a_link_that_leads_elsewhere_by_now_is_another_root(rig: Rig, kernel: FakeKernel32) -> None:
    kernel.makedirs("C:/other")
    kernel.write("C:/other/f")
    kernel.link("C:/link", "C:/work")
    rig.add("C:/link")
    kernel.remove("C:/link")
    kernel.link("C:/link", "C:/other")
    assert rig.later() == ["remove C:/link/", "create C:/link/", "create C:/link/f"]
    kernel.write("C:/work/main.go")
    kernel.write("C:/other/f")
    assert rig.take() == ["write C:/link/f"]


def test_a_nested_root_given_in_another_case_hears_under_its_name(
    rig: Rig, kernel: FakeKernel32
) -> None:
    rig.add("C:/work")
    rig.add("C:/work/SUB")
    kernel.write("C:/work/sub/f")
    assert sorted(line for line in rig.take() if "create" in line) == [
        "create C:/work/SUB/f",
        "create C:/work/sub/f",
    ]


def test_a_file_given_in_another_case_hears_under_its_name(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work/MAIN.go")
    kernel.write("C:/work/main.go")
    kernel.write("C:/work/other.go")
    assert rig.take() == ["write C:/work/MAIN.go"]


def test_where_the_kernel_tells_no_places_nesting_goes_by_the_names(
    rig: Rig, kernel: FakeKernel32
) -> None:
    kernel.unplaced |= {"C:/work", "C:/work/sub"}
    rig.add("C:/work")
    rig.add("C:/work/sub")
    assert set(rig.backend.places()) == {"C:/work"}
    kernel.write("C:/work/main.go")
    assert rig.take() == ["write C:/work/main.go"]
    assert rig.later() == []


def test_a_share_is_a_root_like_any_other(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("//server/share")
    kernel.makedirs("//server/share/a")
    kernel.write("//server/share/a/f")
    assert rig.take() == [
        "create //server/share/a/",
        "create //server/share/a/f",
        "write //server/share/a/f",
    ]
    kernel.rename("//server/share/a", "//server/share/b")
    assert rig.take() == ["rename //server/share/a/", "create //server/share/b/ < //server/share/a"]


# --- files as roots ---


def test_of_a_single_file_only_its_own_name_passes(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work/main.go")
    kernel.write("C:/work/main.go")
    kernel.write("C:/work/main.go2")
    kernel.write("C:/work/sub/main.go")
    assert rig.take() == ["write C:/work/main.go"]


def test_a_single_file_survives_an_atomic_save(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work/main.go")
    for _ in range(2):
        kernel.write("C:/work/main.go.tmp")
        kernel.rename("C:/work/main.go.tmp", "C:/work/main.go")
        assert rig.take() == ["remove C:/work/main.go", "create C:/work/main.go"]
    kernel.write("C:/work/main.go")
    assert rig.take() == ["write C:/work/main.go"]


def test_a_single_file_that_is_missing_is_waited_for(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work/new.go")
    kernel.write("C:/work/new.go")
    assert rig.take() == ["create C:/work/new.go", "write C:/work/new.go"]
    kernel.remove("C:/work/new.go")
    assert rig.take() == ["remove C:/work/new.go"]


def test_a_directory_may_stand_where_a_file_was(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work/main.go")
    kernel.remove("C:/work/main.go")
    kernel.makedirs("C:/work/main.go/deep")
    kernel.write("C:/work/main.go/deep/f")
    assert rig.take() == [
        "remove C:/work/main.go",
        "create C:/work/main.go/",
        "create C:/work/main.go/deep/",
        "create C:/work/main.go/deep/f",
    ]
    assert set(rig.backend.places()) == {"C:/work/main.go"}
    kernel.write("C:/work/main.go/deep/f")
    assert rig.take() == ["write C:/work/main.go/deep/f"]
    kernel.rmtree("C:/work/main.go")
    assert "remove C:/work/main.go/" in rig.take()
    kernel.write("C:/work/main.go")
    assert rig.take() == ["create C:/work/main.go", "write C:/work/main.go"]


def test_the_end_of_a_directory_is_the_end_of_the_file_in_it(
    rig: Rig, kernel: FakeKernel32
) -> None:
    rig.add("C:/work/sub/f")
    kernel.write("C:/work/sub/f")
    rig.take()
    kernel.rename("C:/work/sub", "C:/gone")
    assert rig.later() == ["rename C:/work/sub/f"]
    assert rig.later() == []
    kernel.write("C:/gone/f")
    kernel.makedirs("C:/work/sub")
    kernel.write("C:/work/sub/f")
    assert rig.later() == ["create C:/work/sub/f"]
    kernel.write("C:/work/sub/f")
    assert rig.take() == ["write C:/work/sub/f"]


# --- roots that go and come ---


@pytest.mark.parametrize("posix", [False, True], ids=["classic", "posix"])
def test_a_root_that_is_deleted_is_told_once_and_heard_again_when_it_is_back(
    rig: Rig, kernel: FakeKernel32, posix: bool
) -> None:
    kernel.posix = posix
    rig.add("C:/work")
    kernel.rmtree("C:/work")
    told = rig.take()
    assert told[-1] == "remove C:/work/"
    assert told.count("remove C:/work/") == 1
    assert rig.later(looks=3) == []
    kernel.makedirs("C:/work/a")
    kernel.write("C:/work/a/f")
    assert rig.later() == ["create C:/work/", "create C:/work/a/", "create C:/work/a/f"]
    kernel.write("C:/work/a/f")
    assert rig.take() == ["write C:/work/a/f"]


def test_a_root_that_was_deleted_can_be_made_again_by_others(
    rig: Rig, kernel: FakeKernel32
) -> None:
    rig.add("C:/work/sub")
    kernel.rmtree("C:/work/sub")
    with pytest.raises(FileExistsError):
        kernel.mkdir("C:/work/sub")  # our handle keeps the name
    rig.take()
    kernel.mkdir("C:/work/sub")


def test_a_deletion_that_is_told_as_overflows_without_end_is_one(
    rig: Rig, kernel: FakeKernel32
) -> None:
    rig.add("C:/work/sub/deep")
    kernel._get("C:/work/sub/deep").deleting = True
    kernel.complete("C:/work/sub/deep")
    assert rig.take() == ["remove C:/work/sub/deep/", "overflow C:/work/sub/deep"]
    assert set(rig.backend.places()) == {"C:/work/sub"}


def test_a_root_that_is_replaced_is_another_one(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work")
    kernel.rename("C:/work", "C:/old")
    kernel.makedirs("C:/work")
    kernel.write("C:/work/main.go")
    kernel.write("C:/old/main.go")  # is not told under a name that is something else by now
    assert rig.take() == ["rename C:/work/", "create C:/work/", "create C:/work/main.go"]
    kernel.write("C:/old/main.go")
    assert rig.take() == []
    kernel.write("C:/work/main.go")
    assert rig.take() == ["write C:/work/main.go"]


def test_so_is_a_nested_one_and_it_is_heard_at_once(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work", recursive=False)
    rig.add("C:/work/sub")
    kernel.rename("C:/work/sub", "C:/work/old")
    kernel.mkdir("C:/work/sub")
    assert rig.take() == [
        "rename C:/work/sub/",
        "create C:/work/old/ < C:/work/sub",
        "create C:/work/sub/",
    ]
    kernel.write("C:/work/sub/f")
    assert rig.take() == ["create C:/work/sub/f", "write C:/work/sub/f"]


def test_what_a_root_had_still_to_tell_when_it_became_another_is_not_taken_along(
    rig: Rig, kernel: FakeKernel32
) -> None:
    rig.add("C:/work/new")
    rig.add("C:/work/sub", recursive=False)
    kernel.rename("C:/work/sub/deep", "C:/deep")
    kernel.rename("C:/work/sub", "C:/work/new")
    assert rig.take() == ["rename C:/work/sub/", "create C:/work/new/"]


def test_what_comes_back_with_its_root_is_told_again(rig: Rig, kernel: FakeKernel32) -> None:
    kernel.posix = True
    rig.add("C:/work")
    kernel.write("C:/work/new.go")
    kernel.rename("C:/work", "C:/old")
    kernel.mkdir("C:/work")
    kernel.write("C:/work/new.go")
    assert rig.take()[-3:] == ["rename C:/work/", "create C:/work/", "create C:/work/new.go"]
    kernel.write("C:/work/other.go")
    kernel.rmtree("C:/work")
    kernel.mkdir("C:/work")
    kernel.write("C:/work/other.go")
    told = rig.take()
    assert told[0] == "create C:/work/other.go"
    assert told[-3:] == ["remove C:/work/", "create C:/work/", "create C:/work/other.go"]


def test_a_root_that_was_told_of_is_told_to_end_though_its_teller_ended_first(
    rig: Rig, kernel: FakeKernel32
) -> None:
    rig.add("C:/work/sub/new", recursive=False)
    kernel.mkdir("C:/work/sub/new")
    kernel.rmtree("C:/work/sub")
    kernel.mkdir("C:/else")
    assert rig.take() == ["create C:/work/sub/new", "remove C:/work/sub/new"]


def test_a_root_that_vanishes_while_it_is_added_is_waited_for(
    rig: Rig, kernel: FakeKernel32
) -> None:
    kernel.vanishing.add("C:/work/sub")
    rig.add("C:/work/sub")
    assert rig.take() == ["remove C:/work/sub/"]
    kernel.mkdir("C:/work/sub")
    assert rig.later() == ["create C:/work/sub/"]
    kernel.write("C:/work/sub/f")
    assert rig.take() == ["create C:/work/sub/f", "write C:/work/sub/f"]


def test_an_end_that_was_swallowed_by_an_overflow_is_not_waited_for(
    rig: Rig, kernel: FakeKernel32
) -> None:
    rig.add("C:/work", recursive=False)
    rig.add("C:/work/sub")
    kernel.complete("C:/work")
    for open_ in kernel._handles():
        open_.size = open_.size if open_.subtree else 1  # so that nothing is told but overflows
    kernel.rmtree("C:/work/sub")
    told = [*rig.take(), *rig.take()]
    assert "overflow C:/work" in told
    assert "remove C:/work/sub/" not in told  # who lists finds out
    for open_ in kernel._handles():
        open_.size = 65536
    kernel.mkdir("C:/work/sub")
    assert rig.take() == ["create C:/work/sub/"]
    assert rig.later(looks=5) == []
    kernel.write("C:/work/sub/f")
    assert rig.take() == ["create C:/work/sub/f", "write C:/work/sub/f"]


def test_the_return_of_a_root_may_be_swallowed_by_an_overflow(
    rig: Rig, kernel: FakeKernel32
) -> None:
    rig.add("C:/work", recursive=False)
    rig.add("C:/work/new")
    kernel.complete("C:/work")
    for open_ in kernel._handles():
        open_.size = 1
    kernel.makedirs("C:/work/new/deep")
    told = rig.take()
    assert {"overflow C:/work", "create C:/work/new/", "create C:/work/new/deep/"} <= set(told)
    kernel.write("C:/work/new/deep/f")
    assert "write C:/work/new/deep/f" in rig.take()


def test_a_file_may_stand_where_a_root_was_before_anybody_noticed(
    rig: Rig, kernel: FakeKernel32
) -> None:
    rig.add("C:/work/sub")
    kernel.rename("C:/work/sub", "C:/work/moved")
    kernel.write("C:/work/sub")
    rig.add("C:/work/moved")
    assert rig.later(looks=6) == ["remove C:/work/sub/", "create C:/work/sub"]


def test_an_end_that_nobody_tells_is_told_in_the_end(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work/sub")
    kernel.rename("C:/work/sub", "C:/else")
    kernel.mkdir("C:/work/sub")
    kernel.write("C:/work/sub/f")
    rig.add("C:/work/missing")  # for this one "work" is open, but it was not when that happened
    assert rig.later() == []
    assert rig.backend.due() == rig.now + 0.5
    told = rig.later(looks=6)
    assert told == ["remove C:/work/sub/", "create C:/work/sub/", "create C:/work/sub/f"]
    assert rig.backend.due() == rig.now + 2.0


def test_a_root_that_is_added_again_is_not_remembered(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work/sub")
    rig.remove("C:/work/sub")
    kernel.rmtree("C:/work/sub")
    rig.add("C:/work/sub")
    assert rig.take() == []


def test_after_the_end_of_a_directory_nothing_is_told_of_what_was_in_it(
    rig: Rig, kernel: FakeKernel32
) -> None:
    kernel.posix = True
    rig.add("C:/work", recursive=False)
    rig.add("C:/work/sub", recursive=False)
    kernel.mkdir("C:/work/b")
    kernel.mkdir("C:/work/sub/new")
    kernel.rmtree("C:/work")
    kernel.mkdir("C:/work")
    rig.add("C:/work/c")
    told = rig.take()
    assert told[-1] == "create C:/work/"
    assert "create C:/work/sub/new/" not in told
    assert "create C:/work/sub/new" not in told[told.index("remove C:/work/") :]


def test_a_root_that_moves_in_silence_is_found_out(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work")
    kernel.rename("C:/work", "C:/old")
    assert rig.later() == ["rename C:/work/"]
    kernel.rename("C:/old", "C:/work")
    assert rig.later()[0] == "create C:/work/"


def test_windows_lets_nobody_rename_what_is_above_a_root(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work/sub")
    with pytest.raises(PermissionError):
        kernel.rename("C:/work", "C:/else")


def test_a_root_that_is_missing_is_waited_for(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/missing/a")
    assert rig.backend.due() == 100.5
    assert rig.later(looks=3) == []
    kernel.makedirs("C:/missing/a/b")
    assert rig.later() == ["create C:/missing/a/", "create C:/missing/a/b/"]
    assert rig.backend.due() == 104.0


def test_of_a_root_that_is_missing_the_directory_above_tells_at_once(
    rig: Rig, kernel: FakeKernel32
) -> None:
    kernel.makedirs("C:/else/b")
    rig.add("C:/work/a")
    kernel.rename("C:/else", "C:/work/a")
    assert rig.take() == ["create C:/work/a/", "create C:/work/a/b/"]
    kernel.write("C:/work/a/b/f")
    assert rig.take() == ["create C:/work/a/b/f", "write C:/work/a/b/f"]


@pytest.mark.parametrize("outer", [False, True], ids=["names only", "recursive"])
def test_the_end_of_a_nested_root_is_told_once_as_is_its_return(
    rig: Rig, kernel: FakeKernel32, outer: bool
) -> None:
    rig.add("C:/work", recursive=outer)
    rig.add("C:/work/sub")
    kernel.rmtree("C:/work/sub")
    told = [*rig.take(), *rig.take(), *rig.later()]
    gone = [line for line in told if line.startswith("remove C:/work/sub") and "deep" not in line]
    assert gone == ["remove C:/work/sub/"]
    kernel.makedirs("C:/work/sub/a")
    told = rig.take()
    assert sorted(told) == ["create C:/work/sub/", "create C:/work/sub/a/"]
    kernel.write("C:/work/sub/a/f")
    assert rig.take() == ["create C:/work/sub/a/f", "write C:/work/sub/a/f"]


def test_a_nested_root_goes_with_the_directory_that_it_was_in(
    rig: Rig, kernel: FakeKernel32
) -> None:
    rig.add("C:/work")
    rig.add("C:/work/sub/deep")
    kernel.rename("C:/work/sub", "C:/work/moved")
    assert rig.take() == [
        "rename C:/work/sub/deep/",
        "rename C:/work/sub/",
        "create C:/work/moved/ < C:/work/sub",
        "create C:/work/moved/deep/",
    ]
    kernel.rename("C:/work/moved", "C:/work/sub")
    assert rig.take() == [
        "rename C:/work/moved/",
        "create C:/work/sub/ < C:/work/moved",
        "create C:/work/sub/deep/",
    ]


def test_a_root_that_cannot_be_opened_is_said_once_and_tried_again(
    rig: Rig, kernel: FakeKernel32
) -> None:
    kernel.denied.add("C:/work")
    rig.add("C:/work")
    assert rig.take() == ["unwatched C:/work: WinError 13"]
    assert rig.later(looks=3) == []
    kernel.denied.clear()
    assert rig.later() == ["overflow C:/work"]
    kernel.write("C:/work/main.go")
    assert rig.take() == ["write C:/work/main.go"]


def test_a_root_that_comes_without_its_permissions_is_said(rig: Rig, kernel: FakeKernel32) -> None:
    kernel.denied.add("C:/work/new")
    rig.add("C:/work/new")
    kernel.mkdir("C:/work/new")
    told = rig.take()
    assert "create C:/work/new/" in told
    assert "unwatched C:/work/new: WinError 13" in told


def test_a_walk_ends_when_the_watcher_is_being_closed(rig: Rig, kernel: FakeKernel32) -> None:
    kernel.makedirs("C:/else/deep")
    rig.add("C:/work")
    kernel.rename("C:/else", "C:/work/new")
    rig.scope.closing = True
    assert rig.take() == ["create C:/work/new/"]
