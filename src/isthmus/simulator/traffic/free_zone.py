"""The free zone: goods that came in stand in lots, and what goes out is taken from them."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from isthmus.simulator.actors.traders import Trader, Traders
from isthmus.simulator.dice import Dice
from isthmus.simulator.traffic.numbers import DIGITS
from isthmus.simulator.world import Goods, World

STANDS = timedelta(days=2)  # goods are unpacked and entered this long after the ship
_KEPT = 400  # lots of one kind of goods that are remembered
_TRIES = 4
_LEAST = 200  # kilograms below which a lot is written off


@dataclass(slots=True)
class Lot:
    """Goods of one entry into the zone. Masses in kilograms, net."""

    number: str
    owner: Trader
    goods: Goods
    origin: str  # the country that made them
    since: datetime
    entered: int
    left: int

    def take(self, kilograms: int) -> int:
        """Take so much out of it, or what is left; returns how much that is."""
        taken = min(kilograms, self.left)
        self.left -= taken
        return taken


class FreeZone:
    """The stock of the zone's firms."""

    def __init__(self, world: World, seed: int, traders: Traders) -> None:
        self.world, self.traders = world, traders
        self._dice = Dice(seed, "free zone")
        self._lots: dict[str, deque[Lot]] = {}

    def enters(self, owner: Trader, goods: Goods, origin: str, net: int, arrival: datetime) -> Lot:
        """Enter so many kilograms that a ship brings for a firm of the zone."""
        return self._entered(owner, goods, origin, arrival + STANDS, net)

    def lot(self, goods: Goods, at: datetime) -> Lot:
        """Return a lot of such goods from which something may leave at a moment.

        Stock from before the run is made up when nothing else stands there.
        """
        lots = self._lots.get(goods.code)
        for _ in range(_TRIES if lots else 0):
            found = self._dice.pick(lots)  # type: ignore[arg-type]  # a deque is indexed as well
            if found.since <= at and found.left >= _LEAST:
                return found
        owner = self.traders.shipper("PACFZ", goods.code)
        port = self._dice.weighed(self.world.regions["asia"].loads)
        before = at - timedelta(days=self._dice.whole(20, 120))
        return self._entered(owner, goods, port[:2], before, round(goods.load[1] * 3))

    def _entered(self, owner: Trader, goods: Goods, origin: str, since: datetime, net: int) -> Lot:
        number = f"L{self._dice.text(DIGITS, 8)}"
        made = Lot(number, owner, goods, origin, since, net, net)
        self._lots.setdefault(goods.code, deque(maxlen=_KEPT)).append(made)
        return made
