"""What libc is asked for by hand: draining a queue, and waking who polls."""

from __future__ import annotations

import os

from hotrun.watch.inotify.libc import BUFFER, Wakeup, drain


def test_all_that_is_queued_is_drained_and_no_more() -> None:
    out, into = os.pipe2(os.O_NONBLOCK)
    try:
        assert drain(out) == b""
        os.write(into, b"x" * 5000)
        assert drain(out) == b"x" * 5000
    finally:
        os.close(out)
        os.close(into)
    assert BUFFER >= 64 * 1024


def test_a_wakeup_is_heard_once_and_survives_its_end() -> None:
    wakeup = Wakeup()
    assert not wakeup.clear()
    wakeup.set()
    wakeup.set()
    assert wakeup.clear()
    assert not wakeup.clear()
    wakeup.close()
    wakeup.set()
