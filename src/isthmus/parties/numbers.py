"""The identifying numbers of listed parties: a number is the same or it is not, and weighs more
than any name.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from isthmus.parties.line import Number
from isthmus.parties.model import IdentifierKind
from isthmus.reference.check_digits import imo_valid, normalise_imo

_MARKS = re.compile(r"[^0-9A-Z]+")


@dataclass(frozen=True, slots=True)
class NumberHit:
    """A number of a party line that stands in a list, at the place given when it was indexed."""

    list_: str
    place: int
    number: Number


class NumberIndex:
    """The numbers of one list, by kind and value without marks. A wrong IMO number is left out."""

    def __init__(self, numbers: Iterable[tuple[IdentifierKind, str, int]]) -> None:
        self._places: dict[tuple[IdentifierKind, str], tuple[int, ...]] = {}
        for kind, value, place in numbers:
            plain = _plain(kind, value)
            if plain and (kind is not IdentifierKind.IMO or imo_valid(plain)):
                known = self._places.get((kind, plain), ())
                self._places[kind, plain] = known if place in known else (*known, place)

    def places(self, number: Number) -> tuple[int, ...]:
        """Where the number stands, in the order of indexing; nowhere if it is not sound."""
        if not number.sound:
            return ()
        return self._places.get((number.kind, _plain(number.kind, number.value)), ())


def screen_numbers(
    numbers: Sequence[Number], lists: Mapping[str, NumberIndex]
) -> tuple[NumberHit, ...]:
    """The hits of the numbers of a party line on every list."""
    return tuple(
        NumberHit(list_, place, number)
        for list_, index in sorted(lists.items())
        for number in numbers
        for place in index.places(number)
    )


def _plain(kind: IdentifierKind, value: str) -> str:
    value = normalise_imo(value) if kind is IdentifierKind.IMO else value
    return _MARKS.sub("", value.upper())
