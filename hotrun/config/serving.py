"""The values that say where an app serves: `run.listen` and `run.ready`.

A variable in them (`${PORT:-8080}`) is known when the app starts, not before; here its default
stands for it, and a value whose variable has none is left for then.
"""

from __future__ import annotations

import os.path
import re
from typing import TYPE_CHECKING

from hotrun.address import Address, AddressError, parse_address
from hotrun.config.parts import example_of, forms_in
from hotrun.config.schema import Ready
from hotrun.config.values import seconds_of, strings, text_in
from hotrun.config.wording import port_meant, printable, quoted, what
from hotrun.errors import TextError
from hotrun.url import parse_url
from hotrun.variables import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.config.check import Check
    from hotrun.config.key import Key
    from hotrun.config.locate import Path

_TCP_EXAMPLE = 'for example ready = { tcp = "127.0.0.1:8080" }'
_BARE_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
# No line matches it: `$` is the end of one.
_VARIABLE_IN_PATTERN = re.compile(r"(?<![\\\[])\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-[^}]*)?\}")


# run.listen


def addresses(check: Check, key: Key, value: list[object]) -> tuple[str, ...]:
    """Addresses of sockets, as written, each once."""
    seen: dict[object, str] = {}
    for index, one in enumerate(value):
        if isinstance(one, str) and one.strip():
            _address(check, key, index, one, seen)
    return strings(check, key, value)


def _address(check: Check, key: Key, index: int, text: str, seen: dict[object, str]) -> None:
    """Read one address; `seen` holds those before it, each with its text."""
    path = (*key.path, index)
    if not (found := _parsed(check, key.dotted, path, text, parse_address)):
        return
    same = _identity(found) if isinstance(found, Address) else found
    if same not in seen:
        seen[same] = text
        return
    first = seen[same]
    hint = "remove it" if first == text else f"it is the same as {quoted(first)}: remove one"
    check.report(path, f"{key.dotted}: {quoted(text)} is there twice", hint)


def _identity(address: Address) -> Address:
    """What two ways to write one address have in common."""
    path = os.path.normpath(address.path) if address.path else ""
    return Address(address.host.casefold(), address.port, path, "")


def addresses_meant(value: object) -> str:
    """Write something else as the list of addresses that was meant, or nothing."""
    if port := port_meant(value):
        return f'["{port}"]'
    return f"[{quoted(value, 100)}]" if isinstance(value, str) and value.strip() else ""


# run.ready


def ready(check: Check, key: Key, value: dict[str, object]) -> Ready:
    """One way to know that the app serves, and how long that may take."""
    forms = forms_in(check, key, value)
    texts = {part.name: _form(check, key, part, value[part.name]) for part in forms}
    return Ready(**texts, timeout=_timeout(check, key, value))


def _timeout(check: Check, key: Key, value: dict[str, object]) -> float:
    if "timeout" not in value:
        return Ready().timeout
    timeout, path = value["timeout"], (key.table, key.name, "timeout")
    if type(timeout) in {str, int, float}:
        return seconds_of(check, key, timeout, path)
    message = f"{key.dotted}.timeout must be a duration, not {what(timeout)}"
    check.report(path, message, f"for example {key.name} = {key.example}")
    return 0.0


def _form(check: Check, key: Key, part: Key, value: object) -> str:
    path, subject = part.path, part.dotted
    example = f"for example {example_of(key, part)}"
    if not isinstance(value, str):
        message = f"{subject} must be a string, not {what(value)}"
        port = port_meant(value) if part.name == "tcp" else ""
        check.report(path, message, f'write tcp = "{port}"' if port else example)
        return ""
    if not value.strip():
        check.report(path, f"{subject} is empty", example)
        return ""
    _parsed(check, subject, path, value, _PARSERS[part.name])
    return text_in(check, key, value, path)


def ready_meant(value: object) -> str:
    """Write something else as the table that was meant, or nothing."""
    if port := port_meant(value):
        return f'{{ tcp = "{port}" }}'
    if not isinstance(value, str) or not value.strip():
        return ""
    text = f"http://127.0.0.1:8080{value}" if value.startswith("/") else value
    name = _form_of(text)
    return f"{{ {name} = {quoted(text, 100)} }}" if name else ""


def _form_of(text: str) -> str:
    """Return the name of the form a text looks like, or nothing."""
    if re.match(r"https?://", text, re.IGNORECASE):
        return "http"
    if " " in text:
        return "log"
    try:
        _port(REFERENCE.sub("1", text))
    except AddressError:
        return ""
    return "tcp"


# Texts


def _port(text: str) -> Address:
    """Read an address to connect to."""
    address = parse_address(text)
    if address.path:
        raise AddressError("is a path, and tcp asks a port", _TCP_EXAMPLE)
    if not address.port:
        raise AddressError("has the port 0, where nothing answers", _TCP_EXAMPLE)
    return address


def _pattern(text: str) -> re.Pattern[str]:
    """Read a regular expression."""
    import warnings

    if variable := _VARIABLE_IN_PATTERN.search(text):
        hint = f"write what stands in the place of {variable[0]}, such as \\d+"
        raise TextError("holds a variable, and log takes none", hint)
    try:
        with warnings.catch_warnings():
            # Of what a later Python may read otherwise, such as "[[": no word for our users.
            warnings.simplefilter("ignore")
            return re.compile(text)
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        said = "it is nested too deeply" if isinstance(error, RecursionError) else error
        hint = "a plain text is one too, with a \\ before each of . ^ $ * + ? { } [ ] \\ | ( )"
        raise TextError(f"is no regular expression: {said}", hint) from error


_PARSERS: dict[str, Callable[[str], object]] = {"http": parse_url, "tcp": _port, "log": _pattern}


def _parsed(
    check: Check, subject: str, path: Path, text: str, parse: Callable[[str], object]
) -> object:
    """Read a text.

    Returns:
        What it is; the text itself when only the app's start can tell; None after a report.
    """
    if "\0" in text:  # reported with the strings
        return None
    shown, plain = f"{subject}: {quoted(text)}", None
    try:
        plain = text if parse is _pattern else _with_defaults(text)
        shown += f", by default {quoted(plain)}," if plain not in {None, text} else ""
        return text if plain is None else parse(plain)
    except TextError as error:
        hint = error.hint if parse is _pattern else _hint(text, plain or "", error.hint)
        check.report(path, f"{shown} {printable(error.message)}", printable(hint))
    return None


def _hint(text: str, plain: str, hint: str) -> str:
    """Say what to write, with the variables that are to stay in it."""
    if bare := _BARE_VARIABLE.search(text):
        return f"a variable is written ${{{bare[1]}}}, or ${{{bare[1]}:-default}}"
    if plain.isdigit():  # all that was written is one variable, a port
        return hint.replace(f':{plain}"', f':{text}"')
    return hint


def _with_defaults(text: str) -> str | None:
    """Take each variable for its default; None when one has none, and nobody can tell yet."""
    variables = [*REFERENCE.finditer(text)]
    if any(found["name"] is None for found in variables):
        hint = "a variable is written ${NAME}, or ${NAME:-default}"
        raise TextError("holds a ${ that begins no variable", hint)
    if any(found["default"] is None for found in variables):
        return None
    return REFERENCE.sub(lambda found: found["default"], text)
