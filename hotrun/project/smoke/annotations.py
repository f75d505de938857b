"""What failed, as annotations of GitHub Actions: it shows them at the line of the pull request.

Facts: https://docs.github.com/actions/reference/workflow-commands-for-github-actions; how a
value is escaped: actions/toolkit, packages/core/src/command.ts.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TextIO

from hotrun.process.diagnostics import plain
from hotrun.project.smoke.check import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotrun.project.smoke.check import Check

MOST = 10  # of a step are shown


class Annotations:
    """Writes a line for each place of a check that failed, or one for the check itself.

    Args:
        stream: Where to: of a step both streams are read.
        workspace: The checkout; GitHub knows files by their paths in it.
    """

    def __init__(self, stream: TextIO, workspace: str) -> None:
        self._stream = stream
        self._workspace = os.path.realpath(workspace) if workspace else ""

    def __call__(self, check: Check) -> None:
        """Write what is wrong with one check."""
        if check.ok is not False:
            return
        for place in check.places[:MOST] or (Place("", 0, 0, check.message),):
            self._stream.write(f"{self._annotation(check, place)}\n")
        self._stream.flush()

    def _annotation(self, check: Check, place: Place) -> str:
        values = ",".join(f"{name}={_property(text)}" for name, text in self._fields(check, place))
        message = (
            place.message if place.file or not check.hint else f"{place.message}\n{check.hint}"
        )
        return f"::error {values}::{_data(plain(message))}"

    def _fields(self, check: Check, place: Place) -> Iterator[tuple[str, str]]:
        if place.file:
            yield "file", self._within(place.file)
        if place.line:
            yield "line", str(place.line)
        if place.column:
            yield "col", str(place.column)
        yield "title", f"hotrun smoke: {check.name}"

    def _within(self, path: str) -> str:
        real = os.path.realpath(path)
        return real.removeprefix(f"{self._workspace}/") if self._workspace else path


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
