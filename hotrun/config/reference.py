"""`hotrun.toml.example` and docs/configuration.md, made from the table of keys.

`python -m hotrun.config.reference` writes both into the current directory, which must be the
top of the source tree.
"""

from __future__ import annotations

import json
import sys
import textwrap
from typing import TYPE_CHECKING

from hotrun.config.key import FORMS
from hotrun.config.keys import KEYS, LAYERS, LISTS, TABLES, keys_of
from hotrun.config.wording import key_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotrun.config.key import Key
    from hotrun.config.keys import Layer

EXAMPLE_FILE = "hotrun.toml.example"
GUIDE_FILE = "docs/configuration.md"

_WIDTH = 88

_SMALLEST = """\
#:schema .hotrun/schema.json
#
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

This page is made from the table of keys in `hotrun/config/tables/` by
`python -m hotrun.config.reference`. Change it there.

The smallest useful file:

```toml
[build]
command = "go build -o app ."

[run]
command = "./app"
```

- The file is `hotrun.toml` in the directory of the project, or what `-c FILE` names. Without it
  `[tool.hotrun]` in a `pyproject.toml` is read: `[tool.hotrun.build]`, `[[tool.hotrun.rule]]`,
  `[tool.hotrun.profile.debug]`, and so on.
- Relative paths are relative to the file. An empty file is a valid config.
- A duration is a string of one number and one unit: `"500ms"`, `"1.5s"`, `"2m"`, `"1h"`.
- Of what is set more than once the last counts: the default, the file, `[platform.NAME]` of this
  system, `[profile.NAME]` of `--profile NAME`, the environment, the options. `hotrun check` shows
  where each value is from.
- `HOTRUN_WATCH` in the environment (`auto`, `native` or `poll`) stands for `watch.backend`: a
  container or a machine whose filesystems tell of no changes sets it once, for every project.
  `--watch` and `--debounce` stand for `watch.backend` and `watch.debounce`, and win over `--set`.
- `--set KEY=VALUE` sets any key for one session: `--set run.stop_timeout=10s`. The value is
  written as in the file; what cannot be read so is taken as a plain string. Variables of `env`
  are added one by one: `--set run.env.MODE=test`. A rule is added as a list:
  `--set 'rule=[{ match = ["static/**"], action = "ignore" }]'`.
- Whatever is wrong is reported at once, each problem with its place, and nothing is started. The
  profiles and platforms that are not in use are checked too.

## In an editor

Editors with taplo (Even Better TOML for VS Code; taplo as a language server for Neovim, Helix,
Emacs and others) complete and check the file while you type, when its first line names the
schema:

```toml
#:schema .hotrun/schema.json
```

`hotrun init` and `hotrun new` write that line, and the file it names. Where the line is there and
the file is not, after a clone, or is of another version, `hotrun check` and `hotrun run` write it;
git does not see it. The schema (draft 2020-12, also on `hotrun schema`) comes from the same table
as the checker; the checker knows more: whether a text is a regular expression, an address, a
signal of this system.
"""


def example_text() -> str:
    """The text of hotrun.toml.example: as it stands, an empty config."""
    tables = (_example_table(table, about) for table, about in TABLES.items())
    layers = (_example_layer(kind, layer) for kind, layer in LAYERS.items())
    return "\n".join([_SMALLEST, *tables, *layers])


def _example_table(table: str, about: str) -> str:
    head = "\n".join(_wrapped(about, "# "))
    keys = keys_of(table).values()
    shared = [key for key in keys if not key.only_with]
    blocks = [f"{head}\n#{_header(table)}\n", *map(_example_key, shared)]
    # What excludes each other goes into tables of its own.
    for number, key in enumerate(key for key in keys if key.only_with):
        blocks += [_example_again(table, key)] if number else []
        blocks.append(_example_key(key))
    return "\n".join(blocks)


def _example_again(table: str, key: Key) -> str:
    """Another table of a list, with what it needs to hold the key."""
    needed = [one for one in keys_of(table).values() if one.needed]
    values = {one.name: one.example for one in needed} | {"action": f'"{key.only_with}"'}
    lines = [f"#{name} = {value}" for name, value in values.items()]
    return "\n".join([f"#{_header(table)}", *lines, ""])


def _example_layer(kind: str, layer: Layer) -> str:
    lines = [f"#{line}" for line in layer.example.splitlines()]
    return "\n".join([*_wrapped(layer.doc, "# "), f"#[{kind}.{layer.name}]", *lines, ""])


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
    layers = (_guide_layer(kind, layer) for kind, layer in LAYERS.items())
    return "\n".join([_INTRODUCTION, *tables, *layers])


def _guide_table(table: str, about: str) -> str:
    keys = (_guide_key(key) for key in KEYS if key.table == table)
    head = "\n".join(_wrapped(about, ""))
    return "\n".join([f"## {_header(table)}\n\n{head}\n", *keys])


def _guide_layer(kind: str, layer: Layer) -> str:
    head = "\n".join(_wrapped(layer.doc, ""))
    example = f"```toml\n[{kind}.{layer.name}]\n{layer.example}```"
    return f"## [{kind}.NAME]\n\n{head}\n\n{example}\n"


def _guide_key(key: Key) -> str:
    default = "none" if key.default is None else f"`{toml_text(key.default)}`"
    parts = map(_guide_part, key.parts)
    facts = [f"- Value: {_values(key, mark='`')}.", *parts, f"- Default: {_needed(key) or default}"]
    if key.default is None or key.example != toml_text(key.default):
        facts.append(f"- Example: `{key.name} = {key.example}`")
    about = "\n".join(_wrapped(_about(key), ""))
    return "\n".join([f"### {key.dotted}\n", about, "", *facts, ""])


def _guide_part(part: Key) -> str:
    default = f" ({toml_text(part.default)})" if part.default is not None else ""
    text = f"- `{part.name}`{default}: {_about(part)}"
    return "\n".join(_wrapped(text, "    ")).replace("  ", "", 1)


def _needed(key: Key) -> str:
    if key.needed:
        return "none, it must be there"
    return f'none, it goes with `action = "{key.only_with}"`' if key.only_with else ""


def _header(table: str) -> str:
    return f"[[{table}]]" if table in LISTS else f"[{table}]"


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
    """Write a value as TOML: a boolean, a string, or a list or table of such."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(toml_text, value))}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{key_text(name)} = {toml_text(one)}" for name, one in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    # A basic string of TOML is one of JSON, but for the one character that JSON lets stand.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def main() -> None:
    """Write both files."""
    for name, text in ((EXAMPLE_FILE, example_text()), (GUIDE_FILE, guide_text())):
        with open(name, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()
