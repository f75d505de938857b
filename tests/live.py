"""A live `hotrun run --json`: started, heard line by line, and always ended.

Law: no test waits without a deadline and a name of what it waited for, and nothing that was
started outlives its test. All processes of a session carry its mark in their environment, so
that leftovers are found whatever became of their parents.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Self

import pytest
import snapshot

from hotrun.process import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

DEADLINE = 60.0  # seconds; generous, because the machine may be busy with other tests
PAUSE = 0.005  # seconds between two looks at something that cannot tell us

Event = dict[str, Any]


def until(predicate: Callable[[], object], what: str, seconds: float = DEADLINE) -> None:
    """Wait until something is true; fail with what was waited for when it does not come."""
    end = time.monotonic() + seconds
    while not predicate():
        assert time.monotonic() < end, f"waited {seconds:g} s for {what}"
        time.sleep(PAUSE)


def _ports() -> Iterator[int]:
    """Yield what ports there are for the tests of this worker, each of them once.

    None of those that the kernel chooses from (ip_local_port_range, from 32768 on; in the BSDs
    from 49152): until the app binds it, it would be given to a client of another test. And none
    of another worker's, whose app may be about to bind it, or between two lives.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ours = range(10_000 + worker, 32_000, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    yield from random.SystemRandom().sample(ours, len(ours))


PORTS = _ports()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on, and no other test is given."""
    while True:
        port = next(PORTS)
        with contextlib.suppress(OSError), socket.socket() as sock:
            sock.bind(("127.0.0.1", port))
            return port


def listens(port: int) -> bool:
    """Whether somebody listens on a port of 127.0.0.1 (a connection that was is no listener)."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a started hotrun: this Python's neighbours come first on PATH."""
    beside = os.path.dirname(sys.executable)
    path = f"{beside}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, "PATH": path, **(extra or {})}


def marked(mark: str) -> list[int]:
    """Return the pids of living processes whose environment holds a text; no zombies."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
            if mark.encode() in file.read():
                found.append(int(pid))
    return found


@dataclass(frozen=True, slots=True)
class Ended:
    """What a hotrun that ended by itself left: its code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def problem(self) -> list[str]:
        """The lines that say what is wrong and what to do."""
        return [line for line in self.err.splitlines() if line.startswith(("error: ", "hint: "))]


def ended(directory: Path, *words: str, **env: str) -> Ended:
    """Run `hotrun WORDS` until it ends by itself."""
    done = subprocess.run(
        [sys.executable, "-m", "hotrun", *words],
        cwd=directory,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=DEADLINE,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ended(done.returncode, done.stdout, done.stderr)


class Live:
    """One `hotrun run --json` as a context; leaving it ends it and looks for leftovers.

    Args:
        directory: The project.
        words: More options and arguments of `run`.
        env: Added to the environment.
        prefix: A command that executes hotrun in its place, such as setpriv.
    """

    def __init__(
        self,
        directory: Path,
        *words: str,
        env: Mapping[str, str] | None = None,
        prefix: tuple[str, ...] = (),
    ) -> None:
        self.mark = f"HOTRUN_TEST_MARK={uuid.uuid4()}"
        self.events: list[Event] = []
        self.err: list[str] = []
        self._heard = 0  # events up to here were waited for
        self._news = threading.Condition()
        self.closed = False  # nothing more is heard of it
        name, _, value = self.mark.partition("=")
        self._hotrun = subprocess.Popen(
            [*prefix, sys.executable, "-m", "hotrun", "run", "--json", *words],
            cwd=directory,
            env=environment({**(env or {}), name: value}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="surrogateescape",
            start_new_session=True,  # no signal of a terminal but those that a test sends
        )
        self.pid = self._hotrun.pid
        assert self._hotrun.stdout is not None
        assert self._hotrun.stderr is not None
        self._readers = [
            threading.Thread(target=self._read_events, args=(self._hotrun.stdout,), daemon=True),
            threading.Thread(target=self._read_words, args=(self._hotrun.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    # --- what it says ---

    def _read_events(self, stream: IO[str]) -> None:
        for line in stream:
            event = json.loads(line)
            with self._news:
                self.events.append(event)
                self._news.notify_all()
        with self._news:
            self.closed = True
            self._news.notify_all()

    def _read_words(self, stream: IO[str]) -> None:
        self.err.extend(line.rstrip("\n") for line in stream)

    def wait_for(
        self,
        name: str,
        predicate: Callable[[Event], object] = lambda _: True,
        **fields: object,
    ) -> Event:
        """Return the next event of a name that fits; what came before it counts as heard.

        Args:
            name: The event, such as "build_finished".
            predicate: What has to hold for it.
            fields: Fields that have to be equal.
        """
        end = time.monotonic() + DEADLINE
        at = self._heard
        with self._news:
            while True:
                while at < len(self.events):
                    event = self.events[at]
                    at += 1
                    if fits(event, name, fields) and predicate(event):
                        self._heard = at
                        return event
                left = end - time.monotonic()
                if self.closed or left <= 0:
                    how = "the session ended" if self.closed else f"waited {DEADLINE:g} s"
                    pytest.fail(f"{how} before {name} {fields or ''} came\n{self.transcript()}")
                self._news.wait(left)

    def all(self, name: str, since: int = 0, **fields: object) -> list[Event]:
        """Return every event of a name so far, from a `mark` on."""
        return [event for event in self.events[since:] if fits(event, name, fields)]

    @property
    def now(self) -> int:
        """How many events there are by now, for `all`."""
        return len(self.events)

    def transcript(self) -> str:
        """All that was heard."""
        lines = [json.dumps(event) for event in self.events[-400:]]
        return "\n".join(["--- events", *lines, "--- stderr", *self.err[-200:]])

    # --- how it ends ---

    def send(self, number: signal.Signals) -> None:
        """Send a signal to hotrun alone."""
        self._hotrun.send_signal(number)

    def ends(self, what: str = "the end of hotrun") -> int:
        """Wait for the end and return the exit code."""
        try:
            code = self._hotrun.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            pytest.fail(f"waited {DEADLINE:g} s for {what}\n{self.transcript()}")
        for reader in self._readers:
            reader.join(DEADLINE)
        return code

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal, wait for the end, and return the exit code."""
        self.send(number)
        return self.ends(f"the end after {number.name}")

    def close_output(self) -> None:
        """Stop reading, as a program does that ends.

        A read that waits takes what is said next, and only then is the pipe nobody's: `closed`.
        """
        nobody, their_end = os.pipe()
        os.close(their_end)
        for stream in (self._hotrun.stdout, self._hotrun.stderr):
            if stream is not None:
                os.dup2(nobody, stream.fileno())
        os.close(nobody)

    def leftovers(self) -> list[int]:
        """Return the pids of all that it started, itself included, and that live."""
        return marked(self.mark)

    def guardian(self) -> int:
        """Wait until the guardian is what it will be, and asleep; return its pid."""
        found: list[int] = []

        def sleeps() -> bool:
            found[:] = [pid for pid in tree.children(self.pid) if is_guardian(pid)]
            return bool(found)

        until(sleeps, "the guardian")
        return found[0]

    def is_killed_with_its_guardian(self) -> None:
        """Kill both, so that what was started is left."""
        os.kill(self.guardian(), signal.SIGKILL)
        self.send(signal.SIGKILL)
        self.ends()

    def apps(self) -> set[int]:
        """Return the pids of the app and all it started: they carry the session's cookie."""
        return set(marked(f"HOTRUN_SESSION={self.pid}-"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if self._hotrun.poll() is None:
                self.send(signal.SIGCONT)
                self.stop()
            if kind is None:
                assert not self.leftovers(), f"left behind\n{self.transcript()}"
                assert not any("Traceback" in line for line in self.err), self.transcript()
        finally:
            self._end_all()
            sys.stdout.write(f"{self.transcript()}\n")  # shown when the test failed

    def _end_all(self) -> None:
        for pid in self.leftovers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._hotrun.wait(DEADLINE)
        for reader in self._readers:
            reader.join(DEADLINE)
        for stream in (self._hotrun.stdout, self._hotrun.stderr):
            if stream is not None:
                stream.close()


def is_guardian(pid: int) -> bool:
    """Whether a process is a guardian that sleeps; before that it is a copy of hotrun."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().startswith(b"%d (hotrun-guardian) S " % pid)
    return False


def fits(event: Event, name: str, fields: Mapping[str, object]) -> bool:
    """Whether an event has this name and these fields."""
    return event["event"] == name and all(event.get(key) == fields[key] for key in fields)


class Project:
    """A project in a temporary directory, and beside it a place for what its build makes.

    Its build can be a snapshot: it writes down the whole tree as the build command found it.
    """

    def __init__(self, path: Path, out: Path) -> None:
        self.path = path
        self.out = out
        for directory in (path, out):
            directory.mkdir(parents=True, exist_ok=True)
        self.seen_file = out / "seen.json"

    @property
    def snapshots(self) -> list[str]:
        """The build command that writes down what it sees."""
        return [sys.executable, "-SE", snapshot.__file__, str(self.path), str(self.seen_file)]

    def config(self, text: str = "", **build: object) -> None:
        """Write hotrun.toml: a table [build] (a snapshot, unless told otherwise), then `text`."""
        table = {"command": self.snapshots, **build}
        lines = [f"{key} = {json.dumps(value)}" for key, value in table.items()]
        self.write("hotrun.toml", "\n".join(["[build]", *lines, "", text]))

    def write(self, name: str, content: str | bytes = "") -> Path:
        """Write a file in one go, and the directories that it needs.

        By a rename, because a busy machine may stall us between an open and a write for longer
        than a tree has to be quiet: then one save is two changes.
        """
        path, draft = self.path / name, self.out / ".draft"
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content.encode() if isinstance(content, str) else content)
        draft.replace(path)
        return path

    def seen(self) -> snapshot.Tree:
        """What the last finished build saw; empty before the first."""
        try:
            return snapshot.load(str(self.seen_file))
        except FileNotFoundError:
            return {}

    def on_disk(self) -> snapshot.Tree:
        """What a build would see now."""
        return snapshot.take(str(self.path))

    def last_build(self, session: Live) -> list[list[str]]:
        """Save one more file, wait for its build, and return what each build so far named.

        Nothing else shows that no build is still to come: what is late joins the last one.
        """
        self.write("sentinel", f"{session.now}")
        started = session.wait_for("build_started", lambda event: "sentinel" in event["paths"])
        session.wait_for("build_finished", run=started["run"], ok=True)
        assert self.seen() == self.on_disk()
        return [event["paths"] for event in session.all("build_started")]

    def run(self, *words: str, **env: str) -> str:
        """Run a command in the project, and return what it printed."""
        done = subprocess.run(
            words,
            cwd=self.path,
            env=environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout
