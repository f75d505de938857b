"""The core by example: commands of rules, signals of rules, and another config."""

from __future__ import annotations

from story import Story

from hotrun.facts import (
    AppExited,
    BuildExited,
    BuildRequested,
    ConfigChanged,
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
    Send,
    Sift,
    StartApp,
    StartBuild,
    StartStep,
    Step,
    Stop,
    Timer,
    TimerFired,
)

PAGE = Step(0, "templ generate", "page.templ")
OTHER = Step(0, "templ generate", "other.templ")
MENDED = Step(0, "go tool templ generate", "page.templ")
STYLE = Step(1, ("sass", "{files}"), "style.scss")


def looked(story: Story, *written: str) -> list[object]:
    """The look at the tree after a step, and what it finds."""
    assert story.tell(TimerFired(Timer.SETTLE)) == [Sift(last=False)]
    return [*story.tell(FilesChanged(written))]


def test_a_step_runs_and_what_it_writes_is_built() -> None:
    story = Story().serving()
    assert story.change(steps=(PAGE,)) == [StartStep(2, frozenset({PAGE}))]
    assert story.tell(BuildExited(2, 0)) == []
    assert looked(story, "page_templ.go") == [StartBuild(3, frozenset({"page_templ.go"}))]


def test_a_step_that_writes_nothing_leads_to_nothing() -> None:
    story = Story().serving()
    story.change(steps=(PAGE,))
    story.tell(BuildExited(2, 0))
    assert looked(story) == []
    assert story.timers == {}
    assert story.state.app is not None


def test_the_build_of_a_change_waits_for_its_step() -> None:
    story = Story().serving()
    assert story.change("main.go", steps=(PAGE,)) == [StartStep(2, frozenset({PAGE}))]
    assert story.tell(BuildExited(2, 0)) == []
    both = frozenset({"main.go", "page_templ.go"})
    assert looked(story, "page_templ.go") == [StartBuild(3, both)]


def test_each_rule_takes_its_turn() -> None:
    story = Story().serving()
    assert story.change(steps=(STYLE, PAGE, OTHER)) == [StartStep(2, frozenset({PAGE, OTHER}))]
    assert story.tell(BuildExited(2, 0)) == []
    assert looked(story) == [StartStep(3, frozenset({STYLE}))]


def test_a_step_that_failed_is_a_failed_build_and_is_tried_again_at_the_next_change() -> None:
    story = Story().serving()
    story.change("main.go", steps=(PAGE,))
    assert story.tell(BuildExited(2, 1)) == [KeepApp(1, "build failed")]
    assert story.change(steps=(OTHER,)) == [StartStep(3, frozenset({PAGE, OTHER}))]
    assert story.tell(BuildExited(3, 0)) == []
    assert looked(story) == [StartBuild(4, frozenset({"main.go"}))]


def test_a_step_that_failed_takes_the_app_down_when_asked_to() -> None:
    story = Story(Policy(keeps=False)).serving()
    story.change(steps=(PAGE,))
    assert story.tell(BuildExited(2, 1)) == [Stop(1)]
    assert story.tell(AppExited(1, 0)) == []
    assert story.change(steps=(PAGE,)) == [StartStep(3, frozenset({PAGE}))]
    assert story.tell(BuildExited(3, 0)) == []
    assert looked(story) == [StartApp(4)]


def test_a_step_is_not_cancelled_by_what_it_writes() -> None:
    story = Story().serving()
    story.change(steps=(PAGE,))
    assert story.change("page_templ.go") == []
    assert story.tell(BuildExited(2, 0)) == []
    assert looked(story) == [StartBuild(3, frozenset({"page_templ.go"}))]


def test_a_change_for_a_step_cancels_the_build() -> None:
    story = Story().serving()
    story.change("main.go")
    assert story.change(steps=(PAGE,)) == [Kill(2, "superseded")]
    assert story.tell(BuildExited(2, 137)) == [StartStep(3, frozenset({PAGE}))]
    story.tell(BuildExited(3, 0))
    assert looked(story) == [StartBuild(4, frozenset({"main.go"}))]


def test_without_a_build_command_the_app_starts_again_after_the_step() -> None:
    story = Story(Policy(builds=False))
    assert story.tell(BuildRequested()) == [StartApp(1)]
    assert story.change("app.py", steps=(PAGE,)) == [StartStep(2, frozenset({PAGE}))]
    assert story.tell(BuildExited(2, 0)) == []
    assert looked(story) == [Stop(1)]
    assert story.tell(AppExited(1, 0)) == [StartApp(3)]


def test_a_step_waits_until_the_good_build_is_served() -> None:
    story = Story().serving()
    story.change("main.go")
    assert story.tell(BuildExited(2, 0)) == [Stop(1)]
    assert story.change(steps=(PAGE,)) == []
    assert story.tell(AppExited(1, 0)) == [StartApp(2), StartStep(3, frozenset({PAGE}))]


def test_steps_wait_in_a_pause() -> None:
    story = Story().serving()
    story.tell(PauseToggled())
    assert story.change(steps=(PAGE,)) == []
    assert story.tell(PauseToggled()) == [StartStep(2, frozenset({PAGE}))]


def test_a_step_that_takes_too_long_is_killed_and_has_failed() -> None:
    story = Story().serving()
    story.change(steps=(PAGE,))
    assert story.tell(TimerFired(Timer.BUILD_TIMEOUT)) == [Kill(2, "timeout")]
    assert story.tell(BuildExited(2, 0)) == [KeepApp(1, "build failed")]
    assert story.state.stuck


def test_quitting_kills_a_step() -> None:
    story = Story().serving()
    story.change(steps=(PAGE,))
    assert story.tell(QuitRequested(130)) == [Kill(2, "quit"), Stop(1)]


def test_a_rebuild_that_is_asked_for_tries_a_failed_step_again() -> None:
    story = Story().serving()
    story.change(steps=(PAGE,))
    story.tell(BuildExited(2, 1))
    assert story.tell(BuildRequested()) == [StartStep(3, frozenset({PAGE}))]


def test_a_signal_is_sent_to_the_app_that_runs() -> None:
    story = Story().serving()
    story.tell(FilesTouched(Quiet.SAVE), TimerFired(Timer.SETTLE))
    assert story.tell(FilesChanged((), signals=(1,))) == [Send(1, 1)]
    assert story.tell(FilesChanged(())) == []


def test_an_app_that_is_being_replaced_gets_no_signal() -> None:
    story = Story().serving()
    assert story.tell(FilesChanged((), restart=True, signals=(1,))) == [Stop(1)]
    assert story.tell(AppExited(1, 0)) == [StartApp(2)]
    assert story.tell(FilesChanged(())) == []


def test_another_config_builds_or_restarts_as_it_asks() -> None:
    story = Story().serving()
    assert story.tell(ConfigChanged(Policy(), build=False, restart=False)) == []
    assert story.tell(ConfigChanged(Policy(), build=False, restart=True)) == [Stop(1)]
    assert story.tell(AppExited(1, 0)) == [StartApp(2)]
    told = story.tell(ConfigChanged(Policy(), build=True, restart=False))
    assert told == [StartBuild(3, frozenset())]


def test_a_config_that_asks_for_both_builds_first_and_then_starts_even_the_same_bytes() -> None:
    story = Story().serving()
    told = story.tell(ConfigChanged(Policy(), build=True, restart=True))
    assert told == [StartBuild(2, frozenset())]
    assert story.tell(BuildExited(2, 0, same=True)) == [Stop(1)]
    assert story.tell(AppExited(1, 0)) == [StartApp(2)]


def test_a_config_without_an_app_stops_it() -> None:
    story = Story().serving()
    assert story.tell(ConfigChanged(Policy(runs=False), build=False, restart=False)) == [Stop(1)]
    assert story.tell(AppExited(1, 0)) == []
    assert story.change("main.go") == [StartBuild(2, frozenset({"main.go"}))]


def test_a_config_with_an_app_again_starts_it() -> None:
    story = Story().serving()
    story.tell(ConfigChanged(Policy(runs=False), build=False, restart=False))
    story.tell(AppExited(1, 0))
    assert story.tell(ConfigChanged(Policy(), build=False, restart=True)) == [StartApp(2)]


def test_steps_of_rules_that_are_gone_are_forgotten() -> None:
    story = Story().serving()
    story.change(steps=(PAGE,))
    story.tell(BuildExited(2, 1))
    story.tell(ConfigChanged(Policy(), build=False, restart=False))
    assert story.change("main.go") == [StartBuild(3, frozenset({"main.go"}))]


def test_a_look_that_began_before_the_step_ended_is_not_the_one_it_is_owed() -> None:
    story = Story().serving()
    story.change("main.go", steps=(PAGE,))
    assert story.tell(FilesTouched(Quiet.SAVE), TimerFired(Timer.SETTLE)) == [Sift(last=False)]
    assert story.tell(BuildExited(2, 0), FilesChanged(())) == []
    both = frozenset({"main.go", "page_templ.go"})
    assert looked(story, "page_templ.go") == [StartBuild(3, both)]


def test_a_look_after_the_step_that_is_put_off_is_still_owed() -> None:
    story = Story().serving()
    story.change("main.go", steps=(PAGE,))
    story.tell(BuildExited(2, 0))
    assert story.tell(TimerFired(Timer.SETTLE), FilesHeld()) == [Sift(last=False)]
    assert looked(story, "page_templ.go") == [
        StartBuild(3, frozenset({"main.go", "page_templ.go"}))
    ]


def test_a_file_that_is_mended_while_its_step_fails_is_tried_again() -> None:
    story = Story().serving()
    story.change(steps=(PAGE,))
    assert story.change("main.go", steps=(PAGE,)) == []
    told = story.tell(BuildExited(2, 1))
    assert told == [KeepApp(1, "build failed"), StartStep(3, frozenset({PAGE}))]
    assert story.tell(BuildExited(3, 0)) == []
    assert looked(story) == [StartBuild(4, frozenset({"main.go"}))]


def test_another_config_tries_a_failed_step_again_by_its_own_rules() -> None:
    story = Story().serving()
    story.change("main.go", steps=(PAGE,))
    story.tell(BuildExited(2, 1))
    told = story.tell(ConfigChanged(Policy(), build=False, restart=False, steps=(MENDED,)))
    assert told == [StartStep(3, frozenset({MENDED}))]
    assert story.tell(BuildExited(3, 0)) == []
    assert looked(story) == [StartBuild(4, frozenset({"main.go"}))]


def test_what_waited_for_a_step_of_a_rule_that_is_gone_is_built() -> None:
    story = Story().serving()
    story.change("main.go", steps=(PAGE,))
    story.tell(BuildExited(2, 1))
    told = story.tell(ConfigChanged(Policy(), build=False, restart=False))
    assert told == [StartBuild(3, frozenset({"main.go"}))]


def test_a_step_that_runs_while_the_config_changes_runs_again_by_the_rules_of_now() -> None:
    story = Story().serving()
    story.change(steps=(PAGE,))
    assert story.tell(ConfigChanged(Policy(), build=False, restart=False, steps=(MENDED,))) == []
    assert story.tell(BuildExited(2, 1)) == []
    assert looked(story) == [StartStep(3, frozenset({MENDED}))]


def test_a_step_that_runs_while_the_config_changes_is_enough_if_its_rule_is_the_same() -> None:
    story = Story().serving()
    story.change(steps=(PAGE,))
    story.tell(ConfigChanged(Policy(), build=False, restart=False, steps=(PAGE,)))
    assert story.tell(BuildExited(2, 0)) == []
    assert looked(story) == []


def test_a_file_that_changed_while_its_step_ran_is_not_forgotten_by_another_config() -> None:
    story = Story().serving()
    story.change(steps=(PAGE,))
    story.change(steps=(PAGE,))
    story.tell(ConfigChanged(Policy(), build=False, restart=False, steps=(PAGE,)))
    assert story.tell(BuildExited(2, 0)) == []
    assert looked(story) == [StartStep(3, frozenset({PAGE}))]


def test_an_app_that_is_down_comes_back_when_the_step_of_another_config_is_good() -> None:
    story = Story(Policy(keeps=False)).serving()
    story.change(steps=(PAGE,))
    assert story.tell(BuildExited(2, 1), AppExited(1, 0)) == [Stop(1)]
    stops = Policy(keeps=False)
    told = story.tell(ConfigChanged(stops, build=False, restart=False, steps=(MENDED,)))
    assert told == [StartStep(3, frozenset({MENDED}))]
    assert story.tell(BuildExited(3, 0)) == []
    assert looked(story) == [StartApp(4)]


def test_an_app_that_is_down_comes_back_with_a_config_without_the_rule() -> None:
    story = Story(Policy(keeps=False)).serving()
    story.change(steps=(PAGE,))
    assert story.tell(BuildExited(2, 1), AppExited(1, 0)) == [Stop(1)]
    stops = Policy(keeps=False)
    assert story.tell(ConfigChanged(stops, build=False, restart=False)) == [StartApp(3)]


def test_an_app_that_is_down_comes_back_with_a_config_that_keeps_it() -> None:
    story = Story(Policy(keeps=False)).serving()
    story.change("main.go")
    assert story.tell(BuildExited(2, 1), AppExited(1, 0)) == [Stop(1)]
    assert story.tell(ConfigChanged(Policy(), build=False, restart=False)) == [StartApp(3)]


def test_a_config_without_a_build_starts_the_app_although_the_last_build_was_broken() -> None:
    story = Story(Policy(keeps=False)).serving()
    story.change("main.go")
    assert story.tell(BuildExited(2, 1), AppExited(1, 0)) == [Stop(1)]
    bare = Policy(builds=False, keeps=False)
    assert story.tell(ConfigChanged(bare, build=True, restart=False)) == [StartApp(3)]


def test_a_config_without_a_build_starts_the_app_although_the_last_build_was_killed() -> None:
    story = Story().serving()
    story.change("main.go")
    bare = Policy(builds=False)
    told = story.tell(ConfigChanged(bare, build=True, restart=False))
    assert told == [Kill(2, "superseded")]
    assert story.tell(BuildExited(2, 137)) == [Stop(1)]
    assert story.tell(AppExited(1, 0)) == [StartApp(3)]


def test_an_app_that_a_config_without_a_build_replaces_is_not_said_to_go_on() -> None:
    story = Story(Policy(cancels=False)).serving()
    story.change("main.go")
    story.tell(ConfigChanged(Policy(builds=False, cancels=False), build=True, restart=False))
    assert story.tell(BuildExited(2, 1)) == [Stop(1)]


def test_an_app_that_has_just_started_gets_no_signal() -> None:
    story = Story(Policy(builds=False))
    assert story.tell(BuildRequested()) == [StartApp(1)]
    story.tell(AppExited(1, 0))
    story.tell(FilesTouched(Quiet.SAVE), TimerFired(Timer.SETTLE))
    assert story.tell(FilesChanged(("app.py",), signals=(1,))) == [StartApp(2)]
    assert story.tell(FilesChanged(())) == []


def test_a_signal_of_a_pause_is_for_the_app_that_was_there() -> None:
    story = Story(Policy(on_exit=OnExit.RESTART)).serving()
    story.tell(PauseToggled(), FilesTouched(Quiet.SAVE), TimerFired(Timer.SETTLE))
    assert story.tell(FilesChanged((), signals=(1,)), AppExited(1, 1)) == []
    assert story.tell(TimerFired(Timer.RESTART)) == [StartApp(2)]
    assert story.tell(PauseToggled()) == []
