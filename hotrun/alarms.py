"""The core's alarms on the loop's clock; they stand still while we are stopped (Ctrl-Z).

The clock goes on when a person stops us, and hours later every alarm would go off at once: a
build would be killed for its "timeout" although it had no time at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.facts import Quiet, Timer

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from hotrun.config import Config

# debounce = "auto", in seconds. An editor's own steps of one save are under 1 ms apart; in a
# git checkout the largest gap was 5 ms (measured); an editor that truncates and writes later
# does so within 120 ms.
QUIET = {Quiet.SAVE: 0.010, Quiet.BURST: 0.060, Quiet.HOLD: 0.150, Quiet.LULL: 0.060}
LEAST = (Quiet.HOLD, Quiet.LULL)  # with a debounce that is shorter than these too
# Times that max_wait is doubled while the tree never is still: each build of a checkout that goes
# on is for nothing, but who writes for ever must not keep what a person saves from being built.
DOUBLED = 3
BACK_OFF = (0.5, 30.0)  # seconds: the first pause, doubled up to the last
STEADY = 10.0  # seconds an app has to live for its crashes to be forgiven
STEP = 600.0  # seconds for the command of a rule, where there is no [build] to say it
GRACE = 5.0  # seconds for an app whose [run] was taken out of the config
DUMP = 1.0  # seconds that a runtime has to write its stacks; the JVM takes 0.1


class Alarm:
    """A call that is to come, unless it is cancelled; made by ``Alarms.later``."""

    def __init__(self, alarms: Alarms, seconds: float, ring: Callable[[], None]) -> None:
        self._alarms = alarms
        self._ring = ring
        self._left = seconds
        self._handle: asyncio.TimerHandle | None = None

    def cancel(self) -> None:
        """Do not call; harmless when it has called."""
        self.halt()
        self._alarms.forget(self)

    def halt(self) -> None:
        """Let it stand still."""
        if self._handle is not None:
            self._left = max(0.0, self._handle.when() - self._alarms.loop.time())
            self._handle.cancel()
            self._handle = None

    def go_on(self) -> None:
        """Give it the time that it has left."""
        self._handle = self._alarms.loop.call_later(self._left, self._call)

    def _call(self) -> None:
        self._handle = None
        self._alarms.forget(self)
        self._ring()


class Alarms:
    """Calls back after a while.

    Args:
        loop: Whose clock it is.
        fire: Hears which of the core's alarms went off.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, fire: Callable[[Timer], None]) -> None:
        self.loop = loop
        self._fire = fire
        self._set: dict[Timer, Alarm] = {}
        self._coming: dict[Alarm, None] = {}  # in the order in which they were set

    def later(self, seconds: float, call: Callable[[], None]) -> Alarm:
        """Call after so many seconds of our own time."""
        alarm = Alarm(self, seconds, call)
        self._coming[alarm] = None
        alarm.go_on()
        return alarm

    def forget(self, alarm: Alarm) -> None:
        """It has called, or will not."""
        self._coming.pop(alarm, None)

    def set(self, timer: Timer, seconds: float) -> None:
        """Set an alarm of the core, or set it anew."""
        self.clear(timer)
        self._set[timer] = self.later(seconds, lambda: self._go_off(timer))

    def clear(self, timer: Timer) -> None:
        """Forget an alarm of the core."""
        if (alarm := self._set.pop(timer, None)) is not None:
            alarm.cancel()

    def halt(self) -> None:
        """Let all stand still."""
        for alarm in self._coming:
            alarm.halt()

    def go_on(self) -> None:
        """Give each the time it had left."""
        for alarm in self._coming:
            alarm.go_on()

    def _go_off(self, timer: Timer) -> None:
        del self._set[timer]
        self._fire(timer)


def seconds_of(config: Config, timer: Timer, detail: Quiet | int) -> float:
    """Return for how long an alarm is set."""
    build, run = config.build, config.run
    match timer, detail:
        case Timer.SETTLE, Quiet():
            return settle_time(config.watch.debounce, detail)
        case Timer.SETTLE_CAP, int(lasting):
            return float(config.watch.max_wait * 2 ** min(lasting, DOUBLED))
        case Timer.RESTART, int(crashes):
            return float(min(BACK_OFF[0] * 2 ** (crashes - 1), BACK_OFF[1]))
        case _:
            return {
                Timer.BUILD_TIMEOUT: build.timeout if build is not None else STEP,
                Timer.STOP_TIMEOUT: run.stop_timeout if run is not None else GRACE,
                Timer.DUMP: DUMP,
            }.get(timer, STEADY)


def settle_time(debounce: float | None, quiet: Quiet) -> float:
    """Return the seconds of quiet that are waited for; a ``debounce`` of None is "auto".

    A debounce that the user set leaves an unfinished write its time all the same; and builds
    that are cancelled one after the other keep the processor from who writes.
    """
    if debounce is None:
        return QUIET[quiet]
    return max(debounce, QUIET[quiet]) if quiet in LEAST else debounce
