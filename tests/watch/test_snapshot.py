"""What a listing holds, and what it leaves out."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ear import write

from hotrun.watch.sieve.digest import digest_of
from hotrun.watch.sieve.snapshot import list_directory, list_tree, signature, subtree

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


# Links that are followed ------------------------------------------------------------------------


def followed(top: str, *roots: str) -> set[str]:
    listing = list_tree(roots or [top], never, always, follow_symlinks=True)
    return {
        f"{path}/{name}".removeprefix(f"{top}/")
        for path, directory in listing.items()
        for name in directory.files
    }


def test_a_followed_link_gives_its_name_to_what_it_leads_to(root: str, tmp_path: Path) -> None:
    write(f"{tmp_path}/out/d/a.go")
    os.symlink(f"{tmp_path}/out", f"{root}/link")
    assert followed(root) == {"link", "link/d/a.go"}


def test_a_real_directory_keeps_its_name_whatever_leads_to_it(root: str) -> None:
    write(f"{root}/z/d/a.go")
    os.symlink("z/d", f"{root}/a")
    os.symlink("../z", f"{root}/z/z")
    assert followed(root) == {"a", "z/z", "z/d/a.go"}


def test_of_two_links_to_one_directory_the_first_by_name_is_followed(
    root: str, tmp_path: Path
) -> None:
    write(f"{tmp_path}/out/a.go")
    for name in ("c", "b", "d"):
        os.symlink(f"{tmp_path}/out", f"{root}/{name}")
    assert followed(root) == {"b", "c", "d", "b/a.go"}


def test_a_link_into_what_another_link_leads_to_ends_there(root: str, tmp_path: Path) -> None:
    write(f"{tmp_path}/out/d/a.go")
    os.symlink(f"{tmp_path}/out/d", f"{root}/b")
    os.symlink(f"{tmp_path}/out", f"{root}/c")
    assert followed(root) == {"b", "c", "b/a.go"}


def test_loops_of_links_end(root: str, tmp_path: Path) -> None:
    write(f"{root}/a/f.go")
    write(f"{tmp_path}/out/f.go")
    os.symlink("..", f"{root}/a/up")
    os.symlink("loop", f"{root}/loop")
    os.symlink(f"{tmp_path}/out", f"{root}/out")
    os.symlink(root, f"{tmp_path}/out/back")
    os.symlink(".", f"{tmp_path}/out/here")
    assert followed(root) == {"loop", "out", "a/f.go", "a/up", "out/f.go", "out/back", "out/here"}


def test_a_farm_of_links_is_walked_once(root: str, tmp_path: Path) -> None:
    """By their paths alone there would be more directories than could ever be listed."""
    farm = [f"{tmp_path}/farm/{number}" for number in range(30)]
    for place in farm:
        write(f"{place}/f.go")
    for place in farm:
        for other in farm:
            os.symlink(other, f"{place}/to-{os.path.basename(other)}")
    os.symlink(farm[0], f"{root}/in")
    listing = list_tree([root], never, always, follow_symlinks=True)
    assert len(listing) == 1 + len(farm)
    assert sum("f.go" in directory.files for directory in listing.values()) == len(farm)


def test_a_link_to_above_the_root_shows_what_is_beside_it(root: str) -> None:
    write(f"{os.path.dirname(root)}/beside/a.go")
    write(f"{root}/b.go")
    os.symlink("..", f"{root}/up")
    assert followed(root) == {"b.go", "up", "up/beside/a.go"}


def test_a_root_that_a_link_leads_to_is_listed_as_a_root(root: str, tmp_path: Path) -> None:
    write(f"{tmp_path}/out/a.go")
    os.symlink(f"{tmp_path}/out", f"{root}/link")
    listing = list_tree([root, f"{root}/link"], never, always, follow_symlinks=True)
    assert set(listing) == {root, f"{root}/link"}
    listing = list_tree([root, f"{tmp_path}/out"], never, always, follow_symlinks=True)
    assert set(listing) == {root, f"{tmp_path}/out"}


def test_no_link_is_followed_to_what_is_skipped(root: str, tmp_path: Path) -> None:
    write(f"{tmp_path}/out/skip/a.go")
    for name in ("skip", "link"):
        os.symlink(f"{tmp_path}/out", f"{root}/{name}")
    listing = list_tree([root], lambda path: path.endswith("/skip"), always, follow_symlinks=True)
    assert set(listing) == {root, f"{root}/link"}
    assert set(listing[root].files) == {"skip", "link"}


def test_the_signature_of_a_followed_link_tells_of_the_link_and_of_the_file(
    root: str, tmp_path: Path
) -> None:
    target, link = write(f"{tmp_path}/a.go", "one"), f"{root}/l.go"
    write(f"{tmp_path}/b.go", "one")
    os.symlink(target, link)
    seen = [signature(link, follow_symlinks=True)]

    def differs() -> bool:
        seen.append(signature(link, follow_symlinks=True))
        listed = list_tree([root], never, always, follow_symlinks=True)[root].files["l.go"]
        assert seen[-1] == listed
        return seen[-1] not in seen[:-1]

    write(target, "two!")
    assert differs()
    os.chmod(target, 0o700)
    assert differs()
    assert seen[-1] is not None
    assert seen[-1].executable == stat.S_IXUSR
    os.remove(link)
    os.symlink(f"{tmp_path}/b.go", link)
    assert differs()
    os.symlink(f"{tmp_path}/b.go", f"{root}/m.go")
    other = signature(f"{root}/m.go", follow_symlinks=True)
    assert other is not None
    assert seen[-1] is not None
    assert other.ino != seen[-1].ino
    os.remove(f"{tmp_path}/b.go")
    assert differs()
    assert signature(link) == signature(link, follow_symlinks=True)


def test_a_link_to_a_device_or_a_fifo_is_a_link_and_no_more(root: str) -> None:
    os.mkfifo(f"{root}/fifo")
    os.symlink("fifo", f"{root}/a")
    os.symlink(os.devnull, f"{root}/b")
    assert followed(root) == {"a", "b"}
    for name in ("a", "b"):
        assert signature(f"{root}/{name}", follow_symlinks=True) == signature(f"{root}/{name}")
        target = os.fsencode(os.readlink(f"{root}/{name}"))
        assert digest_of(f"{root}/{name}", follow_symlinks=True) == target
