"""The words of a config error: what was meant, what is expected, what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.address import HIGHEST_PORT
from hotrun.config.key import FORMS
from hotrun.config.keys import KEYS, LAYERS, LISTS, TABLES, keys_of
from hotrun.config.system import ALIASES, PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hotrun.config.key import Key
    from hotrun.config.source import Source

# As much of a value as a message repeats.
_SHOWN = 40
_LONGEST_NUMBER = 128  # bits
# A key of another table is a bolder guess than one of this table, unless it is that near.
_NEARLY, _SURE = 0.75, 0.9


# Suggestions


def meant_in(table: str, name: str, source: Source) -> tuple[str, str]:
    """The hint for a key that its table does not have, and the key that was meant, if any."""
    own, aliased = keys_of(table), _aliased(name)
    if here := [key.name for key in aliased if key.table == table]:
        return f"did you mean {_in_quotes(here)}?", here[0]
    if elsewhere := keys_named(name):
        return _belongs(elsewhere, source), ""
    sure = nearest(name, {key.name for key in KEYS}, _SURE)
    if (meant := nearest(name, own)) and (sure in own or not sure):
        return f'did you mean "{meant}"?', meant
    if aliased and not sure:
        return _did_you_mean_key(_commoner(aliased), source), ""
    return _nearly(table, name, sure, source)


def _nearly(table: str, name: str, sure: str, source: Source) -> tuple[str, str]:
    """The hint for what is nearly a key of another table, or nearly what another tool calls it."""
    aliases = {alias: key.name for key in keys_of(table).values() for alias in key.aliases}
    if not sure and (meant := aliases.get(nearest(name, aliases, _NEARLY), "")):
        return f'did you mean "{meant}"?', meant
    if elsewhere := keys_named(sure or nearest(name, {key.name for key in KEYS}, _NEARLY)):
        return _did_you_mean_key(elsewhere, source), ""
    return f"the keys of {source.header(table)} are {listed(known(table), 'and')}", ""


def key_meant(name: str, source: Source) -> str:
    """Return the hint for a key outside of the tables."""
    if keys := keys_named(name):
        return _belongs(keys, source)
    if keys := _commoner(_aliased(name)) or keys_named(nearest(name, {key.name for key in KEYS})):
        return _did_you_mean_key(keys, source)
    return f"the keys stand in the tables {listed(map(source.header, TABLES), 'and')}"


def table_meant(name: str, source: Source) -> str:
    """Return the hint for a table that is not there."""
    names = [*TABLES, *([] if source.layer else LAYERS)]
    headers = {one: source.header(one if one in TABLES else f"{one}.NAME") for one in names}
    if meant := nearest(name, names):
        return f"did you mean {headers[meant]}?"
    if name in {*PLATFORMS, *ALIASES} and not source.layer:
        return f"did you mean {source.header(f'platform.{platform_meant(name)}')}?"
    return f"the tables are {listed(headers.values(), 'and')}"


def platform_meant(name: str) -> str:
    """Return the platform that was meant, or nothing."""
    near = nearest(name, [*PLATFORMS, *ALIASES])
    return ALIASES.get(near, near)


def _belongs(keys: Sequence[Key], source: Source) -> str:
    if source.is_option:
        return _did_you_mean_key(keys, source)
    return f"it belongs in {listed((source.header(key.table) for key in keys), 'or')}"


def _did_you_mean_key(keys: Sequence[Key], source: Source) -> str:
    if source.is_option:
        return f"did you mean {listed(map(source.dotted, keys), 'or')}?"
    headers = listed(dict.fromkeys(source.header(key.table) for key in keys), "or")
    return f"did you mean {_in_quotes(key.name for key in keys)} in {headers}?"


def _in_quotes(names: Iterable[str]) -> str:
    return listed((f'"{name}"' for name in dict.fromkeys(names)), "or")


def keys_named(name: str) -> list[Key]:
    """Return the keys of this name, in all tables."""
    return _commoner([key for key in KEYS if key.name == name])


def _aliased(name: str) -> list[Key]:
    word = name.casefold().replace("-", "_")
    return [key for key in KEYS if word in key.aliases]


def _commoner(keys: list[Key]) -> list[Key]:
    """Leave the keys of rules out where there are others: those are what most people mean."""
    return [key for key in keys if key.table not in LISTS] or keys


def known(table: str) -> list[str]:
    """Return the names of the keys of a table."""
    return [key.name for key in KEYS if key.table == table]


def port_meant(value: object) -> str:
    """Return the address that a bare port, a number or a text, stands for; else nothing."""
    text = shown(value) if type(value) is int else value
    if not isinstance(text, str) or not (text.isascii() and text.isdigit()):
        return ""
    in_range = len(text) <= len(str(HIGHEST_PORT)) and int(text) <= HIGHEST_PORT
    return f"127.0.0.1:{text}" if in_range else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a suggestion, or nothing when no word is near."""
    meant = nearest(word, known)
    return f'did you mean "{meant}"?' if meant else ""


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return the known word that is nearest, or nothing.

    Args:
        word: What was written.
        known: What may have been meant.
        cutoff: How near it must be, from 0 (anything) to 1 (the word itself).
    """
    # Only an error pays for the import.
    import difflib

    by_case = {one.casefold(): one for one in sorted(known)}
    matches = difflib.get_close_matches(word.casefold(), by_case, n=1, cutoff=cutoff)
    return by_case[matches[0]] if matches else ""


# Words


def form(key: Key) -> str:
    """Say what a value of this key looks like."""
    words = [f'"{word}"' for word in key.words]
    if key.kind == "choice":
        return listed(words, "or")
    return listed([FORMS[key.kind], *words], "or")


def listed(words: Iterable[str], link: str) -> str:
    """Join words: "a, b and c"."""
    *most, last = words
    return f"{', '.join(most)} {link} {last}" if most else last


def in_quotes(source: Source, key: Key, value: object, variable: str = "") -> str:
    """Return the hint for a value that lacks its quotes."""
    if isinstance(value, (list, dict)):
        return f"for example {key.name} = {key.example}"
    if key.kind == "addresses" and (port := port_meant(value)):
        return f'write "{port}"'
    quoted = f'"{shown(value)}"'
    if not variable:
        return f"put it in quotes: {quoted}"
    if source.is_option:  # where the shell takes one pair of quotes off
        return f"put it in quotes: --set '{source.dotted(key)}.{key_text(variable)}={quoted}'"
    return f"put it in quotes: {key_text(variable)} = {quoted}"


def setting(source: Source, key: Key, written: str) -> str:
    """Return the line, or the option, that gives a key a value."""
    if source.is_option and source.number is None:
        return f"--set '{source.dotted(key)}={written}'"
    return f"{key.name} = {written}"


def what(value: object) -> str:
    """Name the type of a value."""
    if isinstance(value, bool):
        return shown(value)
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), "a date or a time")


def shown(value: object) -> str:
    """Return a value as a message repeats it."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, int) and value.bit_length() > _LONGEST_NUMBER:
        return "a huge number"  # Python refuses to write it with decimal digits
    return str(value).lower() if isinstance(value, bool) else str(value)[:_SHOWN]


def quoted(text: str, longest: int = _SHOWN) -> str:
    """Return a text in quotes, shortened, with nothing in it that steers a terminal."""
    short = text if len(text) <= longest else f"{text[:longest]}..."
    plain = short.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{printable(plain)}"'


def key_text(name: str) -> str:
    """Return a key as TOML writes it."""
    plain = name.replace("_", "").replace("-", "")
    return name if plain.isascii() and plain.isalnum() else quoted(name)


def printable(text: str) -> str:
    """Return a text with nothing in it that steers a terminal."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
