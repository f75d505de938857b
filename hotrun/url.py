"""The address of a page: read from the config, written as a request asks for it.

Own and small: `urllib.parse` accepts nearly everything, and a config is to be told what is wrong
with its URL before anything is started. A fragment is never sent; a password is never shown.
Facts: RFC 3986 (URLs), RFC 9110 (Host), RFC 7617 (Basic).
"""

from __future__ import annotations

import re

from hotrun.errors import TextError
from hotrun.lean import NamedTuple

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Patterns are compiled when they are used: most configs have no URL, and every start would wait.
_SHAPE = (
    r"(?s:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?:(?P<user>[^/?#]*)@)?"
    r"(?P<host>\[[^\]/?#@]*\]|[^:/?#@\[\]]*)"
    r"(?::(?P<port>[^:/?#@]*))?"
    r"(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?:#.*)?)"
)
_WITH_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*:(?!\d)"
_NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_IPV6 = r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9._-]+)?"
_TRIPLET = rb"%([0-9A-Fa-f]{2})"
# What stands for itself in a path or a query; the rest is percent-encoded.
_PLAIN = frozenset(b"-._~!$&'()*+,;=:@/?" + bytes(range(48, 58)) + b"%")
_PLAIN |= frozenset(bytes(range(65, 91)) + bytes(range(97, 123)))


class UrlError(TextError):
    """A text that is not the URL of a page."""


class Url(NamedTuple):
    """A page and where it is.

    Args:
        scheme: ``http`` or ``https``.
        host: A name in ASCII or an IP address, without brackets.
        port: 1 to 65535.
        target: The path and the query, percent-encoded: what stands after ``GET``.
        host_header: What stands after ``Host:``.
        credentials: ``user:password`` in bytes, decoded; empty when there are none.
    """

    scheme: str
    host: str
    port: int
    target: str
    host_header: str
    credentials: bytes = b""

    @property
    def text(self) -> str:
        """The URL for people: without user and password."""
        return f"{self.scheme}://{self.host_header}{self.target}"


def parse_url(text: str) -> Url:
    """Read the URL of a page, such as `"http://127.0.0.1:8080/healthz"`.

    Args:
        text: An http or https URL; blanks and non-ASCII characters of its path are encoded.

    Returns:
        The URL, with the port of its scheme when it names none.

    Raises:
        UrlError: There is no scheme, another one, no host, or no such port.
    """
    match = re.fullmatch(_SHAPE, text)
    if match is None:
        raise _without_shape(text)
    scheme = match["scheme"].lower()
    if scheme not in _DEFAULT_PORTS:
        hint = 'write "http://" or "https://"; for a bare port there is tcp = "127.0.0.1:8080"'
        raise UrlError(f"has the scheme {_quoted(match['scheme'])}", hint)
    port = _port(match["port"], scheme)
    host = _host(match, f"{scheme}://", port)
    shown = f"[{host}]" if ":" in host else host
    # A default port is left out, as browsers do: some servers compare the header with a name.
    header = shown if port == _DEFAULT_PORTS[scheme] else f"{shown}:{port}"
    target = _encoded((match["path"] or "/") + (match["query"] or ""))
    return Url(scheme, host, port, target, header, _decoded(match["user"] or ""))


def _without_shape(text: str) -> UrlError:
    """Tell what is wrong with a text that is not even `scheme://host:port/path`."""
    if "://" in text and "[" in text:
        return UrlError("has a host that is no name", 'an IPv6 address is written "[::1]"')
    if (match := re.match(_WITH_SCHEME, text)) is not None and "://" not in text:
        rest = text[match.end() :].lstrip("/") or "127.0.0.1:8080/"
        return UrlError('has no "//"', f"write {_quoted(f'{match[0]}//{rest}')}")
    if "://" in text:
        return UrlError("is not a URL", 'write it as "http://127.0.0.1:8080/healthz"')
    return UrlError("has no scheme", f"write {_quoted(f'http://{_with_host(text.strip())}')}")


def _with_host(text: str) -> str:
    """Put a host before a port or a path that has none."""
    if text.startswith("//"):
        return text[2:]
    before = {"": "127.0.0.1:8080/", "/": "127.0.0.1:8080", ":": "127.0.0.1"}
    return before.get(text[:1], "") + text


def _port(text: str | None, scheme: str) -> int:
    if not text:  # RFC 3986, 3.2.3: "http://host:/" is allowed
        return _DEFAULT_PORTS[scheme]
    if text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65_536:  # noqa: PLR2004
        return int(text)
    raise UrlError(f"has the port {_quoted(text)}", "a port is a number from 1 to 65535")


def _host(match: re.Match[str], before: str, port: int) -> str:
    """Return the host as it is looked up; a name in other letters in its ASCII form."""
    host = match["host"]
    if not host:
        after = f":{port}" if match["port"] else ""
        hint = f"write {_quoted(f'{before}127.0.0.1{after}' + (match['path'] or '/'))}"
        raise UrlError("has no host", hint)
    if host.startswith("["):
        if re.fullmatch(_IPV6, host[1:-1]):
            return host[1:-1]
        raise UrlError("has a host that is no name", 'an IPv6 address is written "[::1]"')
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if re.fullmatch(_NAME, name):
        return name
    raise UrlError(f"has the host {_quoted(host)}", "a host is a name or an IP address")


def _encoded(text: str) -> str:
    """Percent-encode what may not stand in a request; what is encoded already stays so."""
    data = text.encode("utf-8", "surrogateescape")
    # "100%" is no triplet: its per cent sign is meant as such.
    data = re.sub(rb"%(?![0-9A-Fa-f]{2})", b"%25", data)
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in data)


def _decoded(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return re.sub(_TRIPLET, lambda match: bytes([int(match[1], 16)]), data)


def _quoted(text: str) -> str:
    """Return a text in quotes, with nothing in it that steers a terminal."""
    plain = text.encode("utf-8", "backslashreplace").decode()
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in plain)
    return f'"{"".join(shown)}"'
