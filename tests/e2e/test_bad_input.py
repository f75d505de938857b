"""What is wrong is said in two lines with the right exit code, or is a warning and work goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from live import Live, ended, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from live import Project

    Start = Callable[..., Live]

# root may read everything; without these two abilities it is as anybody.
AS_ANYBODY = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")


@pytest.fixture
def anybody(project: Project) -> tuple[str, ...]:
    """A prefix of commands for which permissions count."""
    prefix = AS_ANYBODY if os.geteuid() == 0 else ()
    secret = project.out / "secret"
    secret.write_text("")
    secret.chmod(0)
    if prefix and not shutil.which(prefix[0]):
        pytest.skip("root, and no setpriv here: everything can be read")
    if subprocess.run([*prefix, "cat", secret], capture_output=True, check=False).returncode == 0:
        pytest.skip("everything can be read here")
    return prefix


@pytest.fixture
def closed(project: Project) -> Iterator[str]:
    """A directory in the project that must not be read."""
    directory = project.write("closed/inside.txt", "secret").parent
    directory.chmod(0)
    yield "closed"
    directory.chmod(0o755)


def said(project: Project, *words: str, **env: str) -> tuple[int, list[str]]:
    """Run hotrun, which has to end by itself, and return its code and the problem it named."""
    done = ended(project.path, "run", *words, **env)
    assert done.out == ""
    return done.code, done.problem


def refused(project: Project, *words: str, **env: str) -> tuple[str, str]:
    """Run hotrun, which has to refuse in two lines with code 2; return the two."""
    code, problem = said(project, *words, **env)
    assert code == 2
    first, second = problem
    assert (first[:7], second[:6]) == ("error: ", "hint: ")
    return first, second


# --- the config ---


def test_a_config_that_is_named_and_missing(project: Project) -> None:
    first, _ = refused(project, "-c", "other.toml")
    assert "other.toml" in first


def test_no_config_and_nothing_known_of_the_project(project: Project) -> None:
    first, second = refused(project)
    assert "hotrun.toml" in first + second


def test_a_config_that_cannot_be_read(project: Project, anybody: tuple[str, ...]) -> None:
    project.config()
    (project.path / "hotrun.toml").chmod(0)
    code, out = ended_as(anybody, project)
    assert code == 2
    assert [line.split(":")[0] for line in out] == ["error", "hint"]
    assert "hotrun.toml" in out[0]
    assert "ermission denied" in out[0]


def ended_as(prefix: tuple[str, ...], project: Project) -> tuple[int, list[str]]:
    with Live(project.path, prefix=prefix) as session:
        code = session.ends()
    return code, session.err


def test_a_config_that_is_a_directory(project: Project) -> None:
    (project.path / "hotrun.toml").mkdir()
    refused(project)


def test_an_empty_config_has_nothing_to_do(project: Project) -> None:
    project.write("hotrun.toml")
    first, second = refused(project)
    assert "neither build.command nor run.command" in first
    assert "[run]" in second


def test_a_project_directory_that_is_not_there(project: Project) -> None:
    first, _ = refused(project, "-C", "no/such/place")
    assert "no/such/place is not a directory" in first


@pytest.mark.parametrize("key", ["build", "run"])
def test_a_quote_that_is_not_closed(project: Project, key: str) -> None:
    project.write("hotrun.toml", f"[{key}]\ncommand = 'echo \"open'\n")
    first, _ = refused(project)
    assert f"{key}.command" in first


@pytest.mark.parametrize("key", ["before", "after"])
def test_a_quote_that_is_not_closed_in_a_command_around_the_app(project: Project, key: str) -> None:
    project.write("hotrun.toml", f"[run]\ncommand = 'true'\n{key} = ['echo \"open']\n")
    first, _ = refused(project)
    assert f"run.{key}" in first


@pytest.mark.parametrize("command", ['""', "[]", '"  "'])
@pytest.mark.parametrize("key", ["build", "run"])
def test_a_command_that_says_nothing(project: Project, key: str, command: str) -> None:
    project.write("hotrun.toml", f"[{key}]\ncommand = {command}\n")
    code, problem = said(project)
    assert code == 2
    assert f"{key}.command" in problem[0] or "hotrun.toml:2" in problem[0]


# --- roots ---


@pytest.mark.parametrize("root", ["/", "home", "home/..", "link"])
def test_a_root_that_is_too_much_to_watch(project: Project, root: str) -> None:
    project.config(f"[watch]\npaths = ['{root}']")
    home = project.path / "home"
    home.mkdir()
    (project.path / "link").symlink_to(home)
    first, _ = refused(project, HOME=str(home))
    assert "too much to watch" in first


def test_the_home_directory_as_the_project(project: Project) -> None:
    project.config()
    first, _ = refused(project, HOME=str(project.path))
    assert "your home directory" in first


def test_a_root_that_is_a_file(project: Project) -> None:
    project.config('[watch]\npaths = ["src/main.go"]')
    project.write("src/main.go")
    first, second = refused(project)
    assert '"src/main.go" is a file' in first
    assert 'include = ["main.go"]' in second


def test_a_directory_that_must_not_be_read_is_a_warning(
    project: Project, anybody: tuple[str, ...], closed: str
) -> None:
    project.config()
    with Live(project.path, prefix=anybody) as session:
        warned = session.wait_for("problem", severity="warning")
        assert f"{closed} cannot be watched: Permission denied" in warned["message"]
        project.write("main.txt", "goes on")
        assert session.wait_for("build_started", count=1)["paths"] == ["main.txt"]
        session.wait_for("build_finished", ok=True)
    assert len(session.all("problem")) == 1


def test_a_directory_that_may_be_read_after_all_is_watched_from_then_on(
    project: Project, anybody: tuple[str, ...], closed: str
) -> None:
    project.config()
    with Live(project.path, prefix=anybody) as session:
        session.wait_for("problem", severity="warning")
        (project.path / closed).chmod(0o755)
        assert session.wait_for("changed")["paths"] == [f"{closed}/inside.txt"]
        until(lambda: project.seen() == project.on_disk(), "a build that read it")
        project.write("closed/inside.txt", "changed")
        until(lambda: project.seen() == project.on_disk(), "a build of the change")


# --- commands ---


def test_a_build_command_that_does_not_exist(project: Project, start: Start) -> None:
    project.write("hotrun.toml", '[build]\ncommand = "./make.sh"\n')
    session = start()
    problem = session.wait_for("problem")
    assert "build.command: ./make.sh does not exist" in problem["message"]
    assert problem["hint"]
    session.wait_for("build_finished", ok=False, code=127)
    (project.out / "new").write_text("#!/bin/sh\n")
    (project.out / "new").chmod(0o755)
    (project.out / "new").rename(project.path / "make.sh")
    session.wait_for("build_finished", ok=True)


def test_an_app_that_does_not_exist_is_started_when_it_is_there(
    project: Project, start: Start
) -> None:
    project.write("hotrun.toml", '[run]\ncommand = "./serve.sh"\n')
    session = start()
    problem = session.wait_for("problem")
    assert "run.command: ./serve.sh does not exist" in problem["message"]
    (project.out / "new").write_text("#!/bin/sh\necho served\n")
    (project.out / "new").chmod(0o755)
    (project.out / "new").rename(project.path / "serve.sh")
    session.wait_for("output", text="served")


def test_an_app_that_is_not_executable(project: Project, start: Start) -> None:
    project.write("hotrun.toml", '[run]\ncommand = "./serve.sh"\n')
    program = project.write("serve.sh", "#!/bin/sh\necho served\n")
    session = start()
    problem = session.wait_for("problem")
    assert (problem["message"], problem["hint"]) == (
        "run.command: ./serve.sh is not executable",
        "chmod +x ./serve.sh",
    )
    program.chmod(0o755)
    session.wait_for("output", text="served")


def test_a_program_without_its_interpreter(project: Project, start: Start) -> None:
    project.write("hotrun.toml", '[run]\ncommand = "./serve.sh"\n')
    project.write("serve.sh", "#!/no/such/interpreter\n").chmod(0o755)
    problem = start().wait_for("problem")
    assert "interpreter" in problem["message"]
    assert "not there" in problem["message"]


LISTENS = 'listen = ["127.0.0.1:0"]\n'

# What stands at ./serve instead of a program, and how the message goes on.
NO_PROGRAMS = {
    "nothing": "does not exist",
    "not executable": "is not executable",
    "no interpreter": "needs /no/such/interpreter, which is not there",
    "a directory": "is a directory",
    "a FIFO": "is not a regular file",
}


def put_no_program(project: Project, what: str) -> None:
    program = project.path / "serve"
    if what == "a directory":
        program.mkdir()
    elif what == "a FIFO":
        os.mkfifo(program, 0o755)
    elif what != "nothing":
        interpreter = "/no/such/interpreter" if what == "no interpreter" else "/bin/sh"
        project.write("serve", f"#!{interpreter}\n").chmod(
            0o755 if what == "no interpreter" else 0o644
        )


@pytest.mark.parametrize("more", ["", LISTENS], ids=["", "listen"])
@pytest.mark.parametrize("what", NO_PROGRAMS)
def test_an_app_that_is_no_program_is_healed_by_one(
    project: Project, start: Start, what: str, more: str
) -> None:
    """With a socket it is a shell that starts it, which says nothing of its own."""
    project.write("hotrun.toml", f"[run]\ncommand = './serve'\n{more}")
    put_no_program(project, what)
    session = start()
    problem = session.wait_for("problem")
    assert problem["message"] == f"run.command: ./serve {NO_PROGRAMS[what]}"
    assert problem["hint"]
    if what == "a directory":
        (project.path / "serve").rmdir()
    (project.out / "new").write_text("#!/bin/sh\necho served\nexec sleep 600\n")
    (project.out / "new").chmod(0o755)
    (project.out / "new").rename(project.path / "serve")
    session.wait_for("output", text="served")
    assert session.stop() == 130  # then all that it said has been heard
    assert len(session.all("problem")) == 1
    assert [line.split(":")[0] for line in session.err if "serve" in line and ": " in line][:1] == [
        "error"
    ]


@pytest.mark.parametrize("more", ["", LISTENS], ids=["", "listen"])
def test_a_command_that_is_nowhere_on_the_path(project: Project, start: Start, more: str) -> None:
    project.write("hotrun.toml", f"[run]\ncommand = 'no-such-command'\n{more}")
    session = start()
    problem = session.wait_for("problem")
    assert problem["message"] == "run.command: no-such-command: command not found"
    assert "PATH" in problem["hint"]
    project.write("change", "1")
    session.wait_for("problem", message=problem["message"])


# --- env files, addresses, signals ---

ENV_FILE = "[run]\ncommand = 'echo it is $WORD; exec sleep 600'\nenv_files = ['.env']\n"


def test_an_env_file_that_is_a_directory_is_a_warning_until_it_is_a_file(
    project: Project, start: Start
) -> None:
    project.write("hotrun.toml", ENV_FILE)
    (project.path / ".env").mkdir()
    session = start()
    problem = session.wait_for("problem", severity="warning")
    assert "Is a directory" in problem["message"]
    assert problem["hint"] == "it is left out"
    session.wait_for("output", text="it is")
    (project.path / ".env").rmdir()
    project.write(".env", "WORD=there\n")
    session.wait_for("output", text="it is there")


def test_an_env_file_that_must_not_be_read_is_a_warning_until_it_may(
    project: Project, anybody: tuple[str, ...]
) -> None:
    project.write("hotrun.toml", ENV_FILE)
    file = project.write(".env", "WORD=there\n")
    file.chmod(0)
    with Live(project.path, prefix=anybody) as session:
        warned = session.wait_for(
            "problem", lambda event: event["hint"] == "it is left out", severity="warning"
        )
        assert "Permission denied" in warned["message"]
        session.wait_for("output", text="it is")
        file.chmod(0o644)
        session.wait_for("output", text="it is there")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("192.0.2.1", "192.0.2.1"), ("no.such.host.invalid", "no.such.host.invalid"), ("", "HOST")],
)
def test_an_address_of_an_env_file_that_cannot_be_bound_is_healed_there(
    project: Project, start: Start, wrong: str, said: str
) -> None:
    listens = "listen = ['${HOST}:0']\nenv_files = ['.env']\n"
    project.write("hotrun.toml", f"[run]\ncommand = 'echo served; exec sleep 600'\n{listens}")
    project.write(".env", f"HOST={wrong}\n" if wrong else "")
    session = start()
    problem = session.wait_for("problem")
    assert problem["message"].startswith("run.listen: ")
    assert said in problem["message"]
    assert problem["hint"]
    project.write(".env", "HOST=127.0.0.1\n")
    session.wait_for("output", text="served")


def test_a_stop_signal_that_does_not_exist(project: Project) -> None:
    project.write("hotrun.toml", "[run]\ncommand = 'true'\nstop_signal = 'SIGTREM'\n")
    code, problem = said(project)
    assert code == 2
    assert "hotrun.toml:3" in problem[0]
    assert "SIGTREM" in problem[0]
    assert "SIGTERM" in "".join(problem)


def test_a_project_that_is_moved_away_is_told_without_a_word_of_an_app(
    project: Project, start: Start
) -> None:
    project.config(command="true")
    project.write("main.txt")
    session = start()
    session.wait_for("build_finished", ok=True)
    aside = project.path.rename(project.out / "aside")
    problem = session.wait_for("problem", lambda event: "working directory" in event["message"])
    what = f"build.command: the working directory {project.path} does not exist"
    assert problem["message"] == what
    assert problem["hint"] == "put it back, or start hotrun again where it is now"
    aside.rename(project.path)
    session.wait_for("build_finished", ok=True)


def test_a_working_directory_that_is_not_there(project: Project, start: Start) -> None:
    project.write("hotrun.toml", '[run]\ncommand = "pwd"\nworking_directory = "web"\n')
    session = start()
    problem = session.wait_for("problem")
    assert problem["message"].endswith("/web does not exist")
    assert problem["hint"] == "create it, or set run.working_directory"
    project.write("web/index.html", "there")
    session.wait_for("output", text=str(project.path / "web"))


# --- what the build writes ---


@pytest.mark.parametrize(
    "command",
    [
        "go build -o main.go .",
        "go build -o=./main.go",
        "gcc -o main.go x.c",
        "go build -o ../src/main.go",
    ],
)
def test_an_output_that_is_a_source_file_is_refused_and_left_alone(
    project: Project, command: str
) -> None:
    project.config(command=command.replace("../src", f"../{project.path.name}"))
    main = project.write("main.go", "package main\n\nfunc main() {}\n")
    before = (main.read_bytes(), main.stat().st_mtime_ns)
    first, second = refused(project)
    assert "main.go" in first
    assert "a source file" in first
    assert "-o app" in second
    assert (main.read_bytes(), main.stat().st_mtime_ns) == before


def test_an_output_that_git_tracks_is_refused_and_left_alone(project: Project) -> None:
    project.config(command="go build -o app .")
    tracked = project.write("app", "by hand")
    project.run("git", "init", "-q")
    project.run("git", "add", "app")
    first, _ = refused(project)
    assert '"app", which is tracked by git' in first
    assert tracked.read_text() == "by hand"


def test_a_tracked_file_among_the_outputs_is_a_warning(project: Project, start: Start) -> None:
    project.config(outputs=["made.txt"])
    project.write("made.txt", "by hand")
    project.run("git", "init", "-q")
    project.run("git", "add", "made.txt")
    session = start()
    assert "tracked by git" in session.wait_for("problem", severity="warning")["message"]
    session.wait_for("build_finished", ok=True)


# --- names ---

NAMES = [
    b"bad\xff\xfe.txt",
    b"new\nline.txt",
    b"esc\x1b[31mape.txt",
    "ünï.txt".encode(),
    b"-rf *.txt",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_with_any_byte_builds_and_is_shown_escaped(
    project: Project, start: Start, name: bytes
) -> None:
    project.config()
    session = start()
    session.wait_for("build_finished")
    text = os.fsdecode(name)
    project.write(text, "one")
    assert session.wait_for("build_started")["paths"] == [text]
    session.wait_for("build_finished", ok=True)
    project.write(f"dir {text}/{text}", "two")
    assert session.wait_for("build_started")["paths"] == [f"dir {text}/{text}"]
    session.wait_for("build_finished", ok=True)
    assert project.seen() == project.on_disk()
    session.stop()
    shown = [line for line in session.err if line.startswith("-- #2")]
    assert shown
    assert all(character.isprintable() for line in session.err for character in line)


def test_a_project_in_a_directory_with_any_byte_in_its_name(tmp_path: object) -> None:
    from pathlib import Path

    from live import Project

    project = Project(
        Path(str(tmp_path)) / os.fsdecode(b"pro\xffject x"), Path(str(tmp_path)) / "out"
    )
    project.write("hotrun.toml", '[build]\ncommand = "cp main.txt ../out/made"\n')
    project.write("main.txt", "one")
    with Live(project.path) as session:
        session.wait_for("build_finished", ok=True)
        project.write("main.txt", "two")
        session.wait_for("build_finished", ok=True)
        until(lambda: (project.out / "made").read_text() == "two", "the copy")
    assert session.stop() == 130


def test_output_with_any_byte_is_passed_on(project: Project, start: Start) -> None:
    project.write("hotrun.toml", "[run]\ncommand = '''printf 'a\\377\\033b\\n' '''\n")
    session = start()
    assert session.wait_for("output")["text"] == os.fsdecode(b"a\xff\x1bb")
