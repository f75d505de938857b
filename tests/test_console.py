"""Notices in, exact lines out."""

from __future__ import annotations

import asyncio
import io
import json
import time
from typing import TYPE_CHECKING

import pytest

from hotrun import notices
from hotrun.ui.colour import wants_colour
from hotrun.ui.console import Console, Manner
from hotrun.ui.jsonl import PIECE, JsonLines
from hotrun.ui.live import LiveLine
from hotrun.ui.red_line import PUSHED

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE = 60.0

BUILD = notices.BuildStarted("app", 1, "go build -o app .", [], 0)
BUILT = notices.BuildFinished("app", 1, ok=True, code=0, ms=420, diagnostics=[], artifact="changed")
STARTED = notices.AppStarted("app", 1, 4711)


def said(*heard: notices.Notice, **options: bool | str) -> list[str]:
    stream = io.StringIO()
    console = Console(stream, Manner(**options))  # type: ignore[arg-type]
    for notice in heard:
        console(notice)
    return stream.getvalue().splitlines()


async def until(predicate: Callable[[], object], what: str) -> None:
    end = time.monotonic() + DEADLINE
    while not predicate():
        assert time.monotonic() < end, f"waited {DEADLINE:g} s for {what}"
        await asyncio.sleep(0.01)


def test_the_first_build_and_start() -> None:
    assert said(BUILD, BUILT, STARTED) == [
        "-- #1 first build: go build -o app .",
        "-- #1 first build: built 420 ms, started pid 4711",
    ]


def test_a_save_names_the_first_file_and_how_many_more() -> None:
    lines = said(
        BUILD,
        BUILT,
        STARTED,
        notices.BuildStarted("app", 2, "go build -o app .", ["main.go", "a.go", "b.go"], 3),
        notices.BuildFinished("app", 2, True, 0, 1234, [], "changed"),
        notices.AppStopping("app", 1, "SIGTERM"),
        notices.AppExited("app", 1, 0, None, 9000, True, None, None),
        notices.AppStarted("app", 2, 4712),
    )
    assert lines[2:] == [
        "-- #2 main.go +2 more: go build -o app .",
        "-- #2 main.go +2 more: built 1.2 s, stopped (code 0), restarted pid 4712",
    ]


def test_a_broken_build_says_what_is_still_running() -> None:
    lines = said(
        STARTED,
        notices.BuildStarted("app", 2, "make", ["main.go"], 1),
        notices.Output("app", "build", 2, "stdout", "main.go:3: nonsense\n"),
        notices.BuildFinished("app", 2, False, 2, 80, [], None),
        notices.AppKept("app", 1, "build failed"),
    )
    assert lines[1:] == [
        "-- #2 main.go: make",
        "main.go:3: nonsense",
        "-- #2 main.go: BUILD FAILED (exit 2) after 80 ms, #1 still runs (pid 4711)",
    ]


FAILED: list[notices.Notice] = [
    STARTED,
    notices.BuildStarted("app", 2, "make", ["main.go"], 1),
    notices.BuildFinished("app", 2, False, 2, 80, [], None),
]
RED = "-- #2 main.go: BUILD FAILED (exit 2) after 80 ms, #1 still runs (pid 4711)"
STATUS = notices.Status("app", 1, 4711, 9000, 2, 0.0, 1 << 20, False)


@pytest.mark.parametrize(
    "notice",
    [
        notices.Unchanged("app", ["a.go"], 1),
        notices.Ignored("app", ["a_test.go"], 1, "no input of the build"),
        STATUS,
    ],
    ids=["unchanged", "ignored", "status"],
)
def test_the_red_line_is_said_again_with_whatever_does_not_mend_the_build(
    notice: notices.Notice,
) -> None:
    assert said(*FAILED, notice)[-1] == RED
    mended: list[notices.Notice] = [notices.BuildStarted("app", 3, "make", ["main.go"], 1), BUILT]
    assert RED not in said(*FAILED, *mended, notice)[3:]


def test_a_restart_does_not_hide_that_the_build_is_broken() -> None:
    gone = notices.AppExited("app", 1, 0, None, 9000, True, None, None)
    lines = said(*FAILED, gone, notices.AppStarted("app", 3, 4712))
    assert lines[-2:] == [
        "-- #3 stopped (code 0), restarted pid 4712",
        RED.replace("#1 still runs (pid 4711)", "#3 still runs (pid 4712)"),
    ]


def test_the_command_of_a_rule_that_succeeds_mends_no_build() -> None:
    step = notices.BuildStarted("app", 3, "sh gen.sh", ["a.proto"], 1, "rule[1].command")
    done = notices.BuildFinished("app", 3, True, 0, 10, [], None)
    assert said(*FAILED, step, done, STATUS)[-1] == RED
    bad = notices.BuildFinished("app", 3, False, 1, 10, [], None)
    both = said(*FAILED, step, bad, STATUS)[-2:]
    assert both[0] == RED
    assert both[1].startswith("-- #3 a.proto: BUILD FAILED (exit 1)")
    config = notices.ConfigChanged("/p/hotrun.toml", ["rule"])
    assert said(*FAILED, step, bad, config, STATUS)[-2:][1] == RED


@pytest.mark.parametrize("key", ["clear", "line", "explain"])
def test_the_red_line_is_said_again_when_a_key_is_pressed(key: str) -> None:
    stream = io.StringIO()
    console = Console(stream, Manner())
    for notice in FAILED:
        console(notice)
    assert console.act(key)
    assert stream.getvalue().count(RED) == 2
    assert stream.getvalue().endswith(f"{RED}\n")


def test_the_red_line_comes_back_once_the_output_of_the_app_has_pushed_it_away() -> None:
    stream = io.StringIO()
    line = notices.Output("app", "app", 1, "stdout", "GET /\n")

    async def session() -> list[str]:
        console = Console(stream, Manner(), live=LiveLine(stream, lambda: 80))
        for notice in [*FAILED, *[line] * (PUSHED - 1)]:
            console(notice)
        assert console._app.red._next is None
        console(line)
        assert stream.getvalue().splitlines()[-1] == "GET /"
        await until(lambda: stream.getvalue().endswith(f"{RED}\n"), "the red line")
        console(notices.SessionEnded(0, "over"))
        return stream.getvalue().splitlines()

    lines = asyncio.run(session())
    assert lines.count(RED) == 2


def test_a_config_that_changed_names_its_keys_and_one_that_is_back_has_none() -> None:
    assert said(notices.ConfigChanged("/p/hotrun.toml", ["run.args", "rule"])) == [
        "hotrun.toml changed: run.args, rule"
    ]
    assert said(notices.ConfigChanged("/p/hotrun.toml", [])) == [
        "hotrun.toml is good again, and says what counts already"
    ]


def test_a_log_has_the_red_line_once() -> None:
    line = notices.Output("app", "app", 1, "stdout", "GET /\n" * PUSHED)

    async def session() -> None:
        console = Console(io.StringIO(), Manner())
        for notice in (*FAILED, line, line):
            console(notice)
        assert console._app.red._next is None

    asyncio.run(session())


def test_the_same_binary_says_that_the_app_was_kept() -> None:
    lines = said(
        STARTED,
        notices.BuildStarted("app", 2, "make", ["main.go"], 1),
        notices.BuildFinished("app", 2, True, 0, 80, [], "same"),
        notices.AppKept("app", 1, "same artifact"),
    )
    assert lines[-1] == "-- #2 main.go: built 80 ms, binary unchanged, kept running (pid 4711)"


def test_an_app_that_crashes_is_reported_with_its_signal() -> None:
    lines = said(STARTED, notices.AppExited("app", 1, None, "SIGSEGV", 2000, False, None, None))
    assert lines[-1] == (
        "-- #1 app exited with signal SIGSEGV after 2.0 s; the next change starts it again"
    )


def test_an_app_that_takes_its_time_to_stop_is_announced() -> None:
    assert said(notices.AppLingers("app", 1, 4711, 4500)) == [
        "-- #1 waiting for pid 4711 to stop, SIGKILL in 4.5 s (Ctrl-C: at once)"
    ]


def test_a_problem_is_two_lines() -> None:
    assert said(notices.Problem("what is wrong", "what to do"), quiet=True) == [
        "error: what is wrong",
        "hint: what to do",
    ]


def test_a_change_during_a_build_does_not_become_its_cause() -> None:
    lines = said(
        notices.BuildStarted("app", 1, "make", ["a.go"], 1),
        notices.Changed("app", ["b.go"], 1, recovered=False),
        BUILT,
        STARTED,
    )
    assert lines[-1] == "-- #1 a.go: built 420 ms, started pid 4711"


def test_a_restart_without_a_build_names_its_cause() -> None:
    lines = said(
        STARTED,
        notices.Changed("app", [".env"], 1, recovered=False),
        notices.AppExited("app", 1, 0, None, 9000, True, 250, 12_300_000),
        notices.AppStarted("app", 2, 4712),
    )
    assert lines[-1] == "-- #2 .env: stopped (code 0), restarted pid 4712"


def test_an_app_that_is_gone_is_not_said_to_run() -> None:
    broken = notices.BuildFinished("app", 2, False, 2, 80, [], None)
    gone = notices.AppExited("app", 1, 0, None, 9000, True, 250, 12_300_000)
    assert said(STARTED, gone, broken)[-1] == "-- #2 BUILD FAILED (exit 2) after 80 ms"
    assert said(STARTED, broken, keeps=False)[-1] == "-- #2 BUILD FAILED (exit 2) after 80 ms"


def test_a_build_without_an_app_says_that_it_is_done() -> None:
    assert said(BUILD, BUILT, on_exit="")[-1] == "-- #1 first build: built 420 ms"


def test_a_quiet_build_speaks_when_it_fails() -> None:
    output = notices.Output("app", "build", 1, "stdout", "main.go:3: nonsense\n")
    assert said(BUILD, output, BUILT, quiet=True) == []
    broken = notices.BuildFinished("app", 1, False, 2, 80, [], None)
    assert said(BUILD, output, broken, quiet=True) == [
        "main.go:3: nonsense",
        "-- #1 first build: BUILD FAILED (exit 2) after 80 ms",
    ]


def test_a_problem_does_not_steer_the_terminal() -> None:
    assert said(notices.Problem("a\x1b[31mb"))[0] == "error: a\\x1b[31mb"


def test_quiet_shows_problems_only() -> None:
    assert said(BUILD, BUILT, STARTED, quiet=True) == []


def test_the_screen_is_cleared_before_each_build_when_asked_to() -> None:
    text = "\n".join(said(BUILD, BUILT, STARTED, BUILD, clears=True))
    cleared = "\x1b[H\x1b[J"
    assert text.count(cleared) == 2
    assert text.partition(cleared)[2].startswith("-- #")
    assert cleared not in "\n".join(said(BUILD, BUILT))


def test_facts_are_shown_only_when_asked_for() -> None:
    trace = notices.Trace("app", ">", "BuildRequested()")
    assert said(trace) == []
    assert said(trace, verbose=True) == ["> BuildRequested()"]


def test_a_name_that_cannot_be_printed_is_escaped() -> None:
    lines = said(notices.Unchanged("app", ["caf\udce9\x1b[31m.go"], 1))
    assert lines == ["caf\\udce9\\x1b[31m.go saved, nothing changed"]


def test_json_lines_carry_version_time_and_the_name_of_the_event() -> None:
    stream = io.StringIO()
    JsonLines(stream)(notices.Changed("app", ["caf\udce9.go"], 1, recovered=False))
    (line,) = stream.getvalue().splitlines()
    data = json.loads(line)
    assert isinstance(data.pop("t"), float)
    assert data == {
        "v": 1,
        "event": "changed",
        "service": "app",
        "paths": ["caf\udce9.go"],
        "count": 1,
        "recovered": False,
        "ms": 0,
    }


def test_each_line_of_output_is_an_object_of_its_own() -> None:
    stream = io.StringIO()
    lines = [
        "GET /",
        "",
        'say "\\n", ',
        "caf\N{LATIN SMALL LETTER E WITH ACUTE}\udcff",
        "\u2028\r\x1b[",
    ] * PIECE  # written in pieces
    text = "".join(f"{line}\n" for line in lines)
    JsonLines(stream)(notices.Output("app", "app", 3, "stderr", text))
    each = [json.loads(line) for line in stream.getvalue().split("\n")[:-1]]
    assert [data.pop("text") for data in each] == lines
    assert len({data.pop("t") for data in each}) == 1
    head = {"v": 1, "event": "output", "service": "app", "source": "app", "run": 3}
    assert each == [head | {"stream": "stderr"}] * len(lines)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("choice", "environment", "terminal", "coloured"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"CLICOLOR_FORCE": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, True, False),
        ("never", {"FORCE_COLOR": "1"}, True, False),
        ("always", {}, False, True),
        ("always", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
    ],
)
def test_colour_follows_the_rules(
    choice: str, environment: dict[str, str], terminal: bool, coloured: bool
) -> None:
    stream = Terminal() if terminal else io.StringIO()
    assert wants_colour(choice, stream, environment) is coloured
