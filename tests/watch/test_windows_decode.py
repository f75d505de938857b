"""The bytes of ReadDirectoryChangesW and the paths of Windows, on every system."""

from __future__ import annotations

import struct

import pytest
from fake_kernel32 import encode
from hypothesis import given
from hypothesis import strategies as st

from hotrun.watch.event import BASE
from hotrun.watch.scope import Root, Scope
from hotrun.watch.windows.reach import Reach
from hotrun.watch.windows.records import (
    Malformed,
    Record,
    decode,
    lengthened,
    may_be_short,
    native,
    parent,
    plain,
)

# Everything but NUL and "\\": lone surrogates too, which NTFS lets pass.
NAMES = st.text(st.characters(blacklist_characters="\0\\", blacklist_categories=()), max_size=300)
RECORDS = st.lists(st.builds(Record, st.integers(0, 2**32 - 1), NAMES), max_size=20)


def utf16(name: str) -> str:
    """Join surrogates that stand side by side: in UTF-16 they are one character."""
    return name.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


@given(RECORDS, st.sampled_from([2, 4, 8]))
def test_what_the_kernel_writes_is_what_is_read(records: list[Record], align: int) -> None:
    expected = [Record(action, utf16(name)) for action, name in records]
    assert list(decode(encode(records, align=align))) == expected


def read(data: bytes) -> tuple[list[Record], bool]:
    """Return the records that are whole, and whether the rest was malformed."""
    records = decode(data)
    found = []
    try:
        found += [next(records)]
        found += records
    except StopIteration:
        return found, False
    except Malformed:
        return found, True
    return found, False


@given(st.binary(max_size=400))
def test_any_bytes_come_to_records_or_to_the_one_error(data: bytes) -> None:
    records, _ = read(data)
    assert len(records) <= len(data) // 12


@given(RECORDS.filter(bool), st.data())
def test_damage_never_does_more_than_lose_what_follows(
    records: list[Record], data: st.DataObject
) -> None:
    whole = bytearray(encode(records))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    found, _ = read(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    assert len(found) <= len(whole) // 12


def record(name: bytes, *, following: int = 0, action: int = 1, size: int | None = None) -> bytes:
    return struct.pack("<III", following, action, len(name) if size is None else size) + name


A = "a".encode("utf-16-le")
LONG = "\\".join(["d" * 255] * 120)  # as deep as a path can be


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"", [], id="an empty completion"),
        pytest.param(record(A), [(1, "a")], id="one record, with nothing behind its name"),
        pytest.param(record(b""), [(1, "")], id="no name"),
        pytest.param(
            record(A, following=16, action=4) + b"\0\0" + record(A * 3, action=5),
            [(4, "a"), (5, "aaa")],
            id="a pair, with padding",
        ),
        pytest.param(record(A, following=14) + record(A), [(1, "a")] * 2, id="packed as by Wine"),
        pytest.param(
            record(A, following=40) + bytes(26) + record(A), [(1, "a")] * 2, id="a wide gap"
        ),
        pytest.param(
            record(LONG.encode("utf-16-le")),
            [(1, LONG.replace("\\", "/"))],
            id="a path of 30,000 characters",
        ),
        pytest.param(record(b"\x00\xd8a\x00"), [(1, "\ud800a")], id="half a surrogate pair"),
        pytest.param(record(b"\x00\xdc"), [(1, "\udc00")], id="the other half, at the end"),
        pytest.param(record(b"\x3d\xd8\x00\xde"), [(1, "\U0001f600")], id="a whole one"),
        pytest.param(record(b"a\x00\\\x00b\x00"), [(1, "a/b")], id="a name below"),
        pytest.param(record(A, action=77), [(77, "a")], id="an action of a later Windows"),
    ],
)
def test_a_chain_of_records(data: bytes, expected: list[tuple[int, str]]) -> None:
    assert list(decode(data)) == expected


@pytest.mark.parametrize(
    ("data", "before"),
    [
        pytest.param(b"\0" * 11, 0, id="shorter than a header"),
        pytest.param(record(A, size=4), 0, id="the name is longer than the bytes"),
        pytest.param(record(A, size=2**32 - 1), 0, id="the name is longer than memory"),
        pytest.param(record(b"abc"), 0, id="an odd length"),
        pytest.param(record(A + b"\0\0"), 0, id="a NUL in the name"),
        pytest.param(record(A, following=14), 1, id="the next offset is the end"),
        pytest.param(record(A, following=2**32 - 4), 1, id="the next offset is far past the end"),
        pytest.param(record(A, following=4) + record(A), 0, id="the next lies within this one"),
        pytest.param(record(A, following=20) + record(A), 1, id="the next is cut off"),
    ],
)
def test_what_is_malformed_is_told_after_what_is_whole(data: bytes, before: int) -> None:
    assert read(data) == ([Record(1, "a")] * before, True)


def test_no_offset_leads_back() -> None:
    for following in range(1, 14):
        assert read(record(A, following=following) + bytes(64)) == ([], True)


# --- paths ---

PATHS = pytest.mark.parametrize(
    ("path", "kernel"),
    [
        ("C:/work/a.go", "\\\\?\\C:\\work\\a.go"),
        ("C:", "\\\\?\\C:\\"),
        ("//server/share", "\\\\?\\UNC\\server\\share"),
        ("//server/share/a b/c", "\\\\?\\UNC\\server\\share\\a b\\c"),
        ("C:/" + "d/" * 400 + "f", "\\\\?\\C:\\" + "d\\" * 400 + "f"),
        ("C:/a/caf\udce9. ", "\\\\?\\C:\\a\\caf\udce9. "),
    ],
    ids=["drive", "root of a drive", "share", "on a share", "long", "odd"],
)


@PATHS
def test_a_path_is_written_as_the_kernel_takes_it(path: str, kernel: str) -> None:
    assert native(path) == kernel


@PATHS
def test_and_read_as_we_have_it(path: str, kernel: str) -> None:
    assert plain(kernel) == path


@pytest.mark.parametrize(
    ("path", "kernel"),
    [
        ("\\\\?\\C:\\work", "\\\\?\\C:\\work"),
        ("//?/C:/work", "\\\\?\\C:\\work"),
        ("//./C:/work", "\\\\.\\C:\\work"),
        ("C:/", "\\\\?\\C:\\"),
        ("C:\\work\\a", "\\\\?\\C:\\work\\a"),
        ("//server/share/", "\\\\?\\UNC\\server\\share"),
    ],
)
def test_other_spellings_reach_the_kernel_too(path: str, kernel: str) -> None:
    assert native(path) == kernel


@pytest.mark.parametrize(
    ("name", "long", "expected"),
    [
        ("LONGNA~1.GO", "C:/w/long name.go", "long name.go"),
        ("SUBDIR~1/A~2.GO", "C:/Program Files/w/sub directory/a b.go", "sub directory/a b.go"),
    ],
)
def test_only_as_many_names_are_lengthened_as_were_told(
    name: str, long: str, expected: str
) -> None:
    assert may_be_short(name)
    assert lengthened(name, long) == expected


@pytest.mark.parametrize("name", ["main.go", "main.go~", "~", "a~b", "~lock"])
def test_a_tilde_alone_makes_no_short_name(name: str) -> None:
    assert not may_be_short(name)


@pytest.mark.parametrize("path", ["C:/a/b", "//server/share/b", "C:"])
def test_the_way_up_comes_to_an_end(path: str) -> None:
    for _ in path:
        path = parent(path)
    assert path == ""


# --- what of a subtree counts ---


def reach(skipped: str = "", **roots: bool) -> tuple[Reach, Scope, list[str]]:
    asked: list[str] = []

    def skips(path: str) -> bool:
        asked.append(path)
        return path.rpartition("/")[2] == skipped

    scope = Scope(skips)
    for path, recursive in roots.items():
        scope.put(path.replace("_", "/"), Root(recursive, BASE))
    return Reach(scope), scope, asked


def test_nothing_below_a_skipped_directory_is_told_and_each_is_asked_once() -> None:
    reached, _, asked = reach("skip", C_w=True)
    assert reached.tells("C/w/a/b/f")
    assert reached.tells("C/w/skip")  # the name itself is one in a directory that counts
    assert not reached.tells("C/w/skip/f")
    assert not reached.tells("C/w/skip/a/b/f")
    assert not reached.tells("C/x")
    asked.clear()
    assert reached.tells("C/w/a/b/g")
    assert not reached.tells("C/w/skip/g")
    assert asked == []


def test_a_root_below_a_skipped_directory_is_told() -> None:
    reached, scope, _ = reach("skip", C_w=True, C_w_skip_x=True, C_w_skip_y=False)
    told = ["C/w/skip/x", "C/w/skip/x/a/f", "C/w/skip/y", "C/w/skip/y/f"]
    assert [path for path in [*told, "C/w/skip/f", "C/w/skip/y/a/f"] if reached.tells(path)] == told
    scope.drop("C/w/skip/x")
    reached.forget()
    assert not reached.tells("C/w/skip/x/a/f")


def test_a_root_that_is_not_recursive_tells_its_names() -> None:
    reached, _, _ = reach(C_w=False, C_f_go=False)
    assert reached.tells("C/w/f")
    assert reached.tells("C/w")
    assert reached.tells("C/f/go")
    assert not reached.tells("C/f/go2")
    assert not reached.tells("C/w/a/f")


def test_two_thousand_directories_deep_is_no_recursion() -> None:
    reached, _, _ = reach("skip", C=True)
    assert reached.tells("C" + "/d" * 2000 + "/f")
    assert not reached.tells("C" + "/d" * 2000 + "/skip/d/f")


def test_new_rules_count_once_the_old_answers_are_forgotten() -> None:
    skipped = {"C/a"}
    scope = Scope(skipped.__contains__)
    scope.put("C", Root(True, BASE))
    reached = Reach(scope)
    assert not reached.tells("C/a/f")
    skipped.clear()
    assert not reached.tells("C/a/f")
    reached.forget()
    assert reached.tells("C/a/f")
