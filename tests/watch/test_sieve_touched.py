"""What events said of paths, added up without a look at the disk."""

from __future__ import annotations

from hotrun.watch.sieve.touched import CAME, WENT, WRITE, Touched


def test_a_sift_takes_over_all_that_was_said() -> None:
    touched = Touched(lambda _: True)
    touched.add("/a", touched.first("/a", WRITE), WRITE)
    touched.emptied("/a", is_empty=True)
    touched.lost("/")
    before = touched.unfinished
    paths, lost = touched.take()
    assert (set(paths), lost) == ({"/a", "/"}, True)
    assert (before, touched.unfinished) == (True, False)
    assert touched.take() == ({}, False)


def test_a_file_that_was_never_ours_leaves_a_directory_by_its_name_in_doubt() -> None:
    touched = Touched(lambda _: True)
    touched.directory("/a", WENT)
    touch = touched.paths["/a"]
    touched.add("/a", touch, CAME)
    touched.drop("/a", touch)
    assert (touch.bits, touch.directory) == (0, True)
    assert set(touched.paths) == {"/a"}
