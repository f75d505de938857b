"""What is said of ports when an app fails while hotrun holds one for it; the socket is real."""

from __future__ import annotations

import contextlib
import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from hotrun.jobs.taken import USE_IT, Taken
from hotrun.notices import Problem
from hotrun.process.command import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotrun.host import Host

PYTHON = "python3 -m http.server"


@contextlib.contextmanager
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def told(command: str, words: str = "", known: set[int] | None = None) -> list[str]:
    """Let an app fail that printed some words, and return what was said of it.

    PORT in a text stands for the port that is held, OTHER for one that nobody has.
    """
    said: list[Problem] = []
    with listening() as port:
        with listening() as other:
            pass
        host = SimpleNamespace(
            sockets=SimpleNamespace(addresses=(f"127.0.0.1:{port}",)),
            alarms=SimpleNamespace(later=lambda *_: SimpleNamespace(cancel=lambda: None)),
            terminal=None,
            captures=False,
            tell=said.append,
        )
        taken = Taken(cast("Host", host), set() if known is None else {port})
        texts = [text.replace("PORT", str(port)) for text in (command, words)]
        program, heard = (text.replace("OTHER", str(other)) for text in texts)
        taken.prepare(parse(program), {"PORT": str(port)}, None)
        if heard:
            taken.hear(f"{heard}\n")
        taken.end()
        taken.explain(5)
    assert all(notice.hint == USE_IT for notice in said if notice.severity == "warning")
    return [notice.message.replace(str(port), "PORT") for notice in said]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("./app", ""),
        ("./app --port PORT", "DATABASE_URL is not set"),
        ("./app --port OTHER", ""),
        ("./app", "listen tcp 127.0.0.1:OTHER: bind: address already in use"),
    ],
    ids=["not read", "another reason", "another port in the command", "another port in its words"],
)
def test_an_app_that_fails_for_its_own_reason_hears_nothing_of_ports(
    command: str, words: str
) -> None:
    assert told(command, words) == []


def test_an_app_that_says_in_use_is_told_who_holds_its_port() -> None:
    assert told("./app", "OSError: [Errno 98] Address already in use") == [
        "hotrun holds port PORT for the app (run.listen), which cannot bind it as well"
    ]


@pytest.mark.parametrize("command", [f"{PYTHON} PORT", f"sh -c '{PYTHON} PORT && true'"])
def test_an_app_whose_command_names_the_port_is_told_so_where_its_words_are_not_read(
    command: str,
) -> None:
    assert told(command) == [
        "hotrun holds port PORT, which the command names: the app cannot bind it as well"
    ]


def test_an_app_that_has_once_served_knows_how_to_take_the_socket() -> None:
    assert told("./app", "Address already in use", {0}) == []


def test_a_unix_socket_is_no_port() -> None:
    said: list[Problem] = []
    host = SimpleNamespace(
        sockets=SimpleNamespace(addresses=("unix:app.sock",)),
        alarms=SimpleNamespace(later=lambda *_: None),
        tell=said.append,
    )
    taken = Taken(cast("Host", host), set())
    taken.prepare(parse("./app"), {}, None)
    taken.hear("listen unix app.sock: bind: address already in use\n")
    taken.explain(5)
    assert said == []
