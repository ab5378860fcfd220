"""Screening one text against lists: the hits, best first, each with the reading that hit."""

from collections.abc import Mapping
from dataclasses import dataclass

from isthmus.parties.index import NameIndex
from isthmus.parties.line import Capacity, read_line
from isthmus.parties.match import FIND, FIND_THRESHOLD, scores
from isthmus.parties.name import read_name


@dataclass(frozen=True, slots=True)
class Hit:
    """A listed name that a text may mean.

    ``place`` is the name's place in the index of ``list_``; ``reading`` the part of the text that
    was taken for a name, standing in ``capacity``.
    """

    list_: str
    place: int
    name: str
    reading: str
    capacity: Capacity
    score: float
    algorithm: str = FIND


def screen(
    text: str, lists: Mapping[str, NameIndex], threshold: float = FIND_THRESHOLD
) -> tuple[Hit, ...]:
    """The hits of a party line on every list, best first; one hit for each listed name.

    Each list is searched by itself, so a further list adds hits and changes none.
    """
    best: dict[tuple[str, int], Hit] = {}
    for part in read_line(text).names:
        for reading in part.readings:
            name = read_name(reading)
            for list_, index in lists.items():
                near = index.near(name)
                found = scores(name, index.candidates(near)).tolist()
                for place, score in zip(near.tolist(), found, strict=True):
                    known = best.get((list_, place))
                    if score >= threshold and (known is None or score > known.score):
                        best[list_, place] = Hit(
                            list_, place, index.texts[place], reading, part.capacity, score
                        )
    return tuple(sorted(best.values(), key=lambda hit: (-hit.score, hit.list_, hit.place)))
