"""`hotrun explain`: what it says of a path, in text and as JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from oracle import empty_home, put

from hotrun.cli import main
from hotrun.cli.options import load_project
from hotrun.config import load
from hotrun.project.explain import Explainer
from hotrun.project.plan import plan
from hotrun.watch import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable

    Explain = Callable[..., str]

CONFIG = """\
[watch]
include = [
  "*.go",
  "gen/**",
  "!gen/x.go",
]
exclude = ["*_test.go"]

[build]
command = "make -j"
outputs = ["dist/", "*.o"]

[run]
command = "./app"
env_files = [".env", "../shared.env"]

[[rule]]
match = ["static/**", "!static/no"]
action = "restart"

[[rule]]
match = [
  "*.tmpl",
  "*.templ",
]
action = "command"
command = "templ generate {files}"

[[rule]]
match = ["*.hup"]
action = "signal"
signal = "SIGHUP"

[[rule]]
match = ["gen/doc.go"]
action = "ignore"

[[rule]]
match = ["web/**"]
action = "reload"

[profile.py]
watch.include = ["*.py"]

[[profile.py.rule]]
match = ["*.x", "*.y"]
action = "build"
"""


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A project, and we are in it."""
    empty_home(tmp_path, monkeypatch)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    place = tmp_path / "project"
    put(str(place), "hotrun.toml", CONFIG)
    put(str(place), ".gitignore", "*.log\n/static/\n")
    monkeypatch.chdir(place)
    return str(place)


@pytest.fixture
def explain(top: str, capsys: pytest.CaptureFixture[str]) -> Explain:
    """Run the command; return what it prints."""
    del top

    def run(*words: str, code: int = 0) -> str:
        assert main(["explain", *words]) == code
        out, err = capsys.readouterr()
        return err if code else out

    return run


def test_a_watched_file_has_its_pattern_its_effect_and_its_root(explain: Explain) -> None:
    assert explain("main.go") == (
        "main.go: watched, if it were there\n"
        "  why     `*.go` in watch.include names it (hotrun.toml:3)\n"
        "  change  builds, then replaces the app\n"
        "  root    . (inotify: the kernel tells of changes)\n"
    )


def test_several_paths_stand_apart(explain: Explain) -> None:
    assert explain("a_test.go", "x.log") == (
        "a_test.go: not watched, if it were there\n"
        "  why     `*_test.go` in watch.exclude leaves it out (hotrun.toml:7)\n"
        "\n"
        "x.log: not watched, if it were there\n"
        "  why     No include pattern matches it\n"
    )


def test_an_empty_path_names_nothing(explain: Explain) -> None:
    """`hotrun explain "$FILE"`, and FILE is not set."""
    said = "error: an empty path names nothing\nhint: is it a variable that is not set?\n"
    assert explain("main.go", "", code=2) == said


def test_a_long_sentence_goes_on_below_its_beginning(explain: Explain) -> None:
    assert explain("static/a.css") == (
        "static/a.css: watched, if it were there\n"
        "  why     `static/**` in rule[1].match names it, which is stronger than what\n"
        "          ignores it, and says what a change does (hotrun.toml:18)\n"
        "  change  restarts the app without a build\n"
        "  root    . (inotify: the kernel tells of changes)\n"
    )


# One row: a path, whether it is watched, the line of the config, the action, what it does.
ROWS = [
    ("main.go", True, 3, "build", "builds, then replaces the app"),
    ("gen/a.tmpl", True, 23, "command", "runs `templ generate {files}`"),
    ("a.templ", True, 24, "command", "runs `templ generate {files}`"),
    ("a.hup", True, 30, "signal", "sends the app SIGHUP"),
    ("gen/doc.go", True, 35, "ignore", "does nothing: rule 4 says so"),
    ("web/a.js", True, 39, "reload", "does nothing yet: reloading the browser comes later"),
    ("gen/x.go", False, 5, "nothing", "does nothing"),
    ("static/no", False, None, "nothing", "does nothing"),
    ("a_test.go", False, 7, "nothing", "does nothing"),
    ("dist/app", False, 11, "nothing", "does nothing"),
    ("a.o", False, 11, "nothing", "does nothing"),
    ("README.md", False, None, "nothing", "does nothing"),
    (".env", True, 15, "restart", "restarts the app without a build"),
    ("../shared.env", True, 15, "restart", "restarts the app without a build"),
    ("hotrun.toml", True, None, "config", "has hotrun read the config again"),
    (".gitignore", False, None, "nothing", "has its ignore rules read again"),
    ("/etc/passwd", False, None, "nothing", "does nothing"),
]


@pytest.mark.parametrize(("path", "watched", "line", "action", "effect"), ROWS)
def test_a_path_is_explained(
    top: str, path: str, *, watched: bool, line: int | None, action: str, effect: str
) -> None:
    found = explainer(top).explain(path)
    place = None if line is None else ("hotrun.toml", line)
    assert (found.watched, found.action, found.effect) == (watched, action, effect)
    assert (found.rule and found.rule[:2]) == place


def explainer(top: str, *sets: str, profile: str = "") -> Explainer:
    config = load(None, top, sets, profile)
    return Explainer(config, plan(config))


def test_json_is_one_object_a_path(explain: Explain) -> None:
    lines = [json.loads(line) for line in explain("--json", "main.go", "a.o").splitlines()]
    assert lines == [
        {
            "path": "main.go",
            "watched": True,
            "reason": "`*.go` in watch.include names it.",
            "rule": {"file": "hotrun.toml", "line": 3, "pattern": "*.go"},
            "root": ".",
            "native": True,
            "action": "build",
        },
        {
            "path": "a.o",
            "watched": False,
            "reason": "`*.o` is an output of the build.",
            "rule": {"file": "hotrun.toml", "line": 11, "pattern": "*.o"},
            "root": ".",
            "native": False,
            "action": "nothing",
        },
    ]


def test_a_profile_has_lines_of_its_own(explain: Explain) -> None:
    rules = [one(explain, path, "--profile", "py")["rule"] for path in ("a.py", "a.y", "a.tmpl")]
    assert rules == [
        {"file": "hotrun.toml", "line": 43, "pattern": "*.py"},
        {"file": "hotrun.toml", "line": 46, "pattern": "*.y"},
        {"file": "hotrun.toml", "line": 23, "pattern": "*.tmpl"},
    ]


def one(explain: Explain, path: str, *words: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(explain("--json", *words, path))
    return answer


def test_an_option_has_no_line(explain: Explain) -> None:
    answer = one(explain, "a.c", "--set", 'watch.include=["*.c"]')
    assert answer["rule"] == {"file": "--set", "line": None, "pattern": "*.c"}
    text = explain("--set", 'watch.include=["*.c"]', "a.c")
    assert "`*.c` in watch.include names it (--set)\n" in text


def test_an_ignore_file_is_named_with_its_line_once(explain: Explain) -> None:
    assert explain("--set", "watch.include=[]", "sub/x.log") == (
        "sub/x.log: not watched, if it were there\n"
        "  why     Git ignores it: `*.log` in .gitignore, line 1\n"
    )
    answer = one(explain, "sub/x.log", "--set", "watch.include=[]")
    assert answer["rule"] == {"file": ".gitignore", "line": 1, "pattern": "*.log"}


def test_a_rule_that_fits_what_is_not_watched_is_named(explain: Explain) -> None:
    assert explain("--set", 'watch.exclude=["a.*"]', "a.templ") == (
        "a.templ: not watched, if it were there\n"
        "  why     `a.*` in watch.exclude leaves it out (--set)\n"
        "  change  does nothing, although `*.templ` in rule[2].match fits it\n"
    )


def test_what_the_build_is_seen_to_make_is_named_with_its_command(top: str) -> None:
    found = explainer(top, 'build.command="gcc -o bin/app main.c"').explain("bin/app")
    assert found.reason == "`bin/app` is an output of the build."
    assert found.rule == ("--set", None, "bin/app")
    put(top, "hotrun.toml", '[build]\ncommand = "gcc -o app main.c"\n')
    assert explainer(top).explain("app").rule == ("hotrun.toml", 2, "app")


def test_without_a_build_a_change_restarts(top: str) -> None:
    put(top, "hotrun.toml", '[run]\ncommand = "python3 app.py"\n')
    found = explainer(top).explain("app.py")
    assert (found.action, found.effect) == ("restart", "restarts the app")


def test_without_an_app_a_change_builds_and_a_restart_is_nothing(top: str) -> None:
    text = '[build]\ncommand = "make"\n[[rule]]\nmatch = ["*.css"]\naction = "restart"\n'
    put(top, "hotrun.toml", text)
    assert explainer(top).explain("a.c").effect == "builds"
    found = explainer(top).explain("a.css")
    assert (found.action, found.effect) == ("restart", "does nothing: there is no app")
    assert found.reason == (
        "It is below a watched root, and no rule leaves it out; "
        "`*.css` in rule[1].match says what a change does."
    )


def test_a_directory_is_opened_and_its_files_count(top: str) -> None:
    os.mkdir("gen")
    found = explainer(top).explain("gen")
    assert (found.watched, found.action, found.effect) == (
        True,
        "nothing",
        "of a file in it counts",
    )
    assert not explainer(top).explain("dist/").watched
    assert explainer(top).explain("no/such/").effect == "of a file in it counts"


def test_a_path_with_dots_or_absolute_is_the_same_path(top: str) -> None:
    for path in ("gen/../main.go", f"{top}/main.go", "./main.go"):
        found = explainer(top).explain(path)
        assert (found.path, found.watched, found.root) == (path, True, ".")


def test_a_file_behind_a_link_is_known_by_its_own_name(top: str) -> None:
    put(top, "gen/a.go")
    os.symlink("gen", "link")
    found = explainer(top).explain("link/a.go")
    assert found.watched
    assert (
        found.reason == "It is gen/a.go behind a symbolic link: `gen/**` in watch.include names it."
    )
    assert not explainer(top).explain("link/x.go").watched


def test_a_link_that_leads_out_is_not_followed_unless_it_is_asked_for(
    top: str, tmp_path: Path
) -> None:
    put(str(tmp_path), "other/a.go")
    os.symlink("../other", "link")
    found = explainer(top).explain("link/a.go")
    assert (found.watched, found.reason) == (
        False,
        "It is behind the symbolic link link, and links are not followed.",
    )
    assert explainer(top, "watch.follow_symlinks=true").explain("link/a.go").watched
    found = explainer(top, "watch.follow_symlinks=true").explain("../other/a.go")
    assert (found.watched, found.reason) == (
        True,
        "Its directory is watched as link: `*.go` in watch.include names it.",
    )


def test_who_came_to_the_project_by_a_link_is_told_the_same(top: str, tmp_path: Path) -> None:
    os.symlink(top, tmp_path / "way")
    assert explainer(top).explain(str(tmp_path / "way/main.go")).watched


def test_a_pipe_is_never_watched(top: str) -> None:
    os.mkfifo("pipe.go")
    found = explainer(top).explain("pipe.go")
    assert (found.watched, found.reason) == (
        False,
        "It is neither a file nor a link, and such things have no content to compare.",
    )


def test_a_root_outside_is_named_as_one_would(top: str, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    found = explainer(top, 'watch.paths=[".", "../lib"]').explain("../lib/a.go")
    assert (found.watched, found.root) == (True, str(tmp_path / "lib"))


def test_polling_is_said(explain: Explain) -> None:
    text = explain("--set", "watch.backend=poll", "main.go")
    assert text.endswith('  root    . (polled: watch.backend = "poll")\n')
    assert one(explain, "main.go", "--set", "watch.backend=poll")["native"] is False


def test_native_is_what_a_watcher_says(top: str) -> None:
    for backend in ("auto", "native", "poll"):
        with Watcher(backend) as watcher:
            watcher.add(top)
            found = explainer(top, f"watch.backend={backend}").explain("main.go")
            assert found.native == watcher.is_native(f"{top}/main.go")


def test_a_file_that_go_does_not_read_triggers_nothing(explain: Explain, top: str) -> None:
    put(top, "hotrun.toml", '[build]\ncommand = "go build -o app ."\n')
    put(top, "go.mod", "module ex\ngo 1.21\n")
    put(top, "main.go", "package main\nfunc main() {}\n")
    put(top, "main_test.go", "package main\n")
    assert explain("main_test.go") == (
        "main_test.go: watched\n"
        "  why     It is below a watched root, and no rule leaves it out\n"
        "  input   It is no input of the build: a test is no part of the program\n"
        "  change  does nothing\n"
        "  root    . (inotify: the kernel tells of changes)\n"
    )
    answer = one(explain, "main.go")
    assert (answer["action"], answer["reason"].partition("; ")[2]) == (
        "build",
        "it is an input of the build: the package graph of the program names it.",
    )


@pytest.mark.parametrize("file", ["pyproject.toml", ""])
def test_a_hotrun_toml_that_is_still_to_come_is_waited_for(tmp_path: Path, file: str) -> None:
    put(str(tmp_path), "main.py")
    put(str(tmp_path), "pyproject.toml", '[tool.hotrun.run]\ncommand = "x"\n' if file else "")
    config = load_project(None, str(tmp_path), ()).config
    found = Explainer(config, plan(config)).explain(f"{tmp_path}/hotrun.toml")
    assert (found.watched, found.action, found.reason) == (
        True, "config", "It is the config file as soon as it is there.",
    )  # fmt: skip


def test_an_input_that_no_root_covers_is_told_with_the_line_that_covers_it(
    explain: Explain, top: str
) -> None:
    put(top, "hotrun.toml", "[build]\ncommand = 'go build -o app .'\nenv = { GOFLAGS = '' }\n")
    put(top, "go.mod", "module m\n\nrequire rep v0.0.0\n\nreplace rep => ../rep\n")
    put(top, "main.go", 'package main\n\nimport _ "rep/r"\n\nfunc main() {}\n')
    put(top, "../rep/go.mod", "module rep\n")
    put(top, "../rep/r/r.go", "package r\n")
    covers = 'It is below none of the watched roots: in [watch], paths = [".", "../rep"] would'
    found = json.loads(explain("--json", "../rep/r/r.go"))
    assert not found["watched"]
    assert found["reason"] == (
        f"{covers} have it watched; it is an input of the build: "
        "the package graph of the program names it."
    )
    assert json.loads(explain("--json", "../rep/"))["reason"] == f"{covers} have it watched."
    beside = json.loads(explain("--json", "../other.go"))["reason"]
    assert beside == "It is below none of the watched roots."


def test_where_nobody_can_tell_the_inputs_everything_counts_and_one_line_says_so(
    top: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(top, "hotrun.toml", '[build]\ncommand = "make"\ninputs = { command = "no-such-tool" }\n')
    assert main(["explain", "main.c"]) == 0
    out, err = capsys.readouterr()
    assert "  change  builds\n" in out
    assert err == (
        "warning: no-such-tool: command not found\nhint: install no-such-tool, or put it on PATH\n"
    )


def test_a_bad_config_is_told_and_the_code_is_2(explain: Explain, top: str) -> None:
    put(top, "hotrun.toml", "[watch]\nincludes = []\n")
    said = explain("main.go", code=2)
    assert said.startswith("error: hotrun.toml:2:1: ")
    assert 'did you mean "include"?' in said


def test_no_path_is_a_mistake_of_code_2(explain: Explain) -> None:
    assert explain(code=2).startswith("error: ")


def test_colours_are_for_those_who_ask(explain: Explain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert explain("--color", "always", "main.go").startswith(
        "\x1b[1mmain.go\x1b[0m: \x1b[32mwatched\x1b[0m, if it were there\n"
        "  \x1b[2mwhy\x1b[0m     `*.go`"
    )
    assert "\x1b" not in explain("main.go")


def test_a_name_that_steers_the_terminal_is_escaped(explain: Explain) -> None:
    text = explain("a\x1b[2J.go")
    assert text.startswith("a\\x1b[2J.go: watched, if it were there\n")


def test_a_directory_with_the_name_of_an_env_file_is_a_directory(top: str) -> None:
    os.mkdir(".env")
    assert explainer(top).explain(".env").effect == "of a file in it counts"


def test_why_a_file_is_watched_is_one_line_for_the_report(top: str) -> None:
    because = explainer(top).because
    assert because("main.go") == "`*.go` in watch.include names it (hotrun.toml:3)"
    assert because(".env").startswith("It is one of run.env_files")
    assert because("hotrun.toml") == "It is the config file"


def test_a_typo_is_told_from_an_answer(explain: Explain, top: str) -> None:
    put(top, "handlers.go")
    assert explain("handler.go").startswith(
        'handler.go: watched, if it were there; did you mean "handlers.go"?\n'
    )
    assert explain("handlers.go").startswith("handlers.go: watched\n")
