"""The inputs of a build, kept true while files change.

The law: a "no" is a promise that the binary will be the same. So what is known counts only as long
as nothing has changed that could make it wrong; from then on everything matters, until a good
build was made and the question was asked again. Nothing of this is on the way from a save to the
new app.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hotrun import notices
from hotrun.errors import HotrunError
from hotrun.inputs.verdict import real_ones

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from hotrun.config import Build
    from hotrun.host import Host
    from hotrun.inputs.ask import Ask
    from hotrun.inputs.outside import Outside
    from hotrun.inputs.question import Question
    from hotrun.inputs.verdict import Knowledge

SLICE = 0.002  # seconds of reading between two looks at the inbox


class Inputs:
    """What the build reads, as far as it is known.

    Args:
        host: The session.
        build: The table [build].
        watches: Files are watched, so that it is of account.
    """

    def __init__(self, host: Host, build: Build | None, *, watches: bool = True) -> None:
        self._host = host
        self._build = build if watches else None
        self._asked: tuple[Question | None] | None = None
        self._began: list[int] = []  # when builds began since the last good one, in nanoseconds
        self._knowledge: Knowledge | None = None
        self._true = False  # what is known counts
        self._heard: set[str] = set()  # changed since the knowledge was compared with the disk
        self._meanwhile: set[str] = set()  # changed while we asked
        self._ask: Ask | None = None
        self._asking_since = 0  # nanoseconds since 1970
        self._spoilt = False  # a build began while we asked: perhaps it wrote what we read
        self._again = False  # ask once more after this
        self._warned = False
        self._outside: Outside | None = None  # that was told of

    # --- what happens ---

    def building(self) -> None:
        """A build starts."""
        self._began.append(time.time_ns())
        self._spoilt = self._ask is not None  # it writes dependency files, and generates sources

    def built(self) -> None:
        """A build was good, and its app was started."""
        if self._question is None:
            return
        if self._ask is not None:
            self._again = True
        elif not self._holds():
            self._refresh()
        else:
            self._began.clear()

    def changed(self, paths: Iterable[str]) -> set[str]:
        """Take files that changed, absolute paths, and return those that matter.

        Each change has to come here once, whatever else is made of it: it may make what is known
        wrong.
        """
        if self._question is None:
            return set(paths)
        changed = dict(real_ones(paths))
        self._heard.update(changed.values())
        self._meanwhile.update(changed.values())
        if self._knowledge is None or not self._true:
            return set(changed)
        knows = self._knowledge
        matter = {path for path, real_path in changed.items() if knows.verdict(real_path).matters}
        if any(knows.outdated_by(changed[path]) for path in matter):
            self._true = False
        return matter

    def close(self) -> None:
        """Kill what runs."""
        self._again = False
        if self._ask is not None:
            self._ask.cancel()
            self._ask = None

    # --- asking ---

    @property
    def _question(self) -> Question | None:
        # Not before it is needed: what it imports would delay the first build.
        if self._asked is None:
            from hotrun.inputs.question import question

            try:
                self._asked = (question(self._host.config, self._build),)
            except HotrunError as error:
                self._asked = (None,)
                self._warn(error.message, error.hint)
        return self._asked[0]

    def _holds(self) -> bool:
        """Whether what is known is still true: nothing changed that we did not hear of."""
        heard, self._heard = self._heard, set()
        if self._knowledge is None or not self._true:
            return False
        self._true = set(self._knowledge.moved()) <= heard
        return self._true

    def _refresh(self) -> None:
        from hotrun.inputs.ask import Ask

        question = self._question
        if question is None:
            return
        if question.warning is not None:
            self._warn(*question.warning)
        self._true = self._spoilt = False
        self._meanwhile = set()
        self._asking_since = time.time_ns()
        # The next build may have begun already; then this one's beginning is the earlier.
        built, self._began = min(self._began, default=0), []
        self._ask = Ask(self._host, question, lambda answer: self._answered(built, answer))

    def _answered(self, built: int, answer: list[str] | HotrunError) -> None:
        question = self._question
        if isinstance(answer, HotrunError) or question is None:
            self._end(answer if isinstance(answer, HotrunError) else None)
        else:
            self._read(question.answer(answer, built))

    def _read(self, reading: Generator[None, None, Knowledge]) -> None:
        """Read the answer, a little at a time: a big C project has thousands of files to read."""
        if self._ask is None:  # nobody wants to know any more
            return
        until = time.monotonic() + SLICE
        try:
            while time.monotonic() < until:
                next(reading)
        except StopIteration as end:
            self._end(end.value)
        except HotrunError as error:
            self._end(error)
        else:
            self._host.loop.call_soon(self._read, reading)

    def _end(self, answer: Knowledge | HotrunError | None) -> None:
        self._ask = None
        again, self._again = self._again, False
        if answer is not None and not isinstance(answer, HotrunError):
            self._knowledge = answer
            # What changed while we asked may be half in the answer. The build that it causes is
            # the next occasion to ask.
            mixed = any(answer.verdict(path).matters for path in self._meanwhile)
            # Saves that come faster than `go list` answers must not spoil every answer.
            self._true = not mixed and (not self._spoilt or answer.stood_still(self._asking_since))
            self._look_outside(answer)
        if again and not self._true:
            self._refresh()
        elif again:
            self._began.clear()
        elif isinstance(answer, HotrunError):
            self._fail(answer)

    def _look_outside(self, knowledge: Knowledge) -> None:
        """Say once what is read from where nobody watches."""
        from hotrun.inputs.outside import outside

        found = outside(self._host.config, knowledge)
        if found is not None and found != self._outside:
            self._host.tell(notices.Problem(*found.problem, severity="warning"))
        self._outside = found

    def _fail(self, error: HotrunError) -> None:
        if self._meanwhile:  # a go.mod that was half written, say: it is asked again
            return
        hint = error.hint or "until it is told, watch.include alone decides"
        self._warn(f"build.inputs: {error.message.removeprefix('build.inputs: ')}", hint)

    def _warn(self, message: str, hint: str) -> None:
        if not self._warned:
            self._warned = True
            self._host.tell(notices.Problem(message, hint, severity="warning"))
