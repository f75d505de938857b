"""What a step writes itself comes to an end, and nobody who saves loses a change."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from hotrun.advice import advice
from hotrun.breaker import (
    SIGNAL_WINDOW,
    START_WINDOW,
    Breaker,
    Caught,
    Change,
    Verdict,
)
from hotrun.streak import BUILDS, MOST_PAUSE, Writer

BUILD, APP, RULE = Writer("build"), Writer("app"), Writer("rule", "hotrun.toml:12")
FILE = "gen/version.go"
LONG = 60.0  # seconds after which nothing has to do with what was before


@dataclass
class Story:
    """A breaker and the clock on the wall, told in the order in which things happen."""

    breaker: Breaker = field(default_factory=Breaker)
    now: float = 1_800_000_000.0

    def round(
        self,
        writer: Writer,
        lag: float,
        *wrote: bool | None,
        path: str = FILE,
        gone: bool = False,
        empty: bool = False,
    ) -> Verdict:
        """Run a step in which a file changes, some time after its start; what is decided then.

        Args:
            writer: What runs.
            lag: Seconds after its start.
            wrote: Whether it wrote just then; not known, if it is not said.
            path: The file.
            gone: It is removed.
            empty: There is nothing in it.
        """
        self.breaker.ended(writer, self.now)
        start = self.now
        self.breaker.began(writer, start)
        self.now += lag + 0.06
        if writer.kind != "app":
            self.breaker.ended(writer, self.now)
        known = wrote[0] if wrote else None
        change = Change(start + lag, gone=gone, empty=empty)
        return self.breaker.weigh({path: change}, lambda *_: known)

    def saves(self, path: str) -> Verdict:
        """Somebody saves, long after whatever ran."""
        self.now += LONG
        return self.breaker.weigh({path: Change(self.now)})

    def caught(self, writer: Writer = BUILD) -> Verdict:
        """Let a step be caught."""
        assert self.round(writer, 0.5).counting
        for _ in range(BUILDS - 1):
            assert self.round(writer, 0.5, True).counting
        return self.round(writer, 0.5, True)


@pytest.fixture
def story() -> Story:
    return Story()


# --- with evidence ---


def test_runs_that_could_not_be_measured_are_left_out_at_any_pace(story: Story) -> None:
    """On a busy machine it is not always seen who wrote."""
    for lag, wrote in ((0.5, True), (2.0, None), (0.1, True), (5.0, None)):
        assert story.round(BUILD, lag, wrote).counting
    assert story.round(BUILD, 1.0, True).dropped == {FILE: BUILD}


@pytest.mark.parametrize("writer", [BUILD, APP, RULE], ids=lambda writer: writer.kind)
def test_what_a_step_wrote_three_times_triggers_nothing(story: Story, writer: Writer) -> None:
    verdict = story.caught(writer)
    assert (verdict.counting, verdict.held) == ((), ())
    assert verdict.dropped == {FILE: writer}
    assert verdict.caught == (Caught(FILE, writer),)
    again = story.round(writer, 0.5, True)
    assert (again.dropped, again.caught) == ({FILE: writer}, ())


def test_with_evidence_the_pace_does_not_matter(story: Story) -> None:
    verdicts = [story.round(BUILD, lag, True) for lag in (0.1, 2.0, 0.7)]
    assert [bool(verdict.dropped) for verdict in verdicts] == [False, False, True]


def test_a_save_of_a_caught_file_counts_when_the_step_does_not_run(story: Story) -> None:
    story.caught()
    assert story.saves(FILE).counting == (FILE,)
    assert story.round(BUILD, 0.5, True).dropped


@pytest.mark.parametrize("known", [False, None])
def test_a_caught_file_counts_when_nobody_saw_the_step_write(
    story: Story, known: bool | None
) -> None:
    story.caught(APP)
    assert story.round(APP, 0.5, known).counting == (FILE,)
    assert story.round(APP, 0.5, True).dropped


def test_a_step_that_did_not_write_is_cleared_and_then_suspected_half_as_much(
    story: Story,
) -> None:
    story.round(BUILD, 0.5, True)
    story.round(BUILD, 0.5, True)
    assert story.round(BUILD, 0.5, False).outside
    verdicts = [story.round(BUILD, 0.5, True) for _ in range(2 * BUILDS)]
    assert [bool(verdict.dropped) for verdict in verdicts] == [False] * 5 + [True]


def test_a_caught_file_is_not_caught_for_another_step(story: Story) -> None:
    story.caught(BUILD)
    assert story.round(RULE, 0.5, True).counting == (FILE,)


def test_of_two_steps_the_one_that_wrote_is_blamed(story: Story) -> None:
    for _ in range(BUILDS):
        story.breaker.began(APP, story.now)
        start = story.now + 1
        story.breaker.began(BUILD, start)
        verdict = story.breaker.weigh(
            {FILE: Change(start + 0.5)}, lambda _path, writer, _at: writer == APP
        )
        story.now += LONG
        story.breaker.ended(BUILD, story.now)
        story.breaker.ended(APP, story.now)
    assert verdict.dropped == {FILE: APP}


def test_a_file_that_the_app_writes_when_it_is_stopped_is_caught(story: Story) -> None:
    for _ in range(BUILDS):
        story.breaker.began(APP, story.now)
        story.now += LONG
        story.breaker.stopping(APP, story.now)
        verdict = story.breaker.weigh({FILE: Change(story.now + 0.1)}, lambda *_: True)
        story.now += 1
        story.breaker.ended(APP, story.now)
    assert verdict.caught == (Caught(FILE, APP, stops=True),)


def test_what_is_written_again_and_again_in_one_run_is_one_time(story: Story) -> None:
    story.breaker.began(BUILD, story.now)
    for lag in (1.0, 1.1, 4.0, 8.0):
        verdict = story.breaker.weigh({FILE: Change(story.now + lag)}, lambda *_: True)
        assert verdict.counting == (FILE,)


def test_files_with_a_new_name_each_time_are_put_off_and_never_dropped(story: Story) -> None:
    verdicts = [story.round(APP, 0.3, True, path=f"logs/{n}.log") for n in range(6)]
    assert [verdict.pause for verdict in verdicts] == [0, 0, 0, 1, 2, 4]
    assert not any(verdict.dropped for verdict in verdicts)
    assert [verdict.caught for verdict in verdicts[3:]] == [
        (Caught("logs/3.log", APP, pattern="logs/*.log", waits=True),),
        (),
        (),
    ]


def test_a_name_that_is_known_is_not_put_off_for_its_kind(story: Story) -> None:
    for n in range(5):
        verdict = story.round(APP, 0.3, True, path=f"logs/{n}.log")
    assert verdict.held
    assert story.round(APP, 0.3, True, path="logs/0.log").counting


# --- what writes no byte ---


@pytest.mark.parametrize("writer", [BUILD, RULE], ids=lambda writer: writer.kind)
def test_a_file_that_a_step_writes_and_removes_in_turn_triggers_nothing(
    story: Story, writer: Writer
) -> None:
    """The kernel counts no byte when the step removes it."""
    verdicts = [story.round(writer, 0.1 * n, not n % 2, gone=n % 2 == 1) for n in range(5)]
    assert [bool(verdict.dropped) for verdict in verdicts] == [False, False, True, True, True]
    assert [verdict.caught for verdict in verdicts if verdict.caught] == [(Caught(FILE, writer),)]


def test_what_the_app_writes_and_removes_is_told_once_for_its_start_and_its_end(
    story: Story,
) -> None:
    told: list[Caught] = []
    for _ in range(2 * BUILDS):
        told += story.round(APP, 0.1, True).caught
        story.breaker.stopping(APP, story.now)
        gone = {FILE: Change(story.now + 0.1, gone=True)}
        verdict = story.breaker.weigh(gone, lambda *_: False)
        told += verdict.caught
        story.now += 1
        story.breaker.ended(APP, story.now)
    assert verdict.dropped == {FILE: APP}
    assert told == [Caught(FILE, APP)]


def test_who_removes_what_the_app_has_written_is_only_put_off(story: Story) -> None:
    """A script does so as soon as the app answers, and wants it started again."""
    for n in range(4 * BUILDS):
        story.round(APP, 0.1, True)
        gone = {FILE: Change(story.now, gone=True)}
        verdict = story.breaker.weigh(gone, lambda *_: False)
        assert verdict.counting + verdict.held == (FILE,), n


def test_what_somebody_saved_last_is_missed_when_a_step_removes_it(story: Story) -> None:
    story.caught()
    assert story.round(BUILD, 0.5, False, gone=True).dropped
    story.caught(RULE)
    story.saves(FILE)
    assert story.round(RULE, 0.5, False, gone=True).counting == (FILE,)


def test_a_removal_while_nothing_runs_counts(story: Story) -> None:
    story.caught()
    story.now += LONG
    verdict = story.breaker.weigh({FILE: Change(story.now, gone=True)})
    assert (verdict.counting, verdict.outside) == ((FILE,), True)


@pytest.mark.parametrize("wrote", [False, None])
def test_an_empty_file_that_comes_and_goes_is_put_off_at_any_pace(
    story: Story, wrote: bool | None
) -> None:
    verdicts = [
        story.round(BUILD, lag, wrote, gone=lag > 1, empty=lag < 1) for lag in (0.1, 5.0) * 3
    ]
    assert [verdict.pause for verdict in verdicts] == [0, 0, 0, 1, 2, 4]
    assert not any(verdict.outside or verdict.dropped for verdict in verdicts)


def test_what_comes_and_is_gone_before_its_turn_comes_to_nothing(story: Story) -> None:
    for lag in (0.1, 5.0) * 2:
        story.round(BUILD, lag, False, gone=lag > 1, empty=lag < 1)
    story.breaker.began(BUILD, story.now)
    came = story.breaker.weigh({FILE: Change(story.now + 0.1, empty=True)})
    assert came.held == (FILE,)
    gone = story.breaker.weigh({FILE: Change(story.now + 0.3, gone=True)})
    assert (gone.void, gone.dropped) == ((FILE,), {FILE: BUILD})
    assert (gone.held, gone.counting) == ((), ())


@pytest.mark.parametrize("let_go", [True, False], ids=["let go", "another step"])
def test_what_has_come_and_was_seen_is_missed_when_it_goes(story: Story, let_go: bool) -> None:
    for lag in (0.1, 5.0) * 2:
        story.round(BUILD, lag, False, gone=lag > 1, empty=lag < 1)
    story.breaker.began(BUILD, story.now)
    assert story.breaker.weigh({FILE: Change(story.now + 0.1, empty=True)}).held == (FILE,)
    if let_go:
        story.breaker.lets_go([FILE])
    else:
        story.breaker.began(RULE, story.now + 0.2)
    gone = story.breaker.weigh({FILE: Change(story.now + 0.3, gone=True)})
    assert (gone.void, gone.held + gone.counting) == ((), (FILE,))


def test_a_file_that_was_there_before_is_missed_when_it_goes(story: Story) -> None:
    for _ in range(4):
        came = story.round(BUILD, 0.1)
    assert came.held == (FILE,)
    gone = story.breaker.weigh({FILE: Change(story.now - 0.01, gone=True)})
    assert (gone.void, gone.held) == ((), (FILE,))


def test_two_names_that_are_exchanged_are_put_off(story: Story) -> None:
    """A rename leaves the time of what is in the file as it was."""
    long_ago, pauses = story.now - LONG, []
    for n in range(6):
        story.breaker.began(BUILD, story.now)
        moved = Change(long_ago, moved=story.now + 0.1 * n)
        gone = Change(story.now + 0.1 * n, gone=True)
        names = ("a", "b") if n % 2 else ("b", "a")
        changes = dict(zip(names, (moved, gone), strict=True))
        verdict = story.breaker.weigh(changes, lambda *_: False)
        pauses.append(verdict.pause)
        story.now += 1
        story.breaker.ended(BUILD, story.now)
        story.now += 1
    assert pauses == [0, 0, 0, 1, 2, 4]


def test_a_mode_that_is_changed_at_one_pace_is_put_off(story: Story) -> None:
    long_ago, pauses = story.now - LONG, []
    for _ in range(6):
        story.breaker.began(BUILD, story.now)
        changed = Change(long_ago, moved=story.now + 0.1, kept=True)
        pauses.append(story.breaker.weigh({FILE: changed}, lambda *_: False).pause)
        story.now += 1
        story.breaker.ended(BUILD, story.now)
        story.now += 1
    assert pauses == [0, 0, 0, 1, 2, 4]


def test_what_is_copied_here_with_its_old_time_is_nobodys(story: Story) -> None:
    for _ in range(2 * BUILDS):
        story.breaker.began(APP, story.now)
        copied = Change(story.now - LONG / 2, moved=story.now + 1)
        assert story.breaker.weigh({FILE: copied}).outside
        story.now += LONG


def test_a_save_of_another_file_leaves_what_comes_and_goes_the_least_pause(story: Story) -> None:
    for lag in (0.1, 5.0) * 3:
        story.round(BUILD, lag, gone=lag > 1)
    assert story.saves("main.go").outside
    assert [story.round(BUILD, lag, gone=lag > 1).pause for lag in (0.1, 5.0)] == [1, 2]
    assert story.saves(FILE).outside
    assert story.round(BUILD, 0.1).pause == 0


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        pytest.param(["t.{}"], "t.*", id="no other extension"),
        pytest.param(
            ["vite.config.ts.timestamp-{}.mjs"], "vite.config.ts.timestamp-*.mjs", id="vite"
        ),
        pytest.param(["dist/main.{}f.js"], "dist/main.*.js", id="hash"),
        pytest.param(["tmp.{}"] * 3 + ["tmp.abc"], "tmp.*", id="letters alone"),
        pytest.param(["a.log", "b.log", "c.log", "d.log"], "*.log", id="nothing else in common"),
        pytest.param(["[x]/{}.log"], "\\[x]/*.log", id="odd directory"),
    ],
)
def test_of_new_names_the_narrowest_pattern_is_told(
    story: Story, names: list[str], pattern: str
) -> None:
    for n in range(4):
        path = names[n % len(names)].format(1000 + n)
        verdict = story.round(BUILD, 0.3, True, path=path)
        assert bool(verdict.held) == (n == 3)
    assert [each.pattern for each in verdict.caught] == [pattern]


def test_a_temporary_file_with_a_new_name_at_each_run_comes_to_nothing(story: Story) -> None:
    for n in range(6):
        came = story.round(BUILD, 0.1, True, path=f"t.{n}")
        gone = story.breaker.weigh({f"t.{n}": Change(story.now - 0.01, gone=True)})
        assert bool(came.held) == bool(gone.void) == (n >= BUILDS), n


def test_where_nobody_knows_who_writes_a_temporary_file_is_put_off(story: Story) -> None:
    for n in range(6):
        came = story.round(BUILD, 0.1, path=f"t.{n}")
        gone = story.breaker.weigh({f"t.{n}": Change(story.now - 0.01, gone=True)})
        assert bool(came.held) == (n > BUILDS), n
        assert bool(gone.held) == (n >= BUILDS), n
        assert not gone.void


def test_where_nobody_knows_what_each_life_of_the_app_makes_and_removes_is_put_off(
    story: Story,
) -> None:
    story.breaker.began(APP, story.now)
    for n in range(6):
        names = f"app-{n}.pid", f"app-{n + 1}.pid"
        story.breaker.weigh({names[0]: Change(story.now + 0.1)})
        story.now += 1
        story.breaker.stopping(APP, story.now)
        gone = story.breaker.weigh({names[0]: Change(story.now + 0.1 * n, gone=True)})
        story.now += 1
        story.breaker.ended(APP, story.now)
        story.breaker.began(APP, story.now)
    assert gone.pause == 4
    assert story.breaker.weigh({names[1]: Change(story.now + 0.1)}).pause == 0


def test_what_the_app_writes_at_each_signal_is_caught(story: Story) -> None:
    signal = Writer("signal", "SIGHUP")
    verdicts = [story.round(signal, 0.1, True) for _ in range(BUILDS)]
    assert verdicts[-1].caught == (Caught(FILE, signal),)
    assert story.round(signal, SIGNAL_WINDOW + 0.1, True).outside


# --- without ---


def test_what_nobody_knows_is_put_off_by_a_growing_pause_and_told_once(story: Story) -> None:
    verdicts = [story.round(BUILD, 0.5) for _ in range(12)]
    assert [verdict.pause for verdict in verdicts[:8]] == [0, 0, 0, 1, 2, 4, 8, 16]
    assert {verdict.pause for verdict in verdicts[8:]} == {MOST_PAUSE}
    assert [verdict.counting + verdict.held for verdict in verdicts] == [(FILE,)] * 12
    told = [each for verdict in verdicts for each in verdict.caught]
    assert told == [Caught(FILE, BUILD, waits=True)]


def test_a_save_at_another_time_ends_the_pause(story: Story) -> None:
    for _ in range(6):
        story.round(BUILD, 0.5)
    verdict = story.saves("main.go")
    assert (verdict.outside, verdict.pause) == (True, 0)
    assert story.round(BUILD, 0.5).pause == 0


def test_another_pace_ends_the_pause(story: Story) -> None:
    for _ in range(6):
        story.round(BUILD, 0.5)
    assert story.round(BUILD, 1.9).counting == (FILE,)


def test_files_that_are_saved_in_turn_at_one_pace_all_count_at_once(story: Story) -> None:
    for n in range(7):
        assert story.round(APP, 1.0, path=f"f{n}.go").counting == (f"f{n}.go",)


def test_what_changes_outside_of_every_run_is_nobodys(story: Story) -> None:
    for _ in range(2 * BUILDS):
        assert story.round(APP, START_WINDOW + 0.1, True).outside
        story.now += LONG
        story.breaker.began(BUILD, story.now)
        assert story.breaker.weigh({FILE: Change(story.now - LONG / 2)}, lambda *_: True).outside
        story.breaker.ended(BUILD, story.now)
        assert story.breaker.weigh({FILE: Change(None)}, lambda *_: True).outside


def test_nothing_is_lost_without_evidence_whoever_saves_when() -> None:
    rng = random.Random(5)
    story = Story()
    for _ in range(3000):
        writer = rng.choice([BUILD, APP, RULE])
        path = rng.choice(["a.go", "b.go", "sub/c.go"])
        known, gone = rng.choice([None, None, False]), rng.random() < 0.3
        empty = rng.random() < 0.3
        lag = rng.choice([0.2, 0.2, 0.3, 2.0])
        verdict = story.round(writer, lag, known, path=path, gone=gone, empty=empty)
        assert verdict.counting + verdict.held == (path,)


def test_a_step_is_doubted_from_its_first_own_change_on(story: Story) -> None:
    assert not story.breaker.doubts(BUILD)
    assert story.round(BUILD, 0.3).doubted == (FILE,)
    assert story.breaker.doubts(BUILD)
    assert not story.breaker.doubts(APP)
    story.saves("main.go")
    assert not story.breaker.doubts(BUILD)


def test_with_another_config_nothing_is_caught_any_more(story: Story) -> None:
    story.caught()
    story.breaker.forget()
    assert story.round(BUILD, 0.5, True).counting == (FILE,)


# --- what is said ---


@pytest.mark.parametrize(
    ("caught", "message", "hint"),
    [
        pytest.param(
            [Caught("gen/version.go", BUILD)],
            "gen/version.go is written by the build, which it triggers again: it triggers nothing"
            " now while the build runs",
            'put this into [build] of hotrun.toml: outputs = ["app", "gen/version.go"]',
            id="build",
        ),
        pytest.param(
            [Caught("config.json", APP)],
            "config.json is written by the app, which it restarts again: it triggers nothing"
            " now while the app starts",
            'put this into [watch] of hotrun.toml: exclude = ["*_test.go", "/config.json"]',
            id="app",
        ),
        pytest.param(
            [Caught("run/state", APP, stops=True)],
            "run/state is written by the app, which it restarts again: it triggers nothing"
            " now while the app stops",
            'put this into [watch] of hotrun.toml: exclude = ["*_test.go", "run/state"]',
            id="app that stops",
        ),
        pytest.param(
            [Caught('a "b"*.go', RULE)],
            'a "b"*.go is written by the command of the rule at hotrun.toml:12, which it triggers'
            " again: it triggers nothing now while that command runs",
            'put this into [build] of hotrun.toml: outputs = ["app", "a \\"b\\"\\\\*.go"]',
            id="rule, odd name",
        ),
        pytest.param(
            [Caught("gen/a.go", BUILD), Caught("gen/b.go", BUILD)],
            "gen/a.go +1 more are written by the build, which they trigger again: they trigger"
            " nothing now while the build runs",
            'put this into [build] of hotrun.toml: outputs = ["app", "gen/a.go", "gen/b.go"]',
            id="two",
        ),
        pytest.param(
            [Caught(f"cache/{n}/x", BUILD) for n in range(9)],
            "cache/0/x +8 more are written by the build, which they trigger again: they trigger"
            " nothing now while the build runs",
            'put this into [build] of hotrun.toml: outputs = ["app", "cache/**"]',
            id="many",
        ),
        pytest.param(
            [Caught(f"{n}", APP) for n in range(4)],
            "0 +3 more are written by the app, which they restart again: they trigger"
            " nothing now while the app starts",
            'put this into [watch] of hotrun.toml: exclude = ["*_test.go", "/0", "/1", "/2", "/3"]',
            id="many at the top",
        ),
        pytest.param(
            [Caught("#a", APP), Caught("!b/c", APP)],
            "#a +1 more are written by the app, which they restart again: they trigger"
            " nothing now while the app starts",
            'put this into [watch] of hotrun.toml: exclude = ["*_test.go", "/#a", "/!b/c"]',
            id="marks",
        ),
        pytest.param(
            [Caught("logs/4.log", APP, pattern="logs/*.log")],
            "logs/*.log is written by the app, which it restarts again: it triggers nothing"
            " now while the app starts",
            'put this into [watch] of hotrun.toml: exclude = ["*_test.go", "logs/*.log"]',
            id="pattern",
        ),
        pytest.param(
            [Caught("c.x", Writer("signal", "SIGHUP"))],
            "c.x is written by the app, which it signals again: it triggers nothing now while"
            " the app hears SIGHUP",
            'put this into [watch] of hotrun.toml: exclude = ["*_test.go", "/c.x"]',
            id="signal",
        ),
        pytest.param(
            [Caught("9", APP, pattern="*", waits=True)],
            "9 changes each time the app starts: it restarts it only after a pause now",
            "if the app writes it, put this into [watch] of hotrun.toml:"
            ' exclude = ["*_test.go", "/9"]',
            id="no pattern of everything",
        ),
        pytest.param(
            [Caught("gen.go", BUILD, waits=True)],
            "gen.go changes each time the build runs: it triggers it only after a pause now",
            "if the build writes it, put this into [build] of hotrun.toml:"
            ' outputs = ["app", "gen.go"]',
            id="waits",
        ),
    ],
)
def test_the_message_names_the_file_the_step_and_the_line(
    caught: list[Caught], message: str, hint: str
) -> None:
    assert advice(caught, ["app"], ["*_test.go"]) == [(message, hint)]


def test_without_a_build_there_are_no_outputs_to_name() -> None:
    ((_, hint),) = advice([Caught("gen.css", RULE)], None, ["*.md"])
    assert hint == 'put this into [watch] of hotrun.toml: exclude = ["*.md", "/gen.css"]'


def test_what_a_command_before_the_app_writes_is_none_of_the_builds() -> None:
    before = Caught("db/schema", Writer("beside", "run.before"))
    ((message, hint),) = advice([before], ["app"], [])
    assert message == (
        "db/schema is written by a command of run.before, which it triggers again:"
        " it triggers nothing now while that command runs"
    )
    assert hint == 'put this into [watch] of hotrun.toml: exclude = ["db/schema"]'


def test_each_step_has_a_message_of_its_own() -> None:
    said = advice([Caught("a", BUILD), Caught("b", APP), Caught("c", BUILD)], [], [])
    assert [message.split(" are ")[0].split(" is ")[0] for message, _ in said] == ["b", "a +1 more"]
