"""The checks for people: a line each, and below one that failed all that helps to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from hotrun.project.smoke.check import NAMES
from hotrun.ui.colour import paint
from hotrun.ui.words import many, printable
from hotrun.units import format_duration

if TYPE_CHECKING:
    from hotrun.project.smoke.check import Check, Result

MARKS = {True: ("\N{CHECK MARK}", "ok  "), False: ("\N{BALLOT X}", "FAIL"), None: ("-", "skip")}
STYLES = {True: "green", False: "red", None: "dim"}
TIME = 8  # characters of a duration: "1 m 05 s"
NAMED = max(map(len, NAMES))


class Checklist:
    """Writes a line for each check.

    Args:
        stream: Where to.
        colour: Escape sequences may be used.
    """

    def __init__(self, stream: TextIO, *, colour: bool) -> None:
        self._stream = stream
        self._colour = colour
        self._plain = _is_plain(stream)

    def __call__(self, check: Check) -> None:
        """Write one check; of what was not reached the one that failed says enough."""
        if not check.reached:
            return
        mark = paint(MARKS[check.ok][self._plain], STYLES[check.ok], on=self._colour)
        took = "" if check.ok is None else format_duration(check.ms / 1000)
        text = f"{check.name:{NAMED}} {took:>{TIME}}  {printable(check.message)}"
        self._say(f"{mark} {paint(text, 'dim', on=self._colour and check.ok is None)}")
        for note in check.notes:
            self._say(f"{paint('warning:', 'bold', 'yellow', on=self._colour)} {printable(note)}")
        if check.ok is False:
            self._explain(check)

    def finish(self, result: Result) -> None:
        """Write what it comes to."""
        took = format_duration(result.ms / 1000)
        if result.failed:
            names = ", ".join(check.name for check in result.failed)
            head = paint("error:", "bold", "red", on=self._colour)
            self._say(f"{head} smoke test failed: {names} ({took})")
            return
        made = sum(check.ok is not None for check in result.checks)
        self._say(paint(f"{many(made, 'check')} passed in {took}", "green", on=self._colour))

    def _explain(self, check: Check) -> None:
        for line in check.output:
            self._say(f"    {printable(line.expandtabs())}".rstrip())
        if check.hint:
            self._say(f"{paint('hint:', 'cyan', on=self._colour)} {printable(check.hint)}")

    def _say(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()


def _is_plain(stream: TextIO) -> bool:
    """Whether the stream cannot write the marks: LANG=C, or a code page of Windows."""
    try:
        "".join(mark for mark, _ in MARKS.values()).encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return True
    return False
