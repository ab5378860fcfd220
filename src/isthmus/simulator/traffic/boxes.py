"""Boxes: containers that carriers own, seen here again weeks after they left."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from isthmus.reference.size_types import size_type
from isthmus.simulator.dice import Dice
from isthmus.simulator.traffic.numbers import Numbers
from isthmus.simulator.traffic.shipment import Box

AWAY = timedelta(days=28)  # a box that was here is not back sooner
TARE = 3800  # kilograms of an empty box of a kind that no table lists
KNOWN = 0.35  # share of boxes, of those that could be back, that were here before


class Boxes:
    """The boxes of a run: a box keeps its number and its own mass whenever it comes."""

    def __init__(self, seed: int) -> None:
        self._dice = Dice(seed, "boxes")
        self._numbers = Numbers(seed, "boxes")
        self._away: dict[tuple[str, str], deque[tuple[datetime, str, int]]] = {}

    def take(self, prefixes: Sequence[str], kind: str, nominal: int, at: datetime) -> Box:
        """Return a box of a size-type: one that was here before, or one never seen.

        ``nominal`` is the mass of an empty box of its kind in kilograms.
        """
        dice = self._dice
        prefix = dice.pick(prefixes)
        away = self._away.setdefault((prefix, kind), deque())
        back = dice.chance(KNOWN)
        if back and away and away[0][0] + AWAY <= at:
            _, number, tare = away.popleft()
        else:
            number = self._numbers.container(prefix)
            tare = round(nominal * dice.between(0.97, 1.03) / 10) * 10
        away.append((at, number, tare))
        return Box(number, kind, tare)


def nominal_tare(kind: str) -> int:
    """Return what an empty box of a size-type usually weighs, in kilograms."""
    decoded = size_type(kind)
    return (decoded.nominal_tare_kg if decoded else None) or TARE
