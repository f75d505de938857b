"""Tables: on the terminal and in RESULTS.md, from the same rows."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING

from hotrun import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD = ("what", "median", "min", "max", "n", "bar", "holds")
FIGURES = range(1, 5)  # the columns that hold them


@dataclass(slots=True)
class Row:
    """One measured thing.

    Attributes:
        what: Its name.
        values: Every measurement, in ``unit``.
        unit: "ms", "s", "x" (a ratio), "%", "MB", or a word for counts.
        most: The bar: what the median may come to; None where there is none.
        n: How many trials, where they are not one a value.
    """

    what: str
    values: Sequence[float]
    unit: str = "ms"
    most: float | None = None
    n: int | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the bar holds."""
        return None if self.most is None else median(self.values) <= self.most

    def cells(self) -> tuple[str, ...]:
        """Return the text of each column."""
        figures = (median(self.values), min(self.values), max(self.values))
        bar = "" if self.most is None else f"<= {self.most:g} {self.unit}".rstrip()
        holds = {True: "yes", False: "NO", None: ""}[self.holds]
        return (
            self.what,
            *(f"{figure:{self._form}} {self.unit}".rstrip() for figure in figures),
            str(self.n or len(self.values)),
            bar,
            holds,
        )

    @property
    def _form(self) -> str:
        return ".2f" if self.unit in ("ms", "x", "s", "%", "MB") else ".0f"


@dataclass(slots=True)
class Table:
    """The outcome of one scenario."""

    title: str
    says: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return it as Markdown, with columns that line up on a terminal too."""
        grid = [HEAD, *(row.cells() for row in self.rows)]
        widths = [max(2, *(len(cell) for cell in column)) for column in zip(*grid, strict=True)]
        first, *rest = (_line(cells, widths) for cells in grid)
        rule = [_rule(column, width) for column, width in enumerate(widths)]
        lines = [first, _line(rule, widths), *rest] if self.rows else []
        notes = [f"- {note}" for note in self.notes]
        parts = (f"## {self.title}", self.says, "", *lines, "", *notes)
        return "\n".join(parts).rstrip() + "\n"


def _rule(column: int, width: int) -> str:
    return "-" * (width - 1) + (":" if column in FIGURES else "-")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.rjust(width) if column in FIGURES else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join(padded)} |"


def head(mode: str, probes: str) -> str:
    """Say where and when the figures were taken."""
    facts = (
        f"hotrun {__version__}",
        f"Python {platform.python_version()}",
        f"{platform.system()} {platform.release()}",
        f"{os.cpu_count()} cores",
        f"{datetime.now(UTC):%Y-%m-%d}",
        f"{mode} run, {probes}",
    )
    return (
        "# What was measured\n"
        "Written by `make bench`; how each figure comes about is said in bench/scenarios.py,\n"
        "bench/watching.py and bench/processes.py.\n"
        "Absolute times hold for one machine only.\n\n" + "; ".join(facts) + ".\n"
    )


def verdict(tables: Sequence[Table]) -> str:
    """Name the bars that do not hold."""
    missed = [
        f"{table.title}: {row.what}" for table in tables for row in table.rows if row.holds is False
    ]
    return "Every bar holds." if not missed else f"Bars that do not hold: {'; '.join(missed)}."
