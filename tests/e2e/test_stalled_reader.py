"""A reader that does not read stops nobody but itself."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from live import environment, marked, until

if TYPE_CHECKING:
    from pathlib import Path

    from live import Project

LOUD = "import itertools\nfor n in itertools.count(): print('x' * 200, n)\n"


def start(project: Project, mark: str, err: Path) -> subprocess.Popen[bytes]:
    app = project.write("app.py", LOUD)
    project.write("hotrun.toml", f"[run]\ncommand = '{sys.executable} {app}'\n")
    with err.open("wb") as stderr:
        return subprocess.Popen(
            [sys.executable, "-m", "hotrun", "run", "--json"],
            cwd=project.path,
            env=environment({"HOTRUN_TEST_MARK": mark}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_heard_although_nobody_reads_the_output(
    project: Project, tmp_path: Path, number: signal.Signals
) -> None:
    hotrun = start(project, mark := f"stalled-{tmp_path}", tmp_path / "err")
    try:
        until(lambda: "started pid" in (tmp_path / "err").read_text(), "the app to start")
        hotrun.send_signal(number)
        assert hotrun.wait(60) == 128 + number
        until(lambda: not marked(mark), "everything to be gone")
    finally:
        if hotrun.poll() is None:
            hotrun.kill()
            hotrun.wait(60)
        if hotrun.stdout is not None:
            hotrun.stdout.close()


def test_a_stalled_reader_makes_the_app_wait_and_not_hotrun_grow(
    project: Project, tmp_path: Path
) -> None:
    hotrun = start(project, f"waits-{tmp_path}", tmp_path / "err")
    assert hotrun.stdout is not None
    try:
        until(lambda: "started pid" in (tmp_path / "err").read_text(), "the app to start")
        (app,) = marked_children(hotrun.pid)
        until(lambda: waits_in_write(app), "the app to wait for its reader")
        line = json.loads(hotrun.stdout.readline())
        assert line["event"] == "session_started"
        hotrun.send_signal(signal.SIGTERM)
        assert hotrun.wait(60) == 143
    finally:
        if hotrun.poll() is None:
            hotrun.kill()
            hotrun.wait(60)
        hotrun.stdout.close()


def marked_children(pid: int) -> list[int]:
    """The app of a hotrun: its child with the cookie of the session."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        children = [int(each) for each in file.read().split()]
    return [each for each in children if each in marked("HOTRUN_SESSION=")]


def waits_in_write(pid: int) -> bool:
    """Whether a process that does nothing but write sleeps: its pipe is full."""
    return all(state(pid) == b"S" for _ in range(50))


def state(pid: int) -> bytes:
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()[0]


def test_a_slow_reader_gets_every_line_whole(project: Project, tmp_path: Path) -> None:
    hotrun = start(project, f"slow-{tmp_path}", tmp_path / "err")
    assert hotrun.stdout is not None
    try:
        numbers = []
        while len(numbers) < 20_000:
            line = json.loads(hotrun.stdout.readline())
            if line["event"] == "output":
                numbers.append(int(line["text"].rpartition(" ")[2]))
        assert numbers == list(range(20_000))
    finally:
        hotrun.send_signal(signal.SIGTERM)
        hotrun.stdout.close()
        hotrun.wait(60)
