"""A change of the config counts while hotrun runs: a good one at once, a bad one not at all."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from live import ended, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from live import Live, Project

APP = """
import signal, sys
print("up", *sys.argv[1:], flush=True)
signal.pause()
"""
MANY = 2_000  # directories; listing them takes longer than another edit
STAYS = (
    "the config before this change still counts",
    "mend the file and save it: it is read again",
)


class Configured:
    """A project whose config changes, and a session that runs it."""

    def __init__(self, project: Project, start: Callable[..., Live]) -> None:
        self.project = project
        self.write()
        self.session = start()
        self.session.wait_for("output", text="up")
        self._since = 0

    def text(
        self, build: str = "build.log", args: str = "", watch: str = "", rest: str = ""
    ) -> str:
        command = json.dumps([sys.executable, "-SE", "-c", APP])
        return f"""
[watch]
exclude = ["*.log"]
{watch}
[build]
command = "touch {self.project.out}/{build}"
[run]
command = {command}
args = [{args}]
{rest}
"""

    def write(self, **parts: str) -> None:
        self.project.write("hotrun.toml", self.text(**parts))

    def changes(self, **parts: str) -> list[str]:
        """Write another config, and return its keys that are said to be others."""
        self._since = self.session.now
        self.write(**parts)
        keys: list[str] = self.session.wait_for("config_changed")["keys"]
        return keys

    def did(self) -> list[str]:
        """What has happened to build and app since the last change."""
        names = ("build_started", "app_started")
        events = self.session.events[self._since :]
        return [event["event"] for event in events if event["event"] in names]


@pytest.fixture
def configured(project: Project, start: Callable[..., Live]) -> Configured:
    return Configured(project, start)


def test_another_build_command_builds_and_other_arguments_only_restart(
    configured: Configured,
) -> None:
    session, out = configured.session, configured.project.out
    assert configured.changes(build="other.log") == ["build.command"]
    session.wait_for("output", text="up")
    assert configured.did() == ["build_started", "app_started"]
    assert (out / "other.log").exists()
    assert configured.changes(build="other.log", args='"again"') == ["run.args"]
    session.wait_for("output", text="up again")
    assert configured.did() == ["app_started"]
    # What only matters to the next stop changes nothing now.
    timeout = 'stop_timeout = "1s"'
    assert configured.changes(build="other.log", args='"again"', rest=timeout) == [
        "run.stop_timeout"
    ]
    configured.project.write("main.txt", "1")
    session.wait_for("build_started", paths=["main.txt"])
    session.wait_for("output", text="up again")
    assert configured.did() == ["build_started", "app_started"]


def test_another_directory_is_watched_and_no_change_is_lost_meanwhile(
    configured: Configured,
) -> None:
    session, project = configured.session, configured.project
    shared = project.out / "shared"
    shared.mkdir()
    (shared / "a.txt").write_text("1")
    assert configured.changes(watch=f'paths = [".", "{shared}"]') == ["watch.paths"]
    project.write("main.txt", "while the new ones are listed")
    session.wait_for("watching", lambda event: len(event["roots"]) == 2)
    session.wait_for("output", text="up")
    (shared / "a.txt").write_text("2")
    session.wait_for("build_started", lambda event: f"{shared}/a.txt" in event["paths"])
    session.wait_for("output", text="up")
    assert configured.changes() == ["watch.paths"]
    session.wait_for("watching", roots=["."])
    session.wait_for("output", text="up")
    (shared / "a.txt").write_text("3")
    project.write("main.txt", "2")
    session.wait_for("build_started", paths=["main.txt"])
    session.wait_for("output", text="up")
    named = [path for event in session.all("build_started") for path in event["paths"]]
    assert named.count(f"{shared}/a.txt") == 1


def test_a_rule_that_is_added_counts_from_then_on(configured: Configured) -> None:
    session, project = configured.session, configured.project
    rule = '[[rule]]\nmatch = ["*.css"]\naction = "restart"\n'
    assert configured.changes(rest=rule) == ["rule"]
    project.write("a.css", "1")
    session.wait_for("changed", paths=["a.css"])
    session.wait_for("output", text="up")
    assert configured.did()[-1] == "app_started"
    runs = len(session.all("build_started"))
    project.write("a.css", "2")
    session.wait_for("changed", paths=["a.css"])
    session.wait_for("output", text="up")
    assert len(session.all("build_started")) == runs


def test_what_an_edit_asks_for_outlives_the_next_edit(
    project: Project, start: Callable[..., Live]
) -> None:
    """The second one comes while the files that the first one wants watched are being listed."""
    for number in range(MANY):
        (project.path / f"{number}").mkdir(parents=True)
    project.write("made", "the same each time")

    def write(name: str, args: str) -> None:
        command = json.dumps([sys.executable, "-SE", "-c", APP])
        project.write(
            "hotrun.toml",
            f"""
[watch]
exclude = ["*.{name}"]
[build]
command = "true"
outputs = ["made"]
[run]
command = {command}
args = [{args}]
""",
        )

    write("a", "")
    session = start("--debounce", "0ms")
    session.wait_for("output", text="up")
    for name in ("b", "c"):
        write(name, '"anew"')
        session.wait_for("config_changed")
    session.wait_for("output", text="up anew")


def test_a_file_that_is_saved_with_its_rule_is_for_that_rule(configured: Configured) -> None:
    """A checkout, or an editor's "save all", writes both in one moment."""
    project = configured.project
    copy = f"cp {{files}} {project.out}"
    rule = f'[[rule]]\nmatch = ["*.tpl"]\naction = "command"\ncommand = "{copy}"\n'
    configured.session.send(signal.SIGSTOP)  # for us it may be more than a moment
    project.write("page.tpl", "1")
    configured.write(rest=rule)
    configured.session.send(signal.SIGCONT)
    assert configured.session.wait_for("config_changed")["keys"] == ["rule"]
    until((project.out / "page.tpl").exists, "the command of the new rule")


def test_of_a_bad_config_all_errors_are_shown_and_the_old_one_stays(
    configured: Configured,
) -> None:
    session, project = configured.session, configured.project
    bad = configured.text(build="bad.log", rest="stop_timeout = 5").replace("args =", "argz =")
    project.write("hotrun.toml", f'{bad}[biuld]\ncommand = "x"\n')
    session.wait_for("problem", message=STAYS[0])
    problems = [(event["message"], event["hint"]) for event in session.all("problem")]
    assert problems == [
        ('hotrun.toml:9:1: unknown key "argz" in [run]', 'did you mean "args"?'),
        ("hotrun.toml:10:16: run.stop_timeout = 5 needs a unit", 'write "5s" or "5ms"'),
        ("hotrun.toml:11:2: unknown table [biuld]", "did you mean [build]?"),
        STAYS,
    ]
    project.write("main.txt", "1")
    session.wait_for("build_started", paths=["main.txt"])
    session.wait_for("output", text="up")
    assert not (project.out / "bad.log").exists()
    assert configured.changes(build="good.log") == ["build.command"]
    until((project.out / "good.log").exists, "a build by the mended config")


@pytest.mark.parametrize("in_its_place", ["nothing", "a FIFO"])
def test_a_config_that_is_gone_for_a_while_is_read_when_it_is_back(
    configured: Configured, in_its_place: str
) -> None:
    session, project = configured.session, configured.project
    file = project.path / "hotrun.toml"
    (project.out / "aside").hardlink_to(file)
    if in_its_place == "nothing":
        file.unlink()
    else:
        os.mkfifo(project.out / "fifo")
        (project.out / "fifo").rename(file)
        session.wait_for("problem", message="hotrun.toml is not a regular file")
    session.wait_for("problem", message=STAYS[0])
    project.write("main.txt", "1")
    session.wait_for("build_started", paths=["main.txt"])
    session.wait_for("output", text="up")
    since = session.now
    (project.out / "aside").rename(file)  # nothing is new in it
    project.write("main.txt", "2")
    session.wait_for("build_started", paths=["main.txt"])
    session.wait_for("output", text="up")
    assert [told["keys"] for told in session.all("config_changed", since)] == [[]]
    assert configured.changes(args='"back"') == ["run.args"]
    session.wait_for("output", text="up back")


def test_a_hotrun_toml_that_comes_is_the_config_of_a_project_that_was_detected(
    project: Project, start: Callable[..., Live]
) -> None:
    project.write("main.py", APP)
    session = start()
    session.wait_for("output", text="up")
    project.write("hotrun.toml", '[run]\ncommand = "./nothing"\n')
    session.wait_for("problem", message="run.command: ./nothing: command not found")
    session.wait_for("problem", message=STAYS[0])
    command = json.dumps([sys.executable, "-SE", "-c", APP])
    project.write("hotrun.toml", f'[run]\ncommand = {command}\nargs = ["by the file"]\n')
    told = session.wait_for("problem", message="hotrun.toml is the config from now on")
    assert told["hint"] == "before, it was what was detected"
    keys = session.wait_for("config_changed")["keys"]
    assert {"watch.include", "run.command", "run.args"} <= set(keys)
    session.wait_for("output", text="up by the file")


def test_a_hotrun_toml_that_comes_goes_before_a_pyproject_toml(
    project: Project, start: Callable[..., Live]
) -> None:
    run = f"command = {json.dumps([sys.executable, '-SE', '-c', APP])}\nargs = "
    project.write("pyproject.toml", f'[tool.hotrun.run]\n{run}["first"]\n')
    session = start()
    session.wait_for("output", text="up first")
    project.write("hotrun.toml", f'[run]\n{run}["second"]\n')
    told = session.wait_for("problem", message="hotrun.toml is the config from now on")
    assert told["hint"] == "before, pyproject.toml was"
    assert session.wait_for("config_changed")["keys"] == ["run.args"]
    session.wait_for("output", text="up second")
    project.write("hotrun.toml", f'[run]\n{run}["third"]\n')
    assert session.wait_for("config_changed")["keys"] == ["run.args"]
    session.wait_for("output", text="up third")
    assert session.all("changed") == []


def test_a_hotrun_toml_that_says_what_was_detected_is_told_and_leaves_the_app_alone(
    project: Project, start: Callable[..., Live]
) -> None:
    project.write("main.py", APP)
    session = start()
    session.wait_for("output", text="up")
    assert ended(project.path, "init").code == 0
    session.wait_for("problem", message="hotrun.toml is the config from now on")
    project.write("main.py", f"{APP}# edited")
    session.wait_for("output", text="up")
    assert session.all("config_changed") == []
    assert [event["paths"] for event in session.all("changed")] == [["main.py"]]
