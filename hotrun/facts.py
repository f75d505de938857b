"""What the core hears and says: facts go in, commands come out.

Pure data, and the words of the whole tool: a *run* is the number of one cycle; a build takes a
number, the app started from it carries the same one, a restart without a build takes its own.
"""

from __future__ import annotations

from enum import Enum

from hotrun.lean import dataclass


class Quiet(Enum):
    """How long a tree must be still before a change in it is believed."""

    SAVE = "save"  # one finished save
    BURST = "burst"  # several files: more may be on their way
    HOLD = "hold"  # a file is empty or still open for writing, or git holds its lock
    LULL = "lull"  # changes have overtaken a build: they come faster than anything is built


class Timer(Enum):
    """The alarms the core asks for; the driver knows how many seconds each one is."""

    SETTLE = "settle"
    SETTLE_CAP = "settle-cap"
    BUILD_TIMEOUT = "build-timeout"
    STOP_TIMEOUT = "stop-timeout"
    DUMP = "dump"
    RESTART = "restart"
    STEADY = "steady"


class OnExit(Enum):
    """What follows when the app ends by itself."""

    WAIT = "wait"
    RESTART = "restart"
    EXIT = "exit"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user chose; read by ``reconcile``, one ``if`` each."""

    builds: bool = True  # there is a build command
    runs: bool = True  # there is an app
    cancels: bool = True  # build.on_busy: a change cancels the running build
    keeps: bool = True  # build.on_error: a broken build leaves the app alone
    on_exit: OnExit = OnExit.WAIT
    dumps: bool = False  # run.on_hang: an app that does not stop is asked for its stacks
    once: bool = False  # build, run, end with the app's code


# --- facts ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FilesTouched:
    """Something happened to watched files; whether it is a change is not known yet."""

    quiet: Quiet


@dataclass(frozen=True, slots=True)
class FilesHeld:
    """Answer to ``Sift``: the tree is not still yet, ask again later."""


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """A file that changed, for which a rule has a command of its own."""

    rule: int  # the place of the rule in the config: commands run in this order
    command: str | tuple[str, ...]
    path: str


@dataclass(frozen=True, slots=True)
class FilesChanged:
    """Answer to ``Sift``: the files whose content differs, by what follows from it.

    All empty: nothing changed, or nothing that counts.
    """

    paths: tuple[str, ...]  # these are to be built
    restart: bool = False  # an env file, say: the app has to be started again
    steps: tuple[Step, ...] = ()
    signals: tuple[int, ...] = ()  # the app is to get these


@dataclass(frozen=True, slots=True)
class TimerFired:
    """An alarm that was set has gone off."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class BuildExited:
    """The build is over; ``same`` says that it made the very bytes the running app is."""

    run: int
    code: int
    same: bool = False


@dataclass(frozen=True, slots=True)
class AppEnded:
    """The app's first process ended by itself; others that it started still live."""

    run: int


@dataclass(frozen=True, slots=True)
class AppExited:
    """The app's whole process tree is gone; ``code`` is that of its first process."""

    run: int
    code: int


@dataclass(frozen=True, slots=True)
class AppUnready:
    """The app does not serve although its time for that (``run.ready``) has passed."""

    run: int


@dataclass(frozen=True, slots=True)
class ConfigChanged:
    """The config is another one from now on.

    ``build``, ``restart``: what it asks for at once; ``steps``: the files that still wait for the
    command of a rule, by the rules of now.
    """

    policy: Policy
    build: bool
    restart: bool
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class BuildRequested:
    """Build now, whether or not a file changed (the first build is one of these)."""


@dataclass(frozen=True, slots=True)
class RestartRequested:
    """Replace the app without a build."""


@dataclass(frozen=True, slots=True)
class PauseToggled:
    """Begin no build and replace no app until this comes again, or one of the two above."""


@dataclass(frozen=True, slots=True)
class QuitRequested:
    """End the session with this exit code; asked a second time: kill what is left."""

    code: int


Fact = (
    FilesTouched
    | FilesHeld
    | FilesChanged
    | TimerFired
    | BuildExited
    | AppEnded
    | AppExited
    | AppUnready
    | ConfigChanged
    | BuildRequested
    | RestartRequested
    | PauseToggled
    | QuitRequested
)


# --- commands ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sift:
    """Compare the touched files with the disk; ``last``: do not answer ``FilesHeld``."""

    last: bool


@dataclass(frozen=True, slots=True)
class StartBuild:
    """Run the build command; ``paths`` are what it is to contain for the first time."""

    run: int
    paths: frozenset[str]


@dataclass(frozen=True, slots=True)
class StartStep:
    """Run the command of one rule for these files; its end is a ``BuildExited`` too."""

    run: int
    steps: frozenset[Step]


@dataclass(frozen=True, slots=True)
class StartApp:
    """Start the app."""

    run: int


@dataclass(frozen=True, slots=True)
class KeepApp:
    """The app of this run goes on although a build ended: say so."""

    run: int
    reason: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Send the stop signal to the app of this run, once."""

    run: int


@dataclass(frozen=True, slots=True)
class Send:
    """Send the app of this run a signal that a rule asks for."""

    run: int
    signal: int


@dataclass(frozen=True, slots=True)
class Dump:
    """Ask the app of this run for its stacks, before it is killed."""

    run: int


@dataclass(frozen=True, slots=True)
class Kill:
    """End the build or app of this run, and all it started; a build gets SIGTERM before."""

    run: int
    reason: str


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Set (or set anew) an alarm.

    ``detail`` is the kind of quiet, the number of crashes, or that of the runs since the tree was
    last still.
    """

    timer: Timer
    detail: Quiet | int


@dataclass(frozen=True, slots=True)
class ClearTimer:
    """Forget an alarm."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class Exit:
    """Nothing is alive any more: end with this code."""

    code: int


Command = (
    Sift
    | StartBuild
    | StartStep
    | StartApp
    | KeepApp
    | Stop
    | Send
    | Dump
    | Kill
    | SetTimer
    | ClearTimer
    | Exit
)
