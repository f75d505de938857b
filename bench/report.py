"""Tables: on the terminal and in RESULTS.md, from the same rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from better import why

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence

    Cell = Sequence[float] | str  # all measurements, or a word instead of any

HEAD = ("what", "median", "min", "max", "n", "bar", "holds")
FIGURES = range(1, 5)  # the columns that hold them
MEASURED = ("ms", "s", "x", "%", "MB")  # units of what is no count
HOTRUN = "hotrun"  # the row that the ratios are to
EQUAL = 0.97  # a ratio above it is no difference: the same tool twice differs as much


@dataclass(slots=True)
class Row:
    """One measured thing.

    Attributes:
        what: Its name.
        values: Every measurement, in ``unit``.
        unit: "ms", "s", "x" (a ratio), "%", "MB", or a word for counts.
        most: The bar, for the median of what is measured, and for each trial where something is
            counted (builds, what was missed): once is too often. None where there is none.
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
        judged = median if self.unit in MEASURED else max
        return None if self.most is None else judged(self.values) <= self.most

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
        return ".2f" if self.unit in MEASURED else ".0f"


@dataclass(frozen=True, slots=True)
class Column:
    """What is measured of each tool.

    Attributes:
        name: Its name.
        unit: As in ``Row``.
        counts: It is shown without a ratio: a number of builds, say.
    """

    name: str
    unit: str = "ms"
    counts: bool = False


@dataclass(slots=True)
class Group:
    """Tools beside each other at the same work.

    Attributes:
        name: What the work was.
        columns: What was measured.
        rows: Of each tool, one cell a column: all measurements, or a word instead of any.
    """

    name: str
    columns: Sequence[Column]
    rows: dict[str, Sequence[Cell]] = field(default_factory=dict)

    def text(self) -> str:
        """Return it as Markdown: the median, in brackets min and max, the ratio to hotrun."""
        head = ("tool", *(f"{each.name}, {each.unit}".rstrip(", ") for each in self.columns))
        grid = [head, *((tool, *self._cells(cells)) for tool, cells in self.rows.items())]
        return "\n".join([f"### {self.name}", "", *lines(grid, range(1, len(head)))])

    def _cells(self, cells: Sequence[Cell]) -> Iterator[str]:
        base = self.rows.get(HOTRUN, [""] * len(self.columns))
        for column, cell, ours in zip(self.columns, cells, base, strict=True):
            yield _figures(column, cell, ours)

    def better(self) -> Iterator[tuple[str, str]]:
        """Yield each tool that did better than hotrun, and in what."""
        ours = self.rows.get(HOTRUN, [""] * len(self.columns))
        for tool, cells in self.rows.items():
            if not tool.startswith(HOTRUN):  # hotrun with an option has a row of its own
                for column, cell, our in zip(self.columns, cells, ours, strict=True):
                    if not column.counts and _is_better(cell, our):
                        yield tool, column.name


def _is_better(cell: Cell, ours: Cell) -> bool:
    if isinstance(cell, str) or isinstance(ours, str) or not cell or not ours:
        return False
    return median(cell) < EQUAL * median(ours)


def _figures(column: Column, cell: Cell, ours: Cell) -> str:
    if isinstance(cell, str) or not cell:
        return str(cell or "-")
    middle, least, most = median(cell), min(cell), max(cell)
    text = _short(middle) if least == most else f"{_short(middle)} ({_short(least)}-{_short(most)})"
    if column.counts or isinstance(ours, str) or not ours or not median(ours):
        return text
    return f"{text} {_ratio(middle / median(ours))}x"


def _ratio(ratio: float) -> str:
    return f"{ratio:.2g}" if ratio < 99.5 else f"{ratio:.0f}"


def _short(figure: float) -> str:
    """Return three digits, and not a power of ten."""
    digits = 0 if figure == int(figure) or abs(figure) >= 100 else 1 if abs(figure) >= 10 else 2
    return f"{figure:.{digits}f}"


@dataclass(slots=True)
class Table:
    """The outcome of one scenario.

    Attributes:
        title: Its name.
        says: What was done, in a sentence or two.
        rows: Of hotrun and the floors, with the bars.
        groups: Of hotrun beside its peers.
        notes: What one has to know to read it.
    """

    title: str
    says: str
    rows: list[Row] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return it as Markdown, with columns that line up on a terminal too."""
        grid = [HEAD, *(row.cells() for row in self.rows)] if self.rows else []
        notes = [f"- {note}" for note in self.notes]
        groups = [part for group in self.groups for part in ("", group.text())]
        better = [f"- {line}" for line in self._better()]
        below = [line for part in (better, notes) if part for line in ("", *part)]
        parts = (f"## {self.title}", self.says, "", *lines(grid, FIGURES), *groups, *below)
        return "\n".join(parts).rstrip().replace("\n\n\n", "\n\n") + "\n"

    def _better(self) -> Iterator[str]:
        """Say which tool does better than hotrun, in what and why, once for each reason."""
        found: dict[tuple[str, str], list[str]] = {}
        for group in self.groups:
            for tool, column in group.better():
                where = f"{column} ({group.name})" if len(self.groups) > 1 else column
                found.setdefault((tool, why(self.title, tool, column)), []).append(where)
        for (tool, reason), columns in found.items():
            yield f"does better than hotrun: {tool} in {', '.join(columns)}: {reason}"


def lines(grid: Sequence[Sequence[str]], figures: Container[int]) -> list[str]:
    """Return a Markdown table; the first of its rows is the head.

    Args:
        grid: The rows.
        figures: The columns that go to the right.
    """
    widths = [max(3, *(len(cell) for cell in column)) for column in zip(*grid, strict=True)]
    sides = [str.rjust if column in figures else str.ljust for column in range(len(widths))]
    rows = [_line(zip(sides, row, widths, strict=True)) for row in grid]
    rule = [
        "-" * (width - 1) + (":" if column in figures else "-")
        for column, width in enumerate(widths)
    ]
    return [*rows[:1], *([f"| {' | '.join(rule)} |"] if rows else []), *rows[1:]]


def _line(cells: Iterable[tuple[Callable[[str, int], str], str, int]]) -> str:
    return f"| {' | '.join(side(cell, width) for side, cell, width in cells)} |"
