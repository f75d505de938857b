"""What a listing holds, and what it leaves out."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ear import write

from hotrun.watch.snapshot import list_directory, list_tree, signature, subtree

if TYPE_CHECKING:
    from pathlib import Path


def never(_: str) -> bool:
    return False


def always(_: str) -> bool:
    return True


def files(top: str, *roots: str) -> set[str]:
    listing = list_tree(roots or [top], never, always)
    return {
        f"{path}/{name}".removeprefix(f"{top}/")
        for path, directory in listing.items()
        for name in directory.files
    }


def test_files_and_links_are_listed_and_nothing_else(root: str, tmp_path: Path) -> None:
    write(f"{root}/a.go")
    write(f"{root}/d/e/b.go")
    write(f"{tmp_path}/elsewhere/c.go")
    os.symlink(f"{tmp_path}/elsewhere", f"{root}/link")
    os.symlink("nowhere", f"{root}/dangling")
    os.symlink(".", f"{root}/loop")
    os.mkfifo(f"{root}/fifo")
    assert files(root) == {"a.go", "d/e/b.go", "link", "dangling", "loop"}


def test_roots_that_overlap_are_listed_once(root: str) -> None:
    write(f"{root}/d/e/b.go")
    asked = []

    def wants(path: str) -> bool:
        asked.append(path)
        return True

    list_tree([root, f"{root}/d", f"{root}/d/e"], never, wants)
    assert asked == [f"{root}/d/e/b.go"]


def test_what_is_skipped_or_unwanted_is_not_looked_at(root: str) -> None:
    write(f"{root}/skip/deep/a.go")
    write(f"{root}/a.log")
    write(f"{root}/a.go")
    asked = []

    def skips(path: str) -> bool:
        asked.append(path)
        return path.endswith("/skip")

    listing = list_tree([root], skips, lambda path: path.endswith(".go"))
    assert set(listing) == {root}
    assert set(listing[root].files) == {"a.go"}
    assert not listing[root].below
    assert not [path for path in asked if "deep" in path]
    assert not list_tree([f"{root}/skip"], skips, always)


def test_what_cannot_be_listed_is_said(root: str) -> None:
    said = []
    path = write(f"{root}/f")
    for each in (path, f"{root}/none"):
        assert list_directory(each, never, always, lambda *report: said.append(report)) is None
    assert [type(error) for _, error in said] == [NotADirectoryError, FileNotFoundError]


def test_a_linked_root_is_listed_under_its_own_name(root: str, tmp_path: Path) -> None:
    write(f"{root}/d/a.go")
    link = str(tmp_path / "link")
    os.symlink(root, link)
    assert files(link) == {"d/a.go"}


def test_a_subtree_is_found_without_its_neighbours(root: str) -> None:
    for name in ("a/b/c", "ab/b", "a-b"):
        os.makedirs(f"{root}/{name}")
    listing = list_tree([root], never, always)
    expected = {f"{root}/a", f"{root}/a/b", f"{root}/a/b/c"}
    assert set(subtree(listing, f"{root}/a")) == expected
    assert not set(subtree(listing, f"{root}/none"))


def test_a_write_whose_time_was_set_back_leaves_another_signature(root: str) -> None:
    path = write(f"{root}/f", "one")
    before = signature(path)
    found = os.stat(path)
    write(path, "two")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    after = signature(path)
    assert before is not None
    assert after is not None
    assert before[:3] == after[:3]
    assert before != after


def test_a_signature_of_nothing_or_of_a_directory_is_none(root: str) -> None:
    os.mkfifo(f"{root}/fifo")
    for path in (root, f"{root}/none", f"{root}/fifo", f"{root}/\0", f"{root}/" + "n" * 300):
        assert signature(path) is None


def test_names_that_are_no_utf_8_are_listed(root: str) -> None:
    with open(os.fsencode(root) + b"/caf\xe9.go", "wb"):
        pass
    assert files(root) == {"caf\udce9.go"}


def test_only_the_bits_that_let_run_count_as_executable(root: str) -> None:
    path = write(f"{root}/f")
    os.chmod(path, 0o644)
    found = signature(path)
    assert found is not None
    assert not found.executable
    os.chmod(path, 0o744)
    found = signature(path)
    assert found is not None
    assert found.executable == stat.S_IXUSR
