"""Addresses: what is one, and the right form for what nearly is."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotrun.address import AddressError, parse_address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("localhost:8080", "localhost", 8080),
        ("my-host.example:80", "my-host.example", 80),
        ("bücher.example:80", "bücher.example", 80),
        (":8080", "", 8080),
        ("[::1]:8080", "::1", 8080),
        ("[::]:8080", "::", 8080),
        ("[fe80::1%eth0.5]:80", "fe80::1%eth0.5", 80),
        ("[::ffff:127.0.0.1]:80", "::ffff:127.0.0.1", 80),
        ("127.0.0.1:0", "127.0.0.1", 0),
        ("127.0.0.1:65535", "127.0.0.1", 65535),
        ("127.0.0.1:00080", "127.0.0.1", 80),
    ],
)
def test_a_host_and_a_port_are_tcp(text: str, host: str, port: int) -> None:
    assert parse_address(text) == (host, port, "", text)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("unix:/run/app.sock", "/run/app.sock"),
        ("unix:app.sock", "app.sock"),
        ("./app.sock", "./app.sock"),
        ("run/app.sock", "run/app.sock"),
        ("/run/a b.sock", "/run/a b.sock"),
        ("unix:run:80/x", "run:80/x"),
    ],
)
def test_what_has_a_slash_or_says_so_is_a_unix_socket(text: str, path: str) -> None:
    assert parse_address(text) == ("", 0, path, text)


def test_a_path_is_relative_to_a_directory_and_tcp_is_not() -> None:
    assert parse_address("./app.sock").within("/srv/web").path == "/srv/web/./app.sock"
    assert parse_address("/run/app.sock").within("/srv/web").path == "/run/app.sock"
    assert parse_address("./app.sock").within("/srv").text == "./app.sock"
    assert parse_address(":8080").within("/srv/web") == parse_address(":8080")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "8080",
            "is a port without an address",
            'write "127.0.0.1:8080" (this machine only) or ":8080" (all interfaces)',
        ),
        ("localhost", "has no port", 'write "localhost:8080"'),
        ("localhost:", "has no port", 'write "localhost:8080"'),
        ("127.0.0.1", "has no port", 'write "127.0.0.1:8080"'),
        ("[::1]", "has no port", 'write "[::1]:8080"'),
        ("localhost:http", "has no number as its port", 'write "localhost:8080"'),
        ("localhost:-1", "has no number as its port", 'write "localhost:8080"'),
        ("localhost:\u0668\u0660", "has no number as its port", 'write "localhost:8080"'),
        ("*:8080", "has a *", 'write ":8080" (all interfaces)'),
        ("::1", "is IPv6 without brackets", 'write "[::1]:8080"'),
        ("::", "is IPv6 without brackets", 'write "[::]:8080"'),
        ("::1:9000", "is IPv6 without brackets", 'write "[::1]:9000"'),
        ("fe80::1:9000", "is IPv6 without brackets", 'write "[fe80::1]:9000"'),
        ("localhost:80/health", "has a path behind the port", 'write "localhost:80"'),
        ("unix:///run/x", "is a URL", 'leave out the slashes: "unix:/run/x"'),
        ("unix:", "names no file for the unix socket", 'write "unix:/run/app.sock"'),
        ("/run/", "names no file for the unix socket", 'write "unix:/run/app.sock"'),
        ("~/x.sock", "has a ~, which only a shell knows", 'write "${HOME}/x.sock"'),
        ("unix:@x", "is an abstract socket, which has no file", "name a path"),
        ("./a\0b", "holds a NUL", "no path may hold one"),
    ],
)
def test_a_near_miss_is_told_the_right_form(text: str, message: str, hint: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_address(text)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("http://localhost:8080", "localhost:8080"),
        ("http://localhost:8080/health?x=1", "localhost:8080"),
        ("http://localhost", "localhost:80"),
        ("https://user@localhost/x", "localhost:443"),
        ("http://[::1]", "[::1]:80"),
        ("http://[::1]:81", "[::1]:81"),
        ("tcp://:80", ":80"),
        ("http://", "127.0.0.1:80"),
    ],
)
def test_a_url_is_told_what_it_is_without_the_scheme(text: str, right: str) -> None:
    with pytest.raises(AddressError, match="is a URL") as caught:
        parse_address(text)
    assert caught.value.hint == f'write the host and the port alone: "{right}"'
    parse_address(right)


@pytest.mark.parametrize("port", ["65536", "99999", "9" * 6000])
def test_a_port_has_a_range(port: str) -> None:
    with pytest.raises(AddressError, match="has a port that is out of range") as caught:
        parse_address(f"localhost:{port}")
    assert "65535" in caught.value.hint


@pytest.mark.parametrize("text", ["", " ", "a b:80", "[]:80", "[::1]8080", "127.0.0.1:80\n", "@x"])
def test_anything_else_is_shown_examples(text: str) -> None:
    with pytest.raises(AddressError, match="is not an address") as caught:
        parse_address(text)
    assert '"127.0.0.1:8080", ":8080", "[::1]:8080"' in caught.value.hint


@given(st.text(alphabet=st.sampled_from("a1:.[]/%@~*-h\0\n unix0"), max_size=12) | st.text())
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with contextlib.suppress(AddressError):
        assert parse_address(text).text == text
