"""What the keys of [build] and [run] promise, by the real command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from live import ended, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from live import Live, Project

    Start = Callable[..., Live]

APP = "echo up; exec sleep 1000"


def app(command: str = APP, more: str = "") -> str:
    return f"[run]\ncommand = '''{command}'''\n{more}\n"


def copying(project: Project) -> str:
    """A build that copies main.txt, and fails where it says so."""
    return f"if grep -q broken main.txt; then exit 3; fi; cp main.txt {project.out}/made"


# --- build ---


def test_a_broken_build_stops_the_app_where_that_is_asked_for(
    project: Project, start: Start
) -> None:
    project.config(app(), command=copying(project), on_error="stop")
    project.write("main.txt", "good")
    session = start()
    session.wait_for("app_started", run=1)
    project.write("main.txt", "broken")
    assert session.wait_for("build_finished", run=2)["code"] == 3
    session.wait_for("app_exited", run=1, expected=True)
    project.write("main.txt", "good again")
    session.wait_for("app_started", run=3)


def test_a_broken_build_keeps_the_app(project: Project, start: Start) -> None:
    project.config(app(), command=copying(project))
    project.write("main.txt", "good")
    session = start()
    session.wait_for("app_started", run=1)
    project.write("main.txt", "broken")
    assert session.wait_for("app_kept")["run"] == 1
    project.write("other.txt", "no help")
    assert session.wait_for("build_started", run=3)["paths"] == ["main.txt", "other.txt"]
    session.wait_for("build_finished", ok=False)
    project.write("main.txt", "good again")
    assert session.wait_for("build_started")["paths"] == ["main.txt", "other.txt"]
    session.wait_for("app_started", run=4)


def test_a_broken_first_build_starts_nothing(project: Project, start: Start) -> None:
    project.config(app(), command=copying(project))
    project.write("main.txt", "broken")
    session = start()
    session.wait_for("build_finished", ok=False)
    project.write("main.txt", "good")
    session.wait_for("app_started")
    assert [event["run"] for event in session.all("app_started")] == [2]


def test_a_build_is_let_finish_where_that_is_asked_for(project: Project, start: Start) -> None:
    gate = project.out / "gate"
    line = f"cp main.txt {project.out}/made; until test -e {gate}; do sleep 0.01; done"
    project.config(command=line, on_busy="finish")
    project.write("main.txt", "one")
    session = start()
    session.wait_for("build_started")
    until((project.out / "made").exists, "the first copy")
    project.write("main.txt", "two")
    session.wait_for("changed")
    gate.touch()
    session.wait_for("build_finished", run=1, ok=True)
    session.wait_for("build_finished", run=2, ok=True)
    assert (project.out / "made").read_text() == "two"
    assert not session.all("build_cancelled")


def test_a_cancelled_build_gives_its_changes_to_the_next(project: Project, start: Start) -> None:
    gate = project.out / "gate"
    project.config(command=f"until test -e {gate}; do sleep 0.01; done")
    session = start()
    gate.touch()
    session.wait_for("build_finished", ok=True)
    gate.unlink()
    project.write("one.txt", "1")
    assert session.wait_for("build_started")["paths"] == ["one.txt"]
    project.write("two.txt", "2")
    assert session.wait_for("build_cancelled")["paths"] == ["one.txt"]
    assert session.wait_for("build_started")["paths"] == ["one.txt", "two.txt"]
    gate.touch()
    session.wait_for("build_finished", ok=True)


def test_a_build_that_takes_too_long_is_killed(project: Project, start: Start) -> None:
    line = "grep -q slow main.txt && sleep 1000; true"
    project.config(command=line, timeout="1s")  # in which the other one has to be done
    project.write("main.txt", "slow")
    session = start()
    assert "was killed after" in session.wait_for("problem")["message"]
    assert not session.wait_for("build_finished")["ok"]
    project.write("main.txt", "fast")
    session.wait_for("build_finished", ok=True)


def test_outputs_never_trigger(project: Project, start: Start) -> None:
    project.config(
        command="date +%N >made.txt; mkdir -p gen/deep; date +%N | tee gen/deep/a gen/b >/dev/null",
        outputs=["made.txt", "gen/**"],
    )
    session = start()
    for _ in range(3):
        session.wait_for("build_finished", ok=True)
        before = session.now
        project.write("made.txt", "by hand")
        project.write("gen/deep/c", "by hand")
        project.write("main.txt", f"{before}")
        assert session.wait_for("build_started")["paths"] == ["main.txt"]
    assert session.wait_for("build_finished")["artifact"] == "changed"


def test_the_target_of_a_plain_compiler_call_never_triggers(project: Project, start: Start) -> None:
    project.config(command="go build -buildvcs=false -o app .")
    project.write("go.mod", "module app\n\ngo 1.22\n")
    project.write("main.go", "package main\n\nfunc main() {}\n")
    session = start()
    session.wait_for("build_finished", artifact="changed")
    project.write("main.go", "package main\n\nfunc main() { println(1) }\n")
    session.wait_for("build_finished", artifact="changed")
    project.write("other.go", "package main\n")
    assert session.wait_for("build_started")["paths"] == ["other.go"]
    session.wait_for("build_finished")
    assert len(session.all("build_started")) == 3


def test_the_app_is_kept_when_the_build_made_the_same_bytes(project: Project, start: Start) -> None:
    project.config(
        app("./made.sh"),
        command="head -1 main.txt >made.new; chmod +x made.new; mv made.new made.sh",
        outputs=["made.sh", "made.new"],
    )
    project.write("main.txt", "#!/usr/bin/tail -f\nfirst")
    session = start()
    session.wait_for("app_started", run=1)
    project.write("main.txt", "#!/usr/bin/tail -f\nsecond")
    assert session.wait_for("build_finished", run=2)["artifact"] == "same"
    assert session.wait_for("app_kept")["reason"] == "same artifact"
    project.write("main.txt", "#!/usr/bin/tail -F\n")
    assert session.wait_for("build_finished", run=3)["artifact"] == "changed"
    session.wait_for("app_started", run=3)


def test_a_save_of_the_same_bytes_builds_where_that_is_asked_for(
    project: Project, start: Start
) -> None:
    project.config('[watch]\nunchanged = "build"')
    path = project.write("main.txt", "same")
    session = start()
    session.wait_for("build_finished")
    path.write_bytes(b"same")
    assert session.wait_for("build_started")["paths"] == ["main.txt"]
    session.wait_for("build_finished")
    project.run("touch", "main.txt")
    assert session.wait_for("build_started")["paths"] == ["main.txt"]


# --- watch ---


def test_a_changed_gitignore_closes_and_opens_a_directory(project: Project, start: Start) -> None:
    project.config()
    project.run("git", "init", "-q")
    project.write(".gitignore", "nothing\n")
    project.write("gen/one.txt", "one")
    session = start()
    session.wait_for("build_finished")
    project.write(".gitignore", "gen/\n")
    assert ".gitignore" in session.wait_for("changed")["paths"]
    session.wait_for("build_finished")
    project.write("gen/two.txt", "two")
    project.write("sentinel", "1")
    assert session.wait_for("changed")["paths"] == ["sentinel"]
    session.wait_for("build_finished")
    project.write(".gitignore", "nothing\n")
    assert {"gen/one.txt", "gen/two.txt"} <= set(session.wait_for("changed")["paths"])
    session.wait_for("build_finished")
    project.write("gen/two.txt", "three")
    assert session.wait_for("changed")["paths"] == ["gen/two.txt"]


@pytest.mark.parametrize("backend", ["native", "poll"])
def test_a_root_that_does_not_exist_is_waited_for(
    project: Project, start: Start, backend: str
) -> None:
    project.config('[watch]\npaths = ["src/deep"]\npoll_interval = "20ms"')
    session = start("--watch", backend)
    assert "src/deep does not exist" in session.wait_for("problem", severity="warning")["message"]
    session.wait_for("build_finished")
    project.write("src/deep/main.txt", "there")
    assert session.wait_for("build_started")["paths"] == ["src/deep/main.txt"]
    session.wait_for("build_finished")
    project.write("src/deep/main.txt", "changed")
    assert session.wait_for("build_started")["paths"] == ["src/deep/main.txt"]


def test_a_root_that_goes_and_comes_back_is_watched_again(project: Project, start: Start) -> None:
    project.config('[watch]\npaths = ["src"]')
    project.write("src/main.txt", "one")
    session = start()
    session.wait_for("build_finished")
    project.run("mv", "src", "away")
    assert session.wait_for("changed")["paths"] == ["src/main.txt"]
    session.wait_for("build_finished")
    project.write("src/main.txt", "two")
    assert session.wait_for("changed")["paths"] == ["src/main.txt"]
    until(lambda: project.seen() == project.on_disk(), "a build of the new directory")


# --- run ---


def test_a_changed_env_file_restarts_without_a_build(project: Project, start: Start) -> None:
    project.config(app("echo is $WORD; exec sleep 1000", 'env_files = [".env", "more.env"]'))
    project.write(".gitignore", ".env\n")
    project.write(".env", "WORD=one\n")
    session = start()
    session.wait_for("output", text="is one")
    project.write(".env", "# a comment\nexport WORD='two'\n")
    session.wait_for("output", text="is two")
    project.write("more.env", "WORD=three\nbad line\n")
    assert session.wait_for("problem", severity="warning")["line"] == 2
    session.wait_for("output", text="is three")
    (project.path / "more.env").unlink()
    session.wait_for("output", text="is two")
    assert len(session.all("build_started")) == 1
    assert len(session.all("app_started")) == 4


def test_an_app_that_ends_is_waited_on(project: Project, start: Start) -> None:
    project.config(app("echo up; exit 7"))
    session = start()
    exited = session.wait_for("app_exited")
    assert (exited["code"], exited["expected"]) == (7, False)
    project.write("main.txt", "changed")
    session.wait_for("app_started", run=2)
    session.wait_for("app_exited", run=2, code=7)


def test_an_app_that_ends_is_started_again(project: Project, start: Start) -> None:
    project.config(app("echo up; exit 7", 'on_exit = "restart"'))
    session = start()
    for _ in range(3):
        session.wait_for("app_started")
        session.wait_for("app_exited", code=7, expected=False)
    assert len(session.all("build_started")) == 1


def test_an_app_that_ends_ends_the_session(project: Project, start: Start) -> None:
    project.config(app("echo up; exit 7", 'on_exit = "exit"'))
    session = start()
    assert session.ends() == 7
    assert session.events[-1]["event"] == "session_ended"


def test_commands_run_before_and_after_the_app(project: Project, start: Start) -> None:
    log = project.out / "log"
    project.config(
        app(
            f"echo app >>{log}; exec sleep 1000",
            f"before = ['echo before >>{log}', 'echo more >>{log}']\n"
            f"after = ['echo after >>{log}']",
        )
    )
    session = start()
    session.wait_for("app_started")
    until(lambda: "app" in log.read_text(), "the app")
    project.write("main.txt", "changed")
    session.wait_for("app_started", run=2)
    until(lambda: log.read_text().count("app") == 2, "the second app")
    assert session.stop() == 130
    assert log.read_text().split() == ["before", "more", "app", "after"] * 2


def test_a_failing_command_before_the_app_starts_no_app(project: Project, start: Start) -> None:
    project.config(app(APP, 'before = ["test ! -e main.txt"]\nafter = ["touch after"]'))
    project.write("main.txt", "in the way")
    session = start()
    assert "run.before" in session.wait_for("problem")["message"]
    (project.path / "main.txt").unlink()
    session.wait_for("app_started", run=2)
    assert len(session.all("app_started")) == 1


def test_what_follows_the_dashes_is_passed_to_the_app(project: Project, start: Start) -> None:
    show = project.out / "show.py"
    show.write_text("import sys; print(sys.argv[1:])")
    project.config(app(f"{sys.executable} -u {show}", 'args = ["first"]'))
    session = start("--", "--port", "80 80", "*", "$HOME")
    session.wait_for("output", text="['first', '--port', '80 80', '*', '$HOME']")


def test_the_app_runs_in_its_working_directory(project: Project, start: Start) -> None:
    project.write("web/page", "hello")
    project.config(app("cat page", 'working_directory = "web"'))
    start().wait_for("output", text="hello")


def test_a_program_that_is_still_open_for_writing_is_started_a_moment_later(
    project: Project, start: Start
) -> None:
    """ETXTBSY: a linker's child, or a copy under way, has the program open for writing."""
    made = project.path / "made"
    project.config(app("./made 1000"), command="test -x made", outputs=["made"])
    made.write_bytes(Path("/bin/sleep").read_bytes())
    made.chmod(0o755)
    with made.open("ab"):
        session = start()
        session.wait_for("build_finished", ok=True)
        busy = session.now
        project.write("main.txt", "changed")
        session.wait_for("build_finished", ok=True)
        assert not session.all("app_started", busy)
    # The one that waited in vain was stopped before it began.
    assert session.wait_for("app_started")["run"] == 2
    assert not session.all("problem")


# --- once ---


@pytest.mark.parametrize(
    ("build", "run", "code"),
    [
        ("true", "true", 0),
        ("true", "exit 7", 7),
        ("exit 7", "true", 1),
        ("true", "no-such-command", 127),
        ("true", "./no-such-program", 127),
        ("true", "./hotrun.toml", 126),
        ("true", "kill -TERM $$", 143),
        ("true", "kill -KILL $$", 137),
        ("no-such-command", "true", 1),
    ],
)
def test_once_ends_with_the_code_of_what_it_ran(
    project: Project, build: str, run: str, code: int
) -> None:
    project.config(app(run), command=build)
    done = ended(project.path, "run", "--once")
    assert done.code == code
    unknown = any(word.startswith(("no-such", "./")) for word in (build, run))
    assert len(done.problem) == (2 if unknown else 0)


def test_once_passes_arguments_and_output_through(project: Project) -> None:
    project.config(app("echo"))
    done = ended(project.path, "run", "--once", "--", "a  b")
    assert (done.code, done.out) == (0, "a  b\n")


def test_once_without_an_app_builds_only(project: Project) -> None:
    project.config()
    assert ended(project.path, "run", "--once").code == 0
    assert project.seen() == project.on_disk()
