"""The JSON schema of hotrun.toml (draft 2020-12), made from the table of keys.

An editor checks and completes by it while one types. It takes whatever the checker takes; what
only a program can tell (is this a regular expression? a signal of this system?) it lets pass.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from hotrun.config.keys import LAYERS, LISTS, TABLES, keys_of
from hotrun.config.system import PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.config.key import Key, Kind

Schema = dict[str, object]

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_TEXT: Schema = {"type": "string", "pattern": r"\S"}
_STRINGS: Schema = {"type": "array", "items": {"type": "string"}}
_COMMAND: Schema = {
    "anyOf": [_TEXT, {**_STRINGS, "minItems": 1, "prefixItems": [_TEXT]}],
}
_DURATION: Schema = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?(ms|s|m|h)$"}


def schema() -> Schema:
    """Return the schema of a whole hotrun.toml, as JSON holds it."""
    return {
        "$schema": DRAFT,
        "title": "hotrun.toml",
        "description": "What hotrun watches, builds and runs.",
        **_object({**_tables(), **{kind: _layers(kind) for kind in LAYERS}}),
        "$defs": {
            **{table: _table(table) for table in TABLES},
            "layer": _object(_tables()),
        },
    }


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _tables() -> Schema:
    """The tables, as they may stand at the top, in a profile and in a platform."""
    references: dict[str, Schema] = {table: {"$ref": f"#/$defs/{table}"} for table in TABLES}
    lists: Schema = {table: {"type": "array", "items": references[table]} for table in LISTS}
    return {**references, **lists}


def _layers(kind: str) -> Schema:
    layer: Schema = {"$ref": "#/$defs/layer"}
    doc: Schema = {"description": LAYERS[kind].doc}
    if kind == "platform":
        return {**doc, **_object(dict.fromkeys(PLATFORMS, layer))}
    return {**doc, "type": "object", "additionalProperties": layer}


def _table(table: str) -> Schema:
    keys = keys_of(table).values()
    made = {"description": TABLES[table], **_object({key.name: _key(key) for key in keys})}
    if needed := [key.name for key in keys if key.needed]:
        made["required"] = needed
    if bound := [_bound(key) for key in keys if key.only_with]:
        made["allOf"] = bound
    return made


def _bound(key: Key) -> Schema:
    """A key that one action of a rule needs, and no other takes."""
    bound: Schema = {
        "if": {"properties": {"action": {"const": key.only_with}}},
        "then": {"required": [key.name]},
        "else": {"properties": {key.name: False}},
    }
    # A rule that has no action yet lacks that, and nothing else.
    return {"if": {"required": ["action"]}, "then": bound}


def _key(key: Key) -> Schema:
    made = {**_value(key), "description": " ".join(key.doc.split())}
    if key.default is not None:
        made["default"] = key.default
    made["examples"] = [tomllib.loads(f"value = {key.example}")["value"]]
    return made


def _value(key: Key) -> Schema:
    if key.kind == "choice":
        return {"enum": [*key.words]}
    value = _parts(key) if key.parts else _KINDS[key.kind](key)
    return {"anyOf": [{"enum": [*key.words]}, value]} if key.words else value


def _parts(key: Key) -> Schema:
    """A table of parts; of those without a default exactly one."""
    forms = [part.name for part in key.parts if part.default is None]
    return {
        **_object({part.name: _key(part) for part in key.parts}),
        "oneOf": [{"required": [name]} for name in forms],
    }


def _several(key: Key) -> Schema:
    return {"type": "array", "items": _TEXT, **({"minItems": 1} if key.filled else {})}


_KINDS: dict[Kind, Callable[[Key], Schema]] = {
    "addresses": _several,
    "arguments": lambda _: _STRINGS,
    "boolean": lambda _: {"type": "boolean"},
    "command": lambda _: _COMMAND,
    "commands": lambda _: {"type": "array", "items": _COMMAND},
    "duration": lambda _: _DURATION,
    "environment": lambda _: {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "propertyNames": {"pattern": "^[^=]+$"},
    },
    "files": lambda key: {"anyOf": [_TEXT, _several(key)]},
    "signal": lambda _: {"type": "string", "pattern": "^([Ss][Ii][Gg])?[A-Za-z][A-Za-z0-9]*$"},
    "string": lambda _: {"type": "string", "minLength": 1},
    "strings": _several,
}
