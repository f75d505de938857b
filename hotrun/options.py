"""How a session runs, apart from the config: what the command line found and made for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hotrun.lean import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.config import Config
    from hotrun.process.guardian import Guardian
    from hotrun.process.listen import Sockets
    from hotrun.process.session_file import SessionFile
    from hotrun.process.terminal import Terminal
    from hotrun.project.plan import Plan
    from hotrun.session import Session
    from hotrun.watch import Watcher
    from hotrun.watch.sieve.sieve import Sieve


class Keys(Protocol):
    """The keyboard, while the session runs."""

    def start(self) -> None:
        """Read keys from now on."""

    def stop(self) -> None:
        """Read no more."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a session runs, apart from the config.

    Attributes:
        cookie: ``NAME=value`` that every app carries in its environment.
        guardian: The process that ends what is left when we are killed.
        terminal: The controlling one.
        sockets: Where the app's listening sockets are held.
        file: Tells the next session what this one started.
        outputs: What the build makes, absolute: compared to tell whether the app changed.
        program: The app's own program, if it is a file of the project.
        warnings: Message and hint of what is odd in the config, told at the start.
        once: Build, run the app, end with its code; nothing is watched.
        trace: Tell every fact and command.
        captures: The app's output becomes notices instead of going to our own streams.
        colour: Children whose output we show may use colours.
        shows: What our children print without being read goes to a terminal.
        behind: Tells that a reader of our output has fallen behind.
        keys: Makes the keyboard of a session; None: there is nobody to press one.
        reload: Reads the config again; raises ConfigError. None: there is no file to read.
        watch: Makes the watcher and the sieve of another config.
        chore: Done once, when the first build has had the machine for a while.
        watched: What decided which files are watched, as ``reload.watched`` has it.
        adopt: Hears the config that counts from now on.
    """

    cookie: str
    guardian: Guardian | None = None
    terminal: Terminal | None = None
    sockets: Sockets | None = None
    file: SessionFile | None = None
    outputs: tuple[str, ...] = ()
    program: str | None = None
    warnings: tuple[tuple[str, str], ...] = ()
    once: bool = False
    trace: bool = False
    captures: bool = False
    colour: bool = False
    shows: bool = False
    behind: Callable[[], bool] = lambda: False
    keys: Callable[[Session], Keys] | None = None
    reload: Callable[[], tuple[Config, Plan]] | None = None
    watch: Callable[[Config, Plan], tuple[Watcher, Sieve]] | None = None
    chore: Callable[[], None] | None = None
    watched: object = None
    adopt: Callable[[Config, Plan], None] = lambda *_: None
