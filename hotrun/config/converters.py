"""Which converter serves which kind of key, and which types of TOML it takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hotrun.config import inputs, serving, values
from hotrun.config.wording import form, quoted, setting, what

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.config.key import Key, Kind
    from hotrun.config.source import Source

CONVERTERS: dict[Kind, tuple[tuple[type, ...], Callable[..., object]]] = {
    "addresses": ((list,), serving.addresses),
    "arguments": ((list,), values.arguments),
    "boolean": ((bool,), values.as_it_is),
    "choice": ((str,), values.choice),
    "command": ((str, list), values.command),
    "commands": ((list,), values.commands),
    # A bare number is no duration, but the check of durations says so best.
    "duration": ((str, int, float), values.duration),
    "environment": ((dict,), values.environment),
    "files": ((str, list), values.files),
    "inputs": ((str, dict), inputs.inputs),
    "ready": ((dict,), serving.ready),
    "signal": ((str,), values.signal_named),
    "string": ((str,), values.string),
    "strings": ((list,), values.strings),
}


def wrong_type(source: Source, key: Key, value: object) -> tuple[str, str]:
    """Return message and hint for a value of another type than its key has."""
    message = f"{key.dotted} must be {form(key)}, not {what(value)}"
    if key.kind == "boolean" and value in ("true", "false"):
        return message, f"write {key.name} = {value}, without the quotes"
    if meant := _meant(key, value):
        return message, f"write {setting(source, key, meant)}"
    return message, f"for example {key.name} = {key.example}"


def _meant(key: Key, value: object) -> str:
    """Write a value as its key takes it; nothing when nobody can tell what was meant."""
    listable = isinstance(value, str) and list in CONVERTERS[key.kind][0]
    if listable and (items := _unquoted(str(value))):
        return f"[{', '.join(quoted(item, 100) for item in items)}]"
    if key.kind == "addresses":
        return serving.addresses_meant(value)
    if key.kind == "ready":
        return serving.ready_meant(value)
    return f"[{quoted(value)}]" if isinstance(value, str) and listable else ""


def _unquoted(text: str) -> list[str]:
    """Return the items of a list whose quotes the shell took off; none when it is no list."""
    if not (text.startswith("[") and text.endswith("]")):
        return []
    # "[::1]:80" does not end so, and a glob with a comma in it ({a,b}) is left whole.
    items = re.split(r",(?![^{]*\})", text[1:-1])
    return [item for item in (each.strip().strip("\"'") for each in items) if item]
