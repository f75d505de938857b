"""JSON lines: every notice as one object a line, for programs."""

from __future__ import annotations

import json
import time
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING

from hotrun.notices import Output, event_name

if TYPE_CHECKING:
    from hotrun.notices import Notice
    from hotrun.ui.sink import Stream

VERSION = 1
PIECE = 256  # lines that are written at once: more than 128 KiB would be pages new from the kernel


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
            self._output(json.dumps(head | fields).removesuffix("}"), lines)
        else:
            self._write(f"{json.dumps(head | fields)}\n")

    def _output(self, head: str, lines: list[str]) -> None:
        """Write lines of output, each with what all of them have in common.

        What json.dumps does besides encoding a text costs more than that.
        """
        start = f'{head}, "text": '
        between = f"}}\n{start}"
        for number in range(0, len(lines), PIECE):
            texts = map(encode_basestring_ascii, lines[number : number + PIECE])
            self._write(f"{start}{between.join(texts)}}}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
