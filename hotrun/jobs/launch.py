"""How the app, and the commands beside it, are started: environment, sockets, streams.

What the app prints goes to our own streams, untouched, unless somebody has to read it: JSON
lines, a ``ready.log``, the stacks of an app that hangs.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from hotrun import notices, variables
from hotrun.address import AddressError, parse_address
from hotrun.errors import HotrunError
from hotrun.jobs import COLOUR_HINTS
from hotrun.process import environment
from hotrun.process.bind import ListenError
from hotrun.process.spawn import Spawn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hotrun.address import Address
    from hotrun.config import Run
    from hotrun.host import Host
    from hotrun.process.command import Command


class Launch:
    """Makes the descriptions of what is started in one life of the app.

    Args:
        host: The session.
        service: Whose app it is.
        app: The table [run].
        hear: Hears what the app prints: the stream, and whole lines of it.
    """

    def __init__(
        self,
        host: Host,
        service: str,
        app: Run,
        hear: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        self._host = host
        self._service = service
        self._app = app
        self._hear = hear

    @property
    def captures(self) -> bool:
        """Whether the app's output is read, and not our own streams."""
        return self._host.captures or self._app.reads_output

    @property
    def takes_terminal(self) -> bool:
        """Whether the app owns the terminal as long as it lives."""
        return self._app.stdin == "terminal" and self._host.terminal is not None

    def beside(self, command: Command) -> Spawn:
        """Describe a command before or after the app.

        What it leaves running is no reason to wait: it carries the cookie, and ends with us.
        """
        return self._spawn(command, self.environment(), beside=True)

    def app(self, command: Command, env: Mapping[str, str]) -> Spawn:
        """Describe the app.

        Raises:
            ListenError: a socket cannot be bound, or a variable in ``run.listen`` is not set.
        """
        self._hold(env)
        sockets = self._host.sockets
        if sockets is None or not sockets.fds:
            return self._spawn(command, env, stdin=self._stdin())
        env = {**env, **sockets.environment()}
        return self._spawn(command, env, stdin=self._stdin(), sockets=sockets.fds)

    def hold(self) -> None:
        """Have the sockets listen before there is an app: who connects waits for the first one.

        What cannot be had is told when the app is about to start.
        """
        with contextlib.suppress(HotrunError):
            self._hold(self.environment())

    def mend(self) -> None:
        """Undo what an app that is gone did to the sockets: who connects now waits for the next.

        What cannot be had again is told when that one is about to start.
        """
        if self._host.sockets is not None:
            with contextlib.suppress(HotrunError):
                self._host.sockets.refresh()

    def _hold(self, env: Mapping[str, str]) -> None:
        """Have the sockets listen, as if no app had ever had them."""
        sockets = self._host.sockets
        if sockets is None or not (self._app.listen or sockets.fds):
            return
        addresses = _each_once([self._address(text, env) for text in self._app.listen])
        before, files = sockets.addresses, sockets.files
        sockets.bind(addresses)
        sockets.refresh()
        if self._host.guardian is not None:
            for path, _ in sockets.files - files:
                self._host.guardian.own(path)
        if sockets.addresses and sockets.addresses != before:
            self._host.tell(notices.Listening(self._service, list(sockets.addresses)))

    def environment(self, *, warn: bool = False) -> dict[str, str]:
        """Put the environment together; the files are read now.

        Args:
            warn: Tell of lines that say nothing.
        """
        config = self._host.config
        files = [config.resolve(file) for file in self._app.env_files]
        env, bad = environment.compose(self._app.env, files, self._host.environ)
        for line in bad if warn else ():
            where = f"{os.path.basename(line.file)}:{line.line or 1}"
            hint = "the rest of the file counts" if line.line else "it is left out"
            self._host.tell(
                notices.Problem(
                    f"{where}: {line.message}", hint, line.file, line.line, severity="warning"
                )
            )
        if self.captures and self._host.colour and not env.get("NO_COLOR"):
            env = COLOUR_HINTS | env
        name, _, value = self._host.cookie.partition("=")
        env[name] = value
        return env

    def _spawn(
        self,
        command: Command,
        env: Mapping[str, str],
        *,
        stdin: int | None = None,
        sockets: tuple[int, ...] = (),
        beside: bool = False,
    ) -> Spawn:
        cookie = self._host.cookie
        return Spawn(
            command,
            self._host.config.resolve(self._app.working_directory),
            env,
            tuple(map(self._hears, ("stdout", "stderr"))) if self.captures else (),
            cookie="" if beside else cookie,
            behind=self._host.behind,
            sockets=sockets,
            stdin=stdin,
            worn=cookie if beside else "",
        )

    def _hears(self, stream: str) -> Callable[[str], None]:
        return lambda text: self._hear(stream, text)

    def _stdin(self) -> int | None:
        return 0 if self.takes_terminal else None

    def _address(self, text: str, env: Mapping[str, str]) -> Address:
        expanded = text
        try:
            expanded = variables.expand(text, env)
            address = parse_address(expanded)
        except variables.ExpandError as error:
            raise ListenError(error.message, error.hint) from error
        except AddressError as error:
            # As written: the variables may hold what nobody should read.
            hint = error.hint if expanded == text else variables.look_at(text)
            raise ListenError(f'"{text}" {error.message}', hint) from error
        return address.within(self._host.config.directory)


def _each_once(addresses: list[Address]) -> list[Address]:
    """Refuse an address that two variables came to: one socket has one descriptor."""
    for number, address in enumerate(addresses):
        if address in addresses[:number]:
            raise ListenError(f"{address.text} is there twice", "give each a port of its own")
    return addresses
