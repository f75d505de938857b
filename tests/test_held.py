"""What a quiet build prints is held within bounds, and nothing of it is lost in silence."""

from __future__ import annotations

import io

from hotrun import notices
from hotrun.ui.console import Console, Manner
from hotrun.ui.held import HALF, Held

MEGA = 1_000_000


def test_what_fits_is_held_in_its_order_and_once() -> None:
    held = Held()
    for number in range(3):
        held.add(f"{number}\n")
    assert held.take() == "0\n1\n2\n"
    assert held.take() == ""


def test_of_output_without_end_the_beginning_and_the_end_are_held() -> None:
    held = Held()
    texts = [f"{number:03}{'x' * (MEGA - 4)}\n" for number in range(100)]
    for text in texts:
        held.add(text)
    lines = held.take().splitlines()
    firsts = [line[:3] for line in lines]
    assert firsts == [*(f"{n:03}" for n in range(9)), "-- ", *(f"{n:03}" for n in range(92, 100))]
    assert lines[9] == "-- 83 MB of the output are left out here"
    held.add("more\n")
    assert held.take() == "more\n"


def test_a_line_that_is_longer_than_the_bound_is_held_whole() -> None:
    held = Held()
    for char in "abc":
        held.add(f"{char * 2 * HALF}\n")
    first, said, last = held.take().splitlines()
    assert (first[:1], said, last[:1]) == ("a", "-- 17 MB of the output are left out here", "c")
    assert len(first) == len(last) == 2 * HALF


def test_a_good_build_s_output_is_let_go_at_its_end() -> None:
    stream = io.StringIO()
    console = Console(stream, Manner(quiet=True))
    for ok in (True, False):
        console(notices.Output("app", "build", 1, "stdout", f"{ok}\n"))
        console(notices.BuildFinished("app", 1, ok, 2, 80, [], None))
    assert stream.getvalue() == "False\n-- #1 BUILD FAILED (exit 2) after 80 ms\n"
