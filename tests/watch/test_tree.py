"""The table of wds and paths, without a kernel: any moves leave it whole."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hotrun.watch.inotify.tree import Node, Tree
from hotrun.watch.paths import is_below, topmost


def planted(*paths: str) -> Tree:
    """A tree with wds counted from 1."""
    tree = Tree()
    for wd, path in enumerate(paths, 1):
        tree.hang(path, wd)
    return tree


def check(tree: Tree) -> None:
    """Paths, wds and parents agree."""
    for path, node in tree.by_path.items():
        assert node.path == path
        assert node in tree.owners(node.wd)
        above = tree.by_path.get(path.rpartition("/")[0])
        assert node.parent is above
        assert above is None or node in above.children
    assert sum(len(tree.owners(wd)) for wd in tree.by_wd) == len(tree)


def test_a_directory_is_found_by_wd_and_by_path() -> None:
    tree = planted("/p", "/p/a")
    assert [node.path for node in tree.owners(2)] == ["/p/a"]
    assert repr(tree.by_path["/p"]) == "Node('/p', wd=1, 1 children)"
    assert len(tree) == 2


def test_a_move_takes_the_subtree_along_and_nothing_that_begins_alike() -> None:
    tree = planted("/p", "/p/a", "/p/a/x", "/p/ab", "/p/ab/x")
    node = tree.by_path["/p/a"]
    tree.detach(node)
    assert not tree.holds(node)
    assert set(tree.by_path) == {"/p", "/p/ab", "/p/ab/x"}
    tree.attach(node, "/p/ab/new")
    assert set(tree.by_path) == {"/p", "/p/ab", "/p/ab/x", "/p/ab/new", "/p/ab/new/x"}
    check(tree)


def test_a_dropped_subtree_gives_its_wds_back() -> None:
    tree = planted("/p", "/p/a", "/p/a/x", "/p/ab")
    assert sorted(tree.drop(tree.by_path["/p/a"])) == [2, 3]
    assert set(tree.by_path) == {"/p", "/p/ab"}
    check(tree)


def test_a_wd_with_two_names_is_given_back_with_the_second() -> None:
    tree = planted("/p", "/link")
    other = tree.hang("/link/d", 7)
    node = tree.hang("/p/d", 7)
    assert tree.drop(node) == []
    assert tree.drop(other) == [7]
    assert tree.drop(other) == []
    check(tree)


def test_a_root_in_a_root_is_tied_to_it_when_that_comes_later() -> None:
    tree = planted("/p/a/b", "/p/a")
    tree.join(tree.by_path["/p/a/b"])
    check(tree)


NAMES = st.sampled_from(["/p", "/p/a", "/p/ab", "/p/a/a", "/p/a/b", "/p/ab/a", "/p/a/b/a"])
STEPS = st.tuples(st.sampled_from(["hang", "drop", "away", "back"]), NAMES)


@settings(max_examples=300, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_after_any_steps_paths_and_wds_agree(steps: list[tuple[str, str]]) -> None:
    tree, away = planted("/p"), list[Node]()
    wds = iter(range(2, 1_000))
    for kind, path in steps:
        node = tree.by_path.get(path)
        has_parent = path.rpartition("/")[0] in tree.by_path
        if kind == "hang" and node is None and has_parent:
            tree.hang(path, next(wds))
        elif kind == "drop" and node is not None:
            tree.drop(node)
        elif kind == "away" and node is not None:
            tree.detach(node)
            away.append(node)
        elif kind == "back" and node is None and has_parent and away:
            tree.attach(away.pop(), path)
    for node in away:
        tree.drop(node)
    check(tree)


def test_the_topmost_paths_are_those_below_no_other() -> None:
    paths = ["/p/a/b", "/p/a", "/p/ab", "/p/ab/c/d", "/q"]
    assert topmost(paths) == ["/p/a", "/p/ab", "/q"]
    assert is_below("/p/a/b/c", {"/p/a"})
    assert not is_below("/p/a", {"/p/a"})
    assert not is_below("/p/ab", {"/p/a"})
    assert not is_below("", {"/p/a"})
