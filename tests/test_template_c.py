"""The project of the template `c`: its tests, its Makefile, and what a client may send."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest
from apps import answer, ask, attempt, copied, edit, get, made, running, wait_until_serving
from live import DEADLINE, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made("c", tmp_path_factory.mktemp("projects"))


@pytest.fixture
def copy(shop: Path, tmp_path: Path) -> Path:
    return copied(shop, tmp_path)


def test_the_project_builds_without_a_warning_and_passes_its_tests(copy: Path) -> None:
    ask(copy, "make", "clean")
    assert attempt(copy, "make").stderr == ""
    assert ask(copy, "make", "-s", "check") == "ok\n"
    edit(copy, "handlers.c", '"ok\\n"', '"OK\\n"')
    failed = attempt(copy, "make", "-s", "check")
    assert failed.returncode != 0
    assert "not so: strstr(answer.body, tests[i].body)\n  for GET /healthz\n" in failed.stderr


def test_a_changed_header_compiles_what_includes_it_and_nothing_else(copy: Path) -> None:
    edit(copy, "server.h", "/* A server", "/* The server")
    compiled = [line.split()[-1] for line in ask(copy, "make").splitlines() if " -c " in line]
    assert sorted(compiled) == ["main.c", "server.c"]
    assert " -o " not in ask(copy, "make")
    assert ask(copy, "make", CFLAGS="-g").count(" -o ") == 5


def test_a_file_that_is_saved_while_it_is_compiled_is_compiled_again(copy: Path) -> None:
    # The compiler reads the file, then the save comes, then the object is written.
    compiler = copy / "slow-cc"
    compiler.write_text('#!/bin/sh\ncc "$@" || exit\ncase $* in *handlers.c) . ./save; esac\n')
    compiler.chmod(0o755)
    (copy / "save").write_text(
        "sed -i 's/It runs[.]/It runs well./' handlers.c; touch build/handlers.o; : >save\n"
    )
    os.utime(copy / "handlers.c")
    for _ in range(2):  # with the same compiler: another would compile everything again
        ask(copy, "make", "CC=./slow-cc")
    assert (copy / "save").read_text() == ""
    port = free_port()
    with running(copy, port) as app:
        wait_until_serving(app, port)
        assert "It runs well." in get(port, "/")[1]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /healthz?now HTTP/1.1\r\n\r\n", b"200 OK"),
        (b"nonsense\r\n\r\n", b"400 Bad Request"),
        (b"GET / FTP/1.0\r\n\r\n", b"400 Bad Request"),
        (b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\n\r\n", b"400 Bad Request"),
        (b"\0\r\n\r\n", b""),
        (b"GET / HT", b""),
        (b"", b""),
        (b"POST / HTTP/1.1\r\nContent-Length: 500000\r\n\r\n" + b"a" * 500000, b"405 Method"),
    ],
    ids=["query", "nonsense", "protocol", "long path", "NUL", "half", "nothing", "body"],
)
def test_whatever_a_client_sends_the_server_goes_on(
    serving: int, request_: bytes, status: bytes
) -> None:
    client = socket.create_connection(("127.0.0.1", serving), timeout=DEADLINE)
    client.sendall(request_)
    client.shutdown(socket.SHUT_WR)
    assert answer(client).partition(b"HTTP/1.1 ")[2][: len(status)] == status
    assert get(serving, "/healthz") == (200, "ok\n")


@pytest.fixture(scope="module")
def serving(shop: Path) -> Iterator[int]:
    """The port of an app that answers."""
    port = free_port()
    with running(shop, port) as app:
        wait_until_serving(app, port)
        yield port


def test_a_port_that_is_no_number_is_said(shop: Path) -> None:
    for port in ("http", "99999"):
        done = attempt(shop, "build/app", PORT=port)
        assert done.returncode == 1
        assert done.stderr == f'error: PORT is "{port}"\nhint: it takes a number up to 65535\n'
