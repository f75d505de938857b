"""JSON lines: every notice as one object a line, for programs."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from hotrun.notices import event_name

if TYPE_CHECKING:
    from hotrun.notices import Notice
    from hotrun.ui.sink import Stream

VERSION = 1


class JsonLines:
    """A subscriber that writes JSON lines.

    Args:
        stream: Where to; each line is flushed, because somebody waits for it.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def __call__(self, notice: Notice) -> None:
        """Write one notice; bytes that are no UTF-8 stay as escaped surrogates."""
        line = {"v": VERSION, "t": time.time(), "event": event_name(notice)}
        line |= notice._asdict()
        self._stream.write(f"{json.dumps(line)}\n")
        self._stream.flush()
