"""`hotrun.toml.example` and docs/configuration.md, made from the table of keys.

`python -m hotrun.config.reference` writes both into the current directory, which must be the
top of the source tree.
"""

from __future__ import annotations

import json
import sys
import textwrap
from typing import TYPE_CHECKING

from hotrun.config.schema import FORMS, KEYS, LATER_TABLES, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotrun.config.schema import Key

EXAMPLE_FILE = "hotrun.toml.example"
GUIDE_FILE = "docs/configuration.md"

_WIDTH = 88

_SMALLEST = """\
# The smallest useful hotrun.toml:
#
#     [build]
#     command = "go build -o app ."
#
#     [run]
#     command = "./app"
#
# Below is every key with its default; where there is none, an example stands in its place.
# Take the # off a line, and off the [table] above it, to use it.
"""

_INTRODUCTION = """\
# hotrun.toml

This page is made from the table of keys in `hotrun/config/schema.py` by
`python -m hotrun.config.reference`. Change it there.

The smallest useful file:

```toml
[build]
command = "go build -o app ."

[run]
command = "./app"
```

- The file is `hotrun.toml` in the directory of the project, or what `-c FILE` names. Without it
  `[tool.hotrun]` in a `pyproject.toml` is read: `[tool.hotrun.build]`, and so on.
- Relative paths are relative to the file. An empty file is a valid config.
- A duration is a string of one number and one unit: `"500ms"`, `"1.5s"`, `"2m"`, `"1h"`.
- `--set KEY=VALUE` sets any key for one session: `--set run.stop_timeout=10s`. The value is
  written as in the file; what cannot be read so is taken as a plain string. It wins over the
  file. Variables of `env` are added one by one: `--set run.env.MODE=test`.
- Whatever is wrong is reported at once, each problem with its place, and nothing is started.
"""


def example_text() -> str:
    """The text of hotrun.toml.example: as it stands, an empty config."""
    tables = (_example_table(table, about) for table, about in TABLES.items())
    return "\n".join([_SMALLEST, *tables])


def _example_table(table: str, about: str) -> str:
    keys = (_example_key(key) for key in KEYS if key.table == table)
    return "\n".join([f"# {about}\n#[{table}]\n", *keys])


def _example_key(key: Key) -> str:
    value = key.example if key.default is None else toml_text(key.default)
    usage = f"Value: {_values(key)}."
    if key.example != value and key.kind not in {"boolean", "choice"}:
        usage += f" Example: {key.example}"
    lines = [*_wrapped(_about(key), "# "), f"# {usage}", f"#{key.name} = {value}", ""]
    return "\n".join(lines)


def guide_text() -> str:
    """The text of docs/configuration.md."""
    tables = (_guide_table(table, about) for table, about in TABLES.items())
    return "\n".join([_INTRODUCTION, *tables, _guide_later()])


def _guide_table(table: str, about: str) -> str:
    keys = (_guide_key(key) for key in KEYS if key.table == table)
    return "\n".join([f"## [{table}]\n\n{about}\n", *keys])


def _guide_key(key: Key) -> str:
    default = "none" if key.default is None else f"`{toml_text(key.default)}`"
    facts = [f"- Value: {_values(key, mark='`')}.", f"- Default: {default}"]
    if key.default is None or key.example != toml_text(key.default):
        facts.append(f"- Example: `{key.name} = {key.example}`")
    about = "\n".join(_wrapped(_about(key), ""))
    return "\n".join([f"### {key.dotted}\n", about, "", *facts, ""])


def _guide_later() -> str:
    later = [f"- `{_pattern(table)}`: {instead}." for table, instead in LATER_TABLES.items()]
    head = "## Not in this version\n\nThese are known, and using one is an error.\n"
    return "\n".join([head, *later, ""])


def _pattern(table: str) -> str:
    return f"[[{table}]]" if table == "rule" else f"[{table}.*]"


def _about(key: Key) -> str:
    return " ".join(key.doc.split())


def _values(key: Key, mark: str = "") -> str:
    """What may be written: the kind, and the words that work."""
    words: list[object] = [True, False] if key.kind == "boolean" else list(key.words)
    forms = [f"{mark}{toml_text(word)}{mark}" for word in words]
    if key.kind not in {"boolean", "choice"}:
        forms.insert(0, FORMS[key.kind])
    return _listed(forms)


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _wrapped(text: str, start: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=start,
        subsequent_indent=start,
        break_long_words=False,
        break_on_hyphens=False,
    )


def toml_text(value: object) -> str:
    """Write a default as TOML: a boolean, a string, or a list or table of strings."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(toml_text, value))}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{name} = {toml_text(one)}" for name, one in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return json.dumps(value, ensure_ascii=False)  # a basic string of TOML is one of JSON


def main() -> None:
    """Write both files."""
    for name, text in ((EXAMPLE_FILE, example_text()), (GUIDE_FILE, guide_text())):
        with open(name, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()
