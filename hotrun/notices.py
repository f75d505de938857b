"""What subscribers hear: the one stream of notices.

Console, JSON lines and tests are siblings; each is a callable that takes a notice. The names
of the classes and fields are those of the JSON lines (``BuildFinished`` is ``build_finished``),
so that every subscriber and every document speaks the same words. Durations are whole
milliseconds; paths are relative to the project where they are in it. Named tuples, because a
frozen dataclass takes ten times as long to define, and all of them are defined at each start.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class SessionStarted(NamedTuple):
    """hotrun is up."""

    version: str
    pid: int
    config: str | None
    directory: str


class Watching(NamedTuple):
    """The trees are watched and listed."""

    backend: str
    roots: list[str]
    directories: int
    files: int
    ms: int
    reason: str


class Changed(NamedTuple):
    """Files differ from what the last build saw; at most 100 of ``count`` are named.

    ``ms``: from the first event to the decision, as long as it took to settle.
    """

    service: str
    paths: list[str]
    count: int  # type: ignore[assignment]  # the word of the JSON line, not tuple.count
    recovered: bool
    ms: int = 0


class Ignored(NamedTuple):
    """Files changed, and nothing follows from it: ``reason`` says why, in a sentence."""

    service: str
    paths: list[str]
    count: int  # type: ignore[assignment]  # the word of the JSON line, not tuple.count
    reason: str


class Unchanged(NamedTuple):
    """Files were saved, and hold the same bytes as before."""

    service: str
    paths: list[str]
    count: int  # type: ignore[assignment]  # the word of the JSON line, not tuple.count


class BuildStarted(NamedTuple):
    """The build command runs, or the command of a rule: ``key`` is its place in the config."""

    service: str
    run: int
    command: str
    paths: list[str]
    count: int  # type: ignore[assignment]  # the word of the JSON line, not tuple.count
    key: str = "build.command"


class BuildFinished(NamedTuple):
    """The build command ended; ``artifact`` is "changed", "same" or None (not known)."""

    service: str
    run: int
    ok: bool
    code: int
    ms: int
    diagnostics: list[dict[str, str | int]]
    artifact: str | None


class BuildCancelled(NamedTuple):
    """The build was given up for a newer change; its paths go into the next one."""

    service: str
    run: int
    ms: int
    paths: list[str]


class AppStarted(NamedTuple):
    """The app runs."""

    service: str
    run: int
    pid: int


class Listening(NamedTuple):
    """Sockets are held open for the app; the addresses as they really are (a port 0 got one)."""

    service: str
    addresses: list[str]


class AppReady(NamedTuple):
    """The app serves, ``ms`` after its start: by ``run.ready``, or by being alive for a moment."""

    service: str
    run: int
    ms: int


class AppKept(NamedTuple):
    """The running app goes on: "same artifact" or "build failed"."""

    service: str
    run: int
    reason: str


class AppStopping(NamedTuple):
    """The app was sent its stop signal."""

    service: str
    run: int
    signal: str


class AppSignalled(NamedTuple):
    """The app was sent a signal that a rule asks for."""

    service: str
    run: int
    signal: str


class AppLingers(NamedTuple):
    """The app has not stopped yet; it is killed ``kill_ms`` from now."""

    service: str
    run: int
    pid: int
    kill_ms: int


class AppDumped(NamedTuple):
    """The app did not stop in its time, and what it told of its stacks is in ``file``."""

    service: str
    run: int
    file: str


class AppLeaked(NamedTuple):
    """What outlived the app's first process, and is stopped now; ``commands`` is what it runs.

    After a stop: who had left the app's process group, so that nobody else would end it.
    """

    service: str
    run: int
    pids: list[int]
    commands: list[str]


class AppKilled(NamedTuple):
    """What did not stop was sent SIGKILL; ``commands`` are what the pids ran."""

    service: str
    run: int
    pids: list[int]
    reason: str
    commands: list[str]


class AppExited(NamedTuple):
    """The app and all it started are gone; ``expected``: we stopped it.

    ``cpu_ms`` and ``memory`` (bytes) are what its first process used, None if it never ran; the
    memory also where it is not known: of an app smaller than hotrun that ended by itself.
    """

    service: str
    run: int
    code: int | None
    signal: str | None
    ms: int
    expected: bool
    cpu_ms: int | None
    memory: int | None


class AppBacksOff(NamedTuple):
    """The app ended by itself ``crashes`` times in a row; it is started again in ``ms``."""

    service: str
    crashes: int
    ms: int


class Status(NamedTuple):
    """What the app is doing, told when somebody asks; ``memory`` in bytes, ``cpu`` in percent."""

    service: str
    run: int
    pid: int | None
    ms: int
    processes: int
    cpu: float
    memory: int
    paused: bool


class Paused(NamedTuple):
    """Changes wait from now on; or, with ``on`` false, they do so no more."""

    service: str
    on: bool


class Output(NamedTuple):
    """What the build or the app printed: whole lines, each with its end.

    The JSON lines are one for each of them, without it.
    """

    service: str
    source: str
    run: int
    stream: str
    text: str


class Overflow(NamedTuple):
    """The kernel's queue overflowed, and the tree was listed again."""

    files: int
    ms: int


class Problem(NamedTuple):
    """Something to mend, in two lines; ``severity`` is "error" or "warning".

    ``excerpt``: the line of the file, and below it carets under what is meant.
    """

    message: str
    hint: str = ""
    file: str | None = None
    line: int | None = None
    severity: str = "error"
    excerpt: str = ""


class Trace(NamedTuple):
    """With ``-v``: a fact that came in (``>``), or a command that was given (``<``)."""

    service: str
    kind: str
    text: str


class ConfigChanged(NamedTuple):
    """The config file changed, and what it says counts from now on; ``keys`` that differ."""

    file: str
    keys: list[str]


class SessionEnded(NamedTuple):
    """hotrun is about to end."""

    code: int
    reason: str


Notice = (
    SessionStarted
    | Watching
    | Changed
    | Ignored
    | Unchanged
    | BuildStarted
    | BuildFinished
    | BuildCancelled
    | Listening
    | AppStarted
    | AppReady
    | AppKept
    | AppStopping
    | AppSignalled
    | AppLingers
    | AppDumped
    | AppLeaked
    | AppKilled
    | AppExited
    | AppBacksOff
    | Status
    | Paused
    | Output
    | Overflow
    | Problem
    | Trace
    | ConfigChanged
    | SessionEnded
)

if TYPE_CHECKING:
    Subscriber = Callable[[Notice], None]

MOST_PATHS = 100


def event_name(notice: Notice) -> str:
    """Return the name in the JSON lines: ``BuildFinished`` is ``build_finished``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(notice).__name__).lower()
