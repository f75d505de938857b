"""The core by random walks through a simulated world (core_world.py).

When a walk fails, the story at the end of the report is every fact and what it led to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import pytest
from core_tree import CONTENTS, EDITED
from core_world import SIGKILLED, World
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from hotrun.core import State, step
from hotrun.facts import (
    AppEnded,
    AppExited,
    AppUnready,
    BuildExited,
    BuildRequested,
    Command,
    Fact,
    FilesChanged,
    FilesTouched,
    KeepApp,
    OnExit,
    PauseToggled,
    Policy,
    Quiet,
    QuitRequested,
    RestartRequested,
    Sift,
    Timer,
    TimerFired,
)

CODES = (0, 1, 0, SIGKILLED, 0)
PER_MOVE = 4  # bytes that decide a move

T = TypeVar("T")


class Dice:
    """Choices made by one number; a small one takes the first, so that walks shrink well.

    Args:
        number: A number far greater than the product of the options asked for.
    """

    def __init__(self, number: int) -> None:
        self.number = number

    def pick(self, options: Sequence[T]) -> T:
        self.number, index = divmod(self.number, len(options))
        return options[index]


Move = Callable[[World, Dice], object]
Test = Callable[["Plan"], None]


def edit(world: World, dice: Dice) -> None:
    world.edit(dice.pick(EDITED), dice.pick(CONTENTS))


def watch(world: World, dice: Dice) -> None:
    world.watch(dice.pick(tuple(Quiet)))


def touch(world: World, dice: Dice) -> None:
    world.touch(dice.pick(EDITED), dice.pick(CONTENTS), dice.pick(tuple(Quiet)))


def save(world: World, dice: Dice) -> None:
    world.save(dice.pick(EDITED), dice.pick(CONTENTS))


def hold(world: World, _dice: Dice) -> None:
    world.hold()


def answer(world: World, dice: Dice) -> None:
    world.answer(early=dice.pick((False, True)))


def fire(world: World, dice: Dice) -> None:
    world.fire(dice.pick(tuple(world.books.timers)))


def read_tree(world: World, _dice: Dice) -> None:
    world.read_tree()


def end_build(world: World, dice: Dice) -> None:
    world.end_build(dice.pick(CODES))


def end_app(world: World, dice: Dice) -> None:
    world.end_app(dice.pick(CODES))


def leave_behind(world: World, _dice: Dice) -> None:
    world.leave_behind()


def ask_for_a_build(world: World, _dice: Dice) -> None:
    world.tell(BuildRequested())


def ask_for_a_restart(world: World, _dice: Dice) -> None:
    world.tell(RestartRequested())


def pause(world: World, _dice: Dice) -> None:
    world.tell(PauseToggled())


def change_the_config(world: World, dice: Dice) -> None:
    """Whoever watches nothing reads no config again."""
    policy = pick_policy(dice)
    build, restart, rules = (dice.pick((False, True)) for _ in range(3))
    if not world.books.policy.once:
        policy = replace(policy, once=False)
        world.configure(policy, build=build, restart=restart, rules=rules)


def be_unready(world: World, _dice: Dice) -> None:
    if world.books.app is not None:
        world.tell(AppUnready(world.books.app.run))


def quit_session(world: World, dice: Dice) -> None:
    """Seldom at first, or most walks would be short."""
    if dice.pick((False, False, True)) or world.books.ending is not None:
        world.tell(QuitRequested(dice.pick((130, 143))))


def answer_late(world: World, dice: Dice) -> None:
    """An answer that comes twice, or from a run that is over."""
    run, code = dice.pick(range(world.books.newest + 1)), dice.pick(CODES)
    same = dice.pick((False, True))
    ends = (AppEnded(run), AppExited(run, code), AppUnready(run))
    for fact in (BuildExited(run, code, same), *ends):
        if world.books.is_late(fact):
            world.tell(fact)


def come_to_rest(world: World, dice: Dice) -> None:
    world.come_to_rest(works=dice.pick((True, False)), stubborn=dice.pick((False, True)))


def moves(world: World) -> list[Move]:
    """Return what can happen now, each as often as it should be picked."""
    sift, build, app = world.tree.sift, world.books.build, world.books.app
    going = world.books.ending is None
    stopping = app is not None and app.stopping
    odds: dict[Move, int] = {
        edit: 3,
        watch: 3 * bool(world.tree.events),
        touch: 4,
        save: 5,
        hold: 3 * (sift is not None and not sift.last),
        answer: 3 * (sift is not None),
        fire: 5 * bool(world.books.timers),
        read_tree: 3 * (build is not None and build.reading is None),
        end_build: 6 * (build is not None),
        end_app: (4 if stopping else 1) * (app is not None),
        leave_behind: 2 * (app is not None),
        ask_for_a_build: 2,
        ask_for_a_restart: 2,
        change_the_config: 2,
        pause: 2 if world.books.paused else 1,
        be_unready: 1 * (app is not None),
        quit_session: 1 if going else 6,
        answer_late: 2,
        come_to_rest: 1,
    }
    return [move for move, odd in odds.items() for _ in range(odd)]


@dataclass(frozen=True)
class Plan:
    """A walk before it is taken: what the user chose, and a number for each move."""

    policy: Policy
    numbers: list[int]

    def take(self) -> None:
        world = World(self.policy)
        try:
            for number in self.numbers:
                dice = Dice(number)
                dice.pick(moves(world))(world, dice)
                if world.books.code is not None:
                    break
            world.come_to_rest(works=True, stubborn=False)
            check_the_end(world)
        finally:
            for fact, commands in world.story:
                note(f"{fact} -> {commands}")


def check_the_end(world: World) -> None:
    """After Exit nothing leads to anything; a session that goes on ends when it is asked to."""
    world.tell(QuitRequested(130))
    world.come_to_rest(works=True, stubborn=True)
    for fact in (BuildRequested(), FilesTouched(Quiet.SAVE), QuitRequested(130)):
        world.tell(fact)


def pick_policy(dice: Dice) -> Policy:
    """Mostly the usual one.

    What ends a session early makes a walk short, and without builds or without an app most
    moves have no part in it.
    """
    builds, runs = dice.pick((*[(True, True)] * 6, (True, False), (False, True)))
    return Policy(
        builds=builds,
        runs=runs,
        cancels=dice.pick((True, True, False)),
        keeps=dice.pick((True, True, False)),
        on_exit=dice.pick((*[OnExit.WAIT, OnExit.RESTART] * 3, OnExit.EXIT)),
        dumps=dice.pick((False, True)),
        once=dice.pick((*[False] * 5, True)),
    )


def plan_in(drawn: bytes) -> Plan:
    """Read a walk from bytes; a zero is no move."""
    chunks = (drawn[at : at + PER_MOVE] for at in range(0, len(drawn), PER_MOVE))
    first, *others = map(int.from_bytes, chunks)
    return Plan(pick_policy(Dice(first)), [number for number in others if number])


def walks(examples: int, moves: int, *, repeatable: bool) -> Callable[[Test], Callable[..., None]]:
    """Decorate a test of one walk so that it takes many."""
    # One draw of bytes, not a list of draws: of a list hypothesis tries many near copies. The
    # length is fixed, or it would prefer short walks; a walk shrinks by its zeros instead.
    size = (1 + moves) * PER_MOVE
    chosen = settings(
        max_examples=examples,
        derandomize=repeatable,
        database=None,
        deadline=None,
        print_blob=True,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: chosen(given(st.binary(min_size=size, max_size=size).map(plan_in))(test))


@walks(400, 150, repeatable=True)
def test_whatever_happens_the_core_keeps_its_promises(plan: Plan) -> None:
    plan.take()


@pytest.mark.stress
@walks(6000, 200, repeatable=False)
def test_the_core_keeps_its_promises_for_long(plan: Plan) -> None:
    plan.take()


# --- the gaps it found ---------------------------------------------------------------------


TOUCH = FilesTouched(Quiet.SAVE)
STILL = TimerFired(Timer.SETTLE)
BOUND = TimerFired(Timer.SETTLE_CAP)
NOTHING_CHANGED = FilesChanged(())


def last_commands(*facts: Fact) -> list[Command]:
    """Return what the last of these facts leads to."""
    state, commands = State(), list[Command]()
    for fact in facts:
        state, commands = step(state, fact)
    return commands


def test_a_touch_takes_back_a_stillness_that_had_to_wait_for_a_sift() -> None:
    commands = last_commands(TOUCH, STILL, TOUCH, STILL, TOUCH, NOTHING_CHANGED)
    assert Sift(last=False) not in commands, "an editor may still be writing"


def test_a_touch_after_the_bound_begins_to_settle_anew() -> None:
    commands = last_commands(TOUCH, BOUND, TOUCH, NOTHING_CHANGED)
    assert Sift(last=False) not in commands, "an editor may still be writing"


def test_an_app_that_ended_by_itself_is_not_said_to_go_on() -> None:
    served = BuildRequested(), BuildExited(1, 0)
    commands = last_commands(*served, BuildRequested(), AppEnded(1), BuildExited(2, 1))
    assert KeepApp(1, "build failed") not in commands


def test_an_edit_taken_back_after_a_build_has_read_it_is_built_again() -> None:
    world = World(Policy())
    world.tell(BuildRequested())
    world.edit("main.go", 1)
    world.read_tree()
    world.edit("main.go", 0)
    world.come_to_rest(works=True, stubborn=False)
    assert world.books.last.content == world.tree.disk
