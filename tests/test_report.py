"""The report of the last run (key `e`): the chain with its times, in at most 80 columns."""

from __future__ import annotations

from dataclasses import dataclass

from hotrun import notices
from hotrun.ui.report import Report


@dataclass
class Story:
    """A report that hears notices at times of our choosing."""

    now: float = 100.0

    def __post_init__(self) -> None:
        self.report = Report(self.because, lambda: self.now)
        self.ended: list[bool] = []

    def because(self, path: str) -> str:
        return "`*.go` in watch.include names it (hotrun.toml:3)" if path.endswith(".go") else ""

    def hear(self, ms: int, notice: notices.Notice) -> None:
        """Some milliseconds after the last one, a notice."""
        self.now += ms / 1000
        self.ended.append(self.report.note(notice))

    def change(self, *paths: str, ms: int = 52, after: int = 0) -> None:
        self.hear(after, notices.Changed("app", list(paths), len(paths), False, ms))

    def build(self, run: int, *paths: str, ms: int = 800, code: int = 0) -> None:
        started = notices.BuildStarted("app", run, "go build -o app .", list(paths), len(paths))
        self.hear(0, started)
        self.hear(ms, notices.BuildFinished("app", run, code == 0, code, ms, [], None))

    def replace(self, run: int, pid: int = 4711) -> None:
        self.hear(1, notices.AppStopping("app", run - 1, "SIGTERM"))
        self.hear(30, notices.AppExited("app", run - 1, 0, None, 9000, True, None, None))
        self.start(run, pid)

    def start(self, run: int, pid: int = 4711) -> None:
        self.hear(4, notices.AppStarted("app", run, pid))
        self.hear(210, notices.AppReady("app", run, 210))


def test_before_the_first_build_there_is_nothing_to_tell() -> None:
    assert Story().report.lines() == ["nothing was built yet"]


def test_a_save_is_followed_from_the_event_to_the_app_that_serves() -> None:
    story = Story()
    story.change("main.go")
    story.build(2, "main.go")
    story.replace(2)
    assert story.report.lines() == [
        "build #2: go build -o app .",
        "  because of main.go",
        "    `*.go` in watch.include names it (hotrun.toml:3)",
        "  event        0 ms  the first one",
        "  settle      52 ms",
        "  build      800 ms",
        "  stop        30 ms  SIGTERM, code 0",
        "  start        4 ms  #2, pid 4711",
        "  ready      210 ms",
        "  total       1.1 s  since the first event",
    ]
    assert story.ended == [False] * 6 + [True]


def test_the_first_build_has_no_file_to_name() -> None:
    story = Story()
    story.build(1)
    story.start(1)
    assert story.report.lines() == [
        "build #1: go build -o app .",
        "  because hotrun started",
        "  build      800 ms",
        "  start        4 ms  #1, pid 4711",
        "  ready      210 ms",
    ]


def test_a_build_that_was_asked_for_says_so() -> None:
    story = Story()
    story.build(7)
    assert story.report.lines()[1] == "  because it was asked for"


def test_a_failed_build_ends_the_chain() -> None:
    story = Story()
    story.change("a.c")
    story.build(3, "a.c", ms=80, code=2)
    assert story.report.lines() == [
        "build #3: go build -o app .",
        "  because of a.c",
        "  event        0 ms  the first one",
        "  settle      52 ms",
        "  build       80 ms  failed with code 2",
        "  total      132 ms  since the first event",
    ]
    assert story.ended[-1]


def test_the_same_bytes_end_the_chain_too() -> None:
    story = Story()
    story.change("a.c")
    story.build(3, "a.c")
    story.hear(0, notices.AppKept("app", 2, "same artifact"))
    assert story.report.lines()[-2:] == [
        "  app          0 ms  #2 goes on: the build made the same bytes",
        "  total      852 ms  since the first event",
    ]
    assert story.ended[-1]


def test_a_build_that_was_given_up_is_named_and_the_next_one_begins_anew() -> None:
    story = Story()
    story.change("a.c")
    story.hear(0, notices.BuildStarted("app", 2, "make", ["a.c"], 1))
    story.hear(300, notices.BuildCancelled("app", 2, 300, ["a.c"]))
    assert story.report.lines()[-2] == "  build      300 ms  given up for a newer change"
    story.change("b.c", ms=20)
    story.build(3, "a.c", "b.c")
    assert story.report.lines()[:5] == [
        "build #3: go build -o app .",
        "  because of a.c",
        "  and of b.c",
        "  event        0 ms  the first one",
        "  settle      20 ms",
    ]


def test_a_change_that_had_to_wait_says_for_how_long() -> None:
    story = Story()
    story.build(2)
    story.hear(0, notices.AppStopping("app", 1, "SIGTERM"))
    story.change("a.c", ms=20)
    story.start(2)
    story.now += 0.486
    story.build(3, "a.c")
    assert story.report.lines()[2:5] == [
        "  event        0 ms  the first one",
        "  settle      20 ms",
        "  wait       700 ms  for what was under way",
    ]


def test_a_change_that_had_nothing_to_wait_for_did_not_wait() -> None:
    story = Story()
    story.build(1)
    story.start(1)
    story.change("a.c", ms=20)
    story.now += 0.7
    story.build(2, "a.c")
    assert [line.split()[0] for line in story.report.lines()[2:5]] == ["event", "settle", "build"]


def test_a_wait_of_a_moment_is_none() -> None:
    story = Story()
    story.hear(0, notices.BuildStarted("app", 1, "make", [], 0))
    story.change("a.c", ms=20)
    story.now += 0.004
    story.build(2, "a.c")
    assert not any("wait" in line for line in story.report.lines())


def test_a_change_that_was_paused_says_so() -> None:
    story = Story()
    story.build(1)
    story.start(1)
    story.hear(0, notices.Paused("app", True))
    story.change("a.c", ms=20)
    story.hear(700, notices.Paused("app", False))
    story.build(2, "a.c")
    assert story.report.lines()[4] == "  wait       700 ms  for what was paused"


def test_the_command_of_a_rule_is_no_build() -> None:
    story = Story()
    story.change("a.proto")
    paths = ["a.proto"]
    story.hear(0, notices.BuildStarted("app", 2, "sh gen.sh", paths, 1, "rule[1].command"))
    assert story.report.lines()[0] == "rule #2: sh gen.sh"


def test_a_change_in_the_middle_of_a_build_is_no_restart() -> None:
    story = Story()
    story.change("a.c")
    story.hear(0, notices.BuildStarted("app", 2, "make", ["a.c"], 1))
    story.change("b.c", after=100)
    story.hear(100, notices.BuildFinished("app", 2, True, 0, 200, [], None))
    story.replace(2)
    assert story.report.lines()[:2] == ["build #2: make", "  because of a.c"]


def test_an_env_file_restarts_without_a_build() -> None:
    story = Story()
    story.build(1)
    story.start(1)
    story.change(".env", after=5000)
    story.replace(2)
    assert story.report.lines() == [
        "restart of the app",
        "  because of .env",
        "  event        0 ms  the first one",
        "  settle      52 ms",
        "  stop        30 ms  SIGTERM, code 0",
        "  start        4 ms  #2, pid 4711",
        "  ready      210 ms",
        "  total      297 ms  since the first event",
    ]


def test_a_restart_after_a_failed_build_is_no_part_of_it() -> None:
    story = Story()
    story.build(1)
    story.start(1)
    story.change("a.c")
    story.build(2, "a.c", code=1)
    story.replace(3)
    assert story.report.lines()[:2] == ["restart of the app", "  because it was asked for"]


def test_an_app_that_ends_by_itself_is_told() -> None:
    story = Story()
    story.build(1)
    story.start(1)
    story.hear(5000, notices.AppExited("app", 1, None, "SIGSEGV", 5210, False, None, None))
    assert story.report.lines()[-1] == (
        "  end         5.2 s  the app ended by itself (signal SIGSEGV)"
    )
    assert story.ended[-1]


def test_the_life_of_an_app_that_ended_is_no_part_of_the_total() -> None:
    story = Story()
    story.change("a.c")
    story.build(2, "a.c")
    story.replace(2)
    total = story.report.lines()[-1]
    story.hear(5000, notices.AppExited("app", 2, 1, None, 5210, False, None, None))
    assert story.report.lines()[-1] == total


def test_a_signal_of_a_rule_is_a_chain_of_its_own() -> None:
    story = Story()
    story.build(1)
    story.start(1)
    story.change("app.conf", after=100)
    story.hear(0, notices.AppSignalled("app", 1, "SIGHUP"))
    assert story.report.lines()[:2] == ["SIGHUP to the app #1", "  because of app.conf"]


def test_of_many_files_the_first_are_named() -> None:
    story = Story()
    paths = [f"{number}.c" for number in range(100)]
    story.hear(0, notices.Changed("app", paths, 2345, False, 52))
    story.hear(0, notices.BuildStarted("app", 2, "make", paths, 2345))
    assert story.report.lines()[1:7] == [
        "  because of 0.c",
        "  and of 1.c",
        "  and of 2.c",
        "  and of 3.c",
        "  and of 4.c",
        "  and of 2,340 more",
    ]


def test_no_line_is_wider_than_80_columns_and_none_steers_the_terminal() -> None:
    story = Story()
    long = "deep/" * 30 + "a\x1b[2J.go"
    story.report.because = lambda _: f"`{'*' * 60}` in watch.include names it (hotrun.toml:3)"
    story.change(long)
    story.hear(0, notices.BuildStarted("app", 2, "make " + "x" * 200, [long], 1))
    story.hear(9, notices.BuildFinished("app", 2, True, 0, 3_723_000, [], None))
    lines = story.report.lines()
    assert max(map(len, lines)) == 80
    assert lines[0].endswith("x...")
    assert all(line.isprintable() for line in lines)
