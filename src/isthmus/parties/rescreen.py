"""Known parties, arranged so that a change of a list is checked against all of them at once.

When a list changes, the listed names that are new or changed are looked up among the parties,
instead of every party among the listed names. What matches is a matter of the two names alone
(see ``index`` and ``features``), so this finds, with the same scores, what screening every party
against those names would find.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from isthmus.parties.index import NameIndex
from isthmus.parties.line import Capacity, read_line
from isthmus.parties.match import FIND, FIND_THRESHOLD
from isthmus.parties.name import read_name
from isthmus.parties.screen import matches

SEGMENT = 65_536
"""Readings from which a segment is full: it is joined with no other any more."""


@dataclass(frozen=True, slots=True)
class PartyHit:
    """A known party that may be meant by a listed name.

    ``place`` is the place of the listed name among those asked for; ``reading`` the part of the
    party's line that was taken for a name, standing in ``capacity``.
    """

    party: str
    place: int
    name: str
    reading: str
    capacity: Capacity
    score: float
    algorithm: str = FIND


@dataclass(frozen=True, slots=True)
class _Segment:
    """Readings in the order they came, whose each is and in what capacity it stands."""

    index: NameIndex
    parties: list[str]
    capacities: list[Capacity]


class PartyIndex:
    """The names that the lines of known parties may hold, in segments so that it can grow."""

    def __init__(self) -> None:
        self._segments: list[_Segment] = []

    def __len__(self) -> int:
        return sum(len(segment.index) for segment in self._segments)

    def add(self, lines: Iterable[tuple[str, str]]) -> None:
        """Add parties, each by its id and its line as papers carry it.

        A party may come in several lines, one after another. A party costs about 590
        bytes in all (``bench/rescreen.py``), and is arranged anew a few times at most while the
        index grows.
        """
        readings: list[str] = []
        parties: list[str] = []
        capacities: list[Capacity] = []
        for party, text in lines:
            for part in read_line(text).names:
                readings += part.readings
                parties += [party] * len(part.readings)
                capacities += [part.capacity] * len(part.readings)
            if len(readings) >= SEGMENT:
                self._segments.append(_Segment(NameIndex(readings), parties, capacities))
                readings, parties, capacities = [], [], []
        # Small segments are joined with the like of them, so that there are never many.
        while self._segments and len(self._segments[-1].index) < min(2 * len(readings), SEGMENT):
            last = self._segments.pop()
            readings = [*last.index.texts, *readings]
            parties = [*last.parties, *parties]
            capacities = [*last.capacities, *capacities]
        if readings:
            self._segments.append(_Segment(NameIndex(readings), parties, capacities))

    def search(
        self, names: Sequence[str], threshold: float = FIND_THRESHOLD
    ) -> tuple[PartyHit, ...]:
        """Every party that one of these listed names may mean, by the reading that matches best.

        They are what ``screen`` finds when each party's line is screened against these names.
        """
        asked = [read_name(name) for name in names]
        best: dict[tuple[str, int], PartyHit] = {}
        for segment in self._segments:
            for place, at, score in matches(asked, segment.index, threshold):
                known = best.get((segment.parties[at], place))
                if known is None or score > known.score:
                    best[segment.parties[at], place] = PartyHit(
                        segment.parties[at], place, names[place], segment.index.texts[at],
                        segment.capacities[at], score,
                    )  # fmt: skip
        return tuple(sorted(best.values(), key=lambda hit: (hit.place, -hit.score, hit.party)))
