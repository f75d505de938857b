"""JSON lines: every notice as one object a line, for programs."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from hotrun.notices import Output, event_name

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
        head = {"v": VERSION, "t": time.time(), "event": event_name(notice)}
        fields = notice._asdict()
        if isinstance(notice, Output):
            lines = fields.pop("text").split("\n")[:-1]
            start = json.dumps(head | fields).removesuffix("}")  # once, and not for each line
            text = "".join(f'{start}, "text": {json.dumps(line)}}}\n' for line in lines)
        else:
            text = f"{json.dumps(head | fields)}\n"
        self._stream.write(text)
        self._stream.flush()
