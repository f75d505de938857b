"""Ports that the app cannot have: who holds one is named, and nobody is ended.

An app that finds its port taken says so in words of its own, mostly to a terminal that we do
not read. So the ports it may want are gathered, from what it printed, its config, its arguments
and from what it listened on before; when it fails early, whoever holds one of them is named.
"""

from __future__ import annotations

import errno
import os
from collections import deque
from typing import TYPE_CHECKING

from hotrun import notices
from hotrun.address import parse_address
from hotrun.process import in_use, listeners, ports, tree
from hotrun.process.bind import ListenError
from hotrun.process.spawn import NoDirectoryError, SpawnError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotrun.address import Address
    from hotrun.alarms import Alarm
    from hotrun.errors import HotrunError
    from hotrun.host import Host
    from hotrun.process.command import Command
    from hotrun.process.ports import Holder

EARLY = 10_000  # ms; an app that cannot bind ends at its start, however long that takes
# What an app prints is looked at for "address in use" at its start, and again when it has failed;
# all of it would take three times as long to read.
LOOKED_AT = 256 * 1024  # characters
LAST = 4  # reads of a pipe, 64 KiB at most
# Seconds for an app that says so to end; one that goes on without its port is not waited for.
SOON = 0.5
NAME_IT = "create it, or set run.working_directory"
USE_IT = "let the app take the socket (LISTEN_FDS, or {fd} in the command), or drop run.listen"


class Taken:
    """Watches one life of the app for a port that it cannot have.

    Args:
        host: The session.
        known: Ports on which an app of this service was seen to listen; added to.
    """

    def __init__(self, host: Host, known: set[int]) -> None:
        self._host = host
        self._known = known
        self._command: tuple[Mapping[str, str], tuple[str, ...]] = ({}, ())
        self._heard = 0
        self._last: deque[str] = deque(maxlen=LAST)
        self._said: list[int] = []  # ports, by what it printed
        self._in_use = False  # it printed that an address is in use
        self._named = False  # who holds one was said since
        self._soon: Alarm | None = None
        self._asked: tuple[str, int] | None = None  # host and port that `run.ready` asks

    def prepare(
        self, command: Command, env: Mapping[str, str], asked: tuple[str, int] | None
    ) -> tree.Process | None:
        """Look ahead, just before the app is started.

        Args:
            command: The app's.
            env: The app's.
            asked: Host and port that ``run.ready`` asks.

        Returns:
            Who holds that port, if it is a stranger.
        """
        self._command, self._asked = (env, command.argv), asked
        # Where we hold the socket ourselves, that is how it should be.
        if asked is None or asked[1] in self._held() or not ports.taken(*asked):
            return None
        holder = ports.holder(*asked)
        self._tell(holder, f"{asked[0]}:{asked[1]}, which run.ready asks,")
        return holder.process if holder is not None else None

    def learn(self, pid: int) -> None:
        """Remember on which ports an app listens: it is for the day on which one is taken."""
        if not self._known:  # once a session
            self._known |= listeners.listening([pid, *(stat.pid for stat in tree.below([pid]))])

    def hear(self, text: str) -> None:
        """Take what the app prints, in whole lines, if it is read at all."""
        self._heard += len(text)
        self._last.append(text)
        if self._heard < LOOKED_AT and self._look_at(text):
            self._soon = self._host.alarms.later(SOON, self._name_holder)

    def end(self) -> None:
        """The app is gone, or stops."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None

    def explain(self, ms: int) -> None:
        """The app failed, after so long: say who holds a port that it may have wanted."""
        self._look_at("".join(self._last))
        if not self._named and (self._in_use or ms < EARLY):
            self._name_holder()

    def refusal(self, key: str, error: HotrunError) -> notices.Problem:
        """Word why something could not be started; of a taken address, who has it."""
        if isinstance(error, SpawnError):
            named = isinstance(error, NoDirectoryError) and self._names_directory()
            return notices.Problem(f"run.{key}: {error.message}", NAME_IT if named else error.hint)
        if not isinstance(error, ListenError):
            return notices.Problem(error.message, error.hint)
        message, hint, address = error.message, error.hint, error.address
        if error.errno == errno.EADDRINUSE and address is not None:
            holder = _holder(address)
            # Of a path that nobody holds, only a file is left; the error says that best.
            if holder is not None or not address.path:
                message, hint = ports.explain(holder, address.text, self._again())
        return notices.Problem(f"run.listen: {message}", hint)

    def _names_directory(self) -> bool:
        """Whether the config names where the app runs, and it is not where the project is."""
        config = self._host.config
        named = config.run.working_directory if config.run is not None else ""
        return config.resolve(named) != config.directory

    def _look_at(self, text: str) -> bool:
        """Whether the app says for the first time that an address is in use."""
        if self._in_use or not in_use.may_say_so(text):
            return False
        self._in_use = any(map(in_use.says_in_use, text.split("\n")))
        self._said = in_use.ports_in(text) if self._in_use else []
        return self._in_use

    def _name_holder(self) -> None:
        self.end()
        if self._in_use:  # the port may stand in another line than the words
            self._said += in_use.ports_in("".join(self._last))
        held = self._held()
        for port in self._wanted():
            # What we hold for it, it must not bind itself: that is worth a word only if it tried.
            tried = port in self._said or port not in held
            if tried and ports.taken("", port):
                holder = ports.holder(None, port)
                if holder is None or holder.owner != os.getpid():  # not the app itself
                    self._tell(holder, f"port {port}")
                    self._named = True
                    return
        if not self._known:  # no app of ours has ever served
            self._say_what_we_hold(held)

    def _say_what_we_hold(self, held: set[int]) -> None:
        """Say that the app cannot bind what we hold for it, if it seems to have tried.

        Only its words tell, without a port of their own; where they are not read, its command.
        """
        if self._heard:
            tried = held if self._in_use and not self._said else set()
            what = "hotrun holds port {} for the app (run.listen), which cannot bind it as well"
        else:
            tried = held.intersection(in_use.guesses({}, self._command[1]))
            what = "hotrun holds port {}, which the command names: the app cannot bind it as well"
        if tried:
            named = ", ".join(map(str, sorted(tried)))
            self._host.tell(notices.Problem(what.format(named), USE_IT, severity="warning"))

    def _wanted(self) -> dict[int, None]:
        asked = [self._asked[1]] if self._asked is not None else []
        guessed = in_use.guesses(*self._command)
        return dict.fromkeys([*self._said, *asked, *guessed, *sorted(self._known)])

    def _held(self) -> set[int]:
        """Return the ports that we hold for the app."""
        held = self._host.sockets
        addresses = map(parse_address, held.addresses if held is not None else ())
        return {address.port for address in addresses if not address.path}

    def _again(self) -> str:
        """Return what starts the app again: a key is only read from a terminal."""
        keys = self._host.terminal is not None and not self._host.captures
        return "press s or save a file" if keys else "try again"

    def _tell(self, holder: Holder | None, what: str) -> None:
        message, hint = ports.explain(holder, what, self._again())
        self._host.tell(notices.Problem(message, hint))


def _holder(address: Address) -> Holder | None:
    if address.path:
        return ports.holder_of_path(address.path)
    return ports.holder(address.host or None, address.port)
