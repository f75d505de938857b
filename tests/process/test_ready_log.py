"""A line that says that the app is ready: beside a plain search of each line by itself."""

from __future__ import annotations

import itertools
import os
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotrun.process.diagnostics import plain
from hotrun.process.output import Lines
from hotrun.process.ready_log import COUNTED, FEW, LONGEST, LogProbe, needed

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = int(os.environ.get("HOTRUN_TEST_EXAMPLES", "400"))


def log_probe(pattern: str) -> tuple[LogProbe, list[str]]:
    told: list[str] = []
    return LogProbe(re.compile(pattern), lambda: told.append("ready")), told


def is_ready(pattern: str, text: str) -> bool:
    probe, told = log_probe(pattern)
    probe.hear(text)
    return bool(told)


def test_a_line_that_matches_somewhere_is_ready_once() -> None:
    probe, told = log_probe(r"listening on :\d+")
    probe.hear("starting\nhot reload on\n")
    assert not told
    probe.hear("now listening on :8080 (http)\nlistening on :8081\n")
    probe.hear("listening on :8082\n")
    assert told == ["ready"]


def test_colours_are_not_in_the_way_of_a_match() -> None:
    assert is_ready("^server listening$", "\x1b[32mserver\x1b[0m \x1b[1mlisten\x1b[0ming\n")


def test_a_link_is_taken_out_and_its_end_is_not_looked_for_in_another_line() -> None:
    link = "\x1b]8;;http://[::1]\x07here\x1b]8;;\x07"
    assert is_ready("^open here now$", f"a\nopen {link} now\n")
    assert is_ready("^ready$", "\x1b]0;a title without its end\nready\nbell \x07\n")


def test_a_pattern_never_matches_across_lines() -> None:
    assert not is_ready(r"a\s*b", "a\nb\n")
    assert not is_ready(r"(?s)a.b", "a\nb\n")
    assert not is_ready(r"a\nb", "a\nb\n")
    assert not is_ready(r"\n", "a\n\nb\n")


def test_a_line_is_searched_up_to_a_length() -> None:
    assert is_ready("end", "x" * (LONGEST - 3) + "end\n")
    assert not is_ready("end", "x" * (LONGEST - 2) + "end\n")
    assert is_ready("^end$", "x" * (LONGEST + 1) + "\nend\n")


def test_a_text_that_stands_in_every_line_does_not_hide_the_line_that_matches() -> None:
    lines = [f"GET /{number} 404" for number in range(5 * FEW)]
    assert not is_ready("GET .* 200", "\n".join([*lines, ""]))
    assert is_ready("GET .* 200", "\n".join([*lines, "GET / 200", ""]))


def test_a_line_is_found_right_behind_one_that_is_nearly_it() -> None:
    assert is_ready("^ready$", "ready?\nready\n")


def test_letters_that_are_alike_without_case_match_beyond_ascii_too() -> None:
    assert is_ready("(?i)^up in 5 secs$", "UP IN 5 \N{LATIN SMALL LETTER LONG S}ECS\n")
    dotted = "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"  # of which lower() makes two
    assert is_ready("(?i)^ready$", f"{dotted * 9}\nREADY\n")


def test_nothing_is_told_of_the_log_after_cancel() -> None:
    probe, told = log_probe("x")
    probe.cancel()
    probe.hear("x\n")
    assert not told


def test_what_was_printed_so_far_is_counted() -> None:
    probe, _ = log_probe("x")
    assert probe.last == "nothing was printed yet"
    probe.hear("a\n")
    assert probe.last == "no match in the one line printed so far"
    probe.hear("b\nc\n")
    assert probe.last == "no match in the 3 lines printed so far"
    probe.hear("d\n" * (COUNTED - 3))
    assert probe.last == f"no match in the {COUNTED} lines printed so far"
    probe.hear("e\n")
    assert probe.last == f"no match in more than {COUNTED} lines printed so far"


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        (r"listening on .*:\d+", ("listening on ",)),
        ("(started|starting) up", ("start",)),
        ("(ready|listening)", ("ready", "listening")),
        ("(?i)Ready in \N{LATIN SMALL LETTER E WITH ACUTE}", ("ready in ",)),
        ("^ready$", ("ready",)),
        ("(?:ready)+!?", ("ready",)),
        ("(?x) re  ady # it is", ("ready",)),
        ("(?>ready)", ("ready",)),
        ("(?i:ready) on", (" on",)),
        ("ready|", ()),
        ("(ready)?", ()),
        ("(?=ready)", ()),
        ("(?<!ready)", ()),
        ("(r)?(?(1)eady|no)", ()),
        (r"^\d+$", ()),
        ("aa|bb|cc|dd|ee|ff", ()),
        ("", ()),
    ],
)
def test_of_a_pattern_it_is_known_which_texts_every_match_holds(
    pattern: str, texts: tuple[str, ...]
) -> None:
    assert needed(re.compile(pattern)) == texts


# --- beside a plain search -----------------------------------------------------------------

ATOMS = [
    *(
        "a",
        "b",
        "ab",
        "B",
        " ",
        ":",
        r"\[",
        "k",
        "s",
        "\N{KELVIN SIGN}",
        "\N{LATIN SMALL LETTER E}",
    ),
    *("\N{LATIN SMALL LETTER LONG S}", "\N{LATIN CAPITAL LETTER E WITH ACUTE}", r"\r", r"\n"),
    *(".", r"\s", r"\S", r"\d", r"\D", r"\W", r"\b", r"\B", "^", "$", r"\A", r"\Z"),
    *("[ab]", "[^a]", r"[\s\S]", r"[^\w]", "[a-]", r"\x1b"),
]
ROUND = [
    "({})",
    "(?:{})",
    "(?=a{})",
    "(?!a{})",
    "(?<=a)(?:{})",
    "(?<!b)(?:{})",
    "(?>{})",
    "(?i:{})",
]
ROUND += ["(?:{})?", "(?:{}){{2}}", "(?:{}){{1,2}}?", "(?:{}){{0}}", "(?:{})++", "(a)?(?(1){}|b)"]
PATTERNS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map("|".join).map("(?:{})".format),
        st.tuples(st.sampled_from(ROUND), inner).map(lambda pair: pair[0].format(pair[1])),
    ),
    max_leaves=6,
)
FLAGS = st.sampled_from(["", "", "(?i)", "(?s)", "(?m)", "(?a)", "(?x)", "(?ims)"])
PIECES = st.sampled_from(
    [
        *("a", "b", "ab", "A", "B", "AB", " ", ":", "[", "1", "k", "K", "\r", "\n", "\n", "\n\n"),
        *("\N{KELVIN SIGN}", "\N{LATIN SMALL LETTER LONG S}", "\N{ROCKET}", "s", "S", "\0", "\x85"),
        *("\N{LATIN SMALL LETTER E WITH ACUTE}", "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"),
        *("\x1b", "\x1b[", "\x1b[0m", "\x1b[3", "1m", "\x1b]0;", "\x07", "\x1b\\", "\x1b(B"),
        *("\x0b", "\x0c", "\u2028", "\udcff", "." * (LONGEST - 3), "a\n" * FEW, "ab\n" * (FEW + 2)),
    ]
)
TEXTS = st.lists(PIECES, max_size=30).map("".join)


def plainly(pattern: re.Pattern[str], text: str) -> bool:
    """What the probe has to find: of each line its first characters, without their escapes."""
    return any(pattern.search(plain(line[:LONGEST])) for line in text.split("\n")[:-1])


def chunks(data: bytes, cuts: list[int]) -> Iterator[str]:
    """Read output as a pipe gives it."""
    lines = Lines()
    at = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for begin, end in itertools.pairwise(at):
        yield lines.feed(data[begin:end])
    yield lines.rest()


@settings(max_examples=EXAMPLES, deadline=None)
@given(FLAGS, PATTERNS, TEXTS, st.lists(st.integers(0, 1 << 20), max_size=4))
def test_a_line_is_found_exactly_when_a_search_of_each_line_finds_it(
    flags: str, body: str, text: str, cuts: list[int]
) -> None:
    try:
        pattern = re.compile(flags + body)
    except re.error:  # such as a look-behind of no fixed width
        return
    told: list[str] = []
    probe = LogProbe(pattern, lambda: told.append("ready"))
    expected = False
    for chunk in chunks(text.encode("utf-8", "surrogateescape"), cuts):
        if chunk:
            probe.hear(chunk)
            expected = expected or plainly(pattern, chunk)
            assert told == ["ready"] * expected
