"""What the kernel counts as written to files, and what it does not: tried, not believed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self

import pytest
from live import until

from hotrun.breaker import TICK
from hotrun.process import tree
from hotrun.process.wrote import SHARP, Meter, is_counted, waited, write_out, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OBEYS = """
import mmap, os, signal, socket, sqlite3, subprocess, sys
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a tmpfs on every Linux


class Writer:
    """A process that does what it is told, line by line."""

    def __init__(self, directory: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-BSEc", OBEYS],
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid

    def does(self, line: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline().endswith("done\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    if not is_counted(str(tmp_path / "f"), str(tmp_path)):
        pytest.skip("what is written here is not counted (no Linux, tmpfs)")
    (tmp_path / "file").write_bytes(b"0123456789")
    write_out(str(tmp_path / "file"))
    # The first read after a write is written down (mount(8), relatime), and that may be counted.
    (tmp_path / "file").read_bytes()
    subprocess.run(["true"], check=True)  # of a program as well, and once a day
    with Writer(tmp_path) as writer:
        yield writer


def grows(writer: Writer, line: str) -> bool:
    """Whether a line makes the count grow."""
    before = written([writer.pid])[writer.pid]
    writer.does(line)
    after = written([writer.pid])[writer.pid]
    assert before is not None
    assert after is not None
    return after > before


@pytest.mark.parametrize(
    "line",
    [
        "open('file', 'w').write('x')",
        "open('file', 'a').write('x')",
        "open('file', 'r+').write('x')",
        "open('new', 'w').write('x')",
        "open('temporary', 'w').write('x'); os.rename('temporary', 'file')",
        "f = open('file', 'r+b'); m = mmap.mmap(f.fileno(), 10); m[0] = 65",
        "c = sqlite3.connect('db'); c.execute('create table t(x)'); c.close()",
        "f = open('file', 'wb'); os.sendfile(f.fileno(), os.open(sys.executable, 0), 0, 9)",
        "subprocess.run(['sh', '-c', 'echo x > file'])",
        "os.system('(echo x > file)')",
    ],
    ids=str.split,
)
def test_what_makes_a_page_of_a_file_dirty_is_counted(writer: Writer, line: str) -> None:
    assert grows(writer, line)


@pytest.mark.parametrize(
    "line",
    [
        "print('a line of output: ', end='')",
        "a, b = socket.socketpair(); a.send(b'x')",
        "a, b = os.pipe(); os.write(b, b'x')",
        "open('file').read()",
        "os.utime('file'); os.chmod('file', 0o600)",
        "subprocess.run(['true'])",
    ],
    ids=str.split,
)
def test_what_writes_to_no_file_is_not_counted(writer: Writer, line: str) -> None:
    assert not grows(writer, line)


def test_what_ended_and_was_not_waited_for_has_its_count_still(writer: Writer) -> None:
    """On a busy machine a parent may take a while to wait for it."""

    def count() -> int:
        zombies = tree.below([writer.pid], zombies=True)
        found = written([writer.pid, *(stat.pid for stat in zombies)])
        return sum(each or 0 for each in found.values())

    before = count()
    writer.does("p = subprocess.Popen(['sh', '-c', 'echo x > file'])")
    until(lambda: not tree.below([writer.pid]), "the end of the shell")
    assert count() > before
    after = count()
    writer.does("p.wait()")
    assert count() == after, "it went to who waited"


def test_a_write_into_a_dirty_page_is_counted_once_it_was_written_out(
    writer: Writer, tmp_path: Path
) -> None:
    append = "f = open('file', 'a'); f.write('x'); f.close()"
    assert grows(writer, append)
    # Unless the kernel has just written it out by itself.
    assert not all(grows(writer, append) for _ in range(100))
    write_out(str(tmp_path / "file"))
    assert grows(writer, append)


def test_writing_out_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    before = file.stat()
    write_out(str(file))
    assert (file.read_bytes(), file.stat()[:-3]) == (b"0123456789", before[:-3])
    assert file.stat().st_mtime_ns == before.st_mtime_ns


def test_what_cannot_be_written_out_is_left(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name in ("gone", "fifo", "."):
        write_out(str(tmp_path / name))


def meter_at(*times: float) -> Meter:
    """A meter whose looks begin and end at these times."""
    return Meter(iter(times).__next__)


def test_who_wrote_before_is_told_from_who_writes_now(writer: Writer) -> None:
    writer.does("open('cache', 'w').write('x')")
    meter = meter_at(10.0, 10.0, 10.1, 10.1, 10.2, 10.2, 10.3, 10.3)
    pids = [writer.pid].copy
    meter.look(pids)
    meter.look(pids)
    writer.does("open('new', 'w').write('x')")
    meter.look(pids)
    meter.look(pids)
    just_before = 10.1 - TICK / 2  # as the time of a file is behind the clock
    told = {
        at: meter.wrote(at, sharp=False) for at in (9.9, 10.02, just_before, 10.12, 10.25, 10.3)
    }
    assert list(told.values()) == [None, False, True, True, False, None]


def test_what_is_written_during_a_look_is_not_overlooked(writer: Writer) -> None:
    meter = meter_at(10.0, 10.05, 10.1, 10.1)

    def pids() -> list[int]:
        writer.does("open('new', 'w').write('x')")
        return [writer.pid]

    meter.look(pids)
    meter.look([writer.pid].copy)
    assert meter.wrote(10.02) is None
    assert meter.wrote(10.06) is False


def test_who_was_waited_for_has_written_no_more_by_that(writer: Writer) -> None:
    meter = meter_at(10.0, 10.0, 10.1, 10.1, 10.2, 10.2)
    writer.does(
        "p = subprocess.Popen(['sh', '-c', 'echo x > new; echo; read x'], stdin=-1, stdout=-1)"
    )
    writer.does("p.stdout.readline(); print(p.pid, end=' ')")
    with open(f"/proc/{writer.pid}/task/{writer.pid}/children", encoding="ascii") as file:
        child = int(file.read())
    meter.look([writer.pid, child].copy)
    writer.does("p.communicate()")
    meter.look([writer.pid].copy)
    assert meter.wrote(10.0) is False


def test_what_a_child_of_ours_wrote_is_known_when_it_has_ended(
    writer: Writer, tmp_path: Path
) -> None:
    meter = meter_at(10.0, 10.0, 10.1, 10.1, 10.2, 10.2)
    with Writer(tmp_path) as other:
        meter.look([writer.pid, other.pid].copy)
        other.does("open('new', 'w').write('x')")
    meter.look([writer.pid].copy)
    meter.look([writer.pid].copy)
    assert meter.wrote(10.0) is True
    assert meter.wrote(10.1) is False


def test_a_write_long_after_the_last_look_may_be_another_one(writer: Writer) -> None:
    meter = meter_at(10.0, 10.0, 10.1, 10.1)
    meter.look([writer.pid].copy)
    writer.does("open('new', 'w').write('x')")
    meter.look([writer.pid].copy)
    assert meter.wrote(10.0 + SHARP / 2) is True
    assert meter.wrote(10.0 + 2 * SHARP) is None
    assert meter.wrote(10.0 + 2 * SHARP, sharp=False) is True


def test_of_who_writes_all_the_time_nothing_is_known(writer: Writer) -> None:
    times = [10 + n / 100 for n in range(12) for _ in (0, 1)]
    meter = meter_at(*times)
    for n in range(12):
        writer.does(f"open('new{n}', 'w').write('x')")
        meter.look([writer.pid].copy)
    assert meter.wrote(10.05) is None


def test_nothing_is_known_of_nobody() -> None:
    meter = Meter()
    assert meter.wrote(10.0) is None
    for _ in (0, 1):
        meter.look([0].copy)
    assert meter.wrote(10.0) is None
    meter.close()
    meter.close()


def test_after_a_look_no_file_gets_a_time_before_it(tmp_path: Path) -> None:
    if tuple(map(int, os.uname().release.split(".")[:2])) < (6, 13) or waited() is None:
        pytest.skip("no exact times of files (no Linux, or before 6.13)")
    meter = Meter()
    files = [open(tmp_path / f"{n}", "wb", 0) for n in range(50)]  # noqa: SIM115 - closed below
    times = []
    for file in files:
        times.append(time.time_ns())
        meter.look(list)
        file.write(b"x")
    # All at the end: of a file that was asked for its time, the next change gets an exact one.
    for file, before in zip(files, times, strict=True):
        assert os.fstat(file.fileno()).st_mtime_ns >= before
        file.close()
    meter.close()


def test_where_writes_are_not_counted_that_is_found_out(writer: Writer, tmp_path: Path) -> None:  # noqa: ARG001 - it skips
    here = str(tmp_path)
    assert is_counted(f"{here}/file", here)
    assert not is_counted(f"{here}/gone/file", here)
    assert not is_counted(f"{here}/file", f"{here}/gone")
    assert not is_counted(f"{SHARED_MEMORY}/file", SHARED_MEMORY)
    assert not is_counted(f"{SHARED_MEMORY}/file", here)
    assert os.listdir(here) == ["file"]
