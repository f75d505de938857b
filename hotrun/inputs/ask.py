"""Asking: commands that run beside everything else, and never in its way.

They have the lowest claim on the processor, nobody sees what they print, and one that takes too
long is killed.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from hotrun.errors import HotrunError
from hotrun.process.child import Child, Hooks
from hotrun.process.spawn import Spawn

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.alarms import Alarm
    from hotrun.host import Host
    from hotrun.inputs.question import Question

PATIENCE = 30.0  # seconds; `go list` takes 0.1, and minutes when it downloads modules first
NICE = 10  # the app and the next build come first
MOST = 64 * 1024 * 1024  # characters; 1,000 packages print 1 MB


class AskError(HotrunError):
    """A command that was asked did not answer."""


class Ask:
    """One question, put to its commands one after the other.

    Args:
        host: The session.
        question: What is asked.
        done: Hears what each command printed, or why there is no answer; later, never at once.
    """

    def __init__(
        self, host: Host, question: Question, done: Callable[[list[str] | HotrunError], None]
    ) -> None:
        self._host = host
        self._question = question
        self._done = done
        self._outputs: list[str] = []
        self._texts: list[str] = []
        self._errors: list[str] = []
        self._child: Child | None = None
        self._late = False
        self._over = False
        self._alarm: Alarm | None = host.alarms.later(PATIENCE, self._expire)
        host.loop.call_soon(self._next)

    def cancel(self) -> None:
        """Kill what runs; nothing is heard any more."""
        self._over = True
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._child is not None:
            self._child.kill()

    def _next(self) -> None:
        if self._over:
            return
        if len(self._outputs) == len(self._question.commands):
            self._end(self._outputs)
            return
        command = self._question.commands[len(self._outputs)]
        hears = (self._texts.append, self._errors.append)
        spawn = Spawn(command, self._question.directory, self._question.environment, hears)
        try:
            hooks = Hooks(gone=self._gone)
            self._child = Child(self._host.loop, self._host.reaper, spawn, hooks)
        except HotrunError as error:
            self._end(error)
            return
        with contextlib.suppress(OSError):  # it may be gone already
            os.setpriority(os.PRIO_PROCESS, self._child.pid, NICE)

    def _gone(self) -> None:
        if self._over or self._child is None:
            return
        text = "".join(self._texts)
        self._texts.clear()
        program = self._question.commands[len(self._outputs)].text.partition(" -")[0]
        if self._late:
            self._end(AskError(f"{program} did not answer in {PATIENCE:g} s", ""))
        elif self._child.code:
            self._end(AskError(f"{program} failed: {_first(self._errors)}", ""))
        else:
            self._outputs.append(text)
            self._next()

    def _expire(self) -> None:
        self._alarm, self._late = None, True
        if self._child is not None:
            self._child.kill()

    def _end(self, answer: list[str] | HotrunError) -> None:
        self.cancel()
        self._done(answer)


def _first(errors: list[str]) -> str:
    """Return the first line that says something: the rest follows from it."""
    lines = (line.strip() for text in errors for line in text.split("\n"))
    return next((line for line in lines if line), "it says nothing")
