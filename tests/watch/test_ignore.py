"""Ignore rules against git itself: the rows that bite (random trees: test_ignore_walk.py)."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from oracle import empty_home, git_says, hotrun_says, put, work_tree

from hotrun.watch.rules.ignore import GitIgnore, Rule

if TYPE_CHECKING:
    from pathlib import Path

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """No settings of the machine or its user."""
    return empty_home(tmp_path, monkeypatch)


@pytest.fixture
def work(tmp_path: Path) -> str:
    return work_tree(str(tmp_path / "work"))


def ignored(top: str, name: str, *, is_dir: bool = False) -> bool:
    rule = GitIgnore(top).match(os.path.join(top, name), is_dir)
    return rule is not None and not rule.negated


# The rows of watching.md section 10 and the quirks found since: lines, entry, ignored.
ROWS = [
    pytest.param(b"logs/\n!logs/keep", "logs/keep", True, id="an excluded parent wins"),
    pytest.param(b"logs/*\n!logs/keep", "logs/keep", False, id="a star below can be taken back"),
    pytest.param(b"logs/*\n!logs/keep", "logs/other", True, id="a star below ignores the rest"),
    pytest.param(b"logs/*", "logs/", False, id="a star below is not the directory"),
    pytest.param(b"logs/**", "logs/", False, id="two stars below are not the directory"),
    pytest.param(b"logs/**", "logs/a/b", True, id="two stars below are everything in it"),
    pytest.param(b"*\n!*.go", "a/b.go", True, id="a star ignores the directories too"),
    pytest.param(b"*\n!*/\n!*.go", "a/b.go", False, id="a star with directories taken back"),
    pytest.param(b"x\n!x", "x", False, id="the last match wins, taken back"),
    pytest.param(b"!x\nx", "x", True, id="the last match wins, ignored"),
    pytest.param(b"build", "a/b/build", True, id="a name counts at any level"),
    pytest.param(b"/build", "a/build", False, id="a leading slash anchors"),
    pytest.param(b"/build", "build", True, id="a leading slash matches at the top"),
    pytest.param(b"src/build", "a/src/build", False, id="an inner slash anchors"),
    pytest.param(b"build/", "build", False, id="a final slash is not a file"),
    pytest.param(b"build/", "a/build/", True, id="a final slash does not anchor"),
    pytest.param(b"a/**/b", "a/b", True, id="stars between may be nothing"),
    pytest.param(b"a/**/b", "a/x/y/b", True, id="stars between may be many"),
    pytest.param(b"**/foo", "foo", True, id="leading stars may be nothing"),
    pytest.param(b"**/foo/bar", "x/foo/bar", True, id="leading stars before a path"),
    pytest.param(b"/foo**bar", "foo/bar", False, id="two stars inside a name are one"),
    pytest.param(b"foo**bar", "fooxbar", True, id="two stars inside a name match in it"),
    pytest.param(b"a**/b", "ab", True, id="stars behind a literal start stand at the beginning"),
    pytest.param(b"?a**/b", "xa/y/b", False, id="stars behind a wildcard are one"),
    pytest.param(b"a/**\\/b", "a/x/y/b", True, id="stars before an escaped slash"),
    pytest.param(b"a/**\\/b", "a/b", False, id="stars before an escaped slash are something"),
    pytest.param(b"a[!x]b/**/c", "a/b/c", False, id="a negated class never matches a slash"),
    pytest.param(b"a[.-0]b/**/c", "a/b/c", False, id="a range never matches a slash"),
    pytest.param(b"[[:space:]]", "\v", False, id="a vertical tab is no space to git"),
    pytest.param(b"/*/x", "a/x", True, id="a star is one directory"),
    pytest.param(b"/*/x", "a/b/x", False, id="a star is not two directories"),
    pytest.param(b"foo ", "foo", True, id="trailing blanks are dropped"),
    pytest.param(b"foo\\ ", "foo ", True, id="an escaped trailing blank stays"),
    pytest.param(b"foo\\  ", "foo ", True, id="only the escaped blank stays"),
    pytest.param(b"foo\t", "foo", False, id="a trailing tab counts"),
    pytest.param(b"foo\t", "foo\t", True, id="a trailing tab is part of the name"),
    pytest.param(b"foo\r\nbar\r\n", "foo", True, id="carriage returns are dropped"),
    pytest.param(b"foo\r", "foo", True, id="a carriage return at the very end is dropped"),
    pytest.param(b"foo \r\n", "foo", True, id="blanks before a carriage return are dropped"),
    pytest.param(b"\xef\xbb\xbffoo", "foo", True, id="a byte order mark is dropped"),
    pytest.param(b"#x", "#x", False, id="a comment"),
    pytest.param(b"\\#x", "#x", True, id="an escaped hash"),
    pytest.param(b"\\!x", "!x", True, id="an escaped exclamation mark"),
    pytest.param(b"x\\", "x", False, id="a lone backslash matches nothing"),
    pytest.param(b"x\\", "x\\", False, id="a lone backslash does not match itself"),
    pytest.param(b"x\\\\", "x\\", True, id="two backslashes are one"),
    pytest.param(b"[!a]", "b", True, id="a negated class"),
    pytest.param(b"[^a]", "a", False, id="a negated class with a caret"),
    pytest.param(b"[]a]", "]", True, id="a bracket first in a class"),
    pytest.param(b"[[:digit:]]", "7", True, id="a posix class"),
    pytest.param(b"[[:digit:]]", "d", False, id="a posix class is no set of letters"),
    pytest.param(b"[[:nothing:]]", "n", False, id="an unknown posix class"),
    pytest.param(b"[a-c]", "b", True, id="a range"),
    pytest.param(b"[a-]", "-", True, id="a final dash"),
    pytest.param(b"[a\\]]", "]", True, id="an escaped bracket"),
    pytest.param(b"[a", "[a", False, id="an unclosed class matches nothing"),
    pytest.param(b"a[/]b", "a/b", False, id="a class never matches a slash"),
    pytest.param(b"a?b", "a/b", False, id="a question mark never matches a slash"),
    pytest.param(b"./foo", "foo", False, id="a dot slash"),
    pytest.param(b"//foo", "foo", False, id="two slashes"),
    pytest.param(b"/", "foo/", False, id="a lone slash"),
    pytest.param(b"!", "!", False, id="a lone exclamation mark"),
    pytest.param(b"a?", "aü", False, id="a question mark is one byte"),
    pytest.param(b"a??", "aü", True, id="two question marks are a letter of two bytes"),
    pytest.param("ü.*".encode(), "ü.txt", True, id="a letter of two bytes"),
    pytest.param(b"caf\xe9", "caf\udce9", True, id="a name that is not UTF-8"),
    pytest.param(b"*.log", "a\nb.log", True, id="a newline in a name"),
    pytest.param(b"FOO", "foo", False, id="case counts"),
    pytest.param(b"foo\0bar", "foo", True, id="a line ends at a NUL"),
    pytest.param(b"/a", "ab", False, id="a name is not its beginning"),
    pytest.param(b"/a/", "ab/", False, id="a directory is not its beginning"),
    pytest.param(b"*.tar.gz", "x.tar.gz", True, id="an extension with two dots"),
    pytest.param(b"*.gz\n!*.tar.gz", "x.tar.gz", False, id="the longer extension comes later"),
    pytest.param(b"!*.tar.gz\n*.gz", "x.tar.gz", True, id="the shorter extension comes later"),
]


@pytest.mark.parametrize(("lines", "entry", "expected"), ROWS)
def test_a_row_that_bites_is_answered_as_git_does(
    work: str, lines: bytes, entry: str, expected: bool
) -> None:
    put(work, ".gitignore", lines)
    if entry.endswith("/"):
        os.makedirs(os.path.join(work, entry))
    else:
        put(work, entry)
    name = entry.rstrip("/")
    assert ignored(work, name, is_dir=entry.endswith("/")) == expected
    if shutil.which("git"):
        assert hotrun_says(work, [name]) == git_says(work, [name])


# Where rules come from -------------------------------------------------------------------------


def agree(top: str, *names: str) -> list[bool]:
    """Which of `names` are ignored, by the code and by git alike."""
    answers = hotrun_says(top, list(names))
    if shutil.which("git"):
        assert answers == git_says(top, list(names))
    return [answer is not None and answer.pattern[0] != "!" for answer in answers.values()]


def test_a_rule_names_its_file_line_and_text(work: str) -> None:
    file = put(work, ".gitignore", "# first\n\n*.log  \n!keep.log\nout/\n")
    ignore = GitIgnore(work)
    assert ignore.match(f"{work}/a.log", is_dir=False) == Rule(file, 3, "*.log")
    assert ignore.match(f"{work}/keep.log", is_dir=False) == Rule(file, 4, "!keep.log", True)
    assert ignore.match(f"{work}/out", is_dir=True) == Rule(file, 5, "out/")
    assert ignore.match(f"{work}/out/a/b.go", is_dir=False) == Rule(file, 5, "out/")
    assert ignore.match(f"{work}/main.go", is_dir=False) is None


def test_a_nested_file_overrides_the_outer_one_and_is_anchored_to_its_directory(work: str) -> None:
    put(work, ".gitignore", "*.log\n/x\n")
    put(work, "a/.gitignore", "!*.log\n/y\n")
    assert agree(work, "b.log", "a/b.log", "x", "a/x", "y", "a/y", "a/c/y") == [
        *(True, False, True, False, False, True, False)
    ]


def test_an_ignore_file_in_an_ignored_directory_is_not_read(work: str) -> None:
    put(work, ".gitignore", "out/\n")
    put(work, "out/.gitignore", "!*\n")
    assert agree(work, "out/a.go") == [True]


def test_exclude_files_are_weaker_than_every_ignore_file(work: str, home: str) -> None:
    put(home, "xdg/git/ignore", "*.a\n*.b\n*.c\n")
    put(work, ".git/info/exclude", "!*.b\n*.d\n")
    put(work, "sub/.gitignore", "!*.c\n!*.d\n")
    names = ("sub/x.a", "sub/x.b", "sub/x.c", "sub/x.d", "x.d")
    assert agree(work, *names) == [True, False, False, False, True]


@pytest.mark.parametrize(
    "value",
    ["~/mine", '"~/mine" ; comment', "~/mi\\\nne", "  ~/mine  # comment", '~/"mi"ne\r'],
)
def test_the_excludes_file_is_found_in_the_user_s_config(work: str, home: str, value: str) -> None:
    put(
        home,
        ".gitconfig",
        f"# c\n[user]\n\tname = x\n[Core]\n\tpreloadIndex\n\texcludesFile = {value}\n",
    )
    put(home, "mine", "*.mine\n")
    put(home, "xdg/git/ignore", "*.default\n")
    assert agree(work, "a.mine", "a.default") == [True, False]


def test_the_excludes_file_of_the_repository_is_stronger_than_the_user_s(
    work: str, home: str
) -> None:
    put(home, "xdg/git/config", "[core] excludesfile = ~/one\n")
    put(home, "one", "*.one\n")
    put(work, ".git/config", "[core]\n\texcludesfile = two\n")
    put(work, "two", "*.two\n")
    assert agree(work, "a.one", "a.two") == [False, True]


def test_an_included_config_counts_where_it_is_included(work: str, home: str) -> None:
    put(home, ".gitconfig", "[include]\n\tpath = other/config\n[core]\n\tignorecase = false\n")
    put(home, "other/config", "[core]\n\texcludesfile = ~/mine\n\tignorecase = true\n")
    put(home, "mine", "*.mine\n")
    assert agree(work, "a.mine", "a.MINE") == [True, False]


def test_a_quoted_comment_character_is_part_of_the_value(work: str, home: str) -> None:
    put(home, ".gitconfig", '[core]\nexcludesfile = "~/a;b" #c\n')
    put(home, "a;b", "*.mine\n")
    assert agree(work, "a.mine") == [True]


def test_the_user_s_config_is_stronger_than_the_system_s(
    work: str, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_CONFIG_NOSYSTEM")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", put(home, "system", "[core]\nexcludesfile = ~/one\n"))
    put(home, "one", "*.one\n")
    assert agree(work, "a.one", "a.two") == [True, False]
    put(home, ".gitconfig", "[core]\nexcludesfile = ~/two\n")
    put(home, "two", "*.two\n")
    assert agree(work, "a.one", "a.two") == [False, True]


def test_a_config_named_by_the_environment_replaces_the_user_s(
    work: str, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(home, ".gitconfig", "[core]\n\texcludesfile = ~/mine\n")
    put(home, "mine", "*.mine\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    assert agree(work, "a.mine") == [False]


def test_case_is_ignored_where_git_is_told_so(work: str) -> None:
    put(work, ".git/config", "[core]\n\tignorecase\n")
    put(work, ".gitignore", "FOO\n*.Log\n/Sub/x*\n[A]b\n[A-B]c\n\u00c4x\n")
    names = ("foo", "a.LOG", "sub/X1", "ab", "ac", "\u00e4x", "\u00c4X")
    assert agree(work, *names) == [True, True, True, False, True, False, True]


def test_a_symlinked_ignore_file_is_not_read_but_a_symlinked_exclude_is(work: str) -> None:
    put(work, "rules", "*.x\n")
    os.symlink("rules", f"{work}/.gitignore")
    assert agree(work, "a.x") == [False]
    os.symlink("../../rules", f"{work}/.git/info/exclude")
    assert agree(work, "a.x") == [True]


def test_a_directory_or_a_fifo_in_the_place_of_an_ignore_file_is_no_rule(work: str) -> None:
    os.makedirs(f"{work}/a/.gitignore")
    os.makedirs(f"{work}/b")
    os.mkfifo(f"{work}/b/.gitignore")
    put(work, "c/x")
    os.symlink("nowhere", f"{work}/c/.gitignore")
    before = os.listdir("/dev/fd")
    assert not ignored(work, "a/x")
    assert not ignored(work, "b/x")
    assert not ignored(work, "c/x")
    assert not ignored(work, "x")
    assert os.listdir("/dev/fd") == before


def test_a_link_to_a_directory_is_not_a_directory(work: str) -> None:
    put(work, ".gitignore", "build/\n")
    os.symlink(".", f"{work}/build")
    assert agree(work, "build") == [False]


# Roots and work trees --------------------------------------------------------------------------


def test_a_root_below_the_top_obeys_the_rules_above_it(work: str) -> None:
    put(work, ".gitignore", "*.log\n/app/gen/\n")
    put(work, "app/.gitignore", "/x\n")
    root = f"{work}/app/web"
    ignore = GitIgnore(f"{work}/app")
    assert ignore.match(f"{work}/app/gen", is_dir=True) == Rule(
        f"{work}/.gitignore", 2, "/app/gen/"
    )
    assert ignore.match(f"{work}/app/x", is_dir=False) == Rule(f"{work}/app/.gitignore", 1, "/x")
    assert ignored(root, "a.log")
    assert not ignored(root, "x")


def test_a_root_is_never_ignored_but_rules_for_what_is_below_it_hold(work: str) -> None:
    put(work, ".gitignore", "gen/\n*.log\n")
    for root in (f"{work}/gen", f"{work}/gen/deep"):
        assert not ignored(root, "a.go")
        assert ignored(root, "a.log")
        assert ignored(root, "sub/gen", is_dir=True)


def test_a_root_without_git_obeys_the_ignore_files_below_it(tmp_path: Path) -> None:
    put(str(tmp_path), ".gitignore", "*.go\n")
    root = str(tmp_path / "plain")
    put(root, ".gitignore", "*.log\n")
    put(root, "a/.gitignore", "!b.log\n")
    assert ignored(root, "a/a.log")
    assert not ignored(root, "a/b.log")
    assert not ignored(root, "a.go")


def test_an_empty_git_directory_makes_no_work_tree(work: str) -> None:
    put(work, ".gitignore", "*.log\n")
    os.makedirs(f"{work}/sub/.git")
    assert ignored(f"{work}/sub", "a.log")
    assert agree(work, "sub/a.log") == [True]


def test_a_nested_work_tree_is_ruled_by_its_own_files(work: str) -> None:
    put(work, ".gitignore", "*.log\n/third/\n")
    for name in ("second", "third"):
        inner = work_tree(f"{work}/{name}")
        put(inner, ".gitignore", "*.tmp\n")
        put(inner, ".git/info/exclude", "*.mine\n")
    names = ("a.log", "a.tmp", "a.mine")
    assert agree(f"{work}/second", *names) == [False, True, True]
    assert [ignored(work, f"second/{name}") for name in names] == [False, True, True]
    assert [ignored(work, f"third/{name}") for name in names] == [True, True, True]


@needs_git
def test_linked_work_trees_and_submodules_follow_their_git_file(tmp_path: Path) -> None:
    main, linked, outer = (str(tmp_path / name) for name in ("main", "linked", "outer"))
    identity = ["-c", "user.name=n", "-c", "user.email=e", "-c", "protocol.file.allow=always"]

    def git(top: str, *words: str) -> None:
        subprocess.run(["git", "-C", top, *identity, *words], check=True, capture_output=True)

    for top in (main, outer):
        os.mkdir(top)
        git(top, "init")
        git(top, "commit", "--allow-empty", "-m", "one")
    put(main, ".git/info/exclude", "*.mine\n")
    git(main, "worktree", "add", linked)
    git(outer, "submodule", "add", main, "sub")
    put(outer, ".git/modules/sub/info/exclude", "*.sub\n")
    assert agree(linked, "a.mine", "a.go") == [True, False]
    assert agree(f"{outer}/sub", "a.sub", "a.go") == [True, False]
    assert ignored(outer, "sub/a.sub")


def test_a_path_beside_the_root_is_not_below_it(work: str) -> None:
    put(work, ".gitignore", "*\n")
    os.makedirs(f"{work}/a")
    assert GitIgnore(f"{work}/a").match(f"{work}/ab/x", is_dir=False) is None
    assert GitIgnore(f"{work}/a").match("/", is_dir=True) is None


def test_a_thousand_nested_directories_are_answered(work: str) -> None:
    put(work, ".gitignore", "*.log\n")
    assert ignored(work, "a/" * 1500 + "x.log")


def test_a_hostile_pattern_is_answered_at_once(work: str) -> None:
    put(work, ".gitignore", "*a" * 30 + "b\n" + "/x/" + "*a" * 30 + "b\n")
    assert not ignored(work, "a" * 250)
    assert not ignored(work, "x/" + "a" * 250)


# Changes ---------------------------------------------------------------------------------------


def test_a_changed_ignore_file_counts_after_a_reload(work: str) -> None:
    ignore = GitIgnore(work)
    assert ignore.match(f"{work}/a/b/x", is_dir=False) is None
    file = put(work, "a/.gitignore", "x\n")
    assert ignore.match(f"{work}/a/b/x", is_dir=False) is None
    ignore.reload()
    assert ignore.match(f"{work}/a/b/x", is_dir=False) == Rule(file, 1, "x")
    assert ignore.match(f"{work}/ab/x", is_dir=False) is None


def test_a_changed_config_counts_after_a_reload(work: str, home: str) -> None:
    ignore = GitIgnore(work)
    assert ignore.match(f"{work}/x", is_dir=False) is None
    put(home, ".gitconfig", "[core]\n\texcludesfile = ~/mine\n")
    file = put(home, "mine", "x\n")
    ignore.reload()
    assert ignore.match(f"{work}/x", is_dir=False) == Rule(file, 1, "x")
    assert ignore.reads(file)
    assert not ignore.reads(f"{home}/xdg/git/ignore")


def test_the_files_the_rules_come_from_are_known(work: str, home: str) -> None:
    ignore = GitIgnore(work)
    ignore.match(f"{work}/x", is_dir=False)
    assert ignore.reads(f"{work}/a/b/.gitignore")
    assert ignore.reads(f"{work}/.git/info/exclude")
    assert ignore.reads(f"{home}/xdg/git/ignore")
    assert not ignore.reads(f"{work}/x.gitignore")
    assert not ignore.reads(f"{work}/exclude")
