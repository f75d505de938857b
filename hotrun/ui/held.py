"""What a quiet build prints, held for the case that it fails.

Law: it is bounded. Of a build that prints without end its beginning and its end are kept, where
the first complaint and the last words stand, and between them it is said how much is left out.
"""

from __future__ import annotations

from collections import deque

from hotrun.ui.words import size

HALF = 8 * 1024 * 1024  # characters, of the beginning and of the end; a text is held whole


class Held:
    """Holds the output of one build."""

    def __init__(self) -> None:
        self._first: list[str] = []
        self._last: deque[str] = deque()
        self._sizes = [0, 0]  # of both
        self._left_out = 0

    def add(self, text: str) -> None:
        """Hold more, in whole lines."""
        is_late = self._sizes[0] >= HALF
        (self._last if is_late else self._first).append(text)
        self._sizes[is_late] += len(text)
        while self._sizes[1] > HALF and len(self._last) > 1:
            gone = len(self._last.popleft())
            self._sizes[1] -= gone
            self._left_out += gone

    def take(self) -> str:
        """Return what is held, and hold nothing any more."""
        left_out = f"-- {size(self._left_out)} of the output are left out here\n"
        text = "".join([*self._first, *([left_out] if self._left_out else []), *self._last])
        self.clear()
        return text

    def clear(self) -> None:
        """Hold nothing any more."""
        self._first.clear()
        self._last.clear()
        self._sizes, self._left_out = [0, 0], 0
