"""What is known of a session, from the events that were heard so far."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hotrun.process import diagnostics
from hotrun.project.smoke.check import place
from hotrun.project.smoke.session import LINES

if TYPE_CHECKING:
    from hotrun.project.smoke.check import Place
    from hotrun.project.smoke.session import Event


@dataclass(slots=True)
class Heard:
    """The state of a session.

    Args:
        directory: The project's, absolute.

    Attributes:
        run: The number of the app that was started last; 0: none was.
        pid: Of its first process, while it lives; 0: it does not.
        exited: How the last app ended; None: it lives, or none was started.
        stopping: The app was sent its stop signal, and has not ended.
        killed: What SIGKILL was needed for, pid and command, in the stop that is or was last.
        leaked: What outlived the app's first process, pid and command, in all its lives.
        held: Addresses that hotrun holds for the app.
        problems: Errors that were told since the check began.
        warnings: What else was told, and was not shown yet.
    """

    directory: str
    run: int = 0
    pid: int = 0
    exited: Event | None = None
    stopping: str = ""
    killed: dict[int, str] = field(default_factory=dict)
    leaked: dict[int, str] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)
    problems: list[Event] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _build: deque[str] = field(default_factory=lambda: deque(maxlen=LINES))
    _app: deque[str] = field(default_factory=lambda: deque(maxlen=LINES))

    def hear(self, event: Event) -> None:
        """Take one event."""
        match event["event"]:
            case "output":
                (self._build if event["source"] == "build" else self._app).append(event["text"])
            case "problem" if event["severity"] == "error":
                self.problems.append(event)
            case "problem":
                self.warnings.append(worded(event))
            case "build_started":
                self._build.clear()
            case "app_started":
                self.run, self.pid, self.exited, self.stopping = (
                    event["run"],
                    event["pid"],
                    None,
                    "",
                )
                self._app.clear()
            case "listening":
                self.held += event["addresses"]
            case _:
                self._hear_end(event)

    def _hear_end(self, event: Event) -> None:
        match event["event"]:
            case "app_stopping":
                self.stopping = event["signal"]
                self.killed.clear()
            case "app_leaked":
                self.leaked |= _named(event)
            case "app_killed":
                self.killed |= _named(event)
            case "app_exited":
                self.exited, self.pid = event, 0
            case _:
                pass

    def take(self) -> Event:
        """Return the last problem that was told; it is what a check fails for, and told by that.

        What is mended by the same step is the same problem: a port that run.ready asks is named
        before the app is started, and again when the app has failed.
        """
        last = self.problems.pop()
        self.problems[:] = [e for e in self.problems if not e["hint"] or e["hint"] != last["hint"]]
        return last

    def forget(self) -> None:
        """What was told up to now is no reason for what comes; it is shown all the same."""
        self.warnings += map(worded, self.problems)
        self.problems.clear()

    def printed(self, source: str) -> tuple[str, ...]:
        """Return the last lines that "build" or "app" printed."""
        return tuple(self._build if source == "build" else self._app)

    def complaints(self, found: list[dict[str, Any]]) -> list[Place]:
        """Return where the sources are wrong, by the diagnostics of a build."""
        places = [
            place(self.directory, each["file"], each["line"], each["column"], each["message"])
            for each in found
            if each["severity"] == "error"
        ]
        return [each for each in places if os.path.exists(each.file)]

    def traced(self) -> list[Place]:
        """Return where the sources are wrong, by what the app printed when it failed."""
        return self.complaints([each._asdict() for each in diagnostics.parse([*self._app])])

    def told(self) -> list[Place]:
        """Return where the sources are wrong, by the problems that were told."""
        return [
            place(self.directory, each["file"], each["line"] or 0, 0, each["message"])
            for each in self.problems
            if each["file"]
        ]


def how(event: Event) -> str:
    """Return how an app ended: "code 0" or "signal SIGTERM"."""
    return f"signal {event['signal']}" if event["signal"] else f"code {event['code']}"


def worded(problem: Event) -> str:
    """Return a problem and its hint as one line."""
    return "; ".join(filter(None, (problem["message"], problem["hint"])))


def _named(event: Event) -> dict[int, str]:
    return dict(zip(event["pids"], event["commands"], strict=True))
