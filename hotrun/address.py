"""Addresses to listen on: read from the config, before anything is bound.

TCP is written as Go writes it (`127.0.0.1:8080`, `[::1]:8080`, and `:8080` for all interfaces),
a unix socket as its path. What is nearly right (a URL, a bare port, IPv6 without brackets) is
told the right form. Law: only the text is looked at; whether it can be bound is the kernel's say.
"""

from __future__ import annotations

import os
import re

from hotrun.errors import TextError
from hotrun.lean import NamedTuple

HIGHEST_PORT = 65_535
_EXAMPLE = '"127.0.0.1:8080", ":8080", "[::1]:8080" or "unix:/run/app.sock"'
_DEFAULT_PORTS = {"http": "80", "ws": "80", "https": "443", "wss": "443"}

# Plain text, which ``re`` compiles when it is first matched: most projects have no address.
_URL = r"(?s:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*))"
_HOST_AND_PATH = r"(?s:(?P<host>[^/]*:[0-9]+)/.*)"
_TCP = r"(?:\[(?P<six>[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|(?P<host>[\w.-]*)):(?P<port>.*)"
_BARE_SIX = r"(?P<host>[0-9A-Fa-f:.]*?:[0-9A-Fa-f:.]*?)(?::(?P<port>[0-9]{4,5}))?"


class AddressError(TextError):
    """A text that is no address to listen on."""


class Address(NamedTuple):
    """Where to listen.

    Args:
        host: A name or a numeric address without brackets; empty: all interfaces.
        port: 0 to 65535; 0: the kernel picks a free one.
        path: Of a unix socket; empty: it is TCP, and only then host and port mean something.
        text: As it was written, for people.
    """

    host: str
    port: int
    path: str
    text: str

    def within(self, directory: str) -> Address:
        """The same address, the path of a unix socket being relative to a directory."""
        return self._replace(path=os.path.join(directory, self.path)) if self.path else self


def parse_address(text: str) -> Address:
    """Read an address to listen on.

    Args:
        text: `HOST:PORT`, `:PORT`, `[IPV6]:PORT`, `unix:PATH`, or a path with a slash in it.

    Returns:
        The address; the path of a unix socket as it was written, perhaps relative.

    Raises:
        AddressError: The text is none of these.
    """
    if (url := re.fullmatch(_URL, text)) is not None:
        raise _is_url(url["scheme"].lower(), url["rest"])
    if (mixed := re.fullmatch(_HOST_AND_PATH, text)) is not None and not text.startswith("unix:"):
        raise AddressError("has a path behind the port", f'write "{mixed["host"]}"')
    if text.startswith("unix:") or "/" in text:
        return Address("", 0, _path(text.removeprefix("unix:")), text)
    if (match := re.fullmatch(_TCP, text)) is None:
        raise _not_an_address(text)
    host = match["six"] or match["host"]
    shown = text[: match.start("port") - 1]
    return Address(host, _port(match["port"], shown), "", text)


def _port(text: str, host: str) -> int:
    if not text:
        raise AddressError("has no port", f'write "{host}:8080"')
    if not (text.isascii() and text.isdigit()):
        if ":" in text:
            raise _not_an_address(f"{host}:{text}")
        raise AddressError("has no number as its port", f'write "{host}:8080"')
    digits = text.lstrip("0") or "0"
    # Not `int` at once, which refuses thousands of digits in words of its own.
    if len(digits) > len(str(HIGHEST_PORT)) or int(digits) > HIGHEST_PORT:
        hint = f"a port is a number up to {HIGHEST_PORT}; 0 takes any that is free"
        raise AddressError("has a port that is out of range", hint)
    return int(digits)


def _path(path: str) -> str:
    if not path or path.endswith("/"):
        raise AddressError("names no file for the unix socket", 'write "unix:/run/app.sock"')
    if path.startswith("~"):
        raise AddressError("has a ~, which only a shell knows", f'write "${{HOME}}{path[1:]}"')
    if "\0" in path:
        raise AddressError("holds a NUL", "no path may hold one")
    if path.startswith("@"):
        raise AddressError("is an abstract socket, which has no file", "name a path")
    return path


def _is_url(scheme: str, rest: str) -> AddressError:
    if scheme == "unix":
        return AddressError("is a URL", f'leave out the slashes: "unix:{rest}"')
    host = re.split(r"[/?#]", rest)[0].rpartition("@")[2] or "127.0.0.1"
    if re.search(r":[0-9]+$", host) is None or host.endswith("]"):
        host = f"{host.rstrip(':')}:{_DEFAULT_PORTS.get(scheme, '8080')}"
    return AddressError("is a URL", f'write the host and the port alone: "{host}"')


def _not_an_address(text: str) -> AddressError:
    if text.isascii() and text.isdigit():
        hint = f'write "127.0.0.1:{text}" (this machine only) or ":{text}" (all interfaces)'
        return AddressError("is a port without an address", hint)
    if text.startswith("*:"):
        return AddressError("has a *", f'write "{text[1:]}" (all interfaces)')
    if text.startswith("[") and text.endswith("]"):
        return AddressError("has no port", f'write "{text}:8080"')
    if "::" in text and (six := re.fullmatch(_BARE_SIX, text)) is not None:
        hint = f'write "[{six["host"]}]:{six["port"] or 8080}"'
        return AddressError("is IPv6 without brackets", hint)
    if re.fullmatch(r"[\w.-]+", text) is not None:
        return AddressError("has no port", f'write "{text}:8080"')
    return AddressError("is not an address", f"write {_EXAMPLE}")
