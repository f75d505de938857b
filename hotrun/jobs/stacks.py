"""What a hung app printed when it was asked for its stacks, kept in ``.hotrun/``."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from hotrun import notices

if TYPE_CHECKING:
    from hotrun.host import Host

MOST = 64_000_000  # characters; a thousand goroutines print about a million
CUT = "(hotrun cut the rest)\n"


class Stacks:
    """Writes down what an app prints from the moment it is asked until its end."""

    def __init__(self, host: Host, service: str, run: int) -> None:
        self._host = host
        self._service = service
        self._run = run
        self._texts: list[str] | None = None
        self._room = MOST

    def begin(self) -> None:
        """The app is being asked now."""
        self._texts = []

    def hear(self, text: str) -> None:
        """Take what it prints, if it was asked."""
        if self._texts is None or self._room <= 0:
            return
        self._room -= len(text)
        self._texts.append(text if self._room > 0 else CUT)

    def end(self) -> None:
        """Keep what it told, and say where."""
        texts, self._texts = self._texts, None
        if texts is None:
            return
        if not texts:
            what, hint = "the app did not tell its stacks", "Go and the JVM do, on SIGQUIT"
            self._host.tell(notices.Problem(what, hint, severity="warning"))
            return
        name = f"stacks-{time.strftime('%Y%m%d-%H%M%S')}-{self._run}.txt"
        file = os.path.join(self._host.config.directory, ".hotrun", name)
        try:
            os.makedirs(os.path.dirname(file), exist_ok=True)
            with open(file, "x", encoding="utf-8", errors="surrogateescape") as kept:
                kept.write("".join(texts))
        except OSError as error:
            what = f"the stacks of the app cannot be kept: {error.strerror}"
            self._host.tell(notices.Problem(what, f"look at {file}", severity="warning"))
        else:
            self._host.tell(notices.AppDumped(self._service, self._run, file))
