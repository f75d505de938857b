"""Every editor's way to save a file is one change, and what only looks like one is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from live import DEADLINE, environment, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from live import Live, Project

UGLY = "package main\nfunc  main() {\n}\n// {}\n"
KEPT_PACE = 0.008  # seconds beyond a pause of a replay: a slower machine replays another story
AT_ONCE = 0.050  # seconds; what happens within 60 ms is taken for one save
TRIES = 40


@pytest.fixture
def project(project: Project) -> Project:
    project.config()
    project.write("main.go", "package main\n")
    project.write("other.go", "package main\n")
    return project


@pytest.fixture
def session(project: Project, start: Callable[..., Live]) -> Live:  # noqa: ARG001 - the files come first
    session = start()
    session.wait_for("build_finished", ok=True)
    return session


def builds(
    session: Live, project: Project, act: Callable[..., object], *words: str
) -> list[list[str]]:
    """Do something, wait for its build, and return what was named by each build it made."""
    found = builds_and_sentinel(session, project, act, *words)
    assert found.pop() == ["sentinel"]
    return found


def builds_and_sentinel(
    session: Live, project: Project, act: Callable[..., object], *words: str
) -> list[list[str]]:
    """The same, with the build after it: a late half of a save may have come into that one."""
    before = len(session.all("build_started"))
    act(*words)
    session.wait_for("build_finished", ok=True)
    return project.last_build(session)[before:]


def no_builds(session: Live, project: Project, act: Callable[..., object], *words: str) -> None:
    """Do something that must not build."""
    before = len(session.all("build_started"))
    act(*words)
    assert project.last_build(session)[before:] == [["sentinel"]]


def vim(project: Project, *commands: str) -> None:
    settings = ("set backupskip=", "set directory=.", "set undofile undodir=.")
    words = [word for command in (*settings, *commands) for word in ("-c", command)]
    project.run("vim", "-u", "NONE", "-i", "NONE", "-N", "-es", "main.go", *words)


needs_vim = pytest.mark.skipif(shutil.which("vim") is None, reason="there is no vim here")


@needs_vim
@pytest.mark.parametrize("backupcopy", ["yes", "no", "auto"])
@pytest.mark.parametrize("backup", ["backup", "nobackup"])
def test_a_save_by_vim_is_one_build(
    session: Live, project: Project, backupcopy: str, backup: str
) -> None:
    setting = f"set {backup} writebackup backupcopy={backupcopy}"
    for number in range(3):
        edit = f"normal Go// {number}"
        found = builds(session, project, partial(vim, project), setting, edit, "wq")
        assert found == [["main.go"]]


@needs_vim
def test_looking_into_a_file_with_vim_is_no_build(session: Live, project: Project) -> None:
    no_builds(session, project, partial(vim, project), "set swapfile", "normal Goedited", "q!")


def replay(
    session: Live, project: Project, pause: float, *, truncates: bool = True, closes: bool = False
) -> None:
    """Save main.go in two steps with a pause between them: it has to be one build.

    A replay that lost its pace to other programs tells another story, and is played again.
    """
    main = project.path / "main.go"
    took: list[float] = []

    def save(text: str) -> None:
        begin = time.monotonic()
        fd = os.open(main, os.O_WRONLY | (os.O_TRUNC if truncates else 0))
        if not truncates:
            os.write(fd, b"half")
        if closes:
            os.close(fd)
        time.sleep(pause)  # the editor's
        if closes:
            fd = os.open(main, os.O_WRONLY)
        os.write(fd, text.encode())
        os.close(fd)
        took.append(time.monotonic() - begin)

    for number in range(TRIES):
        found = builds_and_sentinel(session, project, save, f"package main // {number}\n")
        if took[-1] < pause + KEPT_PACE:
            assert found == [["main.go"], ["sentinel"]]
            return
    pytest.skip("the machine was too busy to replay it at its pace")


@pytest.mark.parametrize("pause", [0.005, 0.050, 0.120])
def test_a_truncation_and_the_write_after_it_are_one_build(
    session: Live, project: Project, pause: float
) -> None:
    """VS Code truncates first; nobody wants the empty file built."""
    replay(session, project, pause)


@pytest.mark.parametrize("pause", [0.050, 0.120])
def test_an_emptied_file_that_was_closed_is_waited_for(
    session: Live, project: Project, pause: float
) -> None:
    replay(session, project, pause, closes=True)


@pytest.mark.parametrize("pause", [0.050, 0.120])
def test_a_file_that_is_still_being_written_is_waited_for(
    session: Live, project: Project, pause: float
) -> None:
    replay(session, project, pause, truncates=False)


def test_a_safe_write_by_jetbrains_is_one_build(session: Live, project: Project) -> None:
    took: list[float] = []

    def save(text: str) -> None:
        main, begin = project.path / "main.go", time.monotonic()
        draft = project.write("main.go___jb_tmp___", text)
        old = main.rename(project.path / "main.go___jb_old___")
        draft.rename(main)
        old.unlink()
        took.append(time.monotonic() - begin)

    for number in range(TRIES):
        found = builds_and_sentinel(session, project, save, f"package main // by rename {number}\n")
        if took[-1] < AT_ONCE:
            assert found == [["main.go"], ["sentinel"]]
            return
    pytest.skip("the machine was too busy to run it at once")


@pytest.mark.parametrize(
    "line",
    [
        "sed -i 's/main/edited/' main.go",
        "cp ../out/new main.go",
        "mv ../out/new main.go",
        "echo '// more' >>main.go",
        "cp ../out/new main.go~ && mv main.go~ main.go",
        "ln -f ../out/new main.go",
        "rm main.go && cp ../out/new main.go",
    ],
)
def test_a_change_by_a_command_is_one_build(session: Live, project: Project, line: str) -> None:
    """Of several steps: on a busy machine one may come after the time of quiet; it is run again."""
    for number in range(TRIES):
        (project.out / "new").write_text(f"package other // {number}\n")
        project.write("main.go", f"package main // {number}\n")
        project.last_build(session)
        before, begin = len(session.all("build_started")), time.monotonic()
        project.run("/bin/sh", "-c", line)
        took = time.monotonic() - begin
        session.wait_for("build_started", lambda event: "main.go" in event["paths"])
        session.wait_for("build_finished", ok=True)
        found = project.last_build(session)[before:]
        if took < AT_ONCE:
            assert found == [["main.go"], ["sentinel"]]
            return
    pytest.skip("the machine was too busy to run it at once")


def gofmt() -> str:
    goroot = subprocess.run(
        ["go", "env", "GOROOT"], env=environment(), capture_output=True, text=True, check=True
    )
    return os.path.join(goroot.stdout.strip(), "bin/gofmt")


def test_gofmt_right_after_the_save_is_the_same_build(session: Live, project: Project) -> None:
    main, command = project.path / "main.go", gofmt()
    saved_at: list[int] = []

    def save(text: str) -> None:
        project.write("main.go", text)
        saved_at.append(main.stat().st_mtime_ns)
        project.run(command, "-w", "main.go")
        saved_at.append(main.stat().st_mtime_ns)

    for number in range(TRIES):
        found = builds_and_sentinel(session, project, save, UGLY.replace("{}", f"{{{number}}}"))
        assert "func main" in main.read_text()
        if saved_at[-1] - saved_at[-2] < KEPT_PACE * 1e9:
            assert found == [["main.go"], ["sentinel"]]
            break
    else:
        pytest.skip("the machine was too busy to run gofmt at once")


def test_gofmt_a_moment_after_the_save_is_at_most_one_more_build(
    session: Live, project: Project
) -> None:
    main = project.path / "main.go"
    command = gofmt()

    def save() -> None:
        project.write("main.go", UGLY)
        time.sleep(0.150)  # the editor's
        project.run(command, "-w", "main.go")
        until(lambda: project.seen() == project.on_disk(), "a build of the formatted file")

    before = len(session.all("build_started"))
    save()
    assert "func main" in main.read_text()
    found = project.last_build(session)[before:-1]
    assert found in ([["main.go"]], [["main.go"]] * 2)


def test_permissions_count_only_where_a_program_feels_them(session: Live, project: Project) -> None:
    main = project.path / "main.go"
    no_builds(session, project, lambda: main.chmod(0o600))
    assert builds(session, project, lambda: main.chmod(0o755)) == [["main.go"]]
    no_builds(session, project, lambda: main.chmod(0o555))
    assert builds(session, project, lambda: main.chmod(0o644)) == [["main.go"]]


def test_a_save_without_a_change_is_no_build(session: Live, project: Project) -> None:
    main = project.path / "main.go"
    no_builds(session, project, project.run, "touch", "main.go")
    no_builds(session, project, lambda: main.write_bytes(main.read_bytes()))
    no_builds(session, project, project.run, "/bin/sh", "-c", "cp main.go a~; mv a~ main.go")
    no_builds(session, project, project.run, "/bin/sh", "-c", "cat main.go other.go")
    main.write_bytes(main.read_bytes())
    assert session.wait_for("unchanged")["paths"] == ["main.go"]


def test_a_touch_of_a_new_file_and_its_end_are_seen(session: Live, project: Project) -> None:
    assert builds(session, project, lambda: project.write("new.go")) == [["new.go"]]
    assert builds(session, project, (project.path / "new.go").unlink) == [["new.go"]]


def test_a_checkout_of_a_hundred_files_is_one_build(
    project: Project, start: Callable[..., Live]
) -> None:
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "gc.auto=0")
    project.config('[watch]\nmax_wait = "1m"')  # for which a busy disk may keep git
    project.run(*git, "init", "-q", "-b", "main")
    for branch in ("main", "other"):
        for number in range(100):
            project.write(f"src/{number % 7}/{number}.go", f"package {branch}\n")
        if branch == "other":
            project.run(*git, "checkout", "-q", "-b", "other")
        project.run(*git, "add", ".")
        project.run(*git, "commit", "-q", "-m", branch)
    session = start()
    session.wait_for("build_finished", ok=True)
    for branch in ("main", "other"):
        found = builds(session, project, project.run, *git, "checkout", "-q", branch)
        assert [len(paths) for paths in found] == [100]
    no_builds(session, project, project.run, *git, "status", "--short")


def test_nothing_is_built_while_git_holds_its_lock(
    project: Project, start: Callable[..., Live]
) -> None:
    project.config('[watch]\nmax_wait = "1h"')
    project.run("git", "init", "-q")
    session = start("-v")
    session.wait_for("build_finished", ok=True)
    lock = project.write(".git/index.lock")
    project.write("one.go", "package main\n")
    session.wait_for("trace", lambda event: "FilesHeld" in event["text"])
    project.write("two.go", "package main\n")
    lock.unlink()
    assert session.wait_for("build_started")["paths"] == ["one.go", "two.go"]


@pytest.mark.parametrize("streams", ["2>&1", "2>log2"])
def test_what_hotrun_itself_writes_is_no_change(project: Project, streams: str) -> None:
    """`hotrun run > log` in the project: it would build for ever."""
    hotrun = f"exec {sys.executable} -m hotrun run"
    with subprocess.Popen(
        ["/bin/sh", "-c", f"{hotrun} >log {streams}"],
        cwd=project.path,
        env=environment(),
        start_new_session=True,
    ) as session:
        try:
            until(lambda: b"built" in _logs(project), "the first build")
            project.write("main.txt", "1")
            until(lambda: b"main.txt: built" in _logs(project), "the build of a change")
            session.terminate()
            assert session.wait(DEADLINE) == 143
        finally:
            session.kill()
    assert b"#3" not in _logs(project)


def _logs(project: Project) -> bytes:
    return b"".join(path.read_bytes() for path in project.path.glob("log*"))
