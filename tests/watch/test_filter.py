"""What is watched: tables of (config, path) -> decision and rule, and agreement on random trees."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, TypedDict, Unpack

import pytest

from hotrun.watch.rules.filter import Decision, Filter, Rule
from hotrun.watch.rules.ignore import GitIgnore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEED = int(os.environ.get("HOTRUN_TEST_SEED", "20261121"))
ROUNDS = int(os.environ.get("HOTRUN_TEST_ROUNDS", "150"))


class Config(TypedDict, total=False):
    """What a project may set."""

    include: list[str]
    exclude: list[str]
    outputs: list[str]
    gitignore: bool
    rules: list[tuple[str, list[str]]]


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))


@pytest.fixture
def top(tmp_path: Path) -> str:
    """A project: a git work tree with a .gitignore."""
    top = str(tmp_path / "project")
    write(top, ".git/HEAD", "ref: refs/heads/main\n")
    write(top, ".gitignore", "*.log\n!keep.log\n/gen/\n.env\ntmp/\nnode_modules/\n")
    return top


def write(top: str, name: str, content: str = "") -> str:
    path = os.path.join(top, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(os.fsencode(content))
    return path


def make(
    top: str, roots: tuple[str, ...] = ("",), base: str = "", **config: Unpack[Config]
) -> Filter:
    def at(path: str) -> str:
        return os.path.normpath(os.path.join(top, path))

    return Filter(roots=[at(root) for root in roots], base=at(base), **config)


def decide(chosen: Filter, top: str, path: str) -> Decision:
    """Ask all three; `path` ends in `/` for a directory."""
    full, is_dir = os.path.normpath(os.path.join(top, path)), path.endswith("/")
    decision = chosen.explain(full, is_dir)
    assert (not chosen.skips(full) if is_dir else chosen.wants(full)) == decision.watched
    return decision


def watched(chosen: Filter, top: str, *paths: str) -> dict[str, bool]:
    return {path: decide(chosen, top, path).watched for path in paths}


# One row: the config, a path, whether it is watched, and the pattern that decided.
ROWS: list[tuple[Config, str, bool, str | None]] = [
    ({}, "main.go", True, None),
    ({}, "", True, None),
    ({}, "a.log", False, "*.log"),
    ({}, "keep.log", True, "!keep.log"),
    ({}, "gen/", False, "/gen/"),
    ({}, "gen/a.go", False, "/gen/"),
    ({}, "generated/", True, None),
    ({"gitignore": False}, "gen/a.log", True, None),
    ({}, "../project2/main.go", False, None),
    ({}, "../", False, None),
    # Version control and hotrun's own files, whatever else is said.
    ({}, ".git/", False, None),
    ({}, ".git/index.lock", False, None),
    ({}, "sub/.git", False, None),
    ({}, ".github/", True, None),
    ({}, ".gitignore", True, None),
    ({"include": [".git/**"]}, ".git/HEAD", False, None),
    ({"include": [".hotrun/x"]}, ".hotrun/", False, None),
    ({}, "a/.hg/", False, None),
    ({}, "a/.svn/", False, None),
    ({}, "a/.jj/", False, None),
    # Editors.
    ({}, "4913", False, None),
    ({}, "a.go~", False, None),
    ({}, ".a.go.swp", False, None),
    ({}, "a.go.swx", False, None),
    ({}, ".#a.go", False, None),
    ({}, "#a.go#", False, None),
    ({}, "#", True, None),
    ({}, "a.go___jb_tmp___", False, None),
    ({}, "a.go___jb_old___", False, None),
    ({}, "sub/.DS_Store", False, None),
    ({"include": ["a.go~"]}, "a.go~", False, None),
    ({"exclude": ["*~"]}, "a.go~", False, None),
    ({}, "old~/a.go", True, None),
    ({}, "a.swift", True, None),
    ({}, "sedAbCdEf", True, None),
    ({}, "a.tmp", True, None),
    ({}, ".goutputstream-X", True, None),
    # Installed and generated directories.
    ({}, "web/node_modules/", False, None),
    ({}, "web/node_modules/x/index.js", False, None),
    ({"gitignore": False}, ".venv/", False, None),
    ({}, "a/__pycache__/a.pyc", False, None),
    ({}, "node_modules.go", True, None),
    ({}, "sub/node_modules", True, None),
    ({}, "target/", True, None),
    ({}, "rust/target/", False, None),
    ({}, "rust/target/debug/app", False, None),
    ({}, "env/", True, None),
    ({}, "py/env/", False, None),
    ({}, "py/venv/lib/", False, None),
    # Outputs.
    ({"outputs": ["app"]}, "app", False, "app"),
    ({"outputs": ["app"]}, "cmd/app/", True, None),
    ({"outputs": ["app"]}, "apple", True, None),
    ({"outputs": ["./bin/app"]}, "bin/app", False, "./bin/app"),
    ({"outputs": ["bin/"]}, "bin/", False, "bin/"),
    ({"outputs": ["bin"]}, "bin/a/b", False, "bin"),
    ({"outputs": ["dist/**"]}, "dist/", False, "dist/**"),
    ({"outputs": ["dist/*.js"]}, "dist/a.js", False, "dist/*.js"),
    ({"outputs": ["dist/*.js"]}, "dist/sub/a.js", True, None),
    ({"outputs": ["*.wasm"]}, "web/a.wasm", False, "*.wasm"),
    ({"outputs": ["a/*/out"]}, "a/b/out/x", False, "a/*/out"),
    ({"outputs": ["app"], "include": ["app"]}, "app", False, "app"),
    # Exclude: as a .gitignore of its own.
    ({"exclude": ["*_test.go"]}, "a/b_test.go", False, "*_test.go"),
    ({"exclude": ["*.go", "!main.go"]}, "main.go", True, None),
    ({"exclude": ["doc/", "!doc/keep"]}, "doc/keep", False, "doc/"),
    ({"exclude": ["/a"]}, "ab", True, None),
    ({"exclude": ["/a"]}, "a/", False, "/a"),
    ({"exclude": ["a.go"], "include": ["a.go"]}, "a.go", False, "a.go"),
    ({"exclude": ["#x"]}, "#x", False, "#x"),
    ({"exclude": ["!*.log"]}, "a.log", False, "*.log"),
    # Include.
    ({"include": ["*.go"]}, "a/b.go", True, "*.go"),
    ({"include": ["*.go"]}, "a/b.txt", False, None),
    ({"include": ["*.go"]}, "a/", True, None),
    ({"include": ["*.go", "!*_test.go"]}, "a_test.go", False, "!*_test.go"),
    ({"include": ["!*_test.go", "*.go"]}, "a_test.go", True, "*.go"),
    ({"include": ["src/"]}, "src/a/b.txt", True, "src/"),
    ({"include": ["src/", "!src/old/"]}, "src/old/a.go", False, None),
    ({"include": ["src/", "!src/old/"]}, "src/old/", False, None),
    ({"include": ["*.go", "!old/"]}, "a/old/", False, None),
    ({"include": ["!old/", "*.go"]}, "a/old/x.go", True, "*.go"),
    ({"include": ["src/*.go", "cmd/**"]}, "web/", False, None),
    ({"include": ["src/*.go", "cmd/**"]}, "src/", True, None),
    ({"include": ["src/*.go", "cmd/**"]}, "src/deep/", False, None),
    ({"include": ["src/*.go", "cmd/**"]}, "cmd/a/b/", True, None),
    ({"include": ["src/*.go", "cmd/**"]}, "srcs/", False, None),
    ({"include": ["src/*.go", "*.mod"]}, "web/", True, None),
    ({"include": ["src/**/x.go"]}, "src/a/b/c/", True, None),
    ({"include": ["/*.go"]}, "main.go", True, "/*.go"),
    ({"include": ["/*.go"]}, "sub/", False, None),
    ({"include": ["*.go"]}, "caf\udce9.go", True, "*.go"),
    # An include that begins with a literal path is stronger than git there, and only there.
    ({"include": [".env", "*.go"]}, ".env", True, ".env"),
    ({"include": [".env", "*.go"]}, "sub/.env", False, ".env"),
    ({"include": ["gen/api.go"]}, "gen/", True, None),
    ({"include": ["gen/api.go"]}, "gen/api.go", True, "gen/api.go"),
    ({"include": ["gen/api.go", "*.go"]}, "gen/other.go", False, "/gen/"),
    ({"include": ["gen/api.go", "*.go"]}, "gen/sub/", False, "/gen/"),
    ({"include": ["gen/**"]}, "gen/a/b.log", True, "gen/**"),
    ({"include": ["gen"]}, "gen/a/b.log", True, "gen"),
    ({"include": ["/gen/"]}, "gen/a.go", True, "/gen/"),
    ({"include": ["gen/*/x.go"]}, "gen/a/", True, None),
    ({"include": ["gen/*/x.go"]}, "gen/a/x.go", True, "gen/*/x.go"),
    ({"include": ["gen/**", "!gen/old/", "*.go"]}, "gen/old/a.go", False, "/gen/"),
    ({"include": ["gen/**", "!gen/old/", "*.go"]}, "gen/a.go", True, "gen/**"),
    ({"include": ["gen/**", "!*_x.go", "*.go"]}, "gen/a_x.go", False, "/gen/"),
    ({"include": ["gen/**", "!gen/old/"]}, "gen/old/", False, None),
    ({"include": ["*.go"]}, "gen/", False, "/gen/"),
    ({"include": ["*.go"]}, "gen/a.go", False, "/gen/"),
    ({"include": ["ge*/a.go"]}, "gen/", False, "/gen/"),
    ({"include": ["**/gen"]}, "gen/", False, "/gen/"),
    ({"include": ["tmp/x.go"]}, "a/tmp/", False, None),
    ({"include": ["*.go", "tmp/x.go"]}, "a/tmp/x.go", False, "tmp/"),
    ({"include": ["node_modules/lib/**"]}, "node_modules/", True, None),
    ({"include": ["node_modules/lib/**"]}, "node_modules/lib/a.js", True, "node_modules/lib/**"),
    ({"include": ["node_modules/lib/**"]}, "node_modules/lib/node_modules/", False, None),
    ({"include": ["node_modules/lib/**", "*.js"]}, "node_modules/b.js", False, None),
    ({"include": ["node_modules/lib/**", "*.js"]}, "node_modules/other/", False, None),
    ({"include": [".venv/x.pth"], "gitignore": False}, ".venv/x.pth", True, ".venv/x.pth"),
    ({"include": [".venv/x.pth", "*.py"], "gitignore": False}, ".venv/y.py", False, None),
    ({"include": ["web/**"]}, "web/node_modules/", False, None),
    ({"include": ["web/node_modules*/x"]}, "web/node_modules/", False, None),
    ({"include": ["py/env/lib/**"]}, "py/env/lib/a.py", True, "py/env/lib/**"),
    ({"include": ["gen/**"], "exclude": ["gen/"]}, "gen/a.go", False, "gen/"),
    # Rules widen an include; without one nothing is left out, and a literal path beats git.
    ({"include": ["*.go"], "rules": [("r1", ["*.css"])]}, "a/b.css", True, "*.css"),
    ({"include": ["*.go"], "rules": [("r1", ["*.css"])]}, "a/b.txt", False, None),
    ({"include": ["*.go"], "rules": [("r1", ["*.css"])]}, "a.go", True, "*.go"),
    ({"include": ["src/**"], "rules": [("r1", ["web/**"])]}, "web/a/", True, None),
    ({"include": ["src/**"], "rules": [("r1", ["web/**"])]}, "doc/", False, None),
    ({"include": ["*.go", "!x.go"], "rules": [("r1", ["x.*"])]}, "x.go", True, "x.*"),
    ({"include": ["*.go"], "rules": [("r1", ["*.c", "!x.*"])]}, "x.go", True, "*.go"),
    ({"include": ["*.go"], "rules": [("r1", ["*.c", "!x.*"])]}, "x.c", False, None),
    ({"include": ["*.go"], "rules": [("r1", ["*.c", "!x.*"])]}, "y.c", True, "*.c"),
    ({"include": ["*.go", "!a.*"], "rules": [("r1", ["*.c", "!x.*"])]}, "a.go", False, "!a.*"),
    ({"include": ["*.go"], "rules": [("1", ["*.c", "!x.c"]), ("2", ["x.c"])]}, "x.c", True, "x.c"),
    ({"include": ["!x.c"], "rules": [("r1", ["x.h"])]}, "x.c", False, "!x.c"),
    ({"include": ["*.go"], "rules": [("r1", ["gen/*.css"])]}, "gen/a.css", True, "gen/*.css"),
    ({"include": ["*.go"], "rules": [("r1", ["gen/*.css"])]}, "gen/a.go", False, "/gen/"),
    ({"include": ["*.go"], "rules": [("r1", ["*.css"])]}, "gen/a.css", False, "/gen/"),
    ({"include": ["*.go"], "exclude": ["x.*"], "rules": [("r1", ["*.c"])]}, "x.c", False, "x.*"),
    ({"rules": [("r1", ["*.css"])]}, "main.go", True, None),
    ({"rules": [("r1", ["*.css"])]}, "a.css", True, None),
    ({"rules": [("r1", ["a.log"])]}, "a.log", True, "a.log"),
    ({"rules": [("r1", ["*.log"])]}, "a.log", False, "*.log"),
    ({"rules": [("r1", ["gen/**"])]}, "gen/a.go", True, "gen/**"),
    ({"rules": [("r1", ["gen/**", "!gen/x"])]}, "gen/x", False, "/gen/"),
    ({"rules": [("r1", ["gen/*.css"])]}, "gen/a.go", False, "/gen/"),
    ({"rules": [("r1", ["node_modules/a/**"])]}, "node_modules/a/x", True, "node_modules/a/**"),
    ({"rules": [("r1", ["node_modules/a/**"])]}, "node_modules/b/x", False, None),
    ({"rules": [("r1", ["!*.go"])]}, "a.go", True, None),
    ({"rules": [("r1", [])], "include": ["*.go"]}, "a.c", False, None),
]  # fmt: skip


@pytest.mark.parametrize(("config", "path", "expected", "pattern"), ROWS)
def test_a_config_decides_about_a_path_by_this_rule(
    top: str, config: Config, path: str, expected: bool, pattern: str | None
) -> None:
    write(top, "rust/target/CACHEDIR.TAG")
    write(top, "py/env/pyvenv.cfg")
    write(top, "py/venv/pyvenv.cfg")
    decision = decide(make(top, **config), top, path or "./")
    assert decision.watched == expected, decision
    assert (decision.rule and decision.rule.pattern) == pattern, decision


def test_a_decision_says_why_in_one_sentence_with_file_and_line(top: str) -> None:
    ignore = f"{top}/.gitignore"
    chosen = make(top, include=["*.go", "a.log"], exclude=["x.go", "old/"], outputs=["app"])
    assert {path: decide(chosen, top, path) for path in ("a.go", "x.go", "app", "b.txt")} == {
        "a.go": Decision(
            True, "`*.go` in watch.include names it.", Rule("watch.include", 1, "*.go"), top
        ),
        "x.go": Decision(
            False, "`x.go` in watch.exclude leaves it out.", Rule("watch.exclude", 1, "x.go"), top
        ),
        "app": Decision(
            False, "`app` is an output of the build.", Rule("build.outputs", 1, "app"), top
        ),
        "b.txt": Decision(False, "No include pattern matches it.", None, top),
    }
    assert decide(chosen, top, "old/a/b.go") == Decision(
        False,
        f"Its directory {top}/old is left out: `old/` in watch.exclude leaves it out.",
        Rule("watch.exclude", 2, "old/"),
        top,
    )
    assert decide(chosen, top, "gen/") == Decision(
        False, f"Git ignores it: `/gen/` in {ignore}, line 3.", Rule(ignore, 3, "/gen/"), top
    )
    assert decide(chosen, top, "a.log").reason == (
        "`a.log` in watch.include names it, which is stronger than what ignores it."
    )
    assert (
        decide(make(top), top, "keep.log").reason == f"`!keep.log` in {ignore}, line 2, keeps it."
    )
    assert decide(chosen, top, "../a.go") == Decision(
        False, "It is below none of the watched roots.", None, None
    )


# Roots ------------------------------------------------------------------------------------------


def test_a_root_beats_what_ignores_it_but_not_what_ignores_things_below(top: str) -> None:
    write(top, "node_modules/lib/.gitignore", "b.js\n")
    chosen = make(top, ("gen", "node_modules/lib", "tmp/deep"))
    assert watched(chosen, top, "gen/", "gen/a.go", "gen/a.log", "gen/tmp/", "gen/.git/") == {
        "gen/": True, "gen/a.go": True, "gen/a.log": False, "gen/tmp/": False, "gen/.git/": False,
    }  # fmt: skip
    names = [f"node_modules/lib/{name}" for name in ("", "a.js", "b.js", "node_modules/")]
    assert list(watched(chosen, top, *names).values()) == [True, True, False, False]
    assert watched(chosen, top, "tmp/deep/a.go", "tmp/a.go", "./", "node_modules/") == {
        "tmp/deep/a.go": True, "tmp/a.go": False, "./": False, "node_modules/": False,
    }  # fmt: skip


def test_of_nested_roots_the_deepest_one_counts(top: str) -> None:
    chosen = make(top, ("", "node_modules/lib", "gen"))
    assert decide(chosen, top, "gen/a.go") == Decision(
        True, "It is below a watched root, and no rule leaves it out.", None, f"{top}/gen"
    )
    assert decide(chosen, top, "node_modules/lib/a.js").root == f"{top}/node_modules/lib"
    assert decide(chosen, top, "node_modules/a.js") == Decision(
        False,
        f"Its directory {top}/node_modules is left out: "
        "installed and generated files are not watched.",
        None,
        top,
    )
    assert decide(chosen, top, "main.go").root == top


def test_a_root_is_not_the_beginning_of_another_name(top: str) -> None:
    chosen = make(top, ("a",), exclude=["x"])
    assert watched(chosen, top, "a/y", "a/x", "ab", "ab/y", "ab/") == {
        "a/y": True, "a/x": False, "ab": False, "ab/y": False, "ab/": False,
    }  # fmt: skip


def test_exclude_and_outputs_speak_of_roots_too(top: str) -> None:
    chosen = make(top, ("a/b", "c", "d"), exclude=["/a/"], outputs=["c", "*/out"])
    assert watched(chosen, top, "a/b/", "a/b/x", "c/", "c/x", "d/", "d/out/", "d/x") == {
        "a/b/": False, "a/b/x": False, "c/": False, "c/x": False,
        "d/": True, "d/out/": False, "d/x": True,
    }  # fmt: skip


def test_patterns_are_relative_to_the_config_also_in_a_root_below_it(top: str) -> None:
    chosen = make(top, ("src/app",), include=["src/", "!src/app/old/*.go"], exclude=["src/*/x"])
    assert watched(chosen, top, "src/app/a", "src/app/x", "src/app/old/b.go", "src/app/b.go") == {
        "src/app/a": True, "src/app/x": False, "src/app/old/b.go": False, "src/app/b.go": True,
    }  # fmt: skip


def test_patterns_are_relative_to_a_root_outside_the_config_s_directory(top: str) -> None:
    roots = ("app", "lib", "app2")
    chosen = make(top, roots, "app", include=["/*.go", "gen/a.go"], exclude=["/x.go"])
    assert watched(chosen, top, "lib/a.go", "lib/x.go", "app/x.go", "lib/s/", "lib/gen/a.go") == {
        "lib/a.go": True, "lib/x.go": False, "app/x.go": False, "lib/s/": False,
        "lib/gen/a.go": True,
    }  # fmt: skip
    assert watched(chosen, top, "app2/a.go", "app2/x.go") == {"app2/a.go": True, "app2/x.go": False}


def test_outputs_may_lie_anywhere(top: str) -> None:
    outputs = [f"{top}/lib/out", "../lib/*.o", f"{top}/lib/deep/*/x", "../app2/"]
    chosen = make(top, ("app", "lib", "app2"), "app", outputs=outputs)
    names = ("lib/out", "lib/a.o", "lib/s/a.o", "app/a.o", "lib/deep/s/x", "lib/x", "app2/x")
    assert list(watched(chosen, top, *names).values()) == [
        *(False, False, True, True, False, True, False)
    ]


def test_a_root_may_be_a_file(top: str) -> None:
    chosen = make(top, ("a.log", "gen/api.go", "b.go~", "c.txt", "lib"), exclude=["c.txt"])
    names = ("a.log", "gen/api.go", "b.go~", "c.txt", "b.log", "gen/x.go")
    assert list(watched(chosen, top, *names).values()) == [True, True, False, False, False, False]
    assert decide(chosen, top, "gen/api.go").root == f"{top}/gen/api.go"


def test_the_whole_file_system_may_be_the_root() -> None:
    chosen = Filter(roots=["/"], base="/", exclude=["/x", "b/"], gitignore=False)
    assert chosen.explain("/a") == Decision(
        True, "It is below a watched root, and no rule leaves it out.", None, "/"
    )
    assert [chosen.wants(path) for path in ("/x", "/a/x", "/a/b/c")] == [False, True, False]
    assert [chosen.skips(path) for path in ("/", "/a", "/x", "/a/b")] == [False, False, True, True]


# Changes ----------------------------------------------------------------------------------------


def test_a_changed_ignore_file_counts_after_a_reload(top: str) -> None:
    chosen = make(top)
    assert watched(chosen, top, "a.log", "a.new") == {"a.log": False, "a.new": True}
    path = write(top, ".gitignore", "*.new\n")
    assert chosen.is_ignore_file(path)
    chosen.reload()
    assert watched(chosen, top, "a.log", "a.new") == {"a.log": True, "a.new": False}


def test_a_directory_that_is_marked_as_generated_later_is_skipped_after_a_reload(top: str) -> None:
    write(top, "target/debug/app")
    chosen = make(top)
    assert watched(chosen, top, "target/") == {"target/": True}
    assert chosen.is_ignore_file(write(top, "target/CACHEDIR.TAG"))
    chosen.reload()
    assert watched(chosen, top, "target/") == {"target/": False}


def test_files_that_rules_come_from_are_known(top: str) -> None:
    chosen = make(top)
    chosen.wants(f"{top}/a")
    yes = [".gitignore", "a/.gitignore", ".git/info/exclude", "a/venv/pyvenv.cfg"]
    no = ["main.go", "CACHEDIR.TAG", "a/pyvenv.cfg", "exclude"]
    assert [path for path in yes + no if chosen.is_ignore_file(f"{top}/{path}")] == yes
    assert not make(top, gitignore=False).is_ignore_file(f"{top}/.gitignore")


def test_an_ignored_directory_is_not_read(top: str) -> None:
    os.mkfifo(write(top, "gen/.gitignore") + "2")
    write(top, "gen/.gitignore", "!*\n")
    assert watched(make(top), top, "gen/a.go") == {"gen/a.go": False}


def test_what_holds_for_directories_of_no_account_is_not_said_of_one_that_a_rule_names(
    top: str,
) -> None:
    write(top, "mod3/.gitignore", "/sub/out/\n*.tmp\n")
    write(top, "mod4/venv/pyvenv.cfg")
    write(top, "mod6/.git/HEAD", "ref: refs/heads/main\n")
    chosen = make(
        top, exclude=["mod1/sub/", "*.gen", "*_gen"], outputs=["mod5/sub/app", "mod7/*.bin"]
    )
    for number in range(10):
        assert not chosen.skips(f"{top}/mod{number}")
        assert chosen.skips(f"{top}/mod{number}/sub") == (number == 1)
        assert chosen.wants(f"{top}/mod{number}/sub/a.go") == (number != 1)
    out = [
        "mod0/x.gen/",
        "mod0/x.gen",
        "mod0/x_gen/",
        "mod0/x_gen",
        "mod3/sub/out/",
        "mod3/x.tmp",
        "mod3/sub/x.tmp",
    ]
    out += ["mod4/venv/", "mod5/sub/app", "mod7/x.bin", "mod8/tmp/", "mod8/x.log", "mod8/a.go~"]
    out += ["mod8/node_modules/", "mod8/.hotrun/", "mod8/.git", "mod8/4913"]
    kept = ["mod2/sub/out/", "mod2/x.tmp", "mod4/target/", "mod0/sub/app", "mod7/sub/x.bin"]
    kept += ["mod6/x.log", "mod6/tmp/", "mod8/keep.log", "mod9/caf\udce9/", "mod9/caf\udce9.go"]
    answers = watched(chosen, top, *out, *kept)
    assert answers == dict.fromkeys(out, False) | dict.fromkeys(kept, True)


def test_an_ignore_file_that_comes_before_its_directory_is_listed_counts(top: str) -> None:
    chosen = make(top)
    assert not chosen.skips(f"{top}/a")
    write(top, "a/.gitignore", "x.go\n")
    assert not chosen.wants(f"{top}/a/x.go")


# Random trees -----------------------------------------------------------------------------------

NAMES = ["a", "b", "ab", "src", "gen", "x.go", "y.log", "keep.log", "node_modules", ".git", "out"]
NAMES += ["a.go~", ".env", "target", "caf\udce9", "tmp"]
GLOBS = ["a", "/a", "a/", "*.go", "*.log", "!*.log", "src/", "/src/*", "gen/**", "!gen/b", "**/b"]
GLOBS += [
    "a/b/**",
    "!a",
    "!/src/",
    "src/*/x.go",
    "!*.go",
    "node_modules/a/**",
    "/*",
    "!/ab",
    ".env",
]


def random_paths(chance: random.Random) -> list[str]:
    return ["/".join(chance.choices(NAMES, k=chance.randint(1, 5))) for _ in range(60)]


def random_globs(chance: random.Random, least: int = 0) -> list[str]:
    return chance.choices(GLOBS, k=chance.randint(least, 4))


def random_config(chance: random.Random) -> Config:
    include, exclude, outputs = (random_globs(chance) for _ in range(3))
    return {"include": include, "exclude": exclude, "outputs": outputs}


def random_rounds() -> Iterator[tuple[str, random.Random]]:
    for number in range(ROUNDS):
        yield f"seed {SEED}-{number}", random.Random(f"{SEED}-{number}")


def above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) + "/" for count in range(1, len(parts))]


def test_nothing_below_a_skipped_directory_is_wanted_and_all_three_agree(top: str) -> None:
    for seed, chance in random_rounds():
        config = random_config(chance)
        chosen = make(top, **config)
        for path in random_paths(chance):
            if decide(chosen, top, path).watched:
                assert all(watched(chosen, top, *above(path)).values()), (seed, config, path)
            skipped = [not decide(chosen, top, directory).watched for directory in above(path)]
            assert skipped == sorted(skipped), (seed, config, path)


def test_the_order_of_questions_changes_no_answer(top: str) -> None:
    for seed, chance in random_rounds():
        config = random_config(chance)
        paths, chosen = random_paths(chance)[:20], make(top, ("", "a", "gen/a"), **config)
        together = watched(chosen, top, *paths)
        alone = {p: make(top, ("", "a", "gen/a"), **config).wants(f"{top}/{p}") for p in paths}
        assert together == alone, (seed, config)


def test_skipping_what_no_include_can_match_loses_no_file(top: str) -> None:
    for seed, chance in random_rounds():
        include, paths = random_globs(chance, least=1), random_paths(chance)
        pruned = watched(make(top, include=include), top, *paths)
        # A name at any level, last in the list: no directory can be skipped for `include`.
        whole = watched(make(top, include=[*include, "no-such-name"]), top, *paths)
        assert pruned == whole, (seed, include)


def test_exclude_leaves_out_what_the_same_lines_in_an_ignore_file_would(tmp_path: Path) -> None:
    for number, (seed, chance) in enumerate(random_rounds()):
        top, lines = str(tmp_path / str(number)), random_globs(chance, least=1)
        write(top, ".gitignore", "\n".join(lines))
        chosen, ignore = make(top, exclude=lines, gitignore=False), GitIgnore(top)
        plain = make(top, gitignore=False)
        for path in random_paths(chance):
            rule = ignore.match(f"{top}/{path}", is_dir=False)
            kept = rule is None or rule.negated
            expected = kept and plain.wants(f"{top}/{path}")
            assert decide(chosen, top, path).watched == expected, (seed, lines, path)


def test_a_rule_that_names_a_file_is_called_by_its_key(top: str) -> None:
    chosen = make(
        top, include=["*.go"], rules=[("rule[1].match", ["a"]), ("rule[2].match", ["x", "*.c"])]
    )
    assert decide(chosen, top, "b.c") == Decision(
        True, "`*.c` in rule[2].match names it.", Rule("rule[2].match", 2, "*.c"), top
    )
