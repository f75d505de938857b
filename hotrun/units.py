"""Durations: read from the config, written for people.

Inside hotrun a duration is a float of seconds. Outside it is text with a unit, because a bare
number has been read as seconds by one tool and as milliseconds by the next (air's `delay`).
"""

from __future__ import annotations

import re

from hotrun.errors import TextError

_MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
_NUMBER = r"\d+(?:\.\d+)?"
_DURATION = re.compile(rf"(-?)({_NUMBER}) ?(ms|s|m|h)", re.ASCII)
_BARE = re.compile(rf"-?({_NUMBER})", re.ASCII)

_MINUTE = 60
_HOUR = 3_600


class DurationError(TextError):
    """A text that is not a duration."""


def parse_duration(text: str) -> float:
    """Read a duration such as `"500ms"`, `"1.5s"`, `"2m"` or `"1h"`.

    Args:
        text: One number and one unit (ms, s, m, h); one space may stand between them.

    Returns:
        Seconds, never negative.

    Raises:
        DurationError: The text is a bare number, negative, or no duration at all.
    """
    if (match := _DURATION.fullmatch(text)) is None:
        raise _not_a_duration(text)
    sign, number, unit = match.groups()
    if sign:
        raise DurationError("is negative", f'write "{number}{unit}"')
    return float(number) * _MILLISECONDS[unit] / 1_000


def _not_a_duration(text: str) -> DurationError:
    if (match := _BARE.fullmatch(text)) is not None:
        number = match.group(1)
        return DurationError("needs a unit", f'write "{number}s" or "{number}ms"')
    return DurationError(
        "is not a duration", 'write one number and one unit: "500ms", "5s", "2m" or "1h"'
    )


def format_duration(seconds: float) -> str:
    """Write a duration for people: `850 ms`, `1.2 s`, `2 m 05 s`, `1 h 02 m`.

    Args:
        seconds: How long; a negative one (a clock that was set back) reads as nothing.

    Returns:
        The text; rounded, so that 59.96 s is `1 m 00 s` and never `60.0 s`.
    """
    milliseconds = max(0, round(seconds * 1_000))
    if milliseconds < 1_000:  # noqa: PLR2004
        return f"{milliseconds} ms"
    tenths = round(milliseconds / 100)
    if tenths < _MINUTE * 10:
        return f"{tenths / 10:.1f} s"
    whole = round(milliseconds / 1_000)
    if whole < _HOUR:
        return f"{whole // 60} m {whole % 60:02d} s"
    minutes = round(milliseconds / 60_000)
    return f"{minutes // 60} h {minutes % 60:02d} m"
