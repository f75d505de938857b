"""Triage: what follows from the files that changed."""

from __future__ import annotations

import signal
from textwrap import dedent

import pytest

from hotrun import facts
from hotrun.config import load_text
from hotrun.triage import Outcome, Triage

HERE = "/work/site"
RULES = """
    [run]
    command = "./app"
    env_files = [".env", "../shared.env"]

    [[rule]]
    match = ["*.templ"]
    action = "command"
    command = "templ generate {files}"

    [[rule]]
    match = ["*.scss"]
    action = "command"
    command = ["sass", "{files}"]

    [[rule]]
    match = ["static/", "*.tmpl", "!keep.tmpl"]
    action = "restart"

    [[rule]]
    match = ["*.conf"]
    action = "signal"
    signal = "HUP"

    [[rule]]
    match = ["log.conf"]
    action = "signal"
    signal = "USR1"

    [[rule]]
    match = ["*.css"]
    action = "reload"

    [[rule]]
    match = ["*.md"]
    action = "ignore"

    [[rule]]
    match = ["guide.md"]
    action = "build"
"""
TEMPL = "templ generate {files}"


def sort(*names: str, inputs: tuple[str, ...] = (), text: str = RULES) -> Outcome:
    config = load_text(dedent(text), HERE)
    paths = [config.resolve(name) for name in names]
    return Triage(config, [HERE]).sort(paths, {config.resolve(name) for name in inputs})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("page.templ", facts.FilesChanged((), steps=(facts.Step(0, TEMPL, "page.templ"),))),
        (
            "a/b.scss",
            facts.FilesChanged((), steps=(facts.Step(1, ("sass", "{files}"), "a/b.scss"),)),
        ),
        ("static/logo.png", facts.FilesChanged((), restart=True)),
        ("a/page.tmpl", facts.FilesChanged((), restart=True)),
        ("app.conf", facts.FilesChanged((), signals=(signal.SIGHUP,))),
        ("log.conf", facts.FilesChanged((), signals=(signal.SIGUSR1,))),
        ("a.css", facts.FilesChanged(())),
        ("a.md", facts.FilesChanged(())),
        ("guide.md", facts.FilesChanged(("guide.md",))),
        (".env", facts.FilesChanged((), restart=True)),
        ("../shared.env", facts.FilesChanged((), restart=True)),
        ("main.go", facts.FilesChanged(())),
    ],
)
def test_each_action_leads_to_its_own(name: str, expected: facts.FilesChanged) -> None:
    assert sort(name).fact == expected


def test_a_file_of_no_rule_is_built_when_the_build_reads_it() -> None:
    outcome = sort("main.go", "main_test.go", inputs=("main.go",))
    assert outcome.fact == facts.FilesChanged(("main.go",))
    assert (outcome.counted, outcome.ignored) == (["main.go"], ["main_test.go"])


def test_a_file_that_a_rule_takes_back_is_of_no_rule() -> None:
    assert sort("keep.tmpl", inputs=("keep.tmpl",)).fact == facts.FilesChanged(("keep.tmpl",))


def test_a_rule_speaks_for_a_file_whether_or_not_the_build_reads_it() -> None:
    assert sort("page.templ", inputs=("page.templ",)).fact.paths == ()
    assert sort("guide.md").fact.paths == ("guide.md",)


def test_a_rule_speaks_for_an_env_file() -> None:
    text = RULES + '\n    [[rule]]\n    match = [".env"]\n    action = "build"\n'
    assert sort(".env", text=text).fact == facts.FilesChanged((".env",))


def test_an_env_file_is_read_at_the_start_also_when_the_build_reads_it() -> None:
    assert sort(".env", inputs=(".env",)).fact == facts.FilesChanged((), restart=True)


def test_without_rules_and_without_an_app_only_inputs_count() -> None:
    outcome = sort("a", ".env", inputs=("a",), text='build.command = "make"')
    assert outcome.fact == facts.FilesChanged(("a",))
    assert outcome.ignored == [".env"]


def test_a_change_of_many_files_is_one_fact() -> None:
    names = ("log.conf", "a.conf", "b.conf", "static/a", "y.templ", "x.templ", "main.go", "a.md")
    outcome = sort(*names, inputs=("main.go",))
    steps = (facts.Step(0, TEMPL, "y.templ"), facts.Step(0, TEMPL, "x.templ"))
    signals = (signal.SIGHUP, signal.SIGUSR1)
    assert outcome.fact == facts.FilesChanged(
        ("main.go",), restart=True, steps=steps, signals=signals
    )
    assert outcome.counted == list(names[:-1])


def test_what_a_rule_ignores_is_not_said_to_be_ignored() -> None:
    outcome = sort("a.md", "a.css", "other.txt")
    assert (outcome.counted, outcome.ignored) == ([], ["other.txt"])


def test_nothing_follows_from_nothing() -> None:
    assert sort().fact == facts.FilesChanged(())
