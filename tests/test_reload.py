"""What another config asks for, key by key."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from hotrun.config import Config, load_text
from hotrun.config.keys import KEYS
from hotrun.errors import ConfigError, ConfigErrors
from hotrun.project.plan import Plan, plan
from hotrun.reload import difference, problems_of, read_again, watched

BASE = """
[build]
command = "make"
[run]
command = "./app"
"""
# What each key leads to, and a value that is not its default.
LEADS = {
    "watch.paths": ("rewatch", '["src"]'),
    "watch.include": ("rewatch", '["*.go"]'),
    "watch.exclude": ("rewatch", '["*.go"]'),
    "watch.gitignore": ("rewatch", "false"),
    "watch.backend": ("rewatch", '"poll"'),
    "watch.poll_interval": ("rewatch", '"3 s"'),
    "watch.debounce": ("", '"70 ms"'),
    "watch.max_wait": ("", '"9 s"'),
    "watch.follow_symlinks": ("rewatch", "true"),
    "watch.unchanged": ("rewatch", '"build"'),
    "build.command": ("build", '"make all"'),
    "build.env": ("build", '{ A = "1" }'),
    "build.outputs": ("rewatch", '["out/"]'),
    "build.inputs": ("build", '"globs"'),
    "build.on_error": ("", '"stop"'),
    "build.on_busy": ("", '"finish"'),
    "build.timeout": ("", '"5 s"'),
    "run.command": ("restart", '"./other"'),
    "run.args": ("restart", '["-v"]'),
    "run.env": ("restart", '{ A = "1" }'),
    "run.env_files": ("restart rewatch", '[".env"]'),
    "run.working_directory": ("restart", '"src"'),
    "run.stop_signal": ("", '"SIGINT"'),
    "run.stop_timeout": ("", '"9 s"'),
    "run.on_hang": ("restart", '"dump"'),
    "run.stdin": ("restart", '"terminal"'),
    "run.listen": ("restart", '["127.0.0.1:8080"]'),
    "run.ready": ("restart", '{ tcp = "127.0.0.1:8080" }'),
    "run.on_exit": ("", '"restart"'),
    "run.before": ("restart", '["true"]'),
    "run.after": ("", '["true"]'),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    return tmp_path


def read(project: Path, text: str = BASE, *sets: str) -> tuple[Config, Plan]:
    config = load_text(text, str(project), sets)
    return config, plan(config)


def leads_to(old: tuple[Config, Plan], new: tuple[Config, Plan]) -> tuple[tuple[str, ...], str]:
    found = difference(old[0], new[0])
    words = {
        "build": found.builds,
        "restart": found.restarts,
        "rewatch": watched(*old) != watched(*new),
    }
    return found.keys, " ".join(word for word, it in words.items() if it)


@pytest.mark.parametrize("key", LEADS)
def test_each_key_leads_to_what_it_is_for(project: Path, key: str) -> None:
    what, value = LEADS[key]
    new = read(project, BASE, f"{key}={value}")
    for pair in ((read(project), new), (new, read(project))):
        assert leads_to(*pair) == ((key,), what)


def test_no_key_is_left_out_here() -> None:
    config = load_text(BASE, "/")
    tables = {"watch": config.watch, "build": config.build, "run": config.run}
    named = {
        f"{table}.{field.name}"
        for table, its in tables.items()
        if its is not None
        for field in fields(its)
    }
    assert named == set(LEADS)
    # The tables of the schema are these, those within them, and the rules.
    schema = {".".join(f"{key.table}.{key.name}".split(".")[:2]) for key in KEYS}
    assert {key for key in schema if not key.startswith("rule.")} == set(LEADS)


def test_the_same_config_leads_to_nothing(project: Path) -> None:
    assert leads_to(read(project), read(project, f"# a comment\n{BASE}")) == ((), "")


@pytest.mark.parametrize(("table", "what"), [("build", "build"), ("run", "restart")])
def test_a_table_that_comes_or_goes_is_one_difference(project: Path, table: str, what: str) -> None:
    tables = {name: f"{name}.command = '{name}'\n" for name in ("build", "run")}
    both, one = "".join(tables.values()), "".join(tables[name] for name in tables if name != table)
    for pair in ((both, one), (one, both)):
        keys, leads = leads_to(read(project, pair[0]), read(project, pair[1]))
        assert keys == (table,)
        assert what in leads.split()


RULE = '[[rule]]\nmatch = ["*.md"]\naction = "ignore"\n'


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("", RULE, ""),
        (RULE, RULE.replace("md", "txt"), ""),
        (RULE, RULE.replace("ignore", "build"), ""),
        (RULE, RULE + RULE.replace("md", "txt"), ""),
        ("", RULE.replace("*.md", "gen/**"), "rewatch"),  # opens what git ignores
        ("[watch]\ninclude = ['*.go']", "[watch]\ninclude = ['*.go']\n" + RULE, "rewatch"),
    ],
    ids=["comes", "other files", "other action", "one more", "opens", "widens include"],
)
def test_the_rules_are_one_difference(project: Path, before: str, after: str, what: str) -> None:
    old, new = read(project, BASE + before), read(project, BASE + after)
    assert leads_to(old, new) == (("rule",), what)
    assert leads_to(new, old) == (("rule",), what)


def test_a_rule_that_only_stands_in_another_line_is_the_same(project: Path) -> None:
    assert leads_to(read(project, BASE + RULE), read(project, f"{BASE}\n\n{RULE}")) == ((), "")


def test_differences_are_named_in_the_order_of_the_config(project: Path) -> None:
    sets = ("run.args=['x']", "watch.debounce='9 s'", "build.timeout='1 s'", "run.env={A='1'}")
    found = leads_to(read(project), read(project, BASE + RULE, *sets))
    keys = ("watch.debounce", "build.timeout", "run.args", "run.env", "rule")
    assert found == (keys, "restart")


# What cannot be had while we run.


def refused(old: tuple[Config, Plan], new: tuple[Config, Plan], sockets: int = 0) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read_again(lambda: new, old[0], sockets)
    return caught.value


def test_more_sockets_than_were_reserved_are_refused(project: Path) -> None:
    new = read(project, BASE, "run.listen=['127.0.0.1:1', '127.0.0.1:2']")
    error = refused(read(project), new, 1)
    assert error.message == "run.listen names more addresses than at the start of hotrun"
    assert error.hint == ("start hotrun again: it reserves their descriptors before anything else")
    assert read_again(lambda: new, read(project)[0], 2) == new


def test_another_stdin_is_refused(project: Path) -> None:
    error = refused(read(project), read(project, BASE, "run.stdin='terminal'"))
    assert error.message == "run.stdin changed"
    assert error.hint == "start hotrun again: the keys are set up at its start"


def test_an_app_that_comes_has_no_stdin_and_one_that_goes_needs_none(project: Path) -> None:
    none = read(project, "build.command = 'make'")
    with_stdin = read(project, BASE, "run.stdin='terminal'")
    assert read_again(lambda: none, with_stdin[0], 0) == none
    assert read_again(lambda: read(project), none[0], 0) == read(project)
    assert refused(none, with_stdin).message == "run.stdin changed"


def test_an_app_is_not_stopped_for_a_program_that_cannot_be_executed(project: Path) -> None:
    (project / "nox").write_text("#!/bin/sh\n")
    old = read(project, "run.command = 'true'")
    for command, words in (
        ("./nox", ("./nox is not executable", "chmod +x ./nox")),
        ("./src", ("./src is a directory", "name a program in it")),
        ("no-such", ("no-such: command not found", "install it, or correct its name")),
    ):
        error = refused(old, read(project, f"run.command = '{command}'"))
        message, hint = words
        assert error.message == f"run.command: {message}"
        assert error.hint == f"{hint}: what runs is left alone"


def test_all_that_is_wrong_is_told_and_that_the_old_one_stays(project: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        read(project, "[build]\ncommnd = 'make'\ntimeout = 'x'\n")
    *found, stays = problems_of(caught.value)
    assert len(found) == len(caught.value.problems) > 1
    assert [(one.message, one.hint, one.file, one.line) for one in found] == [
        (f"{one.place}: {one.message}", one.hint, one.file, one.line)
        for one in caught.value.problems
    ]
    assert [one.excerpt for one in found] == [one.excerpt for one in caught.value.problems]
    assert stays.message == "the config before this change still counts"
    assert stays.hint == "mend the file and save it: it is read again"
    assert stays.severity == "warning"


def test_one_that_does_not_fit_the_disk_is_told_and_that_the_old_one_stays() -> None:
    first, stays = problems_of(ConfigError("it is a file", "watch its directory"))
    assert (first.message, first.hint) == ("it is a file", "watch its directory")
    assert (stays.severity, stays.hint) == ("warning", "")
    _, stays = problems_of(ConfigError("it is a file", ""))
    assert stays.hint == "mend the file and save it: it is read again"
