"""bench/RESULTS.md: of each scenario the table of the last run that measured it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from report import Table


def merge(path: str, top: str, tables: Sequence[Table], order: Sequence[str]) -> None:
    """Write tables in place of those of the same name; what was not measured stays.

    Args:
        path: The file.
        top: What goes before all of them.
        tables: Of this run.
        order: The names of all scenarios.
    """
    sections = _sections(path) | {table.title: table.text() for table in tables}
    kept = [sections[name] for name in order if name in sections]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([top, *kept]))


def _sections(path: str) -> dict[str, str]:
    """Return the tables of a file by their names."""
    try:
        with open(path, encoding="utf-8") as file:
            parts = re.split(r"^## ", file.read(), flags=re.MULTILINE)[1:]
    except FileNotFoundError:
        return {}
    return {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in parts}
