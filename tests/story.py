"""Feeds facts to the core and hands back what it commanded: one story a test."""

from __future__ import annotations

from hotrun.core import State, step
from hotrun.facts import (
    BuildExited,
    BuildRequested,
    ClearTimer,
    Command,
    Fact,
    FilesChanged,
    FilesTouched,
    Policy,
    Quiet,
    SetTimer,
    Sift,
    StartApp,
    StartBuild,
    Step,
    Timer,
    TimerFired,
)


class Story:
    """Feeds facts to the core and hands back what it commanded, timers left out."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.state = State(policy=policy or Policy())
        self.timers: dict[Timer, Quiet | int] = {}

    def tell(self, *facts: Fact) -> list[Command]:
        told: list[Command] = []
        for fact in facts:
            if isinstance(fact, TimerFired):
                assert self.timers.pop(fact.timer, None) is not None, f"{fact.timer} was not set"
            self.state, commands = step(self.state, fact)
            for command in commands:
                match command:
                    case SetTimer(timer, detail):
                        self.timers[timer] = detail
                    case ClearTimer(timer):
                        del self.timers[timer]
                    case _:
                        told.append(command)
        return told

    def change(self, *paths: str, steps: tuple[Step, ...] = ()) -> list[Command]:
        """One settled save."""
        told = self.tell(FilesTouched(Quiet.SAVE), TimerFired(Timer.SETTLE))
        assert told == [Sift(last=False)]
        return self.tell(FilesChanged(paths, steps=steps))

    def serving(self) -> Story:
        """Bring the story to an app that runs from build 1."""
        assert self.tell(BuildRequested()) == [StartBuild(1, frozenset())]
        assert self.tell(BuildExited(1, 0)) == [StartApp(1)]
        return self
