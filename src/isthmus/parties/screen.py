"""Screening texts against lists: the hits, best first, each with the reading that hit.

Many texts are screened at once, and one text as a batch of one: there is no second way.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.parties.columns import Columns
from isthmus.parties.features import measure
from isthmus.parties.index import NameIndex
from isthmus.parties.line import Capacity, read_line
from isthmus.parties.match import FIND, FIND_THRESHOLD, score
from isthmus.parties.name import ComparableName, read_name

AT_ONCE = 256
"""Names whose candidates are scored in one go; more gain nothing and cost memory."""


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

    Each list is searched by itself, so a further list adds hits and changes none; and so does a
    further name of a list.
    """
    return screen_all([text], lists, threshold)[0]


def screen_all(
    texts: Sequence[str], lists: Mapping[str, NameIndex], threshold: float = FIND_THRESHOLD
) -> list[tuple[Hit, ...]]:
    """The hits of each of many party lines, as ``screen`` gives them."""
    said = [
        (at, reading, part.capacity)
        for at, text in enumerate(texts)
        for part in read_line(text).names
        for reading in part.readings
    ]
    names = [read_name(reading) for _, reading, _ in said]
    best: list[dict[tuple[str, int], Hit]] = [{} for _ in texts]
    for list_, index in lists.items():
        for which, place, found in matches(names, index, threshold):
            at, reading, capacity = said[which]
            known = best[at].get((list_, place))
            if known is None or found > known.score:
                best[at][list_, place] = Hit(
                    list_, place, index.texts[place], reading, capacity, found
                )
    return [
        tuple(sorted(hits.values(), key=lambda hit: (-hit.score, hit.list_, hit.place)))
        for hits in best
    ]


def matches(
    names: Sequence[ComparableName], index: NameIndex, threshold: float
) -> Iterator[tuple[int, int, float]]:
    """Which of some names match which of an index, in order: (place here, place there, score)."""
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        near = [index.near(name) for name in some]
        ours = np.repeat(np.arange(len(some)), [len(places) for places in near])
        if not len(ours):
            continue
        theirs = np.concatenate(near)
        found = score(measure(Columns(some), index.columns, ours, theirs), FIND)
        high = np.flatnonzero(found >= threshold)
        yield from zip(
            (ours[high] + start).tolist(), theirs[high].tolist(), found[high].tolist(), strict=True
        )
