"""What the smoke test writes: for people, for programs, for CI systems, for GitHub."""

from __future__ import annotations

import io
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from hotrun.errors import ConfigError
from hotrun.project.smoke import junit
from hotrun.project.smoke.annotations import Annotations
from hotrun.project.smoke.check import Check, Place, Result
from hotrun.project.smoke.checklist import Checklist
from hotrun.project.smoke.lines import Lines
from hotrun.project.smoke.turns import with_port

OK = Check("config", True, 7, "hotrun.toml", notes=("look <here>",))
BAD = Check(
    "build",
    False,
    61_250,
    'go build failed & "how"',
    "mend it",
    1,
    ("\x1b[31mred\x1b[0m", "\ta < b"),
    (Place("/work/shop/a b,c:d.go", 3, 7, "100%\nwrong", "a b,c:d.go"),),
)
SKIPPED = Check("start", None, 0, "there is no app ([run])")
UNREACHED = Check("ready", None, 0, "not reached: build failed", reached=False)
RESULT = Result((OK, BAD, SKIPPED, UNREACHED), 1, 61_300)


def shown(stream: io.TextIOWrapper, *, colour: bool = False) -> list[str]:
    checklist = Checklist(stream, colour=colour)
    for check in RESULT.checks:
        checklist(check)
    checklist.finish(RESULT)
    stream.seek(0)
    return stream.read().splitlines()


def stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("127.0.0.1:${P}", "127.0.0.1:8123"),
        ("[::1]:${NONE:-9000}", "[::1]:9000"),
        ("http://${HOST}:${P}/healthz?a=${SECRET}", "http://${HOST}:8123/healthz?a=${SECRET}"),
        ("http://me:${SECRET}@host:80/", "http://me:${SECRET}@host:80/"),
        ("http://host/a:${SECRET}", "http://host/a:${SECRET}"),
        ("127.0.0.1:${NONE}", "127.0.0.1:${NONE}"),
    ],
)
def test_of_an_address_only_the_port_is_shown_as_it_is(address: str, shown: str) -> None:
    assert with_port(address, {"P": "8123", "HOST": "h", "SECRET": "1234"}) == shown


def test_people_get_a_line_for_each_check_and_all_that_helps_below_one_that_failed() -> None:
    assert shown(stream("utf-8")) == [
        "\N{CHECK MARK} config     7 ms  hotrun.toml",
        "warning: look <here>",
        '\N{BALLOT X} build  1 m 01 s  go build failed & "how"',
        "    \\x1b[31mred\\x1b[0m",
        "            a < b",
        "hint: mend it",
        "- start            there is no app ([run])",
        "error: smoke test failed: build (1 m 01 s)",
    ]


def test_where_the_marks_cannot_be_written_words_stand_in_their_place() -> None:
    lines = shown(stream("ascii"))
    assert [line[:5] for line in lines if "config" in line or "go build" in line] == [
        "ok   ",
        "FAIL ",
    ]
    assert any(line.startswith("skip start") for line in lines)


def test_colours_are_asked_for() -> None:
    assert shown(stream("utf-8"), colour=True)[0].startswith("\x1b[32m\N{CHECK MARK}\x1b[0m config")


def test_a_good_end_says_how_many_checks_were_made() -> None:
    out = stream("utf-8")
    Checklist(out, colour=False).finish(Result((OK, SKIPPED), 0, 1500))
    out.seek(0)
    assert out.read() == "1 check passed in 1.5 s\n"


def test_programs_get_one_object_for_each_check_and_one_at_the_end() -> None:
    out = io.StringIO()
    lines = Lines(out)
    for check in RESULT.checks:
        lines(check)
    lines.finish(RESULT)
    *checks, last = map(json.loads, out.getvalue().splitlines())
    assert [(each["v"], each["event"], each["check"], each["ok"]) for each in checks] == [
        (1, "check", "config", True),
        (1, "check", "build", False),
        (1, "check", "start", None),
        (1, "check", "ready", None),
    ]
    assert checks[1]["diagnostics"] == [
        {
            "file": "a b,c:d.go",
            "line": 3,
            "column": 7,
            "severity": "error",
            "message": "100%\nwrong",
        }
    ]
    assert (checks[1]["ms"], checks[1]["hint"], checks[0]["notes"]) == (
        61_250,
        "mend it",
        ["look <here>"],
    )
    del last["t"]
    assert last == {
        "v": 1,
        "event": "smoke_finished",
        "ok": False,
        "code": 1,
        "ms": 61_300,
        "failed": ["build"],
    }


def test_the_junit_file_is_xml_whatever_a_compiler_prints() -> None:
    odd = Check("stop", False, 1, "\x00\ud800 & ]]>", output=("\x07bell \udcff",))
    text = junit.document(Result((*RESULT.checks, odd), 1, 61_300), 86_461.3)
    suites = ET.fromstring(text.encode())  # noqa: S314 - it is our own
    (suite,) = suites
    assert suite.attrib == {
        "name": "hotrun smoke",
        "tests": "5",
        "failures": "2",
        "errors": "0",
        "skipped": "2",
        "time": "61.300",
        "timestamp": "1970-01-02T00:00:00",
    }
    config, build, start, _, stop = suite
    assert (config.get("classname"), config.get("name"), config.get("time"), len(config)) == (
        "hotrun.smoke",
        "config",
        "0.007",
        0,
    )
    assert (build[0].tag, build[0].get("message")) == ("failure", 'go build failed & "how"')
    assert build[0].text == "hint: mend it\nred\n\ta < b"
    assert (start[0].tag, start[0].get("message")) == ("skipped", "there is no app ([run])")
    assert stop[0].get("message") == "\ufffd\ufffd & ]]>"
    assert stop[0].text == "\ufffdbell \ufffd"


def test_the_junit_file_replaces_the_one_of_the_last_time(tmp_path: Path) -> None:
    path = tmp_path / "new" / "smoke.xml"
    junit.prepare(str(path))
    assert not path.exists()
    for _ in range(2):
        junit.write(str(path), RESULT)
    assert path.read_text().startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>')
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (".", "--junit: {} is a directory"),
        ("file/smoke.xml", "--junit: {} is not a directory"),
    ],
    ids=["a directory", "below a file"],
)
def test_a_junit_file_that_cannot_be_is_refused_at_once(
    tmp_path: Path, name: str, message: str
) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / name
    with pytest.raises(ConfigError) as refused:
        junit.prepare(str(path))
    shown = path.parent if name != "." else path
    assert refused.value.message == message.format(shown)


def test_annotations_name_the_file_as_the_repository_does_and_escape_the_rest() -> None:
    out = io.StringIO()
    annotations = Annotations(out, "/work")
    for check in RESULT.checks:
        annotations(check)
    annotations(Check("clean", False, 1, "a daemon", "end it", 1))
    assert out.getvalue().splitlines() == [
        "::error file=shop/a b%2Cc%3Ad.go,line=3,col=7,title=hotrun smoke%3A build::100%25%0Awrong",
        "::error title=hotrun smoke%3A clean::a daemon%0Aend it",
    ]
