"""What children print: whole lines, all of them, and nobody waits for the end of a pipe."""

from __future__ import annotations

import os
import random
import resource
import signal

import pytest
from process.yard import Yard

from hotrun.process.output import CHUNK, LONGEST, Lines
from hotrun.process.spawn import SpawnError

SEED = int(os.environ.get("HOTRUN_TEST_SEED", "20261121"))


def test_output_comes_line_by_line_and_the_last_line_needs_no_end(yard: Yard) -> None:
    build = yard.build("print('one'); print(); print('two', end='')")
    yard.until_gone(build)
    assert build.out == ["one", "", "two"]


def test_a_line_is_told_while_the_command_still_runs(yard: Yard) -> None:
    build = yard.build("os.write(1, b'now\\nla'); forever()")
    yard.until(lambda: build.out, "the first line")
    assert build.out == ["now"]
    build.child.kill()
    yard.until_gone(build)
    assert build.out == ["now", "la"]


def test_a_line_of_a_megabyte_is_one_line(yard: Yard) -> None:
    build = yard.build("os.write(1, b'a' * 2**20 + b'\\nb\\n')")
    yard.until_gone(build)
    assert build.out == ["a" * 2**20, "b"]


def test_thirty_two_megabytes_arrive_whole(yard: Yard) -> None:
    build = yard.build("""
line = b"x" * 79 + b"\\n"
block = line * 1024
for _ in range(32 * 2**20 // len(block)):
    sys.stdout.buffer.write(block)
""")
    yard.until_gone(build)
    assert len(build.out) == 32 * 2**20 // 80 // 1024 * 1024
    assert set(build.out) == {"x" * 79}


def test_bytes_that_are_no_text_survive_and_windows_ends_do_not(yard: Yard) -> None:
    build = yard.build(r"os.write(1, b'\xff\xe4\r\n\xc3\xa4\n\r\r\n\x00')")
    yard.until_gone(build)
    assert [os.fsencode(line) for line in build.out] == [b"\xff\xe4", b"\xc3\xa4", b"\r", b"\0"]


def test_both_streams_share_one_pipe_in_order_or_have_one_each(yard: Yard) -> None:
    code = "for n in range(50): os.write(1 + n % 2, b'%d\\n' % n)"
    one, two = yard.build(code, 1), yard.build(code, 2)
    yard.until_gone(one, two)
    assert one.out == [str(n) for n in range(50)]
    assert two.out == [str(n) for n in range(0, 50, 2)]
    assert two.err == [str(n) for n in range(1, 50, 2)]


def test_stdin_is_at_its_end(yard: Yard) -> None:
    build = yard.build("print(repr(sys.stdin.read()))")
    yard.until_gone(build)
    assert build.out == ["''"]


GRANDCHILD = """
def holder():
    say("holder", os.getpid())
    hear(signal.SIGUSR1, who="holder")
    listen(1)
    for _ in range(3):
        os.write(1, b"still there\\n")
    say("wrote")
    forever()
fork(holder, setsid=True, twice={twice})
while "holder" not in open(sys.argv[1]).read():
    time.sleep(0.001)
print("last words", end="", flush=True)
"""


@pytest.mark.parametrize("twice", [False, True], ids=["setsid", "double fork"])
def test_a_grandchild_that_holds_the_pipe_does_not_keep_a_build(yard: Yard, *, twice: bool) -> None:
    build = yard.build(GRANDCHILD.format(twice=twice))
    yard.until_gone(build)
    assert build.out == ["last words"]


def test_a_daemon_that_still_prints_does_not_die_of_our_closed_pipe(yard: Yard) -> None:
    build = yard.build(GRANDCHILD.format(twice=True))
    yard.until_gone(build)
    os.kill(yard.pid_of("holder"), signal.SIGUSR1)
    yard.until_said("wrote")
    assert yard.lives(yard.pid_of("holder"))
    assert build.out == ["last words"]


def test_a_stranger_that_holds_the_pipe_does_not_keep_an_app(yard: Yard) -> None:
    """It took the pipe and hid everything else: the loop has no turn to wait in."""
    app = yard.app(
        """
def holder():
    import resource
    resource.setrlimit(resource.RLIMIT_RTTIME, (-1, -1))  # nor does it wear our mark any more
    env = {"A": "1"}
    code = 'import os, time; os.write(3, b"x"); time.sleep(600)'
    os.dup2(log, 3)
    os.set_inheritable(3, True)
    os.execve(sys.executable, [sys.executable, "-ISc", code], env)
fork(holder, setsid=True, twice=True)
while "x" not in open(sys.argv[1]).read():
    time.sleep(0.001)
print("last words", flush=True)
""",
        2,
    )
    while app.child.code is None:
        app.child.look()
    assert app.gone == 1
    assert app.out == ["last words"]


def test_a_writer_that_never_rests_does_not_keep_a_killed_build(yard: Yard) -> None:
    build = yard.build("""
def flood():
    say("flood")
    os.execvp("yes", ["yes"])
fork(flood, setsid=True, twice=True)
forever()
""")
    yard.until(lambda: build.out, "the flood")
    build.child.kill()
    yard.until_gone(build)
    assert set(build.out) <= {"y", ""}


@pytest.mark.parametrize("streams", [1, 2])
def test_a_refused_command_leaves_no_descriptor_behind(yard: Yard, streams: int) -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(SpawnError, match="command not found"):
        yard.shell("no-such-program-anywhere", streams)
    assert os.listdir("/proc/self/fd") == before


def test_too_few_descriptors_are_a_refusal_too(yard: Yard) -> None:
    before = os.listdir("/proc/self/fd")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    first = os.dup(0)
    os.close(first)
    try:
        for free in range(6):
            resource.setrlimit(resource.RLIMIT_NOFILE, (first + free, hard))
            with pytest.raises(SpawnError, match="too many files are open"):
                yard.shell("true", 2)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert os.listdir("/proc/self/fd") == before


def test_no_descriptor_is_left_after_the_end(yard: Yard) -> None:
    build = yard.build("print(1)", 2)
    yard.until_gone(build)
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        build = yard.build("print(1)", 2)
        yard.until_gone(build)
    assert os.listdir("/proc/self/fd") == before


def test_lines_do_not_depend_on_how_the_bytes_were_cut() -> None:
    rng = random.Random(SEED)
    for _ in range(300):
        data = bytes(rng.choices(b"ab\n\r\xc3\xa4\xff", k=rng.randrange(40)))
        whole = data.split(b"\n")
        expected = whole if whole[-1] else whole[:-1]
        lines, text, at = Lines(), "", 0
        while at < len(data):
            step = rng.randrange(1, 9)
            text += lines.feed(data[at : at + step])
            at += step
        said = (text + lines.rest()).split("\n")[:-1]
        assert [os.fsencode(line) for line in said] == [e.removesuffix(b"\r") for e in expected]


def test_a_line_without_an_end_does_not_fill_the_memory() -> None:
    lines = Lines()
    texts = [lines.feed(b"\r" * CHUNK) for _ in range(3 * LONGEST // CHUNK)]
    pieces = [text for text in texts if text]
    assert len(pieces) == 2
    assert max(map(len, pieces)) <= LONGEST + CHUNK
