"""``dataclass`` and ``NamedTuple`` as in the standard library, but cheap to define.

There a frozen class with slots takes 0.36 ms, for up to eight functions are written and compiled
for it, and a named tuple 0.15 ms, for each of its annotations is: with 60 and 70 of them that was
a quarter of the way of `hotrun run` to its first build. Here all dataclasses share their
functions, which look the fields up when they are called. Law: what is made by the thousand (a
directory, a touched path) is no dataclass of these: to make one takes 3 us instead of 0.5.
"""

from __future__ import annotations

import dataclasses
from collections import namedtuple
from dataclasses import MISSING, FrozenInstanceError
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - what type checkers know
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414
else:

    class _Named(type):
        """Makes a ``collections.namedtuple`` of a class, with all else that is in the class."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, body)
            fields = body["__annotations__"]
            defaults = [body[field] for field in fields if field in body]
            made = namedtuple(name, fields, defaults=defaults)  # noqa: PYI024 - it is that one
            for key in body.keys() - fields.keys():
                setattr(made, key, body[key])
            return made

    class NamedTuple(metaclass=_Named):
        """What such a class names as its base."""

    def dataclass(
        cls: type | None = None,
        /,
        *,
        frozen: bool = False,
        slots: bool = False,
        eq: bool = True,
        order: bool = False,
        kw_only: bool = False,
    ) -> type | Callable[[type], type]:
        """Make a dataclass, which ``dataclasses.fields`` and ``replace`` take as one of theirs.

        There is no ``__post_init__`` and no ``InitVar``, every field counts for everything, and
        of an order there is ``<`` alone, which is what sorts.
        """

        def make(plain: type) -> type:
            for name, shared in _shared(frozen=frozen, eq=eq, order=order).items():
                setattr(plain, name, shared)
            define = dataclasses.dataclass(
                init=False, repr=False, eq=False, slots=slots, kw_only=kw_only
            )
            return define(plain)

        return make if cls is None else make(cls)


def _shared(*, frozen: bool, eq: bool, order: bool) -> dict[str, object]:
    """Return the functions of a class by their names."""
    functions: dict[str, object] = {"__init__": _init, "__repr__": _repr}
    if eq:
        functions |= {"__eq__": _eq, "__hash__": _hash if frozen else None}
    if frozen:
        functions |= {"__setattr__": _refuse, "__delattr__": _refuse}
    if order:
        functions["__lt__"] = _lt
    return functions


def _init(self: Any, /, *values: object, **named: object) -> None:  # noqa: ANN401
    fields = self.__dataclass_fields__
    places = self.__match_args__
    if len(values) > len(places):
        raise TypeError(f"{_name(self)} takes {len(places)} values, not {len(values)}")
    for name, value in zip(places, values):  # noqa: B905 - fewer values than places: the defaults
        if name in named:
            raise TypeError(f"{_name(self)} got {name} twice")
        named[name] = value
    for name, field in fields.items():
        object.__setattr__(self, name, named.pop(name) if name in named else _default(self, field))
    if named:
        raise TypeError(f"{_name(self)} has no {', '.join(named)}")


def _default(self: object, field: dataclasses.Field[Any]) -> object:
    if field.default is not MISSING:
        return field.default
    if field.default_factory is not MISSING:
        return field.default_factory()
    raise TypeError(f"{_name(self)} needs {field.name}")


def _name(self: object) -> str:
    return type(self).__qualname__


def _values(self: Any) -> tuple[object, ...]:  # noqa: ANN401
    return tuple([getattr(self, name) for name in self.__dataclass_fields__])


def _repr(self: Any) -> str:  # noqa: ANN401
    values = [f"{name}={getattr(self, name)!r}" for name in self.__dataclass_fields__]
    return f"{_name(self)}({', '.join(values)})"


def _eq(self: object, other: object) -> object:
    if type(self) is not type(other):
        return NotImplemented
    return _values(self) == _values(other)


def _lt(self: object, other: object) -> object:
    if type(self) is not type(other):
        return NotImplemented
    return _values(self) < _values(other)


def _hash(self: object) -> int:
    return hash(_values(self))


def _refuse(self: object, name: str, *_: object) -> None:
    raise FrozenInstanceError(f"{_name(self)}.{name} stays as it is")
