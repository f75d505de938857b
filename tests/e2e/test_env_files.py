"""The environment of the app: env files, who wins, what a change does; and what is never shown."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest
from live import Live, Project, ended, until
from plain import Plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Start = Callable[..., Live]

# Adds a line to a log: what it is, and the variables that matter, as it sees them.
TELL = """
import json, os, sys, time
log, who, lives = sys.argv[1:4]
env = {name: value for name, value in os.environ.items() if name.startswith("T_")}
line = json.dumps([who, env]) + "\\n"
with open(log, "a") as file:
    file.write(line)
time.sleep(float(lives))
"""


class Told:
    """A project whose app, and whose other commands, tell what environment they have."""

    def __init__(self, project: Project) -> None:
        self._script = project.out / "tell.py"
        self._script.write_text(TELL)
        self._log = project.out / "told"

    def command(self, who: str, lives: float = 0.0) -> str:
        """A command that tells, as it stands in hotrun.toml."""
        words = [sys.executable, "-IS", str(self._script), str(self._log), who, str(lives)]
        return json.dumps(words)

    def app(self, more: str = "") -> str:
        return f"[run]\ncommand = {self.command('app', 600)}\n{more}\n"

    @property
    def all(self) -> list[tuple[str, dict[str, str]]]:
        """Who told what so far."""
        text = self._log.read_text() if self._log.exists() else ""
        return [tuple(json.loads(line)) for line in text.split("\n")[:-1]]

    def next(self, count: int) -> dict[str, str]:
        """Wait for so many lives of the app, and return what the last one has."""

        def lives() -> list[dict[str, str]]:
            return [env for who, env in self.all if who == "app"]

        until(lambda: len(lives()) >= count, f"life {count} of the app: {lives()}")
        assert len(lives()) == count
        return lives()[-1]


@pytest.fixture
def told(project: Project) -> Told:
    return Told(project)


# --- who wins ---


def test_later_files_win_and_what_is_really_set_wins_over_them(
    project: Project, start: Start, told: Told
) -> None:
    files = 'env_files = ["one.env", "two.env", "missing.env"]'
    project.write("hotrun.toml", told.app(f'{files}\nenv = {{ T_E = "toml", T_D = "toml" }}'))
    project.write("one.env", "T_A=one\nT_B=one\nT_C=one\nT_D=one\n")
    project.write("two.env", "T_B=two\nT_C=two\nT_E=two\n")
    start(T_C="real", T_E="real")
    assert told.next(1) == {
        "T_A": "one",
        "T_B": "two",
        "T_C": "real",
        "T_D": "toml",
        "T_E": "toml",
    }


def test_a_key_that_was_taken_out_is_gone_at_the_next_start(
    project: Project, start: Start, told: Told
) -> None:
    project.write("hotrun.toml", told.app('env_files = ["one.env", "two.env"]'))
    project.write("one.env", "T_A=one\nT_B=one\n")
    project.write("two.env", "T_B=two\nT_C=two\n")
    start()
    assert told.next(1) == {"T_A": "one", "T_B": "two", "T_C": "two"}
    project.write("two.env", "T_C=two\n")
    assert told.next(2) == {"T_A": "one", "T_B": "one", "T_C": "two"}
    (project.path / "two.env").unlink()
    assert told.next(3) == {"T_A": "one", "T_B": "one"}
    project.write("one.env", "")
    assert told.next(4) == {}


def test_a_build_gets_nothing_of_the_files(project: Project, start: Start, told: Told) -> None:
    build = f"[build]\ncommand = {told.command('build')}\n"
    project.write("hotrun.toml", build + told.app('env_files = [".env"]'))
    project.write(".env", "T_A=file\n")
    start()
    assert told.next(1) == {"T_A": "file"}
    assert told.all[0] == ("build", {})


# --- what a change does ---

PLACES = {
    "a root": (".env", ""),
    "an ignored directory": ("secret/app.env", ""),
    "a directory that is skipped": ("node_modules/deep/app.env", ""),
    "outside of every root": ("../shared/app.env", '[watch]\npaths = ["src"]'),
    "beside the only root": ("app.env", '[watch]\npaths = ["src"]'),
}


def placed(project: Project, told: Told, place: str) -> Path:
    """Write a config with a build and an env file somewhere; return where that lies."""
    name, more = PLACES[place]
    project.config(told.app(f'env_files = ["{name}"]') + more, command="true")
    project.write(".gitignore", "secret/\nnode_modules/\n")
    project.write("src/main.txt", "source")
    return project.path / name


def put(path: Path, text: str) -> None:
    """Write in place, in one go: whatever comes between two steps may be read by hotrun."""
    with path.open("r+") as file:
        assert len(file.read()) == len(text)
        file.seek(0)
        file.write(text)


def replaced(path: Path, text: str) -> None:
    """As editors save: a new file, whose own name counts for nothing, gets that of the old one."""
    new = path.with_name(f"{path.name}~")
    new.write_text(text)
    new.rename(path)


@pytest.mark.parametrize("place", PLACES)
def test_a_change_of_an_env_file_restarts_without_a_build(
    project: Project, start: Start, told: Told, place: str
) -> None:
    path = placed(project, told, place)
    project.write(PLACES[place][0], "T_A=1\n")
    session = start()
    assert told.next(1) == {"T_A": "1"}
    put(path, "T_A=2\n")
    assert told.next(2) == {"T_A": "2"}
    replaced(path, "T_A=3\n")
    assert told.next(3) == {"T_A": "3"}
    replaced(path, "T_A=4\n")
    assert told.next(4) == {"T_A": "4"}
    put(path, "T_A=5\n")
    assert told.next(5) == {"T_A": "5"}
    path.unlink()
    assert told.next(6) == {}
    project.write(PLACES[place][0], "T_A=7\n")
    assert told.next(7) == {"T_A": "7"}
    project.write("src/main.txt", "changed")
    assert told.next(8) == {"T_A": "7"}
    session.wait_for("app_started", run=8)  # the app may have told us before hotrun was read
    built = session.all("build_started")
    assert [event["paths"] for event in built] == [[], ["src/main.txt"]]


@pytest.mark.parametrize("place", PLACES)
def test_an_env_file_that_does_not_exist_yet_counts_when_it_is_there(
    project: Project, start: Start, told: Told, place: str
) -> None:
    """Nor does its directory."""
    path = placed(project, told, place)
    session = start()
    assert told.next(1) == {}
    project.write(PLACES[place][0], "T_A=1\n")
    assert told.next(2) == {"T_A": "1"}
    put(path, "T_A=2\n")
    assert told.next(3) == {"T_A": "2"}
    session.wait_for("app_started", run=3)
    assert len(session.all("build_started")) == 1
    assert session.all("problem", severity="error") == []


def test_a_file_that_is_a_link_counts_with_what_it_leads_to(
    project: Project, start: Start, told: Told
) -> None:
    project.write("hotrun.toml", told.app('env_files = [".env"]'))
    for name in ("dev", "prod"):
        project.write(f"envs/{name}", f"T_A={name}\n")
    (project.path / ".env").symlink_to("envs/dev")
    start()
    assert told.next(1) == {"T_A": "dev"}
    (project.path / "link").symlink_to("envs/prod")
    (project.path / "link").rename(project.path / ".env")
    until(lambda: told.all[-1][1] == {"T_A": "prod"}, f"the new target: {told.all}")


# --- what is never shown ---

SECRET = "s3cr3t-0f-4ll"  # noqa: S105 - it is looked for in all that is said


def test_a_bad_line_is_named_and_the_rest_counts(
    project: Project, start: Start, told: Told
) -> None:
    project.write("hotrun.toml", told.app('env_files = [".env", "deep/more.env"]'))
    project.write(".env", "T_A=1\n\n# comment\nno line\nT_B=2\n")
    project.write("deep/more.env", 'T_C="open\nT_D=4\n')
    session = start()
    assert told.next(1) == {"T_A": "1", "T_B": "2", "T_D": "4"}
    warnings = [session.wait_for("problem", severity="warning") for _ in range(2)]
    assert [(each["message"].partition(" ")[0], each["line"]) for each in warnings] == [
        (".env:4:", 4),
        ("more.env:1:", 1),
    ]
    files = [project.path / ".env", project.path / "deep/more.env"]
    assert [each["file"] for each in warnings] == list(map(str, files))
    assert {each["hint"] for each in warnings} == {"the rest of the file counts"}


BAD_LINES = [f"{SECRET}", f"T_B='{SECRET}", f"1={SECRET}", f"{SECRET} = x = {SECRET}", f"={SECRET}"]


@pytest.mark.parametrize("json", [True, False], ids=["json", "plain"])
def test_a_value_is_never_shown(project: Project, told: Told, json: bool) -> None:
    """Whatever is wrong: with its line, the command, its end, or a change of the file."""
    more = 'env_files = [".env"]\nstop_timeout = "100ms"\nbefore = ["test ! -e wrong"]'
    project.write("hotrun.toml", told.app(more))
    project.write(".env", "\n".join([f"T_A={SECRET}", *BAD_LINES, ""]))
    words = ("-v", "--json") if json else ("-v",)
    with Plain(project.path, *words) as session:
        assert told.next(1) == {"T_A": SECRET}
        project.write(".env", "\n".join([f"T_A={SECRET}", f"T_B={SECRET}", *BAD_LINES, ""]))
        assert told.next(2) == {"T_A": SECRET, "T_B": SECRET}
        project.write("wrong", "now")
        session.wait_for("run.before: test ! -e wrong failed")
        session.stop()
        assert session.err.count(b"warning: ") >= 2 * len(BAD_LINES)
        assert SECRET.encode() not in session.out + session.err
    for command in ("check", "leftovers"):
        done = ended(project.path, command)
        assert SECRET not in done.out + done.err


def test_a_value_in_the_address_of_a_probe_is_not_shown(project: Project) -> None:
    ready = '{ http = "http://127.0.0.1:1/?key=${T_A}", timeout = "1s" }'
    more = f'env_files = [".env"]\nready = {ready}'
    project.write("hotrun.toml", f"[run]\ncommand = 'sleep 600'\n{more}\n")
    project.write(".env", f"T_A={SECRET}\n")
    done = ended(project.path, "run", "--once")
    assert done.code == 124
    assert len(done.problem) == 2
    assert SECRET not in done.out + done.err


# --- the commands around the app ---


def test_the_commands_around_each_life_have_its_environment(
    project: Project, start: Start, told: Told
) -> None:
    around = (
        f"before = [{told.command('first')}, {told.command('second')}]\n"
        f"after = [{told.command('third')}, {told.command('fourth')}]\n"
    )
    project.write(
        "hotrun.toml", told.app(f'{around}env_files = [".env"]\nenv = {{ T_B = "toml" }}')
    )
    project.write(".env", "T_A=1\nT_B=1\n")
    session = start()
    told.next(1)
    project.write("change", "1")
    told.next(2)
    assert session.stop() == 130
    order = ["first", "second", "app", "third", "fourth"]
    assert told.all == [(who, {"T_A": "1", "T_B": "toml"}) for who in order * 2]


def test_the_commands_after_the_app_run_when_it_ends_by_itself(
    project: Project, start: Start
) -> None:
    after = f"touch {project.out / 'after'}"
    project.write("hotrun.toml", f"[run]\ncommand = 'exit 3'\nafter = ['{after}']\n")
    session = start()
    session.wait_for("app_exited", code=3)
    until((project.out / "after").exists, "the command after it")


def test_a_failing_command_before_the_app_ends_once_with_its_code(project: Project) -> None:
    gate = project.out / "started"
    more = f"before = ['exit 9', 'touch {gate}']\nafter = ['touch {gate}']"
    project.write("hotrun.toml", f"[run]\ncommand = 'touch {gate}'\n{more}\n")
    done = ended(project.path, "run", "--once")
    assert done.code == 9
    assert done.problem == [
        "error: run.before: exit 9 failed with code 9",
        "hint: the app is not started",
    ]
    assert not gate.exists()


def test_once_waits_for_the_commands_after_the_app(project: Project) -> None:
    made = project.out / "made"
    project.write(
        "hotrun.toml", f"[run]\ncommand = 'exit 7'\nafter = ['sleep 0.2; touch {made}']\n"
    )
    assert ended(project.path, "run", "--once").code == 7
    assert made.exists()


# --- arguments ---


@pytest.mark.parametrize("command", ["{python} {show}", "cd . && {python} {show}"])
def test_arguments_of_the_file_come_first_each_as_it_is(project: Project, command: str) -> None:
    show = project.out / "show.py"
    show.write_text("import json, sys; print(json.dumps(sys.argv[1:]))")
    line = command.format(python=sys.executable, show=show)
    project.write("hotrun.toml", f"[run]\ncommand = '{line}'\nargs = ['a b', '$HOME', '']\n")
    odd = os.fsdecode(b"\xff")
    done = ended(project.path, "run", "--once", "--", "--json", "", "*", "'", "--", odd)
    assert done.code == 0
    assert json.loads(done.out) == ["a b", "$HOME", "", "--json", "", "*", "'", "--", odd]
