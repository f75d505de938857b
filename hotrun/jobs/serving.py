"""Whether the app serves: it is asked, or listened to, until it does or its time has passed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hotrun import facts, notices, variables
from hotrun.address import AddressError, parse_address
from hotrun.errors import HotrunError
from hotrun.host import Clock
from hotrun.process import tree
from hotrun.process.ready import Probe, Tcp, describe
from hotrun.process.ready_log import LogProbe
from hotrun.url import Url, UrlError, parse_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotrun.alarms import Alarm
    from hotrun.config import Run
    from hotrun.host import Host
    from hotrun.jobs.taken import Taken
    from hotrun.process.command import Command
    from hotrun.process.ready import Ready

# Seconds after which it is said what is waited for; most apps serve before.
PATIENT = 3.0


class Serving:
    """Watches over one life of the app, from before its start.

    Args:
        host: The session.
        service: Whose app it is.
        run: The number of this life.
        app: The table [run].
        taken: Knows of ports that the app cannot have.
    """

    def __init__(self, host: Host, service: str, run: int, app: Run, taken: Taken) -> None:
        self._host = host
        self._service = service
        self._run = run
        self._app = app
        self._taken = taken
        self._ready: Ready = None
        self._stranger: tree.Process | None = None  # holds the port that is asked
        self._probe: Probe | LogProbe | None = None
        self._timer: Alarm | None = None
        self._notice: Alarm | None = None
        self._clock = Clock.start()

    def prepare(self, command: Command, env: Mapping[str, str]) -> None:
        """Look ahead, just before the app is started.

        Raises:
            HotrunError: a variable of ``run.ready`` is not set, or what comes of it is no address.
        """
        self._ready = self._expanded(env)
        asked = self._ready
        where = (asked.host, asked.port) if isinstance(asked, Url | Tcp) else None
        self._stranger = self._taken.prepare(command, env, where)

    def begin(self, pid: int) -> None:
        """The app was started: find out when it serves."""
        self._clock = Clock.start()
        ready = self._ready
        if isinstance(ready, re.Pattern):
            self._probe = LogProbe(ready, lambda: self._is_ready(pid))
        else:
            self._probe = Probe(
                self._host.loop, ready, lambda: self._is_ready(pid), self._is_blocked
            )
        if self._app.ready is not None:
            self._timer = self._host.alarms.later(self._app.ready.timeout, self._is_late)
            if self._app.ready.timeout > PATIENT:
                self._notice = self._host.alarms.later(PATIENT, self._still_waits)

    def hear(self, text: str) -> None:
        """Take what the app prints, in whole lines, if it is read at all."""
        self._taken.hear(text)
        if isinstance(self._probe, LogProbe):
            self._probe.hear(text)

    def end(self) -> None:
        """Ask no more: it stops, or is gone."""
        self._taken.end()
        self._end()

    def _end(self) -> None:
        if self._probe is not None:
            self._probe.cancel()
            self._probe = None
        self._end_alarms()

    def _end_alarms(self) -> None:
        for alarm in (self._timer, self._notice):
            if alarm is not None:
                alarm.cancel()
        self._timer = self._notice = None

    def _expanded(self, env: Mapping[str, str]) -> Ready:
        ready = self._app.ready
        if ready is None:
            return None
        if ready.log:
            return re.compile(ready.log)
        written = ready.http or ready.tcp
        try:
            text = variables.expand(written, env)
        except variables.ExpandError as error:
            raise HotrunError(f"run.ready: {error.message}", error.hint) from error
        try:
            if ready.http:
                return parse_url(text)
            address = parse_address(text)
        except (UrlError, AddressError) as error:
            # As written: the variables may hold what nobody should read.
            hint = error.hint if written == text else variables.look_at(written)
            raise HotrunError(f'run.ready: "{written}" {error.message}', hint) from error
        return Tcp(address.host, address.port)

    def _is_ready(self, pid: int) -> None:
        self._end_alarms()
        if isinstance(self._probe, LogProbe):
            self._probe = None  # nobody has to read line by line any more
        self._host.tell(notices.AppReady(self._service, self._run, self._clock.ms))
        self._taken.learn(pid)

    def _still_waits(self) -> None:
        """Say once what it answers: half a minute of silence looks like a hang."""
        if not isinstance(self._probe, Probe) or self._app.ready is None:
            return
        left = self._app.ready.timeout - PATIENT
        message = f"waiting for {self._described()}: {self._probe.last}, {left:g} s left"
        self._host.tell(notices.Problem(message, severity="warning"))

    def _is_late(self) -> None:
        last = self._probe.last if self._probe is not None else ""
        self._end()
        seconds = self._app.ready.timeout if self._app.ready is not None else 0.0
        self._host.tell(
            notices.Problem(
                f"the app does not serve after {seconds:g} s: {self._described()}: {last}",
                "look at what it printed; run.ready says how it is asked, and for how long",
            )
        )
        self._host.post(self._service, facts.AppUnready(self._run))

    def _described(self) -> str:
        """Say what is asked, with the variables of its address in place.

        Those of a query stay as written: a token stands there, and never in a host or a port.
        """
        written = self._app.ready.http if self._app.ready is not None else ""
        query = written.partition("?")[2]
        shown = describe(self._ready)
        return f"{shown.partition('?')[0]}?{query}" if "${" in query else shown

    def _is_blocked(self) -> bool:
        return self._stranger is not None and tree.alive(self._stranger)
