"""An app that ends by itself: how it is told, what it had used, and what follows."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from app_log import write_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from live import Live, Project

    Start = Callable[..., Live]


def app(project: Project, line: str, more: str = "") -> None:
    """Write a hotrun.toml with an app and no build."""
    project.write("hotrun.toml", f"[run]\ncommand = '''{line}'''\n{more}\n")


# --- what is told ---


@pytest.mark.parametrize(
    ("line", "code", "name"),
    [
        ("exit 0", 0, None),
        ("exit 7", 7, None),
        ("kill -SEGV $$", None, "SIGSEGV"),
        ("kill -KILL $$", None, "SIGKILL"),
        ("kill -TERM $$", None, "SIGTERM"),
    ],
)
def test_how_it_ended_and_how_long_it_ran_is_told(
    project: Project, start: Start, line: str, code: int | None, name: str | None
) -> None:
    app(project, f"sleep 0.3; {line}")
    session = start()
    exited = session.wait_for("app_exited", code=code, signal=name, expected=False)
    assert exited["ms"] >= 300
    project.write("main.txt", "changed")  # `on_exit = "wait"`: the next change starts it again
    session.wait_for("app_started", run=2)
    assert session.stop() == 130
    said = f"app exited with {f'signal {name}' if name else f'code {code}'} after"
    assert any(said in line for line in session.err)
    assert not session.all("app_backs_off")


USES = """
import resource
block = bytearray(64 << 20)
while time.process_time() < 0.3:
    pass
used = resource.getrusage(resource.RUSAGE_SELF)
say("cpu", round((used.ru_utime + used.ru_stime) * 1000))
say("memory", used.ru_maxrss * 1024)
"""


def test_what_it_had_used_is_told(project: Project, start: Start) -> None:
    log = write_app(project, USES)
    exited = start().wait_for("app_exited", code=0)
    cpu, memory = (log.pid_of(name) for name in ("cpu", "memory"))
    assert cpu <= exited["cpu_ms"] <= exited["ms"] + 20  # it has one thread; a tick is 10 ms
    assert memory <= exited["memory"] <= memory + (16 << 20)


def test_a_small_app_is_not_said_to_have_used_what_hotrun_uses(
    project: Project, start: Start
) -> None:
    """The kernel adds what was there before the exec, and after vfork(2) that is all of ours."""
    app(project, "test -e main.txt && exit 3; exec sleep 600")
    session = start()
    session.wait_for("app_ready")
    project.write("main.txt", "changed")
    stopped = session.wait_for("app_exited", expected=True)
    assert 100_000 < stopped["memory"] < 10_000_000
    exited = session.wait_for("app_exited", code=3)
    assert (exited["memory"] or 0) < 10_000_000


def test_an_app_that_could_not_be_started_has_used_nothing(project: Project, start: Start) -> None:
    app(project, "./no-such-program")
    session = start()
    session.wait_for("problem", severity="error")
    project.write("no-such-program", "#!/bin/sh\nexit 3\n").chmod(0o755)
    exited = session.wait_for("app_exited", code=3)
    assert exited["cpu_ms"] >= 0
    assert len(session.all("app_exited")) == 1


# --- restart ---


def test_each_pause_before_the_next_try_is_twice_as_long(project: Project, start: Start) -> None:
    app(project, "exit 7", 'on_exit = "restart"')
    session = start()
    for number, pause in enumerate((500, 1000, 2000), 1):
        session.wait_for("app_exited", run=number, code=7)
        session.wait_for("app_backs_off", crashes=number, ms=pause)
        session.wait_for("app_started", run=number + 1)
    assert session.stop() == 130
    starts = [event["t"] for event in session.all("app_started")][:4]
    between = [b - a for a, b in itertools.pairwise(starts)]
    assert [
        least for least, found in zip((0.5, 1.0, 2.0), between, strict=True) if found < least
    ] == []


@pytest.mark.parametrize("builds", ["", '[build]\ncommand = "true"\n'], ids=["no build", "a build"])
def test_a_change_is_a_new_program_and_starts_at_once(
    project: Project, start: Start, builds: str
) -> None:
    """Nobody waits for the pause of a program that is not there any more, nor pays for it."""
    project.write("hotrun.toml", f'[run]\ncommand = "exit 7"\non_exit = "restart"\n{builds}')
    session = start()
    session.wait_for("app_backs_off", crashes=1, ms=500)
    session.wait_for("app_backs_off", crashes=2, ms=1000)
    session.wait_for("app_backs_off", crashes=3, ms=2000)
    project.write("main.txt", "changed")
    session.wait_for("app_started", predicate=lambda event: event["run"] >= 4)
    session.wait_for("app_backs_off", crashes=1, ms=500)


def test_ctrl_c_does_not_wait_for_the_pause(project: Project, start: Start) -> None:
    app(project, "exit 7", 'on_exit = "restart"')
    session = start()
    session.wait_for("app_backs_off", ms=2000)
    assert session.stop() == 130
    told = [event["event"] for event in session.events]
    assert "app_started" not in told[-told[::-1].index("app_backs_off") :]


# --- exit ---


@pytest.mark.parametrize(
    ("line", "code"),
    [("exit 0", 0), ("exit 7", 7), ("kill -SEGV $$", 139), ("kill -KILL $$", 137)],
)
def test_the_session_ends_with_the_code_of_the_app(
    project: Project, start: Start, line: str, code: int
) -> None:
    app(project, line, 'on_exit = "exit"')
    session = start()
    assert session.ends() == code
    assert session.events[-1]["event"] == "session_ended"
    assert session.events[-1]["code"] == code
    assert len(session.all("app_started")) == 1


def test_an_app_that_is_replaced_ends_no_session(project: Project, start: Start) -> None:
    app(project, "echo up; exec sleep 600", 'on_exit = "exit"')
    session = start()
    session.wait_for("output", text="up")
    project.write("main.txt", "changed")
    session.wait_for("app_exited", run=1, expected=True)
    session.wait_for("app_started", run=2)
    assert session.stop() == 130
