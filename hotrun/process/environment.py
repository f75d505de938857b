"""The environment of a child: ours, then files, then hotrun.toml.

A variable that is really set wins over an env file; ``env`` in hotrun.toml, which stands there
for this very command, wins over both. Files are read at each start, so a key that was taken
out is gone. Values are never printed.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LINE = re.compile(r"^\s*(?:export\s+)?(?P<key>[A-Za-z_][\w.]*)\s*=\s*(?P<value>.*?)\s*$")
_QUOTED = re.compile(r"""^(?P<quote>["'])(?P<text>.*?)(?P=quote)\s*(?:#.*)?$""")


class BadLine(NamedTuple):
    """A line of an env file that says nothing; the rest of the file counts."""

    file: str
    line: int
    message: str


def compose(
    env: Mapping[str, str], files: Sequence[str] = ()
) -> tuple[dict[str, str], list[BadLine]]:
    """Put an environment together.

    Args:
        env: From hotrun.toml.
        files: Env files, absolute; later ones win. One that is missing is no error.

    Returns:
        The environment, and the lines that could not be read.
    """
    from_files: dict[str, str] = {}
    bad: list[BadLine] = []
    for file in files:
        values, problems = read_file(file)
        from_files.update(values)
        bad.extend(problems)
    return {**from_files, **os.environ, **env}, bad


def read_file(file: str) -> tuple[dict[str, str], list[BadLine]]:
    """Read ``KEY=value`` and ``export KEY=value`` lines; quotes are stripped, # comments."""
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as lines:
            text = lines.read().splitlines()
    except FileNotFoundError:
        return {}, []
    except OSError as error:
        return {}, [BadLine(file, 0, error.strerror or "cannot be read")]
    values: dict[str, str] = {}
    bad: list[BadLine] = []
    for number, line in enumerate(text, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None or "\0" in line:
            bad.append(BadLine(file, number, "not of the form KEY=value"))
        else:
            values[match["key"]] = _value(match["value"])
    return values, bad


def _value(text: str) -> str:
    quoted = _QUOTED.match(text)
    if quoted is not None:
        return quoted["text"]
    return re.sub(r"\s+#.*$", "", text)
