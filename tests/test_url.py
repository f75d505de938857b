from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotrun.url import Url, UrlError, parse_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (
            "http://127.0.0.1:8080/healthz",
            Url("http", "127.0.0.1", 8080, "/healthz", "127.0.0.1:8080"),
        ),
        ("http://localhost", Url("http", "localhost", 80, "/", "localhost")),
        ("https://localhost", Url("https", "localhost", 443, "/", "localhost")),
        ("https://localhost:8443/", Url("https", "localhost", 8443, "/", "localhost:8443")),
        ("HTTP://localhost:80/A", Url("http", "localhost", 80, "/A", "localhost")),
        ("http://localhost:/", Url("http", "localhost", 80, "/", "localhost")),
        ("http://h:1?a=b", Url("http", "h", 1, "/?a=b", "h:1")),
        ("http://h:1/p?a=b&c=?#part", Url("http", "h", 1, "/p?a=b&c=?", "h:1")),
        ("http://h:1/#a?b", Url("http", "h", 1, "/", "h:1")),
        ("http://[::1]:8080/x", Url("http", "::1", 8080, "/x", "[::1]:8080")),
        ("http://[::1]", Url("http", "::1", 80, "/", "[::1]")),
        ("http://[fe80::1%eth0]:1/", Url("http", "fe80::1%eth0", 1, "/", "[fe80::1%eth0]:1")),
        ("http://me:pass@h:1/", Url("http", "h", 1, "/", "h:1", b"me:pass")),
        ("http://me%40x:p%3Ass@h:1/", Url("http", "h", 1, "/", "h:1", b"me@x:p:ss")),
        ("http://me:p@ss@h:1/", Url("http", "h", 1, "/", "h:1", b"me:p@ss")),
        ("http://h:1/a b/\u00fc", Url("http", "h", 1, "/a%20b/%C3%BC", "h:1")),
        ("http://h:1/a%20b%2f", Url("http", "h", 1, "/a%20b%2f", "h:1")),
        ("http://h:1/100%?x=50%zz", Url("http", "h", 1, "/100%25?x=50%25zz", "h:1")),
        (
            "http://h:1/a\r\nX: y?b\tc",
            Url("http", "h", 1, "/a%0D%0AX:%20y?b%09c", "h:1"),
        ),
        ("http://h:1/\udcff", Url("http", "h", 1, "/%FF", "h:1")),
        (
            "http://b\u00fccher.example:1/",
            Url("http", "xn--bcher-kva.example", 1, "/", "xn--bcher-kva.example:1"),
        ),
        ("http://my_app.test:1/", Url("http", "my_app.test", 1, "/", "my_app.test:1")),
    ],
)
def test_a_url_is_read_as_a_request_asks_for_it(text: str, url: Url) -> None:
    assert parse_url(text) == url


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("127.0.0.1:8080/x", "has no scheme", 'write "http://127.0.0.1:8080/x"'),
        ("localhost:8080", "has no scheme", 'write "http://localhost:8080"'),
        (" http://h/", "is not a URL", 'write it as "http://127.0.0.1:8080/healthz"'),
        (":8080/x", "has no scheme", 'write "http://127.0.0.1:8080/x"'),
        ("/healthz", "has no scheme", 'write "http://127.0.0.1:8080/healthz"'),
        ("//h:1/x", "has no scheme", 'write "http://h:1/x"'),
        ("", "has no scheme", 'write "http://127.0.0.1:8080/"'),
        ("http:/h/x", 'has no "//"', 'write "http://h/x"'),
        ("http:", 'has no "//"', 'write "http://127.0.0.1:8080/"'),
        ("http://", "has no host", 'write "http://127.0.0.1/"'),
        ("http:///x", "has no host", 'write "http://127.0.0.1/x"'),
        ("http://:8080/x", "has no host", 'write "http://127.0.0.1:8080/x"'),
        ("https://me@:1/", "has no host", 'write "https://127.0.0.1:1/"'),
        (
            "ftp://h/",
            'has the scheme "ftp"',
            'write "http://" or "https://"; for a bare port there is tcp = "127.0.0.1:8080"',
        ),
        ("http://h:0/", 'has the port "0"', "a port is a number from 1 to 65535"),
        ("http://h:65536/", 'has the port "65536"', "a port is a number from 1 to 65535"),
        ("http://h:web/", 'has the port "web"', "a port is a number from 1 to 65535"),
        ("http://h:\u0661/", 'has the port "\u0661"', "a port is a number from 1 to 65535"),
        ("http://h: 80/", 'has the port " 80"', "a port is a number from 1 to 65535"),
        ("http://a b:1/", 'has the host "a b"', "a host is a name or an IP address"),
        ("http://\x1b[31m/", "has a host that is no name", 'an IPv6 address is written "[::1]"'),
        ("http://a\x1bb/", 'has the host "a\\x1bb"', "a host is a name or an IP address"),
        ("http://.x/", 'has the host ".x"', "a host is a name or an IP address"),
        ("http://\u00fc..x/", 'has the host "\u00fc..x"', "a host is a name or an IP address"),
        ("http://[::1", "has a host that is no name", 'an IPv6 address is written "[::1]"'),
        ("http://[x]/", "has a host that is no name", 'an IPv6 address is written "[::1]"'),
        ("http://::1:80/", "is not a URL", 'write it as "http://127.0.0.1:8080/healthz"'),
    ],
)
def test_what_is_no_url_is_told_the_right_form(text: str, message: str, hint: str) -> None:
    with pytest.raises(UrlError) as caught:
        parse_url(text)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_the_words_for_a_url_hold_no_password() -> None:
    assert parse_url("http://me:secret@h:1/a b?c").text == "http://h:1/a%20b?c"


@given(st.text(max_size=20), st.sampled_from(["", "http://", "http://h", "http://h:1/"]))
def test_no_text_does_more_than_be_refused(text: str, before: str) -> None:
    with contextlib.suppress(UrlError):
        url = parse_url(before + text)
        assert 0 < url.port < 65_536
        assert url.host.isascii()
        assert url.target.isascii()
        assert url.target.startswith("/")
        assert url.target.isprintable()
        assert " " not in url.target + url.host_header
        assert parse_url(url.text) == url._replace(credentials=b"")
