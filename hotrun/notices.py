"""What subscribers hear: the one stream of notices.

Console, JSON lines and tests are siblings; each is a callable that takes a notice. The names
of the classes and fields are those of the JSON lines (``BuildFinished`` is ``build_finished``),
so that every subscriber and every document speaks the same words. Durations are whole
milliseconds; paths are relative to the project where they are in it. Named tuples, because a
frozen dataclass takes ten times as long to define, and all of them are defined at each start.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

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
    """Files differ from what the last build saw; at most 100 of ``count`` are named."""

    service: str
    paths: list[str]
    count: int  # type: ignore[assignment]  # the word of the JSON line, not tuple.count
    recovered: bool


class Unchanged(NamedTuple):
    """Files were saved, and hold the same bytes as before."""

    service: str
    paths: list[str]
    count: int  # type: ignore[assignment]  # the word of the JSON line, not tuple.count


class BuildStarted(NamedTuple):
    """The build command runs."""

    service: str
    run: int
    command: str
    paths: list[str]
    count: int  # type: ignore[assignment]  # the word of the JSON line, not tuple.count


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


class AppLingers(NamedTuple):
    """The app has not stopped yet; it is killed ``kill_ms`` from now."""

    service: str
    run: int
    pid: int
    kill_ms: int


class AppKilled(NamedTuple):
    """What did not stop was sent SIGKILL."""

    service: str
    run: int
    pids: list[int]
    reason: str


class AppExited(NamedTuple):
    """The app and all it started are gone; ``expected``: we stopped it."""

    service: str
    run: int
    code: int | None
    signal: str | None
    ms: int
    expected: bool


class Output(NamedTuple):
    """A line that the build or the app printed."""

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
    """Something to mend, in two lines; ``severity`` is "error" or "warning"."""

    message: str
    hint: str = ""
    file: str | None = None
    line: int | None = None
    severity: str = "error"


class Trace(NamedTuple):
    """With ``-v``: a fact that came in (``>``), or a command that was given (``<``)."""

    service: str
    kind: str
    text: str


class SessionEnded(NamedTuple):
    """hotrun is about to end."""

    code: int
    reason: str


Notice = (
    SessionStarted
    | Watching
    | Changed
    | Unchanged
    | BuildStarted
    | BuildFinished
    | BuildCancelled
    | AppStarted
    | AppKept
    | AppStopping
    | AppLingers
    | AppKilled
    | AppExited
    | Output
    | Overflow
    | Problem
    | Trace
    | SessionEnded
)

if TYPE_CHECKING:
    Subscriber = Callable[[Notice], None]

MOST_PATHS = 100


def event_name(notice: Notice) -> str:
    """Return the name in the JSON lines: ``BuildFinished`` is ``build_finished``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(notice).__name__).lower()
