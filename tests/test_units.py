from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotrun.units import DurationError, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("700ms", 0.7),
        ("5s", 5.0),
        ("1.5s", 1.5),
        ("2m", 120.0),
        ("1h", 3600.0),
        ("0ms", 0.0),
        ("0.5ms", 0.0005),
        ("850 ms", 0.85),
    ],
)
def test_a_duration_is_read_as_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("5", "needs a unit", 'write "5s" or "5ms"'),
        ("1.5", "needs a unit", 'write "1.5s" or "1.5ms"'),
        ("-5", "needs a unit", 'write "5s" or "5ms"'),
        ("-5s", "is negative", 'write "5s"'),
        ("-1.5 h", "is negative", 'write "1.5h"'),
    ],
)
def test_a_near_miss_is_told_the_right_form(text: str, message: str, hint: str) -> None:
    with pytest.raises(DurationError) as caught:
        parse_duration(text)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s",
        "fast",
        "5S",
        "5sec",
        "1m30s",
        "+5s",
        "1e3s",
        "5s ",
        "5  s",
        ".5s",
        "5.s",
        "\u0665s",
        "5s\n",
    ],
)
def test_anything_else_is_told_what_a_duration_looks_like(text: str) -> None:
    with pytest.raises(DurationError) as caught:
        parse_duration(text)
    assert caught.value.message == "is not a duration"
    assert caught.value.hint == 'write one number and one unit: "500ms", "5s", "2m" or "1h"'


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1.0, "0 ms"),
        (0.0, "0 ms"),
        (0.0004, "0 ms"),
        (0.85, "850 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (1.2, "1.2 s"),
        (59.94, "59.9 s"),
        (59.96, "1 m 00 s"),
        (125.0, "2 m 05 s"),
        (3599.6, "1 h 00 m"),
        (3720.0, "1 h 02 m"),
        (90_000.0, "25 h 00 m"),
    ],
)
def test_a_duration_is_written_for_people(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.text(max_size=12))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with contextlib.suppress(DurationError):
        assert parse_duration(text) >= 0


@given(st.integers(0, 999_999), st.sampled_from(["ms", "s", "m", "h"]))
def test_what_is_read_is_near_to_what_is_written(number: int, unit: str) -> None:
    seconds = parse_duration(f"{number}{unit}")
    factors = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    amounts = format_duration(seconds).split(" ")
    written = sum(
        float(amount) * factors[name]
        for amount, name in zip(amounts[::2], amounts[1::2], strict=True)
    )
    assert written == pytest.approx(seconds, rel=0.05, abs=0.001)
