"""The Windows backend: what each record comes to, and what each trap of the kernel."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from fake_kernel32 import encode
from windows_rig import Rig

from hotrun.watch.event import Op
from hotrun.watch.windows.backend import MANY
from hotrun.watch.windows.port import BUFFER, SMALL
from hotrun.watch.windows.records import ADDED, MODIFIED, REMOVED, RENAMED_NEW, RENAMED_OLD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fake_kernel32 import FakeKernel32

    from hotrun.watch.windows.kernel32 import Completion


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    rig.kernel.makedirs("C:/work/sub")
    rig.kernel.write("C:/work/old.go")
    yield rig
    rig.end()


@pytest.fixture
def kernel(rig: Rig) -> FakeKernel32:
    return rig.kernel


# --- what a record comes to ---


@pytest.mark.parametrize(
    ("does", "told"),
    [
        pytest.param(
            lambda k: k.write("C:/work/a.go"),
            ["create C:/work/a.go", "write C:/work/a.go"],
            id="a new file",
        ),
        pytest.param(
            lambda k: k.write("C:/work/old.go"), ["write C:/work/old.go"], id="a file written"
        ),
        pytest.param(
            lambda k: k.remove("C:/work/old.go"), ["remove C:/work/old.go"], id="a file removed"
        ),
        pytest.param(
            lambda k: k.rename("C:/work/old.go", "C:/work/new.go"),
            ["rename C:/work/old.go", "create C:/work/new.go < C:/work/old.go"],
            id="a file renamed",
        ),
        pytest.param(
            lambda k: k.rename("C:/work/sub", "C:/work/new"),
            ["rename C:/work/sub/", "create C:/work/new/ < C:/work/sub"],
            id="a directory renamed",
        ),
        pytest.param(
            lambda k: k.rename("C:/work/old.go", "C:/work/OLD.go"),
            ["rename C:/work/old.go", "create C:/work/OLD.go < C:/work/old.go"],
            id="renamed in case only",
        ),
        pytest.param(
            lambda k: k.rename("C:/work/old.go", "C:/work/sub/old.go"),
            ["remove C:/work/old.go", "create C:/work/sub/old.go"],
            id="moved to another directory",
        ),
        pytest.param(
            lambda k: k.rename("C:/work/old.go", "C:/old.go"),
            ["remove C:/work/old.go"],
            id="moved out",
        ),
        pytest.param(
            lambda k: k.mkdir("C:/work/new"), ["create C:/work/new/"], id="a new directory"
        ),
        pytest.param(
            lambda k: k.tell("C:/work", (MODIFIED, "sub")), [], id="a directory modified is noise"
        ),
        pytest.param(
            lambda k: k.tell("C:/work", (MODIFIED, "gone")), [], id="modified and gone since"
        ),
        pytest.param(
            lambda k: k.tell("C:/work", (RENAMED_OLD, "old.go")),
            ["rename C:/work/old.go"],
            id="an old name alone",
        ),
        pytest.param(
            lambda k: k.tell("C:/work", (RENAMED_NEW, "old.go")),
            ["create C:/work/old.go"],
            id="a new name alone",
        ),
        pytest.param(
            lambda k: k.tell(
                "C:/work", (RENAMED_OLD, "x"), (REMOVED, "y"), (RENAMED_NEW, "old.go")
            ),
            ["rename C:/work/x", "remove C:/work/y", "create C:/work/old.go"],
            id="halves with something in between are not one rename",
        ),
        pytest.param(
            lambda k: k.tell("C:/work", (RENAMED_OLD, "x"), (RENAMED_OLD, "y"), (RENAMED_NEW, "z")),
            ["rename C:/work/x", "rename C:/work/y", "create C:/work/z < C:/work/y"],
            id="two old names",
        ),
        pytest.param(
            lambda k: k.tell("C:/work", (77, "old.go")),
            ["write C:/work/old.go"],
            id="what a later Windows may say is a hint",
        ),
        pytest.param(lambda k: k.tell("C:/work", (ADDED, "")), [], id="no name at all"),
    ],
)
def test_a_record_comes_to(rig: Rig, does: object, told: list[str]) -> None:
    rig.add("C:/work")
    assert callable(does)
    does(rig.kernel)
    assert rig.take() == told
    assert rig.take() == []


def test_a_rename_that_is_split_over_two_buffers_is_one(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work")
    kernel.splits = True
    kernel.rename("C:/work/old.go", "C:/work/new.go")
    assert rig.take() == ["rename C:/work/old.go", "create C:/work/new.go < C:/work/old.go"]


def test_nor_is_it_parted_by_the_end_of_a_take(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work")
    kernel.splits = True
    for count in range(MANY - 1):
        kernel.mkdir(f"D:/{count}")
        rig.add(f"D:/{count}")
        kernel.write(f"D:/{count}/f")
    kernel.rename("C:/work/old.go", "C:/work/new.go")
    assert "rename C:/work/old.go" not in rig.take()
    told = rig.take()
    assert told[told.index("rename C:/work/old.go") + 1] == (
        "create C:/work/new.go < C:/work/old.go"
    )


def test_halves_of_a_rename_are_not_joined_across_two_takes(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work")
    kernel.tell("C:/work", (RENAMED_OLD, "x"))
    assert rig.take() == ["rename C:/work/x"]
    kernel.tell("C:/work", (RENAMED_NEW, "old.go"))
    assert rig.take() == ["create C:/work/old.go"]


def test_a_directory_that_is_gone_is_called_one_if_it_was_seen(
    rig: Rig, kernel: FakeKernel32
) -> None:
    rig.add("C:/work")
    kernel.remove("C:/work/sub")
    assert rig.take() == ["remove C:/work/sub"]  # there is nobody left to ask
    kernel.mkdir("C:/work/new")
    rig.take()
    kernel.remove("C:/work/new")
    assert rig.take() == ["remove C:/work/new/"]
    kernel.write("C:/work/new")
    kernel.remove("C:/work/new")
    assert rig.take()[-1] == "remove C:/work/new"


def test_a_directory_that_was_filled_elsewhere_is_listed(rig: Rig, kernel: FakeKernel32) -> None:
    kernel.makedirs("C:/else/deep/er")
    kernel.write("C:/else/deep/er/f.go")
    kernel.link("C:/else/link", "C:/else/deep")
    rig.add("C:/work")
    kernel.rename("C:/else", "C:/work/new")
    assert rig.take() == [
        "create C:/work/new/",
        "create C:/work/new/deep/",
        "create C:/work/new/link",
        "create C:/work/new/deep/er/",
        "create C:/work/new/deep/er/f.go",
    ]


def test_a_directory_that_is_filled_here_is_told_once(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work")
    kernel.makedirs("C:/work/a/b/c")
    kernel.write("C:/work/a/b/c/f.go")
    told = rig.take()
    assert sorted(told) == [
        "create C:/work/a/",
        "create C:/work/a/b/",
        "create C:/work/a/b/c/",
        "create C:/work/a/b/c/f.go",
        "write C:/work/a/b/c/f.go",
    ]


def test_a_directory_that_came_and_was_renamed_before_we_looked_is_listed(
    rig: Rig, kernel: FakeKernel32
) -> None:
    kernel.makedirs("C:/else/deep")
    rig.add("C:/work")
    kernel.rename("C:/else", "C:/work/x")
    kernel.rename("C:/work/x", "C:/work/y")
    told = rig.take()
    assert "create C:/work/y/ < C:/work/x" in told
    assert "create C:/work/y/deep/" in told


def test_nor_is_one_lost_that_is_renamed_while_we_look(rig: Rig, kernel: FakeKernel32) -> None:
    kernel.makedirs("C:/else/deep")
    rig.add("C:/work")
    looks = kernel.attributes

    def renamed_after(path: str) -> int | None:
        found = looks(path)
        if path == "C:/work/x" and found:
            kernel.rename("C:/work/x", "C:/work/y")
        return found

    kernel.attributes = renamed_after  # type: ignore[method-assign]
    kernel.rename("C:/else", "C:/work/x")
    assert "create C:/work/y/deep/" in rig.take()


def test_nor_is_one_lost_whose_rename_is_told_later(rig: Rig, kernel: FakeKernel32) -> None:
    kernel.makedirs("C:/work/y/deep")
    rig.add("C:/work")
    kernel.tell("C:/work", (ADDED, "x"))
    assert rig.take() == ["create C:/work/x"]
    kernel.tell("C:/work", (RENAMED_OLD, "x"), (RENAMED_NEW, "y"))
    assert rig.take() == [
        "rename C:/work/x/",
        "create C:/work/y/ < C:/work/x",
        "create C:/work/y/deep/",
    ]
    rig.now += 60
    kernel.rename("C:/work/y", "C:/work/z")
    assert rig.take() == ["rename C:/work/y/", "create C:/work/z/ < C:/work/y"]


def test_a_link_to_a_directory_is_a_name_only(rig: Rig, kernel: FakeKernel32) -> None:
    kernel.makedirs("C:/else/deep")
    rig.add("C:/work")
    kernel.link("C:/work/link", "C:/else")
    kernel.tell("C:/work", (MODIFIED, "link"))
    kernel.write("C:/else/f")
    assert rig.take() == ["create C:/work/link"]


def test_what_is_below_a_skipped_directory_is_dropped(rig: Rig, kernel: FakeKernel32) -> None:
    kernel.makedirs("C:/else/skip/deep")
    rig.add("C:/work")
    kernel.makedirs("C:/work/skip/deep")
    kernel.write("C:/work/skip/deep/f")
    kernel.rename("C:/else", "C:/work/new")
    assert rig.take() == ["create C:/work/skip/", "create C:/work/new/", "create C:/work/new/skip/"]


def test_what_comes_out_of_a_skipped_directory_is_new(rig: Rig, kernel: FakeKernel32) -> None:
    kernel.makedirs("C:/work/skip/deep")
    rig.add("C:/work")
    kernel.makedirs("C:/work/sub/skip")
    rig.take()
    kernel.rename("C:/work/skip", "C:/work/new")
    kernel.rename("C:/work/sub/skip", "C:/work/sub/new")
    kernel.tell("C:/work", (RENAMED_OLD, "skip/x"), (RENAMED_NEW, "old.go"))
    assert rig.take() == [
        "rename C:/work/skip/",
        "create C:/work/new/ < C:/work/skip",
        "rename C:/work/sub/skip/",
        "create C:/work/sub/new/ < C:/work/sub/skip",
        "create C:/work/old.go",
        "create C:/work/new/deep/",
    ]


def test_a_directory_that_is_gone_when_it_is_listed_is_nothing_to_warn_of(
    rig: Rig, kernel: FakeKernel32
) -> None:
    rig.add("C:/work")
    kernel.vanishing.add("C:/work/new")
    kernel.mkdir("C:/work/new")
    assert rig.take() == ["create C:/work/new/"]
    assert rig.take() == ["remove C:/work/new/"]


def test_a_directory_that_may_not_be_listed_is_said(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work")
    kernel.denied.add("C:/work/new")
    kernel.mkdir("C:/work/new")
    assert rig.take() == ["create C:/work/new/", "unwatched C:/work/new: WinError 13"]


# --- the traps ---


@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param(b"", 0, id="no bytes"),
        pytest.param(b"", 1022, id="ERROR_NOTIFY_ENUM_DIR"),
        pytest.param(b"", 0x10C, id="STATUS_NOTIFY_ENUM_DIR"),
        pytest.param(b"", 234, id="ERROR_MORE_DATA without data"),
        pytest.param(b"\1\0\0", 0, id="what is no record"),
    ],
)
def test_an_overflow_is_told_for_each_root_and_events_go_on(
    rig: Rig, kernel: FakeKernel32, data: bytes, error: int
) -> None:
    rig.add("C:/work")
    rig.add("C:/work/sub")
    kernel.complete("C:/work", data, error)
    assert rig.take() == ["overflow C:/work", "overflow C:/work/sub"]
    kernel.write("C:/work/old.go")
    assert rig.take() == ["write C:/work/old.go"]


def test_an_overflow_of_what_is_no_root_any_more_is_nobodys(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work", recursive=False)
    rig.add("C:/work/old.go")
    kernel.complete("C:/work")
    rig.add("C:/work")
    rig.remove("C:/work")
    assert rig.take() == ["overflow C:/work/old.go"]


def test_more_than_the_kernel_can_keep_is_an_overflow(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work")
    for count in range(2000):
        kernel.write(f"C:/work/a-name-that-is-not-short-{count}")
    told = rig.take()
    assert "overflow C:/work" in told
    assert "create C:/work/a-name-that-is-not-short-0" in told
    assert len(told) == 2


def test_what_was_whole_before_the_damage_is_told(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work")
    kernel.complete("C:/work", encode([(REMOVED, "a"), (REMOVED, "bc")])[:-2])
    assert rig.take() == ["remove C:/work/a", "overflow C:/work"]


def test_more_data_than_was_transferred_is_still_data(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work")
    kernel.complete("C:/work", encode([(REMOVED, "a")]), 234)
    assert rig.take() == ["remove C:/work/a"]


def test_an_abort_that_was_not_ours_is_asked_again(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work")
    kernel.complete("C:/work", error=995)
    assert rig.take() == []
    kernel.write("C:/work/old.go")
    assert rig.take() == ["write C:/work/old.go"]


@pytest.mark.parametrize("late", [False, True], ids=["at once", "by a completion"])
def test_a_share_that_refuses_our_buffer_gets_a_small_one(
    rig: Rig, kernel: FakeKernel32, late: bool
) -> None:
    root = "//server/share/work"
    kernel.makedirs(root)
    if late:
        rig.add(root)
        kernel.complete(root, error=87)
    kernel.refused[root] = SMALL
    if not late:
        rig.add(root)
    # Between the refusal and the second request nobody listened.
    assert rig.take() == (["overflow //server/share/work"] if late else [])
    kernel.write(f"{root}/f")
    assert rig.take() == [f"create {root}/f", f"write {root}/f"]
    assert set(kernel.asked) == {BUFFER, SMALL}


def test_a_share_that_refuses_the_small_one_too_is_not_watched(
    rig: Rig, kernel: FakeKernel32
) -> None:
    kernel.refused["C:/work"] = 1024
    rig.add("C:/work")
    assert rig.take() == ["unwatched C:/work: WinError 22"]
    assert kernel.asked == [BUFFER, SMALL]
    assert rig.later() == []  # it is tried again, and not said again
    del kernel.refused["C:/work"]
    assert rig.later() == ["overflow C:/work"]  # nobody listened until now
    assert rig.later() == []


@pytest.mark.parametrize("code", [1, 64, 87, 31], ids=str)
def test_any_other_error_is_raised_and_watching_goes_on_if_it_can(
    rig: Rig, kernel: FakeKernel32, code: int
) -> None:
    rig.add("C:/work")
    rig.add("D:")
    if code == 87:
        kernel.refused["C:/work"] = 1024
    kernel.complete("C:/work", error=code)
    kernel.write("D:/f")
    with pytest.raises(OSError, match="C:/work"):
        rig.backend.take()
    kernel.refused.clear()
    told = rig.later()
    assert {"create D:/f", "write D:/f", "overflow C:/work"} == set(told)  # nothing is swallowed
    kernel.write("C:/work/old.go")
    assert rig.take() == ["write C:/work/old.go"]


@pytest.mark.parametrize(
    ("records", "told"),
    [
        pytest.param(
            [(ADDED, "LONGNA~1.GO"), (MODIFIED, "LONGNA~1.GO")],
            ["create C:/work/long name.go", "write C:/work/long name.go"],
            id="one that exists is spelled out",
        ),
        pytest.param(
            [(ADDED, "SUBDIR~1/f.go")], ["create C:/work/sub dir/f.go"], id="in the middle"
        ),
        pytest.param([(REMOVED, "LONGNA~1.GO")], ["remove C:/work/LONGNA~1.GO"], id="removed"),
        pytest.param(
            [(RENAMED_OLD, "GONE~1.GO"), (RENAMED_NEW, "LONGNA~1.GO")],
            ["rename C:/work/GONE~1.GO", "create C:/work/long name.go < C:/work/GONE~1.GO"],
            id="renamed",
        ),
        pytest.param([(ADDED, "GONE~1.GO")], ["create C:/work/GONE~1.GO"], id="gone again"),
    ],
)
def test_a_short_name(
    rig: Rig, kernel: FakeKernel32, records: list[tuple[int, str]], told: list[str]
) -> None:
    kernel.write("C:/work/long name.go")
    kernel.makedirs("C:/work/sub dir")
    kernel.write("C:/work/sub dir/f.go")
    kernel.shorten("C:/work/long name.go", "LONGNA~1.GO")
    kernel.shorten("C:/work/sub dir", "SUBDIR~1")
    rig.add("C:/work")
    kernel.tell("C:/work", *records)
    assert rig.take() == told


def test_a_root_that_was_given_by_its_short_name_keeps_it(rig: Rig, kernel: FakeKernel32) -> None:
    kernel.makedirs("C:/Program Files/w/deep")
    kernel.shorten("C:/Program Files", "PROGRA~1")
    kernel.write("C:/Program Files/w/long name.go")
    kernel.shorten("C:/Program Files/w/long name.go", "LONGNA~1.GO")
    rig.add("C:/PROGRA~1/w")
    kernel.tell("C:/PROGRA~1/w", (MODIFIED, "LONGNA~1.GO"))
    assert rig.take() == ["write C:/PROGRA~1/w/long name.go"]


# --- waiting ---


def test_a_wake_is_heard_once(rig: Rig) -> None:
    rig.backend.wake()
    rig.backend.wake()
    rig.backend.wait(None)
    assert rig.take() == []
    assert rig.backend.woken()
    assert not rig.backend.woken()
    rig.backend.wait(0)


def test_a_wake_comes_back_though_its_packet_was_taken(rig: Rig) -> None:
    rig.backend.wake()
    assert rig.take() == []
    rig.backend.wait(None)
    assert rig.backend.woken()


def test_a_wake_from_another_thread_ends_the_wait(rig: Rig) -> None:
    rig.add("C:/work")
    waker = threading.Timer(0.01, rig.backend.wake)
    waker.start()
    rig.backend.wait(60)
    waker.join()
    assert rig.backend.woken()


def test_a_wait_in_another_thread_has_no_slices(rig: Rig) -> None:
    rig.add("C:/work")
    waiter = threading.Thread(target=rig.backend.wait, args=[None])
    waiter.start()
    rig.kernel.write("C:/work/old.go")
    waiter.join(60)
    assert not waiter.is_alive(), "waited 60 s for a wait to hear of a write"
    assert rig.backend.due() == 100.0  # it is stashed: there is work
    assert rig.take() == ["write C:/work/old.go"]


@pytest.mark.parametrize("main", [True, False], ids=["main thread", "another"])
def test_only_the_main_thread_comes_back_to_serve_signals(
    rig: Rig, kernel: FakeKernel32, main: bool
) -> None:
    waits: list[int | None] = []
    takes = kernel.next_completion

    def waiting(port: int, milliseconds: int | None) -> Completion | None:
        waits.append(milliseconds)
        if len(waits) == 2 or milliseconds is None:
            rig.backend.wake()
        return takes(port, 0 if milliseconds is not None else None)

    kernel.next_completion = waiting  # type: ignore[method-assign]
    waiter = threading.Thread(target=rig.backend.wait, args=[None])
    (waiter.run if main else waiter.start)()
    if not main:
        waiter.join(60)
    assert waits == ([250, 250] if main else [None])


def test_what_a_wait_has_taken_comes_before_what_the_port_still_has(
    rig: Rig, kernel: FakeKernel32
) -> None:
    rig.add("C:/work")
    rig.add("D:")
    kernel.write("C:/work/a")
    rig.backend.wait(None)
    kernel.write("D:/b")
    kernel.write("C:/work/c")
    assert [line.split()[1] for line in rig.take() if "create" in line] == [
        "C:/work/a",
        "D:/b",
        "C:/work/c",
    ]


def test_a_wait_without_anything_to_hear_ends_in_time(rig: Rig) -> None:
    rig.add("C:/work")
    rig.backend.wait(0.01)
    assert rig.take() == []


def test_a_steady_writer_does_not_hold_a_take_up(rig: Rig, kernel: FakeKernel32) -> None:
    rig.add("C:/work")
    answers = kernel.read_changes
    kernel.splits = True

    def busy(handle: int, request: object, *, subtree: bool) -> None:
        answers(handle, request, subtree=subtree)  # type: ignore[arg-type]
        kernel.tell("C:/work", (MODIFIED, "old.go"))

    kernel.read_changes = busy  # type: ignore[method-assign]
    kernel.write("C:/work/old.go")
    assert 1 < len(rig.take()) < 1000
    kernel.read_changes = answers  # type: ignore[method-assign]


# --- the end ---


def test_release_is_harmless_twice_and_so_is_all_that_follows(rig: Rig) -> None:
    rig.add("C:/work")
    rig.kernel.write("C:/work/old.go")
    rig.backend.release()
    rig.backend.release()
    rig.backend.wake()
    rig.backend.wait(None)
    assert rig.take() == []


def test_memory_that_the_kernel_never_gives_back_is_never_freed(
    rig: Rig, kernel: FakeKernel32
) -> None:
    rig.add("C:/work")
    kernel.deaf = True
    rig.backend.release()
    kernel.check_clean()


def test_it_offers_what_the_kernel_can_tell(rig: Rig) -> None:
    assert rig.backend.offers == Op.CREATE | Op.WRITE | Op.REMOVE | Op.RENAME
    assert rig.backend.name == "windows"


def test_new_rules_are_told_and_count_from_then_on(rig: Rig, kernel: FakeKernel32) -> None:
    kernel.makedirs("C:/work/skip")
    rig.add("C:/work")
    kernel.write("C:/work/skip/f")
    assert rig.take() == []
    rig.skip = "other"
    rig.backend.refresh()
    assert rig.backend.due() == 100.0
    assert rig.take() == ["refreshed C:/work"]
    kernel.write("C:/work/skip/f")
    assert rig.take() == ["write C:/work/skip/f"]
