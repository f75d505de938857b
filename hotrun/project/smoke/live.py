"""A smoke test under way: the session, what is known of it, the edit, and who undoes it all."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Self

from hotrun.process import environment
from hotrun.project.smoke import edit, left
from hotrun.project.smoke.check import FailedError, LateError, OutOfTimeError
from hotrun.project.smoke.edit import Place
from hotrun.project.smoke.guard import Guard
from hotrun.project.smoke.heard import Heard
from hotrun.project.smoke.session import Session
from hotrun.project.watched import env_files

if TYPE_CHECKING:
    from hotrun.project.smoke.session import Event
    from hotrun.project.smoke.subject import Subject

END = 30.0  # seconds that hotrun itself has to end, beside what its app has


class Live:
    """What all checks share, as a context; leaving it ends the session and undoes the edit.

    Args:
        subject: What is tested.
        until: When the time for all checks is up, in the clock of ``time.monotonic``.

    Attributes:
        ports: On which the app was seen to listen.
        cookie: In the environment of the app; empty until it is known.
        notes: What an earlier smoke test had left.
        failed: A check has failed.
    """

    def __init__(self, subject: Subject, until: float) -> None:
        self.subject = subject
        self.config = subject.config
        self.heard = Heard(subject.config.directory)
        self.ports: set[int] = set()
        self.cookie = ""
        self.notes: list[str] = []
        self.failed = False
        self._refusal: OSError | None = None
        self._until = until
        self._place: Place | None = None
        self._kept = False  # the bytes from before: somebody may need them
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        directory = self.config.directory
        with ExitStack() as stack:
            self.notes += edit.undo_earlier(directory)
            try:
                self._place = Place(directory)
                stack.callback(self._clear, self._place)
            except OSError as error:
                self._refusal = error
            self.session = stack.enter_context(Session(self.subject.words, self.heard.hear))
            stack.callback(Guard(self._place, self.session.pid).dismiss)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with self._stack:
            self.session.end(self._grace)
            with suppress(edit.NotUndoneError):  # the next smoke test says so
                self.undo()

    # --- hearing ---

    def wait(self, *names: str, within: float | None = None) -> Event | None:
        """Return the next event of one of these names; None: the session has ended.

        Args:
            names: Of events.
            within: Seconds; None: as long as there is time at all.

        Raises:
            LateError: it did not come within these seconds.
            OutOfTimeError: the time for all checks is up.
            InterruptedByError: a signal asked us to end.
        """
        own = time.monotonic() + within if within is not None else self._until
        try:
            return self.session.wait(min(own, self._until), *names)
        except TimeoutError:
            raise (OutOfTimeError if own >= self._until else LateError) from None

    def catch_up(self) -> None:
        """Hear what was said by now."""
        with suppress(LateError, OutOfTimeError):
            self.wait(within=0.0)

    def expect(self, *names: str, within: float | None = None) -> Event:
        """Return the next event of one of these names.

        Raises:
            FailedError: the session has ended.
        """
        event = self.wait(*names, "session_ended", within=within)
        if event is None or event["event"] == "session_ended":
            raise self.gone(event)
        return event

    def gone(self, event: Event | None) -> FailedError:
        """Return what to say of a session that ended by itself."""
        code = self.session.ends(time.monotonic() + END)
        if self.heard.problems:
            return self.refused(code if code in (2, 3) else 1)
        why = event["reason"] if event is not None else f"code {code}"
        said = tuple(self.session.said) if event is None else ()  # a bug: its traceback
        return FailedError(f"hotrun ended by itself: {why}", output=said)

    def refused(self, code: int = 1, source: str = "app") -> FailedError:
        """Return the last problem that was told as what a check failed for."""
        places = self.heard.told()
        problem = self.heard.take()
        return FailedError(
            problem["message"],
            problem["hint"],
            code=code,
            output=self.heard.printed(source),
            places=places,
        )

    def has_time_to_end(self) -> None:
        """From now on nothing is waited for but the end."""
        self._until = time.monotonic() + self._grace

    @property
    def _grace(self) -> float:
        """Seconds that an end in good order may take."""
        return END + (self.config.run.stop_timeout if self.config.run is not None else 0.0)

    def learn(self) -> None:
        """Remember on which ports the app listens, and by what its processes are known."""
        if not self.cookie:
            self.cookie = left.cookie_of(self.config.directory, self.session.pid)
        if self.heard.pid:
            self.ports |= left.listening(self.cookie, self.heard.pid)
        self.ports |= left.ports_of(self.heard.held)

    def environment(self) -> dict[str, str]:
        """Return the variables that the app is started with."""
        run = self.config.run
        return environment.compose(run.env, env_files(self.config))[0] if run is not None else {}

    # --- the edit ---

    def save(self) -> None:
        """Edit the file.

        Raises:
            OSError: it cannot be edited, and is as it was.
        """
        if self._place is None:
            raise self._refusal or OSError
        edit.make(self.subject.file, self._place.path)

    def undo(self) -> None:
        """Undo the edit, if there is one.

        Raises:
            NotUndoneError: the file is not what it was.
        """
        if self._place is not None:
            self._kept = True
            edit.undo(self._place.path)
            self._kept = False

    def _clear(self, place: Place) -> None:
        if not self._kept:
            place.remove()
        place.close()
