"""`hotrun smoke`: what it says of a project that is well, and of every way in which one is not."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from live import DEADLINE, Ended, Project, environment, free_port, listens, marked, until

from hotrun.config import load
from hotrun.jobs.app import NAMED
from hotrun.process import tree
from hotrun.project.smoke import ending
from hotrun.project.smoke.check import FailedError
from hotrun.project.smoke.live import Live
from hotrun.project.smoke.subject import prepare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = ["config", "watch", "build", "start", "ready", "reload", "stop", "clean"]
PYTHON = f"{sys.executable} -ISE"
SERVER = """
import socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("serving", flush=True)
while True:
    listener.accept()[0].close()
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("never", flush=True)
while True:
    time.sleep(60)
"""
# A double fork and setsid(2), as daemon(3) does it; it listens, and answers SIGTERM by ending.
DAEMON = """
import os, socket, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
        print("daemon", os.getpid(), flush=True)
        while True:
            time.sleep(60)
    os._exit(0)
os.wait()
while True:
    time.sleep(60)
"""
SLEEPS = "import time\nprint('up', flush=True)\nwhile True:\n    time.sleep(60)\n"
# The first build is over at once; that of the edit never is.
HANGS = """
import pathlib, sys, time
if pathlib.Path("app.py").read_bytes().endswith(b"\\n\\n"):
    print("hangs", flush=True)
    time.sleep(600)
"""


def config(project: Project, app: str, *words: object, build: str = "", run: str = "") -> Path:
    """Write an app and a config that runs it; return the app's file."""
    named = " ".join(map(str, words))
    table = f'[build]\ncommand = "{build}"\n\n' if build else ""
    project.write("hotrun.toml", f'{table}[run]\ncommand = "{PYTHON} app.py {named}"\n{run}\n')
    return project.write("app.py", app)


def smoke(project: Project, *words: str, **env: str) -> tuple[Ended, dict[str, Any]]:
    """Run `hotrun smoke --json`; return how it ended, and its checks by their names."""
    mark = f"HOTRUN_TEST_MARK={uuid.uuid4()}"
    name, _, value = mark.partition("=")
    process = subprocess.run(
        [sys.executable, "-m", "hotrun", "smoke", "--json", *words],
        cwd=project.path,
        env=environment({"GITHUB_ACTIONS": "", **env, name: value}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    done = Ended(process.returncode, process.stdout, process.stderr)
    checks = [json.loads(line) for line in done.out.splitlines()]
    assert [each["check"] for each in checks[:-1]] == NAMES, done.err
    assert checks[-1]["event"] == "smoke_finished"
    assert checks[-1]["code"] == done.code
    assert marked(mark) == []
    assert not os.path.isdir(project.path / ".hotrun") or env.get("KEEPS")
    return done, {each["check"]: each for each in checks[:-1]}


def oks(checks: dict[str, Any]) -> list[bool | None]:
    return [checks[name]["ok"] for name in NAMES]


def state(path: Path) -> tuple[bytes, int, int, int]:
    stat = path.stat()
    return path.read_bytes(), stat.st_mtime_ns, stat.st_mode, stat.st_ino


def parsed(report: Path) -> ET.Element:
    """The one test suite of a JUnit file."""
    (suite,) = ET.parse(report).getroot()  # noqa: S314 - it is our own
    return suite


def test_a_healthy_project_passes_and_its_source_is_what_it_was(project: Project) -> None:
    port = free_port()
    ready = f'env = {{ P = "{port}" }}\nready = {{ tcp = "127.0.0.1:${{P}}", timeout = "30s" }}'
    app = config(project, SERVER, port, build=f"{PYTHON} -c pass", run=ready)
    app.chmod(0o640)
    os.utime(app, ns=(1_700_000_000_123_456_789, 1_600_000_000_987_654_321))
    before = state(app)
    report = project.out / "reports" / "smoke.xml"
    done, checks = smoke(project, "--junit", str(report))
    assert done.code == 0, done.err
    assert oks(checks) == [True] * 8
    assert checks["ready"]["message"].startswith(f"a connection to 127.0.0.1:{port} after ")
    assert checks["reload"]["message"].startswith("app.py: built in ")
    assert "restarted as pid" in checks["reload"]["message"]
    assert checks["stop"]["message"] == "SIGTERM: the app ended with signal SIGTERM"
    assert checks["clean"]["message"] == f"no process is left, and no port ({port})"
    assert state(app) == before
    assert not listens(port)
    suite = parsed(report)
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == (
        "hotrun smoke",
        "8",
        "0",
    )
    assert [case.get("name") for case in suite] == NAMES
    assert all(float(case.get("time", "x")) >= 0 for case in suite)


def test_a_broken_build_fails_with_its_output_and_an_annotation_at_its_line(
    project: Project,
) -> None:
    code = (
        "import sys; print('app.py:3:7: error: no such name, 100%', file=sys.stderr); sys.exit(2)"
    )
    project.write("build.py", code)
    config(project, SLEEPS, build=f"{PYTHON} build.py")
    report = project.out / "smoke.xml"
    done, checks = smoke(
        project,
        "--junit",
        str(report),
        GITHUB_ACTIONS="true",
        GITHUB_WORKSPACE=str(project.path.parent),
    )
    assert done.code == 1
    assert oks(checks) == [True, True, False, None, None, None, None, True]
    assert checks["build"]["message"] == f"{PYTHON} build.py failed (exit 2)"
    assert checks["build"]["output"] == ["app.py:3:7: error: no such name, 100%"]
    assert checks["start"]["message"] == "not reached: build failed"
    annotations = [line for line in done.err.splitlines() if line.startswith("::")]
    assert annotations == [
        "::error file=project/app.py,line=3,col=7,title=hotrun smoke%3A build::no such name, 100%25"
    ]
    case = parsed(report)[2]
    assert case[0].tag == "failure"
    assert case[0].get("message") == f"{PYTHON} build.py failed (exit 2)"
    assert "no such name" in (case[0].text or "")


def test_an_app_that_never_gets_ready_ends_with_124(project: Project) -> None:
    port = free_port()
    # Time enough to print a word on a busy machine, too.
    ready = f'ready = {{ tcp = "127.0.0.1:{port}", timeout = "1s" }}'
    config(project, SLEEPS, run=ready)
    done, checks = smoke(project)
    assert done.code == 124
    assert oks(checks) == [True, True, None, True, False, None, True, True]
    assert checks["ready"]["message"].startswith(
        f"the app does not serve after 1 s: a connection to 127.0.0.1:{port}: "
    )
    assert checks["ready"]["output"] == ["up"]
    assert done.err.count("the app does not serve after 1 s") == 1


def test_a_daemon_that_the_app_leaves_is_stopped_named_and_fails_the_check(
    project: Project,
) -> None:
    port = free_port()
    app = config(project, DAEMON, port, run='ready = { log = "^daemon" }')
    before = state(app)
    done, checks = smoke(project)
    assert done.code == 1
    assert oks(checks) == [True, True, None, True, True, True, True, False]
    message = checks["clean"]["message"]
    assert message.startswith("the app left processes behind, which were stopped: pid ")
    assert message.count(f"({PYTHON} app.py {port})") == 2  # of the app before and after the edit
    assert not listens(port)
    assert state(app) == before


def test_an_app_that_ignores_its_stop_signal_is_killed_and_fails_the_check(
    project: Project,
) -> None:
    ready = 'ready = { log = "never" }\nstop_timeout = "200ms"'
    config(project, STUBBORN, run=ready)
    done, checks = smoke(project)
    assert done.code == 1
    assert oks(checks) == [True, True, None, True, True, True, False, True]
    pid = checks["reload"]["message"].partition("restarted as pid ")[2].partition(":")[0]
    assert checks["stop"]["message"] == (
        f"SIGTERM did not end the app in 200 ms, so it was killed: pid {pid} ({PYTHON} app.py)"
    )
    assert checks["stop"]["hint"] == (
        "let it end on that signal, or set run.stop_signal or run.stop_timeout"
    )


def test_a_program_that_runs_to_its_end_is_no_failure(project: Project) -> None:
    config(project, "print('done')\n", build=f"{PYTHON} -c pass")
    done, checks = smoke(project)
    assert done.code == 0, done.err
    assert oks(checks) == [True] * 8
    assert checks["ready"]["message"].startswith("it ran to its end with code 0 in ")
    assert checks["stop"]["message"] == "the app had run to its end, with code 0"


def test_an_app_that_crashes_is_shown_with_the_line_of_its_traceback(project: Project) -> None:
    config(project, "def f():\n    raise ValueError('no\\tway')\nf()\n")
    done, checks = smoke(project, GITHUB_ACTIONS="true", GITHUB_WORKSPACE="")
    assert done.code == 1
    assert oks(checks) == [True, True, None, True, False, None, None, True]
    assert checks["ready"]["message"].startswith("the app ended with code 1 after ")
    assert checks["ready"]["output"][-1] == "ValueError: no\tway"
    place = checks["ready"]["diagnostics"][0]
    assert (place["file"], place["line"], place["severity"]) == ("app.py", 2, "error")
    assert f"::error file={project.path}/app.py,line=2,title=" in done.err


class Crashing(Live):
    """A smoke test whose app crashes after our last look at it, and before it is asked to end."""

    def learn(self) -> None:
        if self.heard.pid and self.last:
            self.last.touch()
            until(lambda: tree.read(self.heard.pid) is None, "the end of the app")
        super().learn()

    last: Path | None = None


def test_an_app_that_crashes_just_before_it_is_asked_to_end_fails_the_check(
    project: Project,
) -> None:
    last = project.out / "last"
    waits = "import os, sys, time\nprint('up', flush=True)\n"
    waits += "while not os.path.exists(sys.argv[1]):\n    time.sleep(0.01)\nsys.exit(9)\n"
    config(project, waits, last, run='ready = { log = "up" }')
    words = ("-C", str(project.path))
    subject = prepare(load(None, str(project.path)), words, None)
    with Crashing(subject, time.monotonic() + DEADLINE) as live:
        live.expect("app_ready")
        live.last = last
        with pytest.raises(FailedError) as failed:
            ending.stop(live)
    assert str(failed.value) == "the app ended by itself, with code 9, before it was asked to"
    assert failed.value.output == ("up",)


def test_a_port_that_a_stranger_holds_is_what_an_app_failed_for(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        config(project, SERVER, port, run=f'ready = {{ tcp = "127.0.0.1:{port}" }}')
        done, checks = smoke(project)
    assert done.code == 1
    assert oks(checks) == [True, True, None, True, False, None, None, True]
    assert checks["ready"]["message"].startswith("the app ended with code 1 after ")
    # What is told last: after the app, whose end is told first.
    assert checks["ready"]["hint"].startswith(f"port {port} is held by pid {os.getpid()}")
    assert done.err.count(f"is held by pid {os.getpid()}") == 1


def test_an_app_that_cannot_be_started_again_is_said(project: Project) -> None:
    project.write("first.py", HANGS.replace("time.sleep(600)", "sys.exit(1)"))
    app = config(project, SLEEPS, run=f'before = ["{PYTHON} first.py"]')
    was = state(app)
    done, checks = smoke(project)
    assert done.code == 1
    assert oks(checks)[3:6] == [True, True, False]
    words = f"{PYTHON} first.py"
    words = words if len(words) <= NAMED else f"{words[:NAMED]}..."
    assert checks["reload"]["message"] == f"run.before: {words} failed with code 1"
    assert checks["reload"]["hint"] == "the app is not started"
    assert state(app) == was


def test_a_build_that_makes_the_same_bytes_keeps_the_app_which_is_right(project: Project) -> None:
    project.write("build.py", "open('made', 'w').write('the same')")
    app = config(project, SLEEPS)
    build = f'[build]\ncommand = "{PYTHON} build.py"\noutputs = ["made"]\n'
    project.write("hotrun.toml", build + (project.path / "hotrun.toml").read_text())
    done, checks = smoke(project)
    assert done.code == 0, done.err
    pid = checks["start"]["message"]
    assert checks["reload"]["message"].endswith(f"the same bytes, so the app ({pid}) was kept")
    assert app.read_text() == SLEEPS


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ('action = "signal"\nsignal = "SIGCONT"', "the app was sent SIGCONT, as its [[rule]] says"),
        ('action = "restart"', "restarted as pid "),
    ],
    ids=["signal", "restart"],
)
def test_a_file_with_a_rule_is_held_to_what_the_rule_says(
    project: Project, action: str, said: str
) -> None:
    project.write("app.conf", "a = 1\n")
    config(project, SLEEPS, run=f'[[rule]]\nmatch = ["*.conf"]\n{action}')
    done, checks = smoke(project, "--edit", "app.conf")
    assert done.code == 0, done.err
    assert checks["reload"]["message"].startswith(f"app.conf: {said}")
    assert (project.path / "app.conf").read_text() == "a = 1\n"


def test_a_project_without_an_app_is_built_and_built_again(project: Project) -> None:
    project.write("main.c", "int main(void) { return 0; }\n")
    project.config(command=f"{PYTHON} -c pass")
    done, checks = smoke(project)
    assert done.code == 0, done.err
    assert oks(checks) == [True, True, True, None, None, True, None, True]
    assert checks["start"]["message"] == "there is no app ([run])"
    assert checks["reload"]["message"].startswith("main.c: built in ")


def test_a_config_that_is_wrong_starts_nothing_and_is_annotated(project: Project) -> None:
    project.write("hotrun.toml", '[run]\ncomand = "true"\n')
    done, checks = smoke(project, GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(project.path))
    assert done.code == 2
    assert oks(checks) == [False] + [None] * 7
    assert checks["watch"]["message"] == "not reached: config failed"
    assert "::error file=hotrun.toml,line=2,col=1,title=hotrun smoke%3A config::" in done.err


def test_an_edit_that_cannot_be_made_is_said(project: Project) -> None:
    config(project, SLEEPS)
    project.write(".hotrun", "a file of somebody's")
    done, checks = smoke(project)
    assert done.code == 1
    assert oks(checks) == [True, True, None, True, True, False, True, True]
    assert checks["reload"]["message"] == "app.py cannot be edited: Not a directory"
    assert (project.path / ".hotrun").read_text() == "a file of somebody's"


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (
            ("--edit", "gone.py"),
            "--edit: there is no file gone.py",
            "name another file with --edit FILE",
        ),
        (
            ("--edit", "notes.txt"),
            "--edit: a change of notes.txt does nothing",
            "No include pattern matches it; name another file with --edit FILE",
        ),
    ],
    ids=["no file", "not watched"],
)
def test_a_file_that_cannot_reload_is_refused_before_anything_starts(
    project: Project, words: tuple[str, ...], message: str, hint: str
) -> None:
    project.write("notes.txt", "notes\n")
    config(project, SLEEPS, run='[watch]\ninclude = ["*.py"]')
    done, checks = smoke(project, *words)
    assert done.code == 2
    assert (checks["config"]["message"], checks["config"]["hint"]) == (message, hint)


# --- what happens to the edited file ---


@contextlib.contextmanager
def started(project: Project, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A smoke test, and the mark of all that it starts."""
    mark = f"HOTRUN_TEST_MARK={uuid.uuid4()}"
    name, _, value = mark.partition("=")
    with subprocess.Popen(
        [sys.executable, "-m", "hotrun", "smoke", *words],
        cwd=project.path,
        env=environment({"GITHUB_ACTIONS": "", name: value}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            yield process, mark
        finally:
            for pid in marked(mark):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def under_way(project: Project, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A smoke test that hangs in the build of its edit."""
    with started(project, *words) as (process, mark):
        app = project.path / "app.py"
        until(lambda: app.read_bytes().endswith(b"\n\n"), "the edit")
        yield process, mark


def line_of(process: subprocess.Popen[bytes]) -> str:
    """The next line that it writes; empty at the end."""
    assert process.stdout is not None
    return process.stdout.readline().decode()


def hanging(project: Project) -> tuple[Path, tuple[bytes, int, int, int]]:
    project.write("build.py", HANGS)
    app = config(project, SLEEPS, build=f"{PYTHON} build.py")
    os.utime(app, ns=(1_700_000_000_123_456_789, 1_600_000_000_987_654_321))
    return app, state(app)


def test_a_smoke_test_that_is_killed_leaves_the_source_as_it_was_and_no_process(
    project: Project,
) -> None:
    app, before = hanging(project)
    with under_way(project) as (process, mark):
        assert marked(mark)
        process.kill()
        process.wait(DEADLINE)
        until(lambda: state(app) == before, "the source as it was")
        until(lambda: not marked(mark), "the end of all that was started")
        assert not (project.path / ".hotrun").exists()


def test_a_session_that_has_nothing_to_say_ends_too_when_its_smoke_test_is_killed(
    project: Project,
) -> None:
    silent = SLEEPS.replace("print", "str").replace(", flush=True", "")
    config(project, silent, run='ready = { log = "never", timeout = "10m" }')
    with started(project) as (process, mark):
        until(lambda: "start" in line_of(process), "the start of the app")
        process.kill()
        process.wait(DEADLINE)
        until(lambda: not marked(mark), "the end of all that was started")
        assert not (project.path / ".hotrun").exists()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_a_smoke_test_that_is_interrupted_undoes_its_edit(
    project: Project, number: signal.Signals, code: int
) -> None:
    app, before = hanging(project)
    with under_way(project, "--color", "never") as (process, mark):
        process.send_signal(number)
        out, _ = process.communicate(timeout=DEADLINE)
        assert process.returncode == code
        assert state(app) == before
        assert marked(mark) == []
    lines = out.decode().splitlines()
    assert any(line.startswith("\N{BALLOT X} reload ") and "interrupted" in line for line in lines)
    assert lines[-1].startswith("error: smoke test failed: reload (")


def test_who_asks_twice_does_not_wait_for_an_app_that_does_not_stop(project: Project) -> None:
    app = config(project, STUBBORN, run='ready = { log = "never" }\nstop_timeout = "10m"')
    before = state(app)
    with started(project) as (process, mark):
        until(lambda: app.read_bytes() != before[0], "the edit")
        process.send_signal(signal.SIGINT)
        lines: list[str] = []
        until(lambda: lines.append(line_of(process)) or "reload" in lines[-1], "its end")
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 130
        assert marked(mark) == []
    assert state(app) == before


def test_a_reader_that_goes_away_ends_it_in_good_order(project: Project) -> None:
    app = config(project, SLEEPS)
    before = state(app)
    with started(project) as (process, mark):
        assert process.stdout is not None
        until(lambda: "ready" in line_of(process), "the line before that of the edit")
        process.stdout.close()
        assert process.wait(DEADLINE) == 141
        assert marked(mark) == []
    assert state(app) == before
    assert not (project.path / ".hotrun").exists()


def test_when_the_time_is_up_all_is_ended_and_the_code_is_124(project: Project) -> None:
    config(project, SLEEPS, build="sleep 600")
    done, checks = smoke(project, "--timeout", "1500ms")
    assert done.code == 124
    (late,) = (each for each in checks.values() if each["ok"] is False)
    assert late["check"] in ("watch", "build")  # on a busy machine not even the listing is done
    assert late["message"] == "not done when the time was up (1.5 s)"
    assert late["hint"] == "give it longer with --timeout"


def test_what_somebody_else_wrote_meanwhile_is_kept_and_the_bytes_from_before_are_named(
    project: Project,
) -> None:
    theirs = (
        "import pathlib\n"
        "app = pathlib.Path('app.py')\n"
        "text = app.read_bytes()\n"
        "if text.endswith(b'\\n\\n'):\n"
        "    app.write_bytes(text + b'# mine\\n')\n"
    )
    project.write("build.py", theirs)
    app = config(project, SLEEPS, build=f"{PYTHON} build.py")
    before = app.read_bytes()
    done, checks = smoke(project, KEEPS="1")
    assert done.code == 0, done.err
    (note,) = checks["clean"]["notes"]
    backup = note.rpartition(" ")[2]
    assert note == (
        f"{app} was changed by somebody else meanwhile and is left alone: "
        f"as it was before, it is in {backup}"
    )
    assert app.read_bytes() == before + b"\n# mine\n"
    with open(backup, "rb") as file:
        assert file.read() == before


def test_the_next_smoke_test_undoes_the_edit_when_the_guard_was_killed_too(
    project: Project,
) -> None:
    app, before = hanging(project)
    with under_way(project) as (process, _):
        children = tree.children(process.pid)
        assert len(children) == 2  # the session, and the guard
        guard = next(pid for pid in children if "hotrun-smoke" in tree.command_line(pid))
        os.kill(guard, signal.SIGKILL)
        process.kill()
    assert app.read_bytes() == before[0] + b"\n"
    project.write("build.py", "pass")
    done, checks = smoke(project, KEEPS="1")
    assert done.code == 0, done.err
    assert checks["watch"]["notes"] == ["an earlier smoke test was killed: its edit is undone"]
    assert state(app) == before
