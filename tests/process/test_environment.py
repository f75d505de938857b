"""Env files: what they set, what they cannot, and who wins."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from hotrun.process.environment import compose, read_file
from hotrun.variables import ExpandError, expand


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("A=1", {"A": "1"}),
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1", {"A": "1"}),
        ("export A=1\n\texport  B=2", {"A": "1", "B": "2"}),
        ("  A = 1  ", {"A": "1"}),
        ("A=", {"A": ""}),
        ("A=a b", {"A": "a b"}),
        ("A=b=c", {"A": "b=c"}),
        ("A='a b'", {"A": "a b"}),
        ('A=" a "', {"A": " a "}),
        ("A=''", {"A": ""}),
        ('A="it\'s"', {"A": "it's"}),
        ("A='#x'", {"A": "#x"}),
        ("A='x' # y", {"A": "x"}),
        ("A=\"x\" # 'y'", {"A": "x"}),
        ('A="x" # say "y"', {"A": "x"}),
        ("# A=1\n\n  # B=2", {}),
        ("A=1 # one", {"A": "1"}),
        ("A=1#one", {"A": "1#one"}),
        ("A=#fff", {"A": "#fff"}),
        ("A= # nothing", {"A": ""}),
        ("A=$HOME", {"A": "$HOME"}),
        ("A=a\\nb", {"A": "a\\nb"}),
        ("A=1\nA=2", {"A": "2"}),
        ("a.b=1\n_c1=2", {"a.b": "1", "_c1": "2"}),
        ("A=ü", {"A": "ü"}),
        ("A=a\u2028b\x0cc", {"A": "a\u2028b\x0cc"}),
    ],
)
def test_a_file_says(tmp_path: Path, text: str, values: dict[str, str]) -> None:
    file = tmp_path / ".env"
    file.write_bytes(text.encode())
    assert read_file(str(file)) == (values, [])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nonsense", "not of the form KEY=value"),
        ("=1", "not of the form KEY=value"),
        ("1A=1", "not of the form KEY=value"),
        ("A B=1", "not of the form KEY=value"),
        ("export A", "not of the form KEY=value"),
        ("A=b\0c", "not of the form KEY=value"),
        ("A='x", "its quotes do not fit (a value is one line)"),
        ('A="x', "its quotes do not fit (a value is one line)"),
        ("A='x'y", "its quotes do not fit (a value is one line)"),
    ],
)
def test_a_bad_line_is_told_with_its_number_and_the_rest_counts(
    tmp_path: Path, line: str, message: str
) -> None:
    file = tmp_path / ".env"
    file.write_text(f"# first\nX=1\n{line}\nY=2\n")
    values, bad = read_file(str(file))
    assert values == {"X": "1", "Y": "2"}
    assert bad == [(str(file), 3, message)]


def test_other_bytes_than_text_survive(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"A=\xff\xe4")
    assert read_file(str(file))[0] == {"A": "\udcff\udce4"}


def test_a_file_that_is_missing_says_nothing_and_a_directory_is_told(tmp_path: Path) -> None:
    assert read_file(str(tmp_path / "none")) == ({}, [])
    assert read_file(str(tmp_path)) == ({}, [(str(tmp_path), 0, "Is a directory")])


def test_a_fifo_says_what_its_writer_says_and_nobody_waits_for_one_that_never_comes(
    tmp_path: Path,
) -> None:
    file = str(tmp_path / ".env")
    os.mkfifo(file)
    assert read_file(file) == ({}, [(file, 0, "a FIFO that nobody writes to")])
    with subprocess.Popen(["sh", "-c", 'exec >"$0"; echo A=1; echo B=2', file]):
        assert read_file(file) == ({"A": "1", "B": "2"}, [])


def test_the_config_beats_what_is_set_and_that_beats_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("FILE=1\nBOTH=1\nSET=file\nEMPTY=file\nCONFIG=file\n")
    two.write_text("BOTH=2\nbad\n")
    monkeypatch.setenv("SET", "really")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("CONFIG", "really")
    env, bad = compose({"CONFIG": "config"}, [str(one), str(two)])
    said = {key: env[key] for key in ("FILE", "BOTH", "SET", "EMPTY", "CONFIG")}
    assert said == {"FILE": "1", "BOTH": "2", "SET": "really", "EMPTY": "", "CONFIG": "config"}
    assert [(line.file, line.line) for line in bad] == [(str(two), 2)]


def test_a_key_that_was_taken_out_is_gone(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("HOTRUN_TEST_A=1\n")
    assert compose({}, [str(file)])[0]["HOTRUN_TEST_A"] == "1"
    file.write_text("")
    assert "HOTRUN_TEST_A" not in compose({}, [str(file)])[0]


def test_sockets_that_were_passed_to_us_are_not_promised_to_children(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "HOTRUN_LISTEN_FDS"}
    for name in ours:
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("LISTEN_ADDRESS", "mine")
    env, _ = compose({})
    assert not ours & env.keys()
    assert env["LISTEN_ADDRESS"] == "mine"
    assert compose({"LISTEN_FDS": "2"})[0]["LISTEN_FDS"] == "2"  # who says so, means it


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("127.0.0.1:${PORT}", "127.0.0.1:9000"),
        ("${HOST:-127.0.0.1}:${PORT:-8080}", "127.0.0.1:9000"),
        ("${EMPTY:-x}${EMPTY}", "x"),
        ("${NONE:-}", ""),
        ("${NONE:-a:-b}", "a:-b"),
        ("${NONE:-$PORT}", "$PORT"),
        ("$PORT $ $$ {PORT}", "$PORT $ $$ {PORT}"),
        ("${TWICE}", "${PORT}"),
    ],
)
def test_names_in_braces_are_replaced(text: str, expanded: str) -> None:
    assert expand(text, {"PORT": "9000", "EMPTY": "", "TWICE": "${PORT}"}) == expanded


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (":${PORT}", ":${PORT}: PORT is not set", 'set it, or give a default: "${PORT:-...}"'),
        ("${", "${: a ${ without its name", 'write "${NAME}"'),
        ("${}", "${}: a ${ without its name", 'write "${NAME}"'),
        ("${A B}", "${A B}: a ${ without its name", 'write "${NAME}"'),
        ("${A-1}", "${A-1}: a ${ without its name", 'write "${NAME}"'),
    ],
)
def test_what_cannot_be_replaced_is_told(text: str, message: str, hint: str) -> None:
    with pytest.raises(ExpandError) as caught:
        expand(text, {})
    assert (caught.value.message, caught.value.hint) == (message, hint)
