"""The end of a smoke test: who ended the app, as hotrun tells it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any, cast

import pytest
from live import until

from hotrun.process import tree
from hotrun.project.smoke import ending
from hotrun.project.smoke.check import FailedError
from hotrun.project.smoke.heard import Heard

if TYPE_CHECKING:
    from hotrun.project.smoke.live import Live

STARTED = {"event": "app_started", "run": 1, "pid": os.getpid()}
STOPPING = {"event": "app_stopping", "run": 1, "signal": "SIGTERM"}


class Told:
    """In place of a live smoke test: what hotrun says as soon as it is asked to end."""

    asked = 0
    failed = False

    def __init__(self, *last: dict[str, Any]) -> None:
        self.heard = Heard("/")
        self.heard.hear(STARTED)
        self.config = self
        self.run = None
        self.session = self
        self._last = last

    def has_time_to_end(self) -> None:
        """It always has."""

    def learn(self) -> None:
        """Its ports are of no weight here."""

    def catch_up(self) -> None:
        """All was heard: the app lives."""

    def send(self, number: int) -> None:
        del number
        for event in self._last:
            self.heard.hear(event)

    def wait(self, *names: str, within: float | None = None) -> None:
        del within
        if "app_exited" in names:
            self.heard.hear(exited(expected=False))

    def ends(self, until: float) -> int:
        del until
        return 0


def exited(*, expected: bool) -> dict[str, Any]:
    return {"event": "app_exited", "code": 9, "signal": None, "expected": expected}


@pytest.mark.parametrize(
    "said", [(exited(expected=False),), (STOPPING, exited(expected=False))], ids=["alone", "late"]
)
def test_an_app_that_ends_by_itself_as_it_is_asked_to_fails_the_check(
    said: tuple[dict[str, Any], ...],
) -> None:
    with pytest.raises(FailedError) as failed:
        ending.stop(cast("Live", Told(*said)))
    assert str(failed.value) == "the app ended by itself, with code 9, before it was asked to"


def test_an_app_that_is_dead_is_not_asked_before_hotrun_has_told_of_its_end() -> None:
    """Else what is told of is a stop: its first process waits to be reaped."""
    told = Told(STOPPING, exited(expected=True))
    with subprocess.Popen(["true"], stdin=subprocess.DEVNULL) as app:
        told.heard.hear({**STARTED, "pid": app.pid})
        until(lambda: (stat := tree.read(app.pid)) and not stat.alive, "a zombie")
        with pytest.raises(FailedError, match="by itself, with code 9, before"):
            ending.stop(cast("Live", told))


def test_what_an_app_makes_of_the_stop_signal_is_its_own_affair() -> None:
    found = ending.stop(cast("Live", Told(STOPPING, exited(expected=True))))
    assert found.message == "SIGTERM: the app ended with code 9"
