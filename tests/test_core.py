"""The core by example: one plain story per rule, and one per liveness bound."""

from __future__ import annotations

from dataclasses import replace

import pytest
from story import Story

from hotrun.alarms import seconds_of
from hotrun.config import load_text
from hotrun.core import PATIENCE, State, step
from hotrun.facts import (
    AppEnded,
    AppExited,
    AppUnready,
    BuildExited,
    BuildRequested,
    Dump,
    Exit,
    Fact,
    FilesChanged,
    FilesHeld,
    FilesTouched,
    KeepApp,
    Kill,
    OnExit,
    PauseToggled,
    Policy,
    Quiet,
    QuitRequested,
    RestartRequested,
    SetTimer,
    Sift,
    StartApp,
    StartBuild,
    Stop,
    Timer,
    TimerFired,
)


def test_the_first_build_starts_at_once_and_the_app_follows_it() -> None:
    Story().serving()


def test_a_save_builds_then_stops_then_starts() -> None:
    story = Story().serving()
    assert story.change("main.go") == [StartBuild(2, frozenset({"main.go"}))]
    assert story.tell(BuildExited(2, 0)) == [Stop(1)]
    assert story.tell(AppExited(1, 0)) == [StartApp(2)]


def test_a_save_that_changed_nothing_builds_nothing() -> None:
    story = Story().serving()
    assert story.change() == []
    assert story.timers == {}


def test_a_broken_build_leaves_the_app_running() -> None:
    story = Story().serving()
    story.change("main.go")
    assert story.tell(BuildExited(2, 1)) == [KeepApp(1, "build failed")]
    assert story.state.app is not None


def test_a_broken_build_stops_the_app_when_asked_to() -> None:
    story = Story(Policy(keeps=False)).serving()
    story.change("main.go")
    assert story.tell(BuildExited(2, 1)) == [Stop(1)]
    assert story.tell(AppExited(1, 0)) == []
    assert story.change("main.go") == [StartBuild(3, frozenset({"main.go"}))]
    assert story.tell(BuildExited(3, 0)) == [StartApp(3)]


def test_a_change_while_the_broken_app_stops_builds_without_waiting_for_it() -> None:
    story = Story(Policy(keeps=False)).serving()
    story.change("main.go")
    story.tell(BuildExited(2, 1))
    assert story.change("main.go") == [StartBuild(3, frozenset({"main.go"}))]
    assert story.tell(BuildExited(3, 0)) == []
    assert story.tell(AppExited(1, 0)) == [StartApp(3)]


def test_what_a_failed_build_was_to_contain_comes_with_the_next_one() -> None:
    story = Story().serving()
    story.change("a.go")
    story.tell(BuildExited(2, 1))
    assert story.change("b.go") == [StartBuild(3, frozenset({"a.go", "b.go"}))]


def test_a_change_during_a_build_cancels_it_and_builds_again() -> None:
    story = Story().serving()
    story.change("a.go")
    assert story.change("b.go") == [Kill(2, "superseded")]
    assert story.tell(BuildExited(2, -9)) == [StartBuild(3, frozenset({"a.go", "b.go"}))]


def test_a_cancelled_build_that_says_it_is_fine_is_not_believed() -> None:
    story = Story().serving()
    story.change("a.go")
    story.change("b.go")
    assert story.tell(BuildExited(2, 0)) == [StartBuild(3, frozenset({"a.go", "b.go"}))]


def test_a_change_during_a_build_can_wait_for_its_end() -> None:
    story = Story(Policy(cancels=False)).serving()
    story.change("a.go")
    assert story.change("b.go") == []
    assert story.tell(BuildExited(2, 0)) == [Stop(1)]
    assert story.tell(AppExited(1, 0)) == [StartApp(2), StartBuild(3, frozenset({"b.go"}))]


def test_after_two_cancelled_builds_one_is_let_finish() -> None:
    story = Story().serving()
    story.change("a.go")
    for run in range(2, 2 + PATIENCE):
        assert story.change("a.go") == [Kill(run, "superseded")]
        story.tell(BuildExited(run, -9))
    assert story.change("a.go") == []
    run = 2 + PATIENCE
    assert story.tell(BuildExited(run, 0)) == [Stop(1)]
    assert story.tell(AppExited(1, 0)) == [
        StartApp(run),
        StartBuild(run + 1, frozenset({"a.go"})),
    ]
    assert story.change("a.go") == [Kill(run + 1, "superseded")]


def test_what_has_overtaken_a_build_has_to_come_to_rest_before_the_next() -> None:
    story = Story().serving()
    story.change("a.go")
    assert story.change("b.go") == [Kill(2, "superseded")]
    story.tell(FilesTouched(Quiet.SAVE))
    assert story.timers[Timer.SETTLE] is Quiet.LULL
    assert story.tell(BuildExited(2, -9)) == []
    story.tell(FilesTouched(Quiet.BURST))
    assert story.timers[Timer.SETTLE] is Quiet.LULL
    assert story.tell(TimerFired(Timer.SETTLE)) == [Sift(last=False)]
    assert story.tell(FilesChanged(("c.go",))) == [
        StartBuild(3, frozenset({"a.go", "b.go", "c.go"}))
    ]
    story.tell(FilesTouched(Quiet.HOLD))
    assert story.timers[Timer.SETTLE] is Quiet.HOLD
    story.tell(BuildExited(3, 0), FilesTouched(Quiet.SAVE))
    assert story.timers[Timer.SETTLE] is Quiet.SAVE


def test_what_overtakes_a_build_and_does_not_rest_is_built_when_the_bound_has_passed() -> None:
    story = Story().serving()
    story.change("a.go")
    story.change("b.go")
    story.tell(FilesTouched(Quiet.SAVE), BuildExited(2, -9))
    assert story.tell(TimerFired(Timer.SETTLE_CAP)) == [Sift(last=True)]
    assert story.tell(FilesChanged(("b.go",))) == [StartBuild(3, frozenset({"a.go", "b.go"}))]


def test_what_overtook_a_build_is_built_at_the_bound_also_if_it_brings_nothing_new() -> None:
    """Noise that no build reads goes on and on, and is compared a little at a time."""
    story = Story().serving()
    story.change("a.go")
    story.change("b.go")
    story.tell(FilesTouched(Quiet.BURST), BuildExited(2, -9), TimerFired(Timer.SETTLE_CAP))
    story.tell(FilesTouched(Quiet.BURST))
    assert story.tell(FilesChanged(())) == [StartBuild(3, frozenset({"a.go", "b.go"}))]


def test_a_build_that_somebody_asks_for_waits_for_no_lull() -> None:
    story = Story().serving()
    story.change("a.go")
    story.tell(FilesTouched(Quiet.BURST))
    assert story.tell(BuildRequested()) == [Kill(2, "superseded")]
    assert story.tell(BuildExited(2, -9)) == [StartBuild(3, frozenset({"a.go"}))]


def test_a_lull_has_its_time_whatever_the_debounce() -> None:
    config = load_text("[watch]\ndebounce = '0ms'", "/")
    kinds = [Quiet.SAVE, Quiet.BURST, Quiet.HOLD, Quiet.LULL]
    assert [seconds_of(config, Timer.SETTLE, kind) for kind in kinds] == [0, 0, 0.15, 0.06]
    config = load_text("[watch]\ndebounce = '100ms'", "/")
    assert [seconds_of(config, Timer.SETTLE, kind) for kind in kinds] == [0.1, 0.1, 0.15, 0.1]


def test_settling_starts_anew_with_each_touch_and_is_bounded() -> None:
    story = Story().serving()
    state = story.state
    for _ in range(3):
        state, commands = step(state, FilesTouched(Quiet.BURST))
        assert SetTimer(Timer.SETTLE, Quiet.BURST) in commands
    assert SetTimer(Timer.SETTLE_CAP, 0) not in commands, "the bound counts from the first touch"
    story.tell(FilesTouched(Quiet.HOLD))
    assert story.tell(TimerFired(Timer.SETTLE_CAP)) == [Sift(last=True)]


def test_while_one_burst_goes_on_each_bound_is_longer_than_the_one_before() -> None:
    story = Story().serving()
    for lasting in range(3):
        story.tell(FilesTouched(Quiet.BURST))
        assert story.timers[Timer.SETTLE_CAP] == lasting
        assert story.tell(TimerFired(Timer.SETTLE_CAP)) == [Sift(last=True)]
        story.tell(FilesChanged(("a.go",)))


def test_with_stillness_the_first_bound_is_back() -> None:
    story = Story().serving()
    story.tell(FilesTouched(Quiet.BURST), TimerFired(Timer.SETTLE_CAP))
    assert story.tell(FilesChanged(("a.go",))) == [StartBuild(2, frozenset({"a.go"}))]
    assert story.timers[Timer.SETTLE] is Quiet.BURST, "the end of the burst is waited for"
    assert story.tell(TimerFired(Timer.SETTLE)) == [Sift(last=False)]
    assert story.tell(FilesChanged(())) == []
    story.tell(FilesTouched(Quiet.BURST))
    assert story.timers[Timer.SETTLE_CAP] == 0


def test_a_stillness_during_the_last_sift_needs_no_other_one() -> None:
    story = Story().serving()
    story.tell(FilesTouched(Quiet.BURST), TimerFired(Timer.SETTLE_CAP))
    story.tell(FilesTouched(Quiet.SAVE), TimerFired(Timer.SETTLE))
    assert Sift(last=False) in story.tell(FilesChanged(("a.go",)))


def test_a_touch_during_the_last_sift_settles_as_it_would_have() -> None:
    story = Story().serving()
    story.tell(FilesTouched(Quiet.BURST), TimerFired(Timer.SETTLE_CAP))
    story.tell(FilesTouched(Quiet.HOLD), FilesChanged(("a.go",)))
    assert story.timers[Timer.SETTLE] is Quiet.HOLD


def test_what_nothing_follows_from_makes_no_bound_longer() -> None:
    story = Story().serving()
    story.tell(FilesTouched(Quiet.BURST), TimerFired(Timer.SETTLE_CAP), FilesChanged(()))
    assert story.timers.keys().isdisjoint({Timer.SETTLE, Timer.SETTLE_CAP})
    story.tell(FilesTouched(Quiet.BURST))
    assert story.timers[Timer.SETTLE_CAP] == 0


def test_the_bound_is_doubled_three_times() -> None:
    config = load_text("[watch]\nmax_wait = '500ms'", "/")
    bounds = [seconds_of(config, Timer.SETTLE_CAP, lasting) for lasting in range(5)]
    assert bounds == [0.5, 1.0, 2.0, 4.0, 4.0]


def test_a_held_tree_is_asked_again_until_the_bound_has_passed() -> None:
    story = Story().serving()
    story.tell(FilesTouched(Quiet.SAVE))
    assert story.tell(TimerFired(Timer.SETTLE)) == [Sift(last=False)]
    assert story.tell(FilesHeld()) == []
    assert story.timers == {Timer.SETTLE_CAP: 0, Timer.SETTLE: Quiet.HOLD}
    assert story.tell(TimerFired(Timer.SETTLE)) == [Sift(last=False)]
    assert story.tell(TimerFired(Timer.SETTLE_CAP)) == []
    assert story.tell(FilesHeld()) == [Sift(last=True)]


def test_a_touch_while_the_disk_is_compared_is_compared_too() -> None:
    story = Story().serving()
    story.tell(FilesTouched(Quiet.SAVE), TimerFired(Timer.SETTLE))
    assert story.tell(FilesTouched(Quiet.SAVE), TimerFired(Timer.SETTLE)) == []
    assert story.tell(FilesChanged(())) == [Sift(last=False)]


def test_the_same_artifact_keeps_the_app() -> None:
    story = Story().serving()
    story.change("main.go")
    assert story.tell(BuildExited(2, 0, same=True)) == [KeepApp(1, "same artifact")]
    story.change("main.go")
    assert story.tell(BuildExited(3, 0)) == [Stop(1)]


def test_the_same_artifact_starts_an_app_that_is_not_running() -> None:
    story = Story().serving()
    story.tell(AppExited(1, 1))
    story.change("main.go")
    assert story.tell(BuildExited(2, 0, same=True)) == [StartApp(2)]


def test_a_restart_asked_for_during_a_build_happens_even_if_the_artifact_is_the_same() -> None:
    story = Story().serving()
    story.change("main.go")
    assert story.tell(RestartRequested()) == []
    assert story.tell(BuildExited(2, 0, same=True)) == [Stop(1)]
    assert story.tell(AppExited(1, 0)) == [StartApp(3)]


def test_nothing_is_started_while_the_old_app_stops() -> None:
    story = Story().serving()
    story.change("a.go")
    story.tell(BuildExited(2, 0))
    assert story.change("b.go") == []
    assert story.tell(AppExited(1, 0)) == [StartApp(2), StartBuild(3, frozenset({"b.go"}))]


def test_an_app_that_does_not_stop_in_its_time_is_killed() -> None:
    story = Story().serving()
    story.change("a.go")
    story.tell(BuildExited(2, 0))
    assert story.tell(TimerFired(Timer.STOP_TIMEOUT)) == [Kill(1, "stop_timeout")]
    assert story.tell(AppExited(1, -9)) == [StartApp(2)]
    assert Timer.STOP_TIMEOUT not in story.timers


def test_a_build_that_does_not_end_in_its_time_is_killed_and_counts_as_failed() -> None:
    story = Story().serving()
    story.change("a.go")
    assert story.tell(TimerFired(Timer.BUILD_TIMEOUT)) == [Kill(2, "timeout")]
    assert story.tell(BuildExited(2, -9)) == [KeepApp(1, "build failed")]


def test_late_answers_are_harmless() -> None:
    story = Story().serving()
    story.change("a.go")
    before = replace(story.state)
    assert story.tell(BuildExited(1, 0), AppExited(0, 0), FilesChanged(())) == []
    assert story.state == before


def test_without_a_build_command_a_change_restarts_the_app() -> None:
    story = Story(Policy(builds=False))
    assert story.tell(BuildRequested()) == [StartApp(1)]
    assert story.change("app.py") == [Stop(1)]
    assert story.tell(AppExited(1, 0)) == [StartApp(2)]


def test_without_an_app_a_change_builds() -> None:
    story = Story(Policy(runs=False))
    assert story.tell(BuildRequested()) == [StartBuild(1, frozenset())]
    assert story.tell(BuildExited(1, 0)) == []
    assert story.change("a.go") == [StartBuild(2, frozenset({"a.go"}))]


def test_an_app_that_ends_by_itself_is_waited_on() -> None:
    story = Story().serving()
    assert story.tell(AppExited(1, 1)) == []
    assert story.timers == {}
    story.change("a.go")
    assert story.tell(BuildExited(2, 0)) == [StartApp(2)]


def test_what_an_app_leaves_behind_at_its_own_end_is_stopped() -> None:
    story = Story(Policy(on_exit=OnExit.EXIT)).serving()
    assert story.tell(AppEnded(1)) == [Stop(1)]
    assert story.tell(TimerFired(Timer.STOP_TIMEOUT)) == [Kill(1, "stop_timeout")]
    assert story.tell(AppExited(1, 3)) == [Exit(3)]


def test_an_app_that_ends_by_itself_is_restarted_with_back_off() -> None:
    story = Story(Policy(on_exit=OnExit.RESTART)).serving()
    assert story.tell(AppExited(1, 1)) == []
    assert story.timers == {Timer.RESTART: 1}
    assert story.tell(TimerFired(Timer.RESTART)) == [StartApp(2)]
    story.tell(AppExited(2, 1))
    assert story.timers == {Timer.RESTART: 2}
    assert story.tell(TimerFired(Timer.RESTART)) == [StartApp(3)]
    story.tell(TimerFired(Timer.STEADY), AppExited(3, 1))
    assert story.timers == {Timer.RESTART: 1}, "ten good seconds forgive the crashes"


def test_a_good_build_ends_the_back_off() -> None:
    story = Story(Policy(on_exit=OnExit.RESTART)).serving()
    story.tell(AppExited(1, 1))
    story.change("a.go")
    assert story.tell(BuildExited(2, 0)) == [StartApp(2)]
    assert Timer.RESTART not in story.timers


def test_an_app_that_ends_by_itself_can_end_the_session_with_its_code() -> None:
    story = Story(Policy(on_exit=OnExit.EXIT)).serving()
    assert story.tell(AppExited(1, 7)) == [Exit(7)]


@pytest.mark.parametrize(
    ("policy", "facts", "code"),
    [
        (Policy(once=True), [BuildExited(1, 2)], 1),
        (Policy(once=True, runs=False), [BuildExited(1, 0)], 0),
        (Policy(once=True), [BuildExited(1, 0), AppExited(1, 5)], 5),
    ],
    ids=["build failed", "build only", "the app's own code"],
)
def test_once_ends_with_the_right_code(policy: Policy, facts: list[Fact], code: int) -> None:
    story = Story(policy)
    story.tell(BuildRequested())
    assert story.tell(*facts)[-1] == Exit(code)


def test_quitting_stops_the_app_gracefully_and_kills_the_build() -> None:
    story = Story().serving()
    story.change("a.go")
    assert story.tell(QuitRequested(130)) == [Kill(2, "quit"), Stop(1)]
    assert story.tell(BuildExited(2, -9)) == []
    assert story.tell(AppExited(1, 0)) == [Exit(130)]
    assert story.timers == {}


def test_quitting_a_second_time_kills_at_once_and_a_third_time_does_nothing() -> None:
    story = Story().serving()
    assert story.tell(QuitRequested(130)) == [Stop(1)]
    assert story.tell(QuitRequested(130)) == [Kill(1, "asked twice")]
    assert story.tell(QuitRequested(130)) == []
    assert story.tell(AppExited(1, -9)) == [Exit(130)]
    assert story.tell(QuitRequested(130)) == []


def test_quitting_while_the_app_stops_does_not_signal_it_again() -> None:
    story = Story().serving()
    story.change("a.go")
    story.tell(BuildExited(2, 0))
    assert story.tell(QuitRequested(143)) == []
    assert story.tell(AppExited(1, 0)) == [Exit(143)]


def test_quitting_with_nothing_alive_ends_at_once() -> None:
    assert Story().tell(QuitRequested(130)) == [Exit(130)]


def test_a_step_leaves_the_old_state_as_it_was() -> None:
    state = State()
    step(state, FilesTouched(Quiet.SAVE))
    step(state, BuildRequested())
    assert state == State()


def test_nothing_is_started_from_what_a_cancelled_build_may_have_left_half_written() -> None:
    story = Story().serving()
    story.tell(BuildRequested(), RestartRequested())
    assert story.tell(BuildRequested()) == [Kill(2, "superseded")]
    assert story.tell(BuildExited(2, -9)) == [StartBuild(4, frozenset())]
    assert story.tell(BuildExited(4, 0)) == [Stop(1)]
    assert story.tell(AppExited(1, 0)) == [StartApp(4)]


def test_each_answer_begins_a_new_bound() -> None:
    story = Story().serving()
    story.tell(FilesTouched(Quiet.SAVE), TimerFired(Timer.SETTLE), FilesTouched(Quiet.HOLD))
    state, commands = step(story.state, FilesChanged(()))
    assert SetTimer(Timer.SETTLE_CAP, 0) in commands
    assert state.waiting is Quiet.HOLD


def test_a_good_build_forgives_the_crashes_of_the_old_program() -> None:
    story = Story(Policy(on_exit=OnExit.RESTART)).serving()
    story.tell(AppExited(1, 1), TimerFired(Timer.RESTART))
    story.change("a.go")
    story.tell(BuildExited(3, 0), AppExited(2, 0), AppExited(3, 1))
    assert story.timers == {Timer.RESTART: 1}


def test_a_failed_build_after_a_cancelled_one_does_not_let_a_torn_file_be_started() -> None:
    story = Story().serving()
    story.change("a.go")
    story.change("a.go")
    story.tell(BuildExited(2, -9))
    assert story.tell(BuildExited(3, 1)) == [KeepApp(1, "build failed")]
    assert story.tell(RestartRequested()) == []
    story.change("a.go")
    assert story.tell(BuildExited(5, 0)) == [Stop(1)]
    assert story.tell(AppExited(1, 0)) == [StartApp(5)]


def test_an_env_file_that_changes_with_a_source_starts_the_app_once() -> None:
    story = Story(Policy(builds=False))
    story.tell(BuildRequested(), AppExited(1, 1))
    story.tell(FilesTouched(Quiet.BURST), TimerFired(Timer.SETTLE))
    told = story.tell(FilesChanged(("app.py",), restart=True))
    assert [type(command) for command in told] == [StartApp]


def test_an_env_file_alone_restarts_without_a_build() -> None:
    story = Story().serving()
    story.tell(FilesTouched(Quiet.SAVE), TimerFired(Timer.SETTLE))
    assert story.tell(FilesChanged((), restart=True)) == [Stop(1)]
    assert story.tell(AppExited(1, 0)) == [StartApp(2)]


def test_an_app_that_hangs_is_asked_for_its_stacks_before_it_is_killed() -> None:
    story = Story(Policy(dumps=True)).serving()
    assert story.tell(QuitRequested(130)) == [Stop(1)]
    assert story.tell(TimerFired(Timer.STOP_TIMEOUT)) == [Dump(1)]
    assert story.tell(TimerFired(Timer.DUMP)) == [Kill(1, "stop_timeout")]
    assert story.tell(AppExited(1, -9)) == [Exit(130)]


def test_an_app_that_ends_with_its_stacks_is_not_killed() -> None:
    story = Story(Policy(dumps=True)).serving()
    story.tell(QuitRequested(130), TimerFired(Timer.STOP_TIMEOUT))
    assert story.tell(AppExited(1, 2)) == [Exit(130)]


def test_who_asks_twice_waits_for_no_stacks() -> None:
    story = Story(Policy(dumps=True)).serving()
    story.tell(QuitRequested(130), TimerFired(Timer.STOP_TIMEOUT))
    assert story.tell(QuitRequested(130)) == [Kill(1, "asked twice")]
    assert Timer.DUMP not in story.timers


def test_once_ends_with_124_when_the_app_is_not_ready_in_time() -> None:
    story = Story(Policy(once=True)).serving()
    assert story.tell(AppUnready(1)) == [Stop(1)]
    assert story.tell(AppExited(1, 0)) == [Exit(124)]


def test_an_app_that_is_not_ready_in_time_goes_on_in_a_session() -> None:
    assert Story().serving().tell(AppUnready(1)) == []


def test_in_a_pause_nothing_is_built_and_afterwards_all_that_changed() -> None:
    story = Story().serving()
    assert story.tell(PauseToggled()) == []
    assert story.change("a.go") == []
    assert story.change("b.go") == []
    assert story.tell(PauseToggled()) == [StartBuild(2, frozenset({"a.go", "b.go"}))]


def test_a_build_that_ends_in_a_pause_replaces_nothing_yet() -> None:
    story = Story().serving()
    story.change("a.go")
    story.tell(PauseToggled())
    assert story.tell(BuildExited(2, 0)) == []
    assert story.tell(PauseToggled()) == [Stop(1)]


def test_who_asks_for_a_build_or_a_restart_ends_the_pause() -> None:
    story = Story().serving()
    story.tell(PauseToggled())
    assert story.tell(BuildRequested()) == [StartBuild(2, frozenset())]
    story.tell(BuildExited(2, 0), AppExited(1, 0), PauseToggled())
    assert story.tell(RestartRequested()) == [Stop(2)]


def test_in_a_pause_a_changed_env_file_waits_also_when_the_app_ends() -> None:
    story = Story().serving()
    story.tell(PauseToggled(), FilesTouched(Quiet.SAVE), TimerFired(Timer.SETTLE))
    assert story.tell(FilesChanged((), restart=True)) == []
    assert story.tell(AppExited(1, 1)) == []
    assert story.tell(PauseToggled()) == [StartApp(2)]


def test_a_restart_that_ends_a_pause_starts_nothing_old() -> None:
    story = Story().serving()
    story.tell(PauseToggled())
    story.change("a.go")
    assert story.tell(RestartRequested()) == [StartBuild(2, frozenset({"a.go"}))]
    assert story.tell(BuildExited(2, 0)) == [Stop(1)]
    assert story.tell(AppExited(1, 0)) == [StartApp(2)]
