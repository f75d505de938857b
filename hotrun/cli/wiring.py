"""What `hotrun run` is made of: the watcher, the subscribers, the keyboard, the leftovers."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from hotrun.cli import watching
from hotrun.ui.colour import wants_colour
from hotrun.ui.console import Console, Manner
from hotrun.ui.keys import Keys, available
from hotrun.ui.links import wants_links
from hotrun.ui.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hotrun.config import Config
    from hotrun.notices import Subscriber
    from hotrun.options import Options
    from hotrun.process.terminal import Terminal
    from hotrun.project.explain import Explainer
    from hotrun.project.plan import Plan
    from hotrun.session import Session
    from hotrun.ui.live import LiveLine


class Screen:
    """What people and programs see and press.

    Args:
        config: The config.
        planned: What it comes to on this disk.
        terminal: The controlling terminal, if there is one.
        once: Nothing is watched.
        as_json: JSON lines go to stdout.
        verbose: Show every fact and command.
        quiet: Show problems only.
        color: The option of that name.
        clear: Clear the screen before each build.
        keys: Read keys, if somebody can press them.
    """

    def __init__(
        self,
        config: Config,
        planned: Plan,
        terminal: Terminal | None,
        *,
        once: bool,
        as_json: bool,
        verbose: bool,
        quiet: bool,
        color: str,
        clear: bool,
        keys: bool,
    ) -> None:
        run = config.run
        self.colour = wants_colour(color, sys.stderr, os.environ)
        self._sinks = Sink(sys.stdout), Sink(sys.stderr)
        self._terminal = terminal
        pressed = keys and not (once or as_json) and (run is None or run.stdin == "null")
        self.has_keys = pressed and available(sys.stdin, sys.stdout, terminal, os.environ)
        self._said = {
            "colour": self.colour,
            "verbose": verbose,
            "quiet": quiet,
            "shows_output": not as_json,
            "keys": self.has_keys,
            "clears": clear and self._is_screen(),
            "links": wants_links(sys.stderr, os.environ, colour=self.colour),
        }
        self._once = once
        self.as_json = as_json
        self.verbose = verbose
        manner = self._manner(config)
        self._console = Console(self._sinks[1], manner, out=self._sinks[0], live=self._live())
        self._console.adopt(manner, _because(config, planned))
        self.subscribers: list[Subscriber] = [self._console]
        if as_json:
            from hotrun.ui.jsonl import JsonLines

            self.subscribers.insert(0, JsonLines(self._sinks[0]))

    def adopt(self, config: Config, planned: Plan) -> None:
        """Speak as another config asks for."""
        self._console.adopt(self._manner(config), _because(config, planned))

    def _manner(self, config: Config) -> Manner:
        run, as_json = config.run, not self._said["shows_output"]
        on_exit = run.on_exit if run is not None else ""
        return Manner(
            **self._said,
            on_exit="exit" if self._once and on_exit else on_exit,
            keeps=config.build is None or config.build.on_error == "keep",
            says_ready=run is not None and run.ready is not None,
            shares=run is not None and not (as_json or run.reads_output) and shows(),
        )

    def behind(self) -> bool:
        """Whether a reader of our output has fallen behind."""
        return any(sink.behind for sink in self._sinks)

    def keys(self, session: Session) -> Keys:
        """Make the keyboard of a session."""

        def act(action: str) -> None:
            if not self._console.act(action):
                session.act(action)

        if self._terminal is None:
            raise ValueError("there is no terminal")
        return Keys(session.loop, self._terminal, 0, act)

    def finish(self) -> None:
        """Write what is still waiting."""
        for sink in self._sinks:
            sink.finish()

    @staticmethod
    def _is_screen() -> bool:
        """Whether a line can be written over, and all be cleared."""
        dumb = os.environ.get("CI") or os.environ.get("TERM") == "dumb"
        return sys.stderr.isatty() and not dumb

    def _live(self) -> LiveLine | None:
        if not self._is_screen():
            return None
        import shutil

        from hotrun.ui.live import LiveLine

        return LiveLine(self._sinks[1], lambda: shutil.get_terminal_size().columns)


def _because(config: Config, planned: Plan) -> Callable[[str], str]:
    """Make what says why a file is watched; what it takes is imported when somebody asks."""
    explainers: list[Explainer] = []

    def because(path: str) -> str:
        if not explainers:
            from hotrun.project.explain import Explainer

            explainers.append(Explainer(config, planned))
        return explainers[0].because(path)

    return because


def shows() -> bool:
    """Whether what our children print without being read goes to a terminal."""
    return sys.stdout.isatty() or sys.stderr.isatty()


def options(config: Config, planned: Plan, screen: Screen, *, once: bool) -> Options:
    """Say how a session runs, as far as the config and the screen tell."""
    from hotrun.options import Options
    from hotrun.project import schema_file
    from hotrun.reload import watched

    file = None if once else config.file
    return Options(
        cookie="",
        outputs=planned.outputs,
        program=planned.program,
        once=once,
        trace=screen.verbose,
        captures=screen.as_json,
        colour=screen.colour,
        shows=shows(),
        behind=screen.behind,
        keys=screen.keys if screen.has_keys else None,
        watch=watching.watch,
        watched=watched(config, planned),
        adopt=screen.adopt,
        chore=partial(schema_file.renew, file) if file is not None else None,
    )


def left_before(directory: str) -> Iterator[tuple[str, str]]:
    """Yield warnings about sessions before this one: message and hint.

    A guardian that is still at work is waited for: it is about to free the port.
    """
    if not os.path.isdir(os.path.join(directory, ".hotrun")):
        return
    from hotrun.process import leftovers

    for session in leftovers.settled(directory):
        if session.alive:
            pid = session.hotrun.pid
            yield f"hotrun runs here already (pid {pid})", f"end one of the two: kill {pid}"
        elif session.leftovers:
            named = ", ".join(f"{left.process.pid} ({left.command})" for left in session.leftovers)
            yield f"an earlier hotrun left this running: pid {named}", STOP_THEM
        else:
            leftovers.forget(session)


STOP_THEM = "stop it with: hotrun leftovers --stop"
