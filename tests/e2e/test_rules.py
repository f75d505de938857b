"""A rule says what a change of its files does, and the files come to its command as they are."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
from live import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from live import Live, Project

    Run = Callable[..., Live]

# Writes down what it was given; fails as long as there is a file called "fail".
NOTES = """
import json, os, sys
with open(os.environ["HOTRUN_CHANGES"]) as file:
    changes = json.load(file)
with open(sys.argv[1], "a") as file:
    file.write(json.dumps({"words": sys.argv[2:], "changes": changes}) + "\\n")
sys.exit(os.path.exists("fail"))
"""
# Says when it was started, and when it hears a signal.
APP = """
import signal
signal.signal(signal.SIGHUP, lambda *_: print("heard", flush=True))
print("up", flush=True)
while True:
    signal.pause()
"""
ODD = ["a b.md", "'q'.md", '"q".md', "new\nline.md", "-rf.md", "ü€.md", "$HOME `x`.md", "*[a].md"]
UNDECODABLE = os.fsdecode(b"\xff.md")


def rule(match: str, action: str, **more: object) -> str:
    table = {"match": [match], "action": action, **more}
    return "\n".join(["[[rule]]", *(f"{key} = {json.dumps(table[key])}" for key in table), ""])


class Notes:
    """The command of a rule that writes down what it was given, and what it has written."""

    def __init__(self, project: Project) -> None:
        self._file = project.out / "notes"
        program = project.write("notes.py", NOTES)
        self.argv = [sys.executable, "-SE", str(program), str(self._file)]

    @property
    def line(self) -> str:
        return " ".join(self.argv)

    def read(self) -> list[dict[str, Any]]:
        try:
            return [json.loads(line) for line in self._file.read_text().splitlines()]
        except FileNotFoundError:
            return []


@pytest.fixture
def notes(project: Project) -> Notes:
    return Notes(project)


@pytest.fixture
def run(project: Project, start: Run) -> Run:
    """Start a session with a build, an app and these rules; it is at rest when it is returned."""

    def run(*rules: str) -> Live:
        app = json.dumps([sys.executable, "-SE", "-c", APP])
        project.config("\n".join([f"[run]\ncommand = {app}\n", *rules]))
        session = start()
        session.wait_for("output", text="up")
        return session

    return run


def did(session: Live, since: int) -> list[str]:
    """What has happened to build and app from a moment on."""
    names = ("build_started", "app_started", "app_signalled", "app_stopping")
    return [event["event"] for event in session.events[since:] if event["event"] in names]


def test_restart_starts_the_app_again_without_a_build(project: Project, run: Run) -> None:
    session = run(rule("*.css", "restart"))
    since = session.now
    project.write("a.css", "1")
    session.wait_for("output", text="up")
    assert did(session, since) == ["app_stopping", "app_started"]


def test_signal_sends_the_app_the_signal_and_no_more(project: Project, run: Run) -> None:
    session = run(rule("*.conf", "signal", signal="SIGHUP"))
    since = session.now
    project.write("a.conf", "1")
    assert session.wait_for("app_signalled")["signal"] == "SIGHUP"
    session.wait_for("output", text="heard")
    assert did(session, since) == ["app_signalled"]


def test_ignore_and_reload_do_nothing_and_the_last_rule_that_fits_counts(
    project: Project, run: Run, notes: Notes
) -> None:
    session = run(
        rule("*.md", "command", command=notes.line),
        rule("*.css", "reload"),
        rule("drafts/**", "ignore"),
        rule("drafts/real.md", "build"),
    )
    since = session.now
    project.write("drafts/a.md", "1")
    project.write("a.css", "1")
    project.last_build(session)
    session.wait_for("output", text="up")
    assert did(session, since) == ["build_started", "app_stopping", "app_started"]
    assert not notes.read()
    since = session.now
    project.write("drafts/real.md", "1")
    session.wait_for("build_started", paths=["drafts/real.md"])
    session.wait_for("output", text="up")
    assert did(session, since) == ["build_started", "app_stopping", "app_started"]
    assert not notes.read()


def test_command_runs_for_its_files_and_leaves_the_app_alone(
    project: Project, run: Run, notes: Notes
) -> None:
    session = run(rule("*.md", "command", command=f"{notes.line} {{files}} in {{dirs}}"))
    since = session.now
    project.write("docs/a.md", "1")
    started = session.wait_for("build_started")
    session.wait_for("build_finished", ok=True)
    assert (started["key"], started["paths"]) == ("rule[1].command", ["docs/a.md"])
    assert did(session, since) == ["build_started"]
    assert notes.read() == [
        {
            "words": ["docs/a.md", "in", "docs"],
            "changes": {"files": ["docs/a.md"], "dirs": ["docs"], "removed": []},
        }
    ]


@pytest.mark.parametrize("form", ["line", "arguments"])
def test_whatever_is_in_a_name_it_is_one_word(
    project: Project, run: Run, notes: Notes, form: str
) -> None:
    odd = [*ODD, UNDECODABLE]
    words = [*notes.argv, "{files}", "in", "{dirs}"]
    run(rule("*.md", "command", command=" ".join(words) if form == "line" else words))
    for name in odd:
        (project.path / f"dir {name}").mkdir()
        (project.path / f"dir {name}" / name).write_text("1")
        (project.path / name).write_text("1")
    expected = {os.path.join(directory, name) for name in odd for directory in ("", f"dir {name}")}
    shown = {f"./{name}" if name.startswith("-") else name for name in expected}
    until(lambda: shown <= {name for note in notes.read() for name in files(note)}, "all files")
    for note in notes.read():
        given, directories = files(note), dirs(note)
        assert set(given) <= shown
        assert set(directories) == {os.path.dirname(name) or "." for name in given}
        assert note["changes"]["files"] == given
        assert note["changes"]["dirs"] == directories


def files(note: dict[str, Any]) -> list[str]:
    words: list[str] = note["words"]
    return words[: words.index("in")]


def dirs(note: dict[str, Any]) -> list[str]:
    words: list[str] = note["words"]
    return words[words.index("in") + 1 :]


def test_what_is_gone_is_no_word_and_is_named_in_the_changes(
    project: Project, run: Run, notes: Notes
) -> None:
    project.write("old.md", "1")
    project.write("older.md", "1")
    session = run(
        rule("old*.md", "command", command=notes.line),
        rule("older.md", "command", command=f"{notes.line} {{files}}"),
    )
    (project.path / "old.md").unlink()
    session.wait_for("build_finished", ok=True)
    changes = {"files": [], "dirs": [], "removed": ["old.md"]}
    assert notes.read() == [{"words": [], "changes": changes}]
    (project.path / "older.md").unlink()  # of its files none is there: nothing is run
    project.last_build(session)
    assert len(notes.read()) == 1


def test_a_rule_whose_command_fails_is_a_failed_build_until_the_next_change(
    project: Project, run: Run, notes: Notes
) -> None:
    session = run(rule("*.md", "command", command=notes.line), rule("fail", "ignore"))
    project.write("fail", "")
    since = session.now
    project.write("a.md", "1")
    finished = session.wait_for("build_finished")
    assert (finished["ok"], finished["code"]) == (False, 1)
    session.wait_for("app_kept", reason="build failed")
    (project.path / "fail").unlink()
    project.write("b.md", "1")
    session.wait_for("build_finished", ok=True)
    assert did(session, since) == ["build_started", "build_started"]
    assert [note["changes"]["files"] for note in notes.read()] == [["a.md"], ["a.md", "b.md"]]


def test_what_a_rules_command_writes_is_built_once(project: Project, run: Run) -> None:
    copy = 'sh -c \'for f in "$@"; do cp "$f" "$f.go"; done\' sh {files}'
    session = run(rule("*.templ", "command", command=copy))
    since = session.now
    project.write("page.templ", "1")
    session.wait_for("build_started", paths=["page.templ"])
    session.wait_for("build_started", paths=["page.templ.go"])
    session.wait_for("output", text="up")
    assert did(session, since) == ["build_started"] * 2 + ["app_stopping", "app_started"]
    assert project.seen() == project.on_disk()
    project.write("page.templ", "2")
    session.wait_for("build_started", paths=["page.templ.go"])
    session.wait_for("output", text="up")
    assert project.seen() == project.on_disk()


def test_rules_and_sources_that_change_together_are_done_in_order(
    project: Project, run: Run, notes: Notes
) -> None:
    session = run(rule("*.md", "command", command=notes.line), rule("*.css", "restart"))
    since = session.now
    for name in ("a.md", "b.css", "c.go"):
        project.write(name, "1")
    # On a busy machine the restart may come by itself, before that build.
    built = session.wait_for("build_started", lambda event: "c.go" in event["paths"])
    session.wait_for("app_started", run=built["run"])
    until(notes.read, "the rule's command")
    assert did(session, since)[-2:] == ["app_stopping", "app_started"]
    assert project.seen() == project.on_disk()
