"""Whether the app serves, and what keeps it from that: readiness, and taken ports.

An app that finds its port taken says so in words of its own, mostly to a terminal that we do
not read. So the ports it may want are gathered, from its config, its arguments and from what it
listened on before; when it ends early, whoever holds one of them is named.
"""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING

from hotrun import facts, notices
from hotrun.address import AddressError, parse_address
from hotrun.errors import HotrunError
from hotrun.host import Clock
from hotrun.process import in_use, listeners, ports, tree
from hotrun.process.bind import ListenError
from hotrun.process.environment import ExpandError, expand
from hotrun.process.ready import LogProbe, Probe, Tcp, describe
from hotrun.process.spawn import SpawnError
from hotrun.url import Url, UrlError, parse_url

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

    from hotrun.address import Address
    from hotrun.config import Run
    from hotrun.host import Host
    from hotrun.process.command import Command
    from hotrun.process.ports import Holder
    from hotrun.process.ready import Ready

EARLY = 10_000  # ms; an app that cannot bind ends at its start, however long that takes


class Serving:
    """Watches over one life of the app, from before its start.

    Args:
        host: The session.
        service: Whose app it is.
        run: The number of this life.
        app: The table [run].
        known: Ports on which an app of this service was seen to listen; added to.
    """

    def __init__(self, host: Host, service: str, run: int, app: Run, known: set[int]) -> None:
        self._host = host
        self._service = service
        self._run = run
        self._app = app
        self._known = known
        self._guesses: Callable[[], list[int]] = list  # ports, by its arguments and environment
        self._said: list[int] = []  # ports, by what it printed
        self._in_use = False  # it printed that an address is in use
        self._ready: Ready = None
        self._is_over = False  # it was ready once
        self._stranger: tree.Process | None = None  # holds the port that is asked
        self._probe: Probe | LogProbe | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._clock = Clock.start()

    def prepare(self, command: Command, env: Mapping[str, str]) -> None:
        """Look ahead, just before the app is started.

        Raises:
            HotrunError: a variable of ``run.ready`` is not set, or what comes of it is no address.
        """
        self._guesses = lambda: in_use.guesses(env, command.argv)
        self._ready = self._expanded(env)
        where = _place(self._ready)
        # Where we hold the socket ourselves, that is how it should be.
        if where is not None and where[1] not in self._held() and ports.taken(*where):
            holder = ports.holder(*where)
            self._stranger = holder.process if holder is not None else None
            self._tell_holder(where[1], f"{where[0]}:{where[1]}, which run.ready asks,")

    def begin(self, pid: int) -> None:
        """The app was started: find out when it serves."""
        self._clock = Clock.start()
        loop, ready = self._host.loop, self._ready
        if isinstance(ready, re.Pattern):
            self._probe = LogProbe(ready, lambda: self._is_ready(pid))
        else:
            self._probe = Probe(loop, ready, lambda: self._is_ready(pid), self._blocked)
        if self._app.ready is not None:
            self._timer = loop.call_later(self._app.ready.timeout, self._is_late)

    def hear(self, text: str) -> None:
        """Take what the app prints, in whole lines, if it is read at all."""
        if isinstance(self._probe, LogProbe) and not self._is_over:
            self._probe.hear(text.split("\n")[:-1])
        if not self._in_use and self._clock.ms < EARLY and in_use.may_say_so(text):
            lines = [line for line in text.split("\n") if in_use.says_in_use(line)]
            self._in_use = bool(lines)
            self._said = in_use.ports_in("\n".join(lines))

    def end(self) -> None:
        """Ask no more: it stops, or is gone."""
        if self._probe is not None:
            self._probe.cancel()
            self._probe = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def explain(self, ms: int) -> None:
        """Say who holds a port that the app may have wanted; it failed after so long."""
        if not self._in_use and ms > EARLY:
            return
        asked = _place(self._ready)
        wanted = [*self._said, *([asked[1]] if asked is not None else ())]
        wanted += [*self._guesses(), *sorted(self._known)]
        for port in dict.fromkeys(wanted):
            # What we hold for it, it must not bind itself: that is worth a word only if it tried.
            if (port in self._said or port not in self._held()) and ports.taken("", port):
                self._tell_holder(port, f"port {port}")
                return

    def refusal(self, key: str, error: HotrunError) -> notices.Problem:
        """Word why something could not be started; of a taken address, who has it."""
        if isinstance(error, SpawnError):
            return notices.Problem(f"run.{key}: {error.message}", error.hint)
        if not isinstance(error, ListenError):
            return notices.Problem(error.message, error.hint)
        message, hint, address = error.message, error.hint, error.address
        if error.errno == errno.EADDRINUSE and address is not None:
            holder = _holder(address)
            # Of a path that nobody holds, only a file is left; the error says that best.
            if holder is not None or not address.path:
                message, hint = ports.explain(holder, address.text)
        return notices.Problem(f"run.listen: {message}", hint)

    # --- readiness ---

    def _expanded(self, env: Mapping[str, str]) -> Ready:
        ready = self._app.ready
        if ready is None:
            return None
        if ready.log:
            return re.compile(ready.log)
        text = ready.http or ready.tcp
        try:
            text = expand(text, env)
            if ready.http:
                return parse_url(text)
            address = parse_address(text)
        except ExpandError as error:
            raise HotrunError(f"run.ready: {error.message}", error.hint) from error
        except (UrlError, AddressError) as error:
            raise HotrunError(f'run.ready: "{text}" {error.message}', error.hint) from error
        return Tcp(address.host, address.port)

    def _is_ready(self, pid: int) -> None:
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()
        self._host.tell(notices.AppReady(self._service, self._run, self._clock.ms))
        if not self._known:  # once a session: it is for the day on which its port is taken
            family = [pid, *(stat.pid for stat in tree.below([pid]))]
            self._known |= listeners.listening(family)

    def _is_late(self) -> None:
        last = self._probe.last if self._probe is not None else ""
        self.end()
        seconds = self._app.ready.timeout if self._app.ready is not None else 0.0
        self._host.tell(
            notices.Problem(
                f"the app does not serve after {seconds:g} s: {describe(self._ready)}: {last}",
                "look at what it printed; run.ready says how it is asked, and for how long",
            )
        )
        self._host.post(self._service, facts.AppUnready(self._run))

    def _blocked(self) -> bool:
        return self._stranger is not None and tree.alive(self._stranger)

    # --- ports ---

    def _held(self) -> set[int]:
        """Return the ports that we hold for the app."""
        held = self._host.sockets
        texts = held.addresses if held is not None else ()
        return {parse_address(text).port for text in texts}

    def _tell_holder(self, port: int, what: str) -> None:
        message, hint = ports.explain(ports.holder(None, port), what)
        self._host.tell(notices.Problem(message, hint))


def _holder(address: Address) -> Holder | None:
    if address.path:
        return ports.holder_of_path(address.path)
    return ports.holder(address.host or None, address.port)


def _place(ready: Ready) -> tuple[str, int] | None:
    """Return host and port of what is asked."""
    return (ready.host, ready.port) if isinstance(ready, Url | Tcp) else None
