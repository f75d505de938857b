"""Our dataclasses and named tuples are the standard library's, apart from what they cost."""

from __future__ import annotations

import dataclasses
from dataclasses import FrozenInstanceError, field
from typing import TYPE_CHECKING, Any

import pytest

from hotrun.lean import NamedTuple, dataclass

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Stop:
    """A value."""

    run: int
    reason: str = "asked"


@dataclass(frozen=True, slots=True)
class Kill:
    """One of the same shape."""

    run: int
    reason: str = "asked"


@dataclass(slots=True)
class Pile:
    """One that changes."""

    name: str
    things: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One that sorts."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One whose values are named."""

    first: str
    second: str = ""


@dataclass
class Plain:
    """Without anything said of it."""

    value: int


class Span(NamedTuple):
    """A named tuple."""

    line: int
    column: int = 1

    @property
    def first(self) -> bool:
        """Whether it is the first place."""
        return self == (1, 1)


def test_values_come_by_place_and_by_name_and_by_default() -> None:
    assert (Stop(1).run, Stop(1).reason) == (1, "asked")
    assert Stop(1, "hung") == Stop(reason="hung", run=1)
    assert (Named(first="a").first, Named(first="a").second) == ("a", "")
    assert Plain(3).value == 3


def test_each_has_a_default_of_its_own() -> None:
    Pile("one").things.append(1)
    assert Pile("two").things == []


@pytest.mark.parametrize(
    ("kind", "values", "named", "message"),
    [
        (Stop, (), {}, "Stop needs run"),
        (Stop, (1, "hung", 2), {}, "Stop takes 2 values, not 3"),
        (Stop, (1,), {"run": 2}, "Stop got run twice"),
        (Stop, (1,), {"why": "hung", "when": 2}, "Stop has no why, when"),
        (Named, ("a",), {}, "Named takes 0 values, not 1"),
    ],
)
def test_what_does_not_fit_is_refused(
    kind: Callable[..., object], values: tuple[object, ...], named: dict[str, object], message: str
) -> None:
    with pytest.raises(TypeError) as raised:
        kind(*values, **named)
    assert str(raised.value) == message


def test_the_same_values_are_equal_only_in_the_same_class() -> None:
    others: list[object] = [Stop(2), Kill(1), (1, "asked")]
    assert Stop(1) == Stop(1)
    assert Stop(1) not in others
    assert Pile("one") == Pile("one")


def test_what_never_changes_can_be_a_key() -> None:
    assert {Stop(1): "a"}[Stop(1)] == "a"
    with pytest.raises(TypeError, match="unhashable"):
        hash(Plain(1))


def test_a_frozen_one_stays_as_it_is() -> None:
    stop = Stop(1)
    with pytest.raises(FrozenInstanceError, match=r"Stop\.run stays as it is"):
        stop.run = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del stop.run
    pile = Pile("one")
    pile.name = "two"
    assert pile.name == "two"


def test_one_with_slots_takes_nothing_else() -> None:
    with pytest.raises(AttributeError):
        Pile("one").other = 1  # type: ignore[attr-defined]
    assert not hasattr(Stop(1), "__dict__")


def test_an_order_sorts() -> None:
    places = [Place(2, 1), Place(1, 9), Place(1, 2)]
    assert sorted(places) == [Place(1, 2), Place(1, 9), Place(2, 1)]
    with pytest.raises(TypeError):
        _ = Place(1, 1) < (1, 2)  # type: ignore[operator]


def test_it_shows_itself() -> None:
    assert repr(Stop(1)) == "Stop(run=1, reason='asked')"


def test_it_is_matched_by_place() -> None:
    stop: Any = Stop(4, "hung")
    match stop:
        case Kill():
            pytest.fail("another class")
        case Stop(run, reason):
            assert (run, reason) == (4, "hung")
        case _:
            pytest.fail("no class at all")


def test_the_standard_library_takes_it_as_its_own() -> None:
    assert dataclasses.replace(Stop(1), reason="hung") == Stop(1, "hung")
    assert [each.name for each in dataclasses.fields(Pile)] == ["name", "things"]
    assert dataclasses.asdict(Pile("one", [1])) == {"name": "one", "things": [1]}


def test_two_that_are_compared_by_identity() -> None:
    @dataclass(eq=False, slots=True)
    class Thing:
        """Itself alone."""

        value: int

    one, two = Thing(1), Thing(1)
    assert one != two
    assert len({one, two}) == 2


def test_a_named_tuple_is_one_of_collections() -> None:
    assert Span(2) == (2, 1)
    assert (Span(1).first, Span(2).first) == (True, False)
    assert Span(1, 2)._asdict() == {"line": 1, "column": 2}
    assert Span(1)._replace(line=4) == Span(line=4)
    assert repr(Span(1)) == "Span(line=1, column=1)"
    assert (Span.__doc__, Span.__module__) == ("A named tuple.", __name__)
    assert Span.__annotations__ == {"line": "int", "column": "int"}
