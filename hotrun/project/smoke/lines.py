"""The checks for programs: one JSON object a line, and one at the end for what it comes to."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from hotrun.project.smoke.check import Check, Place, Result

VERSION = 1


def _diagnostic(place: Place) -> dict[str, str | int]:
    """Return a place with the words of ``build_finished``."""
    return {
        "file": place.shown or place.file,
        "line": place.line,
        "column": place.column,
        "severity": place.severity,
        "message": place.message,
    }


class Lines:
    """Writes an object for each check: ``ok`` is null when it was skipped.

    Args:
        stream: Where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, check: Check) -> None:
        """Write one check."""
        self._write(
            event="check",
            check=check.name,
            ok=check.ok,
            ms=check.ms,
            message=check.message,
            hint=check.hint,
            output=check.output,
            diagnostics=[*map(_diagnostic, check.places)],
            notes=check.notes,
        )

    def finish(self, result: Result) -> None:
        """Write what it comes to."""
        self._write(
            event="smoke_finished",
            ok=not result.code,
            code=result.code,
            ms=result.ms,
            failed=[check.name for check in result.failed],
        )

    def _write(self, **fields: object) -> None:
        head = {"v": VERSION, "t": time.time()}
        self._stream.write(f"{json.dumps(head | fields)}\n")
        self._stream.flush()
