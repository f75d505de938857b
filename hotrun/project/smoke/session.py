"""The session that is put to the test: a `hotrun run --json` of its own, heard line by line.

Law: no wait without a deadline. Signals to us are heard here and nowhere else, between two lines,
so that nothing is interrupted half done; the session is in a session of its own (setsid(2)), and
hears of them from us.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Self

from hotrun.project.smoke.check import InterruptedByError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Event = dict[str, Any]

LINES = 20  # of the last output of build, app and hotrun itself that are kept
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
READ = 1 << 16  # bytes of one read; a pipe holds as many


class Session:
    """A started session, as a context: what is left of it at the end is killed.

    Args:
        words: Options of `run`.
        hear: Hears every event, before anybody who waits for it.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, words: Sequence[str], hear: Callable[[Event], None]) -> None:
        self._hear = hear
        self._events: deque[Event] = deque()
        self._rest = b""
        self._open = 2
        self._ended: list[int] = []  # the signals that asked us to end, and were not acted on
        self.asked = 0  # how often a signal asked us to end
        self.said: deque[str] = deque(maxlen=LINES)  # what it wrote for people
        self._popen = subprocess.Popen(
            [*_hotrun(), "run", "--json", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.pid = self._popen.pid
        self._selector = selectors.DefaultSelector()
        for stream, take in ((self._popen.stdout, self._take), (self._popen.stderr, self._quote)):
            if stream is not None:
                self._selector.register(stream, selectors.EVENT_READ, take)
        # nohup(1): who ignores SIGHUP for us means that we stay when the terminal goes.
        heard = (number for number in ENDINGS if signal.getsignal(number) != signal.SIG_IGN)
        self._before = {number: signal.signal(number, self._end) for number in heard}
        # A signal that comes in front of select(2) would be acted on at the next line only.
        self._wake, theirs = os.pipe()
        os.set_blocking(theirs, False)
        self._theirs = theirs
        self._wakeup = signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)
        self._selector.register(self._wake, selectors.EVENT_READ, lambda _: None)

    def wait(self, until: float, *names: str) -> Event | None:
        """Return the next event of one of these names; what comes before it counts as heard.

        Args:
            until: The deadline, in the clock of ``time.monotonic``.
            names: Of events.

        Returns:
            The event; None when the session says nothing any more.

        Raises:
            TimeoutError: none came in time.
            InterruptedByError: a signal asked us to end.
        """
        while True:
            while self._events:
                event = self._events.popleft()
                self._hear(event)
                if event["event"] in names:
                    return event
            if self._ended:
                raise InterruptedByError(self._ended.pop())
            if not self._open:
                return None
            left = until - time.monotonic()
            if not self._read(max(0.0, left)) and left <= 0:
                raise TimeoutError

    def send(self, number: int) -> None:
        """Send hotrun a signal."""
        self._popen.send_signal(number)

    def ends(self, until: float) -> int | None:
        """Wait for its end and return its exit code; None when it does not come in time."""
        try:
            return self._popen.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return None

    def end(self, seconds: float) -> None:
        """Have it end in good order, although nobody hears it out; kill it when that takes long."""
        if self._popen.poll() is None:
            self._popen.terminate()
            self.ends(time.monotonic() + seconds)
        self.kill()

    def kill(self) -> None:
        """End it at once, if it lives: its guardian ends what it had started."""
        if self._popen.poll() is None:
            self._popen.kill()
        self._popen.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._selector.close()
        for stream in (self._popen.stdout, self._popen.stderr):
            if stream is not None:
                stream.close()
        os.close(self._wake)
        os.close(self._theirs)

    def _read(self, seconds: float) -> bool:
        """Read what there is, or comes in time; return whether there was anything."""
        found = self._selector.select(seconds)
        for key, _ in found:
            content = os.read(key.fd, READ)
            if not content:
                self._selector.unregister(key.fileobj)
                self._open -= 1
            key.data(content)
        return bool(found)

    def _take(self, content: bytes) -> None:
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError):  # it was killed in the middle of a line
                self._events.append(json.loads(line))

    def _quote(self, content: bytes) -> None:
        self.said.extend(content.decode(errors="backslashreplace").splitlines())

    def _end(self, number: int, _: object) -> None:
        self.asked += 1
        self._ended.append(number)


def _hotrun() -> list[str]:
    """Return how hotrun is called, without the directory that we are in.

    With ``-m`` alone Python looks for every module there first: a project may have a click.py.
    """
    here = os.path.dirname(os.path.abspath(__file__))
    ours = os.path.realpath(os.path.join(here, "..", "..", "..")) == os.getcwd()
    return [sys.executable, "-m" if ours else "-Pm", "hotrun"]
