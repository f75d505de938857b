"""bench/RESULTS.md: of each scenario the table of the last run that measured it.

Law: what is said of a run stands with each section that it measured, or at the head for those that
have no such line. So a run of some scenarios takes no other section's origin away.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from report import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from report import Table

READ = """\
# What was measured

Written by `make bench`; bench/scenarios/ says how each figure comes about, docs/benchmarks.md how
to read it. Cells of tools are: median (min-max), and the ratio to hotrun. Absolute times hold for
one machine and one run.
"""
MOSTLY = "Measured, where a section does not say otherwise: "
MEASURED = "Measured: "
SOMETIME = "in a run of which nothing was noted."


@dataclass(frozen=True, slots=True)
class Section:
    """What is known of one scenario.

    Attributes:
        run: When, with what and beside whom it was measured.
        text: Its table, from the title on.
    """

    run: str
    text: str

    @property
    def title(self) -> str:
        """The name of the scenario."""
        return self.text.removeprefix("## ").partition("\n")[0]

    def __str__(self) -> str:
        """Return it with its own line for the run."""
        title, _, rest = self.text.partition("\n")
        return f"{title}\n{MEASURED}{self.run}\n\n{rest}"


def merge(path: str, run: str, tables: Sequence[Table], order: Sequence[str]) -> None:
    """Write tables in place of those of the same name; what was not measured stays.

    Args:
        path: The file.
        run: What is said of the run that measured them.
        tables: Of this run.
        order: The names of all scenarios.
    """
    sections = _sections(path) | {table.title: Section(run, table.text()) for table in tables}
    kept = {name: sections[name] for name in order if name in sections}
    missing = [name for name in order if name not in kept]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([*_head(kept, missing), *_bodies(kept)]))


def _sections(path: str) -> dict[str, Section]:
    """Return the sections of a file by their titles."""
    try:
        with open(path, encoding="utf-8") as file:
            head, *parts = re.split(r"^## ", file.read(), flags=re.MULTILINE)
    except FileNotFoundError:
        return {}
    common = re.search(rf"^(?:{MEASURED}|{MOSTLY})(.*)$", head, re.MULTILINE)
    sections = [_section(part, common[1] if common else SOMETIME) for part in parts]
    return {section.title: section for section in sections}


def _section(part: str, common: str) -> Section:
    title, _, rest = part.partition("\n")
    own = re.match(rf"{MEASURED}(.*)\n\n?", rest)
    text = rest[own.end() :] if own else rest
    return Section(own[1] if own else common, f"## {title}\n{text.rstrip()}\n")


def _head(sections: Mapping[str, Section], missing: Sequence[str]) -> list[str]:
    """Say how to read it, what is not as it should be, and what most sections have in common."""
    parts = [READ, verdict(section.text for section in sections.values())]
    if missing:
        parts.append(f"Not measured yet: {', '.join(missing)}.\n")
    if sections:
        runs = {section.run for section in sections.values()}
        parts.append(f"{MEASURED if len(runs) == 1 else MOSTLY}{_common(sections)}\n")
    return parts


def _bodies(sections: Mapping[str, Section]) -> list[str]:
    common = _common(sections) if sections else ""
    return [
        section.text if section.run == common else str(section) for section in sections.values()
    ]


def _common(sections: Mapping[str, Section]) -> str:
    """Return the run that measured most of them, the last of several such."""
    counts = Counter(section.run for section in sections.values())
    return max(counts, key=lambda run: (counts[run], run))


def verdict(texts: Iterable[str]) -> str:
    """Name the bars that do not hold in some tables, each with what came instead."""
    missed = [bar for text in texts for bar in _missed(text)]
    if not missed:
        return "Every bar holds.\n"
    return "\n".join(["Bars that do not hold:", "", *(f"- {bar}" for bar in missed), ""])


def _missed(text: str) -> Iterator[str]:
    title = text.removeprefix("## ").partition("\n")[0]
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == len(HEAD):
            row = dict(zip(HEAD, cells, strict=True))
            if row["holds"] == "NO":
                yield f"{title}: {row['what']}: {row['median']}, bar {row['bar']}"
